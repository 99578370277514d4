"""`lastgood serve`, `rebuild` and `doctor`."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from api import doctor as checking
from api.service import FolderLock
from ledger.application import Ledger
from tests.cli.faulty import Answer
from tests.server import Server


@pytest.fixture
def filled(lastgood, tmp_path):
    """A data folder with a story in it, and read models of it."""
    assert lastgood("demo").exit_code == 0
    assert lastgood("token", "create", "someone", "--role", "responder").exit_code == 0
    assert lastgood("rebuild").exit_code == 0
    return tmp_path / "data"


def head_of(folder):
    with Ledger(folder) as ledger:
        return ledger.head()


def reached(folder):
    with closing(sqlite3.connect(folder / "read-models" / "models.sqlite")) as database:
        return database.execute("SELECT position FROM progress").fetchone()[0]


# serve


def test_settings_that_cannot_be_used_are_wrong_usage(lastgood, monkeypatch):
    """All of them at once, each with where it came from."""
    monkeypatch.setenv("LASTGOOD_THREADS", "few")
    monkeypatch.setenv("LASTGOOD_DATABASE", "postgresql://db/lastgood")
    result = lastgood("serve", "--port", "99999")
    assert result.exit_code == 2
    for culprit in ("--port", "LASTGOOD_THREADS", "LASTGOOD_DATABASE"):
        assert culprit in result.stderr


def test_a_record_that_cannot_be_opened_is_told_before_anything_is_served(lastgood, filled):
    """In one sentence, with what to do, and no traceback."""
    with closing(sqlite3.connect(filled / "events.sqlite")) as database:
        database.execute("PRAGMA user_version = 99")
    result = lastgood("serve", "--port", "0")
    assert result.exit_code == 1
    assert "use a newer release" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_server_may_begin_with_a_story(tmp_path):
    """And with what was recorded before, told once."""
    server = Server(tmp_path / "demo", arguments=["--demo"]).start()
    try:
        slots = server.client("auditor").get("/v1/slots").json()["items"]
        assert ("checkout", "production") in {(slot["service"], slot["environment"]) for slot in slots}
        head = head_of(server.data)
        assert server.stop() == 0
        assert server.start().client(None).get("/readyz").status == 200
        assert head_of(server.data) == head
    finally:
        server.close()


# rebuild


def test_read_models_are_built_anew_from_the_record(lastgood, filled):
    """Whatever stood in them."""
    with closing(sqlite3.connect(filled / "read-models" / "models.sqlite")) as database, database:
        database.execute("DELETE FROM scopes")
    result = lastgood("rebuild", "--output", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["position"] == head_of(filled) == reached(filled)
    with closing(sqlite3.connect(filled / "read-models" / "models.sqlite")) as database:
        assert database.execute("SELECT COUNT(*) FROM scopes").fetchone()[0] > 0


def test_a_rebuild_says_how_much_it_read(lastgood, filled):
    """For a person."""
    assert lastgood("rebuild").stdout.startswith(f"built from {head_of(filled)} events in ")


def test_read_models_are_left_alone_while_a_server_answers_from_them(lastgood, filled):
    """Exit code 5; nothing is deleted."""
    lock = FolderLock(filled)
    try:
        result = lastgood("rebuild")
    finally:
        lock.release()
    assert result.exit_code == 5
    assert "another server runs" in result.stderr
    assert reached(filled) == head_of(filled)


def test_a_running_server_builds_them_anew_at_its_next_start(lastgood, server):
    """What it has stays in use until then."""
    client = server.client("responder")
    assert lastgood("rebuild", "--at-next-start", "--data", str(server.data)).exit_code == 0
    assert client.get("/v1/slots").status == 200


def test_marked_read_models_are_not_trusted_by_the_next_start(lastgood, tmp_path):
    """A row that nothing in the record says is gone after it."""
    server = Server(tmp_path / "marked").start()
    try:
        server.client("pipeline").append(
            {
                "type": "deployment.succeeded",
                "data": {"deployment_id": "d", "service": "s", "environment": "e", "version": "1"},
            }
        )
        server.stop()
        models = server.data / "read-models" / "models.sqlite"
        with closing(sqlite3.connect(models)) as database, database:
            database.execute("UPDATE scopes SET service = 'forged' WHERE service = 's'")
        lastgood("rebuild", "--at-next-start", "--data", str(server.data))
        server.start()
        slots = server.client("auditor").get("/v1/slots").json()["items"]
        assert [slot["service"] for slot in slots] == ["s"]
    finally:
        server.close()


# doctor


def diagnosis(result):
    told = json.loads(result.stdout)
    return {check["name"]: check for check in told["checks"]}


def examined(lastgood, *args):
    return diagnosis(lastgood("doctor", "--output", "json", *args))


def test_a_sound_folder_passes(lastgood, filled):
    """Exit code 0; no check fails, and each says what is so."""
    result = lastgood("doctor", "--output", "json")
    assert result.exit_code == 0
    checks = diagnosis(result)
    assert {check["state"] for name, check in checks.items() if name != "server"} == {"ok"}
    assert checks["positions"]["detail"].startswith(f"1 to {head_of(filled)} ")


def test_a_doctor_without_a_folder_changes_nothing(lastgood, tmp_path):
    """On a pipeline's machine there is none, and that is no failure."""
    result = lastgood("doctor", "--output", "json")
    assert result.exit_code == 0
    assert diagnosis(result)["data folder"]["state"] == "warn"
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_for_people(lastgood, filled):
    """State, check, what is so, what to do."""
    shown = lastgood("doctor").stdout
    assert "what to do" in shown
    assert "durability" in shown


