"""
What is the state of an incident: step, severity, slots affected, impact, versions named.

A fold over the events of one incident. State and severity advance in the
order in which events were recorded, so that times which contradict each other
never leave a resolved incident open; the times date the steps.
"""

from dataclasses import dataclass, field

from ledger.events import (
    IncidentAcknowledged,
    IncidentAffectedChanged,
    IncidentCancelled,
    IncidentCauseElsewhere,
    IncidentClosed,
    IncidentDeclared,
    IncidentDetected,
    IncidentImpactEnded,
    IncidentImpactStarted,
    IncidentMerged,
    IncidentMitigated,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    IncidentUnmerged,
    IncidentVersionExonerated,
    IncidentVersionImplicated,
    IncidentVersionSuspected,
    Place,
)
from projections.facts import HOUR, Fact

ORDER = "detected declared acknowledged mitigated resolved closed".split()
GRAVE = ("SEV-1", "SEV-2")
UNDECLARED_COUNTS = 24 * HOUR
"""For so long a detection that nobody declared makes versions suspect."""

Slot = tuple[str, str]


@dataclass(slots=True)
class Step:
    name: str
    at: int
    position: int


@dataclass(slots=True)
class Window:
    """A time of impact, as its latest recorded bounds have it."""

    name: str
    start: int | None = None
    end: int | None = None
    start_position: int | None = None
    end_position: int | None = None
    basis: str | None = None
    level: str | None = None
    precision: str | None = None
    affected: list[Slot] = field(default_factory=list)


@dataclass(slots=True)
class Naming:
    """A version named in the incident: suspected, implicated or exonerated."""

    kind: str
    slot: Slot
    version: str
    at: int
    position: int
    relation: str | None = None


@dataclass(slots=True)
class State:
    id: str = ""
    title: str | None = None
    kind: str | None = None
    mode: str = "real"
    state: str | None = None
    before_merge: str | None = None
    merged_into: str | None = None
    severity: str | None = None
    suggested: str | None = None
    severities: list[Step] = field(default_factory=list)
    cycles: list[list[Step]] = field(default_factory=lambda: [[]])
    affected: list[Slot] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    namings: list[Naming] = field(default_factory=list)
    elsewhere: Step | None = None
    grave: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Declared, and not resolved, closed, cancelled or merged."""
        return self.state in ("declared", "acknowledged", "mitigated")

    def first(self, name: str) -> Step | None:
        """The first time that a step was taken, in any cycle."""
        return next((each for cycle in self.cycles for each in cycle if each.name == name), None)

    @property
    def impact_start(self) -> int | None:
        return min((each.start for each in self.windows if each.start is not None), default=None)

    @property
    def began(self) -> int | None:
        """When it began by the first that is known: impact, detection or declaration."""
        times = [step.at for step in (self.first("detected"), self.first("declared")) if step]
        return min([*times, *([self.impact_start] if self.impact_start is not None else [])], default=None)


def step(state: State, fact: Fact) -> None:
    event = fact.event
    state.id = event.incident or state.id
    was_grave = _is_grave(state)
    _apply(state, fact)
    if _is_grave(state) and not was_grave:
        state.grave.append((fact.at, None))
    elif was_grave and not _is_grave(state):
        start, _ = state.grave[-1]
        state.grave[-1] = (start, max(start, fact.at))


def _is_grave(state: State) -> bool:
    return state.active and state.mode == "real" and state.severity in GRAVE


def _apply(state: State, fact: Fact) -> None:
    match fact.event:
        case IncidentDetected() as event:
            state.title, state.kind = state.title or event.title, state.kind or event.kind
            state.suggested = event.suggested_severity or state.suggested
            _affect(state, event.affected)
            _advance(state, "detected", fact)
        case IncidentDeclared() as event:
            state.title, state.kind, state.mode = event.title, event.kind, event.mode or "real"
            _grade(state, event.severity, fact)
            _affect(state, event.affected)
            _advance(state, "declared", fact)
        case IncidentAcknowledged():
            _advance(state, "acknowledged", fact)
        case IncidentMitigated():
            _advance(state, "mitigated", fact)
        case IncidentResolved():
            _advance(state, "resolved", fact)
        case IncidentClosed():
            _advance(state, "closed", fact)
        case IncidentCancelled():
            _leave(state, "cancelled", fact)
        case IncidentMerged() as event:
            state.before_merge, state.merged_into = state.state, event.into
            _leave(state, "merged", fact)
        case IncidentUnmerged():
            if state.state == "merged":
                state.state, state.merged_into = state.before_merge, None
            state.cycles[-1].append(Step("unmerged", fact.at, fact.position))
        case IncidentReopened():
            state.cycles.append([Step("reopened", fact.at, fact.position)])
            state.state = "declared"
        case IncidentSeverityChanged() as event:
            _grade(state, event.to, fact)
        case IncidentAffectedChanged() as event:
            _affect(state, event.add)
            gone = {(each.service, each.environment) for each in event.remove}
            state.affected = [each for each in state.affected if each not in gone]
        case IncidentImpactStarted() | IncidentImpactEnded() as event:
            _impact(state, event, fact)
        case IncidentVersionSuspected() | IncidentVersionImplicated() | IncidentVersionExonerated() as event:
            kind = event.TOPIC.rpartition("_")[2]
            relation = None if isinstance(event, IncidentVersionSuspected) else event.relation
            slot = (event.service, event.environment)
            state.namings.append(Naming(kind, slot, event.version, fact.at, fact.position, relation))
        case IncidentCauseElsewhere():
            state.elsewhere = Step("cause_elsewhere", fact.at, fact.position)


def _advance(state: State, name: str, fact: Fact) -> None:
    """Dates the step; the state moves forward only."""
    state.cycles[-1].append(Step(name, fact.at, fact.position))
    if state.state is None or (state.state in ORDER and ORDER.index(name) > ORDER.index(state.state)):
        state.state = name


def _leave(state: State, name: str, fact: Fact) -> None:
    state.cycles[-1].append(Step(name, fact.at, fact.position))
    state.state = name


def _grade(state: State, severity: str, fact: Fact) -> None:
    state.severity = severity
    state.severities.append(Step(severity, fact.at, fact.position))


def _affect(state: State, places: tuple[Place, ...]) -> None:
    for each in places:
        if (each.service, each.environment) not in state.affected:
            state.affected.append((each.service, each.environment))


def _impact(state: State, event: IncidentImpactStarted | IncidentImpactEnded, fact: Fact) -> None:
    """The latest recorded bounds of a window win; an end that names no window closes all that are open."""
    name = event.window or ""
    named = [each for each in state.windows if each.name == name]
    if isinstance(event, IncidentImpactEnded) and not event.window:
        named = [each for each in state.windows if each.end is None] or state.windows[-1:] or named
    if not named:
        named = [Window(name)]
        state.windows += named
    for window in named:
        if isinstance(event, IncidentImpactStarted):
            window.start, window.start_position = fact.at, fact.position
        else:
            window.end, window.end_position = fact.at, fact.position
        window.basis, window.level = event.basis, event.level or window.level
        window.precision = event.precision or window.precision
        window.affected = window.affected or [(each.service, each.environment) for each in event.affected]
    _affect(state, event.affected)


def mentioned(fact: Fact) -> set[Slot]:
    """The slots that an event of an incident names."""
    event = fact.event
    found = {
        (each.service, each.environment) for name in ("affected", "add", "remove") for each in getattr(event, name, ())
    }
    service, environment = getattr(event, "service", None), getattr(event, "environment", None)
    return found | ({(service, environment)} if service and environment else set())
