"""
What all sections of a report look at: one incident, read at one moment.

Everything that is known of the incident already comes from the answers about
it; here it is looked up once for all sections.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.values import from_microseconds, rfc3339, stream_name
from projections import incident_answers, incident_responses, measures, postmortem, telling
from projections.answers import Reader
from projections.facts import Fact
from projections.incident import State
from projections.incident_story import Story
from projections.incident_timeline import NameOf, timeline
from projections.postmortem import Postmortem
from projections.report_zone import Zone
from projections.slot import Rollback
from projections.slot import State as SlotState
from projections.telling import Told

SURE = ("exact", "second", "seconds")
"""Precisions of a bound of impact that is no estimate."""


@dataclass(frozen=True)
class Scene:
    """An incident at the moment of its story, who goes by which name, and the zone of its people."""

    story: Story
    name_of: NameOf
    zone: Zone

    @property
    def reader(self) -> Reader:
        return self.story.reader

    @property
    def state(self) -> State:
        return self.story.state

    @property
    def at(self) -> int:
        """The moment up to which what goes on is counted."""
        return self.reader.moment.at

    @cached_property
    def answer(self) -> dict[str, Any]:
        """All that is known of the incident, as its readers get it."""
        return incident_answers.incident(self.story, self.name_of)

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """The whole timeline, as its readers get it."""
        return timeline(self.story, self.name_of)

    @cached_property
    def entry(self) -> Mapping[int, dict[str, Any]]:
        return {each["position"]: each for each in self.entries}

    @cached_property
    def own(self) -> list[Fact]:
        """The incident's own events that count, in the order they were recorded."""
        found = [each.fact for each in self.story.own if each.counts]
        return sorted(found, key=lambda each: each.position)

    @cached_property
    def by_position(self) -> dict[int, Fact]:
        return {each.position: each for each in self.own}

    @cached_property
    def postmortem(self) -> Postmortem:
        return postmortem.of(self.story.own)

    # What was decided and done

    @cached_property
    def belonging(self) -> list[Told]:
        return list(incident_responses.belonging(self.story))

    @cached_property
    def rollbacks(self) -> list[tuple[SlotState, Rollback]]:
        return incident_responses.rollbacks(self.story, self.belonging)

    @cached_property
    def measures(self) -> dict[str, measures.Measure]:
        responses = incident_responses.responses(self.belonging)
        return measures.measures(self.state, responses, [each for _, each in self.rollbacks])

    @cached_property
    def estimates(self) -> frozenset[int]:
        """The positions of bounds of impact that are estimates, by what they say of themselves."""
        bounds = [each for each in self.own if each.event.TOPIC.startswith("incident.impact_")]
        return frozenset(each.position for each in bounds if _is_estimate(each))

    def slot(self, service: str, environment: str) -> SlotState:
        found: SlotState = self.reader.state(stream_name("slot", service, environment))
        return found

    # Words

    def facts(self, positions: Iterable[int]) -> list[Fact]:
        """The events at some positions that count, in order of time."""
        reader = self.reader
        found = telling.told(positions, reader.moment, reader.record, reader.tables)
        return [each.fact for each in found if each.counts]

    def called(self, person: str | None) -> str | None:
        return None if person is None else self.name_of(person) or person

    def by(self, fact: Fact) -> str:
        """Who decided, else who submitted."""
        person = fact.event.decided_by or fact.recorded.submitter.id
        return self.name_of(person) or person

    def deed(self, step: tuple[int, int] | None) -> dict[str, Any] | None:
        """A step that is kept as its moment and position, and who took it."""
        if step is None:
            return None
        facts = self.facts([step[1]])
        return {**moment(*step), "by": self.by(facts[0]) if facts else None}


def _is_estimate(fact: Fact) -> bool:
    """A bound that says how precise it is, or that is somebody's judgement."""
    basis, precision = getattr(fact.event, "basis", None), getattr(fact.event, "precision", None)
    return precision.casefold() not in SURE if precision is not None else basis == "judgement"


def time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))


def moment(at: int, position: int | None) -> dict[str, Any]:
    return {"time": time(at), "position": position}


def step(found: Any) -> dict[str, Any] | None:
    """A step of an incident, or whatever else has an `at` and a `position`."""
    return None if found is None else moment(found.at, found.position)
