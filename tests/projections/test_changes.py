"""The change record: what was changed in a period, who approved it, and the exceptions first."""

from datetime import UTC

import pytest

from ledger.events import Submitter
from projections import changes
from projections.periods import period
from tests.projections.asking import BOB
from tests.projections.story import digest, time

RUN = Submitter("pipeline-1", "github", "machine", {"actor": "cyd"})
CHECKPOINT = {"origin": "here", "size": 99, "root": "abc"}


def read(story, start="00:00", end="+1d 00:00", as_of=None, known_at=None, **filters):
    moment = story.moment(as_of, known_at)
    asked = period(time(start), time(end), UTC, moment.as_of)
    with story.answers.at(moment) as reader:
        return changes.record(reader, asked, filters, lambda _position: CHECKPOINT, {"person-bob": "Bob"}.get)


def rows(story, *names, **more):
    """The changes, of each the members that are asked for."""
    return [tuple(each[name] for name in names) for each in read(story, **more)["changes"]]


@pytest.fixture
def told(story):
    """Approval is asked for in production."""
    story.at("08:00").configured(approval_required=True)
    return story


def test_a_change_as_an_auditor_wants_it(told):
    """What, where, when, by whom, approved by whom and when; nothing is to be found."""
    approved = told.at("09:00").approved("A", by=BOB, digest=digest("a"), change_ticket="CHG-1")
    began = told.at("09:30").deploying("A", deployment_id="d1", digest=digest("a"))
    done = told.at("09:40", recorded="09:41").deployed("A", deployment_id="d1", digest=digest("a"), by=RUN)
    found = read(told)
    assert found["exceptions"] == []
    (row,) = found["changes"]
    assert row == {
        "kind": "deployment",
        "id": "d1",
        "service": "web",
        "environment": "production",
        "version": "A",
        "digest": digest("a"),
        "outcome": "succeeded",
        "effect": "first",
        "time": "2026-03-02T09:40:00Z",
        "recordedtime": "2026-03-02T09:41:00Z",
        "began": "2026-03-02T09:30:00Z",
        "position": done,
        "positions": [began, done],
        "deployer": {"id": "pipeline-1", "name": None, "kind": "machine", "people": ["cyd"], "source": "story"},
        "approval_required": True,
        "approvals": [
            {
                "by": "Bob",
                "time": "2026-03-02T09:00:00Z",
                "recordedtime": "2026-03-02T09:00:00Z",
                "position": approved,
                "digest": digest("a"),
                "change_ticket": "CHG-1",
                "incident": None,
            }
        ],
        "approvals_recorded_late": [],
        "decision": None,
        "incidents": [],
        "implicated_in": [],
        "findings": [],
    }


def test_only_approvals_that_were_in_force(told):
    """Recorded before, for this version and digest, and not revoked; others are not its approvals."""
    told.at("09:00").approved("A", digest=digest("other"))
    told.at("09:01").approved("B")
    told.at("09:02").approved("A", by=BOB)
    told.at("09:03").approval_revoked("A")
    told.at("09:30").deployed("A", digest=digest("a"))
    told.at("09:20", recorded="09:40").approved("A", digest=digest("a"))
    ((approvals, found),) = rows(told, "approvals", "findings")
    assert approvals == []
    assert [each["rule"] for each in found] == ["release_without_approval"]


def test_every_approver_is_named(told):
    """Two people who approved one version, with their own times; of one who did it twice, the last."""
    told.at("09:00").approved("A", by=BOB)
    first = told.at("09:01").approved("A", by=BOB)
    second = told.at("09:02").approved("A")
    told.at("09:30").deployed("A")
    ((approvals,),) = rows(told, "approvals")
    assert [(each["by"], each["position"]) for each in approvals] == [("Bob", first), ("person-ada", second)]


def test_approvals_that_were_recorded_late(told):
    """Dated before the change and recorded after it happened: shown apart, and no approval."""
    late = told.at("09:00", recorded="10:00").approved("A", by=BOB)
    told.at("09:30", recorded="10:01").deployed("A")
    ((approvals, dated),) = rows(told, "approvals", "approvals_recorded_late")
    assert approvals == []
    assert [(each["by"], each["position"], each["recordedtime"]) for each in dated] == [
        ("Bob", late, "2026-03-02T10:00:00Z")
    ]


