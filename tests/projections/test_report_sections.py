"""The sections of a report: who came when, what was written, what is to be done, what to be wary of, what is like it."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.events import Submitter
from ledger.values import Unfit
from tests.projections.reporting import BOB, told

MINUTE = 60
DAY = 86_400
RELAY = Submitter("relay-1", "token", "machine")


def at(moment: str, position: int) -> dict[str, Any]:
    return {"time": f"2026-03-02T{moment}:00Z", "position": position}


# Little is known


@pytest.mark.parametrize("audience", ["internal", "public", "auditor"])
def test_an_incident_of_a_single_entry_makes_a_whole_report(story, audience):
    """Nothing is made up: what is not recorded is missing, and the steps say so."""
    story.at("10:00").declared("INC-1", "SEV-3", title="slow", kind="latency")
    report = told(story, audience=audience)
    assert report["positions"] == {"first": 1, "last": 1, "count": 1}
    assert [each["position"] for each in report["timeline"]] == [1]
    assert {each["seconds"] for each in report["measures"].values()} == {None}
    assert [each["step"] for each in report["lifecycle"] if each["time"]] == ["declared"]
    assert [each["step"] for each in report["lifecycle"]] == (
        "impact_started detected declared acknowledged decided executed verified impact_ended resolved closed".split()
    )
    assert report["impact"]["seconds"] is None
    assert report["summary"]["sentence"] == "SEV-3 latency of web in production; it is not over."


def test_of_an_incident_that_nobody_announced_there_is_a_report(story):
    """A note alone, with a misspelt id perhaps: it is marked."""
    story.at("10:00").add("incident.note_added", incident="INC-1", text="odd")
    report = told(story)
    assert (report["span"], report["cover"]["state"], report["versions"]) == (None, None, [])
    assert [each["code"] for each in report["quality"]["marks"]] == ["unknown_incident"]
    assert report["summary"]["sentence"] == "An incident, neither detected nor declared."
    story.at("10:05").detected("INC-1")
    assert told(story)["summary"]["sentence"] == "An incident of web in production; it is not over."


# At which moment it is read


def test_an_open_incident_lasts_to_the_last_that_was_recorded_of_it(story):
    """Not to the moment of asking: else a report would never be the same twice. As of a moment it lasts till then."""
    story.at("10:00").impact_started("INC-1")
    story.declared("INC-1", "SEV-1")
    assert "; customers feel it; it is not over." in told(story)["summary"]["sentence"]
    story.at("10:30").add("incident.note_added", incident="INC-1", text="still")
    story.at("15:00").deployed("S", service="shop")
    report = told(story)
    assert (report["as_of"], report["moment"]) == (None, "2026-03-02T10:30:00Z")
    assert (report["impact"]["seconds"], report["impact"]["ongoing"]) == (30 * MINUTE, True)
    assert report["severities"]["seconds"]["SEV-1"] == 30 * MINUTE
    assert "customers felt it for about 30 min so far" in report["summary"]["sentence"]
    later = told(story, as_of="14:00")
    assert (later["as_of"], later["moment"]) == ("2026-03-02T14:00:00Z", "2026-03-02T14:00:00Z")
    assert later["impact"]["seconds"] == 4 * 60 * MINUTE


def test_what_is_recorded_late_moves_the_moment_to_its_recording(story):
    """The moment is when the last was recorded, not when it happened; a correction is recorded, too."""
    declared = story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05", recorded="11:00").resolved("INC-1")
    assert told(story)["moment"] == "2026-03-02T11:00:00Z"
    story.at("12:00").corrected(declared, "title", "other", reason="typo")
    assert told(story)["moment"] == "2026-03-02T12:00:00Z"


def test_a_report_names_the_first_checkpoint_that_covers_what_it_rests_on(story):
    """Not the newest one, which would change with every second."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").deployed("S", service="shop")

    class Log:
        def leaf_hash(self, position):
            return f"{position:064x}"

        def checkpoint(self, position):
            return {"origin": "log", "size": position, "root": "r"} if position < 2 else None

    report = told(story, log=Log())
    assert report["cover"]["checkpoint"] == {"origin": "log", "size": 1, "root": "r"}
    assert report["appendix"][0]["leaf"] == f"{1:064x}"
    story.at("11:01").resolved("INC-1")
    assert told(story, log=Log())["cover"]["checkpoint"] is None


