"""
The file of the read models: its tables, and reading them at one position.

Disposable: everything in it comes from the record, and a file of another
format is deleted and rebuilt.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any

import msgspec
from sqlite_utils import Database

from projections import alerts, decisions, feeds, history, incident_list, metrics, oncall, remarks, search
from projections.folds import AUDITS, STATES, Folded, kind_of, names_of

FORMAT = 9
"""Raised whenever a fold or a table changes."""

CACHED_STATES = 10_000


class Tables:
    """The read models of one process. Safe to use from any thread: each has its own connection."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / "models.sqlite"
        self._threads = local()
        self._cache: dict[str, tuple[int, Any]] = {}
        self._open()

    def _open(self) -> None:
        if self.path.exists() and _format(self.path) != FORMAT:
            delete(self.path)
        _create(self.db)
        self.path.chmod(0o600)

    @property
    def db(self) -> Database:
        """This thread's connection."""
        found: Database | None = getattr(self._threads, "db", None)
        if found is None:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            found = self._threads.db = Database(connection)
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
        return found

    def close(self) -> None:
        """Closes this thread's connection; those of other threads end with them."""
        self.db.close()
        del self._threads.db

    @contextmanager
    def snapshot(self) -> Iterator[int]:
        """Everything this thread reads inside is of one position, which is given."""
        with self.db.atomic():
            yield self.position()

    def shred(self) -> bool:
        """Empties the write-ahead log, where redacted words may still stand. False where readers stand in the way."""
        self.db.execute("PRAGMA busy_timeout = 100")
        is_busy = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self.db.execute("PRAGMA busy_timeout = 30000")
        return not is_busy

    def position(self) -> int:
        """How far the tables have got."""
        found: int = self.db.execute("SELECT position FROM progress").fetchone()[0]
        return found

    # States

    def folded(self, stream: str) -> Folded | None:
        """The kept fold of a stream, to go on with."""
        row = self.db.execute("SELECT state, audit, at, position FROM scopes WHERE stream = ?", [stream]).fetchone()
        if row is None:
            return None
        return Folded(_decode(STATES, stream, row[0]), _decode(AUDITS, stream, row[1]), key=(row[2], row[3]))

    def keep(self, stream: str, folded: Folded, version: int) -> None:
        names = names_of(stream)
        service = names[0] if kind_of(stream) in ("slot", "service") else None
        environment = names[-1] if kind_of(stream) in ("slot", "environment") else None
        self.db.execute(
            "INSERT INTO scopes VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (stream) DO UPDATE SET at = excluded.at, "
            "position = excluded.position, version = excluded.version, state = excluded.state, audit = excluded.audit",
            [
                stream,
                kind_of(stream),
                service,
                environment,
                *folded.key,
                version,
                msgspec.msgpack.encode(folded.state),
                None if folded.audit is None else msgspec.msgpack.encode(folded.audit),
            ],
        )

    def state(self, stream: str) -> Any:
        """The kept state of a stream, shared and not to be changed; None where nothing is recorded of it."""
        return self._shared(STATES, "state", stream)

    def audit(self, stream: str) -> Any:
        """Likewise what is kept beside it for findings."""
        return self._shared(AUDITS, "audit", stream)

    def _shared(self, types: Mapping[str, type[Any]], column: str, stream: str) -> Any:
        row = self.db.execute("SELECT version FROM scopes WHERE stream = ?", [stream]).fetchone()
        if row is None:
            return None
        name = f"{column} {stream}"
        kept = self._cache.get(name)
        if kept is None or kept[0] != row[0]:
            blob = self.db.execute(f"SELECT {column} FROM scopes WHERE stream = ?", [stream]).fetchone()[0]  # noqa: S608
            if len(self._cache) >= CACHED_STATES:
                self._cache.clear()
            kept = self._cache[name] = (row[0], _decode(types, stream, blob))
        return kept[1]

    def slots(self, filters: Mapping[str, str], after: tuple[str, str] | None, limit: int) -> list[tuple[str, str]]:
        """Slots by name, (service, environment), those after a given one."""
        where, values = ["kind = 'slot'"], []
        for name in ("service", "environment"):
            if name in filters:
                where.append(f"{name} = ?")
                values.append(filters[name])
        if after is not None:
            where.append("(service, environment) > (?, ?)")
            values += after
        found = self.db.execute(
            f"SELECT service, environment FROM scopes WHERE {' AND '.join(where)} "  # noqa: S608
            "ORDER BY service, environment LIMIT ?",
            [*values, limit],
        )
        return [(row[0], row[1]) for row in found.fetchall()]

    # What folds at other moments look up

    def amendments(self, stream: str, until: int) -> list[int]:
        found = self.db.execute(
            "SELECT position FROM amendments WHERE stream = ?1 AND position <= ?2 UNION "
            "SELECT a.position FROM amendments a JOIN moved m ON m.position = a.root "
            "WHERE m.stream = ?1 AND a.position <= ?2 ORDER BY 1",
            [stream, until],
        )
        return [row[0] for row in found.fetchall()]

    def moved_into(self, stream: str) -> list[int]:
        found = self.db.execute("SELECT position FROM moved WHERE stream = ? ORDER BY position", [stream])
        return [row[0] for row in found.fetchall()]

    def root_of(self, position: int) -> int:
        """The event that a correction, or a retraction of whatever depth, is about in the end; any other is its own."""
        found = self.db.execute("SELECT root FROM amendments WHERE position = ?", [position]).fetchone()
        return found[0] if found else position

    def amendments_of(self, root: int) -> list[int]:
        """The positions of all corrections and retractions that are about an event in the end."""
        found = self.db.execute("SELECT position FROM amendments WHERE root = ? ORDER BY position", [root])
        return [row[0] for row in found.fetchall()]

    def streams_moved(self, root: int) -> list[str]:
        """The streams that some correction ever moved an event into."""
        found = self.db.execute("SELECT stream FROM moved WHERE position = ?", [root])
        return [row[0] for row in found.fetchall()]

    def incidents_of(self, slot: str) -> list[str]:
        """The streams of all incidents whose events ever named a slot, by the slot's stream."""
        found = self.db.execute("SELECT incident FROM incident_slots WHERE slot = ? ORDER BY incident", [slot])
        return [row[0] for row in found.fetchall()]


