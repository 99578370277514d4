"""
What a slot's answer takes from incidents: which are active here, how grave, since when.

The whole life of an incident is told in `test_incident_lifecycle.py`.
"""

import pytest

WEB = {"service": "web", "environment": "production"}
API = {"service": "api", "environment": "production"}


@pytest.fixture
def live(story):
    """A since eight."""
    story.at("08:00").deployed("A")
    return story


def active(story, **query):
    return [(each["id"], each["severity"]) for each in story.slot(**query)["active_incidents"]]


def test_an_incident_that_was_never_declared_is_not_active_and_breaks_no_answer(live):
    """A relay that missed the first events: recorded, marked, harmless."""
    live.at("09:10").affected_changed("INC-1", add=[WEB])
    live.at("09:20").severity_changed("INC-1", "SEV-3", "SEV-1")
    live.at("09:30").acknowledged("INC-1")
    live.at("09:40").reopened("INC-1")
    assert active(live) == []
    assert live.good() == "A"


@pytest.mark.parametrize("step", ["acknowledged", "mitigated", "reopened"])
def test_a_detection_is_not_active_until_it_is_declared(live, step):
    """Whatever steps it takes."""
    live.at("09:10").detected("INC-1")
    getattr(live.at("09:30"), step)("INC-1")
    assert active(live) == []
    live.at("09:40").declared("INC-1", "SEV-2")
    assert active(live) == [("INC-1", "SEV-2")]


def test_an_incident_that_was_merged_twice_is_active_again_once_unmerged(live):
    """Two people merged it."""
    live.at("09:10").declared("INC-1", "SEV-1")
    live.at("09:30").merged("INC-1", "INC-2")
    live.at("09:31").merged("INC-1", "INC-3")
    assert active(live) == []
    live.at("09:32").unmerged("INC-1", "INC-3")
    assert active(live) == [("INC-1", "SEV-1")]


def test_an_incident_is_active_where_it_affects_from_when_it_does(live):
    """Declared for another service, felt here later, and then not any more."""
    live.at("09:00").declared("INC-1", "SEV-1", affected=[API])
    live.at("09:10").affected_changed("INC-1", add=[WEB])
    live.at("09:20").affected_changed("INC-1", remove=[WEB])
    assert [active(live, as_of=moment) for moment in ("09:00", "09:10", "09:20")] == [[], [("INC-1", "SEV-1")], []]


def test_a_slot_where_impact_is_felt_is_affected(live):
    """Its windows name slots too."""
    live.at("09:00").declared("INC-1", "SEV-2", affected=[API])
    live.at("09:10").impact_started("INC-1", affected=[WEB])
    assert active(live) == [("INC-1", "SEV-2")]


def test_a_slot_whose_version_is_only_named_is_not_affected(live):
    """Suspected or implicated from elsewhere."""
    live.at("09:00").declared("INC-1", "SEV-1", affected=[API])
    live.at("09:10").suspected("INC-1", "A")
    assert active(live) == []
    assert live.good() == "A"


def test_severity_is_the_last_recorded_among_those_not_after_the_moment(live):
    """Recorded order, whatever the times say; by as_of only those that had happened."""
    live.at("09:00").declared("INC-1", "SEV-3")
    live.at("10:00").severity_changed("INC-1", "SEV-3", "SEV-1")
    live.at("09:30", recorded="10:10").severity_changed("INC-1", "SEV-1", "SEV-2")
    assert active(live) == [("INC-1", "SEV-2")]
    assert active(live, as_of="09:45") == [("INC-1", "SEV-2")]
    assert active(live, known_at=3) == [("INC-1", "SEV-1")]


def test_a_declaration_after_the_resolution_was_recorded_does_not_open_it(live):
    """A relay's retry: state never moves back but by reopening."""
    live.at("10:00").resolved("INC-1")
    live.at("09:00").declared("INC-1", "SEV-1")
    assert active(live) == []
    assert active(live, as_of="09:30") == [("INC-1", "SEV-1")]


def test_an_end_of_impact_ends_neither_incident_nor_suspicion(live):
    """Only a person says that it is resolved."""
    live.at("09:00").declared("INC-1", "SEV-1")
    live.at("09:10").impact_started("INC-1")
    live.at("09:20").impact_ended("INC-1")
    assert active(live) == [("INC-1", "SEV-1")]
    assert live.good() is None


def test_a_retracted_declaration_was_none(live):
    """Now, and by known_at before it was."""
    declared = live.at("09:00").declared("INC-1", "SEV-1")
    live.at("09:10").retracted(declared)
    assert active(live) == []
    assert live.good() == "A"
    assert active(live, known_at=declared) == [("INC-1", "SEV-1")]


def test_a_corrected_severity_counts_as_if_it_had_been_said(live):
    """What was suspect is not, from the correction on."""
    declared = live.at("09:00").declared("INC-1", "SEV-1")
    live.at("09:10").corrected(declared, "severity", "SEV-3")
    assert active(live) == [("INC-1", "SEV-3")]
    assert live.good() == "A"
    assert live.good(known_at=declared) is None


def test_several_incidents_are_active_at_once(live):
    """Each with its own severity."""
    for name, severity in (("INC-1", "SEV-1"), ("INC-2", "SEV-2"), ("INC-3", "SEV-3")):
        live.at("09:00").declared(name, severity)
    assert sorted(active(live)) == [("INC-1", "SEV-1"), ("INC-2", "SEV-2"), ("INC-3", "SEV-3")]
    live.at("10:00").resolved("INC-2")
    assert sorted(active(live)) == [("INC-1", "SEV-1"), ("INC-3", "SEV-3")]
