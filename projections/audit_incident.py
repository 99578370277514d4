"""
What the findings need to know of an incident beyond its state.

A fold beside the incident's own: who graded it and who was told, what became
of its postmortem and its actions, and what was reported to whom.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from ledger.events import (
    IncidentClassified,
    IncidentReported,
    IncidentSeverityChanged,
    PostmortemActionAdded,
    PostmortemActionCancelled,
    PostmortemActionCompleted,
    PostmortemApproved,
    PostmortemPublished,
    PostmortemStarted,
    PostmortemWaived,
)
from ledger.values import instant, microseconds
from projections.audit_controls import Learnt, learnt
from projections.facts import Fact
from projections.incident import State as Incident
from projections.said import recorded


@dataclass(slots=True)
class Downgrade(Learnt):
    """A severity was lowered."""

    was: str = ""
    to: str = ""


@dataclass(slots=True)
class Classification(Learnt):
    regime: str = ""
    classification: str = ""


@dataclass(slots=True)
class Report(Learnt):
    regime: str = ""
    kind: str = ""


@dataclass(slots=True)
class Action(Learnt):
    """What is to be done by when; `ended` is how it was."""

    action_id: str = ""
    due: int | None = None
    ended: Learnt | None = None


@dataclass(slots=True)
class State:
    """
    `finished` are approval, publication and waiving of the postmortem;
    `learnt` is when each event was recorded, by its position.
    """

    downgrades: list[Downgrade] = field(default_factory=list)
    classifications: list[Classification] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    due: int | None = None
    finished: list[Learnt] = field(default_factory=list)
    actions: dict[str, Action] = field(default_factory=dict)
    learnt: dict[int, int] = field(default_factory=dict)


def step(state: State, fact: Fact, _change: Any, incident: Incident) -> None:
    state.learnt[fact.position] = recorded(fact)
    match fact.event:
        case IncidentSeverityChanged() as event:
            was = incident.severities[-2].name if len(incident.severities) > 1 else event.from_
            if event.to > was:
                state.downgrades.append(Downgrade(*learnt(fact), was=was, to=event.to))
        case IncidentClassified() as event:
            state.classifications.append(Classification(*learnt(fact), event.regime, event.classification))
        case IncidentReported() as event:
            state.reports.append(Report(*learnt(fact), event.regime, event.kind))
        case PostmortemStarted() as event:
            state.due = end_of(event.due) if event.due else state.due
        case PostmortemApproved() | PostmortemPublished() | PostmortemWaived():
            state.finished.append(Learnt(*learnt(fact)))
        case PostmortemActionAdded() as event:
            due = end_of(event.due) if event.due else None
            state.actions[event.action_id] = Action(*learnt(fact), event.action_id, due)
        case PostmortemActionCompleted() | PostmortemActionCancelled() as event:
            if (action := state.actions.get(event.action_id)) is not None and action.ended is None:
                action.ended = Learnt(*learnt(fact))


def end_of(due: str) -> int:
    """The moment that a due time names; of a day, its end in UTC."""
    if len(due) > len("2026-11-22"):
        return microseconds(instant(due))
    return microseconds(datetime.combine(date.fromisoformat(due), time.max, UTC))
