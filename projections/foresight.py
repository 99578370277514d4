"""
Seeing what is decided and not yet stored, as though it were: for what a decider could see.

The tables know what is stored. Events that wait for the same transaction are
few, so what the tables would index of them is looked up by going through them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ledger.events import Record, RecordCorrected, Recorded, RecordRetracted
from ledger.values import stream_name
from projections import incident
from projections.facts import Fact, fact, holding
from projections.folds import kind_of
from projections.tables import Tables


class Foreseen:
    """A record with events at its end that are decided and not yet stored."""

    def __init__(self, record: Record, pending: Sequence[Recorded]) -> None:
        self._record, self._pending = record, pending
        self._by_position = {each.position: each for each in pending}

    def head(self) -> int:
        return self._pending[-1].position

    def read(self, after: int, until: int) -> Iterator[Recorded]:
        yield from self._record.read(after, min(until, self._pending[0].position - 1))
        yield from (each for each in self._pending if after < each.position <= until)

    def stream(self, name: str, until: int) -> Iterator[Recorded]:
        yield from self._record.stream(name, until)
        yield from (each for each in self._pending if each.stream == name and each.position <= until)

    def at(self, positions: list[int]) -> Iterator[Recorded]:
        stored = iter(self._record.at([each for each in positions if each not in self._by_position]))
        for each in positions:
            found = self._by_position.get(each) or next(stored, None)
            if found is not None:
                yield found

    def amend(self, recorded: Recorded, changes: Mapping[str, Any]) -> Recorded:
        return self._record.amend(recorded, changes)


class ForeseenIndex:
    """The index of the tables, and of events that are not stored yet."""

    def __init__(self, tables: Tables, record: Foreseen, pending: Sequence[Recorded]) -> None:
        self._tables, self._record, self._pending = tables, record, pending
        self._roots: dict[int, int] = {}
        for each in pending:
            if isinstance(each.event, RecordCorrected | RecordRetracted):
                target = each.event.position
                self._roots[each.position] = self._roots.get(target) or tables.root_of(target)

    def amendments(self, stream: str, until: int) -> list[int]:
        pending = [at for at, root in self._roots.items() if at <= until and stream in self._streams(root)]
        return [*self._tables.amendments(stream, until), *pending]

    def moved_into(self, stream: str) -> list[int]:
        moved = {root for root in self._roots.values() if stream in self._streams(root) - {self._event(root).stream}}
        return sorted(moved.union(self._tables.moved_into(stream)))

    def incidents_of(self, slot: str) -> list[str]:
        facts = [Fact.as_recorded(each) for each in self._pending]
        facts += [each for root in set(self._roots.values()) for each in self._amended(root)]
        found = {
            each.event.stream for each in facts if kind_of(each.event.stream) == "incident" and slot in _slots(each)
        }
        return sorted(found.union(self._tables.incidents_of(slot)))

    def _event(self, position: int) -> Recorded:
        return next(self._record.at([position]))

    def _streams(self, root: int) -> set[str]:
        """Every stream that an event is in, or that some correction of it moves it into."""
        recorded = self._event(root)
        stored = self._tables.streams_moved(root)
        return {recorded.stream, *stored, *(each.event.stream for each in self._amended(root))}

    def _amended(self, root: int) -> Iterator[Fact]:
        """The event as it is after each pending correction of it."""
        about = self._tables.amendments_of(root)
        for position in (at for at, each in self._roots.items() if each == root):
            about.append(position)
            found = holding(self._record.at(about)).get(root)
            amended = fact(self._event(root), found, self._record)
            if amended is not None:
                yield amended


def _slots(found: Fact) -> set[str]:
    return {stream_name("slot", *slot) for slot in incident.mentioned(found)}
