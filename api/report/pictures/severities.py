"""Time in each severity: one bar each, as long as its time, with its share of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.report.pictures import text, times
from api.report.pictures.canvas import BACK, BARS, SIZE, SMALL, WIDTH, Canvas, Drawing
from api.report.pictures.palette import Ink
from api.report.pictures.tones import of_severity

_LEFT = 8.0
_NAMES = 84.0
_PITCH = 26.0
_BAR = 16.0
_GAP = 8.0


@dataclass(frozen=True, slots=True)
class Held:
    """How long a severity was held, in all; `ongoing` where it still is."""

    severity: str
    seconds: float
    ongoing: bool = False

    def said(self, whole: float) -> str:
        share = f" ({max(self.seconds, 0) / whole:.0%})" if whole > 0 else ""
        return f"{times.length(self.seconds)}{' so far' if self.ongoing else ''}{share}"


def draw(held: Sequence[Held], *, width: float = WIDTH) -> Drawing:
    """The picture of all that were *held*, in their order."""
    canvas = Canvas(width)
    whole = sum(max(each.seconds, 0) for each in held)
    longest = max((each.seconds for each in held), default=0)
    room = max((text.width(each.said(whole), SIZE) for each in held), default=0) + 2 * _GAP
    scale = max(width - _NAMES - room - _LEFT, 20) / max(longest, 1)
    for number, each in enumerate(held):
        _row(canvas, each, 6 + number * _PITCH, max(each.seconds, 0) * scale, each.said(whole), banded=number % 2 == 1)
    told = "; ".join(f"{text.fitted(each.severity, 200, SIZE)} {each.said(whole)}" for each in held)
    return canvas.drawing(12 + len(held) * _PITCH, f"Time in each severity: {told or 'none is recorded'}.")


def _row(canvas: Canvas, held: Held, top: float, wide: float, said: str, *, banded: bool) -> None:
    if banded:
        canvas.rect(0, top, canvas.width, _PITCH, layer=BACK, fill=Ink.BAND)
    tone = of_severity(held.severity)
    base = top + _PITCH / 2 + 3.8
    canvas.text(_LEFT, base, held.severity, size=SMALL, weight="semibold", ink=Ink.MUTED, room=_NAMES - _LEFT - 4)
    bar = top + (_PITCH - _BAR) / 2
    canvas.rect(_NAMES, bar, max(wide, 1.5), _BAR, layer=BARS, fill=tone.fill, stroke=tone.edge, stroke_width=1.0)
    canvas.text(_NAMES + wide + _GAP, base, said)
