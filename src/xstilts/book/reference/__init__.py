"""Pages that are made from the code itself and from counts: the layers, the API, the rows."""
