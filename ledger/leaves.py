"""
The leaves of the record, as the log and its verification read them: in order, none left out.
"""

from collections.abc import Iterator

from ledger.application import READ_AT_ONCE, Ledger
from ledger.errors import Damaged


class Leaves:
    """The leaves of a ledger. Safe to use from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._store = ledger.store

    def head(self) -> int:
        """The last position."""
        return self._store.head()

    def leaves(self, after: int, until: int) -> Iterator[bytes]:
        """
        Those with after < position <= until; read in portions.

        Raises:
            Damaged: where one is missing.
        """
        for start in range(after, until, READ_AT_ONCE):
            end = min(until, start + READ_AT_ONCE)
            leaves = self._store.leaves(start, end)
            # Positions are whole numbers and unique, so as many as there can be are all of them.
            if len(leaves) != end - start:
                raise Damaged(f"an event between positions {start + 1} and {end} is gone: `lastgood verify` says which")
            yield from leaves
