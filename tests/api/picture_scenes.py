"""What tests of pictures share: labels as people and attackers write them, moments, and what must hold for any drawing."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 10, 24, 6, 0, tzinfo=UTC)

HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes\" & 'apostrophes' ]]>",
    "=cmd()|' /C calc'!A0",
    '#read("/etc/passwd")',
    "\u202eturned around\u202c and \u2067isolated",
    "\x00\x07\x1b[31m control \x7f\x85",
    "lone \ud800 surrogate \ufffe",
    "\U0001f525\U0001f692 on fire \U0001f469\u200d\U0001f469\u200d\U0001f467",
    "שלום عالم 中文标签",
    "Z\u0338\u0321\u0322\u031b\u0317a\u0335l\u0336g\u0337o",
    "x" * 10_000,
    "two words " * 1_000,
    "",
    "   \n\t ",
)

labels = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=60), st.sampled_from(["deployed", "SEV-1", "Priya acknowledged"])
)
zones = st.sampled_from([UTC, LONDON, ZoneInfo("Asia/Kathmandu"), timezone(timedelta(hours=-3, minutes=-30))])
moments = st.one_of(
    st.integers(0, 3 * 86_400).map(lambda s: START + timedelta(seconds=s)),
    st.integers(0, 300).map(lambda m: START + timedelta(minutes=m)),
    st.datetimes(timezones=st.just(UTC)),
)


def parsed(drawing, palette="web"):
    return ET.fromstring(drawing.svg(palette))


def check(drawing):
    """Whatever is drawn: well-formed, told in words, labels apart and inside, the same bytes each time."""
    assert drawing.alt.strip()
    assert parsed(drawing).tag == "{http://www.w3.org/2000/svg}svg"
    assert drawing.svg("print") == drawing.svg("print")
    check_labels(drawing)
    check_inside(drawing)


def check_labels(drawing):
    for box in drawing.labels:
        assert box.x >= -0.01, box
        assert box.x + box.width <= drawing.width + 0.01, box
        assert box.y >= -0.01, box
        assert box.y + box.height <= drawing.height + 0.01, box
    for one, other in combinations(drawing.labels, 2):
        assert not one.overlaps(other), (one, other)


def check_inside(drawing):
    """Every rectangle and every point of a path is inside the picture."""
    for element in parsed(drawing, "print").iter():
        name = element.tag.rpartition("}")[2]
        if name == "rect":
            x, y = float(element.get("x", 0)), float(element.get("y", 0))
            inside(drawing, x, y)
            inside(drawing, x + float(element.get("width")), y + float(element.get("height")))
        elif name == "path" and "A" not in element.get("d"):
            numbers = [float(part) for part in element.get("d").split() if part not in "MLZ"]
            for x, y in zip(numbers[::2], numbers[1::2], strict=True):
                inside(drawing, x, y)


def inside(drawing, x, y):
    assert -2 <= x <= drawing.width + 2, (x, drawing.width)
    assert -2 <= y <= drawing.height + 2, (y, drawing.height)
