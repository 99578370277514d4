"""
Where a version went out again against which something stood.

What stands is what the gate asks for, too: a person's verdict, an
implication, or that it was rolled back from; until it is answered.
"""

from collections.abc import Iterator

from projections.audit import Release
from projections.audit_controls import SLACK, as_dated
from projections.finding import Finding, by
from projections.findings_controls import is_for
from projections.findings_scenes import SlotScene
from projections.standing import end_counts, is_named

_Word = tuple[int, int, bool, str, str | None]
"""When, at which position, whether it speaks for the version, why, and for an incident's word which incident."""


RETURNS = ("rollback", "redeploy")
"""What a decision to roll back may be the reason of: it may be for what is current already."""

ROLLED_BACK = "it had been rolled back from"
"""Says nothing of what is current: it has come back since, which is a finding of its own."""


def bad_version_redeployed(scene: SlotScene) -> Iterator[Finding]:
    """
    A version went out against which something stood, and that nobody had approved, cleared or verified since.

    A rollback that somebody decided is their own judgement. Settled by a later clearing or verification.
    """
    words = {each: sorted(_words(scene, each)) for each in _doubted(scene)}
    for release in (*scene.audit.releases, *scene.audit.again) if words else ():
        if release.artifact not in words or release.position in scene.void:
            continue
        said = [each for each in words[release.artifact] if release.kind != "redeploy" or each[3] != ROLLED_BACK]
        against = _standing(said, release)
        if against is not None and not (release.kind in RETURNS and _is_decided(scene, release)):
            later = (each[1] for each in words[release.artifact] if _settles(each, release))
            detail = f"{scene.version(release.artifact)} went out again, and {against[3]}"
            positions, settled_by = [release.position, against[1]], by(next(later, None))
            yield scene.finding("bad_version_redeployed", release.at, positions, detail, settled_by=settled_by)


def _doubted(scene: SlotScene) -> set[int]:
    """The artifacts that anything was ever said against, or that were rolled back from."""
    slot, view = scene.view.slot, scene.view
    found = {each.artifact for each in slot.periods if each.ended_by == "rollback"}
    found |= {each.artifact for each in scene.decided("marked_bad") if each.artifact is not None}
    named = {each.version for one in view.concerned for each in one.namings if each.slot == view.key}
    return found | {index for index, each in enumerate(slot.artifacts) if named and each.version in named}


def _is_decided(scene: SlotScene, release: Release) -> bool:
    return any(
        each.artifact == release.artifact and as_dated(each, release.at, release.position, relieves=True)
        for each in scene.decided("decided")
    )


def _words(scene: SlotScene, artifact: int) -> Iterator[_Word]:
    view, targets = scene.view, scene.view.slot.rollbacks
    for each in scene.audit.decisions:
        on = targets[each.reference].to if each.kind == "verified" and each.reference in targets else each.artifact
        if each.kind == "approved":
            if each.version == scene.version(artifact) and is_for(each, view.slot.artifacts[artifact]):
                yield each.at, each.since, True, "approved", None
        elif on == artifact and each.kind == "marked_bad":
            yield each.at, each.since, False, "a person had marked it bad", None
        elif on == artifact and each.kind in ("cleared", "verified_good", "verified"):
            yield each.at, each.since, True, each.kind, None
    for incident in view.concerned:
        for naming in incident.namings:
            if naming.kind != "suspected" and is_named(view, naming, artifact):
                good = naming.kind == "exonerated"
                yield naming.at, naming.position, good, f"it was implicated in {incident.id}", incident.id
    for period in view.lived(artifact):
        if period.ended_by == "rollback" and period.end is not None and end_counts(view, period):
            yield period.end, period.end_position or 0, False, ROLLED_BACK, None


def _standing(words: list[_Word], release: Release) -> _Word | None:
    """The last word against a version that no later one had answered when it went out."""
    against: list[_Word] = []
    for each in words:
        at, position, good, _, incident = each
        if position >= release.position or at > release.at + (SLACK if good else 0):
            continue
        if not good:
            against.append(each)
        else:
            against = [] if incident is None else [other for other in against if other[4] != incident]
    return against[-1] if against else None


def _settles(word: _Word, release: Release) -> bool:
    _, position, good, kind, _ = word
    return good and kind != "approved" and position > release.position
