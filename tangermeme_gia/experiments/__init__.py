"""The experiments: each writes a table of conditions, which the engine runs."""
