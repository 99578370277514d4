"""
Which deployments were made because of an incident, by the record alone?

Three things in the record say so: the deployment names an incident; a person
had just declined to roll back in an incident, and chose to deploy instead; it
carried out a rollback that was decided in an incident. That a deployment fell
into an incident says nothing of why it was made: it is counted beside.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ledger.events import RollbackDeclined
from projections.delivery_failures import counts
from projections.deployments import Deployment, Walk
from projections.incident import State
from projections.view import View

CHOSEN = ("fix_forward", "revert_forward", "redeploy")
"""What a person chooses instead of a rollback that is done by deploying."""

IncidentOf = Callable[[str], State]
"""The state of an incident by its id."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a deployment is rework: `names_incident`, `chosen_instead` or `carries_out_rollback`; the position says so."""

    code: str
    incident: str
    position: int

    def json(self) -> dict[str, Any]:
        return {"code": self.code, "incident": self.incident, "position": self.position}


def rework(walk: Walk, view: View, incident_of: IncidentOf) -> dict[int, list[Reason]]:
    """By the position of a deployment, why it was made because of an incident."""
    found: dict[int, list[Reason]] = {}
    for each, reason in (
        *_naming(walk, incident_of),
        *_chosen(walk, view, incident_of),
        *_carried_out(walk, view, incident_of),
    ):
        found.setdefault(each.position, []).append(reason)
    return found


def _naming(walk: Walk, incident_of: IncidentOf) -> Iterator[tuple[Deployment, Reason]]:
    for each in walk.deployments:
        if each.incident is not None and counts(incident_of(each.incident)):
            yield each, Reason("names_incident", each.incident, each.position)


def _chosen(walk: Walk, view: View, incident_of: IncidentOf) -> Iterator[tuple[Deployment, Reason]]:
    """The first deployment after each such choice, while the incident was not over."""
    for fact in walk.declined:
        if not isinstance(fact.event, RollbackDeclined) or fact.event.chosen not in CHOSEN:
            continue
        first = next((each for each in walk.deployments if each.key > fact.key), None)
        for incident in _incidents(view, incident_of, fact.event.incident, fact.at):
            if first is not None and (incident.ended is None or first.at <= incident.ended):
                yield first, Reason("chosen_instead", incident.id, fact.position)


def _carried_out(walk: Walk, view: View, incident_of: IncidentOf) -> Iterator[tuple[Deployment, Reason]]:
    made = {each.key: each for each in walk.deployments}
    for rollback in view.slot.rollbacks.values():
        if rollback.decided is None or rollback.reached is None or rollback.reached not in made:
            continue
        for incident in _incidents(view, incident_of, rollback.incident, rollback.decided[0]):
            yield made[rollback.reached], Reason("carries_out_rollback", incident.id, rollback.decided[1])


def _incidents(view: View, incident_of: IncidentOf, named: str | None, at: int) -> Iterable[State]:
    """In which incidents something was decided: the one that it names, else those that the slot was in."""
    if named is not None:
        found = incident_of(named)
        return [found] if counts(found) else []
    return [each for each in felt(view) if (each.began or 0) <= at and (each.ended is None or at <= each.ended)]


def felt(view: View) -> list[State]:
    """The incidents that count, were declared, and affect the slot."""
    declared = (each for each in view.incidents if counts(each) and each.first("declared") is not None)
    return [each for each in declared if view.key in each.affected]


def falls_into(view: View, at: int) -> bool:
    """Whether an incident was declared and not over at a moment, in the slot."""
    for each in felt(view):
        declared = each.first("declared")
        if declared is not None and declared.at <= at and (each.ended is None or at <= each.ended):
            return True
    return False
