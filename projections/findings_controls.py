"""
Where releases went past a control: approval, stages, freezes.

What was decided counts as the ledger knew it (`projections.audit_controls`).
A return to an earlier version is held against other rules
(`projections.findings_rollbacks`): nothing here stands in the way of recovery.
"""

from collections.abc import Iterator

from ledger.values import stream_name
from projections.audit import Decision, Release
from projections.audit_controls import WAYS, Way, as_dated, freeze, mentions, setting
from projections.finding import Finding, by
from projections.findings_scenes import SlotScene
from projections.slot import Artifact, State


def released(scene: SlotScene) -> Iterator[Release]:
    """The releases that controls are for."""
    for release in scene.audit.releases:
        if release.kind != "rollback" and release.position not in scene.void:
            yield release


def approvals(scene: SlotScene, release: Release, way: Way) -> list[Decision]:
    """The approvals of a release's version that stood when it went out, for whatever digest."""
    return in_force(scene, scene.version(release.artifact), release.at, release.position, way)


def in_force(scene: SlotScene, version: str, at: int, position: int, way: Way) -> list[Decision]:
    """
    The approvals of a version that stood when something happened at a moment, and was recorded at a position.

    The last of each person for each digest; a revocation that names no digest is for all of them.
    """
    standing: dict[tuple[str | None, str | None], Decision] = {}
    for each in scene.approvals.get(version, ()):
        granted = each.kind == "approved"
        if not way(each, at, position, granted):
            continue
        if granted:
            standing[each.digest, each.person] = each
        else:
            gone = [key for key in standing if each.digest in (None, key[0])]
            for key in gone:
                del standing[key]
    return sorted(standing.values(), key=lambda each: each.since)


def is_for(approval: Decision, artifact: Artifact) -> bool:
    return None in (approval.digest, artifact.digest) or approval.digest == artifact.digest


def release_without_approval(scene: SlotScene) -> Iterator[Finding]:
    """A version went out where approval was asked for, and nobody had given it."""
    if not mentions(scene.controls, "approval_required"):
        return
    for release in released(scene):
        if any(_is_asked(scene, release, way) and not approvals(scene, release, way) for way in WAYS):
            version = scene.version(release.artifact)
            later = [each for each in scene.approvals.get(version, ()) if each.kind == "approved"]
            since = f"; it was approved only afterwards, at {later[0].position}" if later else ""
            detail = f"{version} went out, and nobody had approved it{since}"
            yield scene.finding("release_without_approval", release.at, [release.position], detail)


def _is_asked(scene: SlotScene, release: Release, way: Way) -> bool:
    asked, _ = setting(scene.controls, scene.service, "approval_required", release.at, release.position, way)
    return asked is True


def approval_for_other_digest(scene: SlotScene) -> Iterator[Finding]:
    """A version went out whose approvals were all for other digests of it."""
    for release in released(scene) if scene.approvals else ():
        artifact = scene.view.slot.artifacts[release.artifact]
        for way in WAYS:
            standing = approvals(scene, release, way)
            if standing and not any(is_for(each, artifact) for each in standing):
                positions = [release.position, standing[-1].position]
                detail = f"{artifact.version} went out with another digest than was approved"
                yield scene.finding("approval_for_other_digest", release.at, positions, detail)
                break


def approved_by_author(scene: SlotScene) -> Iterator[Finding]:
    """A version went out that only who wrote it had approved."""
    for release in released(scene) if scene.approvals else ():
        version = scene.version(release.artifact)
        origins = (scene.audit.origins.get(version), scene.published.origins.get(version))
        authors = [each.author for each in origins if each and each.author]
        yield from _approved_alone(scene, release, "approved_by_author", authors, "wrote it")


def approved_by_deployer(scene: SlotScene) -> Iterator[Finding]:
    """A version went out that only who released it had approved."""
    for release in released(scene) if scene.approvals else ():
        yield from _approved_alone(scene, release, "approved_by_deployer", release.people, "released it")


def _approved_alone(scene: SlotScene, release: Release, rule: str, people: list[str], did: str) -> Iterator[Finding]:
    """Where all approvals were by the same people, and nobody else had seconded one; a later second settles it."""
    inquiry, artifact = scene.inquiry, scene.view.slot.artifacts[release.artifact]
    for way in WAYS if people else ():
        standing = [each for each in approvals(scene, release, way) if is_for(each, artifact)]
        if not standing or not all(any(inquiry.same(each.person, one) for one in people) for each in standing):
            continue
        seconds = [found for each in standing if (found := inquiry.seconded(each)) is not None]
        if any(each < release.position for each in seconds):
            continue
        positions = [release.position, *(each.position for each in standing)]
        detail = f"{artifact.version} went out, approved by nobody but who {did}"
        yield scene.finding(rule, release.at, positions, detail, settled_by=by(min(seconds, default=None)))
        return


def skipped_stage(scene: SlotScene) -> Iterator[Finding]:
    """A version that was new here went out, and had never been live where the environment is promoted from."""
    if not mentions(scene.controls, "promotes_from"):
        return
    for release in released(scene):
        origin, _ = setting(scene.controls, scene.service, "promotes_from", release.at, release.position)
        if origin in (None, scene.environment) or release.kind == "return_forward":
            continue
        before: State = scene.inquiry.reader.state(stream_name("slot", scene.service, origin))
        artifact = scene.view.slot.artifacts[release.artifact]
        if not any(_was_live(each, artifact, release.at) for each in before.artifacts):
            detail = f"{artifact.version} went out, and had never been live in {origin}"
            yield scene.finding("skipped_stage", release.at, [release.position], detail)


def _was_live(there: Artifact, artifact: Artifact, at: int) -> bool:
    same = there.version == artifact.version and (
        None in (there.digest, artifact.digest) or there.digest == artifact.digest
    )
    return same and there.first_live is not None and there.first_live[0] <= at


def released_during_freeze(scene: SlotScene) -> Iterator[Finding]:
    """A version went out, or on its way to more users, while the environment was frozen for it."""
    for release in released(scene) if scene.controls.freezes else ():
        if _is_remedy(scene, release):
            continue
        steps = ((step, way) for step in release.steps for way in WAYS)
        held = ((step, freeze(scene.controls, scene.service, *step, way)) for step, way in steps)
        if (found := next(((step, each) for step, each in held if each is not None), None)) is not None:
            (at, position), standing = found
            detail = f"{scene.version(release.artifact)} went out while {scene.environment} was frozen"
            yield scene.finding("released_during_freeze", at, [position, standing.position], detail)


def _is_remedy(scene: SlotScene, release: Release) -> bool:
    """Whether its approval named an incident that was active here: such a release passes the gate."""
    named = {each.incident for each in approvals(scene, release, as_dated)} - {None}
    return any(
        span.start <= release.at and (span.end is None or release.at < span.end)
        for incident in (scene.view.incidents if named else ())
        if incident.id in named and scene.view.key in incident.affected
        for span in incident.spans
    )
