"""
Who decided something, who carried it out, and from when a decision counts.

For controls a decision counts from its recording, whatever its date: else
yesterday's date on today's approval would do. What was redacted speaks for
nobody, and so neither makes a finding nor takes one away.
"""

from dataclasses import fields

from ledger.values import microseconds
from projections.facts import Fact

REDACTED = "[redacted]"
"""What stands where words were taken out of the record."""

CLAIMED = ("actor", "user_login")
"""The claims of a CI identity that name the person behind a run: GitHub's, and GitLab's."""

_ASIDE = frozenset("reason evidence labels change_ticket title text".split())
"""Members that a correction may change without changing what was decided."""


def person(fact: Fact) -> str | None:
    """Who decided, else the person who submitted; None where that is not known."""
    named = fact.event.decided_by
    if named is None or named == REDACTED:
        submitter = fact.recorded.submitter
        return submitter.id if submitter.kind == "human" and named is None else None
    return named


def carriers(fact: Fact) -> list[str]:
    """The people behind what was carried out: who submitted it, or started the run that did."""
    submitter = fact.recorded.submitter
    found = [submitter.id] if submitter.kind == "human" else []
    found += [submitter.claims[name] for name in CLAIMED if name in submitter.claims]
    named = fact.event.decided_by
    return [*found, named] if named not in (None, REDACTED) else found


def recorded(fact: Fact) -> int:
    """When the ledger learnt it, in microseconds."""
    return microseconds(fact.recorded.recorded_at)


def since(fact: Fact) -> int:
    """The position from which it counts: its own, or that of the correction that made it what it is."""
    was, now = fact.recorded.event, fact.event
    if not fact.amended_by or type(was) is not type(now):
        return fact.position
    decided = (each.name for each in fields(now) if each.name not in _ASIDE)
    return max(fact.amended_by) if any(getattr(was, name) != getattr(now, name) for name in decided) else fact.position
