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

    def record(verb, *items, ask=None, live=None):
        asked = ask or Answer(200, {"as_of": NOW, "items": list(items)})
        told = Answer(201, {**RECEIPT, "duplicate": False, "warnings": []})
        # What is live is asked only where a rollback to this version was carried out.
        done = (
            live is not None
            and verb != "failed"
            and any(each["to_version"] == "1" and each["state"] != "failed" for each in items)
        )
        faulty.answers = [asked, *([live] if done else []), told]
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
        ("started", [rollback("r1", "lapsed", claimed="2026-11-22T19:30:00Z")]),
    ],
)
def test_where_none_is_open_it_is_a_rollback_of_its_own(recorded, verb, items):
    """An old decision never covers for what nobody decided."""
    assert len(recorded(verb, *items)) == 36


DONE = {"executed": "2026-11-22T20:59:00Z"}


@pytest.mark.parametrize(
    "verb, item, current, taken",
    [
        ("succeeded", rollback("r1", "succeeded", **DONE), "1", True),
        ("succeeded", rollback("r1", "verified", **DONE), "1", True),
        ("succeeded", rollback("r1", "reached", reached="2026-11-20T20:59:00Z"), "1", True),
        ("started", rollback("r1", "succeeded", **DONE), "1", True),
        ("succeeded", rollback("r1", "succeeded", **DONE), "2", False),
        ("succeeded", rollback("r1", "succeeded", **DONE), None, False),
        ("succeeded", rollback("r1", "succeeded", "2", **DONE), "2", False),
        ("failed", rollback("r1", "failed", failed="2026-11-22T20:59:00Z"), "2", True),
        ("failed", rollback("r1", "failed", failed="2026-11-22T19:59:00Z"), "2", False),
        ("started", rollback("r1", "failed", failed="2026-11-22T20:59:00Z"), "2", True),
        ("succeeded", rollback("r1", "failed", failed="2026-11-22T20:59:00Z"), "2", True),
        ("succeeded", rollback("r1", "failed", failed="2026-11-22T19:59:00Z"), "2", False),
        ("failed", rollback("r1", "succeeded", executed="2026-11-22T20:59:00Z"), "1", False),
    ],
)
def test_what_is_told_again_is_the_same_rollback_as_long_as_its_target_is_live(recorded, verb, item, current, taken):
    """By a step that CI retries, or by a person beside the pipeline; after a return forward it is another one."""
    live = Answer(200, {"current": None if current is None else {"version": current}})
    assert (recorded(verb, item, live=live) == "r1") == taken


def test_a_step_that_ci_retries_is_a_duplicate_of_the_first(lastgood, server, monkeypatch):
    """Its id is made of its content, so the rollback has to be the same."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    slot = ("--service", "retried", "--environment", "here", "--url", server.url)
    responder, pipeline = (("--token", server.tokens[role]) for role in ("responder", "pipeline"))
    for version, time in (("1", "2026-11-20T10:00:00Z"), ("2", "2026-11-22T10:00:00Z")):
        named = ("--version", version, "--time", time, "--deployment-id", version)
        assert lastgood("deployment", "succeeded", *slot, *named, *pipeline).exit_code == 0
    assert lastgood("rollback", "decided", *slot, "--to-version", "1", *responder).exit_code == 0
    told = [lastgood("rollback", "succeeded", *slot, "--to-version", "1", *pipeline) for _ in range(2)]
    assert [(each.exit_code, "(known already)" in each.stdout) for each in told] == [(0, False), (0, True)]


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


def test_what_is_told_a_day_late_is_of_the_decision_that_was_open_then(lastgood, server):
    """By now that has lapsed; told twice it is still one rollback."""
    slot = ("--service", "late", "--environment", "here", "--url", server.url, "--token", server.tokens["responder"])
    for version, time in (("1", "2026-01-20T10:00:00Z"), ("2", "2026-01-22T10:00:00Z")):
        assert lastgood("deployment", "succeeded", *slot, "--version", version, "--time", time).exit_code == 0
    decided = lastgood("rollback", "decided", *slot, "--to-version", "1", "--time", "2026-01-22T10:32:00Z")
    told = ("rollback", "succeeded", *slot, "--to-version", "1", "--time", "2026-01-22T10:36:00Z")
    for done in (lastgood(*told), lastgood(*told)):
        assert done.stdout.split()[-1] == decided.stdout.split()[-1]
        assert "without_decision" not in done.stderr
