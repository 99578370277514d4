"""
What became of each rollback and whether it helped, and what else was done.

Decided, released, deployed, live and effective are told apart: a rollback may
be any of them without the others.
"""

from collections.abc import Iterator
from typing import Any

from ledger.events import (
    DeploymentSucceeded,
    FeatureDisabled,
    ReleaseCompleted,
    RollbackDecided,
    RollbackStarted,
    RollbackSucceeded,
)
from projections import decisions as decided
from projections import spans
from projections.facts import Fact
from projections.report_decisions import alternatives
from projections.report_scene import Scene, moment, time
from projections.slot import Period, Rollback
from projections.slot import State as SlotState

Step = tuple[int, int]
"""A moment and a position."""

OVER = ("verified", "ineffective", "succeeded", "failed", "cancelled", "superseded", "reached", "lapsed")
"""States of a rollback that nobody waits for any more."""


def rollbacks(scene: Scene) -> list[dict[str, Any]]:
    """Those that belong to the incident, decided or not, the one begun first first."""
    found = [_rollback(scene, *each) for each in scene.rollbacks]
    found += [_undecided(scene, *each) for each in _returns(scene)]
    return sorted(found, key=lambda each: each["positions"])


def _rollback(scene: Scene, slot: SlotState, rollback: Rollback) -> dict[str, Any]:
    target = slot.artifacts[rollback.to]
    facts = scene.facts(_positions(rollback))
    first = next((each.event for each in facts if isinstance(each.event, RollbackDecided)), None)
    state = decided.status(scene.reader.view(slot.service, slot.environment), rollback)
    judged = rollback.verified or rollback.ineffective
    return {
        "rollback_id": rollback.rollback_id,
        "service": slot.service,
        "environment": slot.environment,
        "from_version": rollback.from_version,
        "to_version": target.version,
        "to_digest": target.digest,
        "plan": rollback.plan,
        "decided": scene.deed(rollback.decided),
        "started": scene.deed(rollback.starts[0] if rollback.starts else None),
        **{name: scene.deed(getattr(rollback, name)) for name in ("succeeded", "failed", "cancelled")},
        **{name: scene.deed(getattr(rollback, name)) for name in ("verified", "ineffective")},
        **_outcome(scene, slot, rollback, facts, state),
        "state": state,
        "helped": None if judged is None else state == "verified",
        "reason": rollback.reason,
        "alternatives": alternatives(first),
        "positions": _positions(rollback),
    }


def _outcome(scene: Scene, slot: SlotState, rollback: Rollback, facts: list[Fact], state: str) -> dict[str, Any]:
    """Released, deployed and live told apart: a rollback may be any of them without the others."""
    mechanism, live = _mechanism(facts), _live(slot, rollback)
    steps = _steps_to(scene, slot, rollback)
    deployed = rollback.succeeded if mechanism == "redeploy" and rollback.succeeded else steps["deployed"]
    needs_none = mechanism in ("traffic", "feature") or not slot.has_deployments or _was_there(slot, rollback)
    is_there = live is not None and (deployed is not None or needs_none)
    over = state in OVER or not scene.state.active
    return {
        "mechanism": mechanism,
        "released": scene.deed(steps["released"]),
        "deployed": scene.deed(deployed),
        "live": None if live is None else moment(*live),
        "deployed_live": True if is_there else False if over else None,
        "impact_after": _impact_after(scene, live),
    }


def _was_there(slot: SlotState, rollback: Rollback) -> bool:
    """Whether the target was live when it was decided, and is what is installed."""
    installed = None if slot.deployed is None else slot.artifacts[slot.deployed.artifact].version
    return rollback.reached == rollback.decided and installed == slot.artifacts[rollback.to].version


def _positions(rollback: Rollback) -> list[int]:
    steps = (rollback.decided, *rollback.starts, rollback.succeeded, rollback.failed, rollback.cancelled)
    judged = (rollback.verified, rollback.ineffective)
    return sorted({each[1] for each in (*steps, *judged) if each is not None})


def _live(slot: SlotState, rollback: Rollback) -> Step | None:
    """When its target went live by it, or was so already when it was decided."""
    if rollback.reached is not None and rollback.reached == rollback.decided:
        return rollback.reached
    began = ((each.start, each.position) for each in slot.periods if each.rollback_id == rollback.rollback_id)
    return next(began, rollback.reached if rollback.reached == rollback.succeeded else None)


