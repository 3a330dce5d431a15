"""What the synthetic benchmark's rows are: a digest a task and language, kept in fingerprints.json.

    python tests/fingerprints.py     # writes the file anew, after an intended change of words,
                                     sentences or rules

The file also has the version that these rows are stated to be (mini.FINGERPRINT), which stands in
the keys of runs. Rows
that changed want another version: the command refuses to write them under the old one."""

import hashlib
import json
import sys
from pathlib import Path

from xstilts import synthetic
from xstilts.synthetic import dials, world
from xstilts.synthetic.dials import Dials

PATH = Path(__file__).with_suffix(".json")
VERSION = "version"
# the rows that are digested: at the default, and where a dial is turned
ROWS, FEWER = (*range(20), 137, 1999, 4321, 7999), (*range(4), 137, 7999)


def _rows(task: str, language: str, split: str, turned: Dials) -> list[dict]:
    numbers = ROWS if turned == Dials() else FEWER
    return [synthetic.row(task, language, split, number, turned) for number in numbers]


def digest(task: str, language: str) -> str:
    """Of rows of each split, at the default and, for intermediate tasks, with both dials turned;
    and of labels and sizes."""
    settings = [Dials()]
    if task in synthetic.INTERMEDIATE:
        settings += [Dials(difficulty=level, noise=0.2) for level in dials.LEVELS]
    found = [
        [synthetic.size(task, language, split), _rows(task, language, split, turned)]
        for turned in settings
        for split in world.SPLITS
    ]
    return hashlib.sha256(
        json.dumps([synthetic.LABELS.get(task), found], ensure_ascii=False).encode()
    ).hexdigest()[:12]


def now() -> dict[str, dict[str, str]]:
    return {
        language: {
            task: digest(task, language)
            for task in synthetic.TASKS
            if language in synthetic.languages(task)
        }
        for language in synthetic.LANGUAGES
    }


def kept() -> tuple[str, dict[str, dict[str, str]]]:
    """The version that fingerprints.json states, and the digests of its rows."""
    found = json.loads(PATH.read_text())
    return found.pop(VERSION), found


def changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[str]:
    """Task and language of each digest that differs or that only one side has."""
    return [
        f"{task} {language}"
        for language in sorted(before | after)
        for task in sorted(before.get(language, {}) | after.get(language, {}))
        if before.get(language, {}).get(task) != after.get(language, {}).get(task)
    ]


def problem(version: str, before: dict, after: dict) -> str:
    """What is wrong with rows `after` under today's version, in words; "" if nothing is."""
    rows = changed(before, after)
    if rows and version == synthetic.FINGERPRINT:
        return (
            f"rows changed: {', '.join(rows)}. If that was meant, give mini.FINGERPRINT another "
            "value, "
            "run python tests/fingerprints.py and commit its file"
        )
    return ""


if __name__ == "__main__":
    digests = now()
    if wrong := problem(*kept(), digests):
        sys.exit(wrong)
    lines = [f"  {json.dumps(VERSION)}: {json.dumps(synthetic.FINGERPRINT)}"]
    lines += [
        f"  {json.dumps(language)}: {json.dumps(tasks)}" for language, tasks in digests.items()
    ]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")