def disturb(folder, sql):
    with closing(sqlite3.connect(folder / "events.sqlite")) as database:
        database.executescript(sql)


REMOVED = "DROP TRIGGER events_no_delete;"


@pytest.mark.parametrize(
    "sql,name,word",
    [
        ("DROP TRIGGER events_no_update;", "schema", "missing: trigger events_no_update"),
        (
            "DROP TRIGGER events_no_delete; CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT 1; END;",
            "schema",
            "not as made: trigger events_no_delete",
        ),
        (f"{REMOVED} DELETE FROM events WHERE position = 3;", "positions", "the last has position"),
        (f"{REMOVED} DELETE FROM events WHERE position = (SELECT MAX(position) FROM events);", "read models", "beyond"),
        ("PRAGMA user_version = 99;", "schema", "it has version 99"),
        ("PRAGMA journal_mode = DELETE;", "durability", "could be lost"),
    ],
    ids=["trigger removed", "trigger replaced", "hole", "end cut off", "later release", "no write-ahead log"],
)
def test_a_record_that_was_tampered_with_is_told_and_left_as_it_is(lastgood, filled, sql, name, word):
    """Exit code 10, and what is wrong is still there to be looked at."""
    disturb(filled, sql)
    for _ in range(2):
        result = lastgood("doctor", "--output", "json")
        assert result.exit_code == 10
        check = diagnosis(result)[name]
        assert check["state"] == "fail"
        assert word in check["detail"]
        assert check["advice"]


def test_an_event_moved_within_its_stream_is_told(lastgood, filled):
    """Revisions are dense too."""
    disturb(filled, "DROP TRIGGER events_no_update; UPDATE events SET revision = 99 WHERE position = 5;")
    assert "has a gap" in examined(lastgood)["positions"]["detail"]


def test_a_store_that_is_no_database_is_told(lastgood, filled):
    """Whatever happened to it."""
    for path in filled.glob("events.sqlite-*"):
        path.unlink()
    (filled / "events.sqlite").write_bytes(b"not a database" * 1000)
    result = lastgood("doctor", "--output", "json")
    assert result.exit_code == 10
    assert "cannot be read" in diagnosis(result)["record"]["detail"]


