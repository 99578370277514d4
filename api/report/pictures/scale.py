"""Draws a time scale: grid, times, days, cuts and changed clocks, and the zone that they are read in."""

from collections.abc import Iterable

from api.report.pictures import text, times
from api.report.pictures.axis import TORN, Axis, Stretch
from api.report.pictures.canvas import BREAK, GRID, SMALL, Canvas
from api.report.pictures.palette import Ink
from api.report.pictures.ticks import Marks, Period, marks

_GAP = 6.0


def head(canvas: Canvas, axis: Axis) -> float:
    """Writes the zone, and how much time is cut where; returns how high that is."""
    zone = times.zone_name(axis.zone, axis.begin, axis.end)
    canvas.text(axis.right, 12, f"times in {zone}", size=SMALL, ink=Ink.MUTED, anchor="end", room=axis.right - 8)
    if not axis.cuts:
        return 18
    taken = 0.0
    for cut in axis.cuts:
        said = f"{times.length(cut.seconds)} not drawn"
        wide = text.width(said, SMALL)
        left = min(max((cut.left + cut.right - wide) / 2, taken), canvas.width - wide)
        if left + wide <= canvas.width and left >= taken:
            canvas.text(left, 26, said, size=SMALL, ink=Ink.MUTED)
            taken = left + wide + _GAP
    return 32


def foot(canvas: Canvas, axis: Axis, top: float, bottom: float) -> float:
    """Draws the grid from *top* to *bottom* and what is written below it; returns where that ends."""
    found = marks(axis)
    _grid(canvas, found, top, bottom)
    _labels(canvas, ((each.x, each.label) for each in found.ticks), bottom + 13)
    end = bottom + 18
    if found.periods:
        end = _periods(canvas, found.periods, bottom + 27)
    if found.turns:
        _labels(canvas, ((each.x, each.label) for each in found.turns), end + 10)
        end += 14
    for cut in axis.cuts:
        _cut(canvas, cut, top, bottom)
    return end


def _grid(canvas: Canvas, found: Marks, top: float, bottom: float) -> None:
    for tick in found.ticks:
        canvas.line(tick.x, top, tick.x, bottom + 3, layer=GRID, stroke=Ink.GRID)
    for period in found.periods:
        if period.begins:
            canvas.line(period.x, top, period.x, bottom + 29, layer=GRID, stroke_width=1.5)
    for turn in found.turns:
        canvas.line(turn.x, top, turn.x, bottom + 32, layer=GRID, stroke=Ink.EDGE, stroke_dasharray="2 3")


def _labels(canvas: Canvas, labels: Iterable[tuple[float, str]], y: float) -> None:
    """Each below its tick, or beside it at an end of the picture; where two would touch, the first stays."""
    taken = 0.0
    for x, label in sorted(labels):
        wide = text.width(label, SMALL)
        left = min(max(x - wide / 2, 0), canvas.width - wide)
        if left >= taken:
            canvas.text(left, y, label, size=SMALL, ink=Ink.MUTED)
            taken = left + wide + _GAP


def _periods(canvas: Canvas, periods: Iterable[Period], y: float) -> float:
    for period in periods:
        room = period.until - period.x - 2 * _GAP
        label = next((each for each in period.labels if text.width(each, SMALL) <= room), "")
        canvas.text(period.x + (4 if period.begins else 0), y, label, size=SMALL, ink=Ink.MUTED)
    return y + 5


def _cut(canvas: Canvas, cut: Stretch, top: float, bottom: float) -> None:
    """A strip of paper over whatever goes on through the cut, with torn edges."""
    left, right = cut.left + TORN + 3, cut.right - TORN - 3
    down = [top + step * 4 for step in range(int((bottom - top) // 4) + 1)] + [bottom]
    edges = [[(x + (2 if place % 2 else -2), y) for place, y in enumerate(down)] for x in (left, right)]
    outline = [edge for x, y in (*edges[0], *reversed(edges[1])) for edge in ("L", x, y)]
    canvas.path("M", *outline[1:], "Z", layer=BREAK, fill=Ink.PAPER)
    for edge in edges:
        steps = [part for x, y in edge for part in ("L", x, y)]
        canvas.path("M", *steps[1:], layer=BREAK, stroke=Ink.EDGE, stroke_width=1.0, fill="none")
