"""The state of an incident: steps, cycles, severity, roles, impact, merging, and what is marked."""

import pytest

from ledger.values import microseconds, stream_name
from projections import incident_list
from projections.incident_marks import marks
from projections.telling import own
from tests.projections.story import time

WEB = {"service": "web", "environment": "production"}
SHOP = {"service": "shop", "environment": "production"}


def at(text):
    return microseconds(time(text))


def state(story, name="INC-1", as_of=None, known_at=None):
    """The incident at a moment; now and folded from nothing must not differ."""
    moment = story.moment(as_of, known_at)
    with story.answers.at(moment) as reader:
        found = reader.state(stream_name("incident", name))
        assert found == reader.folded(stream_name("incident", name), reader.moment).state
        return found


def marked(story, name="INC-1"):
    with story.answers.at(story.moment()) as reader:
        stream = stream_name("incident", name)
        facts = [each.fact for each in own(stream, reader.moment, reader.record, reader.tables) if each.counts]
        return [each.code for each in marks(reader.state(stream), facts)]


def steps(found):
    return [[each.name for each in cycle] for cycle in found.cycles]


def test_an_incident_goes_from_detected_to_closed(story):
    """Each step dates itself; the state is the last one reached."""
    story.at("10:00").detected("INC-1", "SEV-1")
    assert (state(story).state, state(story).active) == ("detected", False)
    story.at("10:02").declared("INC-1", "SEV-1")
    story.at("10:03").acknowledged("INC-1")
    assert (state(story).state, state(story).active) == ("acknowledged", True)
    story.at("10:20").mitigated("INC-1")
    assert state(story).active
    story.at("11:00").resolved("INC-1")
    assert not state(story).active
    story.at("+2d 10:00").closed("INC-1")
    found = state(story)
    assert found.state == "closed"
    assert found.first("acknowledged").at == at("10:03")
    assert found.ended == at("11:00"), "it was over when it was resolved"
    assert state(story, as_of="10:19").state == "acknowledged"
    assert marked(story) == []


def test_a_skipped_step_stays_unknown(story):
    """No time is ever copied from another."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("11:00").closed("INC-1")
    found = state(story)
    assert found.state == "closed"
    assert [found.first(name) for name in ("detected", "acknowledged", "mitigated", "resolved")] == [None] * 4
    assert found.ended == at("11:00")
    assert marked(story) == []


@pytest.mark.parametrize("late", ["acknowledged", "mitigated", "declared"])
def test_the_state_never_moves_back(story, late):
    """A step that comes after a later one dates itself, and is marked."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").resolved("INC-1")
    getattr(story.at("10:10", recorded="12:00"), late)("INC-1", "SEV-1")
    assert state(story).state == "resolved"
    assert "contradictory_step" in marked(story)


def test_what_is_recorded_late_takes_its_step_at_its_own_time(story):
    """An acknowledgement that was noted after the end of the shift."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05", recorded="10:45").acknowledged("INC-1")
    assert state(story).first("acknowledged").at == at("10:05")
    assert state(story, as_of="10:06").state == "acknowledged"
    assert state(story, known_at=1, as_of="10:00").state == "declared"
    assert marked(story) == ["late_record"]


def test_a_resolution_recorded_before_the_declaration_does_not_leave_it_open(story):
    """Recorded order moves the state; times only date it."""
    story.at("11:00").resolved("INC-1")
    story.at("10:00", recorded="12:00").declared("INC-1", "SEV-1")
    found = state(story)
    assert (found.state, found.active, found.severity) == ("resolved", False, "SEV-1")


def test_a_resolution_that_claims_an_earlier_time_than_the_declaration_is_kept_and_marked(story):
    """Real ones were resolved before they began."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("09:00", recorded="10:30").resolved("INC-1")
    found = state(story)
    assert (found.state, found.ended, found.first("declared").at) == ("resolved", at("09:00"), at("10:00"))
    assert "contradictory_times" in marked(story)


def test_reopening_starts_a_new_cycle_and_the_first_is_kept(story):
    """The headline is the last resolution, the first stands beside it."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("11:00").resolved("INC-1")
    story.at("11:30").reopened("INC-1")
    assert (state(story).state, state(story).active, state(story).ended) == ("declared", True, None)
    story.at("12:00").resolved("INC-1")
    found = state(story)
    assert steps(found) == [["declared", "resolved"], ["reopened", "resolved"]]
    assert (found.ended, found.first("resolved").at) == (at("12:00"), at("11:00"))
    assert marked(story) == []


def test_reopening_what_is_open_is_marked(story):
    """And what nobody declared is not declared by it."""
    story.at("10:00").detected("INC-1")
    story.at("10:10").reopened("INC-1")
    assert (state(story).state, state(story).active) == ("detected", False)
    assert marked(story) == ["contradictory_step"]


def test_cancelling_takes_it_out_and_reopening_brings_it_back(story):
    """A side exit that only a person goes back from."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").incident_cancelled("INC-1")
    story.at("10:20").acknowledged("INC-1")
    assert (state(story).state, state(story).active) == ("cancelled", False)
    story.at("10:30").reopened("INC-1")
    assert state(story).active