def test_a_zone_that_is_none_is_refused(story):
    """With words for who asked; and so is one that is another on each machine: the same question, the same bytes."""
    story.at("10:00").declared("INC-1", "SEV-1")
    strange = ("Mars/Olympus", "../../etc/passwd", "", "Europe", "a" * 300, "\x00")
    for name in (*strange, "localtime", "posixrules", "Factory", "right/UTC", "posix/Europe/London"):
        with pytest.raises(Unfit, match="is not a time zone"):
            told(story, zone=name)


# Kinds of incident


def test_a_drill_says_that_it_is_one(story):
    """First of all, and whatever else is told of it."""
    story.at("10:00").declared("INC-1", "SEV-1", mode="drill")
    report = told(story)
    assert (report["cover"]["mode"], report["cover"]["counted"]) == ("drill", False)
    assert report["summary"]["sentence"].startswith("Drill: SEV-1 outage of web in production")


def test_the_report_of_an_incident_tells_those_that_were_merged_into_it(story):
    """Their events are in its timeline and its appendix; the report of such a one says where it went."""
    story.at("10:00").declared("INC-1", "SEV-2", title="one")
    one = story.at("10:01").declared("INC-2", "SEV-3", title="two")
    merged = story.at("10:05").merged("INC-2", "INC-1", reason="the same")
    story.at("10:30").resolved("INC-1")
    report = told(story)
    assert {one, merged} <= {each["position"] for each in report["timeline"]}
    assert [(each["incident"], each["relation"], each["to"]) for each in report["links"]] == [
        ("INC-2", "merged", False)
    ]
    assert report["similar"] == []
    other = told(story, "INC-2")
    assert (other["cover"]["merged_into"], other["cover"]["leads_to"]) == ("INC-1", "INC-1")
    assert [(each["incident"], each["title"]) for each in other["links"]] == [("INC-1", "one")]


def test_a_reopened_incident_has_its_last_resolution_and_its_first(story):
    """Both cycles are told."""
    story.at("10:00").declared("INC-1", "SEV-2")
    first = story.at("10:30").resolved("INC-1")
    story.at("11:00").reopened("INC-1")
    last = story.at("12:00").resolved("INC-1")
    cover = told(story)["cover"]
    assert (cover["resolved"], cover["first_resolved"], cover["cycles"]) == (at("12:00", last), at("10:30", first), 2)


# Steps


