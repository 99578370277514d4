"""
What does an incident of this severity ask for, and since when?

Shown, never executed: people decide. Another choice is allowed, with a
reason, and is a deviation.
"""

from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections.incident import State

EXPECTED = {
    "SEV-1": "roll back at once, no debate",
    "SEV-2": "roll back or switch the feature off: the on-call person decides",
    "SEV-3": "no rollback; fix in the next release",
}


def expected(severity: str | None) -> str | None:
    """The response that a severity asks for; None where there is no severity."""
    return EXPECTED.get(severity or "")


def reached(incident: State) -> int | None:
    """Since when an active incident has had its severity without a break; None where it is not active."""
    if not incident.active or not incident.spans:
        return None
    return incident.spans[-1].start


def answer(incident: State, at: int) -> dict[str, Any] | None:
    """The expected response with its clock; None where nothing is expected."""
    text, since = expected(incident.severity), reached(incident)
    if text is None or since is None:
        return None
    return {
        "incident": incident.id,
        "severity": incident.severity,
        "text": text,
        "since": rfc3339(from_microseconds(since)),
        "seconds": max(0, at - since) // 1_000_000,
    }
