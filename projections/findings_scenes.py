"""
The scenes in which the rules look for findings: a slot, an incident, the whole record.

A rule is a function from a scene to findings. It gives what went past the
doctrine, with the positions that show it, the one that it is about first; and
those that settled it. Whether a person accepted it is nothing to the rule.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.events import DecisionSeconded
from ledger.values import stream_name
from projections import audit_artifacts, audit_controls, audit_incident, said, search, telling
from projections.answers import Reader
from projections.audit import Decision, Switch
from projections.audit import State as Audit
from projections.audit_controls import Learnt
from projections.facts import Fact
from projections.finding import Finding, by
from projections.incident import Slot, State
from projections.incident_story import Story
from projections.incident_timeline import NameOf
from projections.view import View

RESPONSES = ("rollback.decided", "rollback.declined", "feature.disabled")
"""What may be the response to an incident."""

ALL = -1
"""No limit, as SQLite has it."""


@dataclass
class Inquiry:
    """What all scenes share: the moment, who goes by which names, and who seconded what."""

    reader: Reader
    name_of: NameOf

    @property
    def at(self) -> int:
        return self.reader.moment.at

    def facts(self, positions: Iterable[int]) -> list[Fact]:
        """The events at some positions that count, in order of time."""
        reader = self.reader
        found = telling.told(positions, reader.moment, reader.record, reader.tables)
        return [each.fact for each in found if each.counts]

    @cached_property
    def seconds(self) -> dict[int, list[Fact]]:
        """The words of other people for a decision, by its position."""
        found: dict[int, list[Fact]] = {}
        rows = self.reader.tables.db.execute("SELECT position FROM seconds ORDER BY position").fetchall()
        for each in self.facts(row[0] for row in rows):
            if isinstance(each.event, DecisionSeconded) and said.recorded(each) <= self.at:
                found.setdefault(each.event.position, []).append(each)
        return found

    def names(self, person: str | None) -> frozenset[str]:
        """What a person goes by: an id, the name kept for it, and both parts of `Name <address>`."""
        if person is None:
            return frozenset()
        given = {person, self.name_of(person) or person}
        given |= {part.strip(" >") for each in given for part in each.split("<")}
        return frozenset(each.casefold() for each in given if each)

    def same(self, one: str | None, other: str | None) -> bool:
        return not self.names(one).isdisjoint(self.names(other))

    def seconded(self, decision: Learnt) -> int | None:
        """The position of the first word of another person for a decision."""
        return self.seconded_at(decision.position, decision.person)

    def seconded_at(self, position: int, person: str | None) -> int | None:
        for each in self.seconds.get(position, ()):
            if not self.same(said.person(each), person):
                return each.position
        return None


@dataclass
class SlotScene:
    """One service in one environment."""

    inquiry: Inquiry
    service: str
    environment: str

    @property
    def at(self) -> int:
        return self.inquiry.at

    @cached_property
    def view(self) -> View:
        return self.inquiry.reader.view(self.service, self.environment)

    @cached_property
    def audit(self) -> Audit:
        found: Audit = self.inquiry.reader.audit(stream_name("slot", self.service, self.environment))
        return found

    @cached_property
    def controls(self) -> audit_controls.State:
        found: audit_controls.State = self.inquiry.reader.audit(stream_name("environment", self.environment))
        return found

    @cached_property
    def published(self) -> audit_artifacts.State:
        found: audit_artifacts.State = self.inquiry.reader.audit(stream_name("service", self.service))
        return found

    @cached_property
    def approvals(self) -> dict[str | None, list[Decision]]:
        """Approvals and their revocations by version, in the order in which the ledger learnt them."""
        found: dict[str | None, list[Decision]] = {}
        for each in self.decided("approved", "approval_revoked"):
            found.setdefault(each.version, []).append(each)
        return found

    @cached_property
    def void(self) -> frozenset[int]:
        return frozenset(self.view.slot.void)

    def version(self, artifact: int) -> str:
        return self.view.slot.artifacts[artifact].version

    def marked(self, rule: str) -> Iterator[Finding]:
        """What the fold itself saw go wrong."""
        for each in self.audit.marks:
            if each.rule == rule:
                yield self.finding(rule, each.at, each.positions, each.detail, settled_by=by(each.settled_by))

    @cached_property
    def decisions(self) -> list[Decision]:
        return sorted(self.audit.decisions, key=lambda each: each.since)

    def decided(self, *kinds: str) -> Iterator[Decision]:
        """The decisions of some kinds, in the order in which the ledger learnt them."""
        return (each for each in self.decisions if each.kind in kinds)

    def finding(self, rule: str, at: int, positions: Iterable[int], detail: str, **more: Any) -> Finding:
        return Finding(rule, at, tuple(positions), detail, self.service, self.environment, **more)


@dataclass
class IncidentScene:
    """One incident; drills and maintenance have no findings of their own."""

    inquiry: Inquiry
    state: State
    audit: audit_incident.State

    @property
    def at(self) -> int:
        return self.inquiry.at

    @property
    def counts(self) -> bool:
        """Whether practice is to be judged: drills, maintenance, and what was cancelled or merged are not."""
        return self.state.counted and self.state.state not in ("cancelled", "merged")

    def learnt(self, at: int, position: int) -> Learnt:
        """An event of the incident, and when it was recorded."""
        return Learnt(at, position, position, self.audit.learnt[position], None)

    @cached_property
    def responses(self) -> list[Fact]:
        """The responses that name the incident, or name none and fall into it in a slot it affects."""
        reader = self.inquiry.reader
        around = {each for slot in Story(reader, self.state).slots for each in self._around(slot)}
        naming: set[int] = set()
        for topic in RESPONSES:
            asked = {"type": topic, "incident": self.state.id}
            naming.update(search.positions(reader.tables.db, asked, 0, reader.moment.known_at, ALL))
        facts = self.inquiry.facts(around | naming)
        return [each for each in facts if each.position in around or each.event.incident == self.state.id]

    def _around(self, slot: Slot) -> Iterator[int]:
        """What was decided or switched off in a slot, for no incident by name, while this one lasted."""
        kept: Audit = self.inquiry.reader.audit(stream_name("slot", *slot))
        made: list[Decision | Switch] = [each for each in kept.decisions if each.kind in ("decided", "declined")]
        began, ended = self.state.began, self.state.ended
        for each in (*made, *kept.switches):
            if each.incident is None and began is not None and began <= each.at and (ended is None or each.at <= ended):
                yield each.position

    def finding(self, rule: str, at: int, positions: Iterable[int], detail: str, **more: Any) -> Finding:
        """About the incident; about its slot too, where it affects just one."""
        places = tuple(self.state.affected)
        service, environment = places[0] if len(places) == 1 else (None, None)
        where = {"service": service, "environment": environment, "places": places}
        return Finding(rule, at, tuple(positions), detail, **(where | more), incident=self.state.id)


@dataclass
class RecordScene:
    """All that is recorded; or, where a service, environment or incident is asked for, what is about it."""

    inquiry: Inquiry
    filters: Mapping[str, str]

    @property
    def at(self) -> int:
        return self.inquiry.at

    def concerns(self, place: Sequence[str | None]) -> bool:
        """Whether what is about a service, environment and incident is asked for."""
        asked = (self.filters.get(name) for name in ("service", "environment", "incident"))
        return all(name is None or name == each for name, each in zip(asked, place, strict=True))
