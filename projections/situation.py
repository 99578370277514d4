"""
What must a responder know in the first minute?

The reply for the slot, and around it: what changed here and nearby, which
alerts and metrics speak, who is on call and who is responsible, what the
severity asks for, how far a rollback is, and how fresh all of this is. Facts
only; what to type is added by who knows the command line.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ledger.events import ArtifactPublished, Record
from ledger.values import from_microseconds, rfc3339, stream_name
from projections import (
    alerts,
    artifact,
    decisions,
    feeds,
    last_known_good,
    metrics,
    oncall,
    response,
    roles,
    telling,
)
from projections.facts import HOUR, Fact, Moment
from projections.incident import UNDECLARED_COUNTS, State
from projections.returns import newest
from projections.slot import Period, Rollback
from projections.tables import Tables
from projections.view import View

NEARBY = 2 * HOUR
"""Changes elsewhere in the environment are told for so long."""

READ_ELSEWHERE = 40
LOOKED_BACK = 60
"""So many entries of the slot's history are looked through for what is recent."""

TOLD = 5
"""How long each list of recent things is."""

NEWS = 24 * HOUR
"""What became of a rollback is told for so long, longer only while it matters."""

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
    rollback = told_rollback(view)
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
        "rollback": _rollback(view, rollback),
        "compare_url": _compare_url(view, _sought(view, rollback), reading),
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
    """What the gravest active incident asks for, a drill's only where there is no real one."""
    found = (response.answer(each, view.at) for each in active(view))
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


# How far a rollback is

Told = tuple[Rollback | None, str, Period | None]
"""A rollback, what became of it, and the live period that nobody had decided or that went elsewhere."""


def told_rollback(view: View) -> Told | None:
    """
    The last rollback, decided or not, while it is news: to be carried out, of
    an active incident, or begun within a day.

    Beyond the states of `projections.decisions`: `undecided` is one that
    happened and that nobody decided, `other_version` one that went elsewhere
    than was decided.
    """
    last = next(iter(decisions.all_of(view)), None)
    went = next((each for each in reversed(view.slot.periods) if each.change == "rollback"), None)
    decided = newest(view.slot)
    if went is not None and decided is not None and _is_other(view, decided, went):
        return (decided, "other_version", went) if _is_news(view, decided, went.start) else None
    if went is not None and went.rollback_id is None and (last is None or _begun(last) < went.start):
        return (None, "undecided", went) if _is_news(view, None, went.start) else None
    if last is None:
        return None
    state = _outcome(view, last)
    fresh = state in ("pending", "claimed") or _is_news(view, last, _begun(last))
    return (last, state, None) if fresh else None


def _is_other(view: View, decided: Rollback, went: Period) -> bool:
    """Whether a return went elsewhere than a decision that was valid then."""
    if went.rollback_id == decided.rollback_id:
        return went.artifact != decided.to
    valid = view.environment.settings.validity(view.slot.service)
    fresh = decided.decided is not None and went.start - decided.decided[0] < valid
    return fresh and decided.overtaken == (went.start, went.position)


def _begun(rollback: Rollback) -> int:
    steps = (rollback.decided, *rollback.starts, rollback.succeeded, rollback.failed)
    return min((each[0] for each in steps if each is not None), default=0)


def _is_news(view: View, rollback: Rollback | None, begun: int) -> bool:
    ongoing = {each.id for each in active(view)}
    return view.at - begun < NEWS or (rollback is not None and rollback.incident in ongoing)


def _outcome(view: View, rollback: Rollback) -> str:
    state = decisions.status(view, rollback)
    if state not in ("reached", "succeeded"):
        return state
    return "undecided" if rollback.decided is None else "target_reached"


def _rollback(view: View, told: Told | None) -> dict[str, Any] | None:
    """The rollback as readers get it: `told` is what became of it, in one word."""
    if told is None:
        return None
    rollback, state, went = told
    found = _NOTHING if rollback is None else decisions.answer(view, rollback)
    if rollback is None and went is not None:
        step = decisions.step_json((went.start, went.position))
        found = {**found, "executed": step, "age_seconds": (view.at - went.start) // 1_000_000}
    version = None if went is None else view.slot.artifacts[went.artifact].version
    return {
        **found,
        "service": view.slot.service,
        "environment": view.slot.environment,
        "told": state,
        "went_to": version,
    }


_NOTHING: dict[str, Any] = dict.fromkeys(
    "rollback_id service environment from_version to_version to_digest reason decided_by incident plan position state "
    "age_seconds decided claimed claim_lapses executed failed reached observed verified ineffective cancelled".split()
)
"""A rollback of which nothing was said."""


# Where to read what would be taken back


def _sought(view: View, told: Told | None) -> int | None:
    """The artifact that one would go back to: what was decided, else the target."""
    if told is not None and told[0] is not None and told[1] in ("pending", "claimed"):
        return told[0].to
    found = last_known_good.target(view)
    return None if found is None else found.artifact


def _compare_url(view: View, to: int | None, reading: Reading) -> str | None:
    """The address of what lies between the version to go back to and the current one; None where it isn't known."""
    current = view.slot.current
    if to is None or current is None:
        return None
    newer, older = (_published(view, each, reading) for each in (current.artifact, to))
    if newer is None or older is None or not newer.commit or not older.commit:
        return None
    return compare(newer.repository or older.repository, older.commit, newer.commit)


def _published(view: View, number: int, reading: Reading) -> ArtifactPublished | None:
    """How an artifact of the slot was last published, as far as its commit is told."""
    found = view.slot.artifacts[number]
    marks = artifact.about(view.artifacts, found.version, found.digest)
    positions = [each.position for each in marks if each.kind == "published"][-TOLD:]
    for each in reversed(telling.told(positions, reading.moment, reading.record, reading.tables)):
        if each.counts and isinstance(each.fact.event, ArtifactPublished) and each.fact.event.commit:
            return each.fact.event
    return None


_REPOSITORY = re.compile(
    r"(?:git\+)?(?:(?:https?|ssh|git)://(?:[^@/]+@)?|[\w.-]+@)(?P<host>[\w.-]+)(?::\d+(?=/))?[:/](?P<path>[\w./~-]+?)(?:\.git)?/?"
)
_COMMIT = re.compile(r"[\w./-]{1,100}")


def compare(repository: str | None, older: str, newer: str) -> str | None:
    """
    The page that shows what changed between two commits, on hosts in the manner of
    GitHub (also Gitea and Forgejo), GitLab and Bitbucket; None for any other.
    """
    found = _REPOSITORY.fullmatch(repository or "")
    if found is None or not (_COMMIT.fullmatch(older) and _COMMIT.fullmatch(newer)):
        return None
    host, base = found["host"].lower(), f"https://{found['host']}/{found['path'].strip('/')}"
    if "gitlab" in host:
        return f"{base}/-/compare/{older}...{newer}"
    if "bitbucket" in host:
        return f"{base}/branches/compare/{newer}..{older}"
    if any(name in host for name in ("github", "gitea", "forgejo", "codeberg")):
        return f"{base}/compare/{older}...{newer}"
    return None


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))
