"""Versions not deployed, other than they were, older than they should be, not what runs; features switched off."""

import pytest

from tests.projections.asking import BOB, RELAY, found, rules, settled_by
from tests.projections.story import digest

COMMITTED = {"A": "2026-03-01T10:00:00Z", "B": "2026-03-01T12:00:00Z", "C": "2026-03-01T14:00:00Z"}

# released_not_deployed


def test_a_release_of_what_was_never_deployed(story):
    """Its deployment settles it."""
    story.at("09:00").deployed("A", released=True)
    release = story.at("10:00").released("B")
    assert found(story, "released_not_deployed") == [("open", [release])]
    deployed = story.at("10:30").deployed("B", released=False)
    assert found(story, "released_not_deployed") == [("settled", [release])]
    assert settled_by(story, "released_not_deployed") == [[deployed]]


def test_a_release_that_waited_is_overtaken(story):
    """What goes live instead settles it, too."""
    story.at("09:00").deployed("A", released=True)
    release = story.at("10:00").released("B")
    overtakes = story.at("11:00").deployed("C", released=True)
    assert found(story, "released_not_deployed") == [("settled", [release])]
    assert settled_by(story, "released_not_deployed") == [[overtakes]]


def test_a_release_of_what_is_deployed(story):
    """Or in a slot that never tells of deployments."""
    story.at("09:00").deployed("A", released=False)
    story.at("10:00").released("A")
    story.at("10:00").released("B", service="by-hand")
    assert rules(story) == set()


def back_by_a_release_alone(story):
    story.at("09:00").deployed("A", released=False)
    story.released("A")
    story.at("10:00").deployed("B", released=False)
    story.released("B")
    return story.at("11:00").released("A")


def test_a_release_of_what_was_replaced(story):
    """A rollback that was released and never deployed: nobody may notice for days, so somebody is told."""
    release = back_by_a_release_alone(story)
    assert found(story, "released_not_deployed") == [("open", [release])]
    deployed = story.at("15:00").deployed("A", released=False)
    assert settled_by(story, "released_not_deployed") == [[deployed]]


def test_traffic_that_was_switched_back(story):
    """Two versions stand side by side, and it is said which of them runs."""
    back_by_a_release_alone(story)
    told = story.at("11:01").rolled_back("A", "RB-1", mechanism="traffic")
    assert settled_by(story, "released_not_deployed") == [[told]]


def test_what_was_released_again_is_seen_to_run(story):
    """An observation of another version settles nothing."""
    back_by_a_release_alone(story)
    story.at("11:05").observed("B")
    assert found(story, "released_not_deployed")[0][0] == "open"
    seen = story.at("11:10").observed("A")
    assert settled_by(story, "released_not_deployed") == [[seen]]


# same_version_other_digest


def test_the_same_version_with_another_digest(story):
    """A tag was moved: what was tested is not what runs."""
    first = story.at("09:00").deployed("A", digest=digest("1"))
    again = story.at("10:00").deployed("A", digest=digest("2"))
    assert found(story, "same_version_other_digest") == [("open", [again, first])]
    story.at("11:00").deployed("A", digest=digest("1"))
    assert len(found(story, "same_version_other_digest")) == 1


def test_a_digest_that_is_learnt_later_is_no_other_one(story):
    """Nor is one that was only approved."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("A", digest=digest("1"))
    story.at("11:00").approved("A", digest=digest("2"), by=BOB)
    assert found(story, "same_version_other_digest") == []


# stale_overwrite


def test_an_older_deployment_that_finishes_last(story):
    """It is current, and older than what it replaced; what catches up settles it."""
    newer = story.at("10:00").deployed("B", committed_at=COMMITTED["B"])
    older = story.at("10:05").deployed("A", committed_at=COMMITTED["A"])
    assert story.current() == "A"
    assert found(story, "stale_overwrite") == [("open", [older, newer])]
    caught_up = story.at("11:00").deployed("C", committed_at=COMMITTED["C"])
    assert found(story, "stale_overwrite") == [("settled", [older, newer])]
    assert settled_by(story, "stale_overwrite") == [[caught_up]]


def test_the_overwritten_version_comes_back(story):
    """It is as new as what was overwritten."""
    story.at("10:00").deployed("B", committed_at=COMMITTED["B"])
    story.at("10:05").deployed("A", committed_at=COMMITTED["A"])
    back = story.at("10:10").deployed("B", committed_at=COMMITTED["B"])
    assert settled_by(story, "stale_overwrite") == [[back]]


def test_the_commit_time_may_come_from_the_artifact(story):
    """Or from the start of the deployment."""
    story.at("08:00").published("B", committed_at=COMMITTED["B"])
    newer = story.at("10:00").deployed("B")
    story.at("10:01").deploying("A", committed_at=COMMITTED["A"])
    older = story.at("10:05").deployed("A")
    assert found(story, "stale_overwrite") == [("open", [older, newer])]


def test_a_return_is_no_stale_overwrite(story):
    """Going back is older on purpose; and where a commit time is not known, nothing is said."""
    story.at("09:00").deployed("A", committed_at=COMMITTED["A"])
    story.at("10:00").deployed("B", committed_at=COMMITTED["B"])
    story.at("10:30").decided("A", "r1")
    story.at("11:00").deployed("A", committed_at=COMMITTED["A"])
    story.at("12:00").deployed("X")
    story.at("13:00").deployed("B", committed_at=COMMITTED["B"])
    assert found(story, "stale_overwrite") == []


# observed_differs


def test_something_else_runs_than_was_deployed(story):
    """It never moves what is deployed. What is seen later, or deployed to match it, settles it."""
    deployed = story.at("09:00").deployed("A")
    story.at("09:30").deployed("B", released=False, service="other")
    seen = story.at("10:00").observed("B")
    assert story.deployed_version() == "A"
    assert found(story, "observed_differs") == [("open", [seen, deployed])]
    story.at("10:05").observed("B")
    right = story.at("10:10").observed("A")
    assert found(story, "observed_differs") == [("settled", [seen, deployed])]
    assert settled_by(story, "observed_differs") == [[right]]


def test_a_deployment_of_what_was_seen_settles_the_difference(story):
    """The report came after the observation."""
    story.at("09:00").deployed("A")
    story.at("10:00").observed("B")
    reported = story.at("10:01").deployed("B")
    assert settled_by(story, "observed_differs") == [[reported]]
    assert settled_by(story, "unreported_change") == [[reported]]


def test_nothing_runs_or_what_was_removed_does(story):
    """Both are differences."""
    deployed = story.at("09:00").deployed("A")
    nothing = story.at("10:00").observed()
    assert found(story, "observed_differs") == [("open", [nothing, deployed])]
    story.at("11:00").removed()
    undead = story.at("12:00").observed("A")
    assert found(story, "observed_differs") == [("open", [undead]), ("settled", [nothing, deployed])]


def test_what_is_on_its_way_may_run(story):
    """During a deployment both versions do; a canary is seen; and another digest is another artifact."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deploying("B")
    story.at("10:01").observed("A", "B")
    story.at("10:02").observed("B")
    story.at("10:03").deployed("B", released=False)
    story.at("11:00").release_started("C", 10)
    story.at("11:01").observed("B", "C")
    assert found(story, "observed_differs") == []
    other = story.at("12:00").add(
        "service.observed", running=[{"version": "B"}, {"version": "A", "digest": digest("2")}]
    )
    assert [positions[0] for _, positions in found(story, "observed_differs")] == [other]