@pytest.mark.parametrize("name,mode", [("data folder", 0o755), ("fingerprint.key", 0o644), ("access.sqlite", 0o640)])
def test_what_others_may_open_is_told(lastgood, filled, name, mode):
    """With the command that closes it."""
    (filled if name == "data folder" else filled / name).chmod(mode)
    check = examined(lastgood)[name]
    assert (check["state"], f"{mode:03o}" in check["detail"]) == ("fail", True)
    assert check["advice"].startswith("chmod ")


def test_a_clock_behind_the_record_is_told(lastgood, filled, monkeypatch):
    """Recorded times never fall, so until the clock gets there all events get one moment."""

    class Slow(datetime):
        @classmethod
        def now(cls, tz):
            return datetime.now(tz) - timedelta(hours=2)

    monkeypatch.setattr(checking, "datetime", Slow)
    check = examined(lastgood)["clock"]
    assert check["state"] == "fail"
    assert "clock" in check["advice"]


@pytest.mark.parametrize("mib,state", [(10, "fail"), (500, "warn"), (5_000, "ok")])
def test_little_space_is_told_before_there_is_none(lastgood, filled, monkeypatch, mib, state):
    """Fails where /readyz would."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=mib * 2**20))
    assert examined(lastgood)["disk space"]["state"] == state


def test_a_folder_of_another_user_is_told(lastgood, filled, monkeypatch):
    """A server started by the wrong user leaves files that the right one cannot write."""
    owner = filled.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert examined(lastgood)["data folder"]["state"] == "warn"


def test_without_any_token_that_works_it_says_how_to_make_one(lastgood, tmp_path):
    """Otherwise nobody gets in."""
    with Ledger(tmp_path / "data"):
        pass
    assert "token create" in examined(lastgood)["tokens"]["advice"]
    lastgood("token", "create", "ci", "--role", "pipeline")
    assert examined(lastgood)["tokens"]["state"] == "ok"
    lastgood("token", "revoke", "ci")
    assert examined(lastgood)["tokens"]["state"] == "warn"


def test_a_server_that_answers_is_examined_too(lastgood, server, monkeypatch):
    """Ready, its clock, and whether it takes the token."""
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["responder"])
    result = lastgood("doctor", "--output", "json", "--data", server.data)
    assert result.exit_code == 0
    checks = diagnosis(result)
    assert [checks[name]["state"] for name in ("server here", "server", "clocks", "token")] == ["ok"] * 4
    assert "runs on this data folder" in checks["server here"]["detail"]


def test_a_token_that_does_not_work_is_told(lastgood, server, monkeypatch):
    """Exit code 10: every client verb would fail."""
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    assert examined(lastgood)["token"]["state"] == "warn"
    monkeypatch.setenv("LASTGOOD_TOKEN", "lg_" + "a" * 49)
    result = lastgood("doctor", "--output", "json")
    assert result.exit_code == 10
    assert diagnosis(result)["token"]["state"] == "fail"


def test_a_server_on_this_folder_that_does_not_answer_is_a_failure(lastgood, filled):
    """It holds the folder, and nobody gets through."""
    lock = FolderLock(filled)
    try:
        result = lastgood("doctor", "--output", "json", "--url", "http://127.0.0.1:1")
    finally:
        lock.release()
    assert result.exit_code == 10
    assert diagnosis(result)["server"]["state"] == "fail"


def test_what_answers_and_is_no_ledger_is_told(lastgood, faulty):
    """Whatever its status says."""
    for status in (200, 503):
        faulty.answers = [Answer(status, ["hello"])]
        result = lastgood("doctor", "--output", "json", "--url", faulty.url)
        assert result.exit_code == 10
        assert "is no ledger" in diagnosis(result)["server"]["detail"]


def test_a_server_that_is_not_ready_says_why(lastgood, faulty):
    """In its own words."""
    faulty.answers = [Answer(503, {"reasons": ["the writer has ended"]})]
    result = lastgood("doctor", "--output", "json", "--url", faulty.url)
    assert result.exit_code == 10
    assert "the writer has ended" in diagnosis(result)["server"]["detail"]
