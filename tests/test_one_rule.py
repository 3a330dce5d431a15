"""What the book says of its recorded runs: recomputed by other means, and the same in every place.

From the library the first test takes which runs a claim is about, and their keys. Scores, what was
learned, what trainings vary, resamples of the rows, intervals and grades are its own, in numpy and
pandas, from the record files."""

import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from xstilts import settings
from xstilts.analysis import differences, reported, score_tables, selection
from xstilts.chapters import claims, hypotheses, named
from xstilts.questions import CHAPTERS
from xstilts.runs import results
from xstilts.runs.key import key, starting_encoder
from xstilts.study import graph, phases, profiles
from xstilts.tasks.table import TASKS

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(autouse=True)
def recorded(monkeypatch, tmp_path_factory):
    """The project's records, and a store without runs."""
    monkeypatch.setenv("XSTILTS_RECORDS", str(settings.project() / "book" / "recorded"))
    monkeypatch.setenv("XSTILTS_STORE", str(tmp_path_factory.getbasetemp() / "no store"))


@pytest.fixture(scope="module")
def shown() -> list:
    return []


@pytest.fixture
def book(recorded, shown):
    """The default study, its claims' runs, and what their page shows."""
    if not shown:
        study = profiles.study(missing="dash")
        asked = claims.wanted(study)
        found = claims.obtain(study, asked)
        beside = named.p_values(study, leave_out="claims")
        every = claims.questions(study, asked, found)
        shown += [study, asked, found, claims.table(study, every, beside)]
    return shown


class Record:
    """A record file, read as JSON."""

    def __init__(self, run):
        found = json.loads((settings.project() / f"book/recorded/{key(run)}.json").read_text())
        task = TASKS[run.target]
        self.target, self.key, self.encoder = run.target, key(run), key(starting_encoder(run))
        self.phase2 = found["label"].count(" > ") > 2  # encoder > text > task > target
        training = {"mlqa": "xquad"}.get(run.target, run.target)  # one training, tested twice
        self.trained = "" if task.untrained else f"{self.encoder} {training} {run.seed}"
        layers = [part["layer"] for part in found["examples"]]
        layer = min(8, max(layers))
        rows = [part for part in found["examples"] if part["layer"] == layer]
        self.above = {part["language"]: figures(part["numerator"], part["n"]) for part in rows}
        self.below = {part["language"]: figures(part["denominator"], part["n"]) for part in rows}
        self.score = {
            name: 100 * above.sum() / self.below[name].sum() for name, above in self.above.items()
        }
        table = pd.DataFrame([line.rsplit(",", 7) for line in found["scores"][1:]])
        baseline = table[[line.startswith(f"{run.target},en,") for line in found["scores"][1:]]]
        own = "en" in self.score
        chosen = baseline if own else table
        self.english = own
        self.own = self.score["en"] if own else np.mean(list(self.score.values()))
        self.baseline = (
            float(pd.to_numeric(chosen[7]).dropna().iloc[0])
            if own
            else float(pd.to_numeric(table[7]).dropna().mean())
        )


def figures(packed, n: int) -> np.ndarray:
    """Numbers of a record: one for all, a list in words, or bits in hexadecimal digits."""
    if not isinstance(packed, str):
        return np.full(n, float(packed))
    if " " in packed:
        return np.array(packed.split(), float)
    return np.array([int(bit) for bit in f"{int(packed, 16):0{n}b}"], float)


def replicates(records: dict[str, Record], several: list[list[Record]], least: dict) -> list:
    """(target, language -> scores) of trainings that are there more than once and were learned."""
    groups = []
    for some in several:
        kept = [one for one in some if one.trained == "" or one.own >= least[one.key]]
        if len(kept) > 1:
            shared = set.intersection(*(set(one.score) for one in kept))
            values = {name: [one.score[name] for one in kept] for name in shared}
            groups.append((kept[0].target, values, kept))
    lines = (settings.project() / "book/recorded/again.jsonl").read_text().splitlines()
    for name, repeats in itertools.groupby(
        sorted(map(json.loads, lines), key=lambda line: line["key"]), lambda line: line["key"]
    ):
        one = records.get(name)
        if not one or (one.trained and one.own < least[name]):
            continue
        values = {language: [score] for language, score in one.score.items()}
        for line in repeats:
            again = {
                language: one.score[language] + off
                for language, off in line["differences"].items()
                if language in one.score
            }
            own = again.get("en", np.mean(list(again.values())))
            if not one.trained or own >= least[name]:
                values = {
                    language: [*some, again[language]]
                    for language, some in values.items()
                    if language in again
                }
        if len(next(iter(values.values()))) > 1:
            groups.append((one.target, values, []))
    return groups


