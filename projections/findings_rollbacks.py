"""
Where what was carried out left the doctrine: nobody had decided it, something else was, or it was begun twice.

A decision counts where the ledger learnt of it before it learnt of what was
carried out: one that is dated back afterwards covers nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from projections.audit import Decision
from projections.audit_controls import as_dated
from projections.finding import Finding, by
from projections.findings_scenes import SlotScene

Step = tuple[int, int]
"""A moment and a position."""

ENDS = ("cancelled", "declined")
"""Decisions by which one to roll back no longer holds."""


@dataclass(frozen=True, slots=True)
class Return:
    """An earlier version was brought back, or that was begun: by which steps, from which moment on, by which rollback."""

    version: str
    steps: tuple[Step, ...]
    rollback_id: str | None

    @property
    def at(self) -> int:
        return self.steps[0][0]

    @property
    def positions(self) -> list[int]:
        return [position for _, position in self.steps]


def returns(scene: SlotScene) -> list[Return]:
    """Every return to an earlier version: by the steps of a rollback, or by a deployment or release."""
    found: dict[str, list[Step]] = {}
    version: dict[str, str] = {}
    for each in scene.audit.executions:
        found.setdefault(each.rollback_id, []).append((each.at, each.position))
        version[each.rollback_id] = each.version
    own = {position for steps in found.values() for _, position in steps}
    made = [Return(version[name], tuple(sorted(steps)), name) for name, steps in found.items()]
    for period in scene.view.slot.periods:
        if period.change == "rollback" and period.position not in own and period.rollback_id not in found:
            step = (period.start, period.position)
            made.append(Return(scene.version(period.artifact), (step,), period.rollback_id))
    return sorted(made, key=lambda each: each.steps)


def decision_for(scene: SlotScene, made: Return) -> Decision | None:
    """The decision of a rollback that was known when it was begun, else the first that came afterwards."""
    of_it = [each for each in scene.decided("decided") if each.reference == made.rollback_id]
    known = [each for each in of_it if as_dated(each, *made.steps[0], relieves=True)]
    return next(iter(known[::-1] or of_it), None)


def decision_that_held(scene: SlotScene, made: Return) -> Decision | None:
    """The newest decision in the slot, where it was still to be carried out when an earlier version came back."""
    slot, (at, position) = scene.view.slot, made.steps[0]
    known = [each for each in scene.decided("decided") if as_dated(each, at, position, relieves=True)]
    newest = max(known, key=lambda each: each.moment, default=None)
    if newest is None or _ended(scene, newest, at, position):
        return None
    rollback = slot.rollbacks[newest.reference or ""]
    ends = [each for each in (rollback.succeeded, rollback.reached, rollback.overtaken) if each is not None]
    over = any(each < (at, position) for each in ends)
    return None if over or at - newest.at >= slot.settings.validity(scene.service) else newest


def rollback_without_decision(scene: SlotScene) -> Iterator[Finding]:
    """An earlier version came back, and nobody had decided it, or no decision held any more."""
    for each in returns(scene):
        decision = decision_for(scene, each)
        if decision is None and decision_that_held(scene, each) is not None:
            continue
        if (why := _undecided(scene, each, decision)) is not None:
            positions = each.positions + ([decision.position] if decision else [])
            incident = decision.incident if decision else None
            detail = f"{each.version} was brought back, and {why}"
            yield scene.finding("rollback_without_decision", each.at, positions, detail, incident=incident)


def _undecided(scene: SlotScene, made: Return, decision: Decision | None) -> str | None:
    at, position = made.steps[0]
    if decision is None:
        return "nobody had decided it"
    if not as_dated(decision, at, position, relieves=True):
        return "its decision was recorded only afterwards"
    if _ended(scene, decision, at, position) is not None:
        return "its decision had been called off"
    if _is_superseded(scene, made, decision):
        return "its decision had been superseded"
    if (validity := _validity(scene, made)) is not None and at - decision.at >= validity:
        return "its decision had lapsed"
    return None


def _is_superseded(scene: SlotScene, made: Return, decision: Decision) -> bool:
    """Whether a newer decision, for another version, was known when a rollback was begun."""
    newer = (each for each in scene.decided("decided") if each.moment > decision.moment)
    known = (each for each in newer if as_dated(each, *made.steps[0], relieves=False))
    return any(each.reference != decision.reference and each.version != made.version for each in known)


def _validity(scene: SlotScene, made: Return) -> int | None:
    """How long decisions were valid when a rollback was begun; a return that a decision waited for was in time."""
    found = (each.validity for each in scene.audit.executions if each.rollback_id == made.rollback_id)
    return next(found, None)


def _ended(scene: SlotScene, decision: Decision, at: int, position: int) -> Decision | None:
    """What called a decision off before a step."""
    for each in scene.decided(*ENDS):
        about = each.reference == decision.reference if each.kind == "cancelled" else each.moment > decision.moment
        if about and as_dated(each, at, position, relieves=False):
            return each
    return None


def rollback_other_than_decided(scene: SlotScene) -> Iterator[Finding]:
    """Another version came back than was decided. Settled once the decided one does, or a person verifies what did."""
    for each in returns(scene):
        decision = decision_for(scene, each) or decision_that_held(scene, each)
        if decision is None or not _differs(scene, each, decision):
            continue
        settled_by = [
            verified.position for verified in scene.decided("verified") if verified.reference == each.rollback_id
        ]
        settled_by += _reached(scene, decision.version, each.steps[-1])
        detail = f"{each.version} was brought back, and {decision.version} was decided"
        yield scene.finding(
            "rollback_other_than_decided",
            each.at,
            [*each.positions, decision.position],
            detail,
            incident=decision.incident,
            settled_by=by(min(settled_by, default=None)),
        )


def _differs(scene: SlotScene, made: Return, decision: Decision) -> bool:
    """Whether another version came back, or one of its steps named another version or digest, than was decided."""
    steps = [each for each in scene.audit.executions if each.rollback_id == made.rollback_id]
    digests = {each.digest for each in steps} - {None}
    if decision.digest is not None and digests - {decision.digest}:
        return True
    return any(version != decision.version for version in (made.version, *(each.version for each in steps)))


def _reached(scene: SlotScene, version: str | None, after: Step) -> list[int]:
    """Where a version went live after a step."""
    periods = (each for each in scene.view.slot.periods if (each.start, each.position) > after)
    return [each.position for each in periods if scene.version(each.artifact) == version][:1]


def rollback_started_twice(scene: SlotScene) -> Iterator[Finding]:
    """A rollback was begun by two, or again after it had succeeded. A person's verification settles it."""
    names = {each.position: each.rollback_id for each in scene.audit.executions}
    for found in scene.marked("rollback_started_twice"):
        name = names[found.positions[0]]
        verified = (
            each.position for each in scene.decided("verified") if each.reference == name and each.at >= found.at
        )
        found.settled_by = by(next(verified, None))
        yield found
