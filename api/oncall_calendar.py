"""
An iCalendar file as shifts: who has duty from when to when.

Pure: bytes in, shifts out, and beside them a word on everything that was left
out, and why. Nothing in a calendar stops the rest of it from being read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from icalendar import Calendar, Component

from api.calendar_times import Turn, Unusable, instant, times_of, turns, zone_named

_FAULTS = (ValueError, TypeError, OverflowError, AttributeError, KeyError, IndexError)
"""What the many ways to write an odd calendar end in."""

_OTHERS = {"VTODO": "a task", "VJOURNAL": "a journal entry", "VFREEBUSY": "a list of busy times"}
_AT_ONCE = timedelta(0)


class NotACalendar(ValueError):
    """The file holds nothing that can be read as a calendar."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody's duty, from `start` until just before `end`, both in UTC."""

    person: str
    start: datetime
    end: datetime
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that was left out, or not taken as it stands."""

    entry: str
    why: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """
    What is wanted: shifts that overlap a time; the zone for times that name
    none; which part of a summary is the person (a pattern with one group).
    """

    start: datetime
    end: datetime
    zone: tzinfo | None = None
    person: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    shifts: list[Shift]
    skipped: list[Skipped]


def read(content: bytes, wishes: Wishes) -> Read:
    """
    The shifts of a calendar that overlap the time that is wanted, in order.

    Raises:
        NotACalendar: where nothing in it can be read.
    """
    shifts: set[Shift] = set()
    skipped: list[Skipped] = []
    for calendar in _calendars(content):
        wanted = replace(wishes, zone=wishes.zone or _own_zone(calendar))
        for events in _series(calendar):
            shifts.update(_Series(events, wanted, skipped).shifts())
        skipped += _other_things(calendar)
    found = [each for each in shifts if each.end > wishes.start and each.start < wishes.end]
    return Read(sorted(found, key=lambda each: (each.start, each.end, each.person)), skipped)


def _calendars(content: bytes) -> list[Component]:
    try:
        found: list[Component] = [*Calendar.from_ical(content, multiple=True)]
    except _FAULTS as error:
        raise NotACalendar(f"this cannot be read as iCalendar: {error}") from None
    if not found:
        raise NotACalendar("this holds no calendar: one begins with BEGIN:VCALENDAR")
    return found


def _own_zone(calendar: Component) -> tzinfo | None:
    """The zone that the calendar as a whole names, as many tools write it."""
    name = calendar.get("X-WR-TIMEZONE")
    return None if name is None else zone_named(str(name))


def _series(calendar: Component) -> list[list[Component]]:
    """Events by UID, since one may change single repeats of another; what has no UID stands alone."""
    found: dict[Any, list[Component]] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        found.setdefault(event.get("UID") or number, []).append(event)
    return list(found.values())


def _other_things(calendar: Component) -> Iterator[Skipped]:
    for kind, name in _OTHERS.items():
        for each in calendar.walk(kind):
            yield Skipped(_name(each), f"{name} is no shift")


class _Series:
    """The events of one UID: those that stand or repeat, and those that change single repeats."""

    def __init__(self, events: Sequence[Component], wishes: Wishes, skipped: list[Skipped]) -> None:
        self.wishes, self.skipped = wishes, skipped
        self.events = _newest(each for each in events if "RECURRENCE-ID" not in each)
        self.changes = dict(self._changes(each for each in events if "RECURRENCE-ID" in each))
        self.used: set[datetime] = set()

    def shifts(self) -> Iterator[Shift]:
        for event in self.events:
            yield from self._all(event)
        for moment in self.changes.keys() - self.used:
            yield from self._one(self.changes[moment])

    def _changes(self, events: Iterable[Component]) -> Iterator[tuple[datetime, Component]]:
        """Each with the moment of the repeat that it changes."""
        for event in events:
            try:
                yield instant(event["RECURRENCE-ID"], self.wishes.zone), event
            except _FAULTS as fault:
                self._skip(event, f"which repeat it changes cannot be told: {fault}")

    def _all(self, event: Component) -> list[Shift]:
        """The shifts of an event and its repeats."""
        try:
            _must_stand(event)
            times = times_of(event, self.wishes.zone, lambda why: self._skip(event, why))
            found = turns(event, times, self.wishes.end, lambda why: self._skip(event, why))
            return [shift for turn in found for shift in self._turn(event, turn)]
        except _FAULTS as fault:
            self._skip(event, fault)
            return []

    def _turn(self, event: Component, turn: Turn) -> list[Shift]:
        """One repeat: as it was changed, as all from an earlier one on were changed, or as it stands."""
        start, end = turn
        if start in self.changes:
            self.used.add(start)
            return self._one(self.changes[start])
        onwards = (moment for moment, each in self.changes.items() if moment <= start and _is_onwards(each))
        if (since := max(onwards, default=None)) is not None:
            self.used.add(since)
            return self._one(self.changes[since], start - since)
        return [_shift(event, turn, self.wishes)] if end > self.wishes.start else []

    def _one(self, event: Component, later: timedelta = _AT_ONCE) -> list[Shift]:
        """The shift of an event that does not repeat, so much later."""
        try:
            _must_stand(event)
            times = times_of(event, self.wishes.zone, lambda why: self._skip(event, why))
            return [_shift(event, times.turn(times.start + later), self.wishes)]
        except _FAULTS as fault:
            self._skip(event, fault)
            return []

    def _skip(self, event: Component, why: str | Exception) -> None:
        told = str(why) if isinstance(why, str | Unusable) else f"it cannot be understood: {why}"
        if (skipped := Skipped(_name(event), told)) not in self.skipped:
            self.skipped.append(skipped)


def _newest(events: Iterable[Component]) -> list[Component]:
    """Of several editions of one event, which begin alike, the one with the highest SEQUENCE."""
    found: dict[str, Component] = {}
    for each in events:
        key = _begins(each)
        if key not in found or _sequence(each) >= _sequence(found[key]):
            found[key] = each
    return list(found.values())


def _sequence(event: Component) -> int:
    try:
        return int(event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        return 0


def _must_stand(event: Component) -> None:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        raise Unusable("it is cancelled")


def _is_onwards(event: Component) -> bool:
    return str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE"


def _shift(event: Component, turn: Turn, wishes: Wishes) -> Shift:
    person, contact = _person(event, wishes.person)
    return Shift(person[:320], *turn, contact)


def _person(event: Component, pattern: re.Pattern[str] | None) -> tuple[str, str | None]:
    """Who has the shift, and how to reach them: what the pattern finds, else the only guest, else the summary."""
    given = event.get("ATTENDEE") or []
    guests, summary = given if isinstance(given, list) else [given], _words(event.get("SUMMARY"))
    address = re.sub(r"(?i)^mailto:", "", _words(guests[0])) if len(guests) == 1 else ""
    contact = _words(event.get("CONTACT")) or address or None
    if pattern is not None:
        found = pattern.search(summary)
        if found is None or not _words(found[1]):
            raise Unusable(f"the pattern finds no person in {summary!r}")
        return _words(found[1]), contact
    name = _words(guests[0].params.get("CN")) if len(guests) == 1 else ""
    if not (name or address or summary):
        raise Unusable("it names nobody: neither a guest nor a summary")
    return name or address or summary, contact


def _words(value: Any) -> str:
    """One line of text; what cannot be printed goes."""
    if isinstance(value, list):
        value = value[0]
    text = "" if value is None else str(value)
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:2048]


def _begins(event: Component) -> str:
    """When an entry says that it begins; empty where it does not, or nobody can read it."""
    try:
        begins: Any = event["DTSTART"]
        return str(begins.dt)
    except _FAULTS:
        return ""


def _name(event: Component) -> str:
    """What an entry is called where it is told of."""
    when = f" at {_begins(event)}" if _begins(event) else ""
    return f"{_words(event.get('SUMMARY')) or _words(event.get('UID')) or 'an entry without a name'}{when}"
