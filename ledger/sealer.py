"""
Sealing: what was recorded becomes part of the signed log.

One turn reads the new events, hashes them, keeps the hashes, signs a checkpoint
over all, keeps that, and only then publishes it. Killed anywhere between, the
next turn, here or after a restart, finishes what was begun: hashes without a
checkpoint are written again, a checkpoint that nobody saw yet is published.

The order is that of other logs (Sunlight's `sequencePool`): a checkpoint is
kept where no other can take its place before anyone sees it, and all that its
tiles need is kept before it.

    LedgerError
    └── Unverified          the events are not those that were signed
        ├── EventsMissing   there are fewer
        ├── EventsDiffer    they have another root
        └── SignedElsewhere the checkpoint is not by a key of this log
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, signed_checkpoint
from ledger.checkpoints import Checkpoints
from ledger.errors import Damaged, LedgerError
from ledger.hashes import DamagedHashes, Hashes
from ledger.log_keys import LogKeys
from ledger.merkle import LogError, leaf_hash, verify_consistency
from ledger.note import encode_base64, parse_note
from ledger.tiles import WIDTH, TiledTree, tile_at

AT_ONCE = 1 << 16
"""Leaves whose hashes are in memory at once."""

_log = logging.getLogger("sealing")


class Unverified(LedgerError):
    """The record is not the one that was signed. Nothing is appended to it or signed until somebody has looked."""

    def __init__(self, size: int, detail: str) -> None:
        super().__init__(
            f"{detail}, so nothing is recorded or signed, and what is read is marked unverified. Stop the server; "
            "`lastgood verify` says what differs. Restore events that fit the checkpoint (`lastgood restore`), or, if "
            "they are lost for good, begin a new log over what is left with `lastgood log restart`"
        )
        self.size = size


class EventsMissing(Unverified):
    def __init__(self, size: int, head: int) -> None:
        super().__init__(size, f"a checkpoint over {size} events was signed, and the record ends at {head}")
        self.head = head


class EventsDiffer(Unverified):
    def __init__(self, size: int, signed: bytes, found: bytes) -> None:
        super().__init__(
            size,
            f"the first {size} events have the root {encode_base64(found)}, and {encode_base64(signed)} was signed",
        )
        self.signed, self.found = signed, found


class SignedElsewhere(Unverified):
    def __init__(self, note: bytes, error: LogError) -> None:
        super().__init__(
            parse_checkpoint(parse_note(note).text).size, f"the newest checkpoint is not this log's: {error}"
        )
        self.error = error


class Events(Protocol):
    """What is sealed: the leaves in order of position."""

    def head(self) -> int: ...
    def leaves(self, after: int, until: int) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint that is published, as it was signed, and the tree that it is of."""

    note: bytes
    checkpoint: Checkpoint
    tree: TiledTree
    signed_at: float
    """Seconds since 1970."""

    @property
    def size(self) -> int:
        return self.checkpoint.size


