"""
What to be wary of in a report, where practice left the doctrine, and every event that the report rests on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from ledger.events import Recorded
from ledger.values import microseconds, rfc3339
from projections import findings as asked
from projections.incident_marks import LATE
from projections.report_moment import amendments, rests_on
from projections.report_scene import Scene, time
from projections.spans import SECOND


class Proofs(Protocol):
    """What the edge knows of the log; the model only passes it on."""

    def leaf_hash(self, position: int) -> str:
        """The leaf hash of the event at a position, in hexadecimal digits."""

    def checkpoint(self, position: int) -> Mapping[str, Any] | None:
        """The first signed checkpoint that covers a position: origin, size, root; None where there is none yet."""


def quality(scene: Scene) -> dict[str, Any]:
    entries = scene.entries
    return {
        "corrections": [_amended(each, one) for each in entries for one in each["corrections"]],
        "retractions": [_amended(each, each["retracted"]) for each in entries if each["retracted"]],
        "late": [_late(each) for each in entries if each["lag_seconds"] * SECOND > LATE],
        "ahead": [_ahead(each) for each in entries if each["claimed_time"]],
        "marks": scene.answer["marks"],
        "redacted": [each.fact.position for each in rests_on(scene.story) if each.fact.recorded.redacted],
    }


def _amended(entry: dict[str, Any], by: dict[str, Any]) -> dict[str, Any]:
    """A correction or retraction, with the position of what it is about."""
    return {"about": entry["position"], "type": entry["type"], **by}


def _late(entry: dict[str, Any]) -> dict[str, Any]:
    names = ("position", "type", "time", "recordedtime", "lag_seconds", "lag")
    return {name: entry[name] for name in names}


def _ahead(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("position", "type", "claimed_time", "recordedtime")}


def findings(scene: Scene) -> list[dict[str, Any]]:
    """Those about the incident, and those about what its story tells of the slots it affects."""
    own = {each.fact.position for each in rests_on(scene.story)}
    found = asked.around(scene.reader, scene.state.id, scene.story.slots, scene.name_of)
    return [each.json() for each in found if each.incident == scene.state.id or each.positions[0] in own]


# The appendix


def events(scene: Scene, model: Mapping[str, Any]) -> list[tuple[Recorded, int]]:
    """Every event that the report rests on or names, by position; each with the moment from which it counts."""
    told = rests_on(scene.story)
    recorded = {each.position: each for each in amendments(scene.story, told)}
    times = {each.fact.position: each.fact.at for each in told}
    known = scene.reader.moment.known_at
    named = {each for each in positions(model) if 0 < each <= known} - recorded.keys() | times.keys()
    recorded |= {each.position: each for each in scene.reader.record.at(sorted(named))}
    return [(recorded[each], times.get(each, microseconds(recorded[each].effective_at))) for each in sorted(recorded)]


def leaf(recorded: Recorded, at: int, leaf_hash: Callable[[int], str]) -> dict[str, Any]:
    return {
        "position": recorded.position,
        "type": recorded.event.TOPIC,
        "time": time(at),
        "recordedtime": rfc3339(recorded.recorded_at),
        "redacted": list(recorded.redacted),
        "leaf": leaf_hash(recorded.position),
    }


POSITIONS = frozenset(
    "position positions until_position due_position about earlier redacted settled_by accepted_by".split()
)
"""The members of a model that hold positions of the record."""

FOREIGN = frozenset("data criteria was now".split())
"""Members that hold what others put into the record, whatever it is called there."""


def positions(model: Any) -> Iterator[int]:
    """Every position that a model names, at any depth."""
    if isinstance(model, Mapping):
        for name, value in model.items():
            if name not in FOREIGN:
                yield from _numbers(value) if name in POSITIONS else positions(value)
    elif isinstance(model, list | tuple):
        for each in model:
            yield from positions(each)


def _numbers(value: Any) -> Iterable[int]:
    given = value if isinstance(value, list | tuple) else [value]
    return [each for each in given if type(each) is int]
