"""
Where an instant stands: a true time scale, cut only where nothing happened for long.

All that is drawn has one scale, so equal times are equally long. A cut is drawn
with a fixed width, and its length is for the picture to say; inside it the scale
goes on, more tightly, so that later is always further right.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from api.report.pictures import times

CUT_WIDTH = 30.0
TORN = 6.0
"""A cut's torn edges stand this far inside of it, with their teeth."""
MOST_CUTS = 4

_SHORTEST = 600.0
_MARGIN = 0.03
_LONG_GAP = 3600.0
_TIMES_THE_REST = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of time, in seconds since 1970, and where it lies in the picture; a `cut` one is only hinted at."""

    begin: float
    end: float
    left: float
    right: float
    cut: bool = False

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    def x(self, seconds: float) -> float:
        return self.left + (seconds - self.begin) / self.seconds * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class Axis:
    stretches: tuple[Stretch, ...]
    zone: tzinfo

    @property
    def left(self) -> float:
        return self.stretches[0].left

    @property
    def right(self) -> float:
        return self.stretches[-1].right

    @property
    def begin(self) -> datetime:
        return times.local(self.stretches[0].begin, self.zone)

    @property
    def end(self) -> datetime:
        return times.local(self.stretches[-1].end, self.zone)

    @property
    def cuts(self) -> list[Stretch]:
        return [each for each in self.stretches if each.cut]

    @property
    def seconds_per_unit(self) -> float:
        """Of the scale that holds wherever nothing is cut."""
        drawn = next(each for each in self.stretches if not each.cut)
        return drawn.seconds / (drawn.right - drawn.left)

    @property
    def torn(self) -> list[tuple[float, float]]:
        """Where no label may stand, for a cut is drawn there."""
        return [(each.left + TORN, each.right - TORN) for each in self.cuts]

    def room(self, x: float) -> float:
        """From *x* to the next cut on its right, or to the end."""
        return min([left for left, _ in self.torn if left > x] or [self.right]) - x

    def pieces(self, low: float, high: float) -> list[tuple[float, float]]:
        """What no cut takes of the part from *low* to *high*; nothing where it lies in one."""
        edges = [low, *(edge for cut in self.torn for edge in cut if low < edge < high), high]
        found = pairwise(edges)
        return [(a, b) for a, b in found if not any(left < (a + b) / 2 < right for left, right in self.torn)]

    def x(self, instant: datetime) -> float:
        """An instant beyond an end stands at that end."""
        return self.x_of(times.within_reach(instant).timestamp())

    def x_of(self, seconds: float) -> float:
        place = bisect_right(self.stretches, seconds, key=lambda each: each.begin) - 1
        found = self.stretches[max(place, 0)]
        return min(max(found.x(seconds), self.left), self.right)


def axis(instants: Iterable[datetime], zone: tzinfo, left: float, right: float, *, whole: bool = False) -> Axis:
    """
    A scale from *left* to *right* on which every one of *instants* lies, with a little room at both ends.

    Needs one instant at least. Less than ten minutes are drawn as ten. A *whole* one has no cuts and no such room.
    """
    known = sorted({times.within_reach(each).timestamp() for each in instants})
    if (missing := _SHORTEST - (known[-1] - known[0])) > 0:
        known = [known[0] - missing / 2, *known, known[-1] + missing / 2]
    gaps = [] if whole else _to_cut(known)
    margin = 0 if whole else _MARGIN * (known[-1] - known[0] - sum(end - begin for begin, end in gaps))
    inner = [edge for begin, end in gaps for edge in (begin + margin, end - margin)]
    edges = [known[0] - margin, *inner, known[-1] + margin]
    return Axis(_laid_out(edges, left, right), zone)


def _laid_out(edges: Sequence[float], left: float, right: float) -> tuple[Stretch, ...]:
    """Stretches between *edges*: drawn, cut, drawn, cut, drawn."""
    pieces = list(pairwise(edges))
    drawn = sum(end - begin for begin, end in pieces[::2])
    units = (right - left - CUT_WIDTH * (len(pieces) // 2)) / drawn
    found: list[Stretch] = []
    at = left
    for place, (begin, end) in enumerate(pieces):
        wide = CUT_WIDTH if place % 2 else (end - begin) * units
        found.append(Stretch(begin, end, at, at + wide, cut=bool(place % 2)))
        at += wide
    return tuple(found)


def _to_cut(known: Sequence[float]) -> list[tuple[float, float]]:
    """
    The longest gaps, if each is at least three times as long as all that is left to draw.

    Never as many as there are gaps to keep, or two moments a day apart would
    leave an empty picture.
    """
    gaps = sorted(pairwise(known), key=lambda gap: gap[0] - gap[1])
    left = known[-1] - known[0]
    chosen = 0
    for count, (begin, end) in enumerate(gaps[:MOST_CUTS], start=1):
        left -= end - begin
        if count >= len(gaps) - count or end - begin < _LONG_GAP:
            break
        if end - begin >= _TIMES_THE_REST * left:
            chosen = count
    return sorted(gaps[:chosen])
