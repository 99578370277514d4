"""
Which events are about this service, version, incident, person or time?

An index over all events, by the members that people look for. A corrected
event is found by what it said and by what it says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlite_utils import Database

from ledger.events import Event, Recorded
from ledger.values import microseconds

Row = tuple[Any, ...]

FILTERS = ("type", "service", "environment", "version", "incident", "actor", "digest")


def create(db: Database) -> None:
    columns = {"position": int, "at": int, **dict.fromkeys(FILTERS, str)}
    db.table("search").create(columns, if_not_exists=True)
    for name in ("position", *FILTERS, "at"):
        db.table("search").create_index([name] if name == "position" else [name, "position"], if_not_exists=True)


def row(recorded: Recorded, event: Event) -> Row:
    version = getattr(event, "version", None) or getattr(event, "to_version", None)
    return (
        recorded.position,
        microseconds(recorded.occurred_at),
        event.TOPIC,
        getattr(event, "service", None),
        getattr(event, "environment", None),
        version,
        event.incident,
        recorded.submitter.id,
        getattr(event, "digest", None) or getattr(event, "to_digest", None),
    )


def write(db: Database, rows: Iterable[Row]) -> None:
    db.conn.executemany("INSERT INTO search VALUES (?,?,?,?,?,?,?,?,?)", rows)


def positions(db: Database, filters: Mapping[str, Any], after: int, until: int, limit: int) -> list[int]:
    """
    Positions of the events that match every filter, in order, with after < position <= until.

    Filters are those of `FILTERS`, and `since` and `until` as microseconds of
    the time they happened.
    """
    where, values = ["position > ?", "position <= ?"], [after, until]
    for name in FILTERS:
        if name in filters:
            where.append(f'"{name}" = ?')
            values.append(filters[name])
    if "since" in filters:
        where.append("at >= ?")
        values.append(filters["since"])
    if "until" in filters:
        where.append("at < ?")
        values.append(filters["until"])
    found = db.execute(
        f"SELECT DISTINCT position FROM search WHERE {' AND '.join(where)} ORDER BY position LIMIT ?",  # noqa: S608
        [*values, limit],
    )
    return [each[0] for each in found.fetchall()]
