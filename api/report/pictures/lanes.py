"""
The lane timeline: severity, impact, versions, alerts, actions and decisions of an incident, one below the other.

All lanes share one true time scale. Stretches are bars, moments are shapes; what
there is no room for is counted where it stands, and nothing is left out unsaid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

from api.report.pictures import bar_shapes, bars, markers, scale, text, times
from api.report.pictures.axis import Axis, axis
from api.report.pictures.bars import Bars, Span
from api.report.pictures.canvas import BACK, SHADE, SMALL, WIDTH, Canvas, Drawing
from api.report.pictures.markers import Arranged, Marker, Shape
from api.report.pictures.palette import Ink

Kind = Literal["severity", "impact", "version", "alert", "action", "decision", "other", "incident", "deployment"]

MOST_LANES = 14
HIGHEST = 860.0
"""Of all lanes together: with its caption, the picture fits on a page of A4."""
GUTTER = 92.0

_SHAPES: dict[Kind, Shape] = {
    "version": "diamond",
    "deployment": "diamond",
    "alert": "triangle",
    "decision": "square",
}
_FEWER_ROWS = (4, 3, 2)
_MOST_ROWS: dict[Kind, int] = {"deployment": 2}
_PADDING = 7.0
_TITLE_LINE = 13.0
_THINNEST = 2.0
_EDGE = 8.0
_TOLD = 6


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the story: its stretches above, its moments below. Impact, and incidents, also shade all lanes."""

    title: str
    kind: Kind
    spans: Sequence[Span] = ()
    markers: Sequence[Marker] = ()


@dataclass(frozen=True, slots=True)
class _Laid:
    """A lane with all its rows known."""

    lane: Lane
    title: list[str]
    bars: Bars
    moments: Arranged
    above: float
    """Height of a title that stands above the rows, in a narrow picture."""

    @property
    def height(self) -> float:
        rows = max(self.bars.height + self.moments.height, 16.0)
        return max(rows + self.above, len(self.title) * _TITLE_LINE) + 2 * _PADDING


def draw(
    lanes: Sequence[Lane],
    zone: tzinfo,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
    whole: bool = False,
    width: float = WIDTH,
) -> Drawing:
    """
    The picture of *lanes*, from the first moment to the last in them, or from *begin* to *end* where these lie further out.

    A *whole* one is never cut, however long nothing happens. Lanes in which
    nothing is are left out, but for those of deployments; of very many, some
    are drawn and the others counted, so that the picture fits on a page.
    """
    full = [each for each in lanes if each.spans or each.markers or each.kind == "deployment"]
    gutter = GUTTER if width >= 480 else _EDGE
    scaled = axis(_instants(full, begin, end), zone, gutter + 4, width - _EDGE, whole=whole)
    laid = _fitting(full, scaled, width, gutter)
    canvas = Canvas(width)
    top = y = scale.head(canvas, scaled)
    for number, each in enumerate(laid):
        _draw_lane(canvas, each, scaled, y, banded=number % 2 == 1)
        y += each.height
    _shade(canvas, full, scaled, top, y)
    bottom = scale.foot(canvas, scaled, top, y)
    drawn = [each.lane for each in laid]
    bottom = _notes(canvas, drawn, len(full) - len(laid), bottom)
    return canvas.drawing(bottom + 4, _said(drawn, len(full) - len(laid), scaled))


def _instants(lanes: Sequence[Lane], *known: datetime | None) -> list[datetime]:
    found = [each for each in known if each is not None]
    for lane in lanes:
        found += [each.at for each in lane.markers]
        found += [at for each in lane.spans for at in (each.since, each.until) if at is not None]
    return found or [datetime(1970, 1, 1, tzinfo=UTC)]


def _fitting(lanes: Sequence[Lane], scaled: Axis, width: float, gutter: float) -> list[_Laid]:
    """As many lanes, with as many rows each, as fit on a page: rather fewer rows than fewer lanes."""
    kept = list(lanes)
    while len(kept) > MOST_LANES:
        kept.pop(_least(kept))
    laid = [_lay_out(each, scaled, width, gutter, markers.MOST_ROWS) for each in kept]
    if _fits(laid):
        return laid
    lowest = [_lay_out(each, scaled, width, gutter, 1) for each in kept]
    while not _fits(lowest):
        lowest.pop(_least([each.lane for each in lowest]))
    for most in _FEWER_ROWS:
        laid = [_lay_out(each.lane, scaled, width, gutter, most) for each in lowest]
        if _fits(laid):
            return laid
    return lowest


def _fits(laid: Sequence[_Laid]) -> bool:
    return sum(each.height for each in laid) <= HIGHEST


