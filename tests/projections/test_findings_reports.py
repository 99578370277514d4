"""The clocks of EU DORA 2025/301, article 5."""

import pytest

from ledger.values import from_microseconds, instant, microseconds, rfc3339
from projections.reporting import month_after
from tests.projections.asking import found, settled_by

RULE = "report_overdue"


def classified(story, moment="11:00", classification="major", regime="EU DORA"):
    story.at("10:00").declared("INC-1", "SEV-1")
    return story.at(moment).add(
        "incident.classified", incident="INC-1", regime=regime, classification=classification, criteria={"clients": 9}
    )


def reported(story, moment, kind, **more):
    return story.at(moment, **more).add(
        "incident.reported", incident="INC-1", regime="eu dora", kind=kind, reference="R"
    )


def test_the_initial_report_is_due_four_hours_after_classification(story):
    """A report that comes late settles it."""
    start = classified(story)
    assert found(story, RULE, as_of="11:00") == []
    story.at("15:01")
    assert found(story, RULE) == [("open", [start])]
    late = reported(story, "16:00", "initial")
    assert found(story, RULE) == [("settled", [start])]
    assert settled_by(story, RULE) == [[late]]


def test_the_initial_report_is_due_a_day_after_awareness(story):
    """Where the incident is classified late on that day."""
    start = classified(story, "+1d 08:00")
    story.at("+1d 10:01")
    assert found(story, RULE) == [("open", [start])]


def test_what_is_classified_after_a_day_is_due_in_four_hours(story):
    """The article says so of incidents that turn out to be major later."""
    start = classified(story, "+2d 08:00")
    story.at("+2d 11:59")
    assert found(story, RULE) == []
    story.at("+2d 12:01")
    assert found(story, RULE) == [("open", [start])]


def test_an_intermediate_report_is_due_72_hours_after_the_initial_one(story):
    """And the final one a month after the latest intermediate one."""
    classified(story)
    initial = reported(story, "12:00", "initial")
    story.at("+3d 12:01")
    assert found(story, RULE) == [("open", [initial])]
    first = reported(story, "+4d 12:00", "intermediate")
    assert settled_by(story, RULE) == [[first]]
    latest = reported(story, "+20d 12:00", "intermediate")
    story.at("+51d 11:00")
    assert [state for state, _ in found(story, RULE)] == ["settled"]
    story.at("+51d 12:01")
    assert found(story, RULE)[0] == ("open", [latest])


def test_reports_in_time(story):
    """Nothing to find, however long ago."""
    classified(story)
    reported(story, "12:00", "initial")
    reported(story, "+2d 12:00", "intermediate")
    reported(story, "+25d 12:00", "final")
    story.at("+300d 12:00")
    assert found(story, RULE) == []


def test_a_report_that_is_dated_back_is_late(story):
    """It counts from its recording."""
    start = classified(story)
    reported(story, "12:00", "initial", recorded="17:00")
    assert found(story, RULE) == [("settled", [start])]


@pytest.mark.parametrize("classification", ["not major", "non-major", "minor", "none"])
def test_what_asks_for_no_report(story, classification):
    """It was looked at, and is none."""
    classified(story, classification=classification)
    story.at("+90d 10:00")
    assert found(story, RULE) == []


def test_a_classification_that_is_taken_back(story):
    """In time there is nothing to find, later it settles."""
    start = classified(story)
    again = {"incident": "INC-1", "regime": "EU DORA", "criteria": {}}
    back = story.at("17:00").add("incident.classified", **again, classification="not major")
    assert found(story, RULE) == [("settled", [start])]
    assert settled_by(story, RULE) == [[back]]


def test_what_is_major_again(story):
    """The clock runs anew from that classification, and what was in time before stays so."""
    classified(story)
    again = {"incident": "INC-1", "regime": "EU DORA", "criteria": {}}
    story.at("12:00").add("incident.classified", **again, classification="not major")
    major = story.at("+2d 12:00").add("incident.classified", **again, classification="major")
    story.at("+2d 15:59")
    assert found(story, RULE) == []
    story.at("+2d 16:01")
    assert found(story, RULE) == [("open", [major])]


def test_a_regime_whose_clocks_are_not_known(story):
    """Nothing is made up."""
    classified(story, regime="NIS2")
    story.at("+90d 10:00")
    assert found(story, RULE) == []


def test_a_month_ends_on_its_last_day(story):
    """From the 31st of January to the 28th of February."""
    due = month_after(microseconds(instant("2026-01-31T12:00:00Z")))
    assert rfc3339(from_microseconds(due)) == "2026-02-28T12:00:00Z"
    due = month_after(microseconds(instant("2026-12-15T12:00:00Z")))
    assert rfc3339(from_microseconds(due)) == "2027-01-15T12:00:00Z"
