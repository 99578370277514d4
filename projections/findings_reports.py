"""
Was an incident reported to the authorities when a regime asks for it?

The clocks are those of EU DORA (Delegated Regulation 2025/301, article 5):
the initial report within 4 hours of classification and 24 hours of awareness
(where it was classified later than that, within the 4 hours); an intermediate
one within 72 hours of it; the final one within a month of the latest
intermediate one. Of other regimes no clock is known here.
"""

from calendar import monthrange
from collections.abc import Iterator

from ledger.values import from_microseconds, microseconds
from projections.audit_controls import Learnt
from projections.audit_incident import Report
from projections.facts import HOUR
from projections.finding import Finding, by
from projections.findings_incidents import in_time
from projections.findings_scenes import IncidentScene

OF_CLASSIFICATION = 4 * HOUR
OF_AWARENESS = 24 * HOUR
OF_INITIAL_REPORT = 72 * HOUR

REGIMES = ("dora", "2022/2554", "2025/301")
"""What the name of a regime with these clocks holds."""

NOT_REPORTABLE = ("not", "non", "none", "minor")
"""How a classification begins that asks for no report."""


def report_overdue(scene: IncidentScene) -> Iterator[Finding]:
    """A report was not made in time; the report, or a classification that asks for none, settles it."""
    regimes = dict.fromkeys(each.regime.casefold() for each in scene.audit.classifications)
    for regime in regimes if scene.counts else ():
        if any(name in regime for name in REGIMES):
            yield from _of_regime(scene, regime)


def _of_regime(scene: IncidentScene, regime: str) -> Iterator[Finding]:
    graded = [each for each in scene.audit.classifications if each.regime.casefold() == regime]
    first = next((each for each in graded if _is_reportable(each.classification)), None)
    if first is None:
        return
    relief = next(
        (each for each in graded if each.since > first.since and not _is_reportable(each.classification)), None
    )
    made = [each for each in scene.audit.reports if each.regime.casefold() == regime]
    initial, final = _first(made, "initial"), _first(made, "final")
    between = [each for each in made if each.kind == "intermediate" and (final is None or each.at <= final.at)]
    yield from _clock(scene, "initial", first, _initial(scene, first), initial or relief)
    if initial is not None:
        yield from _clock(scene, "intermediate", initial, initial.at + OF_INITIAL_REPORT, next(iter(between), relief))
    if between:
        latest = max(between, key=lambda each: (each.at, each.position))
        yield from _clock(scene, "final", latest, month_after(latest.at), final or relief)


def _is_reportable(classification: str) -> bool:
    return not classification.casefold().startswith(NOT_REPORTABLE)


def _first(reports: list[Report], kind: str) -> Report | None:
    return next((each for each in reports if each.kind == kind), None)


def _initial(scene: IncidentScene, classified: Learnt) -> int:
    """When the initial report is due."""
    steps = (scene.state.first("detected"), scene.state.first("declared"))
    aware = min((each.at for each in steps if each is not None), default=classified.at) + OF_AWARENESS
    due = classified.at + OF_CLASSIFICATION
    return min(due, aware) if classified.at <= aware else due


def month_after(at: int) -> int:
    """The same day and time of the next month, or its last day, where it has fewer."""
    moment = from_microseconds(at)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    day = min(moment.day, monthrange(year, month)[1])
    return microseconds(moment.replace(year=year, month=month, day=day))


def _clock(scene: IncidentScene, kind: str, start: Learnt, due: int, end: Learnt | None) -> Iterator[Finding]:
    if due <= scene.at and (end is None or not in_time(start, end, due)):
        detail = f"the {kind} report of {scene.state.id} was not made in time"
        settled_by = by(end.position if end else None)
        yield scene.finding("report_overdue", due, [start.position], detail, settled_by=settled_by)
