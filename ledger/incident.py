"""
The rules of one incident: what is worth a warning.

An event for an incident nobody announced, or that says it starts from
another severity than is recorded, is recorded all the same.
"""

from dataclasses import dataclass

from ledger.caution import Caution
from ledger.events import (
    Event,
    IncidentDeclared,
    IncidentDetected,
    IncidentSeverityChanged,
)


@dataclass(slots=True)
class State:
    """What the incident is called and how severe it is; both None while it is unknown."""

    title: str | None = None
    severity: str | None = None

    def copy(self) -> "State":
        return State(self.title, self.severity)


def evolve(state: State, event: Event) -> State:
    """The state after the event: the same object, changed."""
    match event:
        case IncidentDetected():
            state.title = event.title
        case IncidentDeclared():
            state.title, state.severity = event.title, event.severity
        case IncidentSeverityChanged():
            state.severity = event.to
    return state


def decide(state: State, event: Event) -> list[Caution]:
    """What a reader should know about the event, given what was recorded before."""
    cautions = []
    if state.title is None and not isinstance(event, IncidentDetected | IncidentDeclared):
        cautions.append(Caution("unknown_incident", f"nobody detected or declared an incident {event.incident}"))
    if isinstance(event, IncidentSeverityChanged) and state.severity not in (None, event.from_):
        detail = f"{event.incident} is recorded as {state.severity}, not {event.from_}"
        cautions.append(Caution("from_mismatch", detail))
    return cautions
