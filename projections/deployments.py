"""
What was deployed in one slot: each deployment with its artifact, its commit, and what it was for.

A deployment is one that succeeded. The same id and version told again right
after it is the same deployment. A rollback that is recorded as one builds
nothing and brings nothing new: it is no deployment, and is kept beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.events import (
    ArtifactPublished,
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentStarted,
    DeploymentSucceeded,
    RollbackDeclined,
    RollbackSucceeded,
    ServiceRemoved,
)
from ledger.values import instant, microseconds, stream_name
from projections import current_version, folds
from projections.answers import Reader
from projections.facts import Fact
from projections.incident import Slot
from projections.measures import Moment
from projections.slot import State


@dataclass(slots=True)
class Deployment:
    """
    One that succeeded. `committed` is when its commit was made, and the
    position that says so; `again`: its commit had been deployed here before.
    """

    slot: Slot
    version: str
    deployment_id: str
    at: int
    position: int
    artifact: int
    incident: str | None = None
    commit: str | None = None
    committed: Moment | None = None
    again: bool = False

    @property
    def key(self) -> Moment:
        return self.at, self.position

    def json(self) -> dict[str, Any]:
        return {
            "service": self.slot[0],
            "environment": self.slot[1],
            "version": self.version,
            "deployment_id": self.deployment_id,
        }


@dataclass(slots=True)
class Aside:
    """What is counted beside deployments: an attempt that failed or was cancelled, a rollback, the same told twice."""

    kind: str
    slot: Slot
    at: int
    position: int


@dataclass
class Walk:
    """A slot from its first fact to its last."""

    slot: Slot
    state: State
    deployments: list[Deployment] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)
    declined: list[Fact] = field(default_factory=list)
    _started: dict[tuple[str, str], Fact] = field(default_factory=dict)
    _last: tuple[str, str] | None = None

    def take(self, fact: Fact) -> None:
        current_version.step(self.state, fact)
        match fact.event:
            case DeploymentStarted() as event:
                self._started[event.deployment_id, event.version] = fact
            case DeploymentSucceeded() as event:
                self._deployed(event, fact)
            case DeploymentFailed():
                self._beside("failed", fact)
            case DeploymentCancelled():
                self._beside("cancelled", fact)
            case RollbackSucceeded():
                self._beside("rollback", fact)
                self._last = None
            case ServiceRemoved():
                self._last = None
            case RollbackDeclined():
                self.declined.append(fact)

    def _beside(self, kind: str, fact: Fact) -> None:
        self.aside.append(Aside(kind, self.slot, fact.at, fact.position))

    def _deployed(self, event: DeploymentSucceeded, fact: Fact) -> None:
        name = (event.deployment_id, event.version)
        if self._last == name:
            self._beside("repeated", fact)
            return
        self._last = name
        artifact = self.state.latest[event.version]
        made = Deployment(self.slot, event.version, event.deployment_id, fact.at, fact.position, artifact)
        for each in (fact, self._started.get(name)):
            if each is not None and isinstance(each.event, DeploymentSucceeded | DeploymentStarted):
                made.incident = made.incident or each.event.incident
                _commit(made, each)
        self.deployments.append(made)


def _commit(made: Deployment, fact: Fact) -> None:
    """Takes from an event what it says of the commit, where nothing said it before."""
    event = fact.event
    if not isinstance(event, DeploymentSucceeded | DeploymentStarted | ArtifactPublished):
        return
    made.commit = made.commit or event.commit
    if made.committed is None and event.committed_at is not None:
        made.committed = microseconds(instant(event.committed_at)), fact.position


def walk(reader: Reader, slot: Slot) -> Walk:
    """What happened in a slot by the moment of a reader."""
    stream = stream_name("slot", *slot)
    found = Walk(slot, folds.empty(stream))
    for each in folds.facts(stream, reader.moment, reader.record, reader.index):
        found.take(each)
    if any(each.committed is None or each.commit is None for each in found.deployments):
        _look_up(found, list(_published(reader, slot[0])))
    _mark_repeats(found.deployments)
    return found


def _published(reader: Reader, service: str) -> Iterator[Fact]:
    stream = stream_name("service", service)
    found = folds.facts(stream, reader.moment, reader.record, reader.index)
    return (each for each in found if isinstance(each.event, ArtifactPublished))


def _look_up(found: Walk, published: Sequence[Fact]) -> None:
    """What the publications of the artifacts say of the commits that no deployment names."""
    by_version: dict[str, list[Fact]] = {}
    for each in published:
        by_version.setdefault(getattr(each.event, "version", ""), []).append(each)
    for made in found.deployments:
        digest = found.state.artifacts[made.artifact].digest
        told = [each for each in by_version.get(made.version, ()) if _fits(each, digest)]
        before = [each for each in told if each.at <= made.at]
        # The last word before it was deployed; where all came later, the first of them.
        for each in [*reversed(before), *(each for each in told if each.at > made.at)]:
            _commit(made, each)


def _fits(published: Fact, digest: str | None) -> bool:
    named: str | None = getattr(published.event, "digest", None)
    return named is None or digest is None or named == digest


def _mark_repeats(deployments: Sequence[Deployment]) -> None:
    """The same commit again is no new change; where no commit is known, the same artifact."""
    commits, artifacts = set[str](), set[int]()
    for each in deployments:
        each.again = each.artifact in artifacts if each.commit is None else each.commit in commits
        artifacts.add(each.artifact)
        if each.commit is not None:
            commits.add(each.commit)
