"""The Merkle tree: against published vectors, against a slow reference, and against spoilt proofs."""

import json
import pathlib
import tracemalloc
from base64 import b64decode
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    LogError,
    MalformedHash,
    MerkleError,
    OutsideTree,
    RootMismatch,
    Span,
    WrongLength,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    parents,
    root,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from tests.ledger.merkle_reference import ReferenceTree

VECTORS = pathlib.Path(__file__).parents[2] / "../shared/vectors/merkle"

LEAVES = [b"leaf %d" % number for number in range(3000)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
REFERENCE = ReferenceTree(LEAVES)

sizes = st.integers(1, len(LEAVES))
unhurried = settings(deadline=None)


def vectors(name):
    """One case for each vector of a file, or one that is skipped where the file is absent."""
    path = VECTORS / f"{name}.json"
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"the vectors {name}.json are not here"))]
    return [pytest.param(vector, id=vector["_path"].partition("/")[2]) for vector in json.loads(path.read_text())]


def verdict(vector):
    return pytest.raises(MerkleError) if vector["wantErr"] else nullcontext()


def hashes_of(vector, *names):
    return [b64decode(vector[name]) for name in names], [b64decode(one) for one in vector["proof"] or []]


# Published vectors


def test_leaves_nodes_and_roots_are_those_of_the_published_tree():
    """Every hash of the eight-leaf tree that all RFC 6962 implementations test with."""
    path = VECTORS / "reference_tree.json"
    if not path.exists():
        pytest.skip("the vectors reference_tree.json are not here")
    tree = json.loads(path.read_text())
    row = [leaf_hash(bytes.fromhex(leaf)) for leaf in tree["leaf_inputs_hex"]]
    roots = [root(row[:size]).hex() for size in range(len(row) + 1)]
    rows = [row]
    while len(rows[-1]) > 1:
        rows.append(parents(rows[-1]))
    assert [[one.hex() for one in row] for row in rows] == tree["node_hashes_hex_by_level"]
    assert roots == tree["root_hashes_hex_by_size"]


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_inclusion_is_judged_as_published(vector):
    (hashed_leaf, tree_root), proof = hashes_of(vector, "leafHash", "root")
    with verdict(vector):
        verify_inclusion(vector["leafIdx"], vector["treeSize"], hashed_leaf, proof, tree_root)


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_consistency_is_judged_as_published(vector):
    (old_root, new_root), proof = hashes_of(vector, "root1", "root2")
    with verdict(vector):
        verify_consistency(vector["size1"], vector["size2"], old_root, new_root, proof)


@pytest.mark.parametrize("vector", vectors("subtreeinclusion"))
def test_inclusion_in_a_subtree_is_judged_as_published(vector):
    (hashed_leaf, subtree_root), proof = hashes_of(vector, "leafHash", "root")
    subtree = Span(vector["start"], vector["end"])
    with verdict(vector):
        verify_subtree_inclusion(vector["leafIdx"], subtree, hashed_leaf, proof, subtree_root)


@pytest.mark.parametrize("vector", vectors("subtreeconsistency"))
def test_consistency_of_a_subtree_is_judged_as_published(vector):
    (subtree_root, tree_root), proof = hashes_of(vector, "root1", "root2")
    subtree = Span(vector["start"], vector["end"])
    with verdict(vector):
        verify_subtree_consistency(subtree, vector["size"], subtree_root, tree_root, proof)


# The slow reference


def test_the_root_of_every_size_is_the_references():
    for size in range(len(LEAVES) + 1):
        assert root(HASHES[:size]) == REFERENCE.root(0, size), size


def test_a_tree_that_grows_leaf_by_leaf_has_every_root_on_its_way():
    """A range kept from one leaf to the next forgets nothing that a root needs."""
    kept = CompactRange()
    for size, one in enumerate(HASHES, 1):
        kept = kept.extended([one])
        assert kept.root() == REFERENCE.root(0, size), size


def test_every_inclusion_proof_of_small_trees_is_the_references_and_verifies():
    for size in range(1, 100):
        for index in range(size):
            proof = inclusion_proof(index, size, HASHES)
            assert proof == REFERENCE.path(index, 0, size), (index, size)
            verify_inclusion(index, size, HASHES[index], proof, REFERENCE.root(0, size))


