"""What is told to people: mistakes that they can mend, and text from outside as it may be shown."""

import re


class UserError(ValueError):
    """A mistake in what a person asked for or supplied. The message says what is wrong, where, and
    what to do."""


# control characters but for tab and line feed (a terminal obeys ESC), marks that turn the direction
# of text, halves of pairs
_UNSEEN = (
    {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)}
    | {0x7F: "\u2421"}
    | {
        code: "\ufffd"
        for code in (
            *range(0x80, 0xA0),
            *range(0x202A, 0x202F),
            *range(0x2066, 0x206A),
            *range(0xD800, 0xE000),
        )
    }
)


def visible(text: str) -> str:
    """Text from outside as it may be printed or put on a page: what would act on a terminal or turn
    the line around is shown as a sign in its place."""
    return text.translate(_UNSEEN)


def shown(value: object) -> str:
    """A value as an error names it: no longer than a line."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"
    return visible(text if len(text) <= 60 else f"{text[:60]}…")


def whole(name: str, given: object, least: int, most: int) -> int:
    """A number that a person gave, or its decimal digits as text, as a whole number from `least` to
    `most`. UserError names it."""
    digits = isinstance(given, str) and re.fullmatch(r"\s*([+-]?[0-9]{1,20})\s*", given, re.ASCII)
    number = int(digits[1]) if digits else given
    if type(number) is not int or not least <= number <= most:
        raise UserError(f"{name}: {shown(given)} is no whole number from {least} to {most}")
    return number
