"""Deployments with incidents, time in severity, lag and distributions: nothing overlaps, nothing is left out unsaid."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from api.report.pictures import deployments, dots, lag, severities
from api.report.pictures.deployments import Deployment, Incident, Slot
from api.report.pictures.dots import Group
from api.report.pictures.lag import Point
from api.report.pictures.severities import Held
from tests.api.picture_scenes import LONDON, START, check, labels, moments, parsed, zones

widths = st.sampled_from([320.0, 360.0, 640.0, 680.0, 720.0])
END = START + timedelta(days=31)


def texts(drawing):
    return [box.text for box in drawing.labels]


some_slots = st.lists(
    st.builds(
        Slot,
        labels,
        st.lists(
            st.builds(Deployment, moments, labels, st.sampled_from(["deployed", "failed", "rolled back"])), max_size=30
        ),
    ),
    max_size=6,
)
some_incidents = st.lists(st.builds(Incident, labels, moments, st.none() | moments), max_size=10)


@given(some_slots, some_incidents, zones, widths)
@settings(max_examples=50, deadline=None)
def test_deployments_keep_apart_whatever_they_are(slots, incidents, zone, width):
    check(deployments.draw(slots, incidents, zone, START, END, width=width))


def test_incidents_lie_over_the_deployments_of_their_time():
    """Each incident has a bar and shades all services; a service without a deployment says so."""
    slots = [Slot("payments", [Deployment(START + timedelta(days=3), "1.5.0")]), Slot("search", [])]
    incident = Incident("INC-1 SEV-1", START + timedelta(days=3), START + timedelta(days=4))
    drawing = deployments.draw(slots, [incident], LONDON, START, END)
    check(drawing)
    assert {"1.5.0", "INC-1 SEV-1", "nothing deployed"} <= set(texts(drawing))
    assert any(each.get("fill") == "#fdf0f1" for each in parsed(drawing, "print").iter())
    assert "nothing deployed" in drawing.alt


def test_only_the_period_is_drawn():
    """What lies outside of it does not stretch it."""
    slot = Slot("payments", [Deployment(START - timedelta(days=1), "old"), Deployment(END + timedelta(days=1), "new")])
    long_ago = Incident("long over", START - timedelta(days=9), START - timedelta(days=8))
    still = Incident("from before", START - timedelta(days=9), None)
    found = texts(deployments.draw([slot], [long_ago, still], LONDON, START, END))
    assert not {"old", "new", "long over"} & set(found)
    assert "from before" in found


def test_rollbacks_and_failures_are_told_first():
    """Among a hundred deployments of one hour."""
    crowd = [Deployment(START + timedelta(seconds=36 * number), f"2.{number}") for number in range(100)]
    slot = Slot("web", [*crowd, Deployment(START + timedelta(minutes=30), "2.9", "rolled back")])
    assert "2.9 rolled back" in texts(deployments.draw([slot], [], LONDON, START, END))


@given(st.lists(st.builds(Held, labels, st.floats(-10, 1e8), st.booleans()), max_size=6), widths)
@settings(max_examples=50, deadline=None)
def test_severities_keep_inside_whatever_they_are(held, width):
    check(severities.draw(held, width=width))


def test_bars_are_as_long_as_their_times():
    """Twice the time, twice the length; with shares of the whole."""
    drawing = severities.draw([Held("SEV-1", 1800), Held("SEV-2", 3600, ongoing=True)])
    wide = [float(each.get("width")) for each in parsed(drawing).iter() if each.get("height") == "16"]
    assert abs(wide[1] / wide[0] - 2) < 0.01
    assert {"30 min (33%)", "1 h so far (67%)"} <= set(texts(drawing))


points = st.lists(st.builds(Point, moments, moments, labels, st.booleans()), min_size=1, max_size=30)


@given(points, zones, widths)
@settings(max_examples=50, deadline=None)
def test_lags_keep_apart_whatever_they_are(told, zone, width):
    check(lag.draw(told, zone, width=width))


def test_the_later_it_was_recorded_the_higher_it_stands():
    """And the latest bear their names; what claims a time after its recording lies below the line."""
    lags = {"at once": 1, "late": 1900, "very late": 90_000, "ahead": -400}
    told = [
        Point(START + timedelta(hours=n), START + timedelta(hours=n, seconds=s), name, late=s > 60)
        for n, (name, s) in enumerate(lags.items())
    ]
    drawing = lag.draw(told, LONDON)
    check(drawing)
    found = {box.text: box.y for box in drawing.labels}
    assert found["1 d 1 h: very late"] < found["31 min 40 s: late"] < found["at once"]
    assert "2 late; 1 recorded before the time they claim" in drawing.alt


some_groups = st.lists(
    st.builds(
        lambda title, values, missing, still: Group(
            title,
            values,
            sorted(values)[len(values) // 2] if values else None,
            max(values) if values else None,
            missing,
            still,
        ),
        labels,
        st.lists(st.floats(0, 1e7) | st.floats(-100, 100), max_size=60),
        st.integers(0, 99),
        st.integers(0, 9),
    ),
    max_size=6,
)


@given(some_groups, widths)
@settings(max_examples=50, deadline=None)
def test_distributions_keep_apart_whatever_they_are(groups, width):
    check(dots.draw(groups, width=width))


def test_every_value_is_a_dot_and_missing_ones_are_said():
    """n, missing and open beside each row; median and percentile as given."""
    values = [60.0 * number for number in range(1, 21)]
    drawing = dots.draw(
        [Group("Time to detect", values, 630, 1080, missing=3, open=1), Group("Time to verify", [], None, None, 24)]
    )
    check(drawing)
    assert {"n 20, 3 missing, 1 open", "median 10 min 30 s", "90th percentile 18 min", "n 0, 24 missing"} <= set(
        texts(drawing)
    )
    (path,) = [each for each in parsed(drawing, "print").iter() if each.get("fill") == "#2459c9"]
    assert path.get("d").count("M") == 20
    assert "median 10 min 30 s" in drawing.alt


def test_two_thousand_values_stay_one_row():
    """Dots shrink rather than leave their row."""
    values = [float(1 + number % 50) * 60 for number in range(2000)]
    drawing = dots.draw([Group("Time to detect", values, 1500, 2700)])
    check(drawing)
    assert drawing.height < 140


def test_ten_thousand_equal_values_are_still_seen():
    """Then a dot stands for several, and the picture says for how many."""
    drawing = dots.draw([Group("Lead time", [0.0] * 9000 + [3600.0] * 7, 0, 0)])
    check(drawing)
    assert drawing.height < 140
    (path,) = [each for each in parsed(drawing, "print").iter() if each.get("fill") == "#2459c9"]
    assert 2 <= path.get("d").count("M") < 60
    assert any(each.startswith("each dot is up to 5") for each in texts(drawing))


def test_groups_beyond_the_most_are_counted():
    """In the picture; its words tell them all."""
    drawing = dots.draw([Group(f"team {number}", [60.0] * 90, 60, 60) for number in range(30)])
    check(drawing)
    assert "19 more not drawn" in texts(drawing)
    assert "team 29" in drawing.alt
    assert drawing.height < 940


@given(st.lists(st.floats(-10, 1e9), max_size=5))
def test_shares_of_time_are_a_hundred_together(lengths):
    """Each within one percent of the truth; none of what took no time."""
    found = severities.shares(lengths)
    whole = sum(max(each, 0) for each in lengths)
    if whole <= 0:
        assert found == [None] * len(lengths)
        return
    assert sum(found) == 100
    assert all(abs(share - max(each, 0) / whole * 100) < 1.001 for share, each in zip(found, lengths, strict=True))
    assert severities.shares([3, 1.67, 3.33]) == [37, 21, 42]
