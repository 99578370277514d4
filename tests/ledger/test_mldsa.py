"""Cosignatures of witnesses with a post-quantum key: verified as C2SP tlog-cosignature has them, or refused."""

import struct
from base64 import b64decode
from dataclasses import replace

import pytest

from ledger.note import (
    COSIGNATURE_ML_DSA,
    MalformedKey,
    Note,
    Signature,
    Signer,
    Verifier,
    WrongSignature,
    cosigned_at,
    encode_base64,
    parse_note,
    signed_note,
    verify_note,
)

mldsa = pytest.importorskip(
    "cryptography.hazmat.primitives.asymmetric.mldsa", reason="this version of cryptography has no ML-DSA"
)

LOG = Signer("ledger.example/prod", bytes(range(32)))


class PostQuantumWitness:
    """Cosigns as C2SP tlog-cosignature says of ML-DSA-44, written here apart from the code under test."""

    def __init__(self, name, seed):
        self.name, self.key = name, mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
        self.verifier = Verifier(name, self.key.public_key().public_bytes_raw(), COSIGNATURE_ML_DSA)

    def cosigned(self, text, time, name=None, start=0):
        origin, size, root = text.split("\n")[:3]
        message = b"subtree/v1\n\x00"
        for each in (name or self.name).encode(), time, origin.encode(), start, int(size), b64decode(root):
            if type(each) is int:
                message += struct.pack(">Q", each)
            else:
                message += each if len(each) == 32 else struct.pack("B", len(each)) + each
        return Signature(self.verifier.name, self.verifier.key_id, struct.pack(">Q", time) + self.key.sign(message))


CHECKPOINT = f"ledger.example/prod\n3\n{encode_base64(bytes(range(32)))}\n"
POST_QUANTUM = PostQuantumWitness("witness.example/pq", bytes(range(3, 35)))


def test_a_post_quantum_cosignature_is_verified_beside_the_logs_signature():
    """By its vkey alone: 0x06 and 1312 bytes; and it says when."""
    cosignature = POST_QUANTUM.cosigned(CHECKPOINT, 1_679_315_147)
    note = signed_note(CHECKPOINT, LOG).joined_by([cosignature])
    keys = [LOG.verifier, Verifier.from_vkey(POST_QUANTUM.verifier.vkey())]
    assert set(verify_note(parse_note(note.encoded()), keys)) == set(keys)
    assert cosigned_at(cosignature) == 1_679_315_147
    assert len(cosignature.value) == 8 + 2420
    extended = signed_note(CHECKPOINT + "an extension\n", LOG).joined_by([cosignature])
    assert verify_note(extended, [POST_QUANTUM.verifier])


@pytest.mark.parametrize(
    "text",
    [
        CHECKPOINT.replace("prod", "test"),
        CHECKPOINT.replace("\n3\n", "\n4\n"),
        CHECKPOINT.replace("\n3\n", "\n03\n"),
        CHECKPOINT.replace("AAEC", "AAED"),
        CHECKPOINT.replace("Hh8=", "Hh9="),
        "x" * 256 + CHECKPOINT[len("ledger.example/prod") :],
        "no checkpoint\n",
    ],
)
def test_a_post_quantum_cosignature_is_of_one_checkpoint(text):
    """Another origin, size or root, or a text that says no such thing, is not what it signed."""
    note = Note(text, (POST_QUANTUM.cosigned(CHECKPOINT, 7),))
    with pytest.raises(WrongSignature):
        verify_note(note, [POST_QUANTUM.verifier])


def test_a_post_quantum_cosignature_is_by_one_witness_at_one_time_of_a_whole_tree():
    """Name, time and beginning are signed, too."""
    good = POST_QUANTUM.cosigned(CHECKPOINT, 7)
    others = [
        POST_QUANTUM.cosigned(CHECKPOINT, 7, name="witness.example/another"),
        POST_QUANTUM.cosigned(CHECKPOINT, 7, start=1),
        replace(good, value=(8).to_bytes(8, "big") + good.value[8:]),
        replace(good, value=good.value[:-1]),
        replace(good, value=good.value + b"\0"),
        replace(good, value=good.value[:100] + bytes([good.value[100] ^ 1]) + good.value[101:]),
        replace(good, value=(2**63).to_bytes(8, "big") + good.value[8:]),
    ]
    assert verify_note(Note(CHECKPOINT, (good,)), [POST_QUANTUM.verifier])
    for each in others:
        with pytest.raises(WrongSignature):
            verify_note(Note(CHECKPOINT, (each,)), [POST_QUANTUM.verifier])


def test_a_post_quantum_key_is_refused_where_it_cannot_be_verified(monkeypatch):
    """An older version of cryptography: it is said when the key is read, not when a witness answers."""
    monkeypatch.setattr("ledger.mldsa.is_supported", lambda: False)
    with pytest.raises(MalformedKey, match="a newer version of `cryptography`"):
        Verifier.from_vkey(POST_QUANTUM.verifier.vkey())


def test_a_post_quantum_key_of_another_size_is_refused():
    with pytest.raises(MalformedKey, match="1312"):
        Verifier("name", bytes(1311), COSIGNATURE_ML_DSA)
