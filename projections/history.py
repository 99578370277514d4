"""
What happened to a slot: deployments, releases, rollbacks, returns forward, redeploys, restores.

One row an event that the slot's fold took in, newest first. Rows are added as
the fold goes on, and written anew where it is folded anew.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlite_utils import Database

from ledger.values import from_microseconds, rfc3339
from projections.slot import Change

UNTOLD = frozenset({"service.observed"})
"""Observations repeat what is so; they are kept in the record, not told here."""


def create(db: Database) -> None:
    db.table("history").create(
        {"stream": str, "at": int, "position": int, "change": bytes},
        pk=("stream", "at", "position"),
        if_not_exists=True,
    )


def write(db: Database, stream: str, changes: Iterable[Change], *, anew: bool) -> None:
    if anew:
        db.execute("DELETE FROM history WHERE stream = ?", [stream])
    rows = [
        (stream, each.at, each.position, msgspec.msgpack.encode(each)) for each in changes if each.type not in UNTOLD
    ]
    db.conn.executemany("INSERT INTO history VALUES (?,?,?,?)", rows)


def read(db: Database, stream: str, after: int | None, limit: int) -> list[Change]:
    """The changes of a slot, newest first, those older than the one at position *after*."""
    start = (2**62, 0)
    if after is not None:
        found = db.execute(
            "SELECT at, position FROM history WHERE stream = ? AND position = ?", [stream, after]
        ).fetchone()
        if found is None:
            return []
        start = found
    rows = db.execute(
        "SELECT change FROM history WHERE stream = ? AND (at, position) < (?, ?) ORDER BY at DESC, position DESC LIMIT ?",
        [stream, *start, limit],
    )
    return [msgspec.msgpack.decode(row[0], type=Change) for row in rows.fetchall()]


def page(changes: Sequence[Change], after: int | None, limit: int) -> list[Change]:
    """The same of changes that were folded for one answer, given oldest first."""
    told = [each for each in reversed(changes) if each.type not in UNTOLD]
    if after is not None:
        start = next((i + 1 for i, each in enumerate(told) if each.position == after), len(told))
        told = told[start:]
    return told[:limit]


def item(change: Change, void: Sequence[int]) -> dict[str, Any]:
    """A change as readers get it. `void`: it was taken for a release, and later turned out to be none."""
    found = {
        "position": change.position,
        "time": rfc3339(from_microseconds(change.at)),
        "type": change.type,
        "version": change.version,
        "digest": change.digest,
        "change": change.change,
        "replaced": change.was,
        "rollback_id": change.rollback_id,
        "reference": change.reference,
        "detail": change.detail,
    }
    if change.position in void:
        found["void"] = True
    return found
