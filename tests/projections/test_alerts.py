"""Alerts: active or resolved, since when, how often; found by slot, at any moment."""

import pytest

from projections import alerts
from tests.projections.story import time

HERE = {"service": "web", "environment": "production"}


@pytest.fixture
def told(story):
    """Tells of an alert at a moment: `told("10:00", "fired", "cpu")`."""

    def tell(moment, what, fingerprint="cpu", **data):
        given = {"fingerprint": fingerprint, "name": f"{fingerprint} is high", **HERE} | data
        return story.at(moment).add(f"alert.{what}", **given)

    return tell


@pytest.fixture
def here(story):
    """The alerts of a slot at a moment, as readers get them."""

    def ask(as_of=None, known_at=None, service="web", environment="production"):
        with story.answers.at(story.moment(as_of, known_at)) as reader:
            found = reader.situation(service, environment)
        return [] if found is None else found["alerts"]

    return ask


def seen(found):
    return [(each["fingerprint"], each["state"]) for each in found]


def test_an_alert_is_active_from_its_firing_to_its_resolving(told, here):
    """And told for an hour after: that it ended is news."""
    told("10:00", "fired", severity="page", url="https://alerts.example.test/1")
    told("10:20", "resolved")
    assert here("09:59") == []
    (active,) = here("10:10")
    assert (active["state"], active["since"], active["until"]) == ("active", "2026-03-02T10:00:00Z", None)
    (ended,) = here("10:20")
    assert (ended["state"], ended["until"]) == ("resolved", "2026-03-02T10:20:00Z")
    assert ended["severity"] == "page"
    assert ended["url"] == "https://alerts.example.test/1"
    told("11:30", "fired", "disk")
    assert seen(here()) == [("disk", "active")]


def test_a_monitor_that_flaps_a_thousand_times_is_one_row_with_a_count(story, told, here):
    """Not a thousand rows; and the count of the last hour is of the last hour."""
    for number in range(1000):
        told(f"10:{number // 60 % 60:02}:{number % 60:02}", "fired" if number % 2 == 0 else "resolved")
    told("12:30", "fired")
    (row,) = here()
    assert row["times_fired"] == 501
    assert row["times_fired_last_hour"] == 1
    (then,) = here("10:20")
    assert (then["times_fired"], then["times_fired_last_hour"]) == (500, 500)
    assert story.answers.tables.db.execute("SELECT count(*) FROM alerts").fetchone() == (1,)


def test_what_is_sent_again_while_it_fires_is_the_same_firing(told, here):
    """Monitors repeat themselves; `since` is when it began."""
    told("10:00", "fired", started_at="2026-03-02T09:58:00Z")
    told("10:05", "fired", started_at="2026-03-02T09:58:00Z")
    told("10:09", "fired")
    (row,) = here()
    assert (row["since"], row["times_fired"]) == ("2026-03-02T09:58:00Z", 1)


def test_a_later_start_is_a_new_firing_even_where_its_end_was_lost(told, here):
    """A resolve that nobody sent does not make one firing of two."""
    told("10:00", "fired", started_at="2026-03-02T10:00:00Z")
    told("10:30", "fired", started_at="2026-03-02T10:29:00Z")
    (row,) = here()
    assert (row["since"], row["times_fired"]) == ("2026-03-02T10:29:00Z", 2)


def test_the_end_of_an_earlier_firing_does_not_end_this_one(told, here):
    """It names when what it ends had started."""
    told("10:00", "fired", started_at="2026-03-02T10:00:00Z")
    told("10:30", "fired", started_at="2026-03-02T10:29:00Z")
    told("10:31", "resolved", started_at="2026-03-02T10:00:00Z")
    assert seen(here()) == [("cpu", "active")]
    told("10:40", "resolved", started_at="2026-03-02T10:29:00Z")
    assert seen(here()) == [("cpu", "resolved")]


def test_a_start_that_is_claimed_for_later_counts_from_its_firing(told, here):
    """A clock that runs ahead does not make an alert begin in the future."""
    told("10:00", "fired", started_at="2026-03-02T11:00:00Z")
    assert here()[0]["since"] == "2026-03-02T10:00:00Z"


