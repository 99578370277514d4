"""
The lifecycle strip: the steps of an incident one after the other, with the measures that lie between them.

The strip is no time scale: each step has the same room. A step without a time is
'not recorded', an estimated one is dashed and hatched; nothing is filled in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from api.report.pictures import text, times
from api.report.pictures.canvas import GRID, SIZE, SMALL, WIDTH, Anchor, Canvas, Drawing
from api.report.pictures.palette import Ink
from api.report.pictures.rows import Rows

NOT_RECORDED = "not recorded"
SIZES = (11.0, 10.0, 9.5, 9.0)

_SIDE = 38.0
_RADIUS = 6.0
_LINE = 13.0
_BRACKET = 32.0
_MOST_BRACKETS = 8
_PITCH = 62.0
_ROW = 38.0
_LONGEST = 150.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `at` is None where no time is recorded."""

    name: str
    at: datetime | None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """From one step to another, by their places in the strip; `seconds` is None where one of them has no time."""

    name: str
    first: int
    last: int
    seconds: float | None
    estimated: bool = False

    @property
    def value(self) -> str:
        if self.seconds is None:
            return NOT_RECORDED
        return ("\u2248 " if self.estimated else "") + times.length(self.seconds)


def draw(steps: Sequence[Step], measures: Sequence[Measure], zone: tzinfo, *, width: float = WIDTH) -> Drawing:
    """
    The strip of *steps* from left to right, *measures* as brackets below; from top to bottom where there is no room for that.

    A measure's `first` and `last` are places in *steps*.
    """
    canvas = Canvas(width)
    across = len(steps) <= 1 or (width - 2 * _SIDE) / (len(steps) - 1) >= _PITCH
    height = _across(canvas, steps, measures, zone) if across else _down(canvas, steps, measures, zone)
    return canvas.drawing(height, _said(steps, measures, zone))


def _across(canvas: Canvas, steps: Sequence[Step], measures: Sequence[Measure], zone: tzinfo) -> float:
    top = _zone(canvas, steps, zone)
    pitch = (canvas.width - 2 * _SIDE) / max(len(steps) - 1, 1)
    xs = [_SIDE + number * pitch for number in range(len(steps))]
    room = min(pitch - 4, 2 * _SIDE)
    size, rooms = _rooms(steps, pitch)
    names = [text.wrapped(each.name, own, size, "semibold") for each, own in zip(steps, rooms, strict=True)]
    y = top + max(map(len, names), default=1) * _LINE + 8
    for number, (x, each, name) in enumerate(zip(xs, steps, names, strict=True)):
        if number:
            _link(canvas, xs[number - 1], y, x, y, is_known=each.at is not None and steps[number - 1].at is not None)
        for line, words in enumerate(name):
            base = y - 12 - (len(name) - 1 - line) * _LINE
            canvas.text(x, base, words, size=size, weight="semibold", anchor="middle", title=each.name)
        _node(canvas, x, y, each)
        _time(canvas, x, y + 20, each, _day_before(steps, number, zone), zone, room)
    return _brackets(canvas, xs, measures, y + 50)


def _rooms(steps: Sequence[Step], pitch: float) -> tuple[float, list[float]]:
    """
    How large names are written, and the room of each: a long word takes some from its neighbours.

    The largest of a few sizes in which no word is broken; at the smallest, it may be.
    """
    for size in SIZES:
        needs = [max(text.width(word, size, "semibold") for word in [*each.name.split(), ""]) for each in steps]
        excess = max(needs, default=0.0) - (pitch - 4)
        if excess <= 0:
            return size, [min(pitch - 4, 2 * _SIDE)] * len(steps)
        rooms = [need if need > pitch - 4 else pitch - 4 - excess for need in needs]
        fits = all(need <= room for need, room in zip(needs, rooms, strict=True))
        apart = all(one + other <= 2 * (pitch - 4) for one, other in pairwise(rooms))
        if fits and apart and max(rooms[0], rooms[-1]) <= 2 * _SIDE:
            return size, rooms
    return SIZES[-1], [min(pitch - 4, 2 * _SIDE)] * len(steps)


def _brackets(canvas: Canvas, xs: Sequence[float], measures: Sequence[Measure], top: float) -> float:
    """Short ones first; each label centred below its bracket, in the first row where both have room."""
    rows = Rows(_MOST_BRACKETS)
    bottom = top - 8
    for each in sorted(measures, key=lambda each: (each.last - each.first, each.first)):
        left, right = xs[each.first] + 3, xs[each.last] - 3
        name = text.fitted(each.name, _LONGEST, SMALL)
        wide = max(text.width(each.value, SIZE, "semibold"), text.width(name, SMALL))
        middle = min(max((left + right) / 2, wide / 2 + 2), canvas.width - wide / 2 - 2)
        row = rows.place(min(left, middle - wide / 2 - 2), max(right, middle + wide / 2 + 2))
        if row is None:
            continue
        y = top + row * _BRACKET + row * 8
        _bracket(canvas, left, right, y, each)
        canvas.text(middle, y + 17, each.value, weight="semibold", anchor="middle", ink=_value_ink(each))
        canvas.text(middle, y + 29, name, size=SMALL, ink=Ink.MUTED, anchor="middle", title=each.name)
        bottom = max(bottom, y + 34)
    return bottom + 4


