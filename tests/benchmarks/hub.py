"""Every row of the task table in every language, and every encoder that has a name, through the
real client libraries from a Hub on the loopback address that has rows in the official layouts: what
loads, with how many requests, in what time.

    python tests/benchmarks/hub.py     # 3 minutes; --tasks xnli,udpos or --encoders mbert: some

The rows are made up and the encoders tiny: that they load proves the layouts, names and revisions
of the table, not that the real Hub has them still."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import hub_server  # before all that reads where the Hub is

os.environ["XSTILTS_CACHE"] = hub_server.HOME + "/cache"

import hashlib

import hubrows
from families import tiny_config, tiny_tokenizer
from transformers import AutoModel

from xstilts import data, encoders, hub_faults
from xstilts.data import hub, tagged
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS

FAMILY = {
    "mbert": "bert",
    "minilm": "bert",
    "multilingual-e5-small": "bert",
    "mdeberta": "deberta-v2",
    "rembert": "rembert",
    "mmbert-small": "modernbert",
    "mmbert-base": "modernbert",
}  # all others: xlm-roberta


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--tasks", default=",".join(name for name in TASKS if hub._loadable(TASKS[name]))
    )
    parser.add_argument("--encoders", default=",".join(encoders.KNOWN))
    asked = parser.parse_args()
    server, hub_faults.PAUSES = hub_server.start(), ()
    names = [name for name in asked.tasks.split(",") if name]
    for repository, revision, files in hubrows.official([TASKS[name] for name in names]):
        server.add("dataset", repository, files, revision)
    _serve_masakhapos(server)
    lost = sum([_task(server, name) for name in names])
    lost += sum([_encoder(server, name) for name in asked.encoders.split(",") if name])
    print(
        f"\n{lost} could not be loaded; requests that the server does not know: "
        f"{len(server.unknown)}"
    )
    return int(lost > 0 or bool(server.unknown))


def _serve_masakhapos(server) -> None:
    [source] = TASKS["masakhapos"].sources
    files = hubrows.plain()
    server.plain = {
        f"/masakhane-io/masakhane-pos/{source.revision}/{path}": content
        for path, content in files.items()
    }
    source.__dict__["files"] = source.files.replace(
        "https://raw.githubusercontent.com", server.large
    )
    tagged._checksums = lambda: {
        path: hashlib.sha256(content).hexdigest() for path, content in files.items()
    }


def _task(server, name: str) -> int:
    """Prints one line a source of the table; returns how many tables did not load."""
    row, lost, told = TASKS[name], 0, []
    start, before, count, rows = time.monotonic(), len(server.asked), 0, 0
    for language in hub.languages(row, "hub"):
        for source in row.sources[:1] if name == "text" else hub.places(row, language):
            for split in data.SPLITS:
                if not source.split_names(split, language):
                    continue
                count += 1
                try:
                    rows += (
                        len(hub._text(source, split, language, 20))
                        if name == "text"
                        else sum(
                            len(hub.table(source, part, language))
                            for part in hub.splits_of(row, source, split, language)
                        )
                    )
                except UserError as error:
                    lost += 1
                    told.append(f"    {language} {split}: {error}")
    print(
        f"{name:14} {len(hub.languages(row, 'hub')):3} languages {count:4} tables {rows:7} rows "
        f"{len(server.asked) - before:5} "
        f"requests {time.monotonic() - start:6.1f} s  {f'{lost} LOST' if lost else 'all load'}",
        *told,
        sep="\n",
        flush=True,
    )
    return lost


def _encoder(server, name: str) -> int:
    base, revision = encoders.KNOWN[name]
    family, start, before = FAMILY.get(name, "xlm-roberta"), time.monotonic(), len(server.asked)
    with tempfile.TemporaryDirectory() as place:
        tokenizer = tiny_tokenizer(family)
        encoders.save(AutoModel.from_config(tiny_config(family, len(tokenizer))), tokenizer, place)
        files = {path.name: path.read_bytes() for path in Path(place).iterdir()}
    server.add("model", base, files, revision)
    try:
        model, _ = encoders.load(name)
        told = f"{family}, {model.config.num_hidden_layers} layers, {encoders.fingerprint(name)}"
        lost = 0
    except UserError as error:
        told, lost = f"LOST: {error}", 1
    print(
        f"{name:22} {len(server.asked) - before:3} requests "
        f"{time.monotonic() - start:5.1f} s  {told}",
        flush=True,
    )
    return lost


if __name__ == "__main__":
    sys.exit(main())
