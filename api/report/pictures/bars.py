"""
Stretches of time as bars, with their labels inside, beside or below them.

A *track* keeps what follows one another in one row, with labels that do not fit
below, each led to by a line; *strips* give each bar a place of its own, with its
label beside it. What is estimated is hatched and has a dashed edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from api.report.pictures import text, times
from api.report.pictures.axis import Axis
from api.report.pictures.canvas import SIZE, SMALL
from api.report.pictures.markers import LONGEST, SHORTEST
from api.report.pictures.rows import Rows
from api.report.pictures.tones import Tone

BAR = 20.0
STRIP = 16.0
MOST_TRACKS = 3
MOST_STRIPS = 6

PAD = 5.0
_GAP = 8.0
MOST_CALLOUTS = 4
CALLOUT = 14.0
_THINNEST = 2.0
_READABLE = 46.0
HATCHED = 24.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time; without `since` it began before the picture does, without `until` it goes on at its end."""

    since: datetime | None
    until: datetime | None
    label: str
    tone: Tone = Tone.PLAIN
    since_estimated: bool = False
    until_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    span: Span
    left: float
    right: float
    row: int
    label: str
    place: str
    """Of the label: `inside`, `after`, `before` or `below`."""
    callout: int = 0
    label_left: float = 0.0
    """Of one inside or below."""

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Bars:
    bars: tuple[Bar, ...]
    folded: tuple[Bar, ...]
    """Those that have no place or no name in the picture, and are counted below it."""
    pitch: float
    rows: int
    callouts: int

    @property
    def height(self) -> float:
        return self.rows * self.pitch + self.callouts * CALLOUT + (CALLOUT + 2 if self.folded else 0)


def tracks(spans: Sequence[Span], axis: Axis, right: float, most: int = MOST_STRIPS) -> Bars:
    """Rows of bars that follow one another; labels that no bar can hold go below, in *most* rows."""
    rows = Rows(min(MOST_TRACKS, most))
    placed: list[Bar] = []
    for span in sorted(spans, key=_begin):
        low, high = _ends(span, axis)
        row = rows.place(*_true_ends(span, axis))
        label, place, left = _inside(span, low, high, axis)
        placed.append(Bar(span, low, high, -1 if row is None else row, label, place, label_left=left))
    drawn, callouts = _called_out([bar for bar in placed if bar.row >= 0], axis, right, min(MOST_CALLOUTS, most))
    return Bars(tuple(drawn), _untold(placed, drawn), BAR + 3, len(rows), callouts)


def strips(spans: Sequence[Span], axis: Axis, right: float, most: int = MOST_STRIPS) -> Bars:
    """A row for each bar with its label, shared where there is room."""
    rows = Rows(most)
    placed = [_strip(span, axis, right, rows) for span in sorted(spans, key=_begin)]
    drawn = tuple(bar for bar in placed if bar.row >= 0)
    return Bars(drawn, _untold(placed, drawn), STRIP, len(rows), 0)


def _untold(placed: Sequence[Bar], drawn: Sequence[Bar]) -> tuple[Bar, ...]:
    """Bars without a place, and those whose name found none."""
    return *(bar for bar in placed if bar.row < 0), *(
        bar for bar in drawn if not bar.label and text.shown(bar.span.label)
    )


def said(span: Span, zone: tzinfo) -> str:
    """A span in words."""
    since = "before" if span.since is None else times.moment(span.since, zone)
    until = "still so at the end" if span.until is None else f"until {times.moment(span.until, zone)}"
    since = f"{since} (estimated)" if span.since_estimated else since
    return f"{span.label}: from {since}, {until}{' (estimated)' if span.until_estimated else ''}"


def _begin(span: Span) -> tuple[float, float]:
    begin = span.since.timestamp() if span.since else float("-inf")
    return begin, -(span.until.timestamp() if span.until else float("inf"))


def _true_ends(span: Span, axis: Axis) -> tuple[float, float]:
    """An end before its beginning is none."""
    low = axis.x(span.since) if span.since else axis.left
    return low, max(axis.x(span.until) if span.until else axis.right, low)


