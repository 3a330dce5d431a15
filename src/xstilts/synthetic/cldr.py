"""Names of countries, cities, languages, currencies, months and weekdays out of Unicode's CLDR,
kept in cldr.json.

    python -m xstilts.synthetic.cldr fi sw     # takes these languages from the installed Babel

They are kept because names change a little from one CLDR to the next, and the benchmark must not
change with them. A language file goes before CLDR: it names what CLDR lacks, and what does not suit
its sentences."""

import json
import sys
import tomllib
from functools import cache
from pathlib import Path

from xstilts.synthetic.world import POOLS, SPLITS

KINDS = ("country", "city", "language", "currency", "month", "weekday")
PATH = Path(__file__).with_name("cldr.json")
FOLDER = Path(__file__).parent / "languages"


@cache
def _kept():
    return json.loads(PATH.read_text(encoding="utf-8"))


def names(language: str, kind: str) -> dict[str, str]:
    """code -> name of one class; what CLDR does not have is not in it."""
    return _kept().get(language, {}).get(kind, {})


def from_babel(language: str, script: str) -> dict[str, dict[str, str]]:
    """kind -> code -> name, of the codes that the world knows. In Latin script a city without a
    name of its own is spelled as in English."""
    from babel import Locale, localedata

    # Babel 2.18 gives a language without months of its own for this use those of the language asked
    # before
    localedata._cache.clear()
    locale = Locale(language)
    cities = {
        zone.split("/")[-1]: name["city"]
        for zone, name in locale.time_zones.items()
        if "city" in name
    }
    days = "mon tue wed thu fri sat sun".split()
    known = {
        "country": locale.territories,
        "city": cities,
        "language": locale.languages,
        "currency": locale.currencies,
        "month": {str(i): name for i, name in locale.months["stand-alone"]["wide"].items()},
        "weekday": {day: locale.days["stand-alone"]["wide"][i] for i, day in enumerate(days)},
    }
    found = {}
    for kind in KINDS:
        codes = sorted(code for split in SPLITS for code in POOLS[kind][split])
        spelled = {code: code for code in codes} if kind == "city" and script == "Latin" else {}
        found[kind] = {code: known[kind].get(code, spelled.get(code)) for code in codes}
        found[kind] = {code: name for code, name in found[kind].items() if name}
    return found


if __name__ == "__main__":
    from babel import UnknownLocaleError

    if not sys.argv[1:]:
        sys.exit("which languages? python -m xstilts.synthetic.cldr fi sw")
    found = dict(_kept())
    for asked in sys.argv[1:]:
        try:
            script = tomllib.loads((FOLDER / f"{asked}.toml").read_text(encoding="utf-8"))["script"]
            found[asked] = from_babel(asked, script)
        except FileNotFoundError:
            sys.exit(f"{FOLDER} has no {asked}.toml: begin with a copy of en.toml")
        except (UnknownLocaleError, ValueError):
            sys.exit(f"CLDR does not know {asked}: all names have to be in {asked}.toml")
    PATH.write_text(
        json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
    )
