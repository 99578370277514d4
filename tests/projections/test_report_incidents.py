"""Reports of incidents as they happen: a rollback that helped, one that did not, and one that was never deployed."""

from datetime import timedelta, timezone

import pytest

from ledger.events import Submitter
from tests.projections.reporting import told
from tests.projections.story import Story

MINUTE = 60
SUMMER = timezone(timedelta(hours=1))
"""British summer time, as clocks there write it."""

SAM = Submitter("person-sam", "token", "human")


def seconds(report):
    return {name: each["seconds"] for name, each in report["measures"].items()}


def live(report):
    """Which version was live from when on."""
    return [(each["version"], each["since"], each["how"]) for each in report["versions"][0]["periods"]]


# A rollback that helped


@pytest.fixture
def helped(story: Story) -> Story:
    """Deployed 07:11, seen 08:56, rolled back by decision at 09:14, done 09:43, wholly redeployed 14:00."""
    story.zone = SUMMER
    story.at("2026-06-09T09:00:00Z").deployed("A")
    story.at("2026-06-10T06:11:00Z").deployed("B")
    story.at("2026-06-10T07:56:00Z").detected("INC-1", "SEV-1", discovered_by="support")
    story.at("2026-06-10T08:14:00Z").declared("INC-1", "SEV-1", by=SAM)
    story.decided("A", "RB-1", incident="INC-1", by=SAM)
    story.at("2026-06-10T07:40:00Z", "2026-06-10T08:20:00Z").impact_started(
        "INC-1", basis="report", precision="minutes"
    )
    story.at("2026-06-10T08:43:00Z").rolled_back("A", "RB-1")
    story.impact_ended("INC-1", basis="log")
    story.at("2026-06-10T08:45:00Z").rollback_verified("RB-1")
    story.at("2026-06-10T08:50:00Z").resolved("INC-1", by=SAM)
    story.at("2026-06-10T13:00:00Z").deployed("C")
    return story


def test_the_measures_of_a_rollback_that_helped(helped):
    """Worked out by hand; what nobody recorded is missing."""
    assert seconds(told(helped)) == {
        "time_to_detect": 16 * MINUTE,
        "time_to_declare": 18 * MINUTE,
        "time_to_acknowledge": None,
        "time_to_decide": 0,
        "time_to_execute": 29 * MINUTE,
        "time_to_verify": 2 * MINUTE,
        "time_to_mitigate": 63 * MINUTE,
        "time_to_resolve": 36 * MINUTE,
    }


def test_times_are_those_of_the_clock_that_its_people_went_by(helped):
    """Nobody in London thinks in UTC in June; who asks for another zone gets it."""
    report = told(helped)
    assert report["zone"] == "UTC+01:00"
    assert report["timeline"][0]["local"] == "2026-06-10 07:11:00 UTC+01:00"
    london = told(helped, zone="Europe/London")
    assert (london["zone"], london["timeline"][0]["local"]) == ("Europe/London", "2026-06-10 07:11:00 BST")
    assert told(helped, zone="Asia/Kolkata")["timeline"][0]["local"] == "2026-06-10 11:41:00 IST"
    assert told(helped, zone="Asia/Kathmandu")["timeline"][0]["local"] == "2026-06-10 11:56:00 UTC+05:45"


def test_an_estimated_time_is_marked_wherever_it_shows(helped):
    """In the measures that it is a bound of, in the steps and in its window; the end came from a log."""
    report = told(helped)
    estimated = {name for name, each in report["measures"].items() if each["estimated"]}
    assert estimated == {"time_to_detect", "time_to_mitigate"}
    assert [each["step"] for each in report["lifecycle"] if each["estimated"]] == ["impact_started"]
    (window,) = report["impact"]["windows"]
    assert (window["start"]["estimated"], window["end"]["estimated"]) == (True, False)


