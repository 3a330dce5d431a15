"""The tasks: one table of them, and for each kind how rows are read, encoded, learned, decoded and
scored."""
