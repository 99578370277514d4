"""
Where to roll back to, and why one may trust it.

Works on what the folds of the slot, its artifacts, its environment and the
incidents that affect it have kept, at one moment. It gives facts, each with
the position that says so; never a score, and never an action.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import artifact as artifacts
from projections.beware import span, warnings
from projections.slot import Rollback
from projections.standing import blockers
from projections.view import Reason, View


@dataclass(slots=True)
class Candidate:
    """An artifact that was live here, with what speaks for it, against it, and what to beware of."""

    artifact: int
    blockers: list[Reason]
    warnings: list[Reason]
    favour: list[Reason]
    basis: str | None

    @property
    def known_good(self) -> bool:
        return self.basis is not None and not self.blockers

    @property
    def reasons(self) -> list[Reason]:
        """All that is known for and against it."""
        return [*self.favour, *self.blockers, *self.warnings]


def ranked(view: View) -> list[Candidate]:
    """
    Every artifact that was ever live here but the current one: nothing
    against it first; then first live before the current one was; then latest
    live first.
    """
    current = view.slot.current
    own = view.slot.artifacts[current.artifact].first_live if current else None
    found = [assess(view, artifact) for artifact in _latest_first(view) if not current or artifact != current.artifact]
    found.sort(key=lambda each: (bool(each.blockers), not _before(view, each.artifact, own)))
    return found


def target(view: View) -> Candidate | None:
    """The first candidate with nothing against it that was first live before the current version."""
    current = view.slot.current
    own = view.slot.artifacts[current.artifact].first_live if current else None
    if reached(view) is not None:
        return None
    for artifact in _latest_first(view):
        if (current is None or artifact != current.artifact) and _before(view, artifact, own):
            candidate = assess(view, artifact)
            if not candidate.blockers:
                return candidate
    return None


def last_known_good(view: View) -> Candidate | None:
    """The known-good artifact whose latest live period began last."""
    for artifact in _latest_first(view):
        candidate = assess(view, artifact)
        if candidate.known_good:
            return candidate
    return None


def reached(view: View) -> Rollback | None:
    """
    The decided rollback whose target is what is current, while that is the
    news: not yet judged, and its decision still valid or its incident active.
    """
    current = view.slot.current
    if current is None:
        return None
    decided = [each for each in view.slot.rollbacks.values() if each.decided and not each.cancelled]
    newest = max(decided, key=lambda each: each.decided or (0, 0), default=None)
    if newest is None or not newest.reached or newest.verified or newest.ineffective:
        return None
    if view.slot.artifacts[newest.to].version != view.slot.artifacts[current.artifact].version:
        return None
    fresh = view.at - newest.reached[0] < view.environment.settings.validity(view.slot.service)
    open_incident = any(each.id == newest.incident and each.active for each in view.incidents)
    return newest if fresh or open_incident else None


def _latest_first(view: View) -> Iterator[int]:
    """The artifacts that were live, the one whose latest period began last first, without repeats."""
    seen = set()
    for period in reversed(view.slot.periods):
        if period.artifact not in seen:
            seen.add(period.artifact)
            yield period.artifact


def _before(view: View, artifact: int, own: tuple[int, int] | None) -> bool:
    first = view.slot.artifacts[artifact].first_live
    return own is None or (first is not None and first < own)


def assess(view: View, artifact: int) -> Candidate:
    """What speaks for and against one artifact that was live here."""
    against = blockers(view, artifact)
    found = view.slot.artifacts[artifact]
    availability = artifacts.availability(view.artifacts, found.version, found.digest)
    for code, mark in availability.against:
        against.append(Reason(code, code.replace("_", " "), mark.position))
    basis, favour = _basis(view, artifact)
    beware = list(warnings(view, artifact, basis, availability))
    return Candidate(artifact, against, beware, favour, basis)


def _basis(view: View, artifact: int) -> tuple[str | None, list[Reason]]:
    """Rule 1: verified by a person, or live here for the soak."""
    favour, basis = [], None
    live = view.live_time(artifact)
    if live >= view.soak:
        basis = "soaked"
        favour.append(Reason("soaked", f"live here for {span(live)}", view.lived(artifact)[-1].position))
    if (verified := view.last(artifact, "verified_good")) is not None:
        basis = "verified"
        favour.append(Reason("verified_good", "a person verified it here", verified.position))
    return basis, favour


def known_good_json(view: View, candidate: Candidate) -> dict[str, Any]:
    """The last known good as the reply for a slot has it."""
    return {**_artifact_json(view, candidate.artifact), "basis": candidate.basis}


def target_json(view: View, candidate: Candidate) -> dict[str, Any]:
    """The rollback target as the reply for a slot has it."""
    return {
        **_artifact_json(view, candidate.artifact),
        "known_good": candidate.known_good,
        "basis": candidate.basis,
        "blockers": [each.json() for each in candidate.blockers],
        "warnings": [each.json() for each in candidate.warnings],
    }


def candidate_json(view: View, candidate: Candidate) -> dict[str, Any]:
    """A candidate with every fact for and against it."""
    first = view.slot.artifacts[candidate.artifact].first_live
    return {
        **target_json(view, candidate),
        "first_live": rfc3339(from_microseconds(first[0])) if first else None,
        "live_seconds": view.live_time(candidate.artifact) // 1_000_000,
        "reasons": [each.json() for each in candidate.reasons],
    }


def reached_json(view: View, rollback: Rollback) -> dict[str, Any]:
    found = view.slot.artifacts[rollback.to]
    return {
        "rollback_id": rollback.rollback_id,
        "version": found.version,
        "digest": found.digest,
        "position": rollback.reached[1] if rollback.reached else None,
    }


def _artifact_json(view: View, artifact: int) -> dict[str, Any]:
    found, last = view.slot.artifacts[artifact], view.lived(artifact)[-1]
    until = None if last.end is None else rfc3339(from_microseconds(last.end))
    return {"version": found.version, "digest": found.digest, "last_live_until": until}
