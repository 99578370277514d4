"""What all pictures are made of: text that is measured, colours that can be read, a scale that is true, XML that is well-formed."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.report.pictures import svg, text, times
from api.report.pictures.axis import CUT_WIDTH, axis
from api.report.pictures.canvas import Canvas
from api.report.pictures.lengths import lengths
from api.report.pictures.palette import READ_ON, SEEN_ON, Ink, Palette
from api.report.pictures.rows import Rows
from api.report.pictures.svg import Element
from api.report.pictures.ticks import marks
from tests.api.picture_scenes import HOSTILE, LONDON, START, moments, zones

GREY = [Ink.SEV1, Ink.SEV2, Ink.SEV3]


def at(hours):
    return START + timedelta(hours=hours)


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(theme):
    """A contrast of 4.5 or more (WCAG 2.2, 1.4.3), in light and in dark."""
    for ink, grounds in READ_ON.items():
        for ground in grounds:
            assert contrast(getattr(ink, theme), getattr(ground, theme)) >= 4.5, (ink, ground)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_mark_can_be_seen_on_its_ground(theme):
    """A contrast of 3 or more (WCAG 2.2, 1.4.11)."""
    for ink, grounds in SEEN_ON.items():
        for ground in grounds:
            assert contrast(getattr(ink, theme), getattr(ground, theme)) >= 3, (ink, ground)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_severities_differ_without_colour(theme):
    """Printed in grey, each is told from the others by its depth."""
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert contrast(getattr(GREY[one], theme), getattr(GREY[other], theme)) >= 1.4


def test_a_page_gets_variables_and_paper_gets_colours():
    """What makes a PDF knows no variables; a page without our style sheet still sees the light colours."""
    assert Palette.WEB.colour(Ink.ACCENT) == f"var(--picture-accent, {Ink.ACCENT.light})"
    assert Palette.PRINT.colour(Ink.ACCENT) == Ink.ACCENT.light
    assert all(f"{ink.variable}:light-dark({ink.light},{ink.dark});" in Palette.css() for ink in Ink)


def test_a_drawing_needs_nothing_from_outside():
    """No script, no style, no handler, no address: it stands under default-src 'none'; style-src 'self'."""
    canvas = Canvas(100)
    canvas.text(1, 20, HOSTILE[0], title=HOSTILE[3])
    canvas.hatch(0, 0, 30, 10, Ink.LINE)
    for element in ET.fromstring(canvas.drawing(40, "x").svg("web")).iter():
        assert element.tag.rpartition("}")[2] in {"svg", "rect", "path", "text", "title"}
        assert not any(name == "style" or name.startswith("on") or name.endswith("href") for name in element.attrib)
        assert not any("url(" in value or "://" in value for value in element.attrib.values())


@given(st.text() | st.sampled_from(HOSTILE), st.text() | st.sampled_from(HOSTILE))
def test_any_text_is_well_formed_xml(attribute, content):
    """What XML can carry arrives as it was; the rest is replaced."""
    found = ET.fromstring(
        svg.write(Element("text", {"aria-label": attribute}, (content or "-",)), Palette.PRINT.colour)
    )
    kept = svg._NOT_XML.sub("\ufffd", content or "-")
    assert found.text == kept


@pytest.mark.parametrize("value,said", [(1.0, "1"), (0.005, "0.01"), (-0.001, "0"), (12.3456, "12.35"), (100.0, "100")])
def test_numbers_are_short(value, said):
    assert svg.number(value) == said


def test_widths_are_those_of_the_font():
    """An em of Inter's space is 576 of 2048; semibold letters are wider; what no font has is an em."""
    assert text.width(" ", 2048) == 576
    assert text.width("declared", 11, "semibold") > text.width("declared", 11)
    assert text.width("\u4e2d\u6587", 10) >= 20
    assert text.width("\U0001f525", 10) >= 12.5


