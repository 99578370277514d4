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

    def said(self, share: int | None) -> str:
        """With its share of the whole, in percent."""
        of_all = "" if share is None else f" ({share}%)"
        return f"{times.length(self.seconds)}{' so far' if self.ongoing else ''}{of_all}"


def shares(lengths: Sequence[float]) -> list[int | None]:
    """Of each length in whole percents, together 100: what is cut off goes to those that lose most by it."""
    whole = sum(max(each, 0) for each in lengths)
    if whole <= 0:
        return [None] * len(lengths)
    exact = [max(each, 0) / whole * 100 for each in lengths]
    missing = 100 - sum(map(int, exact))
    raised = sorted(range(len(exact)), key=lambda place: int(exact[place]) - exact[place])[: max(missing, 0)]
    return [int(each) + (place in raised) for place, each in enumerate(exact)]


def draw(held: Sequence[Held], *, width: float = WIDTH) -> Drawing:
    """The picture of all that were *held*, in their order."""
    canvas = Canvas(width)
    told = [each.said(share) for each, share in zip(held, shares([each.seconds for each in held]), strict=True)]
    longest = max((each.seconds for each in held), default=0)
    room = max((text.width(each, SIZE) for each in told), default=0) + 2 * _GAP
    scale = max(width - _NAMES - room - _LEFT, 20) / max(longest, 1)
    for number, (each, said) in enumerate(zip(held, told, strict=True)):
        _row(canvas, each, 6 + number * _PITCH, max(each.seconds, 0) * scale, said, banded=number % 2 == 1)
    named = zip(held, told, strict=True)
    words = "; ".join(f"{text.fitted(each.severity, 200, SIZE)} {said}" for each, said in named)
    return canvas.drawing(12 + len(held) * _PITCH, f"Time in each severity: {words or 'none is recorded'}.")


def _row(canvas: Canvas, held: Held, top: float, wide: float, said: str, *, banded: bool) -> None:
    if banded:
        canvas.rect(0, top, canvas.width, _PITCH, layer=BACK, fill=Ink.BAND)
    tone = of_severity(held.severity)
    base = top + _PITCH / 2 + 3.8
    canvas.text(_LEFT, base, held.severity, size=SMALL, weight="semibold", ink=Ink.MUTED, room=_NAMES - _LEFT - 4)
    bar = top + (_PITCH - _BAR) / 2
    canvas.rect(_NAMES, bar, max(wide, 1.5), _BAR, layer=BARS, fill=tone.fill, stroke=tone.edge, stroke_width=1.0)
    canvas.text(_NAMES + wide + _GAP, base, said)
