"""
The cosignatures of a log's checkpoints: kept as witnesses give them, and joined to what is served.
"""

from collections.abc import Sequence
from threading import Lock

from ledger.checkpoint import parse_checkpoint
from ledger.checkpoints import Cosigned
from ledger.note import Note, Signature, Verifier, parse_note


class Cosignatures:
    """Safe to use from many threads; one process writes."""

    def __init__(self, kept: Cosigned) -> None:
        self._kept = kept
        self._lock = Lock()
        newest = kept.newest()
        self._newest = None if newest is None else parse_note(newest)

    @property
    def newest(self) -> Note | None:
        """The largest checkpoint that any witness cosigned, with all cosignatures of it."""
        return self._newest

    def add(self, note: Note, signatures: Sequence[Signature]) -> None:
        """Keeps verified cosignatures of a checkpoint; durable."""
        with self._lock:
            newest = self._newest
            joined = (newest if newest and newest.text == note.text else note).joined_by(signatures)
            self._kept.add(joined.encoded())
            if newest is None or _size(joined) >= _size(newest):
                self._newest = joined

    def joined(self, note: bytes) -> bytes:
        """A checkpoint with the cosignatures that there are of it."""
        newest, parsed = self._newest, parse_note(note)
        if newest is None or newest.text != parsed.text:
            return note
        return parsed.joined_by(newest.signatures).encoded()

    def by(self, witness: Verifier) -> Note | None:
        """The newest checkpoint, if this witness is among those that cosigned it."""
        newest = self._newest
        identity = (witness.name, witness.key_id)
        return newest if newest and any((one.name, one.key_id) == identity for one in newest.signatures) else None


def _size(note: Note) -> int:
    return parse_checkpoint(note.text).size
