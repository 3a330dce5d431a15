"""The Hub's three routes (a configuration, files of a revision, tagged text), at one commit, online
and from the cache."""

import os
import subprocess
import sys

import hub_server
import hubrows
import pandas as pd
import pytest
from datasets.utils.metadata import MetadataConfigs

from xstilts import cli, data, encoders, hub_faults, revisions
from xstilts.data import hub
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.tasks.table import TASKS
from xstilts.tools import plan


def serve(server, names, languages):
    for repository, revision, files in hubrows.official([TASKS[name] for name in names], languages):
        server.add("dataset", repository, files, revision)


def another_process():
    """Forgets what this one knows."""
    for cached in (
        data.load,
        data.languages,
        data.fingerprint,
        data.labelled,
        hub._module,
        revisions._asked,
    ):
        cached.cache_clear()


def test_a_configuration_is_read(server):
    serve(server, ["udpos"], {"fi", "th"})
    place = TASKS["udpos"].sources[0]
    table = hub.table(place, "test", "fi")
    assert (
        len(table) == 12
        and table.features["pos_tags"].feature.names
        == hubrows.features(TASKS["udpos"], place)["pos_tags"].feature.names
    )
    assert hub.splits_of(TASKS["udpos"], place, "test", "fi") == ["test"]
    path = "udpos.Thai/test-00000-of-00001.parquet"  # Thai has no other rows
    server.add(
        "dataset",
        place.hub,
        {
            path: hubrows._bytes(path, table),
            "README.md": hubrows._card({("udpos.Thai", "test"): (path, table)}).encode(),
        },
        place.revision,
    )
    another_process(), hub_server.clear()
    with pytest.raises(UserError, match="no train rows of UDPOS .looked for train; found test"):
        hub.splits_of(TASKS["udpos"], place, "train", "th")


def test_files_of_the_converted_branch_are_read(server):
    serve(server, ["masakhaner", "squad"], {"sw", "de"})
    assert (
        len(data.load("masakhaner", "test", "sw", "hub"))
        == 12
        == len(data.load("squad", "train", "de", "hub"))
    )
    assert not any(
        "README" in line for line in server.asked
    )  # no card is needed where files are named


def test_mlqa_and_the_translations_of_squad_load_although_the_data_set_is_a_loading_script(server):
    serve(server, ["mlqa", "squad"], {"en", "de"})
    script = {"mlqa.py": b"raise SystemExit", "README.md": b""}
    for revision in ("main", "397ed406c1a7902140303e7faf60fff35b58d285"):
        server.add("dataset", "facebook/mlqa", script, revision)
    assert (
        len(data.load("mlqa", "test", "de", "hub"))
        == len(data.load("mlqa", "validation", "en", "hub"))
        == 12
    )
    assert (
        len(data.load("squad", "train", "de", "hub"))
        == len(data.load("squad", "test", "de", "hub"))
        == 12
    )
    assert hub.configuration(TASKS["mlqa"].sources[0], "de") == "MLQA.de.de"  # as XTREME spells it
    assert TASKS["squad"].sources[1].files.startswith("mlqa-translate-train.{language}/{split}/")
    place = TASKS["xnli"].sources[0]
    server.add(
        "dataset",
        place.hub,
        {"xnli.py": b"raise SystemExit", "data.csv": b"a,b\n1,2\n"},
        place.revision,
    )
    with pytest.raises(
        UserError,
        match="'facebook/xnli' is a loading script at the revision b8dd5d7a.*refs/convert/parquet",
    ):
        data.load("xnli", "test", "de", "hub")


def test_a_card_is_read_once_and_a_table_once(server, monkeypatch):
    """That of XTREME has 180 configurations, and reading it takes seconds."""
    serve(server, ["udpos", "panx"], {"fi", "de", "et"})
    read = []
    monkeypatch.setattr(
        MetadataConfigs,
        "from_dataset_card_data",
        classmethod(
            lambda kind, card, first=MetadataConfigs.from_dataset_card_data.__func__: (
                read.append(1) or first(kind, card)
            )
        ),
    )
    for name in ("udpos", "panx"):
        for language in ("fi", "de", "et"):
            assert data.split_found(name, "test", language, "hub") == "test" and data.load(
                name, "test", language, "hub"
            )
    assert len(read) == 1
    asked = len(server.asked)
    another_process()
    assert (
        data.load("panx", "test", "de", "hub") and len(server.asked) == asked
    )  # a commit does not change