def test_steps_come_in_the_order_of_their_times(story):
    """Impact was over before anybody verified; what is missing stands where it would have come."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05").impact_started("INC-1")
    story.at("10:20").impact_ended("INC-1")
    story.at("10:30").mitigated("INC-1")
    report = told(story)
    assert [(each["step"], each["seconds"]) for each in report["lifecycle"] if each["time"]] == [
        ("declared", None),
        ("impact_started", 5 * MINUTE),
        ("impact_ended", 15 * MINUTE),
        ("mitigated", 10 * MINUTE),
    ]
    assert [each["step"] for each in report["lifecycle"]] == (
        "declared impact_started detected acknowledged decided executed verified impact_ended mitigated resolved closed"
    ).split()


# Impact and severity


def test_a_window_that_nobody_ended_says_nothing_of_how_long_it_was(story):
    """It is no time at all, and not the whole of what others lasted."""
    story.at("10:00").impact_started("INC-1", window="eu")
    story.declared("INC-1", "SEV-1")
    story.at("11:00").resolved("INC-1")
    impact = told(story)["impact"]
    assert (impact["seconds"], impact["complete"]) == (None, False)
    story.at("11:30").impact_started("INC-1", window="us")
    story.at("11:40").impact_ended("INC-1", window="us")
    report = told(story)
    assert (report["impact"]["seconds"], report["impact"]["complete"]) == (10 * MINUTE, False)
    assert "customers felt it for at least about 10 min" in report["summary"]["sentence"]


def test_an_estimate_inside_of_another_window_moves_nothing(story):
    """How long customers felt it is as sure as what bounds it; the window itself bears its mark."""
    story.at("10:00").impact_started("INC-1", window="eu", basis="log")
    story.at("10:10").impact_started("INC-1", window="us")
    story.at("10:30").impact_ended("INC-1", window="eu", basis="log")
    end = story.at("10:40").impact_ended("INC-1", window="us", basis="log")
    found = told(story)
    assert found["impact"]["estimated"] is False
    assert [each["start"]["estimated"] for each in found["impact"]["windows"]] == [False, True]
    assert "customers felt it for 40 min" in found["summary"]["sentence"]
    story.at("10:50").corrected(end, "basis", "judgement", reason="nobody logged it")
    assert told(story)["impact"]["estimated"] is True


def test_each_time_in_a_severity_names_the_event_that_began_it(story):
    """Also where that was no grading, but a reopening."""
    declared = story.at("10:00").declared("INC-1", "SEV-1")
    lowered = story.at("10:20").severity_changed("INC-1", "SEV-1", "SEV-3")
    story.at("10:30").resolved("INC-1")
    again = story.at("11:00").reopened("INC-1")
    found = told(story)["severities"]
    assert [(each["severity"], each["since"][11:16], each["position"]) for each in found["spans"]] == [
        ("SEV-1", "10:00", declared),
        ("SEV-3", "10:20", lowered),
        ("SEV-3", "11:00", again),
    ]
    assert (found["initial"], found["peak"], found["current"]) == ("SEV-1", "SEV-1", "SEV-3")


def test_detection_tells_the_alerts_that_spoke_of_it(story):
    """How often each fired, and when it was over for good; one that only its name is known of is told, too."""
    fired = story.at("09:50").add("alert.fired", fingerprint="f1", name="5xx", service="web", environment="production")
    story.at("09:52").add("alert.resolved", fingerprint="f1", name="5xx", service="web", environment="production")
    story.at("09:54").add("alert.fired", fingerprint="f1", name="5xx", service="web", environment="production")
    story.at("09:55").detected("INC-1", alerts=["f1", "f2"])
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:20").resolved("INC-1")
    detection = told(story)["detection"]
    assert (detection["by"], detection["position"]) == ("alert", 4)
    first, second = detection["alerts"]
    assert (first["name"], first["count"], first["fired"], first["resolved"]) == ("5xx", 2, at("09:50", fired), None)
    assert (second["fingerprint"], second["count"]) == ("f2", 0)


@pytest.mark.parametrize(
    "told_by, members, by",
    [
        (None, {}, "machine"),
        (None, {"alerts": ["f1"]}, "alert"),
        (None, {"discovered_by": "a customer"}, "person"),
        (BOB, {}, "person"),
        (BOB, {"alerts": ["f1"]}, "alert"),
    ],
)
def test_how_it_was_noticed_is_told_by_what_the_detection_says(story, told_by, members, by):
    """A machine that passes on what a customer saw did not see it."""
    story.at("10:00").add("incident.detected", told_by, incident="INC-1", **members)
    assert told(story)["detection"]["by"] == by


def test_each_bound_of_impact_has_its_own_basis(story):
    """The begin is somebody's judgement, the end is from a log."""
    story.at("10:00").impact_started("INC-1", basis="judgement", precision="hours")
    story.at("10:30").impact_ended("INC-1", basis="log", precision="exact")
    (window,) = told(story)["impact"]["windows"]
    bounds = [(each["basis"], each["precision"], each["estimated"]) for each in (window["start"], window["end"])]
    assert bounds == [("judgement", "hours", True), ("log", "exact", False)]


def test_who_noticed_is_told_where_nothing_detected_it(story):
    """A person declared it."""
    story.at("10:00").declared("INC-1", "SEV-1", by=BOB)
    assert {name: told(story)["detection"][name] for name in ("by", "reported_by")} == {
        "by": "person",
        "reported_by": "person-bob",
    }


# Response


def assigned(story, role, person, **more):
    return story.add("incident.role_assigned", incident="INC-1", role=role, person=person, **more)


def test_people_are_told_with_when_they_came_and_which_roles_they_had(story):
    """By one name each, whether they were given a role or did something."""
    story.at("10:00").declared("INC-1", "SEV-1", by=BOB)
    story.at("10:05")
    first = assigned(story, "commander", "Bob")
    story.at("10:30")
    second = assigned(story, "commander", "Chi", **{"from": "Bob"})
    story.at("11:00").resolved("INC-1", decided_by="Chi")
    people = told(story, name_of={"person-bob": "Bob"}.get)["response"]["people"]
    assert [(each["person"], each["joined"]["position"]) for each in people] == [
        ("Bob", 1),
        ("person-ada", first),
        ("Chi", second),
    ]
    (role,) = people[0]["roles"]
    assert (role["since"][11:16], role["until"][11:16], role["until_position"]) == ("10:05", "10:30", second)


