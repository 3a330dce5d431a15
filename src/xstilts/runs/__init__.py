"""One run: its key, what it does, and where its results are kept."""
