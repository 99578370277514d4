"""Appending from files and pipes: each batch whole or not at all, and told exactly."""

import json

import pytest

from api.cli.spool import Spool
from tests.cli.faulty import Answer

NOBODY = ("--url", "http://127.0.0.1:1", "--timeout", "0.1")
EVENT = {"type": "metric.observed", "data": {"name": "errors", "value": 1, "unit": "1"}}


def events(count: int) -> str:
    return "\n".join(json.dumps({"id": str(number), **EVENT}) for number in range(count))


def recorded(first: int, last: int, duplicates: int = 0, **more) -> Answer:
    count = last - first + 1 + duplicates
    return Answer(201, {"first": first, "last": last, "count": count, "duplicates": duplicates, **more})


def test_what_was_recorded_is_told(lastgood, faulty):
    """In words, and as JSON for programs."""
    faulty.answers = [recorded(5, 7, 1)]
    told = lastgood("append", "--url", faulty.url, stdin=events(4))
    assert told.stdout == "recorded 3 events, positions 5 to 7; 1 known already\n"
    told = lastgood("append", "-", "--url", faulty.url, "--output", "json", stdin=events(4))
    assert json.loads(told.stdout) == {
        "first": 5,
        "last": 7,
        "count": 4,
        "duplicates": 1,
        "spooled": 0,
        "warnings": [],
    }
    assert faulty.asked[0].headers["Content-Type"] == "application/x-ndjson"


def test_many_events_go_in_several_requests_on_one_connection(lastgood, faulty, tmp_path):
    """10,000 at a time; the summary is of all."""
    (tmp_path / "events.ndjson").write_text(events(20_001))
    faulty.answers = [recorded(1, 10_000), recorded(10_001, 20_000), recorded(20_001, 20_001)]
    told = lastgood("append", "events.ndjson", "--url", faulty.url)
    assert told.stdout == "recorded 20001 events, positions 1 to 20001\n"
    assert [each.body.count(b"\n") for each in faulty.asked] == [10_000, 10_000, 1]
    assert len({each.connection for each in faulty.asked}) == 1


def test_all_duplicates_is_done(lastgood, faulty):
    """Exit 0: the record holds what was to be recorded."""
    faulty.answers = [Answer(200, {"first": None, "last": None, "count": 2, "duplicates": 2})]
    told = lastgood("append", "--url", faulty.url, stdin=events(2))
    assert (told.exit_code, told.stdout) == (0, "recorded 0 events; 2 known already\n")


def test_warnings_are_told_with_their_position(lastgood, faulty):
    """Recorded all the same, and worth telling."""
    warning = {"code": "unknown_incident", "detail": "no such incident", "position": None}
    faulty.answers = [recorded(3, 3, receipts=[{"position": 3, "warnings": [warning]}])]
    told = lastgood("append", "--url", faulty.url, "--output", "json", stdin=events(1))
    assert json.loads(told.stdout)["warnings"] == [{"position": 3, "warning": warning}]
    assert told.stderr == "warning: position 3: unknown_incident: no such incident\n"


def test_a_refused_batch_says_what_is_recorded_and_what_is_not(lastgood, faulty):
    """So that one can go on from there."""
    problem = {
        "title": "Invalid",
        "status": 422,
        "errors": [{"pointer": "/data/unit", "detail": "is required", "line": 2}],
    }
    faulty.answers = [recorded(1, 10_000), Answer(422, problem)]
    told = lastgood("append", "--url", faulty.url, stdin=events(10_003))
    assert told.exit_code == 3
    assert told.stdout == "recorded 10000 events, positions 1 to 10000\n"
    assert "/data/unit is required" in told.stderr
    assert "nothing of lines 10001 to 10003 is recorded; the 10000 events before are recorded" in told.stderr


def test_a_fault_in_the_file_is_told_with_its_line_and_sends_nothing_of_its_batch(lastgood, faulty):
    """Exit 3, before any request."""
    told = lastgood("append", "--url", faulty.url, stdin=events(3) + "\n{oops")
    assert told.exit_code == 3
    assert "line 4" in told.stderr
    assert faulty.asked == []


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_input_is_an_error(lastgood, text):
    """What should have written it failed."""
    assert lastgood("append", *NOBODY, stdin=text).exit_code == 3


def test_an_empty_array_is_done(lastgood):
    """There was nothing to tell, and it was told."""
    assert lastgood("append", *NOBODY, stdin="[]").exit_code == 0


