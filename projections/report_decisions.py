"""
The log of decisions: who decided what in which role, why, and what else they could have chosen.
"""

from typing import Any

from ledger.events import DECISION, EVENTS, Event, RollbackDecided
from projections.facts import Fact
from projections.report_scene import Scene

NOT_TOLD = ("incident.acknowledged", "incident.role_", "incident.affected_", "incident.linked", "postmortem.")
"""Decisions in the ledger's sense that are not what a log of decisions is read for."""


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


def alternatives(event: Event | None) -> list[dict[str, Any]]:
    """What the decider could see, kept with the decision: each candidate, and whether it was the one chosen."""
    seen = event.seen if isinstance(event, RollbackDecided) else None
    if not isinstance(event, RollbackDecided) or not isinstance(seen, dict):
        return []
    return [{**each, "chosen": each.get("version") == event.to_version} for each in seen.get("candidates", ())]
