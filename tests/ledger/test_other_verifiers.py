"""
What is written here, read by a program that nobody here wrote: Go's checksum-database packages.

tests/ledger/go/oracle.go asks golang.org/x/mod/sumdb/{tlog,note} and answers in
JSON. It needs Go and that package (Debian: golang-go, golang-golang-x-mod-dev);
without them these tests are skipped, except in CI, where they fail.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
from base64 import b64decode, b64encode

import pytest

from ledger.checkpoint import Checkpoint, parse_checkpoint, signed_checkpoint
from ledger.merkle import CompactRange, consistency_proof, inclusion_proof, leaf_hash, root
from ledger.note import COSIGNATURE_V1, Signature, Signer, Verifier, parse_note, signed_note, verify_note
from ledger.tiles import (
    Bundle,
    Tile,
    TiledTree,
    encode_bundle,
    extended_tiles,
    new_bundles,
    new_tiles,
)

SOURCE = pathlib.Path(__file__).parent / "go" / "oracle.go"
GOPATH = pathlib.Path("/usr/share/gocode")

ORIGIN = "ledger.example/prod"
LOG = Signer(ORIGIN, bytes(range(32)))
LEAVES = [b'{"position":%d}' % number for number in range(1, 1301)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """Asks questions of Go, and returns its answers in the same order."""
    if missing := missing_tool():
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    built = tmp_path_factory.mktemp("go")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(built / "cache"),
        "GOFLAGS": "",
    }
    subprocess.run(["go", "build", "-o", built / "oracle", SOURCE], env=environment, check=True)

    def ask(*questions):
        lines = "".join(json.dumps(question, default=as_json) + "\n" for question in questions)
        done = subprocess.run([built / "oracle"], input=lines, capture_output=True, text=True, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(questions)
        return answers

    return ask


def missing_tool():
    if not shutil.which("go"):
        return "Go is not installed (Debian: golang-go)"
    if not (GOPATH / "src/golang.org/x/mod/sumdb").exists():
        return "golang.org/x/mod is not installed (Debian: golang-golang-x-mod-dev)"
    return None


def as_json(value):
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


def decoded(hashes):
    return [b64decode(one) for one in hashes]


def test_go_finds_the_same_roots_and_makes_the_same_proofs(oracle):
    """Two ways of hashing and proving, which share no line, on trees of all shapes."""
    draw = random.Random(1)
    for size in [1, 2, 3, 7, 8, 9, 255, 256, 257, *draw.sample(range(10, 1300), 20)]:
        index, old_size = draw.randrange(size), draw.randint(1, size)
        leaves = LEAVES[:size]
        whole, inclusion, history = oracle(
            {"Ask": "root", "Leaves": leaves},
            {"Ask": "prove inclusion", "Leaves": leaves, "Size": size, "Index": index},
            {"Ask": "prove history", "Leaves": leaves, "Size": size, "OldSize": old_size},
        )
        assert b64decode(whole["root"]) == root(HASHES[:size])
        assert decoded(inclusion.get("proof", [])) == inclusion_proof(index, size, HASHES)
        assert decoded(history.get("proof", [])) == consistency_proof(old_size, size, HASHES)


def test_go_takes_good_proofs_and_refuses_spoilt_ones(oracle):
    questions, good = [], []
    for size in range(2, 70):
        index, old_size = size // 3, max(1, size // 2)
        tree = {"Size": size, "Root": root(HASHES[:size])}
        inclusion = tree | {
            "Ask": "inclusion",
            "Index": index,
            "Leaf": HASHES[index],
            "Proof": inclusion_proof(index, size, HASHES),
        }
        history = tree | {
            "Ask": "consistency",
            "OldSize": old_size,
            "OldRoot": root(HASHES[:old_size]),
            "Proof": consistency_proof(old_size, size, HASHES),
        }
        for question in (inclusion, history):
            questions += [question, question | {"Proof": [*question["Proof"][:-1], bytes(32)]}]
            good += [True, False]
    assert ["error" not in answer for answer in oracle(*questions)] == good


def test_go_opens_what_is_signed_here_and_the_other_way_round(oracle):
    text = f"{ORIGIN}\n3\nany text — Ünïcode too\n\nwith an empty line\n"
    signed = signed_note(text, LOG)
    vkeys = [LOG.verifier.vkey()]
    opened, theirs, spoilt = oracle(
        {"Ask": "open", "Note": signed.encoded(), "VKeys": vkeys},
        {"Ask": "sign", "Text": text, "SKey": LOG.skey()},
        {"Ask": "open", "Note": signed.encoded().replace(b"any", b"Any"), "VKeys": vkeys},
    )
    assert opened == {"text": text, "signed": [f"{ORIGIN}+{LOG.verifier.key_id.hex()}"]}
    assert b64decode(theirs["note"]) == signed.encoded()
    assert verify_note(parse_note(b64decode(theirs["note"])), [LOG.verifier])
    assert "invalid signature" in spoilt["error"]


def test_go_finds_a_witness_cosignature_beside_the_logs_signature(oracle):
    """The witness' rule is written in Go from the specification, apart from ours."""
    witness = Signer("witness.example/w1", bytes(range(1, 33)))
    key = Verifier(witness.verifier.name, witness.verifier.public_key, COSIGNATURE_V1)
    text = Checkpoint(ORIGIN, 3, root(HASHES[:3])).text()
    value = witness.signature(f"cosignature/v1\ntime 1700000000\n{text}").value
    cosignature = Signature(key.name, key.key_id, (1_700_000_000).to_bytes(8) + value)
    cosigned = signed_note(text, LOG).joined_by([cosignature])
    assert list(verify_note(cosigned, [LOG.verifier, key])) == [LOG.verifier, key]
    (opened,) = oracle({"Ask": "open", "Note": cosigned.encoded(), "VKeys": [LOG.verifier.vkey(), key.vkey()]})
    assert opened["signed"] == [f"{each.name}+{each.key_id.hex()}" for each in (LOG.verifier, key)]


