"""
DORA's five delivery measures: worked out by hand, each with what it comes from.

And on histories made up at random against a slow reference that goes through
all raw events (Hypothesis).
"""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from projections import periods
from projections.delivery import answer
from projections.facts import Moment
from projections.selection import Selection
from projections.tables import Tables
from tests.projections import reference_delivery as reference
from tests.projections.making import answers_for, append, timeline
from tests.projections.story import MONDAY, PIPELINE, digest, time
from tests.projections.test_laws import FIRST, LATER, PLAIN, ROLLBACKS, SLOT, amend, every

FIGURES = ("deployments", "aside", "measures")
LONG_AGO, FAR = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"


def asked(story, as_of=None, known_at=None, start=LONG_AGO, end=FAR, zone=UTC, **more):
    moment = story.moment(as_of, known_at)
    period = periods.period(time(start) if start else None, time(end) if end else None, zone, moment.as_of)
    with story.answers.at(moment) as reader:
        return answer(reader, Selection(period, **more))


def measure(story, name, **more):
    return asked(story, **more)["measures"][name]


def failed(story, **more):
    """The positions of the deployments that failed, and why."""
    found = measure(story, "change_fail_rate", **more)
    return {each["position"]: [why["code"] for why in each["because"]] for each in found["values"]}


def reworked(story, **more):
    found = measure(story, "deployment_rework_rate", **more)
    return {each["position"]: [why["code"] for why in each["because"]] for each in found["values"]}


def recovery(story, **more):
    found = measure(story, "failed_deployment_recovery_time", **more)
    values = [each["seconds"] for each in found["values"]]
    return values, found["missing"], found["open"]


# Which deployments


def test_only_production_counts(story):
    """By its name where no tier is configured, and the answer says so."""
    story.at("09:00").deployed("A")
    story.at("09:05").deployed("A", environment="staging")
    story.at("09:10").deployed("A", environment="PROD")
    found = asked(story)
    assert found["deployments"] == 2
    assert found["environments"] == [
        {"environment": "PROD", "tier": None, "counted": True, "because": "name", "services": 1},
        {"environment": "production", "tier": None, "counted": True, "because": "name", "services": 1},
        {"environment": "staging", "tier": None, "counted": False, "because": "name", "services": 1},
    ]


def test_a_tier_that_is_configured_goes_before_any_name(story):
    """A service's own before the environment's."""
    story.at("08:00").configured(environment="eu-1", tier="production")
    story.configured(environment="production", tier="staging")
    story.configured(environment="eu-1", service="toy", tier="testing")
    story.at("09:00").deployed("A", environment="eu-1")
    story.deployed("A")
    story.deployed("A", environment="eu-1", service="toy")
    found = asked(story)
    assert found["deployments"] == 1
    told = [(each["environment"], each["tier"], each["counted"], each["because"]) for each in found["environments"]]
    assert told == [
        ("eu-1", "production", True, "tier"),
        ("eu-1", "testing", False, "tier"),
        ("production", "staging", False, "tier"),
    ]


