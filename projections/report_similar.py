"""
Which other incidents are like this one, and why?

Like is: linked by somebody, the same version implicated, a cause of the same
category, or the same service with the same kind of incident. Shown so that a
reader can look there; never more than that.
"""

from collections.abc import Iterator
from typing import Any

from ledger.events import PostmortemCauseRecorded
from ledger.values import stream_name
from projections import search, telling
from projections.incident import State
from projections.incident_story import ALL
from projections.report_scene import Scene, time

MOST = 5
LOOKED_AT = 200
"""So many incidents of the affected services are looked at, those that were heard of last."""


def similar(scene: Scene) -> list[dict[str, Any]]:
    """At most five, those with the weightiest reasons first, then those that began last."""
    own = {scene.state.id, *(each.id for each in scene.story.merged)}
    streams = dict.fromkeys((*_linked(scene), *_of_category(scene), *_of_services(scene)))
    states: list[State] = [scene.reader.state(each) for each in streams]
    known = [each for each in states if each.heard is not None and each.id not in own and each.state != "cancelled"]
    found = [(list(_reasons(scene, each)), each) for each in known]
    liked = sorted(((why, each) for why, each in found if why), key=_order)
    return [_json(why, each) for why, each in liked[:MOST]]


def _order(pair: tuple[list[tuple[int, str, list[int]]], State]) -> tuple[int, int, str]:
    why, state = pair
    return -sum(weight for weight, _, _ in why), -(state.began or 0), state.id


def _json(why: list[tuple[int, str, list[int]]], state: State) -> dict[str, Any]:
    return {
        "incident": state.id,
        "title": state.title,
        "severity": min((each.name for each in state.severities), default=state.severity),
        "mode": state.mode,
        "state": state.state,
        "began": time(state.began),
        "why": [reason for _, reason, _ in why],
        "positions": sorted({position for _, _, positions in why for position in positions}),
    }


# Where to look


def _linked(scene: Scene) -> Iterator[str]:
    for each in scene.answer["links"]:
        yield stream_name("incident", each["incident"])


def _of_services(scene: Scene) -> list[str]:
    """Incidents of which anything ever named a slot of an affected service."""
    db, known_at = scene.reader.tables.db, scene.reader.moment.known_at
    begun: dict[str, int] = {}
    for service in {service for service, _ in scene.story.slots}:
        prefix = stream_name("slot", service) + "/"
        rows = db.execute(
            "SELECT DISTINCT incident FROM incident_slots WHERE slot >= ? AND slot < ?", [prefix, prefix + "\U0010ffff"]
        )
        for (stream,) in rows.fetchall():
            first = next(iter(scene.reader.record.stream(stream, known_at)), None)
            if first is not None:
                begun[stream] = first.position
    return sorted(begun, key=lambda each: -begun[each])[:LOOKED_AT]


def _of_category(scene: Scene) -> Iterator[str]:
    for each in _causes(scene):
        if each[1] in _categories(scene):
            yield stream_name("incident", each[0])


def _categories(scene: Scene) -> set[str]:
    return {each.category.casefold() for each in scene.postmortem.causes if each.category}


def _causes(scene: Scene) -> Iterator[tuple[str, str, int]]:
    """Every cause with a category: its incident, the category, and the position."""
    if not _categories(scene):
        return
    reader = scene.reader
    asked = {"type": PostmortemCauseRecorded.TOPIC}
    positions = search.positions(reader.tables.db, asked, 0, reader.moment.known_at, ALL)
    for each in telling.told(positions, reader.moment, reader.record, reader.tables):
        event = each.fact.event
        if each.counts and isinstance(event, PostmortemCauseRecorded) and event.category:
            yield event.incident, event.category.casefold(), each.fact.position


# Why


def _reasons(scene: Scene, other: State) -> Iterator[tuple[int, str, list[int]]]:
    """Each with its weight, in words, and the positions that say so."""
    for link in _ties(scene, other):
        yield 8, f"linked: {link.relation}", [link.position]
    mine, theirs = _implicated(scene.state), _implicated(other)
    for key in sorted(mine.keys() & theirs.keys()):
        yield 4, f"same version implicated: {key[1]} of {key[0]}", [mine[key], theirs[key]]
    own = _categories(scene)
    for name, category, position in _causes(scene):
        if name == other.id and category in own:
            yield 2, f"same category of cause: {category}", [position]
    shared = sorted({service for service, _ in scene.state.affected} & {service for service, _ in other.affected})
    if shared and scene.state.kind is not None and scene.state.kind == other.kind:
        # Until somebody knows better every incident is of the kind `other`: that is no likeness by itself.
        kind = f" and kind: {', '.join(shared)}, {other.kind}" if other.kind != "other" else f": {', '.join(shared)}"
        yield 1, f"same service{kind}", _announced(other)


def _announced(state: State) -> list[int]:
    """Where an incident was declared, else detected, else first heard of."""
    step = state.first("declared") or state.first("detected") or next((each for each in state.cycles[0]), None)
    return [] if step is None else [step.position]


def _ties(scene: Scene, other: State) -> list[Any]:
    there = [each for each in scene.state.links if each.other == other.id]
    return [*there, *(each for each in other.links if each.other == scene.state.id)]


def _implicated(state: State) -> dict[tuple[str, str], int]:
    """The versions that stand implicated, by service, and where that is said."""
    standing = {}
    for each in state.namings:
        if each.kind != "suspected":
            standing[each.slot[0], each.version] = each
    return {key: each.position for key, each in standing.items() if each.kind == "implicated"}


def linked_titles(scene: Scene) -> list[dict[str, Any]]:
    """The links of the incident, both ways, and its mergers; each with what is known of the other."""
    found = [
        *scene.answer["links"],
        *({"incident": each.id, "relation": "merged", "to": False} for each in scene.story.merged),
    ]
    if scene.state.merged_into is not None:
        found.append({"incident": scene.state.merged_into, "relation": "merged", "to": True})
    return [{**each, **_known(scene, each["incident"])} for each in found]


def _known(scene: Scene, name: str) -> dict[str, Any]:
    state: State = scene.reader.state(stream_name("incident", name))
    return {"title": state.title, "severity": state.severity, "state": state.state, "began": time(state.began)}
