"""
Events out of the record: one page, all of them, or as they come.

What is given out is the CloudEvent of each stored row, as it was recorded;
corrections are events too.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from api.service import Service
from ledger.codec import Row, cloud_event
from ledger.values import microseconds
from projections.facts import Moment

PORTION = 1_000
"""Rows read at once."""

HEARTBEAT_S = 15.0
LONGEST_STREAM_S = 3600.0
"""Then a live stream ends, and who listens comes back."""
CHECKED_EVERY_S = 1.0
"""How often, at most, it is looked up whether who listens still may; in silence with each heartbeat."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Events with after < position <= until that match every filter (see `projections.search`)."""

    filters: Mapping[str, Any]
    after: int
    until: int

    def rows(self, held: Service, portion: int) -> Iterator[Row]:
        """In order of position; read in portions."""
        after = self.after
        while after < self.until:
            found = self._portion(held, after, portion)
            yield from found
            if len(found) < portion:
                return
            after = found[-1].position

    def _portion(self, held: Service, after: int, portion: int) -> list[Row]:
        if not self.filters:
            return held.ledger.store.rows(after, self.until, portion)
        positions = held.answers.event_positions(self.filters, after, self.until, portion)
        return held.ledger.store.rows_at(positions) if positions else []


def selections(held: Service, filters: Mapping[str, Any], after: int, moment: Moment) -> list[Selection]:
    """
    The events that match, of those known and effective at a moment.

    An event is effective at the earlier of its two times (DERIVATIONS.md), and
    recorded times never fall: so all that was recorded by `as_of` counts, and
    after that what claims to have happened by then.
    """
    if moment.now:
        return [Selection(filters, after, moment.known_at if filters else held.ledger.head())]
    recorded = min(held.ledger.position_at(moment.as_of), moment.known_at)
    # `until` is exclusive.
    ends = min(filters.get("until", 2**62), microseconds(moment.as_of) + 1)
    late = Selection({**filters, "until": ends}, max(after, recorded), moment.known_at)
    return [Selection(filters, after, recorded), late]


def rows(held: Service, chosen: list[Selection], portion: int = PORTION) -> Iterator[Row]:
    for each in chosen:
        yield from each.rows(held, portion)


def as_json(row: Row) -> bytes:
    return orjson.dumps(cloud_event(row))


def ndjson(held: Service, chosen: list[Selection], limit: int | None) -> Iterator[bytes]:
    """One event a line, in pieces of many lines."""
    piece: list[bytes] = []
    for count, row in enumerate(rows(held, chosen), 1):
        piece.append(as_json(row))
        if len(piece) == PORTION or count == limit:
            yield b"\n".join((*piece, b""))
            piece = []
        if count == limit:
            return
    if piece:
        yield b"\n".join((*piece, b""))


def live(held: Service, after: int, still_may: Callable[[], bool]) -> Iterator[bytes]:
    """
    Server-sent events: each event after a position, as it is recorded. Ends when the server stops, or who listens may no more.

    The first piece comes at once, so that who connects knows that it worked.
    """
    yield b"retry: 2000\n\n"
    checked = time.monotonic()
    ends = checked + LONGEST_STREAM_S
    while not held.stopping.is_set() and time.monotonic() < ends:
        head = held.news.wait_beyond(after, HEARTBEAT_S)
        if time.monotonic() >= checked + CHECKED_EVERY_S:
            if not still_may():
                return
            checked = time.monotonic()
        if head <= after:
            yield b": nothing new\n\n"
        while after < head and not held.stopping.is_set():
            found = held.ledger.store.rows(after, head, PORTION)
            yield b"".join(map(_server_sent, found))
            after = found[-1].position


def _server_sent(row: Row) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.position, row.topic.encode(), as_json(row))
