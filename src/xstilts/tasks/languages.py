"""Languages by their ISO 639-1 codes (639-3 where there is none), and how data sets call them."""

from __future__ import annotations

# XTREME spells its UDPOS configurations by English names ("Afrikans" is the Hub's own spelling)
UD_NAMES = {
    "af": "Afrikans",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "kk": "Kazakh",
    "ko": "Korean",
    "mr": "Marathi",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yo": "Yoruba",
    "zh": "Chinese",
}
# treebanks in Universal Dependencies' own naming, for languages that XTREME's UDPOS leaves out
TREEBANKS = {
    "lt": "lt_alksnis",
    "pl": "pl_pdb",
    "uk": "uk_iu",
    "wo": "wo_wtb",
    "ro": "ro_rrt",
    "pcm": "pcm_nsc",
    "yo": "yo_ytb",
}
TATOEBA_NAMES = {
    "af": "afr",
    "ar": "ara",
    "bg": "bul",
    "bn": "ben",
    "de": "deu",
    "el": "ell",
    "es": "spa",
    "et": "est",
    "eu": "eus",
    "fa": "pes",
    "fi": "fin",
    "fr": "fra",
    "he": "heb",
    "hi": "hin",
    "hu": "hun",
    "id": "ind",
    "it": "ita",
    "ja": "jpn",
    "jv": "jav",
    "ka": "kat",
    "kk": "kaz",
    "ko": "kor",
    "ml": "mal",
    "mr": "mar",
    "nl": "nld",
    "pt": "por",
    "ru": "rus",
    "sw": "swh",
    "ta": "tam",
    "te": "tel",
    "th": "tha",
    "tl": "tgl",
    "tr": "tur",
    "ur": "urd",
    "vi": "vie",
    "zh": "cmn",
}
TATOEBA_ADDED = tuple("az lt pl ro uk".split())  # by XTREME-R
TYDIQA_NAMES = {
    "ar": "arabic",
    "bn": "bengali",
    "en": "english",
    "fi": "finnish",
    "id": "indonesian",
    "ko": "korean",
    "ru": "russian",
    "sw": "swahili",
    "te": "telugu",
}
# Masakhane's data sets use ISO 639-3 throughout
MASAKHANE_NAMES = {
    "bm": "bam",
    "bbj": "bbj",
    "ee": "ewe",
    "fon": "fon",
    "ha": "hau",
    "ig": "ibo",
    "rw": "kin",
    "lg": "lug",
    "luo": "luo",
    "mos": "mos",
    "ny": "nya",
    "pcm": "pcm",
    "sn": "sna",
    "sw": "swa",
    "tn": "tsn",
    "tw": "twi",
    "wo": "wol",
    "xh": "xho",
    "yo": "yor",
    "zu": "zul",
}
AFRIXNLI_NAMES = {
    "am": "amh",
    "en": "eng",
    "ee": "ewe",
    "fr": "fra",
    "ha": "hau",
    "ig": "ibo",
    "rw": "kin",
    "ln": "lin",
    "lg": "lug",
    "om": "orm",
    "sn": "sna",
    "st": "sot",
    "sw": "swa",
    "tw": "twi",
    "wo": "wol",
    "xh": "xho",
    "yo": "yor",
    "zu": "zul",
}
PANX = tuple(
    "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th "
    "sw yo my zh kk tr et fi hu".split()
)
PANX_ADDED = tuple("az gu lt pa pl qu ro uk".split())  # by XTREME-R, from the same WikiANN
UD_ADDED = ("lt", "pl", "ro", "uk", "wo")  # by XTREME-R
XNLI = tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split())
XQUAD = tuple("ar de el en es hi ru th tr vi zh".split())
MLQA = tuple("ar de en es hi vi zh".split())
XCOPA = tuple("et ht id it qu sw ta th tr vi zh".split())
MEWSLIX = tuple("ar de en es fa ja pl ro ta tr uk".split())
NLI26 = tuple(
    "ar bn de es fa fr he hi id it ja ko mr nl pl ps pt ru sv sw ta tr uk ur vi zh".split()
)
# NLLB, a translation model, adds the script
NLLB_NAMES = {
    "af": "afr_Latn",
    "ar": "arb_Arab",
    "bg": "bul_Cyrl",
    "bn": "ben_Beng",
    "de": "deu_Latn",
    "el": "ell_Grek",
    "en": "eng_Latn",
    "es": "spa_Latn",
    "et": "est_Latn",
    "eu": "eus_Latn",
    "fa": "pes_Arab",
    "fi": "fin_Latn",
    "fr": "fra_Latn",
    "ha": "hau_Latn",
    "he": "heb_Hebr",
    "hi": "hin_Deva",
    "hu": "hun_Latn",
    "id": "ind_Latn",
    "ig": "ibo_Latn",
    "it": "ita_Latn",
    "ja": "jpn_Jpan",
    "ka": "kat_Geor",
    "kk": "kaz_Cyrl",
    "ko": "kor_Hang",
    "lt": "lit_Latn",
    "nl": "nld_Latn",
    "pl": "pol_Latn",
    "pt": "por_Latn",
    "ro": "ron_Latn",
    "ru": "rus_Cyrl",
    "sn": "sna_Latn",
    "sw": "swh_Latn",
    "ta": "tam_Taml",
    "te": "tel_Telu",
    "th": "tha_Thai",
    "tr": "tur_Latn",
    "tw": "twi_Latn",
    "uk": "ukr_Cyrl",
    "ur": "urd_Arab",
    "vi": "vie_Latn",
    "wo": "wol_Latn",
    "xh": "xho_Latn",
    "yo": "yor_Latn",
    "zh": "zho_Hans",
    "zu": "zul_Latn",
}

