"""
Deciding a group of commands under the store's write lock.

Nothing is stored here. Each command is decided against the record and the
commands of the group before it; one that is refused leaves no trace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from ledger import incident, record, slot
from ledger.authority import Principal, within_bounds
from ledger.caution import Caution
from ledger.codec import Placed, Prepared, Row, recorded
from ledger.errors import Fault, IdTaken, Invalid, StaleRevision, Unwelcome
from ledger.events import Event, FindingAccepted, Recorded, RollbackDecided
from ledger.values import instant, stream_name

CLOCK_TOLERANCE = timedelta(seconds=1)
"""A source's clock may be ahead of ours by this much before it is told."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was recorded where. `duplicate`: it had been recorded before, there."""

    id: str
    source: str
    position: int
    recordedtime: str
    stream: str
    revision: int
    duplicate: bool = False
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """
    A caller's request: all of its events are recorded, or none.

    `expected` is the revision the one event's stream must be at; `strict`
    refuses what would be recorded with a warning.
    """

    principal: Principal
    events: Sequence[Prepared]
    expected: int | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What a decider could see of a slot: its current version, and the ranked candidates to return to."""

    position: int
    version: str | None
    candidates: Sequence[dict[str, Any]]


Look = Callable[[str, str, int, Sequence[Recorded]], Sight]
"""Sees a slot (service, environment) at a position, given events decided and not yet stored."""


class Past(Protocol):
    """What deciding asks of the record; each answer is the truth while the lock is held."""

    def revision(self, stream: str) -> int: ...
    def twin(self, source: str, event_id: str) -> tuple[Row, bytes | None] | None: ...
    def event(self, position: int) -> Recorded | None: ...
    def state(self, stream: str) -> Any: ...
    def reprepare(self, prepared: Prepared, event: Event, principal: Principal) -> Prepared: ...


@dataclass
class Overlay:
    """What a group, or one command of it, adds to the past."""

    revisions: dict[str, int] = field(default_factory=dict)
    receipts: dict[tuple[str, str], tuple[Receipt, bytes]] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)

    def take(self, other: "Overlay") -> None:
        self.revisions |= other.revisions
        self.receipts |= other.receipts
        self.states |= other.states
        self.placed += other.placed


class Group:
    """Decides commands one after the other; `overlay` is what to store."""

    def __init__(self, past: Past, head: int, now: datetime, recordedtime: str, look: Look | None) -> None:
        self._past, self._head, self._look = past, head, look
        self._now, self._recordedtime = now, recordedtime
        self.overlay = Overlay()

    def decide(self, command: Command) -> list[Receipt]:
        """
        The receipts of a command, which thereby joins the group.

        Raises:
            Conflict, Invalid, NotAllowed: and nothing of the command joins.
        """
        mine = Overlay()
        receipts = []
        for line, prepared in enumerate(command.events, 1):
            try:
                receipts.append(self._one(prepared, command, mine))
            except Invalid as error:
                if len(command.events) > 1:
                    error.errors = [replace(each, line=line) for each in error.errors]
                raise
        self.overlay.take(mine)
        return receipts

    def _one(self, prepared: Prepared, command: Command, mine: Overlay) -> Receipt:
        if (twin := self._twin(prepared, mine)) is not None:
            return twin
        stream = prepared.stream
        revision = mine.revisions.get(stream) or self.overlay.revisions.get(stream) or self._past.revision(stream)
        if command.expected is not None and command.expected != revision:
            raise StaleRevision(stream, command.expected, revision)
        position = self._head + len(self.overlay.placed) + len(mine.placed) + 1
        prepared, cautions = self._consider(prepared, command.principal, position, mine)
        if cautions and command.strict:
            raise Unwelcome([each.detail for each in cautions])
        placed = Placed(prepared, position, revision + 1, self._recordedtime)
        receipt = Receipt(
            prepared.id, prepared.source, position, self._recordedtime, stream, revision + 1, warnings=tuple(cautions)
        )
        mine.placed.append(placed)
        mine.revisions[stream] = revision + 1
        mine.receipts[prepared.source, prepared.id] = (receipt, prepared.fingerprint)
        self._evolve(stream, prepared.event, mine)
        return receipt

    def _twin(self, prepared: Prepared, mine: Overlay) -> Receipt | None:
        key = prepared.source, prepared.id
        if found := mine.receipts.get(key) or self.overlay.receipts.get(key):
            receipt, fingerprint = found
            kept: bytes | None = fingerprint
        elif stored := self._past.twin(*key):
            row, kept = stored
            time = orjson.loads(row.state)["recordedtime"]
            stream = str(row.originator_id)
            receipt = Receipt(row.id, row.source, row.position, time, stream, row.originator_version)
        else:
            return None
        # Redaction deletes the fingerprint, and then the key alone decides.
        if kept is not None and kept != prepared.fingerprint:
            raise IdTaken(prepared.source, prepared.id, receipt.position)
        return replace(receipt, duplicate=True)

    def _consider(
        self, prepared: Prepared, principal: Principal, position: int, mine: Overlay
    ) -> tuple[Prepared, list[Caution]]:
        """The event as it is to be recorded, and what is to be told about it."""
        event = prepared.event
        cautions: list[Caution] = []
        if prepared.time is not None and instant(prepared.time) > self._now + CLOCK_TOLERANCE:
            cautions.append(
                Caution("clock_ahead", f"time {prepared.time} is ahead of the ledger's {self._recordedtime}")
            )
        kind = event.STREAM[0]
        if kind == "slot" and event.TOPIC.startswith(("rollback.", "release.completed")):
            cautions += slot.decide(self._state(prepared.stream, mine), event)
        elif event.TOPIC.startswith(("incident.", "mitigation.", "postmortem.")):
            cautions += incident.decide(self._state(prepared.stream, mine), event)
        elif kind == "record":
            self._check_reference(event, principal, position, mine)
        if event.incident is not None and kind != "incident" and not self._known_incident(event.incident, mine):
            cautions.append(Caution("unknown_incident", f"nobody detected or declared an incident {event.incident}"))
        if isinstance(event, RollbackDecided):
            event, more = self._with_sight(event, position, mine)
            return self._past.reprepare(prepared, event, principal), cautions + more
        return prepared, cautions

    def _with_sight(self, event: RollbackDecided, position: int, mine: Overlay) -> tuple[Event, list[Caution]]:
        """The decision with what the decider could see, and the defaults it leaves to the record."""
        cautions: list[Caution] = []
        if event.reason is None and event.incident is not None:
            state = self._state(stream_name("incident", event.incident), mine)
            event = replace(event, reason=state.title)
        if self._look is None:
            return event, cautions
        pending = [self._as_recorded(placed) for placed in (*self.overlay.placed, *mine.placed)]
        sight = self._look(event.service, event.environment, position - 1, pending)
        if event.from_version is None:
            event = replace(event, from_version=sight.version)
        elif event.from_version != sight.version:
            detail = f"{sight.version or 'nothing'} is current here, not {event.from_version}"
            cautions.append(Caution("from_mismatch", detail))
        for candidate in sight.candidates:
            if candidate["version"] == event.to_version:
                cautions += [Caution(each["code"], each["detail"]) for each in candidate["blockers"]]
        seen = {"position": sight.position, "candidates": list(sight.candidates[:20])}
        return replace(event, seen=seen), cautions

    def _as_recorded(self, placed: Placed) -> Recorded:
        leaf = placed.prepared.leaf(placed.position, placed.originator_version, placed.recordedtime)
        prepared = placed.prepared
        return recorded(
            Row(
                prepared.stream,
                placed.originator_version,
                prepared.event.TOPIC,
                leaf,
                placed.position,
                prepared.source,
                prepared.id,
                prepared.disclosures,
            )
        )

    def _known_incident(self, name: str, mine: Overlay) -> bool:
        stream = stream_name("incident", name)
        return bool(stream in mine.revisions or stream in self.overlay.revisions or self._past.revision(stream))

    def _state(self, stream: str, mine: Overlay) -> Any:
        if stream not in mine.states:
            mine.states[stream] = self._fresh_state(stream, mine)
        return mine.states[stream]

    def _fresh_state(self, stream: str, mine: Overlay) -> Any:
        if stream in self.overlay.states:
            return self.overlay.states[stream].copy()
        state, rules = self._past.state(stream).copy(), RULES[stream.partition("/")[0]]
        for placed in (*self.overlay.placed, *mine.placed):
            if placed.prepared.stream == stream:
                state = rules.evolve(state, placed.prepared.event)
        return state

    def _evolve(self, stream: str, event: Event, mine: Overlay) -> None:
        """Keeps the states that something was decided on; those nobody asked for are not loaded."""
        if stream in mine.states or stream in self.overlay.states:
            mine.states[stream] = RULES[event.STREAM[0]].evolve(self._state(stream, mine), event)

    def _check_reference(self, event: Event, principal: Principal, position: int, mine: Overlay) -> None:
        positions = event.positions if isinstance(event, FindingAccepted) else (getattr(event, "position", 0),)
        for index, each in enumerate(positions):
            at = f"/data/positions/{index}" if isinstance(event, FindingAccepted) else "/data/position"
            target = self._event(each, mine) if each < position else None
            if target is None:
                raise Invalid([Fault(at, f"{each} is not recorded yet: the next position is {position}")])
            within_bounds(principal, target.event)
            record.check(event, target.event)

    def _event(self, position: int, mine: Overlay) -> Recorded | None:
        offset = position - self._head - 1
        if offset < 0:
            return self._past.event(position)
        pending = [*self.overlay.placed, *mine.placed]
        return self._as_recorded(pending[offset]) if offset < len(pending) else None


RULES: dict[str, Any] = {"slot": slot, "incident": incident}
"""The kinds of stream whose rules need a state."""
