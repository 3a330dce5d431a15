"""The names of encoders: what is known by a short name, and how a name is read."""

import re
from dataclasses import dataclass
from pathlib import Path

from xstilts.encoders import e5small
from xstilts.errors import UserError
from xstilts.revisions import commit

EMBEDDED = "e5-small"
# short name -> Hub id and revision: a commit where one is known, else a branch
KNOWN = {
    "mbert": (
        "google-bert/bert-base-multilingual-cased",
        "3f076fdb1ab68d5b2880cb87a0886f315b8146f8",
    ),
    "minilm": (
        "microsoft/Multilingual-MiniLM-L12-H384",
        "6e8c1ec6b4ec4e3fc6eb7d2cd834fcd582b61daf",
    ),
    "multilingual-e5-small": (
        "intfloat/multilingual-e5-small",
        "fd1525a9fd15316a2d503bf26ab031a61d056e98",
    ),
    "xlmr-base": ("FacebookAI/xlm-roberta-base", "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089"),
    "xlmr-large": ("FacebookAI/xlm-roberta-large", "c23d21b0620b635a76227c604d44e43a9f0ee389"),
    "xlmr-xl": ("facebook/xlm-roberta-xl", "main"),
    "xlmr-xxl": ("facebook/xlm-roberta-xxl", "main"),
    # main has half-precision weights, and no safetensors
    "mdeberta": ("microsoft/mdeberta-v3-base", "refs/pr/5"),
    "rembert": ("google/rembert", "main"),
    "xlm-v": ("facebook/xlm-v-base", "main"),
    "mmbert-small": ("jhu-clsp/mmBERT-small", "main"),
    "mmbert-base": ("jhu-clsp/mmBERT-base", "c5955035435e2bf121cde7f3c8863ef52ff35d82"),
    "afro-xlmr-base": ("Davlan/afro-xlmr-base", "main"),
    "afro-xlmr-large": ("Davlan/afro-xlmr-large", "main"),
    "afro-xlmr-large-76L": ("Davlan/afro-xlmr-large-76L", "main"),
}
REVISIONS = dict(KNOWN.values())
NAME = re.compile(
    r"(?P<base>.+?)(?:@(?P<revision>[^@:]+))?(?::(?P<layers>\d+))?(?P<random>:random)?"
)
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


@dataclass(frozen=True)
class EncoderName:
    """A parsed name. `layers` None means all of them; `revision` None means the one of `KNOWN`, or
    the main branch."""

    base: str
    layers: int | None = None
    random: bool = False
    revision: str | None = None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        return (
            self.base
            + revision
            + (f":{self.layers}" if self.layers else "")
            + (":random" if self.random else "")
        )


def parse_name(text: str) -> EncoderName:
    """'e5-small:6:random' -> EncoderName('e5-small', 6, True). UserError names what is known."""
    match = NAME.fullmatch(text)
    if match is None:
        raise UserError(
            "an encoder's name is empty; write BASE[@REVISION][:K][:random], such as e5-small:6"
        )
    base, revision, layers = match["base"], match["revision"], match["layers"]
    if base in KNOWN and not Path(base).is_dir():
        base = KNOWN[base][0]
    layers = int(layers) if layers else None
    if revision and Path(f"{base}@{revision}").is_dir():  # a folder may have an @ in its path
        base, revision = f"{base}@{revision}", None
    is_hub_id = HUB_ID.fullmatch(base) and not Path(base).is_dir()
    if base != EMBEDDED and not is_hub_id and not Path(base).is_dir():
        raise UserError(
            f"unknown encoder {text!r}: {base!r} is not {EMBEDDED} (the embedded encoder), none of "
            f"{', '.join(KNOWN)}, not an existing folder, and not a Hub id with one slash, such as "
            "FacebookAI/xlm-roberta-large. Write BASE[@REVISION][:K][:random]."
        )
    if revision and not is_hub_id:
        raise UserError(f"encoder {text!r}: only a Hub id has a revision; {base!r} is not one")
    check_layers(text, layers, e5small.LAYERS if base == EMBEDDED else None)
    return EncoderName(base, layers, bool(match["random"]), revision)


def revision(name: EncoderName) -> str:
    """Of a Hub id: the commit of what was asked for, or the pinned one, or that of the main branch;
    "main" of others."""
    if name.base == EMBEDDED or Path(name.base).is_dir():
        return "main"
    return commit(name.base, name.revision or REVISIONS.get(name.base, "main"), "model")


def check_layers(name: object, layers: int | None, depth: int | None) -> None:
    if layers is not None and not 1 <= layers <= (depth or layers):
        raise UserError(
            f"encoder {str(name)!r} asks for {layers} layers; known are 1 to {depth or 'its depth'}"
        )


def as_name(source: str | Path | EncoderName) -> EncoderName:
    """A Path is always a folder, never a name. Raises UserError where there is none."""
    if isinstance(source, Path):
        if not source.is_dir():
            raise UserError(f"no encoder at {source}: there is no such folder")
        return EncoderName(str(source.absolute()))
    return source if isinstance(source, EncoderName) else parse_name(source)
