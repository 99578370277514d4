"""The lane timeline: whatever is told, labels keep apart and inside, and nothing is left out unsaid."""

import random
import time
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from api.report.pictures import bars, lanes, markers, text
from api.report.pictures.axis import axis
from api.report.pictures.bars import Span
from api.report.pictures.canvas import SMALL
from api.report.pictures.lanes import Lane
from api.report.pictures.markers import Marker
from api.report.pictures.tones import Tone
from tests.api.picture_scenes import HOSTILE, LONDON, START, check, labels, moments, parsed, zones

estimates = st.booleans()
spans = st.builds(Span, st.none() | moments, st.none() | moments, labels, st.sampled_from(Tone), estimates, estimates)
marks = st.builds(Marker, moments, labels, st.booleans(), st.booleans())
some_lanes = st.lists(
    st.builds(
        Lane,
        labels,
        st.sampled_from(["severity", "impact", "version", "alert", "action", "decision", "other"]),
        st.lists(spans, max_size=12),
        st.lists(marks, max_size=25),
    ),
    max_size=6,
)


def at(minutes):
    return START + timedelta(minutes=minutes)


@given(some_lanes, zones, st.sampled_from([320.0, 360.0, 640.0, 680.0, 720.0]))
@settings(max_examples=60, deadline=None)
def test_labels_keep_apart_and_inside_whatever_is_told(told, zone, width):
    """No label touches another or is clipped, for any lanes, zone and width."""
    check(lanes.draw(told, zone, width=width))


