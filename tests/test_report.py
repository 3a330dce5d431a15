"""Tables and the words that prose quotes: what they keep, what they leave out, and what the page
makes of them."""

import ast
from html import unescape

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from xstilts.analysis import score_tables, wording
from xstilts.book import figures, tables
from xstilts.runs.execution import NO_LAYER
from xstilts.study import profiles
from xstilts.study.conditions import NONE, Condition


@pytest.fixture(scope="module")
def study():
    return profiles.study(languages="en,fi,sw")


def table(accuracy: dict, target: str = "tatoeba", languages: str = "fi sw") -> pd.DataFrame:
    """accuracy: (condition, layer) -> raw and centred, alike in all languages."""
    return pd.DataFrame(
        [
            {
                "condition": condition,
                "target": target,
                "seed": 0,
                "language": language,
                "metric": metric,
                "layer": layer,
                "value": value,
                "baseline": 0.5,
                "n": 200,
            }
            for (condition, layer), values in accuracy.items()
            for language in languages.split()
            for metric, value in zip(("accuracy", "accuracy, centred"), values, strict=True)
        ]
    )


def test_each_encoder_is_reported_at_the_layer_that_it_has(study):
    """One of four layers beside one of twelve."""
    scores = table(
        {("small", layer): (layer, 0) for layer in (0, 2, 4)}
        | {("large", layer): (layer, 0) for layer in (0, 4, 8, 12)}
    )
    shown = score_tables.main_metric(study, scores).groupby("condition").layer.unique()
    assert study.layer == 8 and list(shown["small"]) == [4] and list(shown["large"]) == [8]
    trained = scores.assign(target="xnli", layer=NO_LAYER)
    assert len(score_tables.main_metric(study, trained)) == (trained.metric == "accuracy").sum()


def test_retrieval_at_other_layers_is_shown_with_what_turns_there(study):
    scores = table(
        {
            (NONE, 8): (40, 70),
            (NONE, 12): (60, 80),
            ("mnli", 8): (45, 60),
            ("mnli", 12): (30, 40),
            ("squad", 8): (30, 60),
            ("squad", 12): (20, 30),
            (NONE, 2): (1, 1),
            ("mnli", 2): (2, 2),
        }
    )
    shown = score_tables.retrieval(study, scores)
    found = shown.set_index(["condition", "metric", "layer"])
    assert sorted(set(shown.layer)) == [8, 12] and len(shown) == 12
    assert (
        found.difference["mnli", "accuracy", 8] == 5
        and found.difference["mnli", "accuracy", 12] == -30
    )
    assert (
        found.difference["squad", "accuracy, centred", 12] == -50
        and found.difference.loc[NONE].isna().all()
    )
    assert score_tables.other_signs(shown) == "1 of 2 (MNLI)"
    assert score_tables.other_signs(shown[shown.condition == NONE]) == "0 of 0"


def test_cells_that_are_one_training_twice_are_named(study):
    gains = pd.DataFrame(
        [
            {
                "intermediate": Condition(("mnli",)),
                "target": target,
                "difference": change,
                "low": change - 1,
                "high": change + 1,
                "grade": "moderate",
                "English": 80.0,
            }
            for target, change in (("xnli", 12.0), ("udpos", -2.0), ("tatoeba", -4.0))
        ]
        + [
            {
                "intermediate": NONE,
                "target": "xnli",
                "difference": np.nan,
                "low": np.nan,
                "high": np.nan,
                "grade": "–",
                "English": 80.0,
            }
        ]
    )
    said = score_tables.verdicts(gains)
    assert (
        said["twice"] == "MNLI for XNLI" and said["mean_gain"] == "+2.0" and said["apart"] == "-3.0"
    )


def test_seeds_are_compared_over_the_languages_that_are_not_english(study):
    one = table({(NONE, NO_LAYER): (70, 0)}, "xnli")
    for languages, count in (("fi sw", 2), ("en fi sw", 2), ("en", 0)):
        both = pd.concat(
            [
                table({(NONE, NO_LAYER): (70, 0)}, "xnli", languages).assign(seed=seed)
                for seed in (0, 1)
            ]
        )
        assert score_tables.by_seed(study, both).languages.tolist() == [count]
    assert np.isnan(score_tables.by_seed(study, one).deviation.iloc[0])


@given(
    st.one_of(
        st.text(max_size=30),
        st.floats(-100, 100).map(wording.signed),
        st.floats(0, 100).map(lambda value: f"{value:.2f}"),
    )
)
@settings(deadline=None)
def test_what_is_quoted_comes_out_as_it_went_in(text):
    """The book reads a quoted value as Python where it can, and would write 2.0 for +2.0."""
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "display", lambda data, **more: shown.append(data))
        tables.quote(value=text)
    ((quoted,),) = [part.values() for part in shown]
    assert ast.literal_eval(quoted) == tables.visible(text)


@given(st.text(st.characters(codec="utf-8"), max_size=30).map(lambda text: f"a{text}b"))
@settings(deadline=None)
def test_what_is_said_of_a_value_is_text_and_no_markup(text):
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "display", shown.append)
        tables.say("*Here*: {value}.", value=text)
    page = MarkdownIt("commonmark").enable("table").render(shown[0].data)
    assert page.startswith("<p><em>Here</em>: ") and page.count("<") == 4
    words = unescape(page.removeprefix("<p><em>Here</em>: ").removesuffix(".</p>\n"))
    assert words.split() == tables.visible(text).split()


def test_no_two_names_of_points_lie_on_each_other():
    drawn, (axis, beside) = plt.subplots(1, 2, figsize=(6, 3))
    points = [(x, y, f"point {x} {y}") for x in range(5) for y in (1, 1.02, 5)]
    for some in (axis, beside):
        some.plot(*zip(*[(x, y) for x, y, _ in points], strict=True), "o")
    figures.name_points(axis, points)
    boxes = [text.get_window_extent() for text in axis.texts]
    assert 3 <= len(boxes) < len(points) and axis.texts[0].get_text() == "point 0 1"
    assert not any(
        one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number]
    )
    assert all(box.x1 <= beside.bbox.x0 for box in boxes)
    plt.close(drawn)
