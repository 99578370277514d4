"""Decided, executed, effective: three things, and every way in which they come apart."""

from dataclasses import replace

import pytest

from tests.projections.asking import BOB, found, rules, settled_by
from tests.projections.story import digest

ROLLBACKS = {
    "rollback_without_decision",
    "rollback_other_than_decided",
    "rollback_decided_not_executed",
    "rollback_to_unproven_version",
    "rollback_started_twice",
    "rollback_ineffective",
}


def a_bad_release(story):
    story.at("08:00").deployed("A")
    story.at("10:00").deployed("B")
    return story


def test_a_rollback_as_it_should_be(story):
    """Decided, begun, carried out, verified: nothing to find."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:11").rollback_started("A", "r1")
    story.at("10:15").rolled_back("A", "r1")
    story.at("10:30").rollback_verified("r1")
    story.at("+2d 10:00")
    assert rules(story) == set()


# rollback_without_decision


def test_a_pipeline_that_rolls_back_by_itself(story):
    """All its steps show it."""
    a_bad_release(story)
    started = story.at("10:10").rollback_started("A", "r1")
    done = story.at("10:12").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == [("open", [started, done])]


def test_a_deployment_that_returns_to_an_earlier_version(story):
    """However it is called; going forward again is none."""
    a_bad_release(story)
    back = story.at("11:00").deployed("A")
    story.at("12:00").deployed("B")
    assert found(story, "rollback_without_decision") == [("open", [back])]


def test_a_deployment_that_carries_out_a_decision(story):
    """It names no rollback, and reaches the target of one."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:20").deployed("A")
    assert rules(story) & ROLLBACKS == set()


def test_a_pipeline_that_gives_the_rollback_a_name_of_its_own(story):
    """The decision is for what it brought back."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:20").rolled_back("A", "ci-4711")
    assert found(story, "rollback_without_decision") == []


def test_a_decision_that_is_recorded_afterwards(story):
    """With an earlier date; it is a finding of its own, too."""
    a_bad_release(story)
    done = story.at("10:20").rolled_back("A", "r1")
    late = story.at("10:10", recorded="12:00").decided("A", "r1")
    assert found(story, "rollback_without_decision") == [("open", [done, late])]
    assert found(story, "decision_recorded_late") == [("open", [late])]


def test_what_was_spooled_and_is_recorded_in_order(story):
    """The ledger was out of reach: it learnt of the decision before it learnt of the rollback."""
    a_bad_release(story)
    story.at("10:10", recorded="14:00").decided("A", "r1")
    story.at("10:20", recorded="14:00").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == []


@pytest.mark.parametrize("day", ["", "+2d "])
def test_a_runner_that_comes_back_after_the_decision_lapsed(story, day):
    """Two days later, or a bit more than its hour."""
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    done = story.at(f"{day}11:30").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == [("open", [done, decided])]


def test_a_rollback_that_takes_long(story):
    """It was begun while the decision was valid."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("11:05").rollback_started("A", "r1")
    story.at("11:45").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == []


@pytest.mark.parametrize("off", ["rollback_cancelled", "declined"])
def test_a_rollback_that_was_called_off(story, off):
    """And carried out all the same."""
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    getattr(story.at("10:12"), off)({"rollback_cancelled": "r1", "declined": "fix_forward"}[off])
    done = story.at("10:20").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == [("open", [done, decided])]


def test_a_rollback_whose_decision_was_superseded(story):
    """By one for another version, before it was begun."""
    story.at("07:00").deployed("0")
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    story.at("10:15").decided("0", "r2")
    done = story.at("10:20").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == [("open", [done, decided])]


def test_a_rollback_that_was_begun_before_its_decision_was_superseded(story):
    """It was at work already; and another decision for the same version changes nothing."""
    story.at("07:00").deployed("0")
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:11").decided("A", "r2")
    story.at("10:12").rollback_started("A", "r1")
    story.at("10:15").decided("0", "r3")
    story.at("10:20").rolled_back("A", "r1")
    assert found(story, "rollback_without_decision") == []


