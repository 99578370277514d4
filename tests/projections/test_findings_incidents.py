"""Who decides, who commands, and what follows an incident."""

import pytest

from ledger.values import from_microseconds, instant, microseconds, rfc3339
from projections.due import deadline
from tests.projections.asking import BOB, RELAY, found, rules, settled_by

JUDGED = {
    "sev1_without_decision",
    "response_deviates",
    "severity_downgraded_alone",
    "incident_without_commander",
    "postmortem_overdue",
    "action_overdue",
}


def commanded(story, incident="INC-1"):
    story.add("incident.role_assigned", incident=incident, role="commander", person="ada")
    return story


def test_an_incident_as_it_should_be(story):
    """Commanded, decided, resolved, its postmortem published: nothing to find."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    commanded(story.at("10:01"))
    story.at("10:02").decided("A", "r1", incident="INC-1")
    story.at("10:05").rolled_back("A", "r1")
    story.at("10:30").rollback_verified("r1")
    story.at("11:00").resolved("INC-1")
    story.at("+1d 11:00").add("postmortem.published", incident="INC-1")
    story.at("+30d 11:00")
    assert rules(story) == set()


# sev1_without_decision


def test_a_sev1_of_which_nobody_decides(story):
    """At once, and until somebody does; who decides late settles it."""
    declared = commanded(story.at("10:00")).declared("INC-1", "SEV-1")
    assert found(story, "sev1_without_decision") == [("open", [declared])]
    decided = story.at("10:20").declined("fix_forward", incident="INC-1")
    assert found(story, "sev1_without_decision") == [("settled", [declared])]
    assert settled_by(story, "sev1_without_decision") == [[decided]]


def test_a_sev1_that_was_decided_at_once(story):
    """For the incident, or for a slot that it affects; before it was even declared, too."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("10:00").detected("INC-1", "SEV-1")
    story.at("10:01").decided("A", "r1")
    story.at("10:03").declared("INC-1", "SEV-1")
    assert found(story, "sev1_without_decision") == []


def test_a_decision_elsewhere_decides_nothing_here(story):
    """Of another service, or for another incident."""
    declared = story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01").declined("none", service="other")
    story.at("10:01").declined("none", incident="INC-2")
    assert found(story, "sev1_without_decision") == [("open", [declared])]


def test_it_counts_from_when_it_became_sev1(story):
    """And a decision that is dated back counts from its recording."""
    story.at("10:00").declared("INC-1", "SEV-3")
    raised = story.at("11:00").severity_changed("INC-1", "SEV-3", "SEV-1")
    late = story.at("11:01", recorded="12:00").declined("none", incident="INC-1")
    assert found(story, "sev1_without_decision") == [("settled", [raised])]
    assert settled_by(story, "sev1_without_decision") == [[late]]


@pytest.mark.parametrize("more", [{"mode": "drill"}, {"kind": "maintenance"}])
def test_drills_and_maintenance_are_not_judged(story, more):
    """They are marked, and never counted."""
    story.at("10:00").declared("INC-1", "SEV-1", **more)
    story.at("11:00").severity_changed("INC-1", "SEV-1", "SEV-2")
    story.at("12:00").resolved("INC-1")
    story.at("+30d 10:00")
    assert rules(story) & JUDGED == set()


@pytest.mark.parametrize("leave", [lambda s: s.incident_cancelled("INC-1"), lambda s: s.merged("INC-1", "INC-2")])
def test_what_was_cancelled_or_merged_is_not_judged(story, leave):
    """It was none, or is judged with the one that it was merged into."""
    story.at("10:00").declared("INC-1", "SEV-1")
    leave(story.at("10:30"))
    story.at("+30d 10:00")
    assert rules(story, incident="INC-1") == set()


# response_deviates


def test_another_response_than_the_severity_asks_for(story):
    """Allowed, with a reason, and told. One that it does ask for settles it."""
    story.at("10:00").declared("INC-1", "SEV-1")
    declined = story.at("10:02").declined("fix_forward", incident="INC-1")
    assert found(story, "response_deviates") == [("open", [declined])]
    decided = story.at("10:20").decided("A", "r1", incident="INC-1")
    assert found(story, "response_deviates") == [("settled", [declined])]
    assert settled_by(story, "response_deviates") == [[decided]]