@pytest.mark.parametrize(
    "name", ["panx", "lareqa", "cosmosqa"]
)  # pinned to a branch, those but PAN-X in some languages
def test_what_is_cached_is_read_without_the_hub_and_other_commits_are_not(
    name, server, monkeypatch
):
    serve(server, [name], {"en", "lt", "de"})
    language = "lt" if name == "panx" else "en"
    rows, print_of_it = (
        data.load(name, "test", language, "hub"),
        data.fingerprint(name, "test", (language,), "hub"),
    )
    server.fault = lambda method, path: "500"
    another_process()
    assert data.load(name, "test", language, "hub") == rows
    another_process(), server.asked.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert data.load(name, "test", language, "hub") == rows and not server.asked
    assert data.fingerprint(name, "test", (language,), "hub") == print_of_it
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    another_process()
    place = hub.places(TASKS[name], language)[0]
    server.fault = lambda method, path: ""
    files = {
        path: content.replace(b"Rows for", b"Other")
        for path, content in server.repositories["dataset", place.hub]
        .files(place.revision)[1]
        .items()
    }
    server.add(
        "dataset", place.hub, files, place.revision
    )  # the branch goes on, and then the Hub fails
    server.fault = lambda method, path: "500" if "/revision/" not in path else ""
    with pytest.raises(
        UserError, match=f"{place.hub}' could not be had: the Hub has an error of its own"
    ):
        data.load(name, "test", language, "hub")  # and not the rows of the commit that is cached


def test_what_was_computed_is_computed_again_without_the_hub(
    server, tiny_encoder, tmp_path, monkeypatch
):
    """The second time in a process of its own, with HF_HUB_OFFLINE as people set it. Two data sets
    are pinned to branches."""
    serve(server, ["lareqa", "squad"], {"en", "de"})
    server.add(
        "model", "org/tiny", {path.name: path.read_bytes() for path in tiny_encoder.iterdir()}
    )
    words = (
        "-p targets lareqa -p languages en,de -p intermediates squad -p phase1_steps 0 -p data hub "
        "-p phase2_steps 2 -p phase3_steps 2 -p phase2_rows 12 -p phase3_rows 12 -p max_length 32 "
        "-p encoder org/tiny -p eval_rows 8"
    ).split()
    assert cli.main(["compute", "small", "single_task", *words]) == 0
    first, asked = (
        {path.name for path in (tmp_path / "store").iterdir() if len(path.name) == 20},
        len(server.asked),
    )
    assert len(first) >= 4
    done = subprocess.run(
        [sys.executable, "-m", "xstilts.cli", "compute", "small", "single_task", *words],
        capture_output=True,
        text=True,
        timeout=280,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "XSTILTS_STORE": str(tmp_path / "other")},
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert {
        path.name for path in (tmp_path / "other").iterdir() if len(path.name) == 20
    } == first  # the same keys
    assert len(server.asked) == asked


def test_a_plan_needs_no_hub(server, monkeypatch):
    monkeypatch.setattr(plan, "measured", lambda *_: plan.Speed(1.0, 0.1, 1e-9, 1e-9))
    monkeypatch.setattr(revisions, "unasked", False)
    server.fault = lambda method, path: "500"
    asked = profiles.study(
        "small", targets="lareqa", intermediates="squad", languages="en,de", phase1_steps=0
    )
    assert "The Hub can't be reached" in plan.text(asked, "single_task")


def test_text_is_read_from_after_what_is_held_out(fake_hub, wikipedia, monkeypatch):
    held_out, some = (
        data.load("text", split, "fi", "hub", limit)
        for split, limit in (("validation", 0), ("train", 20))
    )
    assert [row["text"].split()[-1] for row in held_out] == [str(number) for number in range(500)]
    assert [row["text"] for row in some] == [f"20231101.fi {number}" for number in range(500, 520)]
    monkeypatch.setattr(hub, "TEXT_ROWS", 30)  # without a limit no whole Wikipedia either
    assert len(data.load("text", "train", "fi", "hub")) == 30


def test_a_branch_becomes_the_commit_it_stands_for(server, monkeypatch):
    heads = {
        name: server.add(kind, name, {"a": name.encode()})
        for kind, name in (
            ("dataset", "a/b"),
            ("dataset", "izhx/xtreme-r-udpos"),
            ("model", "google/rembert"),
        )
    }
    with monkeypatch.context() as planned:
        planned.setattr(revisions, "unasked", True)
        assert revisions.commit("a/b", "main") == "main" and not server.asked
    assert (
        revisions.commit("a/b", "main") == heads["a/b"]
        and revisions.commit("a/b", "0" * 40) == "0" * 40
    )
    assert server.asked == ["GET /api/datasets/a/b/revision/main"]
    assert heads["izhx/xtreme-r-udpos"] in hub.fingerprint(TASKS["udpos"], "test", "lt", "hub")
    assert encoders.fingerprint("rembert:2") == f"google/rembert@{heads['google/rembert']}:2"
    assert (
        encoders.fingerprint("xlmr-base").endswith(encoders.KNOWN["xlmr-base"][1])
        and len(server.asked) == 3
    )


