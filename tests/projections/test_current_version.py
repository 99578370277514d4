"""What runs where: deployed, current, exposures, certain, and how each is moved."""

import pytest

from tests.projections.story import digest

# Deployed


def test_deployed_is_the_version_of_the_latest_successful_deployment(story):
    """Started, failed and cancelled ones install nothing."""
    story.at("09:00").deployed("A")
    story.at("10:00").deploying("B", deployment_id="b")
    assert story.deployed_version() == "A"
    story.at("10:10").deployed("B", deployment_id="b")
    assert story.deployed_version() == "B"
    story.at("10:20").deploying("C", deployment_id="c")
    story.at("10:30").deployment_cancelled("C", deployment_id="c")
    assert story.deployed_version() == "B"
    assert story.certain()


def test_deployed_since_is_when_that_artifact_was_installed(story):
    """A redeploy does not restart it."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("B")
    assert story.slot()["deployed"]["since"] == "2026-03-02T10:00:00Z"


@pytest.mark.parametrize("mechanism", [None, "redeploy"])
def test_a_rollback_by_redeploy_installs_what_it_restores(story, mechanism):
    """Redeploy is the default mechanism."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").rolled_back("A", mechanism=mechanism)
    assert (story.deployed_version(), story.current()) == ("A", "A")


@pytest.mark.parametrize("mechanism", ["traffic", "feature"])
def test_a_rollback_by_traffic_or_feature_installs_nothing(story, mechanism):
    """B is still installed, and users see A."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").rolled_back("A", mechanism=mechanism)
    assert (story.deployed_version(), story.current()) == ("B", "A")


def test_nothing_is_deployed_nor_current_after_a_removal(story):
    """Null, not absent."""
    story.at("09:00").deployed("A")
    story.at("10:00").removed()
    reply = story.slot()
    assert reply["deployed"] is None
    assert reply["current"] is None
    assert reply["exposures"] == []


@pytest.mark.parametrize("failure", ["deployment_failed", "rollback_failed"])
@pytest.mark.parametrize(
    "residual, certain", [("unchanged", True), ("partial", False), ("unknown", False), (None, False)]
)
def test_a_failure_leaves_what_is_deployed_and_may_make_it_uncertain(story, failure, residual, certain):
    """Residual is unknown by default; only `unchanged` leaves no doubt."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    position = getattr(story.at("10:00"), failure)("A" if failure == "rollback_failed" else "C", residual=residual)
    assert (story.deployed_version(), story.current()) == ("B", "B")
    assert story.certain() is certain
    told = [(each["code"], each["position"]) for each in story.slot()["uncertain_because"]]
    assert told == ([] if certain else [(failure, position)])