def test_attempts_that_failed_and_rollbacks_are_counted_beside(story):
    """Neither brings anything new to users."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B", deployment_id="d2")
    story.at("09:11").deployed("B", deployment_id="d2")
    story.at("09:20").deployment_failed("C")
    story.at("09:25").deployment_cancelled("C")
    story.at("09:30").rolled_back("A", "RB-1")
    found = asked(story)
    assert found["deployments"] == 2
    assert found["aside"] == {"failed": 1, "cancelled": 1, "rollback": 1, "repeated": 1}


def test_the_same_id_for_another_version_is_another_deployment(story):
    """Some pipelines have one id for ever; going back is a deployment, too."""
    for moment, version in (("09:00", "A"), ("09:10", "B"), ("09:20", "A"), ("09:30", "A")):
        story.at(moment).deployed(version, deployment_id="deploy")
    assert asked(story)["deployments"] == 3


def test_a_slot_that_was_not_yet_known_is_not_told_of(story):
    """As known earlier there was no other environment."""
    first = story.at("09:00").deployed("A")
    story.at("09:10").deployed("A", environment="staging")
    assert [each["environment"] for each in asked(story, known_at=first)["environments"]] == ["production"]
    assert [each["environment"] for each in asked(story, as_of="09:05")["environments"]] == ["production"]


# Frequency


def test_how_many_a_day_and_a_week(story):
    """From the first deployment on: three days with 2, 0 and 1, and the first and the last day are cut."""
    for moment in ("09:00", "+1d 09:00", "+1d 12:00", "+3d 10:00", "+4d 10:00"):
        story.at(moment).deployed("A")
    found = measure(story, "deployment_frequency")
    days = found["days"]
    assert found["since"] == "2026-03-02T09:00:00Z"
    assert (days["n"], days["cut"], days["median"], days["p90"]) == (3, 2, 1, 1.8)
    assert days["spread"] == [
        {"deployments": 0, "times": 1},
        {"deployments": 1, "times": 1},
        {"deployments": 2, "times": 1},
    ]
    assert [(each["name"], each["deployments"], each["whole"]) for each in days["values"]] == [
        ("2026-03-02", 1, False),
        ("2026-03-03", 2, True),
        ("2026-03-05", 1, True),
        ("2026-03-06", 1, False),
    ]
    assert days["values"][1]["positions"] == [2, 3]
    assert (found["weeks"]["n"], found["weeks"]["cut"], found["weeks"]["median"]) == (0, 1, None)


def test_days_before_the_first_deployment_are_not_known_to_be_empty(story):
    """The record of a service begins some day; before that nobody looked."""
    story.at("+10d 00:00").deployed("A")
    story.at("+12d 00:00").deployed("B")
    days = measure(story, "deployment_frequency")["days"]
    assert (days["n"], days["median"]) == (2, 0.5)
    later = measure(story, "deployment_frequency", start="+11d 00:00", end="+12d 00:00")["days"]
    assert (later["n"], later["median"], later["values"]) == (1, 0, [])


def test_a_clock_that_was_wrong_makes_no_thousand_empty_days(story):
    """Of all that is recorded, what claims to be of 1970 says nothing of the days since."""
    story.at("1970-01-01T00:00:00Z", recorded="09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("+2d 10:00").deployed("C")
    found = asked(story, start=None, end=None)
    assert (found["deployments"], found["measures"]["deployment_frequency"]["since"]) == (2, "2026-03-02T10:00:00Z")
    assert found["measures"]["deployment_frequency"]["days"]["n"] == 1


def test_a_day_over_the_change_of_the_clocks_is_one_day(story):
    """In London, 29 March 2026 has 23 hours: midnight is 23:00 UTC from then on."""
    story.at("2026-03-28T00:00:00Z").deployed("A")
    story.at("2026-03-29T22:30:00Z").deployed("B")
    story.at("2026-03-29T23:30:00Z").deployed("C")
    story.at("2026-03-31T12:00:00Z").deployed("D")
    days = measure(story, "deployment_frequency", zone=ZoneInfo("Europe/London"))["days"]
    assert [(each["name"], each["deployments"]) for each in days["values"]] == [
        ("2026-03-28", 1),
        ("2026-03-29", 1),
        ("2026-03-30", 1),
        ("2026-03-31", 1),
    ]
    in_utc = measure(story, "deployment_frequency")["days"]["values"]
    assert [(each["name"], each["deployments"]) for each in in_utc][1] == ("2026-03-29", 2)


def test_of_a_period_that_ends_in_the_future_no_day_is_told_that_has_not_come(story):
    """Days after the moment asked for are no empty days."""
    story.at("00:00").deployed("A")
    story.at("+2d 00:00").deployed("B")
    days = measure(story, "deployment_frequency", end="2026-12-01T00:00:00Z")["days"]
    assert (days["n"], days["cut"]) == (2, 1)


# Lead time


def test_the_lead_time_is_from_the_commit_to_the_deployment(story):
    """Each with the position that says when the commit was made."""
    story.at("09:00").deployed("A", committed_at="2026-03-02T08:00:00Z", commit="c1")
    found = measure(story, "change_lead_time")
    assert (found["n"], found["missing"], found["median"]["seconds"]) == (1, 0, 3600)
    (value,) = found["values"]
    assert (value["service"], value["environment"], value["version"]) == ("web", "production", "A")
    assert value["from"] == {"name": "committed", "time": "2026-03-02T08:00:00Z", "position": 1}
    assert value["to"] == {"name": "deployed", "time": "2026-03-02T09:00:00Z", "position": 1}


def test_the_start_of_the_deployment_or_the_artifact_may_say_it(story):
    """The deployment's own word goes first; of an artifact published again, the last word before."""
    story.at("08:00").published("A", committed_at="2026-03-02T07:00:00Z")
    story.at("08:30").published("A", committed_at="2026-03-02T07:30:00Z")
    story.at("08:40").published("B", committed_at="2026-03-02T07:00:00Z")
    story.at("09:00").deployed("A")
    story.at("09:10").deploying("B", deployment_id="d", committed_at="2026-03-02T08:00:00Z")
    story.at("09:20").deployed("B", deployment_id="d")
    found = measure(story, "change_lead_time")["values"]
    assert [(each["version"], each["seconds"], each["from"]["position"]) for each in found] == [
        ("B", 4800, 5),
        ("A", 5400, 2),
    ]