def test_a_file_that_is_not_there_is_wrong_usage(lastgood):
    """Exit 2."""
    assert lastgood("append", "nothing.ndjson").exit_code == 2


def test_once_out_of_reach_the_rest_goes_to_the_spool(lastgood, faulty, tmp_path):
    """One file a batch, none of it tried again and again."""
    faulty.answers = [recorded(1, 10_000), Answer(500, {"title": "Disk full", "status": 500})]
    told = lastgood("append", "--url", faulty.url, "--spool", "spool", "--output", "json", stdin=events(25_000))
    assert told.exit_code == 6
    assert len(faulty.asked) == 2
    summary = json.loads(told.stdout)
    assert (summary["count"], summary["spooled"]) == (10_000, 15_000)
    spooled = [path.read_bytes().splitlines() for path in Spool(tmp_path / "spool").waiting()]
    assert [len(lines) for lines in spooled] == [10_000, 5_000]
    first = json.loads(spooled[0][0])
    assert first["id"] == "10000"
    assert first["time"]


@pytest.mark.parametrize("flags,code", [([], 7), (["--best-effort"], 0)])
def test_out_of_reach_without_a_spool(lastgood, flags, code):
    """7, or 0 and a loud line."""
    told = lastgood("append", *NOBODY, *flags, stdin=events(1))
    assert told.exit_code == code
    assert ("WARNING: NOT RECORDED" in told.stderr) == (code == 0)


def test_a_dry_run_counts_by_type_and_sends_nothing(lastgood):
    """Checked against the whole catalogue."""
    other = {
        "type": "deployment.started",
        "data": {"deployment_id": "1", "service": "s", "environment": "e", "version": "1"},
    }
    told = lastgood("append", "--dry-run", *NOBODY, stdin=json.dumps([EVENT, EVENT, other]))
    assert told.exit_code == 0
    assert told.stdout.split() == "1 deployment.started 2 metric.observed 3 in all, none of them sent".split()


def test_a_dry_run_tells_every_fault(lastgood):
    """As the ledger would, with lines."""
    faulty_events = [{"type": "deploy", "data": {}}, {"type": "metric.observed", "data": {"name": "x", "color": 1}}]
    told = lastgood("append", "--dry-run", stdin="\n".join(json.dumps(each) for each in faulty_events))
    assert told.exit_code == 3
    for fault in ("line 1: /type", "line 2: /data/color", "line 2: /data/value is required", "line 2: /data/unit"):
        assert fault in told.stderr


def test_an_expected_revision_goes_with_a_single_event(lastgood, faulty):
    """And is answered with the same summary."""
    faulty.answers = [Answer(201, {"position": 9, "duplicate": False, "warnings": []})]
    call = ("append", "--url", faulty.url, "--expected-revision", "4", "--output", "json")
    told = lastgood(*call, stdin=events(1))
    assert faulty.asked[0].headers["If-Match"] == '"4"'
    assert json.loads(told.stdout)["first"] == 9
    assert lastgood(*call, stdin=events(2)).exit_code == 3
    assert len(faulty.asked) == 1


def test_a_stale_expectation_is_a_conflict(lastgood, faulty):
    """Exit 5."""
    faulty.answers = [Answer(412, {"title": "Stale", "status": 412})]
    assert lastgood("append", "--url", faulty.url, "--expected-revision", "4", stdin=events(1)).exit_code == 5


def test_the_bar_is_drawn_on_a_terminal_only(tmp_path):
    """On standard error, so that standard output stays clean; a log file gets none."""
    import os
    import pty
    import subprocess
    import sys
    from pathlib import Path

    (tmp_path / "events.ndjson").write_text(events(1))
    program = [sys.executable, "-c", "from api.cli.main import main; main()", "append", "events.ndjson", *NOBODY]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    primary, terminal = pty.openpty()
    with subprocess.Popen(program, env=environ, stdout=subprocess.PIPE, stderr=terminal) as running:
        os.close(terminal)
        shown = b""
        while chunk := _read(primary):
            shown += chunk
        assert running.wait(20) == 7
    os.close(primary)
    assert b"appending" in shown
    piped = subprocess.run(program, env=environ, capture_output=True, check=False)
    assert b"appending" not in piped.stderr


def _read(terminal: int) -> bytes:
    import os

    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
