"""The readers of raw formats, and the joins of labels. All raw files here are made up."""

import bz2
import io
import json
import tarfile

import pytest

from xstilts.public_rows import pairs, tags, texts
from xstilts.public_rows.formats import Raw

ENGLISH = "gold_label,sentence1,sentence2\n" + "".join(
    f'{label},"So, {number}",It is {number}.\n'
    for number, label in enumerate(["neutral", "entailment"] * 4)
)


def made(*contents):
    return [
        Raw(f"raw {number}", content.encode() if isinstance(content, str) else content)
        for number, content in enumerate(contents)
    ]


def archive(*sentences):
    """As the C&C parser leaves it: one file a sentence, in any order."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as found:
        for number, sentence in reversed([*enumerate(sentences)]):
            words = "".join(f'<lf word="{word}" cat="{cat}"/>' for word, cat in sentence)
            text = f"<candc><ccg><rule>{words}</rule></ccg></candc>".encode()
            member = tarfile.TarInfo(f"results/{number}.tok.candc.xml")
            member.size = len(text)
            found.addfile(member, io.BytesIO(text))
        found.addfile(tarfile.TarInfo("results/0.err"))
    return content.getvalue()


def squad(*paragraphs):
    return json.dumps(
        {
            "data": [
                {
                    "title": title,
                    "paragraphs": [
                        {
                            "context": context,
                            "qas": qas,
                            "sentences": [context],
                            "sentence_breaks": [[0, 3]],
                        }
                    ],
                }
                for title, context, qas in paragraphs
            ]
        }
    )


def asked(answer="two", start=4, **more):
    return {
        "id": 7,
        "question": "How many?",
        "answers": [{"text": answer, "answer_start": start}],
    } | more


FOUND = {
    "id": "7",
    "context": "One two.",
    "question": "How many?",
    "answers": {"text": ["two"], "answer_start": [4]},
}
XQUAD = squad(("T", "Tested two.", [asked(start=7)]))
ARTICLES = [(title, f"{title} two.", [asked(start=2, id=title)]) for title in "EDCBA"]
PAWSX_IDS = "id\tsentence1\tsentence2\tlabel\n5\tx\ty\t1\n6\tx\ty\t0\n9\tx\ty\t1\n"
CONLLU = (
    "# sent_id = a-1\n# text = Dakaal na\n1-2\tDakaal\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tDaka\td\tVERB\tV\t_\t0\troot\t_\t_\n2\tal\ta\tAUX\tI\tX=1\t1\taux\t_\tG=1\n"
    "2.1\tno\tn\tNOUN\t_\t_\t_\t_\t_\t_\n\n\n"
)
HELLASWAG = "Skiing: He skis. then he\n1\na\nb\nc\nd\nCooking: Stir it, e.g. well.\n0\ne\nf\ng\nh\n"
QQP = b'1\tA "b\t"c\t3\n' + b"0\tcut \xe2\x80\td\t4\n" + b"0\te\tf\t5\n"
ANLI = "uid,context,statement,gold_label,reason\n"
COSMOS = "id,context,question,answer0,answer1,answer2,answer3,label\n" + "".join(
    f'{number},"text, {number}",q,a,b,c,d,2\n' for number in range(400)
)

READ = {
    "XNLI, quotes are literal": (
        pairs.xnli_validation,
        ['"Er sagte\t"nichts".\tneutral\n'],
        [{"premise": '"Er sagte', "hypothesis": '"nichts".', "label": 1}],
    ),
    "a line ends with a line feed alone": (
        pairs.xnli_validation,
        ["a\u2028b\tc\x0bd\tentailment\n"],
        [{"premise": "a\u2028b", "hypothesis": "c\x0bd", "label": 0}],
    ),
    "XNLI's joined labels": (
        pairs.xnli_test,
        [
            "".join(f"Also {number}\tEs ist {number}.\n" for number in range(8)),
            "".join(f"So,  {number}\tIt is “{number}.\n" for number in range(8)),
            ENGLISH,
        ],
        [
            {"premise": f"Also {n}", "hypothesis": f"Es ist {n}.", "label": 1 - n % 2}
            for n in range(8)
        ],
    ),
    "XNLI by machine": (
        lambda *files: pairs.xnli_by_machine(*files, language="igbo"),
        [
            "sentence1,sentence2,sentence1_igbo,sentence2_igbo\n"
            '"So, 1",It is 1.,Ya,O bu 1.\nUnknown,It is 1.,Ya,O bu 1.\n"So, 2",It is 2.,,O bu 2.\n',
            ENGLISH,
        ],
        [{"premise": "Ya", "hypothesis": "O bu 1.", "label": 0}],
    ),
    "MNLI without XNLI's premises and other languages": (
        pairs.watson,
        [
            "id,premise,hypothesis,lang_abv,language,label\n"
            "1,Tested,h,en,English,0\n2,New,h,en,English,2\n3,Neu,h,de,German,2\n",
            "Dev\th\tneutral\n",
            "Tested \th\n",
        ],
        [{"premise": "New", "hypothesis": "h", "label": 2, "idx": 0}],
    ),
    "MNLI, attacked": (
        pairs.attacked,
        ["contradiction\ta .\tb .\n"],
        [{"premise": "a .", "hypothesis": "b .", "label": 2, "idx": 0}],
    ),
    "SNLI in three files": (
        pairs.snli,
        ["A man . \n", "A dog . \n", "contradiction a man is no dog .\n"],
        [{"premise": "A man .", "hypothesis": "A dog .", "label": 2}],
    ),
    "ANLI": (
        pairs.anli,
        ['uid,context,statement,gold_label,reason\nu,"a ""b""\nc",d,c,\n'],
        [{"uid": "u", "premise": 'a "b"\nc', "hypothesis": "d", "label": 2, "reason": ""}],
    ),
    "QQP without what is cut": (
        pairs.qqp,
        [QQP],
        [
            {"question1": 'A "b', "question2": '"c', "label": 1, "idx": 3},
            {"question1": "e", "question2": "f", "label": 0, "idx": 5},
        ],
    ),
    "PAWS-X without what is not translated": (
        lambda *files: pairs.pawsx_validation(*files, start=0, end=2),
        ["NS\tb\t0\nc\td\t0\ne\tf\t1\n", PAWSX_IDS],
        [{"id": 6, "sentence1": "c", "sentence2": "d", "label": 0}],
    ),
    "PAWS-X's joined labels": (
        pairs.pawsx_test,
        ["a\tb\nc\td\ne\tf\n", PAWSX_IDS.replace("x", "NS", 1), PAWSX_IDS.replace("y\t0", "NS\t0")],
        [
            {"id": 5, "sentence1": "a", "sentence2": "b", "label": 1},
            {"id": 6, "sentence1": "c", "sentence2": "d", "label": 0},
            {"id": 9, "sentence1": "e", "sentence2": "f", "label": 1},
        ],
    ),
    "PAWS-X, no language has the label": (
        pairs.pawsx_test,
        ["a\tb\nc\td\ne\tf\n", *[PAWSX_IDS.replace("x", "NS", 1)] * 2],
        [
            {"id": 6, "sentence1": "c", "sentence2": "d", "label": 0},
            {"id": 9, "sentence1": "e", "sentence2": "f", "label": 1},
        ],
    ),
    "XQuAD": (texts.xquad, [squad(("T", "One two.", [asked()]))], [FOUND]),
    "LAReQA": (
        texts.lareqa,
        [squad(("T", "One two.", [asked()]))],
        [FOUND | {"sentences": ["One two."], "sentence_breaks": [[0, 3]]}],
    ),
    "SQuAD as tokens": (
        texts.squad_of_tokens,
        ["One two .\nOne two .\n", "How many ?\nWhat ?\n", "two .\nother\n", "1 2\n0 0\n"],
        [
            {
                "id": "qasystem-val-0",
                "title": "",
                "context": "One two .",
                "question": "How many ?",
                "answers": {"text": ["two ."], "answer_start": [4]},
            }
        ],
    ),
    "SQuAD without XQuAD's paragraphs and unanswered": (
        texts.answered,
        [
            squad(
                ("T", "Tested two. ", [asked(start=7)]),
                ("T", "One two.", [asked(), asked(answers=[])]),
            ),
            XQUAD,
        ],
        [FOUND | {"title": "T"}],
    ),
    "HellaSwag": (
        lambda file: [
            [row[name] for name in ("ind", "activity_label", "ctx_a", "ctx_b", "ctx", "label")]
            for row in texts.hellaswag(file)
        ],
        [bz2.compress(HELLASWAG.encode())],
        [
            [0, "Skiing", "He skis.", "then he", "He skis. then he", "1"],
            [1, "Cooking", "Stir it, e.g.", "well.", "Stir it, e.g. well.", "0"],
        ],
    ),
    "CommonsenseQA without answers that stand twice": (
        lambda file: texts.commonsense(file, split="dev"),
        [
            json.dumps(
                [
                    {"query": "q", "cands": ["a", "a", "b", "c", "d"], "answer": "a"},
                    {"query": "r", "cands": ["a", "b", "c", "d", "e"], "answer": "d"},
                ]
            )
        ],
        [
            {
                "id": "gkp-dev-1",
                "question": "r",
                "question_concept": "",
                "choices": {"label": list("ABCDE"), "text": list("abcde")},
                "answerKey": "D",
            }
        ],
    ),
    "COPA": (
        texts.copa,
        ['{"idx": 0, "label": 1}\n{"idx": 1, "label": 0, "changed": true}\n'],
        [{"idx": 0, "label": 1, "changed": False}, {"idx": 1, "label": 0, "changed": True}],
    ),
    "Tatoeba": (
        lambda *files: texts.tatoeba(*files, language="af"),
        ["Een.\nTwee.\n\n", "One.\nTwo.\n\n"],
        [
            dict(source_sentence=one, target_sentence=two, source_lang="af", target_lang="en")
            for one, two in (("Een.", "One."), ("Twee.", "Two."))
        ],
    ),
    "BUCC": (
        lambda *files: texts.mined(*files, language="zh"),
        ["zh-1\t一\nzh-2\t二\n", "en-1\tTwo\n", "zh-2\ten-1\n"],
        [dict(source_sentence="二", target_sentence="Two", source_lang="zh", target_lang="en")],
    ),
    "UDPOS": (
        tags.udpos,
        ["The\tDET\nend\tNOUN\n\n\nGo\tVERB\n"],
        [{"tokens": ["The", "end"], "pos_tags": [5, 7]}, {"tokens": ["Go"], "pos_tags": [15]}],
    ),
    "a treebank": (
        tags.treebank,
        [CONLLU],
        [
            {
                "idx": "a-1",
                "text": "Dakaal na",
                "tokens": ["Daka", "al"],
                "lemmas": ["d", "a"],
                "upos": [16, 17],
                "xpos": ["V", "I"],
                "feats": ["_", "X=1"],
                "head": ["0", "1"],
                "deprel": ["root", "aux"],
                "deps": ["_", "_"],
                "misc": ["_", "G=1"],
            }
        ],
    ),
    "a treebank as UDPOS": (
        tags.treebank_as_udpos,
        [CONLLU],
        [{"tokens": ["Daka", "al"], "pos_tags": [15, 3]}],
    ),
    "PAN-X": (
        lambda file: tags.panx(file, language="de"),
        ["New York\tB-LOC\nist\tO\n"],
        [{"tokens": ["New York", "ist"], "ner_tags": [5, 0], "langs": ["de", "de"]}],
    ),
    "MasakhaNER": (
        tags.masakhaner,
        ["Leo B-DATE\nni O\n"],
        [{"id": "0", "tokens": ["Leo", "ni"], "ner_tags": [7, 0]}],
    ),
    "supertags, each sentence once": (
        tags.supertags,
        [archive([("It", "NP"), ("is", "S\\NP")], [("No", "N")], [("It", "NP"), ("is", "S/N")])],
        [{"tokens": ["It", "is"], "tags": ["NP", "S\\NP"]}, {"tokens": ["No"], "tags": ["N"]}],
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_raw_format_is_read(name):
    read, contents, found = READ[name]
    assert read(*made(*contents)) == found


@pytest.mark.parametrize(
    ("read", "contents", "share"),
    [
        (texts.cosmos, [COSMOS], 0.2),
        (texts.squad_articles, [squad(*ARTICLES), XQUAD], 0.4),
        (
            pairs.anli_part,
            [
                "uid,context,statement,gold_label,reason\n"
                + "".join(f"u,text {number},s,e,r\n" for number in range(400))
            ],
            0.125,
        ),
    ],
)
def test_parts_of_a_file_share_no_text(read, contents, share):
    sides = [read(*made(*contents), held_out=side) for side in (False, True)]
    one, other = ({row.get("context") or row["premise"] for row in part} for part in sides)
    assert not one & other and one and other
    assert len(sides[1]) / len(sides[0] + sides[1]) == pytest.approx(share, abs=0.05)