def test_what_another_severity_asks_for_settles_nothing(story):
    """It was lowered, and then what the lower one asks for was done."""
    story.at("10:00").declared("INC-1", "SEV-1")
    declined = story.at("10:02").declined("fix_forward", incident="INC-1")
    story.at("10:10").severity_changed("INC-1", "SEV-1", "SEV-2")
    story.at("10:20").feature_disabled("search", incident="INC-1", by=BOB)
    assert found(story, "response_deviates") == [("open", [declined])]


def test_a_rollback_for_a_sev3(story):
    """It asks for none."""
    story.at("10:00").declared("INC-1", "SEV-3")
    decided = story.at("10:02").decided("A", "r1", incident="INC-1")
    assert found(story, "response_deviates") == [("open", [decided])]


def test_the_response_that_the_severity_asks_for(story):
    """For a SEV-2 that is a rollback, or a feature switched off."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("10:02").feature_disabled("search", incident="INC-1", by=BOB)
    assert found(story, "response_deviates") == []


# severity_downgraded_alone


def test_one_person_lowers_a_severity(story):
    """Until another seconds it; one's own second is none."""
    story.at("10:00").declared("INC-1", "SEV-1")
    lowered = story.at("11:00").severity_changed("INC-1", "SEV-1", "SEV-2")
    story.at("11:01").add("decision.seconded", position=lowered)
    assert found(story, "severity_downgraded_alone") == [("open", [lowered])]
    seconded = story.at("11:05").add("decision.seconded", BOB, position=lowered)
    assert found(story, "severity_downgraded_alone") == [("settled", [lowered])]
    assert settled_by(story, "severity_downgraded_alone") == [[seconded]]


def test_a_second_that_was_retracted_is_none(story):
    """It was taken back."""
    story.at("10:00").declared("INC-1", "SEV-1")
    lowered = story.at("11:00").severity_changed("INC-1", "SEV-1", "SEV-2")
    seconded = story.at("11:05").add("decision.seconded", BOB, position=lowered)
    story.at("11:06").retracted(seconded)
    assert found(story, "severity_downgraded_alone") == [("open", [lowered])]


def test_a_second_by_the_same_person_under_another_name(story):
    """One has a token of her own, the other time a relay names her."""
    story.at("10:00").declared("INC-1", "SEV-1")
    lowered = story.at("11:00").severity_changed("INC-1", "SEV-1", "SEV-2")
    story.at("11:05").add("decision.seconded", RELAY, position=lowered, decided_by="Ada")
    names = {"person-ada": "ada"}
    assert found(story, "severity_downgraded_alone", name_of=names.get) == [("open", [lowered])]
    assert found(story, "severity_downgraded_alone")[0][0] == "settled"


def test_it_is_lowered_from_what_it_was_not_from_what_is_claimed(story):
    """Nobody lowers it by saying that it was low already."""
    story.at("10:00").declared("INC-1", "SEV-1")
    lowered = story.at("11:00").severity_changed("INC-1", "SEV-3", "SEV-3")
    assert found(story, "severity_downgraded_alone") == [("open", [lowered])]


