"""
Names of people, found in free text and replaced by the role that they had.

A name is found whole, whatever its case, its accents and whatever stands
between its parts: `Ada Byron` is in `ada.byron`, in `AdaByron` and in
`ADA_BYRON`. Parts of a person's name are found, too, as are several of them
and what names of accounts are made of (`abyron`); those that are ordinary
words as well only where they are written with a capital letter. One pass, the
longest first, so that what was put in is never replaced again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import normalize

from projections.report_lexicon import ORDINARY, TRADE
from projections.report_spelling import Word, folded, seen, spellings, stems, words

_BETWEEN = re.compile("[\\s.,'\u2019\u2010-\u2015\u30fb+\\\\-]{0,3}|_")
"""What may stand between the parts of a name: a space, a dot, a comma with a space; no mark of emphasis, which has a twin."""

_INFLECTED = frozenset("s0123456789")
"""How a form of a name ends."""

_DOTTED = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)+")
_SCHEME = re.compile(r"(?:tel|sms|sip|mailto|xmpp):(?=\S)", re.IGNORECASE)
_DOMAIN = re.compile(r"@(?:[\w-]+\.)+[^\W\d_]{2,}")

LONG = 5
"""Letters by which a name stays one in lower case with an `s`, and by which a name made of initials is no other word."""

MANY = 6
"""Parts of a name of which each run is looked for; longer ones are whole, or in single parts."""

Piece = tuple[str, ...]
"""A part of a name, as the words that it is: one, but where each sign is a word."""


@dataclass(frozen=True, slots=True)
class _Name:
    role: str
    capital: bool


class Names:
    """The names of some people, each with the role that stands for it; *things* are names of what is nobody."""

    def __init__(self, roles: Mapping[str, str], things: Iterable[str] = ()) -> None:
        self._nobody = {folded(each) for each in things}
        self._given = {_plain(name): role for name, role in roles.items()}
        self._whole: dict[str, str] = {}
        self._names: dict[str, _Name] = {}
        self._begun: dict[str, set[str]] = {}
        self._hidden: dict[str, str] = {}
        for name, role in roles.items():
            self._add_whole(name, role)
        for name, role in roles.items():
            for pieces in _in_parts(name, self._nobody):
                self._add(pieces, [""] * len(pieces), role, least=3)
        self._twice = _twice(set(roles.values()))

    def _add_whole(self, name: str, role: str) -> None:
        for form in forms(name, self._nobody):
            self._whole.setdefault(_plain(form), role)
            for spelling in spellings(form):
                found = words(spelling)
                gaps = [spelling[one[2] : other[1]] for one, other in pairwise(found)]
                self._add([key for key, *_ in found], gaps, role)

    def _add(self, pieces: Sequence[str], gaps: Iterable[str], role: str, least: int = 0) -> None:
        """Found in lower case, too, unless it is an ordinary word or has fewer letters than the least."""
        key = "".join(pieces)
        self._names.setdefault(key, _Name(role, len(pieces) == 1 and (key in ORDINARY or len(key) < least)))
        begun = ""
        for piece, gap in zip(pieces[:-1], gaps, strict=False):
            begun += piece
            self._begun.setdefault(begun, set()).add(gap)

    def hidden(self, text: str) -> str:
        """A text without the names; one that is nothing but a name is the role."""
        if text not in self._hidden:
            self._hidden[text] = self._whole.get(_plain(text)) or self._without(normalize("NFC", text))
        return self._hidden[text]

    def role(self, name: str) -> str:
        """What stands for somebody who is named; of a text that names nobody known, the text without names."""
        found = self._given.get(_plain(name))
        return self.hidden(name) if found is None else found

    def _without(self, text: str) -> str:
        found, kept, place, at = words(text), "", 0, 0
        while place < len(found):
            role, after = self._longest(text, found, place)
            if role is not None:
                kept += f"{text[at : found[place][1]]}the {role}"
                at = _end(text, found[place][1], found[after - 1][2])
            place = after
        return self._twice.sub("", kept + text[at:]) if kept else text

    def _longest(self, text: str, found: Sequence[Word], place: int) -> tuple[str | None, int]:
        """The role of the longest name that begins with a word, and the place of the word after it."""
        role, after, key = None, place + 1, ""
        for each in range(place, len(found)):
            key += found[each][0]
            if key in self._names or key[-1] in _INFLECTED:
                name = self._named(key, len(found[each][0]), text[found[place][1] : found[each][2]].islower())
                role, after = (role, after) if name is None else (name.role, each + 1)
            if key not in self._begun or each + 1 == len(found):
                break
            if not self._goes_on(key, text[found[each][2] : found[each + 1][1]]):
                break
        return role, after

    def _goes_on(self, key: str, gap: str) -> bool:
        return gap in self._begun[key] or _BETWEEN.fullmatch(seen(gap)) is not None

    def _named(self, key: str, last: int, lower: bool) -> _Name | None:
        """The name that some words are; of the last of them, so many letters long, a form will do."""
        for stem in stems(key):
            name = self._names.get(stem)
            if name is None or (name.capital and lower):
                continue
            if stem == key or (len(stem) > len(key) - last and self._is_form(key, stem, lower)):
                return name
        return None

    def _is_form(self, key: str, stem: str, lower: bool) -> bool:
        """Whether a word is a form of a name, and not a word of its own."""
        another = key in ORDINARY or key in TRADE or key in self._nobody
        return not another and (len(stem) >= LONG or not lower)


# The ways to write a name


def forms(name: str, nobody: AbstractSet[str] = frozenset()) -> Iterator[str]:
    """
    A name as given, both parts of `Name <address>`, an address without its domain, a number without its `tel:`.

    What is called by words of the trade alone, or like something in *nobody*, has none: a team is often called
    like the service that it owns.
    """
    name = normalize("NFC", name).strip()
    for each in dict.fromkeys([name, *_apart(name), *_people(name)]):
        own = "".join(key for key, *_ in words(each) if key not in TRADE)
        if len(each) > 1 and own and own not in nobody:
            yield each


def _apart(name: str) -> list[str]:
    """A name and an address; what is no such pair stays whole."""
    given = [each.strip(" >") for each in name.split("<")] if "<" in name else [name]
    return [_SCHEME.sub("", each) for each in given]


def _people(name: str) -> list[str]:
    """What of a name is a person's own: no domain."""
    return [each.partition("@")[0] for each in _apart(normalize("NFC", name).strip())]


