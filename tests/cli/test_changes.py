"""`lastgood changes`: on the screen, and as a file."""

import json
import stat

import pytest

from tests.cli.faulty import Answer

FINDING = {
    "rule": "release_without_approval",
    "service": "web",
    "environment": "production",
    "incident": None,
    "time": "2026-03-02T09:40:00Z",
    "positions": [5],
    "state": "open",
    "detail": "A went out, and nobody had approved it",
    "settled_by": [],
    "accepted_by": [],
    "changes": [5],
}
APPROVAL = {
    "by": "Bob",
    "time": "2026-03-02T09:00:00Z",
    "recordedtime": "2026-03-02T09:00:00Z",
    "position": 3,
    "digest": None,
    "change_ticket": None,
    "incident": None,
}
CHANGE = {
    "kind": "deployment",
    "id": "d1",
    "service": "web",
    "environment": "production",
    "version": "A",
    "digest": None,
    "outcome": "succeeded",
    "effect": "forward",
    "time": "2026-03-02T09:40:00.5Z",
    "recordedtime": "2026-03-02T09:40:01Z",
    "began": None,
    "position": 5,
    "positions": [4, 5],
    "deployer": {"id": "p1", "name": "deployer", "kind": "machine", "people": [], "source": "ci"},
    "approval_required": True,
    "approvals": [APPROVAL],
    "approvals_recorded_late": [],
    "decision": None,
    "incidents": [],
    "implicated_in": [],
    "findings": [],
}
BARE = {**CHANGE, "approvals": [], "findings": [{"rule": "release_without_approval", "state": "open"}]}
DECIDED = {
    **CHANGE,
    "kind": "rollback",
    "effect": "rollback",
    "approvals": [],
    "decision": {"by": "Ada", "position": 7, "reason": "errors"},
}
RETURNED = {**CHANGE, "effect": "return_forward", "approval_required": False, "approvals": []}
RECORD = {
    "format": "lastgood-changes/1",
    "period": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z", "zone": "UTC"},
    "as_of": "2026-03-04T00:00:00Z",
    "known_at": 9,
    "completeness": {
        "positions": {"from": 1, "to": 9, "count": 9},
        "in_period": {"first": 2, "last": 9, "count": 8},
        "events": {},
        "changes": {"deployment": 2, "rollback": 1},
        "checkpoint": {"origin": "here", "size": 10, "root": "r"},
    },
    "exceptions": [FINDING],
    "changes": [CHANGE, BARE, DECIDED],
    "in_progress": [{**RETURNED, "outcome": None}],
    "retracted": [{"position": 8}],
    "roles": [],
}


def test_exceptions_come_first_and_what_it_rests_on_last(lastgood, faulty):
    """One change a row."""
    faulty.answers = [Answer(200, RECORD)]
    shown = lastgood(
        *("changes", "--from", "2026-03-02", "--to", "2026-03-03", "--service", "web", "--environment", "production"),
        *("--known-at", "9", "--url", faulty.url),
    )
    assert shown.exit_code == 0
    for part in ("from=2026-03-02", "to=2026-03-03", "service=web", "environment=production", "known_at=9"):
        assert part in faulty.asked[0].path
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert rows[1][:3] == ["open", "release_without_approval", "web@production"]
    assert rows[4] == "2026-03-02T09:40:00Z deployment succeeded web@production A deployer Bob, at 3 4 5".split()
    assert (
        rows[5]
        == "2026-03-02T09:40:00Z deployment succeeded web@production A deployer NOT APPROVED release_without_approval 4 5".split()
    )
    assert rows[6] == "2026-03-02T09:40:00Z rollback succeeded web@production A deployer Ada, at 7 4 5".split()
    assert rows[7][1:5] == ["deployment", "under", "way", "(return"]
    assert shown.stderr.splitlines() == [
        "2026-03-02T00:00:00Z to 2026-03-03T00:00:00Z: 2 deployments, 1 rollback",
        "retracted, and not counted: 8",
        "looked through positions 1 to 9 (9 events), 8 of them of the period",
        "covered by the checkpoint of size 10",
    ]


def test_a_period_without_changes(lastgood, faulty):
    """Says so, and what was looked through."""
    told = {**RECORD["completeness"], "changes": {}, "checkpoint": None}
    nothing = {"exceptions": [], "changes": [], "in_progress": [], "retracted": []}
    faulty.answers = [Answer(200, {**RECORD, **nothing, "completeness": told})]
    shown = lastgood("changes", "--url", faulty.url)
    assert shown.stdout == ""
    assert "no changes" in shown.stderr
    assert "not covered by a checkpoint yet" in shown.stderr


@pytest.mark.parametrize("name", ["json", "csv"])
def test_as_a_file(lastgood, faulty, tmp_path, name):
    """Just what the server sends; for its owner alone."""
    content = json.dumps(RECORD).encode()
    faulty.answers = [Answer(200, content)]
    shown = lastgood("changes", "--format", name, "-o", "changes.out", "--url", faulty.url)
    assert shown.exit_code == 0
    assert f"format={name}" in faulty.asked[0].path
    assert (tmp_path / "changes.out").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "changes.out").stat().st_mode) == 0o600
    assert "written to changes.out" in shown.stderr
    assert lastgood("changes", "--format", name, "--url", faulty.url).stdout == content.decode()


def test_a_table_is_no_file(lastgood):
    """It is for the screen."""
    assert lastgood("changes", "-o", "x").exit_code == 2


def test_out_of_reach_is_7(lastgood):
    """Nothing is written."""
    call = ("changes", "--format", "csv", "-o", "x.csv", "--url", "http://127.0.0.1:1", "--timeout", "0.1")
    assert lastgood(*call).exit_code == 7
