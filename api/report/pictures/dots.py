"""
Distributions as dots: every value there is, with median and 90th percentile, and how many values are missing.

Never a bare mean, and never a figure without its number. Median and percentile
are given, not worked out here, so that the picture says what the table says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from api.report.pictures import text, times
from api.report.pictures.canvas import BACK, GRID, SIZE, SMALL, WIDTH, Canvas, Drawing
from api.report.pictures.lengths import Lengths, lengths
from api.report.pictures.palette import Ink

MOST_GROUPS = 11

_GUTTER = 150.0
_EDGE = 14.0
_RADIUS = 3.2
_LEAST_RADIUS = 1.0
_HIGHEST = 34.0
_LABELS = 28.0
_LINE = 13.0


@dataclass(frozen=True, slots=True)
class Group:
    """One row: its values in seconds, how many have none, how many are not over yet."""

    title: str
    values: Sequence[float]
    median: float | None
    p90: float | None
    """Both None where there are no values."""
    missing: int = 0
    open: int = 0

    @property
    def counted(self) -> str:
        parts = [f"n {len(self.values)}"]
        parts += [f"{self.missing} missing"] if self.missing else []
        parts += [f"{self.open} open"] if self.open else []
        return ", ".join(parts)


def draw(groups: Sequence[Group], *, width: float = WIDTH) -> Drawing:
    """*groups* on one scale, below each other; those beyond the most that a page holds are counted."""
    canvas, shown = Canvas(width), groups[:MOST_GROUPS]
    narrow = width < 480
    left = _EDGE if narrow else _GUTTER
    values = [value for group in shown for value in group.values]
    scaled = lengths(values, left, width - _EDGE)
    each = max((_values_a_dot(group.values, scaled) for group in shown), default=1)
    y = top = 20.0
    for number, group in enumerate(shown):
        y = _row(canvas, group, scaled, y, each, above=narrow, banded=number % 2 == 1)
    _scale(canvas, scaled, top, y, each)
    y += 20
    if left_out := len(groups) - len(shown):
        y += 12
        canvas.text(8, y - 4, f"{left_out} more not drawn", size=SMALL, ink=Ink.MUTED)
    return canvas.drawing(y, _said(groups))


def _row(canvas: Canvas, group: Group, scaled: Lengths, top: float, each: int, *, above: bool, banded: bool) -> float:
    """Returns where the row ends."""
    room = canvas.width - 16 if above else _GUTTER - 22
    title = text.wrapped(group.title, room, SIZE, "semibold", lines=1 if above else 2)
    heads = (len(title) + 1) * _LINE
    piles, radius = _piles(group.values, scaled, each)
    tallest = max((len(pile) for pile in piles.values()), default=1) * 2 * radius
    start = top + 8 + (heads if above else 0)
    bottom = max(start + _LABELS + tallest + 8, top + heads + 14)
    if banded:
        canvas.rect(0, top, canvas.width, bottom - top, layer=BACK, fill=Ink.BAND)
    for number, line in enumerate(title):
        canvas.text(8, top + 18 + number * _LINE, line, weight="semibold", title=group.title)
    canvas.text(8, top + 18 + len(title) * _LINE, group.counted, size=SMALL, ink=Ink.MUTED, room=room)
    _dots(canvas, piles, radius, bottom - 7)
    _figures(canvas, group, scaled, start, bottom - 4)
    return bottom


def _values_a_dot(values: Sequence[float], scaled: Lengths) -> int:
    """One, as long as the smallest dots that can still be seen pile up low enough."""
    tallest = max(map(len, _piled(values, scaled, _LEAST_RADIUS).values()), default=0)
    return max(1, ceil(tallest * 2 * _LEAST_RADIUS / _HIGHEST))


def _piles(values: Sequence[float], scaled: Lengths, each: int) -> tuple[dict[int, list[float]], float]:
    """Dots that would lie on each other, piled up at their own places; smaller ones for higher piles."""
    radius = _RADIUS
    while True:
        piles = {place: pile[::each] for place, pile in _piled(values, scaled, radius).items()}
        tallest = max(map(len, piles.values()), default=0)
        if tallest * 2 * radius <= _HIGHEST or radius == _LEAST_RADIUS:
            return piles, radius
        radius = max(radius * 0.85, _LEAST_RADIUS)


def _piled(values: Sequence[float], scaled: Lengths, radius: float) -> dict[int, list[float]]:
    piles: dict[int, list[float]] = {}
    for value in sorted(values):
        x = scaled.at(value)
        piles.setdefault(round(x / (2 * radius)), []).append(x)
    return piles


def _dots(canvas: Canvas, piles: dict[int, list[float]], radius: float, bottom: float) -> None:
    """One path for all: a thousand dots stay a small picture."""
    steps: list[str | float] = []
    for pile in piles.values():
        for number, x in enumerate(pile):
            y = bottom - radius - number * 2 * radius
            steps += [
                "M",
                x - radius,
                y,
                "A",
                radius,
                radius,
                0,
                0,
                1,
                x + radius,
                y,
                "A",
                radius,
                radius,
                0,
                0,
                1,
                x - radius,
                y,
                "Z",
            ]
    if steps:
        canvas.path(*steps, fill=Ink.ACCENT, stroke=Ink.PAPER, stroke_width=0.4)


def _figures(canvas: Canvas, group: Group, scaled: Lengths, top: float, bottom: float) -> None:
    """
    Median solid, 90th percentile dashed, each with its label, and no line through a label.

    The upper label stands where the other's line has ended: the median's, or
    the percentile's where that has to stand left of its line.
    """
    if group.median is None or group.p90 is None:
        return
    median, p90 = f"median {times.length(group.median)}", f"90th percentile {times.length(group.p90)}"
    x, high = scaled.at(group.median), scaled.at(group.p90)
    turned = high + 4 + text.width(p90, SMALL) > canvas.width - 2
    _figure(canvas, high, top + (0 if turned else _LINE), bottom, p90, before=turned, dashes="3 2")
    before = turned and x - 4 - text.width(median, SMALL) >= scaled.first
    _figure(canvas, x, top + (_LINE if turned else 0), bottom, median, before=before, dashes="none")


def _figure(canvas: Canvas, x: float, top: float, bottom: float, said: str, *, before: bool, dashes: str) -> None:
    canvas.text(x - 4 if before else x + 4, top + 9, said, size=SMALL, anchor="end" if before else "start")
    canvas.line(x, top + 1, x, bottom, stroke=Ink.TEXT, stroke_width=1.2, stroke_dasharray=dashes)


def _scale(canvas: Canvas, scaled: Lengths, top: float, bottom: float, each: int) -> None:
    kind = "logarithmic scale" if scaled.is_logarithmic else "even scale"
    dot = "each dot is one" if each == 1 else f"each dot is up to {each}"
    canvas.text(canvas.width - _EDGE, 12, f"{dot}; {kind}", size=SMALL, ink=Ink.MUTED, anchor="end")
    for seconds in scaled.ticks(56):
        x, said = scaled.at(seconds), times.length(seconds) if seconds else "0"
        canvas.line(x, top, x, bottom + 3, layer=GRID, stroke=Ink.GRID)
        wide = text.width(said, SMALL)
        left = min(max(x - wide / 2, 0), canvas.width - wide)
        canvas.text(left, bottom + 13, said, size=SMALL, ink=Ink.MUTED)


def _said(groups: Sequence[Group]) -> str:
    told = []
    for group in groups:
        figures = [
            f"{name} {times.length(value)}"
            for name, value in (("median", group.median), ("90th percentile", group.p90))
            if value is not None
        ]
        told.append(f"{text.fitted(group.title, 400, SIZE)}: {', '.join([group.counted, *figures])}")
    return f"Distributions as dots. {'; '.join(told) or 'No values'}."
