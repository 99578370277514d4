"""
A log as it is served, verified from outside: C2SP tlog-tiles, read by whatever fetches its paths.

Every bundle of entries is read and hashed anew, every tile compared with the
hashes that its entries have, and the whole with the signed checkpoint. What
was verified before is remembered: the log must go on from there, so that one
who asks again and again can't be shown two histories.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ledger.canonical import canonical
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.codec import FORMAT
from ledger.merkle import EMPTY_ROOT, CompactRange, LogError, leaf_hash, root
from ledger.note import NotSigned, Verifier
from ledger.tiles import WIDTH, Bundle, Tile, decode_bundle, decode_tile, new_bundles
from ledger.verify import Report

Read = Callable[[str], bytes]
"""Fetches a path of the log."""

Progress = Callable[[int, int], None]


class NotServed(LogError):
    """A path that the log does not serve, though its checkpoint calls for it."""


class NewKey(LogError):
    def __init__(self, error: NotSigned) -> None:
        super().__init__(
            f"the checkpoint is {error}. If the log has a new key, whoever runs it says so: give that one with --key"
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier verification found: the log's keys and the checkpoint then."""

    keys: tuple[Verifier, ...]
    checkpoint: bytes

    def encoded(self) -> str:
        keys = [key.vkey() for key in self.keys]
        return json.dumps({"keys": keys, "checkpoint": self.checkpoint.decode()}, indent=1) + "\n"

    @classmethod
    def parsed(cls, text: str) -> "Known":
        """Raises `LogError`, `ValueError`, `KeyError` or `TypeError` for what is not as written by `encoded`."""
        found: Any = json.loads(text)
        return cls(tuple(map(Verifier.from_vkey, found["keys"])), found["checkpoint"].encode())


@dataclass
class Served(Report):
    """What was found: how many events there are, their root, and what to remember (None where something differs)."""

    head: int = 0
    root: bytes = EMPTY_ROOT
    known: Known | None = field(default=None)


def verify_served(
    read: Read,
    known: Known | None = None,
    older: Sequence[bytes] = (),
    keys: Sequence[Verifier] = (),
    progress: Progress = lambda _done, _of: None,
) -> Served:
    """
    All that can be checked from outside. *keys* are those of the log, known from elsewhere; else those of the earlier
    verification count; else those that the log itself publishes.
    """
    report = Served()
    try:
        reader = _Reader(read, known, keys, report)
        reader.read_all(older, progress)
    except (LogError, ValueError) as error:
        report.differs(str(error))
    if not report.differences:
        report.known = Known(reader.trusted, reader.note)
    return report


