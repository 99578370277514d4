"""
Which version was live when, what went out around it, and what was last known good then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from ledger.events import RollbackSucceeded
from ledger.values import from_microseconds, stream_name
from projections import history, last_known_good
from projections.answers import Reader
from projections.facts import Fact, Moment
from projections.incident import Slot
from projections.incident_story import AFTERMATH
from projections.report_moment import reader_at
from projections.report_scene import Scene, moment, time
from projections.slot import Change, Period
from projections.slot import State as SlotState
from projections.view import View

OUTGOING = frozenset(
    "deployment.started deployment.succeeded deployment.failed deployment.cancelled release.started release.exposed "
    "release.completed release.aborted rollback.started rollback.succeeded rollback.failed service.removed".split()
)
"""What moved something; decisions and judgements about it are told elsewhere."""

INSTALLING = ("deployment.succeeded", "rollback.succeeded", "service.removed")


def versions(scene: Scene) -> list[dict[str, Any]]:
    """Of every slot that the incident affects."""
    sights = list(_sights(scene))
    return [_Slot(scene, each, sights).json() for each in scene.story.slots]


@dataclass(frozen=True, slots=True)
class Sight:
    """A moment at which one looked for a version to go back to; read once for all slots."""

    name: str
    at: int
    position: int
    reader: Reader


def _sights(scene: Scene) -> Iterator[Sight]:
    """
    When customers began to feel it, and when it was declared, by all that is known by now. The latter is what
    responders saw: by then the version under suspicion no longer counts as good.
    """
    started, declared = scene.measures["time_to_detect"].start, scene.state.first("declared")
    moments = [("impact_started", started)] if started else []
    moments += [("declared", (declared.at, declared.position))] if declared else []
    for name, (at, position) in moments:
        moment = Moment(from_microseconds(at), scene.reader.moment.known_at)
        yield Sight(name, at, position, reader_at(scene.reader, moment))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time for which a version was live, or installed; `more` is what else is known of it."""

    version: str
    digest: str | None
    start: int
    end: int | None
    position: int
    end_position: int | None
    more: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "digest": self.digest,
            "since": time(self.start),
            "until": time(self.end),
            "position": self.position,
            "until_position": self.end_position,
            **self.more,
        }


class _Slot:
    def __init__(self, scene: Scene, slot: Slot, sights: Sequence[Sight]) -> None:
        self.scene, self.slot, self.sights = scene, slot, sights
        self._folded = scene.reader.folded_once(stream_name("slot", *slot))
        self.state: SlotState = self._folded.state

    def json(self) -> dict[str, Any]:
        sights = [self._sight(each) for each in self.sights]
        told = sights[-1] if sights else {}
        return {
            "service": self.slot[0],
            "environment": self.slot[1],
            "periods": [each.json() for each in self._periods],
            "installed": [each.json() for each in self._installed],
            "deployments": self._deployments(),
            "last_known_good": told.get("last_known_good"),
            "rollback_target": told.get("rollback_target"),
            "sights": sights,
        }

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        """From when to when versions are told of; nothing fits, where nobody knows when it began."""
        if self.scene.story.scope is None:
            return (1, 0)
        ended = self.scene.state.ended
        return self.scene.story.scope[0], self.scene.at if ended is None else ended + AFTERMATH

    def _near(self, stretches: list[Stretch]) -> list[Stretch]:
        """From the one that reaches into the story, and the one before it, to what came within a day after."""
        start, end = self._bounds
        found = [i for i, each in enumerate(stretches) if each.start <= end and (each.end is None or each.end >= start)]
        return stretches[max(0, found[0] - 1) : found[-1] + 1] if found else []

    @cached_property
    def _periods(self) -> list[Stretch]:
        """Which version was live when."""
        return self._near([self._stretch(each) for each in self.state.periods])

    def _stretch(self, period: Period) -> Stretch:
        found = self.state.artifacts[period.artifact]
        more = {"how": period.change, "rollback_id": period.rollback_id, "implied": period.implied}
        ends = (period.start, period.end, period.position, period.end_position)
        return Stretch(found.version, found.digest, *ends, more)

    @cached_property
    def _installed(self) -> list[Stretch]:
        """What was deployed when, whether or not it was released: one for each time in which it was the same."""
        placed = [each for each in self._folded.changes if each.type in INSTALLING]
        rollbacks = [each.position for each in placed if each.type == "rollback.succeeded"]
        shifts = {each.position for each in self.scene.facts(rollbacks) if _is_shift(each)}
        placed = [each for each in placed if each.position not in shifts]
        turns = [each for before, each in pairwise([None, *placed]) if each and _artifact(before) != _artifact(each)]
        times = [(each, after) for each, after in pairwise([*turns, None]) if each and each.type != "service.removed"]
        return self._near([_installed(*each) for each in times])

    def _deployments(self) -> list[dict[str, Any]]:
        """What went out, oldest first, with what brought the version that was live when the story begins."""
        story = self.scene.story
        found = {each.fact.position for each in (*story.changes, *story.aftermath) if each.counts}
        found |= {each.position for each in self._periods}
        told = [each for each in self._folded.changes if each.position in found and each.type in OUTGOING]
        return [history.item(each, self.state.void) for each in told]

    def _sight(self, sight: Sight) -> dict[str, Any]:
        view = sight.reader.view(*self.slot)
        good, target = last_known_good.last_known_good(view), last_known_good.target(view)
        current = view.slot.current
        return {
            "at": sight.name,
            **moment(sight.at, sight.position),
            "current": None if current is None else view.slot.artifacts[current.artifact].version,
            "last_known_good": None if good is None else _known_good(view, good),
            "rollback_target": None if target is None else last_known_good.target_json(view, target),
        }


def _installed(change: Change, after: Change | None) -> Stretch:
    end, position = (None, None) if after is None else (after.at, after.position)
    return Stretch(change.version or "", change.digest, change.at, end, change.position, position)


def _known_good(view: View, good: last_known_good.Candidate) -> dict[str, Any]:
    favour = [each.json() for each in good.favour]
    return {**last_known_good.known_good_json(view, good), "reasons": favour}


def _is_shift(fact: Fact) -> bool:
    """A rollback by traffic or by a feature, which installs nothing."""
    return isinstance(fact.event, RollbackSucceeded) and fact.event.mechanism not in (None, "redeploy")


def _artifact(change: Change | None) -> tuple[str | None, str | None, bool]:
    return (change.version, change.digest, change.type == "service.removed") if change else (None, None, True)
