"""The table of sources is whole; which rows are taken, and how they are written."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts.data import labels
from xstilts.public_rows import raw, rows, sources, tags
from xstilts.tools.fetch import public

DIGEST = "7cee13391b1f7ed0120ce31c742e42add04121cb4543c349076566aa0ab92f98"


def test_samples_are_the_same_every_time_and_keep_the_order():
    numbers = list(range(50))
    chosen = rows.drawn(10)(numbers)
    assert chosen == rows.drawn(10)(numbers) == sorted(chosen) and len({*chosen}) == 10
    assert chosen[:3] == [9, 11, 14] and rows.drawn(10, seed=17)(numbers) != chosen
    assert rows.drawn(100)(numbers) == rows.whole(numbers) == numbers
    assert rows.first(3)(numbers) == [0, 1, 2]
    parts = [rows.shuffled(None, -10)(numbers), rows.shuffled(-10, None)(numbers)]
    assert sorted(parts[0] + parts[1]) == numbers and len(parts[1]) == 10 and parts[0] != numbers


def test_a_file_names_its_labels_and_its_digest_is_that_of_its_rows(tmp_path):
    columns = {"tokens": ["string"], "ner_tags": [tags.ENTITIES], "more": {"n": ["int32"]}}
    found = [{"more": {"n": [1]}, "tokens": ["a"], "ner_tags": [3]}]
    (tmp_path / "a.parquet").write_bytes(rows.parquet(found, columns))
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.to_pylist() == found and table.column_names == [*columns]
    assert labels.names_in(table.schema.metadata, "ner_tags", "here") == list(tags.ENTITIES)
    digest = rows.digest(found, columns)
    assert digest == rows.digest(table.to_pylist(), columns) and len(digest) == 16
    assert digest != rows.digest(found, columns | {"ner_tags": [tags.WITH_DATES]})
    assert digest != rows.digest([found[0] | {"tokens": ["b"]}], columns)


def test_the_table_of_sources_is_whole():
    """Each file is described, each raw file has a checksum, and none is left over."""
    paths = [table.path for table in sources.tables()]
    assert len(paths) == len({*paths}) == 232 and {*paths} == {*sources.known()}
    assert {table.data_set for table in sources.tables()} == {*sources.data_sets()}
    named = {reference for table in sources.tables() for reference in table.raw}
    assert named == {*raw.known()}
    for file in raw.known().values():
        assert len(file.commit) == 40 and len(file.checksum) == 64 and file.size > 0
        assert ".." not in file.path and not file.path.startswith("/")
    for about in sources.data_sets().values():
        assert all(about[name] for name in ("title", "whose", "licence", "official", "left_out"))


def test_the_writer_is_the_one_that_requirements_have():
    """Another release writes other bytes, and so do other settings: of these rows, too."""
    pinned = Path(public.__file__).parents[4] / "requirements.txt"
    assert f"\npyarrow=={public.WRITER} " in pinned.read_text()
    if pa.__version__ != public.WRITER:
        pytest.skip(f"this is pyarrow {pa.__version__}")
    content = rows.parquet([{"tokens": ["a"] * 9, "n": 1}], {"tokens": ["string"], "n": "int32"})
    assert hashlib.sha256(content).hexdigest() == DIGEST
