"""The small world behind the synthetic benchmark: who and what exists, and which split may name it.

    people(rng, "train", 2) -> ["Anna", "Laura"];  pool("country", "test") -> ["EE", "GH", ...]

No person and no value belongs to two splits: what a model is tested on, it was not trained on.
Values are codes (those of CLDR where it has them); the words for them are in cldr.json and
languages/*.toml."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

# what a person may have, and the class that its value comes from
RELATIONS = {
    "lives": "country",
    "origin": "country",
    "city": "city",
    "speaks": "language",
    "job": "profession",
    "colour": "colour",
    "animal": "animal",
    "food": "food",
    "month": "month",
    "weekday": "weekday",
    "age": "age",
    "object": "object",
}

T = TypeVar("T")
SPLITS = ("train", "validation", "test")

# Country, language, currency and cities of one place share a split: "Japanese Yen" names all three.
CODES = {
    "country": (
        "AR AT AU BG BR CA CL CN CO DE DK EG ES ET FR HU ID IN IS IT MA MG NG NO PY RO TH TZ ZM",
        "BO CU GR HR KE LT NP PL UG VN",
        "EE GH IE JM JP MX PE PT SE TN",
    ),
    "city": (
        "Bangkok Berlin Bogota Cairo Chicago Copenhagen Lagos London Lusaka Madrid Oslo Paris "
        "Prague Rome Sydney Toronto Vienna",
        "Athens Havana Kampala Nairobi Warsaw",
        "Accra Caracas Dublin Lisbon Melbourne Seoul Stockholm Tokyo",
    ),
    "language": (
        "am ar bg da de en es fr ha hi hu id is it no ro ru so tr zh",
        "el hr lt ne pl vi",
        "et ja ko pt sv zu",
    ),
    "month": ("1 3 4 6 9 11", "2 7 12", "5 8 10"),
    "weekday": ("mon wed sat", "tue sun", "thu fri"),
    "currency": ("BRL CNY EGP EUR HUF INR NGN RON", "KES PLN VND", "GHS JPY SEK"),
    "profession": (
        "baker cook doctor driver farmer journalist lawyer mechanic nurse painter singer tailor "
        "teacher writer",
        "carpenter musician pilot secretary soldier",
        "hairdresser judge photographer sailor scientist translator",
    ),
    "animal": (
        "camel cat dog donkey duck fish goat horse lion mouse rabbit snake",
        "bee hen parrot pig",
        "frog monkey pigeon sheep turtle",
    ),
    "food": (
        "bread butter cheese chocolate honey meat pizza rice salad soup",
        "cake maize sausage spinach",
        "cabbage pasta porridge yogurt",
    ),
    "colour": ("black blue green red white yellow", "grey pink turquoise", "brown khaki purple"),
    "object": (
        "bag bed bicycle book bottle chair cup hammer key knife lamp mirror pen spoon table",
        "basket clock newspaper rope",
        "box bucket map needle plate",
    ),
    "fruit": (
        "apple banana lemon mango peach strawberry",
        "coconut grape pear",
        "avocado pineapple watermelon",
    ),
    "clothing": ("coat dress hat shirt shoe sock", "belt tie trousers", "glove scarf skirt"),
    "instrument": ("flute guitar piano", "drum trumpet", "harp violin"),
    "part": (
        "wheel page cork blade pillow sleeve string hoof",
        "dial headline buckle snout handle",
        "lid feather shell finger wool",
    ),
    "adj": ("big clean expensive good new old", "cheap famous", "bad dirty small"),
    "adv": ("always now", "still", "again"),
    "num": ("2 3 4 6 8", "5 9", "7 10"),
    "age": (
        " ".join(str(n) for n in range(20, 80) if n % 5 < 3),
        " ".join(str(n) for n in range(20, 80) if n % 5 == 3),
        " ".join(str(n) for n in range(20, 80) if n % 5 == 4),
    ),
    # what happens in order, and what makes people do what they do: sentences, not words
    "script": ("morning cooking letter journey", "garden", "laundry"),
    "cause": (
        "tired hungry cold rain ill hands dark thirsty key late bored hot flowers doorbell milk "
        "letter sun work joke fire",
        "guests noise glass",
        "headache shopping river news exam phone wound ice film",
    ),
}
POOLS = {
    kind: dict(zip(SPLITS, (codes.split() for codes in splits), strict=True))
    for kind, splits in CODES.items()
}
SENTENCES = ("script", "cause")

# where a city is, and what a thing has: only of one split each
COUNTRY_OF = {
    "Bangkok": "TH",
    "Berlin": "DE",
    "Bogota": "CO",
    "Cairo": "EG",
    "Copenhagen": "DK",
    "Lagos": "NG",
    "Lusaka": "ZM",
    "Madrid": "ES",
    "Oslo": "NO",
    "Paris": "FR",
    "Rome": "IT",
    "Sydney": "AU",
    "Toronto": "CA",
    "Vienna": "AT",
    "Athens": "GR",
    "Havana": "CU",
    "Kampala": "UG",
    "Nairobi": "KE",
    "Warsaw": "PL",
    "Accra": "GH",
    "Dublin": "IE",
    "Lisbon": "PT",
    "Stockholm": "SE",
    "Tokyo": "JP",
}
WHOLE_OF = {
    "wheel": ("object", "bicycle"),
    "page": ("object", "book"),
    "cork": ("object", "bottle"),
    "blade": ("object", "knife"),
    "pillow": ("object", "bed"),
    "sleeve": ("clothing", "shirt"),
    "string": ("instrument", "guitar"),
    "hoof": ("animal", "horse"),
    "dial": ("object", "clock"),
    "headline": ("object", "newspaper"),
    "buckle": ("clothing", "belt"),
    "snout": ("animal", "pig"),
    "handle": ("object", "basket"),
    "lid": ("object", "box"),
    "feather": ("animal", "pigeon"),
    "shell": ("animal", "turtle"),
    "finger": ("clothing", "glove"),
    "wool": ("animal", "sheep"),
}

# First names of women and of men, and surnames: spelled alike in all languages of Latin script (the
# others have a table of them), and no word in any of them.
NAMES = {
    "train": {
        "women": "Anna Amina Clara Diana Elena Emma Eva Halima Heidi Helena Ines Irene Julia "
        "Katalin Laura Leila Marta Olga Petra Ruth Sara Wanda".split(),
        "men": "Anton Bruno Daniel David Erik Felix Hassan Hugo Karl Lucas Martin Niklas Omar "
        "Oscar Otto Paul Peter Rashid Samuel Simon Thomas Viktor".split(),
        "surnames": "Garcia Hansen Ivanov Johnson Kamau Keller Korhonen Kovacs Laine Larsen Molnar "
        "Mwangi Novak Otieno Petrov Rossi Schmidt Tanaka Virtanen Weber Wilson".split(),
    },
    "validation": {
        "women": "Fatima Judit Linda Maria Silvia Vera".split(),
        "men": "Andreas Gabriel Ibrahim Max Mikko Robert".split(),
        "surnames": "Horvath Jensen Lopez Moreau Niemi Njoroge Olsen Becker".split(),
    },
    "test": {
        "women": "Greta Lucy Monica Rita Tanja Zainab".split(),
        "men": "Arthur George Henrik Jonas Marko Salim".split(),
        "surnames": "Dubois Ferrari Hoffmann Lehtinen Martinez Nilsson Szabo Wanjiru".split(),
    },
}
WOMEN = {name for split in SPLITS for name in NAMES[split]["women"]}
ALL_NAMES = [name for split in SPLITS for names in NAMES[split].values() for name in names]


def pool(kind: str, split: str) -> list[str]:
    """Codes of the values of one class that a split may use."""
    return POOLS[kind][split]


# Random choices use rng.random() alone: Python promises its sequence, and that of no other method,
# for ever.


def pick(rng: Random, items: Sequence[T]) -> T:
    return items[int(rng.random() * len(items))]


def some(rng: Random, items: Iterable[T], n: int) -> list[T]:
    """n different items in random order; all of them, shuffled, where there are fewer."""
    items = list(items)
    n = min(n, len(items))
    for i in range(n):
        j = i + int(rng.random() * (len(items) - i))
        items[i], items[j] = items[j], items[i]
    return items[:n]


def people(rng: Random, split: str, n: int) -> list[str]:
    """n first names, all of women or all of men: a word that agrees with a person then has one form
    in a whole row."""
    return some(rng, NAMES[split]["women" if rng.random() < 0.5 else "men"], n)


def values(rng: Random, relation: str, split: str, n: int) -> list[str]:
    """n different values of a relation, as codes."""
    return some(rng, pool(RELATIONS[relation], split), n)
