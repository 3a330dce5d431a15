"""The labels that several tasks share, in the order of their numbers."""

NLI = ("entailment", "neutral", "contradiction")
# in the files of XNLI's translated training rows; XTREME reads them so, too
NLI_ALIASES = {"contradictory": "contradiction"}
UPOS = (
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
)
# The value of `Task.scoring` for parts of speech: earlier scores took CCONJ and SCONJ for one class
WHOLE_TAGS = "whole tags"
BIO = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
