"""The rows of the study on real rows, made again from the public repositories that they came from.

    for table in sources.tables():
        table.rows(raw.content)      # from the repositories' host

Nobody's rows are in this project: it has addresses, checksums, and what is done to raw files.
tools/fetch/public.py writes the files."""