def test_versions_are_told_from_the_one_before_to_what_ended_it_for_good(helped):
    """The redeploy of the afternoon came after it was resolved, and belongs to the story all the same."""
    assert live(told(helped)) == [
        ("A", "2026-06-09T09:00:00Z", "first"),
        ("B", "2026-06-10T06:11:00Z", "forward"),
        ("A", "2026-06-10T08:43:00Z", "rollback"),
        ("C", "2026-06-10T13:00:00Z", "forward"),
    ]


def test_what_was_last_good_is_what_responders_saw_when_they_declared_it(helped):
    """When impact began the bad version had lived long enough to count as good: both are told, by their moments."""
    (slot,) = told(helped)["versions"]
    assert (slot["last_known_good"]["version"], slot["rollback_target"]["version"]) == ("A", "A")
    sights = [(each["at"], each["current"], each["last_known_good"]["version"]) for each in slot["sights"]]
    assert sights == [("impact_started", "B", "B"), ("declared", "B", "A")]


def test_a_rollback_is_told_step_by_step(helped):
    """Who decided, who carried it out, when it was live, and that it helped."""
    (rollback,) = told(helped)["rollbacks"]
    assert (rollback["decided"]["by"], rollback["succeeded"]["by"]) == ("person-sam", "pipeline-1")
    assert (rollback["deployed_live"], rollback["helped"], rollback["state"]) == (True, True, "verified")
    assert rollback["live"] == {"time": "2026-06-10T08:43:00Z", "position": 7}
    assert rollback["impact_after"] == {"seconds": 0, "positions": [7, 8]}


def test_the_sentence_says_it_all(helped):
    """From figures alone."""
    assert told(helped)["summary"]["sentence"] == (
        "SEV-1 outage of web in production; customers felt it for about 1 h 3 min; it was detected about 16 min after impact began; "
        "web was rolled back to A, live 29 min after that was decided, which helped; "
        "it was resolved 36 min after its declaration."
    )


# A rollback that did not help


@pytest.fixture
def in_vain(story: Story) -> Story:
    """Rolled back within four minutes; the impact lasted 103 minutes all the same. Four incidents are linked."""
    story.at("08:00").deployed("A")
    story.at("11:50").deployed("B")
    for number, relation in enumerate(["follows", "caused_by", "same_cause", "follows"], 2):
        story.at(f"11:5{number}").declared(f"INC-{number}", "SEV-3")
        story.at(f"11:5{number}").add("incident.linked", incident=f"INC-{number}", other="INC-1", relation=relation)
    story.at("12:00").impact_started("INC-1", basis="alert")
    story.at("12:01").detected("INC-1")
    story.at("12:02").declared("INC-1", "SEV-1")
    story.at("12:03").decided("A", "RB-1", incident="INC-1")
    story.at("12:05").rollback_started("A", "RB-1", mechanism="traffic")
    story.at("12:07").rolled_back("A", "RB-1", mechanism="traffic")
    story.at("12:30").rollback_ineffective("RB-1", reason="the same errors with the old version")
    story.at("13:30").add("mitigation.applied", incident="INC-1", kind="restart", text="restarted the database")
    story.at("13:43").impact_ended("INC-1", basis="log")
    story.at("13:50").cause_elsewhere("INC-1", reason="the database ran out of connections")
    story.at("14:00").resolved("INC-1")
    return story


def test_a_rollback_that_did_not_help_is_told_apart_from_one_that_was_not_carried_out(in_vain):
    """It was live at once, and customers felt it for 96 minutes more."""
    report = told(in_vain)
    (rollback,) = report["rollbacks"]
    assert (rollback["state"], rollback["helped"], rollback["deployed_live"]) == ("ineffective", False, True)
    assert (rollback["mechanism"], rollback["impact_after"]["seconds"]) == ("traffic", 96 * MINUTE)
    assert report["impact"]["seconds"] == 103 * MINUTE
    assert (seconds(report)["time_to_execute"], seconds(report)["time_to_verify"]) == (4 * MINUTE, None)
    assert [each["text"] for each in report["mitigations"]] == ["restarted the database"]
    assert report["causes"]["elsewhere"]["reason"] == "the database ran out of connections"
    assert "live 4 min after that was decided, which did not help" in report["summary"]["sentence"]


