"""
How far is the last rollback: decided, carried out, effective; and was it the one that was decided?

What became of it is one word, each told apart from the others: a rollback
that was decided and never carried out, one that nobody decided, one that went
elsewhere than was decided, and one that did not help.
"""

from typing import Any

from projections import decisions
from projections.facts import HOUR
from projections.returns import newest
from projections.slot import Period, Rollback
from projections.view import View

NEWS = 24 * HOUR
"""What became of a rollback is told for so long, longer only while it matters."""

Told = tuple[Rollback | None, str, Period | None]
"""A rollback, what became of it, and the live period that nobody had decided or that went elsewhere."""


def told(view: View) -> Told | None:
    """
    The last rollback, decided or not, while it is news: to be carried out, of
    an active incident, or begun within a day.

    Beyond the states of `projections.decisions`: `undecided` is one that
    happened and that nobody decided, `other_version` one that went elsewhere
    than was decided.
    """
    last = next(iter(decisions.all_of(view)), None)
    went = next((each for each in reversed(view.slot.periods) if each.change == "rollback"), None)
    decided = newest(view.slot)
    if went is not None and decided is not None and _is_other(view, decided, went):
        return (decided, "other_version", went) if _is_news(view, decided, went.start) else None
    if went is not None and went.rollback_id is None and (last is None or _begun(last) < went.start):
        return (None, "undecided", went) if _is_news(view, None, went.start) else None
    if last is None:
        return None
    state = _outcome(view, last)
    fresh = state in ("pending", "claimed") or _is_news(view, last, _begun(last))
    return (last, state, None) if fresh else None


def _is_other(view: View, decided: Rollback, went: Period) -> bool:
    """Whether a return went elsewhere than a decision that was valid then."""
    if went.rollback_id == decided.rollback_id:
        return went.artifact != decided.to
    valid = view.environment.settings.validity(view.slot.service)
    fresh = decided.decided is not None and went.start - decided.decided[0] < valid
    return fresh and decided.overtaken == (went.start, went.position)


def _begun(rollback: Rollback) -> int:
    steps = (rollback.decided, *rollback.starts, rollback.succeeded, rollback.failed)
    return min((each[0] for each in steps if each is not None), default=0)


def _is_news(view: View, rollback: Rollback | None, begun: int) -> bool:
    ongoing = {each.id for each in view.incidents if each.active and view.key in each.affected}
    return view.at - begun < NEWS or (rollback is not None and rollback.incident in ongoing)


def _outcome(view: View, rollback: Rollback) -> str:
    state = decisions.status(view, rollback)
    if state not in ("reached", "succeeded"):
        return state
    return "undecided" if rollback.decided is None else "target_reached"


def answer(view: View, told: Told | None) -> dict[str, Any] | None:
    """The rollback as readers get it: `told` is what became of it, in one word."""
    if told is None:
        return None
    rollback, state, went = told
    found = _NOTHING if rollback is None else decisions.answer(view, rollback)
    if rollback is None and went is not None:
        step = decisions.step_json((went.start, went.position))
        found = {**found, "executed": step, "age_seconds": (view.at - went.start) // 1_000_000}
    version = None if went is None else view.slot.artifacts[went.artifact].version
    return {
        **found,
        "service": view.slot.service,
        "environment": view.slot.environment,
        "told": state,
        "went_to": version,
    }


_NOTHING: dict[str, Any] = dict.fromkeys(
    "rollback_id service environment from_version to_version to_digest reason decided_by incident plan position state "
    "age_seconds decided claimed claim_lapses executed failed reached observed verified ineffective cancelled".split()
)
"""A rollback of which nothing was said."""
