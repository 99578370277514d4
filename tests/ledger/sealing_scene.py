"""
A log for the tests of sealing: its parts on a folder, a disk that fails, and a check of everything at once.
"""

import os
import signal
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.checkpoint import open_checkpoint
from ledger.checkpoints import CHECKPOINTS, Checkpoints, read_notes
from ledger.disk import Disk
from ledger.hashes import Hashes
from ledger.log_keys import LogKeys
from ledger.merkle import leaf_hash, root, verify_inclusion
from ledger.sealer import Sealed, Sealer
from ledger.tiles import decode_tile, new_tiles

ORIGIN = "ledger.example/prod"


class Written:
    """Leaves that are in memory alone, in the place of a record."""

    def __init__(self, count: int = 0) -> None:
        self.kept: list[bytes] = []
        self.add(count)

    def add(self, count: int) -> None:
        self.kept += [b'{"position":%d}' % (len(self.kept) + number) for number in range(1, count + 1)]

    def head(self) -> int:
        return len(self.kept)

    def leaves(self, after: int, until: int) -> Iterator[bytes]:
        yield from self.kept[after:until]


@dataclass
class Log:
    """The parts of a log in a folder, as one process has them."""

    folder: Path
    keys: LogKeys
    checkpoints: Checkpoints
    hashes: Hashes
    sealer: Sealer

    def turn(self) -> Sealed:
        self.sealer.turn()
        assert self.sealer.sealed is not None
        return self.sealer.sealed

    def close(self) -> None:
        self.sealer.close()


@contextmanager
def opened(folder: Path, events, disk: Disk | None = None) -> Iterator[Log]:
    """As a process that ends, however it ends: the system frees its lock."""
    place = folder / "log"
    checkpoints = Checkpoints(place, disk)
    try:
        keys = LogKeys(place, ORIGIN, disk)
        hashes = Hashes(folder / "hashes", disk)
        yield Log(place, keys, checkpoints, hashes, Sealer(events, keys, checkpoints, hashes))
    finally:
        checkpoints.unlock()


@dataclass(frozen=True)
class Held:
    """What somebody outside holds: a proof of one leaf, and the checkpoint it leads to."""

    index: int
    hashed: bytes
    proof: tuple[bytes, ...]
    note: bytes


def held(sealed: Sealed, index: int) -> Held:
    return Held(index, sealed.tree.leaf_hash(index), tuple(sealed.tree.inclusion_proof(index)), sealed.note)


def check_held(one: Held, keys: LogKeys) -> None:
    """Whoever holds it can verify it, with the keys that are published now."""
    tree = open_checkpoint(one.note, ORIGIN, keys.verifiers()).checkpoint
    verify_inclusion(one.index, tree.size, one.hashed, one.proof, tree.root)


def check_log(log: Log, leaves: list[bytes], seen: list[bytes] = ()) -> None:
    """
    Every checkpoint that is kept is signed and the one root of its size's leaves, so all agree with each other; all
    that was ever seen outside are among them; and every tile holds the hashes that it should.
    """
    hashes = [leaf_hash(leaf) for leaf in leaves]
    notes = list(read_notes(log.folder / CHECKPOINTS))
    trees = [open_checkpoint(note, ORIGIN, log.keys.verifiers()).checkpoint for note in notes]
    sizes = [tree.size for tree in trees]
    assert sizes == sorted(sizes)
    for tree in trees:
        assert tree.root == root(hashes[: tree.size])
    assert set(seen) <= set(notes)
    for tile in new_tiles(0, sizes[-1]):
        span = 256**tile.level
        expected = [root(hashes[start : start + span]) for start in range(tile.leaves.start, tile.leaves.end, span)]
        assert decode_tile(tile, log.hashes.read(tile)) == expected


class PowerCut(BaseException):
    """The machine stands still; nothing may catch it."""


class FaultyDisk(Disk):
    """
    Stops at one of its steps, counted from 0, in one of these ways:

    - `before`, `after`: the process ends there; what it wrote stays;
    - `torn`: it ends in the middle of that write;
    - `power`: as after, and all that was not synced is gone.
    """

    def __init__(self, step: int, way: str, *, kill: bool = False) -> None:
        self._left, self._way, self._kill = step, way, kill
        self._undo: list[tuple[Path, str, bytes | None]] = []

    def put(self, path, descriptor, offset, data):
        self._unsynced(path)
        if self._is_now() and self._way == "torn":
            super().put(path, descriptor, offset, data[: len(data) // 2])
            self._stop()
        self._step(lambda: super(FaultyDisk, self).put(path, descriptor, offset, data))

    def truncate(self, path, descriptor, size):
        self._unsynced(path)
        self._step(lambda: super(FaultyDisk, self).truncate(path, descriptor, size))

    def sync(self, path, descriptor):
        def synced():
            super(FaultyDisk, self).sync(path, descriptor)
            self._undo = [each for each in self._undo if each[:2] != (path, "content")]

        self._step(synced)

    def rename(self, path, to):
        self._undo.append((to, "name", to.read_bytes() if to.exists() else None))

        def renamed():
            super(FaultyDisk, self).rename(path, to)
            # What was not synced under the old name is not under the new one.
            self._undo += [
                (to, what, content) for name, what, content in self._undo if (name, what) == (path, "content")
            ]

        self._step(renamed)

    def sync_folder(self, folder):
        def synced():
            super(FaultyDisk, self).sync_folder(folder)
            self._undo = [each for each in self._undo if (each[0].parent, each[1]) != (folder, "name")]

        self._step(synced)

    def _unsynced(self, path):
        """Its content may be lost until it is synced; if it is new, its name until its folder is."""
        if not path.stat().st_size:
            self._undo.append((path, "name", None))
        self._undo.append((path, "content", path.read_bytes()))

    def _is_now(self):
        return self._left == 0

    def _step(self, action):
        if self._is_now() and self._way == "before":
            self._stop()
        action()
        if self._is_now():
            self._stop()
        self._left -= 1

    def _stop(self):
        if self._way == "power":
            for path, _, content in reversed(self._undo):
                if content is None:
                    path.unlink(missing_ok=True)
                elif path.exists():
                    path.write_bytes(content)
        if self._kill:
            os.kill(os.getpid(), signal.SIGKILL)
        raise PowerCut


def decoded(hashes: list[str]) -> list[bytes]:
    return [b64decode(one) for one in hashes]
