"""
Events of every kind, made up from their own members (Hypothesis).

Read from `ledger.contract`, so that an event type that joins the catalogue is
tested from the day it joins. The texts lean towards what breaks parsers:
slashes, percent signs, quotes, emoji, right-to-left letters, the SD-JWT key.
"""

from datetime import date
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ledger.contract import Items, Nested, accept, members
from ledger.events import EVENTS, Event
from ledger.values import (
    MAX_EXACT_INTEGER,
    Choice,
    Digest,
    Due,
    Flag,
    Integer,
    Json,
    Labels,
    Number,
    Prose,
    Rule,
    Sha256,
    Text,
    Time,
)

few = settings(max_examples=12, deadline=None)
"""For tests that run once for each event type, and so see many examples all the same."""

_AWKWARD = [
    "a/b:c#1",
    "100%",
    "%2F",
    '"',
    "\\",
    "...",
    "_type_",
    "2.4",
    "0543e8",
    "é",
    "日本",
    "🚀",
    "\u202eabc",
    "'; --",
    "\ufb33",
]
_letters = st.characters(exclude_categories=["Cc", "Cs"])

lines = st.sampled_from(_AWKWARD) | st.text(_letters, min_size=1, max_size=12)
prose = st.sampled_from(["why\nnot?", "\ttabbed"]) | lines.filter(str.strip)
digests = st.binary(min_size=32, max_size=32).map(lambda digest: f"sha256:{digest.hex()}")
_numbers = st.integers(-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not MAX_EXACT_INTEGER < abs(number) < 1e21
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | lines,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(lines | st.just("..."), inner, max_size=3),
    max_leaves=6,
)
_YEARS = date(2020, 1, 1), date(2029, 12, 31)
offsets = st.sampled_from(["Z", "z", "+00:00", "-00:00", "+01:00", "-08:00", "+05:45", "+14:00"])


@st.composite
def times(draw: st.DrawFn) -> str:
    """RFC 3339 texts of one moment in 2020 to 2029, in many spellings."""
    day = draw(st.dates(*_YEARS))
    hour, minute, second = draw(st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)))
    fraction = draw(st.just("") | st.from_regex(r"\.[0-9]{1,9}", fullmatch=True))
    between = draw(st.sampled_from("Tt"))
    return f"{day}{between}{hour:02}:{minute:02}:{second:02}{fraction}{draw(offsets)}"


def values(rule: Rule) -> st.SearchStrategy[Any]:
    """JSON values that keep a rule."""
    match rule:
        case Text(longest):
            return lines.map(lambda text: text[:longest])
        case Prose():
            return prose
        case Choice(words):
            return st.sampled_from(words)
        case Digest():
            return digests
        case Sha256():
            return digests.map(lambda digest: digest.removeprefix("sha256:"))
        case Time():
            return times()
        case Due():
            return times() | st.dates(*_YEARS).map(str)
        case Integer(least, most):
            return st.integers(least, most)
        case Number(least, most):
            return st.floats(least, most) | st.integers(int(least), int(most))
        case Flag():
            return st.booleans()
        case Labels():
            return st.dictionaries(lines, st.just("") | lines, max_size=3)
        case Json():
            return json_values
        case Items(inner, least):
            return st.lists(values(inner), min_size=least, max_size=3)
        case Nested(cls):
            return data(cls)
    raise TypeError(f"{rule} has no strategy: write one")


@cache
def data(cls: type[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The JSON data of an event of this class, its optional members now and then left out."""
    kept = {name: member for name, member in members(cls).items() if name not in getattr(cls, "LEDGER_SETS", ())}
    return st.fixed_dictionaries(
        {name: values(member.rule) for name, member in kept.items() if member.required},
        optional={name: values(member.rule) for name, member in kept.items() if not member.required},
    )


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    """Events of one class."""
    return data(cls).map(lambda given: accept(cls, given))


def events() -> st.SearchStrategy[Event]:
    """Events of every class."""
    return st.sampled_from(sorted(EVENTS)).flatmap(lambda topic: events_of(EVENTS[topic]))
