"""
Which version was live when, what went out around it, and what was last known good then.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ledger.values import from_microseconds, stream_name
from projections import last_known_good
from projections.facts import Moment
from projections.incident import Slot
from projections.incident_story import AFTERMATH
from projections.report_moment import reader_at
from projections.report_scene import Scene, moment, time
from projections.slot import Period
from projections.slot import State as SlotState
from projections.view import View

OUTGOING = frozenset(
    "deployment.started deployment.succeeded deployment.failed deployment.cancelled release.started release.exposed "
    "release.completed release.aborted rollback.started rollback.succeeded rollback.failed service.removed".split()
)
"""What moved something; decisions and judgements about it are told elsewhere."""


def versions(scene: Scene) -> list[dict[str, Any]]:
    """Of every slot that the incident affects."""
    return [_Slot(scene, each).json() for each in scene.story.slots]


class _Slot:
    def __init__(self, scene: Scene, slot: Slot) -> None:
        self.scene, self.slot = scene, slot
        self.state: SlotState = scene.reader.state(stream_name("slot", *slot))

    def json(self) -> dict[str, Any]:
        sights = list(self._sights())
        told = sights[-1] if sights else {}
        return {
            "service": self.slot[0],
            "environment": self.slot[1],
            "periods": [self._period(each) for each in self._periods],
            "deployments": self._deployments(),
            "last_known_good": told.get("last_known_good"),
            "rollback_target": told.get("rollback_target"),
            "sights": sights,
        }

    @cached_property
    def _periods(self) -> list[Period]:
        """From the one that was live when the story begins to what came within a day after it."""
        if self.scene.story.scope is None:
            return []
        start, ended = self.scene.story.scope[0], self.scene.state.ended
        end = self.scene.at if ended is None else ended + AFTERMATH
        return [each for each in self.state.periods if each.start <= end and (each.end is None or each.end >= start)]

    def _period(self, period: Period) -> dict[str, Any]:
        artifact = self.state.artifacts[period.artifact]
        return {
            "version": artifact.version,
            "digest": artifact.digest,
            "since": time(period.start),
            "until": time(period.end),
            "position": period.position,
            "until_position": period.end_position,
            "how": period.change,
            "rollback_id": period.rollback_id,
            "implied": period.implied,
        }

    def _deployments(self) -> list[dict[str, Any]]:
        """What went out, oldest first, with what brought the version that was live when the story begins."""
        story = self.scene.story
        found = {each.fact.position for each in (*story.changes, *story.aftermath) if each.counts}
        found |= {each.position for each in self._periods}
        told = self.scene.reader.history(*self.slot, after=None, limit=1_000_000)[::-1]
        return [each for each in told if each["position"] in found and each["type"] in OUTGOING]

    def _sights(self) -> Iterator[dict[str, Any]]:
        """
        What one could go back to when customers began to feel it, and when it was declared. The latter
        is what responders saw: by then the version under suspicion no longer counts as good.
        """
        started = self.scene.measures["time_to_detect"].start
        declared = self.scene.state.first("declared")
        if started is not None:
            yield {"at": "impact_started", **moment(*started), **self._sight(started[0])}
        if declared is not None:
            yield {"at": "declared", **moment(declared.at, declared.position), **self._sight(declared.at)}

    def _sight(self, at: int) -> dict[str, Any]:
        """What was so then, by all that is known by now."""
        then = Moment(from_microseconds(at), self.scene.reader.moment.known_at)
        view = reader_at(self.scene.reader, then).view(*self.slot)
        good, target = last_known_good.last_known_good(view), last_known_good.target(view)
        current = view.slot.current
        return {
            "current": None if current is None else view.slot.artifacts[current.artifact].version,
            "last_known_good": None if good is None else _known_good(view, good),
            "rollback_target": None if target is None else last_known_good.target_json(view, target),
        }


def _known_good(view: View, good: last_known_good.Candidate) -> dict[str, Any]:
    favour = [each.json() for each in good.favour]
    return {**last_known_good.known_good_json(view, good), "reasons": favour}
