"""
The rules of one slot, a service in an environment: what is worth a warning.

Facts are never refused for being unwelcome, so `decide` returns warnings,
not verdicts. `evolve` accepts whatever happened, in the order it was
recorded; what is current or known good is not decided here but derived, with
corrections and times, by the projections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger.caution import Caution
from ledger.events import (
    DeploymentSucceeded,
    Event,
    ReleaseCompleted,
    RollbackCancelled,
    RollbackDecided,
    RollbackFailed,
    RollbackIneffective,
    RollbackStarted,
    RollbackSucceeded,
    RollbackVerified,
)


@dataclass(slots=True)
class State:
    """What was ever deployed or released here, and which rollback was decided for what."""

    deployed: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    targets: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "State":
        return State(set(self.deployed), set(self.released), dict(self.targets))


def evolve(state: State, event: Event, _at: datetime | None = None) -> State:
    """The state after the event: the same object, changed; a copy is for who may have to go back."""
    match event:
        case DeploymentSucceeded():
            state.deployed.add(event.version)
        case ReleaseCompleted():
            state.released.add(event.version)
        case RollbackDecided():
            state.targets[event.rollback_id] = event.to_version
        case RollbackSucceeded():
            state.deployed.add(event.to_version)
    return state


def decide(state: State, event: Event) -> list[Caution]:
    """What a reader should know about the event, given what was recorded before."""
    match event:
        case ReleaseCompleted() if state.deployed and event.version not in state.deployed | state.released:
            return [Caution("released_not_deployed", f"{event.version} was never deployed to this slot")]
        case RollbackDecided() if event.to_version not in state.deployed | state.released:
            return [Caution("rollback_to_unproven_version", f"{event.to_version} never ran in this slot")]
        case RollbackStarted() | RollbackSucceeded() | RollbackFailed():
            return _executed(state, event.rollback_id, event.to_version)
        case RollbackCancelled() | RollbackVerified() | RollbackIneffective() if event.rollback_id not in state.targets:
            return [Caution("unknown_rollback", f"no rollback {event.rollback_id} was decided for this slot")]
    return []


def compare(event: RollbackDecided, current: str | None, candidates: Sequence[Mapping[str, Any]]) -> list[Caution]:
    """What a decision says that differs from what could be seen: the version it leaves, and the one it goes to."""
    cautions = []
    if event.from_version not in (None, current):
        detail = f"{current or 'nothing'} is current here, not {event.from_version}"
        cautions.append(Caution("from_mismatch", detail))
    for candidate in candidates:
        if candidate["version"] == event.to_version:
            cautions += [Caution(each["code"], each["detail"]) for each in candidate["blockers"]]
    return cautions


def bears_on_a_claim(event: Event) -> bool:
    """
    Whether an event may change which decision a pipeline should execute: what
    is decided or claimed, and what runs. What only observes or configures the
    slot, however often, never does.
    """
    return event.TOPIC.startswith(("rollback.", "deployment.", "release.", "service.removed"))


def _executed(state: State, rollback_id: str, to_version: str) -> list[Caution]:
    decided = state.targets.get(rollback_id)
    if decided is None:
        return [Caution("rollback_without_decision", f"nobody decided a rollback {rollback_id} for this slot")]
    if decided != to_version:
        return [Caution("rollback_other_than_decided", f"{rollback_id} was decided to {decided}, not {to_version}")]
    return []
