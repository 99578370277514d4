"""
The embedded store: one SQLite file, written by one thread at a time.

Promises (the contract that every store keeps; one test suite for all):

- an append is all or nothing, and durable when it returns (WAL with
  `synchronous=FULL`, asserted on every connection);
- positions are dense and explicit, revisions are dense within a stream, a
  (source, id) is recorded once;
- nothing is changed or removed: the database itself refuses UPDATE, DELETE
  and REPLACE on events, whoever asks. Disclosures and fingerprints are laid
  down before their event, and from then on may be deleted (that is redaction),
  never changed, replaced or brought back;
- many threads and processes may read while one writes, and no reader sees a
  position before all lower ones.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from itertools import groupby
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID

from eventsourcing.persistence import Notification, PersistenceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)
from eventsourcing.utils import EnvType

from ledger.codec import Key, Row
from ledger.errors import Damaged

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    leaf BLOB NOT NULL,
    UNIQUE (stream, revision),
    UNIQUE (source, id)
) STRICT;
CREATE TABLE IF NOT EXISTS disclosures (
    position INTEGER NOT NULL,
    member TEXT NOT NULL,
    disclosure TEXT NOT NULL,
    PRIMARY KEY (position, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fingerprints (
    position INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER IF NOT EXISTS events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
CREATE TRIGGER IF NOT EXISTS events_only_appended BEFORE INSERT ON events
WHEN NEW.position IS NOT (SELECT IFNULL(MAX(position), 0) + 1 FROM events)
  OR NEW.revision IS NOT (SELECT IFNULL(MAX(revision), 0) + 1 FROM events WHERE stream = NEW.stream)
  OR EXISTS (SELECT 1 FROM events WHERE source = NEW.source AND id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'events are only appended, at the next position and revision, each key once'); END;
CREATE TRIGGER IF NOT EXISTS disclosures_no_update BEFORE UPDATE ON disclosures
BEGIN SELECT RAISE(ABORT, 'disclosures are never changed'); END;
CREATE TRIGGER IF NOT EXISTS disclosures_before_event BEFORE INSERT ON disclosures
WHEN NEW.position <= (SELECT IFNULL(MAX(position), 0) FROM events)
BEGIN SELECT RAISE(ABORT, 'disclosures are laid down before their event, never later'); END;
CREATE TRIGGER IF NOT EXISTS fingerprints_no_update BEFORE UPDATE ON fingerprints
BEGIN SELECT RAISE(ABORT, 'fingerprints are never changed'); END;
CREATE TRIGGER IF NOT EXISTS fingerprints_before_event BEFORE INSERT ON fingerprints
WHEN NEW.position <= (SELECT IFNULL(MAX(position), 0) FROM events)
BEGIN SELECT RAISE(ABORT, 'fingerprints are laid down before their event, never later'); END;
"""

SCHEMA_VERSION = 1
"""Kept in the file's `user_version`; a file of a later version is not opened."""

_ROW = "position, stream, revision, type, source, id, leaf"
_TWINS = f"SELECT {_ROW}, fingerprint FROM events LEFT JOIN fingerprints USING (position)"  # noqa: S608
_AT_ONCE = 500
_LOCK_TIMEOUT_S = 30
_STATEMENTS = 128
_WRITING_KIB, _READING_KIB = 16_384, 2_000


_SETTINGS = (
    ("journal_mode", "WAL", "wal"),
    # At NORMAL a power cut loses acknowledged events.
    ("synchronous", "FULL", 2),
    # What was redacted is overwritten, not only unlinked.
    ("secure_delete", "ON", 1),
    ("trusted_schema", "OFF", 0),
)
"""Set and asserted on every connection."""


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        # Not the library's own: that keeps one statement, so each is compiled anew for every append, triggers and all.
        made = sqlite3.connect(
            self.db_name,
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            timeout=_LOCK_TIMEOUT_S,
            cached_statements=_STATEMENTS,
        )
        made.row_factory = sqlite3.Row
        for setting, value, got in _SETTINGS:
            made.execute(f"PRAGMA {setting}={value}")
            if (found := made.execute(f"PRAGMA {setting}").fetchone()[0]) != got:
                made.close()
                raise Damaged(f"SQLite would not set {setting}={value} here, but keeps {found}: not starting")
        return SQLiteConnection(made, self.max_age)


class _Datastore(SQLiteDatastore):
    def __init__(self, db_name: str) -> None:
        super().__init__(db_name, originator_id_type="text")
        self.pool = _Pool(
            db_name=db_name, lock_timeout=_LOCK_TIMEOUT_S, pool_size=16, max_overflow=48, pool_timeout=30.0
        )


