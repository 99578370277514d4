"""The lifecycle strip: what is known, what is estimated and what is not recorded, told apart."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from api.report.pictures import lifecycle
from api.report.pictures.lifecycle import Measure, Step
from tests.api.picture_scenes import LONDON, START, check, labels, moments, parsed, zones

NAMES = "impact started,detected,declared,acknowledged,decided,executed,verified,impact ended,resolved,closed".split(
    ","
)
SPANS = {
    "detect": (0, 1),
    "declare": (1, 2),
    "acknowledge": (2, 3),
    "decide": (2, 4),
    "execute": (4, 5),
    "resolve": (2, 8),
}


def steps(*, missing=(), estimated=()):
    return [
        Step(name, None if name in missing else START + timedelta(minutes=20 * number), name in estimated)
        for number, name in enumerate(NAMES)
    ]


def measures(seconds=1200.0):
    return [Measure(f"to {name}", first, last, seconds) for name, (first, last) in SPANS.items()]


def texts(drawing):
    return [box.text for box in drawing.labels]


def test_every_step_and_measure_is_named():
    """The strip holds all, in their order, with times and lengths."""
    drawing = lifecycle.draw(steps(), measures(), LONDON)
    check(drawing)
    assert "acknowledged" in texts(drawing)
    assert "to acknowledge" in texts(drawing)
    assert texts(drawing).count("20 min") == len(SPANS)
    assert "not recorded" not in " ".join(texts(drawing))


def test_a_step_without_a_time_is_not_recorded():
    """Nothing is filled in, in the picture or in its words."""
    drawing = lifecycle.draw(steps(missing=["detected"]), [Measure("to detect", 0, 1, None)], LONDON)
    check(drawing)
    assert "detected not recorded" in drawing.alt
    assert "to detect not recorded" in drawing.alt
    assert texts(drawing).count("not recorded") == 2


def test_an_estimate_is_marked():
    """In its figure, its bracket and its words."""
    drawing = lifecycle.draw(
        steps(estimated=["impact started"]), [Measure("to detect", 0, 1, 60, estimated=True)], LONDON
    )
    assert "\u2248 1 min" in texts(drawing)
    assert "impact started estimated" in drawing.alt


def test_a_day_is_said_where_it_changes():
    """Once for the first step, and again where another day is reached."""
    late = [Step("declared", START), Step("decided", START), Step("resolved", START + timedelta(days=2))]
    drawing = lifecycle.draw(late, [], LONDON)
    assert [each for each in texts(drawing) if "2026" in each] == ["24 Oct 2026", "26 Oct 2026"]


def test_a_narrow_strip_goes_down():
    """On a phone the same steps and measures stand below each other."""
    wide, narrow = (lifecycle.draw(steps(), measures(), LONDON, width=width) for width in (680, 340))
    check(narrow)
    assert narrow.height > wide.height
    assert {"acknowledged", "to acknowledge"} <= set(texts(narrow))


def test_a_measure_within_another_has_a_row_of_its_own():
    """Their labels would have room beside each other; their brackets would not."""
    drawing = lifecycle.draw(steps(), [Measure("long", 0, 9, 60), Measure("short", 0, 1, 60)], LONDON)
    found = {float(each.get("y")) for each in parsed(drawing).iter() if each.get("height") == "4"}
    assert len(found) == 2


some_steps = st.lists(st.builds(Step, labels, st.none() | moments, st.booleans()), max_size=10)


@given(some_steps, st.data(), zones, st.sampled_from([320.0, 500.0, 680.0, 720.0]))
@settings(max_examples=60, deadline=None)
def test_labels_keep_apart_whatever_the_steps_are(told, data, zone, width):
    """Any names, times out of order, measures over any steps."""
    places = st.integers(0, max(len(told) - 1, 0))
    some = st.builds(Measure, labels, places, places, st.none() | st.floats(-1e7, 1e7), st.booleans())
    found = data.draw(st.lists(some, max_size=8)) if told else []
    drawing = lifecycle.draw(told, [each for each in found if each.first < each.last], zone, width=width)
    check(drawing)
    brackets = [each for each in parsed(drawing).iter() if each.get("height") == "4"]
    places = [[float(each.get(name)) for name in ("x", "y", "width")] for each in brackets]
    for (x, y, wide), (other, below, _) in pairwise(sorted(places, key=lambda place: (place[1], place[0]))):
        assert y != below or x + wide <= other


def test_no_word_of_a_step_is_broken_for_a_neighbour():
    """A long name takes room from shorter ones beside it, which wrap."""
    told = steps()
    told[0], told[3] = Step("Impact began", START), Step("Acknowledged", START)
    drawing = lifecycle.draw(told, [], LONDON)
    check(drawing)
    assert {"Acknowledged", "Impact", "began"} <= set(texts(drawing))
