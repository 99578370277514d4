"""
Which events are about this service, version, incident, person or time?

An index over all events, by the members that people look for. A corrected
event is found by what it said and by what it says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlite_utils import Database

from projections.facts import Fact

Row = tuple[Any, ...]

FILTERS = ("type", "service", "environment", "version", "incident", "actor", "digest")


def create(db: Database) -> None:
    columns = {"position": int, "at": int, **dict.fromkeys(FILTERS, str)}
    db.table("search").create(columns, if_not_exists=True)
    for name in ("position", *FILTERS, "at"):
        db.table("search").create_index([name] if name == "position" else [name, "position"], if_not_exists=True)


def row(fact: Fact) -> Row:
    """The row of an event as recorded, or as corrections have it."""
    event = fact.event
    version = getattr(event, "version", None) or getattr(event, "to_version", None)
    return (
        fact.position,
        fact.at,
        event.TOPIC,
        getattr(event, "service", None),
        getattr(event, "environment", None),
        version,
        event.incident,
        fact.recorded.submitter.id,
        getattr(event, "digest", None) or getattr(event, "to_digest", None),
    )


def write(db: Database, rows: Iterable[Row]) -> None:
    db.conn.executemany("INSERT INTO search VALUES (?,?,?,?,?,?,?,?,?)", rows)


def positions(db: Database, filters: Mapping[str, Any], after: int, until: int, limit: int) -> list[int]:
    """
    Positions of the events that match every filter, in order, with after < position <= until.

    Filters are those of `FILTERS`, and `since` and `until` as microseconds of
    the time from which they count.
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


def services(db: Database, digest: str) -> list[str]:
    """The services of all events that name a digest, as recorded or as corrected."""
    found = db.execute("SELECT DISTINCT service FROM search WHERE digest = ? AND service NOT NULL ORDER BY 1", [digest])
    return [each[0] for each in found.fetchall()]
