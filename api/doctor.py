"""
What `lastgood doctor` examines: the machine, the data folder, the record's shape, and the server.

Everything is only read: a store that is damaged stays as it was found. Each
check says what is so and what to do about it.
"""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from api import tokens
from api.health import LEAST_FREE_BYTES
from api.service import READ_MODELS, FolderLock
from ledger.errors import FolderInUse
from ledger.store.sqlite import SCHEMA, SCHEMA_VERSION

OK, WARN, FAIL = "ok", "warn", "fail"

OLDEST_SQLITE = (3, 37, 0)
"""The first with STRICT tables."""

SKEW_S = 2.0
LITTLE_SPACE_BYTES = 16 * LEAST_FREE_BYTES
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    state: str
    detail: str
    advice: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(folder: Path, url: str, token: str | None) -> Iterator[Check]:
    """Every check, one after the other."""
    yield _versions()
    if folder.is_dir():
        yield from _folder(folder)
        yield from _record(folder / "events.sqlite")
        yield from _read_models(folder)
        yield from _access(folder)
    else:
        yield Check(
            "data folder", WARN, f"there is none at {folder}", "`lastgood serve` makes it; LASTGOOD_DATA names another"
        )
    yield from _server(folder, url, token)


def _versions() -> Check:
    detail = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return Check("versions", FAIL, detail, "use a Python whose SQLite is 3.37 or newer")
    return Check("versions", OK, detail)


# The data folder


def _folder(folder: Path) -> Iterator[Check]:
    yield _private("data folder", folder, f"chmod 700 {folder}")
    for path in sorted(folder.iterdir()):
        if path.suffix == ".key" or path.name.startswith(tokens.FILE):
            yield _private(path.name, path, f"chmod 600 {path}")
    free = shutil.disk_usage(folder).free
    state = FAIL if free < LEAST_FREE_BYTES else WARN if free < LITTLE_SPACE_BYTES else OK
    yield Check("disk space", state, f"{free // 2**20} MiB are free", None if state == OK else "make room")


def _private(name: str, path: Path, advice: str) -> Check:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        return Check(name, FAIL, f"others on this machine may open it (mode {mode:03o})", advice)
    if found.st_uid != os.geteuid():
        return Check(
            name, WARN, f"it belongs to user {found.st_uid}", f"run as that user, or: chown -R it to {os.geteuid()}"
        )
    return Check(name, OK, f"only its owner may open it (mode {mode:03o})")


# The record


def _record(path: Path) -> Iterator[Check]:
    if not path.exists():
        yield Check("record", WARN, "nothing was ever recorded here", "`lastgood serve` begins it")
        return
    try:
        with closing(_read_only(path)) as database:
            yield from (check(database) for check in _RECORD_CHECKS)
    except sqlite3.Error as error:
        yield Check("record", FAIL, f"{path.name} cannot be read: {error}", "restore it from a backup")


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=PATIENCE_S)


def _durable(database: sqlite3.Connection) -> Check:
    database.execute("PRAGMA synchronous=FULL")
    level = database.execute("PRAGMA synchronous").fetchone()[0]
    journal = database.execute("PRAGMA journal_mode").fetchone()[0]
    if level != 2 or journal != "wal":
        detail = f"journal mode {journal}, synchronous {level}: an acknowledged event could be lost"
        return Check("durability", FAIL, detail, "use the SQLite that came with Python; start the server once")
    return Check("durability", OK, "write-ahead log, synchronous=FULL")


def _guarded(database: sqlite3.Connection) -> Check:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        return Check(
            "schema", FAIL, f"it has version {version}, this release knows {SCHEMA_VERSION}", "use a newer release"
        )
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(SCHEMA)
        wanted, found = _schema(fresh), _schema(database)
    if missing := sorted(wanted.keys() - found.keys()):
        advice = "find out who removed them, and verify the record; the next start puts them back"
        return Check("schema", FAIL, f"missing: {', '.join(missing)}", advice)
    if changed := sorted(name for name in wanted if wanted[name] != found[name]):
        return Check(
            "schema", FAIL, f"not as made: {', '.join(changed)}", "find out who changed them; verify the record"
        )
    triggers = sum(name.startswith("trigger ") for name in wanted)
    return Check("schema", OK, f"version {version}, and all {triggers} triggers that refuse changes are in place")


