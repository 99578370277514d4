"""
What was decided, what became of each rollback and whether it helped, and what else was done.
"""

from collections.abc import Iterator
from typing import Any

from ledger.events import DECISION, EVENTS, Event, FeatureDisabled, ReleaseCompleted, RollbackDecided
from projections import decisions as decided
from projections import spans
from projections.facts import Fact
from projections.report_scene import Scene, moment, time
from projections.slot import Period, Rollback
from projections.slot import State as SlotState

OVER = ("verified", "ineffective", "succeeded", "failed", "cancelled", "superseded", "reached", "lapsed")
"""States of a rollback that nobody waits for any more."""

NOT_TOLD = ("incident.acknowledged", "incident.role_", "incident.affected_", "incident.linked", "postmortem.")
"""Decisions in the ledger's sense that are not what a log of decisions is read for."""


def rollbacks(scene: Scene) -> list[dict[str, Any]]:
    """Those that belong to the incident, decided or not, the one begun first first."""
    found = [_rollback(scene, *each) for each in scene.rollbacks]
    found += [_undecided(scene, *each) for each in _returns(scene)]
    return sorted(found, key=lambda each: each["positions"])


def _rollback(scene: Scene, slot: SlotState, rollback: Rollback) -> dict[str, Any]:
    target = slot.artifacts[rollback.to]
    view = scene.reader.view(slot.service, slot.environment)
    state = decided.status(view, rollback)
    facts = {each.position: each for each in scene.facts(_positions(rollback))}
    first = facts[rollback.decided[1]].event if rollback.decided else None
    judged = rollback.verified or rollback.ineffective
    return {
        "rollback_id": rollback.rollback_id,
        "service": slot.service,
        "environment": slot.environment,
        "from_version": rollback.from_version,
        "to_version": target.version,
        "to_digest": target.digest,
        "mechanism": _mechanism(facts.values()),
        "plan": rollback.plan,
        "decided": scene.deed(rollback.decided),
        "started": scene.deed(rollback.starts[0] if rollback.starts else None),
        "released": _released(scene, slot, rollback),
        "succeeded": scene.deed(rollback.succeeded),
        "failed": scene.deed(rollback.failed),
        "verified": scene.deed(rollback.verified),
        "ineffective": scene.deed(rollback.ineffective),
        "cancelled": scene.deed(rollback.cancelled),
        "live": _moment(rollback.reached),
        "deployed_live": True if rollback.reached else False if state in OVER or not scene.state.active else None,
        "state": state,
        "helped": None if judged is None else state == "verified",
        "impact_after": _impact_after(scene, rollback.reached or rollback.succeeded),
        "reason": rollback.reason,
        "alternatives": alternatives(first),
        "positions": _positions(rollback),
    }


def _positions(rollback: Rollback) -> list[int]:
    steps = (rollback.decided, *rollback.starts, rollback.succeeded, rollback.failed, rollback.cancelled)
    judged = (rollback.verified, rollback.ineffective, rollback.reached)
    return sorted({each[1] for each in (*steps, *judged) if each is not None})


def _moment(step: tuple[int, int] | None) -> dict[str, Any] | None:
    return None if step is None else moment(*step)


def _mechanism(facts: Any) -> str | None:
    """How it was carried out, as its last step says; a redeploy where one succeeded and does not say."""
    steps = [each.event for each in facts if each.event.TOPIC in ("rollback.started", "rollback.succeeded")]
    said = [each.mechanism for each in steps if each.mechanism is not None]
    if said:
        return str(said[-1])
    return "redeploy" if any(each.TOPIC == "rollback.succeeded" for each in steps) else None


def _released(scene: Scene, slot: SlotState, rollback: Rollback) -> dict[str, Any] | None:
    """The first completed release of its target after the decision, whether or not that was ever deployed."""
    version = slot.artifacts[rollback.to].version
    place = (slot.service, slot.environment)
    since = rollback.decided or (rollback.starts[0] if rollback.starts else None)
    for told in (*scene.story.changes, *scene.story.aftermath):
        event, after = told.fact.event, since is not None and told.fact.key > since
        its = isinstance(event, ReleaseCompleted) and (event.service, event.environment, event.version)
        if its == (*place, version) and told.counts and after:
            return scene.deed(told.fact.key)
    return None


def _impact_after(scene: Scene, live: tuple[int, int] | None) -> dict[str, Any] | None:
    """For how long customers went on feeling it once a rollback was live; None while that is not known."""
    ended = scene.measures["time_to_mitigate"].end
    if live is None or ended is None:
        return None
    return {"seconds": spans.seconds(ended[0] - live[0]), "positions": [live[1], ended[1]]}


def _returns(scene: Scene) -> Iterator[tuple[SlotState, Period]]:
    """Returns to an earlier version, in the course of the incident, by no rollback that anybody named."""
    own = {position for _, each in scene.rollbacks for position in _positions(each)}
    told = {each.fact.position for each in scene.story.changes}
    began = scene.state.began
    for service, environment in scene.story.slots:
        slot = scene.slot(service, environment)
        for each in slot.periods:
            inside = each.position in told and began is not None and each.start >= began
            if each.change == "rollback" and inside and each.position not in own:
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
        "live": moment(*step),
        "deployed_live": True,
        "state": "undecided",
        "helped": None,
        "impact_after": _impact_after(scene, step),
        "alternatives": [],
        "positions": [period.position],
    }


def alternatives(event: Event | None) -> list[dict[str, Any]]:
    """What the decider could see, kept with the decision: each candidate, and whether it was the one chosen."""
    seen = event.seen if isinstance(event, RollbackDecided) else None
    if not isinstance(event, RollbackDecided) or not isinstance(seen, dict):
        return []
    return [{**each, "chosen": each.get("version") == event.to_version} for each in seen.get("candidates", ())]


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


# The log of decisions


def decisions(scene: Scene) -> list[dict[str, Any]]:
    """What people decided in it and about the slots it affects, in order."""
    own = {each.position for each in scene.own}
    facts = [*scene.own, *(each.fact for each in scene.belonging if each.fact.position not in own)]
    chosen = [each for each in facts if is_decision(each.event)]
    return [_decision(scene, each) for each in sorted(chosen, key=lambda each: each.key)]


def is_decision(event: Event) -> bool:
    return EVENTS[event.TOPIC].WHO is DECISION and not event.TOPIC.startswith(NOT_TOLD)


def _decision(scene: Scene, fact: Fact) -> dict[str, Any]:
    entry = scene.entry[fact.position]
    return {
        "time": entry["time"],
        "position": fact.position,
        "type": fact.event.TOPIC,
        "what": entry["summary"],
        "service": entry["service"],
        "environment": entry["environment"],
        "by": scene.by(fact),
        "roles": entry["roles"],
        "role": next(iter(entry["roles"]), None),
        "reason": fact.event.reason,
        "lag": entry["lag"],
        "alternatives": alternatives(fact.event),
    }