def pooled(groups: list, target: str, languages: list[str]) -> tuple[float, float]:
    pairs, df, halves = [], [], []
    for name, values, _ in groups:
        there = [values[language] for language in languages if language in values]
        if name == target and there:
            means = np.mean(there, axis=0)
            halves.append([(a - b) ** 2 / 2 for a, b in itertools.combinations(means, 2)])
            df.append(len(means) - 1)
            pairs += halves[-1]
    if not pairs:
        return 0.0, 0
    limit = 16 * np.median(pairs) / 0.4549364 if len(pairs) > 8 else np.inf
    value = sum(d * np.minimum(some, limit).mean() for d, some in zip(df, halves, strict=True))
    return value / sum(df), sum(df)


def variances(groups: list, languages: dict[str, list[str]]) -> dict[str, tuple]:
    """target -> (variance, of it by chance on the rows, degrees of freedom), shrunken by a search
    over a grid."""
    found = {}
    for target, names in languages.items():
        each = {name: pooled(groups, name, names) for name in {part[0] for part in groups}}
        each = {name: part for name, part in each.items() if part[1]}
        value, df = (np.array(part, float) for part in zip(*each.values(), strict=True))
        value = np.maximum(value, 1e-3 * np.median(value))
        best = max(
            (
                (scipy_stats.f.logpdf(value / typical, df, weight) - np.log(typical)).sum(),
                typical,
                weight,
            )
            for typical in np.geomspace(0.05, 20, 120)
            for weight in np.geomspace(0.3, df.sum(), 60)
        )
        own, freedom = each.get(target, (0.0, 0))
        weight = max(1.0, best[2])
        weight = min(weight, df.sum() - freedom) if freedom else weight
        whole = (weight * best[1] + freedom * own) / (weight + freedom)
        chances, weights = [], []
        for name, _, kept in groups:
            if name == target and kept:
                drawn = 0
                for group in by_size(kept[0], names).values():
                    shifts = np.array([sum(shift(one, part) for part in group) for one in kept])
                    shifts = (shifts - shifts.mean(0)) / len(names)
                    n = shifts.shape[1]
                    drawn += (shifts**2).sum() * n / (n - 1) / (len(kept) - 1)
                chances.append(drawn)
                weights.append(len(kept) - 1)
        chance = np.average(chances, weights=weights) if chances else 0.0
        found[target] = whole, min(whole, chance), weight + freedom
    return found


def by_size(one: Record, names) -> dict[int, list[str]]:
    sizes: dict[int, list[str]] = {}
    for name in names:
        sizes.setdefault(len(one.above[name]), []).append(name)
    return sizes


def shift(one: Record, language: str) -> np.ndarray:
    above, below = one.above[language], one.below[language]
    return 100 * (above - above.sum() / below.sum() * below) / below.sum()


def resampled(draw, terms: dict, places: dict, draws: int = 400) -> float:
    """The variance of the mean over targets over resamples of the rows."""
    total = np.zeros(draws)
    for target, names in places.items():
        part = terms[target]
        for group in by_size(part[0][1], names).values():
            n = len(part[0][1].above[group[0]])
            counts = draw.multinomial(n, np.full(n, 1 / n), draws)
            for language in group:
                for weight, one in part:
                    scores = 100 * (counts @ one.above[language]) / (counts @ one.below[language])
                    total += weight * scores / len(names) / len(places)
    return float(total.var())