def _least(lanes: Sequence[Lane]) -> int:
    """Of many services the last one, else the last lane."""
    services = [number for number, each in enumerate(lanes) if each.kind in ("version", "deployment")]
    return services[-1] if len(services) > 1 else len(lanes) - 1


def _lay_out(lane: Lane, scaled: Axis, width: float, gutter: float, most: int) -> _Laid:
    right = width - 4
    narrow = gutter < GUTTER
    room = width - 2 * _EDGE if narrow else gutter - _EDGE - 4
    title = text.wrapped(lane.title, room, SMALL, "semibold", lines=1 if narrow else 3)
    arrange = bars.strips if lane.kind in ("alert", "incident") else bars.tracks
    moments = markers.arrange(lane.markers, scaled, right, min(most, _MOST_ROWS.get(lane.kind, most)))
    return _Laid(lane, title, arrange(lane.spans, scaled, right, most), moments, 16.0 if narrow else 0.0)


def _draw_lane(canvas: Canvas, laid: _Laid, scaled: Axis, top: float, *, banded: bool) -> None:
    if banded:
        canvas.rect(0, top, canvas.width, laid.height, layer=BACK, fill=Ink.BAND)
    first = top + _PADDING + 11
    for number, line in enumerate(laid.title):
        title = laid.lane.title if line.endswith(text.ELLIPSIS) else ""
        canvas.text(
            _EDGE, first + number * _TITLE_LINE, line, size=SMALL, weight="semibold", ink=Ink.MUTED, title=title
        )
    rows = top + _PADDING + laid.above
    bar_shapes.draw(canvas, laid.bars, rows, scaled.zone, canvas.width - 4)
    if laid.lane.kind == "deployment" and not laid.lane.markers:
        canvas.text(scaled.left + 4, rows + 11, "nothing deployed", size=SMALL, ink=Ink.MUTED)
    usual = _SHAPES.get(laid.lane.kind, "circle")
    markers.draw(canvas, laid.moments, rows + laid.bars.height, scaled.zone, usual)


def _shade(canvas: Canvas, lanes: Sequence[Lane], scaled: Axis, top: float, bottom: float) -> None:
    """Impact through all lanes, so that one sees what happened during it."""
    for lane in lanes:
        for span in lane.spans if lane.kind in ("impact", "incident") else ():
            left = scaled.x(span.since) if span.since else scaled.left
            right = scaled.x(span.until) if span.until else scaled.right
            left = min(left, scaled.right - _THINNEST)
            canvas.rect(left, top, max(right - left, _THINNEST), bottom - top, layer=SHADE, fill=Ink.SHADE)


def _notes(canvas: Canvas, lanes: Sequence[Lane], left_out: int, y: float) -> float:
    """What a reader must know to read this picture, and only that."""
    ends = [each.since_estimated or each.until_estimated for lane in lanes for each in lane.spans]
    is_estimated = any(ends) or any(each.estimated for lane in lanes for each in lane.markers)
    notes = ["hatched or dashed: the time is estimated"] if is_estimated else []
    notes += [_left_out(left_out)] if left_out else []
    if not notes:
        return y
    room = canvas.width - 2 * _EDGE
    canvas.text(_EDGE + room, y + 10, "; ".join(notes), size=SMALL, ink=Ink.MUTED, anchor="end", room=room)
    return y + 12


def _left_out(count: int) -> str:
    return f"{count} {'lane' if count == 1 else 'lanes'} more not drawn"


def _said(lanes: Sequence[Lane], left_out: int, scaled: Axis) -> str:
    begin, end = (times.moment(each, scaled.zone) for each in (scaled.begin, scaled.end))
    parts = [f"Timeline from {begin} to {end}."]
    parts += [f"{text.fitted(lane.title, 200, SMALL)}: {'; '.join(_told(lane, scaled.zone))}." for lane in lanes]
    return " ".join([*parts, f"{_left_out(left_out)}."] if left_out else parts)


def _told(lane: Lane, zone: tzinfo) -> Iterator[str]:
    """The first of a lane in words, and how many more there are; key moments before others."""
    spans = [bars.said(each, zone) for each in lane.spans]
    chosen = sorted(lane.markers, key=lambda each: (not each.key, each.at))[:_TOLD]
    moments = [f"{times.moment(each.at, zone)} {each.label}" for each in sorted(chosen, key=lambda each: each.at)]
    told = [text.fitted(each, 600, SMALL) for each in (*spans[:_TOLD], *moments)]
    yield from told
    if not told:
        yield "nothing deployed"
    if rest := len(lane.spans) + len(lane.markers) - len(told):
        yield f"and {rest} more"