def test_another_digest_of_the_same_version_says_nothing(story):
    """A tag that was moved: its new commit is not the one that was deployed."""
    story.at("08:00").published("A", digest=digest("1"), committed_at="2026-03-02T07:00:00Z")
    story.at("08:30").published("A", digest=digest("2"), committed_at="2026-03-02T08:20:00Z")
    story.at("09:00").deployed("A", digest=digest("1"))
    assert measure(story, "change_lead_time")["values"][0]["seconds"] == 7200


def test_a_missing_commit_time_is_counted_and_never_imputed(story):
    """The deployment is told of."""
    story.at("09:00").deployed("A")
    found = measure(story, "change_lead_time")
    assert (found["n"], found["missing"], found["median"]) == (0, 1, None)
    assert found["missing_of"][0]["to"]["position"] == 1


def test_the_same_commit_deployed_again_is_no_new_change(story):
    """A rollback by deploying is no change that took a month."""
    story.at("09:00").deployed("A", committed_at="2026-03-02T08:00:00Z", commit="c1")
    story.at("+20d 09:00").deployed("B", committed_at="2026-03-22T08:30:00Z", commit="c2")
    story.at("+20d 10:00").deployed("A", committed_at="2026-03-02T08:00:00Z", commit="c1")
    story.at("+20d 11:00").deployed("A", service="shop", committed_at="2026-03-02T08:00:00Z", commit="c1")
    found = measure(story, "change_lead_time", service="web")
    assert (found["n"], found["again"]) == (2, 1)
    assert measure(story, "change_lead_time")["n"] == 3


def test_a_commit_after_its_deployment_is_contradictory_and_shown(story):
    """Two clocks that differ: nothing is put right."""
    story.at("09:00").deployed("A", committed_at="2026-03-02T09:05:00Z")
    found = measure(story, "change_lead_time")
    assert (found["n"], found["contradictory"]) == (1, 1)
    assert (found["values"][0]["seconds"], found["values"][0]["contradictory"]) == (-300, True)


# Failures, and recovering from them


def test_a_deployment_that_was_rolled_back_failed(story):
    """With when and how long after; three deployments, one of them failed."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:40").rolled_back("A", "RB-1")
    story.at("10:00").deployed("C")
    found = measure(story, "change_fail_rate")
    assert (found["failed"], found["deployments"], found["ratio"]) == (1, 3, 1 / 3)
    (value,) = found["values"]
    assert (value["version"], value["position"]) == ("B", 2)
    assert value["because"] == [
        {
            "code": "rolled_back",
            "incident": None,
            "seconds_after": 1800,
            "time": "2026-03-02T09:40:00Z",
            "position": 3,
        }
    ]
    assert recovery(story) == ([1800], 0, 0)


def test_going_back_by_a_deployment_is_a_rollback_and_going_forward_again_is_none(story):
    """Direction comes from what was live here before."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:20").deployed("A")
    story.at("11:00").deployed("B")
    assert failed(story) == {2: ["rolled_back"]}