class _Reader:
    def __init__(self, read: Read, known: Known | None, keys: Sequence[Verifier], report: Served) -> None:
        self._read, self._report, self._known = read, report, known
        published = tuple(map(Verifier.from_vkey, read("log.vkey").decode().splitlines()))
        self.trusted = tuple(keys) or (known.keys if known else published)
        self._all_keys = tuple(dict.fromkeys((*self.trusted, *published)))
        self.note = read("checkpoint")
        try:
            self._tree = open_checkpoint(self.note, self.trusted[0].name, self.trusted).checkpoint
        except NotSigned as error:
            raise NewKey(error) from None
        if not keys and known is None:
            names = " and ".join(f"{key.name}+{key.key_id.hex()}" for key in self.trusted)
            report.remarks.append(f"only the log itself vouches for its key {names}: compare it with the one you know")
        self._time = ""
        self._revisions: dict[str, int] = {}

    def read_all(self, older: Sequence[bytes], progress: Progress) -> None:
        claims = [self._opened(each) for each in ((self._known.checkpoint,) if self._known else ()) + tuple(older)]
        size, sizes = self._tree.size, {each.size for each in claims}
        grown, tiles, roots = CompactRange(), list[bytes](), {0: EMPTY_ROOT}
        for bundle in new_bundles(0, size):
            hashes = self._hashes(bundle)
            for asked in sorted(each for each in sizes if bundle.leaves.start < each <= bundle.leaves.end):
                roots[asked] = grown.extended(hashes[: asked - bundle.leaves.start]).root()
            grown = grown.extended(hashes)
            tiles += [root(hashes)] if len(hashes) == WIDTH else []
            progress(grown.size, size)
        self._check_levels(tiles)
        self._report.head, self._report.root = size, grown.root()
        if grown.root() != self._tree.root:
            self._report.differs(
                f"the entries have the root {grown.root().hex()}, and {self._tree.root.hex()} is signed"
            )
        for each in claims:
            self._compare(each, roots)
        self._report.told.insert(0, f"{size} events, root {grown.root().hex()}")

    def _opened(self, note: bytes) -> Checkpoint:
        # Older ones may be signed by keys that were replaced since, and those stay published.
        return open_checkpoint(note, self.trusted[0].name, self._all_keys).checkpoint

    def _compare(self, claim: Checkpoint, roots: dict[int, bytes]) -> None:
        size, kept = self._tree.size, f"the checkpoint of {claim.size} events that you had"
        if claim.size > size:
            told = f"the log has {size} events now, less than {kept}: positions {size + 1} to {claim.size} are gone"
            self._report.differs(told, size + 1, claim.size)
        elif roots[claim.size] != claim.root:
            self._report.differs(f"{kept} is of another history than the one that is served", 1, claim.size)
        else:
            self._report.told.append(f"goes on from {kept}")

    def _hashes(self, bundle: Bundle) -> list[bytes]:
        """Of the entries of a bundle, each looked at and compared with the hash that the log serves."""
        entries = decode_bundle(bundle, self._read(bundle.path))
        hashes = list(map(leaf_hash, entries))
        tile = Tile(0, bundle.index, bundle.width)
        served = decode_tile(tile, self._read(tile.path))
        for position, entry in enumerate(entries, bundle.leaves.start + 1):
            index = position - bundle.leaves.start - 1
            if hashes[index] != served[index]:
                told = f"its leaf hash is {hashes[index].hex()}, the log has {served[index].hex()}"
                self._report.differs(f"position {position} was changed: {told}", position)
            try:
                self._check_entry(position, entry)
            except (ValueError, KeyError, TypeError) as error:
                self._report.differs(f"position {position} has a leaf that can't be read: {error}", position)
        return hashes

    def _check_entry(self, position: int, entry: bytes) -> None:
        said = orjson.loads(entry)
        stream, revision = said["stream"], said["revision"]
        if said["position"] != position:
            self._report.differs(f"position {position} has a leaf that says position {said['position']}", position)
        if said["format"] != FORMAT or canonical(said) != entry:
            self._report.differs(
                f"position {position} has a leaf of another format, or not in canonical form", position
            )
        if revision != self._revisions.get(stream, 0) + 1:
            told = f"is revision {revision} of {stream}, after revision {self._revisions.get(stream, 0)}"
            self._report.differs(f"position {position} {told}", position)
        if said["recordedtime"] < self._time:
            self._report.differs(f"position {position} says it was recorded before the one before it", position)
        self._revisions[stream], self._time = revision, said["recordedtime"]

    def _check_levels(self, roots: list[bytes]) -> None:
        """The tiles above the leaves, partial ones too."""
        level = 1
        while roots:
            for index in range(-(-len(roots) // WIDTH)):
                wanted = roots[index * WIDTH : (index + 1) * WIDTH]
                tile = Tile(level, index, len(wanted))
                if decode_tile(tile, self._read(tile.path)) != wanted:
                    first, last = tile.leaves.start + 1, tile.leaves.end
                    self._report.differs(
                        f"{tile.path} has other hashes than its leaves, {first} to {last}", first, last
                    )
            full = len(roots) // WIDTH
            roots = [root(roots[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
            level += 1