@pytest.mark.parametrize(
    "settles",
    [lambda s: s.deployed("B"), lambda s: s.rolled_back("A"), lambda s: s.observed("A")],
    ids=["success", "rollback", "seen"],
)
def test_the_next_success_or_observation_makes_it_certain_again(story, settles):
    """Until then, however long that is."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployment_failed("B")
    assert not story.certain(as_of="10:00")
    settles(story.at("+5d 11:00"))
    assert not story.certain(as_of="+4d 00:00")
    assert story.certain()


def test_an_observation_never_moves_what_is_deployed(story):
    """A difference is a finding, not an answer."""
    story.at("09:00").deployed("A")
    story.at("10:00").observed("B")
    assert (story.deployed_version(), story.current()) == ("A", "A")


def test_a_slot_that_was_only_observed_is_known_and_nothing_is_deployed_in_it(story):
    """It exists: someone saw it run."""
    story.at("09:00").observed("B")
    reply = story.slot()
    assert reply["deployed"] is None
    assert reply["current"] is None


def test_a_slot_of_which_nothing_is_recorded_has_no_answer(story):
    """Nor one that is only configured, nor one that was not yet born."""
    story.at("09:00").configured(soak_minutes=5)
    assert story.slot() is None
    story.at("10:00").deployed("A")
    assert story.slot(as_of="09:59") is None
    assert story.slot() is not None


# Current: which deployments complete a release


def test_a_deployment_is_a_release_as_long_as_the_slot_has_had_no_release_step(story):
    """By implication: this slot has never told them apart."""
    story.at("09:00").deployed("A")
    assert story.current() == "A"


@pytest.mark.parametrize(
    "step",
    [
        lambda s: s.release_started("A", 10),
        lambda s: s.exposed("A", 10),
        lambda s: s.released("A"),
        lambda s: s.aborted("A"),
    ],
    ids=["started", "exposed", "completed", "aborted"],
)
def test_any_release_step_ends_the_implication(story, step):
    """From then on a deployment is only a deployment."""
    story.at("09:00").deployed("A", released=True)
    step(story.at("09:30"))
    story.at("10:00").deployed("B")
    assert (story.deployed_version(), story.current()) == ("B", "A")


@pytest.mark.parametrize("word", ["approved", "verified_good", "marked_bad", "cleared"])
def test_a_decision_about_a_release_is_no_release_step(story, word):
    """Approval and verdicts say nothing of what users see."""
    story.at("09:00").deployed("A")
    getattr(story.at("09:30"), word)("A")
    story.at("10:00").deployed("B")
    assert story.current() == "B"


def test_a_rollback_is_no_release_step(story):
    """It completes a release, and the slot still does not tell them apart."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("10:00").rolled_back("A")
    story.at("11:00").deployed("C")
    assert story.current() == "C"


@pytest.mark.parametrize("released, current", [(True, "B"), (False, "A")])
def test_what_a_deployment_says_of_its_release_goes_before_everything_else(story, released, current):
    """Before the slot's setting, the environment's, and the implication."""
    story.at("08:00").deployed("A", released=True)
    story.at("08:10").configured(deployment_releases=not released)
    story.at("08:10").configured(service="web", deployment_releases=not released)
    story.at("09:00").deployed("B", released=released)
    assert story.current() == current


def test_a_slot_is_so_configured_and_its_own_setting_goes_first(story):
    """Then the environment's, then the implication."""
    story.at("08:00").configured(deployment_releases=False)
    story.at("09:00").deployed("A")
    assert story.current() is None
    story.at("10:00").configured(service="web", deployment_releases=True)
    story.at("11:00").deployed("B")
    story.at("11:00").deployed("B", service="api")
    assert story.current() == "B"
    assert story.current(service="api") is None
    story.at("11:30").configured(deployment_releases=True)
    story.at("12:00").deployed("C", service="api")
    assert story.current(service="api") == "C"


def test_a_configured_slot_releases_by_deployment_also_after_release_steps(story):
    """The setting speaks, so that nothing has to be implied."""
    story.at("08:00").configured(deployment_releases=True)
    story.at("09:00").release_started("A", 10)
    story.at("10:00").deployed("B")
    assert story.current() == "B"


def test_a_setting_counts_from_its_time_on(story):
    """What was deployed before it keeps its meaning; a setting recorded late is folded in where it belongs."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("C")
    assert story.current() == "C"
    late = story.at("10:30", recorded="12:00").configured(deployment_releases=False)
    assert story.current() == "B"
    assert story.current(known_at=late - 1) == "C"


def test_a_setting_of_another_environment_is_none_of_ours(story):
    """Settings hold in their environment only."""
    story.at("08:00").configured(environment="staging", deployment_releases=False)
    story.at("09:00").deployed("A")
    assert story.current() == "A"


def test_the_first_release_step_voids_an_implied_release_of_the_same_version(story):
    """A was deployed, and its release only begins: from then on the earlier one never was."""
    story.at("08:00").deployed("Z", released=True)
    deployment = story.at("09:00").deployed("A")
    assert story.current() == "A"
    story.at("09:10").release_started("A", 10)
    reply = story.slot()
    assert reply["current"]["version"] == "Z"
    assert reply["current"]["since"] == "2026-03-02T08:00:00Z"
    assert reply["current"]["exposure"] == 90
    assert story.deployed_version() == "A"
    assert [each["position"] for each in story.history() if each.get("void")] == [deployment]
    story.at("09:30").released("A")
    assert story.changes()[-1] == ("forward", "A")
    assert story.slot()["current"]["since"] == "2026-03-02T09:30:00Z"
    assert story.current(as_of="09:05") == "A"


def test_a_void_release_leaves_nothing_current_where_there_was_nothing_before(story):
    """And the version was never live: it is no candidate later."""
    story.at("09:00").deployed("A")
    story.at("09:10").release_started("A", 10)
    assert story.current() is None
    story.at("09:20").aborted("A")
    story.at("10:00").deployed("B", released=True)
    assert story.ranked() == []
    assert story.changes()[-1] == ("first", "B")


def test_a_first_release_step_for_another_version_voids_nothing(story):
    """A is current, implied or not; B's canary begins."""
    story.at("09:00").deployed("A")
    story.at("09:10").release_started("B", 10)
    assert story.current() == "A"


