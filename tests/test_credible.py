"""What a record says is believed only where it can be true of its run."""

import copy
import errno
import json
import os
import random
import resource

import numpy as np
import pandas as pd
import pytest
from limits import within_limits
from made_records import artifact

from xstilts.analysis import again, repeats
from xstilts.chapters import needed as chapters
from xstilts.errors import UserError
from xstilts.runs import credible, records
from xstilts.runs.key import key, line
from xstilts.study import phases, profiles
from xstilts.study.conditions import Condition
from xstilts.tasks.table import TASKS

TARGETS = ("xnli", "xquad", "udpos", "tatoeba", "bucc")


@pytest.fixture(scope="module")
def recorded(tiny_encoder, tmp_path_factory):
    """name -> (run, the text of its record), of every form that a record has."""
    study = profiles.study(
        encoder=str(tiny_encoder),
        intermediates="squad2",
        targets=",".join(TARGETS),
        languages="en,de",
        vocabulary="full",
        eval_rows=12,
        phase1_steps=2,
    )
    scores = phases.single_tasks(study)
    wanted = {target: scores[Condition(("squad2",)), target, 0] for target in TARGETS}
    wanted |= {
        "base": phases.base(study),
        "text": phases.phase1(study),
        "squad2": phases.phase2(study, ("squad2",), 0),
    }
    root = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XSTILTS_RECORDS", str(tmp_path_factory.mktemp("records")))
        for number, run in enumerate(wanted.values()):
            artifact(root, run, number)
        assert len(records.record(wanted.values(), root)) == len(wanted)
        return {name: (run, place(run).read_text()) for name, run in wanted.items()}


def place(run):
    return records.folder() / f"{key(run)}.json"


