"""The transparency log over HTTP: what a stranger gets, verified as a stranger would."""

import gzip
import re
import sqlite3
import subprocess
import time
from base64 import b64decode

import pytest

from ledger.checkpoint import open_checkpoint
from ledger.checkpoints import read_notes
from ledger.log_keys import LogKeys, rotate_key
from ledger.merkle import consistency_proof, inclusion_proof, leaf_hash, root
from ledger.note import Verifier
from ledger.proof import parse_proof, verify_proof
from ledger.tiles import Bundle, Tile, decode_bundle, decode_tile, new_bundles, new_tiles, tile_at
from tests.server import LASTGOOD, Server, environment


def deployment(number=0):
    data = {"deployment_id": f"log-{number}", "service": "log-tests", "environment": "production", "version": "1"}
    return {"type": "deployment.succeeded", "data": data}


def published(server, at_least=0):
    """The newest checkpoint, opened with the served keys; waits until it has as many events."""
    stranger = server.client(None)
    keys = [Verifier.from_vkey(line) for line in stranger.get("/log.vkey").body.decode().splitlines()]
    until = time.monotonic() + 10
    while True:
        opened = open_checkpoint(stranger.get("/checkpoint").body, keys[0].name, keys).checkpoint
        if opened.size >= at_least:
            return opened
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A server whose log has a full tile and a partial one."""
    server = Server(tmp_path_factory.mktemp("log"), origin="ledger.example/tests").start()
    server.client("pipeline").append(*map(deployment, range(300)))
    yield server
    server.close()


# What is served


def test_a_stranger_recomputes_the_signed_root_from_every_entry(grown):
    """No token, nothing of ours but the formats: the log's own bytes lead to the checkpoint."""
    stranger = grown.client(None)
    checkpoint = published(grown, 300)
    leaves = []
    for bundle in new_bundles(0, checkpoint.size):
        leaves += decode_bundle(bundle, stranger.get(f"/{bundle.path}").body)
    hashes = list(map(leaf_hash, leaves))
    assert checkpoint.origin == "ledger.example/tests"
    assert root(hashes) == checkpoint.root
    for tile in new_tiles(0, checkpoint.size):
        span = 256**tile.level
        wanted = [root(hashes[start : start + span]) for start in range(tile.leaves.start, tile.leaves.end, span)]
        assert decode_tile(tile, stranger.get(f"/{tile.path}").body) == wanted


def test_partial_tiles_of_every_older_size_stay(grown):
    """Whoever holds an older checkpoint finds what it speaks of."""
    checkpoint = published(grown, 300)
    whole = decode_tile(Tile(0, 0), grown.client(None).get(f"/{Tile(0, 0).path}").body)
    for width in (1, 7, 255):
        part = Tile(0, 0, width)
        assert decode_tile(part, grown.client(None).get(f"/{part.path}").body) == whole[:width]
    last = tile_at(0, 1, checkpoint.size)
    assert grown.client(None).get(f"/{last.path}").status == 200


def test_nothing_beyond_the_checkpoint_is_served(grown):
    """What is not signed yet may still come to nothing."""
    checkpoint = published(grown, 300)
    beyond = [
        tile_at(0, 1, checkpoint.size + 1),
        Tile(0, 1),
        Tile(1, 0, 2),
        Tile(1, 0),
        Tile(0, 1_000_000),
        Tile(7, 0, 1),
        Tile(63, 0),
        Bundle(1, checkpoint.size - 255),
        Bundle(2, 1),
    ]
    for part in beyond:
        answer = grown.client(None).get(f"/{part.path}")
        assert (answer.status, answer.json()["type"]) == (404, "urn:lastgood:problem:not-published"), part
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["0/0", "0/000.p/0", "0/000.p/256", "0/000.p/07", "00/000", "64/000", "-1/000", "0/x000/000", "entries/1", "", "0"],
)
def test_a_path_that_is_no_tiles_is_not_found(grown, path):
    """A tile has one path; another spelling would be cached apart."""
    assert grown.client(None).get(f"/tile/{path}").status == 404


