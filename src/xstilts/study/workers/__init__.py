"""Where the runs of a graph are computed: in several processes here, or on a Dask cluster."""
