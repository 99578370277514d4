"""
What a log and a witness say to each other: C2SP tlog-witness, the call add-checkpoint.

A log sends a checkpoint with the proof that it extends the one that the
witness cosigned last; the witness answers with its cosignature, or with how
far it is. Only bytes and their meaning are here, no network.

    LogError
    └── WitnessError
        ├── OtherSize     the witness cosigned another size last
        └── NotCosigned   it refused, or what it sent is no cosignature of its own
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.checkpoint import DECIMAL
from ledger.merkle import LogError
from ledger.note import (
    COSIGNATURES,
    MalformedKey,
    Note,
    Signature,
    Verifier,
    cosigned_at,
    encode_base64,
    parse_signatures,
    verify_note,
)
from ledger.tiles import TiledTree

REFUSALS = {
    400: "it finds the request malformed",
    403: "it does not know the key that the checkpoint is signed with: give it every line of /log.vkey",
    404: "it does not know this log: give it the log's name and key, the first line of /log.vkey",
    422: "the checkpoint does not follow from what it cosigned before; if that was this log, the record was changed",
}


class WitnessError(LogError):
    """A checkpoint that was not cosigned."""


class OtherSize(WitnessError):
    def __init__(self, size: int) -> None:
        super().__init__(f"the witness cosigned a tree of {size} leaves last: prove from there")
        self.size = size


class NotCosigned(WitnessError):
    pass


@dataclass(frozen=True, slots=True)
class Witness:
    """Where a witness takes checkpoints, and the key it cosigns with. Raises `MalformedKey` for one of another type."""

    url: str
    key: Verifier

    def __post_init__(self) -> None:
        if self.key.algorithm not in COSIGNATURES:
            raise MalformedKey(
                f"{self.key.name} has a key for plain notes, and a witness has one for cosignatures (0x04 or 0x06)"
            )

    @property
    def name(self) -> str:
        return self.key.name


def add_checkpoint(note: bytes, tree: TiledTree, old_size: int) -> bytes:
    """The body that asks to cosign this note over this tree. Raises `OutsideTree` if it is smaller than *old_size*."""
    # No proof is taken from 0, for every tree begins with the empty one.
    proof = tree.consistency_proof(old_size) if old_size else []
    return "\n".join((f"old {old_size}", *map(encode_base64, proof), "", "")).encode() + note


def read_answer(witness: Witness, note: Note, status: int, body: bytes) -> Sequence[Signature]:
    """
    The cosignatures by this witness of this note; others' are left out.

    Raises:
        OtherSize: with what to prove from.
        NotCosigned: with the reason in words.
    """
    if status == 409:
        raise OtherSize(_size(body))
    if status != 200:
        raise NotCosigned(f"{witness.name} answered {status}: {REFUSALS.get(status, 'it is in trouble itself')}")
    try:
        joined = note.joined_by(parse_signatures(body.decode()))
        cosignature = verify_note(joined, [witness.key])[witness.key]
        second = cosigned_at(cosignature)
    except (LogError, UnicodeDecodeError) as error:
        raise NotCosigned(f"{witness.name} answered with something else than its cosignature: {error}") from None
    if second == 0:
        raise NotCosigned(f"{witness.name} answered with a cosignature that says no time")
    return [cosignature]


def _size(body: bytes) -> int:
    text = body.decode("ascii", "replace").removesuffix("\n")
    if not DECIMAL.fullmatch(text):
        raise NotCosigned("it answered 409 without the size that it cosigned last")
    return int(text)