def put(path, content):
    """At another time than all before: what was read is remembered by that."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
    )
    put.time = getattr(put, "time", 10**18) + 1
    os.utime(path, ns=(put.time, put.time))


def refused(run, content, words):
    put(place(run), content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UserError, match=words) as raised:
        records.find(run)
    assert place(run).name in str(raised.value) and "delete it" in str(raised.value)


def older(text, **changed):
    """As records were before they had a checksum, with other fields."""
    return {name: value for name, value in json.loads(text).items() if name != "sha256"} | changed


def scored(record, row, column, value):
    record = copy.deepcopy(record)
    fields = record["scores"][row].split(",")
    fields[credible.COLUMNS.index(column)] = value
    record["scores"][row] = ",".join(fields)
    return record


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("value", "97.0", "no share of 12 examples"),
        ("value", "0.0", "they come to .*, and the score is 0.0"),
        ("value", "nan", "the score 'nan'"),
        ("value", "1e308", "the score '1e308'"),
        ("value", "=1+1", "the score '=1[+]1'"),
        ("value", "-5.0", "the score"),
        ("value", "5_0.0", "the score"),
        ("value", "", "no share of 12 examples"),
        ("language", "fi", "no such scores"),
        ("language", "en", "twice"),
        ("task", "pawsx", "no such scores"),
        ("metric", "F1", "no such scores"),
        ("layer", "3", "not each metric at each layer"),
        ("split", "train", "no such split"),
        ("n", "1000000000", "no whole number|cannot be so many"),
        ("n", "0", "cannot be so many"),
        ("n", "13", "cannot be so many"),
        ("n", "11", "no share of 11"),
        ("of", "7", "cannot be so many"),
        ("baseline", "101.0", "the score"),
        ("baseline", "", "baseline"),
    ],
)
def test_a_score_that_cannot_be_is_refused_by_name(recorded, column, value, words):
    run, text = recorded["xnli"]
    refused(run, scored(older(text), 1, column, value), words)


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"key": "0" * 20}, "it has the key '0000"),
        ({"label": "elsewhere > pawsx (seed 0)"}, "it is of 'elsewhere"),
        ({"parents": []}, "another encoder"),
        ({"seconds": -1}, "-1 seconds"),
        ({"seconds": 1e300}, "1e[+]300 seconds"),
        ({"seconds": True}, "its seconds is True"),
        ({"written": "lately"}, "its time is 'lately'"),
        ({"dev": 100.5}, "dev rows is 100.5"),
        ({"environment": {}}, "it has no device"),
        ({"scores": []}, "no table of scores"),
        ({"scores": [1]}, "no lines"),
        ({"examples": []}, "no examples of"),
        ({"examples": [{}]}, "not all fields"),
        ({"history": 1}, "its history is 1"),
        ({"more": 1}, "it has 'more', which is unknown"),
        ({"sha256": "0"}, "was changed after it was written"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_name(recorded, changed, words):
    run, text = recorded["xnli"]
    refused(run, older(text, **changed), words)


def test_what_is_no_json_object_with_each_key_once_is_refused(recorded):
    run, text = recorded["xnli"]
    for content, words in (
        (text[:100], "no record"),
        ("[" * 10**5, "nested too deeply"),
        ("[]", "no JSON object"),
        (text.replace('"seconds": ', '"seconds": NaN, "x": '), "NaN is no number"),
        (text.replace('"seconds": ', '"seconds": 1, "seconds": '), "'seconds' twice"),
        (text.replace('"n": 12', '"n": 12, "n": 12', 1), "'n' twice"),
        ("\udcff", "no record"),
    ):
        refused(run, content, words)


def test_a_note_of_its_history_is_part_of_a_record(recorded):
    run, text = recorded["udpos"]
    put(place(run), json.dumps(older(text, history="its key was another one")))
    assert (
        records.find(run)["history"] == "its key was another one" and len(records.scores(run)) == 4
    )


def test_a_billion_examples_take_no_memory(recorded):
    run, text = recorded["xnli"]
    huge, before = older(text), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    huge["examples"] = [
        part | {"n": 10**9, "numerator": 0, "denominator": 1} for part in huge["examples"]
    ]
    refused(run, huge, "there are 1000000000, and the score is of 12")
    huge["scores"][1:] = [
        line.replace(",12,40,", ",1000000000,1000000000,") for line in huge["scores"][1:]
    ]
    refused(run, huge, "no whole number|so many")
    with pytest.raises(ValueError, match="n is 1000000000"):
        credible.unpack(1, 10**9)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KB


def test_what_no_examples_can_tell_is_still_told_by_the_checksum(recorded):
    """Two examples exchanged, a centred score: the older form has no way to know."""
    run, text = recorded["tatoeba"]
    told = json.loads(text)
    row = next(number for number, line in enumerate(told["scores"]) if "centred" in line)
    other = told["scores"][row].rsplit(",", 4)
    other[1] = repr(100 * 5 / 12) if other[1] != repr(100 * 5 / 12) else "50.0"
    told["scores"][row] = ",".join(other)
    refused(run, told, "was changed after it was written")
    put(place(run), json.dumps(older(json.dumps(told))))
    assert records.find(run)


def test_a_record_is_written_whole_or_not_at_all(recorded, tmp_path, monkeypatch):
    run, _ = recorded["xnli"]
    artifact(tmp_path / "store", run)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(
            UserError, match="cannot be written: No space left on device.*Make room"
        ):
            records.record([run], tmp_path / "store")
    assert list(records.folder().iterdir()) == [] and records.find(run) is None
    records.record([run], tmp_path / "store")
    assert [path.name for path in records.folder().iterdir()] == [place(run).name]
    put(place(run), place(run).read_text()[:100])  # as older versions left it on a full disk
    with pytest.raises(UserError, match=f"{place(run).name} is no record"):
        records.record([run], tmp_path / "store")


def test_an_artifact_that_cannot_be_is_not_recorded(recorded, tmp_path):
    run, _ = recorded["xnli"]
    folder = artifact(tmp_path, run)
    scores = pd.read_csv(folder / "scores.csv").assign(value=97.0)
    scores.to_csv(folder / "scores.csv", index=False)
    with pytest.raises(UserError, match="cannot be recorded.*no share of 12"):
        records.record([run], tmp_path)
    assert not place(run).exists()


def test_the_projects_own_records_are_believed(monkeypatch):
    monkeypatch.delenv("XSTILTS_RECORDS", raising=False)
    try:
        needed = [
            step
            for study in (profiles.study(), profiles.study(profile="real"))
            for run in chapters.needed("", study)
            for step in line(run)
        ]
    except UserError as error:
        pytest.skip(str(error))
    found = {key(run): record for run in needed if (record := records.find(run))}
    assert len(found) > 400 and {path.stem for path in records.folder().glob("*.json")} <= set(
        found
    )
    assert len(repeats.table()) > 50
    assert set(map(key, records.unrecorded(needed))).isdisjoint(found)


# ---------------------------------------------------------------- whatever may happen to a file

ODD = [
    None,
    True,
    -1,
    0,
    10**9,
    1e308,
    0.5,
    "",
    "=1+1",
    "nan",
    "x" * 10**5,
    [],
    {},
    [[]],
    {"a": 1},
    "ffff",
    "1 1",
    "9" * 5000,
]


def places(value, path=()):
    """The paths to all that is in a JSON value."""
    for name in (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    ):
        yield (*path, name)
        yield from places(value[name], (*path, name))


def changed(text, draw):
    """The text with one thing other than it was."""

    def somewhere():
        return draw.randrange(len(text))

    def digit():
        at = draw.choice([number for number, letter in enumerate(text) if letter.isdigit()])
        return (
            text[:at]
            + draw.choice([new for new in "0123456789" if new != text[at]])
            + text[at + 1 :]
        )

    def within(value, what):
        value = copy.deepcopy(value)
        *before, last = draw.choice(list(places(value)))
        inner = value
        for name in before:
            inner = inner[name]
        what(inner, last)
        return json.dumps(value)

    def drop(inner, name):
        del inner[name]

    def double(inner, name):
        if isinstance(inner, list):
            inner.insert(name, inner[name])
        else:
            inner[f"{name} "] = inner[name]

    def rename(inner, name):
        if isinstance(inner, dict):
            inner[draw.choice([*inner, "other"])] = inner.pop(name)
        else:
            inner[name] = draw.choice(inner)

    def odd(inner, name):
        inner[name] = draw.choice(ODD)

    def key_twice():
        at = draw.choice([number for number, letter in enumerate(text) if letter == "{"])
        end = text.index(":", at)
        return text[: at + 1] + text[at + 1 : end] + ": 1, " + text[at + 1 :]

    def swapped(one, other):
        return text.replace(one, "\0").replace(other, one).replace("\0", other)

    ways = [
        digit,
        digit,
        digit,
        lambda: text[: somewhere()],
        lambda: text[: (at := somewhere())] + text[at + draw.randrange(1, 40) :],
        lambda: (
            text[: (at := somewhere())]
            + draw.choice(["ffff", "1 1", "9" * 5000, '"', "}", "\\u0000"])
            + text[at:]
        ),
        key_twice,
        *(lambda what=what: within(json.loads(text), what) for what in (drop, double, rename, odd)),
        lambda: swapped('"language": "en"', '"language": "de"'),
        lambda: swapped(",en,", ",de,"),
        lambda: (
            text.encode()[: (at := somewhere())]
            + bytes([draw.randrange(256)])
            + text.encode()[at + 1 :]
        ),
    ]
    return draw.choice(ways)()


def quickly(read):
    """What is read, or None where it is refused; never anything else, nor for long."""
    with within_limits():
        try:
            return read()
        except UserError:
            return None


def told(run):
    """All that is shown of a record, and of the main metric alone."""
    record = records.find(run)
    if "scores" not in record:
        return record, None
    scores = records.scores(run)
    main = scores[scores.metric == scores.task.map(lambda name: TASKS[name].metric)]
    return [record, scores.to_csv(), records.examples(run).to_json()], main[
        ["task", "language", "layer", "value", "n"]
    ]


@pytest.mark.parametrize("name", [*TARGETS, "base", "text", "squad2"])
def test_a_changed_record_is_refused_or_says_the_same(recorded, name):
    run, text = recorded[name]
    put(place(run), text)
    before, main = told(run)
    draw, count = random.Random(name), {"refused": 0, "the same": 0}
    for number in range(60):
        put(place(run), changed(text, draw))
        found = quickly(lambda: told(run))
        assert found is None or json.dumps(found[0]) == json.dumps(before), number
        count["refused" if found is None else "the same"] += 1
    assert count["refused"] > 40
    old = json.dumps(older(text))
    for _ in range(60):  # and the older form, of the scores that have examples
        put(place(run), changed(old, draw))
        found = quickly(lambda: told(run))
        if found and name in TARGETS:
            pd.testing.assert_frame_equal(found[1], main, rtol=0, atol=1e-9)


LINES = [
    {
        "key": f"{number:020x}",
        "run": f"e5-small > {target} (seed {number})",
        "trained": target != "tatoeba",
        "recorded": 50.0,
        "again": 50.0 + float(np.mean(moved)),
        again.LARGEST: max(map(abs, moved)),
        "differences": dict(zip(("de", "en", "fi"), moved, strict=True)),
        "from": "AMD EPYC, bf16",
        "to": "Intel, float32",
        "when": f"2026-11-22T0{number}:05:04+0000",
    }
    for number, (target, moved) in enumerate(
        [
            ("xnli", [1.5, -2.25, 4.0]),
            ("tatoeba", [0.0, 0.5, 0.25]),
            ("panx", [-35.0, -34.0, 1.1111]),
        ]
    )
]


@pytest.mark.parametrize("seal", [credible.seal, dict])
def test_changed_repeats_are_refused_or_say_the_same(seal):
    path, lines = records.folder() / again.AGAIN, [json.dumps(seal(line)) for line in LINES]
    put(path, "\n".join(lines))
    before, draw, refusals = repeats.table(), random.Random(0), 0
    for number in range(250):
        at, new = (
            draw.randrange(3),
            changed(lines[draw.randrange(3)], draw) if number % 10 == 0 else None,
        )
        new = new or changed(lines[at], draw)
        put(
            path,
            b"\n".join(
                [line.encode() for line in lines[:at]]
                + [new if isinstance(new, bytes) else new.encode()]
                + [line.encode() for line in lines[at + 1 :]]
            ),
        )
        found = quickly(repeats.table)
        refusals += found is None
        if found is not None and seal is credible.seal and len(found) == 3:
            assert found.to_json() == before.to_json(), number
        elif (
            found is not None and len(found) == 3
        ):  # the figures are those of a line, but for the last digits
            same = [
                row
                for row in LINES
                if abs(row["recorded"] - found.recorded[at]) < 2e-4
                and abs(row["again"] - found.again[at]) < 2e-4
                and (
                    not found.trained[at]
                    or abs(row[again.LARGEST] - found[again.LARGEST][at]) < 2e-4
                )
            ]
            assert same, number
    assert refusals > 100


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"again": 97.0}, "not those of its means"),
        ({"recorded": -3.0}, "0-100"),
        ({"differences": {}}, "differences are"),
        ({"differences": {"de": 1.5, "en": "=1+1"}}, "differences are"),
        ({"trained": False}, "not trained|trained"),
        ({"run": "a training"}, "it is of no run"),
        ({"key": "x"}, "it is of no run"),
        ({"when": "now"}, "its time"),
        ({again.LARGEST: 40.0}, "not those of its means"),
        ({"more": 1}, "unknown"),
    ],
)
def test_a_repeat_that_cannot_be_is_refused_by_name(changed, words):
    put(
        records.folder() / again.AGAIN,
        json.dumps(LINES[1]) + "\n" + json.dumps(LINES[0] | changed),
    )
    with pytest.raises(UserError, match=f"again.jsonl, line 2: .*{words}"):
        repeats.table()
    put(records.folder() / again.AGAIN, (json.dumps(LINES[0]) + "\n") * 2)
    with pytest.raises(UserError, match="twice"):
        repeats.table()