def test_an_approval_that_was_recorded_after_the_change_itself(told):
    """Dated before it: what an auditor asks for first of all."""
    told.at("09:30").deployed("A")
    late = told.at("09:00", recorded="10:00").approved("A", by=BOB)
    ((approvals, dated),) = rows(told, "approvals", "approvals_recorded_late")
    assert (approvals, [each["position"] for each in dated]) == ([], [late])


def test_a_finding_that_stands_for_many_events(story):
    """Is told once, and not at the few of them that it shows."""
    for minute in range(12):
        story.at(f"09:{minute:02}", recorded="10:00").deployed(str(minute))
    found = read(story)
    assert [(each["rule"], each["changes"]) for each in found["exceptions"]] == [("late_record", [])]
    assert [each["findings"] for each in found["changes"]] == [[]] * 12


def test_exceptions_come_first_open_ones_before_others(told):
    """Each with the changes that it is about."""
    deployed = told.at("09:30").deployed("A")
    told.at("10:00").add("finding.accepted", rule="release_without_approval", positions=[deployed])
    again = told.at("10:30").deployed("B")
    told.at("11:00")
    found = read(told)["exceptions"]
    assert [(each["rule"], each["state"], each["changes"]) for each in found] == [
        ("release_without_approval", "open", [again]),
        ("release_without_approval", "accepted", [deployed]),
    ]


def test_a_finding_of_the_period_that_is_of_no_change(story):
    """An incident's, say: it is an exception of the period."""
    story.at("09:00").declared("INC-1", "SEV-1")
    story.at("10:00")
    rules = {each["rule"]: each["changes"] for each in read(story)["exceptions"]}
    assert rules["sev1_without_decision"] == []


def test_a_change_belongs_to_the_period_in_which_it_ended(story):
    """So that periods add up; one under way is listed apart, and its beginning is found before the period."""
    began = story.at("23:50").deploying("A", deployment_id="d1")
    story.at("+1d 00:10").deployed("A", deployment_id="d1")
    first, second = read(story), read(story, "+1d 00:00", "+2d 00:00")
    assert [each["id"] for each in first["changes"]] == []
    assert [(each["id"], each["outcome"]) for each in first["in_progress"]] == [("d1", None)]
    assert [(each["id"], each["began"], each["positions"]) for each in second["changes"]] == [
        ("d1", "2026-03-02T23:50:00Z", [began, began + 1])
    ]
    assert second["in_progress"] == []


def test_a_period_holds_its_start_and_not_its_end(story):
    """Two in a row share nothing."""
    story.at("10:00").deployed("A")
    assert rows(story, "version", start="10:00", end="11:00") == [("A",)]
    assert rows(story, "version", start="09:00", end="10:00") == []


def test_a_rollback_with_its_decision(story):
    """Who decided it when and why, the incident, and what it did; as a rollback and as a deployment alike."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("09:05").declared("INC-1", "SEV-1")
    decided = story.at("09:10").decided("A", "r1", incident="INC-1", reason="errors", by=BOB)
    story.at("09:12").rollback_started("A", "r1")
    story.at("09:15").rolled_back("A", "r1")
    row = read(story)["changes"][-1]
    assert (row["kind"], row["id"], row["version"], row["effect"]) == ("rollback", "r1", "A", "rollback")
    assert row["decision"]["position"] == decided
    assert (row["decision"]["reason"], row["decision"]["from_version"]) == ("errors", "B")
    assert row["incidents"] == ["INC-1"]
    assert row["approvals"] == []


def test_a_deployment_that_carries_out_a_decision(story):
    """Is linked to it, though nobody called it a rollback."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("09:10").decided("A", "r1")
    story.at("09:15").deployed("A")
    row = read(story)["changes"][-1]
    assert (row["kind"], row["effect"], row["decision"]["rollback_id"]) == ("deployment", "rollback", "r1")


def test_incidents_that_a_change_has_to_do_with(story):
    """Named by it, or one that its version is implicated in, unless it was exonerated."""
    story.at("09:00").deployed("A", incident="INC-0")
    story.at("09:05").declared("INC-1", "SEV-2")
    story.at("09:10").implicated("INC-1", "A")
    assert rows(story, "incidents", "implicated_in") == [(["INC-0"], ["INC-1"])]
    story.at("09:20").exonerated("INC-1", "A")
    assert rows(story, "implicated_in") == [([],)]


