"""
The cases that must come out right, each a known trouble of existing tools or found by replaying real incidents.

One test each, by the case's own words.
"""

from tests.projections.asking import found
from tests.projections.story import digest


def test_a_good_b_bad_back_to_a_c_bad_the_target_is_a(story):
    """Not B, though B is what ran before A ran again."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:05").marked_bad("B")
    story.at("10:10").rolled_back("A")
    story.at("11:00").deployed("C")
    story.at("11:05").marked_bad("C")
    assert story.target() == "A"
    assert story.ranked() == ["A", "B"]


def test_a_b_back_to_a_the_target_is_not_b_null_if_there_is_nothing_older(story):
    """B was first live after A, so going to B would be going forward."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("A")
    assert story.target() is None
    assert story.ranked() == ["B"]


def test_a_b_back_to_a_the_target_is_what_is_older_where_there_is_something(story):
    """The same with a predecessor."""
    story.at("08:00").deployed("Z")
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("A")
    assert story.target() == "Z"


def test_rolling_back_twice_never_lands_on_the_version_just_left(story):
    """Each step goes further back, and none goes to and fro."""
    for minute, version in enumerate("ABCD"):
        story.at(f"09:{minute * 15:02}").deployed(version)
    left = ["D"]
    for hour in (10, 12, 14):
        target = story.target()
        assert target not in left
        left.append(target)
        story.at(f"{hour}:00").decided(target, f"r{hour}")
        story.at(f"{hour}:10").rolled_back(target, f"r{hour}")
        story.at(f"{hour}:20").rollback_ineffective(f"r{hour}")
    assert left == ["D", "C", "B", "A"]
    assert story.target() is None


def test_a_redeploy_does_not_make_previous_equal_current(story):
    """The same artifact again starts no new period."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:30").deployed("B")
    story.at("11:00").deployed("B")
    assert story.target() == "A"
    assert story.ranked() == ["A"]
    assert story.slot()["current"]["since"] == "2026-03-02T10:00:00Z"


def test_an_aborted_canary_is_never_a_candidate(story):
    """It was exposed to some, and never live."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").deployed("B", released=False)
    story.at("10:05").release_started("B", 10)
    story.at("10:10").exposed("B", 50)
    story.at("10:20").aborted("B")
    story.at("11:00").deployed("C", released=True)
    assert story.current() == "C"
    assert story.ranked() == ["A"]


def test_a_failed_deployment_never_enters_the_history_of_live_versions(story):
    """Nor does one that was cancelled, or is on its way."""
    story.at("09:00").deployed("A")
    story.at("10:00").deploying("B", deployment_id="b")
    story.at("10:05").deployment_failed("B", "unknown", deployment_id="b")
    story.at("10:10").deploying("C", deployment_id="c")
    story.at("10:15").deployment_cancelled("C", deployment_id="c")
    story.at("10:20").deploying("D")
    story.at("11:00").deployed("E")
    assert story.ranked() == ["A"]
    assert story.changes() == [("first", "A"), ("forward", "E")]


def test_deleting_an_artifact_moves_the_target_not_the_record(story):
    """What can't be had is no target; that it was live stays true."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").deployed("C")
    assert story.target() == "B"
    before = story.changes()
    deletion = story.at("10:30").deleted("B")
    assert story.target() == "A"
    assert story.changes() == before
    assert story.ranked() == ["A", "B"]
    blocker = next(each for each in story.candidates() if each["version"] == "B")["blockers"]
    assert [(each["code"], each["position"]) for each in blocker] == [("artifact_deleted", deletion)]
    assert story.target(as_of="10:29") == "B"


def test_after_a_verified_rollback_the_version_rolled_back_to_is_last_known_good(story):
    """Even though it has not lived for the soak, and its incident is still open."""
    story.at("09:00").deployed("A")
    story.at("09:05").deployed("B")
    story.at("09:06").declared("INC-1", "SEV-1")
    story.at("09:07").decided("A", incident="INC-1")
    story.at("09:08").rolled_back("A")
    story.at("09:09").rollback_verified("rollback-A")
    assert story.good() == "A"
    assert story.slot()["last_known_good"]["basis"] == "verified"


def test_after_a_return_forward_that_lived_for_the_soak_the_current_version_is(story):
    """B was rolled back from, and has lived since."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("A")
    story.at("12:00").deployed("B")
    assert story.good(as_of="12:09") == "A"
    story.at("12:10")
    assert story.good() == "B"
    assert story.changes()[-2:] == [("rollback", "A"), ("return_forward", "B")]


