"""A few rows of every source of the task table in the Hub's exact columns and types, made up."""

import io
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import yaml
from datasets import ClassLabel, Dataset, Features, List, Value

from xstilts.tasks.label_sets import BIO, NLI, UPOS
from xstilts.tasks.languages import TYDIQA_NAMES
from xstilts.tasks.table import TASKS
from xstilts.tasks.task import Source, Task

TEXT = Value("string")
ANSWERS = {"text": List(TEXT), "answer_start": List(Value("int32"))}
OLD_UD = [
    "NOUN",
    "PUNCT",
    "ADP",
    "NUM",
    "SYM",
    "SCONJ",
    "ADJ",
    "PART",
    "DET",
    "CCONJ",
    "PROPN",
    "PRON",
    "X",
    "_",
    "ADV",
    "INTJ",
    "VERB",
    "AUX",
]  # the order of Universal Dependencies' old loader
WORDS = "Anna lives in Chile and Omar speaks Hausa".split()


def _pairs(first: str, second: str, label, names) -> dict:
    return {first: TEXT, second: TEXT, label: ClassLabel(names=list(names))}


def features(task: Task, source: Source) -> Features:
    nli = _pairs("premise", "hypothesis", "label", NLI)
    squad = {"id": TEXT, "title": TEXT, "context": TEXT, "question": TEXT, "answers": ANSWERS}
    by_name = {
        "text": {"id": TEXT, "url": TEXT, "title": TEXT, "text": TEXT},
        "anli": {"uid": TEXT, **nli, "reason": TEXT} if source.hub == "facebook/anli" else nli,
        "mnli": nli | {"idx": Value("int32")},
        "xnli": nli,
        "afrixnli": nli,
        "qqp": _pairs("question1", "question2", "label", ["not_duplicate", "duplicate"])
        | {"idx": Value("int32")},
        "pawsx": {"id": Value("int32"), **_pairs("sentence1", "sentence2", "label", "01")},
        "squad": squad,
        "squad2": squad,
        "tydiqa": squad,
        "xquad": squad,
        "mlqa": squad,
        "lareqa": squad,
        "hellaswag": {
            "ind": Value("int32"),
            "activity_label": TEXT,
            "ctx_a": TEXT,
            "ctx_b": TEXT,
            "ctx": TEXT,
            "endings": List(TEXT),
            "source_id": TEXT,
            "split": TEXT,
            "split_type": TEXT,
            "label": TEXT,
        },
        "ccg": {"tokens": List(TEXT), "tags": List(TEXT)},
        "cosmosqa": {
            "id": TEXT,
            "context": TEXT,
            "question": TEXT,
            "answer0": TEXT,
            "answer1": TEXT,
            "answer2": TEXT,
            "answer3": TEXT,
            "label": Value("int32"),
        },
        "commonsenseqa": {
            "id": TEXT,
            "question": TEXT,
            "question_concept": TEXT,
            "choices": {"label": List(TEXT), "text": List(TEXT)},
            "answerKey": TEXT,
        },
        "udpos": {"tokens": List(TEXT), "pos_tags": List(ClassLabel(names=list(UPOS)))},
        "panx": {
            "tokens": List(TEXT),
            "ner_tags": List(ClassLabel(names=list(BIO))),
            "langs": List(TEXT),
        },
        "masakhaner": {
            "id": TEXT,
            "tokens": List(TEXT),
            "ner_tags": List(ClassLabel(names=[*BIO, "B-DATE", "I-DATE"])),
        },
        "masakhapos": {"tokens": List(TEXT), "upos": List(TEXT)},
        "xcopa": {
            "premise": TEXT,
            "choice1": TEXT,
            "choice2": TEXT,
            "question": TEXT,
            "label": ClassLabel(names=["choice1", "choice2"]),
            "idx": Value("int32"),
            "changed": Value("bool"),
        },
        "mewslix": {"mention": TEXT, "entity": TEXT, "description": TEXT},
    }
    if source.hub == "allenai/social_i_qa":
        return Features(
            {
                name: TEXT
                for name in ("context", "question", "answerA", "answerB", "answerC", "label")
            }
        )
    pair = {
        name: TEXT for name in ("source_sentence", "target_sentence", "source_lang", "target_lang")
    }
    by_name |= dict.fromkeys(("tatoeba", "bucc"), pair)
    if task.name not in by_name:
        raise LookupError(f"tests/hubrows.py: `features` has no columns of the task {task.name}")
    return Features(by_name[task.name])


