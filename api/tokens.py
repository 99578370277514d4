"""
Tokens and the principals they stand for: `access.sqlite` in the data folder.

A token is 256 random bits; only its SHA-256 is kept. What a token allows is
not taken from this file but from the `access.granted` event that its row
points to, so a row that somebody slips in, or that belongs to another record,
opens nothing. Rights grow only once that is recorded; they shrink at once.

Names live here and nowhere else: the record knows opaque ids.
"""

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import string
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sqlite_utils import Database

from api.access import Append, command
from ledger.application import Ledger
from ledger.authority import RESPONDER, Principal, kind_for
from ledger.errors import Damaged, LedgerError, NotAllowed
from ledger.events import AccessGranted, AccessRevoked
from ledger.values import MAX_EXACT_INTEGER, rfc3339, stream_name
from projections.remarks import BREAK_GLASS

FILE = "access.sqlite"
ORDINARY = "token"
"""The method of a submitter who used a token; `BREAK_GLASS` where it was one of those."""

SCHEMA_VERSION = 1
PATIENCE_MS = 10_000
"""How long to wait for another process that writes to the file."""

ID_DIGITS = 16
"""Hexadecimal digits of a token's hash that name it in lists and in the record."""

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS principals (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals (id),
    hash TEXT NOT NULL,
    position INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    used_at TEXT,
    revoked_at TEXT,
    revoked_position INTEGER
) STRICT;
PRAGMA user_version={SCHEMA_VERSION};
"""
_COLUMNS = "id, principal, hash, position, created_at, used_at, revoked_at, revoked_position"

_PREFIX = "lg_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_DIGITS, _CHECK_DIGITS = 43, 6  # what 256 and 32 bits need in base 62
_FORM = re.compile(rf"{_PREFIX}([0-9A-Za-z]{{{_SECRET_DIGITS}}})([0-9A-Za-z]{{{_CHECK_DIGITS}}})")


class Unauthenticated(LedgerError):
    """No credential, or one that opens nothing here."""


class NoSuchToken(LedgerError):
    """Nothing that can be revoked bears this name."""


@dataclass(frozen=True, slots=True)
class Token:
    """
    A token as lists show it: never its text. `used_at` is the hour, no finer;
    `grant` is None where the record does not grant it, and then it opens nothing.
    """

    id: str
    principal: str
    name: str | None
    grant: Principal | None
    position: int
    created_at: str
    used_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    principal: str
    hash: str
    position: int
    created_at: str
    used_at: str | None
    revoked_at: str | None
    revoked_position: int | None


class Tokens:
    """Safe to use from many threads, and beside other processes on the same folder."""

    def __init__(self, ledger: Ledger, append: Append) -> None:
        self._ledger, self._append = ledger, append
        self._granted: dict[str, Principal] = {}
        self._marked: dict[str, str] = {}
        self._revocations: dict[str, tuple[int, bool]] = {}
        self._lock = Lock()
        self._database = _open(ledger.folder / FILE)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def create(
        self,
        name: str,
        roles: Iterable[str],
        by: Principal,
        *,
        kind: str | None = None,
        services: Iterable[str] = (),
        environments: Iterable[str] = (),
        break_glass: bool = False,
    ) -> tuple[str, Principal]:
        """
        The text of a new token, which is shown this once, and the new principal that it stands for.

        A break-glass token is a responder's for the day when nobody can sign
        in: each event recorded by it is a finding.

        Raises:
            NotAllowed: where these roles do not go together, or not with the kind, or not with break-glass.
        """
        held = frozenset(roles)
        if break_glass and RESPONDER not in held:
            raise NotAllowed("a break-glass token is a responder's: give it the role responder")
        principal = Principal(
            f"p-{secrets.token_hex(10)}",
            kind_for(held, kind),
            held,
            frozenset(services),
            frozenset(environments),
            BREAK_GLASS if break_glass else ORDINARY,
        )
        text = new_text()
        hashed = hash_of(text)
        position = self._record(_granted(principal, hashed[:ID_DIGITS]), by)
        now = self._now()
        with self._lock, self._database.atomic():
            self._database.execute("INSERT INTO principals VALUES (?,?,?)", (principal.id, name, now))
            self._database.execute(
                "INSERT INTO tokens (id, principal, hash, position, created_at) VALUES (?,?,?,?,?)",
                (hashed[:ID_DIGITS], principal.id, hashed, position, now),
            )
        return text, principal

    def revoke(self, what: str, by: Principal, reason: str | None = None) -> list[Token]:
        """
        The tokens that *what* names (a principal's name or id, a token's id, or a token itself), which no longer work.

        They stop working before that is recorded; where recording fails, doing it again completes it.

        Raises:
            NoSuchToken: where it names none.
        """
        rows = self._select(
            "id = :what OR hash = :hash OR principal = :what"
            " OR principal IN (SELECT id FROM principals WHERE name = :what)",
            {"what": what, "hash": hash_of(what)},
        )
        if not rows:
            raise NoSuchToken(f"no token or principal here is named {_named(what)}: see `lastgood token list`")
        with self._lock:
            self._database.execute(
                f"UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL AND id IN ({_marks(rows)})",  # noqa: S608
                [self._now(), *(row.id for row in rows)],
            )
        for row in rows:
            if row.revoked_position is None:
                grant = self._grant(row)
                roles = tuple(sorted(grant.roles)) if grant else ()
                event = AccessRevoked(subject=row.principal, roles=roles, reason=reason, labels={"token": row.id})
                position = self._record(event, by)
                with self._lock:
                    self._database.execute("UPDATE tokens SET revoked_position = ? WHERE id = ?", (position, row.id))
        return [self._token(row) for row in self._select(f"id IN ({_marks(rows)})", [row.id for row in rows])]

    def principal(self, text: str) -> Principal:
        """
        Whom a token stands for. Looked up each time, so that one made or revoked elsewhere counts at once.

        Raises:
            Unauthenticated: saying whether it was mistyped, revoked or never made here.
        """
        check_form(text)
        hashed = hash_of(text)
        found = self._select("id = ?", (hashed[:ID_DIGITS],))
        if not found or not hmac.compare_digest(found[0].hash, hashed):
            raise Unauthenticated("this token was not made for this ledger, or its data folder was replaced since")
        row = found[0]
        if row.revoked_at is not None:
            raise Unauthenticated(f"this token was revoked at {row.revoked_at}: ask for a new one")
        grant = self._grant(row)
        if grant is None:
            raise Unauthenticated(f"position {row.position} of the record does not grant this token: ask for a new one")
        if self._is_revoked(row):
            raise Unauthenticated("this token was revoked, as the record says: ask for a new one")
        self._mark_used(row)
        return grant

    def _is_revoked(self, row: _Row) -> bool:
        """
        Whether the record revokes a token. The row says so as well; but a file
        put back from yesterday, or edited, gives nothing back.
        """
        stream = stream_name("access", row.principal)
        revision = self._ledger.revision(stream, MAX_EXACT_INTEGER)
        known = self._revocations.get(row.id)
        if known is None or known[0] != revision:
            events = [each.event for each in self._ledger.stream(stream, MAX_EXACT_INTEGER)]
            revoked = any(isinstance(each, AccessRevoked) and _token_of(each) == row.id for each in events)
            known = self._revocations[row.id] = (revision, revoked)
        return known[1]

    def all(self) -> list[Token]:
        """Every token ever made here, revoked ones too, oldest first."""
        return [self._token(row) for row in self._select("1 ORDER BY position", ())]

    def name_of(self, principal: str) -> str | None:
        """The name of a principal, None where none is kept."""
        with self._lock:
            found = self._database.execute("SELECT name FROM principals WHERE id = ?", (principal,)).fetchone()
        return str(found[0]) if found else None

    def people(self, known_at: int) -> list[str]:
        """The names and ids of all people to whom a token was granted by a position, whether or not it still works."""
        names = self._names()
        granted = (self._grant(row) for row in self._select("position <= ? ORDER BY position", (known_at,)))
        ids = dict.fromkeys(each.id for each in granted if each is not None and each.kind == "human")
        return [each for id_ in ids for each in (names.get(id_), id_) if each is not None]

    def _names(self) -> dict[str, str]:
        with self._lock:
            return dict(self._database.execute("SELECT id, name FROM principals").fetchall())

    def _select(self, where: str, values: Sequence[object] | dict[str, object]) -> list[_Row]:
        with self._lock:
            found = self._database.execute(f"SELECT {_COLUMNS} FROM tokens WHERE {where}", values)  # noqa: S608
            return [_Row(*each) for each in found.fetchall()]

    def _token(self, row: _Row) -> Token:
        return Token(
            id=row.id,
            principal=row.principal,
            name=self.name_of(row.principal),
            grant=self._grant(row),
            position=row.position,
            created_at=row.created_at,
            used_at=row.used_at,
            revoked_at=row.revoked_at,
        )

    def _grant(self, row: _Row) -> Principal | None:
        """The principal as the record granted it. What is recorded never changes, so each is read once."""
        if row.id not in self._granted:
            recorded = next(self._ledger.at([row.position]), None)
            event = recorded.event if recorded else None
            if not isinstance(event, AccessGranted) or (event.subject, _token_of(event)) != (row.principal, row.id):
                return None
            self._granted[row.id] = _principal(event)
        return self._granted[row.id]

    def _mark_used(self, row: _Row) -> None:
        hour = self._now()[:13] + ":00:00Z"
        if hour in (row.used_at, self._marked.get(row.id)):
            return
        self._marked[row.id] = hour
        # A full disk or a busy file must not keep anybody from reading or recording: it is tried once, without waiting.
        with suppress(sqlite3.OperationalError), self._lock:
            try:
                self._database.execute("PRAGMA busy_timeout=0")
                self._database.execute("UPDATE tokens SET used_at = ? WHERE id = ?", (hour, row.id))
            finally:
                self._database.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")

    def _record(self, event: AccessGranted | AccessRevoked, by: Principal) -> int:
        return self._append(command(self._ledger, event, by))[0].position

    def _now(self) -> str:
        return rfc3339(self._ledger.clock.now().replace(microsecond=0))


def new_text() -> str:
    """A token: `lg_`, 256 random bits in base 62, and a checksum that tells a typing error from a token unknown."""
    secret = _base62(secrets.randbits(256), _SECRET_DIGITS)
    return f"{_PREFIX}{secret}{_checksum(secret)}"


def check_form(text: str) -> None:
    """Raises `Unauthenticated` for what cannot be a token, or is one with a typing error."""
    form = _FORM.fullmatch(text)
    if form is None:
        digits = _SECRET_DIGITS + _CHECK_DIGITS
        raise Unauthenticated(f"this is no token of a ledger: one is {_PREFIX} and {digits} letters and digits")
    if form[2] != _checksum(form[1]):
        raise Unauthenticated("this token was copied wrongly: a letter or digit of it is another one")


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _checksum(secret: str) -> str:
    return _base62(zlib.crc32(secret.encode()), _CHECK_DIGITS)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _granted(principal: Principal, token_id: str) -> AccessGranted:
    return AccessGranted(
        subject=principal.id,
        roles=tuple(sorted(principal.roles)),
        bindings={"services": sorted(principal.services), "environments": sorted(principal.environments)},
        labels={"kind": principal.kind, "token": token_id}
        | ({"method": principal.method} if principal.method != ORDINARY else {}),
    )


def _principal(event: AccessGranted) -> Principal:
    """The inverse of `_granted`."""
    bindings, labels = event.bindings or {}, event.labels or {}
    return Principal(
        event.subject,
        labels["kind"],
        frozenset(event.roles),
        frozenset(bindings["services"]),
        frozenset(bindings["environments"]),
        labels.get("method", ORDINARY),
    )


def _token_of(event: AccessGranted | AccessRevoked) -> str | None:
    return (event.labels or {}).get("token")


def _named(what: str) -> str:
    """How an error names it: a token itself must not be repeated in a log."""
    return "that" if what.startswith(_PREFIX) else what


def _marks(rows: Sequence[_Row]) -> str:
    return ",".join("?" * len(rows))


def _open(path: Path) -> Database:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=PATIENCE_MS / 1000, check_same_thread=False)
    database = Database(connection, execute_plugins=False)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise Damaged(f"{path.name} has schema {version}, this release knows {SCHEMA_VERSION}: use a newer release")
    database.enable_wal()
    database.execute("PRAGMA synchronous=FULL")
    database.conn.executescript(_SCHEMA)
    return database
