"""The page on the embedded benchmark: its tables, and what readers reach who do not read."""
