"""
Where to roll back to, and why one may trust it.

Works on what the folds of the slot, its artifacts, its environment and the
incidents that affect it have kept, at one moment. It gives facts, each with
the position that says so; never a score, and never an action.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import artifact as artifacts
from projections import environment as environments
from projections.current_version import Period, Rollback, State, Verdict
from projections.facts import HOUR, MINUTE
from projections.incident import UNDECLARED_COUNTS, Naming
from projections.incident import State as Incident

BLAME_AFTER_RETURN = 2 * HOUR
"""A grave incident that begins so soon after an undecided return says that the return was the mistake."""

LIVE_UNDER_IMPACT = 10 * MINUTE
"""Estimates are imprecise: a version replaced sooner after the first impact is not to blame."""

CHECK_HOLDS = 24 * HOUR
LONG_AGO = 30 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact for or against, and the position that says so."""

    code: str
    detail: str
    position: int | None = None

    def json(self) -> dict[str, Any]:
        return {"code": self.code, "detail": self.detail, "position": self.position}


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


@dataclass
class View:
    """
    Everything that the answer for one slot depends on, at the moment `at`.

    `promoted` tells whether an artifact was ever live where the slot's
    environment is promoted from; None where it is promoted from nowhere.
    """

    slot: State
    artifacts: artifacts.State
    environment: environments.State
    incidents: list[Incident]
    at: int
    promoted: Callable[[str, str | None], bool] | None = None

    @cached_property
    def soak(self) -> int:
        return self.environment.settings.soak(self.slot.service)

    @cached_property
    def concerned(self) -> list[Incident]:
        """The real incidents that affect the slot or name a version of it."""
        return [each for each in self.incidents if each.mode == "real"]

    @cached_property
    def periods(self) -> dict[int, list[Period]]:
        found: dict[int, list[Period]] = {}
        for period in self.slot.periods:
            found.setdefault(period.artifact, []).append(period)
        return found

    @cached_property
    def verdicts(self) -> dict[int, list[Verdict]]:
        found: dict[int, list[Verdict]] = {}
        for verdict in self.slot.verdicts:
            found.setdefault(verdict.artifact, []).append(verdict)
        return found

    @property
    def key(self) -> tuple[str, str]:
        return self.slot.service, self.slot.environment

    def live_time(self, artifact: int, since: int = 0) -> int:
        """Microseconds for which an artifact was live after *since*."""
        spans = ((max(each.start, since), self.at if each.end is None else each.end) for each in self.periods[artifact])
        return sum(max(0, end - start) for start, end in spans)

    def last(self, artifact: int, *kinds: str) -> Verdict | None:
        """The last verdict of some kinds on an artifact."""
        given = [each for each in self.verdicts.get(artifact, []) if each.kind in kinds]
        return max(given, key=lambda each: (each.at, each.position), default=None)


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
    blockers = [*_rolled_back(view, artifact), *_verdicts(view, artifact), *_suspicion(view, artifact)]
    found = view.slot.artifacts[artifact]
    availability = artifacts.availability(view.artifacts, found.version, found.digest)
    for code, mark in availability.against:
        blockers.append(Reason(code, code.replace("_", " "), mark.position))
    basis, favour = _basis(view, artifact)
    warnings = list(_warnings(view, artifact, basis, availability))
    return Candidate(artifact, blockers, warnings, favour, basis)


def _basis(view: View, artifact: int) -> tuple[str | None, list[Reason]]:
    """Rule 1: verified by a person, or live here for the soak."""
    favour, basis = [], None
    live = view.live_time(artifact)
    if live >= view.soak:
        basis = "soaked"
        favour.append(Reason("soaked", f"live here for {_span(live)}", view.periods[artifact][-1].position))
    if (verified := view.last(artifact, "verified_good")) is not None:
        basis = "verified"
        favour.append(Reason("verified_good", "a person verified it here", verified.position))
    return basis, favour


def _rolled_back(view: View, artifact: int) -> Iterator[Reason]:
    """Rule 2: a period of it ended by rollback, and nothing has spoken for it since."""
    for period in reversed(view.periods[artifact]):
        if period.ended_by == "rollback" and period.end is not None and _counts(view, period):
            break
    else:
        return
    since = (period.end, period.end_position or 0)
    cleared = view.last(artifact, "verified_good", "cleared")
    if cleared is not None and (cleared.at, cleared.position) > since:
        return
    if view.live_time(artifact, since=period.end) < view.soak:
        yield Reason("rolled_back_from", "it was rolled back from here", period.end_position)


