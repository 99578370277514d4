"""By when a postmortem is due."""

import pytest

from ledger.values import from_microseconds, instant, microseconds, rfc3339
from projections import due


def of(story, asked=None):
    """When the postmortem of INC-1 is due, as text."""
    with story.answers.at(story.moment()) as reader:
        state = reader.state("incident/INC-1")
        found = due.postmortem(state, asked)
    return None if found is None else rfc3339(from_microseconds(found))


def resolved(story, severity, **more):
    story.at("10:00").declared("INC-1", severity, **more)
    story.at("12:00").resolved("INC-1")
    return story


def test_by_severity(story):
    """Three days for a SEV-1; told again after a later resolution."""
    assert of(resolved(story, "SEV-1")) == "2026-03-05T12:00:00Z"
    story.at("13:00").reopened("INC-1")
    assert of(story) is None
    story.at("15:00").resolved("INC-1")
    assert of(story) == "2026-03-05T15:00:00Z"


@pytest.mark.parametrize("severity", ["SEV-2", "SEV-1"])
def test_an_earlier_day_that_was_asked_for(story, severity):
    """Counts, to its end; a later one takes nothing away."""
    assert of(resolved(story, severity), "2026-03-03") == "2026-03-03T23:59:59.999999Z"
    assert of(story, "2026-12-24T12:00:00+01:00") == of(story)


def test_what_asks_for_none(story):
    """A SEV-3, unless its owner was given a day; and a drill."""
    assert of(resolved(story, "SEV-3")) is None
    assert of(story, "2026-03-03T12:00:00+01:00") == "2026-03-03T11:00:00Z"


def test_a_drill_asks_for_none(story):
    """It is practised, not owed."""
    assert of(resolved(story, "SEV-1", mode="drill")) is None


def test_a_day_ends_with_its_last_moment():
    """In UTC; a moment is itself."""
    assert due.end_of("2026-03-02") == microseconds(instant("2026-03-02T23:59:59.999999Z"))
    assert due.end_of("2026-03-02T10:00:00+01:00") == microseconds(instant("2026-03-02T09:00:00Z"))