def test_a_severity_that_was_raised(story):
    """Anybody may."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("11:00").severity_changed("INC-1", "SEV-3", "SEV-1")
    assert found(story, "severity_downgraded_alone") == []


# incident_without_commander


def test_nobody_is_in_command(story):
    """Who takes it late settles it."""
    declared = story.at("10:00").declared("INC-1", "SEV-2")
    assert found(story, "incident_without_commander") == [("open", [declared])]
    story.at("10:30").add("incident.role_assigned", incident="INC-1", role="scribe", person="bob")
    assert found(story, "incident_without_commander") == [("open", [declared])]
    assigned = story.at("11:00").add(
        "incident.role_assigned", incident="INC-1", role="incident commander", person="ada"
    )
    assert settled_by(story, "incident_without_commander") == [[assigned]]


def test_somebody_takes_command_soon(story):
    """A quarter of an hour is allowed; what nobody declared needs no commander."""
    story.at("09:00").detected("INC-2", "SEV-3")
    story.at("10:00").declared("INC-1", "SEV-2")
    commanded(story.at("10:14"))
    assert found(story, "incident_without_commander") == []


def test_a_commander_leaves_without_a_successor(story):
    """From their leaving on, if the incident goes on for long enough."""
    story.at("10:00").declared("INC-1", "SEV-2")
    commanded(story)
    left = story.at("12:00").add("incident.role_released", incident="INC-1", role="commander", person="ada")
    assert found(story, "incident_without_commander", as_of="12:14") == []
    story.at("13:00")
    assert found(story, "incident_without_commander") == [("open", [left])]
    assigned = story.at("13:10").add("incident.role_assigned", incident="INC-1", role="commander", person="bob")
    assert settled_by(story, "incident_without_commander") == [[assigned]]


def test_a_hand_over_and_an_end(story):
    """Neither leaves an incident without command."""
    story.at("10:00").declared("INC-1", "SEV-2")
    commanded(story)
    given = {"incident": "INC-1", "role": "commander", "person": "bob"}
    story.at("12:00").add("incident.role_assigned", **given, **{"from": "ada"})
    story.at("13:00").add("incident.role_released", **given)
    story.at("13:05").resolved("INC-1")
    story.at("+1d 10:00")
    assert found(story, "incident_without_commander") == []


# postmortem_overdue


def resolved(story, severity):
    commanded(story.at("10:00")).declared("INC-1", severity)
    return story.at("12:00").resolved("INC-1")


def test_a_postmortem_of_a_sev1_is_due_in_three_days(story):
    """Approved, published or waived; one that is only started is not finished."""
    end = resolved(story, "SEV-1")
    story.at("+1d 12:00").add("postmortem.started", incident="INC-1", owner="ada")
    assert found(story, "postmortem_overdue", as_of="+1d 12:00") == []
    story.at("+3d 12:01")
    assert found(story, "postmortem_overdue") == [("open", [end])]
    approved = story.at("+4d 12:00").add("postmortem.approved", incident="INC-1")
    assert found(story, "postmortem_overdue") == [("settled", [end])]
    assert settled_by(story, "postmortem_overdue") == [[approved]]


def test_a_postmortem_of_a_sev2_is_due_in_five_working_days(story):
    """From Monday to Monday."""
    end = resolved(story, "SEV-2")
    story.at("+7d 11:59")
    assert found(story, "postmortem_overdue") == []
    story.at("+7d 12:01")
    assert found(story, "postmortem_overdue") == [("open", [end])]


@pytest.mark.parametrize(
    "at,due",
    [
        ("2026-03-06T17:00:00Z", "2026-03-13T17:00:00Z"),
        ("2026-03-07T12:00:00Z", "2026-03-13T12:00:00Z"),
        ("2026-03-08T12:00:00Z", "2026-03-13T12:00:00Z"),
        ("2026-03-02T12:00:00Z", "2026-03-09T12:00:00Z"),
    ],
)
def test_working_days_leave_out_weekends(at, due):
    """From a Friday, a Saturday, a Sunday and a Monday."""
    assert rfc3339(from_microseconds(deadline("SEV-2", microseconds(instant(at))))) == due


@pytest.mark.parametrize("finished", ["approved", "published", "waived"])
def test_a_postmortem_in_time(story, finished):
    """However it was finished."""
    resolved(story, "SEV-1")
    story.at("+2d 12:00").add(f"postmortem.{finished}", incident="INC-1")
    story.at("+30d 12:00")
    assert found(story, "postmortem_overdue") == []


def test_no_postmortem_is_asked_for(story):
    """Of a SEV-3, or of one that is not over."""
    resolved(story, "SEV-3")
    story.at("12:30").declared("INC-2", "SEV-1")
    story.at("+30d 12:00")
    assert found(story, "postmortem_overdue") == []


def test_the_gravest_severity_counts_and_an_earlier_due_date(story):
    """What it was lowered to makes nothing less; a team may ask for more of itself."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").severity_changed("INC-1", "SEV-1", "SEV-3")
    end = story.at("12:00").resolved("INC-1")
    story.at("13:00").add("postmortem.started", incident="INC-1", owner="ada", due="2026-03-03")
    assert found(story, "postmortem_overdue", as_of="+1d 23:59") == []
    story.at("+2d 00:00")
    assert found(story, "postmortem_overdue") == [("open", [end])]


def test_a_postmortem_that_is_dated_back_is_late(story):
    """It counts as long after the resolution as it was recorded after it."""
    resolved(story, "SEV-1")
    story.at("+2d 12:00", recorded="+9d 12:00").add("postmortem.published", incident="INC-1")
    assert [state for state, _ in found(story, "postmortem_overdue")] == ["settled"]


