"""What a log says to a witness, and what it makes of the answer."""

import pytest

from ledger.checkpoint import Checkpoint, signed_checkpoint
from ledger.checkpoints import Cosigned
from ledger.cosignatures import Cosignatures
from ledger.merkle import OutsideTree, consistency_proof, leaf_hash, root
from ledger.note import COSIGNATURE_V1, ED25519, MalformedKey, Signature, Signer, Verifier, encode_base64, verify_note
from ledger.tiles import TiledTree, extended_tiles
from ledger.witness import NotCosigned, OtherSize, add_checkpoint, read_answer
from ledger.witness import Witness as Configured
from tests.witness import Witness

ORIGIN = "ledger.example/prod"
LOG = Signer(ORIGIN, bytes(32))
HASHES = [leaf_hash(b"%d" % number) for number in range(600)]


def checkpoint(size):
    return signed_checkpoint(Checkpoint(ORIGIN, size, root(HASHES[:size])), LOG)


def tree(size):
    tiles = {tile.path: data for tile, data in extended_tiles(0, HASHES[:size], lambda _: b"")}
    return TiledTree(size, lambda tile: tiles[tile.path])


@pytest.fixture
def witness():
    made = Witness()
    made.logs[ORIGIN] = [LOG.verifier]
    return made


@pytest.fixture
def configured(witness):
    return Configured("http://127.0.0.1:1", witness.key)


def test_the_request_is_laid_out_as_the_specification_has_it():
    """An old size, a line a hash, an empty line, the note as it is."""
    body = add_checkpoint(checkpoint(300).encoded(), tree(300), 100)
    proof = [encode_base64(one) for one in consistency_proof(100, 300, HASHES)]
    assert body.decode() == "\n".join(["old 100", *proof, "", ""]) + checkpoint(300).encoded().decode()


@pytest.mark.parametrize("old_size", [0, 300])
def test_no_proof_is_sent_from_nothing_or_from_the_same_size(old_size):
    body = add_checkpoint(checkpoint(300).encoded(), tree(300), old_size)
    assert body == b"old %d\n\n" % old_size + checkpoint(300).encoded()


def test_nothing_is_proven_from_beyond_the_tree():
    with pytest.raises(OutsideTree):
        add_checkpoint(checkpoint(300).encoded(), tree(300), 301)


def test_a_witness_cosigns_a_growing_log(witness, configured):
    old_size = 0
    for size in (1, 255, 256, 257, 600):
        answer = witness.answer(add_checkpoint(checkpoint(size).encoded(), tree(size), old_size))
        signatures = read_answer(configured, checkpoint(size), 200, answer)
        assert verify_note(checkpoint(size).joined_by(signatures), [witness.key])
        old_size = size


def test_a_witness_that_is_elsewhere_says_where(configured):
    with pytest.raises(OtherSize) as told:
        read_answer(configured, checkpoint(3), 409, b"20852014\n")
    assert told.value.size == 20852014


@pytest.mark.parametrize("body", [b"", b"-1\n", b"007\n", b"many\n", b"\xff", "٣".encode()])
def test_a_409_without_a_size_is_a_refusal(configured, body):
    with pytest.raises(NotCosigned, match="without the size"):
        read_answer(configured, checkpoint(3), 409, body)


@pytest.mark.parametrize(
    "status,said",
    [(400, "malformed"), (403, "log.vkey"), (404, "log.vkey"), (422, "changed"), (500, "in trouble"), (302, "trouble")],
)
def test_a_refusal_is_told_with_what_to_do(configured, status, said):
    with pytest.raises(NotCosigned, match=f"{configured.name} answered {status}: .*{said}"):
        read_answer(configured, checkpoint(3), status, b"")


def test_what_is_not_this_witness_cosignature_is_refused(witness, configured):
    """Of other bytes, of another checkpoint, by another key, in the log's own name, or nothing at all."""
    other = Witness(seed=bytes(32))
    other.logs = witness.logs
    ours = witness.answer(add_checkpoint(checkpoint(3).encoded(), tree(3), 0))
    theirs = other.answer(add_checkpoint(checkpoint(3).encoded(), tree(3), 0))
    witness.lying = True
    forged = witness.answer(add_checkpoint(checkpoint(4).encoded(), tree(4), 3))
    for note, body in (
        (checkpoint(4), ours),
        (checkpoint(3), theirs),
        (checkpoint(4), forged),
        (checkpoint(3), ours[:-1]),
        (checkpoint(3), ours[:40] + (b"B" if ours[40:41] == b"A" else b"A") + ours[41:]),
        (checkpoint(3), LOG.signature("x").line().encode()),
        (checkpoint(3), b""),
        (checkpoint(3), b"\xff\n"),
    ):
        with pytest.raises(NotCosigned, match="something else than its cosignature"):
            read_answer(configured, note, 200, body)