def test_go_names_the_same_tiles(oracle):
    """Each path leads Go to the tile we mean, and a growing tree to the same new tiles."""
    named = [Tile(0, 0), Tile(0, 5, 7), Tile(2, 1000), Tile(63, 1_234_067, 255), Bundle(1_234_067, 1), Bundle(999)]
    for tile, answer in zip(named, oracle(*({"Ask": "tile", "Path": one.path} for one in named)), strict=True):
        level = -1 if isinstance(tile, Bundle) else tile.level
        assert answer == {"tile": {"H": 8, "L": level, "N": tile.index, "W": tile.width}}
    growths = [
        (0, 0),
        (0, 1),
        (0, 70_000),
        (1, 256),
        (255, 257),
        (256, 512),
        (65_535, 65_536),
        (300, 300),
        (1000, 70_000),
    ]
    asked = ({"Ask": "tiles", "OldSize": old_size, "Size": size} for old_size, size in growths)
    for (old_size, size), answer in zip(growths, oracle(*asked), strict=True):
        assert answer.get("tiles", []) == [tile.path for tile in new_tiles(old_size, size)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 1300])
def test_go_reads_a_published_log_whole(oracle, tmp_path, size):
    """Checkpoint, every leaf's hash by its proof from the tiles, every entry of the bundles; and proves one leaf."""
    publish(tmp_path, size)
    tree = TiledTree(size, lambda tile: (tmp_path / tile.path).read_bytes())
    index = size * 2 // 3
    question = {"Ask": "published log", "Log": tmp_path, "VKeys": [LOG.verifier.vkey()], "Index": index}
    (answer,) = oracle(question)
    assert "error" not in answer
    assert decoded(answer.get("proof", [])) == tree.inclusion_proof(index)


@pytest.mark.parametrize("path", ["checkpoint", *(one.path for one in (*new_tiles(0, 300), *new_bundles(0, 300)))])
def test_go_sees_any_change_to_a_published_file(oracle, tmp_path, path):
    """Whichever file is touched; so the test above could have failed."""
    publish(tmp_path, 300)
    data = bytearray((tmp_path / path).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / path).write_bytes(data)
    (answer,) = oracle({"Ask": "published log", "Log": tmp_path, "VKeys": [LOG.verifier.vkey()], "Index": 0})
    assert answer["error"]


def publish(folder, size):
    """Publishes in two steps, as a log that grew: tiles of the first part are read again for the second."""
    half = size // 2
    for begin, hashes in ((0, HASHES[:half]), (half, HASHES[half:size])):
        for tile, data in extended_tiles(begin, hashes, lambda tile: (folder / tile.path).read_bytes()):
            write(folder / tile.path, data)
    for bundle in new_bundles(0, size):
        write(folder / bundle.path, encode_bundle(bundle, LEAVES[slice(*bundle.leaves)]))
    tree_root = CompactRange().extended(HASHES[:size]).root()
    (folder / "checkpoint").write_bytes(signed_checkpoint(Checkpoint(ORIGIN, size, tree_root), LOG).encoded())


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_go_reads_the_served_log_whole(oracle, server):
    """Over HTTP, with nothing but the URL and the key: every tile, every entry; and it takes a served receipt."""
    events = [
        {"type": "metric.observed", "data": {"name": f"m{number}", "value": 1, "unit": "1"}} for number in range(300)
    ]
    receipt = server.client("pipeline").post("/v1/events", events, wait="sealed").json()["receipts"][-1]
    index, note = receipt["position"] - 1, parse_note(receipt["checkpoint"].encode())
    tree = parse_checkpoint(note.text)
    vkeys = server.client(None).get("/log.vkey").body.decode().splitlines()
    question = {"Ask": "published log", "Log": server.url, "VKeys": vkeys, "Index": index}
    inclusion = {
        "Ask": "inclusion",
        "Size": tree.size,
        "Root": tree.root,
        "Index": index,
        "Leaf": receipt["leaf_hash"],
        "Proof": receipt["inclusion_proof"],
    }
    whole, opened, included, by_stranger = oracle(
        question,
        {"Ask": "open", "Note": note.encoded(), "VKeys": vkeys},
        inclusion,
        question | {"VKeys": [LOG.verifier.vkey()]},
    )
    assert "error" not in whole
    assert int(whole["text"].splitlines()[1]) >= receipt["position"]
    assert opened["text"] == note.text
    assert "error" not in included
    assert "no verifiable signatures" in by_stranger["error"]
