"""
How is this environment configured, and is it frozen?

A fold over the events of one environment. A service's own setting goes before
the environment's.
"""

from dataclasses import dataclass, field
from typing import Any

from ledger.events import (
    EnvironmentConfigured,
    EnvironmentFrozen,
    EnvironmentUnfrozen,
    Event,
    MaintenanceScheduled,
)
from ledger.values import instant, microseconds
from projections.facts import Fact

SOAK_MINUTES = 10
VALID_MINUTES = 60

_SETTINGS = "tier soak_minutes deployment_releases approval_required promotes_from observed valid_minutes owner".split()


@dataclass(slots=True)
class Freeze:
    at: int
    position: int
    until: int | None


@dataclass(slots=True)
class Maintenance:
    start: int
    end: int
    position: int
    services: list[str]


@dataclass(slots=True)
class Settings:
    """The settings that hold for the whole environment (under the empty name) and for single services in it."""

    by_service: dict[str, dict[str, Any]] = field(default_factory=dict)

    def configure(self, event: EnvironmentConfigured) -> None:
        given = {name: getattr(event, name) for name in _SETTINGS if getattr(event, name) is not None}
        self.by_service.setdefault(event.service or "", {}).update(given)

    def of(self, service: str, name: str, default: Any = None) -> Any:
        """A service's own setting, else the environment's, else the default."""
        for scope in (service, ""):
            if name in self.by_service.get(scope, {}):
                return self.by_service[scope][name]
        return default

    def soak(self, service: str) -> int:
        """Microseconds."""
        return int(self.of(service, "soak_minutes", SOAK_MINUTES)) * 60_000_000

    def validity(self, service: str) -> int:
        """Microseconds for which a decision to roll back is valid."""
        return int(self.of(service, "valid_minutes", VALID_MINUTES)) * 60_000_000


@dataclass(slots=True)
class State:
    settings: Settings = field(default_factory=Settings)
    freezes: dict[str, Freeze] = field(default_factory=dict)
    maintenance: list[Maintenance] = field(default_factory=list)


def step(state: State, fact: Fact) -> None:
    match fact.event:
        case EnvironmentConfigured() as event:
            state.settings.configure(event)
        case EnvironmentFrozen() as event:
            until = microseconds(instant(event.until)) if event.until else None
            state.freezes[event.service or ""] = Freeze(fact.at, fact.position, until)
        case EnvironmentUnfrozen() as event:
            state.freezes.pop(event.service or "", None)
        case MaintenanceScheduled() as event:
            start, end = microseconds(instant(event.from_)), microseconds(instant(event.to))
            state.maintenance.append(Maintenance(start, end, fact.position, list(event.services)))


def freeze(state: State, service: str, at: int) -> Freeze | None:
    """The freeze that holds for a service at a moment, if there is one."""
    for scope in (service, ""):
        found = state.freezes.get(scope)
        if found is not None and (found.until is None or at < found.until):
            return found
    return None


def configures(event: Event) -> bool:
    """Whether the event may change what other events of the environment's slots mean."""
    return isinstance(event, EnvironmentConfigured)