@pytest.mark.parametrize("confirm", [lambda s: s.deployed("A", released=True), lambda s: s.rolled_back("A")])
def test_a_release_that_was_also_told_is_not_void(story, confirm):
    """It is not current by implication only."""
    story.at("09:00").deployed("A")
    confirm(story.at("09:05"))
    story.at("09:10").release_started("A", 10)
    assert story.current() == "A"


def test_only_the_first_release_step_of_a_slot_voids(story):
    """Where the slot was so configured later, implied releases are long past."""
    story.at("09:00").release_started("Z", 5)
    story.at("09:05").aborted("Z")
    story.at("09:10").deployed("A", released=True)
    story.at("09:20").release_started("A", 10)
    assert story.current() == "A"


def test_a_rollback_waits_again_when_the_release_that_reached_it_is_void(story):
    """The release that follows is that rollback, not one that nobody decided."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").decided("A", "r1")
    story.at("10:20").deployed("A")
    story.at("10:21").release_started("A", 10)
    story.at("10:30").released("A")
    last = story.history()[-1]
    assert (last["change"], last["rollback_id"]) == ("rollback", "r1")


# Current: a release is live once its version is deployed


def test_a_release_waits_for_its_deployment_in_a_slot_that_has_deployment_events(story):
    """Until then current stays, and the answer is not certain."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").released("B")
    assert story.current() == "A"
    assert not story.certain()
    story.at("11:00").deployed("B")
    assert story.certain()
    assert story.slot()["current"]["version"] == "B"
    assert story.slot()["current"]["since"] == "2026-03-02T11:00:00Z"
    assert story.changes() == [("first", "A"), ("forward", "B")]


def test_a_release_is_live_at_once_in_a_slot_without_deployment_events(story):
    """There the releases are all there is."""
    story.at("09:00").released("A")
    story.at("10:00").released("B")
    assert story.current() == "B"
    assert story.certain()
    assert story.deployed_version() is None


def test_a_rollback_in_a_slot_told_by_releases_does_not_make_releases_wait(story):
    """It is no deployment event, though it installs what it restores."""
    story.at("08:00").released("A")
    story.at("09:00").released("B")
    story.at("10:00").rolled_back("A")
    story.at("11:00").released("C")
    assert story.current() == "C"
    assert story.certain()


@pytest.mark.parametrize(
    "event",
    [
        lambda s: s.deploying("C"),
        lambda s: s.deployment_failed("C", "unchanged"),
        lambda s: s.deployment_cancelled("C"),
    ],
)
def test_any_deployment_event_makes_releases_wait(story, event):
    """The slot has deployment events, though nothing succeeded yet."""
    event(story.at("09:00"))
    story.at("10:00").released("B")
    assert story.current() is None
    assert not story.certain()


def test_what_was_deployed_before_is_live_as_soon_as_it_is_released(story):
    """Deployed there at some time is enough."""
    story.at("09:00").deployed("A", released=True)
    story.at("09:10").deployed("B", released=False)
    story.at("09:20").deployed("C", released=False)
    story.at("10:00").released("B")
    assert story.current() == "B"
    assert story.deployed_version() == "C"


