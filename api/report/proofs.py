"""
What the log says about a report: the leaf of each event, and the first checkpoint that covers them all.

The first, not the newest: it stays the same however often the report is asked for.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from api.service import Service
from api.transparency import SEAL_PATIENCE_S, place_of
from ledger.checkpoint import parse_checkpoint
from ledger.checkpoints import CHECKPOINTS
from ledger.note import encode_base64, parse_note
from ledger.verify import leaf_hash

LONGEST_NOTE = 1 << 16

_NOTE = re.compile(rb"(?:[^\n]+\n)+\n(?:\xe2\x80\x94 [^\n]+\n)+(?=\n)")
_SIGNATURE = re.compile(rb"\n\xe2\x80\x94 [^\n]+\n\n")
"""The last of a note, and the empty line behind it."""


class LogProofs:
    """Of the log that a server runs."""

    def __init__(self, held: Service) -> None:
        self._held = held
        self._path = place_of(held.settings) / CHECKPOINTS

    def leaf_hash(self, position: int) -> str:
        return leaf_hash(self._held.ledger.row(position).state).hex()

    def checkpoint(self, position: int) -> Mapping[str, Any] | None:
        """The first that covers a position, once there is one; None where it is not signed in time."""
        if self._held.log.wait(position, SEAL_PATIENCE_S) is None:
            return None
        return first_covering(self._path, position)


def first_covering(path: Path, position: int) -> Mapping[str, Any] | None:
    """The first checkpoint in a file of them whose tree has the leaf of a position; sizes never fall."""
    with path.open("rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            found = _note(file, middle)
            if found is not None and found["size"] < position:
                low = middle + 1
            else:
                high = middle
        found = _note(file, low)
    return found if found is not None and found["size"] >= position else None


def _note(file: IO[bytes], offset: int) -> dict[str, Any] | None:
    """The first note of a file; of an offset, the first behind a signature that begins there or later."""
    file.seek(offset)
    content = file.read(2 * LONGEST_NOTE)
    if offset:
        before = _SIGNATURE.search(content)
        if before is None:
            return None
        content = content[before.end() :]
    note = _NOTE.match(content)
    if note is None:
        return None
    told = parse_checkpoint(parse_note(note[0]).text)
    return {"origin": told.origin, "size": told.size, "root": encode_base64(told.root)}
