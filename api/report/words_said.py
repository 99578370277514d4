"""
How a report says times, lengths, places and where something is recorded: one way for all of its sections.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from api.report.blocks import Code, Column, Link, Mark, Paragraph, Ref, Row, Span, Spans, Strong, Table, Text, Time
from api.report.pictures import times

Json = Mapping[str, Any]

NOT_RECORDED = "not recorded"

LONGEST = 20_000
"""Characters of one recorded text that a report repeats; whoever wrote more is quoted in full by the JSON."""

MOST_ROWS = 2_000
"""Of a table: more of them nobody reads on paper, and laying them out takes a minute. The JSON has all."""

AUDIENCES = {"internal": "internal", "public": "public", "auditor": "for auditors"}

SOON = timedelta(minutes=10)
"""For so long a release may follow its deployment, and nobody speaks of a difference."""

_OFFSET = re.compile(r"UTC([+-])(\d\d):(\d\d)")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b", re.ASCII)
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_UNFIT = re.compile("[\ufffe\uffff\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f]")


def fit(model: Any) -> Any:
    """A model in which every text can be put into every format: without what XML cannot carry."""
    if isinstance(model, str):
        return _UNFIT.sub("\ufffd", model)
    if isinstance(model, Mapping):
        return {fit(name): fit(each) for name, each in model.items()}
    if isinstance(model, list | tuple):
        return [fit(each) for each in model]
    return model


def zone_of(name: str) -> tzinfo:
    """The zone that a model names: an offset, or an IANA name."""
    found = _OFFSET.fullmatch(name)
    if found is None:
        return ZoneInfo(name)
    length = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-length if found[1] == "-" else length, name)


def day(text: str, zone: tzinfo) -> str:
    return times.day(times.within_reach(instant(text)).astimezone(zone))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Said:
    """Times in the zone of a report."""

    def __init__(self, model: Json) -> None:
        self.zone = zone_of(model["zone"])

    def time(self, text: str) -> Time:
        """A moment with its zone: `2026-06-10 09:14 BST`; with seconds where there are any."""
        at = instant(text)
        there = times.within_reach(at).astimezone(self.zone)
        return Time(f"{there:%Y-%m-%d} {times.clock(there)} {times.short(there)}", at)

    def retold(self, text: str) -> str:
        """The ledger's own words, with the moments in them as people here write them."""
        return _MOMENT.sub(lambda found: self._told_here(found[0]), text)

    def _told_here(self, text: str) -> str:
        """Also what only looks like a moment may stand in a text: it stays as it is."""
        try:
            return self.time(text).text
        except ValueError:
            return text

    def maybe(self, text: str | None) -> Span:
        return Mark(NOT_RECORDED) if text is None else self.time(text)

    def moment(self, found: Json | None, *, estimated: bool | None = None) -> Spans:
        """A time with the position that says so."""
        if found is None or found["time"] is None:
            return (Mark(NOT_RECORDED),)
        guessed = found.get("estimated", False) if estimated is None else estimated
        mark: Spans = (Text(" "), Mark("estimated", "caution")) if guessed else ()
        return (self.time(found["time"]), *mark, ref(found["position"]))

    def deed(self, found: Json | None) -> Spans:
        """The same, and who did it."""
        if found is None:
            return ()
        by: Spans = (Text(f" by {short(found['by'])}"),) if found.get("by") else ()
        time, *rest = self.moment(found)
        return (time, *by, *rest)

    def period(self, since: str | None, until: str | None, *, open_end: str = "still so") -> Spans:
        start: Spans = (self.time(since),) if since else (Mark("from before"),)
        end: Spans = (self.time(until),) if until else (Mark(open_end),)
        return (*start, Text(" to "), *end)


def length(seconds: float | None) -> str:
    """A length of time in words; where it is unknown, that it is not recorded."""
    return NOT_RECORDED if seconds is None else times.length(seconds)