def test_observers_are_told_apart(story):
    """One region is right, the other is not."""
    story.at("09:00").deployed("A")
    north = story.at("10:00").observed("B", observer="north")
    story.at("10:01").observed("A", observer="south")
    assert [state for state, _ in found(story, "observed_differs")] == ["open"]
    assert found(story, "observed_differs")[0][1][0] == north


def test_replicas_that_are_scaled_to_nothing_do_not_run(story):
    """They are listed, and that is all."""
    story.at("09:00").deployed("B")
    story.at("10:00").add("service.observed", running=[{"version": "B"}, {"version": "A", "replicas": 0}])
    assert found(story, "observed_differs") == []


def test_a_slot_of_which_only_observations_are_known(story):
    """Nothing is recorded as deployed that they could differ from; that nobody reports is another finding."""
    seen = story.at("10:00").observed("A")
    assert found(story, "observed_differs") == []
    assert found(story, "unreported_change") == [("open", [seen])]


# unreported_change


def test_something_began_to_run_of_which_nobody_told(story):
    """Between two observations; a late report settles it."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    before = story.at("10:00").observed("B")
    seen = story.at("11:00").observed("A")
    assert found(story, "unreported_change") == [("open", [seen, before])]
    reported = story.at("11:30").deployed("A")
    assert found(story, "unreported_change") == [("settled", [seen, before])]
    assert settled_by(story, "unreported_change") == [[reported]]


def test_a_change_that_was_reported(story):
    """Also where the cluster follows minutes later, or the report came late and is dated before."""
    story.at("09:00").deployed("A")
    story.at("09:01").observed("A")
    story.at("10:00").deployed("B")
    story.at("10:01").observed("A")
    story.at("10:05").observed("B")
    story.at("11:05").observed("C")
    assert [state for state, _ in found(story, "unreported_change")] == ["open"]
    story.at("11:00", recorded="12:00").deployed("C")
    assert found(story, "unreported_change") == []


# feature_disabled_without_decision


def test_a_feature_that_a_machine_switched_off(story):
    """And nobody had decided it; that it is told again is not another switch."""
    switched = story.at("10:00").feature_disabled("search", incident="INC-1")
    story.at("10:01").feature_disabled("search")
    assert found(story, "feature_disabled_without_decision", incident="INC-1") == [("open", [switched])]
    assert len(found(story, "feature_disabled_without_decision")) == 1


@pytest.mark.parametrize("by,more", [(BOB, {}), (RELAY, {"decided_by": "Bob"})])
def test_a_feature_that_a_person_switched_off(story, by, more):
    """Themselves, or by a relay that names them."""
    story.at("10:00").feature_disabled("search", by=by, **more)
    assert rules(story) == set()


def test_a_feature_that_was_switched_off_as_decided(story):
    """While the decision is fresh, or for its incident."""
    story.at("09:50").declined("feature_disable")
    story.at("10:00").feature_disabled("search")
    story.at("12:00").feature_disabled("cart")
    assert len(found(story, "feature_disabled_without_decision")) == 1
    story.at("13:00").declined("feature_disable", incident="INC-1")
    story.at("16:00").feature_disabled("maps", incident="INC-1")
    assert len(found(story, "feature_disabled_without_decision")) == 1


def test_another_decision_does_not_switch_a_feature_off(story):
    """Fixing forward is something else; and one that is made afterwards covers nothing."""
    story.at("09:50").declined("fix_forward")
    story.at("10:00").feature_disabled("search")
    story.at("10:05").declined("feature_disable")
    assert len(found(story, "feature_disabled_without_decision")) == 1
