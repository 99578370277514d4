"""Recorded, kept, or told to be lost: never silently gone."""

import json

import pytest

from api.cli.spool import Spool
from tests.cli.faulty import Answer

NOBODY = ("--url", "http://127.0.0.1:1", "--timeout", "0.1")
DEPLOYED = ("deployment", "succeeded", "--service", "s", "--environment", "e", "--version", "1")


def test_out_of_reach_without_a_spool_is_7_and_says_so(lastgood):
    """And names both ways out."""
    result = lastgood(*DEPLOYED, *NOBODY)
    assert result.exit_code == 7
    assert "not recorded" in result.stderr
    assert "--spool" in result.stderr


def test_out_of_reach_with_a_spool_is_6_and_the_event_is_kept(lastgood, tmp_path):
    """With its id and its time, so that it can be sent as it was."""
    result = lastgood(*DEPLOYED, *NOBODY, "--spool", tmp_path / "spool")
    assert result.exit_code == 6
    assert "lastgood flush --spool" in result.stderr
    (path,) = Spool(tmp_path / "spool").waiting()
    event = json.loads(path.read_bytes())
    assert event["type"] == "deployment.succeeded"
    assert event["id"]
    assert event["time"]


def test_the_spool_may_come_from_a_variable(lastgood, tmp_path, monkeypatch):
    """Set once for a whole pipeline."""
    monkeypatch.setenv("LASTGOOD_SPOOL", str(tmp_path / "spool"))
    assert lastgood(*DEPLOYED, *NOBODY).exit_code == 6


def test_an_event_of_ci_gets_its_time_when_it_must_wait(lastgood, tmp_path, monkeypatch):
    """It had none, for a retried step to send the same."""
    for name, value in {"GITLAB_CI": "true", "CI_JOB_ID": "7", "CI_PIPELINE_ID": "1"}.items():
        monkeypatch.setenv(name, value)
    lastgood(*DEPLOYED, *NOBODY, "--spool", tmp_path / "spool")
    (path,) = Spool(tmp_path / "spool").waiting()
    assert "time" in json.loads(path.read_bytes())


def test_a_spool_that_cannot_be_written_to_is_7(lastgood, tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "spool").write_text("")
    result = lastgood(*DEPLOYED, *NOBODY, "--spool", tmp_path / "spool")
    assert result.exit_code == 7
    assert "cannot be written to" in result.stderr


@pytest.mark.parametrize("spooled", [True, False])
def test_best_effort_turns_6_and_7_into_0_loudly(lastgood, tmp_path, spooled):
    """A pipeline goes on, and its log says what happened."""
    spool = ("--spool", tmp_path / "spool") if spooled else ()
    result = lastgood(*DEPLOYED, *NOBODY, *spool, "--best-effort")
    assert result.exit_code == 0
    assert ("SPOOLED, NOT YET RECORDED" if spooled else "WARNING: NOT RECORDED") in result.stderr


@pytest.mark.parametrize("status,code", [(422, 3), (400, 3), (401, 4), (403, 4), (409, 5), (412, 5)])
def test_best_effort_and_a_spool_turn_nothing_else(lastgood, faulty, tmp_path, status, code):
    """What the ledger refuses is refused, and not kept to be refused again."""
    faulty.answers = [Answer(status, {"title": "No", "status": status})]
    result = lastgood(*DEPLOYED, "--url", faulty.url, "--best-effort", "--spool", tmp_path / "spool")
    assert result.exit_code == code
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_ledger_that_cannot_take_it_now_counts_as_out_of_reach(lastgood, faulty, tmp_path, status):
    """A fact is not lost because a disk was full."""
    faulty.answers = [Answer(status, {"title": "Not now", "status": status})]
    result = lastgood(*DEPLOYED, "--url", faulty.url, "--timeout", "0.2", "--spool", tmp_path / "spool")
    assert result.exit_code == 6
    assert len(Spool(tmp_path / "spool").waiting()) == 1
