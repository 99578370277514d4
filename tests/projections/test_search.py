"""Finding events by what they are about."""

import pytest

from ledger.values import microseconds
from projections.search import FILTERS
from tests.projections.story import ADA, digest, time


def found(story, after=0, last=None, limit=1000, **filters):
    story.moment()
    last = story.record.head() if last is None else last
    return story.answers.event_positions(filters, after, last, limit)


def at(text):
    return microseconds(time(text))


@pytest.fixture
def events(story):
    """One event each of several kinds, at positions 1 to 7."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("B", service="api", environment="staging", by=ADA)
    story.at("11:00").rolled_back("A", to_digest=digest("1"))
    story.at("12:00").declared("INC-1", "SEV-1")
    story.at("12:10").marked_bad("B", incident="INC-1")
    story.at("12:20").published("C", digest=digest("3"))
    story.at("12:30").frozen()
    return story


@pytest.mark.parametrize(
    "filters, positions",
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"type": "deployment.succeeded"}, [1, 2]),
        ({"service": "web"}, [1, 3, 5, 6]),
        ({"environment": "staging"}, [2]),
        ({"version": "A"}, [1, 3]),
        ({"incident": "INC-1"}, [4, 5]),
        ({"actor": "person-ada"}, [2, 4, 5, 7]),
        ({"digest": digest("1")}, [1, 3]),
        ({"service": "web", "version": "B"}, [5]),
        ({"service": "web", "version": "Z"}, []),
        ({"since": at("11:00")}, [3, 4, 5, 6, 7]),
        ({"until": at("11:00")}, [1, 2]),
        ({"since": at("10:00"), "until": at("12:00")}, [2, 3]),
    ],
)
def test_events_are_found_by_every_filter_and_all_of_them_together(events, filters, positions):
    """A version is also what a rollback goes to."""
    assert found(events, **filters) == positions


def test_every_filter_is_tried():
    """One that joins is tested from that day on."""
    assert set(FILTERS) == {"type", "service", "environment", "version", "incident", "actor", "digest"}


def test_positions_come_in_order_and_in_pages(events):
    """`after` is the last position seen."""
    assert found(events, limit=3) == [1, 2, 3]
    assert found(events, after=3, limit=3) == [4, 5, 6]
    assert found(events, after=6, limit=3) == [7]


def test_only_what_is_known_is_found(events):
    """Up to a position."""
    assert found(events, last=2) == [1, 2]


def test_a_corrected_event_is_found_by_what_it_said_and_by_what_it_says(story):
    """Once, where both match."""
    deployment = story.at("09:00").deployed("A")
    story.at("10:00").corrected(deployment, "version", "B")
    story.at("10:10").corrected(deployment, "service", "api")
    assert found(story, version="A") == [deployment]
    assert found(story, version="B") == [deployment]
    assert found(story, service="web", type="deployment.succeeded") == [deployment]
    assert found(story, service="api") == [deployment]


def test_an_event_is_found_by_its_corrected_time(story):
    """And by the time it claimed."""
    deployment = story.at("09:00").deployed("A")
    story.at("10:00").corrected(deployment, "time", "2026-03-02T09:00:00+01:00")
    assert found(story, since=at("07:59"), until=at("08:01")) == [deployment]
    assert found(story, since=at("08:59"), until=at("09:01")) == [deployment]


def test_a_time_ahead_of_its_recording_is_found_where_it_counts(story):
    """From the recording on."""
    deployment = story.at("12:00", recorded="10:00").deployed("A")
    assert found(story, since=at("09:59"), until=at("10:01")) == [deployment]


def test_corrections_themselves_are_found_too(story):
    """By their type."""
    deployment = story.at("09:00").deployed("A")
    correction = story.at("10:00").corrected(deployment, "version", "B")
    assert found(story, type="record.corrected") == [correction]


def test_names_are_compared_exactly(story):
    """No wildcard, no case folding."""
    story.at("09:00").deployed("A", service="web%")
    story.at("09:00").deployed("A", service="Web")
    assert found(story, service="web") == []
    assert found(story, service="web%") == [1]
