"""The catalogue of events is the one that the specification lists."""

import pathlib
import re

import pytest

from ledger.contract import members
from ledger.events import EVENTS, Event, Who

SPECIFICATION = pathlib.Path(__file__).parents[1] / "../shared/EVENTS.md"
WHO = {"F": Who.FACT, "D": Who.DECISION, "D (admin)": Who.ADMIN_DECISION, "L": Who.LEDGER}
BUILD = "digest, commit, committed_at, author, build_url, strategy, targets, restores"

pytestmark = pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification lies in ../shared, not here")


def rows():
    """(topic, who, required, optional) of every line of the tables whose columns are these."""
    if not SPECIFICATION.exists():
        return
    inside = False
    for line in SPECIFICATION.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[0].strip("| ") == "type":
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and "`" in line:
            topics, who, required, optional, *_ = [*cells, ""]
            for topic in re.findall(r"`([a-z_.]+)`", topics):
                yield topic, who, required, optional.strip("| ")


def names(cell):
    """The members that a cell lists; words in parentheses, brackets and after a semicolon explain."""
    cell = cell.replace("the same", BUILD)
    released = ["released"] if "`released: true`" in cell else []
    bare = re.sub(r"\([^)]*\)|`\[[^`]*\]`", "", cell).partition(";")[0]
    return [*(name.strip() for name in bare.split(",") if name.strip()), *released]


COMMON = set(members(Event))


@pytest.mark.parametrize("topic, who, required, optional", list(rows()), ids=lambda value: value[:40])
def test_an_event_is_as_specified(topic, who, required, optional):
    """Who may record it, what it must say, and what it may say."""
    cls = EVENTS[topic]
    assert cls.WHO is WHO[who]
    assert {name for name, member in members(cls).items() if member.required} == set(names(required))
    assert set(members(cls)) - COMMON - set(names(required)) - cls.LEDGER_SETS == set(names(optional)) - COMMON


@pytest.mark.parametrize("topic, who, required, optional", list(rows()), ids=lambda value: value[:40])
def test_the_words_to_choose_from_are_as_specified(topic, who, required, optional):
    """Where the catalogue lists words in parentheses, all of them are accepted, and no other."""
    for name, listed in re.findall(r"(\w+) \(((?:`\w+`(?:, the default)?[,;]? ?)+)\)", f"{required}, {optional}"):
        words = set(re.findall(r"`(\w+)`", listed))
        rule = members(EVENTS[topic])[name].rule
        assert set(rule.words) == words


def test_no_event_is_missing_and_none_is_extra():
    """Two lists, one catalogue."""
    assert {topic for topic, *_ in rows()} == set(EVENTS)
