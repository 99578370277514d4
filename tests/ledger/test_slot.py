"""The rules of a slot: what is recorded with a warning. Nothing here refuses anything."""

import pytest

from ledger import slot
from ledger.events import EVENTS, RollbackDecided
from tests.dsl import decided_rollback, deployed, event, given, released


def test_a_rollback_to_a_version_that_ran_here_raises_no_eyebrow():
    """Deployed or released, it is proven to start here."""
    given(deployed("1.4"), deployed("1.5")).when(decided_rollback("1.4")).then()
    given(released("1.4")).when(decided_rollback("1.4")).then()
    given(event("rollback.succeeded", to_version="1.3")).when(decided_rollback("1.3")).then()


def test_a_rollback_to_a_version_that_never_ran_here_is_told():
    """It is recorded all the same: the decider may know better."""
    given(deployed("1.5")).when(decided_rollback("1.4")).then("rollback_to_unproven_version", saying="1.4")


@pytest.mark.parametrize(
    "topic", ["deployment.started", "deployment.failed", "deployment.cancelled", "release.started"]
)
def test_what_did_not_come_to_run_proves_nothing(topic):
    """A version that was only tried is not one to return to."""
    given(event(topic, version="1.4")).when(decided_rollback("1.4")).then("rollback_to_unproven_version")


def test_a_version_that_ran_in_another_slot_proves_nothing_here():
    """A slot is one service in one environment."""
    for elsewhere in ({"environment": "staging"}, {"service": "web"}):
        given(deployed("1.4", **elsewhere)).when(decided_rollback("1.4")).then("rollback_to_unproven_version")


@pytest.mark.parametrize("topic", ["rollback.started", "rollback.succeeded", "rollback.failed"])
def test_a_rollback_nobody_decided_is_told(topic):
    """Pipelines execute; people decide."""
    step = event(topic, to_version="1.4")
    given(deployed("1.4")).when(step).then("rollback_without_decision", saying="rollback-1")
    given(decided_rollback("1.4")).when(step).then()
    given(decided_rollback("1.3")).when(step).then("rollback_other_than_decided", saying="1.3")


@pytest.mark.parametrize("topic", ["rollback.cancelled", "rollback.verified", "rollback.ineffective"])
def test_a_verdict_on_an_unknown_rollback_is_told(topic):
    """A misspelt id would leave the real one open."""
    given().when(event(topic)).then("unknown_rollback")
    given(decided_rollback("1.4")).when(event(topic)).then()
    given(decided_rollback("1.4", rollback_id="other")).when(event(topic)).then("unknown_rollback")


def test_a_release_of_what_was_never_deployed_is_told():
    """Only where deployments are reported at all."""
    given().when(released("1.5")).then()
    given(deployed("1.5")).when(released("1.5")).then()
    given(deployed("1.4")).when(released("1.5")).then("released_not_deployed", saying="1.5")
    given(deployed("1.4"), released("1.5")).when(released("1.5")).then()


@pytest.mark.parametrize("topic", sorted(topic for topic, cls in EVENTS.items() if cls.STREAM[0] == "slot"))
def test_replay_takes_whatever_happened(topic):
    """Rules may be tightened: old history still loads."""
    slot.evolve(slot.State(), event(topic))


def test_a_copy_of_a_state_goes_its_own_way():
    """A refused command leaves no trace in the state."""
    state = slot.evolve(slot.State(), deployed("1.4"))
    copy = state.copy()
    for each in (deployed("1.5"), released("1.5"), decided_rollback("1.4")):
        slot.evolve(copy, each)
    assert state == slot.State(deployed={"1.4"})


def seen(**data):
    made = decided_rollback("1.4", **data)
    assert isinstance(made, RollbackDecided)
    candidates = [
        {"version": "1.3", "blockers": [{"code": "artifact_deleted", "detail": "gone"}]},
        {"version": "1.4", "blockers": [{"code": "marked_bad", "detail": "marked bad at 7"}]},
    ]
    return [(each.code, each.detail) for each in slot.compare(made, "1.5", candidates)]


def test_what_stands_against_the_chosen_version_is_told():
    """The blockers of that candidate, and of no other."""
    assert seen() == [("marked_bad", "marked bad at 7")]


def test_a_decision_that_leaves_another_version_than_the_current_is_told():
    """The decider may look at an old page."""
    assert [code for code, _ in seen(from_version="1.5")] == ["marked_bad"]
    assert seen(from_version="1.2")[0] == ("from_mismatch", "1.5 is current here, not 1.2")
