"""
Moments: a shape at its true time with a label beside it, in rows where no label touches another.

Of more than the rows can take, key moments are told first and then the others
from left to right; the rest stand as small strokes at their true times, with how
many they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from api.report.pictures import text, times
from api.report.pictures.axis import Axis
from api.report.pictures.canvas import SIZE, SMALL, Canvas
from api.report.pictures.palette import Ink
from api.report.pictures.rows import Rows

Shape = Literal["circle", "diamond", "square", "triangle", "arrow", "cross"]

ROW = 16.0
MOST_ROWS = 6
LONGEST = 190.0
LONGEST_OF_FEW = 320.0
FEW = 12
SHORTEST = 80.0

_RADIUS = 4.0
_BESIDE = 8.0
_GAP = 9.0
_TOLD_OF_A_FOLD = 12


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment. `key` ones are told before others where there is no room for all."""

    at: datetime
    label: str
    key: bool = False
    estimated: bool = False
    shape: Shape | None = None
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    marker: Marker
    x: float
    row: int
    label: str
    before: bool
    """Whether the label stands left of the shape."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Moments without labels of their own, and where the words for all of them stand."""

    left: float
    xs: tuple[float, ...]
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Arranged:
    placed: tuple[Placed, ...]
    folds: tuple[Fold, ...]
    rows: int

    @property
    def height(self) -> float:
        return (self.rows + bool(self.folds)) * ROW


def arrange(markers: Sequence[Marker], axis: Axis, right: float, most: int = MOST_ROWS) -> Arranged:
    """Rows for *markers*; labels stay between the left end of *axis* and *right*."""
    rows = Rows(most, axis.torn)
    rooms = (LONGEST, SHORTEST) if len(markers) > FEW else (LONGEST_OF_FEW, LONGEST, SHORTEST)
    placed: list[Placed] = []
    left_over: list[Marker] = []
    for marker in sorted(markers, key=lambda each: (not each.key, each.at)):
        found = _place(marker, axis, right, rows, rooms)
        if found:
            placed.append(found)
        else:
            left_over.append(marker)
    return Arranged(tuple(placed), tuple(_fold(left_over, axis, right)), len(rows))


def draw(canvas: Canvas, arranged: Arranged, top: float, zone: tzinfo, shape: Shape) -> None:
    for each in arranged.placed:
        middle = top + (each.row + 0.5) * ROW
        title = f"{times.moment(each.marker.at, zone)}: {each.marker.label}"
        _shape(canvas, each.marker, each.x, middle, shape, title)
        start = each.x - _BESIDE if each.before else each.x + _BESIDE
        anchor: Literal["start", "end"] = "end" if each.before else "start"
        weight: text.Weight = "semibold" if each.marker.key else "regular"
        canvas.text(start, middle + 3.8, each.label, weight=weight, anchor=anchor, title=title)
    for fold in arranged.folds:
        _draw_fold(canvas, fold, top + arranged.rows * ROW)


def _place(marker: Marker, axis: Axis, right: float, rows: Rows, rooms: Sequence[float]) -> Placed | None:
    """With its label as long as the first of *rooms* that is free."""
    x = axis.x(marker.at)
    if not any(rows.is_free(row, x - _RADIUS, x + _RADIUS) for row in range(rows.most)):
        return None
    weight: text.Weight = "semibold" if marker.key else "regular"
    for room in rooms:
        label = text.fitted(marker.label, room, SIZE, weight)
        wide = text.width(label, SIZE, weight)
        for before in (False, True):
            low = x - _BESIDE - wide - _GAP if before else x - _RADIUS - 2
            high = x + _RADIUS + 2 if before else x + _BESIDE + wide + _GAP
            if low < axis.left - _RADIUS - 2 or high - _GAP > right:
                continue
            row = rows.place(low, high)
            if row is not None:
                return Placed(marker, x, row, label, before)
    return None