def test_a_hub_that_does_not_answer_says_what_else_there_is(server):
    server.fault = lambda method, path: "reset"
    with pytest.raises(UserError, match="'a/b' cannot be reached.*data='mini' or a local folder"):
        revisions.commit("a/b", "main")
    with pytest.raises(UserError, match="model 'google/rembert' cannot be reached.*'e5-small'"):
        encoders.fingerprint("rembert")


def test_an_encoder_that_was_asked_for_before_is_the_commit_that_it_was_then(server, monkeypatch):
    head = server.add("model", "google/rembert", {"config.json": b"{}"})
    assert encoders.fingerprint("rembert") == f"google/rembert@{head}"
    revisions._asked.cache_clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert encoders.fingerprint("rembert") == f"google/rembert@{head}"
    with pytest.raises(
        UserError,
        match="'FacebookAI/other' is not in the cache, and HF_HUB_OFFLINE allows no request",
    ):
        encoders.fingerprint("FacebookAI/other")


def test_pauses_grow_and_end_and_a_repository_that_never_answers_is_not_waited_for_again(
    server, monkeypatch, capsys
):
    waited = []
    monkeypatch.setattr(hub_faults, "PAUSES", (2, 8, 30))
    monkeypatch.setattr(hub_faults.time, "sleep", waited.append)
    server.fault = lambda method, path: "reset"
    for name in ("a/b", "a/b", "a/c"):
        with pytest.raises(UserError, match="cannot be reached"):
            revisions.commit(name, "main")
    assert [pause for pause in waited if pause in (2, 8, 30)] == [2, 8, 30, 2, 8, 30]
    assert "the data set 'a/b' cannot be reached" in capsys.readouterr().out


AUTO = r"""ID=wsj_0201.1 PARSER=GOLD NUMPARSE=1
(<T S[dcl] 0 2> (<T NP 0 1> (<L N NNP NNP Anna N>) ) {verb} (<L N NN NN Chile N>) )
ID=wsj_0201.2 PARSER=GOLD NUMPARSE=1
(<L N NN NN Yes N>)
""".replace("{verb}", r"(<L (S[dcl]\NP)/NP VBZ VBZ likes (S[dcl]\NP_1)/NP_2>)")


def test_a_licensed_ccgbank_lies_beside_the_hub(fake_hub, tmp_path, monkeypatch, capsys):
    for section in (0, *range(2, 22), 23):
        folder = tmp_path / "ldc" / "data" / "AUTO" / f"{section:02d}"
        folder.mkdir(parents=True)
        (folder / f"wsj_{section:02d}01.auto").write_text(AUTO)
    assert data.languages("ccg", "hub") == ()
    assert cli.main(["ccgbank", str(tmp_path / "ldc"), "--out", str(tmp_path / "rows")]) == 0
    assert "train      40 sentences" in capsys.readouterr().out
    monkeypatch.setenv("XSTILTS_OWN", str(tmp_path / "rows"))
    data.languages.cache_clear(), data.labelled.cache_clear()
    row = data.labelled("ccg", "hub")
    assert data.languages("ccg", "hub", "train") == ("en",) and row.labels == (
        "N",
        "(S[dcl]\\NP)/NP",
    )
    assert data.load("ccg", "train", "en", "hub")[0] == {
        "words": ["Anna", "likes", "Chile"],
        "tags": [0, 1, 0],
    }
    assert len(data.load("xnli", "test", "en", "hub")) == 12  # the rest is the Hub's as before
    with pytest.raises(UserError, match="no data/AUTO/02.*LDC2005T13"):
        from xstilts.tools import ccgbank

        ccgbank.convert(tmp_path, tmp_path)


def test_sources_and_licences_are_listed(capsys):
    assert cli.main(["tasks", "--sources"]) == 0
    out = capsys.readouterr().out
    for row in TASKS.values():
        assert all(source.licence in out for source in row.sources) and row.obtain in out
    assert (
        "rajpurkar/squad_v2@3ffb306f" in out and pd.Series(out.splitlines()).str.len().gt(0).all()
    )
