"""Checkpoints: the three lines a log signs, and when they may be believed."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import (
    MAX_SIZE,
    Checkpoint,
    MalformedCheckpoint,
    OtherOrigin,
    TooFewWitnesses,
    open_checkpoint,
    parse_checkpoint,
    signed_checkpoint,
)
from ledger.merkle import EMPTY_ROOT, LogError
from ledger.note import (
    COSIGNATURE_V1,
    NotSigned,
    Signature,
    Signer,
    Verifier,
    WrongSignature,
    encode_base64,
    signed_note,
)

ORIGIN = "ledger.example/prod"
ROOT = sha256(b"root").digest()
LOG = Signer(ORIGIN, bytes(range(32)))
CHECKPOINT = Checkpoint(ORIGIN, 8214, ROOT)
NOTE = signed_checkpoint(CHECKPOINT, LOG)
LINES = CHECKPOINT.text()


def witness(name, seed):
    """A witness' verifier, and its cosignature of the checkpoint."""
    key = Signer(name, seed)
    verifier = Verifier(name, key.verifier.public_key, COSIGNATURE_V1)
    signed = key.signature("cosignature/v1\ntime 1700000000\n" + LINES).value
    return verifier, Signature(name, verifier.key_id, (1_700_000_000).to_bytes(8) + signed)


def test_a_checkpoint_is_three_lines():
    """Origin, decimal size, base64 root; no extension lines."""
    assert LINES.split("\n") == ["ledger.example/prod", "8214", encode_base64(ROOT), ""]
    assert parse_checkpoint(LINES) == CHECKPOINT


@given(
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1),
    st.integers(1, MAX_SIZE),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1), max_size=3),
)
def test_any_checkpoint_is_read_again_as_it_was(origin, size, root, extensions):
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert parse_checkpoint(checkpoint.text()) == checkpoint


def test_the_empty_log_has_a_checkpoint_of_one_root_only():
    assert parse_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text()).size == 0
    with pytest.raises(MalformedCheckpoint, match="not that of the empty tree"):
        Checkpoint(ORIGIN, 0, ROOT)


SPOILT = {
    "nothing": "",
    "two lines": "".join(LINES.splitlines(keepends=True)[:2]),
    "no newline at the end": LINES[:-1],
    "an empty origin": "\n" + LINES.partition("\n")[2],
    "no newline behind an extension": LINES + "extension",
    "an empty line at the end": LINES + "\n",
    "an empty line before an extension": LINES + "\nextension\n",
    "a negative size": LINES.replace("8214", "-8214"),
    "a size with a sign": LINES.replace("8214", "+8214"),
    "a size with a leading zero": LINES.replace("8214", "08214"),
    "a size with a space": LINES.replace("8214", " 8214"),
    "a size with an underscore": LINES.replace("8214", "8_214"),
    "a size in hex": LINES.replace("8214", "0x2016"),
    "a size in other digits": LINES.replace("8214", "\u0668\u0662\u0661\u0664"),
    "a size without digits": LINES.replace("8214", ""),
    "a size past 63 bits": LINES.replace("8214", str(MAX_SIZE + 1)),
    "a size of thousands of digits": LINES.replace("8214", "9" * 5000),
    "a zero size with a root of leaves": LINES.replace("8214", "0"),
    "two zeroes": LINES.replace("8214", "00"),
    "a root in hex": LINES.replace(encode_base64(ROOT), ROOT.hex()),
    "a root of 31 bytes": LINES.replace(encode_base64(ROOT), encode_base64(ROOT[:31])),
    "a root of 33 bytes": LINES.replace(encode_base64(ROOT), encode_base64(ROOT + b"\0")),
    "a root without its padding": LINES.replace("=", ""),
    "a root spelt another way": LINES.replace("=", "=="),
    "a carriage return": LINES.replace("\n", "\r\n"),
    "a tab in the origin": "\t" + LINES,
}


@pytest.mark.parametrize("text", SPOILT.values(), ids=SPOILT)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(MalformedCheckpoint, match=r"this is not a checkpoint: .* fetch it again"):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "values",
    [("", 1, ROOT), ("a\nb", 1, ROOT), (ORIGIN, -1, ROOT), (ORIGIN, 1, b"short"), (ORIGIN, 1, ROOT, ("",))],
)
def test_a_checkpoint_that_no_reader_would_take_is_not_made(values):
    with pytest.raises(MalformedCheckpoint):
        Checkpoint(*values)