def test_an_incident_that_was_recorded_afterwards_is_judged_by_its_dates(story):
    """All of it was imported in one go."""
    for at, tell in {
        "10:00": lambda: story.declared("INC-1", "SEV-1"),
        "10:01": lambda: commanded(story),
        "10:02": lambda: story.declined("none", incident="INC-1"),
        "12:00": lambda: story.resolved("INC-1"),
        "+2d 12:00": lambda: story.add("postmortem.published", incident="INC-1"),
    }.items():
        story.at(at, recorded="+300d 10:00")
        tell()
    assert rules(story) & (JUDGED - {"response_deviates"}) == set()


# action_overdue


def test_an_action_that_was_not_done_when_it_was_due(story):
    """By the end of its day; what ends it late settles it."""
    resolved(story, "SEV-3")
    told = {"incident": "INC-1", "action_id": "a1", "text": "test it", "kind": "test", "owner": "ada"}
    added = story.at("13:00").add("postmortem.action_added", **told, due="2026-03-10")
    story.at("+8d 23:59")
    assert found(story, "action_overdue") == []
    story.at("+9d 00:01")
    assert found(story, "action_overdue") == [("open", [added])]
    done = story.at("+10d 10:00").add("postmortem.action_completed", incident="INC-1", action_id="a1")
    assert found(story, "action_overdue") == [("settled", [added])]
    assert settled_by(story, "action_overdue") == [[done]]


def test_an_action_in_time_or_without_a_date(story):
    """Done, cancelled, put off by adding it anew, or never due."""
    resolved(story, "SEV-3")
    told = {"incident": "INC-1", "text": "test it", "kind": "test", "owner": "ada"}
    due = {"due": "2026-03-10T10:00:00+01:00"}
    story.at("13:00").add("postmortem.action_added", **told, action_id="done", **due)
    story.at("13:00").add("postmortem.action_added", **told, action_id="cancelled", **due)
    story.at("13:00").add("postmortem.action_added", **told, action_id="put off", **due)
    story.at("13:00").add("postmortem.action_added", **told, action_id="some day")
    story.at("+1d 10:00").add("postmortem.action_completed", incident="INC-1", action_id="done")
    story.at("+1d 10:00").add("postmortem.action_cancelled", incident="INC-1", action_id="cancelled")
    story.at("+1d 10:00").add("postmortem.action_added", **told, action_id="put off", due="9999-12-31")
    story.at("+30d 10:00")
    assert found(story, "action_overdue") == []


def test_an_action_that_is_put_off_when_it_was_due_already(story):
    """It was not done in time, whatever it is due by now: the later date settles it, and has its own delay."""
    resolved(story, "SEV-3")
    told = {"incident": "INC-1", "action_id": "a1", "text": "test it", "kind": "test", "owner": "ada"}
    added = story.at("13:00").add("postmortem.action_added", **told, due="2026-03-03")
    again = story.at("+5d 10:00").add("postmortem.action_added", **told, due="2026-03-10")
    assert found(story, "action_overdue") == [("settled", [added])]
    assert settled_by(story, "action_overdue") == [[again]]
    story.at("+9d 10:00")
    assert found(story, "action_overdue") == [("open", [again]), ("settled", [added])]


def test_an_action_that_was_open_again(story):
    """Done in time at first; what it is due by the second time is judged by itself."""
    resolved(story, "SEV-3")
    told = {"incident": "INC-1", "action_id": "a1", "text": "test it", "kind": "test", "owner": "ada"}
    story.at("13:00").add("postmortem.action_added", **told, due="2026-03-03")
    story.at("14:00").add("postmortem.action_completed", incident="INC-1", action_id="a1")
    again = story.at("+5d 10:00").add("postmortem.action_added", **told, due="2026-03-10")
    story.at("+9d 10:00")
    assert found(story, "action_overdue") == [("open", [again])]


# contradictory_times


def test_an_incident_that_was_resolved_before_it_was_declared(story):
    """Correcting a time takes the finding away, and not from what was known before."""
    story.at("10:00").declared("INC-1", "SEV-2")
    end = story.at("09:00", recorded="11:00").resolved("INC-1")
    assert found(story, "contradictory_times") == [("open", [end])]
    story.at("12:00").corrected(end, "time", "2026-03-02T10:30:00Z")
    assert found(story, "contradictory_times") == []
    assert found(story, "contradictory_times", known_at=end) == [("open", [end])]


def test_times_that_can_all_be_right(story):
    """Impact is known only afterwards; skipped steps contradict nothing."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("09:30", recorded="10:30").impact_started("INC-1")
    story.at("10:45").impact_ended("INC-1")
    story.at("11:00").closed("INC-1")
    assert found(story, "contradictory_times") == []