def row(task: Task, source: Source, language: str, number: int) -> dict:
    """Some of every row's text says which language and row it is of."""
    context = f"{' '.join(WORDS)} since {number}. Nobody in {language} doubts it."
    tags = [label for label in ("PROPN", "VERB", "ADP", "PROPN", "CCONJ", "PROPN", "VERB", "PROPN")]
    values = {
        "premise": f"Anna lives in {number} {language}",
        "hypothesis": f"She lives there {number}",
        "question1": f"Who is {number}?",
        "question2": f"Who was {number}?",
        "sentence1": f"{number} is in {language}",
        "sentence2": f"{language} has {number}",
        "context": context,
        "question": "Who speaks Hausa?",
        "ctx": context,
        "ctx_a": context,
        "ctx_b": "",
        "choice1": "It fell.",
        "id": number
        if task.name == "pawsx"
        else f"{TYDIQA_NAMES.get(language, language)}-{number}",
        "choice2": f"It broke {number}.",
        "title": "Anna",
        "text": context,
        "answers": {"text": ["Omar"], "answer_start": [context.index("Omar")]},
        "endings": [f"end {i} {number}" for i in range(4)],
        "activity_label": "Living",
        "source_id": "",
        "split": "",
        "split_type": "",
        "question_concept": "life",
        "ind": number,
        "idx": number,
        "changed": False,
        "choices": {"label": list("ABCDE"), "text": [f"choice {i} {number}" for i in range(5)]},
        "answerKey": "ABCDE"[number % 5],
        "tokens": WORDS,
        "langs": [language] * 8,
        "tags": ["N", "(S[dcl]\\NP)/PP"] * 4,
        "pos_tags": tags,
        "upos": tags,
        "ner_tags": [
            "B-PER",
            "O",
            "O",
            "B-LOC",
            "O",
            "B-PER",
            "O",
            "B-DATE" if task.name == "masakhaner" else "O",
        ],
        "uid": str(number),
        "reason": "",
        "url": "",
        "mention": f"[Anna] number {number} lives",
        "entity": f"Q{number}",
        "description": f"Anna the {number}th",
        "source_sentence": f"{language} {number} sentence",
        "target_lang": "eng",
        "target_sentence": f"sentence {number}",
        "source_lang": language,
        **{f"answer{letter}": f"answer {letter} {number}" for letter in "0123ABC"},
    }
    if task.name == "squad2" and number % 2:
        values["answers"] = {"text": [], "answer_start": []}
    if task.name == "xcopa":
        values["question"] = ("cause", "effect")[number % 2]
    count = len(task.labels) or 4
    values["label"] = {"hellaswag": str(number % 4), "cosmosqa": number % 4}.get(
        task.name, number % count
    )
    if source.hub == "allenai/social_i_qa":
        values["label"] = str(1 + number % 3)
    return values


def dataset(task: Task, source: Source, languages: list[str], count: int = 12) -> Dataset:
    columns = features(task, source)
    rows = [
        row(task, source, language, number) for language in languages for number in range(count)
    ]
    names = {name: getattr(kind, "feature", kind) for name, kind in columns.items()}
    for item in rows:
        for name, kind in names.items():
            if isinstance(kind, ClassLabel) and isinstance(item[name], list):
                item[name] = kind.str2int(item[name])
    return Dataset.from_list(
        [{name: item[name] for name in columns} for item in rows], features=columns
    )


def splits(task: Task, source: Source, language: str) -> list[str]:
    """The names that the table expects first for every split that the source has, without the parts
    taken of them."""
    found = [
        name
        for split in ("train", "validation", "test")
        for name in source.split_names(split, language)[:1]
    ]
    return sorted({part.partition("[")[0] for name in found for part in name.split("+")})


