"""The rules of an incident's whole life: steps, times, severities, roles and actions that cannot be so."""

from datetime import UTC, datetime

import pytest

from ledger import incident
from ledger.disclosures import REDACTED
from tests.dsl import Told, declared, detected, event, given

acknowledged = event("incident.acknowledged")
mitigated = event("incident.mitigated")
resolved = event("incident.resolved")
closed = event("incident.closed")
cancelled = event("incident.cancelled")
reopened = event("incident.reopened")
merged = event("incident.merged", into="INC-2")
unmerged = event("incident.unmerged", into="INC-2")

STEP = "contradictory_step"


def at(clock, happened):
    """An event and when it happened, on one day."""
    return happened, datetime.combine(
        datetime(2026, 3, 2, tzinfo=UTC), datetime.strptime(clock, "%H:%M").time(), tzinfo=UTC
    )


def told(*before, coming):
    """The warnings of an event that comes after others, each with its time."""
    state = incident.State()
    for each, happened in before:
        state = incident.evolve(state, each, happened)
    return Told(incident.decide(state, *coming))


def test_a_life_without_detours_needs_no_word():
    """From detection to the end, and once more after reopening."""
    life = [detected(), declared(), acknowledged, mitigated, resolved, reopened, acknowledged, resolved, closed]
    for index, coming in enumerate(life):
        given(*life[:index]).when(coming).then()


def test_steps_may_be_skipped():
    """Small incidents are declared and closed."""
    given(detected()).when(resolved).then()
    given(declared()).when(closed).then()


@pytest.mark.parametrize("again", [acknowledged, mitigated, resolved])
def test_a_step_that_was_taken_or_passed_is_told(again):
    """State never moves back."""
    given(declared(), again).when(again).then(STEP, saying="already")
    given(declared(), closed).when(again).then(STEP, saying="is closed already")


def test_declaring_what_is_declared_is_told():
    """Two people at once; the second sees that the first did."""
    given(declared()).when(declared()).then(STEP, saying="is declared already")


def test_another_detection_is_worth_a_word_only_when_the_incident_is_over():
    """Machines go on detecting while people work."""
    given(declared(), acknowledged).when(detected()).then()
    given(declared(), resolved).when(detected()).then(STEP, saying="does not reopen it")


@pytest.mark.parametrize("over", [resolved, closed, cancelled])
def test_only_what_is_over_can_be_reopened(over):
    """Resolved, closed or cancelled."""
    given(declared(), over).when(reopened).then()
    given(declared(), over, reopened).when(reopened).then(STEP, saying="nothing to reopen")


def test_what_was_cancelled_goes_on_only_when_it_is_reopened():
    """A false alarm that was none."""
    given(declared(), cancelled).when(acknowledged).then(STEP, saying="reopen it first")
    given(declared(), cancelled).when(cancelled).then(STEP)
    given(declared(), closed).when(cancelled).then(STEP)
    given(declared(), resolved).when(cancelled).then()


def test_merging_and_unmerging_go_together():
    """What was merged goes on elsewhere until it is unmerged."""
    given(declared()).when(merged).then()
    given(declared(), resolved).when(merged).then()
    given(declared()).when(unmerged).then(STEP, saying="not merged")
    given(declared(), merged).when(merged).then(STEP, saying="is merged into INC-2")
    given(declared(), merged).when(resolved).then(STEP, saying="is merged into INC-2")
    given(declared(), merged).when(unmerged).then()
    given(declared(), merged, unmerged).when(acknowledged).then()
    given(declared(), merged, merged, unmerged).when(acknowledged).then()
    given(declared(), merged).when(event("incident.unmerged", into="INC-3")).then("from_mismatch")


def test_nothing_is_merged_into_itself():
    """The link would lead nowhere."""
    given(declared()).when(event("incident.merged", into="INC-1")).then("merged_into_itself")


def test_a_priority_that_starts_elsewhere_is_told():
    """Only where the change says what it starts from."""
    change = event("incident.priority_changed", to="P2", from_="P1")
    given(declared()).when(change).then("from_mismatch", saying="priority none, not P1")
    given(declared(), event("incident.priority_changed", to="P1")).when(change).then()
    given(declared(), change).when(event("incident.priority_changed", to="P1")).then()


def given_to(person, **more):
    return event("incident.role_assigned", role="commander", person=person, **more)


def test_a_role_is_handed_over_by_who_has_it():
    """Else somebody thinks that they are in command."""
    given(declared(), given_to("ana")).when(given_to("ben", from_="ana")).then()
    given(declared(), given_to("chi")).when(given_to("ben", from_="ana")).then("from_mismatch")
    given(declared(), given_to("ana"), given_to("ben", from_="ana")).when(given_to("chi", from_="ana")).then(
        "from_mismatch"
    )


