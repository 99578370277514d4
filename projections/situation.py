"""
What must a responder know in the first minute?

The reply for the slot, and around it: what changed here and nearby, which
alerts and metrics speak, who is on call and who is responsible, what the
severity asks for, how far a rollback is, and how fresh all of this is. Facts
only; what to type is added by who knows the command line.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ledger.events import Record
from ledger.values import from_microseconds, rfc3339, stream_name
from projections import (
    alerts,
    comparison,
    feeds,
    last_known_good,
    last_rollback,
    metrics,
    oncall,
    response,
    roles,
)
from projections.facts import HOUR, Fact, Moment
from projections.incident import UNDECLARED_COUNTS, State
from projections.tables import Tables
from projections.view import View

NEARBY = 2 * HOUR
"""Changes elsewhere in the environment are told for so long."""

READ_ELSEWHERE = 40
LOOKED_BACK = 60
"""So many entries of the slot's history are looked through for what is recent."""

TOLD = 5
"""How long each list of recent things is."""

GROUPS = {
    "deployments": ("deployment.", "service."),
    "releases": ("release.started", "release.exposed", "release.completed", "release.aborted"),
    "rollbacks": ("rollback.",),
    "features": ("feature.",),
    "configuration": ("configuration.",),
    "migrations": ("migration.",),
}


class Reading(Protocol):
    """What a situation is read from: everything at one moment."""

    record: Record
    tables: Tables
    moment: Moment

    def state(self, stream: str) -> Any:
        """The state of a stream."""


def answer(view: View, history: Sequence[dict[str, Any]], reading: Reading) -> dict[str, Any]:
    """Everything that a situation has beyond the reply for the slot. *history*: the newest first."""
    service, place = view.key
    on_call = _on_call(reading, service)
    rollback = last_rollback.told(view)
    return {
        "recent": _recent(view, history),
        "elsewhere": _elsewhere(reading, service, place),
        "alerts": _alerts(reading, view),
        "metrics": metrics.of(
            reading.tables.db, feeds.around(service, place), reading.moment, reading.record, reading.tables
        ),
        "on_call": on_call,
        "responsible": responsible(view, on_call),
        "incidents": [_incident(each, view.at) for each in active(view)],
        "undeclared": [_incident(each, view.at) for each in undeclared(view)],
        "expected_response": expected(view),
        "rollback": last_rollback.answer(view, rollback),
        "compare_url": comparison.url(view, _sought(view, rollback), reading.moment, reading.record, reading.tables),
        "freshness": feeds.freshness(reading.tables.db, service, place, reading.moment, reading.record, reading.tables),
    }


def anything_known(view: View, reading: Reading) -> bool:
    """Whether there is a situation to tell of, also where nothing was ever deployed."""
    if view.slot.born or any(view.key in each.affected for each in view.incidents):
        return True
    states = [reading.state(each) for each in _alert_streams(reading, [view.key], view.at)]
    return bool(alerts.told(states, [view.key], view.at))


# What changed