def _schema(database: sqlite3.Connection) -> dict[str, str]:
    rows = database.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return dict(rows.fetchall())


def _sound(database: sqlite3.Connection) -> Check:
    said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        return Check("storage", FAIL, f"SQLite says: {said}", "stop the server and restore a backup")
    return Check("storage", OK, "SQLite's quick check finds nothing")


def _dense(database: sqlite3.Connection) -> Check:
    count, last = database.execute("SELECT COUNT(*), IFNULL(MAX(position), 0) FROM events").fetchone()
    if count != last:
        detail = f"{count} events are kept, and the last has position {last}"
        return Check("positions", FAIL, detail, "events were removed: restore a backup, and verify the record")
    torn = database.execute(
        "SELECT stream FROM events GROUP BY stream HAVING COUNT(*) <> MAX(revision) LIMIT 1"
    ).fetchone()
    if torn:
        return Check("positions", FAIL, f"stream {torn[0]} has a gap", "events were moved: verify the record")
    return Check("positions", OK, f"1 to {last} without a gap, in every stream too" if last else "nothing is recorded")


def _clock(database: sqlite3.Connection) -> Check:
    row = database.execute("SELECT leaf FROM events ORDER BY position DESC LIMIT 1").fetchone()
    if row is None:
        return Check("clock", OK, "nothing is recorded that it could contradict")
    last = datetime.fromisoformat(orjson.loads(row[0])["recordedtime"])
    ahead_s = (last - datetime.now(UTC)).total_seconds()
    if ahead_s > SKEW_S:
        detail = f"the last event was recorded {ahead_s:.0f} s after now"
        advice = "set this machine's clock right; until it gets there, all events are recorded at that one moment"
        return Check("clock", FAIL, detail, advice)
    return Check("clock", OK, "not before the last event")


_RECORD_CHECKS: tuple[Callable[[sqlite3.Connection], Check], ...] = (_durable, _guarded, _sound, _dense, _clock)


def _read_models(folder: Path) -> Iterator[Check]:
    path, record = folder / READ_MODELS / "models.sqlite", folder / "events.sqlite"
    if not path.exists() or not record.exists():
        yield Check("read models", OK, "none yet: they are built when a server starts")
        return
    try:
        with closing(_read_only(path)) as models, closing(_read_only(record)) as events:
            position = models.execute("SELECT position FROM progress").fetchone()[0]
            head = events.execute("SELECT IFNULL(MAX(position), 0) FROM events").fetchone()[0]
    except sqlite3.Error as error:
        yield Check("read models", FAIL, f"they cannot be read: {error}", "stop the server, then `lastgood rebuild`")
        return
    if position > head:
        detail = f"they are at position {position}, beyond the record's end at {head}"
        yield Check("read models", FAIL, detail, "the record was replaced: stop the server, then `lastgood rebuild`")
    elif position < head and is_served(folder):
        yield Check(
            "read models", WARN, f"at position {position} of {head}", "look again in a moment; then see the log"
        )
    else:
        yield Check("read models", OK, f"at position {position} of {head}")


def _access(folder: Path) -> Iterator[Check]:
    path = folder / tokens.FILE
    first = "`lastgood token create NAME --role responder`"
    if not path.exists():
        yield Check("tokens", WARN, "none were made", first)
        return
    try:
        with closing(_read_only(path)) as database:
            rows = database.execute("SELECT COUNT(*), TOTAL(revoked_at IS NULL) FROM tokens").fetchone()
    except sqlite3.Error as error:
        yield Check(
            "tokens", FAIL, f"{path.name} cannot be read: {error}", "restore it, or remove it and make new tokens"
        )
        return
    made, work = rows[0], int(rows[1])
    yield Check("tokens", OK if work else WARN, f"{work} of {made} are not revoked", None if work else first)


