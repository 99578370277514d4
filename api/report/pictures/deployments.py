"""
Deployments of several services with incidents over them, on one unbroken time scale.

A period is drawn as a whole: where nothing was deployed, that is what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from api.report.pictures import lanes
from api.report.pictures.bars import Span
from api.report.pictures.canvas import WIDTH, Drawing
from api.report.pictures.lanes import Lane
from api.report.pictures.markers import Marker, Shape
from api.report.pictures.tones import Tone

Outcome = Literal["deployed", "failed", "rolled back"]

_SHAPES: dict[Outcome, Shape] = {"deployed": "diamond", "failed": "cross", "rolled back": "arrow"}


@dataclass(frozen=True, slots=True)
class Deployment:
    at: datetime
    version: str
    outcome: Outcome = "deployed"


@dataclass(frozen=True, slots=True)
class Slot:
    """One service in one environment, and what happened to it."""

    title: str
    deployments: Sequence[Deployment]


@dataclass(frozen=True, slots=True)
class Incident:
    """From the beginning of its impact, or its declaration, to its end; `until` is None while it lasts."""

    label: str
    since: datetime
    until: datetime | None
    tone: Tone = Tone.BAD


def draw(
    slots: Sequence[Slot],
    incidents: Sequence[Incident],
    zone: tzinfo,
    begin: datetime,
    end: datetime,
    *,
    width: float = WIDTH,
) -> Drawing:
    """The period from *begin* to *end*; what lies outside of it is not drawn."""
    over = [
        Span(
            each.since if each.since >= begin else None,
            each.until if each.until and each.until <= end else None,
            each.label,
            each.tone,
        )
        for each in incidents
        if each.since <= end and (each.until is None or each.until >= begin)
    ]
    below = [Lane(slot.title, "deployment", (), _markers(slot, begin, end)) for slot in slots]
    return lanes.draw(
        [Lane("Incidents", "incident", over), *below], zone, begin=begin, end=end, width=width, whole=True
    )


def _markers(slot: Slot, begin: datetime, end: datetime) -> list[Marker]:
    """A rollback and a failure are told before what went well."""
    return [
        Marker(
            each.at,
            each.version if each.outcome == "deployed" else f"{each.version} {each.outcome}",
            key=each.outcome != "deployed",
            shape=_SHAPES[each.outcome],
            bad=each.outcome == "failed",
        )
        for each in slot.deployments
        if begin <= each.at <= end
    ]
