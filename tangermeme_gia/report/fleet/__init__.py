"""The page of many models: a table, what they have in common, and who failed."""
