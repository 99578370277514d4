"""
How long did it take, over many incidents: to detect, declare, acknowledge, decide, execute, verify, mitigate, resolve?

An incident belongs to the period in which it was first declared. Drills,
maintenance, and what was cancelled or merged are left out, and it is said how
many. One that still goes on gives no value: it is told apart, with what is
known of it so far. The measures are those of `projections.measures`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import definitions, incident_list, incident_responses, measures, search, telling
from projections.answers import Reader
from projections.incident import Slot, State
from projections.incident_story import Story
from projections.measures import Measure
from projections.selection import Places, Selection, grouped, heading
from projections.spread import Value, spread
from projections.telling import Told

LEFT_OUT = ("drill", "maintenance", "cancelled", "merged", "undeclared")
"""Why an incident is left out; of several reasons the first is told."""

SEVERITIES = ("SEV-1", "SEV-2", "SEV-3")

_ALL = -1
"""No limit, as SQLite has it."""

_STEPS = "decided declined started succeeded failed cancelled verified ineffective".split()


def answer(reader: Reader, selection: Selection) -> dict[str, Any]:
    """The measures of the incidents that are asked about: of all, and by group."""
    places, responses = Places(reader, selection), Responses(reader)
    every = (reader.state(each) for each in incident_list.streams(reader.tables.db))
    found = sorted((_Asked(each, responses) for each in every if _is_asked(places, each)), key=lambda each: each.key)
    groups = grouped(places, found, lambda each: each.key[0], lambda each: each.state.affected)
    return {
        **reader.frame(),
        **selection.json(),
        "definitions": definitions.told(definitions.INCIDENT),
        "quantiles": definitions.QUANTILES,
        **_json(found),
        "groups": [{**heading(each), **_json(each.items)} for each in groups],
    }


def _is_asked(places: Places, state: State) -> bool:
    if state.heard is None or not places.selection.period.holds(_dated(state)):
        return False
    return not places.selection.narrowed or any(places.match(slot) for slot in state.affected)


def _dated(state: State) -> int:
    """When an incident was declared; one that nobody declared is left out, by when it was first heard of."""
    declared = state.first("declared")
    return incident_list.order(state)[0] if declared is None else declared.at


def left_out(state: State) -> str | None:
    """Why an incident is not counted; None where it is."""
    reasons = {
        "drill": state.mode == "drill",
        "maintenance": state.kind == "maintenance",
        "cancelled": state.state == "cancelled",
        "merged": state.state == "merged",
        "undeclared": state.first("declared") is None,
    }
    return next((name for name in LEFT_OUT if reasons[name]), None)


class Responses:
    """The steps of all rollbacks at a moment, read once, so as to tell which belong to which incident."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._by_slot: dict[Slot, list[Told]] = {}
        self._by_incident: dict[str | None, list[Told]] = {}
        for each in self._steps():
            event: Any = each.fact.event
            self._by_slot.setdefault((event.service, event.environment), []).append(each)
            self._by_incident.setdefault(event.incident, []).append(each)

    def _steps(self) -> Iterator[Told]:
        reader, found = self.reader, set[int]()
        for name in _STEPS:
            asked = {"type": f"rollback.{name}"}
            found.update(search.positions(reader.tables.db, asked, 0, reader.moment.known_at, _ALL))
        return (each for each in telling.told(found, reader.moment, reader.record, reader.tables) if each.counts)

    def measures(self, state: State) -> dict[str, Measure]:
        """The eight measures of an incident, just as the answer about it alone has them."""
        story = Story(self.reader, state)
        among = self._belonging(story)
        rollbacks = [each for _, each in incident_responses.rollbacks(story, among)]
        return measures.measures(state, incident_responses.responses(among), rollbacks)

    def _belonging(self, story: Story) -> list[Told]:
        """What `incident_responses.belonging` gives, of rollbacks."""
        found = {each.fact.position: each for each in self._by_incident.get(story.state.id, ())}
        found |= {each.fact.position: each for each in self._silent(story)}
        return [found[position] for position in sorted(found)]

    def _silent(self, story: Story) -> Iterator[Told]:
        """The steps that name no incident and fall into this one, in a slot that it affects."""
        began, ended, scope = story.state.began, story.state.ended, story.scope
        if began is None or scope is None:
            return
        end = scope[1] if ended is None else min(ended, scope[1])
        for slot in story.slots:
            for each in self._by_slot.get(slot, ()):
                silent = each.fact.event.incident is None and began <= each.fact.at <= end
                if silent and not incident_responses.is_of_another(story, each.fact.event):
                    yield each


@dataclass
class _Asked:
    """An incident that is asked about."""

    state: State
    responses: Responses

    @property
    def key(self) -> tuple[int, str]:
        return _dated(self.state), self.state.id

    @cached_property
    def left_out(self) -> str | None:
        return left_out(self.state)

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        return self.responses.measures(self.state)

    @cached_property
    def severity(self) -> str | None:
        """The worst that it ever had."""
        return min((each.name for each in self.state.severities), default=None)

    def json(self) -> dict[str, Any]:
        declared = self.state.first("declared")
        return {
            "incident": self.state.id,
            "severity": self.severity,
            "declared": rfc3339(from_microseconds(self.key[0])),
            "position": None if declared is None else declared.position,
            "open": self.state.active,
        }

    def value(self, name: str) -> Value:
        return Value({"incident": self.state.id}, self.measures[name])


def _json(asked: Sequence[_Asked]) -> dict[str, Any]:
    counted = [each for each in asked if each.left_out is None]
    severities = [each.severity for each in counted]
    aside = {name: [each.state.id for each in asked if each.left_out == name] for name in LEFT_OUT}
    return {
        "counted": len(counted),
        "open": sum(each.state.active for each in counted),
        "by_severity": {name: severities.count(name) for name in SEVERITIES},
        "left_out": {name: {"n": len(names), "incidents": names} for name, names in aside.items()},
        "incidents": [each.json() for each in counted],
        "measures": {name: _measure(name, counted) for name in definitions.INCIDENT},
    }


def _measure(name: str, counted: Sequence[_Asked]) -> dict[str, Any]:
    """One measure of some incidents: n, missing and open together are all that are counted."""
    over = [each.value(name) for each in counted if not each.state.active]
    known = [each for each in over if each.measure.microseconds is not None]
    missing = [each for each in over if each.measure.microseconds is None]
    return spread(known, missing, [each.value(name) for each in counted if each.state.active])
