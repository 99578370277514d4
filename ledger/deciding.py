"""
Deciding a group of commands under the store's write lock.

Nothing is stored here. Each command is decided against the record and the
commands of the group before it; one that is refused leaves no trace.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Protocol

import orjson

from ledger import alert, incident, record, slot
from ledger.authority import Principal, within_bounds
from ledger.caution import Caution
from ledger.codec import Key, Placed, Prepared, Row, amend, recorded
from ledger.disclosures import REDACTED
from ledger.errors import Fault, IdTaken, Invalid, LedgerError, StaleRevision, TooLarge, Unwelcome
from ledger.events import (
    Event,
    FindingAccepted,
    IncidentLinked,
    IncidentMerged,
    RecordCorrected,
    Recorded,
    RecordRedacted,
    RollbackDecided,
    RollbackStarted,
)
from ledger.values import stream_name

CLOCK_TOLERANCE = timedelta(seconds=1)
"""A source's clock may be ahead of ours by this much before it is told."""

CANDIDATES_KEPT = 20
"""How many of the candidates that a decider could see are kept with a decision."""

LOOKED_THROUGH = 1_000
"""So many events of a slot are looked through, under the lock, for what bears on a claim; after more it is stale."""

RULES: dict[str, Any] = {"slot": slot, "incident": incident, "alert": alert}
"""The kinds of stream whose rules need a state."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was recorded where. `duplicate`: it had been recorded before, there; its warnings were told then."""

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

    `expected` is the revision the one event's stream must be at; `claim` lets
    a rollback start at a later one, if what was recorded since bears on no
    claim. `strict` refuses what would be recorded with a warning.
    """

    principal: Principal
    events: Sequence[Prepared]
    expected: int | None = None
    strict: bool = False
    claim: bool = False


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
    def twin(self, key: Key) -> tuple[Row, bytes | None] | None: ...
    def events(self, positions: Sequence[int]) -> Iterable[Recorded]: ...
    def state(self, stream: str) -> Any: ...
    def stream(self, stream: str) -> Iterable[Recorded]: ...
    def since(self, stream: str, revision: int) -> Iterable[Recorded]: ...
    def reprepare(self, prepared: Prepared, event: Event, principal: Principal) -> Prepared: ...


@dataclass
class Overlay:
    """
    What a group, or one command of it, adds to the past.

    `states` are of the streams that something was decided on; the events of
    those that nobody asked for lie in `unseen`, so that they need not be
    loaded. `redacted` tells of which positions which members' words will go.
    """

    revisions: dict[str, int] = field(default_factory=dict)
    receipts: dict[Key, tuple[Receipt, bytes, str]] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    unseen: dict[str, list[tuple[Event, datetime]]] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    redacted: dict[int, frozenset[str]] = field(default_factory=dict)
    _read: list[Recorded] = field(default_factory=list)

    def take(self, other: "Overlay") -> None:
        self.revisions |= other.revisions
        self.receipts |= other.receipts
        self.states |= other.states
        self.placed += other.placed
        for position, names in other.redacted.items():
            self.forget(position, names)
        for stream, events in other.unseen.items():
            self.unseen.setdefault(stream, []).extend(events)

    def forget(self, position: int, names: Iterable[str]) -> None:
        self.redacted[position] = self.redacted.get(position, frozenset()).union(names)

    def read(self) -> list[Recorded]:
        """The events as they will be read once they are stored."""
        self._read += [_as_recorded(each) for each in self.placed[len(self._read) :]]
        return self._read


class Group:
    """Decides commands one after the other; `overlay` is what to store."""

    def __init__(self, past: Past, head: int, now: datetime, recordedtime: str, look: Look | None) -> None:
        self._past, self._head, self._look = past, head, look
        self._now, self._late = now, now + CLOCK_TOLERANCE
        self._recordedtime = recordedtime
        self._blind: str | None = None
        self._inside: dict[object, set[int]] = {}
        self.overlay = Overlay()

    def decide(self, command: Command) -> list[Receipt]:
        """
        The receipts of a command, which thereby joins the group.

        Raises:
            LedgerError: and nothing of the command joins; `line` tells which of its events is refused.
        """
        mine = Overlay()
        receipts = []
        for line, prepared in enumerate(command.events, 1):
            try:
                receipts.append(self._one(prepared, command, mine))
            except LedgerError as error:
                if len(command.events) > 1:
                    _tell_line(error, line)
                raise
        self.overlay.take(mine)
        return receipts

    def _one(self, prepared: Prepared, command: Command, mine: Overlay) -> Receipt:
        if (twin := self._twin(prepared, command.principal, mine)) is not None:
            return twin
        stream = prepared.stream
        revision = mine.revisions.get(stream) or self.overlay.revisions.get(stream) or self._past.revision(stream)
        if command.expected is not None and self._is_stale(prepared, command, revision, mine):
            raise StaleRevision(stream, command.expected, revision)
        position = self._head + len(self.overlay.placed) + len(mine.placed) + 1
        prepared, cautions = self._consider(prepared, command.principal, position, mine)
        if cautions and command.strict:
            raise Unwelcome([each.detail for each in cautions])
        revision += 1
        receipt = Receipt(
            prepared.id, prepared.source, position, self._recordedtime, stream, revision, False, tuple(cautions)
        )
        mine.placed.append(Placed(prepared, position, revision, self._recordedtime))
        mine.revisions[stream] = revision
        mine.receipts[prepared.key] = (receipt, prepared.fingerprint, command.principal.id)
        self._evolve(prepared, mine)
        return receipt

    def _is_stale(self, prepared: Prepared, command: Command, revision: int, mine: Overlay) -> bool:
        """Whether a stream has moved on from what was expected; for a claim, by what bears on one."""
        stream, expected = prepared.stream, command.expected or 0
        if expected == revision:
            return False
        claims = command.claim and isinstance(prepared.event, RollbackStarted)
        if not claims or not 0 < revision - expected <= LOOKED_THROUGH:
            return True
        pending = (
            each.prepared.event
            for each in (*self.overlay.placed, *mine.placed)
            if each.prepared.stream == stream and each.originator_version > expected
        )
        stored = (each.event for each in self._past.since(stream, expected))
        return any(map(slot.bears_on_a_claim, chain(pending, stored)))

    def _twin(self, prepared: Prepared, principal: Principal, mine: Overlay) -> Receipt | None:
        key = prepared.key
        if found := mine.receipts.get(key) or self.overlay.receipts.get(key):
            receipt, fingerprint, submitter = found
            kept: bytes | None = fingerprint
        elif stored := self._past.twin(key):
            row, kept = stored
            leaf, stream = orjson.loads(row.state), str(row.originator_id)
            submitter = leaf["submitter"]["id"]
            receipt = Receipt(row.id, row.source, row.position, leaf["recordedtime"], stream, row.originator_version)
        else:
            return None
        # Redaction deletes the fingerprint, and then the key alone decides.
        redacted = receipt.position in mine.redacted or receipt.position in self.overlay.redacted
        if kept is not None and not redacted and kept != prepared.fingerprint:
            # What comes earlier in the same command is not stored, so its position will be another event's.
            at = None if key in mine.receipts else receipt.position
            raise IdTaken(prepared.source, prepared.id, at, submitter != principal.id)
        return replace(receipt, duplicate=True, warnings=())

    def _consider(
        self, prepared: Prepared, principal: Principal, position: int, mine: Overlay
    ) -> tuple[Prepared, list[Caution]]:
        """The event as it is to be recorded, and what is to be told about it."""
        event, kind = prepared.event, prepared.event.STREAM[0]
        cautions: list[Caution] = []
        if prepared.occurred_at is not None and prepared.occurred_at > self._late:
            told = f"time {prepared.time} is ahead of the ledger's {self._recordedtime}"
            cautions.append(Caution("clock_ahead", told))
        if kind == "slot":
            if event.TOPIC.startswith(("rollback.", "release.completed")):
                cautions += slot.decide(self._state(prepared.stream, mine), event)
        elif kind == "incident":
            happened = prepared.occurred_at or self._now
            cautions += incident.decide(self._state(prepared.stream, mine), event, happened)
        elif kind == "alert" and principal.bound:
            # Named or not: an alert that is another's must not move or end by a word about one's own.
            if (fired := self._state(prepared.stream, mine).fired) is not None:
                within_bounds(principal, fired)
        elif kind == "record":
            judged = self._about_the_record(event, principal, position, mine)
            if judged is not event:
                prepared = self._past.reprepare(prepared, judged, principal)
        cautions += self._unknown_incidents(event, mine)
        if isinstance(event, RollbackDecided):
            prepared, more = self._with_sight(prepared, event, principal, position, mine)
            cautions += more
        return prepared, cautions

    def _unknown_incidents(self, event: Event, mine: Overlay) -> list[Caution]:
        """For the incidents that an event refers to, beside the one whose stream it is in."""
        names = [event.incident] if event.incident is not None and event.STREAM[0] != "incident" else []
        if isinstance(event, IncidentMerged):
            names.append(event.into)
        elif isinstance(event, IncidentLinked):
            names.append(event.other)
        return [
            incident.unknown(name) for name in names if not self._state(stream_name("incident", name), mine).announced
        ]

    def _with_sight(
        self, prepared: Prepared, event: RollbackDecided, principal: Principal, position: int, mine: Overlay
    ) -> tuple[Prepared, list[Caution]]:
        """The decision with what the decider could see, and the defaults it leaves to the record."""
        cautions: list[Caution] = []
        if event.reason is None and event.incident is not None:
            event = replace(event, reason=self._state(stream_name("incident", event.incident), mine).title)
        candidates: Sequence[dict[str, Any]] = ()
        if (sight := self._sight(event, position - 1, mine)) is not None:
            cautions += slot.compare(event, sight.version, sight.candidates)
            event = replace(event, from_version=event.from_version or sight.version)
            candidates = sight.candidates[:CANDIDATES_KEPT]
        elif self._blind is not None:
            cautions.append(Caution("unseen", f"what there was to see is not kept with this: {self._blind}"))
        while True:
            seen = None if sight is None else {"position": sight.position, "candidates": list(candidates)}
            try:
                return self._past.reprepare(prepared, replace(event, seen=seen), principal), cautions
            except TooLarge:
                # A decision counts more than what was seen: it is never refused for the ledger's own words.
                if not candidates:
                    return prepared, cautions
                candidates = candidates[: len(candidates) // 2]

    def _sight(self, event: RollbackDecided, position: int, mine: Overlay) -> Sight | None:
        """None where there is nothing to look with, or where looking failed: it fails once for the whole group."""
        if self._look is None or self._blind is not None:
            return None
        try:
            return self._look(event.service, event.environment, position, [*self.overlay.read(), *mine.read()])
        except Exception as error:  # noqa: BLE001 - a fault in an answer must not stand in the way of a rollback
            self._blind = str(error) if isinstance(error, LedgerError) else f"looking broke ({type(error).__name__})"
            return None

    def _state(self, stream: str, mine: Overlay) -> Any:
        if stream not in mine.states:
            mine.states[stream] = self._fresh_state(stream, mine)
        return mine.states[stream]

    def _fresh_state(self, stream: str, mine: Overlay) -> Any:
        if stream in self.overlay.states:
            return self.overlay.states[stream].copy()
        state, rules = self._past.state(stream).copy(), RULES[stream.partition("/")[0]]
        for event, happened in (*self.overlay.unseen.get(stream, ()), *mine.unseen.get(stream, ())):
            state = rules.evolve(state, event, happened)
        return state

    def _evolve(self, prepared: Prepared, mine: Overlay) -> None:
        stream, event, happened = prepared.stream, prepared.event, prepared.occurred_at or self._now
        kind = event.STREAM[0]
        if kind in RULES:
            if stream in mine.states or stream in self.overlay.states:
                mine.states[stream] = RULES[kind].evolve(self._state(stream, mine), event, happened)
            else:
                mine.unseen.setdefault(stream, []).append((event, happened))

    def _about_the_record(self, event: Event, principal: Principal, position: int, mine: Overlay) -> Event:
        """The event, if what it refers to is recorded, within bounds, and can be referred to in this way."""
        named = record.positions(event)
        # Positions have no gaps, so that what is below the next one is there, and need not be read to know it.
        for index, each in enumerate(named):
            if each >= position:
                at = f"/data/positions/{index}" if isinstance(event, FindingAccepted) else "/data/position"
                raise Invalid([Fault(at, f"{each} is not recorded yet: the next position is {position}")])
        self._within_bounds(principal, named, mine)
        return event if isinstance(event, FindingAccepted) else self._about_one(event, principal, named[0], mine)

    def _about_one(self, event: Event, principal: Principal, position: int, mine: Overlay) -> Event:
        (target,) = self._events([position], mine)
        event = record.check(event, target.event)
        if isinstance(event, RecordCorrected):
            within_bounds(principal, amend(target, {event.field: event.value}).event)
        elif isinstance(event, RecordRedacted):
            self._redact(event, target, mine)
        return event

    def _within_bounds(self, principal: Principal, named: Iterable[int], mine: Overlay) -> None:
        """Raises `NotAllowed` for what is out of bounds, and for what refers to such, however indirectly."""
        if not principal.bound:
            return
        bounds = (principal.kind, principal.services, principal.environments)
        inside, met = self._inside.setdefault(bounds, set()), set[int]()
        while wanted := set(named) - inside - met:
            found = self._events(sorted(wanted), mine)
            for each in found:
                within_bounds(principal, each.event)
            met |= wanted
            named = {position for each in found for position in record.positions(each.event)}
        # What is pending may yet be refused, and another event come to its place.
        inside |= {position for position in met if position <= self._head}

    def _redact(self, event: RecordRedacted, target: Recorded, mine: Overlay) -> None:
        """What is forgotten when the group is stored is forgotten for those who are decided after it, too."""
        mine.forget(target.position, event.fields)
        if target.event.STREAM[0] in RULES:
            mine.states[target.stream] = self._retold(target.stream, mine)

    def _retold(self, stream: str, mine: Overlay) -> Any:
        """The state of a stream, from its events as they will be read."""
        rules = RULES[stream.partition("/")[0]]
        state = rules.State()
        pending = (
            _as_recorded(each) for each in (*self.overlay.placed, *mine.placed) if each.prepared.stream == stream
        )
        for each in chain(self._past.stream(stream), pending):
            gone = self.overlay.redacted.get(each.position, frozenset()) | mine.redacted.get(each.position, frozenset())
            told = amend(each, dict.fromkeys(gone - {"evidence"}, REDACTED)) if gone else each
            state = rules.evolve(state, told.event, each.occurred_at)
        return state

    def _events(self, positions: Sequence[int], mine: Overlay) -> list[Recorded]:
        """The events at positions below the next one; those that are stored are read at once."""
        placed, before = (self.overlay.placed, mine.placed), len(self.overlay.placed)
        pending = [each - self._head - 1 for each in positions if each > self._head]
        return [
            *self._past.events([each for each in positions if each <= self._head]),
            *(_as_recorded(placed[0][each] if each < before else placed[1][each - before]) for each in pending),
        ]


def _tell_line(error: LedgerError, line: int) -> None:
    error.line = line
    if isinstance(error, Invalid):
        error.errors = [replace(each, line=line) for each in error.errors]


def _as_recorded(placed: Placed) -> Recorded:
    prepared = placed.prepared
    return recorded(
        Row(
            prepared.stream,
            placed.originator_version,
            prepared.event.TOPIC,
            prepared.leaf(placed.position, placed.originator_version, placed.recordedtime),
            placed.position,
            prepared.source,
            prepared.id,
            prepared.disclosures,
        )
    )
