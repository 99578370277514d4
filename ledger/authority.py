"""
Who may have what recorded: pipelines execute, people decide.

Pure rules. A principal comes from a credential, never from a request's body.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ledger.errors import NotAllowed
from ledger.events import (
    ADMIN_DECISION,
    DECISION,
    FACT,
    LEDGER,
    Event,
    IncidentImpactEnded,
    IncidentImpactStarted,
    Place,
    Submitter,
)

PIPELINE, RELAY, RESPONDER, AUDITOR, ADMIN = ROLES = ("pipeline", "relay", "responder", "auditor", "admin")
HUMAN, MACHINE = KINDS = ("human", "machine")

_ONLY_MACHINES = {PIPELINE, RELAY}
_ONLY_HUMANS = {RESPONDER, ADMIN}


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Someone or something that a credential stands for. `id` is opaque; the
    name is kept elsewhere. Empty `services` or `environments` bind to all.
    """

    id: str
    kind: str
    roles: frozenset[str]
    services: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    method: str = "token"
    claims: Mapping[str, str] = field(default_factory=dict)

    @property
    def submitter(self) -> Submitter:
        return Submitter(self.id, self.method, self.kind, self.claims)

    @property
    def bound(self) -> bool:
        return bool(self.services or self.environments)

    @property
    def may_read(self) -> bool:
        return bool(self.roles)


def kind_for(roles: Iterable[str], kind: str | None = None) -> str:
    """
    The kind of principal that these roles make, by default or as asked.

    Raises:
        NotAllowed: where a machine would decide, or a person would be a pipeline.
    """
    held = set(roles)
    chosen = kind or (MACHINE if held & _ONLY_MACHINES else HUMAN)
    if chosen == MACHINE and held & _ONLY_HUMANS:
        raise NotAllowed(f"{_list(held & _ONLY_HUMANS)} is for people only: a machine may not decide")
    if chosen == HUMAN and held & _ONLY_MACHINES:
        raise NotAllowed(f"{_list(held & _ONLY_MACHINES)} is for machines only: give a person the role responder")
    return chosen


def authorize(principal: Principal, event: Event) -> Event:
    """
    The event, with who decided it filled in.

    Raises:
        NotAllowed: saying why, and who may.
    """
    topic, who = event.TOPIC, event.WHO
    if who is LEDGER:
        raise NotAllowed(f"{topic} is written by the ledger itself, never taken from outside")
    if event.decided_by and principal.kind == MACHINE and RELAY not in principal.roles:
        raise NotAllowed(
            f"a {_list(principal.roles)} may not say who decided: only a relay passes on a person's decision"
        )
    if who is ADMIN_DECISION and (ADMIN not in principal.roles or principal.kind != HUMAN):
        raise NotAllowed(f"{topic} is for an admin, and this principal is {_list(principal.roles)}")
    if who is FACT and not principal.roles & {PIPELINE, RELAY, RESPONDER}:
        raise NotAllowed(f"{_list(principal.roles)} may not append: use a pipeline, relay or responder token")
    if who is DECISION:
        may_decide(principal, event)
    within_bounds(principal, event)
    if who is not FACT and event.decided_by is None:
        return replace(event, decided_by=principal.id)
    return event


def may_decide(principal: Principal, event: Event) -> None:
    """Raises `NotAllowed` unless a person decides, or a relay passes on a person's decision."""
    if principal.kind == HUMAN:
        if RESPONDER not in principal.roles:
            raise NotAllowed(f"{event.TOPIC} is for a responder, and this principal is {_list(principal.roles)}")
    elif RELAY not in principal.roles:
        raise NotAllowed(
            f"{event.TOPIC} is a decision, and only a person decides: "
            "a responder records it, or a relay that names the person in decided_by"
        )
    elif event.decided_by is None:
        raise NotAllowed(f"{event.TOPIC} is a decision: a relay must name the person who made it in decided_by")


def within_bounds(principal: Principal, event: Event) -> None:
    """Raises `NotAllowed` if the event is about a service or environment outside the principal's bounds."""
    if not principal.bound:
        return
    for service, environment in (found := places(event)):
        if principal.services and service is not None and service not in principal.services:
            raise NotAllowed(f"this principal is bound to other services than {service}")
        if principal.environments and environment is not None and environment not in principal.environments:
            raise NotAllowed(f"this principal is bound to other environments than {environment}")
    if principal.services and _about_all(principal, event) and not any(service for service, _ in found):
        raise NotAllowed(f"this principal is bound to some services, and {event.TOPIC} without one is about all")


def _about_all(principal: Principal, event: Event) -> bool:
    """
    Whether an event that names no service is about every one. A machine's
    word on impact is too; a person in a hurry is never held up by it.
    """
    if event.STREAM[0] in ("environment", "rota", "alert"):
        return True
    return principal.kind == MACHINE and isinstance(event, IncidentImpactStarted | IncidentImpactEnded)


def places(event: Event) -> list[tuple[str | None, str | None]]:
    """Every (service, environment) that an event is about, None where it names no such thing."""
    own = (getattr(event, "service", None), getattr(event, "environment", None))
    found: list[tuple[str | None, str | None]] = [own] if own != (None, None) else []
    for name in ("affected", "add", "remove"):
        listed: Any = getattr(event, name, ())
        found += [(each.service, each.environment) for each in listed if isinstance(each, Place)]
    for service in getattr(event, "services", ()):
        found.append((service, getattr(event, "environment", None)))
    return found


def _list(roles: Iterable[str]) -> str:
    return " and ".join(sorted(roles)) or "without any role"
