"""
Receipts with proof: that an event is in the log, by a checkpoint that was signed for it.

Each is verified before it is given out, from the very bytes that are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

from api.transparency import Log
from ledger.application import Ledger
from ledger.caution import Caution
from ledger.checkpoint import open_checkpoint
from ledger.deciding import Receipt
from ledger.errors import Damaged
from ledger.merkle import LogError, leaf_hash, verify_inclusion
from ledger.note import encode_base64
from ledger.sealer import Sealed

AT_ONCE = 500

NOT_SEALED = Caution(
    "not_sealed_yet",
    "the event is recorded and durable, and no checkpoint has it yet; its proof is at /v1/events/POSITION/proof soon",
)


@dataclass(frozen=True, slots=True)
class SealedReceipt(Receipt):
    """The hash of the event's leaf and the hashes from there to the root, in base64; and the signed checkpoint."""

    leaf_hash: str = ""
    inclusion_proof: list[str] = field(default_factory=list)
    checkpoint: str = ""


def sealed(log: Log, ledger: Ledger, receipts: Sequence[Receipt]) -> list[Receipt]:
    """
    The receipts with proof, all by one checkpoint; where none comes in time, as they were with a warning.

    Raises:
        Damaged: where an event is not what was signed.
    """
    if not receipts:
        return []
    found = log.wait(max(each.position for each in receipts))
    if found is None:
        return [replace(each, warnings=(*each.warnings, NOT_SEALED)) for each in receipts]
    checkpoint = log.cosignatures.joined(found.note)
    tree = open_checkpoint(checkpoint, log.keys.origin, log.keys.verifiers()).checkpoint
    if tree != found.checkpoint:
        raise Damaged("the checkpoint is not the one that was published: `lastgood verify` says what differs")
    hashes = _leaf_hashes(ledger, [each.position for each in receipts])
    return [_with_proof(each, hashes[each.position], found, checkpoint.decode()) for each in receipts]


def _with_proof(receipt: Receipt, hashed: bytes, found: Sealed, checkpoint: str) -> SealedReceipt:
    index, tree = receipt.position - 1, found.checkpoint
    proof = found.tree.inclusion_proof(index)
    try:
        verify_inclusion(index, tree.size, hashed, proof, tree.root)
    except LogError as error:
        raise Damaged(
            f"position {receipt.position} is recorded, and is not what was signed ({error}): `lastgood verify` says more"
        ) from error
    kept = {each.name: getattr(receipt, each.name) for each in fields(Receipt)}
    return SealedReceipt(
        **kept,
        leaf_hash=encode_base64(hashed),
        inclusion_proof=list(map(encode_base64, proof)),
        checkpoint=checkpoint,
    )


def _leaf_hashes(ledger: Ledger, positions: Sequence[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    wanted = sorted(set(positions))
    for start in range(0, len(wanted), AT_ONCE):
        rows = ledger.store.rows_at(wanted[start : start + AT_ONCE])
        found |= {row.position: leaf_hash(row.state) for row in rows}
    return found
