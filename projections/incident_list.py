"""
Which incidents are there: active, by severity, of this service or environment?

One row an incident, written whenever it is folded, the newest first. Other
moments are folded and chosen by the same rule.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlite_utils import Database

from ledger.events import IncidentLinked, IncidentMerged
from projections.facts import Fact
from projections.incident import State

Cursor = tuple[int, str]
"""When an incident began, and its id: what incidents are ordered by."""

FILTERS = ("state", "severity", "mode", "active", "service", "environment")


def create(db: Database) -> None:
    columns = {"stream": str, "id": str, "began": int, "state": str, "severity": str, "mode": str, "active": int}
    db.table("incidents").create(columns, pk="stream", if_not_exists=True)
    db.table("incidents").create_index(["began", "id"], if_not_exists=True)
    db.table("incidents").create_index(["active", "began"], if_not_exists=True)
    places = {"stream": str, "service": str, "environment": str}
    db.table("incident_places").create(places, pk=("stream", "service", "environment"), if_not_exists=True)
    db.table("incident_places").create_index(["service", "environment"], if_not_exists=True)
    db.table("incident_ties").create(
        {"other": str, "kind": str, "stream": str}, pk=("other", "kind", "stream"), if_not_exists=True
    )


def write(db: Database, stream: str, state: State) -> None:
    """The row of an incident as it is now; none where nothing of it counts any more."""
    db.execute("DELETE FROM incidents WHERE stream = ?", [stream])
    db.execute("DELETE FROM incident_places WHERE stream = ?", [stream])
    if state.heard is None:
        return
    began, name = order(state)
    row = [stream, name, began, state.state, state.severity, state.mode, int(state.active)]
    db.execute("INSERT INTO incidents VALUES (?,?,?,?,?,?,?)", row)
    db.conn.executemany("INSERT INTO incident_places VALUES (?,?,?)", [(stream, *slot) for slot in state.affected])


def mention(db: Database, stream: str, fact: Fact) -> None:
    """Keeps which other incident an event leads to: one that some correction took back is kept all the same."""
    match fact.event:
        case IncidentMerged(into=other):
            db.execute("INSERT OR IGNORE INTO incident_ties VALUES (?, 'merged', ?)", [other, stream])
        case IncidentLinked(other=other):
            db.execute("INSERT OR IGNORE INTO incident_ties VALUES (?, 'linked', ?)", [other, stream])


def tied(db: Database, other: str, kind: str) -> list[str]:
    """The streams of the incidents that ever were `merged` into another one, or `linked` to it."""
    found = db.execute("SELECT stream FROM incident_ties WHERE other = ? AND kind = ? ORDER BY stream", [other, kind])
    return [row[0] for row in found.fetchall()]


def streams(db: Database) -> list[str]:
    """The streams of all incidents that anything was ever recorded of."""
    return [row[0] for row in db.execute("SELECT stream FROM scopes WHERE kind = 'incident'").fetchall()]


def order(state: State) -> Cursor:
    """Incidents are listed by when they began, those that began last first."""
    return state.began if state.began is not None else state.heard or 0, state.id


def page(db: Database, filters: Mapping[str, Any], after: Cursor | None, limit: int) -> list[str]:
    """The streams of the incidents that match filters now, in order, those after one of them."""
    where, values = ["1"], []
    for name in ("state", "severity", "mode", "active"):
        if name in filters:
            where.append(f"{name} = ?")
            values.append(filters[name])
    places = [name for name in ("service", "environment") if name in filters]
    if places:
        matches = " AND ".join(f"p.{name} = ?" for name in places)
        where.append(f"stream IN (SELECT stream FROM incident_places p WHERE {matches})")  # noqa: S608 - own words
        values += [filters[name] for name in places]
    if after is not None:
        where.append("(began, id) < (?, ?)")
        values += after
    found = db.execute(
        f"SELECT stream FROM incidents WHERE {' AND '.join(where)} ORDER BY began DESC, id DESC LIMIT ?",  # noqa: S608
        [*values, limit],
    )
    return [row[0] for row in found.fetchall()]


def choose(states: Iterable[State], filters: Mapping[str, Any], after: Cursor | None, limit: int) -> list[State]:
    """The same of incidents that were folded for one answer."""
    found = [each for each in states if each.heard is not None and _matches(each, filters)]
    found = sorted((each for each in found if after is None or order(each) < after), key=order, reverse=True)
    return found[:limit] if limit >= 0 else found


def _matches(state: State, filters: Mapping[str, Any]) -> bool:
    told = {"state": state.state, "severity": state.severity, "mode": state.mode, "active": state.active}
    if any(told[name] != filters[name] for name in told if name in filters):
        return False
    service, environment = filters.get("service"), filters.get("environment")
    if service is None and environment is None:
        return True
    return any(service in (None, slot[0]) and environment in (None, slot[1]) for slot in state.affected)
