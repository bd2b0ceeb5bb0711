"""Models by name, from a file, or from the user's own code."""
