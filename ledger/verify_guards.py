"""
What no portion of a record shows: the store as a whole.

Its guards are as the ledger made them, revisions are dense in every stream,
every key is there once, and no words belong to no event. Thoroughly, too: the
file is sound, and every index agrees with its table.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.store.sqlite import SCHEMA
from ledger.verify import Report
from ledger.verify_store import connect, telling

_CACHE_KIB = 65_536
"""For the indexes, which are looked into row by row."""


def check_store(folder: Path, *, thorough: bool) -> Report:
    """The store as a whole: its guards, that revisions are dense and every key is there once; its indexes."""
    report = Report()
    for each in (_check_schema, _check_streams, _check_strays, *([_check_integrity] if thorough else [])):
        with telling(report), closing(connect(folder)) as database:
            database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            each(database, report)
    return report


def _check_integrity(database: sqlite3.Connection, report: Report) -> None:
    """Holds every index against its table, and so finds keys that are there twice, too."""
    for said in database.execute("PRAGMA integrity_check(20)").fetchall():
        if said[0] != "ok":
            report.differs(f"SQLite finds the file of the events damaged: {said[0]}")


def _check_schema(database: sqlite3.Connection, report: Report) -> None:
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(SCHEMA)
        made, found = _schema(fresh), _schema(database)
    for name in sorted(made.keys() - found.keys()):
        report.differs(f"the {name} is gone, so that events could be changed")
    for name in sorted(found.keys() - made.keys()):
        report.differs(f"there is a {name} that the ledger did not make")
    for name in sorted(made.keys() & found.keys()):
        if made[name] != found[name]:
            report.differs(f"the {name} is not as the ledger made it")
    if found.get("table events") != made["table events"]:
        # Then nothing promises that a key is there once: sorting finds out.
        _check_keys(database, report)


def _schema(database: sqlite3.Connection) -> dict[str, str]:
    rows = database.execute("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return dict(rows.fetchall())


def _check_streams(database: sqlite3.Connection, report: Report) -> None:
    found = database.execute(
        "SELECT stream, COUNT(*), MIN(revision), MAX(revision) FROM events GROUP BY stream"
        " HAVING COUNT(*) <> MAX(revision) OR MIN(revision) <> 1 LIMIT 100"
    )
    for stream, count, _first, last in found.fetchall():
        position = _after_gap(database, stream)
        report.differs(f"{stream} has {count} of revisions 1 to {last}", *([position] if position else []))


def _after_gap(database: sqlite3.Connection, stream: str) -> int | None:
    """The position of the first event of a stream whose revision does not go on from the one before."""
    rows = database.execute("SELECT position, revision FROM events WHERE stream = ? ORDER BY revision", (stream,))
    return next((position for count, (position, revision) in enumerate(rows, 1) if revision != count), None)


def _check_keys(database: sqlite3.Connection, report: Report) -> None:
    found = database.execute(
        "SELECT source, id, MIN(position), MAX(position) FROM events GROUP BY source, id HAVING COUNT(*) > 1 LIMIT 100"
    )
    for source, event_id, first, last in found:
        report.differs(f"positions {first} and {last} have the same source {source} and id {event_id}", first, last)


def _check_strays(database: sqlite3.Connection, report: Report) -> None:
    for table in ("disclosures", "fingerprints"):
        found = database.execute(
            f"SELECT DISTINCT position FROM {table}"  # noqa: S608
            " WHERE position < 1 OR position > (SELECT IFNULL(MAX(position), 0) FROM events) LIMIT 100"
        )
        for (position,) in found:
            at = [position] if type(position) is int else []
            report.differs(f"there are {table} of position {position!r}, and no event is there", *at)
