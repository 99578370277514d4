"""Findings by moment, filters and pages; what accepting one does, and for how long."""

import pathlib

import pytest

from projections import findings as asked
from projections.findings import RULES
from tests.projections.asking import BOB, findings, found, rules

TABLE = """
release_without_approval approval_for_other_digest approved_by_author approved_by_deployer skipped_stage
released_during_freeze released_not_deployed bad_version_redeployed same_version_other_digest stale_overwrite
observed_differs feature_disabled_without_decision
rollback_without_decision rollback_other_than_decided rollback_decided_not_executed rollback_to_unproven_version
rollback_started_twice rollback_ineffective
sev1_without_decision response_deviates severity_downgraded_alone incident_without_commander postmortem_overdue
action_overdue report_overdue
late_record clock_skew decision_recorded_late own_decision_corrected control_weakened contradictory_times silent_source
unreported_change break_glass_used
"""


def test_there_is_every_rule():
    """The 34 of the table, and no other."""
    assert set(RULES) == set(TABLE.split())
    assert len(RULES) == 34


def test_every_rule_is_documented():
    """One row each, with when it opens and what settles it."""
    page = (pathlib.Path(__file__).parents[2] / "docs" / "findings.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line.split("|") for line in page.splitlines() if line.startswith("| `")}
    assert set(rows) == set(RULES)
    assert all(len(cells) == 5 and all(each.strip() for each in cells[1:4]) for cells in rows.values())


def undecided(story):
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    return story.at("10:00").deployed("A")


RULE = "rollback_without_decision"


def accept(story, *positions, rule=RULE, **more):
    return story.add("finding.accepted", rule=rule, positions=list(positions), **more)


def test_a_finding_has_everything_to_judge_it_by(story):
    """Rule, place, time, positions, state, words, and what settled or accepted it."""
    back = undecided(story)
    (told,) = findings(story)
    assert told == {
        "rule": RULE,
        "service": "web",
        "environment": "production",
        "incident": None,
        "time": "2026-03-02T10:00:00Z",
        "positions": [back],
        "state": "open",
        "detail": "A was brought back, and nobody had decided it",
        "settled_by": [],
        "accepted_by": [],
    }


def test_accepting_settles_without_removing(story):
    """It says who accepted it where."""
    back = undecided(story)
    accepted = accept(story.at("11:00"), back)
    (told,) = findings(story)
    assert (told["state"], told["accepted_by"]) == ("accepted", [accepted])
    assert found(story, RULE, as_of="10:30") == [("open", [back])]
    assert found(story, RULE, known_at=back) == [("open", [back])]


def test_accepting_something_else_settles_nothing(story):
    """Another rule, or another event."""
    back = undecided(story)
    accept(story.at("11:00"), back, rule="late_record")
    accept(story.at("11:00"), back - 1)
    assert found(story, RULE) == [("open", [back])]


def test_several_are_accepted_at_once(story):
    """By their first positions."""
    one = undecided(story)
    story.at("11:00").deployed("B")
    two = story.at("12:00").deployed("A")
    accept(story.at("13:00"), one, two)
    assert [state for state, _ in found(story, RULE)] == ["accepted", "accepted"]


def test_an_acceptance_runs_out(story):
    """From `until` on the finding is open again."""
    back = undecided(story)
    accept(story.at("11:00"), back, until="2026-03-03T00:00:00Z")
    story.at("+1d 00:01")
    assert found(story, RULE) == [("open", [back])]
    assert found(story, RULE, as_of="23:59") == [("accepted", [back])]


def test_a_retracted_acceptance_no_longer_counts(story):
    """Until the retraction is retracted, too."""
    back = undecided(story)
    accepted = accept(story.at("11:00"), back)
    retracted = story.at("12:00").retracted(accepted, by=BOB)
    assert found(story, RULE) == [("open", [back])]
    assert found(story, RULE, known_at=accepted) == [("accepted", [back])]
    story.at("13:00").retracted(retracted, by=BOB)
    assert found(story, RULE) == [("accepted", [back])]


def test_an_acceptance_counts_from_its_recording(story):
    """It does not say that it was accepted yesterday."""
    back = undecided(story)
    accept(story.at("10:01", recorded="12:00"), back)
    assert found(story, RULE, as_of="11:00") == [("open", [back])]
    assert found(story, RULE) == [("accepted", [back])]


def test_what_events_settled_needs_no_acceptance(story):
    """Its state is settled; the acceptance is told beside it."""
    story.at("10:00").deployed("A", released=True)
    waiting = story.at("11:00").released("B")
    accepted = accept(story.at("11:30"), waiting, rule="released_not_deployed")
    story.at("12:00").deployed("B", released=False)
    (told,) = findings(story, rule="released_not_deployed")
    assert (told["state"], told["accepted_by"]) == ("settled", [accepted])


def test_a_correction_changes_findings_from_its_recording_on(story):
    """And none before: the return was of another service."""
    back = undecided(story)
    corrected = story.at("11:00").corrected(back, "service", "other")
    assert found(story, RULE) == []
    assert found(story, RULE, known_at=corrected) == []
    assert found(story, RULE, known_at=corrected - 1) == [("open", [back])]
    assert found(story, RULE, as_of="10:30") == []


@pytest.mark.parametrize(
    "filters,count",
    [
        ({}, 3),
        ({"rule": RULE}, 2),
        ({"service": "web"}, 2),
        ({"environment": "staging"}, 1),
        ({"service": "web", "environment": "staging"}, 0),
        ({"incident": "INC-1"}, 1),
        ({"state": "accepted"}, 1),
        ({"state": "open", "service": "web"}, 1),
        ({"state": "settled"}, 0),
    ],
)
def test_findings_are_filtered(story, filters, count):
    """By rule, place, incident and state; an incident's by the slots that it affects."""
    back = undecided(story)
    for hour, version in (("08", "A"), ("09", "B"), ("10", "A")):
        story.at(f"{hour}:00", recorded="10:00").deployed(version, environment="staging", service="api")
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:00").retracted(back)
    back = story.at("10:01").deployed("A")
    accept(story.at("11:00"), back)
    told = [each for each in findings(story, **filters) if each["rule"] != "late_record"]
    assert len(told) == count, told


def test_an_incident_is_found_by_each_slot_that_it_affects(story):
    """Also by one of which nothing else is recorded; it names none where it affects several."""
    affected = [{"service": "web", "environment": "production"}, {"service": "mail/out", "environment": "eu"}]
    declared = story.at("10:00").declared("INC-1", "SEV-3", affected=affected)
    for where in ({"service": "mail/out"}, {"environment": "eu"}, {"service": "web", "environment": "production"}):
        (told,) = findings(story, **where)
        assert (told["positions"], told["service"], told["incident"]) == ([declared], None, "INC-1")
    assert findings(story, service="web", environment="eu") == []
    assert findings(story, service="out") == []
    story.at("10:10").affected_changed("INC-1", remove=affected[1:])
    assert findings(story, service="mail/out") == []
    unplaced = story.at("10:20").declared("INC-2", "SEV-3", affected=[])
    assert [each["positions"] for each in findings(story)] == [[unplaced], [declared]]


def test_findings_come_in_pages(story):
    """The newest first; each goes on after the one before, and none comes twice."""
    for hour in range(8, 20):
        story.at(f"{hour:02}:00").deployed("AB"[hour % 2])
    every = findings(story)
    seen, after = [], None
    while True:
        with story.answers.at(story.moment()) as reader:
            items, after = asked.page(reader, {}, after, 3)
        assert len(items) <= 3
        seen += items
        if after is None:
            break
    assert seen == every
    assert [each["positions"][0] for each in seen] == sorted((each["positions"][0] for each in seen), reverse=True)


def test_an_empty_record_has_no_findings(story):
    """And one in which all is well neither."""
    assert findings(story) == []
    story.at("10:00").deployed("A")
    assert rules(story) == set()