def write(root: Path, task: Task) -> None:
    """The task as a local folder in the Hub's layout, in English and its first other language."""
    for source in task.sources:
        chosen = [language for language in source.languages if language == "en"]
        chosen += [language for language in source.languages if language != "en"][:1]
        for language in chosen:
            folder = root / source.local.format(language=language, name=source.name(language))
            folder.mkdir(parents=True, exist_ok=True)
            for split in splits(task, source, language):
                count = 1012 if "[1000:]" in str(source.splits) else 12
                dataset(task, source, [language], count).to_parquet(folder / f"{split}.parquet")


def hub_table(source: Source, name: str, language: str) -> Dataset:
    """Stands in for `hub.table`."""
    task = next(row for row in TASKS.values() if source in row.sources)
    assert name.partition("[")[0] in splits(task, source, language), (
        f"{task.name}: the table asks for {name}"
    )
    return dataset(task, source, list(source.languages) if source.keep else [language])


def official(
    tasks: Iterable[Task], languages: Collection[str] = (), count: int = 12
) -> Iterator[tuple[str, str, dict]]:
    """(repository, revision, files) of the Hub's own layouts: a card with all configurations, and
    parquet, or text with tabs as AfriXNLI has it. languages: only these; all if there are none."""
    tables: dict[tuple[str, str], dict] = {}
    for task in tasks:
        for source in task.sources:
            if not source.hub:
                continue
            found = tables.setdefault((source.hub, source.revision), {})
            for language in source.languages:
                if languages and language not in languages:
                    continue
                config = source.config.format(language=language, name=source.name(language))
                for split in splits(task, source, language):
                    if (config, split) in found:  # two tasks share it
                        continue
                    rows = 1012 if "[1000:]" in str(source.splits) else count
                    data = dataset(
                        task, source, list(source.languages) if source.keep else [language], rows
                    )
                    path = source.files.format(
                        language=language, name=source.name(language), split=split
                    )
                    found[config, split] = (
                        path.replace("*", "0000") or _path(task, config, split),
                        data,
                    )
    for (repository, revision), found in tables.items():
        files = {path: _bytes(path, data) for path, data in found.values()}
        if not any(
            source.files for task in tasks for source in task.sources if source.hub == repository
        ):
            files["README.md"] = _card(
                {key: (path, data) for key, (path, data) in found.items()}
            ).encode()
        yield repository, revision, files


def _path(task: Task, config: str, split: str) -> str:
    return (
        f"data/{config}/{split}.tsv"
        if task.name == "afrixnli"
        else f"{config}/{split}-00000-of-00001.parquet"
    )


def _bytes(path: str, data: Dataset) -> bytes:
    written = io.BytesIO()
    data.to_csv(written, sep="\t", index=False) if path.endswith(".tsv") else data.to_parquet(
        written
    )
    return written.getvalue()


def _card(found: dict[tuple[str, str], tuple[str, Dataset]]) -> str:
    """README.md: features and splits of every configuration, and where their files are."""
    infos, configs = {}, {}
    for (config, split), (path, data) in found.items():
        info = infos.setdefault(
            config, {"config_name": config, "features": data.features._to_yaml_list(), "splits": []}
        )
        info["splits"].append(
            {"name": split, "num_bytes": data.data.nbytes, "num_examples": len(data)}
        )
        place = configs.setdefault(config, {"config_name": config, "data_files": []})
        place["data_files"].append({"split": split, "path": path.replace("00000-of-00001", "*")})
    head = {"dataset_info": list(infos.values()), "configs": list(configs.values())}
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n# Rows for tests\n"


def plain(languages: Collection[str] = ()) -> dict[str, bytes]:
    """MasakhaPOS's files by the last parts of their addresses: text, one token and its tag a
    line."""
    source = TASKS["masakhapos"].sources[0]
    text = "\n\n".join(
        "\n".join(f"{word} {tag}" for word, tag in zip(WORDS, UPOS, strict=False))
        for _ in range(12)
    )
    return {
        path: f"{text}\n\n{path} X\n".encode()
        for language in source.languages
        for split in ("train", "dev", "test")
        if not languages or language in languages
        for path in [f"data/{source.name(language)}/{split}.txt"]
    }
