"""
The rules of one incident and its postmortem: what is worth a warning.

Nothing is refused. An event for an incident nobody announced, a step that
cannot be taken from where the incident stands, a severity or a role taken from
where it is not, a time that contradicts another: all are recorded, and told.
`evolve` accepts whatever happened, in the order it was recorded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from ledger.caution import Caution
from ledger.disclosures import REDACTED
from ledger.events import (
    Event,
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentClosed,
    IncidentDeclared,
    IncidentDetected,
    IncidentImpactEnded,
    IncidentImpactStarted,
    IncidentMerged,
    IncidentMitigated,
    IncidentPriorityChanged,
    IncidentReopened,
    IncidentResolved,
    IncidentRoleAssigned,
    IncidentRoleReleased,
    IncidentSeverityChanged,
    IncidentUnmerged,
    PostmortemActionAdded,
    PostmortemActionCancelled,
    PostmortemActionCompleted,
    PostmortemApproved,
    PostmortemPublished,
    PostmortemReviewed,
    PostmortemStarted,
)
from ledger.values import rfc3339

ORDER = {"detected": 0, "declared": 1, "reopened": 1, "acknowledged": 2, "mitigated": 3, "resolved": 4, "closed": 5}
"""The steps as they follow one another; each may be skipped."""

OVER = ("resolved", "closed", "cancelled")
"""What an incident can be reopened from."""

Step = (
    IncidentDetected
    | IncidentDeclared
    | IncidentAcknowledged
    | IncidentMitigated
    | IncidentResolved
    | IncidentClosed
    | IncidentCancelled
    | IncidentReopened
    | IncidentMerged
    | IncidentUnmerged
)
_Action = PostmortemActionCompleted | PostmortemActionCancelled


@dataclass(slots=True)
class State:
    """
    Where the incident stands, as recorded. A redacted title is None.

    `taken` are the steps of this cycle and when they were first taken,
    `holders` who has each role, `windows` the bounds of each time of impact,
    `actions` the postmortem's and whether each is still open.
    """

    announced: bool = False
    title: str | None = None
    severity: str | None = None
    priority: str | None = None
    step: str | None = None
    before_merge: str | None = None
    merged_into: str | None = None
    taken: dict[str, datetime | None] = field(default_factory=dict)
    holders: dict[str, frozenset[str]] = field(default_factory=dict)
    windows: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    postmortem: bool = False
    actions: dict[str, bool] = field(default_factory=dict)

    def copy(self) -> "State":
        return replace(
            self,
            taken=dict(self.taken),
            holders=dict(self.holders),
            windows=dict(self.windows),
            actions=dict(self.actions),
        )


def evolve(state: State, event: Event, at: datetime | None = None) -> State:
    """The state after an event that happened at a moment, None where that is not known: the same object, changed."""
    match event:
        case IncidentDetected() | IncidentDeclared():
            _announce(state, event)
            _take(state, event, at)
        case IncidentSeverityChanged():
            state.severity = event.to
        case IncidentPriorityChanged():
            state.priority = event.to
        case IncidentRoleAssigned() | IncidentRoleReleased():
            _hand_over(state, event)
        case IncidentImpactStarted() | IncidentImpactEnded():
            _bound(state, event, at)
        case PostmortemStarted():
            state.postmortem = True
        case PostmortemActionAdded():
            state.actions[event.action_id] = True
        case PostmortemActionCompleted() | PostmortemActionCancelled():
            state.actions[event.action_id] = False
        case IncidentMerged() if state.step != "merged":
            state.before_merge, state.step, state.merged_into = state.step, "merged", event.into
        case IncidentMerged():
            state.merged_into = event.into
        case IncidentUnmerged() if state.step == "merged":
            state.step, state.merged_into = state.before_merge, None
        case IncidentReopened():
            state.step, state.merged_into, state.taken = "declared", None, {"reopened": at}
        case IncidentCancelled():
            state.step = "cancelled"
        case IncidentAcknowledged() | IncidentMitigated() | IncidentResolved() | IncidentClosed():
            _take(state, event, at)
    return state


def decide(state: State, event: Event, at: datetime | None = None) -> list[Caution]:
    """What a reader should know about an event that happened at a moment, given what was recorded before."""
    if not state.announced and not isinstance(event, IncidentDetected | IncidentDeclared):
        return [unknown(event.incident)]
    return [*_of_steps(state, event), *_of_starts(state, event), *_of_times(state, event, at)]


def unknown(name: str | None) -> Caution:
    return Caution("unknown_incident", f"nobody detected or declared an incident {name}")


# What happened


def _announce(state: State, event: IncidentDetected | IncidentDeclared) -> None:
    state.announced = True
    state.title = None if event.title == REDACTED else event.title
    if isinstance(event, IncidentDeclared):
        state.severity = event.severity


def _take(state: State, event: Event, at: datetime | None) -> None:
    """Takes a step: the state moves forward only."""
    name = _name(event)
    state.taken.setdefault(name, at)
    if state.step is None or (state.step in ORDER and ORDER[name] > ORDER[state.step]):
        state.step = name


def _hand_over(state: State, event: IncidentRoleAssigned | IncidentRoleReleased) -> None:
    held = state.holders.get(event.role, frozenset())
    if isinstance(event, IncidentRoleReleased):
        state.holders[event.role] = held - {event.person}
    else:
        state.holders[event.role] = (held - {event.from_}) | {event.person}


def _bound(state: State, event: IncidentImpactStarted | IncidentImpactEnded, at: datetime | None) -> None:
    for name in _windows(state, event):
        start, end = state.windows.get(name, (None, None))
        state.windows[name] = (at, end) if isinstance(event, IncidentImpactStarted) else (start, at)


def _windows(state: State, event: IncidentImpactStarted | IncidentImpactEnded) -> list[str]:
    """The windows that an event bounds: an end that names none closes all that are open."""
    if event.window is not None or isinstance(event, IncidentImpactStarted):
        return [event.window or ""]
    return [name for name, (_, end) in state.windows.items() if end is None]


def _name(event: Event) -> str:
    return event.TOPIC.partition(".")[2]


# What is worth a warning


def _of_steps(state: State, event: Event) -> Iterator[Caution]:
    """Steps that cannot be taken from where things stand."""
    match event:
        case IncidentMerged() if event.into == event.incident:
            yield Caution("merged_into_itself", f"{event.incident} can't be merged into itself: name the other one")
        case PostmortemActionCompleted() | PostmortemActionCancelled():
            yield from _of_action(state, event)
        case PostmortemReviewed() | PostmortemApproved() | PostmortemPublished() if not state.postmortem:
            yield Caution("contradictory_step", f"nobody started a postmortem of {event.incident}")
        case IncidentImpactEnded() if not state.windows or event.window not in (None, *state.windows):
            window = f"window {event.window}" if event.window else "impact"
            yield Caution("unknown_window", f"no {window} of {event.incident} is recorded as started")
    if isinstance(event, Step) and (detail := _hindrance(state, event)) is not None:
        yield Caution("contradictory_step", f"{event.incident} {detail}")


def _hindrance(state: State, event: Step) -> str | None:
    """Why a step cannot be taken; None if it can."""
    match event:
        case IncidentReopened():
            return None if state.step in OVER else f"is {state.step}: there is nothing to reopen"
        case IncidentUnmerged():
            return None if state.step == "merged" else f"is {state.step}, not merged"
    if state.step == "merged":
        return f"is merged into {state.merged_into}"
    if isinstance(event, IncidentMerged):
        return None
    if state.step == "cancelled" or (state.step == "closed" and isinstance(event, IncidentCancelled)):
        return f"is {state.step}: reopen it first"
    if isinstance(event, IncidentCancelled):
        return None
    if isinstance(event, IncidentDetected):
        return f"is {state.step}: that it is detected again does not reopen it" if state.step in OVER else None
    if state.step is not None and ORDER[_name(event)] <= ORDER[state.step]:
        return f"is {state.step} already"
    return None


def _of_action(state: State, event: _Action) -> Iterator[Caution]:
    if event.action_id not in state.actions:
        yield Caution("unknown_action", f"no action {event.action_id} was added to the postmortem of {event.incident}")
    elif not state.actions[event.action_id]:
        yield Caution("contradictory_step", f"action {event.action_id} of {event.incident} is finished already")


def _of_starts(state: State, event: Event) -> Iterator[Caution]:
    """Changes that start from something else than is recorded. Names of people are not repeated."""
    detail = None
    match event:
        case IncidentSeverityChanged() if state.severity not in (None, event.from_):
            detail = f"{event.incident} is recorded as {state.severity}, not {event.from_}"
        case IncidentPriorityChanged() if event.from_ is not None and state.priority != event.from_:
            detail = f"{event.incident} is recorded with priority {state.priority or 'none'}, not {event.from_}"
        case IncidentUnmerged() if state.step == "merged" and state.merged_into != event.into:
            detail = f"{event.incident} is merged into {state.merged_into}, not {event.into}"
        case IncidentRoleAssigned() if event.from_ is not None and not _holds(state, event.role, event.from_):
            detail = f"{event.role} of {event.incident} is not held by whom it is taken from"
        case IncidentRoleReleased() if not _holds(state, event.role, event.person):
            detail = f"{event.role} of {event.incident} is not held by who is released from it"
    if detail is not None:
        yield Caution("from_mismatch", detail)


def _holds(state: State, role: str, person: str) -> bool:
    """Whether a person has a role; one whose name was redacted may be anybody."""
    held = state.holders.get(role, frozenset())
    return person in held or REDACTED in {person, *held}


def _of_times(state: State, event: Event, at: datetime | None) -> Iterator[Caution]:
    """A time that contradicts another: each is told against the first that it contradicts."""
    if at is None:
        return
    name = _name(event).replace("_", " ")
    for other, moment, comes_before in _others(state, event):
        if moment is not None and (moment > at if comes_before else moment < at):
            side = "before" if comes_before else "after"
            told = f"{name} at {rfc3339(at)} is {side} {other} at {rfc3339(moment)}"
            yield Caution("contradictory_times", f"{event.incident}: {told}")
            return


def _others(state: State, event: Event) -> Iterator[tuple[str, datetime | None, bool]]:
    """What the time of an event is held against: (name, moment, whether that comes before it)."""
    own = _name(event)
    if isinstance(event, IncidentSeverityChanged):
        own = "acknowledged"
    if own in ORDER and not isinstance(event, IncidentReopened):
        for step, moment in state.taken.items():
            if ORDER[step] != ORDER[own] and not (isinstance(event, IncidentSeverityChanged) and ORDER[step] > 1):
                yield step, moment, ORDER[step] < ORDER[own]
    match event:
        case IncidentReopened():
            yield from ((step, state.taken[step], True) for step in ("resolved", "closed") if step in state.taken)
        case IncidentImpactStarted():
            yield "impact ended", state.windows.get(event.window or "", (None, None))[1], False
        case IncidentImpactEnded():
            for window in _windows(state, event):
                yield "impact started", state.windows.get(window, (None, None))[0], True