def _mechanism(facts: list[Fact]) -> str | None:
    """How it was carried out, as its last step says; by a redeploy where one succeeded and does not say."""
    steps = [each.event for each in facts if isinstance(each.event, RollbackStarted | RollbackSucceeded)]
    said = [each.mechanism for each in steps if each.mechanism is not None]
    return said[-1] if said else "redeploy" if any(isinstance(each, RollbackSucceeded) for each in steps) else None


def _steps_to(scene: Scene, slot: SlotState, rollback: Rollback) -> dict[str, Step | None]:
    """The first release and the first deployment of its target while it was the decision to be carried out."""
    begun = min((each for each in (rollback.decided, *rollback.starts) if each is not None), default=None)
    found: dict[str, Step | None] = {"released": None, "deployed": None}
    if begun is None:
        return found
    wanted = (slot.service, slot.environment, slot.artifacts[rollback.to].version)
    for told in (*scene.story.changes, *scene.story.aftermath):
        event = told.fact.event
        if not isinstance(event, ReleaseCompleted | DeploymentSucceeded) or not told.counts:
            continue
        if (event.service, event.environment, event.version) == wanted and begun < told.key < _until(
            scene, slot, rollback
        ):
            name = "released" if isinstance(event, ReleaseCompleted) else "deployed"
            found[name] = found[name] or told.key
    return found


def _until(scene: Scene, slot: SlotState, rollback: Rollback) -> Step:
    """Until when what goes out carries out a rollback: the next decision; of one nobody started, while it was valid."""
    validity = scene.reader.view(slot.service, slot.environment).environment.settings.validity(slot.service)
    decisions = [each.decided for each in slot.rollbacks.values() if each.decided is not None]
    ends = [each for each in decisions if rollback.decided is not None and each > rollback.decided]
    if rollback.decided is not None and not rollback.starts:
        ends.append((rollback.decided[0] + validity, 0))
    return min(ends, default=(scene.at + 1, 0))


def _impact_after(scene: Scene, live: tuple[int, int] | None) -> dict[str, Any] | None:
    """For how long customers went on feeling it once a rollback was live; None while that is not known."""
    ended = scene.measures["time_to_mitigate"].end
    if live is None or ended is None:
        return None
    return {"seconds": spans.seconds(ended[0] - live[0]), "positions": [live[1], ended[1]]}


def _returns(scene: Scene) -> Iterator[tuple[SlotState, Period]]:
    """Returns to an earlier version, in the course of the incident, by no rollback that anybody named."""
    own = {position for _, each in scene.rollbacks for position in _positions(each)}
    named = {each.rollback_id for _, each in scene.rollbacks}
    told = {each.fact.position for each in scene.story.changes}
    began = scene.state.began
    for service, environment in scene.story.slots:
        slot = scene.slot(service, environment)
        for each in slot.periods:
            inside = each.position in told and began is not None and each.start >= began
            if each.change == "rollback" and inside and each.position not in own and each.rollback_id not in named:
                yield slot, each


def _undecided(scene: Scene, slot: SlotState, period: Period) -> dict[str, Any]:
    artifact, step = slot.artifacts[period.artifact], (period.start, period.position)
    before = [each for each in slot.periods if each.end_position == period.position]
    nothing = dict.fromkeys("decided started released failed verified ineffective cancelled plan reason".split())
    return {
        **nothing,
        "rollback_id": period.rollback_id,
        "service": slot.service,
        "environment": slot.environment,
        "from_version": slot.artifacts[before[0].artifact].version if before else None,
        "to_version": artifact.version,
        "to_digest": artifact.digest,
        "mechanism": None,
        "succeeded": scene.deed(step),
        "deployed": scene.deed(step),
        "live": moment(*step),
        "deployed_live": True,
        "state": "undecided",
        "helped": None,
        "impact_after": _impact_after(scene, step),
        "alternatives": [],
        "positions": [period.position],
    }


# What else was done


def mitigations(scene: Scene) -> list[dict[str, Any]]:
    """Mitigations as they were told of, and features that were switched off."""
    off = [_switched(scene, each.fact) for each in scene.belonging if isinstance(each.fact.event, FeatureDisabled)]
    return sorted([*scene.answer["mitigations"], *off], key=lambda each: (each["time"], each["position"]))


def _switched(scene: Scene, fact: Fact) -> dict[str, Any]:
    event: Any = fact.event
    found = {"kind": "feature_disabled", "text": event.feature}
    place = {"service": event.service, "environment": event.environment}
    return {**found, **place, "time": time(fact.at), "position": fact.position, "by": scene.by(fact)}
