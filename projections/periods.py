"""
From when to when are figures asked for, and which days, weeks and months lie in that?

A period holds its start and not its end, so that two in a row share nothing.
Days begin at midnight by the clock of a time zone: where the clocks change,
one has 23 hours or 25, and a day that a zone left out has none.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from ledger.values import from_microseconds, instant, microseconds, rfc3339

MOST_DAYS = 7_320
"""Twenty years: the most that is asked for at once, and how far a period goes back where nobody says."""

_DAY = timedelta(days=1)


class Unreasonable(ValueError):
    """Why figures cannot be asked for a period."""


@dataclass(frozen=True, slots=True)
class Period:
    """
    From a moment to another, in microseconds. Without an end it lasts up to
    and with the moment asked for; `whole`: nobody gave a start.
    """

    start: int
    end: int | None
    zone: tzinfo
    whole: bool = False

    def holds(self, at: int) -> bool:
        return self.start <= at and (self.end is None or at < self.end)

    def until(self, now: int) -> int:
        """Where it ends as far as anything can be known of it: nothing is of a time after the moment asked for."""
        return now + 1 if self.end is None else min(self.end, now + 1)

    def json(self) -> dict[str, Any]:
        return {
            "from": None if self.whole else rfc3339(from_microseconds(self.start)),
            "to": None if self.end is None else rfc3339(from_microseconds(self.end)),
            "zone": str(self.zone),
        }


def moment(text: str, zone: tzinfo) -> datetime:
    """The moment of an RFC 3339 text; of a day, the midnight that it begins with."""
    try:
        return instant(text) if len(text) > len("2026-03-01") else midnight(date.fromisoformat(text), zone)
    except OverflowError:
        raise Unreasonable(f"{text} does not begin anywhere in that time zone: ask for another day") from None


def period(start: datetime | None, end: datetime | None, zone: tzinfo, now: datetime) -> Period:
    """
    The period from one moment to another; without a start, from twenty years before its end.

    Raises:
        Unreasonable: where it is empty, too long, or outside of what a calendar has.
    """
    reach = now if end is None else min(end, now)
    try:
        begin = start or reach - MOST_DAYS * _DAY
        _ = begin.astimezone(zone) - 32 * _DAY, (end or now).astimezone(zone) + 32 * _DAY
    except OverflowError:
        raise Unreasonable("a calendar has no such days: ask for other times") from None
    if end is not None and end <= begin:
        raise Unreasonable(
            f"the period from {rfc3339(begin)} to {rfc3339(end)} is empty: its end comes after its start"
        )
    if reach - begin > MOST_DAYS * _DAY:
        raise Unreasonable(f"the period has {(reach - begin).days} days; at most {MOST_DAYS} are asked for at once")
    return Period(microseconds(begin), None if end is None else microseconds(end), zone, whole=start is None)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day, week or month by the calendar, as far as a period has it; `whole`: the period has all of it."""

    name: str
    start: int
    end: int
    whole: bool


def days(zone: tzinfo, start: int, end: int) -> list[Bucket]:
    """The days that lie between two moments, in order; those at the ends may be cut."""
    return _buckets(zone, start, end, lambda day: day, lambda day: day + _DAY, date.isoformat)


def weeks(zone: tzinfo, start: int, end: int) -> list[Bucket]:
    """Likewise the weeks, from Monday on, by their ISO 8601 names."""
    return _buckets(zone, start, end, _monday, lambda day: day + 7 * _DAY, _week)


def months(zone: tzinfo, start: int, end: int) -> list[Bucket]:
    """Likewise the months."""
    return _buckets(zone, start, end, _first, lambda day: _first(day + 31 * _DAY), lambda day: f"{day:%Y-%m}")


CALENDAR: dict[str, Callable[[tzinfo, int, int], list[Bucket]]] = {"month": months, "week": weeks}


def place(buckets: Sequence[Bucket], at: int) -> int:
    """The place of the bucket that a moment falls into, of those that follow one another."""
    return bisect_right(buckets, at, key=lambda each: each.start) - 1


def _monday(day: date) -> date:
    return day - day.weekday() * _DAY


def _first(day: date) -> date:
    return day.replace(day=1)


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins; where the clocks leave midnight out, the moment at which they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _buckets(
    zone: tzinfo,
    start: int,
    end: int,
    beginning: Callable[[date], date],
    following: Callable[[date], date],
    name: Callable[[date], str],
) -> list[Bucket]:
    if start >= end:
        return []
    day = beginning(from_microseconds(start).astimezone(zone).date())
    return list(_cut(zone, start, end, day, following, name))


def _cut(
    zone: tzinfo, start: int, end: int, day: date, following: Callable[[date], date], name: Callable[[date], str]
) -> Iterator[Bucket]:
    opens = microseconds(midnight(day, zone))
    while opens < end:
        after = following(day)
        closes = microseconds(midnight(after, zone))
        if max(opens, start) < min(closes, end):
            yield Bucket(name(day), max(opens, start), min(closes, end), start <= opens and closes <= end)
        day, opens = after, closes


def bounds(bucket: Bucket) -> dict[str, Any]:
    """From when to when a bucket is, as far as the period has it."""
    return {"from": rfc3339(from_microseconds(bucket.start)), "to": rfc3339(from_microseconds(bucket.end))}
