"""Metrics: the latest observation of each, and some before it, by slot, at any moment."""

import pytest

from projections.metrics import EARLIER, NAMES

HERE = {"service": "web", "environment": "production"}


@pytest.fixture
def observed(story):
    """Tells of an observation: `observed("10:00", 3.5)`."""

    def tell(moment, value, name="error ratio", **data):
        return story.at(moment).add("metric.observed", name=name, value=value, unit="%", **(HERE | data))

    return tell


@pytest.fixture
def here(story):
    """The metrics of a slot at a moment, as readers get them."""

    def ask(as_of=None, known_at=None, service="web"):
        story.at("09:00" if not story.record.events else story.clock.isoformat())
        with story.answers.at(story.moment(as_of, known_at)) as reader:
            found = reader.situation(service, "production")
        return [] if found is None else found["metrics"]

    return ask


@pytest.fixture(autouse=True)
def _slots(story):
    story.at("08:00").deployed("A")
    story.at("08:00").deployed("A", service="shop")


def values(found):
    return {each["name"]: each["value"] for each in found}


def test_the_latest_observation_is_told_with_those_before_it(observed, here):
    """So that one sees where it is going."""
    for minute in range(10):
        observed(f"10:{minute:02}", minute, window_s=60, url="https://graphs.example.test/1")
    (row,) = here()
    assert (row["value"], row["unit"], row["time"]) == (9, "%", "2026-03-02T10:09:00Z")
    assert (row["window_s"], row["url"]) == (60, "https://graphs.example.test/1")
    assert [each["value"] for each in row["earlier"]] == [8, 7, 6, 5, 4][:EARLIER]


def test_a_late_observation_takes_its_place_by_time(story, observed, here):
    """And at an earlier moment it is known only once it was recorded."""
    position = observed("10:10", 1)
    story.at("10:05", recorded="10:20").add("metric.observed", name="error ratio", value=2, unit="%", **HERE)
    (row,) = here()
    assert (row["value"], [each["value"] for each in row["earlier"]]) == (1, [2])
    assert values(here("10:06")) == {"error ratio": 2}
    assert here("10:06", known_at=position) == []


def test_metrics_are_told_by_slot_by_service_and_by_environment(observed, here):
    """Those of another slot are not."""
    observed("10:00", 1, "own")
    observed("10:00", 2, "of the service", environment=None)
    observed("10:00", 3, "of the environment", service=None)
    observed("10:00", 4, "of another", service="shop")
    observed("10:00", 5, "of nothing", service=None, environment=None)
    assert values(here()) == {"own": 1, "of the service": 2, "of the environment": 3}
    assert values(here(service="shop")) == {"of another": 4, "of the environment": 3}


def test_those_observed_last_come_first_and_only_so_many(observed, here):
    """A slot with a thousand metrics still answers at a glance."""
    for number in range(NAMES + 5):
        observed(f"10:{number:02}", number, f"metric {number:02}")
    found = here()
    assert len(found) == NAMES
    assert found[0]["name"] == f"metric {NAMES + 4:02}"


def test_a_correction_counts_from_its_recording_on(story, observed, here):
    """The value, the name, the slot and the time can all be corrected."""
    position = observed("10:00", 1)
    first = story.at("10:01").corrected(position, "value", 2)
    assert values(here()) == {"error ratio": 2}
    assert values(here(known_at=first - 1)) == {"error ratio": 1}
    story.at("10:02").corrected(position, "name", "latency")
    assert values(here()) == {"latency": 2}
    assert values(here(known_at=first)) == {"error ratio": 2}
    moved = story.at("10:03").corrected(position, "service", "shop")
    assert here() == []
    assert values(here(service="shop")) == {"latency": 2}
    story.at("10:04").retracted(moved)
    assert values(here()) == {"latency": 2}
    story.at("10:05").corrected(position, "time", "2026-03-02T09:00:00Z")
    assert here()[0]["time"] == "2026-03-02T09:00:00Z"


def test_a_retracted_observation_leaves_the_one_before_it(story, observed, here):
    """However many of the latest were retracted."""
    observed("10:00", 1)
    wrong = [observed(f"10:{minute}", 99) for minute in range(10, 30)]
    for position in wrong:
        story.at("11:00").retracted(position)
    (row,) = here()
    assert (row["value"], row["earlier"]) == (1, [])


def test_several_observations_of_one_instant_are_all_kept(observed, here):
    """The one recorded last is told first."""
    observed("10:00", 1)
    observed("10:00", 2)
    (row,) = here()
    assert (row["value"], [each["value"] for each in row["earlier"]]) == (2, [1])
