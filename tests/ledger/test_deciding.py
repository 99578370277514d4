"""Deciding a group of commands: duplicates, all or nothing, expectations, warnings, and what a decider could see."""

import tempfile
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application import Ledger
from ledger.authority import HUMAN, MACHINE, PIPELINE, RESPONDER, Principal
from ledger.deciding import CANDIDATES_KEPT, RULES, Sight
from ledger.disclosures import REDACTED
from ledger.errors import (
    Conflict,
    IdTaken,
    Invalid,
    LedgerError,
    NotAllowed,
    StaleRevision,
    Undecided,
    Unwelcome,
)
from ledger.events import Event
from tests.dsl import decided_rollback, declared, deployed, detected, event, released
from tests.ledger.scene import A_PIPELINE, EVERYONE, StoppedClock, append, command, draft, history


def codes(receipt):
    return [each.code for each in receipt.warnings]


# Duplicates


def test_the_same_again_is_answered_with_the_first_receipt(ledger, clock):
    """A sender that heard nothing sends it again, and again."""
    once = draft(deployed("1.5"))
    (first,) = append(ledger, once)
    clock.move(hours=1)
    append(ledger, deployed("1.6"))
    (again,) = append(ledger, once)
    assert again == replace(first, duplicate=True)
    assert ledger.head() == 2


def test_the_same_id_with_other_content_is_a_conflict(ledger):
    """One of the two would be lost without a word."""
    append(ledger, deployed("1.4"), draft(deployed("1.5"), id="a", source="ci"))
    with pytest.raises(IdTaken, match="position 2") as caught:
        append(ledger, draft(deployed("1.6"), id="a", source="ci"))
    assert (caught.value.source, caught.value.event_id, caught.value.position) == ("ci", "a", 2)
    assert ledger.head() == 2


@pytest.mark.parametrize("by, other", [(A_PIPELINE, False), (EVERYONE, True)], ids=["one's own", "another's"])
def test_a_conflict_tells_whether_the_first_was_ones_own(ledger, by, other):
    """One's own was sent differently; another's has taken the name. In one group as in two."""
    theirs = draft(deployed("1"), id="a", source="ci")
    late = [command(ledger, draft(deployed("2"), id="a", source="ci"), by=by) for _ in range(2)]
    _, same_group = ledger.record([command(ledger, theirs, by=A_PIPELINE), late[0]])
    (next_group,) = ledger.record(late[1:])
    for found in (same_group, next_group):
        assert isinstance(found, IdTaken)
        assert (found.other_submitter, "by another submitter" in str(found)) == (other, other)
    assert append(ledger, theirs, by=EVERYONE)[0].duplicate


@pytest.mark.parametrize(
    "other",
    [
        draft(deployed("1.5"), id="a", time="2026-11-22T11:00:00Z"),
        draft(deployed("1.5", released=True), id="a"),
        draft(deployed("1.5"), id="a", extensions={"traceparent": "00-1"}),
        draft(event("deployment.started", version="1.5"), id="a"),
    ],
    ids=["time", "data", "extension", "type"],
)
def test_content_is_all_that_was_sent(ledger, other):
    """Not only the data: the same event at another time is another event."""
    append(ledger, draft(deployed("1.5"), id="a"))
    with pytest.raises(IdTaken):
        append(ledger, other)


def test_content_is_compared_as_sent_before_defaults(ledger):
    """What a sender wrote decides, not what the ledger made of it."""
    append(ledger, draft(deployed("1.5"), id="a", content=b"as sent"))
    assert append(ledger, draft(deployed("1.6"), id="a", content=b"as sent"))[0].duplicate
    with pytest.raises(IdTaken):
        append(ledger, draft(deployed("1.5"), id="a", content=b"otherwise"))


def test_an_id_is_its_sources_own(ledger):
    """Two pipelines count their runs alike."""
    append(ledger, draft(deployed("1.5"), id="1", source="a"), draft(deployed("1.6"), id="1", source="b"))
    assert ledger.head() == 2


