"""Sending what waited: in order, nothing lost, nothing held up."""

import json

import pytest

from api.cli.spool import Spool
from tests.cli.faulty import Answer


def event(name: str, **more) -> bytes:
    return json.dumps(
        {"id": name, "type": "metric.observed", "time": "2026-11-22T21:00:00Z", "data": {}, **more}
    ).encode()


def summary(count: int, duplicates: int = 0) -> Answer:
    return Answer(201, {"first": 1, "last": count, "count": count, "duplicates": duplicates})


def receipt(duplicate: bool = False) -> Answer:
    return Answer(201, {"position": 1, "duplicate": duplicate, "warnings": []})


@pytest.fixture
def spool(tmp_path, monkeypatch):
    monkeypatch.setenv("LASTGOOD_SPOOL", str(tmp_path / "spool"))
    return Spool(tmp_path / "spool")


@pytest.fixture
def flush(lastgood, faulty):
    return lambda *args: lastgood("flush", "--url", faulty.url, "--timeout", "0.2", *args)


def test_files_are_sent_oldest_first_and_go_with_their_receipt(spool, faulty, flush):
    """One request a file."""
    spool.put([event("1"), event("2")])
    spool.put([event("3")])
    faulty.answers = [summary(2), summary(1, 1)]
    result = flush("--output", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"sent": 3, "duplicates": 1, "refused": 0, "waiting": 0}
    assert [each.body.count(b"\n") for each in faulty.asked] == [2, 1]
    assert spool.waiting() == []


def test_what_cannot_be_sent_yet_stays_and_is_6(spool, faulty, flush):
    """The first goes, the ledger fails, the second stays."""
    for name in "12":
        spool.put([event(name)])
    faulty.answers = [summary(1), Answer(500, {"title": "Disk full"})]
    result = flush()
    assert result.exit_code == 6
    assert "still waiting 1" in result.stdout
    assert "Disk full" in result.stderr
    assert flush("--best-effort").exit_code == 0


def test_a_refused_event_stays_aside_with_the_reason_and_holds_up_no_other(spool, faulty, flush):
    """The two others of its file, and the next file, are sent."""
    spool.put([event("1"), event("2"), event("3")])
    spool.put([event("4")])
    refusal = Answer(422, {"title": "Invalid", "detail": "no such type", "status": 422})
    faulty.answers = [refusal, receipt(), refusal, receipt(), summary(1)]
    result = flush()
    assert result.exit_code == 3
    assert "sent 3" in result.stdout
    (refused,) = spool.refused()
    assert json.loads(refused.event)["id"] == "2"
    assert "no such type" in refused.reason
    assert str(refused.path) in result.stderr
    assert spool.waiting() == []


def test_an_event_whose_first_sending_arrived_after_all_is_a_duplicate(spool, faulty, flush):
    """Only the reply was lost; the time that the spool gave it makes it look like another."""
    spool.put([event("1")])
    conflict = Answer(409, {"title": "Conflict", "status": 409})
    faulty.answers = [conflict, conflict, receipt(duplicate=True)]
    result = flush("--output", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["duplicates"] == 1
    assert "time" not in json.loads(faulty.asked[-1].body)
    assert spool.waiting() == spool.refused() == []


def test_a_true_conflict_stays_aside(spool, faulty, flush):
    """The same id with other content."""
    spool.put([event("1")])
    faulty.answers = [Answer(409, {"title": "Conflict", "status": 409})]
    assert flush().exit_code == 5
    assert len(spool.refused()) == 1


def test_without_a_token_nothing_is_set_aside(spool, faulty, flush):
    """An expired token says nothing about the events."""
    spool.put([event("1")])
    faulty.answers = [Answer(401, {"title": "Unknown token", "status": 401})]
    assert flush().exit_code == 4
    assert len(spool.waiting()) == 1
    assert spool.refused() == []


def test_refused_events_can_be_sent_again(spool, faulty, flush):
    """Once what stood against them is put right."""
    spool.set_aside(event("1"), "not bound to this service")
    faulty.answers = [receipt()]
    assert json.loads(flush("--output", "json").stdout)["sent"] == 0
    assert json.loads(flush("--output", "json", "--again").stdout)["sent"] == 1
    assert spool.refused() == []


def test_a_file_that_holds_no_events_is_set_aside(spool, faulty, flush):
    """Whatever it is, it is kept, and holds up nothing."""
    spool.put([b"not json"])
    faulty.answers = [Answer(400, {"title": "Not JSON", "status": 400})]
    assert flush().exit_code == 3
    (refused,) = spool.refused()
    assert json.loads(refused.event) == "not json"


def test_without_a_spool_there_is_nothing_to_flush(lastgood):
    """Wrong usage, not a silent success."""
    assert lastgood("flush").exit_code == 2