def test_severity_has_a_first_a_worst_and_a_last_and_a_time_in_each(story):
    """Spans end with the incident and begin again when it is reopened."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("10:10").severity_changed("INC-1", "SEV-2", "SEV-1")
    story.at("10:40").severity_changed("INC-1", "SEV-1", "SEV-3")
    story.at("11:00").resolved("INC-1")
    story.at("12:00").reopened("INC-1")
    found = state(story)
    assert [each.name for each in found.severities] == ["SEV-2", "SEV-1", "SEV-3"]
    spans = [(each.severity, each.start, each.end) for each in found.spans]
    assert spans == [
        ("SEV-2", at("10:00"), at("10:10")),
        ("SEV-1", at("10:10"), at("10:40")),
        ("SEV-3", at("10:40"), at("11:00")),
        ("SEV-3", at("12:00"), None),
    ]
    assert found.grave == [(at("10:00"), at("10:40"))]


def test_a_change_that_starts_from_another_severity_or_priority_is_recorded_and_marked(story):
    """Two people at once, or an old page."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("10:10").severity_changed("INC-1", "SEV-3", "SEV-1")
    story.at("10:11").add("incident.priority_changed", incident="INC-1", to="P1")
    story.at("10:12").add("incident.priority_changed", incident="INC-1", to="P2", **{"from": "P3"})
    found = state(story)
    assert (found.severity, found.priority) == ("SEV-1", "P2")
    assert marked(story) == ["from_mismatch", "from_mismatch"]


def test_an_incident_that_nobody_announced_is_marked_and_breaks_nothing(story):
    """A misspelt id."""
    story.at("10:00").add("incident.note_added", incident="INC-1", text="who?")
    found = state(story)
    assert (found.state, found.active, found.heard) == (None, False, at("10:00"))
    assert marked(story) == ["unknown_incident"]


def role(story, person, role="commander", **more):
    more = {name.rstrip("_"): value for name, value in more.items()}
    return story.add("incident.role_assigned", incident="INC-1", role=role, person=person, **more)


def held(story):
    return [(each.role, each.person, each.start, each.end) for each in state(story).holdings]


def test_a_role_is_handed_over(story):
    """Who held what, and when."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01")
    role(story, "ana")
    story.at("12:00")
    role(story, "ben", from_="ana", briefing="all quiet")
    assert held(story) == [
        ("commander", "ana", at("10:01"), at("12:00")),
        ("commander", "ben", at("12:00"), None),
    ]
    assert marked(story) == []


def test_the_command_is_one_persons_and_other_roles_may_be_shared(story):
    """A second commander takes over; a second scribe writes along."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01")
    role(story, "ana", "Incident Commander")
    role(story, "chi", "scribe")
    story.at("10:05")
    role(story, "ben")
    role(story, "dev", "scribe")
    role(story, "dev", "scribe")
    assert [(role, person) for role, person, _, end in held(story) if end is None] == [
        ("scribe", "chi"),
        ("commander", "ben"),
        ("scribe", "dev"),
    ]


def test_a_role_taken_from_who_does_not_have_it_is_given_and_marked(story):
    """And so is a release of somebody who does not have it."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01")
    role(story, "ben", from_="ana")
    story.add("incident.role_released", incident="INC-1", role="scribe", person="chi")
    assert held(story) == [("commander", "ben", at("10:01"), None)]
    assert marked(story) == ["from_mismatch", "from_mismatch"]


def windows(story):
    return [(each.name, each.start, each.end) for each in state(story).windows]


def test_impact_has_several_windows_named_or_not(story):
    """A start without a name after the end of the last one begins another; named ones keep apart."""
    story.at("10:00").impact_started("INC-1")
    story.at("10:30").impact_ended("INC-1")
    story.at("11:00").impact_started("INC-1")
    story.at("11:10").impact_started("INC-1", window="eu")
    story.at("11:20").impact_ended("INC-1", window="eu")
    story.at("11:30").impact_ended("INC-1")
    assert windows(story) == [
        ("", at("10:00"), at("10:30")),
        ("", at("11:00"), at("11:30")),
        ("eu", at("11:10"), at("11:20")),
    ]


def test_the_latest_recorded_bounds_of_a_window_win(story):
    """Estimates get better; an end that names no window closes all that are open."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("09:50", recorded="10:05").impact_started("INC-1")
    story.at("09:40", recorded="10:30").impact_started("INC-1")
    story.at("10:10", recorded="10:31").impact_started("INC-1", window="eu", affected=[SHOP])
    story.at("10:40").impact_ended("INC-1")
    story.at("10:35", recorded="11:00").impact_ended("INC-1", window="eu")
    assert windows(story) == [("", at("09:40"), at("10:40")), ("eu", at("10:10"), at("10:35"))]
    assert ("shop", "production") in state(story).affected
    assert state(story).began == at("09:40")


