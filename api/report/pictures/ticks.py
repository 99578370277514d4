"""
The times that are written below a scale: at round local times, with days, years and changed clocks.

A tick is at a local time that exists, and at both where a clock was turned back.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from api.report.pictures import times
from api.report.pictures.axis import Axis, Stretch


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a year: from where on it is drawn, and its name from long to short."""

    x: float
    until: float
    labels: tuple[str, ...]
    begins: bool
    """Whether it begins here, rather than having begun before the scale does."""


@dataclass(frozen=True, slots=True)
class Marks:
    ticks: list[Tick]
    periods: list[Period]
    turns: list[Tick]
    """Where a clock is turned, and what it shows from there."""


Names = Callable[[datetime], str]
Periods = Callable[[datetime], tuple[tuple[int, ...], tuple[str, ...]]]


def marks(axis: Axis) -> Marks:
    """All that is written below *axis*."""
    step = next((each for each in _STEPS if each.seconds / axis.seconds_per_unit >= each.room), _STEPS[-1])
    drawn = [each for each in axis.stretches if not each.cut]
    found = [at for stretch in drawn for at in step.within(stretch, axis.zone)]
    ticks = [Tick(axis.x(at), step.name(at)) for at in found]
    periods = list(_periods(axis, drawn, step)) if step.seconds < _YEAR.seconds else []
    return Marks(ticks, periods, list(_turns(axis)) if step.seconds < _DAY.seconds else [])


@dataclass(frozen=True, slots=True)
class _Step:
    seconds: float
    room: float
    name: Names
    period: Periods
    starts: Callable[[date, date], Iterator[date]]

    def within(self, stretch: Stretch, zone: tzinfo) -> list[datetime]:
        """The round local times of a stretch, as instants in order."""
        first, last = times.local(stretch.begin, zone), times.local(stretch.end, zone)
        found = {
            at
            for day in self.starts(first.date(), last.date())
            if times.EARLIEST.year <= day.year <= times.LATEST.year
            for at in self._of_day(day, zone)
            if stretch.begin <= at.timestamp() <= stretch.end
        }
        return [at.astimezone(zone) for at in sorted(found)]

    def _of_day(self, day: date, zone: tzinfo) -> Iterator[datetime]:
        for second in range(0, 86_400, min(int(self.seconds), 86_400)):
            naive = datetime.combine(day, time()) + timedelta(seconds=second)
            for fold in (0, 1):
                at = naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)
                if at.astimezone(zone).replace(tzinfo=None, fold=0) == naive:
                    yield at


def _periods(axis: Axis, drawn: list[Stretch], step: _Step) -> Iterator[Period]:
    for stretch in drawn:
        starts = [times.local(stretch.begin, axis.zone)]
        for at in _starts_of_period(step).within(stretch, axis.zone):
            if step.period(at)[0] != step.period(starts[-1])[0]:
                starts.append(at)
        for place, at in enumerate(starts):
            until = axis.x(starts[place + 1]) if place + 1 < len(starts) else stretch.right
            yield Period(axis.x(at) if place else stretch.left, until, step.period(at)[1], begins=bool(place))


def _starts_of_period(step: _Step) -> _Step:
    return _DAY if step.seconds < _DAY.seconds else _YEAR


def _turns(axis: Axis) -> Iterator[Tick]:
    """Every change of the offset, found to the second."""
    for stretch in axis.stretches:
        if stretch.seconds > 400 * 86_400:
            continue
        steps = max(int(stretch.seconds // 3600), 1)
        for number in range(steps):
            low = stretch.begin + number * stretch.seconds / steps
            high = stretch.begin + (number + 1) * stretch.seconds / steps
            before, after = (times.local(each, axis.zone) for each in (low, high))
            if before.utcoffset() != after.utcoffset():
                yield Tick(axis.x_of(_turn(low, high, axis.zone)), f"clocks change to {times.short(after)}")


def _turn(low: float, high: float, zone: tzinfo) -> float:
    before = times.local(low, zone).utcoffset()
    seconds = range(int(low), int(high) + 2)
    return seconds[bisect_left(seconds, True, key=lambda each: times.local(each, zone).utcoffset() != before)]


def _every_day(count: int) -> Callable[[date, date], Iterator[date]]:
    def days(first: date, last: date) -> Iterator[date]:
        for ordinal in range(first.toordinal() // count * count, last.toordinal() + 2, count):
            yield date.fromordinal(max(ordinal, 1))

    return days


def _every_month(count: int) -> Callable[[date, date], Iterator[date]]:
    def months(first: date, last: date) -> Iterator[date]:
        for number in range(
            (first.year * 12 + first.month - 1) // count * count, last.year * 12 + last.month + 1, count
        ):
            yield date(max(number // 12, 1), number % 12 + 1, 1)

    return months


def _hour(at: datetime) -> str:
    return f"{at:%H:%M}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def _month(at: datetime) -> str:
    return f"{at:%b}"


def _year(at: datetime) -> str:
    return str(at.year)


def _of_day(at: datetime) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return (at.year, at.month, at.day), (f"{at:%a} {times.day(at)}", times.day(at), _day(at), str(at.day))


def _of_year(at: datetime) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return (at.year,), (str(at.year),)


_DAY = _Step(86_400, 58, _day, _of_year, _every_day(1))
_YEAR = _Step(365 * 86_400, 44, _year, _of_year, _every_month(12))
_STEPS = (
    *(_Step(60 * minutes, 52, _hour, _of_day, _every_day(1)) for minutes in (1, 2, 5, 10, 15, 30)),
    *(_Step(3600 * hours, 48, _hour, _of_day, _every_day(1)) for hours in (1, 2, 3, 6, 12)),
    *(_Step(86_400 * days, 52, _day, _of_year, _every_day(days)) for days in (1, 2, 7, 14)),
    *(_Step(30 * 86_400 * months, 40, _month, _of_year, _every_month(months)) for months in (1, 3, 6)),
    *(
        _Step(365 * 86_400 * years, 44, _year, _of_year, _every_month(12 * years))
        for years in (1, 2, 5, 10, 50, 200, 1000)
    ),
)
