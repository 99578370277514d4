"""`lastgood log` and what `doctor` says of the log, on a real data folder."""

import json
import sqlite3
import time

import pytest

from ledger.checkpoint import open_checkpoint
from ledger.checkpoints import read_newest
from ledger.note import Verifier
from tests.server import Server
from tests.witness import Witness


@pytest.fixture
def server(tmp_path, monkeypatch):
    made = Server(tmp_path / "server").start()
    made.client("pipeline").append(deployment(1), deployment(2))
    monkeypatch.setenv("LASTGOOD_DATA", str(made.data))
    yield made
    made.close()


def deployment(number):
    data = {"deployment_id": f"d{number}", "service": "s", "environment": "e", "version": "1"}
    return {"type": "deployment.succeeded", "data": data}


def shown(lastgood):
    return json.loads(lastgood("log", "show", "--output", "json").stdout)


def checks(lastgood):
    found = json.loads(lastgood("doctor", "--output", "json").stdout)["checks"]
    return {each["name"]: each for each in found}


def test_the_log_is_shown_as_it_is_served(lastgood, server):
    found = shown(lastgood)
    served = server.client(None).get("/log.vkey").body.decode().splitlines()
    assert found["keys"] == served
    assert found["origin"] == Verifier.from_vkey(served[0]).name
    text = lastgood("log", "show").stdout
    assert f"key in use  {served[0]}" in text
    assert found["origin"] in text


def test_a_rotated_key_signs_from_then_on(lastgood, server):
    """On a running server; the old one stays in the list."""
    old = shown(lastgood)["keys"]
    new = lastgood("log", "rotate-key").stdout.strip()
    assert shown(lastgood)["keys"] == [new, *old]
    receipt = server.client("pipeline").post("/v1/events", deployment(3), wait="sealed").json()
    key = Verifier.from_vkey(new)
    assert open_checkpoint(receipt["checkpoint"].encode(), key.name, [key]).checkpoint.size >= receipt["position"]


@pytest.mark.parametrize("verb", ["show", "rotate-key", "restart"])
def test_where_there_is_no_log_it_is_said_so(lastgood, tmp_path, verb):
    done = lastgood("log", verb, "--data", tmp_path / "none")
    assert done.exit_code == 1
    assert "there is no log" in done.stderr


def test_a_new_log_is_not_begun_under_a_running_server(lastgood, server):
    before = shown(lastgood)
    assert lastgood("log", "restart").exit_code == 5
    assert shown(lastgood)["origin"] == before["origin"]


def test_a_new_log_is_not_begun_under_the_old_name(lastgood, server, monkeypatch):
    """That would be two logs of one name that contradict each other."""
    origin = shown(lastgood)["origin"]
    server.stop()
    monkeypatch.setenv("LASTGOOD_ORIGIN", origin)
    done = lastgood("log", "restart")
    assert done.exit_code == 1
    assert "another name" in done.stderr
    assert shown(lastgood)["origin"] == origin


def test_after_a_loss_a_new_log_goes_on_and_the_old_one_is_kept_as_evidence(lastgood, server):
    """The way out that every message of an unverified record names."""
    position = server.client("pipeline").post("/v1/events", deployment(3), wait="sealed").json()["position"]
    server.stop()
    old, kept_note = shown(lastgood), read_newest(server.data / "log" / "checkpoints")
    with sqlite3.connect(server.data / "events.sqlite") as database:
        database.execute("DROP TRIGGER events_no_delete")
        for table in ("events", "fingerprints"):
            database.execute(f"DELETE FROM {table} WHERE position = ?", [position])
    assert checks(lastgood)["checkpoint"]["state"] == "fail"
    server.start(ready=False)
    assert server.client("pipeline").post("/v1/events", deployment(4)).status == 503
    server.stop()

    begun = json.loads(lastgood("log", "restart", "--output", "json").stdout)
    assert begun["origin"] != old["origin"]
    (folder,) = (server.data / "log").glob("until-*")
    assert str(folder) == begun["kept"]
    assert read_newest(folder / "checkpoints") == kept_note
    assert not (server.data / "log" / "checkpoints").exists()

    server.start()
    receipt = server.client("pipeline").post("/v1/events", deployment(4), wait="sealed").json()
    assert receipt["position"] == position
    key = Verifier.from_vkey(begun["key"])
    assert open_checkpoint(receipt["checkpoint"].encode(), begun["origin"], [key]).checkpoint.size == position
    server.stop()
    assert checks(lastgood)["checkpoint"]["state"] == "ok"


@pytest.fixture
def bereft(server):
    """A stopped server whose log is elsewhere, as on a disk that is not mounted."""
    server.stop()
    (server.data / "log").rename(server.folder / "unmounted")
    return server


