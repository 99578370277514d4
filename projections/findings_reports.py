"""
Was an incident reported to the authorities when a regime asks for it?

The clocks are those of `projections.reporting`.
"""

from collections.abc import Iterator

from projections import reporting
from projections.finding import Finding, by
from projections.findings_scenes import IncidentScene


def report_overdue(scene: IncidentScene) -> Iterator[Finding]:
    """A report was not made in time; the report, or a classification that asks for none, settles it."""
    if not scene.counts:
        return
    aware = reporting.awareness(scene.state)
    for duty in reporting.duties(scene.audit.classifications, scene.audit.reports, aware):
        for clock in duty.clocks:
            if clock.was_missed(scene.at):
                detail = f"the {clock.kind} report of {scene.state.id} was not made in time"
                settled_by = by(clock.end.position if clock.end else None)
                yield scene.finding("report_overdue", clock.due, [clock.start.position], detail, settled_by=settled_by)
