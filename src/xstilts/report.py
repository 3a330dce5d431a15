"""Tables and figures in one look. Every figure names its data: what is synthetic is called so on the picture.

    show(differences(study, table, examples))
    heatmap(study, differences(study, table, examples))
"""
from __future__ import annotations

import re
import unicodedata
from html import unescape

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import HTML
from matplotlib.figure import Figure

from . import alt, averages, data, stats
from .profiles import Study
from .runs import NO_LAYER
from .spec import Adapt, visible
from .study import NONE, absent, history
from .tasks import TASKS

PALETTE = "colorblind"
sns.set_theme(style="whitegrid", palette=PALETTE, context="notebook", rc={
    "figure.dpi": 110, "savefig.bbox": "tight", "text.parse_math": False})   # a $ in somebody's name is a $


def title(name: str) -> str:
    """How tables call a condition or a task."""
    return "none" if name == NONE else TASKS[name].title if name in TASKS else visible(name)


def stamp(study: Study, figure: Figure, runs: str = "all runs live") -> Figure:
    """What the figure rests on, on the figure itself: it may travel without its page. runs: which were done where."""
    seeds = f"seed {study.seeds[0]}" if len(study.seeds) == 1 else f"{len(study.seeds)} seeds"
    encoder = study.encoder.rpartition("/")[2]
    figure.text(0.01, -0.04, visible(f"{data.where(study.data)} · {encoder} · {seeds}") + f"\n{runs}", fontsize=8,
                color="0.35", va="top")
    alt.speak()
    plt.close(figure)    # the notebook shows the returned figure once
    return figure