def test_a_record_whose_log_is_gone_begins_no_other_in_silence(lastgood, bereft):
    """Else every receipt and every witness would be of a log that there is no longer."""
    with pytest.raises(RuntimeError, match=r"is not in .*LASTGOOD_CHECKPOINTS.*lastgood log restart") as told:
        bereft.start()
    assert "Traceback" not in str(told.value)
    assert "lastgood log restart" in checks(lastgood)["log"]["detail"]
    assert lastgood("token", "create", "late", "--role", "auditor").exit_code == 1
    assert not (bereft.data / "log").exists()

    (bereft.folder / "unmounted").rename(bereft.data / "log")
    assert bereft.start().client("pipeline").post("/v1/events", deployment(3), wait="sealed").status == 201


@pytest.mark.parametrize("name_is_left", [True, False])
def test_a_log_that_is_lost_for_good_is_followed_by_one_of_another_name(lastgood, bereft, monkeypatch, name_is_left):
    """Deliberately, and never under a name that the old one may have had."""
    old = (bereft.data / "log-name").read_text().strip()
    if not name_is_left:
        (bereft.data / "log-name").unlink()
        with pytest.raises(RuntimeError, match="lastgood log restart"):
            bereft.start()
    monkeypatch.setenv("LASTGOOD_ORIGIN", old)
    assert lastgood("log", "restart").exit_code == 1
    monkeypatch.delenv("LASTGOOD_ORIGIN")
    begun = json.loads(lastgood("log", "restart", "--output", "json").stdout)
    assert begun["kept"] is None
    assert begun["origin"] != old
    receipt = bereft.start().client("pipeline").post("/v1/events", deployment(3), wait="sealed").json()
    assert receipt["checkpoint"].startswith(f"{begun['origin']}\n")


def test_a_record_is_not_sealed_in_the_log_of_another(bereft, tmp_path):
    """Whoever names the wrong folder is told before anything is signed there."""
    other = Server(tmp_path / "other").start()
    other.stop()
    (other.data / "log").rename(bereft.data / "log")
    with pytest.raises(RuntimeError, match="this record is sealed in"):
        bereft.start()


# doctor


def test_a_doctor_finds_a_sound_log(lastgood, server):
    server.stop()
    found = checks(lastgood)
    assert (found["log key"]["state"], found["checkpoint"]["state"]) == ("ok", "ok")
    head = shown(lastgood)["size"]
    assert found["checkpoint"]["detail"] == f"{head} of {head} events are sealed"


def test_a_doctor_finds_a_key_that_others_may_read(lastgood, server):
    server.stop()
    (server.data / "log" / "key").chmod(0o644)
    found = checks(lastgood)["log key"]
    assert found["state"] == "fail"
    assert "chmod 600" in found["detail"]


def test_a_doctor_finds_a_spoilt_checkpoint(lastgood, server):
    server.stop()
    path = server.data / "log" / "checkpoints"
    path.write_bytes(path.read_bytes().replace(b"lastgood.local", b"lastgood.other"))
    assert checks(lastgood)["checkpoint"]["state"] == "fail"


def test_a_doctor_of_an_empty_folder_changes_nothing(lastgood, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    assert checks(lastgood)["log"]["state"] == "ok"
    assert not (tmp_path / "data" / "log").exists()


def test_a_doctor_tells_how_far_each_witness_is(lastgood, tmp_path, monkeypatch):
    """One that cosigned, and one that never did."""
    silent = Witness("witness.example/silent", bytes(32))
    with Witness().running() as witness:
        settings = f"{witness.url} {witness.key.vkey()}, http://127.0.0.1:1 {silent.key.vkey()}"
        monkeypatch.setenv("LASTGOOD_WITNESSES", settings)
        server = Server(tmp_path / "server", witnesses=settings, origin="ledger.example/w")
        monkeypatch.setenv("LASTGOOD_DATA", str(server.data))
        server.start()
        try:
            key = Verifier.from_vkey(server.client(None).get("/log.vkey").body.decode().split()[0])
            witness.logs["ledger.example/w"] = [key]
            server.client("pipeline").append(deployment(1))
            until = time.monotonic() + 20
            while len(server.client(None).get("/checkpoint").body.splitlines()) < 6:
                assert time.monotonic() < until
                time.sleep(0.05)
        finally:
            server.stop()
        found = checks(lastgood)
    assert found[f"witness {witness.key.name}"]["state"] == "ok"
    assert "it cosigned" in found[f"witness {witness.key.name}"]["detail"]
    assert found[f"witness {silent.key.name}"]["state"] == "warn"