def _counts(view: View, period: Period) -> bool:
    """
    Whether a period's end by rollback speaks against its version: not where
    the rollback was ineffective, nor where an undecided return was itself
    the mistake.
    """
    successor = next((each for each in view.slot.periods if each.position == period.end_position), None)
    if successor is None:
        return True
    rollback = view.slot.rollbacks.get(successor.rollback_id or "")
    if rollback is not None and rollback.ineffective:
        return False
    if (rollback is None or rollback.decided is None) and period.end is not None:
        end = period.end
        here = [each for each in view.concerned if view.key in each.affected and _was_grave(each)]
        if any(_began_within(each, end, end + BLAME_AFTER_RETURN) for each in here):
            return False
        if any(_implicated(view, each, successor.artifact) for each in view.concerned):
            return False
    return True


def _was_grave(incident: Incident) -> bool:
    return bool(incident.grave) or (incident.state == "detected" and incident.suggested in ("SEV-1", "SEV-2"))


def _began_within(incident: Incident, start: int, end: int) -> bool:
    return incident.began is not None and start <= incident.began <= end


def _implicated(view: View, incident: Incident, artifact: int) -> Naming | None:
    """What a person said who implicated an artifact, unless it was exonerated since."""
    standing = None
    for naming in sorted(incident.namings, key=lambda each: (each.at, each.position)):
        if naming.kind != "suspected" and _names(view, naming, artifact):
            standing = naming if naming.kind == "implicated" else None
    return standing


def _names(view: View, naming: Naming, artifact: int) -> bool:
    """Whether a version named in an incident is this artifact: the latest known then, as for every event of a slot."""
    if naming.slot != view.key or naming.version != view.slot.artifacts[artifact].version:
        return False
    same = [index for index, each in enumerate(view.slot.artifacts) if each.version == naming.version]
    then = [index for index in same if view.slot.artifacts[index].named <= (naming.at, naming.position)]
    return artifact == (then[-1] if then else same[0])


def _verdicts(view: View, artifact: int) -> Iterator[Reason]:
    """Rule 3: marked bad or implicated stands until cleared, exonerated or verified good later."""
    relief = view.last(artifact, "cleared", "verified_good")
    since = (relief.at, relief.position) if relief else (-(2**62), 0)
    marked = view.last(artifact, "marked_bad")
    if marked is not None and (marked.at, marked.position) > since and not _exonerated(view, artifact, marked):
        yield Reason("marked_bad", "a person marked it bad here", marked.position)
    for incident in view.concerned:
        naming = _implicated(view, incident, artifact)
        if naming is not None and (naming.at, naming.position) > since:
            yield Reason("implicated", f"implicated in {incident.id}", naming.position)


def _exonerated(view: View, artifact: int, marked: Verdict) -> bool:
    return any(
        naming.kind == "exonerated"
        and _names(view, naming, artifact)
        and (naming.at, naming.position) > (marked.at, marked.position)
        and marked.incident in (None, incident.id)
        for incident in view.concerned
        for naming in incident.namings
    )


def _suspicion(view: View, artifact: int) -> Iterator[Reason]:
    """Rule 4: live under a grave incident, which no one has yet explained by something else."""
    for incident in view.concerned:
        if view.key in incident.affected and (position := _suspect(view, artifact, incident)) is not None:
            yield Reason("suspect", f"live during {incident.id}", position)


def _suspect(view: View, artifact: int, incident: Incident) -> int | None:
    grave = _grave_times(incident)
    if not grave or incident.elsewhere is not None:
        return None
    steps = [step.at for step in (incident.first("detected"), incident.first("declared")) if step]
    noticed = min(steps, default=grave[0][0])
    began = min(noticed, incident.impact_start if incident.impact_start is not None else noticed)
    if not _was_live(view, artifact, noticed, incident.impact_start):
        return None
    if _restored_since(view, artifact, began) or _relieved(view, artifact, incident, began):
        return None
    for start, end in grave:
        if start <= view.at and (end is None or view.at < end):
            return _evidence(incident)
        for period in view.periods[artifact]:
            if (
                period.end is not None
                and start <= period.end
                and (end is None or period.end <= end)
                and period.end >= began
            ):
                return period.end_position
    return None


def _grave_times(incident: Incident) -> list[tuple[int, int | None]]:
    """When the incident was grave: declared SEV-1 or SEV-2, or detected as such less than a day ago and undeclared."""
    times = list(incident.grave)
    detected = incident.first("detected")
    if detected is not None and incident.suggested in ("SEV-1", "SEV-2"):
        ends = [detected.at + UNDECLARED_COUNTS]
        ends += [
            step.at for cycle in incident.cycles for step in cycle if step.name not in ("detected", "acknowledged")
        ]
        times.append((detected.at, max(detected.at, min(ends))))
    return times


