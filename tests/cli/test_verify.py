"""`lastgood verify`: a folder, a served log and a bundle, as an auditor meets them."""

import json
import shutil

import pytest

from tests.ledger.record_scene import database_tools
from tests.server import Server


def deployed(number: int) -> dict:
    data = {"deployment_id": str(number), "service": "payments", "environment": "production", "version": f"1.{number}"}
    return {"type": "deployment.succeeded", "data": data}


@pytest.fixture
def running(fresh_server: Server, monkeypatch, tmp_path) -> Server:
    """A server with a few events, each acknowledged with its proof, so that all are sealed."""
    for number in range(4):
        answer = fresh_server.client("responder").post("/v1/events", deployed(number), wait="sealed")
        assert answer.status == 201
    monkeypatch.setenv("LASTGOOD_DATA", str(fresh_server.data))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return fresh_server


def edit(server: Server, position: int) -> None:
    """With database tools, behind the server's back."""
    with database_tools(server.data) as database:
        database.execute(
            "UPDATE events SET leaf = CAST(replace(CAST(leaf AS TEXT), 'payments', 'PAYMENTS') AS BLOB) WHERE position = ?",
            [position],
        )


def head(server: Server) -> int:
    return len(server.client("auditor").get("/v1/events", headers={"Accept": "application/x-ndjson"}).lines())


# A data folder


def test_a_folder_is_verified_while_a_server_runs_on_it_and_after(running, lastgood):
    """By default the one that LASTGOOD_DATA names."""
    for _ in range(2):
        result = lastgood("verify")
        assert (result.exit_code, "verified: nothing differs" in result.stdout) == (0, True)
        if running.process.poll() is None:
            running.stop()
    assert lastgood("verify", running.data).exit_code == 0
    assert lastgood("verify", "--data", running.data).exit_code == 0


def test_verifying_leaves_the_folder_as_it_was(running, lastgood):
    """It only reads; also where nothing of SQLite is beside the file."""
    running.stop()
    before = {path: path.read_bytes() for path in running.data.rglob("*") if path.is_file()}
    assert lastgood("verify").exit_code == 0
    assert {path: path.read_bytes() for path in running.data.rglob("*") if path.is_file()} == before


def test_a_changed_event_is_told_by_its_position(running, lastgood):
    """Exit 10, in words and as JSON."""
    position = head(running)
    running.stop()
    edit(running, position)
    result = lastgood("verify")
    assert result.exit_code == 10
    assert f"DIFFERS: position {position} was changed: its leaf hash is" in result.stdout
    told = json.loads(lastgood("verify", "--output", "json").stdout)
    assert (told["verified"], told["head"], told["sealed"]) == (False, position, position)
    assert [position, position] in [each["positions"] for each in told["differences"]]


def test_a_checkpoint_that_was_kept_shows_that_an_old_backup_was_restored(running, lastgood, tmp_path):
    """As /checkpoint gave it, in a receipt, in a proof, in a bundle."""
    client, old = running.client("auditor"), tmp_path / "old"
    running.stop()
    shutil.copytree(running.data, old)
    running.start()
    client = running.client("responder")
    receipt = client.post("/v1/events", deployed(99), wait="sealed").json()
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    (tmp_path / "checkpoint").write_bytes(client.get("/checkpoint").body)
    (tmp_path / "proof").write_bytes(client.get(f"/v1/events/{receipt['position']}/proof").body)
    (tmp_path / "bundle.zip").write_bytes(client.get("/v1/evidence").body)
    assert lastgood("verify", old).exit_code == 0
    for kept in ("receipt.json", "checkpoint", "proof", "bundle.zip"):
        result = lastgood("verify", old, "--checkpoint", kept)
        assert result.exit_code == 10, kept
        assert f"position{'s' if kept == 'bundle.zip' else ''} {receipt['position']}" in result.stdout
        assert lastgood("verify", "--checkpoint", kept).exit_code == 0


