"""A small study is killed with SIGKILL again and again, at random moments, and has to end with the
scores of a quiet one.

    python tests/torture.py --kills 50 --chapters 5 --workers 50 --own 8

It prints what was tried, how often, and whether that survived; exit code 1 if anything did not.

Each attempt is a process of its own that computes the same study on the same store, with a
checkpoint after every step; it is killed after a random time, or at a random call among those that
write (a checkpoint, a table, a file's rename). A chapter is killed while its notebook runs or is
written, a book while it is built: each has to be published whole or not at all. A study on worker
processes loses workers, one or all at a time, and has runs that kill their own worker: nothing else
is lost."""

import argparse
import collections
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "XSTILTS_CHECKPOINT": "0"}

import pandas as pd
import psutil
import safetensors.torch
from projects import project

from xstilts.book import build as book
from xstilts.book import pages
from xstilts.runs import results, store
from xstilts.runs.key import key
from xstilts.study import graph, phases, profiles
from xstilts.study.workers import cluster, processes

PARAMETERS = dict(
    intermediates="mnli",
    targets="xnli,tatoeba",
    languages="en,fi",
    phase1_steps=6,
    phase2_steps=6,
    phase3_steps=6,
    phase1_rows=20,
    phase2_rows=20,
    phase3_rows=20,
    eval_rows=12,
    max_length=48,
)


OWN, ENDED = "by their own run", "  such studies that ended"


def attempt(work, seconds, at_write):
    """Runs `work` in a child that is killed after some seconds, or at its at_write-th write; True
    if it got to the end."""
    child, end = begun(work, at_write), time.monotonic() + seconds
    while time.monotonic() < end or at_write:
        if (done := ended(child)) is not None:
            return done
        time.sleep(0.002)
    os.killpg(child, signal.SIGKILL)
    return os.WIFEXITED(os.waitpid(child, 0)[1])


def begun(work, at_write=0):
    """The process id of a child that runs `work`."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setpgid(0, 0)  # what it starts dies with it, as where a machine is taken away
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if at_write:
                die_at(at_write)
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001  told to the parent by the code
            print(repr(error), file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    os.setpgid(child, child)  # by both: whoever comes first, there is a group to kill
    return child


def ended(child):
    """True if a child has got to its end, False if it was killed, None if it is at work."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid and os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("an attempt failed by itself: see above")
    return os.WIFEXITED(status) if pid else None