def _recent(view: View, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The latest of each kind, by the source's own name for it: a deployment is told once, as it last was."""
    found: dict[str, Any] = {"in_flight": _in_flight(view)}
    for group, kinds in GROUPS.items():
        items = [each for each in history if each["type"].startswith(kinds) or _belongs(each, group)]
        found[group] = _once(items)[:TOLD]
    return found


def _belongs(item: dict[str, Any], group: str) -> bool:
    """A deployment that went back is a rollback, whether or not anybody decided it."""
    return group == "rollbacks" and item["change"] == "rollback"


def _once(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for each in items:
        found.setdefault(each["reference"] or each["position"], each)
    return list(found.values())


def _in_flight(view: View) -> list[dict[str, Any]]:
    """Deployments that began and have not ended, and releases that not everybody sees; the newest first."""
    found = [
        {"kind": "deployment", "reference": name, "version": each.version, "exposure": None, **_since(each, view.at)}
        for name, each in view.slot.in_flight.items()
    ]
    found += [
        {
            "kind": "release",
            "reference": name,
            "version": view.slot.artifacts[each.artifact].version,
            "exposure": each.exposure,
            **_since(each, view.at),
        }
        for name, each in view.slot.releases.items()
    ]
    return sorted(found, key=lambda each: each["position"], reverse=True)[:TOLD]


def _since(started: Any, at: int) -> dict[str, Any]:
    return {
        "since": _time(started.since),
        "age_seconds": (at - started.since) // 1_000_000,
        "position": started.position,
    }


def _elsewhere(reading: Reading, service: str, place: str) -> list[dict[str, Any]]:
    since = reading.moment.at - NEARBY
    facts = feeds.elsewhere(
        reading.tables.db, place, since, READ_ELSEWHERE, reading.moment, reading.record, reading.tables
    )
    found: dict[Any, dict[str, Any]] = {}
    for fact in facts:
        item = _change(fact)
        if item["service"] != service:
            found.setdefault((item["service"], item["type"].partition(".")[0], item["what"]), item)
    return list(found.values())


def _change(fact: Fact) -> dict[str, Any]:
    event: Any = fact.event
    names = ("to_version", "version", "feature", "change_id")
    what = next((found for name in names if (found := getattr(event, name, None)) is not None), None)
    return {
        "service": event.service,
        "type": event.TOPIC,
        "what": what,
        "time": _time(fact.at),
        "position": fact.position,
    }


# What speaks


def _alerts(reading: Reading, view: View) -> list[dict[str, Any]]:
    """Alerts that name the slot, its service or its environment, and those that an active incident names."""
    scopes = feeds.around(*view.key)
    states = [reading.state(each) for each in _alert_streams(reading, scopes, view.at)]
    found = alerts.told(states, scopes, view.at)
    known = {each.fingerprint for each in found}
    named = [name for incident in active(view) for name in incident.alerts if name not in known]
    others = [reading.state(stream_name("alert", name)) for name in dict.fromkeys(named)]
    found += alerts.told(others, [each.scope for each in others], view.at)
    return [alerts.answer(each, view.at) for each in found]


def _alert_streams(reading: Reading, scopes: list[feeds.Scope], at: int) -> list[str]:
    chosen = alerts.streams_now if reading.moment.now else alerts.streams_at
    return chosen(reading.tables.db, scopes, at)


def _on_call(reading: Reading, service: str) -> list[dict[str, Any]]:
    states = [reading.state(each) for each in oncall.streams(reading.tables.db, service)]
    return [oncall.answer(each, service, reading.moment.at) for each in oncall.covering(states, service)]


# Who and what


def active(view: View) -> list[State]:
    """The active incidents that affect the slot, the gravest first; drills after real ones."""
    found = [each for each in view.incidents if each.active and view.key in each.affected]
    return sorted(found, key=lambda each: (not each.counted, each.severity or "~", -(each.began or 0), each.id))


def undeclared(view: View) -> list[State]:
    """Incidents that were detected here within a day, and that nobody declared or ended."""
    found = [each for each in view.incidents if each.state == "detected" and view.key in each.affected]
    return [each for each in found if (began := each.began) is not None and view.at - began < UNDECLARED_COUNTS]


def expected(view: View) -> dict[str, Any] | None:
    """What the gravest active incident asks for, a drill's only where there is no real one. Planned work asks nothing."""
    found = (response.answer(each, view.at) for each in active(view) if each.counted or each.mode == "drill")
    return next((each for each in found if each is not None), None)


def responsible(view: View, on_call: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """An active incident's commander, else the slot's owner, else who is on call."""
    for incident in active(view):
        if incident.counted and (commander := roles.commander(incident.holdings)) is not None:
            return {"person": commander.person, "as": "commander", "of": incident.id, "contact": None}
    owner = view.environment.settings.of(view.slot.service, "owner")
    if owner is not None:
        return {"person": owner, "as": "owner", "of": None, "contact": None}
    for each in on_call:
        if each["person"] is not None:
            return {"person": each["person"], "as": "on_call", "of": each["rota"], "contact": each["contact"]}
    return None


def _incident(incident: State, at: int) -> dict[str, Any]:
    commander = roles.commander(incident.holdings)
    declared = incident.first("declared")
    return {
        "id": incident.id,
        "title": incident.title,
        "kind": incident.kind,
        "severity": incident.severity,
        "suggested_severity": incident.suggested,
        "state": incident.state,
        "drill": incident.mode == "drill",
        "began": _time(incident.began),
        "declared": _time(declared.at if declared else None),
        "commander": commander.person if commander else None,
        "expected_response": response.answer(incident, at),
    }


def _sought(view: View, told: last_rollback.Told | None) -> int | None:
    """The artifact that one would go back to: what was decided, else the target."""
    if told is not None and told[0] is not None and told[1] in ("pending", "claimed"):
        return told[0].to
    found = last_known_good.target(view)
    return None if found is None else found.artifact


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))