def test_a_b_under_sev_1_c_fixes_forward_b_is_no_target(story):
    """A version that was replaced while suspect stays suspect, also when the incident is over."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:30").declared("INC-1", "SEV-1")
    story.at("10:40").deployed("C")
    story.at("10:50").resolved("INC-1")
    story.at("14:00")
    assert story.against("B") == {"suspect"}
    assert story.target() == "A"


def test_a_b_with_the_impact_estimated_to_begin_two_minutes_before_b_the_target_is_a(story):
    """Estimates are imprecise: A was live for two minutes under impact, and is not to blame."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").declared("INC-1", "SEV-1")
    story.at("09:58", recorded="10:15").impact_started("INC-1")
    assert story.target() == "A"
    assert story.good() == "A"


def test_a_release_decided_and_never_deployed_changes_nothing_that_is_live_and_is_seen(story):
    """Current stays, and the answer says that it is not certain, and why."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").approved("B")
    release = story.at("10:05").released("B")
    reply = story.slot()
    assert (story.current(), story.deployed_version()) == ("A", "A")
    assert reply["certain"] is False
    assert [(each["code"], each["position"]) for each in reply["uncertain_because"]] == [
        ("released_not_deployed", release)
    ]
    assert story.changes() == [("first", "A")]
    assert found(story, "released_not_deployed") == [("open", [release])]


def test_a_pipeline_that_reverts_a_good_state_by_accident_does_not_taint_the_good_version(story):
    """An undecided return, and a SEV-1 began within two hours: the return was the mistake."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("12:00").deployed("A")
    assert story.against("B") == {"rolled_back_from"}
    story.at("12:30").declared("INC-1", "SEV-1")
    story.at("12:31").implicated("INC-1", "A")
    assert story.against("B") == set()
    story.at("12:40").decided("B", incident="INC-1")
    story.at("12:45").deployed("B")
    story.at("12:50").resolved("INC-1")
    story.at("13:00").deployed("C")
    assert story.target() == "B"


def test_a_pipeline_that_rolls_back_a_good_state_by_accident_does_not_taint_it_either(story):
    """Nobody decided a rollback that a pipeline reports, any more than a deployment that returns."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("12:00").rolled_back("A")
    assert story.against("B") == {"rolled_back_from"}
    story.at("12:30").declared("INC-1", "SEV-1")
    assert story.against("B") == set()


def test_an_older_deployment_that_finishes_last_is_current_and_a_finding_when_its_commit_time_is_older(story):
    """What was installed last runs, whatever was started first."""
    story.at("10:00").deploying("A", deployment_id="slow", committed_at="2026-03-01T10:00:00Z")
    story.at("10:05").deploying("B", deployment_id="quick", committed_at="2026-03-01T12:00:00Z")
    story.at("10:10").deployed("B", deployment_id="quick", committed_at="2026-03-01T12:00:00Z")
    assert found(story, "stale_overwrite") == []
    last = story.at("10:20").deployed("A", deployment_id="slow", committed_at="2026-03-01T10:00:00Z")
    [(state, positions)] = found(story, "stale_overwrite")
    assert state == "open"
    assert last in positions
    assert story.current() == "A"
    assert story.deployed_version() == "A"
    assert story.changes() == [("first", "B"), ("forward", "A")]


def test_the_same_version_with_another_digest_is_another_artifact(story):
    """Artifact identity is (version, digest): the first one can be gone back to."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("A", digest=digest("2"))
    assert story.slot()["rollback_target"]["digest"] == digest("1")
    assert story.slot()["current"]["digest"] == digest("2")
