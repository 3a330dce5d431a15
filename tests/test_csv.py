"""The CSV that a table's button makes: no cell of text runs in a spreadsheet, and numbers stay
numbers."""

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xstilts.analysis import wording

SCRIPT = Path(__file__).parents[1] / "book" / "static" / "tables.js"
RUNS = (
    "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # what a spreadsheet takes for the beginning of a formula
)
TEXTS = [
    '=HYPERLINK("http://x","y")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "-",
    "+",
    "--1",
    "-1-1",
    "-3.1 [-4.0, -1.2]",
    "\uff1d1",
    "=1",
]
NUMBERS = ["-3.1", "+2.0", "-0", "12", "-1e-05", "+1E5", "-12%", "0.05"]
PLAIN = ["fi", "XNLI", "–", "<0.001", "'=1", "a=1", "3-1", ""]
# the page's script, as a page has it, with a table of its own and a library that only keeps what it
# is asked for
PAGE = """
let options;
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const table = {
  querySelectorAll: () => [], tBodies: [{ rows: [] }], tHead: { rows: [{ cells: Array(9) }] },
  closest: () => ({ dataset: { first: "6" } }),
};
const seen = [];
const shown = { columns: (some) => ({ visible: (whether) => seen.push([some, whether]) }) };
const library = { default: function (element, asked) {
  options = asked;
  this.columns = shown.columns;
  this.table = () => ({ container: () => ({ setAttribute: () => {} }) });
} };
globalThis.window = { tableLibrary: Promise.resolve(library) };
globalThis.document = { title: "A page", querySelectorAll: () => [table] };
require("vm").runInThisContext(given.script);
setTimeout(() => {
  const [more, csv] = options.layout.bottomStart.buttons;
  const format = csv.exportOptions.format, words = [more.text];
  for (const _ of "ab") more.action(null, shown, { text: (text) => words.push(text) });
  const cells = given.texts.map((text) => {
    const node = { textContent: text };
    return [format.body("", 0, 0, node), format.header("", 0, node)];
  });
  console.log(JSON.stringify({ cells, words, seen }));
}, 50);
"""


def rule():
    """cell -> what the script makes of it, by its two patterns, which Python reads alike."""
    script = SCRIPT.read_text()
    formula, number = (
        re.compile(re.search(rf"const {name} = /(.*)/;", script)[1])
        for name in ("FORMULA", "NUMBER")
    )
    return lambda text: f"'{text}" if formula.search(text) and not number.fullmatch(text) else text


@pytest.mark.parametrize("text", [*TEXTS, *NUMBERS, *PLAIN], ids=ascii)
def test_text_that_would_run_is_marked_as_text_and_numbers_stay(text):
    assert rule()(text) == (f"'{text}" if text in TEXTS else text)


@given(
    st.one_of(
        st.text(),
        st.tuples(st.sampled_from(RUNS), st.text()).map("".join),
        st.text(RUNS + "0123456789.eE% "),
        st.floats(allow_nan=False, allow_infinity=False).map(wording.signed),
        st.floats(-1e9, 1e9).map("{:.3f}".format),
    )
)
@example("-1\n")
def test_no_cell_of_text_begins_as_a_formula(text):
    found = rule()(text)
    if found == text and text[:1] in tuple(RUNS):
        float(text.removesuffix("%"))  # a number, or the test fails
    assert found in (text, f"'{text}") and found[:1] not in tuple(
        RUNS.replace("+", "").replace("-", "")
    )


@pytest.mark.skipif(
    not shutil.which("node"),
    reason="node, which runs the page's script outside of a browser, is not installed",
)
def test_every_download_of_the_page_goes_through_the_rule():
    draw = random.Random(0)
    texts = [
        *TEXTS,
        *NUMBERS,
        *PLAIN,
        *(
            "".join(draw.choices(RUNS + "0123456789.eE%a(\"',; ", k=draw.randint(1, 9)))
            for _ in range(300)
        ),
    ]
    done = subprocess.run(
        ["node", "-e", PAGE],
        input=json.dumps({"script": SCRIPT.read_text(), "texts": texts}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for text, found in zip(texts, said["cells"], strict=True):
        assert found == [rule()(text.strip())] * 2, text
    # nine columns, of which six are seen at first; the button shows the rest, and hides them again
    assert said["words"] == ["all 9 columns", "first 6 columns", "all 9 columns"]
    assert said["seen"] == [[[6, 7, 8], whether] for whether in (False, True, False)]
