"""The rows of the task table. A file here has a list ROWS; a new file is found by itself."""
