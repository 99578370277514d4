"""
Which controls held in an environment when: approval, stages, freezes.

A fold over the events of one environment, beside its state. It keeps each
decision with the moment at which the ledger learnt it, since that is from
when it counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ledger.events import EnvironmentConfigured, EnvironmentFrozen, EnvironmentUnfrozen
from ledger.values import instant, microseconds
from projections import said
from projections.environment import SOAK_MINUTES, VALID_MINUTES
from projections.facts import MINUTE, Fact

SLACK = MINUTE
"""
A pipeline's clock and the ledger's may differ by so much, or its times be cut
to the second: what was recorded before it is not held to have come after it.
"""

CONTROLS = ("approval_required", "promotes_from", "soak_minutes", "valid_minutes", "observed", "tier")
"""The settings that keep something from happening, or have it seen."""

DEFAULTS = {
    "approval_required": False,
    "observed": False,
    "soak_minutes": SOAK_MINUTES,
    "valid_minutes": VALID_MINUTES,
}
"""What a control is where nobody set it."""


@dataclass(slots=True)
class Learnt:
    """When a decision was made, and from when it counts: `recorded` is when the ledger learnt it."""

    at: int
    position: int
    since: int
    recorded: int
    person: str | None

    @property
    def moment(self) -> tuple[int, int]:
        """What it is ordered by: its time, and then its position."""
        return self.at, self.position


Way = Callable[[Learnt, int, int, bool], bool]
"""Whether a decision had been made when something happened at a moment and was recorded at a position."""


def as_learnt(decision: Learnt, at: int, position: int, relieves: bool) -> bool:
    """By when the ledger learnt of it."""
    return decision.since < position and decision.recorded <= at + (SLACK if relieves else 0)


def as_dated(decision: Learnt, at: int, position: int, relieves: bool) -> bool:
    """By its own date, where it was recorded first: so histories can be judged that were recorded afterwards."""
    return decision.since < position and decision.at <= at + (SLACK if relieves else 0)


def by_date(decision: Learnt, at: int, _position: int, relieves: bool) -> bool:
    """By its own date alone, whenever that was recorded: to be shown, and to count for nothing."""
    return decision.at <= at + (SLACK if relieves else 0)


WAYS: tuple[Way, ...] = (as_learnt, as_dated)
"""Something went past a control if it did by either way of counting."""


def learnt(fact: Fact) -> tuple[int, int, int, int, str | None]:
    """The members of `Learnt`, of an event."""
    return fact.at, fact.position, said.since(fact), said.recorded(fact), said.person(fact)


@dataclass(slots=True)
class Setting(Learnt):
    """Controls as they were set, for one service or, under the empty name, for all."""

    service: str = ""
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Freeze(Learnt):
    """A freeze, or its end."""

    service: str = ""
    begins: bool = True
    until: int | None = None


@dataclass(slots=True)
class State:
    settings: list[Setting] = field(default_factory=list)
    freezes: list[Freeze] = field(default_factory=list)


def step(state: State, fact: Fact, _change: Any, _environment: Any) -> None:
    match fact.event:
        case EnvironmentConfigured() as event:
            given = {name: getattr(event, name) for name in CONTROLS if getattr(event, name) is not None}
            if given:
                state.settings.append(Setting(*learnt(fact), event.service or "", given))
        case EnvironmentFrozen() as event:
            until = microseconds(instant(event.until)) if event.until else None
            state.freezes.append(Freeze(*learnt(fact), event.service or "", begins=True, until=until))
        case EnvironmentUnfrozen() as event:
            state.freezes.append(Freeze(*learnt(fact), event.service or "", begins=False))


def setting(
    state: State, service: str, name: str, at: int, position: int, way: Way = as_dated
) -> tuple[Any, Setting | None]:
    """A control as it held when something happened, a service's own before the environment's; and who set it so."""
    found: dict[str, Setting] = {}
    for each in sorted(state.settings, key=lambda one: one.since):
        if name in each.given and way(each, at, position, each.given[name] is False):
            found[each.service] = each
    standing = found.get(service) or found.get("")
    return (standing.given[name], standing) if standing else (None, None)


def freeze(state: State, service: str, at: int, position: int, way: Way = as_dated) -> Freeze | None:
    """The freeze that held for a service when something happened."""
    standing: dict[str, Freeze] = {}
    for each in sorted(state.freezes, key=lambda one: one.since):
        if way(each, at, position, not each.begins):
            standing[each.service] = each
    held = (standing[scope] for scope in (service, "") if scope in standing)
    return next((each for each in held if each.begins and (each.until is None or at < each.until)), None)


def mentions(state: State, name: str) -> bool:
    """Whether a control was ever set."""
    return any(name in each.given for each in state.settings)


def weakenings(state: State) -> Iterator[tuple[Setting, list[str], Setting | None]]:
    """Each setting that made controls weaker, in the order learnt: which, and the later setting that made up for it."""
    given = sorted(state.settings, key=lambda each: each.since)
    before: dict[str, dict[str, Any]] = {}
    for index, each in enumerate(given):
        held = {**before.get("", {}), **before.get(each.service, {})}
        weaker = [name for name, value in each.given.items() if is_weaker(name, held.get(name), value)]
        if weaker:
            yield each, weaker, _made_up(given[index + 1 :], each.service, {name: held.get(name) for name in weaker})
        before.setdefault(each.service, {}).update(each.given)


def _made_up(later: list[Setting], service: str, before: dict[str, Any]) -> Setting | None:
    """The setting by which all is again as strong as it was."""
    missing = dict(before)
    for each in later:
        if each.service == service:
            for name, value in each.given.items():
                if name in missing and not is_weaker(name, missing[name], value):
                    del missing[name]
            if not missing:
                return each
    return None


def is_weaker(name: str, before: Any, value: Any) -> bool:
    """Whether a control is weaker than it was; one that was never set was at its default."""
    match name:
        case "approval_required" | "observed":
            return before is True and value is False
        case "soak_minutes":
            return bool(value < (SOAK_MINUTES if before is None else before))
        case "valid_minutes":
            return bool(value > (VALID_MINUTES if before is None else before))
        case "tier":
            return bool(before == "production" != value)
        case _:
            return bool(before not in (None, value))
