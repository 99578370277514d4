"""
May a release of this version go out here, now?

Pure: facts that stand against it, who can change each, and what lets it pass
all the same. The target of a valid decision to roll back passes, and so does
a version whose approval names the active incident: nothing here stands in
the way of recovery.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from projections import decisions
from projections import environment as environments
from projections.beware import approval_warnings
from projections.slot import Approval
from projections.standing import verdict_blockers
from projections.view import Reason, View


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands against a release, and who can change that."""

    reason: Reason
    change: str


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    obstacles: list[Obstacle]
    passes: list[Reason]


def gate(view: View, version: str, digest: str | None = None) -> Verdict:
    """Whether a release may go out, why, and who can change it."""
    obstacles, passes = list(_obstacles(view, version, digest)), list(_passes(view, version))
    return Verdict(not obstacles or bool(passes), obstacles, passes)


def _passes(view: View, version: str) -> Iterator[Reason]:
    decision = decisions.valid(view, version)
    if decision is not None and decision.decided is not None:
        yield Reason("rollback_decided", f"it is the target of {decision.rollback_id}", decision.decided[1])
    active = {each.id for each in view.incidents if each.active and view.key in each.affected}
    approval = _approval(view, version)
    if approval is not None and approval.incident in active:
        yield Reason("approved_for_incident", f"its approval names {approval.incident}", approval.position)


def _approval(view: View, version: str) -> Approval | None:
    """The last approval of a version, unless it was revoked."""
    given = [each for each in view.slot.approvals if each.version == version]
    return given[-1] if given and given[-1].granted else None


def _obstacles(view: View, version: str, digest: str | None) -> Iterator[Obstacle]:
    place = view.slot.environment
    frozen = environments.freeze(view.environment, view.slot.service, view.at)
    if frozen is not None:
        yield Obstacle(
            Reason("environment_frozen", f"{place} is frozen", frozen.position),
            "a responder ends the freeze (environment.unfrozen)",
        )
    for incident in view.incidents:
        if incident.active and incident.counted and incident.severity == "SEV-1" and view.key in incident.affected:
            yield Obstacle(
                Reason("active_sev1", f"{incident.id} is active here", incident.severities[-1].position),
                f"a responder resolves it, or approves this version naming {incident.id}",
            )
    approval = _approval(view, version)
    since = (approval.at, approval.position) if approval else None
    for reason in verdict_blockers(view, version, digest, since):
        yield Obstacle(reason, "a responder approves it anew, clears it, or verifies it good")
    for reason in approval_warnings(view, version, digest):
        yield Obstacle(reason, "a responder approves it (release.approved)")


def answer(view: View, version: str, digest: str | None) -> dict[str, Any]:
    found = gate(view, version, digest)
    return {
        "service": view.slot.service,
        "environment": view.slot.environment,
        "version": version,
        "digest": digest,
        "allowed": found.allowed,
        "reasons": [{**each.reason.json(), "who_can_change_it": each.change} for each in found.obstacles],
        "passes": [each.json() for each in found.passes],
    }
