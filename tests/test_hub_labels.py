"""Names of labels, where a data set's card and its files do not say the same."""

import dataclasses

import hubrows
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from xstilts.data import hub
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS

NAMES = ["entailment", "neutral", "contradiction"]
TURNED = NAMES[::-1]


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("card", "file", "expected"),
    [
        (NAMES, NAMES, NAMES),
        (TURNED, TURNED, TURNED),
        (NAMES, None, NAMES),
        (None, TURNED, TURNED),
        (None, None, None),
        (NAMES, TURNED, "refused"),
        (NAMES, NAMES[:2] + ["other"], "refused"),
    ],
)
def test_names_of_labels_are_those_of_the_files_and_a_card_that_says_otherwise_is_refused(
    card, file, expected, listed, server
):
    """`datasets` goes by the card alone, and reads ids in a wrong order without a word."""

    def features(names):
        label = ClassLabel(names=names) if names else Value("int64")
        return Features(
            {
                "premise": Value("string"),
                "hypothesis": Value("string"),
                "label": List(label) if listed else label,
            }
        )

    row, place = TASKS["xnli"], TASKS["xnli"].sources[0]
    label = [[0, 1]] * 3 if listed else [0, 1, 2]
    table = Dataset.from_dict(
        {"premise": list("abc"), "hypothesis": list("def"), "label": label}, features=features(file)
    )
    stated = Dataset.from_dict(
        {"premise": list("abc"), "hypothesis": list("def"), "label": label}, features=features(card)
    )
    path = "fi/test-00000-of-00001.parquet"
    server.add(
        "dataset",
        place.hub,
        {
            path: hubrows._bytes(path, table),
            "README.md": hubrows._card({("fi", "test"): (path, stated)}).encode(),
        },
        place.revision,
    )
    place = dataclasses.replace(place, languages=("fi",))
    if expected == "refused":
        for _ in range(2):  # from the cache, too
            with pytest.raises(
                UserError,
                match="calls the labels of label .*; the data set's card calls them .*neither is",
            ):
                hub.table(place, "test", "fi")
        return
    for _ in range(2):
        found = hub.table(place, "test", "fi")
        assert (
            hub.label_names(found.features, "label") == expected and found["label"][:] == label
        ), row
