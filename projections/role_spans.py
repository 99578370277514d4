"""
Who held which role when: what the record says was granted and revoked.

Each token is a span of its own, since each is granted and revoked by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledger.events import AccessGranted, AccessRevoked
from ledger.values import from_microseconds, rfc3339
from projections import search, telling
from projections.answers import Reader
from projections.facts import Fact
from projections.incident_timeline import NameOf, nobody

ALL = -1
"""No limit, as SQLite has it."""


@dataclass(slots=True)
class Span:
    """What a principal might do, from when it was granted to when that was revoked, if it was."""

    granted: Fact
    event: AccessGranted
    revoked: Fact | None = None

    def overlaps(self, start: int, end: int) -> bool:
        return self.granted.at < end and (self.revoked is None or self.revoked.at > start)


def spans(reader: Reader) -> list[Span]:
    """All that was granted by the moment of a reader, in the order in which it was."""
    found: dict[tuple[str, str], Span] = {}
    for each in sorted(_access(reader), key=lambda one: one.position):
        match each.event:
            case AccessGranted() as event:
                found[event.subject, _token(event) or str(each.position)] = Span(each, event)
            case AccessRevoked() as event:
                for span in _revoked(found, event):
                    span.revoked = span.revoked or each
    return list(found.values())


def _revoked(found: dict[tuple[str, str], Span], event: AccessRevoked) -> list[Span]:
    """What a revocation ends: one token, or all of a principal where it names none."""
    token = _token(event)
    if token is not None:
        return [span] if (span := found.get((event.subject, token))) else []
    return [each for (subject, _), each in found.items() if subject == event.subject]


def _token(event: AccessGranted | AccessRevoked) -> str | None:
    return (event.labels or {}).get("token")


def _access(reader: Reader) -> Iterator[Fact]:
    for topic in ("access.granted", "access.revoked"):
        positions = search.positions(reader.tables.db, {"type": topic}, 0, reader.moment.known_at, ALL)
        for each in telling.told(positions, reader.moment, reader.record, reader.tables):
            if each.counts:
                yield each.fact


def held(reader: Reader, start: int, end: int, name_of: NameOf = nobody) -> list[dict[str, Any]]:
    """Who held which role at any time in a period, and what it was bound to."""
    return [_json(each, name_of) for each in spans(reader) if each.overlaps(start, end)]


def _json(span: Span, name_of: NameOf) -> dict[str, Any]:
    event, bindings, labels = span.event, span.event.bindings or {}, span.event.labels or {}
    by = span.granted.recorded.submitter.id
    return {
        "principal": event.subject,
        "name": name_of(event.subject),
        "kind": labels.get("kind"),
        "method": labels.get("method"),
        "roles": sorted(event.roles),
        "services": list(bindings.get("services", [])),
        "environments": list(bindings.get("environments", [])),
        "since": _time(span.granted.at),
        "until": None if span.revoked is None else _time(span.revoked.at),
        "granted_by": name_of(by) or by,
        "granted_at": span.granted.position,
        "revoked_at": None if span.revoked is None else span.revoked.position,
    }


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))
