"""
Stretches of time as bars, with their labels inside, beside or below them.

A *track* keeps what follows one another in one row, with labels that do not fit
below, each led to by a line; *strips* give each bar a place of its own, with its
label beside it. What is estimated is hatched and has a dashed edge.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from api.report.pictures import text, times
from api.report.pictures.axis import Axis
from api.report.pictures.canvas import BARS, SIZE, SMALL, Canvas
from api.report.pictures.markers import LONGEST, SHORTEST
from api.report.pictures.palette import Ink
from api.report.pictures.rows import Rows
from api.report.pictures.tones import Tone

BAR = 20.0
STRIP = 16.0
MOST_TRACKS = 3
MOST_STRIPS = 6

_PAD = 5.0
_GAP = 8.0
_CALLOUTS = 4
_CALLOUT = 14.0
_THINNEST = 2.0
_READABLE = 46.0
_HATCHED = 24.0


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
    """Of a label below."""

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
        return self.rows * self.pitch + self.callouts * _CALLOUT + (_CALLOUT if self.folded else 0)


def tracks(spans: Sequence[Span], axis: Axis, right: float) -> Bars:
    """Rows of bars that follow one another; labels that no bar can hold go below."""
    rows = Rows(MOST_TRACKS)
    placed: list[Bar] = []
    for span in sorted(spans, key=_begin):
        low, high = _ends(span, axis)
        row = rows.place(*_true_ends(span, axis))
        placed.append(Bar(span, low, high, -1 if row is None else row, *_inside(span, low, high, axis)))
    drawn, callouts = _called_out([bar for bar in placed if bar.row >= 0], axis, right)
    return Bars(tuple(drawn), _untold(placed, drawn), BAR + 3, len(rows), callouts)


def strips(spans: Sequence[Span], axis: Axis, right: float) -> Bars:
    """A row for each bar with its label, shared where there is room."""
    rows = Rows(MOST_STRIPS)
    placed = [_strip(span, axis, right, rows) for span in sorted(spans, key=_begin)]
    drawn = tuple(bar for bar in placed if bar.row >= 0)
    return Bars(drawn, _untold(placed, drawn), STRIP, len(rows), 0)


def _untold(placed: Sequence[Bar], drawn: Sequence[Bar]) -> tuple[Bar, ...]:
    """Bars without a place, and those whose name found none."""
    return *(bar for bar in placed if bar.row < 0), *(
        bar for bar in drawn if not bar.label and text.shown(bar.span.label)
    )


def draw(canvas: Canvas, bars: Bars, top: float, zone: tzinfo, right: float) -> None:
    height = bars.pitch - 3
    for bar in bars.bars:
        _draw_bar(canvas, bar, top + bar.row * bars.pitch, height, zone)
    below = top + bars.rows * bars.pitch
    for bar in bars.bars:
        if bar.place == "below":
            _draw_callout(canvas, bar, top + bar.row * bars.pitch + height, below + bar.callout * _CALLOUT, zone)
    if bars.folded:
        x = min(bar.left for bar in bars.folded)
        label = f"+{len(bars.folded)} more"
        wide = text.width(label, SMALL)
        y = below + bars.callouts * _CALLOUT
        strokes = [step for bar in bars.folded for step in ("M", bar.left, y, "L", max(bar.right, bar.left + 1), y)]
        canvas.path(*strokes, layer=BARS, stroke=Ink.MUTED, stroke_width=2.0, fill="none")
        canvas.text(min(x, right - wide), y + 11, label, size=SMALL, ink=Ink.MUTED, title=_folded(bars, zone))


def said(span: Span, zone: tzinfo) -> str:
    """A span in words."""
    since = "before" if span.since is None else times.moment(span.since, zone)
    until = "still so at the end" if span.until is None else f"until {times.moment(span.until, zone)}"
    since = f"{since} (estimated)" if span.since_estimated else since
    return f"{span.label}: from {since}, {until}{' (estimated)' if span.until_estimated else ''}"


def _folded(bars: Bars, zone: tzinfo) -> str:
    return "\n".join(said(bar.span, zone)[:200] for bar in bars.folded[:12])


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


def _inside(span: Span, low: float, high: float, axis: Axis) -> tuple[str, str]:
    """The label as it fits inside, and where it goes: rather whole below than cut inside."""
    room = min(high - low, axis.room(low)) - 2 * _PAD
    whole = text.shown(span.label)
    if text.width(whole, SIZE, "semibold") <= room:
        return whole, "inside"
    cut = text.fitted(span.label, room, SIZE, "semibold") if room >= _READABLE else ""
    goes_below = whole and (not cut or text.width(whole, SMALL) <= LONGEST)
    return (cut, "below") if goes_below else (cut, "inside")


def _called_out(bars: Sequence[Bar], axis: Axis, right: float) -> tuple[list[Bar], int]:
    """
    *bars* with labels below where these have room, and in how many rows.

    First those that leave the way down free for all others, then what still has a place.
    """
    rows = Rows(_CALLOUTS, axis.torn)
    found = {number: bar for number, bar in enumerate(bars) if bar.place != "below"}
    holds = [_hold(bar) for bar in bars if bar.place == "below"]
    for others in (holds, []):
        for number, bar in enumerate(bars):
            if number not in found and (placed := _below(bar, rows, others, axis, right)):
                found[number] = placed
    return [found.get(number) or replace(bar, place="inside") for number, bar in enumerate(bars)], len(rows)


def _below(bar: Bar, rows: Rows, others: Sequence[float], axis: Axis, right: float) -> Bar | None:
    """In the middle under its line or to one side of it, under none of the *others*, as high as there is room."""
    x = _hold(bar)
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


def _hold(bar: Bar) -> float:
    """Where the line to a label below begins."""
    return (bar.left + bar.right) / 2


def _strip(span: Span, axis: Axis, right: float, rows: Rows) -> Bar:
    low, high = _ends(span, axis)
    for room in (LONGEST, SHORTEST):
        label = text.fitted(span.label, room, SIZE)
        wide = text.width(label, SIZE) + _PAD
        ways = (
            (low, high, "inside", min(high - low, axis.room(low)) >= wide + _PAD),
            (low, high + wide, "after", high + wide <= right and axis.room(high) >= wide),
            (low - wide, high, "before", low - wide >= axis.left and axis.room(low - wide) >= wide),
        )
        for first, last, place, fits in ways:
            if fits and (row := rows.place(first, last + _GAP)) is not None:
                return Bar(span, low, high, row, label, place)
    inside = min(high - low, axis.room(low)) - 2 * _PAD
    label = text.fitted(span.label, inside, SIZE) if inside >= _READABLE else ""
    row = rows.place(low, high + _GAP)
    return Bar(span, low, high, -1 if row is None else row, label, "inside")


def _draw_bar(canvas: Canvas, bar: Bar, top: float, height: float, zone: tzinfo) -> None:
    tone, title = bar.span.tone, said(bar.span, zone)
    canvas.rect(bar.left, top, bar.width, height, layer=BARS, fill=tone.fill)
    for low, high in _estimated(bar):
        canvas.hatch(low, top, high - low, height, _hatching(tone), layer=BARS)
    _edges(canvas, bar, top, height)
    middle = top + height / 2 + 3.8
    weight: text.Weight = "semibold" if bar.place == "inside" and height > STRIP else "regular"
    if bar.place == "inside":
        canvas.text(_beside_hatching(bar, weight), middle, bar.label, weight=weight, ink=tone.text, title=title)
    elif bar.place == "after":
        canvas.text(bar.right + _PAD, middle, bar.label, title=title)
    elif bar.place == "before":
        canvas.text(bar.left - _PAD, middle, bar.label, anchor="end", title=title)


def _beside_hatching(bar: Bar, weight: text.Weight) -> float:
    """Where a label inside begins: after what is hatched, where there is room for both."""
    since_alone = bar.span.since_estimated and not bar.span.until_estimated
    shifted = bar.left + _HATCHED + _PAD
    fits = shifted + text.width(bar.label, SIZE, weight) + _PAD <= bar.right
    return shifted if since_alone and fits else bar.left + _PAD


def _hatching(tone: Tone) -> Ink:
    """Light enough to read through."""
    return {Tone.BAD: Ink.BAD_LINE, Tone.SEV1: Ink.BAD}.get(tone, Ink.LINE)


def _estimated(bar: Bar) -> Iterator[tuple[float, float]]:
    """The whole of a bar if both its ends are estimated, else its end that is."""
    since, until = bar.span.since_estimated, bar.span.until_estimated
    part = min(_HATCHED, bar.width / 2)
    if since and until:
        yield bar.left, bar.right
    elif since:
        yield bar.left, bar.left + part
    elif until:
        yield bar.right - part, bar.right


def _edges(canvas: Canvas, bar: Bar, top: float, height: float) -> None:
    """An outline that is open where the span goes on beyond the picture, and dashed where an end is estimated."""
    ink, low, high, bottom = bar.span.tone.edge, bar.left, bar.right, top + height
    canvas.line(low, top, high, top, layer=BARS, stroke=ink)
    canvas.line(low, bottom, high, bottom, layer=BARS, stroke=ink)
    for x, known, estimated in (
        (low, bar.span.since, bar.span.since_estimated),
        (high, bar.span.until, bar.span.until_estimated),
    ):
        if known is not None:
            dashes = {"stroke_dasharray": "2 2"} if estimated else {}
            canvas.line(x, top, x, bottom, layer=BARS, stroke=ink, stroke_width=1.5, **dashes)


def _draw_callout(canvas: Canvas, bar: Bar, bottom: float, top: float, zone: tzinfo) -> None:
    x = _hold(bar)
    canvas.line(x, bottom, x, top + 3, layer=BARS, stroke=Ink.EDGE)
    canvas.text(bar.label_left, top + 11, bar.label, size=SMALL, title=said(bar.span, zone))
