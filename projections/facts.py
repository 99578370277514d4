"""
Which events are known, what they say after corrections, and in which order they count.

Every answer is a fold over *facts*: the events of a scope (one stream, and
what corrections moved into it) that were recorded by `known_at`, corrected by
what was recorded by then, and effective by `as_of`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ledger.events import Event, Record, RecordCorrected, Recorded, RecordRetracted
from ledger.values import microseconds

HOUR = 3_600_000_000
MINUTE = 60_000_000
"""Moments inside the folds are whole microseconds since 1970, in UTC."""


@dataclass(frozen=True, slots=True)
class Moment:
    """
    What an answer is about: what was so at `as_of`, by what was recorded up
    to position `known_at`. `now` tells that nothing known is left out, so that
    the kept answer serves.
    """

    as_of: datetime
    known_at: int
    now: bool = False

    @property
    def at(self) -> int:
        return microseconds(self.as_of)


@dataclass(frozen=True, slots=True)
class Fact:
    """
    An event as it counts: `at` is its effective time, `event` what it says
    after corrections, `recorded` how it was recorded, `amended_by` the
    positions of the corrections that hold.
    """

    at: int
    position: int
    event: Event
    recorded: Recorded
    amended_by: tuple[int, ...] = ()

    @classmethod
    def as_recorded(cls, recorded: Recorded) -> "Fact":
        return cls(microseconds(recorded.effective_at), recorded.position, recorded.event, recorded)

    @property
    def key(self) -> tuple[int, int]:
        return self.at, self.position


@dataclass(frozen=True, slots=True)
class Amendment:
    """What the holding corrections say of one event."""

    retracted: bool
    changes: Mapping[str, Any]
    positions: tuple[int, ...]


class Index(Protocol):
    """Finds what the streams alone don't tell."""

    def amendments(self, stream: str, until: int) -> list[int]:
        """Positions of all corrections and retractions, of whatever depth, of events in a stream or moved into it."""

    def moved_into(self, stream: str) -> list[int]:
        """Positions of events of other streams that some correction, at some time, moved into this one."""

    def incidents_of(self, slot: str) -> list[str]:
        """The streams of all incidents whose events ever named a slot, by the slot's stream."""


def holding(records: Iterable[Recorded]) -> dict[int, Amendment]:
    """
    By target, the corrections that hold: judged from the highest position
    down, since a retraction holds unless a later one that holds retracts it.
    """
    retracted: set[int] = set()
    corrections: dict[int, list[Recorded]] = {}
    by: dict[int, int] = {}
    for record in sorted(records, key=lambda each: -each.position):
        if record.position in retracted:
            continue
        match record.event:
            case RecordRetracted(position=target):
                retracted.add(target)
                by[target] = record.position
            case RecordCorrected(position=target):
                corrections.setdefault(target, []).append(record)
    return {
        target: Amendment(
            target in retracted,
            {
                e.field: e.value
                for each in reversed(corrections.get(target, []))
                if isinstance(e := each.event, RecordCorrected)
            },
            tuple(
                sorted([each.position for each in corrections.get(target, [])] + ([by[target]] if target in by else []))
            ),
        )
        for target in corrections.keys() | retracted
    }


def fact(recorded: Recorded, amendment: Amendment | None, record: Record) -> Fact | None:
    """The event as it counts; None if it is retracted."""
    if amendment is None:
        return Fact.as_recorded(recorded)
    if amendment.retracted:
        return None
    amended = record.amend(recorded, amendment.changes)
    return Fact(microseconds(amended.effective_at), recorded.position, amended.event, recorded, amendment.positions)


def known(stream: str, moment: Moment, record: Record, index: Index) -> list[Fact]:
    """The facts of a scope at a moment, in order of (effective time, position)."""
    recorded = list(record.stream(stream, moment.known_at))
    moved = [each for each in index.moved_into(stream) if each <= moment.known_at]
    recorded += record.at(moved)
    about = index.amendments(stream, moment.known_at)
    amendments = holding(record.at(about)) if about else {}
    limit = moment.at
    facts = []
    for each in recorded:
        found = fact(each, amendments.get(each.position), record)
        if found is not None and found.at <= limit and (not (moved or amendments) or found.event.stream == stream):
            facts.append(found)
    facts.sort(key=lambda each: each.key)
    return facts
