"""
What is the state of an incident: step, severity, priority, roles, slots affected, impact, versions named.

A fold over the events of one incident. State, severity and roles advance in
the order in which events were recorded, so that times which contradict each
other never leave a resolved incident open; the times date the steps. What
cannot be so is kept as it was told, and marked.
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
    IncidentLinked,
    IncidentMerged,
    IncidentMitigated,
    IncidentPriorityChanged,
    IncidentReopened,
    IncidentResolved,
    IncidentRoleAssigned,
    IncidentRoleReleased,
    IncidentSeverityChanged,
    IncidentUnmerged,
    IncidentVersionExonerated,
    IncidentVersionImplicated,
    IncidentVersionSuspected,
    Place,
)
from projections import impact, roles
from projections.facts import HOUR, Fact
from projections.impact import Window
from projections.roles import Holding

ORDER = "detected declared acknowledged mitigated resolved closed".split()
OVER = ("resolved", "closed", "cancelled", "merged")
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
class Span:
    """A time for which the incident was active with one severity; still is, where it has no end."""

    severity: str | None
    start: int
    end: int | None = None


@dataclass(slots=True)
class Naming:
    """A version named in the incident: suspected, implicated or exonerated."""

    kind: str
    slot: Slot
    version: str
    at: int
    position: int
    relation: str | None = None
    rule: str | None = None


@dataclass(slots=True)
class Link:
    other: str
    relation: str
    position: int


@dataclass(slots=True)
class Mark:
    """Why a reader should not take the record of an incident at its word."""

    code: str
    detail: str
    position: int | None


@dataclass(slots=True)
class State:
    id: str = ""
    heard: int | None = None
    title: str | None = None
    kind: str | None = None
    mode: str = "real"
    state: str | None = None
    announced: bool = False
    declared: bool = False
    before_merge: str | None = None
    merged_into: str | None = None
    severity: str | None = None
    suggested: str | None = None
    priority: str | None = None
    severities: list[Step] = field(default_factory=list)
    priorities: list[Step] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    cycles: list[list[Step]] = field(default_factory=lambda: [[]])
    affected: list[Slot] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    namings: list[Naming] = field(default_factory=list)
    elsewhere: Step | None = None
    links: list[Link] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    grave: list[tuple[int, int | None]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Declared, and not resolved, closed, cancelled or merged."""
        return self.declared and self.state not in OVER

    @property
    def counted(self) -> bool:
        """Whether it counts among the incidents: drills and maintenance are marked, and never do."""
        return self.mode == "real" and self.kind != "maintenance"

    @property
    def planned(self) -> bool:
        """Whether a person said that it is maintenance; a machine's word for it excuses no version."""
        return self.declared and self.kind == "maintenance"

    @property
    def steps(self) -> list[Step]:
        """Of all cycles, in the order they were recorded."""
        return [each for cycle in self.cycles for each in cycle]

    def first(self, name: str) -> Step | None:
        """The first time that a step was taken, in any cycle."""
        return min((each for each in self.steps if each.name == name), key=lambda each: each.at, default=None)

    def last(self, *names: str) -> Step | None:
        """The step of these names that was recorded last."""
        return next((each for each in reversed(self.steps) if each.name in names), None)

    @property
    def impact_start(self) -> int | None:
        return min((each.start for each in self.windows if each.start is not None), default=None)

    @property
    def began(self) -> int | None:
        """When it began by the first that is known: impact, detection or declaration."""
        times = [step.at for step in (self.first("detected"), self.first("declared")) if step]
        return min([*times, *([self.impact_start] if self.impact_start is not None else [])], default=None)

    @property
    def ended(self) -> int | None:
        """When it was over: resolved, else closed, cancelled or merged; None while it is not."""
        if self.state not in OVER:
            return None
        names = ("resolved",) if self.state in ("resolved", "closed") and self.last("resolved") else (self.state,)
        step = self.last(*names)
        return None if step is None else step.at


def step(state: State, fact: Fact) -> None:
    state.id = fact.event.incident or state.id
    state.heard = fact.at if state.heard is None else state.heard
    was_grave, was = _is_grave(state), (state.active, state.severity)
    _apply(state, fact)
    if _is_grave(state) and not was_grave:
        state.grave.append((fact.at, None))
    elif was_grave and not _is_grave(state):
        start, _ = state.grave[-1]
        state.grave[-1] = (start, max(start, fact.at))
    if was != (state.active, state.severity):
        _span(state, was[0], fact.at)


def _is_grave(state: State) -> bool:
    return state.active and state.counted and state.severity in GRAVE


def _span(state: State, was_active: bool, at: int) -> None:
    if was_active:
        last = state.spans[-1]
        last.end = max(last.start, at)
    if state.active:
        state.spans.append(Span(state.severity, at))