def test_a_rollback_that_was_judged_ineffective_says_nothing_against_a_deployment(story):
    """A person said that it was not this."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:20").decided("A", "RB-1")
    story.at("09:25").rolled_back("A", "RB-1")
    assert failed(story) == {2: ["rolled_back"]}
    story.at("09:40").rollback_ineffective("RB-1")
    assert failed(story) == {}


def test_an_implicated_version_makes_the_deployment_fail_that_brought_it(story):
    """Of several the last before the incident was noticed; and none when it is exonerated."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:30").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:05").declared("INC-1", "SEV-3")
    story.at("10:06").deployed("C")
    story.at("10:07").deployed("B")
    story.at("11:00").implicated("INC-1", "B")
    found = failed(story)
    assert found[4] == ["implicated"]
    assert 7 not in found
    story.at("11:30").exonerated("INC-1", "B")
    assert 4 not in failed(story)


@pytest.mark.parametrize(
    "mode, kind, after", [("drill", "outage", None), ("real", "maintenance", None), ("real", "outage", "cancel")]
)
def test_drills_maintenance_and_what_was_cancelled_blame_nobody(story, mode, kind, after):
    """Whatever they say."""
    story.at("09:00").deployed("A")
    story.at("09:10").declared("INC-1", "SEV-1", mode=mode, kind=kind)
    story.at("09:20").implicated("INC-1", "A")
    if after:
        story.at("09:30").incident_cancelled("INC-1")
    assert failed(story) == {}


def test_one_deployment_fails_once_however_often_it_is_blamed(story):
    """Distinct deployments are counted, with all that speaks against them."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:15").declared("INC-1", "SEV-1")
    story.at("09:20").implicated("INC-1", "B")
    story.at("09:30").rolled_back("A", "RB-1")
    found = measure(story, "change_fail_rate")
    assert found["failed"] == 1
    assert [why["code"] for why in found["values"][0]["because"]] == ["implicated", "rolled_back"]


def test_a_rollback_that_did_not_end_the_impact_is_no_recovery(story):
    """Rolled back after 4 minutes, felt for 103: the impact's end counts where it is known."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.impact_started("INC-1")
    story.at("10:04").rolled_back("A", "RB-1")
    story.at("10:10").implicated("INC-1", "B")
    assert recovery(story) == ([], 0, 1)
    story.at("11:43").impact_ended("INC-1")
    assert recovery(story) == ([103 * 60], 0, 0)
    story.at("12:00").resolved("INC-1")
    assert recovery(story) == ([103 * 60], 0, 0)


def test_without_any_impact_recorded_the_rollback_is_the_recovery(story):
    """Or it is missing where the incident was over, and open while it is not."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:01").declared("INC-1", "SEV-1")
    story.at("10:02").implicated("INC-1", "B")
    assert recovery(story) == ([], 0, 1)
    story.at("10:30").resolved("INC-1")
    assert recovery(story) == ([], 1, 0)
    story.at("10:40").rolled_back("A", "RB-1")
    assert recovery(story) == ([2400], 0, 0)


def test_impact_that_ended_before_the_deployment_is_contradictory_and_shown(story):
    """A blamed version that came after the fact: somebody's times are wrong."""
    story.at("09:00").declared("INC-1", "SEV-1")
    story.impact_started("INC-1")
    story.at("09:30").impact_ended("INC-1")
    story.at("10:00").deployed("B")
    story.at("10:10").implicated("INC-1", "B")
    found = measure(story, "failed_deployment_recovery_time")
    assert (found["n"], found["contradictory"], found["values"][0]["seconds"]) == (1, 1, -1800)


def test_a_deployment_belongs_to_its_own_period_however_late_it_failed(story):
    """The rollback was a month later; and before it happened nobody knew."""
    story.at("09:00").deployed("A")
    story.at("+1d 09:00").deployed("B")
    story.at("+30d 09:00").rolled_back("A", "RB-1")
    assert failed(story, start="+1d 00:00", end="+2d 00:00") == {2: ["rolled_back"]}
    assert failed(story, start="+2d 00:00", end="+40d 00:00") == {}
    assert failed(story, as_of="+2d 00:00") == {}


def test_what_no_recorded_deployment_brought_is_told_apart(story):
    """Released without a deployment, and rolled back: there is no deployment to fail."""
    story.at("09:00").released("A")
    story.at("09:10").released("B")
    story.at("09:30").rolled_back("A", "RB-1", mechanism="traffic")
    found = measure(story, "change_fail_rate")
    assert (found["failed"], found["deployments"], found["ratio"]) == (0, 0, None)
    assert [(each["version"], each["code"], each["position"]) for each in found["unmatched"]] == [
        ("B", "rolled_back", 3)
    ]


