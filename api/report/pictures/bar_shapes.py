"""
Draws bars that have found their places: what is estimated is hatched and has a dashed edge, and what goes on beyond the picture is open there.
"""

from collections.abc import Iterator
from datetime import tzinfo

from api.report.pictures import text
from api.report.pictures.bars import CALLOUT, HATCHED, PAD, STRIP, Bar, Bars, hold, said
from api.report.pictures.canvas import BARS, SMALL, Canvas
from api.report.pictures.palette import Ink
from api.report.pictures.tones import Tone


def draw(canvas: Canvas, bars: Bars, top: float, zone: tzinfo, right: float) -> None:
    height = bars.pitch - 3
    for bar in bars.bars:
        _draw_bar(canvas, bar, top + bar.row * bars.pitch, height, zone)
    below = top + bars.rows * bars.pitch
    for bar in bars.bars:
        if bar.place == "below":
            _draw_callout(canvas, bar, top + bar.row * bars.pitch + height, below + bar.callout * CALLOUT, zone)
    if bars.folded:
        x = min(bar.left for bar in bars.folded)
        label = f"+{len(bars.folded)} more"
        wide = text.width(label, SMALL)
        y = below + bars.callouts * CALLOUT + 2
        strokes = [step for bar in bars.folded for step in ("M", bar.left, y, "L", max(bar.right, bar.left + 1), y)]
        canvas.path(*strokes, layer=BARS, stroke=Ink.MUTED, stroke_width=2.0, fill="none")
        canvas.text(min(x, right - wide), y + 11, label, size=SMALL, ink=Ink.MUTED, title=_folded(bars, zone))


def _folded(bars: Bars, zone: tzinfo) -> str:
    return "\n".join(said(bar.span, zone)[:200] for bar in bars.folded[:12])


def _draw_bar(canvas: Canvas, bar: Bar, top: float, height: float, zone: tzinfo) -> None:
    tone, title = bar.span.tone, said(bar.span, zone)
    canvas.rect(bar.left, top, bar.width, height, layer=BARS, fill=tone.fill)
    for low, high in _estimated(bar):
        canvas.hatch(low, top, high - low, height, _hatching(tone), layer=BARS)
    _edges(canvas, bar, top, height)
    middle = top + height / 2 + 3.8
    weight: text.Weight = "semibold" if bar.place == "inside" and height > STRIP else "regular"
    if bar.place == "inside":
        canvas.text(bar.label_left, middle, bar.label, weight=weight, ink=tone.text, title=title)
    elif bar.place == "after":
        canvas.text(bar.right + PAD, middle, bar.label, title=title)
    elif bar.place == "before":
        canvas.text(bar.left - PAD, middle, bar.label, anchor="end", title=title)


def _hatching(tone: Tone) -> Ink:
    """Light enough to read through."""
    return {Tone.BAD: Ink.BAD_LINE, Tone.SEV1: Ink.BAD}.get(tone, Ink.LINE)


def _estimated(bar: Bar) -> Iterator[tuple[float, float]]:
    """The whole of a bar if both its ends are estimated, else its end that is."""
    since, until = bar.span.since_estimated, bar.span.until_estimated
    part = min(HATCHED, bar.width / 2)
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
    x = hold(bar)
    canvas.line(x, bottom, x, top + 3, layer=BARS, stroke=Ink.EDGE)
    canvas.text(bar.label_left, top + 11, bar.label, size=SMALL, title=said(bar.span, zone))
