"""Rows of a folder are looked for on the Hub: of a made-up one."""

import pytest

from xstilts import cli
from xstilts.data import hub
from xstilts.public_rows import rows, sources, tags
from xstilts.tasks.table import TASKS
from xstilts.tools.fetch import compare_hub

TAGGED = {"tokens": ["string"], "pos_tags": [tags.UPOS]}


@pytest.fixture
def folder(fake_hub, tmp_path, monkeypatch):
    """Rows of XNLI, one of which the Hub labels otherwise and one of which it does not have; and a
    language that the Hub spells otherwise."""
    theirs = hub.table(TASKS["xnli"].sources[0], "test", "de").to_list()
    ours = [{**row} for row in theirs[:5]]
    ours[1]["label"] = (ours[1]["label"] + 1) % 3
    ours[2]["premise"] = "Nobody has this."
    tagged = hub.table(TASKS["udpos"].sources[0], "test", "af").to_list()[3:6]
    made = [
        (sources.Table("xnli/de/test", (), list, sources.PAIR), ours),
        (sources.Table("udpos/Afrikaans/test", (), list, TAGGED), tagged),
        (sources.Table("snli/plain_text/train", (), list, sources.PAIR), ours),
        (sources.Table("xnli/fr/test", (), list, sources.PAIR), None),
    ]
    for table, found in made:
        if found:
            (tmp_path / table.name).parent.mkdir(parents=True)
            (tmp_path / table.name).write_bytes(rows.parquet(found, table.columns))
    (tmp_path / "xstilts.toml").write_text('["udpos/{name}"]\nnames = { af = "Afrikaans" }\n')
    monkeypatch.setattr(compare_hub, "chosen", lambda only: [table for table, _ in made])
    return tmp_path


def test_rows_are_looked_for_in_the_split_that_should_have_them(folder):
    """Files that no split of the Hub has, and files that are not there, are left out."""
    found = compare_hub.compare(folder)
    there = len(hub.table(TASKS["xnli"].sources[0], "test", "de"))
    assert found.values.tolist() == [
        ["xnli/de/test", 5, 4, 3, "facebook/xnli de test", there],
        ["udpos/Afrikaans/test", 3, 3, 3, "google/xtreme udpos.Afrikans test", there],
    ]


def test_what_the_hub_does_not_give_is_told_and_the_rest_is_compared(folder, monkeypatch, capsys):
    def table(source, name, language, first=hub.table):
        if language == "de":
            raise FileNotFoundError("moved")
        return first(source, name, language)

    monkeypatch.setattr(hub, "table", table)
    assert cli.main(["fetch", str(folder), "--public", "--compare"]) == 2
    said = capsys.readouterr()
    assert "moved" in said.err and "xnli/de/test" in said.err
    assert "udpos/Afrikaans/test: 3 of 3 rows are on the Hub" in said.out


def test_each_data_set_names_files_that_it_has():
    """Where the Hub should have the same rows, and only there, each split is one that the task
    table can load."""
    splits = {(table.data_set, table.path.split("/")[2]) for table in sources.tables()}
    for name, about in sources.data_sets().items():
        assert bool(about["hub"]) == ("hub_splits" in about)
        for ours, theirs in about.get("hub_splits", {}).items():
            assert (name, ours) in splits and theirs.split("_")[0] in (
                "train",
                "validation",
                "test",
                "dev",
            )


def test_each_file_that_the_hub_should_have_belongs_to_a_data_set_of_the_hub(tmp_path):
    (tmp_path / "xstilts.toml").write_text('["udpos/{name}"]\nnames = { af = "Afrikaans" }\n')
    for table in sources.tables():
        if table.path.split("/")[2] in sources.data_sets()[table.data_set].get("hub_splits", {}):
            assert len(compare_hub._sources(tmp_path, table)) == 1, table.path