def test_times_without_a_commander_are_told_whatever_their_length(story):
    """From the declaration to the first, between two, and from the last to the end."""
    declared = story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:07")
    first = assigned(story, "commander", "ana")
    story.at("10:20")
    released = story.add("incident.role_released", incident="INC-1", role="commander", person="ana")
    story.at("10:30")
    second = assigned(story, "incident commander", "ben")
    story.at("10:50")
    gone = story.add("incident.role_released", incident="INC-1", role="commander", person="ben")
    story.at("11:00").resolved("INC-1")
    gaps = told(story)["response"]["without_commander"]
    assert [(each["seconds"], each["positions"]) for each in gaps] == [
        (7 * MINUTE, [declared, first]),
        (10 * MINUTE, [released, second]),
        (10 * MINUTE, [gone]),
    ]


def test_the_expected_response_is_told_with_its_deviations(story):
    """With names, and why."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05").declined("fix_forward", incident="INC-1", reason="the schema changed", decided_by="person-bob")
    expected = told(story, name_of={"person-bob": "Bob"}.get)["response"]["expected"]
    (deviation,) = expected["deviations"]
    assert expected["position"] == 1
    assert (expected["status"], deviation["decided_by"], deviation["reason"]) == (
        "deviated",
        "Bob",
        "the schema changed",
    )


# Decisions


def test_decisions_are_told_with_the_role_of_who_made_them_and_what_else_could_be_chosen(story):
    """Alternatives are those that the ledger kept with the decision."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1", by=BOB)
    story.at("10:01")
    assigned(story, "commander", "person-bob")
    chosen = story.at("10:02").decided("A", "RB-1", incident="INC-1", by=BOB, reason="as it was")
    seen = {"position": 4, "candidates": [{"version": name, "digest": None, "blockers": []} for name in "AZ"]}
    story.record.events[-1] = replace(story.record.events[-1], event=replace(story.record.events[-1].event, seen=seen))
    story.at("10:03").add("incident.note_added", incident="INC-1", text="no decision")
    found = told(story, known_at=chosen)["decisions"]
    assert [(each["type"], each["by"], each["role"]) for each in found] == [
        ("incident.declared", "person-bob", None),
        ("rollback.decided", "person-bob", "commander"),
    ]
    assert [(each["version"], each["chosen"]) for each in found[-1]["alternatives"]] == [("A", True), ("Z", False)]
    assert found[-1]["reason"] == "as it was"


# Writing


def written(story):
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").resolved("INC-1")
    story.at("12:00").add("postmortem.started", incident="INC-1", owner="ana")
    story.add("postmortem.section_written", incident="INC-1", section="summary", text="first")
    story.add("postmortem.section_written", incident="INC-1", section="weather", text="rain")
    story.add("postmortem.section_written", BOB, incident="INC-1", section="summary", text="**second**")
    story.add("postmortem.cause_recorded", incident="INC-1", kind="trigger", statement="a deploy", category="change")
    story.add("postmortem.action_added", incident="INC-1", **action("a-1", due="2026-03-05"))
    story.add("postmortem.action_added", incident="INC-1", **action("a-2", due="2026-03-04"))
    story.add("postmortem.action_added", incident="INC-1", **action("a-3"))
    story.at("13:00").add("postmortem.action_completed", incident="INC-1", action_id="a-2")


def action(name, **more):
    return {"action_id": name, "text": "do it", "kind": "prevent", "owner": "ana", **more}


def test_what_was_written_is_told_by_its_last_revision(story):
    """With who wrote it, when, and how often; sections of other names come after the known ones."""
    written(story)
    report = told(story)
    assert list(report["sections"]) == ["summary", "weather"]
    summary = report["sections"]["summary"]
    assert (summary["text"], summary["by"], summary["revisions"], summary["earlier"]) == (
        "**second**",
        "person-bob",
        2,
        [4],
    )
    assert report["summary"]["text"] == "**second**"
    assert [each["statement"] for each in report["causes"]["trigger"]] == ["a deploy"]
    assert (report["cover"]["status"], report["cover"]["owner"]) == ("draft", "ana")


def test_actions_are_overdue_as_of_the_moment_asked_for(story):
    """A due day ends with it. What was done in time never was overdue."""
    written(story)
    found = {each["action_id"]: (each["state"], each["overdue"]) for each in told(story)["actions"]}
    assert found == {"a-1": ("open", False), "a-3": ("open", False), "a-2": ("done", False)}
    story.at("+5d 00:00").deployed("S", service="shop")
    late = told(story, as_of="+4d 00:00")
    assert [(each["action_id"], each["overdue"]) for each in late["actions"]] == [
        ("a-1", True),
        ("a-3", False),
        ("a-2", False),
    ]
    assert (late["cover"]["due"], late["cover"]["due_position"]) == ("2026-03-05T10:10:00Z", 2)
    assert late["cover"]["overdue"]
    assert "action_overdue" in {each["rule"] for each in late["findings"]}