def test_of_two_twins_in_one_batch_the_second_is_a_duplicate(ledger):
    """Both receipts name the one position."""
    twin = draft(deployed("1.5"))
    first, between, second = append(ledger, twin, deployed("1.6"), twin)
    assert (first.duplicate, second) == (False, replace(first, duplicate=True))
    assert (between.position, ledger.head()) == (2, 2)


def test_of_two_unequal_twins_in_one_batch_neither_is_stored(ledger):
    """All or nothing; the line tells which. No position is named: the first was not stored, and another event will be there."""
    with pytest.raises(IdTaken, match="another event of the same request") as caught:
        append(ledger, deployed("1"), draft(deployed("1.5"), id="a"), draft(deployed("1.6"), id="a"))
    assert (caught.value.line, caught.value.position) == (3, None)
    assert ledger.head() == 0


def test_twins_meet_across_a_group(ledger):
    """Two callers send the same at once; one of them learns that it is a duplicate."""
    one, other = draft(deployed("1.5"), id="a"), draft(deployed("1.6"), id="a")
    first, second, third = ledger.record([command(ledger, each) for each in (one, one, other)])
    assert second == [replace(first[0], duplicate=True)]
    assert isinstance(third, IdTaken)
    assert ledger.head() == 1


def test_a_refused_command_leaves_its_id_free(ledger):
    """Its events are as if they had never come."""
    taken = command(ledger, draft(deployed("1.5"), id="a"), event("record.retracted", position=99))
    free = command(ledger, draft(deployed("1.6"), id="a"))
    refused, kept = ledger.record([taken, free])
    assert isinstance(refused, Invalid)
    assert (kept[0].position, kept[0].revision, kept[0].duplicate) == (1, 1, False)


def test_a_duplicate_is_no_stale_expectation(ledger):
    """Who repeats a conditional request that had gone through is told so."""
    claim = draft(event("rollback.started"))
    append(ledger, claim, expected=0)
    assert append(ledger, claim, expected=0)[0].duplicate


# Redaction and duplicates


REDACTION = event("record.redacted", position=1, fields=["reason"])


def test_after_a_redaction_the_key_alone_decides(ledger):
    """The fingerprint of words that are gone would let one test guesses at them."""
    append(ledger, draft(deployed("1.5", reason="Bob"), id="a"))
    append(ledger, REDACTION)
    assert append(ledger, draft(deployed("1.5", reason="Eve"), id="a"))[0].duplicate


@pytest.mark.parametrize("split", [0, 1, 2, 3])
def test_a_redaction_counts_from_its_own_place_on(ledger, split):
    """However the three are spread over groups and commands."""
    commands = [
        command(ledger, draft(deployed("1.5", reason="Bob"), id="a")),
        command(ledger, REDACTION),
        command(ledger, draft(deployed("1.5", reason="Eve"), id="a")),
    ]
    outcomes = ledger.record(commands[:split]) + ledger.record(commands[split:])
    assert outcomes[2][0].duplicate
    assert outcomes[2][0].position == 1


def test_a_redaction_counts_within_its_own_command(ledger):
    """Each event of a batch is decided after those before it."""
    told, retold = draft(deployed("1.5", reason="Bob"), id="a"), draft(deployed("1.5", reason="Eve"), id="a")
    assert append(ledger, told, REDACTION, retold)[2].duplicate
    with pytest.raises(IdTaken):
        append(ledger, draft(deployed("1.5"), id="b"), draft(deployed("1.6"), id="b"))


# All or nothing


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_batch_is_all_or_nothing_and_the_fault_has_its_line(ledger, line):
    """Lines count from 1; no event of the batch is stored."""
    append(ledger, deployed("1"))
    batch = [deployed("2"), deployed("3")]
    batch.insert(line - 1, event("record.corrected", position=1, field="version", value=5))
    with pytest.raises(Invalid) as caught:
        append(ledger, *batch)
    assert [(each.line, each.pointer) for each in caught.value.errors] == [(line, "/data/value")]
    assert caught.value.line == line
    assert [each.event for each in history(ledger)] == [deployed("1")]