def test_a_first_release_and_a_restore_are_no_returns(story):
    """After a removal nothing is replaced."""
    a_bad_release(story)
    story.at("11:00").removed()
    story.at("12:00").deployed("A")
    assert rules(story) & ROLLBACKS == set()


# rollback_other_than_decided


def test_another_version_came_back_than_was_decided(story):
    """By the same rollback. A person's verification settles it."""
    story.at("07:00").deployed("0")
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    done = story.at("10:20").rolled_back("0", "r1")
    assert found(story, "rollback_other_than_decided") == [("open", [done, decided])]
    assert found(story, "rollback_without_decision") == []
    verified = story.at("10:40").rollback_verified("r1")
    assert settled_by(story, "rollback_other_than_decided") == [[verified]]


def test_a_deployment_went_elsewhere_than_was_decided(story):
    """While the decision held. That the decided version comes back settles it."""
    story.at("07:00").deployed("0")
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    done = story.at("10:20").deployed("0")
    assert found(story, "rollback_other_than_decided") == [("open", [done, decided])]
    assert found(story, "rollback_without_decision") == []
    right = story.at("10:40").deployed("A")
    assert settled_by(story, "rollback_other_than_decided") == [[right]]


def test_another_digest_came_back_than_was_decided(story):
    """The same version is not the same artifact."""
    story.at("08:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("B")
    decided = story.at("10:10").decided("A", "r1", to_digest=digest("1"))
    done = story.at("10:20").rolled_back("A", "r1", to_digest=digest("2"))
    assert found(story, "rollback_other_than_decided") == [("open", [done, decided])]


# rollback_decided_not_executed


def test_a_rollback_that_was_decided_and_never_executed(story):
    """From when the decision lapses, not before."""
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    assert found(story, "rollback_decided_not_executed", as_of="11:09") == []
    story.at("12:00")
    assert found(story, "rollback_decided_not_executed") == [("open", [decided])]
    cancelled = story.at("12:30").rollback_cancelled("r1")
    assert found(story, "rollback_decided_not_executed") == [("settled", [decided])]
    assert settled_by(story, "rollback_decided_not_executed") == [[cancelled]]


def test_a_rollback_that_was_overtaken(story):
    """Somebody fixed forward, and the decision was left standing."""
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    story.at("10:20").deployed("C")
    assert found(story, "rollback_decided_not_executed") == [("open", [decided])]


def test_a_rollback_that_was_begun_and_never_ended(story):
    """The runner died; it is given an hour."""
    a_bad_release(story)
    decided = story.at("10:10").decided("A", "r1")
    started = story.at("10:20").rollback_started("A", "r1")
    assert found(story, "rollback_decided_not_executed", as_of="11:15") == []
    story.at("13:00")
    assert found(story, "rollback_decided_not_executed") == [("open", [decided, started])]


@pytest.mark.parametrize(
    "end",
    [
        lambda story: story.rollback_cancelled("r1"),
        lambda story: story.declined("fix_forward"),
        lambda story: story.rolled_back("A", "r1"),
        lambda story: story.deployed("A"),
        lambda story: story.rollback_failed("A", "r1"),
    ],
)
def test_a_decision_of_which_something_came(story, end):
    """Called off, carried out, or tried and failed: each is told elsewhere."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    end(story.at("10:20"))
    story.at("+1d 10:00")
    assert found(story, "rollback_decided_not_executed") == []


def test_a_decision_that_was_superseded(story):
    """By a newer one, which is what counts."""
    story.at("07:00").deployed("0")
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.decided("0", "r2")
    story.at("10:20").rolled_back("0", "r2")
    story.at("+1d 10:00")
    assert rules(story) & ROLLBACKS == set()


# rollback_to_unproven_version


def test_a_rollback_to_what_never_ran_here(story):
    """It is recorded, and nothing stands in its way; that it helped settles it."""
    a_bad_release(story)
    decided = story.at("10:10").decided("X", "r1")
    assert found(story, "rollback_to_unproven_version") == [("open", [decided])]
    story.at("10:20").rolled_back("X", "r1")
    verified = story.at("10:40").rollback_verified("r1")
    assert settled_by(story, "rollback_to_unproven_version") == [[verified]]


def test_a_rollback_to_what_was_deleted(story):
    """Before the decision; what is deleted after it could not be known."""
    a_bad_release(story)
    story.at("09:00").deleted("A")
    decided = story.at("10:10").decided("A", "r1")
    assert found(story, "rollback_to_unproven_version") == [("open", [decided])]


def test_what_the_decider_could_see_counts(story):
    """It is kept with the decision: a candidate whose artifact was gone."""
    a_bad_release(story)
    gone = [{"code": "artifact_quarantined", "detail": "gone", "position": 1}]
    seen = {"position": 2, "candidates": [{"version": "A", "digest": None, "blockers": gone}]}
    decided = story.at("10:10").decided("A", "r1")
    recorded = story.record.events[-1]
    with_sight = replace(recorded, event=replace(recorded.event, seen=seen))
    story.record.events[-1] = story.record._streams[recorded.stream][-1] = with_sight
    assert found(story, "rollback_to_unproven_version") == [("open", [decided])]


def test_a_rollback_to_what_ran_here(story):
    """However little is known of it, and whatever becomes of its artifact later."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:15").deleted("A")
    assert found(story, "rollback_to_unproven_version") == []


