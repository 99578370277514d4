"""
How is software delivered? DORA's five measures of it, for production, over a period.

Deployment frequency, change lead time, change fail rate, failed deployment
recovery time, deployment rework rate; each defined in `projections.definitions`.
A deployment belongs to the period in which it succeeded, also where it failed
its users only later. Each figure bears the deployments that it comes from.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ledger.values import stream_name
from projections import definitions, delivery_failures, delivery_rework
from projections.answers import Reader
from projections.delivery_figures import Item, Made, figures
from projections.deployments import walk
from projections.incident import Slot, State
from projections.periods import Period
from projections.selection import Group, Places, Selection, grouped, heading

TIERS = NAMES = ("production", "prod")
"""What a tier is called that counts; and where none is configured, an environment itself."""


def answer(reader: Reader, selection: Selection) -> dict[str, Any]:
    """The delivery measures of what is asked about: of all, and by group."""
    places = Places(reader, selection)
    asked = [slot for slot in reader.tables.slots({}, None, -1) if places.match(slot) and reader.knows(*slot)]
    every = [each for slot in asked if is_production(places, slot) for each in _happened(reader, slot)]
    since = _since(selection.period, every)
    items = sorted(
        (each for each in every if selection.period.holds(each.at)), key=lambda each: (each.at, each.position)
    )
    return {
        **reader.frame(),
        **selection.json(),
        "definitions": definitions.told(definitions.DELIVERY),
        "quantiles": definitions.QUANTILES,
        "environments": _environments(places, asked),
        **figures(places, items, min(since.values(), default=None), None),
        "groups": [
            {**heading(each), **figures(places, each.items, _since_in(places, since, each), each.bucket)}
            for each in grouped(places, items, lambda each: each.at, lambda each: [each.slot])
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


def _happened(reader: Reader, slot: Slot) -> Iterator[Item]:
    """The deployments of one slot, what became of each, and what is counted beside them."""
    walked, view = walk(reader, slot), reader.view(*slot)
    failed, unmatched = delivery_failures.failures(walked, view)
    by_position = {each.deployment.position: each for each in failed}
    reasons = delivery_rework.rework(walked, view, lambda name: _incident(reader, name))
    for each in walked.deployments:
        failure, because = by_position.get(each.position), reasons.get(each.position, ())
        yield Made(each, failure, because, delivery_rework.falls_into(view, each.at))
    yield from walked.aside
    yield from unmatched


def _incident(reader: Reader, name: str) -> State:
    found: State = reader.state(stream_name("incident", name))
    return found


def _since(period: Period, every: Iterable[Item]) -> dict[Slot, int]:
    """
    From when on it is known of each slot that nothing was deployed where
    nothing is recorded: its first deployment. One before all that is looked
    at, by a clock that was wrong, says nothing.
    """
    found: dict[Slot, int] = {}
    for each in every:
        if isinstance(each, Made) and (each.at >= period.start or not period.whole):
            found.setdefault(each.slot, each.at)
    return found


def _since_in(places: Places, since: Mapping[Slot, int], group: Group) -> int | None:
    chosen = (at for slot, at in since.items() if group.bucket is not None or places.name(slot) == group.name)
    return min(chosen, default=None)
