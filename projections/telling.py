"""
Events by position, each with what corrections say of it.

Folds only want what counts. Who tells a story also wants what was said first,
who corrected it, and what was retracted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ledger.events import Record, Recorded
from projections.facts import Amendment, Fact, Index, Moment, fact, holding


@dataclass(frozen=True, slots=True)
class Told:
    """
    An event at a moment: `fact` as it counts, or as it would if it had not
    been retracted; the corrections that hold; the retraction, if there is one.
    """

    fact: Fact
    corrections: tuple[Recorded, ...] = ()
    retraction: Recorded | None = None

    @property
    def counts(self) -> bool:
        return self.retraction is None

    @property
    def key(self) -> tuple[int, int]:
        return self.fact.key


def told(positions: Iterable[int], moment: Moment, record: Record, index: Index) -> list[Told]:
    """The events at some positions that are known and effective at a moment, in order of (time, position)."""
    wanted = sorted({each for each in positions if each <= moment.known_at})
    recorded = list(record.at(wanted))
    about = {p for stream in {each.stream for each in recorded} for p in index.amendments(stream, moment.known_at)}
    amendments = holding(record.at(sorted(about))) if about else {}
    found = [_told(each, amendments.get(each.position), record) for each in recorded]
    return sorted((each for each in found if each.fact.at <= moment.at), key=lambda each: each.key)


def _told(recorded: Recorded, amendment: Amendment | None, record: Record) -> Told:
    if amendment is None:
        return Told(Fact.as_recorded(recorded))
    standing = fact(recorded, replace(amendment, retracted=False), record) or Fact.as_recorded(recorded)
    said = list(record.at(list(amendment.positions)))
    retraction = said.pop(_retraction(said)) if amendment.retracted else None
    return Told(standing, tuple(said), retraction)


def _retraction(said: list[Recorded]) -> int:
    return next(i for i, each in enumerate(said) if each.event.TOPIC == "record.retracted")


def own(stream: str, moment: Moment, record: Record, index: Index) -> list[Told]:
    """Every event of a stream at a moment, with those that corrections moved into it, without those moved out."""
    positions = [each.position for each in record.stream(stream, moment.known_at)]
    found = told([*positions, *index.moved_into(stream)], moment, record, index)
    return [each for each in found if each.fact.event.stream == stream]