def test_a_postmortem_is_due_when_its_owner_was_asked_for_it_where_that_is_earlier(story):
    """And the position of that says so."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").resolved("INC-1")
    begun = story.at("11:00").add("postmortem.started", incident="INC-1", owner="ana", due="2026-03-03")
    cover = told(story)["cover"]
    assert (cover["due"], cover["due_position"], cover["overdue"]) == ("2026-03-03T23:59:59.999999Z", begun, False)


def test_a_postmortem_is_published_to_an_audience_or_to_all(story):
    """And the report of each says when that was."""
    written(story)
    inward = story.at("14:00").add("postmortem.published", incident="INC-1", audience="internal")
    assert told(story, audience="public")["published"] is None
    outward = story.at("15:00").add("postmortem.published", incident="INC-1")
    assert told(story, audience="public")["published"]["position"] == outward
    assert told(story, audience="internal", known_at=inward)["published"]["position"] == inward


def test_customers_are_told_what_the_author_wrote_else_the_last_update_for_them(story):
    """An update for others is none."""
    story.at("10:00").declared("INC-1", "SEV-1")
    assert told(story)["customer_message"] is None
    story.at("10:05").add("incident.update_published", incident="INC-1", audience="customers", text="we know")
    story.at("10:06").add("incident.update_published", incident="INC-1", audience="executives", text="it is bad")
    message = told(story)["customer_message"]
    assert (message["text"], message["from"], message["position"]) == ("we know", "update", 2)
    story.at("11:00").add(
        "postmortem.section_written", incident="INC-1", section="customer_message", text="we are sorry"
    )
    assert told(story)["customer_message"]["text"] == "we are sorry"


# What to be wary of


def test_what_was_corrected_taken_back_late_or_redacted_is_told(story):
    """Both values, who changed it and why; the figures are those after the correction."""
    declared = story.at("10:00").declared("INC-1", "SEV-1", title="secret")
    wrong = story.at("10:30", recorded="11:30").impact_started("INC-1")
    false = story.at("11:31").add("incident.note_added", incident="INC-1", text="false alarm")
    fix = story.at("11:40").corrected(wrong, "time", "2026-03-02T09:50:00Z", reason="by the log", decided_by="ana")
    back = story.at("11:41").retracted(false, reason="it was none")
    story.at("11:50").impact_ended("INC-1")
    story.at("11:55").resolved("INC-1")
    story.redacted(declared, "title")
    report = told(story)
    (correction,) = report["quality"]["corrections"]
    names = ("about", "field", "was", "now", "position", "decided_by", "reason")
    assert [correction[name] for name in names] == [
        wrong, "time", "2026-03-02T10:30:00Z", "2026-03-02T09:50:00Z", fix, "ana", "by the log",
    ]  # fmt: skip
    (retraction,) = report["quality"]["retractions"]
    assert (retraction["about"], retraction["position"], retraction["reason"]) == (false, back, "it was none")
    assert [each["position"] for each in report["quality"]["late"]] == [wrong]
    assert report["quality"]["redacted"] == [declared]
    assert report["cover"]["title"] == "[redacted]"
    assert report["impact"]["seconds"] == 120 * MINUTE
    assert {fix, back} <= {each["position"] for each in report["appendix"]}
    before = told(story, known_at=false)
    assert (before["quality"]["corrections"], before["impact"]["windows"][0]["start"]["time"][11:16]) == ([], "10:30")


def test_times_that_contradict_each_other_are_told_as_they_are(story):
    """A measure may be negative; it is marked, and found."""
    story.at("10:00").detected("INC-1")
    story.at("10:30").declared("INC-1", "SEV-1")
    resolved = story.at("10:10", recorded="10:40").resolved("INC-1")
    report = told(story)
    assert report["measures"]["time_to_resolve"]["seconds"] == -20 * MINUTE
    assert "it was resolved 20 min before its declaration" in report["summary"]["sentence"]
    assert ("contradictory_times", resolved) in {
        (each["code"], each["position"]) for each in report["quality"]["marks"]
    }
    assert "contradictory_times" in {each["rule"] for each in report["findings"]}


def test_findings_are_those_about_the_incident_and_what_its_story_tells(story):
    """Not those about the same slot at other times, nor those about other incidents."""
    story.at("00:10").add("environment.configured", environment="production", approval_required=True)
    story.at("01:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").resolved("INC-1")
    story.at("+3d 10:00").declared("INC-2", "SEV-1")
    found = {(each["rule"], each["positions"][0]) for each in told(story)["findings"]}
    assert found == {
        ("release_without_approval", 3),
        ("sev1_without_decision", 4),
        ("incident_without_commander", 4),
    }


def test_an_accepted_finding_is_told_as_accepted(story):
    """The acceptance is about the incident, though it is recorded elsewhere; it is in the appendix."""
    declared = story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").resolved("INC-1")
    accepted = story.at("12:00").add(
        "finding.accepted", rule="sev1_without_decision", positions=[declared], reason="a false alarm"
    )
    report = told(story)
    (finding,) = [each for each in report["findings"] if each["rule"] == "sev1_without_decision"]
    assert (finding["state"], finding["accepted_by"]) == ("accepted", [accepted])
    assert accepted in {each["position"] for each in report["appendix"]}


def test_reporting_clocks_are_told_where_it_was_classified(story):
    """By the regime that it was classified under."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").add(
        "incident.classified", incident="INC-1", regime="EU DORA", classification="major", criteria={"position": 99}
    )
    (duty,) = told(story)["reporting"]
    assert (duty["regime"], duty["initial"]["due"]) == ("EU DORA", "2026-03-02T15:00:00Z")


