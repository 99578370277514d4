"""
Everybody whom the record of an incident names, each with the role that may be told instead.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.events import Event, RecordCorrected, Recorded
from projections import roles
from projections.report_bystanders import bystanders
from projections.report_names import Names
from projections.report_scene import Scene
from projections.said import CLAIMED, REDACTED

MEMBERS = {
    "person": "responder",
    "from_": "responder",
    "decided_by": "responder",
    "owner": "owner",
    "author": "author",
    "discovered_by": "reporter",
    "contact": "contact",
}
"""The members of an event that name a person or a way to reach one, and what stands for whom no role is known of."""

WIRE = frozenset(each.rstrip("_") for each in MEMBERS)
"""The same, as corrections name them."""

BY_TYPE = {
    ("oncall.", "person"): "on-call person",
    ("postmortem.started", "owner"): "owner of the postmortem",
    ("postmortem.action_", "owner"): "owner of the action",
}
"""Likewise, where the type of event says more."""


def people(scene: Scene, recorded: Iterable[Recorded], house: Iterable[str] = ()) -> dict[str, str]:
    """
    Names and ids, each with a role: one held in the incident, else by what was done.

    *house* are names and ids of all people whom the ledger knows.
    """
    found: dict[str, str] = {}
    for name, role in _named(scene, recorded):
        for each in {name, scene.name_of(name) or name}:
            held = _held(scene, each)
            if held is not None or each not in found:
                found[each] = held or role
    found = dict.fromkeys(house, "colleague") | found
    found.pop(REDACTED, None)
    return _clean(found)


def _clean(found: dict[str, str]) -> dict[str, str]:
    """A role that is called after somebody would give the name away that it stands for."""
    names = Names(dict.fromkeys(found, ""))
    return {name: role if names.hidden(role) == role else "responder" for name, role in found.items()}


def _named(scene: Scene, recorded: Iterable[Recorded]) -> Iterator[tuple[str, str]]:
    for holding in scene.state.holdings:
        yield holding.person, "responder"
    for told in scene.story.whole:
        yield from _in_event(told[1].fact.event)
    for each in recorded:
        yield from _in_event(each.event)
        submitter = each.submitter
        yield submitter.id, "responder" if submitter.kind == "human" else "automation"
        yield from ((submitter.claims[name], "responder") for name in CLAIMED if name in submitter.claims)
    yield from bystanders(scene)


def _in_event(event: Event) -> Iterator[tuple[str, str]]:
    for member, role in MEMBERS.items():
        value: Any = getattr(event, member, None)
        if isinstance(value, str) and (member != "from_" or event.TOPIC.startswith("incident.role_")):
            by_type = (
                each for (topic, name), each in BY_TYPE.items() if event.TOPIC.startswith(topic) and name == member
            )
            yield value, next(by_type, role)
    if isinstance(event, RecordCorrected) and isinstance(event.value, str) and event.field in WIRE:
        yield event.value, "responder"


def _held(scene: Scene, name: str) -> str | None:
    """The role that somebody had in the incident, the command before any other."""
    names = {name, scene.name_of(name) or name}
    held = [each.role for each in scene.state.holdings if each.person in names or scene.name_of(each.person) in names]
    return next((each for each in held if roles.commands(each)), held[0] if held else None)
