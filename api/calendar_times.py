"""
When an event of an iCalendar file happens (RFC 5545): its start and end, and those of all its repeats.

An event that repeats keeps its hours on the wall clock, also over a change of
the clocks: people hand over at nine, not at what would have been nine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rruleset, rrulestr
from icalendar import Component

MOST_REPEATS = 50_000
"""Repeats of one event that are looked through; a hundred years of days are fewer."""

Tell = Callable[[str], None]
"""Takes a word on what was not understood, or not taken as it stands."""

Turn = tuple[datetime, datetime]
"""Start and end of one repeat, in UTC."""

_TOO_OFTEN = ("SECONDLY", "MINUTELY")
_BY_DATE = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_DAY = timedelta(days=1)


class Unusable(ValueError):
    """Why an entry of a calendar is of no use here."""


def zone_named(name: str) -> tzinfo | None:
    """The zone of an IANA name; None where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Times:
    """
    When an event begins, by the clock of its zone, and how long it lasts: by
    that clock, or exactly, where it ends in another zone. `floating`: it
    names no zone.
    """

    start: datetime
    length: timedelta
    exact: bool
    zone: tzinfo
    floating: bool

    def turn(self, wall: datetime) -> Turn:
        """The repeat that begins at a time of the wall clock."""
        start = self.instant(wall)
        return start, start + self.length if self.exact else self.instant(wall + self.length)

    def instant(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)


def times_of(event: Component, zone: tzinfo | None, tell: Tell) -> Times:
    """
    When an event happens; *zone* is for times that name none, or an unknown one.

    Raises:
        Unusable: where it has no start, no length, or no zone.
    """
    started, ended = event.get("DTSTART"), event.get("DTEND")
    if started is None:
        raise Unusable("it has no start")
    if isinstance(started, list):
        tell("it has several starts: the first was taken")
        started = started[0]
    start, start_zone, floating = _wall(started, zone)
    if ended is None:
        exact, length = False, _duration(event, started)
    else:
        end, end_zone, _ = _wall(ended[0] if isinstance(ended, list) else ended, zone)
        exact = str(start_zone) != str(end_zone)
        length = end.replace(tzinfo=end_zone) - start.replace(tzinfo=start_zone) if exact else end - start
    if length <= timedelta(0):
        raise Unusable("it has no length")
    return Times(start, length, exact, start_zone, floating)


def _wall(stamp: Any, zone: tzinfo | None) -> tuple[datetime, tzinfo, bool]:
    """A time by the clock of its zone, the zone, and whether it named none."""
    moment, named = stamp.dt, stamp.params.get("TZID")
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.replace(tzinfo=None), moment.tzinfo, False
    if not isinstance(moment, date):
        raise Unusable("it names a time without a day")
    if zone is None:
        told = f"the time zone {named} is not known" if named else "its times name no time zone"
        raise Unusable(f"{told}: say which is meant with --zone")
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time()), zone, True


def instant(stamp: Any, zone: tzinfo | None) -> datetime:
    """The moment that a property names. Raises `Unusable`."""
    wall, own, _ = _wall(stamp, zone)
    return wall.replace(tzinfo=own).astimezone(UTC)


def _duration(event: Component, started: Any) -> timedelta:
    """How long an event without an end lasts: its DURATION, else a whole day where it begins on one."""
    given = event.get("DURATION")
    if given is not None:
        length: timedelta = given.dt
        return length
    return timedelta(0) if isinstance(started.dt, datetime) else _DAY


def turns(event: Component, times: Times, until: datetime, tell: Tell) -> Iterator[Turn]:
    """
    All repeats of an event that begin before a moment, in order.

    Raises:
        Unusable: where it repeats as nothing does that people do.
    """
    if not any(name in event for name in ("RRULE", "RDATE", "EXDATE")):
        yield times.turn(times.start)
        return
    periods = dict(_periods(event, times, tell))
    walls, days = _exceptions(event, times)
    for count, wall in enumerate(_repeats(event, times, periods)):
        start, end = times.turn(wall)
        if start >= until:
            return
        if count >= MOST_REPEATS:
            raise Unusable(f"it repeats more than {MOST_REPEATS} times before what is wanted")
        if wall not in walls and wall.date() not in days:
            yield start, periods.get(wall) or end


def _repeats(event: Component, times: Times, more: dict[datetime, datetime | None]) -> rruleset:
    found = rruleset()
    for wall in (times.start, *more):
        found.rdate(wall)
    for rule in _listed(event.get("RRULE")):
        found.rrule(rrulestr(_rule(rule, times), dtstart=times.start))
    return found


def _rule(rule: Any, times: Times) -> str:
    """A recurrence rule by the wall clock of its event, which is how it is meant (RFC 5545, section 3.3.10)."""
    often = str(next(iter(rule.get("FREQ", [])), "")).upper()
    if often in _TOO_OFTEN or (often == "HOURLY" and any(name in rule for name in _BY_DATE)):
        raise Unusable(f"it repeats {often.lower()}, which no shift does")
    told = type(rule)(rule)
    if until := rule.get("UNTIL"):
        told["UNTIL"] = [_until(until[0], times)]
    return f"RRULE:{told.to_ical().decode()}"


def _until(until: Any, times: Times) -> datetime:
    if not isinstance(until, datetime):
        return datetime.combine(until, time(23, 59, 59))
    return until if until.tzinfo is None else times.wall(until)


def _periods(event: Component, times: Times, tell: Tell) -> Iterator[tuple[datetime, datetime | None]]:
    """The repeats that RDATE lists one by one, each with its own end where it is given as a period."""
    for stamp in _stamps(event.get("RDATE")):
        moment, end = stamp.dt, None
        if isinstance(moment, tuple):
            moment, end = moment
            end = moment + end if isinstance(end, timedelta) else end
        if isinstance(moment, datetime):
            aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=times.zone)
            yield times.wall(aware), None if end is None or end.tzinfo is None else end.astimezone(UTC)
        elif isinstance(moment, date):
            yield datetime.combine(moment, times.start.time()), None
        else:
            tell("a repeat of it names a time without a day")


def _exceptions(event: Component, times: Times) -> tuple[set[datetime], set[date]]:
    """Repeats that are left out, by the wall clock, and whole days. A floating event's exceptions float, too."""
    walls, days = set(), set()
    for stamp in _stamps(event.get("EXDATE")):
        moment = stamp.dt
        if not isinstance(moment, datetime):
            days.add(moment)
        elif moment.tzinfo is None or times.floating:
            walls.add(moment.replace(tzinfo=None))
        else:
            walls.add(times.wall(moment))
    return walls, days


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _stamps(value: Any) -> Iterator[Any]:
    """The single dates of a property that lists dates, on one line or on several."""
    return chain.from_iterable(getattr(each, "dts", [each]) for each in _listed(value))
