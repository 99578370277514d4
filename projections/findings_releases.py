"""
Where releases and what runs left the doctrine: versions not deployed, other than they were, older than they should be.
"""

from collections.abc import Iterator
from itertools import pairwise

from projections.audit_controls import as_dated
from projections.finding import Finding, by
from projections.findings_scenes import SlotScene


def released_not_deployed(scene: SlotScene) -> Iterator[Finding]:
    """A release was completed of a version that was not deployed here; its deployment, or what overtook it, settles it."""
    return scene.marked("released_not_deployed")


def same_version_other_digest(scene: SlotScene) -> Iterator[Finding]:
    """A version was installed here again with another digest than it had."""
    slot = scene.view.slot
    if len(slot.artifacts) == len(slot.latest):
        return
    before: dict[str, int] = {}
    for artifact in slot.artifacts:
        if artifact.digest is None or not (artifact.first_live or artifact.installed):
            continue
        at, position = artifact.first_live or artifact.named
        if artifact.version in before:
            detail = f"{artifact.version} has another digest than before"
            yield scene.finding("same_version_other_digest", at, [position, before[artifact.version]], detail)
        before[artifact.version] = position


def stale_overwrite(scene: SlotScene) -> Iterator[Finding]:
    """
    A version that was new here replaced one that was committed later than it.

    Settled once a version goes live that is not older than the replaced one.
    """
    periods = scene.view.slot.periods
    commits = [_committed(scene, each.version) for each in scene.view.slot.artifacts]
    for index, (before, after) in enumerate(pairwise(periods)):
        if after.change != "forward" or before.end_position != after.position:
            continue
        replaced, committed = commits[before.artifact], commits[after.artifact]
        if replaced is None or committed is None or committed >= replaced:
            continue
        later = (periods[each] for each in range(index + 2, len(periods)))
        caught_up = (each.position for each in later if (commits[each.artifact] or 0) >= replaced)
        detail = f"{scene.version(after.artifact)} replaced {scene.version(before.artifact)}, which was committed later than it"
        positions, settled_by = [after.position, before.position], by(next(caught_up, None))
        yield scene.finding("stale_overwrite", after.start, positions, detail, settled_by=settled_by)


def _committed(scene: SlotScene, version: str) -> int | None:
    for origins in (scene.audit.origins, scene.published.origins):
        if (found := origins.get(version)) is not None and found.committed_at is not None:
            return found.committed_at
    return None


def observed_differs(scene: SlotScene) -> Iterator[Finding]:
    """Something else was seen running than is recorded as deployed; from when it is seen no more, it is settled."""
    return scene.marked("observed_differs")


OFF = "feature_disable"
"""What is chosen instead of a rollback, where a feature is switched off."""


def feature_disabled_without_decision(scene: SlotScene) -> Iterator[Finding]:
    """A machine switched a feature off, and no person had decided a response here, or is named for it."""
    responses = [*scene.decided("decided"), *(each for each in scene.decided("declined") if each.reference == OFF)]
    for switch in (each for each in scene.audit.switches if each.alone):
        made = (each for each in responses if as_dated(each, switch.at, switch.position, relieves=True))
        if any(switch.at - each.at < switch.validity or each.incident == (switch.incident or "") for each in made):
            continue
        detail = f"{switch.feature} was switched off, and nobody had decided it"
        yield scene.finding(
            "feature_disabled_without_decision", switch.at, [switch.position], detail, incident=switch.incident
        )
