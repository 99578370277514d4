"""
How long ago was each feed heard, and what else changed here?

"No alerts" is no comfort where the monitoring has been silent for three days.
So each event of a feed has a row under every scope it names: by slot, by
service alone, by environment alone. Rows only say where to look: an event
that was corrected has one for what it said and one for what it says, and who
asks reads the events themselves.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

from ledger.events import Record
from projections import telling
from projections.facts import Fact, Index, Moment

FEEDS = {
    "alerts": "alert.fired alert.resolved",
    "metrics": "metric.observed",
    "deployments": "deployment.started deployment.succeeded deployment.failed deployment.cancelled "
    "release.started release.exposed release.completed release.aborted "
    "rollback.started rollback.succeeded rollback.failed service.removed",
    "changes": "feature.enabled feature.disabled configuration.changed migration.applied",
    "on_call": "oncall.assigned oncall.released",
    "observations": "service.observed",
}
"""What each feed brings: facts that somebody sends, and may cease to send."""

OF_TYPE = {topic: feed for feed, topics in FEEDS.items() for topic in topics.split()}

Scope = tuple[str, str]
"""A service and an environment; empty where an event does not name one."""


def create(db: Database) -> None:
    db.execute(
        "CREATE TABLE IF NOT EXISTS feeds (feed TEXT, service TEXT, environment TEXT, at INTEGER, position INTEGER, "
        "PRIMARY KEY (feed, service, environment, at, position)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX IF NOT EXISTS feeds_at ON feeds (feed, at, position)")
    db.execute("CREATE INDEX IF NOT EXISTS feeds_there ON feeds (feed, environment, at, position)")


def scopes(fact: Fact) -> list[Scope]:
    """What an event of a feed is about: one slot, or each service that somebody is on call for."""
    event: Any = fact.event
    if OF_TYPE.get(event.TOPIC) == "on_call":
        return [(service, "") for service in event.services] or [("", "")]
    return [(event.service or "", event.environment or "")]


def around(service: str, environment: str) -> list[Scope]:
    """The scopes that concern a slot."""
    return [(service, environment), (service, ""), ("", environment)]


def write(db: Database, facts: Iterable[Fact]) -> None:
    rows = [
        (feed, *scope, fact.at, fact.position)
        for fact in facts
        if (feed := OF_TYPE.get(fact.event.TOPIC)) is not None
        for scope in scopes(fact)
    ]
    db.conn.executemany("INSERT OR IGNORE INTO feeds VALUES (?,?,?,?,?)", rows)


_ROWS = "SELECT at, position, EXISTS (SELECT 1 FROM amendments WHERE root = feeds.position) FROM feeds WHERE feed = ?1 "
_KNOWN = "AND at <= ?2 AND position <= ?3 "
_NEWEST = "ORDER BY at DESC, position DESC"
OF_ANY = _ROWS + _KNOWN + _NEWEST
OF_SCOPE = _ROWS + _KNOWN + "AND service = ?4 AND environment = ?5 " + _NEWEST


def last(db: Database, feed: str, scope: Scope | None, moment: Moment, record: Record, index: Index) -> int | None:
    """When the last event of a feed happened, of one scope or of any; None where there is none."""
    values = [feed, moment.at, moment.known_at, *(scope or ())]
    for at, position, amended in db.execute(OF_ANY if scope is None else OF_SCOPE, values):
        told = telling.told([position], moment, record, index) if amended else []
        if not amended or any(_stands(each, feed, scope, at) for each in told):
            return int(at)
    return None


def _stands(told: telling.Told, feed: str, scope: Scope | None, at: int) -> bool:
    fact = told.fact
    return (
        told.counts
        and fact.at == at
        and OF_TYPE.get(fact.event.TOPIC) == feed
        and (scope is None or scope in scopes(fact))
    )


def freshness(
    db: Database, service: str, environment: str, moment: Moment, record: Record, index: Index
) -> dict[str, Any]:
    """The age in seconds of each feed's last event, of any slot and of this one; null where it was never heard."""
    found: dict[str, Any] = {}
    for feed in FEEDS:
        here = [("", "")] if feed == "on_call" else [(service, environment), ("", environment)]
        times = [last(db, feed, scope, moment, record, index) for scope in [*here, (service, "")]]
        slot = max((each for each in times if each is not None), default=None)
        found[feed] = {
            "age_seconds": _age(last(db, feed, None, moment, record, index), moment),
            "slot_age_seconds": _age(slot, moment),
        }
    return found


def _age(at: int | None, moment: Moment) -> int | None:
    return None if at is None else (moment.at - at) // 1_000_000


def elsewhere(
    db: Database, environment: str, since: int, limit: int, moment: Moment, record: Record, index: Index
) -> Sequence[Fact]:
    """What was deployed, released or changed in an environment after a moment, the newest first."""
    positions = []
    for feed in ("deployments", "changes"):
        found = db.execute(
            "SELECT position FROM feeds WHERE feed = ? AND environment = ? AND at > ? AND at <= ? AND position <= ? "
            "ORDER BY at DESC, position DESC LIMIT ?",
            [feed, environment, since, moment.at, moment.known_at, limit],
        )
        positions += [row[0] for row in found.fetchall()]
    told = [each for each in telling.told(positions, moment, record, index) if each.counts]
    facts = [each.fact for each in told if each.fact.at > since and each.fact.event.TOPIC in OF_TYPE]
    return [each for each in reversed(facts) if getattr(each.event, "environment", None) == environment]
