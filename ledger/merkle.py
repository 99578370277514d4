"""
The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, proofs and their verification.

Pure functions over SHA-256 with nothing but the standard library, so that an
auditor can read this file alone. A tree is its leaf hashes in order, 32 bytes
each; "a tree of n leaves" means the first n. Indexes begin at 0.

An inclusion proof and a consistency proof are one thing: the subtrees beside
the way from a part of the tree up to its root. `_way` finds them for any part;
the provers hash them, the verifiers fold them. An inclusion proof is the way up
from one leaf, a consistency proof the way up from the leaves of an older tree.

What is refused is a `LogError`, the root of the tree that note.py, checkpoint.py,
tiles.py and proof.py go on with:

    LogError
    └── MerkleError
        ├── OutsideTree     an index or a size that the tree does not have
        ├── MalformedHash   a hash that is not 32 bytes
        ├── WrongLength     more or fewer hashes than the sizes call for
        └── RootMismatch    the hashes lead to another root
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962, section 2.1)."""

_LEAF_PREFIX = sha256(b"\x00")
_BATCH = 4096


class LogError(Exception):
    """Whatever the transparency log refuses or finds wrong."""


class MerkleError(LogError):
    """A tree, a proof or a hash that is not what it has to be."""


class OutsideTree(MerkleError):
    """A leaf, or a part of the tree, that a tree of `size` leaves does not have."""

    def __init__(self, asked: str, size: int, advice: str) -> None:
        super().__init__(f"{asked} was asked of a tree of {size} leaves: {advice}")
        self.asked, self.size = asked, size


class MalformedHash(MerkleError):
    def __init__(self, length: int) -> None:
        super().__init__(f"a hash has {length} bytes, not {HASH_SIZE}: hand over the raw SHA-256, undamaged")
        self.length = length


class WrongLength(MerkleError):
    def __init__(self, of: str, wanted: int, got: int) -> None:
        super().__init__(f"{of} takes {wanted} hashes, and {got} are there: ask for it again, for these sizes")
        self.of, self.wanted, self.got = of, wanted, got


class RootMismatch(MerkleError):
    def __init__(self, of: str, expected: bytes, computed: bytes) -> None:
        super().__init__(
            f"{of} has the root {expected.hex()}, but the hashes lead to {computed.hex()}: "
            "something was changed; keep both as evidence"
        )
        self.of, self.expected, self.computed = of, expected, computed


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 6962, section 2.1: the prefix 0x00 keeps a leaf from passing for a node."""
    # A copy of the hash that has read the prefix: joining prefix and leaf would
    # copy every leaf, and cost a quarter more at 700 bytes.
    hasher = _LEAF_PREFIX.copy()
    hasher.update(leaf)
    return hasher.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """The hashes one level up; an odd last one has no parent yet and is left out."""
    # Written out, for a call of node_hash would add a third to the cost of a root.
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=False)]


@dataclass(frozen=True, slots=True)
class CompactRange:
    """
    All that must be kept of a tree's first `size` leaves to go on hashing: one
    hash for each one bit of `size`, of its perfect subtrees, largest first.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0:
            raise OutsideTree("a compact range", self.size, "a size is never negative")
        if len(self.nodes) != self.size.bit_count():
            raise WrongLength(f"a compact range of {self.size} leaves", self.size.bit_count(), len(self.nodes))
        _check_hashes(self.nodes)

    def extended(self, hashes: Iterable[bytes]) -> "CompactRange":
        """The range with these leaf hashes after its own. Reads any number of them in bounded memory."""
        nodes = iter(self.nodes)
        levels = [next(nodes) if bit == "1" else None for bit in f"{self.size:b}"][::-1]
        size = self.size
        remaining = iter(hashes)
        while batch := list(islice(remaining, _BATCH)):
            size += len(batch)
            _add(levels, batch)
        return CompactRange(size, tuple(node for node in reversed(levels) if node is not None))

    def root(self) -> bytes:
        if not self.nodes:
            return EMPTY_ROOT
        *rest, result = self.nodes
        for node in reversed(rest):
            result = node_hash(node, result)
        return result


