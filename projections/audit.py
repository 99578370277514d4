"""
What the findings need to know of a slot beyond its state.

A fold beside the slot's own, over the same facts: who decided what and when
the ledger learnt it; who carried out each release; and what was seen to go
wrong on the way. It judges nothing that another stream or the passing of time
has a part in: that is done by the rules (`projections.findings`), when asked.
"""

from dataclasses import dataclass, field

from ledger.events import (
    DeploymentSucceeded,
    FeatureDisabled,
    FeatureEnabled,
    ReleaseAborted,
    ReleaseApprovalRevoked,
    ReleaseApproved,
    ReleaseCleared,
    ReleaseCompleted,
    ReleaseExposed,
    ReleaseMarkedBad,
    ReleaseStarted,
    ReleaseVerifiedGood,
    RollbackCancelled,
    RollbackDecided,
    RollbackDeclined,
    RollbackIneffective,
    RollbackStarted,
    RollbackSucceeded,
    RollbackVerified,
    ServiceObserved,
    ServiceRemoved,
)
from projections import audit_artifacts, drift, said
from projections.audit_artifacts import Origin
from projections.audit_controls import Learnt, learnt
from projections.decisions import CLAIM_HOLDS
from projections.drift import Drift, Mark
from projections.facts import Fact
from projections.slot import Change
from projections.slot import State as Slot

LIVE = ("first", "forward", "return_forward", "restore", "rollback")
"""Changes of the current version by which one went live."""

GONE = frozenset({"artifact_deleted", "artifact_quarantined", "artifact_unavailable"})
"""Blockers by which an artifact can't be had."""


@dataclass(slots=True)
class Decision(Learnt):
    """
    What a person decided here. `kind` is the event's name without what it is
    about; `reference` a rollback's id, or what was chosen instead of one.
    """

    kind: str = ""
    version: str | None = None
    digest: str | None = None
    artifact: int | None = None
    reference: str | None = None
    incident: str | None = None
    unproven: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Release:
    """
    A version went out: each step, as (moment, position), by which users began
    to see it; `kind` is how it changed what is current.
    """

    artifact: int
    kind: str
    steps: list[tuple[int, int]]
    people: list[str] = field(default_factory=list)

    @property
    def at(self) -> int:
        return self.steps[0][0]

    @property
    def position(self) -> int:
        return self.steps[0][1]


@dataclass(slots=True)
class Execution:
    """A step of carrying out a rollback; a decision was valid for `validity` then."""

    rollback_id: str
    version: str
    digest: str | None
    at: int
    position: int
    succeeded: bool
    validity: int


@dataclass(slots=True)
class Switch:
    """A feature was switched off; `alone`: it was on, a machine did it, and no person is named for it."""

    feature: str
    at: int
    position: int
    validity: int
    incident: str | None = None
    alone: bool = False


@dataclass(slots=True)
class State:
    """`releases` are of versions that were not current, `again` those of what was."""

    decisions: list[Decision] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    again: list[Release] = field(default_factory=list)
    on_their_way: dict[str, int] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    features: dict[str, bool] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    waiting: dict[int, int] = field(default_factory=dict)
    drift: Drift = field(default_factory=Drift)
    marks: list[Mark] = field(default_factory=list)


def step(state: State, fact: Fact, change: Change | None, slot: Slot) -> None:
    """*change* and *slot* are what the slot's own fold made of the fact."""
    if change is None:
        return
    audit_artifacts.note(state.origins, fact)
    _decide(state, fact, slot)
    _execute(state, fact, slot)
    _release(state, fact, change, slot)
    _wait(state, fact, slot)
    _switch(state, fact, slot)
    drift.step(state.drift, state.marks, fact, slot)


def _decide(state: State, fact: Fact, slot: Slot) -> None:
    event = fact.event
    found = Decision(*learnt(fact), kind=event.TOPIC.partition(".")[2], incident=event.incident)
    match event:
        case ReleaseApproved() | ReleaseApprovalRevoked():
            found.version, found.digest = event.version, event.digest
        case ReleaseVerifiedGood() | ReleaseMarkedBad() | ReleaseCleared():
            found.version, found.artifact = event.version, slot.latest[event.version]
        case RollbackDecided():
            found.version, found.digest, found.reference = event.to_version, event.to_digest, event.rollback_id
            found.artifact = slot.rollbacks[event.rollback_id].to
            found.unproven = _unproven(event, slot, found.artifact)
        case RollbackDeclined():
            found.reference = event.chosen
        case RollbackCancelled() | RollbackVerified() | RollbackIneffective():
            found.reference = event.rollback_id
        case _:
            return
    state.decisions.append(found)


def _unproven(event: RollbackDecided, slot: Slot, artifact: int) -> list[str]:
    """Why one could not know that the target would run: it never did here, or its artifact was seen to be gone."""
    if slot.artifacts[artifact].first_live is None:
        return ["never_live"]
    seen = event.seen if isinstance(event.seen, dict) else {}
    for each in seen.get("candidates", ()):
        if each["version"] == event.to_version and event.to_digest in (None, each["digest"]):
            return sorted(GONE & {blocker["code"] for blocker in each["blockers"]})
    return []


