"""
What was changed in a period, who approved it, and where did practice leave the doctrine?

The change record: every deployment, release, rollback, feature, configuration
and migration that ended in the period, with the approvals that were in force
for its version and digest, by what the ledger knew when it happened; the
decision and incidents it belongs to; and its findings. Exceptions come first,
and what the record was looked through for is stated, so that a reader can
tell that nothing was left out.

A change belongs to the one period in which it ended, so that periods add up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.events import ReleaseApproved
from ledger.values import from_microseconds, rfc3339
from projections import change_steps, findings, role_spans, said, search, telling
from projections.answers import Reader
from projections.audit import Decision
from projections.audit_controls import WAYS, Way, as_dated, as_learnt, setting
from projections.change_steps import STEPS, Change, Slot
from projections.facts import HOUR, Fact
from projections.finding import Finding
from projections.findings_controls import in_force
from projections.findings_scenes import ALL, Inquiry, SlotScene
from projections.incident_timeline import NameOf, nobody
from projections.periods import Period
from projections.slot import Rollback
from projections.telling import Told

FORMAT = "lastgood-changes/1"

LOOKED_BACK = 31 * 24 * HOUR
"""So long before a period the beginning of a change is looked for that ended in it."""

_BEGINNINGS = {
    kind: [topic for topic, step in STEPS.items() if step.kind == kind and step.outcome is None]
    for kind in change_steps.KINDS
}

Checkpoint = Callable[[int], Mapping[str, Any] | None]
"""The first signed checkpoint that covers a position, None while there is none."""


def record(
    reader: Reader, period: Period, filters: Mapping[str, str], checkpoint: Checkpoint, name_of: NameOf = nobody
) -> dict[str, Any]:
    """The change record of a period at the moment of a reader; *filters* are `service` and `environment`."""
    return _Record(reader, period, filters, name_of).json(checkpoint)


@dataclass
class _Record:
    reader: Reader
    period: Period
    filters: Mapping[str, str]
    name_of: NameOf

    def json(self, checkpoint: Checkpoint) -> dict[str, Any]:
        rows = [self._row(each) for each in self._ended]
        exceptions = list(self._exceptions(rows))
        return {
            "format": FORMAT,
            "period": self.period.json(),
            "service": self.filters.get("service"),
            "environment": self.filters.get("environment"),
            **self.reader.frame(),
            "completeness": self._completeness(checkpoint),
            "exceptions": exceptions,
            "changes": rows,
            "in_progress": [self._row(each) for each in self._under_way],
            "retracted": [self._retracted(each) for each in self._told if not each.counts],
            "roles": role_spans.held(self.reader, self.period.start, self._until, self.name_of),
        }

    # What is looked through

    @cached_property
    def _until(self) -> int:
        return self.period.until(self.reader.moment.at)

    @cached_property
    def _window(self) -> dict[str, Any]:
        return {**self.filters, "since": self.period.start, "until": self._until}

    @cached_property
    def _told(self) -> list[Told]:
        """The steps of changes that happened in the period, by what they say now."""
        positions = {each for topic in STEPS for each in self._positions(self._window | {"type": topic})}
        return [each for each in self._tell(positions) if self._is_asked_for(each.fact)]

    def _is_asked_for(self, fact: Fact) -> bool:
        """A corrected event is found by what it said, too."""
        event = fact.event
        matches = all(getattr(event, name, None) == value for name, value in self.filters.items())
        return matches and self.period.start <= fact.at < self._until and event.TOPIC in STEPS

    def _positions(self, filters: Mapping[str, Any]) -> list[int]:
        return search.positions(self.reader.tables.db, filters, 0, self.reader.moment.known_at, ALL)

    def _tell(self, positions: Iterable[int]) -> list[Told]:
        return telling.told(positions, self.reader.moment, self.reader.record, self.reader.tables)

    @cached_property
    def _changes(self) -> list[Change]:
        found = change_steps.changes(each.fact for each in self._told if each.counts)
        for each in found:
            if each.outcome is not None and each.began is None:
                each.facts[:0] = self._beginning(each)
        return found

    def _beginning(self, change: Change) -> list[Fact]:
        """The latest beginning of a change before the period."""
        service, environment = change.slot
        where = {"service": service, "environment": environment}
        when = {"since": self.period.start - LOOKED_BACK, "until": self.period.start}
        found = [
            p for topic in _BEGINNINGS[change.kind] for p in self._positions({**where, **when, "type": topic})[-50:]
        ]
        told = [each.fact for each in self._tell(found) if each.counts]
        same = [each for each in told if each.event.TOPIC in STEPS and change_steps.named(each).key == change.key]
        return same[-1:]

    @property
    def _ended(self) -> Iterator[Change]:
        return (each for each in self._changes if each.outcome is not None)

    @property
    def _under_way(self) -> Iterator[Change]:
        return (each for each in self._changes if each.outcome is None)

    def _completeness(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """What was looked through: all that is known, of which so much happened in the period."""
        known, inside = self.reader.moment.known_at, self._positions(self._window)
        return {
            "positions": {"from": 1 if known else None, "to": known or None, "count": known},
            "in_period": {
                "first": inside[0] if inside else None,
                "last": inside[-1] if inside else None,
                "count": len(inside),
            },
            "events": dict(sorted(Counter(each.fact.event.TOPIC for each in self._told if each.counts).items())),
            "changes": dict(sorted(Counter(each.kind for each in self._ended).items())),
            "checkpoint": checkpoint(known) if known else None,
        }

    def _retracted(self, told: Told) -> dict[str, Any]:
        event, retraction = told.fact.event, told.retraction
        return {
            "position": told.fact.position,
            "time": _time(told.fact.at),
            "type": event.TOPIC,
            "service": getattr(event, "service", None),
            "environment": getattr(event, "environment", None),
            "version": change_steps.named(told.fact).version,
            "retracted_at": retraction.position if retraction else None,
            "reason": retraction.event.reason if retraction else None,
        }

    # Exceptions

    @cached_property
    def _findings(self) -> list[Finding]:
        """Those of the period, and those about a change in it: open ones first, then by when."""
        shown = {position for each in self._changes for position in each.positions}
        found = [
            each
            for each in findings.findings(self.reader, self.filters, self.name_of)
            if self.period.start <= each.at < self._until or not shown.isdisjoint(each.positions)
        ]
        order = (findings.OPEN, "accepted", "settled")
        return sorted(found, key=lambda each: (order.index(each.state), each.at, each.key))

    @cached_property
    def _about(self) -> dict[int, list[Finding]]:
        """By position, the findings that an event shows; those that stand for many events show but a few of them."""
        found: dict[int, list[Finding]] = {}
        for each in self._findings:
            for position in each.positions if each.within is None else ():
                found.setdefault(position, []).append(each)
        return found

    def _exceptions(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Each with the changes that it is about, by their own positions."""
        changed = {position: row["position"] for row in rows for position in row["positions"]}
        for each in self._findings:
            about = (changed[p] for p in each.positions if p in changed and each.within is None)
            yield {**each.json(), "changes": list(dict.fromkeys(about))}

    # One change

    @cached_property
    def _scenes(self) -> dict[Slot, SlotScene]:
        return {}

    def _scene(self, slot: Slot) -> SlotScene:
        if slot not in self._scenes:
            self._scenes[slot] = SlotScene(Inquiry(self.reader, self.name_of), *slot)
        return self._scenes[slot]

    def _row(self, change: Change) -> dict[str, Any]:
        scene, last = self._scene(change.slot), change.last
        approvals = list(self._approvals(scene, change, as_learnt))
        dated = [each for each in self._approvals(scene, change, as_dated) if each not in approvals]
        rollback = _rollback(scene, change)
        return {
            "kind": change.kind,
            "id": change.id,
            "service": change.slot[0],
            "environment": change.slot[1],
            "version": change.version,
            "digest": _digest(scene, change),
            "outcome": change.outcome,
            "effect": _effect(scene, change),
            "time": _time(last.at),
            "recordedtime": rfc3339(last.recorded.recorded_at),
            "began": _time(change.began.at) if change.began else None,
            "position": last.position,
            "positions": change.positions,
            "deployer": self._deployer(last),
            "approval_required": _is_asked(scene, last),
            "approvals": approvals,
            "approvals_recorded_late": dated,
            "decision": self._decision(rollback),
            "incidents": _incidents(change, rollback, approvals),
            "implicated_in": _implicated(scene, change),
            "findings": [_finding(each) for each in self._of(change)],
        }

    def _of(self, change: Change) -> Iterator[Finding]:
        """The findings that its steps show, each once, in order."""
        found = {id(each): each for position in change.positions for each in self._about.get(position, ())}
        return (each for each in self._findings if id(each) in found) if found else iter(())

    def _deployer(self, fact: Fact) -> dict[str, Any]:
        """Who submitted it, and the people behind that, as far as the record knows."""
        submitter = fact.recorded.submitter
        return {
            "id": submitter.id,
            "name": self.name_of(submitter.id),
            "kind": submitter.kind,
            "people": list(dict.fromkeys(map(self._named, said.carriers(fact)))),
            "source": fact.recorded.source,
        }

    def _named(self, person: str) -> str:
        return self.name_of(person) or person

    def _approvals(self, scene: SlotScene, change: Change, way: Way) -> Iterator[dict[str, Any]]:
        """Those in force when it happened, for its version and digest, by the ledger's knowledge or by their dates."""
        if change.kind not in ("deployment", "release") or change.version is None:
            return
        last, digest = change.last, _digest(scene, change)
        standing = in_force(scene, change.version, last.at, last.position, way)
        fitting = {each.position: each for each in standing if digest is None or each.digest in (None, digest)}
        for fact in scene.inquiry.facts(fitting):
            yield self._approval(fitting[fact.position], fact)

    def _approval(self, approval: Decision, fact: Fact) -> dict[str, Any]:
        ticket = fact.event.change_ticket if isinstance(fact.event, ReleaseApproved) else None
        return {
            "by": None if approval.person is None else self._named(approval.person),
            "time": _time(approval.at),
            "recordedtime": _time(approval.recorded),
            "position": approval.position,
            "digest": approval.digest,
            "change_ticket": ticket,
            "incident": approval.incident,
        }

    def _decision(self, rollback: Rollback | None) -> dict[str, Any] | None:
        if rollback is None or rollback.decided is None:
            return None
        at, position = rollback.decided
        return {
            "rollback_id": rollback.rollback_id,
            "by": None if rollback.decided_by is None else self._named(rollback.decided_by),
            "time": _time(at),
            "position": position,
            "reason": rollback.reason,
            "from_version": rollback.from_version,
        }


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))