def test_the_claims_page_recomputed_from_the_record_files(book):
    study, asked, found, shown = book
    runs = reported.at_hand(study)
    records = {name: Record(run) for name, run in {key(run): run for run in runs.values()}.items()}
    best: dict = {}
    for one in records.values():
        if one.trained:
            place = one.target, one.english
            best[place] = max(best.get(place, 0), one.own - one.baseline)
    least = {
        name: one.baseline + max(0.6 * best[one.target, one.english], 10)
        for name, one in records.items()
        if one.trained
    }
    alike: dict = {}
    for (chapter, condition, target, _), run in runs.items():
        alike.setdefault((chapter, condition, target), {})[key(run)] = records[key(run)]
    several = {tuple(sorted(some)): [*some.values()] for some in alike.values() if len(some) > 1}
    groups = replicates(records, [*several.values()], least)
    draw, ps, checked = np.random.default_rng(0), {}, 0
    for number, claim in enumerate(claims.CLAIMS):
        row, cells = shown.iloc[number], {}
        for (condition, target, _), run in found[claim.chapter].items():
            one = records[key(run)]
            if not one.trained or one.own >= least[one.key]:
                cells.setdefault((condition, target), []).append(one)
        wanted = asked[claim.chapter].wanted
        names = list(dict.fromkeys(name for name, _, _ in wanted))
        terms: dict = {}
        for target in claim.targets or dict.fromkeys(target for _, target, _ in wanted):
            singles = []
            for weights in claim.weigh(names):
                signs = {
                    sign: [name for name, weight in weights.items() if weight * sign > 0]
                    for sign in (1, -1)
                }
                kept = {
                    sign: [name for name in some if (name, target) in cells]
                    for sign, some in signs.items()
                }
                if all(kept.values()):
                    singles.append(
                        [
                            (sign / len(some) / len(cells[name, target]), one)
                            for sign, some in kept.items()
                            for name in some
                            for one in cells[name, target]
                        ]
                    )
            if singles:
                terms[target] = [
                    (weight / len(singles), one) for some in singles for weight, one in some
                ]
        if not terms:
            assert row.verdict == "not learned"
            continue
        places = {
            target: sorted(set.intersection(*(set(one.score) for _, one in part)))
            for target, part in terms.items()
        }
        effect = np.mean(
            [
                sum(
                    weight * np.mean([one.score[name] for name in places[target]])
                    for weight, one in part
                )
                for target, part in terms.items()
            ]
        )
        known = variances(groups, places)
        owners: dict = {}
        for target, part in terms.items():
            scale = np.sqrt(known[target][0] - known[target][1])
            for weight, one in part:
                w = weight * scale / len(terms)
                if one.phase2:
                    owners.setdefault(("shared", one.encoder), []).append((0.2, w, target))
                    owner = one.trained or ("untrained", one.encoder)
                    owners.setdefault(owner, []).append((0.8, w, target))
                elif one.trained:
                    owners.setdefault(one.trained, []).append((1.0, w, target))
        training, by_target, shared = 0.0, dict.fromkeys(terms, 0.0), 0.0
        for owner, some in owners.items():
            whole = sum(w for _, w, _ in some)
            training += some[0][0] * whole**2
            shared += some[0][0] * whole**2 * (owner[0] == "shared")
            for part, w, target in some:
                by_target[target] += part * w * whole
        rows = resampled(draw, terms, places)
        smallest = min(
            len(one.above[name])
            for target, part in terms.items()
            for _, one in part
            for name in places[target]
        )
        squares = rows**2 / (smallest - 1) + shared**2 / 4
        for target, value in by_target.items():
            whole, chance, df = known[target]
            squares += (value * whole / (whole - chance)) ** 2 / df
        df, deviation = (training + rows) ** 2 / squares, np.sqrt(training + rows)
        half = scipy_stats.t.ppf(0.975, df) * deviation
        assert row.effect == pytest.approx(effect, abs=1e-6), claim.text
        assert (row.high - row.low) / 2 == pytest.approx(half, rel=0.08), claim.text
        ps[number] = 2 * scipy_stats.t.sf(abs(effect) / deviation, df)
        checked += 1
        if claim.rule == "gain":
            clear = ps[number] < 0.05
            adjusted = row["p (Holm)"] < 0.05
            margin = 2.0 if len(claim.targets) == 1 else 1.0
            same = abs(effect) + scipy_stats.t.ppf(0.95, df) * deviation < margin
            word = (
                ("strong" if adjusted else "moderate")
                if clear
                else ("no difference" if same else "open")
            )
            way = (" for" if effect > 0 else " against") if clear else ""
            near = abs(ps[number] - 0.05) < 0.01
            assert near or row.verdict == word + way, claim.text
            assert near or row.p == pytest.approx(ps[number], rel=0.35, abs=0.02)
    assert checked >= 10


def test_no_two_places_of_the_book_grade_the_same_comparison_differently(book):
    """The same comparison has the same estimate: of all tables by estimate and interval."""
    study, asked, found, shown = book
    said: dict[tuple, set] = {}

    def note(effects, lows, highs, words):
        for place in zip(effects, lows, highs, words, strict=True):
            if not np.isnan(place[0]):
                word = re.sub(" (for|against)$", "", place[3])
                said.setdefault(tuple(np.round(place[:3], 6)), set()).add(word)

    gains = shown[[claim.rule == "gain" for claim in claims.CLAIMS]]
    note(gains.effect, gains.low, gains.high, gains.verdict)
    for chapter, its in CHAPTERS.items():
        wanted = its.compared(study)
        runs = graph.obtain(study, wanted.wanted)
        every = [(wanted, runs)]
        if chapter == "xtreme":
            every.append(selection.best(wanted, runs, selection.table(study, wanted, runs)))
        beside = named.p_values(study, leave_out=chapter)
        decided = hypotheses.table(study, its.HYPOTHESES, *every[-1], beside)
        decided = decided[[one.rule == "gain" for one in its.HYPOTHESES]]
        note(decided.effect, decided.low, decided.high, decided.verdict)
        for comparison, there in every:
            cells = differences.table(study, comparison, there)
            note(cells.difference, cells.low, cells.high, cells.grade)
            if comparison is every[-1][0]:
                beforehand = named.adjusted(study)
                summed = differences.verdicts(study, comparison, there, cells, beforehand)
                note(summed.difference, summed.low, summed.high, summed.grade)
    main = graph.obtain(study, phases.single_tasks(study))
    cells = score_tables.differences(study, results.scores(main), results.examples(main))
    note(cells.difference, cells.low, cells.high, cells.grade)
    assert len(said) > 200
    assert {place: words for place, words in said.items() if len(words) > 1} == {}
