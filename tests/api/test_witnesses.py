"""Witnesses are asked, and whatever they do, the record goes on."""

import re
import socket
import time

import pytest

from api.config import BadSettings, load
from api.witnesses import Asking
from ledger.checkpoint import TooFewWitnesses, open_checkpoint
from ledger.checkpoints import Cosigned, read_notes
from ledger.cosignatures import Cosignatures
from ledger.note import Signer, Verifier, parse_note
from ledger.sealing import Sealing
from ledger.witness import NotCosigned
from ledger.witness import Witness as Configured
from tests.ledger.sealing_scene import ORIGIN, Written, opened
from tests.server import Server
from tests.witness import Witness


@pytest.fixture
def events():
    return Written(3)


@pytest.fixture
def log(tmp_path, events):
    with opened(tmp_path, events) as made:
        yield made


@pytest.fixture
def sealing(log):
    made = Sealing(log.sealer, interval_s=0.05)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def witness(log):
    made = Witness()
    made.logs[ORIGIN] = log.keys.verifiers()
    with made.running():
        yield made


@pytest.fixture
def asking(log, sealing, witness):
    made = Asking(Configured(witness.url, witness.key), sealing, Cosignatures(Cosigned(log.folder)), pause_s=0.02)
    yield made
    made.stop()


def eventually(so, patience_s=10.0):
    until = time.monotonic() + patience_s
    while not so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_each_newest_checkpoint_is_cosigned_and_kept(log, events, sealing, asking, witness):
    asking.start()
    for _ in range(3):
        events.add(200)
        head = events.head()
        eventually(lambda head=head: asking.size == head)
    assert asking.error is None
    assert 0 <= asking.age_s() < 10
    note = asking._cosignatures.joined(sealing.sealed.note)
    assert open_checkpoint(note, ORIGIN, log.keys.verifiers(), [witness.key], quorum=1).checkpoint.size == events.head()
    assert asking.failures == 0


def test_a_witness_is_asked_nothing_about_an_empty_log(tmp_path, witness):
    events = Written()
    with opened(tmp_path / "empty", events) as log:
        witness.logs[ORIGIN] = log.keys.verifiers()
        sealing = Sealing(log.sealer, interval_s=0.02)
        sealing.start()
        asking = Asking(Configured(witness.url, witness.key), sealing, Cosignatures(Cosigned(log.folder)), pause_s=0.01)
        asking.start()
        time.sleep(0.2)
        assert witness.asked == []
        events.add(1)
        eventually(lambda: asking.size == 1)
        asking.stop()
        sealing.stop()


def test_after_a_restart_the_witness_says_how_far_it_is(log, events, sealing, asking, witness):
    """From 0 it answers 409 with its size, and then gets the proof from there."""
    asking.ask(sealing.sealed)
    events.add(10)
    eventually(lambda: sealing.sealed.size == events.head())
    again = Asking(asking.witness, sealing, asking._cosignatures)
    again.ask(sealing.sealed)
    assert [body.split(b"\n")[0] for body in witness.asked] == [b"old 0", b"old 0", b"old 3"]
    assert again.size == events.head()
    again.stop()


def test_a_witness_that_is_down_is_told_and_asked_again(sealing, asking, witness):
    witness.down = True
    asking.start()
    eventually(lambda: asking.failures > 1)
    assert "in trouble itself" in asking.error
    assert asking.age_s() is None
    witness.down = False
    eventually(lambda: asking.size == 3)
    assert asking.error is None


def test_nobody_listening_is_told_in_words(log, sealing, witness):
    nobody = Asking(Configured("http://127.0.0.1:1", witness.key), sealing, Cosignatures(Cosigned(log.folder)))
    nobody.start()
    eventually(lambda: nobody.error is not None)
    assert "refused" in nobody.error
    nobody.stop()


def test_a_lying_witness_is_not_believed(log, sealing, asking, witness):
    """What it sent is nowhere kept or served."""
    witness.lying = True
    with pytest.raises(NotCosigned, match="something else"):
        asking.ask(sealing.sealed)
    assert asking._cosignatures.newest is None
    assert list(read_notes(log.folder / "cosigned")) == []


def test_a_witness_that_knows_more_than_the_log_is_heard(events, sealing, asking, witness, log):
    """It saw what is gone here: the one who can tell that everything here was restored from an old backup."""
    asking.ask(sealing.sealed)
    ahead = witness.cosigned[ORIGIN]
    witness.cosigned[ORIGIN] = type(ahead)(ORIGIN, 1000, bytes(32))
    again = Asking(asking.witness, sealing, asking._cosignatures)
    with pytest.raises(NotCosigned, match=r"cosigned 1000 events of this log, which has 3 now.*lastgood verify"):
        again.ask(sealing.sealed)
    again.stop()


def test_a_kept_connection_that_the_witness_closed_is_opened_anew(events, sealing, asking, witness):
    asking.ask(sealing.sealed)
    asking._connection.sock.shutdown(socket.SHUT_RDWR)
    events.add(1)
    eventually(lambda: sealing.sealed.size == events.head())
    asking.ask(sealing.sealed)
    assert asking.size == events.head()


# With a server


@pytest.fixture
def two_witnesses():
    with Witness("witness.example/w1").running() as first, Witness("witness.example/w2", bytes(32)).running() as second:
        yield first, second


@pytest.fixture
def server(tmp_path, two_witnesses):
    settings = ", ".join(f"{each.url} {each.key.vkey()}" for each in two_witnesses)
    made = Server(tmp_path, origin=ORIGIN, witnesses=settings)
    yield made
    made.close()


