"""
What stands against a version: rolled back from, judged by a person, live under a grave incident.

Rules 2 to 4 of what "known good" means. Each reason names the position that
says so.
"""

from bisect import bisect_left
from collections.abc import Iterator

from projections.facts import HOUR, MINUTE
from projections.incident import UNDECLARED_COUNTS, Naming
from projections.incident import State as Incident
from projections.slot import Period, Verdict
from projections.view import Reason, View

BLAME_AFTER_RETURN = 2 * HOUR
"""A grave incident that begins so soon after an undecided return says that the return was the mistake."""

LIVE_UNDER_IMPACT = 10 * MINUTE
"""Estimates are imprecise: a version replaced sooner after the first impact is not to blame."""

ENDS_DETECTION = ("declared", "resolved", "closed", "cancelled", "merged")
"""What makes a detection no longer one that nobody declared."""


def blockers(view: View, artifact: int) -> list[Reason]:
    """What stands against one artifact that was live here: rules 2 to 4."""
    return [*_rolled_back(view, artifact), *_verdicts(view, artifact), *_suspicion(view, artifact)]


def _rolled_back(view: View, artifact: int) -> Iterator[Reason]:
    """Rule 2: a period of it ended by rollback, and nothing has spoken for it since."""
    for period in reversed(view.lived(artifact)):
        if period.ended_by == "rollback" and period.end is not None and end_counts(view, period):
            break
    else:
        return
    since = (period.end, period.end_position or 0)
    cleared = view.last(artifact, "verified_good", "cleared")
    if cleared is not None and (cleared.at, cleared.position) > since:
        return
    if view.live_time(artifact, since=period.end) < view.soak:
        yield Reason("rolled_back_from", "it was rolled back from here", period.end_position)


def end_counts(view: View, period: Period) -> bool:
    """
    Whether a period's end by rollback speaks against its version: not where
    the rollback was ineffective, nor where an undecided return was itself
    the mistake.
    """
    place = bisect_left(
        view.slot.periods, (period.end, period.end_position), key=lambda each: (each.start, each.position)
    )
    if place == len(view.slot.periods):
        return True
    successor = view.slot.periods[place]
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
    """Declared as such at some time; or detected as such before it was over, and by nobody declared as anything."""
    if incident.first("declared") is not None:
        return bool(incident.grave) and not incident.planned
    return bool(incident.grave) or any(end is None or start < end for start, end in _grave_times(incident))


def _began_within(incident: Incident, start: int, end: int) -> bool:
    return incident.began is not None and start <= incident.began <= end


def _implicated(view: View, incident: Incident, artifact: int) -> Naming | None:
    """What a person said who implicated an artifact, unless it was exonerated since."""
    standing = None
    for naming in sorted(incident.namings, key=lambda each: (each.at, each.position)):
        if naming.kind != "suspected" and is_named(view, naming, artifact):
            standing = naming if naming.kind == "implicated" else None
    return standing


def is_named(view: View, naming: Naming, artifact: int) -> bool:
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
        and is_named(view, naming, artifact)
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
        for period in view.lived(artifact):
            if (
                period.end is not None
                and start <= period.end
                and (end is None or period.end <= end)
                and period.end >= began
            ):
                return period.end_position
    return None


def _grave_times(incident: Incident) -> list[tuple[int, int | None]]:
    """
    When the incident was grave: declared SEV-1 or SEV-2, or detected as such
    less than a day ago and undeclared. Never, where it turned out to be planned.
    """
    if incident.planned:
        return []
    times = list(incident.grave)
    detected = incident.first("detected")
    if detected is not None and incident.suggested in ("SEV-1", "SEV-2"):
        ends = [step.at for cycle in incident.cycles for step in cycle if step.name in ENDS_DETECTION]
        times.append((detected.at, max(detected.at, min([detected.at + UNDECLARED_COUNTS, *ends]))))
    return times


def _was_live(view: View, artifact: int, noticed: int, impact: int | None) -> bool:
    """Live at detection, declaration or since; or for more than ten minutes after the first impact."""
    periods = view.lived(artifact)
    if any(each.end is None or each.end > noticed for each in periods):
        return True
    return impact is not None and view.live_time(artifact, since=impact) > LIVE_UNDER_IMPACT


def _restored_since(view: View, artifact: int, began: int) -> bool:
    """Whether a rollback since the incident began was decided for the version, or restored it."""
    decided = any(
        each.to == artifact and each.decided is not None and each.decided[0] >= began and not each.cancelled
        for each in view.slot.rollbacks.values()
    )
    return decided or any(each.change == "rollback" and each.start >= began for each in view.lived(artifact))


def _relieved(view: View, artifact: int, incident: Incident, began: int) -> bool:
    """Exoneration, clearing and verification end suspicion."""
    relief = view.last(artifact, "cleared", "verified_good")
    if relief is not None and relief.at >= began:
        return True
    return any(each.kind == "exonerated" and is_named(view, each, artifact) for each in incident.namings)


def _evidence(incident: Incident) -> int | None:
    step = incident.first("declared") or incident.first("detected")
    return step.position if step else None


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
        lived = bool(view.lived(index))
        for reason in [*(_rolled_back(view, index) if lived else []), *_verdicts(view, index)]:
            if approved is None or reason.position is None or when.get(reason.position, approved) > approved:
                yield reason