class SQLiteStore(SQLiteApplicationRecorder):
    """The library's recorder with a schema of our own. Safe to use from many threads."""

    FAILURES: ClassVar = (sqlite3.Error, PersistenceError)
    """What it raises where the store itself fails, rather than one command."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore, events_table_name="events")

    def create_table(self) -> None:
        """Tables and guards, where they are missing. Raises `Damaged` where somebody put others in their place."""
        with self.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor().sqlite_cursor
            version = cursor.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise Damaged(
                    f"the event store has schema {version}, this release knows {SCHEMA_VERSION}: use a newer release"
                )
            if _differing(cursor):
                cursor.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
            if changed := _differing(cursor):
                raise Damaged(
                    f"{', '.join(sorted(changed))} in the event store is not as this release made it, so that "
                    "events could be changed: run lastgood verify, and restore a backup from before the change"
                )

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """
        A transaction that holds the write lock from its first line.

        What is read inside is the truth until it ends, in this process and in
        every other; it commits at the end, and leaves no trace on an error.
        """
        with self.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor().sqlite_cursor
            # Room for a whole group, so that it goes to the disk once; given back, since connections are many.
            cursor.execute(f"PRAGMA cache_size=-{_WRITING_KIB}")
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                cursor.execute(f"PRAGMA cache_size=-{_READING_KIB}")

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, within: sqlite3.Cursor | None = None, **kwargs: Any
    ) -> Sequence[int]:
        """
        Adds rows, inside the transaction *within* or in one of their own.

        Returns their positions in the second case; who gives the transaction placed them.
        """
        if within is None:
            with self.writing() as cursor:
                self.insert_events(stored_events, within=cursor, **kwargs)
            return [row.position for row in map(_placed, stored_events)]
        rows = [_placed(each) for each in stored_events]
        # Words and fingerprints first: once an event is stored, the database takes none for it.
        within.executemany(
            "INSERT INTO fingerprints VALUES (?,?)", [(r.position, r.fingerprint) for r in rows if r.fingerprint]
        )
        disclosures = [(r.position, member, words) for r in rows for member, words in r.disclosures]
        within.executemany("INSERT INTO disclosures VALUES (?,?,?)", disclosures)
        within.executemany(
            f"INSERT INTO events ({_ROW}) VALUES (?,?,?,?,?,?,?)",  # noqa: S608
            [(r.position, r.originator_id, r.originator_version, r.topic, r.source, r.id, r.state) for r in rows],
        )
        return []

    def last(self, within: sqlite3.Cursor) -> tuple[int, bytes | None]:
        """The last position and its leaf; 0 and None when nothing is recorded."""
        found = within.execute("SELECT position, leaf FROM events ORDER BY position DESC LIMIT 1").fetchone()
        return (found[0], found[1]) if found else (0, None)

    def revision(self, stream: str, within: sqlite3.Cursor) -> int:
        found = within.execute("SELECT MAX(revision) FROM events WHERE stream=?", (stream,)).fetchone()
        return found[0] or 0

    def twin(self, source: str, event_id: str, within: sqlite3.Cursor) -> tuple[Row, bytes | None] | None:
        """The event already recorded under a key, and its fingerprint unless that was redacted."""
        return self.twins([(source, event_id)], within).get((source, event_id))

    def twins(self, keys: Sequence[Key], within: sqlite3.Cursor) -> dict[Key, tuple[Row, bytes | None]]:
        """The events already recorded under some of the keys, each with its fingerprint unless that was redacted."""
        by_source: dict[str, list[str]] = {}
        for source, event_id in keys:
            by_source.setdefault(source, []).append(event_id)
        found: dict[Key, tuple[Row, bytes | None]] = {}
        for source, ids in by_source.items():
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = within.execute(f"{_TWINS} WHERE source=? AND id IN ({marks})", (source, *some))
                found |= {(row[4], row[5]): (_row(row), row["fingerprint"]) for row in rows}
        return found

    def disclosed(self, position: int, within: sqlite3.Cursor) -> list[str]:
        """The paths of an event's members whose disclosures are still kept."""
        found = within.execute("SELECT member FROM disclosures WHERE position=?", (position,))
        return [row[0] for row in found.fetchall()]

    def forget(self, position: int, members: Sequence[str], within: sqlite3.Cursor) -> None:
        """Deletes the disclosures of some members of an event, and its fingerprint. The leaf stays as it is."""
        within.executemany("DELETE FROM disclosures WHERE position=? AND member=?", [(position, m) for m in members])
        within.execute("DELETE FROM fingerprints WHERE position=?", (position,))

    def shred(self, patience_ms: int) -> bool:
        """
        Empties the write-ahead log, where what was forgotten may still stand.

        False where readers stand in the way for so long; then it stays until
        the next time, or until the last connection closes.
        """
        with self.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_busy = cursor.fetchall()[0][0]
            finally:
                cursor.execute(f"PRAGMA busy_timeout={_LOCK_TIMEOUT_S * 1000}")
        return not is_busy

    def revision_at(self, stream: str, position: int) -> int:
        """The revision that a stream had at a position; 0 where it was not there yet."""
        with self._reading() as cursor:
            found = cursor.execute(
                "SELECT revision FROM events WHERE stream=? AND position<=? ORDER BY revision DESC LIMIT 1",
                (stream, position),
            ).fetchone()
        return found[0] if found else 0

    def head(self) -> int:
        """The last position, 0 when there is none."""
        with self._reading() as cursor:
            return self.last(cursor)[0]

    def rows(self, after: int, until: int, limit: int) -> list[Row]:
        """Rows in order of position with after < position <= until, at most *limit*."""
        return self._select("position > ? AND position <= ? ORDER BY position LIMIT ?", (after, until, limit))

    def leaves(self, after: int, until: int) -> list[bytes]:
        """The leaves of `rows` alone, all of them: a sixth of the work."""
        with self._reading() as cursor:
            cursor.row_factory = None
            found = cursor.execute(
                "SELECT leaf FROM events WHERE position > ? AND position <= ? ORDER BY position", (after, until)
            )
            return [row[0] for row in found.fetchall()]

    def stream_rows(self, stream: str, after: int, until: int, limit: int) -> list[Row]:
        """One stream's rows with revision > after and position <= until, in order, at most *limit*."""
        return self._select(
            "stream = ? AND revision > ? AND position <= ? ORDER BY revision LIMIT ?", (stream, after, until, limit)
        )

    def rows_at(self, positions: Sequence[int]) -> list[Row]:
        """The rows at these positions, in order of position."""
        marks = ",".join("?" * len(positions))
        return self._select(f"position IN ({marks}) ORDER BY position", tuple(positions))

    def _select(self, where: str, values: tuple[Any, ...]) -> list[Row]:
        with self._reading() as cursor:
            found = cursor.execute(f"SELECT {_ROW} FROM events WHERE {where}", values).fetchall()  # noqa: S608
            if not found:
                return []
            words = self._disclosures([row[0] for row in found], cursor)
        return [_row(row, words.get(row[0], ())) for row in found]

    def _disclosures(self, positions: list[int], cursor: sqlite3.Cursor) -> dict[int, tuple[tuple[str, str], ...]]:
        first, last = min(positions), max(positions)
        if last - first < 4 * len(positions):
            where, values = "position BETWEEN ? AND ?", [first, last]
        else:
            where, values = f"position IN ({','.join('?' * len(positions))})", positions
        found = cursor.execute(
            f"SELECT position, member, disclosure FROM disclosures WHERE {where} ORDER BY position",  # noqa: S608
            values,
        )
        return {
            position: tuple((row[1], row[2]) for row in rows)
            for position, rows in groupby(found.fetchall(), key=lambda row: row[0])
        }

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Cursor]:
        with self.datastore.transaction(commit=False) as cursor:
            # The library's type says SQLiteCursor; entering it hands out the driver's own.
            yield cursor.sqlite_cursor if isinstance(cursor, SQLiteCursor) else cursor

    # What the library itself asks of a recorder.

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        order = "DESC" if desc else "ASC"
        return self._select(
            f"stream = ? AND revision > ? AND revision <= ? ORDER BY revision {order} LIMIT ?",
            (str(originator_id), gt or 0, 2**62 if lte is None else lte, -1 if limit is None else limit),
        )

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - inclusive_of_start
        rows = self.rows(after, 2**62 if stop is None else stop, -1 if topics else limit)
        return [
            Notification(
                id=row.position,
                originator_id=row.originator_id,
                originator_version=row.originator_version,
                topic=row.topic,
                state=row.state,
            )
            for row in rows
            if not topics or row.topic in topics
        ][:limit]

    def max_notification_id(self) -> int:
        return self.head()