def test_a_role_is_released_by_who_has_it():
    """A name is not repeated in a warning."""
    released = event("incident.role_released", role="commander", person="ana")
    given(declared(), given_to("ana")).when(released).then()
    given(declared()).when(released).then("from_mismatch", saying="commander of INC-1 is not held")
    given(declared(), given_to("ana"), released).when(released).then("from_mismatch")


def test_a_redacted_name_may_be_anybodys():
    """What was forgotten can't contradict."""
    given(declared(), given_to(REDACTED)).when(given_to("ben", from_="ana")).then()


def test_an_impact_that_ends_has_started():
    """Also a window that nobody opened."""
    started, ended = event("incident.impact_started"), event("incident.impact_ended")
    given(declared(), started).when(ended).then()
    given(declared()).when(ended).then("unknown_window")
    given(declared(), started).when(event("incident.impact_ended", window="eu")).then("unknown_window", saying="eu")


def test_postmortem_actions_are_known_and_open():
    """A misspelt action is never done."""
    added = event("postmortem.action_added", action_id="A-1")
    for how in ("completed", "cancelled"):
        done = event(f"postmortem.action_{how}", action_id="A-1")
        given(declared()).when(done).then("unknown_action", saying="A-1")
        given(declared(), added).when(done).then()
        given(declared(), added, done).when(done).then(STEP, saying="finished already")


@pytest.mark.parametrize("verdict", ["reviewed", "approved", "published"])
def test_a_postmortem_is_judged_once_it_was_started(verdict):
    """Waiving needs none."""
    given(declared()).when(event(f"postmortem.{verdict}")).then(STEP, saying="nobody started a postmortem")
    given(declared(), event("postmortem.started")).when(event(f"postmortem.{verdict}")).then()
    given(declared()).when(event("postmortem.waived")).then()


def test_a_step_before_the_one_it_follows_is_told():
    """In either order of recording."""
    told(at("11:00", declared()), coming=at("10:00", resolved)).then("contradictory_times", saying="before declared")
    told(at("10:00", resolved), coming=at("11:00", resolved)).then("unknown_incident")
    told(at("10:00", detected()), at("10:30", resolved), coming=at("11:00", declared())).then(
        STEP, "contradictory_times", saying="after resolved"
    )
    told(at("10:00", declared()), coming=at("10:00", resolved)).then()


def test_each_cycle_has_its_own_times():
    """What is resolved again is not before the first resolution by mistake."""
    life = [at("10:00", declared()), at("11:00", resolved)]
    told(*life, coming=at("10:59", reopened)).then("contradictory_times")
    told(*life, coming=at("11:30", reopened)).then()
    told(*life, at("11:30", reopened), coming=at("11:20", resolved)).then(
        "contradictory_times", saying="before reopened"
    )
    told(*life, at("11:30", reopened), coming=at("12:00", resolved)).then()


def test_a_severity_changed_before_it_was_given_is_told():
    """Afterwards, at any time."""
    change = event("incident.severity_changed")
    told(at("10:00", declared()), coming=at("09:59", change)).then("contradictory_times")
    told(at("10:00", declared()), at("11:00", resolved), coming=at("11:30", change)).then()


def test_an_impact_that_ends_before_it_starts_is_told():
    """In either order of recording; each window has its own bounds."""
    life, started = [at("10:00", declared())], event("incident.impact_started")
    ended = event("incident.impact_ended")
    told(*life, at("10:00", started), coming=at("09:00", ended)).then("contradictory_times")
    told(*life, at("10:00", started), at("10:30", ended), coming=at("10:40", started)).then("contradictory_times")
    told(*life, at("10:00", started), coming=at("10:30", ended)).then()


def test_what_happened_at_an_unknown_time_contradicts_nothing():
    """No time is imputed."""
    told((declared(), None), coming=at("09:00", resolved)).then()
    told(at("11:00", declared()), coming=(resolved, None)).then()


def test_a_copy_shares_nothing_that_changes():
    """A refused command leaves no trace in the state."""
    state = incident.State()
    for each in (declared(), given_to("ana"), event("incident.impact_started"), event("postmortem.action_added")):
        state = incident.evolve(state, each)
    copy = state.copy()
    for each in (given_to("ben"), event("incident.impact_ended"), event("postmortem.action_completed"), resolved):
        incident.evolve(copy, each)
    assert copy != state
    assert (state.step, state.holders["commander"], list(state.actions.values())) == ("declared", {"ana"}, [True])