def test_what_is_installed_is_told_apart_from_what_is_live(in_vain):
    """A rollback by traffic installs nothing."""
    (slot,) = told(in_vain)["versions"]
    assert [each["version"] for each in slot["periods"]] == ["A", "B", "A"]
    assert [each["version"] for each in slot["installed"]] == ["A", "B"]


def test_linked_incidents_are_told_and_are_similar(in_vain):
    """Linked by others to this one; each with what is known of it, and where that is said."""
    report = told(in_vain)
    assert [(each["incident"], each["relation"], each["severity"]) for each in report["links"]] == [
        ("INC-2", "follows", "SEV-3"),
        ("INC-3", "caused_by", "SEV-3"),
        ("INC-4", "same_cause", "SEV-3"),
        ("INC-5", "follows", "SEV-3"),
    ]
    assert [each["incident"] for each in report["similar"]] == ["INC-5", "INC-4", "INC-3", "INC-2"]
    assert report["similar"][0]["why"] == ["linked: follows", "same service and kind: web, outage"]


# A rollback that was never deployed


@pytest.fixture
def forgotten(story: Story) -> Story:
    """Decided and released one evening, never deployed; the bad version served until someone noticed two days later."""
    story.at("09:00").deployed("A", released=False)
    story.released("A")
    story.at("17:00").deployed("B", released=False)
    story.released("B")
    story.at("18:00").impact_started("INC-1", basis="report", precision="hours")
    story.at("18:20").detected("INC-1")
    story.at("18:30").declared("INC-1", "SEV-2")
    story.at("18:40").decided("A", "RB-1", incident="INC-1")
    story.at("18:50").released("A")
    story.at("+2d 19:00").add("incident.note_added", incident="INC-1", text="B is still deployed", pinned=True)
    story.at("+2d 19:05").deployed("A", released=False)
    story.at("+2d 19:06").impact_ended("INC-1", basis="log")
    story.at("+2d 19:30").resolved("INC-1")
    return story


def test_a_rollback_that_was_released_and_not_deployed_is_not_called_done(forgotten):
    """Released ten minutes after the decision; what brought the old version back came two days later."""
    report = told(forgotten)
    (rollback,) = report["rollbacks"]
    assert rollback["released"]["time"] == "2026-03-02T18:50:00Z"
    assert (rollback["succeeded"], rollback["deployed"], rollback["deployed_live"]) == (None, None, False)
    assert rollback["helped"] is None
    assert seconds(report)["time_to_execute"] is None
    assert "customers felt it for about 2 d 1 h" in report["summary"]["sentence"]
    assert "it was decided to roll web back to A, which was released and not deployed" in report["summary"]["sentence"]


def test_the_bad_version_is_seen_to_have_stayed(forgotten):
    """Two days and two hours from its deployment on, whatever was released meanwhile."""
    (slot,) = told(forgotten)["versions"]
    assert [(each["version"], each["since"], each["until"]) for each in slot["installed"]] == [
        ("A", "2026-03-02T09:00:00Z", "2026-03-02T17:00:00Z"),
        ("B", "2026-03-02T17:00:00Z", "2026-03-04T19:05:00Z"),
        ("A", "2026-03-04T19:05:00Z", None),
    ]


def test_a_decision_that_nobody_carried_out_is_told_beside_what_came_later(story):
    """The deployment that brought the old version back two days later is no execution of it: it had lapsed."""
    story.at("09:00").deployed("A")
    story.at("17:00").deployed("B")
    story.at("18:30").declared("INC-1", "SEV-2")
    story.at("18:40").decided("A", "RB-1", incident="INC-1")
    back = story.at("+2d 19:05").deployed("A")
    story.at("+2d 19:30").resolved("INC-1")
    report = told(story)
    first, second = report["rollbacks"]
    assert (first["rollback_id"], first["live"], first["deployed_live"]) == ("RB-1", None, False)
    assert (second["rollback_id"], second["state"], second["live"]["position"]) == (None, "undecided", back)
    assert (second["from_version"], second["to_version"], second["decided"]) == ("B", "A", None)
    assert "roll web back to A, which was not carried out" in report["summary"]["sentence"]