def test_cosignatures_of_others_in_the_same_answer_are_left_out(witness, configured):
    other = Witness("witness.example/w2", bytes(32))
    other.logs = witness.logs
    request = add_checkpoint(checkpoint(3).encoded(), tree(3), 0)
    both = other.answer(request) + witness.answer(request)
    assert [each.name for each in read_answer(configured, checkpoint(3), 200, both)] == [witness.key.name]


def test_a_witness_needs_a_key_for_cosignatures(witness):
    """One for plain notes would take a signature without a time for one."""
    with pytest.raises(MalformedKey, match="0x04"):
        Configured("http://127.0.0.1:1", Verifier("w", witness.key.public_key, ED25519))


def test_a_cosignature_without_a_time_is_refused():
    """It would say nothing of when the witness saw this."""
    signed = LOG._key.sign(b"cosignature/v1\ntime 0\n" + checkpoint(3).text.encode())
    key = Verifier("w", LOG.verifier.public_key, COSIGNATURE_V1)
    answer = Signature("w", key.key_id, bytes(8) + signed).line().encode()
    with pytest.raises(NotCosigned, match="says no time"):
        read_answer(Configured("http://127.0.0.1:1", key), checkpoint(3), 200, answer)


def test_the_witness_of_these_tests_refuses_a_rollback_and_a_fork(witness):
    """Or the others would prove nothing."""
    from tests.witness import Refused

    witness.answer(add_checkpoint(checkpoint(300).encoded(), tree(300), 0))
    with pytest.raises(Refused) as rollback:
        witness.answer(add_checkpoint(checkpoint(200).encoded(), tree(200), 0))
    assert (rollback.value.status, rollback.value.body) == (409, b"300\n")
    fork = signed_checkpoint(Checkpoint(ORIGIN, 400, bytes(32)), LOG).encoded()
    with pytest.raises(Refused) as forked:
        witness.answer(add_checkpoint(fork, tree(400), 300))
    assert forked.value.status == 422
    assert witness.cosigned[ORIGIN].size == 300


# What is kept


def cosigned(witness, size):
    witness.cosigned.pop(ORIGIN, None)
    answer = witness.answer(add_checkpoint(checkpoint(size).encoded(), tree(size), 0))
    return read_answer(Configured("http://127.0.0.1:1", witness.key), checkpoint(size), 200, answer)


def test_cosignatures_are_joined_to_their_checkpoint_and_to_no_other(tmp_path, witness):
    kept = Cosignatures(Cosigned(tmp_path))
    assert kept.joined(checkpoint(3).encoded()) == checkpoint(3).encoded()
    kept.add(checkpoint(3), cosigned(witness, 3))
    assert kept.joined(checkpoint(4).encoded()) == checkpoint(4).encoded()
    assert kept.joined(checkpoint(3).encoded()).startswith(checkpoint(3).encoded())
    assert kept.by(witness.key) is kept.newest


def test_cosignatures_outlast_a_restart(tmp_path, witness):
    other = Witness("witness.example/w2", bytes(32))
    other.logs = witness.logs
    kept = Cosignatures(Cosigned(tmp_path))
    kept.add(checkpoint(3), cosigned(witness, 3))
    kept.add(checkpoint(3), cosigned(other, 3))
    again = Cosignatures(Cosigned(tmp_path))
    assert again.newest == kept.newest
    assert len(again.newest.signatures) == 3


def test_a_witness_that_is_slow_does_not_take_the_newest_back(tmp_path, witness):
    """It is kept, and the larger checkpoint stays the one that is given out."""
    other = Witness("witness.example/w2", bytes(32))
    other.logs = witness.logs
    kept = Cosignatures(Cosigned(tmp_path))
    kept.add(checkpoint(300), cosigned(witness, 300))
    kept.add(checkpoint(200), cosigned(other, 200))
    assert kept.newest.text == checkpoint(300).text
    assert kept.by(other.key) is None