@given(st.text(max_size=80) | st.sampled_from(HOSTILE), st.floats(0, 300), st.sampled_from(["regular", "semibold"]))
def test_a_fitted_text_fits(raw, room, weight):
    """And is whole, or ends in an ellipsis, or has no room at all."""
    found = text.fitted(raw, room, 11, weight)
    assert text.width(found, 11, weight) <= room + 1e-6
    assert found in ("", text.shown(raw)) or found.endswith("\u2026")


@given(st.text(max_size=80) | st.sampled_from(HOSTILE), st.integers(1, 4))
def test_wrapped_lines_fit(raw, lines):
    found = text.wrapped(raw, 84, 10, "semibold", lines=lines)
    assert len(found) <= lines
    assert all(text.width(each, 10, "semibold") <= 84 for each in found)


def test_a_long_name_is_broken_after_its_signs():
    found = text.wrapped("checkout/api-gateway production", 70, 10, "semibold", lines=3)
    assert found == ["checkout/api-", "gateway", "production"]


def test_what_turns_the_direction_of_text_is_not_drawn():
    """A label can't make those beside it read backwards; its title has it whole."""
    assert text.shown("\u202eabc\u202c\u2067d\u200f") == "abcd"
    assert text.shown("a\x00b\tc\n d") == "a\ufffdb c d"
    assert text.shown("e" + "\u0301" * 30) == "e\u0301\u0301"


some_moments = st.lists(moments, min_size=1, max_size=30)


@given(some_moments, zones)
@settings(max_examples=200, deadline=None)
def test_later_is_further_right(instants, zone):
    """The scale is piecewise linear, has one slope wherever it is not cut, and holds every moment."""
    found = axis(instants, zone, 96, 672)
    assert found.left == 96
    assert found.right == pytest.approx(672)
    for one, other in pairwise(found.stretches):
        assert one.end == other.begin
        assert one.right == other.left
        assert one.cut != other.cut
    for each in found.stretches:
        assert each.begin < each.end
        assert each.left < each.right
        if not each.cut:
            assert (each.right - each.left) * found.seconds_per_unit == pytest.approx(each.seconds, rel=1e-6)
    xs = [found.x(each) for each in sorted(instants)]
    assert xs == sorted(xs)
    assert all(96 <= x <= 672.01 for x in xs)


@given(some_moments, zones)
@settings(max_examples=200, deadline=None)
def test_nothing_that_happened_is_cut_away(instants, zone):
    """No moment lies in a cut, and a cut has always the same width."""
    found = axis(instants, zone, 96, 672)
    seconds = [times.within_reach(each).timestamp() for each in instants]
    for cut in found.cuts:
        assert not any(cut.begin < each < cut.end for each in seconds)
        assert cut.right - cut.left == pytest.approx(CUT_WIDTH)


def test_a_working_day_is_not_cut():
    """Seven hours with a quiet afternoon stay one true scale."""
    found = axis([at(hours) for hours in (0, 1.75, 2.05, 2.53, 6.8)], LONDON, 0, 600)
    assert found.cuts == []


def test_days_in_which_nothing_happened_are_cut():
    """A decision of one evening and its discovery two days later share a picture."""
    found = axis([at(hours) for hours in (0, 0.3, 0.6, 1.4, 48.7, 49, 50.5)], LONDON, 0, 600)
    (cut,) = found.cuts
    assert cut.seconds > 46 * 3600
    assert axis([at(0), at(72)], LONDON, 0, 600).cuts == []
    assert axis([at(0), at(0.3), at(50), at(50.2)], LONDON, 0, 600, whole=True).cuts == []


def test_each_long_silence_is_cut():
    """Three evenings weeks apart are three pieces, however unlike the weeks between them."""
    found = axis([at(24 * day + part) for day in (0, 9, 40) for part in (0, 0.3, 0.7, 1.2)], LONDON, 0, 600)
    assert len(found.cuts) == 2


