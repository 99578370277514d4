"""
A text as a list of folded words: what the eye takes for the same is the same.

Case, accents and forms of a letter are folded (`Ü` is `u`, `ß` is `ss`, a
fullwidth letter is a letter); what cannot be seen is skipped (a soft hyphen, a
joiner); entities and percent-encoding are read as what they stand for.
Writing without spaces (Han, kana, Hangul) has each sign as a word.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from unicodedata import category, combining, normalize
from urllib.parse import unquote

Word = tuple[str, int, int]
"""Folded letters and digits, and where in the text they begin and end."""

_PLAIN = re.compile(r"[A-Za-z0-9]+")
_NAMED = r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_STYLE = r"</?(?:b|i|u|s|em|strong|del|ins|mark|small|span|sub|sup|code|wbr)\s{0,3}/?>|<!---->"
_PIECE = re.compile(rf"([A-Za-z0-9]+)|({_NAMED}|(?:%[0-9A-Fa-f]{{2}})+)|({_STYLE})|.", re.DOTALL)

_ALONE = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(each) for each in range(0xFE00, 0xFE10)
}
_STROKES = str.maketrans(
    {"ø": "o", "œ": "oe", "æ": "ae", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i", "ħ": "h"}
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def words(text: str) -> list[Word]:
    """The words of a text, in order."""
    if text.isascii() and not any(each in text for each in "&%<\0"):
        return [(found[0].lower(), found.start(), found.end()) for found in _PLAIN.finditer(text)]
    return list(_words(text))


def _words(text: str) -> Iterator[Word]:
    key, start, end = "", 0, 0
    for sign, since, until in _signs(text):
        letters = sign.lower() if sign.isascii() and sign.isalnum() else _folded(sign)
        if letters is None:
            continue
        alone = bool(letters) and _ALONE.match(sign) is not None
        if key and (alone or not letters) and not (letters == "" and combining(sign[0])):
            yield key, start, end
            key = ""
        if alone:
            yield letters, since, until
        elif letters or key:
            if not key:
                start = since
                letters = letters if sign[0].isalnum() else ""
            key, end = key + letters, until
    if key:
        yield key, start, end


def _signs(text: str) -> Iterator[tuple[str, int, int]]:
    """Runs of plain letters, and single characters as they are read, with where they stand."""
    for found in _PIECE.finditer(text):
        if found[2]:
            yield from ((each, found.start(), found.end()) for each in normalize("NFC", _read(found[2])))
        elif not found[3]:
            yield found[0], found.start(), found.end()


def _read(written: str) -> str:
    return unescape(written) if written.startswith("&") else unquote(written)


@lru_cache(8192)
def _folded(char: str) -> str | None:
    """The letters of a character; none of what parts words; None for what cannot be seen."""
    if is_unseen(char):
        return None
    decomposed = normalize("NFKD", normalize("NFKD", char).casefold()).translate(_STROKES)
    letters = "".join(each for each in decomposed if each.isalnum() or _is_vowel(each))
    return letters or (char.casefold() if char.isalnum() else "")


def _is_vowel(char: str) -> bool:
    """A sign that makes another letter of the one before, as vowels do in Devanagari."""
    return category(char)[0] == "M" and not combining(char) and not is_unseen(char)


def is_unseen(char: str) -> bool:
    return char in _UNSEEN or category(char) == "Cf" or (category(char) == "Cc" and not char.isspace())


def folded(text: str) -> str:
    """All letters and digits of a text, folded."""
    return "".join(key for key, *_ in words(text))


def seen(text: str) -> str:
    """What is read where this is written: without what cannot be seen, entities as what they stand for."""
    read = re.sub(_STYLE, "", text)
    return "".join(each for each in unquote(unescape(read)) if not is_unseen(each))


def spellings(name: str) -> Iterator[str]:
    """A name as it may be written where its letters are not at hand: `Müller` is `Mueller`, and `Mueller` is `Müller`."""
    yield name
    yield normalize("NFC", name).casefold().translate(_SPELT_OUT)
    yield re.sub(r"(?<=[^\W\d_])(?<=[aou])e(?=[^\W_]{2})", "", name, flags=re.IGNORECASE)


def stems(key: str) -> Iterator[str]:
    """A folded word, and what it may be a form of: a genitive without its apostrophe, a plural, one that is numbered."""
    yield key
    if key[-1:].isdigit():
        yield key.rstrip("0123456789")
    elif key.endswith("es") and key[:-2].endswith(("s", "x", "z", "ch", "sh")):
        yield key[:-2]
    elif key.endswith("s") and not key.endswith(("ss", "xs", "zs")):
        yield key[:-1]