@cache
def _made() -> dict[str, str]:
    """Name and SQL of all that the schema makes, as SQLite itself writes it down."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return _listed(connection.cursor())


def _listed(cursor: sqlite3.Cursor) -> dict[str, str]:
    return {row[0]: row[1] for row in cursor.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")}


def _differing(cursor: sqlite3.Cursor) -> set[str]:
    """What of the schema is missing in a database, or other than it was made."""
    listed = _listed(cursor)
    return {name for name, sql in _made().items() if listed.get(name) != sql}


def _placed(stored: StoredEvent) -> Row:
    if not isinstance(stored, Row):
        raise TypeError(f"an event of {stored.originator_id} has no place in the record: append it through the Ledger")
    return stored


def _row(found: Any, disclosures: tuple[tuple[str, str], ...] = ()) -> Row:
    return Row(found[1], found[2], found[3], found[6], found[0], found[4], found[5], disclosures)


class Factory(SQLiteFactory):
    """What the library builds the embedded store with."""

    application_recorder_class: type[SQLiteApplicationRecorder] = SQLiteStore

    def __init__(self, env: EnvType | None) -> None:
        super().__init__(env)
        self.datastore.close()
        self.datastore = _Datastore(self.env.get(self.SQLITE_DBNAME) or "")


def database_name(path: str) -> str:
    """The library's name for a database file; it takes URIs, so a path is quoted as one."""
    return f"file:{quote(path)}"
