"""
What runs where: deployed, current, exposures, and the periods in which each version was live.

A fold over the events of one slot, and over the settings of its environment
that change what they mean. It stores periods and facts and knows no clock;
what depends on the passing of time is worked out by who asks.

Deployed is what is installed; current is what users see. A deployment makes a
version current only where it says so, where the slot is so configured, or
where the slot has never told releases from deployments.
"""

from typing import Any

from ledger.events import (
    ConfigurationChanged,
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentStarted,
    DeploymentSucceeded,
    EnvironmentConfigured,
    Event,
    FeatureDisabled,
    FeatureEnabled,
    MigrationApplied,
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
    RollbackFailed,
    RollbackIneffective,
    RollbackStarted,
    RollbackSucceeded,
    RollbackVerified,
    ServiceObserved,
    ServiceRemoved,
)
from ledger.values import from_microseconds, rfc3339
from projections.facts import Fact
from projections.returns import follow, kind
from projections.slot import (
    Approval,
    Artifact,
    Change,
    Doubt,
    InFlight,
    Installed,
    Migration,
    Observation,
    OpenRelease,
    Pending,
    Period,
    Rollback,
    State,
    Verdict,
)


def step(state: State, fact: Fact) -> Change | None:
    """The state after a fact (the same object, changed), and what the fact was for the history."""
    event = fact.event
    if isinstance(event, EnvironmentConfigured):
        state.settings.configure(event)
        return None
    change = Change(fact.at, fact.position, event.TOPIC, reference=_reference(event))
    match event:
        case DeploymentStarted() | DeploymentSucceeded() | DeploymentFailed() | DeploymentCancelled():
            _deployment(state, event, change)
        case ReleaseStarted() | ReleaseExposed() | ReleaseCompleted() | ReleaseAborted():
            _release(state, event, change)
        case RollbackDecided() | RollbackStarted() | RollbackSucceeded() | RollbackFailed() | RollbackCancelled():
            _rollback(state, event, change)
        case RollbackVerified() | RollbackIneffective():
            _judge_rollback(state, event, change)
        case ReleaseVerifiedGood() | ReleaseMarkedBad() | ReleaseCleared():
            artifact = _artifact(state, event.version, None, change)
            kind = event.TOPIC.partition(".")[2]
            state.verdicts.append(Verdict(kind, artifact, fact.at, fact.position, event.incident))
            _name(state, change, artifact)
        case ReleaseApproved() | ReleaseApprovalRevoked():
            granted = isinstance(event, ReleaseApproved)
            state.approvals.append(
                Approval(granted, event.version, event.digest, fact.at, fact.position, event.incident)
            )
            change.version, change.digest = event.version, event.digest
        case MigrationApplied():
            state.migrations.append(
                Migration(fact.at, fact.position, event.reversibility, event.migration_id, event.version)
            )
            change.version, change.detail = event.version, f"{event.migration_id} ({event.reversibility})"
        case ServiceRemoved():
            _remove(state, change)
        case ServiceObserved():
            state.doubt = None
            running = [(each.version, each.digest, each.replicas) for each in event.running]
            state.observed = Observation(fact.at, fact.position, running)
            change.detail = ", ".join(each.version for each in event.running) or "nothing"
        case ConfigurationChanged():
            change.detail = event.change_id
        case FeatureEnabled() | FeatureDisabled():
            change.detail = event.feature
    return change


def _reference(event: Event) -> str | None:
    """The source's own name for the deployment, release, rollback, change or migration."""
    for name in ("deployment_id", "release_id", "rollback_id", "change_id", "migration_id", "feature"):
        found: str | None = getattr(event, name, None)
        if found is not None:
            return found
    return None


def _artifact(state: State, version: str, digest: str | None, change: Change) -> int:
    """
    The artifact that an event names. Without a digest it is the latest known
    of that version; a digest learnt later names the artifact that had none.
    """
    known = state.latest.get(version)
    if digest is None and known is not None:
        return known
    if known is not None and state.artifacts[known].digest in (None, digest):
        state.artifacts[known].digest = digest
        return known
    same = (i for i, each in enumerate(state.artifacts) if each.version == version and each.digest == digest)
    found = next(same, None) if known is not None else None
    if found is None:
        found = len(state.artifacts)
        state.artifacts.append(Artifact(version, digest, named=(change.at, change.position)))
    state.latest[version] = found
    return found


def _name(state: State, change: Change, artifact: int) -> None:
    change.version, change.digest = state.artifacts[artifact].version, state.artifacts[artifact].digest


_Deployment = DeploymentStarted | DeploymentSucceeded | DeploymentFailed | DeploymentCancelled


