"""What everything else is made of: letters, patterns, the engine, results."""
