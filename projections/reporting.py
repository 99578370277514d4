"""
Which reports does an incident owe the authorities, by when, and were they made?

The clocks are those of EU DORA (Delegated Regulation 2025/301, article 5):
the initial report within 4 hours of classification and 24 hours of awareness
(where it was classified later than that, within the 4 hours); an intermediate
one within 72 hours of it; the final one within a month of the latest
intermediate one. Of other regimes no clock is known here, and none is made up.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.values import from_microseconds, microseconds, rfc3339, stream_name
from projections.audit_controls import Learnt
from projections.audit_incident import Classification, Report
from projections.due import in_time
from projections.facts import HOUR, Fact
from projections.incident import State, Step
from projections.incident_story import Story
from projections.incident_timeline import NameOf, nobody

OF_CLASSIFICATION = 4 * HOUR
OF_AWARENESS = 24 * HOUR
OF_INITIAL_REPORT = 72 * HOUR

REGIMES = ("dora", "2022/2554", "2025/301")
"""What the name of a regime with these clocks holds."""

NOT_REPORTABLE = ("not", "non", "none", "minor")
"""How a classification begins that asks for no report."""

KINDS = ("initial", "intermediate", "final")

STATES = ("not_due", "due", "overdue", "made", "made_in_time", "made_late", "not_required")
"""Of a report. `not_due`: its clock does not run yet; `made`: and no clock says by when."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a report is due by: what started the clock, and what stopped it, a report or relief from it."""

    kind: str
    start: Learnt
    due: int
    made: Report | None = None
    relief: Classification | None = None

    @property
    def end(self) -> Report | Classification | None:
        """What came first."""
        ends: list[Report | Classification] = [each for each in (self.made, self.relief) if each is not None]
        return min(ends, key=lambda each: each.since, default=None)

    def was_missed(self, at: int) -> bool:
        """Whether the deadline has passed, and nothing stopped the clock in time."""
        return self.due <= at and (self.end is None or not in_time(self.start, self.end, self.due))


@dataclass(frozen=True, slots=True)
class Duty:
    """
    One regime under which an incident was classified or reported. `clocks` are all that ever ran, by kind in order.

    `classified` is what started the clocks last, else the last classification,
    None where there is none; `relief` the one that ended the duty, if it did end.
    """

    regime: str
    has_clocks: bool
    classifications: tuple[Classification, ...]
    classified: Classification | None
    relief: Classification | None
    clocks: tuple[Clock, ...] = ()
    reports: tuple[Report, ...] = field(default=())

    @property
    def is_reportable(self) -> bool:
        return bool(self.classifications) and is_reportable(self.classifications[-1].classification)

    def clock(self, kind: str) -> Clock | None:
        """The one that its report stopped, else the one that ran last."""
        ran = [each for each in self.clocks if each.kind == kind]
        stopped = (each for each in ran if each.made is not None and each.end is each.made)
        return next(stopped, ran[-1] if ran else None)

    def made(self, kind: str) -> Report | None:
        """The first report of a kind."""
        return next((each for each in self.reports if each.kind == kind), None)


def duties(classifications: Iterable[Classification], reports: Iterable[Report], aware: Step | None) -> list[Duty]:
    """By regime, in the order in which each was first named; `aware` is since when one knew of the incident."""
    told: dict[str, tuple[list[Classification], list[Report]]] = {}
    for each in sorted(classifications, key=lambda one: one.since):
        told.setdefault(each.regime.casefold(), ([], []))[0].append(each)
    for report in reports:
        told.setdefault(report.regime.casefold(), ([], []))[1].append(report)
    return [_duty(graded, made, aware) for graded, made in told.values()]


def awareness(state: State) -> Step | None:
    """Since when one knew of an incident: its detection or its declaration, whichever was first."""
    steps = [each for each in (state.first("detected"), state.first("declared")) if each is not None]
    return min(steps, key=lambda each: each.at, default=None)


def is_reportable(classification: str) -> bool:
    return not classification.casefold().startswith(NOT_REPORTABLE)


def _duty(graded: list[Classification], made: list[Report], aware: Step | None) -> Duty:
    runs = list(_runs(graded))
    last = graded[-1] if graded else None
    start, relief = runs[-1] if runs else (last, last)
    regime = last.regime if last else made[-1].regime
    has_clocks = any(name in regime.casefold() for name in REGIMES)
    clocks = tuple(_clocks(runs, made, aware)) if has_clocks else ()
    return Duty(regime, has_clocks, tuple(graded), start, relief, clocks, tuple(made))


