"""
The served log, judged by programs that nobody here wrote: sigstore's Python code, an auditor's command line, a witness.

They need a network to be installed from the first time; see tests/foreign.py.
"""

import json
import socket
import subprocess
import time
from base64 import b64decode, b64encode
from copy import deepcopy
from http.client import HTTPConnection
from pathlib import Path

import pytest

from ledger.checkpoint import Checkpoint, open_checkpoint, signed_checkpoint
from ledger.checkpoints import Checkpoints
from ledger.log_keys import LogKeys
from ledger.merkle import leaf_hash, root
from ledger.note import Verifier, parse_note
from ledger.tiles import Bundle, decode_bundle
from ledger.witness import NotCosigned, OtherSize, Witness, read_answer
from tests.foreign import environment
from tests.server import Server

pytestmark = pytest.mark.slow

SIGSTORE = "sigstore==4.5.1"
AICS_WITNESS = "aics-witness==0.1.0"


def metrics(count):
    return [
        {"type": "metric.observed", "data": {"name": f"m{number}", "value": 1, "unit": "1"}} for number in range(count)
    ]


# sigstore


@pytest.fixture(scope="module")
def sigstore(request):
    python = environment(request.config.cache, SIGSTORE) / "python"
    script = Path(__file__).with_name("sigstore_oracle.py")

    def judge(question):
        done = subprocess.run([python, script], input=json.dumps(question), capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr.strip()

    return judge


def test_sigstore_takes_a_served_receipt_and_refuses_a_spoilt_one(sigstore, server):
    """Its checkpoint code and its Merkle code, on what a pipeline gets."""
    receipt = server.client("pipeline").post("/v1/events", metrics(300), wait="sealed").json()["receipts"][123]
    place, index = divmod(receipt["position"] - 1, 256)
    bundle = Bundle(place, index + 1)
    leaf = decode_bundle(bundle, server.client(None).get(f"/{bundle.path}").body)[index]
    vkey = server.client(None).get("/log.vkey").body.decode().splitlines()[0]
    question = {"receipt": receipt, "leaf": b64encode(leaf).decode(), "vkey": vkey}
    assert sigstore(question) == ""

    spoilt = deepcopy(question)
    spoilt["leaf"] = b64encode(leaf + b" ").decode()
    assert "invalid root hash" in sigstore(spoilt)
    spoilt = deepcopy(question)
    size = receipt["checkpoint"].split("\n")[1]
    spoilt["receipt"]["checkpoint"] = receipt["checkpoint"].replace(f"\n{size}\n", f"\n{int(size) + 1}\n")
    assert "invalid signature" in sigstore(spoilt)
    spoilt = deepcopy(question)
    spoilt["receipt"]["inclusion_proof"].pop()
    assert "wrong size" in sigstore(spoilt)


# aics-tlog


@pytest.fixture(scope="module")
def aics_tlog(request):
    executables = environment(request.config.cache, AICS_WITNESS, newest_too_old=(3, 11))

    def run(verb, server, *arguments):
        vkey = server.client(None).get("/log.vkey").body.decode().splitlines()[0]
        asked = [executables / "aics-tlog", verb, "--tiles", server.url, "--log-key", vkey, *arguments]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    return run


def test_aics_tlog_audits_the_served_log(aics_tlog, tmp_path):
    """As an auditor would with its command line: the checkpoint, its growth from a kept one, and an entry."""
    kept, entry = tmp_path / "kept", tmp_path / "entry"
    server = Server(tmp_path / "server").start()
    try:
        server.client("pipeline").post("/v1/events", metrics(300), wait="sealed")
        assert aics_tlog("verify-checkpoint", server, "--save-checkpoint", kept)[0] == 0
        receipt = server.client("pipeline").post("/v1/events", metrics(300), wait="sealed").json()["receipts"][7]
        code, told = aics_tlog("verify-consistency", server, "--old-checkpoint", kept)
        assert (code, told["ok"]) == (0, True)
        assert told["new_size"] >= told["old_size"] + 300
        index, hashed = receipt["position"] - 1, b64decode(receipt["leaf_hash"])
        proven = aics_tlog(
            "verify-inclusion", server, "--index", str(index), "--leaf-hash", hashed.hex(), "--entry-out", entry
        )
        assert (proven[0], proven[1]["ok"]) == (0, True)
        assert leaf_hash(entry.read_bytes()) == hashed
        assert json.loads(entry.read_bytes())["id"] == receipt["id"]
        wrong = aics_tlog("verify-inclusion", server, "--index", str(index + 1), "--leaf-hash", hashed.hex())
        assert (wrong[0] != 0, wrong[1]["ok"]) == (True, False)
    finally:
        server.close()


# aics-witness


class AicsWitness:
    """The program, running in a folder on a free port."""

    def __init__(self, executables: Path, folder: Path) -> None:
        self._program, self._folder = executables / "aics-witness", folder
        self.key = Verifier.from_vkey(self._run("init", "--name", "witness.example/aics").split()[-1])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen | None = None

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [self._program, *arguments], cwd=self._folder, capture_output=True, text=True, check=True
        ).stdout

    def watch(self, key: Verifier) -> None:
        self._run("add-log", "--origin", key.name, "--vkey", key.vkey())

    def start(self) -> None:
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [self._program, "serve", "--listen", f"127.0.0.1:{self.port}"], cwd=self._folder, stdout=out, stderr=out
            )
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < until, (self._folder / "out").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def ask(self, body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/add-checkpoint", body)
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def evidence(self) -> str:
        return self._run("evidence")


@pytest.fixture
def aics(request, tmp_path):
    folder = tmp_path / "witness"
    folder.mkdir()
    made = AicsWitness(environment(request.config.cache, AICS_WITNESS, newest_too_old=(3, 11)), folder)
    yield made
    made.stop()


def cosigned(server, key, at_least):
    """The served checkpoint, as soon as it has so many events and this witness' cosignature."""
    until = time.monotonic() + 20
    while True:
        note = server.client(None).get("/checkpoint").body
        parsed = parse_note(note)
        size = int(parsed.text.splitlines()[1])
        if size >= at_least and any(each.key_id == key.key_id for each in parsed.signatures):
            return note
        assert time.monotonic() < until, note
        time.sleep(0.05)


def test_a_foreign_witness_cosigns_the_log_and_refuses_a_fork_and_a_rollback(aics, tmp_path):
    """It cosigns what grew, also after a restart; never what was rolled back, nor what went another way."""
    server = Server(tmp_path / "server", origin="ledger.example/aics", witnesses=f"{aics.url} {aics.key.vkey()}")
    keys = LogKeys(server.data / "log", "ledger.example/aics")
    aics.watch(keys.signer().verifier)
    aics.start()
    server.start()
    try:
        for _ in range(3):
            last = server.client("pipeline").append(*metrics(150))["last"]
            note = cosigned(server, aics.key, last)
            opened = open_checkpoint(note, keys.origin, keys.verifiers(), [aics.key], quorum=1)
            assert opened.checkpoint.size >= last
        measured = server.client("auditor").get("/metrics").body.decode()
        assert f'lastgood_witness_size{{witness="{aics.key.name}"}} {float(opened.checkpoint.size)}' in measured
        bundles = [Bundle(0), Bundle(1, opened.checkpoint.size - 256)]
        leaves = [leaf for one in bundles for leaf in decode_bundle(one, server.client(None).get(f"/{one.path}").body)]
    finally:
        server.close()

    hashes, size = list(map(leaf_hash, leaves)), opened.checkpoint.size
    configured = Witness(aics.url, aics.key)
    rollback = signed_checkpoint(Checkpoint(keys.origin, 100, root(hashes[:100])), keys.signer())
    with pytest.raises(OtherSize) as told:
        read_answer(configured, rollback, *aics.ask(b"old 0\n\n" + rollback.encoded()))
    assert told.value.size == size
    hashes[50] = leaf_hash(b"something else")
    fork = signed_checkpoint(Checkpoint(keys.origin, size, root(hashes)), keys.signer())
    with pytest.raises(NotCosigned, match="422"):
        read_answer(configured, fork, *aics.ask(b"old %d\n\n" % size + fork.encoded()))
    assert keys.origin in aics.evidence()


def test_a_log_that_lost_its_checkpoints_and_went_another_way_is_refused_by_the_witness(aics, tmp_path):
    """Nothing here remembers; the witness does, and the log says so where its operator looks."""
    server = Server(tmp_path / "server", origin="ledger.example/aics", witnesses=f"{aics.url} {aics.key.vkey()}")
    keys = LogKeys(server.data / "log", "ledger.example/aics")
    aics.watch(keys.signer().verifier)
    aics.start()
    server.start()
    try:
        last = server.client("pipeline").append(*metrics(20))["last"]
        cosigned(server, aics.key, last)
        server.stop()
        for path in (*server.data.glob("events.sqlite*"), *server.data.glob("log/c*"), *server.data.glob("hashes/*")):
            path.unlink()
        server.tokens = {"pipeline": server.token("pipeline"), "auditor": server.token("auditor")}
        server.start()
        assert Checkpoints(server.data / "log").newest() is not None
        server.client("pipeline").append(*metrics(60))
        until = time.monotonic() + 20
        while "answered 422" not in server.logged():
            assert time.monotonic() < until, server.logged()
            time.sleep(0.1)
        assert "the record was changed" in server.logged()
        assert server.client(None).get("/readyz").status == 200
    finally:
        server.close()
