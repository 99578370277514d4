"""The rules of an incident: what is recorded with a warning. Nothing here refuses anything."""

import pytest

from ledger import incident
from ledger.disclosures import REDACTED
from ledger.events import EVENTS
from tests.dsl import declared, detected, event, given

TOPICS = sorted(topic for topic, cls in EVENTS.items() if cls.STREAM[0] == "incident")
ANNOUNCING = {"incident.detected", "incident.declared"}


@pytest.mark.parametrize("topic", sorted(set(TOPICS) - ANNOUNCING))
def test_an_incident_nobody_announced_is_told(topic):
    """Detected or declared; the event is recorded all the same."""
    given().when(event(topic)).then("unknown_incident", saying="INC-1")
    given(detected()).when(event(topic)).then_not("unknown_incident")
    given(declared()).when(event(topic)).then_not("unknown_incident")
    given(declared(incident="INC-2")).when(event(topic)).then("unknown_incident")


@pytest.mark.parametrize("topic", sorted(ANNOUNCING))
def test_announcing_an_incident_needs_no_announcement(topic):
    """The first report comes from nowhere."""
    given().when(event(topic)).then()


def test_being_written_about_does_not_announce_an_incident():
    """A misspelt id stays unknown, however often it is used."""
    note = event("incident.note_added")
    given(note, note).when(note).then("unknown_incident")


def test_a_severity_that_starts_elsewhere_is_told():
    """Two people changed it at once, or one looked at an old page."""
    change = event("incident.severity_changed", from_="SEV-2", to="SEV-1")
    given(declared(severity="SEV-2")).when(change).then()
    given(declared(severity="SEV-3")).when(change).then("from_mismatch", saying="SEV-3, not SEV-2")
    given(declared(severity="SEV-2"), change).when(change).then("from_mismatch")
    given(detected()).when(change).then()


@pytest.mark.parametrize("topic", TOPICS)
def test_replay_takes_whatever_happened(topic):
    """Rules may be tightened: old history still loads."""
    incident.evolve(incident.State(), event(topic))


def test_a_redacted_title_is_no_title():
    """It must not come back as the reason of a rollback."""
    state = incident.evolve(incident.State(), declared(title=REDACTED))
    assert (state.announced, state.title) == (True, None)


def test_a_copy_of_a_state_goes_its_own_way():
    """A refused command leaves no trace in the state."""
    state = incident.evolve(incident.State(), declared(title="slow", severity="SEV-2"))
    incident.evolve(state.copy(), declared(title="down", severity="SEV-1"))
    assert (state.title, state.severity) == ("slow", "SEV-2")