def test_a_single_event_has_no_line(ledger):
    """There is nothing to count."""
    with pytest.raises(Invalid) as caught:
        append(ledger, event("record.retracted", position=1))
    assert (caught.value.line, caught.value.errors[0].line) == (None, None)


# Expectations


def test_an_expected_revision_is_that_of_the_events_own_stream(ledger):
    """If-Match: "0" means that nothing is there yet."""
    append(ledger, deployed("1"), expected=0)
    append(ledger, deployed("1", service="web"), expected=0)
    append(ledger, deployed("2"), expected=1)
    for stale in (0, 1, 3):
        with pytest.raises(StaleRevision, match="at revision 2") as caught:
            append(ledger, deployed("3"), expected=stale)
        assert (caught.value.stream, caught.value.expected, caught.value.revision) == (
            "slot/payments/production",
            stale,
            2,
        )
    assert ledger.head() == 3


def test_of_two_who_expect_the_same_revision_one_gets_it(ledger):
    """A claim: of two callers one gets the rollback to execute, in one group as in two."""
    claims = [command(ledger, event("rollback.started"), expected=0) for _ in range(3)]
    first, second = ledger.record(claims[:2])
    (third,) = ledger.record(claims[2:])
    assert first[0].revision == 1
    assert isinstance(second, StaleRevision)
    assert isinstance(third, StaleRevision)


OBSERVED = event("service.observed", running=[{"version": "1"}])
CLAIM = event("rollback.started")


@pytest.mark.parametrize("apart", [True, False], ids=["in groups of their own", "in one group"])
def test_a_claim_conflicts_with_what_bears_on_it_only(ledger, apart):
    """Observers that record all the time hide no decision; another claim always does."""

    def take(*commands):
        return [each for one in commands for each in ledger.record([one])] if apart else ledger.record(commands)

    append(ledger, deployed("1"))
    quiet = [command(ledger, each) for each in (OBSERVED, event("feature.enabled", feature="f"))]
    claims = [command(ledger, CLAIM, expected=1, claim=True) for _ in range(2)]
    *_, first, second = take(*quiet, *claims)
    assert first[0].revision == 4
    assert isinstance(second, StaleRevision)


@pytest.mark.parametrize(
    "other",
    [
        CLAIM,
        decided_rollback("0"),
        deployed("2"),
        released("1"),
        event("service.removed"),
        event("rollback.cancelled", reason="x"),
    ],
    ids=lambda each: each.TOPIC,
)
def test_a_claim_is_stale_once_what_runs_or_is_decided_has_changed(ledger, other):
    append(ledger, deployed("1"))
    append(ledger, OBSERVED, other, OBSERVED)
    with pytest.raises(StaleRevision):
        append(ledger, CLAIM, expected=1, claim=True)


def test_only_a_claim_may_be_late(ledger, monkeypatch):
    """A revision that is expected for anything else is that revision; and nobody holds the lock to read for long."""
    append(ledger, deployed("1"), OBSERVED, OBSERVED)
    for late, options in ((CLAIM, {"expected": 1}), (deployed("2"), {"expected": 1, "claim": True})):
        with pytest.raises(StaleRevision):
            append(ledger, late, **options)
    with pytest.raises(StaleRevision):
        append(ledger, CLAIM, expected=4, claim=True)
    monkeypatch.setattr("ledger.deciding.LOOKED_THROUGH", 1)
    with pytest.raises(StaleRevision):
        append(ledger, CLAIM, expected=1, claim=True)
    assert append(ledger, CLAIM, expected=2, claim=True)[0].revision == 4


# Warnings