def test_impact_that_ends_before_it_starts_is_marked(story):
    """No silent reordering."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:00").impact_started("INC-1")
    story.at("09:00", recorded="10:30").impact_ended("INC-1")
    assert windows(story) == [("", at("10:00"), at("09:00"))]
    assert "contradictory_times" in marked(story)


def test_merging_leads_elsewhere_and_unmerging_back(story):
    """Merged twice by two people, unmerged once."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05").acknowledged("INC-1")
    story.at("10:10").merged("INC-1", "INC-2")
    story.at("10:11").merged("INC-1", "INC-2")
    found = state(story)
    assert (found.state, found.merged_into, found.active, found.ended) == ("merged", "INC-2", False, at("10:11"))
    story.at("10:20").unmerged("INC-1", "INC-2")
    found = state(story)
    assert (found.state, found.merged_into, found.active) == ("acknowledged", None, True)
    story.at("10:30").unmerged("INC-1", "INC-2")
    assert state(story).state == "acknowledged"
    assert marked(story) == ["contradictory_step", "contradictory_step"]


def test_a_drill_and_maintenance_are_marked_and_not_counted(story):
    """Never deleted either."""
    story.at("10:00").declared("INC-1", "SEV-1", mode="drill")
    story.at("10:00").declared("INC-2", "SEV-1", kind="maintenance")
    story.at("10:00").declared("INC-3", "SEV-1")
    assert [state(story, name).counted for name in ("INC-1", "INC-2", "INC-3")] == [False, False, True]
    assert state(story).grave == []


def test_a_corrected_time_and_a_retracted_step_change_the_state_from_their_recording_on(story):
    """And none before."""
    story.at("10:00").declared("INC-1", "SEV-1")
    resolved = story.at("11:00").resolved("INC-1")
    corrected = story.at("12:00").corrected(resolved, "time", "2026-03-02T10:50:00Z")
    assert state(story).ended == at("10:50")
    assert state(story, known_at=corrected - 1).ended == at("11:00")
    story.at("13:00").retracted(resolved)
    assert state(story).active
    assert state(story, known_at=corrected).ended == at("10:50")


def listed(story, as_of=None, **filters):
    """The ids of the incidents that match; from the table and folded they must not differ."""
    with story.answers.at(story.moment(as_of)) as reader:
        everything = [reader.state(each) for each in incident_list.streams(reader.tables.db)]
        chosen = incident_list.choose(everything, filters, None, -1)
        if as_of is None:
            rows = incident_list.page(reader.tables.db, filters, None, -1)
            assert rows == [stream_name("incident", each.id) for each in chosen]
            first = incident_list.page(reader.tables.db, filters, None, 1)
            rest = incident_list.page(reader.tables.db, filters, incident_list.order(chosen[0]), -1) if chosen else []
            assert first + rest == rows
        return [each.id for each in chosen]


def test_incidents_are_listed_by_state_severity_place_mode_and_newest_first(story):
    """From the table now, folded at any other moment."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").declared("INC-2", "SEV-2", affected=[SHOP])
    story.at("11:00").declared("INC-3", "SEV-1", affected=[], mode="drill")
    story.at("12:00").resolved("INC-1")
    story.at("12:30").affected_changed("INC-2", add=[WEB], remove=[SHOP])
    assert listed(story) == ["INC-3", "INC-2", "INC-1"]
    assert listed(story, active=True) == ["INC-3", "INC-2"]
    assert listed(story, state="resolved") == ["INC-1"]
    assert listed(story, severity="SEV-1") == ["INC-3", "INC-1"]
    assert listed(story, mode="drill") == ["INC-3"]
    assert listed(story, service="web") == ["INC-2", "INC-1"]
    assert listed(story, service="shop", environment="production") == []
    assert listed(story, as_of="12:10", service="shop", environment="production") == ["INC-2"]
    assert listed(story, as_of="11:59", active=True) == ["INC-3", "INC-2", "INC-1"]


def test_an_incident_whose_only_event_was_retracted_is_listed_no_more(story):
    """It was never there."""
    told = story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").retracted(told)
    assert listed(story) == []
    assert listed(story, as_of="10:00") == []
