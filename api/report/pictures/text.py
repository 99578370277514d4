"""
How wide a text is, before anybody draws it.

Widths come from the vendored fonts (`api/static/fonts/widths.json`); what they
do not have counts as one em, and emoji as wide as the widest font draws them.
So a label's box is never smaller than what a reader sees, and 'labels never
overlap' can be computed.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Literal

Weight = Literal["regular", "semibold"]

FAMILIES = "Inter, system-ui, 'DejaVu Sans', 'Noto Emoji', sans-serif"
UNITS = 2048
ASCENT, DESCENT = 0.8, 0.24
"""Of an ordinary letter, in em, from the line it stands on."""
ELLIPSIS = "\u2026"

_WIDTHS = Path(__file__).parents[2] / "static" / "fonts" / "widths.json"
_LIMIT = 2000
_OTHER_FONT = 1.1
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def width(text: str, size: float, weight: Weight = "regular") -> float:
    """Of a line of *text*, in the units of *size*."""
    known = _widths()
    own, others = known[weight], known["fallback"]
    total = sum(own.get(code, 0) or _foreign(code, others) for code in map(ord, text))
    return total * size / UNITS


def is_plain(text: str) -> bool:
    """Whether the first font has every character, so that the width is exact and not an upper bound."""
    own = _widths()["regular"]
    return all(ord(character) in own for character in text)


def shown(raw: str) -> str:
    """
    *raw* as one line that stays inside its box.

    Whitespace is one space, controls a replacement character; marks that turn
    the direction of what follows are left out, and so are accents piled up
    beyond two, which would grow into other lines.
    """
    line = " ".join(raw[:_LIMIT].split())
    line = _UNSEEN.sub("", _CONTROL.sub("\ufffd", line))
    return "".join("".join(_few(group) if is_mark else group) for is_mark, group in groupby(line, _is_mark))


def _few(marks: Iterator[str]) -> list[str]:
    """Two at most, and none that strikes a letter out."""
    return [each for each in marks if unicodedata.combining(each) > 1 or ord(each) in _widths()["regular"]][:2]


@lru_cache(maxsize=1024)
def fitted(raw: str, room: float, size: float, weight: Weight = "regular") -> str:
    """The line of *raw* that fits in *room*, with an ellipsis where it was cut; empty where not even that fits."""
    line = shown(raw)
    if len(raw) <= _LIMIT and width(line, size, weight) <= room:
        return line
    room -= width(ELLIPSIS, size, weight)
    if room < 0:
        return ""
    return line[: _kept(line, room, size, weight)].rstrip() + ELLIPSIS


def wrapped(raw: str, room: float, size: float, weight: Weight = "regular", *, lines: int = 2) -> list[str]:
    """*raw* in at most so many lines, broken at spaces, inside a word only where it is too long alone; each fits in *room*."""
    found: list[str] = []
    words = shown(raw).split(" ")
    while words and len(found) < lines - 1:
        if width(words[0], size, weight) > room:
            kept = _break(words[0], _kept(words[0], room, size, weight))
            words[:1] = [words[0][:kept], words[0][kept:]] if kept else words[:1]
        taken = 1
        while taken < len(words) and width(" ".join(words[: taken + 1]), size, weight) <= room:
            taken += 1
        found.append(fitted(" ".join(words[:taken]), room, size, weight))
        words = words[taken:]
    if words:
        found.append(fitted(" ".join(words), room, size, weight))
    return found


def _kept(line: str, room: float, size: float, weight: Weight) -> int:
    """How many characters of *line* fit; never an accent away from its letter."""
    count = 0
    while count < len(line) and (room := room - width(line[count], size, weight)) >= 0:
        count += 1
    while 0 < count < len(line) and _is_mark(line[count]):
        count -= 1
    return count


def _break(word: str, kept: int) -> int:
    """Rather after the last sign that parts a long name, if that is not too early."""
    sign = max(word.rfind(each, 0, kept) for each in "/-_.:@") + 1
    return sign if sign > kept / 3 else kept


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


def _foreign(code: int, others: dict[int, int]) -> float:
    """A browser may draw it in a font of its own, so a little more than ours needs."""
    if unicodedata.category(chr(code)) in ("Mn", "Me", "Cf"):
        return 0
    return max(others.get(code, UNITS) * _OTHER_FONT, UNITS * 0.5)


@cache
def _widths() -> dict[str, dict[int, int]]:
    table: dict[str, dict[str, list[int]]] = json.loads(_WIDTHS.read_text())
    return {
        weight: {int(first) + step: wide for first, run in runs.items() for step, wide in enumerate(run)}
        for weight, runs in table.items()
    }
