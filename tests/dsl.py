"""
Rules told as stories: given what was recorded, when this comes, then these warnings.

    given(deployed("1.4"), deployed("1.5")).when(decided_rollback("1.4")).then()

`event` makes any event of the catalogue from what matters to a test; the
required members that it does not name are filled in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ledger.contract import accept, event_class, members
from ledger.deciding import RULES
from ledger.events import Event

SERVICE, ENVIRONMENT, INCIDENT = "payments", "production", "INC-1"

_USUAL: dict[str, Any] = {
    "service": SERVICE,
    "environment": ENVIRONMENT,
    "version": "1.5.0",
    "to_version": "1.4.2",
    "deployment_id": "deploy-1",
    "release_id": "release-1",
    "rollback_id": "rollback-1",
    "migration_id": "migration-1",
    "change_id": "change-1",
    "reversibility": "reversible",
    "running": [],
    "chosen": "fix_forward",
    "incident": INCIDENT,
    "severity": "SEV-1",
    "basis": "alert",
    "regime": "dora",
    "value": 5,
    "exposure": 10,
    "available": True,
    "from": "2026-11-22T21:00:00Z",
    "to": "2026-11-22T22:00:00Z",
    "position": 1,
    "positions": [1],
    "fields": ["reason"],
    "criteria": {"clients": 12},
    "payload": {"a": 1},
}
_OF_TYPE: dict[str, dict[str, Any]] = {
    "incident.severity_changed": {"from": "SEV-1", "to": "SEV-2"},
    "incident.declared": {"kind": "outage"},
    "incident.reported": {"kind": "initial"},
    "postmortem.cause_recorded": {"kind": "root"},
    "postmortem.action_added": {"kind": "prevent"},
}


def event(topic: str, **data: Any) -> Event:
    """An event of this type; members that a test does not name have their usual values, or `some NAME`."""
    cls = event_class(topic)
    given = {name.rstrip("_"): value for name, value in data.items()}
    usual = _USUAL | _OF_TYPE.get(topic, {})
    filled = {name: usual.get(name, f"some {name}") for name, member in members(cls).items() if member.required}
    return accept(cls, {**filled, **given})


def deployed(version: str, **data: Any) -> Event:
    return event("deployment.succeeded", version=version, **data)


def released(version: str, **data: Any) -> Event:
    return event("release.completed", version=version, **data)


def decided_rollback(to_version: str, **data: Any) -> Event:
    return event("rollback.decided", to_version=to_version, **data)


declared = partial(event, "incident.declared")
detected = partial(event, "incident.detected")


@dataclass(frozen=True)
class Told:
    """The warnings of the event that came."""

    cautions: Sequence[Any]

    def then(self, *codes: str, saying: str = "") -> None:
        """Just these codes, in this order; *saying* stands in what they tell."""
        assert [each.code for each in self.cautions] == list(codes)
        assert saying in " ".join(each.detail for each in self.cautions)

    def then_not(self, code: str) -> None:
        """Whatever else is told, not this."""
        assert code not in [each.code for each in self.cautions]


@dataclass(frozen=True)
class Given:
    events: Sequence[Event]

    def when(self, coming: Event) -> Told:
        """The rules of the event's own stream judge it, by the events of that stream."""
        rules = RULES[coming.STREAM[0]]
        state = rules.State()
        for each in self.events:
            if each.stream == coming.stream:
                state = rules.evolve(state, each)
        before = state.copy()
        told = Told(rules.decide(state, coming))
        assert state == before, "deciding changes nothing"
        rules.evolve(state, coming)
        return told


def given(*events: Event) -> Given:
    """What was recorded before, in this order."""
    return Given(events)
