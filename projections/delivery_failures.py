"""
Which deployments needed immediate intervention, and when had each been recovered from?

By rollback: the version that went live by a deployment was rolled back from,
and that speaks against it (`projections.standing`). By an incident: a person
implicated the version, and nobody exonerated it. No time limit is put on
either; how long after the deployment it came is told beside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import spans
from projections.deployments import Deployment, Walk
from projections.incident import Naming, State
from projections.measures import Measure, Moment
from projections.standing import end_counts, is_named
from projections.view import View


@dataclass(frozen=True, slots=True)
class Intervention:
    """Why a deployment counts as failed: `rolled_back` or `implicated`, when, and by which incident."""

    code: str
    at: int
    position: int
    incident: str | None = None

    def json(self, since: int | None = None) -> dict[str, Any]:
        return {
            "code": self.code,
            "incident": self.incident,
            "seconds_after": None if since is None else spans.seconds(self.at - since),
            "time": rfc3339(from_microseconds(self.at)),
            "position": self.position,
        }


@dataclass
class Failure:
    """A deployment that failed. `going_on`: an incident that implicates it is not over, nor its impact."""

    deployment: Deployment
    because: list[Intervention] = field(default_factory=list)
    recovered: Moment | None = None
    going_on: bool = False

    @property
    def recovery(self) -> Measure:
        names = "failed deployment finished", "rollback succeeded or impact ended"
        return Measure(*names, self.deployment.key, self.recovered)


@dataclass
class Unmatched:
    """A rollback or implication of a version that no recorded deployment brought here."""

    slot: tuple[str, str]
    version: str
    why: Intervention

    @property
    def at(self) -> int:
        return self.why.at

    @property
    def position(self) -> int:
        return self.why.position


def counts(incident: State) -> bool:
    """Whether what an incident says of versions counts: drills, maintenance and what was cancelled say nothing."""
    return incident.counted and incident.state != "cancelled"


def failures(walk: Walk, view: View) -> tuple[list[Failure], list[Unmatched]]:
    """The deployments of a slot that failed, and what speaks against versions that none brought."""
    found: dict[int, Failure] = {}
    unmatched: list[Unmatched] = []
    blaming: dict[int, list[State]] = {}
    for artifact, deployment, why, incident in (*_rolled_back(walk, view), *_implicated(walk, view)):
        if deployment is None:
            unmatched.append(Unmatched(walk.slot, view.slot.artifacts[artifact].version, why))
            continue
        found.setdefault(deployment.position, Failure(deployment)).because.append(why)
        if incident is not None:
            blaming.setdefault(deployment.position, []).append(incident)
    for position, each in found.items():
        each.because.sort(key=lambda why: (why.at, why.position))
        _recover(each, blaming.get(position, []))
    return [found[position] for position in sorted(found)], unmatched


_Blame = tuple[int, Deployment | None, Intervention, State | None]
"""The artifact, the deployment that brought it, why, and the incident that says so."""


def _rolled_back(walk: Walk, view: View) -> Iterator[_Blame]:
    """Periods that ended by rollback, each with the deployment that it began by."""
    for each in view.slot.periods:
        if each.ended_by != "rollback" or each.end is None or not end_counts(view, each):
            continue
        why = Intervention("rolled_back", each.end, each.end_position or 0)
        brought = _last(walk, each.artifact, lambda made, began=(each.start, each.position): made.key <= began)
        yield each.artifact, brought, why, None


def _implicated(walk: Walk, view: View) -> Iterator[_Blame]:
    for incident in view.incidents:
        if not counts(incident):
            continue
        for artifact, naming in _blamed(view, incident):
            why = Intervention("implicated", naming.at, naming.position, incident.id)
            yield artifact, _noticed_of(walk, artifact, incident, naming), why, incident


def _blamed(view: View, incident: State) -> Iterator[tuple[int, Naming]]:
    """The artifacts that an incident implicates, by the last word on each."""
    said = sorted(
        (each for each in incident.namings if each.kind != "suspected"), key=lambda each: (each.at, each.position)
    )
    for artifact in range(len(view.slot.artifacts)):
        named = [each for each in said if is_named(view, each, artifact)]
        if named and named[-1].kind == "implicated":
            yield artifact, named[-1]


def _noticed_of(walk: Walk, artifact: int, incident: State, naming: Naming) -> Deployment | None:
    """The last deployment of an artifact before the incident was noticed; else the first before it was implicated."""
    steps = [step.at for step in (incident.first("detected"), incident.first("declared")) if step]
    noticed = min(steps, default=naming.at)
    before = _last(walk, artifact, lambda made: made.at <= noticed)
    after = (each for each in walk.deployments if each.artifact == artifact and each.at <= naming.at)
    return before or next(after, None)


def _last(walk: Walk, artifact: int, fits: Any) -> Deployment | None:
    return next((each for each in reversed(walk.deployments) if each.artifact == artifact and fits(each)), None)


def _recover(failure: Failure, blaming: Sequence[State]) -> None:
    """
    To the last end of the impact of all that implicate it. Where none was
    recorded, or one was over without, to the first rollback from it.
    """
    felt = [each for each in blaming if each.windows]
    still = [each for each in felt if any(window.end is None for window in each.windows)]
    back = next(((each.at, each.position) for each in failure.because if each.code == "rolled_back"), None)
    if any(each.active for each in still):
        failure.going_on = True
    elif felt and not still:
        failure.recovered = max(
            (window.end, window.end_position or 0) for each in felt for window in each.windows if window.end is not None
        )
    else:
        failure.recovered = back
        failure.going_on = back is None and any(each.active for each in blaming)