def test_what_is_unwelcome_is_recorded_with_a_warning(ledger):
    """Facts are never refused for what they say about the world."""
    (receipt,) = append(ledger, decided_rollback("0.9"))
    assert codes(receipt) == ["rollback_to_unproven_version"]
    assert ledger.head() == 1


def test_strict_refuses_what_would_be_recorded_with_a_warning(ledger):
    """Nothing of the command is stored, and what is welcome is not touched by it."""
    with pytest.raises(Unwelcome, match=r"0\.9") as caught:
        append(ledger, deployed("1"), decided_rollback("0.9"), strict=True)
    assert caught.value.line == 2
    assert ledger.head() == 0
    append(ledger, deployed("1"), decided_rollback("1"), strict=True)
    assert ledger.head() == 2


def test_a_duplicate_tells_no_warnings(ledger):
    """They were told with the first receipt, and are not kept; strict has nothing against it."""
    unproven = draft(decided_rollback("0.9"))
    first, second = ledger.record([command(ledger, unproven), command(ledger, unproven, strict=True)])
    (third,) = ledger.record([command(ledger, unproven, strict=True)])
    assert second == third == [replace(first[0], duplicate=True, warnings=())]


@pytest.mark.parametrize(
    "ahead, told", [(-3600, []), (0, []), (1, []), (1.5, ["clock_ahead"]), (86400, ["clock_ahead"])]
)
def test_a_clock_that_runs_ahead_is_told(ledger, clock, ahead, told):
    """By more than a second; the event is recorded."""
    before = clock.now()
    clock.move(seconds=ahead)
    time = clock.now().isoformat()
    clock.moment = before
    assert codes(append(ledger, draft(deployed("1"), time=time))[0]) == told


def test_an_incident_nobody_announced_is_told_wherever_it_is_named(ledger):
    """Until it is announced, in the same batch or before."""
    named = [
        deployed("1", incident="INC-9"),
        event("incident.linked", incident="INC-1", other="INC-9"),
        event("incident.merged", incident="INC-1", into="INC-9"),
    ]
    append(ledger, detected(incident="INC-1"))
    assert [codes(each) for each in append(ledger, *named)] == [["unknown_incident"]] * 3
    append(ledger, event("incident.unmerged", incident="INC-1", into="INC-9"))
    assert [codes(each) for each in append(ledger, detected(incident="INC-9"), *named)] == [[]] * 4
    assert [codes(each) for each in append(ledger, *named[:2])] == [[]] * 2


def test_each_event_of_a_batch_is_decided_after_those_before_it(ledger):
    """A whole story can be told at once."""
    receipts = append(
        ledger,
        deployed("1.4"),
        deployed("1.5"),
        declared(severity="SEV-2"),
        event("incident.severity_changed", from_="SEV-2", to="SEV-1"),
        decided_rollback("1.4"),
        event("rollback.succeeded", to_version="1.4"),
        event("rollback.verified"),
        released("1.4"),
    )
    assert [codes(each) for each in receipts] == [[]] * 8
    assert [each.revision for each in receipts] == [1, 2, 1, 2, 3, 4, 5, 6]


# The record about itself


@pytest.mark.parametrize("topic", ["record.corrected", "record.retracted", "record.redacted", "decision.seconded"])
def test_only_what_is_recorded_can_be_referred_to(ledger, topic):
    """Not itself, and nothing that is still to come."""
    append(ledger, deployed("1"))
    for ahead in (2, 3, 2**53 - 1):
        with pytest.raises(Invalid, match="not recorded yet") as caught:
            append(ledger, event(topic, position=ahead))
        assert caught.value.errors[0].pointer == "/data/position"


def test_every_position_of_an_accepted_finding_must_be_there(ledger):
    """It lies in the stream of its first; the fault points at the one that is not."""
    append(ledger, deployed("1"), deployed("2"))
    assert append(ledger, event("finding.accepted", positions=[2, 1]))[0].stream == "record/1"
    with pytest.raises(Invalid) as caught:
        append(ledger, event("finding.accepted", positions=[1, 9]))
    assert caught.value.errors[0].pointer == "/data/positions/1"