def test_of_two_releases_that_wait_the_one_that_is_deployed_first_is_live(story):
    """Its release is the latest live one; the other still waits."""
    story.at("09:00").deployed("A", released=True)
    story.at("09:10").released("B")
    story.at("09:20").released("C")
    story.at("09:30").deployed("B", released=False)
    assert story.current() == "B"
    assert not story.certain()
    story.at("09:40").deployed("C", released=False)
    assert story.current() == "C"
    assert story.certain()


def test_a_release_that_was_overtaken_while_it_waited_does_not_come_back(story):
    """B was asked for before C; C is the latest live release, also when B is deployed at last."""
    story.at("09:00").deployed("A", released=True)
    story.at("09:10").released("B")
    story.at("09:20").deployed("C", released=True)
    assert story.certain()
    story.at("09:30").deployed("B", released=False)
    assert story.current() == "C"


def test_a_release_recorded_before_its_deployment_is_live_by_the_deployments_time(story):
    """Order is by time: the deployment was there when it was released."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").released("B")
    assert story.current() == "A"
    story.at("09:30", recorded="10:30").deployed("B", released=False)
    assert story.slot()["current"] == {"version": "B", "digest": None, "since": "2026-03-02T10:00:00Z", "exposure": 100}


def test_current_since_is_when_its_period_began(story):
    """A redeploy, a second release of the same, and a rollback to it do not restart it."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("B")
    story.at("12:00").rolled_back("B")
    story.at("13:00").released("B")
    assert story.slot()["current"]["since"] == "2026-03-02T10:00:00Z"


# Exposures


def test_open_releases_are_listed_with_their_latest_exposure_and_current_has_the_rest(story):
    """Keyed by release_id: two canaries at once are two."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").release_started("B", 5, release_id="b")
    story.at("10:10").exposed("B", 30, release_id="b")
    story.at("10:20").release_started("C", 10, release_id="c")
    told = [(each["version"], each["exposure"], each.get("release_id")) for each in story.slot()["exposures"]]
    assert told == [("A", 60, None), ("B", 30, "b"), ("C", 10, "c")]
    assert story.slot()["current"]["exposure"] == 60


def test_what_current_has_left_is_never_below_nothing(story):
    """Sources round."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").exposed("B", 70, release_id="b")
    story.at("10:10").exposed("C", 70, release_id="c")
    assert story.slot()["current"]["exposure"] == 0


@pytest.mark.parametrize("limit", [{"audience": "staff"}, {"region": "eu"}])
def test_releases_limited_to_an_audience_or_region_are_listed_and_not_summed(story, limit):
    """10 % of the staff are not 10 % of everyone."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").exposed("B", 10, **limit)
    reply = story.slot()
    assert reply["current"]["exposure"] == 100
    listed = reply["exposures"][1]
    assert (listed["version"], listed["exposure"]) == ("B", 10)
    assert limit.items() <= listed.items()


def test_a_hundred_percent_is_not_yet_completed(story):
    """Current is what was completed."""
    story.at("09:00").deployed("A", released=True)
    story.at("09:30").deployed("B", released=False)
    story.at("10:00").exposed("B", 100)
    assert story.current() == "A"
    assert story.slot()["current"]["exposure"] == 0
    story.at("10:10").released("B")
    assert story.current() == "B"
    assert story.slot()["exposures"] == [{"version": "B", "digest": None, "exposure": 100}]


def test_an_aborted_release_closes_that_one(story):
    """And the other stays open."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").exposed("B", 10, release_id="b")
    story.at("10:00").exposed("C", 20, release_id="c")
    story.at("10:10").aborted("B", release_id="b")
    assert [each.get("release_id") for each in story.slot()["exposures"]] == [None, "c"]
    assert story.slot()["current"]["exposure"] == 80


