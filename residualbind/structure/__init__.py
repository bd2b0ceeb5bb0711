"""Structure profiles of sequences by ViennaRNA."""