def test_an_event_of_the_same_batch_can_be_corrected(ledger):
    """Import a history with its corrections in one go; also in the same group."""
    correction = event("record.corrected", position=2, field="version", value="2.1")
    assert len(append(ledger, deployed("1"), deployed("2"), correction)) == 3
    retraction = command(ledger, event("record.retracted", position=4))
    pending, kept = ledger.record([command(ledger, deployed("3")), retraction])
    assert (pending[0].position, kept[0].stream) == (4, "record/4")


def test_a_corrected_digest_is_stored_as_digests_are(ledger):
    """Whatever its spelling, it is compared with others byte by byte."""
    append(ledger, deployed("1"))
    append(ledger, event("record.corrected", position=1, field="digest", value="SHA256:" + "AB" * 32))
    assert history(ledger)[1].event.value == "sha256:" + "ab" * 32


WEB_PIPELINE = Principal("web-ci", MACHINE, frozenset({PIPELINE}), services=frozenset({"web"}))
WEB_APPROVER = Principal("approver", HUMAN, frozenset({RESPONDER}), services=frozenset({"web"}))


@pytest.mark.parametrize(
    "about",
    [
        event("record.corrected", position=1, field="version", value="2"),
        event("record.retracted", position=1),
        event("record.retracted", position=3),
        event("record.retracted", position=4),
        event("finding.accepted", positions=[2, 1]),
        event("finding.accepted", positions=[4]),
        event("record.corrected", position=2, field="service", value="payments"),
    ],
    ids=["corrects", "retracts", "retracts a correction", "retracts a retraction", "accepts", "accepts one", "moves"],
)
def test_bounds_hold_for_what_an_event_is_about(ledger, about):
    """However indirectly; and an event can't be corrected into a slot of others."""
    append(ledger, deployed("1"), deployed("1", service="web"))
    append(ledger, event("record.corrected", position=1, field="version", value="2"))
    append(ledger, event("record.retracted", position=3))
    with pytest.raises(NotAllowed, match="bound to other services"):
        append(ledger, about, by=WEB_APPROVER)
    assert append(ledger, about, by=EVERYONE)


@pytest.mark.parametrize("topic", ["alert.fired", "alert.resolved"])
@pytest.mark.parametrize("where", [{"service": "payments"}, {"service": "payments", "environment": "e"}, {}])
def test_anothers_alert_is_neither_taken_nor_ended_by_a_word_about_ones_own(ledger, topic, where):
    """A fingerprint is no secret. In the same group as later, and after words that moved nothing."""
    fired, own = (
        event("alert.fired", fingerprint="f", name="n", **where),
        {"fingerprint": "f", "name": "n", "service": "web"},
    )
    commands = [command(ledger, fired), command(ledger, event(topic, **own), by=WEB_PIPELINE)]
    for _, refused in (ledger.record(commands), (None, ledger.record(commands[1:])[0])):
        assert isinstance(refused, NotAllowed)
    assert append(ledger, event(topic, **own), by=A_PIPELINE)
    assert append(ledger, event(topic, **{**own, "fingerprint": "g"}), by=WEB_PIPELINE)
    assert append(ledger, event("alert.fired", **own))
    assert append(ledger, event(topic, **own), by=WEB_PIPELINE)


def test_inside_its_bounds_an_approver_corrects(ledger):
    """Chains of corrections and retractions too."""
    append(ledger, deployed("1", service="web"))
    append(ledger, event("record.corrected", position=1, field="version", value="2"), by=WEB_APPROVER)
    append(ledger, event("record.retracted", position=2), by=WEB_APPROVER)
    append(ledger, event("record.retracted", position=3), by=WEB_APPROVER)
    assert ledger.head() == 4


