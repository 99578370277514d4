"""Redaction, from the command line to the bytes on the disk: the words go, every proof stays."""

import json
import time
from pathlib import Path

import pytest

from api.cli import amend
from ledger.application import Ledger
from ledger.checkpoint import open_checkpoint
from ledger.contract import members
from ledger.events import EVENTS
from ledger.merkle import leaf_hash, verify_inclusion
from ledger.note import Verifier, decode_base64
from ledger.proof import parse_proof, verify_proof
from tests.server import Server
from tests.words import holds

SECRET = "Zoe-Example-called-in-sick"
PATIENCE_S = 20.0


@pytest.fixture
def acting(fresh_server: Server, monkeypatch) -> Server:
    """A server, and an admin who is also a responder at its command line."""
    monkeypatch.setenv("LASTGOOD_URL", fresh_server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", fresh_server.token("admin", "responder"))
    monkeypatch.setenv("LASTGOOD_DATA", str(fresh_server.data))
    return fresh_server


def declare(server: Server) -> dict:
    """An incident whose words are to be forgotten; its receipt with proof."""
    data = {
        "incident": "INC-1",
        "title": SECRET,
        "reason": SECRET,
        "severity": "SEV-2",
        "kind": "outage",
        "evidence": [{"label": SECRET, "url": "https://graphs.example/1"}],
        "affected": [{"service": "payments", "environment": "production"}],
    }
    answer = server.client("responder").post("/v1/events", {"type": "incident.declared", "data": data}, wait="sealed")
    assert answer.status == 201
    return answer.json()


def holding(folder: Path, words: str) -> set[str]:
    """The files of a folder that hold the words."""
    return {path.name for path in folder.rglob("*") if path.is_file() and holds(path.read_bytes(), words)}


def test_redacted_words_are_gone_from_every_file_while_the_server_runs(acting, lastgood):
    """Disclosure, fingerprint, read models, write-ahead logs and free pages alike."""
    position = declare(acting)["position"]
    assert {"events.sqlite", "events.sqlite-wal"} & holding(acting.data, SECRET)
    until = time.monotonic() + PATIENCE_S
    while not {"models.sqlite", "models.sqlite-wal"} & holding(acting.data, SECRET):
        assert time.monotonic() < until
        time.sleep(0.05)
    fields = ("--field", "title", "--field", "reason", "--field", "evidence")
    why = ("--authority", "GDPR article 17", "--reason", "a person asked for it")
    assert lastgood("record", "redact", position, *fields, *why).exit_code == 0
    while left := holding(acting.data, SECRET):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_every_view_tells_that_something_was_redacted(acting, lastgood):
    """And nothing tells what."""
    position = declare(acting)["position"]
    redacted = json.loads(
        lastgood(
            *("record", "redact", position, "--field", "title", "--field", "reason", "--field", "evidence"),
            *("--authority", "a court", "--reason", "ordered", "--output", "json"),
        ).stdout
    )
    client = acting.client("auditor")
    at_least = redacted["position"]
    slot = {"service": "payments", "environment": "production", "at_least": at_least}
    views = [
        client.get(f"/v1/events/{position}"),
        client.get("/v1/events", at_least=at_least),
        client.get("/v1/events", headers={"Accept": "application/x-ndjson"}),
        client.get("/v1/events", known_at=position),
        client.get("/v1/incidents/INC-1", at_least=at_least),
        client.get("/v1/incidents/INC-1", known_at=position),
        client.get("/v1/incidents/INC-1/timeline", at_least=at_least),
        client.get("/v1/slot/situation", **slot),
    ]
    for view in views:
        assert view.status == 200
        assert SECRET.encode() not in view.body
    for view in views[:-1]:
        assert b"[redacted]" in view.body
    exported = [json.loads(line) for line in lastgood("export").stdout.splitlines()]
    data = exported[position - 1]["data"]
    assert (data["title"], data["reason"], data["evidence"][0]["label"]) == ("[redacted]",) * 3
    assert data["evidence"][0]["url"] == "https://graphs.example/1"


def test_proofs_hold_before_and_after_a_redaction(acting, lastgood):
    """The leaf stays as it is, so a receipt and a proof from before verify for ever."""
    receipt = declare(acting)
    position, index = receipt["position"], receipt["position"] - 1
    client = acting.client("auditor")
    keys = [Verifier.from_vkey(line) for line in client.get("/log.vkey").body.decode().splitlines()]
    before = parse_proof(client.get(f"/v1/events/{position}/proof").body)
    why = ("--authority", "a court", "--reason", "ordered")
    assert lastgood("record", "redact", position, "--field", "title", *why).exit_code == 0
    after = parse_proof(client.get(f"/v1/events/{position}/proof").body)
    acting.stop()
    with Ledger(acting.data) as ledger:
        hashed = leaf_hash(ledger.row(position).state)
    for proof in (before, after):
        verify_proof(proof, hashed, keys[0].name, keys)
    tree = open_checkpoint(receipt["checkpoint"].encode(), keys[0].name, keys).checkpoint
    path = [decode_base64(each) for each in receipt["inclusion_proof"]]
    verify_inclusion(index, tree.size, hashed, path, tree.root)
    assert decode_base64(receipt["leaf_hash"]) == hashed
    assert lastgood("verify").exit_code == 0


def test_only_an_admin_redacts(acting, lastgood, monkeypatch):
    """Exit 4, and the words stay."""
    position = declare(acting)["position"]
    why = ("--authority", "a court", "--reason", "ordered")
    monkeypatch.setenv("LASTGOOD_TOKEN", acting.tokens["responder"])
    assert lastgood("record", "redact", position, "--field", "title", *why).exit_code == 4
    assert acting.client("auditor").get(f"/v1/events/{position}").json()["data"]["title"] == SECRET


def test_what_is_no_protected_member_is_not_redacted(acting, lastgood):
    """Exit 3: it is in the leaf, and the leaf never changes."""
    position = declare(acting)["position"]
    result = lastgood("record", "redact", position, "--field", "severity", "--authority", "a", "--reason", "b")
    assert result.exit_code == 3
    assert "not a protected member" in result.stderr


def test_after_a_redaction_the_same_event_again_is_a_duplicate(acting, lastgood):
    """The fingerprint is gone with the words, so the key alone decides, and a retry still finds its receipt."""
    event = {"id": "n-1", "source": "test", "type": "incident.note_added", "data": {"incident": "I", "text": SECRET}}
    first = acting.client("responder").append(event)
    why = ("--authority", "a court", "--reason", "ordered")
    assert lastgood("record", "redact", first["position"], "--field", "text", *why).exit_code == 0
    again = acting.client("responder").append(event)
    assert (again["duplicate"], again["position"]) == (True, first["position"])
    assert acting.client("auditor").get(f"/v1/events/{first['position']}").json()["data"]["text"] == "[redacted]"


def test_a_correction_is_seen_beside_what_was_recorded(acting, lastgood):
    """As text, and as JSON where it is not text."""
    started = {"release_id": "r", "service": "s", "environment": "e", "version": "2.4", "exposure": 10}
    position = acting.client("responder").append({"type": "release.started", "data": started})["position"]
    assert lastgood("record", "correct", position, *"--field version --value 2.5 --reason typo".split()).exit_code == 0
    assert lastgood("record", "correct", position, *"--field exposure --json 12.5 --reason typo".split()).exit_code == 0
    found = acting.client("auditor").get("/v1/events", type="record.corrected", at_least=position + 2).json()
    assert [each["data"]["value"] for each in found["items"]] == ["2.5", 12.5]


@pytest.mark.parametrize("topic", amend.KINDS)
def test_the_table_says_what_the_catalogue_says(topic):
    """One member more or less, or one required that was optional, and the verb would lie."""
    known, kind = members(EVENTS[topic]), amend.KINDS[topic]
    assert set(kind.required.split()) == {name for name, member in known.items() if member.required}
    assert set(kind.members()) == set(known) - EVENTS[topic].LEDGER_SETS


@pytest.mark.parametrize("verb", amend.VERBS)
def test_every_verb_about_the_record_has_help(verb, lastgood):
    """Its positions are arguments, all else are flags."""
    shown = lastgood("record", verb, "--help")
    assert shown.exit_code == 0
    assert "POSITION" in shown.stdout
    assert "--reason" in shown.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("--field", "version", "--reason", "typo"),
        ("--field", "version", "--value", "1", "--json", "1", "--reason", "typo"),
        ("--field", "version", "--json", "{", "--reason", "typo"),
    ],
)
def test_a_correction_takes_one_value(wrong, lastgood):
    """Exit 2 otherwise."""
    assert lastgood("record", "correct", "1", *wrong).exit_code == 2
