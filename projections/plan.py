"""
What would returning a whole environment to a moment change?

Real organisations return many services at once, and the version live at one
common moment is nearly always what they go back to. A plan is an answer, and
changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from projections.last_known_good import assess
from projections.slot import State
from projections.view import Reason, View


@dataclass(frozen=True, slots=True)
class Item:
    """One slot that would change: its artifacts (version, digest) now and then, and what is against going back."""

    service: str
    now: tuple[str, str | None] | None
    then: tuple[str, str | None]
    blockers: list[Reason]
    warnings: list[Reason]


@dataclass(slots=True)
class Plan:
    items: list[Item] = field(default_factory=list)
    appeared: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0


def plan(slots: Iterable[tuple[View, State]]) -> Plan:
    """
    From each slot as it is now and its state at the moment to return to.

    Services that were not there then (`appeared`), and those that are removed
    by now (`removed`), are listed apart: neither is a rollback.
    """
    found = Plan()
    for view, before in sorted(slots, key=lambda each: each[0].slot.service):
        now, then = live(view.slot), live(before)
        if then is None:
            found.appeared += [view.slot.service] if now is not None else []
        elif now is None:
            found.removed.append(view.slot.service)
        elif (index := _artifact(view, then)) is not None and index == _current(view):
            found.unchanged += 1
        else:
            found.items.append(_item(view, now, then, index))
    return found


def live(state: State) -> tuple[str, str | None] | None:
    current = state.current
    if current is None:
        return None
    artifact = state.artifacts[current.artifact]
    return artifact.version, artifact.digest


def _current(view: View) -> int | None:
    return view.slot.current.artifact if view.slot.current else None


def _item(view: View, now: tuple[str, str | None], then: tuple[str, str | None], index: int | None) -> Item:
    if index is None:
        unproven = Reason("never_live", "nothing that still counts says that it was live here")
        return Item(view.slot.service, now, then, [unproven], [])
    candidate = assess(view, index)
    return Item(view.slot.service, now, then, candidate.blockers, candidate.warnings)


def _artifact(view: View, wanted: tuple[str, str | None]) -> int | None:
    """The artifact as known now; a digest that was not known then may have been learnt since."""
    version, digest = wanted
    for index, each in enumerate(view.slot.artifacts):
        if each.version == version and (digest is None or each.digest in (None, digest)) and view.lived(index):
            return index
    return None


def answer(found: Plan, environment: str) -> dict[str, Any]:
    """The plan as JSON, without its frame."""
    return {
        "items": [
            {
                "service": item.service,
                "environment": environment,
                "from": _artifact_json(item.now),
                "to": _artifact_json(item.then),
                "blockers": [reason.json() for reason in item.blockers],
                "warnings": [reason.json() for reason in item.warnings],
            }
            for item in found.items
        ],
        "count": len(found.items),
        "unchanged": found.unchanged,
        "appeared": found.appeared,
        "removed": found.removed,
    }


def _artifact_json(artifact: tuple[str, str | None] | None) -> dict[str, str | None] | None:
    return None if artifact is None else {"version": artifact[0], "digest": artifact[1]}