class Sealer:
    """
    Seals the events of one record. `turn` is called by one thread at a time;
    `sealed` is what is published, to be read by any.
    """

    def __init__(self, events: Events, keys: LogKeys, checkpoints: Checkpoints, hashes: Hashes) -> None:
        self._events, self._keys = events, keys
        self._checkpoints, self._hashes = checkpoints, hashes
        self._is_current = False
        self.sealed: Sealed | None = None

    def turn(self) -> None:
        """
        Publishes what other processes sealed, and seals what is new if it is this one's task.

        Raises:
            Unverified: where the record is not what was signed.
            LogError, LedgerError, OSError: where it failed; what was published stays so, and the next turn goes on.
        """
        was_current, self._is_current = self._is_current, False
        was_ours, is_ours = self._checkpoints.is_locked, self._checkpoints.lock()
        if not (was_current and was_ours):
            self._follow(self.sealed if was_current else None)
        if is_ours:
            self._seal()
        # Not reached after an error: what it left is not known, so the next turn looks at everything again.
        self._is_current = True

    def close(self) -> None:
        """Leaves the sealing to other processes."""
        self._checkpoints.unlock()

    def _follow(self, known: Sealed | None) -> None:
        """Publishes the newest checkpoint that is kept, whoever signed it, unless it is the known one."""
        newest = self._checkpoints.newest()
        if newest is not None and (known is None or newest != known.note):
            self.sealed = self._adopted(newest)

    def _seal(self) -> None:
        """Signs for what was recorded since the newest checkpoint; the first is that of the empty record, or of all."""
        old, head, signer = self.sealed, self._events.head(), self._keys.signer()
        if old is not None and head < old.size:
            raise EventsMissing(old.size, head)
        if old is None or head > old.size:
            tree = self._grown(old, head)
            checkpoint = Checkpoint(self._keys.origin, head, tree.root())
            note = signed_checkpoint(checkpoint, signer)
        elif not _is_signed_by(old.note, signer.verifier.key_id):
            # The key was rotated: whoever knows only the new one is to be able to open the newest checkpoint.
            tree, checkpoint, old_note = old.tree, old.checkpoint, parse_note(old.note)
            note = old_note.joined_by([signer.signature(old_note.text)])
        else:
            return
        encoded = note.encoded()
        open_checkpoint(encoded, self._keys.origin, [signer.verifier])
        self._checkpoints.add(encoded, None if old is None else old.note)
        self.sealed = Sealed(encoded, checkpoint, tree, self._checkpoints.signed_at())

    def _grown(self, old: Sealed | None, head: int) -> TiledTree:
        """The tree of all events, its hashes kept, once what was signed before is found to be its beginning."""
        size = old.size if old else 0
        for hashes in self._leaf_hashes(size, head):
            self._hashes.extend(size, hashes)
            size += len(hashes)
        tree = TiledTree(head, self._hashes.read)
        if old is not None and old.size:
            try:
                verify_consistency(old.size, head, old.checkpoint.root, tree.root(), tree.consistency_proof(old.size))
            except LogError as error:
                raise Damaged(
                    "the kept hashes are not those that were signed: nothing is signed over them, and they are worked "
                    "out anew from the events"
                ) from error
        return tree

    def _adopted(self, note: bytes) -> Sealed:
        """A checkpoint that this process has not published yet, once the record is found to be the one it is of."""
        try:
            checkpoint = open_checkpoint(note, self._keys.origin, self._keys.verifiers()).checkpoint
        except LogError as error:
            raise SignedElsewhere(note, error) from None
        if (head := self._events.head()) < checkpoint.size:
            raise EventsMissing(checkpoint.size, head)
        tree = self._tree(checkpoint.size, known=checkpoint.size)
        if not self._fits(tree, checkpoint.root):
            _log.warning("the hashes of the log do not fit its checkpoint: they are worked out anew from the events")
            tree = self._tree(checkpoint.size, known=0)
            if (found := tree.root()) != checkpoint.root:
                raise EventsDiffer(checkpoint.size, checkpoint.root, found)
        return Sealed(note, checkpoint, tree, self._checkpoints.signed_at())

    def _tree(self, size: int, known: int) -> TiledTree:
        """The tree of the first events, with the hashes of at most *known* of them taken as they are kept."""
        self._hashes.cut(known)
        known = self._hashes.size()
        for hashes in self._leaf_hashes(known, size):
            self._hashes.extend(known, hashes)
            known += len(hashes)
        return TiledTree(size, self._hashes.read)

    def _fits(self, tree: TiledTree, root: bytes) -> bool:
        """
        Whether the kept hashes have this root, and the last events are those whose hashes they are.

        Each leaf holds its place, its time and a random id, so a record that
        was restored and then went another way differs in its last one.
        """
        try:
            if tree.size == 0 or tree.root() != root:
                return tree.root() == root
            last = tile_at(0, (tree.size - 1) // WIDTH, tree.size)
            return self._hashes.read(last) == b"".join(*self._leaf_hashes(*last.leaves))
        except DamagedHashes:
            return False

    def _leaf_hashes(self, after: int, until: int) -> Iterator[list[bytes]]:
        leaves = self._events.leaves(after, until)
        while hashes := list(map(leaf_hash, islice(leaves, AT_ONCE))):
            yield hashes


def _is_signed_by(note: bytes, key_id: bytes) -> bool:
    return any(signature.key_id == key_id for signature in parse_note(note).signatures)