def _create(db: Database) -> None:
    db.table("progress").create({"position": int}, if_not_exists=True)
    db.execute("INSERT INTO progress SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM progress)")
    columns = {"stream": str, "kind": str, "service": str, "environment": str, "at": int, "position": int}
    db.table("scopes").create(
        {**columns, "version": int, "state": bytes, "audit": bytes}, pk="stream", if_not_exists=True
    )
    db.table("scopes").create_index(["kind", "service", "environment"], if_not_exists=True)
    db.table("scopes").create_index(["kind", "environment", "service"], if_not_exists=True)
    db.table("amendments").create({"position": int, "root": int, "stream": str}, pk="position", if_not_exists=True)
    db.table("amendments").create_index(["stream"], if_not_exists=True)
    db.table("amendments").create_index(["root"], if_not_exists=True)
    db.table("moved").create({"stream": str, "position": int}, pk=("stream", "position"), if_not_exists=True)
    db.table("incident_slots").create({"slot": str, "incident": str}, pk=("slot", "incident"), if_not_exists=True)
    history.create(db)
    decisions.create(db)
    incident_list.create(db)
    search.create(db)
    for each in (feeds, alerts, metrics, oncall, remarks):
        each.create(db)
    db.execute(f"PRAGMA user_version = {FORMAT}")


def _format(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:
        return -1
    else:
        return found
    finally:
        connection.close()


def delete(path: Path) -> None:
    """Removes the file of the read models; the next start rebuilds it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _decode(types: Mapping[str, type[Any]], stream: str, blob: bytes | None) -> Any:
    return None if blob is None else msgspec.msgpack.decode(blob, type=types[kind_of(stream)])