def test_where_nobody_tells_of_deployments_a_release_is_all_that_a_rollback_needs(story):
    """A slot of which releases alone are recorded."""
    story.at("09:00").released("A")
    story.at("09:30").released("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", "RB-1", incident="INC-1")
    released = story.at("10:05").released("A")
    (rollback,) = told(story)["rollbacks"]
    assert (rollback["released"]["position"], rollback["live"]["position"]) == (released, released)
    assert (rollback["deployed"], rollback["deployed_live"]) == (None, True)


def test_a_decision_for_what_runs_already_is_carried_out_by_being_made(story):
    """Live before it was decided; nobody has to deploy anything."""
    story.at("09:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-1")
    decided = story.at("10:02").decided("A", "RB-1", incident="INC-1")
    (rollback,) = told(story)["rollbacks"]
    assert (rollback["live"]["position"], rollback["deployed_live"]) == (decided, True)
    assert "roll web back to A, which was live already" in sentence(story)


def test_whether_a_rollback_is_live_is_not_known_while_it_may_still_be_carried_out(story):
    """Nor is it said that it failed."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", "RB-1", incident="INC-1")
    (rollback,) = told(story)["rollbacks"]
    assert (rollback["state"], rollback["live"], rollback["deployed_live"]) == ("pending", None, None)
    (later,) = told(story, as_of="10:02")["rollbacks"]
    assert later["state"] == "pending"
    story.at("12:00").add("incident.note_added", incident="INC-1", text="nobody did")
    (lapsed,) = told(story)["rollbacks"]
    assert (lapsed["state"], lapsed["deployed_live"]) == ("lapsed", False)


def test_a_rollback_that_was_called_off_or_failed_is_told_so(story):
    """In the sentence, too."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", "RB-1", incident="INC-1")
    story.at("10:03").rollback_started("A", "RB-1")
    story.at("10:04").rollback_failed("A", "RB-1", reason="no such image")
    report = told(story)
    assert report["rollbacks"][0]["state"] == "failed"
    assert "roll web back to A, which was tried and failed" in report["summary"]["sentence"]
    story.at("10:05").rollback_cancelled("RB-1", reason="fix forward")
    report = told(story)
    assert report["rollbacks"][0]["cancelled"]["by"] == "person-ada"
    assert "roll web back to A, which was called off" in report["summary"]["sentence"]


def test_of_several_rollbacks_the_sentence_tells_the_one_that_helped(story):
    """Not the first, which was called off; the others are counted, and whether they were carried out."""
    for number, version in enumerate("ABC"):
        story.at(f"0{number + 7}:00").deployed(version)
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("B", "RB-0", incident="INC-1")
    story.at("10:03").rollback_cancelled("RB-0", reason="too early")
    story.at("10:10").decided("B", "RB-1", incident="INC-1")
    story.at("10:14").rolled_back("B", "RB-1")
    assert "rolled back to B, live 4 min after that was decided; another rollback was not carried out;" in sentence(
        story
    )
    story.at("10:20").rollback_ineffective("RB-1", reason="the same errors")
    story.at("10:30").decided("A", "RB-2", incident="INC-1")
    story.at("10:38").rolled_back("A", "RB-2")
    story.at("10:45").rollback_verified("RB-2")
    helped = "web was rolled back to A, live 8 min after that was decided, which helped"
    assert f"{helped}; of 2 other rollbacks, one was carried out;" in sentence(story)


def sentence(story):
    return told(story)["summary"]["sentence"]
