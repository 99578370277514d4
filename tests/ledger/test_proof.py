"""The tlog-proof: one text that shows an entry to be in the log, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, OtherOrigin, TooFewWitnesses, signed_checkpoint
from ledger.merkle import LogError, MerkleError, OutsideTree, inclusion_proof, leaf_hash, root
from ledger.note import NotSigned, Signer, encode_base64
from ledger.proof import MalformedProof, Proof, parse_proof, verify_proof

ORIGIN = "ledger.example/prod"
LOG = Signer(ORIGIN, bytes(range(32)))
HASHES = [leaf_hash(b"%d" % number) for number in range(11)]
CHECKPOINT = signed_checkpoint(Checkpoint(ORIGIN, len(HASHES), root(HASHES)), LOG).encoded()
KEYS = [LOG.verifier]


def proof_of(index, extra=b""):
    return Proof(index, tuple(inclusion_proof(index, len(HASHES), HASHES)), CHECKPOINT, extra)


PROOF = proof_of(5)
TEXT = PROOF.encoded()
HEAD, _, BODY = TEXT.decode().partition("\n\n")


def test_a_proof_is_written_as_the_specification_has_it():
    lines = [encode_base64(one) for one in PROOF.hashes]
    assert HEAD.split("\n") == ["c2sp.org/tlog-proof@v1", "index 5", *lines]
    assert BODY.encode() == CHECKPOINT
    assert proof_of(5, b"more").encoded().decode().split("\n")[1] == "extra bW9yZQ=="


@pytest.mark.parametrize("index", range(len(HASHES)))
def test_every_entry_is_proved(index):
    proof = parse_proof(proof_of(index).encoded())
    opened = verify_proof(proof, HASHES[index], ORIGIN, KEYS)
    assert opened.checkpoint.size == len(HASHES)


def test_the_only_entry_of_a_log_is_proved_by_no_hashes():
    checkpoint = signed_checkpoint(Checkpoint(ORIGIN, 1, HASHES[0]), LOG).encoded()
    proof = Proof(0, (), checkpoint)
    assert parse_proof(proof.encoded()) == proof
    verify_proof(proof, HASHES[0], ORIGIN, KEYS)


@given(
    st.integers(0, 2**62),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(min_size=1, max_size=200),
    st.binary(max_size=100),
)
def test_any_proof_is_read_again_as_it_was(index, hashes, checkpoint, extra):
    proof = Proof(index, tuple(hashes), checkpoint, extra)
    assert parse_proof(proof.encoded()) == proof


def test_whichever_bit_of_a_proof_is_flipped_it_does_not_verify():
    """Every bit of every byte: index, hashes, checkpoint, signature, and the lines themselves."""
    for place in range(len(TEXT)):
        for bit in range(8):
            flipped = bytearray(TEXT)
            flipped[place] ^= 1 << bit
            with pytest.raises(LogError):
                verify_proof(parse_proof(bytes(flipped)), HASHES[5], ORIGIN, KEYS)


def test_extra_data_is_carried_and_vouched_for_by_nobody():
    """It changes nothing about the proof; so nothing may rest on it."""
    proof = parse_proof(proof_of(5, b"anything at all").encoded())
    verify_proof(proof, HASHES[5], ORIGIN, KEYS)
    assert proof.extra == b"anything at all"


SPOILT = {
    "nothing": "",
    "no header": TEXT.decode().partition("\n")[2],
    "another version": TEXT.decode().replace("@v1", "@v2"),
    "a space behind the header": TEXT.decode().replace("@v1", "@v1 "),
    "no index": TEXT.decode().replace("index 5\n", ""),
    "an index without its label": TEXT.decode().replace("index 5", "5"),
    "a negative index": TEXT.decode().replace("index 5", "index -5"),
    "an index with a leading zero": TEXT.decode().replace("index 5", "index 05"),
    "an index in other digits": TEXT.decode().replace("index 5", "index \u0665"),
    "an index past 63 bits": TEXT.decode().replace("index 5", f"index {2**63}"),
    "two spaces before the index": TEXT.decode().replace("index 5", "index  5"),
    "two indexes": TEXT.decode().replace("index 5", "index 5\nindex 5"),
    "extra data behind the index": TEXT.decode().replace("index 5", "index 5\nextra bW9yZQ=="),
    "empty extra data": TEXT.decode().replace("index 5", "extra \nindex 5"),
    "extra data that is not base64": TEXT.decode().replace("index 5", "extra ?\nindex 5"),
    "two lines of extra data": TEXT.decode().replace("index 5", "extra bW9yZQ==\nextra bW9yZQ==\nindex 5"),
    "a hash of 31 bytes": TEXT.decode().replace("index 5\n", f"index 5\n{encode_base64(bytes(31))}\n"),
    "a hash in hex": TEXT.decode().replace("index 5\n", f"index 5\n{bytes(32).hex()}\n"),
    "more hashes than any tree has levels": TEXT.decode().replace("index 5\n", "index 5\n" + f"{'A' * 43}=\n" * 64),
    "carriage returns": TEXT.decode().replace("\n", "\r\n"),
    "no checkpoint": HEAD + "\n\n",
    "no empty line": HEAD + "\n",
    "a space in the empty line": HEAD + "\n \n" + BODY,
}


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT)
def test_a_malformed_proof_is_refused(text):
    with pytest.raises(MalformedProof, match=r"this is not a proof .* fetch it again"):
        parse_proof(text.encode())


@pytest.mark.parametrize("values", [(-1, ()), (2**63, ()), (0, (b"short",)), (0, (bytes(32),) * 64)])
def test_a_proof_that_no_reader_would_take_is_not_made(values):
    with pytest.raises(MalformedProof):
        Proof(*values, CHECKPOINT)


def test_a_proof_shows_nothing_about_another_entry_or_place():
    with pytest.raises(MerkleError):
        verify_proof(PROOF, HASHES[4], ORIGIN, KEYS)
    with pytest.raises(MerkleError):
        verify_proof(Proof(4, PROOF.hashes, CHECKPOINT), HASHES[5], ORIGIN, KEYS)
    with pytest.raises(OutsideTree):
        verify_proof(Proof(11, PROOF.hashes, CHECKPOINT), HASHES[5], ORIGIN, KEYS)


def test_a_proof_stands_only_with_its_log_its_key_and_its_witnesses():
    with pytest.raises(OtherOrigin):
        verify_proof(PROOF, HASHES[5], "ledger.example/test", KEYS)
    with pytest.raises(NotSigned):
        verify_proof(PROOF, HASHES[5], ORIGIN, [Signer(ORIGIN, bytes(32)).verifier])
    with pytest.raises(TooFewWitnesses):
        verify_proof(PROOF, HASHES[5], ORIGIN, KEYS, quorum=1)
