"""
A scale for lengths of time: even where they are alike, logarithmic where seconds stand beside days.

The logarithmic one is the inverse hyperbolic sine of half minutes: it has a zero
and goes below it, for a clock that ran ahead is seen too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import asinh

_UNIT = 30.0
_ALIKE = 12
_ROUND = tuple(
    float(size * count)
    for size, counts in (
        (1, (1, 2, 5, 10, 30)),
        (60, (1, 2, 5, 10, 20, 30)),
        (3600, (1, 2, 4, 8, 12)),
        (86_400, (1, 2, 4, 7, 14, 30, 90, 180, 365, 1825, 3650, 36_500, 365_000, 3_650_000)),
    )
    for count in counts
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """From *low* to *high* seconds, drawn from *first* to *last* (which may be below *first*)."""

    low: float
    high: float
    first: float
    last: float
    is_logarithmic: bool

    def at(self, seconds: float) -> float:
        """Where a length stands; one beyond an end, at that end."""
        seconds = min(max(seconds, self.low), self.high)
        low, high, place = (self._bent(each) for each in (self.low, self.high, seconds))
        return self.first + (place - low) / (high - low) * (self.last - self.first)

    def ticks(self, room: float) -> list[float]:
        """Round lengths within the scale, at least *room* apart; zero always."""
        found = [0.0] if self.low <= 0 <= self.high else []
        for seconds in self._round(room):
            if all(abs(self.at(seconds) - self.at(other)) >= room for other in found):
                found.append(seconds)
        return sorted(found)

    def _round(self, room: float) -> Iterator[float]:
        if self.is_logarithmic:
            lengths = [
                *(each for each in _LARGE if each <= self.high),
                *(-each for each in _LARGE if -each >= self.low),
            ]
            yield from lengths
            return
        per_unit = (self.high - self.low) / abs(self.last - self.first)
        step = next((each for each in _ROUND if each >= room * per_unit), _ROUND[-1])
        for count in range(int(self.low // step), int(self.high // step) + 1):
            if self.low <= count * step <= self.high:
                yield count * step

    def _bent(self, seconds: float) -> float:
        return asinh(seconds / _UNIT) if self.is_logarithmic else seconds


_LARGE = (60.0, 3600.0, 86_400.0, 604_800.0, *_ROUND[5:])
"""Those that are told first where not all have room."""


def lengths(values: list[float], first: float, last: float, *, middle: float | None = None) -> Lengths:
    """
    A scale from zero, or from the lowest value below it, to a little beyond the highest.

    Logarithmic where the highest is twelve times the *middle* one or more.
    """
    low, high = min([*values, 0.0]), max([*values, 60.0])
    usual = sorted(values)[len(values) // 2] if middle is None and values else middle or 0.0
    is_logarithmic = max(high, -low) > _ALIKE * max(abs(usual), 60.0)
    slack = 1.15 if is_logarithmic else 1.04
    return Lengths(low * slack, high * slack, first, last, is_logarithmic)
