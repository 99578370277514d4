"""`lastgood backup` and `restore`: a folder into one file while it is served, and back only where nothing is lost."""

import io
import json
import shutil
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from ledger.checkpoints import CHECKPOINTS
from tests.ledger.record_scene import database_tools
from tests.server import Client, Server
from tests.words import holds


def deployed(number: int) -> dict:
    data = {"deployment_id": str(number), "service": "payments", "environment": "production", "version": f"1.{number}"}
    return {"type": "deployment.succeeded", "id": f"d-{number}", "source": "test", "data": data}


def record(client: Client, *numbers: int) -> int:
    """The last position, sealed."""
    position = 0
    for number in numbers:
        answer = client.post("/v1/events", deployed(number), wait="sealed")
        assert answer.status == 201, answer.body
        position = answer.json()["position"]
    return position


@pytest.fixture
def running(fresh_server: Server, monkeypatch) -> Server:
    """A server with some events, and a command line on its data folder."""
    record(fresh_server.client("responder"), *range(5))
    monkeypatch.setenv("LASTGOOD_DATA", str(fresh_server.data))
    return fresh_server


def checkpoint(server: Server, path: Path) -> Path:
    path.write_bytes(server.client(None).get("/checkpoint").body)
    return path


def lose(server: Server) -> None:
    """The machine is gone."""
    if server.process.poll() is None:
        server.stop()
    shutil.rmtree(server.data)


# Backing up