def test_a_key_that_is_known_from_elsewhere_is_the_one_that_counts(running, lastgood, tmp_path):
    """Of a folder and of a URL."""
    other = "ledger.example+c5bf1a0a+AX2iPkVUzcKeBtc8i1MMCgsGXDmkZc0lyV+6RxWyTXyz"
    ours = running.client(None).get("/log.vkey").body.decode().strip()
    assert lastgood("verify", "--key", ours).exit_code == 0
    assert lastgood("verify", running.url, "--key", ours).exit_code == 0
    assert lastgood("verify", "--key", "nonsense").exit_code == 2
    assert lastgood("verify", "--key", other).exit_code == 2


# A served log


def test_a_served_log_is_verified_and_remembered(running, lastgood, tmp_path):
    """The second time it must go on from the first."""
    first = lastgood("verify", running.url)
    assert first.exit_code == 0
    assert "only the log itself vouches for its key" in first.stdout
    running.client("responder").post("/v1/events", deployed(9), wait="sealed")
    second = lastgood("verify", running.url)
    assert second.exit_code == 0
    assert "goes on from the checkpoint of" in second.stdout
    assert "only the log itself vouches" not in second.stdout
    assert lastgood("verify", running.url, "--state", tmp_path / "mine.json").exit_code == 0
    assert (tmp_path / "mine.json").exists()


def test_a_served_log_that_was_set_back_is_told(running, lastgood, tmp_path):
    """An old copy of the whole folder is served: sound in itself, and shorter than it was."""
    running.stop()
    shutil.copytree(running.data, tmp_path / "old")
    running.start()
    before = head(running)
    running.client("responder").post("/v1/events", deployed(9), wait="sealed")
    state = ("--state", tmp_path / "state.json")
    assert lastgood("verify", running.url, *state).exit_code == 0
    running.stop()
    shutil.rmtree(running.data)
    shutil.copytree(tmp_path / "old", running.data)
    running.start()
    result = lastgood("verify", running.url, *state)
    assert result.exit_code == 10
    assert f"the log has {before} events now, less than the checkpoint of {before + 1}" in result.stdout
    # Nor is it taken for the truth from then on.
    assert lastgood("verify", running.url, *state).exit_code == 10


def test_an_event_that_is_served_otherwise_than_it_was_logged_is_told_by_its_position(running, lastgood):
    """Changed under the running server; the log's hashes are as they were."""
    edit(running, 7)
    result = lastgood("verify", running.url)
    assert result.exit_code == 10
    assert "position 7 was changed: its leaf hash is" in result.stdout


def test_a_log_that_nobody_serves_is_told(lastgood, monkeypatch, tmp_path):
    """Exit 7: unreachable is not the same as wrong."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert lastgood("verify", "http://127.0.0.1:1").exit_code == 7


# A bundle


def test_a_bundle_is_verified_offline(running, lastgood, tmp_path):
    """With the ledger gone; and one byte makes the difference."""
    content = running.client("auditor").get("/v1/evidence").body
    key = running.client(None).get("/log.vkey").body.decode().strip()
    running.stop()
    path = tmp_path / "evidence.zip"
    path.write_bytes(content)
    assert lastgood("verify", path, "--key", key).exit_code == 0
    assert json.loads(lastgood("verify", path, "--output", "json").stdout)["verified"] is True
    path.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    result = lastgood("verify", path, "--key", key)
    assert result.exit_code == 10
    assert "the file is not as it was written" in result.stdout


# Usage


def test_what_is_not_there_is_wrong_usage(lastgood, tmp_path):
    """Exit 2, before anything is read."""
    assert lastgood("verify", "no-such-file").exit_code == 2
    assert lastgood("verify").exit_code == 2
    (tmp_path / "text").write_text("hello")
    assert lastgood("verify", tmp_path, "--checkpoint", tmp_path / "text").exit_code == 2
