"""
How did the record come to be: late, by a clock that ran ahead, by break-glass; from whom, on which days?

Rows for what a rule about the record itself asks of all events, whatever
stream they are in, so that no answer has to read them all again. A row only
says where to look: of an event that was corrected, the event itself is read
as it counts at the moment that is asked about.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlite_utils import Database

from ledger.events import (
    ADMIN_DECISION,
    DECISION,
    FACT,
    AccessRevoked,
    DecisionSeconded,
    FindingAccepted,
    Recorded,
)
from ledger.values import instant, microseconds
from projections.facts import HOUR, Fact
from projections.incident_marks import LATE
from projections.said import recorded
from projections.spans import SECOND

DAY = 24 * HOUR
BREAK_GLASS = "break_glass"
"""The method of a submitter who used a break-glass token."""

_DECISIONS = (DECISION, ADMIN_DECISION)


def create(db: Database) -> None:
    db.execute(
        "CREATE TABLE IF NOT EXISTS remarks (rule TEXT, position INTEGER, at INTEGER, day INTEGER, submitter TEXT, "
        "source TEXT, service TEXT, environment TEXT, incident TEXT, amount INTEGER, PRIMARY KEY (rule, position)) "
        "WITHOUT ROWID"
    )
    db.execute("CREATE INDEX IF NOT EXISTS remarks_together ON remarks (rule, submitter, day, position)")
    db.execute(
        "CREATE TABLE IF NOT EXISTS acceptances (position INTEGER PRIMARY KEY, rule TEXT, positions BLOB, "
        "until INTEGER, recorded INTEGER)"
    )
    db.execute("CREATE TABLE IF NOT EXISTS seconds (position INTEGER PRIMARY KEY, target INTEGER)")
    db.execute("CREATE TABLE IF NOT EXISTS decision_corrections (position INTEGER PRIMARY KEY, target INTEGER)")
    db.execute(
        "CREATE TABLE IF NOT EXISTS source_days (submitter TEXT, day INTEGER, live INTEGER, position INTEGER, "
        "PRIMARY KEY (submitter, day, live)) WITHOUT ROWID"
    )
    db.execute("CREATE TABLE IF NOT EXISTS source_ends (position INTEGER PRIMARY KEY, submitter TEXT, day INTEGER)")


def of(fact: Fact) -> Iterator[tuple[str, int]]:
    """The rules that an event is remarkable by, each with how much, in microseconds."""
    came, said = recorded(fact), microseconds(fact.recorded.occurred_at)
    if came - fact.at > LATE and fact.event.WHO is FACT:
        yield "late_record", came - fact.at
    if came - fact.at > LATE and fact.event.WHO in _DECISIONS:
        yield "decision_recorded_late", came - fact.at
    # Where a correction moved it, the clock has been answered.
    if said - came > SECOND and fact.at == came:
        yield "clock_skew", said - came
    if fact.recorded.submitter.method == BREAK_GLASS:
        yield "break_glass_used", 0


def write(db: Database, facts: Iterable[Fact]) -> None:
    """Rows for events, as recorded or as a correction has them."""
    rows: list[tuple[Any, ...]] = []
    amended: list[tuple[Any, ...]] = []
    days = []
    for fact in facts:
        day, submitter = recorded(fact) // DAY, fact.recorded.submitter
        event: Any = fact.event
        place = (getattr(event, "service", None), getattr(event, "environment", None), event.incident)
        found = list(of(fact))
        (amended if fact.amended_by else rows).extend(
            (rule, fact.position, fact.at, day, submitter.id, fact.recorded.source, *place, amount)
            for rule, amount in found
        )
        if not fact.amended_by and submitter.kind == "machine" and event.WHO is FACT:
            live = all(rule != "late_record" for rule, _ in found)
            days.append((submitter.id, day, int(live), fact.position))
        _opinion(db, fact)
    # What was recorded goes before what a correction makes of it, whichever batch either came in.
    db.conn.executemany("INSERT OR REPLACE INTO remarks VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    db.conn.executemany("INSERT OR IGNORE INTO remarks VALUES (?,?,?,?,?,?,?,?,?,?)", amended)
    # A day begins with its first event, also where a later one of the batch is heard before it, retracted and back.
    db.conn.executemany(
        "INSERT INTO source_days VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET position = min(position, excluded.position)",
        days,
    )


def _opinion(db: Database, fact: Fact) -> None:
    match fact.event:
        case FindingAccepted() as event:
            until = microseconds(instant(event.until)) if event.until else None
            positions = msgspec.msgpack.encode(event.positions)
            row = [fact.position, event.rule, positions, until, recorded(fact)]
            db.execute("INSERT OR IGNORE INTO acceptances VALUES (?,?,?,?,?)", row)
        case DecisionSeconded(position=target):
            db.execute("INSERT OR IGNORE INTO seconds VALUES (?,?)", [fact.position, target])
        case AccessRevoked(subject=submitter):
            row = [fact.position, submitter, recorded(fact) // DAY]
            db.execute("INSERT OR IGNORE INTO source_ends VALUES (?,?,?)", row)


def amend(db: Database, position: int, target: Recorded) -> None:
    """Keeps that a correction or retraction is about a decision."""
    if target.event.WHO in _DECISIONS and target.event.STREAM[0] != "record":
        db.execute("INSERT OR IGNORE INTO decision_corrections VALUES (?,?)", [position, target.position])
