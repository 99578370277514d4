"""
Which rollbacks were decided, and what became of each: decided, executed, observed, verified.

The four are told apart, each with its moment and position. A decision is
pending only while it is the newest in its slot, the slot's current version
has not changed since, it is younger than the environment's `valid_minutes`,
and no pipeline holds a claim on it: so that a runner which comes back two
days later never rolls back a healthy release.
"""

from typing import Any

from sqlite_utils import Database

from ledger.values import from_microseconds, rfc3339, stream_name
from projections.facts import MINUTE
from projections.returns import newest
from projections.slot import Rollback, State
from projections.view import View

CLAIM_HOLDS = 10 * MINUTE
"""A claim without progress lapses after this."""

Step = tuple[int, int]

STATES = "pending claimed undecided succeeded verified ineffective failed cancelled superseded reached lapsed".split()


def create(db: Database) -> None:
    """Which slots have rollbacks, so that nobody has to look through all slots for them."""
    columns = {"stream": str, "rollback_id": str, "plan": str, "incident": str}
    db.table("decisions").create(columns, pk=("stream", "rollback_id"), if_not_exists=True)
    db.table("decisions").create_index(["plan"], if_not_exists=True)


def write(db: Database, state: State) -> None:
    stream = stream_name("slot", state.service, state.environment)
    rows = [(stream, each.rollback_id, each.plan, each.incident) for each in state.rollbacks.values()]
    if rows:
        db.conn.executemany("INSERT OR REPLACE INTO decisions VALUES (?,?,?,?)", rows)


def slots(db: Database, plan: str | None = None) -> list[str]:
    """The streams of the slots in which a rollback was ever recorded, or those of one plan."""
    where, values = ("WHERE plan = ?", [plan]) if plan is not None else ("", [])
    found = db.execute(f"SELECT DISTINCT stream FROM decisions {where} ORDER BY stream", values)  # noqa: S608
    return [row[0] for row in found.fetchall()]


def status(view: View, rollback: Rollback) -> str:
    """What became of a rollback, in one word of `STATES`."""
    settled = _settled(rollback)
    if settled is not None:
        return settled
    if rollback.starts and view.at - rollback.starts[-1][0] < CLAIM_HOLDS:
        return "claimed"
    if rollback.decided is None:
        return "undecided"
    if rollback is not newest(view.slot):
        return "superseded"
    validity, current = view.environment.settings.validity(view.slot.service), view.slot.current
    unchanged = rollback.from_version == (view.slot.artifacts[current.artifact].version if current else None)
    return "pending" if unchanged and view.at - rollback.decided[0] < validity else "lapsed"


def _settled(rollback: Rollback) -> str | None:
    """What no passing of time changes any more; a later step of execution goes before an earlier failure."""
    if rollback.verified or rollback.ineffective:
        return "verified" if (rollback.verified or (0, 0)) > (rollback.ineffective or (0, 0)) else "ineffective"
    if rollback.succeeded and rollback.succeeded > (rollback.failed or (-1, 0)):
        return "succeeded"
    if rollback.cancelled:
        return "cancelled"
    if rollback.reached:
        return "reached"
    if rollback.overtaken:
        return "lapsed"
    if rollback.failed and rollback.failed > (rollback.starts[-1] if rollback.starts else (-1, 0)):
        return "failed"
    return None


def pending(view: View) -> Rollback | None:
    """The decision that a pipeline may execute now."""
    found = newest(view.slot)
    return found if found is not None and status(view, found) == "pending" else None


def valid(view: View, version: str) -> Rollback | None:
    """The valid decision, claimed or not, whose target a version is."""
    for each in view.slot.rollbacks.values():
        targets = each.decided and view.slot.artifacts[each.to].version == version
        if targets and status(view, each) in ("pending", "claimed"):
            return each
    return None


def observed(view: View, rollback: Rollback) -> Step | None:
    """When the target was last observed running, after it was reached; None where no observation says so."""
    seen, target = view.slot.observed, view.slot.artifacts[rollback.to]
    since = rollback.succeeded or rollback.reached
    if seen is None or since is None or seen.at < since[0]:
        return None
    running = any(version == target.version and digest in (None, target.digest) for version, digest, _ in seen.running)
    return (seen.at, seen.position) if running else None


def is_observed(view: View) -> bool:
    """Whether observation can be asked of the slot: only where there is an observer."""
    return bool(view.environment.settings.of(view.slot.service, "observed")) or view.slot.observed is not None


def answer(view: View, rollback: Rollback) -> dict[str, Any]:
    """One decision as readers get it."""
    target, claim = view.slot.artifacts[rollback.to], rollback.starts[-1] if rollback.starts else None
    state = status(view, rollback)
    return {
        "rollback_id": rollback.rollback_id,
        "service": view.slot.service,
        "environment": view.slot.environment,
        "from_version": rollback.from_version,
        "to_version": target.version,
        "to_digest": target.digest,
        "reason": rollback.reason,
        "decided_by": rollback.decided_by,
        "incident": rollback.incident,
        "plan": rollback.plan,
        "position": rollback.decided[1] if rollback.decided else None,
        "state": state,
        "age_seconds": (view.at - rollback.decided[0]) // 1_000_000 if rollback.decided else None,
        "decided": step_json(rollback.decided),
        "claimed": step_json(claim),
        "claim_lapses": rfc3339(from_microseconds(claim[0] + CLAIM_HOLDS)) if claim and state == "claimed" else None,
        "executed": step_json(rollback.succeeded),
        "failed": step_json(rollback.failed),
        "reached": step_json(rollback.reached),
        "observed": step_json(observed(view, rollback)) if is_observed(view) else "no observer",
        "verified": step_json(rollback.verified),
        "ineffective": step_json(rollback.ineffective),
        "cancelled": step_json(rollback.cancelled),
    }


def step_json(step: Step | None) -> dict[str, Any] | None:
    return None if step is None else {"time": rfc3339(from_microseconds(step[0])), "position": step[1]}


def all_of(view: View) -> list[Rollback]:
    """A slot's rollbacks, the newest first."""
    return sorted(view.slot.rollbacks.values(), key=_begun, reverse=True)


def _begun(rollback: Rollback) -> Step:
    steps = (rollback.decided, *rollback.starts, rollback.succeeded, rollback.failed)
    return min((each for each in steps if each is not None), default=(0, 0))