def test_every_consistency_proof_of_small_trees_is_the_references_and_verifies():
    for size in range(1, 100):
        for old_size in range(1, size + 1):
            proof = consistency_proof(old_size, size, HASHES)
            assert proof == REFERENCE.proof(old_size, size), (old_size, size)
            verify_consistency(old_size, size, REFERENCE.root(0, old_size), REFERENCE.root(0, size), proof)


@unhurried
@given(st.data())
def test_an_inclusion_proof_of_any_tree_is_the_references_and_verifies(data):
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, HASHES)
    assert proof == REFERENCE.path(index, 0, size)
    verify_inclusion(index, size, HASHES[index], proof, REFERENCE.root(0, size))


@unhurried
@given(st.data())
def test_a_consistency_proof_of_any_two_trees_is_the_references_and_verifies(data):
    size = data.draw(sizes)
    old_size = data.draw(st.integers(1, size))
    proof = consistency_proof(old_size, size, HASHES)
    assert proof == REFERENCE.proof(old_size, size)
    verify_consistency(old_size, size, REFERENCE.root(0, old_size), REFERENCE.root(0, size), proof)


@unhurried
@given(st.lists(st.integers(0, 700), max_size=8))
def test_how_leaves_come_in_does_not_change_the_root(counts):
    """Any batches, empty ones too, lead to the range that all at once lead to."""
    kept, size = CompactRange(), 0
    for count in counts:
        kept = kept.extended(iter(HASHES[size : size + count]))
        size = min(size + count, len(HASHES))
    assert kept == CompactRange().extended(HASHES[:size])
    assert kept.root() == REFERENCE.root(0, size)


def test_a_range_that_was_extended_is_as_before():
    """Sealing may fail after it has hashed; the range it began from still counts."""
    before = CompactRange().extended(HASHES[:5])
    before.extended(HASHES[5:9])
    assert before.root() == REFERENCE.root(0, 5)


def test_a_root_over_many_leaves_takes_little_memory():
    """One hash a level and one batch are held, however many leaves are read."""
    many = (leaf_hash(b"%d" % number) for number in range(100_000))
    tracemalloc.start()
    try:
        CompactRange().extended(many)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.slow
def test_the_root_of_a_million_leaves_is_the_references():
    leaves = [b"%d" % number for number in range(1_000_000)]
    assert root(map(leaf_hash, leaves)) == ReferenceTree(leaves).root(0, len(leaves))


# Spoilt proofs


@unhurried
@given(st.data())
def test_a_spoilt_inclusion_proof_fails(data):
    """One bit, one hash more or less, or two of them swapped: no part of a proof is idle."""
    size = data.draw(sizes.filter(lambda size: size > 1))
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(st.sampled_from([*spoilt(inclusion_proof(index, size, HASHES))]))
    with pytest.raises(MerkleError):
        verify_inclusion(index, size, HASHES[index], proof, REFERENCE.root(0, size))


@unhurried
@given(st.data())
def test_a_spoilt_consistency_proof_fails(data):
    size = data.draw(sizes.filter(lambda size: size > 1))
    old_size = data.draw(st.integers(1, size - 1))
    proof = data.draw(st.sampled_from([*spoilt(consistency_proof(old_size, size, HASHES))]))
    with pytest.raises(MerkleError):
        verify_consistency(old_size, size, REFERENCE.root(0, old_size), REFERENCE.root(0, size), proof)


def spoilt(proof):
    for place, one in enumerate(proof):
        yield [*proof[:place], bytes([one[0] ^ 1]) + one[1:], *proof[place + 1 :]]
        yield [*proof[:place], one[:-1] + bytes([one[-1] ^ 0x80]), *proof[place + 1 :]]
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], one, *proof[place:]]
        yield [*proof[:place], one[:-1], *proof[place + 1 :]]
        yield [*proof[:place], one + b"\0", *proof[place + 1 :]]
    for place in range(len(proof) - 1):
        yield [*proof[:place], proof[place + 1], proof[place], *proof[place + 2 :]]
    yield [*proof, EMPTY_ROOT]


def test_a_proof_shows_no_other_leaf_and_no_other_place():
    for size in range(2, 40):
        for index in range(size):
            proof = inclusion_proof(index, size, HASHES)
            other = (index + 1) % size
            for place, hashed_leaf in ((other, HASHES[index]), (index, HASHES[other])):
                with pytest.raises(MerkleError):
                    verify_inclusion(place, size, hashed_leaf, proof, REFERENCE.root(0, size))