# for means over kinds of languages: families as commonly drawn (Indo-European by its branches);
# scripts other than Latin
FAMILIES = {
    "Germanic": "af de en nl",
    "Romance": "es fr it pt ro",
    "Slavic": "bg pl ru uk",
    "Baltic": "lt",
    "Hellenic": "el",
    "Indo-Aryan": "bn gu hi mr pa ur",
    "Iranian": "fa",
    "Uralic": "et fi hu",
    "Turkic": "az kk tr",
    "Afro-Asiatic": "am ar ha he om",
    "Niger-Congo": "bbj bm ee fon ig lg ln mos ny rw sn st sw tn tw wo xh yo zu",
    "Nilo-Saharan": "luo",
    "Sino-Tibetan": "my zh",
    "Japonic": "ja",
    "Koreanic": "ko",
    "Austroasiatic": "vi",
    "Kra-Dai": "th",
    "Austronesian": "id jv ms tl",
    "Dravidian": "ml ta te",
    "Kartvelian": "ka",
    "Basque": "eu",
    "Quechuan": "qu",
    "Creole": "ht pcm",
}
SCRIPTS = {
    "Arabic": "ar fa ur",
    "Cyrillic": "bg kk ru uk",
    "Greek": "el",
    "Hebrew": "he",
    "Devanagari": "hi mr",
    "Bengali": "bn",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Ethiopic": "am",
    "Han": "zh",
    "Japanese": "ja",
    "Hangul": "ko",
    "Thai": "th",
    "Burmese": "my",
    "Tamil": "ta",
    "Telugu": "te",
    "Malayalam": "ml",
    "Georgian": "ka",
}
# web text in CC-100, which repeats XLM-R's corpus: compressed sizes by
# https://data.statmt.org/cc-100, simplified Chinese
WEB_TEXT = {
    "10 GB and more": "de en es fa fi fr hu id ja ko pl pt ro ru sv uk vi zh",
    "1 to 10 GB": "ar az bg el et he hi it ka lt ms nl ta th tr",
    "under 1 GB": (
        "af am bn eu gu ha ht ig jv kk lg ln ml mr my om pa ps qu sw te tl tn ur wo xh yo zu"
    ),
}


def family(language: str) -> str:
    return _kind(FAMILIES, language, "not classified")


def script(language: str) -> str:
    return _kind(SCRIPTS, language, "Latin")


def resources(language: str) -> str:
    """How much web text the corpus of XLM-R has in the language."""
    return _kind(WEB_TEXT, language, "none in CC-100")


def _kind(kinds: dict[str, str], language: str, otherwise: str) -> str:
    return next((name for name, members in kinds.items() if language in members.split()), otherwise)
