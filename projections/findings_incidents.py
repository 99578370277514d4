"""
Where incidents left the doctrine: who decides, who commands, what follows.

Delays are judged by dates and by recordings, and the longer of the two
counts: who decided at noon and dated it back to ten decided at noon.
"""

from collections.abc import Iterator
from itertools import pairwise

from ledger.events import RollbackDecided, RollbackDeclined
from projections import due, expected_response, incident_marks
from projections.audit_controls import Learnt, learnt
from projections.due import in_time
from projections.facts import MINUTE
from projections.finding import Finding, by
from projections.findings_scenes import IncidentScene
from projections.roles import Holding, commands

DECIDE_WITHIN = 5 * MINUTE
"""A SEV-1 asks to roll back at once, no debate: to look at the situation and decide takes no longer."""

COMMAND_WITHIN = 15 * MINUTE
"""So long an incident may look for its commander, or a hand-over take."""


def sev1_without_decision(scene: IncidentScene) -> Iterator[Finding]:
    """An incident was SEV-1, and nobody decided to roll back or not; settled by a decision that came late."""
    grave = next((each for each in scene.state.severities if each.name == "SEV-1"), None)
    if grave is None or not scene.counts:
        return
    reached = scene.learnt(grave.at, grave.position)
    made = [
        Learnt(*learnt(each)) for each in scene.responses if isinstance(each.event, RollbackDecided | RollbackDeclined)
    ]
    if any(in_time(reached, each, reached.at + DECIDE_WITHIN) for each in made):
        return
    detail = f"{scene.state.id} was SEV-1, and nobody decided " + ("in time " if made else "") + "whether to roll back"
    settled_by = by(min((each.position for each in made), default=None))
    yield scene.finding("sev1_without_decision", reached.at, [reached.position], detail, settled_by=settled_by)


def response_deviates(scene: IncidentScene) -> Iterator[Finding]:
    """Another response was chosen than the severity asks for; settled by a later one that it does ask for."""
    made = expected_response.choices(scene.state, scene.responses) if scene.counts else []
    for index, each in enumerate(made):
        if each.expected:
            continue
        later = (
            other.fact.position for other in made[index + 1 :] if other.expected and other.severity == each.severity
        )
        _, asked = expected_response.EXPECTED[each.severity]
        event = each.fact.event
        yield scene.finding(
            "response_deviates",
            each.fact.at,
            [each.fact.position],
            f"{each.severity} asks for: {asked}; chosen was: {each.chosen}",
            service=getattr(event, "service", None),
            environment=getattr(event, "environment", None),
            settled_by=by(next(later, None)),
        )


def severity_downgraded_alone(scene: IncidentScene) -> Iterator[Finding]:
    """One person lowered a severity; settled by another who seconds it."""
    for each in scene.audit.downgrades if scene.counts else ():
        detail = f"{each.was} was lowered to {each.to} by one person"
        settled_by = by(scene.inquiry.seconded(each))
        yield scene.finding("severity_downgraded_alone", each.at, [each.position], detail, settled_by=settled_by)


def incident_without_commander(scene: IncidentScene) -> Iterator[Finding]:
    """A declared incident had nobody in command, from its declaration or after a hand-over; the next one settles it."""
    declared = scene.state.first("declared")
    if declared is None or not scene.counts:
        return
    held = sorted((each for each in scene.state.holdings if commands(each.role)), key=lambda each: each.start)
    start, first = scene.learnt(declared.at, declared.position), held[0] if held else None
    if first is None or not in_time(start, scene.learnt(first.start, first.position), start.at + COMMAND_WITHIN):
        detail = f"{scene.state.id} was declared, and nobody was in command" + (" in time" if first else "")
        settled_by = by(first.position if first else None)
        yield scene.finding("incident_without_commander", start.at, [start.position], detail, settled_by=settled_by)
    yield from _without_successor(scene, held)


def _without_successor(scene: IncidentScene, held: list[Holding]) -> Iterator[Finding]:
    over = scene.at if scene.state.ended is None else scene.state.ended
    for before, after in pairwise([*held, None]):
        if before is None or before.end is None or before.end_position is None:
            continue
        until = over if after is None else min(after.start, over)
        if until - before.end > COMMAND_WITHIN:
            detail = f"{scene.state.id} went on, and nobody took over its command"
            positions, settled_by = [before.end_position], by(after.position if after else None)
            yield scene.finding("incident_without_commander", before.end, positions, detail, settled_by=settled_by)


def postmortem_overdue(scene: IncidentScene) -> Iterator[Finding]:
    """A grave incident is over, and its postmortem was not approved, published or waived in time."""
    rule = due.by_severity(scene.state) if scene.counts else None
    if rule is None:
        return
    start = scene.learnt(rule.resolved.at, rule.resolved.position)
    by_then = rule.at if scene.audit.due is None else min(rule.at, scene.audit.due)
    finished = scene.audit.finished[:1]
    if by_then > scene.at or any(in_time(start, each, by_then) for each in finished):
        return
    detail = f"{scene.state.id} was {rule.severity}, and its postmortem was not finished in time"
    settled_by = by(finished[0].position if finished else None)
    yield scene.finding("postmortem_overdue", by_then, [start.position], detail, settled_by=settled_by)


def action_overdue(scene: IncidentScene) -> Iterator[Finding]:
    """What was to be done by a day was not; done or cancelled later, it is settled."""
    for each in scene.audit.actions if scene.state.counted else ():
        if each.due is None or each.due > scene.at or (each.ended and in_time(each, each.ended, each.due)):
            continue
        settled_by = by(each.ended.position if each.ended else None)
        detail = f"{each.action_id} of {scene.state.id} was not done when it was due"
        yield scene.finding("action_overdue", each.due, [each.position], detail, settled_by=settled_by)


def contradictory_times(scene: IncidentScene) -> Iterator[Finding]:
    """Times of an incident can't all be right. Correcting one takes the finding away."""
    told: dict[int, list[str]] = {}
    for mark in incident_marks.contradictions(scene.state):
        if mark.code == "contradictory_times" and mark.position is not None:
            told.setdefault(mark.position, []).append(mark.detail)
    for position, details in told.items():
        at = scene.audit.learnt[position]
        yield scene.finding("contradictory_times", at, [position], "; ".join(details))
