"""Recorded, kept, or told to be lost: never silently gone."""

import json

import pytest

from api.cli.spool import Spool
from tests.cli.faulty import Answer
from tests.server import Client

NOW = "2026-11-22T21:00:00Z"
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


TAKEN = Answer(409, {"title": "The id is taken", "detail": "by another submitter", "other_submitter": True})


def ids(faulty):
    return [json.loads(each.body)["id"] for each in faulty.asked]


def test_a_fact_is_not_lost_to_who_took_its_id_first(lastgood, faulty):
    """It is recorded once more under an id that nobody else can foresee; the same one if the step is retried."""
    recorded = Answer(201, {"position": 1, "duplicate": False, "warnings": []})
    faulty.answers = [TAKEN, recorded, TAKEN, recorded, TAKEN, recorded]
    for token in ("mine", "mine", "yours"):
        told = lastgood(*DEPLOYED, "--id", "run-1", "--url", faulty.url, "--token", token)
        assert (told.exit_code, "RECORDED UNDER ANOTHER ID, run-1-" in told.stderr) == (0, True)
    first, again, other = ids(faulty)[1::2]
    assert first == again
    assert len({"run-1", first, other}) == 3
    assert {**json.loads(faulty.asked[1].body), "id": "run-1"} == json.loads(faulty.asked[0].body)


def test_a_conflict_with_ones_own_event_stays_one(lastgood, faulty):
    """Sent differently a second time: which is right is for a person to say."""
    faulty.answers = [Answer(409, {"title": "The id is taken", "other_submitter": False})]
    assert lastgood(*DEPLOYED, "--id", "run-1", "--url", faulty.url).exit_code == 5
    assert len(faulty.asked) == 1


def test_an_id_that_is_taken_twice_is_a_conflict(lastgood, faulty):
    faulty.answers = [TAKEN]
    assert lastgood(*DEPLOYED, "--id", "run-1", "--url", faulty.url).exit_code == 5
    assert len(faulty.asked) == 2


def test_a_spooled_fact_is_not_lost_to_who_took_its_id_first(lastgood, faulty, tmp_path):
    """Spooled, it was told nothing of it, and nobody is there to try again."""
    spool = ("--spool", tmp_path / "spool")
    assert lastgood(*DEPLOYED, "--id", "run-1", "--url", "http://127.0.0.1:9", *spool).exit_code == 6
    faulty.answers = [TAKEN, TAKEN, Answer(201, {"position": 1, "duplicate": False, "warnings": []})]
    told = lastgood("flush", "--url", faulty.url, *spool)
    assert (told.exit_code, "RECORDED UNDER ANOTHER ID" in told.stderr) == (0, True)
    assert Spool(tmp_path / "spool").waiting() == []


def test_what_a_pipeline_took_from_another_is_recorded_all_the_same(lastgood, server):
    """Against a ledger as it is."""
    flags = ("--service", "payments", "--environment", "there", "--rollback-id", "r", "--to-version", "1")
    named = ("--id", "run-1-1", "--source", "https://ci/payments/1", "--url", server.url)
    data = {"service": "docs", "environment": "there"}
    taker = Client(server.url, server.token("pipeline", services=["docs"]))
    taker.append({"type": "service.removed", "id": "run-1-1", "source": "https://ci/payments/1", "data": data})
    for known in (False, True):
        told = lastgood("rollback", "succeeded", *flags, *named, "--token", server.tokens["pipeline"], "--time", NOW)
        assert (told.exit_code, "(known already)" in told.stdout) == (0, known), told.stderr
