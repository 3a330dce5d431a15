"""The sentences of the front page say what the recorded runs say.

A line `% carried by: CLAIM | PART | RULE` stands below a sentence in book/index.md. The part is one
of `claims.apart`; the rule is "below 0" or "above 0" (the whole interval), or "within N" points."""

import re

import pytest

from xstilts import settings
from xstilts.book import claims_page
from xstilts.study import profiles

CARRIED = re.findall(
    r"^% carried by: (.+?) \| (.+?) \| (.+)$",
    (settings.project() / "book" / "index.md").read_text(),
    flags=re.MULTILINE,
)
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> claims_page.Page:
    """What the recorded runs on real rows say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XSTILTS_RECORDS", str(settings.project() / "book" / "recorded"))
        patch.setenv("XSTILTS_STORE", str(tmp_path_factory.mktemp("no store")))
        study = profiles.study(profile="real", missing="dash")
        patch.setattr(profiles, "beside", lambda asked: (asked,))
        (found,) = claims_page.of(study)
    return found


def holds(rule: str, value: float, low: float, high: float) -> bool:
    word, number = rule.split()
    if word == "within":
        return abs(value) < float(number)
    return low > float(number) if word == "above" else high < float(number)


@pytest.mark.parametrize("claim, part, rule", CARRIED)
def test_a_sentence_is_carried_by_its_result(page, claim, part, rule):
    row = page.parts.set_index("claim").loc[claim]
    assert holds(rule, *(row[f"{part}{end}"] for end in ("", ": low", ": high"))), row.to_dict()


def test_the_sentences_quote_what_is_there(page):
    front = (settings.project() / "book" / "index.md").read_text()
    quoted = set(re.findall(r"claims\.ipynb::(\w+):s", front))
    assert quoted and quoted <= {*claims_page.story(page), *page.words}
    assert len(CARRIED) >= 4 and page.rows == "real rows"


def test_a_rule_can_fail():
    assert holds("below 0", -3.0, -5.0, -1.0) and not holds("below 0", -3.0, -7.0, 1.0)
    assert holds("within 8", 2.0, -9.0, 9.0) and not holds("within 8", 9.0, 8.0, 10.0)
