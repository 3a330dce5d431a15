"""A figure's words are read off the figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from xstilts.book import figure_text, figures
from xstilts.study import profiles
from xstilts.study.conditions import Condition


def test_the_words_of_a_heat_map_are_its_cells():
    gains = pd.DataFrame(
        [
            dict(
                intermediate=Condition((task,)),
                target=target,
                difference=value,
                low=value - 1,
                high=value + 1,
            )
            for task, target, value in (
                ("mnli", "xnli", 3.21),
                ("mnli", "udpos", np.nan),
                ("squad", "xnli", -0.5),
                ("squad", "udpos", 0.0),
            )
        ]
    )
    words = figure_text.described(figures.heatmap(profiles.study(), gains))
    for cell in (
        "MNLI for XNLI accuracy +3.2",
        "MNLI for UDPOS F1 –",
        "SQuAD v1.1 for XNLI accuracy -0.5",
        "SQuAD v1.1 for UDPOS F1 0.0",
    ):
        assert cell in words, words
    assert words.startswith("Difference to no intermediate training")


def test_the_words_of_lines_are_their_ranges():
    figure, axes = plt.subplots(1, 2)
    axes[0].plot([1, 2, 3], [10, np.nan, 30.04], label="none")
    axes[0].plot([1, 2], [5, 5], label="MNLI")
    axes[0].plot([1, 2], [0, 99])  # without a name: an ornament
    axes[0].set(title="XNLI", xlabel="step", ylabel="accuracy")
    axes[1].plot(
        [-2.5, 4, np.nan], [-0.2, 1.1, 1], "o", label="POS"
    )  # names run down: values are sideways
    axes[1].plot([1], [0.1], "o", label="_QA")  # not in the legend
    axes[1].axvline(0)
    axes[1].set(xlabel="difference", ylim=(2, -1), yticks=[0, 1], yticklabels=["MNLI", "SQuAD"])
    assert (
        figure_text.described(figure)
        == "XNLI: accuracy over step; none from 10.0 to 30.0, MNLI 5.0. "
        "difference; MNLI: POS -2.5 and QA +1.0, SQuAD: POS +4.0"
    )
    bars, axis = plt.subplots()
    axis.barh(["a chapter", "another"], [3, 0], label="live")
    axis.set(xlabel="runs")
    assert figure_text.described(bars) == "runs; a chapter live 3"
    plt.close(bars)
    empty, axis = plt.subplots()
    axis.text(0, 0, "–")
    axis.set(xlabel="points")
    assert figure_text.described(empty) == "points; nothing was run"
    plt.close(empty)
    axes[0].plot([1], [1], label="x" * 2000)
    assert len(figure_text.described(figure)) < 1600 and figure_text.described(figure).endswith(
        "and more in the table"
    )
    plt.close(figure)