def test_a_deployment_that_was_recorded_late_proves_its_version(story):
    """The finding was right by what was known; it is gone by what is known now."""
    story.at("10:00").deployed("B")
    decided = story.at("10:10").decided("A", "r1")
    assert found(story, "rollback_to_unproven_version") == [("open", [decided])]
    story.at("08:00", recorded="10:30").deployed("A")
    assert found(story, "rollback_to_unproven_version") == []
    assert found(story, "rollback_to_unproven_version", known_at=decided) == [("open", [decided])]


# rollback_started_twice


def test_two_begin_the_same_rollback(story):
    """The first still held its claim."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    first = story.at("10:11").rollback_started("A", "r1")
    second = story.at("10:15").rollback_started("A", "r1", by=BOB)
    assert found(story, "rollback_started_twice") == [("open", [second, first])]
    story.at("10:20").rolled_back("A", "r1")
    verified = story.at("10:40").rollback_verified("r1")
    assert settled_by(story, "rollback_started_twice") == [[verified]]


def test_a_rollback_is_begun_again_after_it_succeeded(story):
    """Whenever that is."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    first = story.at("10:11").rollback_started("A", "r1")
    story.at("10:12").rolled_back("A", "r1")
    second = story.at("13:00").rollback_started("A", "r1")
    assert found(story, "rollback_started_twice") == [("open", [second, first])]


def test_a_rollback_is_begun_again_with_good_reason(story):
    """The first claim lapsed, or the first try failed."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:11").rollback_started("A", "r1")
    story.at("10:12").rollback_failed("A", "r1")
    story.at("10:13").rollback_started("A", "r1")
    story.at("10:23").rollback_started("A", "r1")
    assert found(story, "rollback_started_twice") == []


# rollback_ineffective


def test_a_rollback_that_did_not_help(story):
    """Settled once somebody says that a version is good here, or its incident is over."""
    a_bad_release(story)
    story.at("10:05").declared("INC-1", "SEV-2")
    story.at("10:10").decided("A", "r1", incident="INC-1")
    done = story.at("10:20").rolled_back("A", "r1")
    said = story.at("10:40").rollback_ineffective("r1")
    assert found(story, "rollback_ineffective", incident="INC-1") == [("open", [said, done])]
    resolved = story.at("12:00").resolved("INC-1")
    assert settled_by(story, "rollback_ineffective") == [[resolved]]


def test_a_rollback_that_did_not_help_and_then_a_version_that_does(story):
    """A person verified it."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:20").rolled_back("A", "r1")
    story.at("10:40").rollback_ineffective("r1")
    story.at("11:00").deployed("C")
    good = story.at("11:30").verified_good("C")
    assert settled_by(story, "rollback_ineffective") == [[good]]


def test_a_rollback_that_helped(story):
    """Nothing to find."""
    a_bad_release(story)
    story.at("10:10").decided("A", "r1")
    story.at("10:20").rolled_back("A", "r1")
    story.at("10:40").rollback_verified("r1")
    assert found(story, "rollback_ineffective") == []
