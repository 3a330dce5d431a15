"""What the synthetic benchmark's rows are: a digest a task and language, kept in fingerprints.json.

    python tests/fingerprints.py     # writes the file anew, after an intended change of words, sentences or rules
"""
import hashlib
import json
from pathlib import Path

from xstilts.data import mini
from xstilts.data.mini.dials import Dials
from xstilts.data.mini.world import SPLITS

PATH = Path(__file__).with_suffix(".json")


def digest(task: str, language: str) -> str:
    """Of the first rows of each split, at the default and, for intermediate tasks, with both dials turned."""
    settings = [Dials()] + [Dials(difficulty=3, noise=0.2)] * (task in mini.INTERMEDIATE)
    rows = [mini.rows(task, language, split, 20, dials) for dials in settings for split in SPLITS]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()[:12]


def now() -> dict[str, dict[str, str]]:
    return {language: {task: digest(task, language) for task in mini.TASKS if language in mini.languages(task)}
            for language in mini.LANGUAGES}


if __name__ == "__main__":
    lines = [f"  {json.dumps(language)}: {json.dumps(tasks)}" for language, tasks in now().items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")