def test_ticks_are_at_round_local_times():
    """In Kathmandu, at UTC+05:45, hours are whole there."""
    found = marks(axis([at(0), at(5)], ZoneInfo("Asia/Kathmandu"), 0, 600))
    assert [each.label for each in found.ticks] == [
        "12:00",
        "12:30",
        "13:00",
        "13:30",
        "14:00",
        "14:30",
        "15:00",
        "15:30",
        "16:00",
        "16:30",
    ]
    assert found.turns == []


def test_an_hour_that_comes_twice_is_there_twice():
    """At the end of British summer time 01:00 is seen twice, and where the clocks changed."""
    turn = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    scaled = axis([turn - timedelta(hours=3), turn + timedelta(hours=3)], LONDON, 0, 600)
    found = marks(scaled)
    assert [each.label for each in found.ticks].count("01:00") == 2
    (change,) = found.turns
    assert change.label == "clocks change to GMT"
    assert change.x == pytest.approx(scaled.x(turn), abs=0.5)
    assert [each.labels[0] for each in found.periods] == ["Sat 24 Oct 2026", "Sun 25 Oct 2026"]


def test_an_hour_that_never_was_has_no_tick():
    """At its beginning 01:00 is left out."""
    turn = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    found = marks(axis([turn - timedelta(hours=3), turn + timedelta(hours=3)], LONDON, 0, 600))
    hours = [each.label for each in found.ticks]
    assert hours[hours.index("00:00") + 1] == "02:00"
    assert [each.label for each in found.turns] == ["clocks change to BST"]


@given(some_moments, zones)
@settings(max_examples=150, deadline=None)
def test_ticks_and_days_lie_on_the_scale(instants, zone):
    """From minutes to thousands of years there are some, in order, not too many."""
    scaled = axis(instants, zone, 96, 672)
    found = marks(scaled)
    assert len(found.ticks) <= 20
    assert len(found.periods) <= 80
    xs = [each.x for each in found.ticks]
    assert xs == sorted(xs)
    assert all(96 <= x <= 672.01 for x in xs)


@pytest.mark.parametrize(
    "zone,name",
    [
        (UTC, "UTC"),
        (timezone(timedelta(hours=1)), "UTC+01:00"),
        (timezone(timedelta(hours=-3, minutes=-30)), "UTC-03:30"),
        (LONDON, "Europe/London, BST then GMT"),
    ],
)
def test_a_zone_bears_its_name_and_offsets(zone, name):
    """Those that stand beside each time of the report: a zone is called by one name in it."""
    assert times.zone_name(zone, at(0), at(48)) == name
    assert times.moment(at(0), LONDON).endswith("BST")


@pytest.mark.parametrize(
    "seconds,said",
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (6264, "1 h 44 min"),
        (86_400, "1 d"),
        (-90, "\u22121 min 30 s"),
        (3605, "1 h"),
    ],
)
def test_lengths_are_said_in_their_two_largest_units(seconds, said):
    assert times.length(seconds) == said


@given(st.lists(st.floats(-1e6, 1e9), max_size=40))
def test_longer_is_further_along(values):
    """The scale of lengths keeps order, holds every value, and has its ticks on it."""
    found = lengths(values, 100, 600)
    places = [found.at(each) for each in sorted(values)]
    assert places == sorted(places)
    assert all(99.9 <= each <= 600.1 for each in places)
    ticks = found.ticks(50)
    assert 0 in ticks
    assert all(b - a >= 49.9 for a, b in pairwise(found.at(each) for each in ticks))


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(1, 80)), max_size=60))
def test_rows_never_overlap(wishes):
    """Whatever is placed keeps clear of all that was placed before it, and of what is blocked."""
    rows = Rows(4, [(200.0, 230.0)])
    for left, wide in wishes:
        rows.place(left, left + wide)
    assert len(rows) <= 4
    for row in rows.taken:
        assert all(one[1] <= other[0] for one, other in pairwise(row))