def die_at(count):
    """Kills this process at its count-th write: before or after a rename, or half-way through a
    checkpoint."""
    seen = [0]

    def deadly(function, half=None):
        def call(*arguments, **options):
            seen[0] += 1
            if seen[0] == count:
                half and half(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    os.rename, os.replace = deadly(os.rename), deadly(os.replace)
    # all but the checkpoint have imported it already
    safetensors.torch.save_file = deadly(
        safetensors.torch.save_file,
        lambda tensors, path, *_: Path(path).write_bytes(b"half a file"),
    )
    Path.write_text = deadly(
        Path.write_text, lambda path, text, *_: os.write(os.open(path, 65), text[:9].encode())
    )
    pd.DataFrame.to_parquet = deadly(
        pd.DataFrame.to_parquet, lambda table, path, *_: Path(path).write_bytes(b"PAR1")
    )


def torture(encoder, folder, kills, seed=0):
    """What was tried, how often; and what went wrong, how often."""
    study = profiles.study(encoder=str(encoder), **PARAMETERS)
    wanted = phases.single_tasks(study)

    def computed(root):
        return lambda: graph.compute(wanted.values(), root)

    started = time.monotonic()
    assert attempt(computed(folder / "quiet"), 3600, 0)
    whole = time.monotonic() - started
    draw, root, tried, rounds, repeated, left = (
        random.Random(seed),
        folder / "killed-0",
        collections.Counter(),
        0,
        0,
        [],
    )
    different = 0
    while sum(tried.values()) < kills or not _finished(wanted, root):
        enough = sum(tried.values()) >= kills
        at_write = 0 if enough or draw.random() < 0.5 else draw.randint(1, 12)
        seconds = 3600 if enough else draw.uniform(0, whole)
        if not attempt(computed(root), seconds, at_write):
            tried["at a write" if at_write else "at a random moment"] += 1
        elif not _finished(wanted, root):
            raise SystemExit("an attempt ended without all results")
        if _finished(wanted, root):
            same = all(
                results.scores(wanted, root)[name].equals(
                    results.scores(wanted, folder / "quiet")[name]
                )
                for name in ("value", "n", "key")
            )
            different += not same
            repeated += _repeated(root)
            left += _left(root)
            rounds += 1
            if sum(tried.values()) < kills:  # the study is done: again, on an empty store
                root = folder / f"killed-{rounds}"
    tried = {f"study killed {what}": count for what, count in tried.items()}
    return tried | {ENDED: rounds}, {
        "with other scores": different,
        "finished runs repeated": repeated,
        "unfinished files left": len(left),
    }


def torture_workers(encoder, folder, kills, own, seed=0):
    """The same for a study on two worker processes, of whose deaths at least `own` are by a run of
    its own. A run is given up after cluster.TRIES deaths: from outside it has fewer."""
    parameters = PARAMETERS | {"intermediates": "mnli,squad", "vocabulary": "full"}
    study = profiles.study(encoder=str(encoder), **parameters)
    wanted = phases.single_tasks(study)
    assert attempt(lambda: graph.compute(wanted.values(), folder / "quiet"), 3600, 0)
    expected, draw = results.scores(wanted, folder / "quiet"), random.Random(seed)
    tried, rounds = collections.Counter(), 0
    different, lost, repeated, left, once = 0, 0, 0, [], graph.once
    while sum(tried.values()) < kills:
        root = folder / f"workers-{rounds}"
        cell = draw.choice(list(wanted)) if tried[OWN] < own else None
        culprit = key(wanted[cell]) if cell else None

        delay = draw.uniform(0, 0.5)

        def deadly(run, place, tell=True, awaiting=None, culprit=culprit, delay=delay):
            if key(run) == culprit:  # somewhere in the middle of it
                threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
            once(run, place, tell, awaiting)
            if key(run) == culprit:
                os.kill(os.getpid(), signal.SIGKILL)

        def work(root=root, deadly=deadly):
            graph.once = deadly
            graph.compute(wanted.values(), root, "processes:2")

        child = begun(work)
        at = (
            collections.Counter()
        )  # attacks, by what the log had come to: workers must be able to start
        while ended(child) is None:
            time.sleep(draw.uniform(0.2, 3))
            died, events = collections.Counter(_logged(root, "died")), len(_logged(root))
            most = max((count for name, count in died.items() if name != culprit), default=0)
            if (
                most < cluster.TRIES - 2
                and at[events] < processes.STARTS - 2
                and sum(tried.values()) < kills
            ):
                at[events] += 1
                how = draw.choice(["one at a time", "all at once"])
                tried += collections.Counter({how: _kill(child, how == "all at once")})
        if culprit:
            tried[OWN] += _logged(root, "died").count(culprit)
        others = {cell: run for cell, run in wanted.items() if key(run) != culprit}
        missing = [run for run in others.values() if not results.has(run, root)]
        lost += len(missing)
        if not missing:
            there = expected[expected.key.isin(map(key, others.values()))].reset_index(drop=True)
            found = results.scores(others, root)
            different += not all(found[name].equals(there[name]) for name in ("value", "n", "key"))
        repeated += _repeated(root)
        left += [
            name for name in _left(root) if not culprit or culprit not in name
        ]  # its checkpoint
        rounds += 1
    tried = {f"workers killed {what}": count for what, count in tried.items()}
    return tried | {ENDED: rounds}, {
        "other runs lost": lost,
        "with other scores": different,
        "finished runs repeated": repeated,
        "unfinished files left": len(left),
    }


def _kill(child, every):
    """Kills one worker of the study, or all; how many there were."""
    try:
        there = [
            one
            for one in psutil.Process(child).children()
            if "spawn_main" in " ".join(one.cmdline())
        ]
    except psutil.Error:  # it is done
        return 0
    killed = 0
    for one in there if every else there[:1]:
        with contextlib.suppress(psutil.Error):
            one.kill()
            killed += 1
    return killed


def _logged(root, event=""):
    """The keys of the runs of which the store's log says this, or anything."""
    log = root / "log.jsonl"
    lines = map(json.loads, log.read_text().splitlines() if log.exists() else [])
    return [line["key"] for line in lines if line["event"] == event or not event]


def _repeated(root):
    done = _logged(root, "computed")
    return len(done) - len(set(done))


def _left(root):
    return [
        path.name
        for path in root.rglob("*")
        if path.name.startswith((".writing", ".damaged")) or path.name.endswith(".new")
    ]


def torture_chapter(encoder, folder, kills, seed=0):
    """The same for a chapter of the book."""
    os.environ["XSTILTS_STORE"] = str(folder / "store")
    out, draw, killed, half = (
        folder / "chapters" / "phase2_intermediate.ipynb",
        random.Random(seed),
        0,
        0,
    )
    parameters = PARAMETERS | {"encoder": str(encoder), "scheduler": "local"}
    os.chdir(Path(__file__).parents[1])
    while killed < kills:
        if attempt(
            lambda: book.run("phase2_intermediate", out, parameters),
            draw.uniform(1, 12),
            draw.choice([0, 0, 1, 2]),
        ):
            out.unlink()  # it was too fast: again
        else:
            killed += 1
        half += out.exists() and not whole_notebook(out)
    ended = attempt(
        lambda: book.run("phase2_intermediate", out, parameters), 3600, 0
    ) and whole_notebook(out)
    left = [path.name for path in out.parent.iterdir() if path != out]
    return {"chapter killed": killed}, {
        "half a page published": half,
        "not whole at the end": int(not ended),
        "unfinished files left": len(left),
    }


def torture_book(folder, kills, seed=0):
    """The same for the book's pages, of which there are some from before."""
    root, draw, killed, broken = (
        project(folder / "project", "book/index"),
        random.Random(seed),
        0,
        0,
    )
    page = root / "_build" / "html" / "book" / "index.html"

    def build(version, seconds=3600):
        (root / "book" / "index.md").write_text(f"# A book\n\nversion {version}\n")
        return attempt(lambda: pages.html(root), seconds, 0)

    began = time.monotonic()
    assert build(0)
    whole, last = time.monotonic() - began, 0
    for version in range(1, kills + 1):
        killed += not build(version, draw.uniform(0.5, whole))
        text = page.read_text()
        last = (
            version if f"version {version}<" in text else last
        )  # it may be killed when all is done
        broken += f"version {last}<" not in text or "</html>" not in text
    ended = build("of the end") and "of the end" in page.read_text()
    left = [path.name for path in page.parents[2].iterdir() if path.name not in ("html", ".locks")]
    return {"book killed": killed}, {
        "broken or half replaced": broken,
        "not whole at the end": int(not ended),
        "unfinished files left": len(left),
    }


def whole_notebook(path):
    cells = json.loads(path.read_text())["cells"]
    return all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")


def _finished(wanted, root):
    return all((store.folder_of(root, run) / store.MANIFEST).is_file() for run in wanted.values())


def main():
    asked = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument(
        "--chapters", type=int, default=0, help="kills of a chapter, and of the book's pages"
    )
    asked.add_argument("--workers", type=int, default=0, help="deaths of worker processes")
    asked.add_argument(
        "--own", type=int, default=0, help="at least so many of those by their own run"
    )
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--encoder", default="e5-small:1", help="a name or a folder")
    asked = asked.parse_args()
    well = True
    print(f"{'what was tried':<34}{'how often':>10}  survived", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder, seed = Path(folder), asked.seed
        for often, attack in (
            (asked.kills, lambda: torture(asked.encoder, folder, asked.kills, seed)),
            (
                asked.workers,
                lambda: torture_workers(
                    asked.encoder, folder / "beside", asked.workers, asked.own, seed
                ),
            ),
            (
                asked.chapters,
                lambda: torture_chapter(asked.encoder, folder / "book", asked.chapters, seed),
            ),
            (asked.chapters, lambda: torture_book(folder, asked.chapters, seed)),
        ):
            if not often:
                continue
            tried, wrong = attack()
            survived = ", ".join(f"{count} {what}" for what, count in wrong.items() if count)
            well = well and not survived
            for what, count in sorted(tried.items(), reverse=True):
                said = f"no: {survived}" if survived else "yes"
                print(f"{what:<34}{count:>10}  {said}", flush=True)
            print(f"  (looked for: {', '.join(wrong)})", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
