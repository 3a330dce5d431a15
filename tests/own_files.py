"""Made-up files as people with a task of their own have them."""

import json
import random
from pathlib import Path

WORDS = {
    "en": "tea soup bread rice lamp chair door river garden window bus road shop book coat".split(),
    "de": "Tee Suppe Brot Reis Lampe Stuhl Tür Fluss Garten Fenster Bus Straße Laden Buch".split(),
    "ru": "чай суп хлеб рис лампа стул дверь река сад окно автобус дорога книга".split(),
}
LABELS = ("good", "bad", "mixed")

# a study of an own target that takes a second
TINY = dict(
    profile="mini",
    data="mini",
    intermediates="mnli",
    phase2_steps=2,
    phase3_steps=2,
    phase2_rows=20,
    phase3_rows=40,
    eval_rows=12,
    max_length=64,
    scheduler="local",
)


def reviews(count=200, language="en", seed=0):
    """[(text, label)], each text once."""
    draw, found = random.Random(f"{language} {seed}"), {}
    while len(found) < count:
        text = " ".join(draw.choices(WORDS[language], k=8))
        found[text] = LABELS[len(found) % 3]
    return list(found.items())


def csv(path: Path, rows, header=("review", "stars"), delimiter=",", encoding="utf-8") -> Path:
    lines = [delimiter.join(header), *(delimiter.join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def jsonl(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def of_kind(kind, count=120, language="en"):
    """Rows of each kind, in columns as people name them."""
    texts = [text for text, _ in reviews(2 * count, language)]
    rows = []
    for number in range(count):
        first, second = texts[number], texts[count + number]
        words, own = first.split(), (f"{first} a", f"{first} b")
        rows.append(
            {
                "classify": {"review": first, "label": LABELS[number % 3]},
                "pairs": {"premise": first, "hypothesis": second, "gold": LABELS[number % 3]},
                "tag": {
                    "words": words,
                    "ner": ["B-X" if word[0] in "btБр" else "O" for word in words],
                },
                "span": {
                    "query": f"{words[0]}?",
                    "passage": first,
                    "answer": " ".join(words[2:4]),
                },
                "choice": {"ctx": first, "endings": [second, *own], "label": number % 3},
                "retrieve": {"src": first, "english": second},
            }[kind]
        )
    return rows
