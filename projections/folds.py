"""
Which facts each kind of stream folds, in which order, into which state.

There is one fold for "now" and "as of": the runner takes facts in as they are
recorded, and `fold` takes in all that are known at a moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ledger.events import EnvironmentConfigured, Record
from ledger.values import stream_name
from projections import (
    alerts,
    artifact,
    audit,
    audit_artifacts,
    audit_controls,
    audit_incident,
    current_version,
    environment,
    incident,
    oncall,
    slot,
)
from projections.facts import Fact, Index, Moment, known
from projections.slot import Change

STATES: dict[str, type[Any]] = {
    "slot": slot.State,
    "service": artifact.State,
    "environment": environment.State,
    "incident": incident.State,
    "alert": alerts.State,
    "rota": oncall.State,
}
"""The kinds of stream that are folded, and what into."""

STEPS: dict[str, Callable[[Any, Fact], Change | None]] = {
    "slot": current_version.step,
    "service": artifact.step,
    "environment": environment.step,
    "incident": incident.step,
    "alert": alerts.step,
    "rota": oncall.step,
}

AUDITS: dict[str, type[Any]] = {
    "slot": audit.State,
    "service": audit_artifacts.State,
    "environment": audit_controls.State,
    "incident": audit_incident.State,
}
"""What is kept beside some states, for findings."""

AUDIT_STEPS: dict[str, Callable[[Any, Fact, Change | None, Any], None]] = {
    "slot": audit.step,
    "service": audit_artifacts.step,
    "environment": audit_controls.step,
    "incident": audit_incident.step,
}
"""Each gets what the state's own step made of the fact, and the state after it."""

BY_RECORDING = ("incident", "rota")
"""Kinds whose facts count in the order of their recording: the last word holds."""

Key = tuple[int, int]
FIRST: Key = (-(2**62), 0)


@dataclass(slots=True)
class Folded:
    """A state, what is kept beside it, the history that led to both, and the key of the last fact in them."""

    state: Any
    audit: Any = None
    changes: list[Change] = field(default_factory=list)
    key: Key = FIRST

    def take(self, stream: str, fact: Fact) -> None:
        change = STEPS[kind_of(stream)](self.state, fact)
        if self.audit is not None:
            AUDIT_STEPS[kind_of(stream)](self.audit, fact, change, self.state)
        if change is not None:
            self.changes.append(change)
        self.key = key(stream, fact)


def kind_of(stream: str) -> str:
    return stream.partition("/")[0]


def names_of(stream: str) -> list[str]:
    """The parts that a stream is named after."""
    return [unquote(part) for part in stream.split("/")[1:]]


def key(stream: str, fact: Fact) -> Key:
    """What facts are ordered by: time, then recording; of some kinds their recording alone."""
    return (0, fact.position) if kind_of(stream) in BY_RECORDING else fact.key


def empty(stream: str) -> Any:
    """The state of a stream of which nothing is known but its name."""
    if kind_of(stream) == "slot":
        service, place = names_of(stream)
        return slot.State(service, place)
    if kind_of(stream) == "incident":
        return incident.State(names_of(stream)[0])
    return STATES[kind_of(stream)]()


def no_audit(stream: str) -> Any:
    """What is kept beside the state of a stream of which nothing is known; None for kinds that have no such."""
    kind = kind_of(stream)
    return AUDITS[kind]() if kind in AUDITS else None


def begin(stream: str) -> Folded:
    return Folded(empty(stream), no_audit(stream))


def facts(stream: str, moment: Moment, record: Record, index: Index) -> list[Fact]:
    """Everything that the fold of a stream takes in at a moment, in order."""
    found = known(stream, moment, record, index)
    if kind_of(stream) == "slot":
        settings = known(stream_name("environment", names_of(stream)[1]), moment, record, index)
        found += [each for each in settings if isinstance(each.event, EnvironmentConfigured)]
    return sorted(found, key=lambda each: key(stream, each))


def fold(stream: str, moment: Moment, record: Record, index: Index) -> Folded:
    """The state of a stream at a moment, from nothing."""
    folded = begin(stream)
    for each in facts(stream, moment, record, index):
        folded.take(stream, each)
    return folded
