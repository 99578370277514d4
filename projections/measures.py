"""
How long did it take: to detect, declare, acknowledge, decide, execute, verify, mitigate, resolve?

Each measure is the difference of two named times, with the positions that say
so. Where either is unknown the measure is missing: nothing is imputed, and
nothing put right that contradicts itself, so that one may be negative.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.events import RollbackDecided, RollbackDeclined
from ledger.values import from_microseconds, rfc3339
from projections import spans
from projections.facts import Fact
from projections.incident import GRAVE, State, Step
from projections.slot import Rollback

Moment = tuple[int, int]
"""A time in microseconds, and the position that says so."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What lies between two named times, each None while unknown."""

    start_name: str
    end_name: str
    start: Moment | None
    end: Moment | None

    @property
    def microseconds(self) -> int | None:
        return None if self.start is None or self.end is None else self.end[0] - self.start[0]

    def json(self) -> dict[str, Any]:
        length = self.microseconds
        return {
            "seconds": None if length is None else spans.seconds(length),
            "from": _json(self.start_name, self.start),
            "to": _json(self.end_name, self.end),
        }


def _json(name: str, moment: Moment | None) -> dict[str, Any]:
    time, position = (None, None) if moment is None else (rfc3339(from_microseconds(moment[0])), moment[1])
    return {"name": name, "time": time, "position": position}


def measures(state: State, decisions: Iterable[Fact], rollbacks: Sequence[Rollback]) -> dict[str, Measure]:
    """
    The eight measures of an incident, given the decisions to roll back or not
    that belong to it, and the rollbacks.
    """
    began, over = _impact(state)
    detected, declared = _moment(state.first("detected")), _moment(state.first("declared"))
    grave, decided = _to_decide(state, decisions)
    return {
        "time_to_detect": Measure("first impact start", "detected", began, detected),
        "time_to_declare": Measure("detected", "declared", detected, declared),
        "time_to_acknowledge": Measure("declared", "acknowledged", declared, _moment(state.first("acknowledged"))),
        "time_to_decide": Measure("SEV-1 or SEV-2 reached", "rollback decided or declined", grave, decided),
        "time_to_execute": _pair(rollbacks, "decided", "succeeded"),
        "time_to_verify": _pair(rollbacks, "succeeded", "verified"),
        "time_to_mitigate": Measure("first impact start", "last impact end", began, over),
        "time_to_resolve": Measure("declared", "last resolved", declared, _moment(state.last("resolved"))),
    }


def _moment(step: Step | None) -> Moment | None:
    return None if step is None else (step.at, step.position)


def _impact(state: State) -> tuple[Moment | None, Moment | None]:
    """The first start and the last end of impact; no end while any window is open."""
    starts = [(each.start, each.start_position or 0) for each in state.windows if each.start is not None]
    ends = [(each.end, each.end_position or 0) for each in state.windows if each.end is not None]
    return min(starts, default=None), max(ends) if ends and len(ends) == len(state.windows) else None


def _to_decide(state: State, decisions: Iterable[Fact]) -> tuple[Moment | None, Moment | None]:
    """When it first was SEV-1 or SEV-2, and the first decision from then on; one made before, where there is no other."""
    grave = next((_moment(each) for each in state.severities if each.name in GRAVE), None)
    made = sorted(each.key for each in decisions if isinstance(each.event, RollbackDecided | RollbackDeclined))
    after = [each for each in made if grave is None or each[0] >= grave[0]]
    return grave, next(iter(after or made), None)


def _pair(rollbacks: Sequence[Rollback], start: str, end: str) -> Measure:
    """Two steps of one rollback: of the first that took both, else of the first that took the first."""
    begun = sorted((each for each in rollbacks if getattr(each, start)), key=lambda each: _step(each, start))
    found = next((each for each in begun if getattr(each, end)), begun[0] if begun else None)
    moments = (None, None) if found is None else (getattr(found, start), getattr(found, end))
    return Measure(f"rollback {start}", f"rollback {end}", *moments)


def _step(rollback: Rollback, name: str) -> Moment:
    found: Moment = getattr(rollback, name)
    return found
