"""
Checkpoints: what a log says of itself at one size, as a note that it signed.

The formats are C2SP tlog-checkpoint and, around it, signed-note. The body is
three lines: the origin, which names the log; the number of leaves; the root in
base64. This log adds no extension lines; those of other logs are kept as read.

    LogError
    └── CheckpointError
        ├── MalformedCheckpoint    not a checkpoint's text
        ├── OtherOrigin            another log's
        └── TooFewWitnesses        cosigned by fewer witnesses than asked for
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.merkle import EMPTY_ROOT, HASH_SIZE, LogError
from ledger.note import (
    Note,
    NotSigned,
    Signature,
    Signer,
    Verifier,
    decode_base64,
    encode_base64,
    parse_note,
    signed_note,
    verify_note,
)

MAX_SIZE = 2**63 - 1
"""Readers elsewhere keep a size in 64 bits with a sign."""

DECIMAL = re.compile("0|[1-9][0-9]{0,18}")
"""A size or an index as text, ASCII digits without leading zeroes; may still exceed `MAX_SIZE`."""

_FORBIDDEN = re.compile("[\x00-\x1f\ud800-\udfff]")


class CheckpointError(LogError):
    """A checkpoint that can't be relied on."""


class MalformedCheckpoint(CheckpointError):
    def __init__(self, detail: str) -> None:
        super().__init__(f"this is not a checkpoint: {detail}; fetch it again, byte for byte")
        self.detail = detail


class OtherOrigin(CheckpointError):
    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(f"the checkpoint is of the log {found!r}, not of {wanted!r}: ask the log you mean")
        self.wanted, self.found = wanted, found


class TooFewWitnesses(CheckpointError):
    def __init__(self, wanted: int, found: tuple[str, ...]) -> None:
        super().__init__(
            f"{len(found)} of the witnesses you trust cosigned the checkpoint, and you ask for {wanted}: "
            "fetch it again later, or ask for fewer"
        )
        self.wanted, self.found = wanted, found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the log named *origin* when it had *size* leaves. Raises `MalformedCheckpoint` if it can't be one."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or _FORBIDDEN.search(line):
                raise MalformedCheckpoint("a line of it is empty or holds a control character")
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedCheckpoint(f"it has the size {self.size}, and a size goes from 0 to {MAX_SIZE}")
        if len(self.root) != HASH_SIZE:
            raise MalformedCheckpoint(f"its root has {len(self.root)} bytes, not {HASH_SIZE}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedCheckpoint("its size is 0, and its root is not that of the empty tree")

    def text(self) -> str:
        """The lines that are signed."""
        return "\n".join((self.origin, str(self.size), encode_base64(self.root), *self.extensions, ""))


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint whose signatures were verified, and who made them."""

    checkpoint: Checkpoint
    note: Note
    signatures: dict[Verifier, Signature]
    cosignatures: dict[Verifier, Signature]


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text. Raises `MalformedCheckpoint`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise MalformedCheckpoint("it takes three lines or more, each ending in a newline")
    origin, size, root, *extensions = lines
    if not DECIMAL.fullmatch(size):
        raise MalformedCheckpoint("its second line is not a size: decimal digits, no leading zeroes")
    try:
        decoded = decode_base64(root)
    except ValueError as e:
        raise MalformedCheckpoint(f"of its third line, {e}") from None
    return Checkpoint(origin, int(size), decoded, tuple(extensions))


def signed_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> Note:
    """
    The checkpoint, signed by each of these.

    A log must never sign two that don't extend each other: store this one where
    no other can take its place before anyone sees it.
    """
    return signed_note(checkpoint.text(), *signers)


def open_checkpoint(
    data: bytes, origin: str, log_keys: Iterable[Verifier], witnesses: Iterable[Verifier] = (), quorum: int = 0
) -> OpenedCheckpoint:
    """
    The checkpoint in this signed note, verified: of that origin, signed by one of the log's keys, and cosigned by
    *quorum* of the witnesses or more, counted by name.

    Raises `NoteError` or `CheckpointError`.
    """
    note = parse_note(data)
    signatures = verify_note(note, log_keys)
    cosignatures = _cosignatures(note, tuple(witnesses))
    if len(names := sorted({verifier.name for verifier in cosignatures})) < quorum:
        raise TooFewWitnesses(quorum, tuple(names))
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise OtherOrigin(origin, checkpoint.origin)
    return OpenedCheckpoint(checkpoint, note, signatures, cosignatures)


def _cosignatures(note: Note, witnesses: tuple[Verifier, ...]) -> dict[Verifier, Signature]:
    try:
        return verify_note(note, witnesses)
    except NotSigned:
        return {}