# Similar incidents


def test_similar_incidents_say_why(story):
    """The weightiest reason first; what was cancelled, and what came to nothing, is none."""
    story.at("01:00").declared("INC-7", "SEV-2", title="same kind", kind="latency")
    story.at("02:00").declared("INC-8", "SEV-3", title="other kind")
    story.implicated("INC-8", "B")
    story.at("03:00").declared("INC-6", "SEV-3", kind="latency", affected=[{"service": "shop", "environment": "eu"}])
    story.add("postmortem.cause_recorded", incident="INC-6", kind="root", statement="x", category="Capacity")
    story.at("04:00").declared("INC-5", "SEV-3", kind="latency")
    story.at("04:10").incident_cancelled("INC-5")
    story.at("05:00").declared("INC-4", "SEV-3", kind="security", affected=[{"service": "shop", "environment": "eu"}])
    story.at("10:00").declared("INC-1", "SEV-1", kind="latency")
    story.implicated("INC-1", "B")
    story.add("postmortem.cause_recorded", incident="INC-1", kind="root", statement="y", category="capacity")
    found = [(each["incident"], each["why"]) for each in told(story)["similar"]]
    assert found == [
        ("INC-8", ["same version implicated: B of web"]),
        ("INC-6", ["same category of cause: capacity"]),
        ("INC-7", ["same service and kind: web, latency"]),
    ]


def test_at_most_five_similar_incidents_are_told_and_only_those_known_then(story):
    """The newest of those that are alike."""
    for hour in range(7):
        story.at(f"0{hour}:00").declared(f"OLD-{hour}", "SEV-2")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:30").resolved("INC-1")
    assert [each["incident"] for each in told(story)["similar"]] == ["OLD-6", "OLD-5", "OLD-4", "OLD-3", "OLD-2"]
    story.at("11:00").declared("NEW-1", "SEV-2")
    assert "NEW-1" not in {each["incident"] for each in told(story)["similar"]}
    assert "NEW-1" in {each["incident"] for each in told(story, as_of="11:00")["similar"]}


def test_what_is_recorded_of_others_and_dated_back_moves_the_moment_too(story):
    """The report leads to it, so the report is as of its recording; and what speaks for a likeness can be looked up."""
    story.at("09:00").declared("INC-1", "SEV-2")
    story.at("10:00").resolved("INC-1")
    before = told(story)
    assert (before["moment"], before["similar"]) == ("2026-03-02T10:00:00Z", [])
    story.at("12:00").declared("INC-2", "SEV-2")
    assert told(story) == before
    other = story.at("08:00", recorded="13:00").declared("INC-3", "SEV-2")
    report = told(story)
    assert [(each["incident"], each["positions"]) for each in report["similar"] if each["incident"] == "INC-3"] == [
        ("INC-3", [other])
    ]
    assert report["moment"] == "2026-03-02T13:00:00Z"
    assert max(each["recordedtime"] for each in report["appendix"]) == report["moment"]
