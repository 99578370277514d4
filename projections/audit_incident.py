"""
What the findings need to know of an incident beyond its state.

A fold beside the incident's own: who graded it and who was told, what became
of its postmortem and its actions, and what was reported to whom.
"""

from dataclasses import dataclass, field
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
from projections.audit_controls import Learnt, learnt
from projections.due import end_of
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
    actions: list[Action] = field(default_factory=list)
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
            _end(state, event.action_id, fact)
            state.actions.append(Action(*learnt(fact), event.action_id, due))
        case PostmortemActionCompleted() | PostmortemActionCancelled() as event:
            _end(state, event.action_id, fact)


def _end(state: State, action_id: str, fact: Fact) -> None:
    """What ends an action: it is done, cancelled, or put off by being added again, which takes no delay back."""
    for each in state.actions:
        if each.action_id == action_id and each.ended is None:
            each.ended = Learnt(*learnt(fact))