def main_metric(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that tables show: each target's first metric; retrieval at the study's layer."""
    table = finished(table)
    layers = {target: _layer(study, table, target) for target in table.target.unique()}
    return table[(table.metric == table.target.map(lambda name: TASKS[name].metric)) &
                 (table.layer == table.target.map(layers))]


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Without the runs that diverged or failed: they have no scores. `marks` names them."""
    return table[table.state == ""] if "state" in table else table


def marks(study: Study, table: pd.DataFrame) -> dict[tuple[str, str], str]:
    """(condition, target) -> what a reader of its mean has to know: seeds that diverged or failed, and are not in it; seeds that
    stayed at chance in English where others learned, and are."""
    found: dict[tuple[str, str], list[str]] = {}
    states = table.state if "state" in table else pd.Series("", index=table.index)
    for what, rows in (("diverged", table[states == "diverged"]), ("failed", table[states == "failed"]),
                       ("at chance", collapsed(study, table))):
        for (condition, target), part in rows.groupby(["condition", "target"]):
            seeds = ", ".join(str(seed) for seed in sorted(part.seed.unique()))
            found.setdefault((condition, target), []).append(f"{what}: seed {seeds}")
    return {cell: "; ".join(words) for cell, words in found.items()}


def collapsed(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """English scores of trained targets less than a tenth of the way from the baseline to the best run's, where that is
    at least 10 points: the training failed, not its transfer."""
    main = main_metric(study, table)
    main = main[(main.language == "en") & ~main.target.map(lambda name: TASKS[name].untrained).astype(bool)]
    above = main.value - main.baseline
    best = above.groupby(main.target).transform("max")
    return main[(best >= 10) & (above < best / 10)]


def _layer(study: Study, table: pd.DataFrame, target: str) -> int:
    """The study's retrieval layer, or the encoder's last where it has fewer."""
    return min(study.layer, table[table.target == target].layer.max()) if TASKS[target].untrained else NO_LAYER


def scores(study: Study, table: pd.DataFrame, examples: pd.DataFrame, condition: str = NONE) -> pd.DataFrame:
    """A row a target: English, the mean of the other languages with its interval, the worst, the baseline."""
    marked = marks(study, table)
    table, examples = main_metric(study, table), main_metric(study, examples)
    table = table[table.condition == condition]
    found = [{"target": title(target), "metric": TASKS[target].metric, "n": 0, "seeds": 0, "marks": words}
             for (name, target), words in marked.items() if name == condition and target not in set(table.target)]
    for target, part in table.groupby("target", sort=False):
        mean = part.groupby("language")[["value", "baseline", "n"]].mean()
        zero_shot = mean.drop(index="en", errors="ignore")
        others = examples[examples.language != "en"]
        found.append({"target": title(target), "metric": TASKS[target].metric,
                      "English": mean.value.get("en", np.nan),
                      "zero-shot": stats.score(others, condition, target) if len(zero_shot) else np.nan,
                      "lowest": f"{zero_shot.value.min():.1f} ({zero_shot.value.idxmin()})" if len(zero_shot) else np.nan,
                      "baseline": mean.baseline.mean(), "languages": len(mean), "n": int(mean.n.min()), "of": _of(part),
                      "seeds": part.seed.nunique(), "marks": marked.get((condition, target), "")})
    return _without_empty(found)


def differences(study: Study, table: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """A row a condition and target: score in English and on average, difference to no intermediate training, its
    interval, n, seeds."""
    marked, examples, main = marks(study, table), main_metric(study, examples), main_metric(study, table)
    english = main[main.language == "en"].groupby(["condition", "target"]).value.mean()
    found = []
    for condition in table.condition.unique():
        for target in table[table.condition == condition].target.unique():
            row = {"intermediate": condition, "target": target, "metric": TASKS[target].metric,
                   "English": english.get((condition, target), np.nan)}
            row |= dict.fromkeys(("score", "difference", "low", "high"), np.nan) | dict.fromkeys(("languages", "n", "seeds"), 0)
            ours = examples[(examples.condition == condition) & (examples.target == target)]
            both = _same_seeds(ours, examples[(examples.condition == NONE) & (examples.target == target)])
            if len(ours):
                score = stats.score(ours, condition, target)
                row |= {"score": score.value, "languages": score.languages, "n": score.n, "seeds": score.seeds,
                        "of": _of(main[(main.condition == condition) & (main.target == target)])}
            if len(both) and condition != NONE:
                gain = stats.difference(both, condition, target)
                row |= {"difference": gain.value, "low": gain.low, "high": gain.high, "seeds": gain.seeds}
            reference = marked.get((NONE, target), "") if condition != NONE else ""
            found.append(row | {"marks": "; ".join([marked.get((condition, target), "")] * ((condition, target) in marked) +
                                                   [f"the reference {reference}"] * bool(reference))})
    for name in absent(study):    # asked for, and not to be had
        found += [{"intermediate": name, "target": target, "metric": TASKS[target].metric, "languages": "–", "n": "–",
                   "seeds": "–"} | dict.fromkeys(("English", "score", "difference", "low", "high"), np.nan)
                  for target in table.target.unique()]
    return _without_empty(found)


def _of(part: pd.DataFrame) -> float:
    """How many rows the split has, where fewer were scored; else NaN. Of the language with the fewest."""
    fewer = part[part.n < part.of] if "of" in part else part.head(0)
    return fewer.of.min() if len(fewer) else np.nan


def _same_seeds(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Examples of two conditions, of the seeds that both have: what is paired must be there twice."""
    common = set(first.seed) & set(second.seed)
    both = pd.concat([first, second[~second.index.isin(first.index)]])
    return both[both.seed.isin(common)]


def _without_empty(rows: list[dict]) -> pd.DataFrame:
    """A table whose columns `marks` and `of` (rows of the split, beside n) are there only where they say something."""
    found = pd.DataFrame(rows)
    if not len(found):
        return found
    found = found.assign(marks=found.marks.replace("", np.nan) if "marks" in found else np.nan)
    if "of" in found:
        found.insert(found.columns.get_loc("n") + 1, "of", found.pop("of").map(lambda n: np.nan if pd.isna(n) else f"{n:.0f}"))
    return found.drop(columns=[name for name in ("marks", "of") if name in found and found[name].isna().all()])


def benchmarks(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """A row a condition, benchmark (XTREME, XTREME-R) and category: the average, and what is missing for it."""
    table = finished(table)
    layers = table.target.map({target: _layer(study, table, target) for target in table.target.unique()})
    parts = table[table.layer == layers].groupby("condition", sort=False)
    return pd.concat([averages.averages(part, benchmark).assign(intermediate=condition, benchmark=benchmark)
                      for condition, part in parts for benchmark in averages.CATEGORIES], ignore_index=True)[
        ["intermediate", "benchmark", "category", "value", "tasks", "missing"]]


def unlearned(gains: pd.DataFrame) -> pd.DataFrame:
    """Cells whose target was not learned even in English: less than half of what it reaches without intermediate
    training. Such a difference says that a training failed, not that its transfer did."""
    reached = gains[gains.intermediate == NONE].set_index("target").English
    return gains[gains.English < gains.target.map(reached) / 2]


def verdicts(gains: pd.DataFrame) -> dict[str, object]:
    """What the prose of a table of differences says: how many cells are clearly up or down, best and least intermediate task on
    average, largest and smallest cell, means. Dashes where nothing could be compared."""
    cells = gains[gains.intermediate != NONE].dropna(subset="difference")
    means = cells.groupby("intermediate").difference.mean().sort_values()
    found = dict.fromkeys(("best", "best_gain", "least", "least_gain", "mean_gain", "top", "top_gain", "low", "low_gain"), "–")
    found |= {"cells": len(cells), "up": int((cells.low > 0).sum()), "down": int((cells.high < 0).sum()),
              "unclear": int(((cells.low <= 0) & (cells.high >= 0)).sum()), "verdict": "is not known",
              "unlearned": ", ".join(f"{title(cell.intermediate)} for {title(cell.target)}"
                                     for cell in unlearned(gains).itertuples()) or "none"}
    if not len(cells):
        return found
    for name, place in (("best", -1), ("least", 0)):
        found |= {name: title(means.index[place]), f"{name}_gain": signed(means.iloc[place])}
    for name, place in (("top", cells.difference.idxmax()), ("low", cells.difference.idxmin())):
        cell = cells.loc[place]
        found |= {name: f"{title(cell.intermediate)} for {title(cell.target)}",
                  f"{name}_gain": f"{signed(cell.difference)} [{cell.low:.1f}, {cell.high:.1f}]"}
    mean = cells.difference.mean()
    return found | {"mean_gain": signed(mean), "verdict": direction(mean, 0.5)}


def reasons(lost: pd.DataFrame) -> HTML | None:
    """Why cells of the page are empty; nothing where none is."""
    return show(lost.rename(columns={"run": "no result of", "what": "it", "why": "because"})) if len(lost) else None


def heatmap(study: Study, gains: pd.DataFrame) -> Figure:
    """Differences to no intermediate training; a cell whose interval leaves out 0 is in bold, one that has a mark (see
    `marks`) has a dagger."""
    gains = gains[gains.intermediate != NONE]
    order = list(gains.target.unique())
    grid = gains.pivot(index="intermediate", columns="target", values="difference").loc[
        list(gains.intermediate.unique()), order]
    clear = gains.assign(clear=(gains.low > 0) | (gains.high < 0)).pivot(
        index="intermediate", columns="target", values="clear").loc[grid.index, order]
    limit = max(1.0, float(np.nanmax(np.abs(np.append(grid.to_numpy(float), 0)))))
    noted = gains.assign(marks=gains.marks if "marks" in gains else np.nan).pivot(
        index="intermediate", columns="target", values="marks").loc[grid.index, order].notna()
    words = grid.map(signed) + noted.map(lambda there: " †" if there else "")
    figure, axis = plt.subplots(figsize=(1.35 * len(order) + 2.2, 0.62 * len(grid) + 1.3))
    sns.heatmap(grid, annot=words, fmt="", cmap="PuOr_r",
                vmin=-limit, vmax=limit, linewidths=1, ax=axis, cbar_kws={"label": "points"})
    there = grid.notna().to_numpy()
    for place in np.argwhere(~there):
        axis.text(place[1] + 0.5, place[0] + 0.5, "– †" if noted.to_numpy()[tuple(place)] else "–", ha="center", va="center")
    for text, bold in zip(axis.texts[:there.sum()], clear.to_numpy()[there], strict=True):
        text.set_fontweight("bold" if bold else "normal")
    axis.set(xlabel="", ylabel="intermediate task")
    axis.set_xticklabels([f"{title(name)}\n{TASKS[name].metric}" for name in order], rotation=0, fontsize=9)
    axis.set_yticklabels([title(name) for name in grid.index], rotation=0)
    axis.set_title("Difference to no intermediate training (mean over languages)" +
                   ("\n† a run diverged, failed, or stayed at chance" if noted.to_numpy().any() else ""), fontsize=11)
    return stamp(study, figure)


def by_language(study: Study, table: pd.DataFrame) -> Figure:
    """A panel a target: the score of every condition in every language, and the baseline as a line."""
    table = main_metric(study, table)
    targets = list(table.target.unique())
    columns = min(2, len(targets)) if table.language.nunique() <= 8 else 1     # many languages need the whole width
    rows = -(-len(targets) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(8.2 if len(targets) > 1 else 4.1, (3.1 if columns > 1 else 2.3) * rows),
                                squeeze=False, layout="constrained")
    conditions = list(table.condition.unique())
    markers = dict(zip(conditions, "osD^vP*X<>hd", strict=False))
    for axis, target in zip(axes.flat, targets):
        part = table[table.target == target].groupby(["condition", "language"], as_index=False, sort=False)[
            ["value", "baseline"]].mean()
        languages = sorted(part.language.unique(), key=lambda name: (name != "en", name))
        place = {language: number for number, language in enumerate(languages)}
        for number, condition in enumerate(conditions):
            ours = part[part.condition == condition]
            shift = (number - (len(conditions) - 1) / 2) * 0.6 / len(conditions)
            axis.plot([place[language] + shift for language in ours.language], ours.value, markers[condition], label=title(condition), ms=5)
        lines = part.groupby("language").baseline.mean()
        axis.hlines([lines[name] for name in languages], [x - .4 for x in range(len(languages))],
                    [x + .4 for x in range(len(languages))], color="0.4", linestyles="dotted",
                    label="baseline")
        axis.set(title=title(target), ylabel=TASKS[target].metric, ylim=(0, 102), xticks=range(len(languages)))
        axis.set_xticklabels([visible(language) for language in languages])
    for axis in list(axes.flat)[len(targets):]:
        axis.axis("off")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(5, len(labels)), fontsize=9)
    return stamp(study, figure)


def curves(study: Study, runs: dict[str, Adapt]) -> Figure:
    """Training loss and, where it was measured on the way, the mean score on the English dev rows."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for name, run in runs.items():
        log = history(run)
        losses, dev = log.dropna(subset=["loss"]), log.dropna(subset=["dev"]) if "dev" in log else log.head(0)
        axes[0].plot(losses.step, losses.loss, label=title(name))
        axes[1].plot(dev.step, dev.dev, "o-", ms=4, label=title(name))
    axes[0].set(xlabel="step", ylabel="training loss", ylim=(0, None))
    axes[1].set(xlabel="step", ylabel="score on dev rows (0-100)", ylim=(0, 102))
    axes[0].legend(fontsize=8)
    return stamp(study, figure)


def layers(study: Study, table: pd.DataFrame, target: str = "tatoeba") -> Figure:
    """Retrieval accuracy by layer, raw and centred, mean over languages, a line a condition."""
    part = finished(table)
    part = part[part.target == target]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axis, metric in zip(axes, TASKS[target].metrics, strict=True):
        for condition, rows in part[part.metric == metric].groupby("condition", sort=False):
            mean = rows.groupby("layer").value.mean()
            axis.plot(mean.index, mean.values, "o-", ms=4, label=title(condition))
        axis.axvline(_layer(study, table, target), color="0.6", linestyle="dashed", linewidth=1)
        axis.set(title=metric, xlabel="layer (0: embeddings)", ylim=(0, 102))
    axes[0].set_ylabel("accuracy")
    axes[0].legend(fontsize=8)
    return stamp(study, figure)


def noise(study: Study, table: pd.DataFrame) -> Figure:
    """chrF of the embedded benchmark's imperfect translator by noise, a line a language, named at its end."""
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for place, (language, part) in enumerate(sorted(table.groupby("language"), key=lambda pair: -pair[1].chrF.min())
                                             if len(table) else ()):
        axis.plot(part.noise, part.chrF, "o-", ms=4, color=sns.color_palette("viridis", 16)[place % 16],
                  label=f"{language} {part.chrF.iloc[-1]:.0f}")
    axis.set(xlabel="noise: share of wrong words", ylabel="chrF against the true sentences", ylim=(0, 102))
    figure.legend(loc="outside right upper", fontsize=8)
    return stamp(study, figure)


def quote(**values: object) -> None:
    """Makes values available to the prose of the page: {glue:text}`name`. Numbers get one decimal, counts none."""
    from myst_nb import glue

    for name, value in values.items():
        number = isinstance(value, (float, np.floating))
        glue(name, Words("–" if number and np.isnan(value) else f"{value:.1f}" if number else visible(str(value))), display=False)


class Words(str):
    """Text that is pasted as it is: a plain string would be pasted with its quotation marks."""

    def __repr__(self) -> str:
        return str(self)


def signed(change: float) -> str:
    """A difference with its sign and one decimal; a dash for none; 0.0 for what rounds to nothing."""
    return "–" if np.isnan(change) else "0.0" if abs(change) < 0.05 else f"{change:+.1f}"


def direction(change: float, margin: float) -> str:
    """What a number does, in words: never typed by hand, so that prose can't contradict its table."""
    return "rises" if change > margin else "falls" if change < -margin else "hardly changes"


def published(name: str) -> pd.DataFrame:
    """Published figures with where they were read, from book/published. What is there has been verified."""
    from .book import project

    return pd.read_csv(project() / "book" / "published" / f"{name}.csv")


def show(table: pd.DataFrame, decimals: int = 1) -> HTML:
    """The table as HTML: text escaped, numbers rounded, p-values to three decimals, a dash for what is not there; Arabic runs
    from right to left. What rows say is text: neither markup nor formulas (MathJax would make links of some)."""
    def cell(value: object, decimals: int = decimals) -> str:
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return "–"
        return f"{value:.{decimals}f}" if isinstance(value, float) else visible(str(value))

    named = table.rename(columns=lambda name: visible(str(name)))
    for column in ("intermediate", "target", "task"):
        if column in named:
            named[column] = named[column].map(title, na_action="ignore")
    for column in named.columns.intersection(["p", "p (Holm)"]):
        named[column] = [cell(value, 3) for value in named[column]]
    with pd.option_context("display.max_colwidth", None):     # whole texts: to_html would cut them
        html = named.map(cell).to_html(index=False, escape=True, border=0, justify="left")
    spaced = re.sub("<td>(.*?)</td>", _spaced_cell, html, flags=re.DOTALL).replace("<th>", '<th style="padding: .3em .7em">')
    return HTML(f'<div class="mathjax_ignore tex2jax_ignore" style="overflow-x: auto">{spaced}</div>')


def _spaced_cell(cell: re.Match) -> str:
    """A cell that runs as its first letter does."""
    letters = (unicodedata.bidirectional(letter) for letter in unescape(cell.group(1)) if letter.isalpha())
    way = 'dir="rtl" style="padding: .3em .7em; text-align: right"' if next(letters, "L") in ("R", "AL") else \
        'style="padding: .3em .7em; text-align: left"'
    return f"<td {way}>{cell.group(1)}</td>"