def test_a_backup_holds_the_record_of_a_running_server_and_verifies(running, lastgood, tmp_path):
    """While events are recorded all the time."""
    client, stop = running.client("responder"), threading.Event()

    def keep_recording() -> None:
        number = 1000
        while not stop.is_set():
            client.append(*(deployed(number + each) for each in range(50)))
            number += 50

    writer = threading.Thread(target=keep_recording)
    writer.start()
    try:
        results = [lastgood("backup", tmp_path / f"{number}.backup", "--output", "json") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    told = [json.loads(result.stdout) for result in results]
    assert [result.exit_code for result in results] == [0, 0, 0]
    assert [each["verified"] for each in told] == [True, True, True]
    assert told[0]["events"] < told[1]["events"] < told[2]["events"]
    assert lastgood("verify", tmp_path / "0.backup").exit_code == 0


def test_a_backup_is_for_its_owner_alone_and_has_no_private_key(running, lastgood, tmp_path):
    """Unless that is asked for, with a warning."""
    assert lastgood("backup", tmp_path / "plain").exit_code == 0
    assert stat.S_IMODE((tmp_path / "plain").stat().st_mode) == 0o600
    names = zipfile.ZipFile(tmp_path / "plain").namelist()
    assert {"backup.json", "events.sqlite", "access.sqlite", "fingerprint.key", "log/checkpoints", "log/vkeys"} == set(
        names
    )
    with_key = lastgood("backup", tmp_path / "with-key", "--with-key")
    assert "whoever gets it can sign a false history" in with_key.stderr
    key = (running.data / "log" / "key").read_bytes()
    assert zipfile.ZipFile(tmp_path / "with-key").read("log/key") == key
    assert key not in b"".join(zipfile.ZipFile(tmp_path / "plain").read(name) for name in names)


def test_a_backup_leaves_nothing_else_behind(running, lastgood, tmp_path):
    """Neither beside the file nor in the folder; and no file is overwritten."""
    target = tmp_path / "backups"
    target.mkdir()
    before = {path.name for path in running.data.iterdir()}
    assert lastgood("backup", target / "one").exit_code == 0
    assert [path.name for path in target.iterdir()] == ["one"]
    assert {path.name for path in running.data.iterdir()} == before
    content = (target / "one").read_bytes()
    assert lastgood("backup", target / "one").exit_code == 3
    assert (target / "one").read_bytes() == content


def test_a_backup_of_a_record_that_differs_is_kept_and_told(running, lastgood, tmp_path):
    """Exit 10: it may be all there is."""
    running.stop()
    with database_tools(running.data) as database:
        database.execute(
            "UPDATE events SET leaf = CAST(replace(CAST(leaf AS TEXT), 'payments', 'PAYMENTS') AS BLOB) WHERE position = 7"
        )
    result = lastgood("backup", tmp_path / "file")
    assert result.exit_code == 10
    assert "position 7" in result.stderr
    assert (tmp_path / "file").exists()


def test_a_spoilt_backup_is_noticed(running, lastgood, tmp_path):
    """By verify, and before anything is restored."""
    assert lastgood("backup", tmp_path / "file").exit_code == 0
    content = bytearray((tmp_path / "file").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "file").write_bytes(content)
    assert lastgood("verify", tmp_path / "file").exit_code == 10
    lose(running)
    assert lastgood("restore", tmp_path / "file", "--without-checkpoint").exit_code == 3
    assert not (running.data / "events.sqlite").exists()


def test_a_backup_for_another_place_is_refused(lastgood, tmp_path):
    """A file name that leads out of the folder."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        files = {"../evil": "0" * 64}
        archive.writestr("backup.json", json.dumps({"format": "lastgood backup 1", "files": files}))
        archive.writestr("../evil", b"x")
    (tmp_path / "file").write_bytes(file.getvalue())
    (tmp_path / "data").mkdir()
    assert lastgood("restore", tmp_path / "file", "--without-checkpoint", "--data", tmp_path / "data").exit_code == 3
    assert not (tmp_path / "evil").exists()


# Restoring


def test_what_was_backed_up_is_there_again(running, lastgood, tmp_path):
    """Events, tokens, keys of contents; a retry of an event from before is still a duplicate."""
    kept = checkpoint(running, tmp_path / "checkpoint")
    assert lastgood("backup", tmp_path / "file", "--with-key").exit_code == 0
    before = running.client("auditor").get("/v1/events", headers={"Accept": "application/x-ndjson"}).body
    lose(running)
    assert lastgood("restore", tmp_path / "file", "--checkpoint", kept).exit_code == 0
    running.start()
    client = running.client("responder")
    assert client.get("/v1/events", headers={"Accept": "application/x-ndjson"}).body == before
    assert client.append(deployed(3))["duplicate"] is True
    head = record(client, 100)
    assert lastgood("verify", "--checkpoint", kept).exit_code == 0
    assert head == len(before.splitlines()) + 1


def test_a_backup_that_lacks_what_was_signed_is_refused_with_what_to_do(running, lastgood, tmp_path):
    """Exit 10; the folder stays as it was."""
    assert lastgood("backup", tmp_path / "old").exit_code == 0
    last = record(running.client("responder"), 100, 101)
    kept = checkpoint(running, tmp_path / "checkpoint")
    lose(running)
    result = lastgood("restore", tmp_path / "old", "--checkpoint", kept)
    assert result.exit_code == 10
    assert f"positions {last - 1} to {last} are missing" in result.stderr
    assert "--unverified" in result.stderr
    assert "log restart" in result.stderr
    assert not (running.data / "events.sqlite").exists()
    assert not (running.data / "log").exists()


def test_a_backup_of_another_history_is_refused(running, lastgood, tmp_path):
    """Two ways from one backup; the checkpoint of one, the events of the other."""
    assert lastgood("backup", tmp_path / "common", "--with-key").exit_code == 0
    record(running.client("responder"), 100, 101)
    kept = checkpoint(running, tmp_path / "checkpoint")
    lose(running)
    assert lastgood("restore", tmp_path / "common", "--without-checkpoint").exit_code == 0
    running.start()
    record(running.client("responder"), *range(200, 205))
    assert lastgood("backup", tmp_path / "fork").exit_code == 0
    lose(running)
    result = lastgood("restore", tmp_path / "fork", "--checkpoint", kept)
    assert result.exit_code == 10
    assert "what was signed is not what is here" in result.stderr
    assert not (running.data / "events.sqlite").exists()


@pytest.mark.parametrize("forked", [False, True], ids=["behind", "forked"])
def test_an_old_or_forked_backup_can_be_put_back_to_be_read_only(running, lastgood, tmp_path, forked):
    """The server answers and marks every answer; it records and signs nothing."""
    assert lastgood("backup", tmp_path / "file", "--with-key").exit_code == 0
    record(running.client("responder"), 100, 101)
    kept = checkpoint(running, tmp_path / "checkpoint")
    lose(running)
    if forked:
        assert lastgood("restore", tmp_path / "file", "--without-checkpoint").exit_code == 0
        running.start()
        record(running.client("responder"), *range(200, 205))
        (tmp_path / "file").unlink()
        assert lastgood("backup", tmp_path / "file", "--with-key").exit_code == 0
        lose(running)
    result = lastgood("restore", tmp_path / "file", "--checkpoint", kept, "--unverified")
    assert result.exit_code == 0
    assert "record nothing" in result.stderr
    running.start(ready=False)
    client = running.client("responder")
    answer = client.get("/v1/events")
    assert (answer.status, answer.headers["Lastgood-Record"]) == (200, "unverified")
    assert client.post("/v1/events", deployed(300)).status == 503
    assert lastgood("verify").exit_code == 10


def test_without_any_checkpoint_nothing_is_restored_unless_that_is_said(running, lastgood, tmp_path):
    """An old backup would go unnoticed."""
    assert lastgood("backup", tmp_path / "file").exit_code == 0
    lose(running)
    result = lastgood("restore", tmp_path / "file")
    assert result.exit_code == 10
    assert "--without-checkpoint" in result.stderr
    assert lastgood("restore", tmp_path / "file", "--without-checkpoint").exit_code == 0


def test_a_log_that_is_still_there_is_what_the_backup_must_go_on_from(running, lastgood, tmp_path, monkeypatch):
    """The checkpoints were on another disk, and that one is well."""
    elsewhere = tmp_path / "elsewhere"
    running.stop()
    shutil.move(running.data / "log", elsewhere)
    monkeypatch.setenv("LASTGOOD_CHECKPOINTS", str(elsewhere))
    running._settings["checkpoints"] = str(elsewhere)
    running.start()
    assert lastgood("backup", tmp_path / "old").exit_code == 0
    last = record(running.client("responder"), 100)
    assert lastgood("backup", tmp_path / "new").exit_code == 0
    lose(running)
    checkpoints = (elsewhere / CHECKPOINTS).read_bytes()
    refused = lastgood("restore", tmp_path / "old")
    assert refused.exit_code == 10
    assert f"position {last} is missing" in refused.stderr
    assert lastgood("restore", tmp_path / "new").exit_code == 0
    assert (elsewhere / CHECKPOINTS).read_bytes() == checkpoints
    assert not (running.data / "log").exists()
    running.start()
    assert record(running.client("responder"), 101) == last + 1


def test_a_folder_that_holds_events_is_never_overwritten(running, lastgood, tmp_path):
    """Exit 10 and the way to go; while a server runs, exit 5."""
    kept = checkpoint(running, tmp_path / "checkpoint")
    assert lastgood("backup", tmp_path / "file").exit_code == 0
    assert lastgood("restore", tmp_path / "file", "--checkpoint", kept).exit_code == 5
    running.stop()
    before = (running.data / "events.sqlite").read_bytes()
    result = lastgood("restore", tmp_path / "file", "--checkpoint", kept)
    assert result.exit_code == 10
    assert "mv " in result.stderr
    assert (running.data / "events.sqlite").read_bytes() == before
    # As it says: moved aside, the log's own file of checkpoints is what to hold the backup against.
    aside = running.data.with_name("data.before")
    running.data.rename(aside)
    assert lastgood("restore", tmp_path / "file", "--checkpoint", aside / "log" / CHECKPOINTS).exit_code == 0


def test_without_the_key_it_is_said_what_to_do_about_it(running, lastgood, tmp_path):
    """And a new key of the same name goes on with the same log."""
    kept = checkpoint(running, tmp_path / "checkpoint")
    assert lastgood("backup", tmp_path / "file").exit_code == 0
    lose(running)
    result = lastgood("restore", tmp_path / "file", "--checkpoint", kept)
    assert "rotate-key" in result.stderr
    assert lastgood("log", "rotate-key").exit_code == 0
    running.start()
    record(running.client("responder"), 100)
    assert lastgood("verify", "--checkpoint", kept).exit_code == 0


def test_a_backup_of_nothing_is_wrong_usage(lastgood, tmp_path):
    """Exit 2; and so is restoring a file that is not there."""
    assert lastgood("backup", tmp_path / "file").exit_code == 2
    assert lastgood("restore", tmp_path / "file").exit_code == 2


def test_redacted_words_are_not_in_a_backup_made_after(running, lastgood, tmp_path):
    """Nor in free pages: a backup is a copy of the file, page by page."""
    admin = Client(running.url, running.token("admin", "responder"))
    note = {"type": "incident.note_added", "data": {"incident": "I", "text": "Zoe-Example-is-ill"}}
    position = admin.append(note)["position"]
    redaction = {"position": position, "fields": ["text"], "reason": "asked", "authority": "law"}
    assert lastgood("backup", tmp_path / "before").exit_code == 0
    admin.append({"type": "record.redacted", "data": redaction})
    assert lastgood("backup", tmp_path / "after").exit_code == 0
    words = {}
    for name in ("before", "after"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            words[name] = holds(archive.read("events.sqlite"), "Zoe-Example-is-ill")
    assert words == {"before": True, "after": False}