# The server


def head_of(folder: Path) -> int:
    """The last position of the record in a folder; 0 where nothing can be read."""
    try:
        with closing(_read_only(folder / "events.sqlite")) as database:
            return int(database.execute("SELECT IFNULL(MAX(position), 0) FROM events").fetchone()[0])
    except sqlite3.Error:
        return 0


def types_of(folder: Path) -> list[str]:
    """The types of what is recorded in a folder; none where nothing can be read."""
    try:
        with closing(_read_only(folder / "events.sqlite")) as database:
            return [str(each) for (each,) in database.execute("SELECT DISTINCT type FROM events")]
    except sqlite3.Error:
        return []


def is_served(folder: Path) -> bool:
    """Whether a server holds the folder. Looks without leaving anything behind."""
    if not (folder / FolderLock.FILE).exists():
        return False
    try:
        FolderLock(folder).release()
    except FolderInUse:
        return True
    return False


def _server(folder: Path, url: str, token: str | None) -> Iterator[Check]:
    served = folder.is_dir() and is_served(folder)
    if folder.is_dir():
        yield Check("server here", OK, f"one {'runs' if served else 'could run'} on this data folder")
    asked = datetime.now(UTC)
    try:
        status, date, content = _get(url, "/readyz")
    except (OSError, HTTPException, ValueError) as error:
        advice = "start one with `lastgood serve`, or point LASTGOOD_URL at one"
        yield Check("server", FAIL if served else WARN, f"none answers at {url}: {error}", advice)
        return
    yield _ready(url, status, content)
    if date is not None:
        yield _clocks_agree(date, asked)
    yield _credential(url, token)


def _ready(url: str, status: int, content: bytes) -> Check:
    try:
        told = orjson.loads(content)
    except ValueError:
        told = None
    if told == {"status": "ready"}:
        return Check("server", OK, f"the one at {url} is ready")
    if not isinstance(told, dict) or "reasons" not in told:
        return Check("server", FAIL, f"what answers at {url} is no ledger (status {status})", "check LASTGOOD_URL")
    return Check("server", FAIL, f"the one at {url} is not ready: {'; '.join(told['reasons'])}", "do as it says")


def _clocks_agree(date: str, asked: datetime) -> Check:
    skew_s = (parsedate_to_datetime(date) - asked).total_seconds()
    # The header has whole seconds only.
    if abs(skew_s) > SKEW_S:
        detail = f"the server's clock differs from this machine's by {skew_s:+.0f} s"
        return Check("clocks", WARN, detail, "set both right (NTP): events bear their source's time")
    return Check("clocks", OK, "the server's clock agrees with this machine's")


def _credential(url: str, token: str | None) -> Check:
    if token is None:
        return Check(
            "token", WARN, "LASTGOOD_TOKEN is not set", "client verbs need one: `lastgood token create --help`"
        )
    status, _, _ = _get(url, "/v1/events?limit=1", token)
    if status == 401:
        return Check("token", FAIL, "the server does not know it, or it was revoked", "set LASTGOOD_TOKEN to a new one")
    if status == 403:
        return Check("token", FAIL, "it may not read", "make one with a role")
    return Check("token", OK, "the server takes it")


def _get(url: str, path: str, token: str | None = None) -> tuple[int, str | None, bytes]:
    """Status, Date and body of one answer, not asked for twice: a doctor shows what is, not what a retry hides."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=PATIENCE_S)) as connection:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", parts.path.rstrip("/") + path, headers=headers)
        response: HTTPResponse = connection.getresponse()
        return response.status, response.getheader("Date"), response.read()
