"""
Where did an artifact come from, and can it still be had?

A fold over the events of one service's artifacts. An event that names no
digest is about every digest of its version.
"""

from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ledger.events import (
    ArtifactChecked,
    ArtifactDeleted,
    ArtifactPublished,
    ArtifactQuarantined,
    ArtifactRestored,
    Event,
)
from ledger.values import from_microseconds, rfc3339
from projections import slot
from projections.facts import Fact

_OfArtifact = ArtifactPublished | ArtifactDeleted | ArtifactQuarantined | ArtifactChecked | ArtifactRestored


@dataclass(slots=True)
class Mark:
    """One thing that happened to an artifact; `kind` is the event's name without `artifact.`."""

    kind: str
    at: int
    position: int
    digest: str | None
    available: bool | None = None


@dataclass(slots=True)
class State:
    """By version, in order of time."""

    marks: dict[str, list[Mark]] = field(default_factory=dict)


def step(state: State, fact: Fact) -> None:
    match fact.event:
        case ArtifactPublished() | ArtifactDeleted() | ArtifactQuarantined() | ArtifactRestored() as event:
            mark = Mark(event.TOPIC.partition(".")[2], fact.at, fact.position, event.digest)
        case ArtifactChecked() as event:
            mark = Mark("checked", fact.at, fact.position, event.digest, event.available)
        case _:
            return
    state.marks.setdefault(event.version, []).append(mark)


def about(state: State, version: str, digest: str | None) -> list[Mark]:
    """What happened to one artifact; what names no digest, or an artifact whose digest is unknown, matches any."""
    marks = state.marks.get(version, [])
    return [each for each in marks if each.digest is None or digest is None or each.digest == digest]


@dataclass(frozen=True, slots=True)
class Availability:
    """Why an artifact can't be had (empty: nothing says so), and the last check that found it, if any."""

    against: tuple[tuple[str, Mark], ...] = ()
    checked: Mark | None = None


def availability(state: State, version: str, digest: str | None) -> Availability:
    """Deleted and quarantined hold until restored; the last check counts, unless restored since."""
    standing: dict[str, Mark] = {}
    checked = None
    for mark in about(state, version, digest):
        match mark.kind:
            case "deleted" | "quarantined":
                standing[mark.kind] = mark
            case "restored":
                standing.clear()
            case "checked" if mark.available:
                standing.pop("unavailable", None)
                checked = mark
            case "checked":
                standing["unavailable"] = mark
    return Availability(tuple((f"artifact_{kind}", mark) for kind, mark in standing.items()), checked)


def mark_json(mark: Mark) -> dict[str, Any]:
    found = {"kind": mark.kind, "time": rfc3339(from_microseconds(mark.at)), "position": mark.position}
    return found if mark.available is None else {**found, "available": mark.available}


def names(event: Event, digest: str) -> TypeGuard[_OfArtifact]:
    """Whether an event of an artifact names a digest."""
    return isinstance(event, _OfArtifact) and event.digest == digest


def origin_json(fact: Fact) -> dict[str, Any]:
    """Where an artifact came from, as its publication tells."""
    told = ("service", "version", "digest", "purl", "uri", "repository", "commit", "committed_at", "build_url")
    found = {name: value for name in told if (value := getattr(fact.event, name)) is not None}
    return {**found, "time": rfc3339(from_microseconds(fact.at)), "position": fact.position}


def period_json(state: slot.State, period: slot.Period) -> dict[str, Any]:
    """One live period of an artifact in a slot."""
    return {
        "service": state.service,
        "environment": state.environment,
        "version": state.artifacts[period.artifact].version,
        "from": rfc3339(from_microseconds(period.start)),
        "until": None if period.end is None else rfc3339(from_microseconds(period.end)),
        "began_by": period.change,
        "ended_by": period.ended_by,
        "position": period.position,
    }
