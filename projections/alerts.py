"""
Which alerts are active here, since when, and how often did they fire?

A fold over the events of one fingerprint. A monitor that flaps a thousand
times is one alert with a count. What is sent again while an alert fires is
the same firing, unless it says that it started later.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from ledger.events import AlertFired, AlertResolved
from ledger.values import from_microseconds, instant, microseconds, rfc3339
from projections import feeds
from projections.facts import HOUR, Fact
from projections.feeds import Scope

TOLD_AFTER = HOUR
"""A resolved alert is told of for so long: that it ended is news, too."""


@dataclass(slots=True)
class State:
    """
    `since` and `until` are of the last firing. `firings` are the moments at
    which it began to fire in the hour before the last of them; `times` counts
    all there ever were.
    """

    fingerprint: str = ""
    name: str | None = None
    service: str | None = None
    environment: str | None = None
    severity: str | None = None
    url: str | None = None
    since: int | None = None
    until: int | None = None
    firings: list[int] = field(default_factory=list)
    times: int = 0
    repeats: int = 0
    position: int | None = None
    incident: str | None = None

    @property
    def active(self) -> bool:
        return self.since is not None and self.until is None

    @property
    def scope(self) -> Scope:
        return self.service or "", self.environment or ""


def step(state: State, fact: Fact) -> None:
    event = fact.event
    if not isinstance(event, AlertFired | AlertResolved):
        return
    state.fingerprint, state.name, state.position = event.fingerprint, event.name, fact.position
    state.service, state.environment = event.service, event.environment
    state.severity, state.url = event.severity or state.severity, event.url or state.url
    state.incident = event.incident or state.incident
    started = min(fact.at, microseconds(instant(event.started_at))) if event.started_at else None
    if isinstance(event, AlertFired):
        _fire(state, fact.at, started)
    elif state.since is None or started is None or started >= state.since:
        state.since = state.since if state.since is not None else started
        state.until = fact.at


def _fire(state: State, at: int, started: int | None) -> None:
    """Begins a firing, or is sent again in one."""
    if state.active and state.since is not None and (started is None or started <= state.since):
        state.repeats += 1
        return
    state.since, state.until = at if started is None else started, None
    state.firings = [each for each in state.firings if each > at - HOUR] + [at]
    state.times += 1


def create(db: Database) -> None:
    """Which alerts ever named a slot; `ended` is null while one fires there, and tells when it last did."""
    db.execute(
        "CREATE TABLE IF NOT EXISTS alerts (service TEXT, environment TEXT, stream TEXT, first INTEGER, "
        "active INTEGER, ended INTEGER, PRIMARY KEY (service, environment, stream)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX IF NOT EXISTS alerts_active ON alerts (service, environment, active, ended)")


def mention(db: Database, stream: str, fact: Fact) -> None:
    """Keeps what an event of an alert names, now or as it was before a correction."""
    for scope in feeds.scopes(fact):
        db.execute(
            "INSERT INTO alerts VALUES (?,?,?,?,0,NULL) ON CONFLICT DO UPDATE SET first = min(first, excluded.first)",
            [*scope, stream, fact.at],
        )


def write(db: Database, stream: str, state: State) -> None:
    """Has the rows of an alert say where it is active."""
    db.execute("UPDATE alerts SET active = 0, ended = NULL WHERE stream = ?", [stream])
    db.execute(
        "UPDATE alerts SET active = ?, ended = ? WHERE service = ? AND environment = ? AND stream = ?",
        [int(state.active), state.until, *state.scope, stream],
    )


def streams_now(db: Database, scopes: list[Scope], at: int) -> list[str]:
    """The streams of the alerts to tell of at a moment after all that is known."""
    found: list[str] = []
    for scope in scopes:
        rows = db.execute(
            "SELECT stream FROM alerts WHERE service = ?1 AND environment = ?2 AND active = 1 UNION ALL "
            "SELECT stream FROM alerts WHERE service = ?1 AND environment = ?2 AND active = 0 AND ended > ?3",
            [*scope, at - TOLD_AFTER],
        )
        found += [row[0] for row in rows.fetchall()]
    return found


def streams_at(db: Database, scopes: list[Scope], at: int) -> list[str]:
    """The streams of all alerts that may have been active at a moment."""
    found: list[str] = []
    for scope in scopes:
        rows = db.execute(
            "SELECT stream FROM alerts WHERE service = ? AND environment = ? AND first <= ?", [*scope, at]
        )
        found += [row[0] for row in rows.fetchall()]
    return list(dict.fromkeys(found))


def told(states: list[State], scopes: list[Scope], at: int) -> list[State]:
    """Those to tell of: active ones, the latest first, then those that ended within the hour."""
    found = [each for each in states if each.scope in scopes and each.since is not None]
    found = [each for each in found if each.until is None or each.until > at - TOLD_AFTER]
    return sorted(found, key=lambda each: (not each.active, -(each.until or each.since or 0), each.fingerprint))


def answer(state: State, at: int) -> dict[str, Any]:
    return {
        "fingerprint": state.fingerprint,
        "name": state.name,
        "severity": state.severity,
        "state": "active" if state.active else "resolved",
        "since": _time(state.since),
        "until": _time(state.until),
        "times_fired": state.times,
        "times_fired_last_hour": sum(each > at - HOUR for each in state.firings),
        "service": state.service,
        "environment": state.environment,
        "incident": state.incident,
        "url": state.url,
        "position": state.position,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))