def test_a_rollback_closes_all_open_releases_of_the_slot(story):
    """Users see what it restored."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").exposed("B", 10, release_id="b")
    story.at("10:00").exposed("C", 20, release_id="c")
    story.at("10:10").rolled_back("A")
    assert story.slot()["exposures"] == [{"version": "A", "digest": None, "exposure": 100}]


def test_a_release_without_a_percentage_takes_nothing_from_current(story):
    """How many see it is not known; that it is open is."""
    story.at("09:00").deployed("A", released=True)
    story.at("10:00").release_started("B")
    assert story.slot()["current"]["exposure"] == 100
    assert story.slot()["exposures"][1]["exposure"] is None


# Artifact identity


def test_an_event_without_a_digest_takes_the_latest_known_for_that_version(story):
    """So that it is the same artifact, and starts no period."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("A")
    assert story.slot()["current"]["digest"] == digest("1")
    assert story.slot()["current"]["since"] == "2026-03-02T09:00:00Z"


def test_a_digest_told_at_the_start_of_a_deployment_is_known(story):
    """Many pipelines tell it once."""
    story.at("09:00").deploying("A", digest=digest("1"), deployment_id="d")
    story.at("09:10").deployed("A", deployment_id="d")
    assert story.slot()["current"]["digest"] == digest("1")
    assert story.slot()["deployed"]["digest"] == digest("1")


def test_a_digest_learnt_later_names_what_had_none(story):
    """Nothing says that it is another artifact."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("A", digest=digest("1"))
    assert story.slot()["current"]["digest"] == digest("1")
    assert story.slot()["current"]["since"] == "2026-03-02T09:00:00Z"


def test_the_same_version_with_another_digest_starts_a_new_period(story):
    """It is another artifact."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("10:00").deployed("A", digest=digest("2"))
    assert story.slot()["current"]["since"] == "2026-03-02T10:00:00Z"
    assert story.changes() == [("first", "A"), ("forward", "A")]


# How the current version changes: rollbacks, returns and restores


def test_a_change_by_a_reported_rollback_is_one(story):
    """Whatever its version: it comes by rollback.succeeded."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").rolled_back("C", "r1")
    assert story.changes()[-1] == ("rollback", "C")
    assert story.history()[-1]["rollback_id"] == "r1"


def test_a_change_that_reaches_a_decided_target_is_that_rollback(story):
    """A pipeline that knows only deployments executed it."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").decided("X", "r1")
    story.at("10:20").deployed("X")
    assert story.changes()[-1] == ("rollback", "X")
    assert story.history()[-1]["rollback_id"] == "r1"


def test_a_change_that_reaches_a_started_target_is_that_rollback_however_late(story):
    """Started without a decision, or before it lapsed: it does not lapse any more."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").rollback_started("X", "r1")
    story.at("14:00").deployed("X")
    assert story.changes()[-1] == ("rollback", "X")


@pytest.mark.parametrize(
    "end",
    [
        lambda s: s.at("10:20").rollback_cancelled("r1"),
        lambda s: s.at("10:20").rollback_failed("X", "r1", residual="unchanged"),
        lambda s: s.at("11:10"),
        lambda s: (s.at("10:20").rolled_back("X", "r1"), s.at("10:25").deployed("B")),
        lambda s: (s.at("10:20").deployed("X"), s.at("10:25").deployed("B")),
        lambda s: (s.at("10:20").deployed("C"), s.at("10:25").deployed("B")),
        lambda s: s.at("10:20").decided("Y", "r2"),
    ],
    ids=["cancelled", "failed", "lapsed", "finished", "reached", "overtaken", "superseded"],
)
def test_a_decision_that_is_over_makes_no_rollback(story, end):
    """Cancelled, failed, lapsed or finished: X is then a change like any other."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").decided("X", "r1")
    end(story)
    story.at("11:30").deployed("X")
    assert story.changes()[-1][0] in ("forward", "return_forward")
    assert story.history()[-1]["rollback_id"] is None