def test_a_long_chain_of_retractions_is_followed_to_its_end(ledger):
    """A thousand deep is no reason to fall over."""
    append(ledger, deployed("1", service="payments"))
    chain = [event("record.retracted", position=number) for number in range(1, 2000)]
    append(ledger, *chain)
    with pytest.raises(NotAllowed):
        append(ledger, event("record.retracted", position=2000), by=WEB_APPROVER)


@pytest.mark.parametrize("by", [EVERYONE, WEB_APPROVER], ids=["of all", "bound"])
def test_what_an_acceptance_names_is_read_at_once_and_once(ledger, monkeypatch, by):
    """A request may name a million positions, and nobody's incident is declared while the lock is held."""
    append(ledger, *(deployed(str(number), service="web") for number in range(1, 501)))
    append(ledger, *(event("record.retracted", position=number) for number in range(1, 501)))
    read, rows_at = [], ledger.store.rows_at
    monkeypatch.setattr(ledger.store, "rows_at", lambda positions: read.append(positions) or rows_at(positions))
    accepted = [event("finding.accepted", positions=list(range(1, 1001))) for _ in range(20)]
    append(ledger, *accepted, by=by)
    assert sum(map(len, read)) == (1000 if by.bound else 0)
    assert len(read) <= 2


# What a decider could see


def seeing(ledger, version="1.5", candidates=(), asked=None):
    def look(service, environment, position, pending):
        if asked is not None:
            asked.append((service, environment, position, [each.event for each in pending]))
        return Sight(position, version, list(candidates))

    ledger.look = look


def candidate(version, *blockers):
    return {"version": version, "blockers": [{"code": each, "detail": each} for each in blockers], "reasons": []}


def test_a_decision_keeps_what_could_be_seen(ledger):
    """The position before it, and the ranked candidates with their reasons."""
    candidates = [candidate("1.4"), candidate("1.3", "marked_bad")]
    seeing(ledger, candidates=candidates)
    append(ledger, deployed("1.4"), decided_rollback("1.4"))
    decided = history(ledger)[1].event
    assert decided.seen == {"position": 1, "candidates": candidates}
    assert decided.from_version == "1.5"


def test_a_decision_sees_what_was_decided_just_before_it(ledger):
    """In the same batch, and in the same group; not what comes after."""
    asked = []
    seeing(ledger, asked=asked)
    append(ledger, deployed("1.3"))
    ledger.record(
        [
            command(ledger, deployed("1.4")),
            command(ledger, deployed("1.5"), event("record.retracted", position=99)),
            command(ledger, deployed("1.6"), decided_rollback("1.4"), decided_rollback("1.3")),
        ]
    )
    assert asked[0] == ("payments", "production", 3, [deployed("1.4"), deployed("1.6")])
    assert asked[1][2] == 4
    assert asked[1][3][:2] == asked[0][3]
    assert asked[1][3][2].from_version == "1.5"


def test_a_decision_against_what_could_be_seen_is_told(ledger):
    """It is recorded: in an emergency the decider may know better."""
    seeing(ledger, candidates=[candidate("1.4", "marked_bad"), candidate("1.3", "suspect")])
    append(ledger, deployed("1.4"))
    assert codes(append(ledger, decided_rollback("1.4", from_version="1.2"))[0]) == ["from_mismatch", "marked_bad"]


def test_many_and_large_candidates_never_stand_in_the_way(ledger):
    """As many as fit are kept, the best first; the decision is recorded whatever the ledger itself has to say."""
    append(ledger, deployed("1.4"))
    seeing(ledger, candidates=[candidate(f"v{number}") for number in range(100)])
    append(ledger, decided_rollback("1.4"))
    assert len(history(ledger)[1].event.seen["candidates"]) == CANDIDATES_KEPT
    seeing(ledger, candidates=[{**candidate(f"v{number}"), "detail": "é" * 5000} for number in range(100)])
    append(ledger, decided_rollback("1.4"))
    assert [each["version"] for each in history(ledger)[2].event.seen["candidates"]] == [f"v{n}" for n in range(5)]
    seeing(ledger, candidates=[{**candidate("v"), "detail": "x" * 100_000}])
    append(ledger, decided_rollback("1.4"))
    assert history(ledger)[3].event.seen == {"position": 3, "candidates": []}