def _ends(span: Span, axis: Axis) -> tuple[float, float]:
    """A bar is never thinner than can be seen, and stays inside."""
    low, high = _true_ends(span, axis)
    if high - low < _THINNEST:
        low = min(low, axis.right - _THINNEST)
        high = low + _THINNEST
    return low, high


def _inside(span: Span, low: float, high: float, axis: Axis) -> tuple[str, str, float]:
    """The label as it fits inside, where it goes, and where it begins: rather whole below than cut inside."""
    whole = text.shown(span.label)
    wide = text.width(whole, SIZE, "semibold")
    pieces = axis.pieces(low, high) or [(low, low)]
    beside = [(low + HATCHED, pieces[0][1])] if span.since_estimated and not span.until_estimated else []
    for left, right in (*beside, *pieces):
        if left + wide + 2 * PAD <= right:
            return whole, "inside", left + PAD
    left, right = max(pieces, key=lambda piece: piece[1] - piece[0])
    room = right - left - 2 * PAD
    cut = text.fitted(span.label, room, SIZE, "semibold") if room >= _READABLE else ""
    goes_below = whole and (not cut or text.width(whole, SMALL) <= LONGEST)
    return cut, "below" if goes_below else "inside", left + PAD


def _called_out(bars: Sequence[Bar], axis: Axis, right: float, most: int) -> tuple[list[Bar], int]:
    """
    *bars* with labels below where these have room, and in how many rows.

    First those that leave the way down free for all others, then what still has a place.
    """
    rows = Rows(most, axis.torn)
    found = {number: bar for number, bar in enumerate(bars) if bar.place != "below"}
    holds = [hold(bar) for bar in bars if bar.place == "below"]
    for others in (holds, []):
        for number, bar in enumerate(bars):
            if number not in found and (placed := _below(bar, rows, others, axis, right)):
                found[number] = placed
    return [found.get(number) or replace(bar, place="inside") for number, bar in enumerate(bars)], len(rows)


def _below(bar: Bar, rows: Rows, others: Sequence[float], axis: Axis, right: float) -> Bar | None:
    """In the middle under its line or to one side of it, under none of the *others*, as high as there is room."""
    x = hold(bar)
    for room in (LONGEST, SHORTEST):
        label = text.fitted(bar.span.label, room, SMALL)
        wide = text.width(label, SMALL)
        for wished in (x - wide / 2, x - 2, x + 2 - wide):
            left = max(min(wished, right - wide), axis.left)
            low, high = left - _GAP / 2, left + wide + _GAP / 2
            if any(low - 1 < other < high + 1 and other != x for other in others):
                continue
            row = rows.place(low, high, clear=x)
            if row is not None:
                return replace(bar, label=label, callout=row, label_left=left)
    return None


def hold(bar: Bar) -> float:
    """Where the line to a label below begins."""
    return (bar.left + bar.right) / 2


def _strip(span: Span, axis: Axis, right: float, rows: Rows) -> Bar:
    low, high = _ends(span, axis)
    for room in (LONGEST, SHORTEST):
        label = text.fitted(span.label, room, SIZE)
        wide = text.width(label, SIZE) + PAD
        ways = (
            (low, high, "inside", min(high - low, axis.room(low)) >= wide + PAD),
            (low, high + wide, "after", high + wide <= right and axis.room(high) >= wide),
            (low - wide, high, "before", low - wide >= axis.left and axis.room(low - wide) >= wide),
        )
        for first, last, place, fits in ways:
            if fits and (row := rows.place(first, last + _GAP)) is not None:
                return Bar(span, low, high, row, label, place, label_left=low + PAD)
    inside = min(high - low, axis.room(low)) - 2 * PAD
    label = text.fitted(span.label, inside, SIZE) if inside >= _READABLE else ""
    row = rows.place(low, high + _GAP)
    return Bar(span, low, high, -1 if row is None else row, label, "inside", label_left=low + PAD)