# Rework


def test_a_deployment_that_names_an_incident_is_rework(story):
    """Itself, or its start; unless the incident is a drill."""
    story.at("09:00").declared("INC-1", "SEV-2")
    story.declared("DRILL", "SEV-2", mode="drill")
    story.at("09:10").deployed("A", incident="INC-1")
    story.at("09:20").deploying("B", deployment_id="d", incident="INC-1")
    story.at("09:30").deployed("B", deployment_id="d")
    story.at("09:40").deployed("C", incident="DRILL")
    found = measure(story, "deployment_rework_rate")
    assert (found["rework"], found["deployments"], found["ratio"]) == (2, 3, 2 / 3)
    assert found["values"][1]["because"] == [{"code": "names_incident", "incident": "INC-1", "position": 5}]


def test_the_first_deployment_after_a_person_chose_to_deploy_instead_is_rework(story):
    """Not the second, not one in another slot, and not one after the incident was over."""
    story.at("08:00").deployed("A")
    story.at("09:00").declared("INC-1", "SEV-2")
    story.at("09:05").declined("fix_forward")
    story.at("09:06").deployed("A", service="shop")
    story.at("09:30").deployed("B")
    story.at("09:40").deployed("C")
    story.at("09:50").resolved("INC-1")
    assert reworked(story) == {5: ["chosen_instead"]}
    assert measure(story, "deployment_rework_rate")["in_incident"] == 2


@pytest.mark.parametrize(
    "chosen, more, deployed",
    [
        ("scale", {}, "09:30"),
        ("none", {}, "09:30"),
        ("fix_forward", {}, "10:30"),
        ("fix_forward", {"incident": "DRILL"}, "09:30"),
    ],
    ids=["no deployment", "nothing", "after it was over", "in a drill"],
)
def test_what_was_chosen_otherwise_makes_no_rework(story, chosen, more, deployed):
    """Only what says so, while it lasts."""
    story.at("09:00").declared("INC-1", "SEV-2")
    story.declared("DRILL", "SEV-2", mode="drill")
    story.at("09:05").declined(chosen, **more)
    if deployed > "10:00":
        story.at("10:00").resolved("INC-1")
    story.at(deployed).deployed("B")
    assert reworked(story) == {}


def test_a_deployment_that_carried_out_a_rollback_decided_in_an_incident_is_rework(story):
    """The pipeline deploys the version that a person decided for."""
    story.at("08:00").deployed("A")
    story.at("08:30").deployed("B")
    story.at("09:00").declared("INC-1", "SEV-1")
    story.at("09:05").decided("A", "RB-1")
    story.at("09:10").deployed("A", by=PIPELINE)
    assert reworked(story) == {5: ["carries_out_rollback"]}


def test_to_fall_into_an_incident_is_no_rework(story):
    """Planned work goes on; it is counted beside."""
    story.at("09:00").declared("INC-1", "SEV-3")
    story.at("09:30").deployed("B")
    found = measure(story, "deployment_rework_rate")
    assert (found["rework"], found["in_incident"]) == (0, 1)


# Periods, groups, moments


def test_by_service_environment_team_month_and_week(story):
    """Each group is what is answered when one asks for it alone."""
    story.at("08:00").configured(environment="production", owner="platform")
    story.configured(environment="production", service="shop", owner="checkout")
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("A", service="shop")
    story.at("+40d 09:00").deployed("B")
    for by, names in (
        ("service", ["shop", "web"]),
        ("environment", ["production"]),
        ("team", ["checkout", "platform"]),
        ("month", ["2026-03", "2026-04"]),
        ("week", ["2026-W10", "2026-W11", "2026-W12", "2026-W13", "2026-W14", "2026-W15"]),
    ):
        groups = asked(story, by=by)["groups"]
        assert [each["group"] for each in groups] == names
        for each in groups:
            narrowed = {by: each["group"]}
            if each["part"] is not None:
                narrowed = {"start": each["part"]["from"], "end": each["part"]["to"]}
            alone = asked(story, **narrowed)
            assert {name: alone[name] for name in FIGURES} == {name: each[name] for name in FIGURES}