def deployment(number):
    data = {"deployment_id": f"d{number}", "service": "s", "environment": "e", "version": "1"}
    return {"type": "deployment.succeeded", "data": data}


def test_cosignatures_are_served_with_the_checkpoint_and_with_proofs(server, two_witnesses):
    """Also after a restart, before any witness was asked again."""
    server.start()
    keys = [Verifier.from_vkey(line) for line in server.client(None).get("/log.vkey").body.decode().splitlines()]
    for each in two_witnesses:
        each.logs[ORIGIN] = keys
    position = server.client("pipeline").append(deployment(1))["position"]
    witnesses = [each.key for each in two_witnesses]

    def is_cosigned():
        try:
            note = server.client(None).get("/checkpoint").body
            return open_checkpoint(note, ORIGIN, keys, witnesses, quorum=2).checkpoint.size >= position
        except TooFewWitnesses:
            return False

    eventually(is_cosigned, 20)
    server.stop()
    for each in two_witnesses:
        each.down = True
    server.start()
    assert is_cosigned()
    proof = server.client("auditor").get(f"/v1/events/{position}/proof").body
    opened = open_checkpoint(proof.partition(b"\n\n")[2], ORIGIN, keys, witnesses, quorum=2)
    assert opened.checkpoint.size >= position
    later = server.client("pipeline").append(deployment(2))["position"]
    proof = server.client("auditor").get(f"/v1/events/{later}/proof").body
    assert int(proof.partition(b"\n\n")[2].splitlines()[1]) >= later


def test_a_witness_that_never_answers_delays_nothing(server, two_witnesses):
    """Appends, receipts with proof, checkpoints, readiness: all as if it were not there; and the measures name it."""
    stalled, other = two_witnesses
    stalled.stalled.set()
    server.start()
    keys = [Verifier.from_vkey(line) for line in server.client(None).get("/log.vkey").body.decode().splitlines()]
    other.logs[ORIGIN] = keys
    for number in range(5):
        begun = time.monotonic()
        receipt = server.client("pipeline").post("/v1/events", deployment(number), wait="sealed").json()
        assert "checkpoint" in receipt
        assert time.monotonic() - begun < 2
    assert server.client(None).get("/readyz").status == 200

    def measured():
        text = server.client("auditor").get("/metrics").body.decode()
        return dict(re.findall(r'^(lastgood_witness_\w+\{witness="[^"]+"\}) ([0-9.]+)$', text, re.MULTILINE))

    eventually(
        lambda: float(measured()[f'lastgood_witness_size{{witness="{other.key.name}"}}']) >= receipt["position"], 20
    )
    eventually(lambda: float(measured()[f'lastgood_witness_failures_total{{witness="{stalled.key.name}"}}']) >= 1, 20)
    assert float(measured()[f'lastgood_witness_size{{witness="{stalled.key.name}"}}']) == 0
    assert f'lastgood_witness_age_seconds{{witness="{stalled.key.name}"}}' not in measured()
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 8
    parsed = parse_note(list(read_notes(server.data / "log" / "cosigned"))[-1])
    assert [each.name for each in parsed.signatures] == [ORIGIN, other.key.name]


# Settings


KEY = Witness().key.vkey()


def test_witnesses_come_from_the_file_or_from_the_variable(tmp_path):
    (tmp_path / "lastgood.toml").write_text(f'[[witness]]\nurl = "https://w.example/log"\nvkey = "{KEY}"\n')
    (witness,) = load({}, {}, tmp_path).witnesses
    assert (witness.url, witness.key.vkey()) == ("https://w.example/log", KEY)
    variable = {"LASTGOOD_WITNESSES": f"http://127.0.0.1:1 {KEY}"}
    assert [each.url for each in load({}, variable, tmp_path).witnesses] == ["http://127.0.0.1:1"]


PLAIN = Signer("witness.example/w1", bytes(32)).verifier.vkey()


@pytest.mark.parametrize(
    "given,said",
    [
        ("http://w.example", "a url and a vkey"),
        (f"http://w.example {KEY} more", "no address|a url and a vkey"),
        (f"w.example {KEY}", "no address of a witness"),
        (f"ftp://w.example {KEY}", "no address of a witness"),
        (f"http://w.example:99999 {KEY}", "no address of a witness"),
        ("http://w.example witness+12345678+AAAA", "not a key"),
        (f"http://w.example {PLAIN}", "0x04"),
        (f"http://a.example {KEY}, http://b.example {KEY}", "two witnesses have one name"),
    ],
)
def test_a_witness_that_cannot_be_used_is_refused_with_the_reason(tmp_path, given, said):
    with pytest.raises(BadSettings, match=f"LASTGOOD_WITNESSES: .*({said})"):
        load({}, {"LASTGOOD_WITNESSES": given}, tmp_path)


@pytest.mark.parametrize(
    "table", ['witness = "http://w.example"', "[witness]\nurl = 1", "[[witness]]\nurl = 1\nvkey = 2"]
)
def test_a_witness_in_the_file_that_is_none_is_refused(tmp_path, table):
    (tmp_path / "lastgood.toml").write_text(table)
    with pytest.raises(BadSettings, match=r"witnesses in lastgood\.toml"):
        load({}, {}, tmp_path)


@pytest.mark.parametrize("name", ["a log", "a+b", "a\nb", "x" * 201])
def test_a_name_that_no_note_could_bear_is_refused(tmp_path, name):
    with pytest.raises(BadSettings, match="LASTGOOD_ORIGIN: name the log without"):
        load({}, {"LASTGOOD_ORIGIN": name}, tmp_path)