def test_a_decision_that_just_fits_is_recorded_without_what_does_not(ledger):
    """Even the version that it leaves, where there is no room for that."""
    seeing(ledger, version="v" * 256)
    labels = {f"l{number}": "x" * 4000 for number in range(16)}
    append(ledger, decided_rollback("1.4", labels={**labels, "rest": "x" * 750}))
    decided = history(ledger)[0].event
    assert (decided.seen, decided.from_version) == (None, None)


def test_a_decision_is_recorded_where_looking_fails(ledger):
    """A fault in an answer must not stand in the way of a rollback. It is told, and is not met again and again."""
    attempts = []

    def look(*asked):
        attempts.append(asked)
        raise ZeroDivisionError

    ledger.look = look
    append(ledger, deployed("1.4"))
    receipts = append(ledger, decided_rollback("1.4"), decided_rollback("1.4"))
    assert [codes(each) for each in receipts] == [["unseen"], ["unseen"]]
    assert len(attempts) == 1
    assert history(ledger)[1].event.seen is None
    seeing(ledger)
    assert codes(append(ledger, decided_rollback("1.4"))[0]) == []


def test_a_rollback_is_decided_for_its_incidents_reason_by_default(ledger):
    """The title of the incident, unless the decider says more."""
    append(ledger, declared(title="checkout is down"))
    append(ledger, decided_rollback("1.4", incident="INC-1"), decided_rollback("1.4", incident="INC-1", reason="mine"))
    assert [each.event.reason for each in history(ledger)[1:]] == ["checkout is down", "mine"]


def test_another_title_than_the_redacted_one_stays(ledger):
    """Only the words of that event go."""
    append(ledger, detected(title="Bob did it"), declared(title="checkout is down"))
    append(ledger, event("record.redacted", position=1, fields=["title", "evidence"]))
    append(ledger, decided_rollback("1.4", incident="INC-1"))
    assert history(ledger)[3].event.reason == "checkout is down"


@pytest.mark.parametrize("split", [0, 1, 2, 3])
def test_a_redacted_title_does_not_come_back_as_a_reason(ledger, split):
    """Neither from what was remembered, nor from the same group."""
    commands = [
        command(ledger, declared(title="Bob did it")),
        command(ledger, event("record.redacted", position=1, fields=["title"])),
        command(ledger, decided_rollback("1.4", incident="INC-1")),
    ]
    append_warm = ledger.record(commands[:split]) + ledger.record(commands[split:])
    assert not any(isinstance(each, LedgerError) for each in append_warm)
    assert "unknown_incident" not in codes(append_warm[2][0])
    assert history(ledger)[0].event.title == REDACTED
    assert history(ledger)[2].event.reason is None


# One command does not touch another


def test_a_command_that_breaks_a_rule_of_ours_fails_alone(ledger, monkeypatch):
    """A fault of the ledger is told to the one who met it."""
    from ledger import slot

    def broken(*_):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(slot, "decide", broken)
    first, second, third = ledger.record(
        [command(ledger, deployed("1")), command(ledger, decided_rollback("1")), command(ledger, deployed("2"))]
    )
    assert isinstance(second, Undecided)
    assert isinstance(second.__cause__, ZeroDivisionError)
    assert [first[0].position, third[0].position] == [1, 2]