def _add(levels: list[bytes | None], hashes: list[bytes]) -> None:
    """Adds as a binary counter adds: two of one level are carried to the next as their parent."""
    level = 0
    while hashes:
        if level == len(levels):
            levels.append(None)
        waiting = levels[level]
        if waiting is not None:
            hashes = [waiting, *hashes]
        levels[level] = hashes[-1] if len(hashes) % 2 else None
        hashes = parents(hashes)
        level += 1


def root(hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes. RFC 6962, section 2.1."""
    return CompactRange().extended(hashes).root()


class Span(NamedTuple):
    """The leaves from `start` up to, and not including, `end`."""

    start: int
    end: int


class _Step(NamedTuple):
    """A subtree beside the way: on its left or right, and within the part that the way starts from or not."""

    beside: Span
    is_left: bool
    is_within: bool


def _way(part: Span, size: int) -> tuple[Span, list[_Step]]:
    """
    Where the way from a part of a tree to its root begins, and its steps upwards.

    It begins at the part itself if that is a node of the tree, else at the node
    that ends the part. RFC 6962, sections 2.1.1 and 2.1.2, for any part.
    """
    (start, end), low, high = part, 0, size
    steps = []
    while (low, high) != (start, end):
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if end <= middle:
            steps.append(_Step(Span(middle, high), is_left=False, is_within=False))
            high = middle
        elif start >= middle:
            steps.append(_Step(Span(low, middle), is_left=True, is_within=False))
            low = middle
        else:
            # Only a part that begins where this node begins is cut in two; from
            # here on all that lies to the left belongs to the part.
            steps.append(_Step(Span(low, middle), is_left=True, is_within=True))
            low = start = middle
    return Span(start, end), steps[::-1]


def _spans(part: Span, size: int) -> list[Span]:
    begin, steps = _way(part, size)
    return ([] if begin == part else [begin]) + [step.beside for step in steps]


def inclusion_spans(index: int, size: int) -> list[Span]:
    """
    The subtrees whose roots prove that leaf *index* is in the tree of *size* leaves, from leaf to root.

    RFC 6962, section 2.1.1. Raises `OutsideTree` unless 0 <= index < size.
    """
    _check_index(index, size)
    return _spans(Span(index, index + 1), size)


def consistency_spans(old_size: int, size: int) -> list[Span]:
    """
    The subtrees whose roots prove that a tree of *size* leaves begins with that of *old_size*.

    RFC 6962, section 2.1.2. Raises `OutsideTree` unless 0 < old_size <= size.
    """
    _check_old_size(old_size, size)
    return _spans(Span(0, old_size), size)


def inclusion_proof(index: int, size: int, hashes: Sequence[bytes]) -> list[bytes]:
    """
    The audit path of leaf *index* in the tree of the first *size* of these leaf hashes.

    32-byte hashes, lowest level first. Raises `OutsideTree` unless 0 <= index < size <= len(hashes).
    """
    _check_known(size, hashes)
    return [root(hashes[start:end]) for start, end in inclusion_spans(index, size)]


def consistency_proof(old_size: int, size: int, hashes: Sequence[bytes]) -> list[bytes]:
    """
    The proof that the tree of the first *size* of these leaf hashes begins with that of the first *old_size*.

    Empty when the sizes are equal. Raises `OutsideTree` unless 0 < old_size <= size <= len(hashes).
    """
    _check_known(size, hashes)
    return [root(hashes[start:end]) for start, end in consistency_spans(old_size, size)]


def verify_inclusion(index: int, size: int, hashed_leaf: bytes, proof: Sequence[bytes], expected_root: bytes) -> None:
    """
    Returns only if leaf *index* of the tree of *size* leaves with this root has this leaf hash.

    RFC 9162, section 2.1.3.2. Raises `MerkleError`.
    """
    _check_index(index, size)
    _check_hashes([hashed_leaf])
    _, computed = _folded(Span(index, index + 1), size, hashed_leaf, proof)
    _check_root(f"the tree of {size} leaves", expected_root, computed)


def verify_consistency(old_size: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """
    Returns only if the tree of *size* leaves begins with that of *old_size*, going by their roots.

    RFC 9162, section 2.1.4.2. Raises `MerkleError`; also for *old_size* 0,
    since every tree begins with the empty one and nothing can be shown of it.
    """
    _check_old_size(old_size, size)
    verify_subtree_consistency(Span(0, old_size), size, old_root, new_root, proof)


def verify_subtree_inclusion(
    index: int, subtree: Span, hashed_leaf: bytes, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """As `verify_inclusion`, in the subtree over these leaves of a larger tree (draft-ietf-plants-merkle-tree-certs)."""
    start, end = subtree
    _check_subtree(subtree, end)
    verify_inclusion(index - start, end - start, hashed_leaf, proof, expected_root)


def verify_subtree_consistency(
    subtree: Span, size: int, subtree_root: bytes, tree_root: bytes, proof: Sequence[bytes]
) -> None:
    """Returns only if the tree of *size* leaves holds the subtree with this root at its place. Raises `MerkleError`."""
    _check_subtree(subtree, size)
    start, end = subtree
    name = f"the part [{start}, {end})"
    if start == end:
        _check_length(f"a proof of nothing, {name},", 0, proof)
        _check_root(name, subtree_root, EMPTY_ROOT)
        return
    computed_part, computed_tree = _folded(subtree, size, subtree_root, proof)
    _check_root(name, subtree_root, computed_part)
    _check_root(f"the tree of {size} leaves", tree_root, computed_tree)


def _folded(part: Span, size: int, known: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of the part and of the whole tree, as the proof has them; *known* is the part's if it is a node."""
    begin, steps = _way(part, size)
    given = 0 if begin == part else 1
    _check_length(f"a proof of [{part.start}, {part.end}) in {size} leaves", given + len(steps), proof)
    _check_hashes(proof)
    inner = outer = proof[0] if given else known
    for step, beside in zip(steps, proof[given:], strict=True):
        if step.is_within:
            inner = node_hash(beside, inner)
        outer = node_hash(beside, outer) if step.is_left else node_hash(outer, beside)
    return inner, outer


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise OutsideTree(f"leaf {index}", size, f"the last is leaf {size - 1}" if size > 0 else "there is none")


def _check_old_size(old_size: int, size: int) -> None:
    if old_size == 0:
        raise OutsideTree("its consistency with the empty tree", size, "every tree begins with it; send no proof")
    if not 0 < old_size <= size:
        raise OutsideTree(f"its first {old_size} leaves", size, "name the older, smaller tree first")


def _check_subtree(subtree: Span, size: int) -> None:
    start, end = subtree
    if not 0 <= start <= end <= size:
        raise OutsideTree(f"the part [{start}, {end})", size, "name a part that lies within the tree")
    if start < end and start % (1 << (end - start - 1).bit_length()):
        raise OutsideTree(f"the part [{start}, {end})", size, "begin at a multiple of the power of two that holds it")


def _check_known(size: int, hashes: Sequence[bytes]) -> None:
    if size > len(hashes):
        raise OutsideTree(f"its first {size} leaves", len(hashes), "prove within the leaves that are there")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for one in hashes:
        if len(one) != HASH_SIZE:
            raise MalformedHash(len(one))


def _check_length(of: str, wanted: int, proof: Sequence[bytes]) -> None:
    if len(proof) != wanted:
        raise WrongLength(of, wanted, len(proof))


def _check_root(of: str, expected: bytes, computed: bytes) -> None:
    if expected != computed:
        raise RootMismatch(of, expected, computed)
