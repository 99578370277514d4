"""
What makes a change of the current version a rollback, a return forward, a restore or simply the next version.

Direction is never read from version strings: it is a rollback that says so,
the target of one that was decided, or a version that was live here before the
one it replaces was.
"""

from projections.slot import Change, Period, Rollback, State


def kind(
    state: State, current: Period | None, artifact: int, change: Change, rollback_id: str | None
) -> tuple[str, str | None]:
    """How the current version changes, and by which rollback."""
    if current is None:
        return ("restore" if state.periods else "first"), None
    if rollback_id is not None:
        return "rollback", rollback_id
    if (waiting := awaited(state, current, artifact, change.at)) is not None:
        return "rollback", waiting.rollback_id
    first = state.artifacts[artifact].first_live
    if first is None:
        return "forward", None
    replaced = state.artifacts[current.artifact].first_live
    return ("rollback" if replaced is not None and first < replaced else "return_forward"), None


def awaited(state: State, current: Period, artifact: int, at: int) -> Rollback | None:
    """The rollback whose target is reached: one that was started, or the newest decision."""
    validity, last = state.settings.validity(state.service), newest(state)
    for each in reversed(state.rollbacks.values()):
        if state.artifacts[each.to].version != state.artifacts[artifact].version:
            continue
        if (each.starts or each is last) and each.awaits(at, validity, state.artifacts[current.artifact].version):
            return each
    return None


def newest(state: State) -> Rollback | None:
    """The decision that was made last in a slot; it supersedes older ones that nobody started."""
    decided = [each for each in state.rollbacks.values() if each.decided is not None]
    return max(decided, key=lambda each: each.decided or (0, 0), default=None)


def follow(state: State, artifact: int, change: Change) -> None:
    """Rollbacks that wait learn that their target is reached, or that something else went live."""
    moment = (change.at, change.position)
    for each in state.rollbacks.values():
        if each.reached or each.overtaken:
            continue
        if state.artifacts[each.to].version == state.artifacts[artifact].version:
            each.reached = moment
        elif not each.succeeded:
            each.overtaken = moment
