"""`lastgood evidence`: from a token and a question to a file that a stranger verifies."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import verify
from tests.server import Server

DEPLOYED = {"deployment_id": "1", "service": "payments", "environment": "production", "version": "1.5.0"}


@pytest.fixture
def auditing(fresh_server: Server, monkeypatch) -> Server:
    """An auditor's command line, and a record with three events worth asking for."""
    fresh_server.client("responder").append(
        *(
            {"type": "deployment.succeeded", "data": {**DEPLOYED, "deployment_id": str(number), "author": "Ana"}}
            for number in range(3)
        ),
    )
    monkeypatch.setenv("LASTGOOD_URL", fresh_server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", fresh_server.tokens["auditor"])
    return fresh_server


def test_an_auditor_gets_a_file_and_a_stranger_verifies_it(auditing, lastgood, tmp_path):
    """The stranger has the file, the verifier of a release, the key by another way; the ledger is gone by then."""
    result = lastgood("evidence", "-o", "evidence.zip", "--service", "payments")
    assert result.exit_code == 0
    assert "verified: nothing differs" in result.stderr
    key = auditing.client(None).get("/log.vkey").body.decode().strip()
    auditing.stop()
    alone = tmp_path / "stranger"
    alone.mkdir()
    for name, content in {"verify.py": Path(verify.__file__), "evidence.zip": tmp_path / "evidence.zip"}.items():
        (alone / name).write_bytes(content.read_bytes())
    call = [sys.executable, "-I", "verify.py", "evidence.zip", "--key", key]
    done = subprocess.run(
        call, cwd=alone, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 events of positions 1 to" in done.stdout
    assert "the leaves of all others are here" in done.stdout


def test_the_file_is_for_its_owner_alone(auditing, lastgood, tmp_path):
    """It holds words and names."""
    assert lastgood("evidence", "-o", "evidence.zip").exit_code == 0
    assert stat.S_IMODE((tmp_path / "evidence.zip").stat().st_mode) == 0o600


def test_what_was_written_is_told_as_json(auditing, lastgood):
    """For programs."""
    told = json.loads(
        lastgood("evidence", "-o", "e.zip", "--only-matching", "--without-words", "--output", "json").stdout
    )
    assert (told["file"], told["verified"], told["differences"]) == ("e.zip", True, [])
    assert told["bytes"] > 1000


def test_the_filters_are_those_of_export(auditing, lastgood):
    """Each of them, and what they leave."""
    everything = ("--type", "deployment.succeeded", "--environment", "production", "--version", "1.5.0")
    times = ("--since", "2026-01-01T00:00:00Z", "--until", "2099-01-01T00:00:00Z", "--after", "2")
    assert lastgood("evidence", "-o", "e.zip", *everything, *times).exit_code == 0
    assert "3 events of positions 3 to" in lastgood("verify", "e.zip").stdout
    assert lastgood("evidence", "-o", "e.zip", "--incident", "INC-0", "--actor", "nobody").exit_code == 0
    assert "0 events of positions" in lastgood("verify", "e.zip").stdout


def test_without_a_file_or_a_token_nothing_is_written(auditing, lastgood, tmp_path, monkeypatch):
    """Exit 2 and 4."""
    assert lastgood("evidence").exit_code == 2
    monkeypatch.delenv("LASTGOOD_TOKEN")
    assert lastgood("evidence", "-o", "e.zip").exit_code == 4
    assert not (tmp_path / "e.zip").exists()


def test_a_ledger_that_is_away_is_told(lastgood, monkeypatch):
    """Exit 7."""
    monkeypatch.setenv("LASTGOOD_URL", "http://127.0.0.1:1")
    assert lastgood("evidence", "-o", "e.zip", "--timeout", "0.2").exit_code == 7


def test_a_report_goes_along_where_it_is_asked_for(auditing, lastgood):
    """And is told of by who verifies."""
    told = {"incident": "INC-1", "title": "down", "severity": "SEV-2", "kind": "outage"}
    auditing.client("responder").append({"type": "incident.declared", "data": told})
    result = lastgood("evidence", "-o", "e.zip", "--report", "INC-1")
    assert result.exit_code == 0
    assert "report.json is about INC-1: 1 of the 1 events that it rests on are here" in result.stderr
    assert lastgood("evidence", "-o", "f.zip", "--report", "INC-0").exit_code == 3
    assert not Path("f.zip").exists()