def length_spans(seconds: float | None) -> Spans:
    return (Mark(NOT_RECORDED),) if seconds is None else (Strong(times.length(seconds)),)


def ref(*positions: int | None) -> Ref:
    """Where it is recorded; each position once."""
    return Ref(tuple(sorted({each for each in positions if each is not None})))


def refs(positions: Iterable[int]) -> Ref:
    return ref(*positions)


def at(*positions: int) -> Spans:
    """Positions as a column of their own."""
    if len(positions) > 4:
        return (*at(positions[0]), Text("\u2026"), *at(positions[-1]))
    found: list[Span] = []
    for each in positions:
        found += [Text(", "), Link(str(each), f"#p-{each}")]
    return tuple(found[1:])


def short(text: str | None, most: int = LONGEST) -> str:
    """A recorded text on one line, and where it was cut; it turns none of our words around."""
    if text is None:
        return NOT_RECORDED
    line = " ".join(text.split())
    told = f"\u2068{line[:most]}\u2069" if _TURNS.search(line) else line[:most]
    return told if len(line) <= most else f"{told}\u2026 ({len(line) - most} more characters)"


def words(text: str | None) -> Spans:
    return (Mark(NOT_RECORDED),) if text is None else (Text(short(text)),)


def code(text: str | None) -> Spans:
    return (Mark(NOT_RECORDED),) if text is None else (Code(short(text)),)


def plain(name: str | None) -> str:
    """A word of the ledger as people read it."""
    return NOT_RECORDED if name is None else name.replace("_", " ")


def title(name: str) -> str:
    spaced = plain(name)
    return spaced[:1].upper() + spaced[1:]


def place(found: Json) -> str:
    """A slot."""
    parts = [found.get("service"), found.get("environment")]
    return short("@".join(each for each in parts if each), 500)


def places(found: Sequence[Json]) -> str:
    return ", ".join(map(place, found))


def differs(slot: Json) -> bool:
    """Whether another version was deployed than was released, for a time: a release alone installs nothing."""
    pairs = ((a, b) for a in slot["periods"] for b in slot["installed"] if a["version"] != b["version"])
    return any(_overlaps(a, b) for a, b in pairs)


def _overlaps(one: Json, other: Json) -> bool:
    """For longer than a release takes to follow its deployment."""
    start = max(instant(one["since"]), instant(other["since"]))
    ends = [instant(each["until"]) for each in (one, other) if each["until"]]
    return not ends or min(ends) - start > SOON


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def extent(positions: Json) -> str:
    """How many events, and between which positions."""
    first, last = positions["first"], positions["last"]
    between = f"position {first}" if first == last else f"positions {first} to {last}"
    return f"{counted(positions['count'], 'event')}, {between}"


def joined(parts: Iterable[Spans], between: str = ", ") -> Spans:
    found: list[Span] = []
    for each in parts:
        found += [Text(between), *each]
    return tuple(found[1:])


def row(*cells: Spans | str, **more: Any) -> Row:
    """A row of a table; a text is a cell of it."""
    return Row(tuple((Text(each),) if isinstance(each, str) else each for each in cells), **more)


def table(columns: Sequence[Column], rows: Iterable[Row], label: str, *, dense: bool = False) -> Table:
    """A table without the columns in which nothing is."""
    found = tuple(rows)
    kept = [place for place in range(len(columns)) if any(each.cells[place] not in _EMPTY for each in found)]
    return Table(
        tuple(columns[place] for place in kept),
        tuple(replace(each, cells=tuple(each.cells[place] for place in kept)) for each in found),
        label,
        dense,
    )


_EMPTY: tuple[Spans, ...] = ((), (Text(""),))


def more(rows: int) -> Iterator[Paragraph]:
    """How many of so many rows are left out."""
    if rows > MOST_ROWS:
        yield Paragraph((Mark(f"and {rows - MOST_ROWS} more, which the JSON has", "caution"),))


def definition(name: str) -> str:
    """Where a measure is defined in this report."""
    return f"#means-{name.replace('_', '-')}"
