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
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper
from eventsourcing.utils import Environment, EnvType

from ledger.authority import Principal, authorize
from ledger.codec import Draft, LeafMapper, Placed, Prepared, Row, amend, prepare, recorded, said
from ledger.deciding import Command, Group, Look, Receipt
from ledger.disk import Disk
from ledger.errors import Damaged, LedgerError, NotRecorded, Undecided
from ledger.events import Recorded, RecordRedacted
from ledger.past import StoredPast
from ledger.store.sqlite import SQLiteStore, database_name
from ledger.values import microseconds

READ_AT_ONCE = 2_000
SHREDDING_MS = 1_000
"""How long a redaction waits for readers, so that no file holds the words when it is acknowledged."""


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
        self.folder = made_folder(folder)
        self.clock = clock or Clock()
        self.look: Look | None = None
        self._unshredded = False
        self._fingerprint_key = secret_file(folder / "fingerprint.key")
        super().__init__({"SQLITE_DBNAME": database_name(str(own_file(folder / "events.sqlite")))})
        Disk().sync_folder(folder)
        self._past = StoredPast(self.store, self.stream)

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
            Invalid: if its time is no moment.
            TooLarge: if its leaf would be.
        """
        event = authorize(principal, draft.event)
        return prepare(
            draft if event is draft.event else replace(draft, event=event),
            principal.submitter,
            source=draft.source or principal.id,
            event_id=draft.id or str(uuid7(self.clock.now())),
            fingerprint=hmac.digest(self._fingerprint_key, draft.content or said(draft), "sha256"),
        )

    def record(self, commands: Sequence[Command]) -> list[list[Receipt] | LedgerError]:
        """
        The outcome of each command: its receipts, or why it was refused.

        Everything accepted is durable when this returns. Any other exception
        means that nothing of the whole group was stored.
        """
        with self.store.writing() as cursor:
            head, last_leaf = self.store.last(cursor)
            now = self.clock.now()
            if last_leaf is not None:
                now = max(now, datetime.fromisoformat(orjson.loads(last_leaf)["recordedtime"]))
            self._past.begin(cursor, head, commands)
            group = Group(self._past, head, now, recordedtime(now), self.look)
            outcomes = [_outcome(command, group) for command in commands]
            if group.overlay.placed:
                self.events.put(group.overlay.placed, within=cursor)
            if group.overlay.redacted:
                self._redact(group.overlay.placed, cursor)
        self._past.stored(group.overlay)
        self._shred(bool(group.overlay.redacted))
        return outcomes

    def _shred(self, redacted: bool) -> None:
        """After a redaction, and again after each group as long as it did not work: then without waiting."""
        if redacted or self._unshredded:
            # The group is durable: a fault here must not be told as if it were not.
            with suppress(*SQLiteStore.FAILURES):
                self._unshredded = True
                self._unshredded = not self.store.shred(SHREDDING_MS if redacted else 0)

    def _redact(self, placed: Sequence[Placed], cursor: Cursor) -> None:
        for each in placed:
            event = each.prepared.event
            if isinstance(event, RecordRedacted):
                words = self.store.disclosed(event.position, cursor)
                gone = [path for path in words if path.split("/")[1] in event.fields]
                self.store.forget(event.position, gone, cursor)

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

    def revision(self, name: str, until: int) -> int:
        """The revision that a stream had at a position; 0 where it was not there yet."""
        return self.store.revision_at(name, until)

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


def _outcome(command: Command, group: Group) -> list[Receipt] | LedgerError:
    try:
        return group.decide(command)
    except LedgerError as error:
        return error
    except SQLiteStore.FAILURES:
        raise
    except Exception as error:  # noqa: BLE001 - told to its caller, with the cause; the others are not to suffer
        refusal = Undecided()
        refusal.__cause__ = error
        return refusal


def recordedtime(moment: datetime) -> str:
    """As it stands in every leaf: UTC, always with six digits of microseconds, so that equal lengths sort."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def secret_file(path: Path) -> bytes:
    """
    The 32 secret bytes of a file that only its owner may read; made on first use, whole or not at all.

    Raises:
        Damaged: where something else is in the file.
    """
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent, prefix=path.name) as made:  # created with mode 0600
            made.write(secrets.token_bytes(32))
            made.flush()
            os.fsync(made.fileno())
            with suppress(FileExistsError):
                os.link(made.name, path)
    secret = path.read_bytes()
    if len(secret) != 32:
        raise Damaged(f"{path} holds {len(secret)} bytes, not the 32 that were made: restore it from a backup")
    return secret


def own_file(path: Path) -> Path:
    """The path, its file made for its owner alone where it is missing. SQLite gives what it lays beside the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return path


def made_folder(folder: Path) -> Path:
    """The folder, made with those above it where they are missing, their names durable. Only its owner gets in."""
    missing = [each for each in (folder, *folder.absolute().parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        with suppress(PermissionError):  # of a folder that may be written in and not listed
            Disk().sync_folder(each.parent)
    return folder


def uuid7(moment: datetime) -> UUID:
    """A UUID that sorts by time (RFC 9562, section 5.7): 48 bits of milliseconds, 74 random ones."""
    value = (microseconds(moment) // 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
