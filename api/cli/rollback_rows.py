"""
How far a rollback is, in words: decided, carried out, verified are three things, and read differently.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.cli import ages
from api.cli.screen import Row, row


def rows(found: Mapping[str, Any]) -> Iterator[Row]:
    rollback = found["rollback"]
    if rollback is None:
        return
    yield row(*_told(rollback, found), whole=True)
    if rollback["reason"]:
        yield row(("because: ", "dim"), rollback["reason"])


def _told(rollback: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str | tuple[str, str], ...]:
    """What became of it: what was decided, carried out, verified, each in its own words."""
    to, by = rollback["to_version"] or "", rollback["decided_by_name"] or rollback["decided_by"]
    decided = _step(rollback, "decided", found)
    said = f"to {to}, decided {decided}{f' by {by}' if by else ''}" if decided else f"to {to}"
    done = _step(rollback, "executed", found) or _step(rollback, "reached", found)
    match rollback["told"]:
        case "pending":
            return ("decided", "bold yellow"), f", not carried out: {said}; no pipeline has claimed it"
        case "claimed":
            claimed = _step(rollback, "claimed", found)
            return ("being carried out", "bold yellow"), f": {said}; claimed {claimed}"
        case "target_reached":
            seen = _step(rollback, "observed", found)
            observed = f", observed {seen}" if seen else ""
            return ("target reached", "bold green"), f" {done}{observed}, not yet verified: {said}"
        case "verified":
            return ("verified", "bold green"), f" {_step(rollback, 'verified', found)}: {said}"
        case "ineffective":
            return ("did not help", "bold red"), f", as found {_step(rollback, 'ineffective', found)}: {said}"
        case "failed":
            return ("failed", "bold red"), f" {_step(rollback, 'failed', found)}: {said}"
        case "lapsed":
            return ("decided, never carried out", "bold red"), f", and lapsed: {said}"
        case "undecided":
            gone = rollback["went_to"] or to
            return ("nobody decided it", "bold red"), f": went back to {gone} {done or ''}"
        case "other_version":
            return ("went elsewhere", "bold red"), f": to {rollback['went_to']}, not {said}"
    return (rollback["told"], "bold"), f": {said}"


def _step(rollback: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> str | None:
    step = rollback[name]
    return ages.ago(step["time"], found) if isinstance(step, Mapping) else None
