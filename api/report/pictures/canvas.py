"""
What a picture is drawn on, and what comes off it: a `Drawing`.

Every text goes through `Canvas.text`, which remembers the box it fills; so
whoever doubts that labels keep apart and inside can look at `Drawing.labels`.
Layers keep bands and grid below whatever is drawn on them.
"""

from dataclasses import dataclass, field
from typing import Literal

from api.report.pictures import svg, text
from api.report.pictures.palette import Ink, Palette
from api.report.pictures.svg import Element, Value

WIDTH = 680.0
"""Of a picture, unless asked otherwise: at 11 units, text is as large as a footnote on A4."""
NARROWEST = 320.0
SIZE = 11.0
SMALL = 10.0

BACK, SHADE, GRID, BARS, BREAK, MARKS = range(6)
"""Layers, from below."""

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a text stands."""

    x: float
    y: float
    width: float
    height: float
    text: str

    def overlaps(self, other: "Box") -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: its size, what it shows in words, and where its labels stand."""

    width: float
    height: float
    alt: str
    shapes: tuple[Element, ...]
    labels: tuple[Box, ...]

    def svg(self, palette: Palette | Literal["web", "print"]) -> str:
        """As one `svg` element; as wide as its place, with the colours of *palette*."""
        root: dict[str, Value] = {
            "xmlns": svg.NAMESPACE,
            "viewBox": svg.path(0.0, 0.0, self.width, self.height),
            "width": self.width,
            "height": self.height,
            "role": "img",
            "aria-label": self.alt,
            "class": "picture",
            "font-family": text.FAMILIES,
            "font-size": SIZE,
        }
        return svg.write(Element("svg", root, self.shapes), Palette(palette).colour)


@dataclass(slots=True)
class Canvas:
    width: float
    layers: tuple[list[Element], ...] = field(default_factory=lambda: tuple([] for _ in range(6)))
    labels: list[Box] = field(default_factory=list)

    def drawing(self, height: float, alt: str) -> Drawing:
        ground = Element("rect", {"width": self.width, "height": height, "fill": Ink.PAPER})
        shapes = (ground, *(shape for layer in self.layers for shape in layer))
        return Drawing(self.width, height, alt, shapes, tuple(self.labels))

    def _add(self, name: str, attributes: dict[str, Value], layer: int, title: str = "") -> None:
        """Underscores in names of attributes are hyphens there. *title* is shown to who points at the shape."""
        named = {key.replace("_", "-"): value for key, value in attributes.items()}
        children = (Element("title", {}, (title,)),) if title else ()
        self.layers[layer].append(Element(name, named, children))

    def rect(self, x: float, y: float, width: float, height: float, *, layer: int = MARKS, **attributes: Value) -> None:
        self._add("rect", {"x": x, "y": y, "width": max(width, 0), "height": height, **attributes}, layer)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, layer: int = MARKS, **attributes: Value) -> None:
        """In the colour of lines, one unit wide, unless told otherwise."""
        look: dict[str, Value] = {"stroke": Ink.LINE, "stroke_width": 1.0, **attributes}
        self._add("path", {"d": svg.path("M", x1, y1, "L", x2, y2), **look}, layer)

    def path(self, *steps: str | float, layer: int = MARKS, title: str = "", **attributes: Value) -> None:
        self._add("path", {"d": svg.path(*steps), **attributes}, layer, title)

    def text(
        self,
        x: float,
        y: float,
        raw: str,
        *,
        size: float = SIZE,
        weight: text.Weight = "regular",
        ink: Ink = Ink.TEXT,
        anchor: Anchor = "start",
        room: float | None = None,
        title: str = "",
    ) -> None:
        """A line on the base line *y*, cut to *room*; its whole text, or *title*, is shown to who points at it."""
        line = text.shown(raw) if room is None else text.fitted(raw, room, size, weight)
        if not line:
            return
        wide = text.width(line, size, weight)
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        self.labels.append(Box(left, y - text.ASCENT * size, wide, (text.ASCENT + text.DESCENT) * size, line))
        whole = title or (raw if line != raw else "")
        children = ((Element("title", {}, (whole,)),) if whole else ()) + (line,)
        self.layers[MARKS].append(Element("text", _look(left, y, line, wide, size, weight, ink), children))

    def hatch(self, x: float, y: float, width: float, height: float, ink: Ink, *, layer: int = MARKS) -> None:
        """Slanted lines inside a rectangle: estimated. Drawn one by one, for a pattern would need a name in the page."""
        steps: list[str | float] = []
        start = x - height + (-(x - height)) % 5
        while start < x + width:
            low, high = max(start, x), min(start + height, x + width)
            if high > low:
                steps += ["M", low, y + height - (low - start), "L", high, y + height - (high - start)]
            start += 5
        if steps:
            self.path(*steps, layer=layer, stroke=ink, stroke_width=1.0, fill="none")


def _look(x: float, y: float, line: str, wide: float, size: float, weight: text.Weight, ink: Ink) -> dict[str, Value]:
    """`textLength` makes the line as wide as was computed, also where a reader lacks the font."""
    look: dict[str, Value] = {"x": x, "y": y, "fill": ink}
    if size != SIZE:
        look["font-size"] = size
    if weight == "semibold":
        look["font-weight"] = "600"
    if text.is_plain(line) and len(line) > 1:
        look |= {"textLength": wide, "lengthAdjust": "spacingAndGlyphs"}
    return look
