"""
The Merkle tree as RFC 6962, section 2.1, defines it: slow, obvious, and nothing of ledger/merkle.py.

Each method is one definition of the RFC, word for word, over the leaves from
`low` up to `high`. Results are kept, so that a test may ask for every size.
"""

from functools import cache
from hashlib import sha256


class ReferenceTree:
    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.root = cache(self._root)

    def _root(self, low: int, high: int) -> bytes:
        """MTH(D[low:high])."""
        if low == high:
            return sha256(b"").digest()
        if high - low == 1:
            return sha256(b"\x00" + self.leaves[low]).digest()
        middle = low + largest_power_of_two_below(high - low)
        return sha256(b"\x01" + self.root(low, middle) + self.root(middle, high)).digest()

    def path(self, index: int, low: int, high: int) -> list[bytes]:
        """PATH(index, D[low:high]), the index counted from the tree's first leaf."""
        if high - low == 1:
            return []
        middle = low + largest_power_of_two_below(high - low)
        if index < middle:
            return [*self.path(index, low, middle), self.root(middle, high)]
        return [*self.path(index, middle, high), self.root(low, middle)]

    def proof(self, old_size: int, size: int) -> list[bytes]:
        """PROOF(old_size, D[0:size])."""
        return self._subproof(old_size, 0, size, is_known=True)

    def _subproof(self, end: int, low: int, high: int, *, is_known: bool) -> list[bytes]:
        if end == high:
            return [] if is_known else [self.root(low, high)]
        middle = low + largest_power_of_two_below(high - low)
        if end <= middle:
            return [*self._subproof(end, low, middle, is_known=is_known), self.root(middle, high)]
        return [*self._subproof(end, middle, high, is_known=False), self.root(low, middle)]


def largest_power_of_two_below(number: int) -> int:
    power = 1
    while power * 2 < number:
        power *= 2
    return power
