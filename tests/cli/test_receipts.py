"""`lastgood append --receipt`: proofs that are verified before they are kept."""

import json
from base64 import b64decode
from uuid import uuid4

import pytest

from api.cli.client import Client
from api.cli.exits import Invalid, No, Unreachable
from api.cli.receipts import PAUSES_S, Receipts
from ledger.checkpoint import open_checkpoint
from ledger.merkle import leaf_hash, verify_inclusion
from ledger.note import Signer, Verifier

STRANGER = Signer("ledger.example/other", bytes(32)).verifier.vkey()


@pytest.fixture(autouse=True)
def use(server, monkeypatch):
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["pipeline"])


@pytest.fixture
def vkey(server):
    return server.client(None).get("/log.vkey").body.decode().splitlines()[0]


def events(count):
    run = uuid4().hex
    return [
        {
            "type": "metric.observed",
            "id": f"{run}-{number}",
            "source": "tests",
            "data": {"name": run, "value": 1, "unit": "1"},
        }
        for number in range(count)
    ]


def ndjson(several):
    return "".join(json.dumps(each) + "\n" for each in several)


def kept(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_kept_receipt_verifies_offline_and_says_what_was_recorded(lastgood, tmp_path, vkey):
    """From the file alone: the key, the checkpoint, the proof, and the leaf with the event in it."""
    sent = events(300)
    done = lastgood("append", "--receipt", "receipts", "--log-key", vkey, stdin=ndjson(sent))
    assert (done.exit_code, done.stderr) == (0, "")
    receipts = kept(tmp_path / "receipts")
    assert [each["id"] for each in receipts] == [each["id"] for each in sent]
    for receipt, event in zip(receipts, sent, strict=True):
        assert receipt["log_key"] == vkey
        key = Verifier.from_vkey(receipt["log_key"])
        tree = open_checkpoint(receipt["checkpoint"].encode(), key.name, [key]).checkpoint
        leaf = receipt["leaf"].encode()
        assert leaf_hash(leaf) == b64decode(receipt["leaf_hash"])
        proof = list(map(b64decode, receipt["inclusion_proof"]))
        verify_inclusion(receipt["position"] - 1, tree.size, leaf_hash(leaf), proof, tree.root)
        assert json.loads(leaf)["data"] == event["data"]


def test_receipts_of_later_calls_are_added(lastgood, tmp_path, vkey):
    (tmp_path / "key").write_text(f"{vkey}\n")
    for _ in range(2):
        assert lastgood("append", "--receipt", "receipts", "--log-key", "key", stdin=ndjson(events(2))).exit_code == 0
    assert len(kept(tmp_path / "receipts")) == 4


def test_the_same_events_again_give_receipts_of_the_first_time(lastgood, tmp_path, vkey, monkeypatch):
    """So a job that was cut off gets its receipts by running again."""
    monkeypatch.setenv("LASTGOOD_LOG_KEY", vkey)
    sent = ndjson(events(2))
    assert lastgood("append", stdin=sent).exit_code == 0
    assert lastgood("append", "--receipt", "receipts", stdin=sent).exit_code == 0
    assert [each["duplicate"] for each in kept(tmp_path / "receipts")] == [True, True]


def test_a_single_event_on_a_condition_gets_its_receipt_too(lastgood, tmp_path, vkey):
    (event,) = events(1)
    event |= {"type": "incident.detected", "data": {"incident": uuid4().hex, "title": "it broke"}}
    flags = ("--receipt", "receipts", "--log-key", vkey, "--expected-revision", "0")
    assert lastgood("append", *flags, stdin=ndjson([event])).exit_code == 0
    assert len(kept(tmp_path / "receipts")) == 1


def test_without_a_key_the_served_one_is_used_and_shown(lastgood, tmp_path, vkey):
    """Better than nothing, and it is said that it is not more."""
    done = lastgood("append", "--receipt", "receipts", stdin=ndjson(events(1)))
    assert done.exit_code == 0
    assert f"serves, {vkey}; --log-key" in done.stderr
    assert kept(tmp_path / "receipts")[0]["log_key"] == vkey


def test_a_receipt_by_another_key_is_not_kept(lastgood, tmp_path):
    """The events are recorded, and the exit code says no."""
    done = lastgood("append", "--receipt", "receipts", "--log-key", STRANGER, stdin=ndjson(events(1)))
    assert done.exit_code == 10
    assert "recorded, but a receipt does not verify" in done.stderr
    assert "recorded 1 event" in done.stdout
    assert (tmp_path / "receipts").read_text() == ""


@pytest.mark.parametrize("key", ["no key", "a+b+c"])
def test_a_key_that_is_none_is_told_before_anything_is_sent(lastgood, key):
    done = lastgood("append", "--receipt", "receipts", "--log-key", key, stdin=ndjson(events(1)))
    assert (done.exit_code, done.stdout) == (3, "")


def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(lastgood):
    done = lastgood("append", "--receipt", "no/such/folder", stdin=ndjson(events(1)))
    assert (done.exit_code, done.stdout) == (3, "")
    assert "can't be written" in done.stderr


def test_a_key_without_a_file_is_wrong_usage(lastgood, vkey):
    assert lastgood("append", "--log-key", vkey, stdin=ndjson(events(1))).exit_code == 2


# What a ledger might give out instead


class Answers(Client):
    """The real server, but for what a test puts in its place."""

    def __init__(self, server):
        super().__init__(server.url, server.tokens["pipeline"])
        self.instead = {}

    def content(self, path, query=None):
        return self.instead.get(path.split("/")[1]) or super().content(path, query)


@pytest.fixture
def client(server):
    made = Answers(server)
    yield made
    made.close()


@pytest.fixture
def receipt(server):
    return server.client("pipeline").post("/v1/events", events(1)[0], wait="sealed").json()


def nothing():
    raise AssertionError("not asked for")


@pytest.mark.parametrize(
    "member,value",
    [
        ("leaf_hash", "A" * 43 + "="),
        ("inclusion_proof", []),
        ("inclusion_proof", None),
        ("position", 1),
        ("checkpoint", "not a note"),
        ("id", "another"),
        ("recordedtime", "2026-01-01T00:00:00.000000Z"),
        ("revision", 99),
    ],
)
def test_a_receipt_that_was_spoilt_is_not_kept(tmp_path, client, receipt, vkey, member, value):
    """Proof, place and what it says must all fit the leaf in the signed log."""
    receipts = Receipts(tmp_path / "receipts", client, vkey)
    receipts.keep([receipt], nothing)
    with pytest.raises(No, match="does not verify: position"):
        receipts.keep([receipt | {member: value}], nothing)
    assert len(kept(tmp_path / "receipts")) == 1


def test_a_bundle_with_other_leaves_is_not_believed(tmp_path, client, receipt, vkey):
    client.instead["tile"] = b"\x00\x02{}" * (1 + (int(receipt["checkpoint"].split("\n")[1]) - 1) % 256)
    with pytest.raises(No, match="does not verify"):
        Receipts(tmp_path / "receipts", client, vkey).keep([receipt], nothing)


def test_where_there_is_no_key_there_is_no_ledger(tmp_path, client, receipt):
    client.instead["log.vkey"] = b"\n"
    with pytest.raises(Unreachable, match="no key"):
        Receipts(tmp_path / "receipts", client, None).keep([receipt], nothing)
    client.instead["log.vkey"] = b"<html>"
    with pytest.raises(Invalid, match="not a key"):
        Receipts(tmp_path / "receipts", client, None).keep([receipt], nothing)


def test_a_proof_that_takes_long_is_asked_for_again(tmp_path, client, receipt, vkey):
    """The same events again are answered with the same receipts, by then with proof."""
    bare = {name: each for name, each in receipt.items() if name not in ("checkpoint", "inclusion_proof", "leaf_hash")}
    waited, answers = [], iter([*[[bare]] * (len(PAUSES_S) - 1), [receipt]])
    Receipts(tmp_path / "receipts", client, vkey, waited.append).keep([bare], lambda: next(answers))
    assert waited == list(PAUSES_S)
    assert len(kept(tmp_path / "receipts")) == 1


def test_a_proof_that_never_comes_is_told(tmp_path, client, receipt, vkey):
    bare = {name: each for name, each in receipt.items() if name != "checkpoint"}
    waited = []
    with pytest.raises(No, match="recorded, but not sealed yet"):
        Receipts(tmp_path / "receipts", client, vkey, waited.append).keep([bare], lambda: [bare])
    assert waited == list(PAUSES_S)