def _pieces(name: str) -> Iterator[list[Piece]]:
    """The parts of a person's name, in each spelling."""
    for form in _people(name):
        for spelling in dict.fromkeys(spellings(form)):
            found = list(_joined(words(spelling)))
            if len(found) > 1 and (" " in form.strip() or _DOTTED.fullmatch(form.rstrip("0123456789"))):
                yield found


def _joined(found: Iterable[Word]) -> Iterator[Piece]:
    """Words that touch are one part."""
    piece: Piece = ()
    end = 0
    for key, start, until in found:
        if piece and start > end:
            yield piece
            piece = ()
        piece, end = (*piece, key), until
    if piece:
        yield piece


def _is_distinctive(piece: Piece, nobody: AbstractSet[str]) -> bool:
    key = "".join(piece)
    tells = len(key) > 2 or (len(key) == 2 and key not in ORDINARY)
    return tells and key.isalpha() and key not in TRADE and key not in nobody


def _in_parts(name: str, nobody: AbstractSet[str]) -> Iterator[list[str]]:
    """What stands for a whole name: parts, some of them in a row, the last name first, an initial and a name."""
    for pieces in _pieces(name):
        yield from (list(each) for each in pieces if _is_distinctive(each, nobody))
        if len(pieces) <= MANY:
            says = [_is_distinctive(each, nobody) and each[0] not in ORDINARY for each in pieces]
            yield from ([key for piece in each for key in piece] for each in _rows(pieces, says))
            found = ((each, "".join(each)) for each in _accounts(pieces, says))
            yield from (each for each, key in found if len(key) >= LONG and key not in ORDINARY and key not in nobody)


def _rows(pieces: Sequence[Piece], says: Sequence[bool]) -> Iterator[Sequence[Piece]]:
    """Parts in a row, one of which says who it is, and the last of which is no mere `of`."""
    for start in range(len(pieces)):
        for end in range(start + 2, len(pieces) + 1):
            last = "".join(pieces[end - 1])
            if any(says[start:end]) and last not in TRADE and not (len(last) < 4 and last in ORDINARY):
                yield pieces[start:end]
    if any(says):
        yield [pieces[-1], *pieces[:-1]]
        yield [pieces[-1], pieces[0]]
        yield [pieces[0], pieces[-1]]


def _accounts(pieces: Sequence[Piece], says: Sequence[bool]) -> Iterator[list[str]]:
    """Names of accounts, and such as `A. Byron`: `abyron`, `adab`, `akbyron`."""
    initials = [each[0][0] for each in pieces]
    for place in range(1, len(pieces)):
        if says[place]:
            yield [initials[0], *pieces[place]]
            yield ["".join(initials[:place]), *pieces[place]]
        if says[0]:
            yield ["".join(pieces[0]) + initials[place]]


# What stands around a name


def _plain(text: str) -> str:
    return normalize("NFKC", text).strip().casefold()


def _end(text: str, start: int, end: int) -> int:
    """Where a name ends, with the bracket that closes what was opened in it, and the domain of an address."""
    for opened, closing in ("<>", "()"):
        name = text[start:end]
        if name.count(opened) > name.count(closing) and text[end : end + 1] == closing:
            end += 1
    domain = _DOMAIN.match(text, end)
    return domain.end() if domain else end


def _twice(roles: Iterable[str]) -> re.Pattern[str]:
    """A role that is told of a role: `commander: the commander`, `owner the owner of the action`."""
    either = "|".join(
        rf"(?:{re.escape(each)}|{re.escape(each.split(' ')[0])}):?\s+the\s+(?={re.escape(each)}(?![^\W_]))"
        for each in sorted(roles)
        if each
    )
    return re.compile(rf"(?<![^\W_])(?<!the )(?:{either})", re.IGNORECASE) if either else re.compile(r"(?!)")