def test_a_signed_checkpoint_opens_with_the_logs_key():
    opened = open_checkpoint(NOTE.encoded(), ORIGIN, [LOG.verifier])
    assert opened.checkpoint == CHECKPOINT
    assert list(opened.signatures) == [LOG.verifier]
    assert opened.cosignatures == {}


def test_a_checkpoint_opens_across_a_change_of_keys():
    """Old verifier keys stay published; either key's signature does, and both may be there."""
    newer = Signer(ORIGIN, bytes(range(1, 33)))
    keys = [LOG.verifier, newer.verifier]
    for signers in ([LOG], [newer], [LOG, newer]):
        opened = open_checkpoint(signed_checkpoint(CHECKPOINT, *signers).encoded(), ORIGIN, keys)
        assert list(opened.signatures) == [signer.verifier for signer in signers]


def test_a_checkpoint_of_another_log_is_refused():
    """Also when the same key signed it: two logs of one key are still two logs."""
    with pytest.raises(OtherOrigin, match=r"of the log 'ledger.example/prod', not of 'ledger.example/test'") as refused:
        open_checkpoint(NOTE.encoded(), "ledger.example/test", [LOG.verifier])
    assert isinstance(refused.value, LogError)


def test_a_checkpoint_that_the_log_did_not_sign_is_refused():
    """Witnesses vouch for what a log signed; they can't sign in its place."""
    stranger = Signer(ORIGIN, bytes(range(1, 33)))
    verifier, cosignature = witness("witness.example/w1", bytes(range(2, 34)))
    by_others = signed_checkpoint(CHECKPOINT, stranger).joined_by([cosignature])
    with pytest.raises(NotSigned):
        open_checkpoint(by_others.encoded(), ORIGIN, [LOG.verifier], [verifier])


def test_a_signed_note_that_is_no_checkpoint_is_refused():
    with pytest.raises(MalformedCheckpoint):
        open_checkpoint(signed_note("anything\n", LOG).encoded(), "anything", [LOG.verifier])


def test_witnesses_are_counted_up_to_the_quorum_asked_for():
    (one, by_one), (two, by_two) = (witness(f"witness.example/w{n}", bytes([n]) * 32) for n in (1, 2))
    cosigned = NOTE.joined_by([by_one, by_two]).encoded()
    opened = open_checkpoint(cosigned, ORIGIN, [LOG.verifier], [one, two], quorum=2)
    assert opened.cosignatures == {one: by_one, two: by_two}
    with pytest.raises(TooFewWitnesses, match=r"1 of the witnesses you trust .* ask for 2") as refused:
        open_checkpoint(cosigned, ORIGIN, [LOG.verifier], [one], quorum=2)
    assert (refused.value.wanted, refused.value.found) == (2, ("witness.example/w1",))
    with pytest.raises(TooFewWitnesses):
        open_checkpoint(NOTE.encoded(), ORIGIN, [LOG.verifier], [one, two], quorum=1)


def test_a_witness_with_two_keys_is_one_witness():
    """A quorum counts those who vouch, not their keys."""
    (old, by_old), (new, by_new) = (witness("witness.example/w1", bytes([n]) * 32) for n in (1, 2))
    cosigned = NOTE.joined_by([by_old, by_new]).encoded()
    with pytest.raises(TooFewWitnesses):
        open_checkpoint(cosigned, ORIGIN, [LOG.verifier], [old, new], quorum=2)


def test_a_cosignature_of_another_checkpoint_spoils_this_one():
    verifier, cosignature = witness("witness.example/w1", bytes(range(2, 34)))
    other = signed_checkpoint(Checkpoint(ORIGIN, 8215, ROOT), LOG).joined_by([cosignature])
    with pytest.raises(WrongSignature):
        open_checkpoint(other.encoded(), ORIGIN, [LOG.verifier], [verifier])
    assert open_checkpoint(other.encoded(), ORIGIN, [LOG.verifier]).checkpoint.size == 8215
