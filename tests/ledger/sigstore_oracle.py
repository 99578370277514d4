"""
Asks sigstore's own code whether a receipt is right. Run by its environment's Python, not by ours.

One question on standard input: a receipt, its leaf, and the log's public key;
exit code 0 if sigstore takes the checkpoint and the inclusion proof, else 1 and why.
"""

import json
import sys
from base64 import b64decode
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
from sigstore._internal.trust import Keyring
from sigstore.errors import VerificationError
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails


def keyring(vkey: str) -> tuple[Keyring, bytes]:
    _, key_id, material = vkey.split("+", 2)
    der = Ed25519PublicKey.from_public_bytes(b64decode(material)[1:]).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    key = PublicKey.model_construct(raw_bytes=der, key_details=PublicKeyDetails.PKIX_ED25519)
    return Keyring([key]), bytes.fromhex(key_id)


def entry(question: dict, key_id: bytes) -> SimpleNamespace:
    """As sigstore has an entry of a log: the root is the one that the checkpoint claims."""
    receipt = question["receipt"]
    claimed = SignedCheckpoint.from_text(receipt["checkpoint"]).checkpoint
    proof = SimpleNamespace(
        checkpoint=SimpleNamespace(envelope=receipt["checkpoint"]),
        log_index=receipt["position"] - 1,
        tree_size=claimed.log_size,
        root_hash=bytes.fromhex(claimed.log_hash),
        hashes=[b64decode(each) for each in receipt["inclusion_proof"]],
    )
    inner = SimpleNamespace(
        inclusion_proof=proof,
        canonicalized_body=b64decode(question["leaf"]),
        log_id=SimpleNamespace(key_id=key_id),
    )
    return SimpleNamespace(_inner=inner)


def main() -> None:
    question = json.load(sys.stdin)
    keys, key_id = keyring(question["vkey"])
    judged = entry(question, key_id)
    try:
        verify_checkpoint(keys, judged)
        verify_merkle_inclusion(judged)
    except VerificationError as error:
        sys.exit(str(error))


main()
