"""
SVG as text, written by nobody but this file.

Promises well-formed XML for any text whatever: what XML cannot carry becomes a
replacement character, the rest is escaped. Numbers are rounded to a hundredth,
attributes keep their order, so the same drawing is the same bytes. Nothing
written here runs, loads or refers to anything outside the drawing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.report.pictures.palette import Ink

NAMESPACE = "http://www.w3.org/2000/svg"

Value = str | float | Ink
"""Of an attribute: text, a number in the drawing's units, or a colour that the palette knows."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"})


@dataclass(frozen=True, slots=True)
class Element:
    name: str
    attributes: Mapping[str, Value]
    children: "tuple[Element | str, ...]" = ()


def write(element: Element, colour: Callable[[Ink], str]) -> str:
    """*element* as XML, each ink as the palette's *colour* of it."""
    attributes = "".join(f' {name}="{_value(value, colour)}"' for name, value in element.attributes.items())
    if not element.children:
        return f"<{element.name}{attributes}/>"
    inside = "".join(text(each) if isinstance(each, str) else write(each, colour) for each in element.children)
    return f"<{element.name}{attributes}>{inside}</{element.name}>"


def text(raw: str) -> str:
    """*raw* as the content of an element or of a quoted attribute."""
    return _NOT_XML.sub("\ufffd", raw).translate(_ESCAPES)


def number(value: float) -> str:
    """Rounded to a hundredth, without needless zeros or a negative zero."""
    rounded = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded


def path(*steps: str | float) -> str:
    """The `d` of a path from letters and numbers."""
    return " ".join(step if isinstance(step, str) else number(step) for step in steps)


def _value(value: Value, colour: Callable[[Ink], str]) -> str:
    if isinstance(value, Ink):
        return text(colour(value))
    return text(value) if isinstance(value, str) else number(value)
