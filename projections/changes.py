"""
What was changed in a period, who approved it, and where did practice leave the doctrine?

The change record: every deployment, release, rollback, feature, configuration
and migration that ended in the period, with the approvals that were in force
for its version and digest, by what the ledger knew when it happened; the
decision and incidents it belongs to; and its findings. Exceptions come first,
and what the record was looked through for is stated, so that a reader can
tell that nothing was left out.

A change belongs to the one period in which it ended, so that periods add up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import change_steps, findings, role_spans, search, telling
from projections.answers import Reader
from projections.change_rows import Rows
from projections.change_steps import STEPS, Change
from projections.facts import HOUR, Fact
from projections.finding import ACCEPTED, OPEN, SETTLED, Finding
from projections.findings_scenes import ALL
from projections.incident_timeline import NameOf, nobody
from projections.periods import Period
from projections.telling import Told

FORMAT = "lastgood-changes/1"

LOOKED_BACK = 31 * 24 * HOUR
"""So long before a period the beginning of a change is looked for that ended in it."""

_BEGINNINGS = tuple(topic for topic, step in STEPS.items() if step.outcome is None)

Checkpoint = Callable[[int], Mapping[str, Any] | None]
"""The first signed checkpoint that covers a position, None while there is none."""


def record(
    reader: Reader, period: Period, filters: Mapping[str, str], checkpoint: Checkpoint, name_of: NameOf = nobody
) -> dict[str, Any]:
    """The change record of a period at the moment of a reader; *filters* are `service` and `environment`."""
    return _Record(reader, period, filters, name_of).json(checkpoint)


@dataclass
class _Record:
    reader: Reader
    period: Period
    filters: Mapping[str, str]
    name_of: NameOf

    def json(self, checkpoint: Checkpoint) -> dict[str, Any]:
        rows = [self._row(each) for each in self._ended]
        exceptions = list(self._exceptions(rows))
        return {
            "format": FORMAT,
            "period": self.period.json(),
            "service": self.filters.get("service"),
            "environment": self.filters.get("environment"),
            **self.reader.frame(),
            "completeness": self._completeness(checkpoint),
            "exceptions": exceptions,
            "changes": rows,
            "in_progress": [self._row(each) for each in self._under_way],
            "retracted": [self._retracted(each) for each in self._told if not each.counts],
            "roles": role_spans.held(self.reader, self.period.start, self._until, self.name_of),
        }

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self.reader, self.name_of)

    # What is looked through

    @cached_property
    def _until(self) -> int:
        return self.period.until(self.reader.moment.at)

    @cached_property
    def _window(self) -> dict[str, Any]:
        return {**self.filters, "since": self.period.start, "until": self._until}

    @cached_property
    def _told(self) -> list[Told]:
        """The steps of changes that happened in the period, by what they say now."""
        positions = {each for topic in STEPS for each in self._positions(self._window | {"type": topic})}
        return [each for each in self._tell(positions) if self._is_asked_for(each.fact)]

    def _is_asked_for(self, fact: Fact) -> bool:
        """A corrected event is found by what it said, too."""
        event = fact.event
        matches = all(getattr(event, name, None) == value for name, value in self.filters.items())
        return matches and self.period.start <= fact.at < self._until and event.TOPIC in STEPS

    def _positions(self, filters: Mapping[str, Any]) -> list[int]:
        return search.positions(self.reader.tables.db, filters, 0, self.reader.moment.known_at, ALL)

    def _tell(self, positions: Iterable[int]) -> list[Told]:
        return telling.told(positions, self.reader.moment, self.reader.record, self.reader.tables)

    @cached_property
    def _changes(self) -> list[Change]:
        found = change_steps.changes(each.fact for each in self._told if each.counts)
        for each in found:
            if each.outcome is not None and each.began is None and (begun := self._begun.get(each.key)):
                each.facts.insert(0, begun)
        return found

    @cached_property
    def _begun(self) -> dict[change_steps.Key, Fact]:
        """The latest beginning of each change that was begun before the period."""
        before = {**self.filters, "since": self.period.start - LOOKED_BACK, "until": self.period.start}
        positions = {each for topic in _BEGINNINGS for each in self._positions(before | {"type": topic})}
        told = [each.fact for each in self._tell(positions) if each.counts and each.fact.at < self.period.start]
        return {change_steps.named(each).key: each for each in told if each.event.TOPIC in _BEGINNINGS}

    @property
    def _ended(self) -> Iterator[Change]:
        return (each for each in self._changes if each.outcome is not None)

    @property
    def _under_way(self) -> Iterator[Change]:
        return (each for each in self._changes if each.outcome is None)

    def _completeness(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """What was looked through: all that is known, of which so much happened in the period."""
        known, inside = self.reader.moment.known_at, self._positions(self._window)
        return {
            "positions": {"from": 1 if known else None, "to": known or None, "count": known},
            "in_period": {
                "first": inside[0] if inside else None,
                "last": inside[-1] if inside else None,
                "count": len(inside),
            },
            "events": dict(sorted(Counter(each.fact.event.TOPIC for each in self._told if each.counts).items())),
            "changes": dict(sorted(Counter(each.kind for each in self._ended).items())),
            "checkpoint": checkpoint(known) if known else None,
        }

    def _retracted(self, told: Told) -> dict[str, Any]:
        event, retraction = told.fact.event, told.retraction
        return {
            "position": told.fact.position,
            "time": _time(told.fact.at),
            "type": event.TOPIC,
            "service": getattr(event, "service", None),
            "environment": getattr(event, "environment", None),
            "version": change_steps.named(told.fact).version,
            "retracted_at": retraction.position if retraction else None,
            "reason": retraction.event.reason if retraction else None,
        }

    # Exceptions

    @cached_property
    def _findings(self) -> list[Finding]:
        """Those of the period, and those about a change in it: open ones first, then by when."""
        shown = {position for each in self._changes for position in each.positions}
        found = [
            each
            for each in findings.findings(self.reader, self.filters, self.name_of)
            if self.period.start <= each.at < self._until or not shown.isdisjoint(each.positions)
        ]
        return sorted(found, key=_order)

    @cached_property
    def _about(self) -> dict[int, list[Finding]]:
        """By position, the findings that an event shows; those that stand for many events show but a few of them."""
        found: dict[int, list[Finding]] = {}
        for each in self._findings:
            for position in each.positions if each.within is None else ():
                found.setdefault(position, []).append(each)
        return found

    def _exceptions(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Each with the changes that it is about, by their own positions."""
        changed = {position: row["position"] for row in rows for position in row["positions"]}
        for each in self._findings:
            about = (changed[p] for p in each.positions if p in changed and each.within is None)
            yield {**each.json(), "changes": list(dict.fromkeys(about))}

    def _row(self, change: Change) -> dict[str, Any]:
        return {**self._rows.row(change), "findings": [_finding(each) for each in self._of(change)]}

    def _of(self, change: Change) -> Iterator[Finding]:
        """The findings that its steps show, each once, in order."""
        found = {id(each): each for position in change.positions for each in self._about.get(position, ())}
        return iter(sorted(found.values(), key=_order))


def _order(found: Finding) -> tuple[Any, ...]:
    """Open ones first, then accepted and settled ones, each by when."""
    return (OPEN, ACCEPTED, SETTLED).index(found.state), found.at, found.key


def _finding(found: Finding) -> dict[str, Any]:
    return {"rule": found.rule, "state": found.state, "detail": found.detail, "positions": list(found.positions)}


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
