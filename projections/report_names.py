"""
Names of people, found in free text and replaced by the role that they had.

A name is found whole, whatever its case and whatever stands between its
parts: `Ada Byron` is in `ada.byron`, in `AdaByron` and in `ADA_BYRON`. Parts
of a person's name are found, too; those that are ordinary words as well only
where they are written with a capital letter. One pass, the longest first, so
that what was put in is never replaced again.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from unicodedata import normalize

TRADE = frozenset(
    "account admin administrator agent alert alerting alerts all automation bot call ci client commander communications "
    "company contact customer customers data database deploy deployment deployer developer developers dev duty engineer "
    "engineering engineers everyone first group head incident it lead leader machine management manager member monitor "
    "monitoring network nobody office officer on oncall operations operator operators ops owner pager partner pipeline "
    "platform primary probe production redacted release reliability reporter responder rota scribe second secondary "
    "security senior server service services shift site someone sre staff support system team tech test tester the unknown "
    "user users web".split()
)
"""Words of the trade: whoever is called so is named by a role already."""

ORDINARY = frozenset(
    "amber angel april art august autumn baker banks bell best bill bird bishop black brook brooks brown carter case chance "
    "chase chip clay cliff cook cross crystal da dale dash dawn day de dean del den der di don drew du ebb eve faith field "
    "fields ford fox frank gale gene glen gold grace grant gray green guy hall harmony heath hill holly hope hunter iris ivy "
    "jack jade jay jean joy june king la lane le long love mark max may melody mercy miles mills min money moon north olive "
    "page park parks pat patience pearl peg penny pierce pike pine pink piper price prudence ray reed rich ridge rob robin "
    "rock rose ruby sage sandy short silver sky small smith snow sterling stone storm strong sue summer sunny swift tab taylor "
    "temple val van violet von wade walker wall ward wells west white will winter wolf wood woods young".split()
)
"""Words that are also names: as a part of a name they are found with a capital letter alone."""

_WORD = re.compile(r"[^\W_]+")
_BETWEEN = r"(?:[\s.,'\u2019+\\-]{0,3}|_)"
"""What may stand between the parts of a name: a space, a dot, a comma with a space; no mark of emphasis, which has a twin."""


class Names:
    """The names of some people, each with the role that stands for it; *things* are names of what is nobody."""

    def __init__(self, roles: Mapping[str, str], things: Iterable[str] = ()) -> None:
        nobody = {_key(each) for each in things}
        self._given = {normalize("NFC", name).strip().casefold(): role for name, role in roles.items()}
        self._whole: dict[str, str] = {}
        self._found: dict[str, str] = {}
        patterns: dict[str, int] = {}
        for name, role in roles.items():
            for form in forms(name, nobody):
                self._whole.setdefault(form.casefold(), role)
                patterns[_pattern(form)] = len(form)
                self._found.setdefault(_key(form), role)
            for part in parts(name, nobody):
                pattern = re.escape(part)
                patterns[f"(?-i:{pattern}|{pattern.upper()})" if part.casefold() in ORDINARY else pattern] = len(part)
                self._found.setdefault(_key(part), role)
        ordered = sorted(patterns, key=lambda each: (-patterns[each], each))
        either = "|".join(ordered)
        self._pattern = re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])", re.IGNORECASE) if ordered else None

    def hidden(self, text: str) -> str:
        """A text without the names; one that is nothing but a name is the role."""
        text = normalize("NFC", text)
        whole = self._whole.get(text.strip().casefold())
        if whole is not None:
            return whole
        return self._pattern.sub(self._role, text) if self._pattern else text

    def role(self, name: str) -> str:
        """What stands for somebody who is named; of a text that names nobody known, the text without names."""
        found = self._given.get(normalize("NFC", name).strip().casefold())
        return self.hidden(name) if found is None else found

    def _role(self, found: re.Match[str]) -> str:
        return f"the {self._found.get(_key(found[0]), 'responder')}"


def forms(name: str, nobody: Collection[str] = ()) -> Iterator[str]:
    """
    The ways to write a name: as given, both parts of `Name <address>`, and an address without its domain.

    What is called by words of the trade alone, or like something in *nobody*, has none: a team is often called
    like the service that it owns.
    """
    name = normalize("NFC", name).strip()
    given = [name, *(each.strip(" >") for each in name.split("<"))] if "<" in name else [name]
    given += [each.partition("@")[0] for each in given if "@" in each]
    for each in dict.fromkeys(given):
        own = "".join(word for word in _WORD.findall(each.casefold()) if word not in TRADE)
        if len(each) > 1 and own and own not in nobody:
            yield each


def parts(name: str, nobody: Collection[str] = ()) -> Iterator[str]:
    """The parts of a person's name that say who it is: of a name with spaces, and of one like `ada.byron`."""
    for form in forms(name, nobody):
        words = _WORD.findall(form)
        if len(words) > 1 and (" " in form or re.fullmatch(r"[^\W\d_]+(\.[^\W\d_]+)+", form)):
            yield from (each for each in words if _is_distinctive(each) and each.casefold() not in nobody)


def _is_distinctive(word: str) -> bool:
    return len(word) > 2 and word.isalpha() and word.casefold() not in TRADE


def _pattern(form: str) -> str:
    """
    A name, with what it has between its parts or with what else may stand there.

    No two ways match the same: else a long name would take ages not to be found.
    """
    pieces = re.split(r"([\W_]+)", re.sub(r"^[\W_]+|[\W_]+$", "", form))
    return "".join(_gap(each) if place % 2 else re.escape(each) for place, each in enumerate(pieces))


def _gap(given: str) -> str:
    return _BETWEEN if re.fullmatch(_BETWEEN, given) else f"(?:{re.escape(given)}|{_BETWEEN})"


def _key(text: str) -> str:
    return "".join(_WORD.findall(text)).casefold() or text
