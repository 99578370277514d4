"""`rollback started`, `succeeded` and `failed` without `--rollback-id`: which rollback is carried out."""

import json

import pytest

from tests.cli.faulty import Answer
from tests.cli.test_ci import GITHUB

NOW = "2026-11-22T21:00:00Z"
RECEIPT = {"id": "1", "source": "s", "position": 7, "recordedtime": NOW, "stream": "slot/a/b", "revision": 1}


def rollback(rollback_id, state, to_version="1", **steps):
    told = {"claimed": None, "executed": None, "failed": None, "reached": None}
    told |= {name: {"time": time, "position": 3} for name, time in steps.items()}
    return {"rollback_id": rollback_id, "state": state, "to_version": to_version, **told}


@pytest.fixture
def recorded(lastgood, faulty):
    """The rollback id that is recorded where these are the slot's rollbacks, the newest first."""

    def record(verb, *items, ask=None):
        asked = ask or Answer(200, {"as_of": NOW, "items": list(items)})
        faulty.answers = [asked, Answer(201, {**RECEIPT, "duplicate": False, "warnings": []})]
        slot = ("--service", "web", "--environment", "prod", "--to-version", "1", "--url", faulty.url)
        ended = lastgood("rollback", verb, *slot)
        assert ended.exit_code == 0, ended.output
        found = json.loads(faulty.asked[-1].body)["data"]["rollback_id"]
        assert f"rollback_id {found}" in ended.stdout
        return found

    return record


@pytest.mark.parametrize(
    "verb, items, taken",
    [
        ("started", [rollback("r1", "pending")], "r1"),
        ("succeeded", [rollback("r1", "pending")], "r1"),
        ("failed", [rollback("r1", "claimed")], "r1"),
        ("succeeded", [rollback("r2", "pending"), rollback("r1", "claimed")], "r1"),
        ("started", [rollback("r2", "pending"), rollback("r1", "claimed")], "r2"),
        ("succeeded", [rollback("r2", "claimed", "2"), rollback("r1", "pending")], "r1"),
        ("succeeded", [rollback("r2", "pending", "2")], "r2"),
        ("succeeded", [rollback("r1", "undecided", claimed="2026-11-22T20:30:00Z")], "r1"),
        ("succeeded", [rollback("r1", "lapsed", claimed="2026-11-22T19:30:00Z")], "r1"),
    ],
)
def test_a_rollback_that_nobody_names_is_the_one_that_is_open(recorded, verb, items, taken):
    """To the version that is told if one is, else to another: that it went elsewhere is then told of the decision."""
    assert recorded(verb, *items) == taken


@pytest.mark.parametrize(
    "verb, items",
    [
        ("succeeded", []),
        ("succeeded", [rollback("r1", "lapsed")]),
        ("succeeded", [rollback("r1", "superseded")]),
        ("succeeded", [rollback("r1", "cancelled")]),
        ("succeeded", [rollback("r1", "succeeded", executed=NOW)]),
        ("started", [rollback("r1", "lapsed", claimed="2026-11-22T19:30:00Z")]),
    ],
)
def test_where_none_is_open_it_is_a_rollback_of_its_own(recorded, verb, items):
    """An old decision never covers for what nobody decided."""
    assert len(recorded(verb, *items)) == 36


@pytest.mark.parametrize(
    "verb, item, taken",
    [
        ("succeeded", rollback("r1", "succeeded", executed="2026-11-22T20:59:00Z"), "r1"),
        ("failed", rollback("r1", "failed", failed="2026-11-22T20:59:00Z"), "r1"),
        ("succeeded", rollback("r1", "succeeded", executed="2026-11-22T19:59:00Z"), "run-8812"),
        ("succeeded", rollback("r1", "succeeded", "2", executed="2026-11-22T20:59:00Z"), "run-8812"),
        ("succeeded", rollback("r1", "failed", failed="2026-11-22T20:59:00Z"), "run-8812"),
    ],
)
def test_a_step_that_ci_retries_is_told_of_the_same_rollback(recorded, monkeypatch, verb, item, taken):
    """So that the second is a duplicate of the first; else the run names it."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    assert recorded(verb, item) == taken


@pytest.mark.parametrize("answer", [Answer(403, {"title": "no"}), Answer(404), Answer(500, {"title": "broken"})])
def test_a_ledger_that_does_not_say_holds_nothing_up(recorded, answer):
    """The fact counts more than where it belongs."""
    assert len(recorded("succeeded", ask=answer)) == 36


def test_what_can_not_be_sent_is_spooled_as_before(lastgood, tmp_path):
    slot = ("--service", "web", "--environment", "prod", "--to-version", "1", "--url", "http://127.0.0.1:9")
    ended = lastgood("rollback", "succeeded", *slot, "--spool", tmp_path / "spool")
    assert ended.exit_code == 6
    assert "not asked which rollback is open here: no answer" in ended.stderr


@pytest.mark.parametrize("more", [("--rollback-id", "mine"), ("--dry-run",)])
def test_nobody_is_asked_where_it_is_named_or_only_tried(lastgood, faulty, more):
    faulty.answers = [Answer(201, {**RECEIPT, "duplicate": False, "warnings": []})]
    slot = ("--service", "web", "--environment", "prod", "--to-version", "1", "--url", faulty.url)
    assert lastgood("rollback", "succeeded", *slot, *more).exit_code == 0
    assert [each.method for each in faulty.asked] == ([] if "--dry-run" in more else ["POST"])


def test_what_is_missing_is_told_before_anybody_is_asked(lastgood, faulty):
    for given in ((), ("--environment", "prod")):
        ended = lastgood("rollback", "succeeded", "--service", "web", *given, "--url", faulty.url)
        assert (ended.exit_code, "--to-version" in ended.stderr, faulty.asked) == (2, True, [])


def test_the_decision_and_what_was_done_are_one_rollback(lastgood, server):
    """Nobody typed its id, and nothing is to be warned of."""
    slot = ("--service", "walk", "--environment", "here", "--url", server.url, "--token", server.tokens["responder"])
    for version, time in (("1", "2026-11-20T10:00:00Z"), ("2", "2026-11-22T10:00:00Z")):
        assert lastgood("deployment", "succeeded", *slot, "--version", version, "--time", time).exit_code == 0
    decided = lastgood("rollback", "decided", *slot, "--to-version", "1")
    done = lastgood("rollback", "succeeded", *slot, "--to-version", "1")
    assert decided.stdout.split()[-1] == done.stdout.split()[-1]
    assert done.stderr == ""
