"""
How is software delivered? DORA's five measures of it, for production, over a period.

Deployment frequency, change lead time, change fail rate, failed deployment
recovery time, deployment rework rate; each defined in `projections.definitions`.
A deployment belongs to the period in which it succeeded, also where it failed
its users only later. Each figure bears the deployments that it comes from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ledger.values import stream_name
from projections import definitions, delivery_failures, delivery_rework
from projections.answers import Reader
from projections.delivery_figures import Item, Made, figures
from projections.deployments import walk
from projections.incident import Slot, State
from projections.selection import Group, Places, Selection, grouped, heading

TIERS = NAMES = ("production", "prod")
"""What a tier is called that counts; and where none is configured, an environment itself."""


@dataclass
class _Delivered:
    """What happened in all slots that are asked about; `since`: the first deployment ever recorded of each."""

    items: list[Item] = field(default_factory=list)
    since: dict[Slot, int] = field(default_factory=dict)


def answer(reader: Reader, selection: Selection) -> dict[str, Any]:
    """The delivery measures of what is asked about: of all, and by group."""
    places = Places(reader, selection)
    asked = [slot for slot in reader.tables.slots({}, None, -1) if places.match(slot) and reader.knows(*slot)]
    delivered = _Delivered()
    for slot in asked:
        if is_production(places, slot):
            _deliver(reader, slot, delivered)
    items = [each for each in delivered.items if selection.period.holds(each.at)]
    items.sort(key=lambda each: (each.at, each.position))
    groups = grouped(places, items, lambda each: each.at, lambda each: [each.slot])
    return {
        **reader.frame(),
        **selection.json(),
        "definitions": definitions.told(definitions.DELIVERY),
        "quantiles": definitions.QUANTILES,
        "environments": _environments(places, asked),
        **figures(places, items, min(delivered.since.values(), default=None), None),
        "groups": [
            {**heading(each), **figures(places, each.items, _since(places, delivered, each), each.bucket)}
            for each in groups
        ],
    }


def _tier(places: Places, slot: Slot) -> str | None:
    found: str | None = places.settings(slot[1]).of(slot[0], "tier")
    return found


def is_production(places: Places, slot: Slot) -> bool:
    """By its tier; where none is configured, by the name of its environment."""
    tier = _tier(places, slot)
    return slot[1].casefold() in NAMES if tier is None else tier.casefold() in TIERS


def _environments(places: Places, asked: Iterable[Slot]) -> list[dict[str, Any]]:
    """Which environments count and which do not, and by what that was told."""
    found: dict[tuple[str, str | None, bool], int] = {}
    for slot in asked:
        kind = slot[1], _tier(places, slot), is_production(places, slot)
        found[kind] = found.get(kind, 0) + 1
    return [
        {
            "environment": name,
            "tier": tier,
            "counted": counted,
            "because": "name" if tier is None else "tier",
            "services": services,
        }
        for (name, tier, counted), services in sorted(found.items(), key=repr)
    ]


def _deliver(reader: Reader, slot: Slot, delivered: _Delivered) -> None:
    """Adds what happened in one slot."""
    walked = walk(reader, slot)
    delivered.items += walked.aside
    view = reader.view(*slot)
    failed, unmatched = delivery_failures.failures(walked, view)
    by_position = {each.deployment.position: each for each in failed}
    reasons = delivery_rework.rework(walked, view, lambda name: _incident(reader, name))
    delivered.items += unmatched
    for each in walked.deployments:
        failure, because = by_position.get(each.position), reasons.get(each.position, ())
        delivered.items.append(Made(each, failure, because, delivery_rework.falls_into(view, each.at)))
    if walked.deployments:
        delivered.since[slot] = walked.deployments[0].at


def _incident(reader: Reader, name: str) -> State:
    found: State = reader.state(stream_name("incident", name))
    return found


def _since(places: Places, delivered: _Delivered, group: Group) -> int | None:
    """From when on it is known that nothing was deployed where nothing is recorded."""
    slots = (slot for slot in delivered.since if group.bucket is not None or places.name(slot) == group.name)
    return min((delivered.since[slot] for slot in slots), default=None)
