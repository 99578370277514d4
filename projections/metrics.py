"""
What did the metrics of this slot last say?

Observations are many, and a metric is one stream for all slots: so they are
not folded into one state, but have a row each, by slot, name and time. Rows
say where to look; the observation itself is read from the record as it
counts at the moment that is asked about.
"""

from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from ledger.events import MetricObserved, Record
from ledger.values import from_microseconds, rfc3339
from projections import feeds, telling
from projections.facts import Fact, Index, Moment
from projections.feeds import Scope

EARLIER = 5
"""So many observations before the latest are told with it."""

NAMES = 20
"""So many metrics of a slot are told, those observed last first."""


def create(db: Database) -> None:
    db.execute(
        "CREATE TABLE IF NOT EXISTS metrics (service TEXT, environment TEXT, name TEXT, at INTEGER, position INTEGER, "
        "PRIMARY KEY (service, environment, name, at, position)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE IF NOT EXISTS metric_names (service TEXT, environment TEXT, name TEXT, "
        "PRIMARY KEY (service, environment, name)) WITHOUT ROWID"
    )


def write(db: Database, facts: Sequence[Fact]) -> None:
    """Rows for observations, as recorded or as a correction has them."""
    observed = [(each, each.event) for each in facts if isinstance(each.event, MetricObserved)]
    rows = [(*scope, event.name, fact.at, fact.position) for fact, event in observed for scope in feeds.scopes(fact)]
    db.conn.executemany("INSERT OR IGNORE INTO metrics VALUES (?,?,?,?,?)", rows)
    db.conn.executemany("INSERT OR IGNORE INTO metric_names VALUES (?,?,?)", {row[:3] for row in rows})


def of(db: Database, scopes: Sequence[Scope], moment: Moment, record: Record, index: Index) -> list[dict[str, Any]]:
    """The metrics of some scopes at a moment, each with its latest observation and a few before it."""
    names = [(*scope, name) for scope in scopes for name in _names(db, scope)]
    heads = [(at, key) for key in names if (at := _latest(db, key, moment)) is not None]
    chosen = [key for _, key in sorted(heads, reverse=True)[:NAMES]]
    found = {key: _positions(db, key, moment, record, index) for key in chosen}
    wanted = [each for positions in found.values() for each in positions]
    told = {each.fact.position: each.fact for each in telling.told(wanted, moment, record, index)}
    return [_answer([told[each] for each in positions]) for positions in found.values() if positions]


def _names(db: Database, scope: Scope) -> list[str]:
    found = db.execute("SELECT name FROM metric_names WHERE service = ? AND environment = ? ORDER BY name", scope)
    return [row[0] for row in found.fetchall()]


_Key = tuple[str, str, str]
_NEWEST = (
    "SELECT at, position, EXISTS (SELECT 1 FROM amendments WHERE root = metrics.position) FROM metrics "
    "WHERE service = ? AND environment = ? AND name = ? AND at <= ? AND position <= ? ORDER BY at DESC, position DESC"
)


def _latest(db: Database, key: _Key, moment: Moment) -> int | None:
    row = db.execute(_NEWEST, [*key, moment.at, moment.known_at]).fetchone()
    return None if row is None else int(row[0])


def _positions(db: Database, key: _Key, moment: Moment, record: Record, index: Index) -> list[int]:
    """The positions of the last observations that count, the latest first."""
    found: list[int] = []
    for at, position, amended in db.execute(_NEWEST, [*key, moment.at, moment.known_at]):
        told = telling.told([position], moment, record, index) if amended else []
        if not amended or any(each.counts and _says(each.fact, key, at) for each in told):
            found.append(position)
        if len(found) > EARLIER:
            break
    return found


def _says(fact: Fact, key: _Key, at: int) -> bool:
    event = fact.event
    return (
        isinstance(event, MetricObserved)
        and fact.at == at
        and key in [(*each, event.name) for each in feeds.scopes(fact)]
    )


def _answer(facts: Sequence[Fact]) -> dict[str, Any]:
    """One metric, from its observations, the latest first."""
    latest: Any = facts[0].event
    return {
        "name": latest.name,
        "value": latest.value,
        "unit": latest.unit,
        "time": _time(facts[0]),
        "window_s": latest.window_s,
        "service": latest.service,
        "environment": latest.environment,
        "incident": latest.incident,
        "url": latest.url,
        "position": facts[0].position,
        "earlier": [{"value": getattr(each.event, "value", None), "time": _time(each)} for each in facts[1:]],
    }


def _time(fact: Fact) -> str:
    return rfc3339(from_microseconds(fact.at))
