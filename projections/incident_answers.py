"""
The answers about incidents: one with all that is known of it, and the list.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.events import (
    Event,
    IncidentImpactMeasured,
    IncidentNoteAdded,
    IncidentUpdatePublished,
    MitigationApplied,
)
from ledger.values import from_microseconds, rfc3339, stream_name
from projections import (
    expected_response,
    impact,
    incident_list,
    incident_marks,
    incident_responses,
    measures,
    roles,
    spans,
    suspicion,
    telling,
)
from projections.answers import Reader
from projections.facts import Fact
from projections.incident import OVER, State, Step
from projections.incident_list import Cursor
from projections.incident_story import Story
from projections.incident_timeline import NameOf, nobody


def story(reader: Reader, name: str) -> Story | None:
    """An incident to tell of at the moment of a reader; None where nothing of it is known."""
    found: State = reader.state(stream_name("incident", name))
    return None if found.heard is None else Story(reader, found)


def taken_back(reader: Reader, name: str) -> list[int]:
    """The positions of what was recorded of an incident of which nothing counts any more, and of what retracted it."""
    stream = stream_name("incident", name)
    state: State = reader.state(stream)
    if state.heard is not None:
        return []
    found = telling.own(stream, reader.moment, reader.record, reader.tables)
    retractions = (each.retraction.position for each in found if each.retraction is not None)
    return sorted({*(each.fact.position for each in found), *retractions})


def page(
    reader: Reader, filters: Mapping[str, Any], after: Cursor | None, limit: int
) -> tuple[list[dict[str, Any]], Cursor | None]:
    """The incidents that match filters, those that began last first, and where the next page goes on."""
    db = reader.tables.db
    if reader.moment.now:
        found = [reader.state(each) for each in incident_list.page(db, filters, after, limit + 1)]
    else:
        every = (reader.state(each) for each in incident_list.streams(db))
        found = incident_list.choose(every, filters, after, limit + 1)
    told = found[:limit]
    return [row(each) for each in told], incident_list.order(told[-1]) if len(found) > limit else None


def row(state: State) -> dict[str, Any]:
    """One incident in a list."""
    commander = roles.commander(state.holdings)
    return {
        "id": state.id,
        "title": state.title,
        "kind": state.kind,
        "mode": state.mode,
        "counted": state.counted,
        "state": state.state,
        "active": state.active,
        "severity": state.severity,
        "suggested_severity": state.suggested,
        "priority": state.priority,
        "affected": [_place(each) for each in state.affected],
        "commander": commander.person if commander else None,
        "began": _time(state.began),
        "declared": _time(_at(state.first("declared"))),
        "ended": _time(state.ended),
        "merged_into": state.merged_into,
    }


def incident(told: Story, name_of: NameOf = nobody) -> dict[str, Any]:
    """Everything about one incident at the moment of its story."""
    return _Answer(told, name_of).json()


class _Answer:
    def __init__(self, told: Story, name_of: NameOf) -> None:
        self.story, self.state, self.name_of = told, told.state, name_of
        self.at = told.reader.moment.at
        self.own = [each.fact for each in told.own if each.counts]
        self.by_position = {each.position: each for each in self.own}

    def json(self) -> dict[str, Any]:
        state, story = self.state, self.story
        leads_to, among = story.leads_to, incident_responses.belonging(story)
        responses = incident_responses.responses(among)
        rollbacks = [each for _, each in incident_responses.rollbacks(story, among)]
        return {
            **row(state),
            **story.reader.frame(),
            "severities": self._severities(),
            "priorities": [self._step(each) for each in state.priorities],
            "steps": self._steps(),
            "cycles": [[self._step(each) for each in cycle] for cycle in state.cycles],
            "impact": self._impact(),
            "roles": [self._holding(each) for each in state.holdings],
            "versions": suspicion.versions(state, self._slots(), self._said),
            "cause_elsewhere": None if state.elsewhere is None else self._step(state.elsewhere),
            "mitigations": self._all(MitigationApplied, "kind", "text", "service", "environment"),
            "notes": self._notes(),
            "updates": self._all(IncidentUpdatePublished, "audience", "text", "channel"),
            "links": self._links(),
            "leads_to": None if leads_to is None else row(leads_to),
            "merged": [each.id for each in story.merged],
            "alerts": state.alerts,
            "expected_response": expected_response.answer(state, responses, self.at),
            "measures": {name: each.json() for name, each in measures.measures(state, responses, rollbacks).items()},
            "marks": [incident_marks.json(each) for each in incident_marks.marks(state, self.own)],
        }

    # Steps, severity, roles

    def _step(self, step: Step) -> dict[str, Any]:
        found = {"name": step.name, "time": _time(step.at), "position": step.position, **self._said(step.position)}
        if affected := getattr(self.by_position[step.position].event, "affected", ()):
            found["affected"] = [_place((each.service, each.environment)) for each in affected]
        return found

    def _said(self, position: int) -> dict[str, Any]:
        """Why, and who says so."""
        fact = self.by_position[position]
        return {"reason": fact.event.reason, "by": self._by(fact)}

    def _by(self, fact: Fact) -> str:
        """Who decided, else who submitted."""
        person = fact.event.decided_by or fact.recorded.submitter.id
        return self.name_of(person) or person

    def _severities(self) -> dict[str, Any]:
        grades, lasted = self.state.severities, dict.fromkeys(("SEV-1", "SEV-2", "SEV-3"), 0)
        for each in self.state.spans:
            if each.severity is not None:
                lasted[each.severity] += max(0, (self.at if each.end is None else each.end) - each.start)
        return {
            "initial": grades[0].name if grades else None,
            "peak": min((each.name for each in grades), default=None),
            "current": self.state.severity,
            "seconds": {name: spans.seconds(length) for name, length in lasted.items()},
            "changes": [self._step(each) for each in grades],
        }

    def _steps(self) -> dict[str, Any]:
        """The headline: first times, the last resolution, and the first one beside it."""
        state = self.state
        told = {
            "detected": state.first("detected"),
            "declared": state.first("declared"),
            "acknowledged": state.first("acknowledged"),
            "mitigated": state.last("mitigated"),
            "resolved": state.last("resolved"),
            "first_resolved": state.first("resolved"),
            "closed": state.last("closed"),
        }
        return {name: None if each is None else _moment(each.at, each.position) for name, each in told.items()}

    def _holding(self, holding: roles.Holding) -> dict[str, Any]:
        event = self.by_position[holding.position].event
        return {
            "role": holding.role,
            "person": holding.person,
            "since": _time(holding.start),
            "until": _time(holding.end),
            "from": getattr(event, "from_", None),
            "briefing": getattr(event, "briefing", None),
            "position": holding.position,
        }

    # What it did to customers, what was done about it, what was said

    def _impact(self) -> dict[str, Any]:
        windows, over = self.state.windows, self.state.state in OVER
        length = impact.length(windows, None if over else self.at) if windows else None
        return {
            "seconds": None if length is None else spans.seconds(length),
            "ongoing": not over and any(each.end is None for each in windows),
            "windows": [_window(each) for each in windows],
            "measured": self._all(IncidentImpactMeasured, "measure", "value", "unit", "method"),
        }

    def _all(self, kind: type[Event], *names: str) -> list[dict[str, Any]]:
        """The events of a kind, in the order they happened."""
        found = sorted((each for each in self.own if isinstance(each.event, kind)), key=lambda each: each.key)
        return [self._item(each, *names) for each in found]

    def _item(self, fact: Fact, *names: str) -> dict[str, Any]:
        told = {name: getattr(fact.event, name) for name in names}
        return {**told, **_moment(fact.at, fact.position), "by": self._by(fact)}

    def _notes(self) -> dict[str, Any]:
        """How many, and those that are pinned; all of them are in the timeline."""
        notes = [each for each in self.own if isinstance(each.event, IncidentNoteAdded)]
        pinned = sorted((each for each in notes if getattr(each.event, "pinned", None)), key=lambda each: each.key)
        return {"count": len(notes), "pinned": [self._item(each, "text", "role") for each in pinned]}

    def _links(self) -> list[dict[str, Any]]:
        """To other incidents, and from them."""
        reader, name = self.story.reader, self.state.id
        own = [{"incident": each.other, "relation": each.relation, "to": True} for each in self.state.links]
        others: list[State] = [reader.state(each) for each in incident_list.tied(reader.tables.db, name, "linked")]
        return own + [
            {"incident": other.id, "relation": each.relation, "to": False}
            for other in others
            for each in other.links
            if each.other == name
        ]

    # What was decided and done

    def _slots(self) -> Iterator[Any]:
        for slot in self.state.affected:
            yield self.story.reader.state(stream_name("slot", *slot))


def _window(window: impact.Window) -> dict[str, Any]:
    return {
        "window": window.name or None,
        "start": None if window.start is None else _moment(window.start, window.start_position),
        "end": None if window.end is None else _moment(window.end, window.end_position),
        "basis": window.basis,
        "precision": window.precision,
        "level": window.level,
        "affected": [_place(each) for each in window.affected],
    }


def _place(slot: tuple[str, str]) -> dict[str, str]:
    return {"service": slot[0], "environment": slot[1]}


def _at(step: Step | None) -> int | None:
    return None if step is None else step.at


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))


def _moment(at: int, position: int | None) -> dict[str, Any]:
    return {"time": _time(at), "position": position}