def _deployment(state: State, event: _Deployment, change: Change) -> None:
    state.has_deployments = True
    match event:
        case DeploymentStarted():
            state.in_flight[event.deployment_id] = InFlight(event.version, change.at, change.position)
            _name(state, change, _artifact(state, event.version, event.digest, change))
            return
        case DeploymentFailed() | DeploymentCancelled():
            state.in_flight.pop(event.deployment_id, None)
            change.version = event.version
            if isinstance(event, DeploymentFailed):
                _doubt(state, "deployment_failed", event.residual, change)
            return
    state.in_flight.pop(event.deployment_id, None)
    artifact = _artifact(state, event.version, event.digest, change)
    _name(state, change, artifact)
    if event.restores:
        change.detail = f"restores {event.restores}"
    _install(state, artifact, change)
    _release_waiting(state, artifact, change)
    configured = state.settings.of(state.service, "deployment_releases")
    released = event.released if event.released is not None else configured
    if released or (released is None and not state.has_releases):
        state.pending.clear()
        _go_live(state, artifact, change, implied=released is None)


def _doubt(state: State, code: str, residual: str | None, change: Change) -> None:
    change.detail = f"residual {residual or 'unknown'}"
    if residual != "unchanged":
        state.doubt = Doubt(code, change.position)


def _install(state: State, artifact: int, change: Change) -> None:
    state.artifacts[artifact].installed = True
    state.doubt = None
    if state.deployed is None or state.deployed.artifact != artifact:
        state.deployed = Installed(artifact, change.at, change.position)


_Release = ReleaseStarted | ReleaseExposed | ReleaseCompleted | ReleaseAborted


def _release(state: State, event: _Release, change: Change) -> None:
    digest = event.digest if isinstance(event, ReleaseStarted | ReleaseCompleted) else None
    artifact = _artifact(state, event.version, digest, change)
    _name(state, change, artifact)
    if not state.has_releases:
        state.has_releases = True
        _void_implied(state, artifact)
    match event:
        case ReleaseStarted():
            state.releases[event.release_id] = OpenRelease(
                artifact, event.exposure, change.at, change.position, event.audience
            )
        case ReleaseExposed():
            opened = state.releases.get(event.release_id)
            since, position = (opened.since, opened.position) if opened else (change.at, change.position)
            audience = event.audience or (opened.audience if opened else None)
            region = event.region or (opened.region if opened else None)
            state.releases[event.release_id] = OpenRelease(artifact, event.exposure, since, position, audience, region)
            change.detail = f"{event.exposure:g} %"
        case ReleaseAborted():
            state.releases.pop(event.release_id, None)
        case ReleaseCompleted():
            state.releases.pop(event.release_id, None)
            _complete(state, artifact, change)


def _complete(state: State, artifact: int, change: Change, rollback_id: str | None = None) -> None:
    """A release is completed: live at once, or once its version has been deployed here."""
    found = state.artifacts[artifact]
    if state.has_deployments and not found.installed and found.first_live is None:
        state.pending.append(Pending(artifact, change.position, rollback_id))
    else:
        state.pending.clear()
        _go_live(state, artifact, change, rollback_id)


def _release_waiting(state: State, artifact: int, change: Change) -> None:
    """The release that waited for this deployment is live now; those completed before it are overtaken."""
    for index, waiting in reversed(list(enumerate(state.pending))):
        if waiting.artifact == artifact:
            del state.pending[: index + 1]
            _go_live(state, artifact, change, waiting.rollback_id)
            return


def _void_implied(state: State, artifact: int) -> None:
    """
    The slot's first release step is for a version that is current only
    because its deployment was taken for a release: from here on it was none.
    """
    current = state.current
    if current is None or not current.implied or current.artifact != artifact:
        return
    state.periods.pop()
    state.artifacts[artifact].periods.pop()
    state.void.append(current.position)
    moment = (current.start, current.position)
    for each in state.rollbacks.values():
        each.reached = None if each.reached == moment else each.reached
        each.overtaken = None if each.overtaken == moment else each.overtaken
    if not state.artifacts[artifact].periods:
        state.artifacts[artifact].first_live = None
    if state.periods and state.periods[-1].end_position == current.position:
        previous = state.periods[-1]
        previous.end = previous.end_position = previous.ended_by = None


def _go_live(
    state: State, artifact: int, change: Change, rollback_id: str | None = None, *, implied: bool = False
) -> None:
    """Makes an artifact current; the same again is a redeploy and starts nothing."""
    current = state.current
    if current is not None and current.artifact == artifact:
        current.implied = current.implied and implied
        change.change = change.change or "redeploy"
        return
    change.change, change.rollback_id = kind(state, current, artifact, change, rollback_id)
    change.was = state.artifacts[current.artifact].version if current else None
    if current is not None:
        _end(current, change, "rollback" if change.change == "rollback" else "change")
    follow(state, artifact, change)
    found = state.artifacts[artifact]
    if found.first_live is None:
        found.first_live = (change.at, change.position)
    found.periods.append(len(state.periods))
    state.periods.append(
        Period(artifact, change.at, change.position, change.change, change.rollback_id, implied=implied)
    )


def _end(period: Period, change: Change, by: str) -> None:
    period.end, period.end_position, period.ended_by = change.at, change.position, by


