"""Sealing in processes that are killed, over a real store: whatever they gave out before holds afterwards."""

import json
import random
import subprocess
import sys
from base64 import b64decode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from threading import Event

import pytest

from ledger.application import Ledger
from ledger.checkpoint import open_checkpoint
from ledger.checkpoints import CHECKPOINTS, read_notes
from ledger.leaves import Leaves
from ledger.log_keys import LogKeys
from ledger.merkle import leaf_hash, root, verify_inclusion
from tests.ledger.sealing_scene import Held, check_held, check_log, opened
from tests.server import Server

ROOT = Path(__file__).parents[2]


def test_a_process_that_is_killed_at_every_step_leaves_a_log_that_keeps_its_word(tmp_path):
    """Killed by SIGKILL before, after and within each write of the log's files, one life after the other."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.ledger.sealing_child", tmp_path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    outside = [held(json.loads(line)) for line in ran.stdout.splitlines()]
    assert len(outside) > 100
    with Ledger(tmp_path) as ledger:
        events = Leaves(ledger)
        with opened(tmp_path, events) as log:
            assert log.turn().size == events.head()
            check_log(log, list(events.leaves(0, events.head())), [each.note for each in outside])
            for each in outside:
                check_held(each, log.keys)


def held(line):
    return Held(line["index"], b64decode(line["hashed"]), tuple(map(b64decode, line["proof"])), line["note"].encode())


@pytest.mark.slow
def test_a_server_that_is_killed_under_load_keeps_its_word(tmp_path):
    """Every receipt with proof that a caller ever got verifies, and all checkpoints are of one history."""
    draw, receipts = random.Random(3), []
    server = Server(tmp_path).start()
    for life in range(4):
        stopped = Event()
        with ThreadPoolExecutor(8) as pool:
            callers = [pool.submit(call, server, f"{life}-{caller}", stopped, receipts) for caller in range(8)]
            stopped.wait(draw.uniform(0.2, 1.5))
            server.kill()
            stopped.set()
        for each in callers:
            each.result()
        server.start()
    position = server.client("pipeline").append(deployment("the last"))["position"]
    server.stop()

    assert len(receipts) > 40
    keys = LogKeys(server.data / "log").verifiers()
    with Ledger(server.data) as ledger:
        hashes = list(map(leaf_hash, Leaves(ledger).leaves(0, ledger.head())))
    sizes = check_checkpoints(server.data / "log" / CHECKPOINTS, keys, hashes)
    assert sizes[-1] == len(hashes) >= position
    for receipt in receipts:
        tree = open_checkpoint(receipt["checkpoint"].encode(), keys[0].name, keys).checkpoint
        assert tree.size in sizes
        assert b64decode(receipt["leaf_hash"]) == hashes[receipt["position"] - 1]
        proof = list(map(b64decode, receipt["inclusion_proof"]))
        verify_inclusion(receipt["position"] - 1, tree.size, b64decode(receipt["leaf_hash"]), proof, tree.root)


def call(server: Server, name: str, stopped: Event, receipts: list) -> None:
    number = 0
    while not stopped.is_set():
        number += 1
        try:
            answer = server.client("pipeline").post("/v1/events", deployment(f"{name}-{number}"), wait="sealed")
        except (OSError, HTTPException):
            continue
        assert answer.status == 201
        receipts.append(answer.json())


def check_checkpoints(path: Path, keys: Sequence, hashes: list[bytes]) -> list[int]:
    sizes = []
    for note in read_notes(path):
        tree = open_checkpoint(note, keys[0].name, keys).checkpoint
        assert tree.root == root(hashes[: tree.size])
        sizes.append(tree.size)
    assert sizes == sorted(set(sizes))
    return sizes


def deployment(name: str) -> dict:
    data = {"deployment_id": name, "service": "s", "environment": "e", "version": "1"}
    return {"type": "deployment.succeeded", "data": data}