_versions = st.sampled_from(["1.4", "1.5"])
_positions = st.integers(1, 9)
_severities = st.sampled_from(["SEV-1", "SEV-2"])
_incidents = st.sampled_from(["INC-1", "INC-2"])
_some_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(deployed, _versions),
    st.builds(released, _versions),
    st.builds(deployed, _versions, incident=_incidents),
    st.builds(decided_rollback, _versions, incident=st.none() | _incidents),
    st.builds(event, st.sampled_from(["rollback.started", "rollback.succeeded"]), to_version=_versions),
    st.builds(declared, incident=_incidents, severity=_severities, title=st.sampled_from(["one", "two"])),
    st.builds(event, st.just("incident.severity_changed"), incident=_incidents, from_=_severities, to=_severities),
    st.builds(event, st.just("incident.merged"), incident=_incidents, into=_incidents),
    st.builds(event, st.just("record.corrected"), position=_positions, field=st.just("version"), value=_versions),
    st.builds(event, st.sampled_from(["record.retracted", "decision.seconded"]), position=_positions),
    st.builds(event, st.just("finding.accepted"), positions=st.lists(_positions, min_size=1, max_size=2)),
    st.builds(event, st.just("record.redacted"), position=_positions, fields=st.sampled_from([["title"], ["reason"]])),
    st.builds(event, st.just("record.redacted"), position=_positions, fields=st.just(["person", "evidence"])),
    st.builds(
        event,
        st.sampled_from(["incident.role_assigned", "incident.role_released"]),
        incident=_incidents,
        role=st.just("commander"),
        person=st.sampled_from(["alice", "bob"]),
    ),
)
_some_drafts = st.builds(
    draft,
    _some_events,
    id=st.integers(1, 12).map(str),
    time=st.none() | st.sampled_from(["2026-11-22T11:00:00Z", "2026-11-23T00:00:00Z"]),
)
_some_commands = st.tuples(
    st.lists(_some_drafts, min_size=1, max_size=4),
    st.sampled_from([None, None, None, 0, 1, 2]),
    st.booleans(),
    st.sampled_from([EVERYONE, EVERYONE, Principal("w", HUMAN, frozenset({RESPONDER}), services=frozenset({"web"}))]),
)


def told(found):
    return (type(found), str(found), found.line) if isinstance(found, LedgerError) else found


def recorded_by(folder, groups):
    """The outcomes and the history of groups of commands, on a clock that stands still."""
    with closing(Ledger(Path(folder), StoppedClock())) as ledger:
        seeing(ledger, candidates=[candidate("1.4", "marked_bad")])
        outcomes = []
        for group in groups:
            made = []
            for drafts, expected, strict, by in group:
                try:
                    made.append(command(ledger, *drafts, by=by, expected=expected, strict=strict))
                except (NotAllowed, Conflict) as error:
                    outcomes.append(told(error))
            outcomes += map(told, ledger.record(made))
            assert remembered(ledger) == retold(ledger)
        return outcomes, history(ledger)


def remembered(ledger):
    return dict(ledger._past._states), {name: each for name, each in ledger._past._revisions.items() if each}


def retold(ledger):
    """What a ledger that has just been opened would know of the same streams."""
    states, revisions = {}, {}
    for stream in ledger._past._states:
        rules = RULES[stream.partition("/")[0]]
        states[stream] = rules.State()
        for each in ledger.stream(stream, ledger.head()):
            rules.evolve(states[stream], each.event, each.occurred_at)
    for each in history(ledger):
        revisions[each.stream] = each.revision
    return states, revisions


@settings(deadline=None, max_examples=150)
@given(st.lists(_some_commands, min_size=1, max_size=8), st.data())
def test_commands_fare_in_a_group_as_they_fare_one_by_one(commands, data):
    """The same receipts, refusals, warnings and record, however they are grouped; what is remembered is what is so."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(commands)), max_size=3)) | {0, len(commands)})
    groups = [commands[start:end] for start, end in pairwise(cuts)]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        by_group, grouped = recorded_by(one, groups)
        one_by_one, single = recorded_by(other, [[each] for each in commands])
    assert sorted(map(repr, by_group)) == sorted(map(repr, one_by_one))
    assert grouped == single
