"""
The ledger: prepare, decide, append; read from a position.

An application of the `eventsourcing` library with a store, a mapper and rules
of our own. `record` is the one way in; it decides and stores a group of
commands in one durable transaction. The server calls it from its writer
thread (`ledger.writer`), the command line directly.
"""

import hmac
import os
import secrets
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Cursor
from tempfile import NamedTemporaryFile
from typing import Any, ClassVar
from uuid import UUID

import orjson
from eventsourcing.application import Application, LRUCache
from eventsourcing.persistence import Mapper
from eventsourcing.utils import Environment, EnvType

from ledger.authority import Principal, authorize
from ledger.codec import Draft, LeafMapper, Placed, Prepared, Row, amend, prepare, recorded
from ledger.deciding import RULES, Command, Group, Look, Overlay, Receipt
from ledger.errors import LedgerError, NotRecorded
from ledger.events import Event, Recorded, RecordRedacted
from ledger.store.sqlite import SQLiteStore, database_name
from ledger.values import microseconds

CACHED_STREAMS = 65_536
CACHED_STATES = 1_024
READ_AT_ONCE = 2_000


class Clock:
    """The wall clock, in UTC and whole microseconds. Passed in, so that tests never wait."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Ledger(Application[str]):
    """
    One record, in a data folder. Reads are safe from many threads; `record`
    is called by one at a time.
    """

    name = "ledger"
    env: ClassVar[dict[str, str]] = {"PERSISTENCE_MODULE": "ledger.store.sqlite:Factory"}

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.clock = clock or Clock()
        self.look: Look | None = None
        self._fingerprint_key = secret_file(folder / "fingerprint.key")
        self._revisions: LRUCache[str, int] = LRUCache(CACHED_STREAMS)
        self._states: LRUCache[str, Any] = LRUCache(CACHED_STATES)
        self._known_head = 0
        super().__init__({"SQLITE_DBNAME": database_name(str(folder / "events.sqlite"))})

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        # Not from os.environ, as the library has it: a stray COMPRESSOR_TOPIC must never change what is stored.
        return Environment(name, {**type(self).env, **(env or {})})

    def construct_mapper(self) -> Mapper[str]:
        return LeafMapper(transcoder=self.construct_transcoder())

    @property
    def store(self) -> SQLiteStore:
        store = self.recorder
        if not isinstance(store, SQLiteStore):
            raise TypeError(f"{type(store).__name__} does not keep the store's promises")
        return store

    # Writing

    def prepare(self, draft: Draft, principal: Principal) -> Prepared:
        """
        A draft as it will be stored if it is accepted, but for its place. Needs no lock.

        Raises:
            NotAllowed: if this principal may not have it recorded.
            TooLarge: if its leaf would be.
        """
        event = authorize(principal, draft.event)
        return prepare(
            draft if event is draft.event else replace(draft, event=event),
            principal.submitter,
            source=draft.source or principal.id,
            event_id=draft.id or str(uuid7(self.clock.now())),
            fingerprint=hmac.digest(self._fingerprint_key, draft.content, "sha256"),
        )

    def record(self, commands: Sequence[Command]) -> list[list[Receipt] | LedgerError]:
        """
        The outcome of each command: its receipts, or why it was refused.

        Everything accepted is durable when this returns. Any other exception
        means that nothing of the whole group was stored.
        """
        with self.store.writing() as cursor:
            head, last_leaf = self.store.last(cursor)
            if head != self._known_head:
                # Another process wrote: what is cached here may be old.
                self._revisions.clear()
                self._states.clear()
            now = self.clock.now()
            if last_leaf is not None:
                now = max(now, datetime.fromisoformat(orjson.loads(last_leaf)["recordedtime"]))
            past = _Past(self, cursor, self._revisions, self._states)
            group = Group(past, head, now, recordedtime(now), self.look)
            outcomes: list[list[Receipt] | LedgerError] = []
            for command in commands:
                try:
                    outcomes.append(group.decide(command))
                except LedgerError as error:
                    outcomes.append(error)
            if group.overlay.placed:
                self.events.put(group.overlay.placed, within=cursor)
                self._redact(group.overlay.placed, cursor)
        self._remember(group.overlay, head)
        return outcomes

    def _redact(self, placed: Sequence[Placed], cursor: Cursor) -> None:
        for each in placed:
            event = each.prepared.event
            if isinstance(event, RecordRedacted):
                words = self.store.disclosed(event.position, cursor)
                gone = [path for path in words if path.split("/")[1] in event.fields]
                self.store.forget(event.position, gone, cursor)

    def _remember(self, overlay: Overlay, head: int) -> None:
        self._known_head = head + len(overlay.placed)
        for stream, revision in overlay.revisions.items():
            self._revisions.put(stream, revision)
        for stream, state in overlay.states.items():
            self._states.put(stream, state)
        for placed in overlay.placed:
            stream = placed.prepared.stream
            if stream not in overlay.states and (state := _cached(self._states, stream)) is not None:
                RULES[stream.partition("/")[0]].evolve(state, placed.prepared.event)

    # Reading

    def head(self) -> int:
        return self.store.head()

    def rows(self, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """Stored rows in order of position, those with after < position <= until; read in portions."""
        last = self.head() if until is None else until
        while after < last:
            rows = self.store.rows(after, last, READ_AT_ONCE)
            yield from rows
            if len(rows) < READ_AT_ONCE:
                return
            after = rows[-1].position

    def read(self, after: int, until: int) -> Iterator[Recorded]:
        return map(recorded, self.rows(after, until))

    def stream(self, name: str, until: int) -> Iterator[Recorded]:
        after = 0
        while rows := self.store.stream_rows(name, after, until, READ_AT_ONCE):
            yield from map(recorded, rows)
            if len(rows) < READ_AT_ONCE:
                return
            after = rows[-1].originator_version

    def at(self, positions: list[int]) -> Iterator[Recorded]:
        for start in range(0, len(positions), 500):
            found = {row.position: row for row in self.store.rows_at(positions[start : start + 500])}
            yield from (recorded(found[each]) for each in positions[start : start + 500] if each in found)

    def amend(self, recorded: Recorded, changes: Mapping[str, Any]) -> Recorded:
        return amend(recorded, changes)

    def row(self, position: int) -> Row:
        """Raises `NotRecorded` where there is none."""
        found = self.store.rows_at([position]) if 0 < position < 2**62 else []
        if not found:
            raise NotRecorded(position, self.head())
        return found[0]

    def position_at(self, moment: datetime) -> int:
        """The last position recorded by a moment, 0 if there was none. Recorded times never fall, so this halves."""
        return bisect_right(range(1, self.head() + 1), microseconds(moment), key=self._recorded_microseconds)

    def _recorded_microseconds(self, position: int) -> int:
        leaf = orjson.loads(self.row(position).state)
        return microseconds(datetime.fromisoformat(leaf["recordedtime"]))


class _Past:
    """The record as deciding asks for it, under the lock."""

    def __init__(
        self, ledger: Ledger, cursor: Cursor, revisions: LRUCache[str, int], states: LRUCache[str, Any]
    ) -> None:
        self._ledger, self._cursor = ledger, cursor
        self._revisions, self._states = revisions, states

    def revision(self, stream: str) -> int:
        revision: int | None = _cached(self._revisions, stream)
        if revision is None:
            revision = self._ledger.store.revision(stream, self._cursor)
            self._revisions.put(stream, revision)
        return revision

    def twin(self, source: str, event_id: str) -> tuple[Row, bytes | None] | None:
        return self._ledger.store.twin(source, event_id, self._cursor)

    def event(self, position: int) -> Recorded | None:
        return next(self._ledger.at([position]), None)

    def state(self, stream: str) -> Any:
        rules = RULES[stream.partition("/")[0]]
        state = _cached(self._states, stream)
        if state is None:
            state = rules.State()
            for each in self._ledger.stream(stream, 2**62):
                state = rules.evolve(state, each.event)
            self._states.put(stream, state)
        return state

    def reprepare(self, prepared: Prepared, event: Event, principal: Principal) -> Prepared:
        return prepare(
            replace(prepared.draft, event=event),
            principal.submitter,
            source=prepared.source,
            event_id=prepared.id,
            fingerprint=prepared.fingerprint,
        )


def _cached(cache: LRUCache[str, Any], key: str) -> Any:
    try:
        return cache.get(key)
    except KeyError:
        return None


def recordedtime(moment: datetime) -> str:
    """As it stands in every leaf: UTC, always with six digits of microseconds, so that equal lengths sort."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def secret_file(path: Path) -> bytes:
    """The 32 secret bytes of a file that only its owner may read; made on first use, whole or not at all."""
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent, prefix=path.name) as made:  # created with mode 0600
            made.write(secrets.token_bytes(32))
            made.flush()
            os.fsync(made.fileno())
            with suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_bytes()


def uuid7(moment: datetime) -> UUID:
    """A UUID that sorts by time (RFC 9562, section 5.7): 48 bits of milliseconds, 74 random ones."""
    value = (microseconds(moment) // 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