def test_a_correction_changes_the_measures_from_its_recording_on(story):
    """And `known_at` brings the old ones back."""
    story.at("09:00").deployed("A", committed_at="2026-03-02T08:00:00Z")
    corrected = story.at("10:00").corrected(1, "committed_at", "2026-03-02T08:30:00Z")
    assert measure(story, "change_lead_time")["values"][0]["seconds"] == 1800
    assert measure(story, "change_lead_time", known_at=corrected - 1)["values"][0]["seconds"] == 3600
    story.at("11:00").retracted(1)
    assert asked(story)["deployments"] == 0


def test_of_nothing_everything_is_empty(story):
    """No rate of nothing, no zero days."""
    found = asked(story, by="week")
    assert (found["deployments"], found["groups"], found["environments"]) == (0, [], [])
    told = found["measures"]
    assert told["change_fail_rate"] == {"failed": 0, "deployments": 0, "ratio": None, "values": [], "unmatched": []}
    assert told["deployment_frequency"]["days"]["n"] == 0


# Made up at random, against the reference

V = ["A", "B", "C"]
COMMITS = {"commit": [None, "c1", "c2"], "committed_at": [None, "2026-03-01T23:00:00Z", "2026-03-02T00:31:00Z"]}
IDS = ["d1", "d2"]
GROUPS = [
    PLAIN,
    every("deployment.succeeded", deployment_id=IDS, version=V, **COMMITS, **SLOT),
    every("deployment.succeeded", deployment_id=IDS, version=V, digest=[None, digest("1"), digest("2")], **SLOT),
    [
        *every("deployment.succeeded", deployment_id=IDS, version=V, incident=["I1", "I2", "I9"], **SLOT),
        *every("deployment.started", deployment_id=IDS, version=V, incident=[None, "I1"], **COMMITS, **SLOT),
        *every("deployment.failed", deployment_id=IDS, version=V, **SLOT),
        *every("service.removed", **SLOT),
        *every("release.completed", release_id=["x"], version=V, **SLOT),
        *every("artifact.published", service=["web"], version=V, digest=[None, digest("1")], **COMMITS),
        *every("environment.configured", environment=["production", "staging"], tier=["production", "testing"]),
        *every("environment.configured", environment=["production"], service=["web"], tier=["prod"], owner=["ana"]),
    ],
    every("rollback.declined", chosen=["fix_forward"] * 3 + ["scale"], reason=["why"], incident=[None, "I1"], **SLOT),
    ROLLBACKS,
    ROLLBACKS,
    FIRST,
    FIRST,
    LATER,
    [
        *every("incident.version_implicated", incident=["I1", "I2"], version=V, reason=["why"], **SLOT) * 2,
        *every("incident.version_exonerated", incident=["I1", "I2"], version=V, reason=["why"], **SLOT),
        *every("incident.impact_started", incident=["I1", "I2"], basis=["log"], window=[None, "w1"]),
        *every("incident.impact_ended", incident=["I1", "I2"], basis=["log"], window=[None, "w1"]),
        *every("incident.impact_ended", incident=["I1", "I2"], basis=["log"]),
    ],
]
MINUTES = [*range(0, 60, 2), *range(60, 240, 10), 1440, 1500, 3000, 44_000]
ONCE = {"incident.detected", "incident.declared"}


@st.composite
def histories(draw):
    """A record; of its incidents the events come in order, at odd minutes, and all else at even ones."""
    kinds = st.sampled_from(GROUPS).flatmap(st.sampled_from)
    drafts = draw(
        st.lists(
            st.tuples(kinds, st.sampled_from(MINUTES), st.sampled_from([0] * 7 + [10, -30])), min_size=3, max_size=30
        )
    )
    if draw(st.booleans()):
        drafts.sort(key=lambda each: each[1])
    minutes = iter(sorted(minute for (topic, _), minute, _ in drafts if topic.startswith("incident.")))
    changes = draw(
        st.lists(
            st.tuples(
                st.integers(1, 40),
                st.sampled_from(["retract", "time", "service", "environment", "version", "to_version"]),
                st.integers(0, 59),
            ),
            max_size=3,
        )
    )
    events = []
    for (topic, data), minute, late in drafts:
        incident = topic.startswith("incident.")
        if topic in ONCE and any((e.event.TOPIC, e.event.incident) == (topic, data["incident"]) for e in events):
            continue
        append(events, topic, data, next(minutes) + 1 if incident else minute, 0 if incident else late)
        while changes and changes[0][0] <= len(events):
            amend(events, *changes.pop(0))
    return events


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    found = Tables(tmp_path_factory.mktemp("delivery"))
    yield found
    found.close()


