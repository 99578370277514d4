"""
Happened against recorded, for auditors: each event at the time it happened, as high as it was recorded late.

Events recorded at once lie on the line at the bottom; below it lie those whose
clock ran ahead. The latest ones bear their names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from api.report.pictures import scale, text, times
from api.report.pictures.axis import Axis, axis
from api.report.pictures.canvas import GRID, SMALL, WIDTH, Box, Canvas, Drawing
from api.report.pictures.lengths import Lengths, lengths
from api.report.pictures.palette import Ink

MOST_LABELS = 10

_GUTTER = 72.0
_EDGE = 10.0
_HEIGHT = 150.0
_RADIUS = 3.0
_TICK = 20.0
_LONGEST = 170.0


@dataclass(frozen=True, slots=True)
class Point:
    """An event; `late` where the record marks it so."""

    happened: datetime
    recorded: datetime
    label: str
    late: bool = False

    @property
    def seconds(self) -> float:
        return (self.recorded - self.happened).total_seconds()


def draw(points: Sequence[Point], zone: tzinfo, *, width: float = WIDTH) -> Drawing:
    """The picture of all *points*, of which there must be one at least."""
    canvas = Canvas(width)
    scaled = axis([each.happened for each in points], zone, _GUTTER, width - _EDGE)
    top = scale.head(canvas, scaled) + 8
    high = lengths([each.seconds for each in points], top + _HEIGHT, top)
    _grid(canvas, high, scaled)
    end = scale.foot(canvas, scaled, top - 4, top + _HEIGHT + 6)
    _label(canvas, [each for each in points if each.late], points, scaled, high, top)
    for each in points:
        _dot(canvas, each, scaled.x(each.happened), high.at(each.seconds), zone)
    return canvas.drawing(end + 4, _said(points, zone))


def _grid(canvas: Canvas, high: Lengths, scaled: Axis) -> None:
    for seconds in high.ticks(_TICK):
        y = high.at(seconds)
        canvas.line(scaled.left, y, scaled.right, y, layer=GRID, stroke=Ink.EDGE if seconds == 0 else Ink.GRID)
        said = "at once" if seconds == 0 else f"{times.length(abs(seconds))} {'later' if seconds > 0 else 'ahead'}"
        canvas.text(_GUTTER - 8, y + 3.5, said, size=SMALL, ink=Ink.MUTED, anchor="end", room=_GUTTER - 10)


def _dot(canvas: Canvas, point: Point, x: float, y: float, zone: tzinfo) -> None:
    """Late ones are filled, those ahead of their time are squares."""
    title = (
        f"{point.label}\nhappened {times.moment(point.happened, zone)}\nrecorded {times.moment(point.recorded, zone)}"
    )
    if point.seconds < 0:
        canvas.path(
            "M", x - 3, y - 3, "L", x + 3, y - 3, "L", x + 3, y + 3, "L", x - 3, y + 3, "Z", title=title, fill=Ink.BAD
        )
        return
    r = _RADIUS
    circle = ("M", x - r, y, "A", r, r, 0, 0, 1, x + r, y, "A", r, r, 0, 0, 1, x - r, y, "Z")
    canvas.path(*circle, title=title, fill=Ink.ACCENT if point.late else Ink.PAPER, stroke=Ink.ACCENT, stroke_width=1.2)


def _label(
    canvas: Canvas, late: Sequence[Point], points: Sequence[Point], scaled: Axis, high: Lengths, top: float
) -> None:
    """The latest first, each where it covers neither another label nor a dot; where it cannot, its dot must do."""
    taken = [Box(scaled.x(each.happened) - 4, high.at(each.seconds) - 4, 8, 8, "") for each in points]
    chosen = sorted(late, key=lambda each: (-each.seconds, each.happened))[:MOST_LABELS]
    for point in chosen:
        said = text.fitted(f"{times.length(point.seconds)}: {point.label}", _LONGEST, SMALL)
        for box in _places(said, scaled.x(point.happened), high.at(point.seconds)):
            inside = (
                scaled.left <= box.x
                and box.x + box.width <= canvas.width - 2
                and top - 8 <= box.y
                and box.y + box.height <= top + _HEIGHT
            )
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                canvas.text(box.x, box.y + text.ASCENT * SMALL, said, size=SMALL, title=point.label)
                break


def _places(said: str, x: float, y: float) -> Iterator[Box]:
    """Right of a dot, left of it, above, below."""
    wide, tall = text.width(said, SMALL), (text.ASCENT + text.DESCENT) * SMALL
    for left, top in (
        (x + 7, y - tall / 2),
        (x - 7 - wide, y - tall / 2),
        (x - wide / 2, y - tall - 5),
        (x - wide / 2, y + 5),
    ):
        yield Box(left, top, wide, tall, said)


def _said(points: Sequence[Point], zone: tzinfo) -> str:
    late = sorted((each for each in points if each.late), key=lambda each: -each.seconds)
    ahead = sum(each.seconds < 0 for each in points)
    told = "; ".join(
        f"{text.fitted(each.label, 300, SMALL)}, {times.moment(each.happened, zone)}, recorded {times.length(each.seconds)} later"
        for each in late[:MOST_LABELS]
    )
    parts = [f"{len(points)} events by when they happened and how long after that they were recorded; {len(late)} late"]
    parts += [f"{ahead} recorded before the time they claim"] if ahead else []
    return "; ".join(parts) + (f". The latest: {told}" if told else "") + "."