def _fold(markers: Iterable[Marker], axis: Axis, right: float) -> Iterable[Fold]:
    """Neighbours together: as many as stand where their common words do."""
    found = sorted(markers, key=lambda each: each.at)
    widest = text.width(f"+{len(found)} more", SMALL) + _GAP
    groups: list[list[Marker]] = []
    edge = float("-inf")
    for marker in found:
        left = _beside_cuts(min(axis.x(marker.at), right - widest), widest, axis)
        if left >= edge:
            groups.append([])
            edge = left + widest
        groups[-1].append(marker)
    for group in groups:
        xs = tuple(axis.x(each.at) for each in group)
        left = _beside_cuts(min(xs[0], right - widest), widest, axis)
        yield Fold(left, xs, f"+{len(group)} more", _title(group, axis.zone))


def _beside_cuts(left: float, wide: float, axis: Axis) -> float:
    """The place nearest to *left* where words of that width run into no cut."""
    places = [left, *(place for begin, end in axis.torn for place in (begin - wide, end))]
    free = (
        place
        for place in sorted(places, key=lambda place: abs(place - left))
        if axis.left <= place <= axis.right - wide
        and not any(place < end and begin < place + wide for begin, end in axis.torn)
    )
    return next(free, left)


def _title(group: Sequence[Marker], zone: tzinfo) -> str:
    told = [f"{times.moment(each.at, zone)}: {text.fitted(each.label, 400, SIZE)}" for each in group[:_TOLD_OF_A_FOLD]]
    rest = len(group) - len(told)
    return "\n".join([*told, f"and {rest} more"] if rest else told)


def _draw_fold(canvas: Canvas, fold: Fold, top: float) -> None:
    strokes = [step for x in sorted(set(fold.xs)) for step in ("M", x, top + 1, "L", x, top + 5)]
    canvas.path(*strokes, stroke=Ink.MUTED, stroke_width=1.0, fill="none")
    canvas.text(fold.left, top + 14, fold.label, size=SMALL, ink=Ink.MUTED, title=fold.title)


def _shape(canvas: Canvas, marker: Marker, x: float, y: float, usual: Shape, title: str) -> None:
    """Filled; with a dashed outline where the time is estimated."""
    ink = Ink.BAD if marker.bad else Ink.ACCENT
    shape = marker.shape or usual
    fill = Ink.PAPER if marker.estimated or shape == "circle" else ink
    dashes = "2 1.5" if marker.estimated else "none"
    outline = _circle(x, y) if shape == "circle" else _outline(shape, x, y)
    canvas.path("M", *outline, title=title, fill=fill, stroke=ink, stroke_width=1.5, stroke_dasharray=dashes)


def _circle(x: float, y: float) -> list[str | float]:
    r = _RADIUS - 0.5
    return [x - r, y, "A", r, r, 0, 0, 1, x + r, y, "A", r, r, 0, 0, 1, x - r, y, "Z"]


def _outline(shape: Shape, x: float, y: float) -> list[str | float]:
    r = _RADIUS
    corners: dict[str, list[tuple[float, float]]] = {
        "diamond": [(x, y - r - 0.5), (x + r + 0.5, y), (x, y + r + 0.5), (x - r - 0.5, y)],
        "square": [(x - r + 0.5, y - r + 0.5), (x + r - 0.5, y - r + 0.5), (x + r - 0.5, y + r - 0.5), (x - r + 0.5, y + r - 0.5)],
        "triangle": [(x, y - r), (x + r, y + r - 1), (x - r, y + r - 1)],
        "arrow": [(x - r - 1, y), (x, y - r), (x, y - 1), (x + r, y - 1), (x + r, y + 1), (x, y + 1), (x, y + r)],
        "cross": [(x - r + 1, y - r + 1), (x, y), (x + r - 1, y - r + 1), (x, y), (x + r - 1, y + r - 1), (x, y), (x - r + 1, y + r - 1), (x, y)],
    }  # fmt: skip
    return [*[part for px, py in corners[shape] for part in (px, py, "L")][:-1], "Z"]