def test_a_proof_shows_no_other_history():
    """Whichever old leaf was changed, the new tree is not the continuation of what was seen."""
    for size in range(2, 40):
        for old_size in range(1, size):
            proof = consistency_proof(old_size, size, HASHES)
            changed = root([*HASHES[: old_size - 1], EMPTY_ROOT])
            with pytest.raises(RootMismatch):
                verify_consistency(old_size, size, changed, REFERENCE.root(0, size), proof)
            with pytest.raises(RootMismatch):
                verify_consistency(old_size, size, REFERENCE.root(0, old_size), EMPTY_ROOT, proof)


def test_a_leaf_never_passes_for_a_node():
    """The 64 bytes of two hashes, as a leaf, do not hash to the node over them."""
    (node,) = parents(HASHES[:2])
    assert leaf_hash(HASHES[0] + HASHES[1]) != node


# What is refused


@pytest.mark.parametrize("index, size", [(-1, 5), (5, 5), (2**64 - 1, 5), (0, 0), (0, -1)])
def test_a_leaf_outside_the_tree_is_refused(index, size):
    with pytest.raises(OutsideTree) as refused:
        inclusion_proof(index, size, HASHES)
    assert refused.value.size == size
    with pytest.raises(OutsideTree):
        verify_inclusion(index, size, HASHES[0], [], HASHES[0])


@pytest.mark.parametrize("old_size, size", [(-1, 5), (6, 5), (0, 5), (0, 0)])
def test_an_older_tree_that_is_none_is_refused(old_size, size):
    with pytest.raises(OutsideTree):
        consistency_proof(old_size, size, HASHES)
    with pytest.raises(OutsideTree):
        verify_consistency(old_size, size, EMPTY_ROOT, HASHES[0], [])


def test_leaves_that_are_not_there_are_not_proved():
    with pytest.raises(OutsideTree, match="its first 4 leaves was asked of a tree of 3 leaves"):
        inclusion_proof(0, 4, HASHES[:3])
    with pytest.raises(OutsideTree):
        consistency_proof(1, 4, HASHES[:3])


def test_leaves_that_make_no_subtree_are_refused():
    """Hashes that would add up are no proof of leaves that no node stands for: here, those of [0, 3) for [1, 3)."""
    first_two, first_three, first_four = (REFERENCE.root(0, size) for size in (2, 3, 4))
    proof = [HASHES[2], HASHES[3], first_two]
    verify_subtree_consistency(Span(0, 3), 4, first_three, first_four, proof)
    with pytest.raises(OutsideTree, match="begin at a multiple of the power of two that holds it"):
        verify_subtree_consistency(Span(1, 3), 4, first_three, first_four, proof)


def test_a_range_that_cannot_be_is_refused():
    with pytest.raises(WrongLength) as refused:
        CompactRange(5, (HASHES[0],))
    assert (refused.value.wanted, refused.value.got) == (2, 1)
    with pytest.raises(OutsideTree):
        CompactRange(-1)
    with pytest.raises(MalformedHash):
        CompactRange(1, (b"short",))


def test_each_error_says_what_was_asked_what_is_so_and_what_to_do():
    tree_root = REFERENCE.root(0, 8)
    with pytest.raises(OutsideTree, match="leaf 8 was asked of a tree of 8 leaves: the last is leaf 7"):
        inclusion_proof(8, 8, HASHES)
    with pytest.raises(WrongLength, match="takes 3 hashes, and 0 are there: ask for it again"):
        verify_inclusion(5, 8, HASHES[5], [], tree_root)
    with pytest.raises(MalformedHash, match="a hash has 5 bytes, not 32"):
        verify_inclusion(5, 8, b"short", [EMPTY_ROOT] * 3, tree_root)
    with pytest.raises(MalformedHash, match="a hash has 31 bytes, not 32"):
        verify_inclusion(5, 8, HASHES[5], [EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT[:31]], tree_root)
    with pytest.raises(RootMismatch, match="something was changed; keep both as evidence") as refused:
        verify_inclusion(5, 8, HASHES[4], inclusion_proof(5, 8, HASHES), tree_root)
    assert refused.value.expected == tree_root
    assert refused.value.computed != tree_root
    assert isinstance(refused.value, LogError)