_RollbackStep = RollbackDecided | RollbackStarted | RollbackSucceeded | RollbackFailed | RollbackCancelled


def _rollback(state: State, event: _RollbackStep, change: Change) -> None:
    moment = (change.at, change.position)
    change.rollback_id = event.rollback_id
    if isinstance(event, RollbackCancelled):
        if (found := state.rollbacks.get(event.rollback_id)) is not None:
            found.cancelled = moment
            _name(state, change, found.to)
        return
    digest = event.to_digest if isinstance(event, RollbackDecided | RollbackSucceeded) else None
    artifact = _artifact(state, event.to_version, digest, change)
    _name(state, change, artifact)
    rollback = state.rollbacks.setdefault(event.rollback_id, Rollback(artifact, event.rollback_id))
    match event:
        case RollbackDecided():
            rollback.to, rollback.decided, rollback.incident = artifact, moment, event.incident
            rollback.from_version, rollback.plan = event.from_version, event.plan
            _compare(state, rollback, moment)
            rollback.reason, rollback.decided_by = event.reason, event.decided_by
        case RollbackStarted():
            rollback.starts.append(moment)
        case RollbackFailed():
            rollback.failed = moment
            _doubt(state, "rollback_failed", event.residual, change)
        case RollbackSucceeded():
            rollback.succeeded = moment
            if event.mechanism in (None, "redeploy"):
                _install(state, artifact, change)
            state.releases.clear()
            _complete(state, artifact, change, event.rollback_id)


def _compare(state: State, rollback: Rollback, moment: tuple[int, int]) -> None:
    """A decision leaves from what is current where it does not say, and may be for what is current already."""
    current = state.artifacts[state.current.artifact].version if state.current else None
    rollback.from_version = rollback.from_version or current
    if current is not None and state.artifacts[rollback.to].version == current:
        rollback.reached = rollback.reached or moment


def _judge_rollback(state: State, event: RollbackVerified | RollbackIneffective, change: Change) -> None:
    change.rollback_id = event.rollback_id
    rollback = state.rollbacks.get(event.rollback_id)
    if rollback is None:
        return
    _name(state, change, rollback.to)
    if isinstance(event, RollbackVerified):
        rollback.verified = (change.at, change.position)
        state.verdicts.append(Verdict("verified_good", rollback.to, change.at, change.position, event.incident))
    else:
        rollback.ineffective = (change.at, change.position)


def _remove(state: State, change: Change) -> None:
    if state.deployed is not None:
        _name(state, change, state.deployed.artifact)
    state.deployed, state.doubt = None, None
    state.pending.clear()
    state.releases.clear()
    state.in_flight.clear()
    current = state.current
    if current is not None:
        change.change, change.was = "removed", state.artifacts[current.artifact].version
        _end(current, change, "removal")
    for each in state.rollbacks.values():
        if not each.reached and not each.overtaken:
            each.overtaken = (change.at, change.position)


def answer(state: State) -> dict[str, Any]:
    """What runs here, as the reply for a slot has it."""
    current, deployed = state.current, state.deployed
    exposures = _exposures(state)
    return {
        "deployed": None if deployed is None else {**_named(state, deployed.artifact), "since": _time(deployed.since)},
        "current": None
        if current is None
        else {**_named(state, current.artifact), "since": _time(current.start), "exposure": _rest(state)},
        "exposures": exposures,
        "certain": state.certain,
        "uncertain_because": _uncertainty(state),
    }


def _rest(state: State) -> float:
    """The percentage that the current version has: what open releases to everyone leave of 100, never below 0."""
    taken = sum(each.exposure or 0 for each in state.releases.values() if not each.limited)
    return max(0, 100 - taken)


def _exposures(state: State) -> list[dict[str, Any]]:
    """The current version with the rest, then the open releases; those limited to some are listed, not summed."""
    found: list[dict[str, Any]] = []
    if state.current is not None:
        found.append({**_named(state, state.current.artifact), "exposure": _rest(state)})
    for name, each in state.releases.items():
        entry = {**_named(state, each.artifact), "exposure": each.exposure, "release_id": name}
        entry |= {"since": _time(each.since)}
        entry |= {k: v for k, v in (("audience", each.audience), ("region", each.region)) if v is not None}
        found.append(entry)
    return found


def _uncertainty(state: State) -> list[dict[str, Any]]:
    """Why the answer is not certain; empty when it is."""
    found = []
    if state.doubt is not None:
        detail = f"a {state.doubt.code.replace('_', ' ')} may have left something half done"
        found.append({"code": state.doubt.code, "detail": detail, "position": state.doubt.position})
    for waiting in state.pending:
        version = state.artifacts[waiting.artifact].version
        detail = f"{version} was released and is not recorded as deployed here"
        found.append({"code": "released_not_deployed", "detail": detail, "position": waiting.position})
    return found


def _named(state: State, artifact: int) -> dict[str, Any]:
    return {"version": state.artifacts[artifact].version, "digest": state.artifacts[artifact].digest}


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