def _finding(found: Finding) -> dict[str, Any]:
    return {"rule": found.rule, "state": found.state, "detail": found.detail, "positions": list(found.positions)}


def _is_asked(scene: SlotScene, fact: Fact) -> bool:
    """By the ledger's knowledge, or by when the control was set: whoever went past it did so by either."""
    asked = (setting(scene.controls, scene.service, "approval_required", fact.at, fact.position, way) for way in WAYS)
    return any(found is True for found, _ in asked)


def _digest(scene: SlotScene, change: Change) -> str | None:
    """As told, else the latest that was known for the version then."""
    for each in reversed(change.facts):
        told: str | None = getattr(each.event, "digest", None) or getattr(each.event, "to_digest", None)
        if told is not None:
            return told
    if change.kind == "configuration":
        return None
    same = [each for each in scene.view.slot.artifacts if each.version == change.version]
    then = [each for each in same if each.named <= change.last.key]
    found = then[-1:] or same[:1]
    return found[0].digest if found else None


def _effect(scene: SlotScene, change: Change) -> str | None:
    """How it moved the current version; None where it did not."""
    for each in (*scene.audit.releases, *scene.audit.again):
        if (
            not {position for _, position in each.steps}.isdisjoint(change.positions)
            and each.position not in scene.void
        ):
            return each.kind
    return None


def _rollback(scene: SlotScene, change: Change) -> Rollback | None:
    """The rollback that a change is, or that it carried out."""
    known = scene.view.slot.rollbacks
    if change.kind == "rollback":
        return known.get(change.id or "")
    reached = (each for each in known.values() if each.reached and each.reached[1] in change.positions)
    return next(reached, None)


def _incidents(change: Change, rollback: Rollback | None, approvals: list[dict[str, Any]]) -> list[str]:
    """Those that it names, or that its decision or approval names."""
    named = [
        *(each.event.incident for each in change.facts),
        rollback.incident if rollback else None,
        *(each["incident"] for each in approvals),
    ]
    return list(dict.fromkeys(each for each in named if each is not None))


def _implicated(scene: SlotScene, change: Change) -> list[str]:
    """The incidents in which a person said last that the version had a part."""
    found = []
    for incident in scene.view.incidents if change.version else ():
        here = [each for each in incident.namings if (each.slot, each.version) == (change.slot, change.version)]
        spoken = [each.kind for each in here if each.kind != "suspected"]
        if spoken and spoken[-1] == "implicated":
            found.append(incident.id)
    return found