def test_a_decision_is_valid_for_as_long_as_is_configured(story):
    """60 minutes by default; the slot's own setting first; younger than that, not as old."""
    story.at("08:00").configured(service="web", valid_minutes=5)
    for name in ("web", "api"):
        story.at("09:00").deployed("A", service=name)
        story.at("10:00").deployed("B", service=name)
        story.at("10:10").decided("X", f"r-{name}", service=name)
    story.at("10:15").deployed("X")
    story.at("11:09:59").deployed("X", service="api")
    assert story.changes()[-1] == ("forward", "X")
    assert story.changes(service="api")[-1] == ("rollback", "X")


def test_a_decision_made_from_another_version_than_the_current_one_is_lapsed(story):
    """Who decided did not see what would be rolled back."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:20").decided("X", from_version="A")
    story.at("09:30").deployed("X")
    assert story.changes()[-1] == ("forward", "X")


def test_a_superseded_decision_that_was_started_still_counts(story):
    """The newest decision supersedes an older one that was not started."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:20").decided("X", "r1")
    story.at("09:21").rollback_started("X", "r1")
    story.at("09:22").decided("Y", "r2")
    story.at("09:30").deployed("X")
    assert story.changes()[-1] == ("rollback", "X")
    assert story.history()[-1]["rollback_id"] == "r1"


def test_a_rollback_reaches_its_version_with_whatever_digest(story):
    """It was decided for the version."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:20").decided("X", "r1", to_digest=digest("1"))
    story.at("09:30").deployed("X", digest=digest("2"))
    assert story.changes()[-1] == ("rollback", "X")


def test_a_return_to_what_was_first_live_earlier_is_a_rollback_and_the_other_way_a_return_forward(story):
    """By when each was first live, over any distance."""
    for hour, version in enumerate("ABCD", start=8):
        story.at(f"{hour:02}:00").deployed(version)
    story.at("12:00").deployed("B")
    story.at("13:00").deployed("D")
    story.at("14:00").deployed("C")
    story.at("15:00").deployed("A")
    told = [change for change, _ in story.changes()]
    assert told == ["first", "forward", "forward", "forward", "rollback", "return_forward", "rollback", "rollback"]


def test_direction_is_never_read_from_version_strings(story):
    """2.0 first, then 1.0, then 2.0 again: that is going back."""
    story.at("09:00").deployed("2.0")
    story.at("10:00").deployed("1.0")
    story.at("11:00").deployed("2.0")
    assert [change for change, _ in story.changes()] == ["first", "forward", "rollback"]


def test_a_new_build_of_old_content_is_a_revert_and_no_rollback(story):
    """`restores` names what it brings back; the artifact never ran here."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("11:00").deployed("C", restores="A")
    assert story.changes()[-1] == ("forward", "C")
    assert "A" in story.history()[-1]["detail"]


def test_after_a_removal_what_follows_replaces_nothing_and_is_never_a_rollback(story):
    """Not even when it comes by rollback.succeeded; earlier periods stay candidates."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").removed()
    story.at("11:00").rolled_back("A")
    assert story.changes()[-1] == ("restore", "A")
    assert story.history()[-1]["replaced"] is None
    assert story.ranked() == ["B"]


def test_a_removal_ends_what_waits_and_what_is_open(story):
    """A release from before it does not come live after it."""
    story.at("08:00").deployed("A", released=True)
    story.at("09:00").released("B")
    story.at("09:10").exposed("C", 10)
    story.at("10:00").removed()
    story.at("11:00").deployed("B", released=False)
    assert story.current() is None
    assert story.slot()["exposures"] == []


def test_a_removal_of_what_was_never_there_is_no_change(story):
    """It is recorded, and seen in the history."""
    story.at("10:00").removed()
    assert story.changes() == []
    assert [each["type"] for each in story.history()] == ["service.removed"]


def test_a_redeploy_of_a_version_decided_on_changes_nothing(story):
    """The target was current when it was decided."""
    story.at("09:00").deployed("A")
    story.at("09:10").decided("A")
    story.at("09:20").rolled_back("A")
    assert story.changes() == [("first", "A"), ("redeploy", "A")]
