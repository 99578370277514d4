"""
Which events tell the story of an incident?

Its own, those of other streams that name it, those of incidents merged into
it, and what changed around it: deployments, releases, rollbacks, features,
configuration, migrations, alerts and on-call shifts of the slots it affects,
from two hours before its impact to its resolution.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ledger.events import AlertFired, AlertResolved, Event, OncallAssigned, OncallReleased
from ledger.values import instant, microseconds, stream_name
from projections import incident_list, oncall, search
from projections.answers import Reader
from projections.facts import HOUR
from projections.incident import UNDECLARED_COUNTS, Slot, State
from projections.telling import Told, own, told

BEFORE_IMPACT = 2 * HOUR
AFTERMATH = 24 * HOUR
"""What goes out in a slot for so long after an incident may be what ended it for good."""

ALL = -1
"""No limit, as SQLite has it."""

_CHANGES = ("deployment.", "release.", "rollback.", "feature.", "configuration.", "migration.", "service.removed")
_RESPONSES = ("rollback.", "feature.disabled")
_OUTGOING = ("deployment.", "release.", "rollback.", "service.removed")
_ALERTS = ("alert.fired", "alert.resolved")


@dataclass(frozen=True)
class Story:
    """An incident at the moment of a reader; its own events in the order they were recorded."""

    reader: Reader
    state: State

    @cached_property
    def own(self) -> list[Told]:
        return self._events(stream_name("incident", self.state.id))

    @cached_property
    def merged(self) -> list[State]:
        """The incidents that are merged into this one, and into those."""
        met, waiting = {self.state.id: self.state}, [self.state.id]
        while waiting:
            for stream in incident_list.tied(self.reader.tables.db, waiting.pop(), "merged"):
                found: State = self.reader.state(stream)
                if found.id not in met and found.merged_into in met:
                    met[found.id] = found
                    waiting.append(found.id)
        return list(met.values())[1:]

    @cached_property
    def leads_to(self) -> State | None:
        """Where an incident that was merged went in the end; None for one that was not."""
        met, found = {self.state.id}, self.state
        while found.merged_into is not None and found.merged_into not in met:
            met.add(found.merged_into)
            found = self.reader.state(stream_name("incident", found.merged_into))
        return None if found is self.state else found

    @cached_property
    def naming(self) -> list[Told]:
        """Events of other streams that name the incident."""
        found = self._search({"incident": self.state.id})
        return [each for each in found if not _is_incidents(each.fact.event) and self._names(each.fact.event)]

    def _names(self, event: Event) -> bool:
        return event.incident == self.state.id

    @cached_property
    def slots(self) -> list[Slot]:
        """The slots that the incident affects, and those merged into it."""
        return list(dict.fromkeys(slot for each in (self.state, *self.merged) for slot in each.affected))

    @cached_property
    def scope(self) -> tuple[int, int] | None:
        """From two hours before impact, or before it was first noticed, to resolution; None where neither is known."""
        start = self.state.impact_start if self.state.impact_start is not None else self.state.began
        if start is None:
            return None
        end = self.state.ended
        if end is None and not self.state.declared:
            end = start + UNDECLARED_COUNTS
        return start - BEFORE_IMPACT, self.reader.moment.at if end is None else end

    @cached_property
    def around(self) -> list[Told]:
        """What changed in the slots it affects, while the story lasts."""
        return [] if self.scope is None else [*self.changes, *self._alerts(), *self._shifts()]

    @cached_property
    def changes(self) -> list[Told]:
        """What went out, came back or was switched in the slots it affects, while the story lasts."""
        return [] if self.scope is None else list(self._changes())

    @cached_property
    def aftermath(self) -> list[Told]:
        """What went out or came back in the slots it affects within a day after it was over."""
        if self.scope is None or self.state.ended is None:
            return []
        until = self.state.ended + AFTERMATH
        found = (each for slot in self.slots for each in self._in_slot(*slot, self.state.ended + 1, until))
        return [each for each in found if each.fact.event.TOPIC.startswith(_OUTGOING)]

    @cached_property
    def whole(self) -> list[tuple[int, Told]]:
        """All of it, each event once, with the moment at which it belongs into the story."""
        found = {each.fact.position: each for each in self.around}
        for each in (self, *(Story(self.reader, other) for other in self.merged)):
            found |= {told.fact.position: told for told in (*each.naming, *each.own)}
        placed = ((self._moment(each), each) for each in found.values())
        return sorted(placed, key=lambda pair: (pair[0], pair[1].fact.position))

    def _moment(self, each: Told) -> int:
        """An event's own time; of a shift that begins while the story lasts, its begin."""
        event = each.fact.event
        if isinstance(event, OncallAssigned | OncallReleased) and self._lasts(begin := _begin(event)):
            return begin
        return each.fact.at

    def _lasts(self, at: int) -> bool:
        return self.scope is not None and self.scope[0] <= at <= self.scope[1]

    def _changes(self) -> Iterator[Told]:
        """
        Some are announced long before they begin: of what went out in that time only the response is told of,
        which belongs to the incident.
        """
        start, end = self.scope or (0, 0)
        began = self.state.began if self.state.began is not None else start
        for slot in self.slots:
            for each in self._in_slot(*slot, min(began, start), end):
                if each.fact.event.TOPIC.startswith(_CHANGES if each.fact.at >= start else _RESPONSES):
                    yield each

    def _in_slot(self, service: str, environment: str, start: int, end: int) -> Iterator[Told]:
        """The events of a slot between two moments, both included."""
        asked: dict[str, str | int] = {"service": service, "environment": environment, "since": start, "until": end + 1}
        for each in self._search(asked):
            event = each.fact.event
            slot = (getattr(event, "service", None), getattr(event, "environment", None))
            if slot == (service, environment) and start <= each.fact.at <= end:
                yield each

    def _alerts(self) -> Iterator[Told]:
        """Alerts of the slots, and those that the incident was detected or declared by."""
        services = {service for service, _ in self.slots}
        for topic in _ALERTS:
            for service in services:
                for each in self._search({"type": topic, "service": service} | self._during()):
                    if self._lasts(each.fact.at) and self._concerns(each.fact.event):
                        yield each
        for fingerprint in self.state.alerts:
            yield from (each for each in self._events(stream_name("alert", fingerprint)) if self._lasts(each.fact.at))

    def _concerns(self, event: Event) -> bool:
        if not isinstance(event, AlertFired | AlertResolved):
            return False
        return any(event.service == service and event.environment in (None, place) for service, place in self.slots)

    def _shifts(self) -> Iterator[Told]:
        """Shifts that begin, or were changed, while the story lasts; of the rotas that cover an affected service."""
        services = {service for service, _ in self.slots}
        db = self.reader.tables.db
        for stream in sorted({stream for service in services for stream in oncall.streams(db, service)}):
            if not any(self.reader.state(stream).covers(service) for service in services):
                continue
            for each in self._events(stream):
                event = each.fact.event
                if isinstance(event, OncallAssigned | OncallReleased) and self._changes_watch(each, event, services):
                    yield each

    def _changes_watch(self, told: Told, event: OncallAssigned | OncallReleased, services: set[str]) -> bool:
        concerned = not event.services or not services.isdisjoint(event.services)
        return concerned and (self._lasts(told.fact.at) or self._lasts(_begin(event)))

    def _during(self) -> dict[str, int]:
        start, end = self.scope or (0, 0)
        return {"since": start, "until": end + 1}

    def _search(self, filters: dict[str, str] | dict[str, str | int]) -> Sequence[Told]:
        reader = self.reader
        positions = search.positions(reader.tables.db, filters, 0, reader.moment.known_at, ALL)
        return told(positions, reader.moment, reader.record, reader.tables)

    def _events(self, stream: str) -> list[Told]:
        reader = self.reader
        return own(stream, reader.moment, reader.record, reader.tables)


def _begin(event: OncallAssigned | OncallReleased) -> int:
    return microseconds(instant(event.from_))


def _is_incidents(event: Event) -> bool:
    return event.STREAM[0] == "incident"