def whole(seconds):
    return round(seconds * 1_000_000)


def lengths(told):
    quantiles = tuple(told[name] and whole(told[name]["seconds"]) for name in ("median", "p90"))
    return [whole(each["seconds"]) for each in told["values"]], told["missing"], told["contradictory"], quantiles


def buckets(told):
    counts = [each["deployments"] for each in told["spread"] for _ in range(each["times"])]
    held = {each["name"]: sorted(each["positions"]) for each in told["values"]}
    return {"counts": counts, "cut": told["cut"], "quantiles": (told["median"], told["p90"]), "held": held}


def fast(group):
    """What is answered, in the form of the reference."""
    told = group["measures"]
    rework = told["deployment_rework_rate"]
    return {
        "deployments": sorted(p for each in told["deployment_frequency"]["days"]["values"] for p in each["positions"]),
        "lead": lengths(told["change_lead_time"]),
        "again": told["change_lead_time"]["again"],
        "failed": {
            each["position"]: [
                (why["code"], time(why["time"]), why["position"], why["incident"]) for why in each["because"]
            ]
            for each in sorted(told["change_fail_rate"]["values"], key=lambda each: each["position"])
        },
        "unmatched": sorted(each["position"] for each in told["change_fail_rate"]["unmatched"]),
        "recovery": lengths(told["failed_deployment_recovery_time"]),
        "open": sorted(each["from"]["position"] for each in told["failed_deployment_recovery_time"]["open_of"]),
        "rework": {
            each["position"]: {(why["code"], why["incident"], why["position"]) for why in each["because"]}
            for each in sorted(rework["values"], key=lambda each: each["position"])
        },
        "in_incident": rework["in_incident"],
        "days": buckets(told["deployment_frequency"]["days"]),
        "weeks": buckets(told["deployment_frequency"]["weeks"]),
    }


def by_monday(weeks):
    """The reference names a week by its Monday."""
    return {**weeks, "held": sorted(weeks["held"].values())}


def agrees_with_the_reference(tables, events, middle, start, length, narrowed):
    note(timeline(events))
    answers, last = answers_for(tables, events), events[-1].recorded_at
    known = events[middle % len(events)]
    begin, end = MONDAY + timedelta(minutes=start), MONDAY + timedelta(minutes=start + length)
    for moment in (
        Moment(last, len(events), now=True),
        Moment(known.recorded_at, len(events)),
        Moment(known.recorded_at, known.position),
    ):
        period = periods.period(begin, end, UTC, moment.as_of)
        with answers.at(moment) as reader:
            found = fast(answer(reader, Selection(period, **narrowed)))
        expected = reference.over_many(events, moment.as_of, moment.known_at, begin, end, **narrowed)
        found["weeks"], expected["weeks"] = by_monday(found["weeks"]), by_monday(expected["weeks"])
        assert found == expected


narrowings = st.sampled_from([{}, {}, {"service": "web"}, {"environment": "staging"}, {"team": "ana"}])
starts, lasting = st.sampled_from([-1440, 0, 31, 120]), st.sampled_from([30, 240, 10_080, 60_000])


@given(histories(), st.integers(0, 40), starts, lasting, narrowings)
@settings(max_examples=120, deadline=None)
def test_the_measures_are_those_of_the_slow_reference(tables, events, middle, start, length, narrowed):
    """Now, as of an earlier moment, and as known then."""
    agrees_with_the_reference(tables, events, middle, start, length, narrowed)


@pytest.mark.slow
@given(histories(), st.integers(0, 40), starts, lasting, narrowings)
@settings(max_examples=2000, deadline=None)
def test_they_are_for_many_more_histories(tables, events, middle, start, length, narrowed):
    """The same, for longer."""
    agrees_with_the_reference(tables, events, middle, start, length, narrowed)