def _runs(graded: list[Classification]) -> Iterator[tuple[Classification, Classification | None]]:
    """Each time for which reports were asked for: the classification that began it, and the one that ended it."""
    begun: Classification | None = None
    for each in graded:
        if begun is None and is_reportable(each.classification):
            begun = each
        elif begun is not None and not is_reportable(each.classification):
            yield begun, each
            begun = None
    if begun is not None:
        yield begun, None


def _clocks(
    runs: Sequence[tuple[Classification, Classification | None]], made: list[Report], aware: Step | None
) -> Iterator[Clock]:
    initial, final = _first(made, "initial"), _first(made, "final")
    for start, relief in runs:
        yield Clock("initial", start, _initial(start, aware), initial, relief)
    if initial is None or not runs:
        return
    relief = runs[-1][1]
    between = [each for each in made if each.kind == "intermediate" and (final is None or each.at <= final.at)]
    yield Clock("intermediate", initial, initial.at + OF_INITIAL_REPORT, next(iter(between), None), relief)
    if between:
        latest = max(between, key=lambda each: each.moment)
        yield Clock("final", latest, month_after(latest.at), final, relief)


def _first(reports: list[Report], kind: str) -> Report | None:
    return next((each for each in reports if each.kind == kind), None)


def _initial(classified: Learnt, aware: Step | None) -> int:
    """When the initial report is due."""
    known = (classified.at if aware is None else aware.at) + OF_AWARENESS
    due = classified.at + OF_CLASSIFICATION
    return min(due, known) if classified.at <= known else due


def month_after(at: int) -> int:
    """The same day and time of the next month, or its last day, where it has fewer."""
    moment = from_microseconds(at)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    day = min(moment.day, monthrange(year, month)[1])
    return microseconds(moment.replace(year=year, month=month, day=day))


def state_of(duty: Duty, kind: str, at: int) -> str:
    """How it stands with one report at a moment (see `STATES`)."""
    clock, made = duty.clock(kind), duty.made(kind)
    if made is not None:
        if clock is None:
            return "made"
        return "made_in_time" if in_time(clock.start, made, clock.due) else "made_late"
    if duty.relief is not None:
        return "not_required"
    if clock is None:
        return "not_due"
    return "overdue" if clock.due <= at else "due"


def reporting(story: Story, name_of: NameOf = nobody) -> list[dict[str, Any]]:
    """Under each regime that the incident of a story was classified: the classification, the clocks, the reports."""
    audit = story.reader.audit(stream_name("incident", story.state.id))
    facts = {each.fact.position: each.fact for each in story.own if each.counts}
    aware = awareness(story.state)
    return [
        _Answer(story, facts, aware, name_of).of(each) for each in duties(audit.classifications, audit.reports, aware)
    ]


@dataclass(frozen=True, slots=True)
class _Answer:
    story: Story
    facts: dict[int, Fact]
    aware: Step | None
    name_of: NameOf

    def of(self, duty: Duty) -> dict[str, Any]:
        last = duty.classifications[-1] if duty.classifications else None
        event = self.facts[last.position].event if last else None
        return {
            "regime": duty.regime,
            "has_clocks": duty.has_clocks,
            "classification": last.classification if last else None,
            "reportable": duty.is_reportable,
            "criteria": getattr(event, "criteria", None),
            "reason": event.reason if event else None,
            "classified": None if duty.classified is None else self._deed(duty.classified),
            "classifications": [
                {"classification": each.classification, **self._deed(each)} for each in duty.classifications
            ],
            "aware": None if self.aware is None else _moment(self.aware.at, self.aware.position),
            **{kind: self._report(duty, kind) for kind in KINDS},
            "reports": [{"kind": each.kind, **self._made(each)} for each in duty.reports],
        }

    def _report(self, duty: Duty, kind: str) -> dict[str, Any]:
        clock, made = duty.clock(kind), duty.made(kind)
        state = state_of(duty, kind, self.story.reader.moment.at)
        if made is None and not self.story.state.counted:
            state = "not_required"
        return {
            "state": state,
            "due": None if clock is None else _time(clock.due),
            "counted_from": None if clock is None else _moment(clock.start.at, clock.start.position),
            "made": None if made is None else self._made(made),
        }

    def _made(self, report: Report) -> dict[str, Any]:
        return {**self._deed(report), "reference": getattr(self.facts[report.position].event, "reference", None)}

    def _deed(self, deed: Learnt) -> dict[str, Any]:
        fact = self.facts[deed.position]
        by = fact.event.decided_by or fact.recorded.submitter.id
        return {**_moment(deed.at, deed.position), "by": self.name_of(by) or by}


def _moment(at: int, position: int) -> dict[str, Any]:
    return {"time": _time(at), "position": position}


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
