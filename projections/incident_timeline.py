"""
What happened in an incident, in order, and who says so?

Each entry has its time, how much later it was recorded, who submitted it and
who decided it, the role they had at that time, and its position; what was
said first where it was corrected; and, where it was retracted, that it was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ledger.events import Event, RecordCorrected, Recorded
from ledger.values import from_microseconds, microseconds, rfc3339
from projections import roles, spans
from projections.incident import State
from projections.incident_story import Story
from projections.telling import Told
from projections.wording import summary

NameOf = Callable[[str], str | None]
"""The name of a principal by its opaque id, None where none is kept."""

Key = tuple[int, int]
"""An entry's time in microseconds, and its position."""

KEY = frozenset(
    "incident.detected incident.declared incident.acknowledged incident.severity_changed incident.impact_started "
    "incident.impact_ended incident.mitigated incident.resolved incident.closed incident.cancelled incident.reopened "
    "incident.merged incident.unmerged incident.version_implicated incident.cause_elsewhere mitigation.applied "
    "rollback.decided rollback.declined rollback.succeeded rollback.failed rollback.verified rollback.ineffective".split()
)
"""The moments that no shortening leaves out."""


def nobody(_principal: str) -> str | None:
    """Where no names of principals are kept."""
    return None


def timeline(story: Story, name_of: NameOf = nobody) -> list[dict[str, Any]]:
    """Every entry, in order of (time, position)."""
    return page(story, None, -1, name_of)[0]


def page(story: Story, after: Key | None, limit: int, name_of: NameOf) -> tuple[list[dict[str, Any]], Key | None]:
    """The entries after the one of a key, at most *limit*, and the key of the last where there are more."""
    states = {each.id: each for each in (story.state, *story.merged)}
    placed = [(at, told) for at, told in story.whole if after is None or (at, told.fact.position) > after]
    chosen = placed if limit < 0 else placed[:limit]
    entries = [_Entry(at, told, _concerned(story, states, told), name_of).json() for at, told in chosen]
    last = chosen[-1] if len(chosen) < len(placed) else None
    return entries, None if last is None else (last[0], last[1].fact.position)


def _concerned(story: Story, states: dict[str, State], told: Told) -> State:
    """The incident that an entry is of: its own where it was merged, the story's for all around."""
    return states.get(told.fact.event.incident or "", story.state)


@dataclass(frozen=True, slots=True)
class _Entry:
    at: int
    told: Told
    state: State
    name_of: NameOf

    def json(self) -> dict[str, Any]:
        fact, event = self.told.fact, self.told.fact.event
        recorded = fact.recorded
        return {
            "type": event.TOPIC,
            "time": _time(self.at),
            "position": fact.position,
            "summary": summary(event),
            "incident": event.incident,
            "service": getattr(event, "service", None),
            "environment": getattr(event, "environment", None),
            "recordedtime": rfc3339(recorded.recorded_at),
            "lag_seconds": spans.seconds(max(0, microseconds(recorded.recorded_at) - fact.at)),
            "lag": spans.lag(fact.at, microseconds(recorded.recorded_at)),
            "claimed_time": self._claimed(),
            **self._people(recorded, event),
            "source": recorded.source,
            "key": event.TOPIC in KEY and self.told.counts,
            "pinned": bool(getattr(event, "pinned", None)),
            "data": data(event),
            "corrections": [change for each in self.told.corrections for change in self._correction(each)],
            "retracted": self._retraction(),
        }

    def _claimed(self) -> str | None:
        """What the source claimed, where its clock ran ahead and the entry counts from its recording."""
        recorded = self.told.fact.recorded
        ahead = recorded.occurred_at > recorded.recorded_at and not self.told.corrections
        return rfc3339(recorded.occurred_at) if ahead else None

    def _people(self, recorded: Recorded, event: Event) -> dict[str, Any]:
        submitter = recorded.submitter
        name, decider = self.name_of(submitter.id), event.decided_by
        people = [decider, self.name_of(decider)] if decider else [submitter.id, name]
        return {
            "submitter": {"id": submitter.id, "name": name, "kind": submitter.kind},
            "decided_by": self._called(decider),
            "roles": roles.of(self.state.holdings, [each for each in people if each], self.at),
        }

    def _called(self, person: str | None) -> str | None:
        return None if person is None else self.name_of(person) or person

    def _correction(self, correction: Recorded) -> Iterator[dict[str, Any]]:
        event = correction.event
        if isinstance(event, RecordCorrected):
            yield {
                "field": event.field,
                "was": _said(self.told.fact.recorded, event.field),
                "now": event.value,
                **self._amended(correction),
            }

    def _retraction(self) -> dict[str, Any] | None:
        return None if self.told.retraction is None else self._amended(self.told.retraction)

    def _amended(self, by: Recorded) -> dict[str, Any]:
        return {
            "position": by.position,
            "recordedtime": rfc3339(by.recorded_at),
            "reason": by.event.reason,
            "decided_by": self._called(by.event.decided_by),
        }


def _said(recorded: Recorded, field: str) -> Any:
    """What an event said first of a member, by its wire name."""
    return recorded.time if field == "time" else data(recorded.event).get(field)


def data(event: Event) -> dict[str, Any]:
    """The members of an event by their wire names, without those that say nothing and those that the ledger sets."""
    return {
        each.name.rstrip("_"): _plain(value)
        for each in fields(event)
        if each.name not in event.LEDGER_SETS and (value := getattr(event, each.name)) not in (None, ())
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {each.name: _plain(found) for each in fields(value) if (found := getattr(value, each.name)) is not None}
    return value


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
