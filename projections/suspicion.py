"""
Which versions are suspected, implicated or exonerated in an incident?

Only a person implicates. A suspicion is recorded by somebody, or proposed
here by a named rule, and is never more than that.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections.facts import HOUR
from projections.incident import Naming, Slot, State
from projections.slot import State as SlotState

RULE = "released_within_two_hours_before_impact"
BEFORE_IMPACT = 2 * HOUR

Said = Callable[[int], dict[str, Any]]
"""The reason at a position, and who gives it."""


def proposed(state: State, slots: Iterable[SlotState]) -> Iterator[Naming]:
    """
    What the rule proposes: versions that went live in an affected slot within
    two hours before impact began. A drill blames nobody, nor does planned work.
    """
    began = state.impact_start if state.impact_start is not None else state.began
    if began is None or state.mode != "real" or state.planned:
        return
    for slot in slots:
        for period in slot.periods:
            if began - BEFORE_IMPACT <= period.start <= began:
                version = slot.artifacts[period.artifact].version
                place = (slot.service, slot.environment)
                yield Naming("suspected", place, version, period.start, period.position, rule=RULE)


def versions(state: State, slots: Iterable[SlotState], said: Said) -> list[dict[str, Any]]:
    """
    Every version named, as it stands: the latest recorded implication or
    exoneration goes before any suspicion. What was suspected by whom stays beside it.
    """
    found: dict[tuple[Slot, str], list[Naming]] = {}
    for each in state.namings:
        found.setdefault((each.slot, each.version), []).append(each)
    rules: dict[tuple[Slot, str], Naming] = {}
    for each in proposed(state, slots):
        rules[each.slot, each.version] = each
        found.setdefault((each.slot, each.version), [])
    return [_version(key, namings, rules.get(key), said) for key, namings in found.items()]


def _version(key: tuple[Slot, str], namings: list[Naming], rule: Naming | None, said: Said) -> dict[str, Any]:
    (service, environment), version = key
    judged = [each for each in namings if each.kind != "suspected"]
    standing = next(reversed(judged or namings), rule)
    return {
        "service": service,
        "environment": environment,
        "version": version,
        "standing": standing.kind if standing else None,
        "relation": standing.relation if standing else None,
        "proposed_by_rule": None if rule is None else _told(rule),
        "said": [{"kind": each.kind, **_told(each), **said(each.position)} for each in namings],
    }


def _told(naming: Naming) -> dict[str, Any]:
    return {"rule": naming.rule, "time": rfc3339(from_microseconds(naming.at)), "position": naming.position}