def _execute(state: State, fact: Fact, slot: Slot) -> None:
    event = fact.event
    if not isinstance(event, RollbackStarted | RollbackSucceeded):
        return
    digest, done = None, False
    if isinstance(event, RollbackSucceeded):
        digest, done = event.to_digest, True
    else:
        _start(state, event, fact, slot)
    validity = slot.settings.validity(slot.service)
    state.executions.append(
        Execution(event.rollback_id, event.to_version, digest, fact.at, fact.position, done, validity)
    )


def _start(state: State, event: RollbackStarted, fact: Fact, slot: Slot) -> None:
    """Of two starts of one rollback, the second is one too many while the first is at work, or has succeeded."""
    before = [each for each in state.executions if each.rollback_id == event.rollback_id]
    if not before:
        return
    last, failed = before[-1], slot.rollbacks[event.rollback_id].failed
    if failed is not None and failed > (last.at, last.position):
        return
    if last.succeeded or fact.at - last.at < CLAIM_HOLDS:
        first = next((each for each in reversed(before) if not each.succeeded), last)
        detail = f"{event.rollback_id} was started again " + (
            "after it had succeeded" if last.succeeded else "meanwhile"
        )
        state.marks.append(Mark("rollback_started_twice", [fact.position, first.position], detail, fact.at))


def _release(state: State, fact: Fact, change: Change, slot: Slot) -> None:
    event, moment = fact.event, (fact.at, fact.position)
    if isinstance(event, RollbackSucceeded | ServiceRemoved):
        state.on_their_way.clear()
    if isinstance(event, ReleaseStarted | ReleaseExposed | ReleaseCompleted):
        known = state.on_their_way.get(event.release_id)
        if isinstance(event, ReleaseCompleted):
            state.on_their_way.pop(event.release_id, None)
        if known is not None:
            found = state.releases[known]
            found.steps.append(moment)
            found.kind = change.change if change.change in LIVE else found.kind
            return
    if isinstance(event, ReleaseAborted):
        state.on_their_way.pop(event.release_id, None)
    elif isinstance(event, ReleaseStarted | ReleaseExposed):
        artifact = slot.releases[event.release_id].artifact
        if slot.current is None or slot.current.artifact != artifact:
            state.on_their_way[event.release_id] = len(state.releases)
            state.releases.append(Release(artifact, _direction(slot, artifact), [moment], said.carriers(fact)))
    elif change.change in LIVE and change.change is not None:
        artifact = slot.periods[-1].artifact
        state.releases.append(Release(artifact, change.change, [moment], said.carriers(fact)))
    elif change.change == "redeploy" and isinstance(event, DeploymentSucceeded):
        state.again.append(Release(slot.periods[-1].artifact, change.change, [moment]))


def _direction(slot: Slot, artifact: int) -> str:
    """How a release that has begun would change what is current."""
    first = slot.artifacts[artifact].first_live
    if slot.current is None or first is None:
        return "forward"
    replaced = slot.artifacts[slot.current.artifact].first_live
    return "rollback" if replaced is not None and first < replaced else "return_forward"


def _wait(state: State, fact: Fact, slot: Slot) -> None:
    """A release whose version is not what was deployed here; what ends the waiting settles it."""
    waiting = {each.position: f"{_version(slot, each.artifact)} was released" for each in slot.pending}
    waiting |= _elsewhere(state, fact, slot)
    for position in [each for each in state.waiting if each not in waiting]:
        state.marks[state.waiting.pop(position)].settled_by = fact.position
    for position, what in waiting.items():
        if position not in state.waiting:
            state.waiting[position] = len(state.marks)
            detail = f"{what} and is not recorded as deployed here"
            state.marks.append(Mark("released_not_deployed", [position], detail, fact.at))


def _elsewhere(state: State, fact: Fact, slot: Slot) -> dict[int, str]:
    """
    A release that is all that says that its version runs again: it was
    deployed here once, and another one since. Traffic may have been switched
    back, which `rollback.succeeded` or an observation tells; or nothing at all
    was done but the release.
    """
    current, deployed = slot.current, slot.deployed
    if current is None or deployed is None or current.artifact == deployed.artifact:
        return {}
    begun = isinstance(fact.event, ReleaseCompleted) and current.position == fact.position
    version = _version(slot, current.artifact)
    if not begun and (current.position not in state.waiting or _shows(fact, version)):
        return {}
    return {current.position: f"{version} was released where {_version(slot, deployed.artifact)} is installed,"}


def _shows(fact: Fact, version: str) -> bool:
    """Whether an event says that a version runs."""
    match fact.event:
        case RollbackSucceeded() as event:
            return event.to_version == version
        case ServiceObserved() as event:
            return any(each.version == version for each in event.running)
    return False


def _version(slot: Slot, artifact: int) -> str:
    return slot.artifacts[artifact].version


def _switch(state: State, fact: Fact, slot: Slot) -> None:
    event = fact.event
    if isinstance(event, FeatureEnabled):
        state.features[event.feature] = True
    elif isinstance(event, FeatureDisabled):
        was_on = state.features.get(event.feature, True)
        state.features[event.feature] = False
        alone = was_on and fact.recorded.submitter.kind == "machine" and event.decided_by is None
        validity = slot.settings.validity(slot.service)
        state.switches.append(Switch(event.feature, fact.at, fact.position, validity, event.incident, alone))
