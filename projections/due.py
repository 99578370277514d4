"""
By when is something due, and was it done in time?

The due dates of postmortems by severity, and the rule by which findings judge
delays: by dates and by recordings, the longer of the two. Who decided at noon
and dated it back to ten decided at noon.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ledger.values import from_microseconds, instant, microseconds
from projections.audit_controls import Learnt
from projections.incident import State, Step

POSTMORTEM_DAYS = {"SEV-1": 3}
POSTMORTEM_WORKING_DAYS = {"SEV-2": 5}
"""From resolution, by the gravest severity that the incident had."""


def in_time(start: Learnt, end: Learnt, deadline: int) -> bool:
    """Whether something ended by a deadline: by its date, and as long after its start was recorded."""
    return end.at <= deadline and end.recorded - start.recorded <= deadline - start.at


def end_of(due: str) -> int:
    """The moment that a due time names; of a day, its end in UTC."""
    if len(due) > len("2026-11-22"):
        return microseconds(instant(due))
    return microseconds(datetime.combine(date.fromisoformat(due), time.max, UTC))


@dataclass(frozen=True, slots=True)
class Rule:
    """What a postmortem is due by: the gravest severity, the resolution that it counts from, and the moment."""

    severity: str
    resolved: Step
    at: int


def by_severity(state: State) -> Rule | None:
    """By when an incident asks for a postmortem; None where it does not, or not yet."""
    severity = min((each.name for each in state.severities), default="")
    over = state.last("resolved", "closed") if state.counted and state.ended is not None else None
    if over is None or severity not in (*POSTMORTEM_DAYS, *POSTMORTEM_WORKING_DAYS):
        return None
    resolved = state.last("resolved") or over
    return Rule(severity, resolved, deadline(severity, resolved.at))


def deadline(severity: str, resolved: int) -> int:
    """When the postmortem of an incident that was resolved at a moment is due. Working days are those of UTC."""
    moment = from_microseconds(resolved)
    moment += timedelta(days=POSTMORTEM_DAYS.get(severity, 0))
    left = POSTMORTEM_WORKING_DAYS.get(severity, 0)
    while left:
        moment += timedelta(days=1)
        left -= moment.weekday() < 5
    return microseconds(moment)


def postmortem(state: State, asked: str | None) -> int | None:
    """When the postmortem of an incident is due: by its severity, or earlier where its owner was asked for that."""
    rule = by_severity(state)
    found = [end_of(asked)] if asked else []
    return min([*found, *([rule.at] if rule else [])], default=None)
