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
        while after < until:
            portion = self._store.leaves(after, until, READ_AT_ONCE)
            for position, leaf in portion:
                if position != after + 1:
                    break
                after = position
                yield leaf
            if not portion or portion[-1][0] != after:
                raise Damaged(f"the event at position {after + 1} is gone: `lastgood verify` says what else differs")
