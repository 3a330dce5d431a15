"""What can be turned on the synthetic benchmark, written behind the name of the source:

    data = "mini:difficulty=3,noise=0.2,seed=1"

difficulty: 1, 2 or 3, of the intermediate tasks alone: number of facts and people, distractors,
steps between a question and its answer, words in common. 2 is the default. Targets stay as they
are, so that what is compared is measured with one yardstick.

noise: 0 to 1, of the intermediate tasks in other languages than English: the share of words that an
imperfect translator gets wrong (see `translator`). 0 is the default.

seed: another draw of all rows; who and what exists stays. 0 is the default.

Languages and numbers of rows are parameters of the study: a task's rows are an endless stream."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from xstilts.errors import UserError

LEVELS = (1, 2, 3)


@dataclass(frozen=True)
class Dials:
    difficulty: int = 2
    noise: float = 0.0
    seed: int = 0


PLAIN = Dials()


def is_mini(source: str) -> bool:
    return source.split(":")[0] == "mini"


def parse(source: str) -> Dials:
    """The dials behind "mini:". UserError names what is unknown, or out of range, and what is
    known."""
    found = {}
    for setting in source.partition(":")[2].split(","):
        name, _, value = (part.strip() for part in setting.partition("="))
        if not name and not value:
            continue
        known = {field.name: type(getattr(PLAIN, field.name)) for field in fields(Dials)}
        if name not in known:
            raise UserError(
                f"data: {source!r} has an unknown setting {name!r}; known: {', '.join(known)}, as "
                "in mini:difficulty=3,noise=0.2"
            )
        if name in found:
            raise UserError(f"data: {source!r} sets {name} twice")
        try:
            found[name] = known[name](value)
        except ValueError:
            raise UserError(
                f"data: in {source!r} {name}={value!r} is not a number of type "
                f"{known[name].__name__}"
            ) from None
    dials = Dials(**found)
    if dials.difficulty not in LEVELS:
        raise UserError(f"data: in {source!r} difficulty is none of {', '.join(map(str, LEVELS))}")
    if not 0 <= dials.noise <= 1 or dials.seed < 0:
        raise UserError(
            f"data: in {source!r} noise must lie between 0 and 1, and seed not be negative"
        )
    return dials


def name(dials: Dials) -> str:
    """The shortest source that means these dials."""
    turned = [
        f"{key}={value}" for key, value in asdict(dials).items() if value != getattr(PLAIN, key)
    ]
    return "mini" + (":" + ",".join(turned) if turned else "")


def of(dials: Dials, intermediate: bool, language: str) -> Dials:
    """What of the dials has a say in the rows of an intermediate task, or of another, in one
    language."""
    if not intermediate:
        return Dials(seed=dials.seed)
    return replace(dials, noise=0.0) if language == "en" else dials