def test_a_late_report_of_an_end_counts_from_when_it_ended(story, told, here):
    """What came first by time comes first, whatever was recorded first."""
    told("10:00", "fired")
    position = told("10:30", "fired")
    story.at("10:10", recorded="10:31").add("alert.resolved", fingerprint="cpu", name="cpu is high", **HERE)
    (row,) = here()
    assert (row["since"], row["times_fired"]) == ("2026-03-02T10:30:00Z", 2)
    (before,) = here("10:30", known_at=position)
    assert (before["since"], before["times_fired"]) == ("2026-03-02T10:00:00Z", 1)


def test_an_alert_of_a_whole_environment_or_service_concerns_the_slot(told, here):
    """The database of an environment is down for every service in it."""
    told("10:00", "fired", "database", service=None)
    told("10:01", "fired", "everywhere", environment=None)
    told("10:02", "fired", "nowhere", service=None, environment=None)
    told("10:03", "fired", "other", service="shop")
    told("10:04", "fired", "cpu")
    assert [each["fingerprint"] for each in here()] == ["cpu", "everywhere", "database"]
    assert [each["fingerprint"] for each in here(service="shop")] == ["other", "database"]
    assert here(service="shop", environment="staging") == []


def test_a_corrected_alert_moves_to_the_slot_it_was_of(story, told, here):
    """From the correction on, and not before it."""
    told("09:00", "fired", "old", service="shop")
    position = told("10:00", "fired")
    corrected = story.at("10:05").corrected(position, "service", "shop")
    assert here() == []
    assert [each["fingerprint"] for each in here(service="shop")] == ["cpu", "old"]
    assert seen(here(known_at=corrected - 1)) == [("cpu", "active")]
    story.at("10:06").retracted(corrected)
    assert seen(here()) == [("cpu", "active")]
    assert seen(here(service="shop")) == [("old", "active")]


def test_a_corrected_fingerprint_takes_the_firing_to_the_other_alert(story, told, here):
    """A corrected name of a stream leaves the old one."""
    told("10:00", "fired", "disk")
    position = told("10:10", "fired", "cpu")
    story.at("10:15").corrected(position, "fingerprint", "disk")
    (row,) = here()
    assert (row["fingerprint"], row["times_fired"]) == ("disk", 1)


def test_a_retracted_firing_never_was(story, told, here):
    """The monitor was tried out."""
    position = told("10:00", "fired")
    story.at("10:05").retracted(position)
    assert here() == []
    assert seen(here("10:01", known_at=position)) == [("cpu", "active")]


def test_an_alert_that_an_active_incident_names_is_told_though_it_names_no_slot(story, told, here):
    """Whoever declared it knew."""
    told("10:00", "fired", "pager", service=None, environment=None)
    assert here() == []
    story.at("10:01").declared("INC-1", "SEV-1", alerts=["pager"])
    assert seen(here()) == [("pager", "active")]
    story.at("10:30").resolved("INC-1")
    assert here() == []


def test_the_latest_comes_first_and_active_ones_before_ended_ones(told, here):
    """What began last is what one looks for."""
    told("10:00", "fired", "a")
    told("10:01", "fired", "b")
    told("10:02", "fired", "c")
    told("10:03", "resolved", "b")
    assert seen(here()) == [("c", "active"), ("a", "active"), ("b", "resolved")]


def test_only_alerts_of_the_slot_are_folded(story, told, here):
    """A thousand alerts elsewhere cost this slot nothing."""
    for number in range(50):
        told("10:00", "fired", f"other-{number}", service="shop")
    told("10:00", "fired")
    here()
    db = story.answers.tables.db
    assert alerts.streams_now(db, [("web", "production")], 0) == ["alert/cpu"]
    at = int(time("10:00").timestamp() * 1_000_000)
    assert alerts.streams_at(db, [("web", "production")], at) == ["alert/cpu"]
    assert alerts.streams_at(db, [("web", "production")], at - 1) == []