def test_hostile_text_stays_text():
    """Each label is in the picture as text, and nothing of it became an element."""
    drawing = lanes.draw([Lane(each, "action", (), [Marker(at(1), each)]) for each in HOSTILE[:12]], LONDON)
    names = {element.tag.rpartition("}")[2] for element in parsed(drawing).iter()}
    assert names <= {"svg", "rect", "path", "text", "title"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawing.svg("print")


def test_a_label_that_was_cut_is_whole_in_its_title():
    """10,000 characters end in an ellipsis; who points at them reads them all."""
    drawing = lanes.draw([Lane("Actions", "action", (), [Marker(at(0), "y" * 10_000)])], LONDON)
    assert any(box.text.endswith("y\u2026") for box in drawing.labels)
    assert "y" * 10_000 in "".join(parsed(drawing).itertext())


def test_a_single_entry_makes_a_picture():
    """One moment stands in the middle of ten minutes."""
    drawing = lanes.draw([Lane("Decisions", "decision", (), [Marker(at(0), "declared")])], LONDON)
    check(drawing)
    assert "declared" in [box.text for box in drawing.labels]


def test_no_lane_at_all_is_a_picture_too():
    check(lanes.draw([], LONDON))


def test_four_hundred_entries_are_all_told_or_counted():
    """What has no room of its own is in a '+n more'; all of them together are all there were."""
    chance = random.Random(5)
    told = [Marker(at(chance.uniform(0, 3 * 1440)), f"noted {number}") for number in range(400)]
    began = time.perf_counter()
    drawing = lanes.draw([Lane("Actions", "action", (), told)], LONDON)
    assert time.perf_counter() - began < 2
    check(drawing)
    texts = [box.text for box in drawing.labels]
    counted = sum(int(each[1:].split()[0]) for each in texts if each.startswith("+"))
    assert counted + sum(each.startswith("noted") for each in texts) == 400
    assert drawing.height < 200


def test_key_moments_are_told_before_others():
    """A crowd at one minute never hides the decision among it."""
    crowd = [Marker(at(0.1 * number), f"noted something of no great weight {number}") for number in range(60)]
    drawing = lanes.draw([Lane("Actions", "action", (), [*crowd, Marker(at(3), "rolled back", key=True)])], LONDON)
    assert "rolled back" in [box.text for box in drawing.labels]


def test_a_key_moment_is_in_the_words_too():
    """Who cannot see the picture is told what matters first."""
    crowd = [Marker(at(number), f"noted {number}") for number in range(60)]
    drawing = lanes.draw([Lane("Actions", "action", (), [*crowd, Marker(at(90), "rolled back", key=True)])], LONDON)
    assert "25 Oct" not in drawing.alt
    assert "rolled back" in drawing.alt
    assert "and 55 more" in drawing.alt


def test_what_is_estimated_is_hatched_and_said():
    """The note stands only where something is estimated."""
    known = lanes.draw([Lane("Impact", "impact", [Span(at(0), at(60), "errors", Tone.BAD)])], LONDON)
    guessed = lanes.draw([Lane("Impact", "impact", [Span(at(0), at(60), "errors", Tone.BAD, True)])], LONDON)
    assert not any("estimated" in box.text for box in known.labels)
    assert any("estimated" in box.text for box in guessed.labels)
    assert "(estimated)" in guessed.alt
    assert "stroke-dasharray" in guessed.svg("print")


def test_lanes_beyond_the_most_are_counted():
    """29 services affected: the picture says how many it left out, and keeps what people did."""
    told = [Lane(f"service {number}", "version", [Span(at(0), None, "1.0")]) for number in range(29)]
    drawing = lanes.draw([*told, Lane("Decisions", "decision", (), [Marker(at(1), "declared")])], LONDON)
    assert "16 lanes more not drawn" in [box.text for box in drawing.labels]
    assert "16 lanes more not drawn" in drawing.alt
    assert {"service 0", "Decisions", "declared"} <= {box.text for box in drawing.labels}


def test_the_fullest_picture_fits_on_a_page():
    """Rather fewer rows in each lane than fewer lanes; what finds no row is counted as ever."""
    crowd = [Marker(at(number), f"noted by somebody at {number}") for number in range(200)]
    live = [Span(at(10 * number), at(10 * number + 10), f"2026.11.{number}") for number in range(20)]
    told = [Lane(f"service {number}", "version", live, crowd) for number in range(11)]
    for width in (360.0, 680.0):
        drawing = lanes.draw([*told, Lane("Actions", "action", (), crowd)], LONDON, width=width)
        check(drawing)
        assert drawing.height < 940
        assert "Actions" in [box.text for box in drawing.labels]


def test_a_flapping_monitor_is_counted():
    """A thousand alerts take six rows and a number."""
    told = [Span(at(number), at(number + 0.5), "disk full") for number in range(1000)]
    drawing = lanes.draw([Lane("Alerts", "alert", told)], LONDON)
    check(drawing)
    assert any(box.text.startswith("+") for box in drawing.labels)
    assert drawing.height < 200


def test_impact_shades_all_lanes():
    """One sees in every lane what happened during impact."""
    drawing = lanes.draw(
        [
            Lane("Impact", "impact", [Span(at(0), at(10), "errors", Tone.BAD)]),
            Lane("Actions", "action", (), [Marker(at(5), "x")]),
        ],
        LONDON,
    )
    shades = [each for each in parsed(drawing, "print").iter() if each.get("fill") == "#fdf0f1"]
    assert len(shades) == 1
    assert float(shades[0].get("height")) > 50


@given(st.lists(marks, max_size=80))
@settings(max_examples=40, deadline=None)
def test_every_marker_is_placed_or_folded(told):
    """None is lost, and each placed one stands at its own true time."""
    scaled = axis([START, at(4000), *(each.at for each in told)], LONDON, 100, 670)
    found = markers.arrange(told, scaled, 676)
    assert len(found.placed) + sum(len(fold.xs) for fold in found.folds) == len(told)
    assert all(each.x == scaled.x(each.marker.at) for each in found.placed)
    assert all(one.left < other.left for one, other in pairwise(found.folds))


def test_spans_that_follow_one_another_share_a_row():
    """Also where a version was live so briefly that its bar is drawn wider than its time."""
    told = [Span(at(number * 600), at(number * 600 + 600), f"v{number}") for number in range(4)]
    brief = [Span(at(2400), at(2400.1), "v4"), Span(at(2400.1), at(3000), "v5")]
    scaled = axis([at(0), at(3000)], LONDON, 100, 670)
    assert bars.tracks([*told, *brief], scaled, 676).rows == 1


@given(st.lists(spans, max_size=25))
@settings(max_examples=60, deadline=None)
def test_every_span_is_named_or_counted(told):
    """A bar bears its name, or is among those that are counted below; and none is lost."""
    scaled = axis([START, at(4000), *(at for each in told for at in (each.since, each.until) if at)], LONDON, 100, 670)
    for arranged in (bars.tracks(told, scaled, 676), bars.strips(told, scaled, 676)):
        named = [bar for bar in arranged.bars if bar.label or not text.shown(bar.span.label)]
        assert len(named) + len(arranged.folded) == len(told)


def test_eighteen_changes_of_severity_are_all_named():
    """Real incidents have had as many: no name stands in the way of its neighbour's line."""
    told = [Span(at(240 * number), at(240 * number + 240), f"SEV-{1 + number % 3}") for number in range(18)]
    arranged = bars.tracks(told, axis([at(0), at(240 * 18)], LONDON, 100, 670), 676)
    assert arranged.folded == ()
    assert [bar.label for bar in arranged.bars] == [each.label for each in told]


def test_no_label_runs_into_a_cut():
    """Of a bar that goes on through one, the label stands in a piece that has room for it."""
    known = [at(60 * hours) for hours in (0, 0.3, 0.6, 48, 48.7, 49, 50.5)]
    told = [Span(known[2], known[-1], "1.4.2 (rolled back)"), Span(known[0], known[-1], "1.5.0", Tone.BAD, True)]
    scaled = axis(known, LONDON, 100, 670)
    ((torn, whole),) = scaled.torn
    placed = {bar.span.label: bar for bar in bars.tracks(told, scaled, 676).bars}
    assert {bar.place for bar in placed.values()} == {"inside"}
    assert placed["1.4.2 (rolled back)"].label_left > whole
    assert placed["1.5.0"].label_left + text.width("1.5.0", 11, "semibold") < torn


def test_a_long_name_leaves_the_way_down_free():
    """Three versions within half an hour: that of the first stands aside, and all are named."""
    ends = [(0, 5, "2026.11.20-hot"), (5, 25, "2.4.1-rc"), (25, 35, "2.4.1-r2")]
    told = [Span(at(begin), at(end), name) for begin, end, name in ends]
    arranged = bars.tracks(told, axis([at(0), at(240)], LONDON, 100, 670), 676)
    assert arranged.folded == ()


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 60)), min_size=2, max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_line_to_a_label_runs_through_another(versions):
    """Labels below a bar stand in rows; a line on its way down passes between those above."""
    ends = [sum(minutes for _, minutes in versions[: number + 1]) for number in range(len(versions))]
    told = [
        Span(at(end - minutes), at(end), "v" * length) for end, (length, minutes) in zip(ends, versions, strict=True)
    ]
    scaled = axis([at(0), at(ends[-1])], LONDON, 100, 670)
    below = [bar for bar in bars.tracks(told, scaled, 676).bars if bar.place == "below"]
    for bar in below:
        x = (bar.left + bar.right) / 2
        for other in below:
            right = other.label_left + text.width(other.label, SMALL)
            assert other.callout >= bar.callout or not other.label_left < x < right


def test_a_few_moments_may_be_told_at_length():
    """Where there is room, a label is not cut as short as among many."""
    long = "roll back to 2026.06.17-2: the last one known good"
    drawing = lanes.draw([Lane("Decisions", "decision", (), [Marker(at(0), long), Marker(at(300), "done")])], LONDON)
    assert long in [box.text for box in drawing.labels]
