"""
A process that records and seals, and is killed by its own disk at one step after the other. Run as a program.

Each life is a fork of its own, on the same folder, so each finds what the one
before left. A line of JSON on standard output is what somebody outside then
holds: it was printed before the kill.
"""

import json
import os
import sys
from base64 import b64encode
from itertools import count
from pathlib import Path

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from ledger.events import DeploymentSucceeded
from ledger.hashes import Hashes
from ledger.leaves import Leaves
from ledger.log_keys import LogKeys, rotate_key
from ledger.sealer import Sealer
from tests.ledger.scene import append, draft
from tests.ledger.sealing_scene import ORIGIN, FaultyDisk


def live(folder: Path, life: int, disk: FaultyDisk) -> None:
    ledger = Ledger(folder)
    place = folder / "log"
    keys = LogKeys(place, ORIGIN, disk)
    sealer = Sealer(Leaves(ledger), keys, Checkpoints(place, disk), Hashes(folder / "hashes", disk))
    for number in range(3):
        names = [f"{life}-{number}-{each}" for each in range(1 + 5 * number)]
        deployments = [
            draft(DeploymentSucceeded(deployment_id=name, service="s", environment="e", version="1"), id=name)
            for name in names
        ]
        append(ledger, *deployments)
        sealer.turn()
        tell(sealer)
    rotate_key(place, disk)
    sealer.turn()
    tell(sealer)
    ledger.close()


def tell(sealer: Sealer) -> None:
    index = sealer.sealed.size - 1
    held = {
        "index": index,
        "hashed": b64encode(sealer.sealed.tree.leaf_hash(index)).decode(),
        "proof": [b64encode(each).decode() for each in sealer.sealed.tree.inclusion_proof(index)],
        "note": sealer.sealed.note.decode(),
    }
    os.write(1, json.dumps(held).encode() + b"\n")


def main() -> None:
    folder, life = Path(sys.argv[1]), count()
    for way in ("before", "after", "torn"):
        for step in count():
            if (child := os.fork()) == 0:
                live(folder, next(life), FaultyDisk(step, way, kill=True))
                os._exit(0)
            next(life)
            _, status = os.waitpid(child, 0)
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0, f"{way} {step} ended with {status}"
                break
            assert os.WIFSIGNALED(status)


main()
