"""`lastgood report`: from an incident's name to a file, in every format."""

import json
import os
import pty
import subprocess

import pytest

from tests.server import LASTGOOD, Server, environment


def event(topic, time, **data):
    return {"type": topic, "time": f"2026-03-02T{time}:00+01:00", "data": data}


@pytest.fixture
def reading(server: Server, monkeypatch) -> Server:
    """An auditor's command line, and an incident."""
    affected = [{"service": "web", "environment": "production"}]
    told = {"title": "it is down", "severity": "SEV-1", "kind": "outage", "affected": affected}
    told_once = server.client("auditor").get("/v1/incidents/INC%201").status == 200
    if not told_once:
        receipts = server.client("responder").append(
            event("incident.impact_started", "09:40", incident="INC 1", basis="log"),
            event("incident.declared", "09:47", incident="INC 1", **told),
            event("incident.note_added", "09:50", incident="INC 1", text="\u202eit is the cache"),
            event("incident.resolved", "10:10", incident="INC 1", reason="mended"),
        )
        server.client("auditor").get("/v1/incidents/INC%201", at_least=receipts["last"])
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["auditor"])
    return server


def test_markdown_goes_to_standard_output(reading, lastgood):
    """The zone is that of the people."""
    result = lastgood("report", "INC 1")
    assert result.exit_code == 0
    assert result.stdout.startswith("# INC 1 it is down\n")
    assert "2026-03-02 09:47 UTC+01:00" in result.stdout


@pytest.mark.parametrize(
    "name, begin",
    [
        ("r.md", b"# INC 1"),
        ("r.HTML", b"<!doctype html>"),
        ("r.pdf", b"%PDF-"),
        ("r.csv", b"position,time,"),
        ("r.json", b'{\n  "format": "lastgood-report/1"'),
        ("report", b"# INC 1"),
    ],
)
def test_a_file_is_in_the_format_that_its_name_says(reading, lastgood, tmp_path, name, begin):
    """And whole."""
    result = lastgood("report", "INC 1", "-o", name)
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(begin)
    assert f"written to {name}, {(tmp_path / name).stat().st_size} bytes" in result.stderr
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [name]


def test_format_audience_zone_and_moment_are_the_servers(reading, lastgood):
    """Each flag goes along."""
    flags = ("--format", "json", "--audience", "auditor", "--zone", "Asia/Tokyo", "--as-of", "2026-03-02T09:00:00Z")
    found = json.loads(lastgood("report", "INC 1", *flags).stdout)
    assert (found["audience"], found["zone"], found["as_of"]) == ("auditor", "Asia/Tokyo", "2026-03-02T09:00:00Z")
    assert found["cover"]["state"] == "declared"
    position = found["positions"]["last"]
    known = json.loads(lastgood("report", "INC 1", "--format", "json", "--known-at", str(position)).stdout)
    assert known["positions"]["last"] == position


def test_the_same_report_is_the_same_bytes(reading, lastgood):
    """Asked for twice."""
    twice = [lastgood("report", "INC 1", "--format", "pdf").stdout_bytes for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0].startswith(b"%PDF-")


def test_a_terminal_gets_no_pdf_and_nothing_that_moves_its_cursor(reading):
    """It says which flag to use; text from the record is only printed."""

    def on_a_terminal(*args):
        ours, theirs = pty.openpty()
        settings = environment(url=reading.url, token=reading.tokens["auditor"])
        done = subprocess.run(
            [LASTGOOD, "report", "INC 1", *args], stdout=theirs, stderr=subprocess.PIPE, env=settings, check=False
        )
        os.close(theirs)
        printed = b""
        while piece := _read(ours):
            printed += piece
        os.close(ours)
        return done, printed.decode()

    refused, printed = on_a_terminal("--format", "pdf")
    assert (refused.returncode, printed) == (2, "")
    assert b"-o INC 1.pdf" in refused.stderr
    done, printed = on_a_terminal()
    assert done.returncode == 0
    assert "it is the cache" in printed
    assert "\u202e" not in printed


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_what_is_not_there_or_not_allowed_is_told(reading, lastgood, monkeypatch, tmp_path):
    """Exit 3 and 4; no file is left."""
    assert lastgood("report", "INC-0", "-o", "r.pdf").exit_code == 3
    assert lastgood("report", "INC 1", "--zone", "Middle/Earth").exit_code == 3
    assert lastgood("report", "INC 1", "--published", "--audience", "public").exit_code == 3
    assert lastgood("report", "INC 1", "--format", "xls").exit_code == 2
    monkeypatch.delenv("LASTGOOD_TOKEN")
    assert lastgood("report", "INC 1", "-o", "r.pdf").exit_code == 4
    assert not list(tmp_path.glob("r.pdf*"))