def _was_live(view: View, artifact: int, noticed: int, impact: int | None) -> bool:
    """Live at detection, declaration or since; or for more than ten minutes after the first impact."""
    periods = view.periods[artifact]
    if any(each.end is None or each.end > noticed for each in periods):
        return True
    return impact is not None and view.live_time(artifact, since=impact) > LIVE_UNDER_IMPACT


def _restored_since(view: View, artifact: int, began: int) -> bool:
    """Whether a rollback since the incident began was decided for the version, or restored it."""
    decided = any(
        each.to == artifact and each.decided is not None and each.decided[0] >= began and not each.cancelled
        for each in view.slot.rollbacks.values()
    )
    return decided or any(each.change == "rollback" and each.start >= began for each in view.periods[artifact])


def _relieved(view: View, artifact: int, incident: Incident, began: int) -> bool:
    """Exoneration, clearing and verification end suspicion."""
    relief = view.last(artifact, "cleared", "verified_good")
    if relief is not None and relief.at >= began:
        return True
    return any(each.kind == "exonerated" and _names(view, each, artifact) for each in incident.namings)


def _evidence(incident: Incident) -> int | None:
    step = incident.first("declared") or incident.first("detected")
    return step.position if step else None


def _warnings(view: View, artifact: int, basis: str | None, availability: artifacts.Availability) -> Iterator[Reason]:
    """What to beware of in going back to it; none of these changes the order."""
    found, last = view.slot.artifacts[artifact], view.periods[artifact][-1]
    until = view.at if last.end is None else last.end
    for migration in view.slot.migrations:
        if migration.reversibility == "irreversible" and migration.at > until:
            detail = f"{migration.migration_id} was applied since, and can't be reversed"
            yield Reason("irreversible_migration", detail, migration.position)
    if availability.checked is None or view.at - availability.checked.at > CHECK_HOLDS:
        position = availability.checked.position if availability.checked else None
        yield Reason("artifact_not_checked", "nobody checked for 24 hours that the artifact can be had", position)
    yield from approval_warnings(view, found.version, found.digest)
    if basis is None:
        detail = f"live here for {_span(view.live_time(artifact))}, less than the soak of {_span(view.soak)}"
        yield Reason("too_little_soak", detail, last.position)
    if view.at - until > LONG_AGO:
        yield Reason("last_live_over_30_days_ago", f"last live {_span(view.at - until)} ago", last.end_position)
    if (freeze := environments.freeze(view.environment, view.slot.service, view.at)) is not None:
        yield Reason("environment_frozen", f"{view.slot.environment} is frozen", freeze.position)
    if view.promoted is not None and not view.promoted(found.version, found.digest):
        origin = view.environment.settings.of(view.slot.service, "promotes_from")
        yield Reason("never_live_in_promotes_from", f"never live in {origin}, which this environment is promoted from")


def verdict_blockers(
    view: View, version: str, digest: str | None, approved: tuple[int, int] | None
) -> Iterator[Reason]:
    """What persons and rollbacks said against a version that no approval (at a moment and position) has answered."""
    when = {each.position: (each.at, each.position) for each in view.slot.verdicts}
    when |= {
        each.end_position: (each.end, each.end_position) for each in view.slot.periods if each.end and each.end_position
    }
    when |= {each.position: (each.at, each.position) for incident in view.concerned for each in incident.namings}
    for index, each in enumerate(view.slot.artifacts):
        if each.version != version or (digest is not None and each.digest not in (None, digest)):
            continue
        lived = index in view.periods
        for reason in [*(_rolled_back(view, index) if lived else []), *_verdicts(view, index)]:
            if approved is None or reason.position is None or when.get(reason.position, approved) > approved:
                yield reason


def approval_warnings(view: View, version: str, digest: str | None) -> Iterator[Reason]:
    """Whether the approval that stands is for this artifact; missing where the environment asks for one."""
    standing: dict[str | None, int] = {}
    for each in view.slot.approvals:
        if each.version == version and each.granted:
            standing[each.digest] = each.position
        elif each.version == version and each.digest is None:
            standing.clear()
        elif each.version == version:
            standing.pop(each.digest, None)
    if standing and digest is not None and None not in standing and digest not in standing:
        yield Reason("approval_for_other_digest", "its approval is for another digest", max(standing.values()))
    elif not standing and view.environment.settings.of(view.slot.service, "approval_required"):
        yield Reason("approval_missing", "nobody approved it, and this environment asks for approval")


def _span(microseconds: int) -> str:
    """A length of time as people say it."""
    minutes = microseconds // MINUTE
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


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
    found, last = view.slot.artifacts[artifact], view.periods[artifact][-1]
    until = None if last.end is None else rfc3339(from_microseconds(last.end))
    return {"version": found.version, "digest": found.digest, "last_live_until": until}
