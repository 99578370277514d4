"""
The record as deciding asks for it, under the store's write lock.

Revisions and states are remembered from group to group, as long as no other
process wrote in between.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from sqlite3 import Cursor
from typing import Any

from ledger.authority import Principal
from ledger.codec import Key, Prepared, Row, prepare, recorded
from ledger.deciding import LOOKED_THROUGH, RULES, Command, Overlay
from ledger.events import Event, Recorded
from ledger.store.sqlite import SQLiteStore

READ_AT_ONCE = 500
REMEMBERED_STREAMS = 65_536
REMEMBERED_STATES = 1_024


class StoredPast:
    """One for each ledger; used by one thread at a time, between `begin` and the end of the transaction."""

    def __init__(self, store: SQLiteStore, stream: Callable[[str, int], Iterator[Recorded]]) -> None:
        self._store, self._stream = store, stream
        self._head = 0
        self._revisions: dict[str, int] = {}
        self._states: dict[str, Any] = {}
        self._twins: dict[Key, tuple[Row, bytes | None]] = {}

    def begin(self, cursor: Cursor, head: int, commands: Sequence[Command]) -> None:
        """What follows is asked within the transaction of *cursor*, whose record ends at *head*."""
        # Where another process wrote, what is remembered may be old. Where it grew too large it goes all
        # at once: which stream comes next is anyone's guess, and to ask the store again costs little.
        for kept, most in ((self._revisions, REMEMBERED_STREAMS), (self._states, REMEMBERED_STATES)):
            if head != self._head or len(kept) > most:
                kept.clear()
        self._cursor, self._head = cursor, head
        self._twins = self._store.twins([each.key for command in commands for each in command.events], cursor)

    def stored(self, overlay: Overlay) -> None:
        """Remembers what a group added; called when it is durable."""
        self._head += len(overlay.placed)
        self._revisions.update(overlay.revisions)
        for stream, events in overlay.unseen.items():
            if (state := self._states.get(stream)) is not None:
                for event, happened in events:
                    RULES[event.STREAM[0]].evolve(state, event, happened)
        # Last: what was decided on has seen its events already.
        self._states.update(overlay.states)

    def revision(self, stream: str) -> int:
        revision = self._revisions.get(stream)
        if revision is None:
            revision = self._revisions[stream] = self._store.revision(stream, self._cursor)
        return revision

    def twin(self, key: Key) -> tuple[Row, bytes | None] | None:
        return self._twins.get(key)

    def events(self, positions: Sequence[int]) -> Iterator[Recorded]:
        for start in range(0, len(positions), READ_AT_ONCE):
            yield from map(recorded, self._store.rows_at(positions[start : start + READ_AT_ONCE]))

    def stream(self, stream: str) -> Iterator[Recorded]:
        return self._stream(stream, self._head)

    def since(self, stream: str, revision: int) -> Iterator[Recorded]:
        """The first `LOOKED_THROUGH` events of a stream after a revision."""
        return map(recorded, self._store.stream_rows(stream, revision, self._head, LOOKED_THROUGH))

    def state(self, stream: str) -> Any:
        state = self._states.get(stream)
        if state is None:
            rules = RULES[stream.partition("/")[0]]
            state = rules.State()
            for each in self.stream(stream):
                state = rules.evolve(state, each.event, each.occurred_at)
            self._states[stream] = state
        return state

    def reprepare(self, prepared: Prepared, event: Event, principal: Principal) -> Prepared:
        return prepare(
            replace(prepared.draft, event=event),
            principal.submitter,
            source=prepared.source,
            event_id=prepared.id,
            fingerprint=prepared.fingerprint,
        )