def _apply(state: State, fact: Fact) -> None:
    match fact.event:
        case IncidentDetected() | IncidentDeclared() as event:
            _announce(state, event, fact)
        case IncidentAcknowledged() | IncidentMitigated() | IncidentResolved() | IncidentClosed() as event:
            _advance(state, event.TOPIC.partition(".")[2], fact)
        case IncidentCancelled():
            _leave(state, "cancelled", fact)
        case IncidentMerged() as event:
            _merge(state, event, fact)
        case IncidentUnmerged() as event:
            _unmerge(state, event, fact)
        case IncidentReopened():
            _reopen(state, fact)
        case IncidentSeverityChanged() as event:
            if state.severity not in (None, event.from_):
                _mark(state, "from_mismatch", f"severity was {state.severity}, not {event.from_}", fact)
            _grade(state, event.to, fact)
        case IncidentPriorityChanged() as event:
            if event.from_ is not None and state.priority != event.from_:
                _mark(state, "from_mismatch", f"priority was {state.priority or 'none'}, not {event.from_}", fact)
            state.priority = event.to
            state.priorities.append(Step(event.to, fact.at, fact.position))
        case IncidentRoleAssigned() as event:
            _assign(state, event, fact)
        case IncidentRoleReleased() as event:
            if not roles.release(state.holdings, event.role, event.person, fact):
                _mark(state, "from_mismatch", f"{event.role} was not held by who was released from it", fact)
        case IncidentAffectedChanged() as event:
            _affect(state, event.add)
            gone = {(each.service, each.environment) for each in event.remove}
            state.affected = [each for each in state.affected if each not in gone]
        case IncidentImpactStarted() | IncidentImpactEnded() as event:
            impact.bound(state.windows, event, fact)
            _affect(state, event.affected)
        case IncidentVersionSuspected() | IncidentVersionImplicated() | IncidentVersionExonerated() as event:
            _name(state, event, fact)
        case IncidentCauseElsewhere():
            state.elsewhere = Step("cause_elsewhere", fact.at, fact.position)
        case IncidentLinked() as event:
            state.links.append(Link(event.other, event.relation, fact.position))


def _mark(state: State, code: str, detail: str, fact: Fact) -> None:
    state.marks.append(Mark(code, detail, fact.position))


def _announce(state: State, event: IncidentDetected | IncidentDeclared, fact: Fact) -> None:
    state.announced = True
    if isinstance(event, IncidentDeclared):
        state.title, state.kind, state.mode = event.title, event.kind, event.mode or "real"
        state.declared = True
        _grade(state, event.severity, fact)
    else:
        state.title, state.kind = state.title or event.title, state.kind or event.kind
        state.suggested = event.suggested_severity or state.suggested
    _affect(state, event.affected)
    state.alerts += [each for each in event.alerts if each not in state.alerts]
    _advance(state, event.TOPIC.partition(".")[2], fact)


def _advance(state: State, name: str, fact: Fact) -> None:
    """Dates the step; the state moves forward only."""
    state.cycles[-1].append(Step(name, fact.at, fact.position))
    if state.state is None or (state.state in ORDER and ORDER.index(name) > ORDER.index(state.state)):
        state.state = name
    elif name != "detected" or state.state in OVER:
        _mark(state, "contradictory_step", f"{name} when it was {state.state}", fact)


def _leave(state: State, name: str, fact: Fact) -> None:
    if state.state == "merged" or (name == "cancelled" and state.state in ("closed", "cancelled")):
        _mark(state, "contradictory_step", f"{name} when it was {state.state}", fact)
    state.cycles[-1].append(Step(name, fact.at, fact.position))
    state.state = name


def _merge(state: State, event: IncidentMerged, fact: Fact) -> None:
    if state.state != "merged":
        state.before_merge = state.state
    if event.into == state.id:
        _mark(state, "contradictory_step", "merged into itself", fact)
    state.merged_into = event.into
    _leave(state, "merged", fact)


def _unmerge(state: State, event: IncidentUnmerged, fact: Fact) -> None:
    if state.state != "merged":
        _mark(state, "contradictory_step", f"unmerged when it was {state.state or 'not announced'}", fact)
    else:
        if state.merged_into != event.into:
            _mark(state, "from_mismatch", f"it was merged into {state.merged_into}, not {event.into}", fact)
        state.state, state.merged_into = state.before_merge, None
    state.cycles[-1].append(Step("unmerged", fact.at, fact.position))


def _reopen(state: State, fact: Fact) -> None:
    """A new cycle. What nobody declared is not declared by being reopened."""
    if state.state not in OVER or state.state == "merged":
        _mark(state, "contradictory_step", f"reopened when it was {state.state or 'not announced'}", fact)
    state.cycles.append([Step("reopened", fact.at, fact.position)])
    state.state, state.merged_into = "declared" if state.declared else "detected", None


def _grade(state: State, severity: str, fact: Fact) -> None:
    state.severity = severity
    state.severities.append(Step(severity, fact.at, fact.position))


def _assign(state: State, event: IncidentRoleAssigned, fact: Fact) -> None:
    if not roles.assign(state.holdings, event.role, event.person, event.from_, fact):
        _mark(state, "from_mismatch", f"{event.role} was not held by whom it was taken from", fact)


_VersionNamed = IncidentVersionSuspected | IncidentVersionImplicated | IncidentVersionExonerated


def _name(state: State, event: _VersionNamed, fact: Fact) -> None:
    kind, slot = event.TOPIC.rpartition("_")[2], (event.service, event.environment)
    naming = Naming(kind, slot, event.version, fact.at, fact.position)
    if isinstance(event, IncidentVersionSuspected):
        naming.rule = event.rule
    else:
        naming.relation = event.relation
    state.namings.append(naming)


def _affect(state: State, places: tuple[Place, ...]) -> None:
    for each in places:
        if (each.service, each.environment) not in state.affected:
            state.affected.append((each.service, each.environment))


def mentioned(fact: Fact) -> set[Slot]:
    """The slots that an event of an incident names."""
    event = fact.event
    found = {
        (each.service, each.environment) for name in ("affected", "add", "remove") for each in getattr(event, name, ())
    }
    service, environment = getattr(event, "service", None), getattr(event, "environment", None)
    return found | ({(service, environment)} if service and environment else set())
