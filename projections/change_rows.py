"""
One change as an auditor wants it: what, where, when, by whom, approved by whom, decided by whom.

Approvals are those in force for its version and digest, as the ledger knew
them when it happened. Those that were dated before it and recorded after it
are told apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ledger.events import ReleaseApproved
from ledger.values import from_microseconds, rfc3339
from projections import said
from projections.answers import Reader
from projections.audit import Decision
from projections.audit_controls import WAYS, Way, as_learnt, by_date, setting
from projections.change_steps import Change, Slot
from projections.facts import Fact
from projections.findings_controls import in_force
from projections.findings_scenes import Inquiry, SlotScene
from projections.incident_timeline import NameOf
from projections.slot import Artifact, Rollback

APPROVED = ("deployment", "release")
"""The kinds of change that approvals are for."""


@dataclass
class Rows:
    """Changes as rows, at the moment of a reader."""

    reader: Reader
    name_of: NameOf
    _slots: dict[Slot, "_Slot"] = field(default_factory=dict)

    def row(self, change: Change) -> dict[str, Any]:
        if change.slot not in self._slots:
            self._slots[change.slot] = _Slot(SlotScene(Inquiry(self.reader, self.name_of), *change.slot))
        return _Row(self._slots[change.slot], change, self.name_of).json()


@dataclass
class _Slot:
    """What is looked up for each change of a slot."""

    scene: SlotScene

    @cached_property
    def effects(self) -> dict[int, str]:
        """By position, how a step moved the current version."""
        made = [*self.scene.audit.again, *self.scene.audit.releases]
        return {
            position: each.kind for each in made if each.position not in self.scene.void for _, position in each.steps
        }

    @cached_property
    def artifacts(self) -> dict[str, list[Artifact]]:
        found: dict[str, list[Artifact]] = {}
        for each in self.scene.view.slot.artifacts:
            found.setdefault(each.version, []).append(each)
        return found

    @cached_property
    def reached(self) -> dict[int, Rollback]:
        """By position, the rollback that an event carried out without being called so."""
        return {each.reached[1]: each for each in self.scene.view.slot.rollbacks.values() if each.reached}

    @cached_property
    def implicated(self) -> dict[str, list[str]]:
        """By version, the incidents in which a person said last that it had a part."""
        found: dict[str, list[str]] = {}
        for incident in self.scene.view.incidents:
            last = {
                each.version: each.kind
                for each in incident.namings
                if each.slot == self.scene.view.key and each.kind != "suspected"
            }
            for version in (version for version, kind in last.items() if kind == "implicated"):
                found.setdefault(version, []).append(incident.id)
        return found

    @cached_property
    def tickets(self) -> dict[int, str | None]:
        """By position, the change ticket of each approval."""
        given = [each.position for some in self.scene.approvals.values() for each in some if each.kind == "approved"]
        facts = self.scene.inquiry.facts(given) if given else []
        return {each.position: each.event.change_ticket for each in facts if isinstance(each.event, ReleaseApproved)}


@dataclass
class _Row:
    slot: _Slot
    change: Change
    name_of: NameOf

    def json(self) -> dict[str, Any]:
        change, last = self.change, self.change.last
        approvals = list(self._approvals(as_learnt))
        late = [each for each in self._approvals(by_date) if each not in approvals]
        return {
            "kind": change.kind,
            "id": change.id,
            "service": change.slot[0],
            "environment": change.slot[1],
            "version": change.version,
            "digest": self._digest,
            "outcome": change.outcome,
            "effect": next((self.slot.effects[each] for each in change.positions if each in self.slot.effects), None),
            "time": _time(last.at),
            "recordedtime": rfc3339(last.recorded.recorded_at),
            "began": _time(change.began.at) if change.began else None,
            "position": last.position,
            "positions": change.positions,
            "deployer": self._deployer(last),
            "approval_required": self._is_asked(last),
            "approvals": approvals,
            "approvals_recorded_late": late,
            "decision": self._decision(),
            "incidents": self._incidents(approvals),
            "implicated_in": self.slot.implicated.get(change.version or "", []),
        }

    @cached_property
    def _digest(self) -> str | None:
        """As told, else the latest that was known for the version then."""
        for each in reversed(self.change.facts):
            told: str | None = getattr(each.event, "digest", None) or getattr(each.event, "to_digest", None)
            if told is not None:
                return told
        same = self.slot.artifacts.get(self.change.version or "", [])
        then = [each for each in same if each.named <= self.change.last.key]
        found = then[-1:] or same[:1]
        return found[0].digest if found else None

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

    # Approvals

    def _is_asked(self, fact: Fact) -> bool:
        """By the ledger's knowledge, or by when the control was set: whoever went past it did so by either."""
        scene = self.slot.scene
        ways = (
            setting(scene.controls, scene.service, "approval_required", fact.at, fact.position, way) for way in WAYS
        )
        return any(found is True for found, _ in ways)

    def _approvals(self, way: Way) -> Iterator[dict[str, Any]]:
        """Those in force when it happened, by the ledger's knowledge or by their dates."""
        change, last = self.change, self.change.last
        if change.kind in APPROVED and change.version is not None:
            for each in in_force(self.slot.scene, change.version, last.at, last.position, way):
                if None in (self._digest, each.digest) or each.digest == self._digest:
                    yield self._approval(each)

    def _approval(self, approval: Decision) -> dict[str, Any]:
        return {
            "by": None if approval.person is None else self._named(approval.person),
            "time": _time(approval.at),
            "recordedtime": _time(approval.recorded),
            "position": approval.position,
            "digest": approval.digest,
            "change_ticket": self.slot.tickets.get(approval.position),
            "incident": approval.incident,
        }

    # Decision and incidents

    @cached_property
    def _rollback(self) -> Rollback | None:
        """The rollback that it is, or that it carried out."""
        if self.change.kind == "rollback":
            return self.slot.scene.view.slot.rollbacks.get(self.change.id or "")
        return next((self.slot.reached[each] for each in self.change.positions if each in self.slot.reached), None)

    def _decision(self) -> dict[str, Any] | None:
        found = self._rollback
        if found is None or found.decided is None:
            return None
        at, position = found.decided
        return {
            "rollback_id": found.rollback_id,
            "by": None if found.decided_by is None else self._named(found.decided_by),
            "time": _time(at),
            "position": position,
            "reason": found.reason,
            "from_version": found.from_version,
        }

    def _incidents(self, approvals: list[dict[str, Any]]) -> list[str]:
        """Those that it names, or that its decision or approvals name."""
        named = [
            *(each.event.incident for each in self.change.facts),
            self._rollback.incident if self._rollback else None,
            *(each["incident"] for each in approvals),
        ]
        return list(dict.fromkeys(each for each in named if each is not None))


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
