"""`lastgood findings`: the open ones first, and accepting one."""

import json

import pytest

from tests.cli.faulty import Answer

FOUND = {
    "rule": "rollback_without_decision",
    "service": "payments",
    "environment": "production",
    "incident": None,
    "time": "2026-11-22T21:00:00.123456Z",
    "positions": [14, 12],
    "state": "open",
    "detail": "1.4.2 was brought back, and nobody had decided it",
    "settled_by": [],
    "accepted_by": [],
}
SETTLED = {
    **FOUND,
    "rule": "report_overdue",
    "incident": "INC-1",
    "state": "settled",
    "settled_by": [20],
    "positions": [9],
}
ACCEPTED = {**FOUND, "service": None, "environment": None, "state": "accepted", "accepted_by": [31], "positions": [3]}


def page(*items, next_=None):
    return Answer(200, {"as_of": "2026-11-22T22:00:00Z", "known_at": 40, "items": list(items), "next": next_})


def test_the_open_ones_come_first(lastgood, faulty):
    """What, where, when, and the positions that one accepts it by."""
    faulty.answers = [page(ACCEPTED, SETTLED, FOUND)]
    shown = lastgood("findings", "--url", faulty.url)
    assert shown.exit_code == 0
    header, *rows = shown.stdout.splitlines()
    assert header.split() == ["state", "rule", "where", "what", "time", "positions"]
    assert [row.split()[0] for row in rows] == ["open", "settled", "accepted"]
    assert rows[0].split()[:3] == ["open", "rollback_without_decision", "payments@production"]
    assert rows[0].rstrip().endswith("14 12")
    assert "2026-11-22T21:00:00Z" in rows[0]
    assert "settled at 20" in rows[1]
    assert "payments@production INC-1" in rows[1]
    assert "accepted at 31" in rows[2]
    assert shown.stderr == "1 open, 1 settled, 1 accepted\n"


def test_filters_and_the_moment_reach_the_ledger(lastgood, faulty):
    """All of those given, and no other."""
    faulty.answers = [page()]
    shown = lastgood(
        *("findings", "--service", "a/b", "--environment", "production", "--rule", "late_record", "--state", "open"),
        *("--incident", "INC 1", "--as-of", "2026-11-22T21:00:00Z", "--known-at", "12", "--url", faulty.url),
    )
    assert shown.exit_code == 0
    asked = faulty.asked[0].path
    for part in (
        "/v1/findings?",
        "service=a%2Fb",
        "environment=production",
        "rule=late_record",
        "state=open",
        "incident=INC",
        "as_of=2026-11-22T21%3A00%3A00Z",
        "known_at=12",
    ):
        assert part in asked
    assert "at_least" not in asked
    assert "nothing was found" in shown.stderr


def test_json_has_all_pages_as_the_ledger_has_them(lastgood, faulty):
    """In its order, as one list."""
    faulty.answers = [page(ACCEPTED, next_="abc"), page(FOUND)]
    shown = lastgood("findings", "--output", "json", "--url", faulty.url)
    told = json.loads(shown.stdout)
    assert told["items"] == [ACCEPTED, FOUND]
    assert told["next"] is None
    assert "after=abc" in faulty.asked[1].path


def test_a_finding_is_accepted_by_its_rule_and_positions(lastgood):
    """It is recorded like any other decision."""
    shown = lastgood(
        *("findings", "accept", "late_record", "12", "14", "--reason", "an import"),
        *("--until", "2026-12-01T00:00:00Z", "--dry-run"),
    )
    assert shown.exit_code == 0, shown.stderr
    event = json.loads(shown.stdout)
    assert event["type"] == "finding.accepted"
    assert event["data"] == {
        "rule": "late_record",
        "positions": [12, 14],
        "reason": "an import",
        "until": "2026-12-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    "call",
    [
        ["accept"],
        ["accept", "late_record", "--reason", "x"],
        ["accept", "late_record", "0", "--reason", "x"],
        ["accept", "late_record", "12"],
        ["--state", "closed"],
        ["unknown"],
    ],
    ids=" ".join,
)
def test_wrong_usage(lastgood, call):
    """Exit code 2, and nothing is asked."""
    assert lastgood("findings", *call).exit_code == 2


def test_against_a_real_server(lastgood, fresh_server):
    """Found, accepted, and told as accepted."""
    told = [
        {"type": "deployment.succeeded", "data": {"deployment_id": version + number, "version": version} | SLOT}
        for number, version in enumerate_text("121")
    ]
    last = fresh_server.client("pipeline").append(*told)["last"]
    where = ("--url", fresh_server.url, "--token", fresh_server.tokens["responder"])
    shown = lastgood("findings", *where, "--at-least", str(last))
    assert "rollback_without_decision  web@production" in shown.stdout
    accepted = lastgood("findings", "accept", "rollback_without_decision", str(last), "--reason", "a drill", *where)
    assert accepted.exit_code == 0, accepted.stderr
    position = accepted.stdout.split()[-1]
    again = lastgood("findings", *where, "--at-least", position, "--state", "accepted")
    assert f"accepted at {position}" in again.stdout


SLOT = {"service": "web", "environment": "production"}


def enumerate_text(versions):
    return [(str(number), version) for number, version in enumerate(versions)]