def test_features_configuration_and_migrations(story):
    """With how each ended."""
    story.at("09:00").feature_enabled("dark")
    story.at("09:01").reconfigured("c1")
    story.at("09:02").migrated("m1", "A", "irreversible")
    assert rows(story, "kind", "id", "outcome", "version") == [
        ("feature", "dark", "enabled", None),
        ("configuration", "c1", "changed", None),
        ("migration", "m1", "applied", "A"),
    ]


def test_by_service_and_environment(story):
    """What is not asked for is not there, and not counted."""
    story.at("09:00").deployed("A")
    story.at("09:00").deployed("A", service="shop")
    story.at("09:00").deployed("A", environment="staging")
    assert rows(story, "service", "environment", service="web", environment="staging") == [("web", "staging")]
    assert len(rows(story, "service", service="web")) == 2
    assert read(story, service="shop")["completeness"]["changes"] == {"deployment": 1}


def test_what_was_looked_through_is_stated(story):
    """All that is known, what of it happened in the period, of which kinds, and the checkpoint that covers it."""
    story.at("09:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("+1d 09:00").deployed("B")
    found = read(story)["completeness"]
    assert found == {
        "positions": {"from": 1, "to": 3, "count": 3},
        "in_period": {"first": 1, "last": 2, "count": 2},
        "events": {"deployment.succeeded": 1},
        "changes": {"deployment": 1},
        "checkpoint": CHECKPOINT,
    }


def test_of_nothing(story):
    """An empty record has an empty change record, and no checkpoint."""
    found = read(story)
    assert (found["changes"], found["exceptions"], found["roles"]) == ([], [], [])
    assert found["completeness"]["positions"] == {"from": None, "to": None, "count": 0}
    assert found["completeness"]["checkpoint"] is None


def test_what_was_corrected_and_retracted(story):
    """A corrected change is where and what it says now; a retracted one is none, and is told."""
    wrong = story.at("09:00").deployed("A")
    gone = story.at("09:30").deployed("B")
    story.at("10:00").corrected(wrong, "service", "shop")
    story.at("10:01").corrected(wrong, "time", "2026-03-02T08:00:00Z")
    taken_back = story.at("10:02").retracted(gone)
    found = read(story)
    assert [(each["service"], each["time"], each["position"]) for each in found["changes"]] == [
        ("shop", "2026-03-02T08:00:00Z", wrong)
    ]
    (told,) = found["retracted"]
    assert (told["position"], told["retracted_at"], told["reason"], told["version"]) == (
        gone,
        taken_back,
        "as told",
        "B",
    )
    assert rows(story, "position", service="web") == []
    assert rows(story, "service", "version", known_at=gone) == [("web", "A"), ("web", "B")]


def test_the_same_as_of_a_moment(story):
    """Whatever was recorded since."""
    story.at("09:00").deployed("A")
    last = story.at("10:00").deployed("B")
    story.at("11:00")
    before = read(story, known_at=last)
    story.at("09:30", recorded="12:00").deployed("C")
    story.at("13:00").retracted(last)
    assert read(story, known_at=last) == before
    assert rows(story, "version", as_of="11:00") == [("A",), ("C",)]


def test_the_digest_that_was_known(story):
    """Of a version that was told without one; of two, the latest by then."""
    story.at("09:00").published("A", digest=digest("a"))
    story.at("09:10").deployed("A", digest=digest("a"))
    story.at("09:20").deployed("B", digest=digest("b"))
    story.at("09:30").deployed("A")
    story.at("09:40").deployed("A", digest=digest("a2"))
    assert [each for (each,) in rows(story, "digest")] == [digest("a"), digest("b"), digest("a"), digest("a2")]


def test_a_release_that_was_void_moved_nothing(story):
    """Its deployment was taken for a release, and turned out to be none."""
    story.at("09:00").deployed("A")
    story.at("09:10").released("A")
    assert rows(story, "kind", "effect") == [("deployment", None), ("release", "first")]
