"""
What became of decisions to roll back: not carried out, to what nobody could vouch for, to no avail.
"""

from collections.abc import Iterable, Iterator

from projections import artifact as artifacts
from projections.audit import GONE, Decision
from projections.facts import HOUR
from projections.finding import Finding, by
from projections.findings_scenes import SlotScene
from projections.slot import Rollback

CARRIED_OUT_WITHIN = HOUR
"""Whoever began a rollback is given so long to end it, which is longer than any deployment here should take."""


def rollback_decided_not_executed(scene: SlotScene) -> Iterator[Finding]:
    """
    A rollback was decided, and its decision lapsed before it was carried out.

    One that was superseded, called off or reached in time is none. Settled by what came of it later.
    """
    decided = list(scene.decided("decided"))
    for decision in decided:
        rollback = scene.view.slot.rollbacks[decision.reference or ""]
        lapsed = _lapsed(scene, decision, rollback, decided)
        if lapsed is None or lapsed > scene.at:
            continue
        late = [each for each in (rollback.reached, rollback.succeeded, rollback.cancelled) if each is not None]
        late += [each.moment for each in scene.decided("declined") if each.moment > decision.moment]
        positions = [decision.position, *(position for _, position in rollback.starts)]
        tried = "carried out to its end" if rollback.starts else "carried out"
        detail = f"{decision.version} was to be brought back, and that was not {tried}"
        settled_by = by(min(late)[1] if late else None)
        yield scene.finding(
            "rollback_decided_not_executed",
            lapsed,
            positions,
            detail,
            incident=decision.incident,
            settled_by=settled_by,
        )


def _lapsed(scene: SlotScene, decision: Decision, rollback: Rollback, decided: Iterable[Decision]) -> int | None:
    """When a decision lapsed: its time was up, or something else went live; None where it did not."""
    if rollback.failed is not None:
        return None
    ends = [decision.at + scene.view.slot.settings.validity(scene.service)]
    if rollback.overtaken is not None:
        ends.append(rollback.overtaken[0])
    if rollback.starts:
        ends = [max(min(ends), rollback.starts[-1][0] + CARRIED_OUT_WITHIN)]
    newer = [each.at for each in decided if each.moment > decision.moment and not rollback.starts]
    came = [each[0] for each in (rollback.reached, rollback.succeeded, rollback.cancelled) if each is not None]
    came += [each.at for each in scene.decided("declined") if each.moment > decision.moment]
    return min(ends) if all(each > min(ends) for each in (*newer, *came)) else None


def rollback_to_unproven_version(scene: SlotScene) -> Iterator[Finding]:
    """A rollback was decided to a version that never ran here, or whose artifact was gone. Verification settles it."""
    for decision in scene.decided("decided"):
        codes = decision.unproven or _gone(scene, decision)
        if codes:
            verified = (each.position for each in scene.decided("verified") if each.reference == decision.reference)
            detail = f"{decision.version} was to be brought back: {', '.join(code.replace('_', ' ') for code in codes)}"
            yield scene.finding(
                "rollback_to_unproven_version",
                decision.at,
                [decision.position],
                detail,
                incident=decision.incident,
                settled_by=by(next(verified, None)),
            )


def _gone(scene: SlotScene, decision: Decision) -> list[str]:
    """Why the artifact could not be had when a decision was made, by what is known of it."""
    if decision.artifact is None:
        return []
    found = scene.view.slot.artifacts[decision.artifact]
    marks = [each for each in scene.view.artifacts.marks.get(found.version, ()) if each.at <= decision.at]
    against = artifacts.availability(artifacts.State({found.version: marks}), found.version, found.digest).against
    return sorted(GONE & {code for code, _ in against})


def rollback_ineffective(scene: SlotScene) -> Iterator[Finding]:
    """
    A rollback did not help.

    Settled by a later word that a version is good here, or the end of its incident.
    """
    good = list(scene.decided("verified", "verified_good"))
    for decision in scene.decided("ineffective"):
        rollback = scene.view.slot.rollbacks.get(decision.reference or "")
        incident = rollback.incident if rollback else decision.incident
        settled_by = [each.position for each in good if each.moment > decision.moment]
        settled_by += _resolved(scene, incident, decision.at)
        done = [rollback.succeeded[1]] if rollback and rollback.succeeded else []
        version = scene.version(rollback.to) if rollback else "an earlier version"
        yield scene.finding(
            "rollback_ineffective",
            decision.at,
            [decision.position, *done],
            f"bringing back {version} did not help",
            incident=incident,
            settled_by=by(min(settled_by, default=None)),
        )


def _resolved(scene: SlotScene, incident: str | None, after: int) -> list[int]:
    states = (each for each in scene.view.incidents if each.id == incident)
    steps = (each.last("resolved") for each in states)
    return [each.position for each in steps if each is not None and each.at > after]