def _bracket(canvas: Canvas, left: float, right: float, y: float, measure: Measure) -> None:
    if measure.seconds is None:
        canvas.line(left, y + 2, right, y + 2, stroke=Ink.EDGE, stroke_dasharray="1 4")
        return
    canvas.rect(left, y, right - left, 4, fill=Ink.ACCENT_SOFT if measure.estimated else Ink.ACCENT)
    if measure.estimated:
        canvas.hatch(left, y, right - left, 4, Ink.ACCENT)


def _down(canvas: Canvas, steps: Sequence[Step], measures: Sequence[Measure], zone: tzinfo) -> float:
    """For a narrow place: steps from top to bottom, each measure beside the step that ends it."""
    y = top = _zone(canvas, steps, zone) + 12
    ends = {number: [each for each in measures if each.last == number] for number in range(len(steps))}
    middle = min(canvas.width * 0.52, 190)
    for number, each in enumerate(steps):
        bottom = y + max(_ROW, 12 + 28 * len(ends[number]))
        if number + 1 < len(steps):
            _link(canvas, 16, y, 16, bottom, is_known=each.at is not None and steps[number + 1].at is not None)
        _node(canvas, 16, y, each)
        canvas.text(30, y + 4, each.name, weight="semibold", room=middle - 36)
        _time(canvas, 30, y + 17, each, _day_before(steps, number, zone), zone, middle - 36, anchor="start")
        for place, measure in enumerate(ends[number]):
            base = y + 4 + place * 28
            _bracket(canvas, middle, middle + 16, base - 6, measure)
            room = canvas.width - middle - 28
            canvas.text(middle + 24, base, measure.value, weight="semibold", room=room, ink=_value_ink(measure))
            canvas.text(middle + 24, base + 12, measure.name, size=SMALL, ink=Ink.MUTED, room=room)
        y = bottom
    return max(y, top)


def _zone(canvas: Canvas, steps: Sequence[Step], zone: tzinfo) -> float:
    known = [each.at for each in steps if each.at]
    said = f"not to scale; times in {times.zone_name(zone, *known)}" if known else "not to scale"
    canvas.text(canvas.width - 8, 12, said, size=SMALL, ink=Ink.MUTED, anchor="end", room=canvas.width - 16)
    return 20


def _link(canvas: Canvas, x1: float, y1: float, x2: float, y2: float, *, is_known: bool) -> None:
    dashes = "none" if is_known else "1 4"
    canvas.line(x1, y1, x2, y2, layer=GRID, stroke=Ink.EDGE, stroke_width=1.5, stroke_dasharray=dashes)


def _node(canvas: Canvas, x: float, y: float, step: Step) -> None:
    """Filled where the time is known, hatched where it is estimated, empty and dotted where it is not recorded."""
    fill = Ink.ACCENT if step.at and not step.estimated else Ink.PAPER
    stroke = Ink.ACCENT if step.at else Ink.EDGE
    dashes = "none" if step.at and not step.estimated else "2 2"
    r = _RADIUS
    circle = ("M", x - r, y, "A", r, r, 0, 0, 1, x + r, y, "A", r, r, 0, 0, 1, x - r, y, "Z")
    canvas.path(*circle, fill=fill, stroke=stroke, stroke_width=1.5, stroke_dasharray=dashes)
    if step.at and step.estimated:
        canvas.hatch(x - 4, y - 4, 8, 8, Ink.ACCENT)


def _time(
    canvas: Canvas, x: float, y: float, step: Step, day: str, zone: tzinfo, room: float, *, anchor: Anchor = "middle"
) -> None:
    """Its time, and its day where that is not the one of the step before."""
    if step.at is None:
        lines = text.wrapped(NOT_RECORDED, room, SMALL)
        if anchor == "start":
            lines = [NOT_RECORDED]
        for number, line in enumerate(lines):
            canvas.text(x, y + number * 12, line, size=SMALL, ink=Ink.MUTED, anchor=anchor)
        return
    at = times.within_reach(step.at).astimezone(zone)
    said = ("\u2248 " if step.estimated else "") + times.clock(at)
    title = times.moment(step.at, zone) + (", estimated" if step.estimated else "")
    if anchor == "start":
        canvas.text(x, y, f"{said}  {day}".strip(), size=SMALL, anchor=anchor, room=room, title=title)
        return
    canvas.text(x, y, said, size=SMALL, anchor=anchor, room=room, title=title)
    canvas.text(x, y + 12, day, size=SMALL, ink=Ink.MUTED, anchor=anchor, room=room)


def _day_before(steps: Sequence[Step], number: int, zone: tzinfo) -> str:
    """The day of this step, or nothing if the last known one before it was on the same."""
    own = steps[number].at
    if own is None:
        return ""
    before = next((each.at for each in reversed(steps[:number]) if each.at), None)
    day = times.day(times.within_reach(own).astimezone(zone))
    return "" if before and times.day(times.within_reach(before).astimezone(zone)) == day else day


def _value_ink(measure: Measure) -> Ink:
    return Ink.MUTED if measure.seconds is None else Ink.TEXT


def _said(steps: Sequence[Step], measures: Sequence[Measure], zone: tzinfo) -> str:
    told = [
        f"{each.name} {'estimated ' if each.estimated and each.at else ''}{times.moment(each.at, zone) if each.at else NOT_RECORDED}"
        for each in steps
    ]
    counted = [f"{each.name} {each.value}" for each in measures]
    return (
        "; ".join(
            ["Steps of the incident: " + ", ".join(told), *(["measures: " + ", ".join(counted)] if counted else [])]
        )
        + "."
    )
