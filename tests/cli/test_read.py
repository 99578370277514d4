"""Asking: the ledger's own answer as JSON, or what a person in a hurry needs as a table."""

import json

import pytest

from tests.cli.faulty import Answer

SLOT = {
    "service": "payments",
    "environment": "production",
    "as_of": "2026-11-22T21:00:00Z",
    "known_at": 8214,
    "deployed": {"version": "1.5.0", "digest": None, "since": "2026-11-22T20:00:00Z"},
    "current": {"version": "1.5.0", "digest": None, "since": "2026-11-22T20:10:00.246731+01:00", "exposure": 75},
    "exposures": [{"version": "1.5.0", "exposure": 75}, {"version": "1.6.0", "exposure": 25}],
    "last_known_good": {"version": "1.4.2", "digest": None, "basis": "verified", "last_live_until": None},
    "rollback_target": {
        "version": "1.4.2",
        "digest": None,
        "blockers": [],
        "warnings": [{"code": "artifact_unchecked"}],
    },
    "active_incidents": [{"id": "INC-2041", "severity": "SEV-1"}],
    "certain": False,
}
EMPTY = {
    "service": "new",
    "environment": "production",
    "deployed": None,
    "current": None,
    "exposures": [],
    "last_known_good": None,
    "rollback_target": None,
    "active_incidents": [],
    "certain": True,
}


def page(*items, next_=None) -> Answer:
    return Answer(200, {"items": list(items), "next": next_})


def test_status_has_the_answers_of_every_slot_in_one_row(lastgood, faulty):
    """Whole values, one line each, wherever the output goes."""
    faulty.answers = [page(SLOT, EMPTY)]
    shown = lastgood("status", "--url", faulty.url)
    assert shown.exit_code == 0
    header, first, second = shown.stdout.splitlines()
    for word in (
        "payments",
        "1.5.0, 1.6.0 25 % ?",
        "2026-11-22T20:10:00+01:00",
        "1.4.2 (verified)",
        "1.4.2 (1 warning)",
        "INC-2041 SEV-1",
    ):
        assert word in first
    assert second.split() == ["new", "production", "-", "-", "-", "-"]
    assert header.split()[:2] == ["service", "environment"]


def test_status_asks_for_the_service_and_the_moment(lastgood, faulty):
    """All filters reach the ledger, those not given do not."""
    faulty.answers = [page()]
    shown = lastgood(
        *("status", "a/b", "--environment", "production", "--as-of", "2026-11-22T21:00:00Z"),
        *("--known-at", "12", "--at-least", "11", "--url", faulty.url),
    )
    assert shown.exit_code == 0
    asked = faulty.asked[0].path
    for part in (
        "service=a%2Fb",
        "environment=production",
        "as_of=2026-11-22T21%3A00%3A00Z",
        "known_at=12",
        "at_least=11",
    ):
        assert part in asked


@pytest.mark.parametrize("verb,path", [(["status"], "/v1/slots?"), (["history", "s", "e"], "/v1/slot/history?")])
def test_all_pages_are_read(lastgood, faulty, verb, path):
    """`next` goes back in as `after`."""
    faulty.answers = [page({**SLOT, "service": "a"}, next_="a/production"), page({**SLOT, "service": "b"})]
    shown = lastgood(*verb, "--url", faulty.url, "--output", "json")
    assert [each["service"] for each in json.loads(shown.stdout)["items"]] == ["a", "b"]
    assert all(each.path.startswith(path) for each in faulty.asked)
    assert "after=" not in faulty.asked[0].path
    assert "after=a%2Fproduction" in faulty.asked[1].path


def test_json_is_the_ledgers_own_answer(lastgood, faulty):
    """Nothing added, nothing lost, and plain ASCII."""
    faulty.answers = [page({**SLOT, "service": "zahlung\u00e4\x1b[2J"})]
    shown = lastgood("status", "--url", faulty.url, "--output", "json").stdout
    assert json.loads(shown) == {"items": [{**SLOT, "service": "zahlung\u00e4\x1b[2J"}], "next": None}
    assert shown.isascii()


def test_a_recorded_name_cannot_play_with_the_terminal(lastgood, faulty):
    """Neither by control characters nor by the table's own markup."""
    faulty.answers = [page({**SLOT, "service": "a\x1b[2J[red]b[/red]"})]
    shown = lastgood("status", "--url", faulty.url).stdout
    assert "\x1b" not in shown
    assert "a\ufffd[2J[red]b[/red]" in shown


def test_nothing_recorded_is_said(lastgood, faulty):
    """An empty table would look like a fault."""
    faulty.answers = [page()]
    shown = lastgood("status", "--url", faulty.url)
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "nothing is recorded" in shown.stderr


def test_history_is_one_event_a_row(lastgood, faulty):
    """When, what, which version, and where it is recorded."""
    entry = {
        "position": 7,
        "time": "2026-11-22T20:00:00Z",
        "type": "rollback.succeeded",
        "change": "rollback",
        "version": "1.4.2",
        "digest": None,
        "replaced": "1.5.0",
        "detail": "redeploy",
    }
    faulty.answers = [page(entry)]
    shown = lastgood("history", "payments", "production", "--url", faulty.url)
    assert shown.stdout.splitlines()[1].split() == [
        "2026-11-22T20:00:00Z",
        "rollback.succeeded",
        "rollback",
        "1.4.2",
        "1.5.0",
        "redeploy",
        "7",
    ]
    assert faulty.asked[0].path.startswith("/v1/slot/history?service=payments&environment=production")


def test_a_plan_says_from_where_to_where_and_what_stands_against_it(lastgood, faulty):
    """And what it cannot bring back."""
    item = {
        "service": "payments",
        "environment": "production",
        "from": {"version": "1.5.0", "digest": None},
        "to": {"version": "1.4.2", "digest": None},
        "blockers": [{"code": "artifact_deleted", "detail": "its artifact is deleted", "position": 3}],
        "warnings": [],
    }
    answer = {"environment": "production", "items": [item], "appeared": ["search"], "removed": ["legacy"], "count": 1}
    faulty.answers = [Answer(200, answer)]
    call = ("plan", "production", "--to", "2026-11-22T18:00:00Z", "--service", "payments", "--service", "x")
    shown = lastgood(*call, "--url", faulty.url)
    assert shown.exit_code == 0
    assert "service=payments&service=x" in faulty.asked[0].path
    _, row, *rest = shown.stdout.splitlines()
    assert row.split() == "payments 1.5.0 1.4.2 artifact_deleted: its artifact is deleted".split()
    assert rest == [
        "search: did not exist then",
        "legacy: existed then, and was removed since",
        "1 service would change",
    ]
    assert json.loads(lastgood(*call, "--url", faulty.url, "--output", "json").stdout) == answer


def test_a_plan_needs_its_moment(lastgood):
    """Wrong usage."""
    assert lastgood("plan", "production").exit_code == 2


@pytest.mark.parametrize(
    "call", [["status"], ["history", "s", "e"], ["plan", "e", "--to", "2026-11-22T18:00:00Z"], ["export"]]
)
def test_out_of_reach_is_7_for_readers_too(lastgood, call):
    """Nothing is spooled, as nothing is to be kept."""
    assert lastgood(*call, "--url", "http://127.0.0.1:1").exit_code == 7