def test_types_and_caching_are_those_of_the_specification(grown):
    """Tiles never change; the checkpoint does."""
    stranger = grown.client(None)
    for path in ("/checkpoint", "/log.vkey"):
        headers = stranger.get(path).headers
        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        assert headers["Cache-Control"] == "public, no-cache"
    for part in (Tile(0, 0), Tile(0, 1, 3), Tile(1, 0, 1), Bundle(0), Bundle(1, 3)):
        headers = stranger.get(f"/{part.path}").headers
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/checkpoint", "/log.vkey", f"/{Tile(0, 0).path}", f"/{Bundle(0).path}"])
def test_head_and_etags_work(grown, path):
    """For caches in between."""
    stranger = grown.client(None)
    answer = stranger.get(path)
    head = stranger.request("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]
    assert int(head.headers["Content-Length"]) == len(answer.body)
    again = stranger.get(path, {"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_bundles_are_squeezed_for_who_asks(grown):
    """They are the bulk of the log; hashes can't be squeezed."""
    plain = grown.client(None).get(f"/{Bundle(0).path}")
    squeezed = grown.client(None).get(f"/{Bundle(0).path}", {"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.body) == plain.body
    assert len(squeezed.body) < len(plain.body) / 3
    assert squeezed.headers["ETag"] != plain.headers["ETag"]
    assert squeezed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in grown.client(None).get(f"/{Tile(0, 0).path}", {"Accept-Encoding": "gzip"}).headers


def test_parameters_are_refused(grown):
    """Under another URL the same thing would be cached twice."""
    assert grown.client(None).get("/checkpoint", since="yesterday").status == 422


def test_a_log_that_is_not_public_asks_for_a_token(tmp_path):
    server = Server(tmp_path, public_log="false").start()
    try:
        server.client("pipeline").append(deployment())
        for path in ("/checkpoint", "/log.vkey", f"/{Bundle(0, 1).path}"):
            assert server.client(None).get(path).status == 401
            answer = server.client("auditor").get(path)
            assert answer.status == 200
            assert answer.headers["Cache-Control"].startswith("private, ")
            assert "Authorization" in answer.headers["Vary"]
    finally:
        server.close()


# Proofs


def test_the_proof_of_an_event_verifies_offline(grown):
    """With the event's leaf, from its bundle, and the log's key."""
    stranger, reader = grown.client(None), grown.client("auditor")
    key = Verifier.from_vkey(stranger.get("/log.vkey").body.decode().splitlines()[0])
    leaf = decode_bundle(Bundle(0), stranger.get(f"/{Bundle(0).path}").body)[41]
    answer = reader.get("/v1/events/42/proof")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    proof = parse_proof(answer.body)
    assert proof.index == 41
    assert verify_proof(proof, leaf_hash(leaf), key.name, [key]).checkpoint.size >= 300


def test_the_proof_of_an_event_just_recorded_comes_at_once(grown):
    """It is sealed for who asks."""
    position = grown.client("pipeline").append(deployment("new"))["position"]
    begun = time.monotonic()
    proof = parse_proof(grown.client("auditor").get(f"/v1/events/{position}/proof").body)
    assert proof.index == position - 1
    assert time.monotonic() - begun < 0.9


def test_there_is_no_proof_of_what_was_never_recorded(grown):
    reader = grown.client("auditor")
    head = published(grown, 300).size
    for position in (0, head + 1000, 2**60, 10**30):
        assert reader.get(f"/v1/events/{position}/proof").status == 404


def test_a_proof_is_for_readers_only(grown):
    assert grown.client(None).get("/v1/events/1/proof").status == 401


# Over time


def test_everything_is_sealed_within_seconds_without_anybody_asking(grown):
    position = grown.client("pipeline").append(deployment("quiet"))["position"]
    assert published(grown, position).size >= position


def test_the_log_goes_on_where_it_ended(tmp_path):
    """Also after a kill: what was published before is the beginning of what is published after."""
    server = Server(tmp_path).start()
    try:
        server.client("pipeline").append(*map(deployment, range(10)))
        before = published(server, 10)
        server.kill()
        server.start()
        server.client("pipeline").append(*map(deployment, range(10, 20)))
        server.stop()
        server.start()
        after = published(server, before.size + 10)
        leaves = decode_bundle(Bundle(0, after.size), server.client(None).get(f"/{Bundle(0, after.size).path}").body)
        hashes = list(map(leaf_hash, leaves))
        assert (root(hashes[: before.size]), root(hashes)) == (before.root, after.root)
        assert consistency_proof(before.size, after.size, hashes)
        assert inclusion_proof(0, after.size, hashes)
    finally:
        server.close()


def test_a_stop_leaves_nothing_unsealed(tmp_path):
    server = Server(tmp_path).start()
    position = server.client("pipeline").append(deployment())["position"]
    assert server.stop() == 0
    newest = list(read_notes(server.data / "log" / "checkpoints"))[-1]
    assert int(newest.splitlines()[1]) >= position


# When the record is not what was signed


@pytest.fixture
def bereft(tmp_path):
    """A server whose record lost its last events while it was down; its checkpoints are elsewhere."""
    server = Server(tmp_path, checkpoints=str(tmp_path / "place")).start()
    server.client("pipeline").append(*map(deployment, range(10)))
    server.stop()
    checkpoint = (tmp_path / "place" / "checkpoints").read_bytes()
    with sqlite3.connect(server.data / "events.sqlite") as database:
        database.execute("DROP TRIGGER events_no_delete")
        database.execute("DELETE FROM events WHERE position > 9")
    server.start(ready=False)
    yield server
    server.close()
    assert (tmp_path / "place" / "checkpoints").read_bytes() == checkpoint


def test_a_record_that_lost_events_is_served_unverified_and_takes_nothing(bereft):
    """Reads go on, marked; nothing is appended or signed; and each answer says how to proceed."""
    size = len(list(bereft.tokens)) + 10
    ready = bereft.client(None).get("/readyz")
    assert ready.status == 503
    assert f"a checkpoint over {size} events was signed, and the record ends at 9" in ready.json()["reasons"][0]
    read = bereft.client("auditor").get("/v1/events")
    assert (read.status, read.headers["Lastgood-Record"]) == (200, "unverified")
    for query in ({}, {"wait": "sealed"}):
        refused = bereft.client("pipeline").post("/v1/events", deployment("lost"), **query)
        assert (refused.status, refused.json()["type"]) == (503, "urn:lastgood:problem:unverified")
        assert refused.json()["size"] == size
        assert "lastgood restore" in refused.json()["detail"]
    assert bereft.client("auditor").get("/v1/events", after=9).json()["items"] == []


def test_nothing_is_recorded_behind_the_servers_back_either(bereft):
    """A token is an event; made now, it would be one that never was in the log."""
    for verb in (["token", "create", "late", "--role", "auditor"], ["token", "revoke", "a-auditor"]):
        refused = subprocess.run(
            [LASTGOOD, *verb, "--data", bereft.data],
            capture_output=True,
            text=True,
            check=False,
            cwd=bereft.folder,
            env=environment(checkpoints=str(bereft.folder / "place")),
        )
        assert refused.returncode == 1
        assert "the record ends at 9" in refused.stderr


@pytest.mark.parametrize("trouble", ["mode", "name"])
def test_a_log_that_cannot_be_signed_is_told_before_the_server_starts(tmp_path, trouble):
    """In one line that says what to do, not by a worker that dies."""
    server = Server(tmp_path, **({"origin": "another.example"} if trouble == "name" else {}))
    LogKeys(server.data / "log", "ledger.example/tests")
    if trouble == "mode":
        (server.data / "log" / "key").chmod(0o644)
    with pytest.raises(RuntimeError, match="chmod 600" if trouble == "mode" else "keeps its name for ever") as told:
        server.start()
    assert "Traceback" not in str(told.value)


def test_the_last_word_of_a_log_stays_to_be_read(bereft):
    """Whoever compares it with what they hold learns how much was lost; tiles could tell something else."""
    stranger = bereft.client(None)
    answer = stranger.get("/checkpoint")
    assert (answer.status, answer.headers["Lastgood-Record"]) == (200, "unverified")
    assert int(answer.body.splitlines()[1]) > 9
    for path in (f"/{Tile(0, 0, 1).path}", f"/{Bundle(0, 1).path}"):
        assert stranger.get(path).status == 503
    assert bereft.client("auditor").get("/v1/events/1/proof").status == 503


def test_a_record_that_is_as_it_was_signed_bears_no_mark(grown):
    assert "Lastgood-Record" not in grown.client("auditor").get("/v1/events", limit=1).headers


# Measures


def test_the_log_is_measured(grown):
    published(grown, 300)
    text = grown.client("auditor").get("/metrics").body.decode()
    found = dict(re.findall(r"^(lastgood_\w+) ([0-9.e+-]+)$", text, re.MULTILINE))
    assert float(found["lastgood_checkpoint_size"]) >= 300
    assert 0 <= float(found["lastgood_checkpoint_age_seconds"]) < 3600
    assert float(found["lastgood_record_unverified"]) == float(found["lastgood_sealing_failing"]) == 0
    assert "lastgood_unsealed_events" in found


def test_keys_are_served_newest_first(tmp_path):
    """Rotated while the server runs; what the old key signed can be verified for ever."""
    server = Server(tmp_path).start()
    try:
        server.client("pipeline").append(deployment(1))
        old = server.client(None).get("/log.vkey").body.decode()
        proof = server.client("auditor").get("/v1/events/1/proof").body
        leaf = decode_bundle(Bundle(0, 1), server.client(None).get(f"/{Bundle(0, 1).path}").body)[0]
        new = rotate_key(server.data / "log")
        assert server.client(None).get("/log.vkey").body.decode() == f"{new.vkey()}\n{old}"
        position = server.client("pipeline").append(deployment(2))["position"]
        assert published(server, position).size >= position
        keys = [Verifier.from_vkey(line) for line in server.client(None).get("/log.vkey").body.decode().splitlines()]
        assert verify_proof(parse_proof(proof), leaf_hash(leaf), new.name, keys)
        note = server.client(None).get("/checkpoint").body
        assert open_checkpoint(note, new.name, [new]).checkpoint.size >= position
    finally:
        server.close()


def test_hashes_in_a_receipt_are_base64(grown):
    receipt = grown.client("pipeline").post("/v1/events", deployment("base64"), wait="sealed").json()
    assert len(b64decode(receipt["leaf_hash"])) == 32
