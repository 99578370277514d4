"""
What did the metrics of this slot last say?

Observations are many, and a metric is one stream for all slots: so they are
not folded into one state, but have a row each, by slot, name and time. One
that was corrected has a row for what it said and one for what it says; which
of them counts at the moment that is asked about, the record tells.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
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


@dataclass(frozen=True, slots=True)
class Observation:
    """What one event observed; all that an answer needs."""

    at: int
    position: int
    value: float
    unit: str
    window_s: float | None
    url: str | None
    incident: str | None


def create(db: Database) -> None:
    db.execute(
        "CREATE TABLE IF NOT EXISTS metrics (service TEXT, environment TEXT, name TEXT, at INTEGER, position INTEGER, "
        "said BLOB, PRIMARY KEY (service, environment, name, at, position, said)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE IF NOT EXISTS metric_names (service TEXT, environment TEXT, name TEXT, "
        "PRIMARY KEY (service, environment, name)) WITHOUT ROWID"
    )


def write(db: Database, facts: Iterable[Fact]) -> None:
    """Rows for observations, as recorded or as a correction has them."""
    rows = [
        (*key, each.at, each.position, msgspec.msgpack.encode(_observation(each, each.event)))
        for each in facts
        if isinstance(each.event, MetricObserved)
        for key in _keys(each, each.event)
    ]
    db.conn.executemany("INSERT OR IGNORE INTO metrics VALUES (?,?,?,?,?,?)", rows)
    db.conn.executemany("INSERT OR IGNORE INTO metric_names VALUES (?,?,?)", {row[:3] for row in rows})


_Key = tuple[str, str, str]
"""Service, environment and name; empty where an event names none."""


def _keys(fact: Fact, event: MetricObserved) -> list[_Key]:
    return [(*scope, event.name) for scope in feeds.scopes(fact)]


def _observation(fact: Fact, event: MetricObserved) -> Observation:
    return Observation(fact.at, fact.position, event.value, event.unit, event.window_s, event.url, event.incident)


def of(db: Database, scopes: Sequence[Scope], moment: Moment, record: Record, index: Index) -> list[dict[str, Any]]:
    """The metrics of some scopes at a moment, each with its latest observation and a few before it."""
    names = [(*scope, name) for scope in scopes for name in _names(db, scope)]
    heads = [(at, key) for key in names if (at := _latest(db, key, moment)) is not None]
    chosen = [key for _, key in sorted(heads, reverse=True)[:NAMES]]
    found = [(key, list(islice(_observed(db, key, moment, record, index), EARLIER + 1))) for key in chosen]
    return [_answer(key, observed) for key, observed in found if observed]


def _names(db: Database, scope: Scope) -> list[str]:
    found = db.execute("SELECT name FROM metric_names WHERE service = ? AND environment = ? ORDER BY name", scope)
    return [row[0] for row in found.fetchall()]


_NEWEST = (
    "SELECT at, position, said, EXISTS (SELECT 1 FROM amendments WHERE root = metrics.position) FROM metrics "
    "WHERE service = ? AND environment = ? AND name = ? AND at <= ? AND position <= ? ORDER BY at DESC, position DESC"
)


def _latest(db: Database, key: _Key, moment: Moment) -> int | None:
    row = db.execute(_NEWEST, [*key, moment.at, moment.known_at]).fetchone()
    return None if row is None else int(row[0])


def _observed(db: Database, key: _Key, moment: Moment, record: Record, index: Index) -> Iterator[Observation]:
    """The observations that count, the latest first."""
    for _at, position, said, amended in db.execute(_NEWEST, [*key, moment.at, moment.known_at]):
        observation = msgspec.msgpack.decode(said, type=Observation)
        told = telling.told([position], moment, record, index) if amended else []
        if not amended or any(each.counts and _says(each.fact, key, observation) for each in told):
            yield observation


def _says(fact: Fact, key: _Key, observation: Observation) -> bool:
    event = fact.event
    if not isinstance(event, MetricObserved):
        return False
    return key in _keys(fact, event) and _observation(fact, event) == observation


def _answer(key: _Key, observed: Sequence[Observation]) -> dict[str, Any]:
    """One metric, from its observations, the latest first."""
    service, environment, name = key
    latest = observed[0]
    return {
        "name": name,
        "value": latest.value,
        "unit": latest.unit,
        "time": _time(latest.at),
        "window_s": latest.window_s,
        "service": service or None,
        "environment": environment or None,
        "incident": latest.incident,
        "url": latest.url,
        "position": latest.position,
        "earlier": [{"value": each.value, "time": _time(each.at)} for each in observed[1:]],
    }


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
