"""The makers of the embedded rows: a file for each kind of task, a function for each task."""
