"""
What has to be recorded so that a rota is as its calendar says.

Pure: shifts wanted and shifts recorded in, events out. An event's id is made
of what it says and of the release that it follows, so that two imports at
once record everything once, and a shift that was taken back can come again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from api.cli.ci import Facts
from api.cli.drafts import Draft, of
from api.oncall_calendar import Shift

REDACTED = "[redacted]"
"""What the ledger shows of a person who was redacted: it may be anyone, and is not recorded anew."""

Kept = Mapping[str, Any]
"""A shift as the ledger tells it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Events to record: first who is off duty, then who has it."""

    released: list[dict[str, Any]]
    assigned: list[dict[str, Any]]
    unchanged: int

    def drafts(self) -> Iterator[Draft]:
        nowhere = Facts()
        return (of(event, nowhere) for event in (*self.released, *self.assigned))

    def counts(self) -> dict[str, int]:
        return {"assigned": len(self.assigned), "released": len(self.released), "unchanged": self.unchanged}


def changes(
    shifts: Sequence[Shift],
    recorded: Mapping[str, Any],
    rota: str,
    services: Sequence[str],
    source: str,
    now: datetime,
) -> Changes:
    """
    What to record. *recorded* is the ledger's answer about the same time; of
    it only what has the same source is held against the calendar.
    """
    own = [each for each in recorded["items"] if each["source"] == source]
    left = list(own)
    new = []
    for shift in shifts:
        wanted = _said(shift, rota, services)
        same = next((each for each in left if _is_same(each, wanted)), None)
        if same is None:
            new.append((shift, wanted))
        else:
            left.remove(same)
    gone = [_release(each, rota, source) for each in left]
    held = [*own, *(each for each in recorded["released"] if each["source"] == source)]
    assigned = [_assign(shift, wanted, recorded, held, source, now) for shift, wanted in new]
    return Changes(gone, assigned, len(own) - len(left))


def _said(shift: Shift, rota: str, services: Sequence[str]) -> dict[str, Any]:
    told = {"rota": rota, "person": shift.person, "from": _text(shift.start), "to": _text(shift.end)}
    contact = {"contact": shift.contact} if shift.contact else {}
    return told | ({"services": sorted(services)} if services else {}) | contact


def _is_same(kept: Kept, wanted: Mapping[str, Any]) -> bool:
    times = [(datetime.fromisoformat(each["from"]), datetime.fromisoformat(each["to"])) for each in (kept, wanted)]
    if times[0] != times[1] or sorted(kept["services"]) != wanted.get("services", []):
        return False
    same = kept["person"] in (wanted["person"], REDACTED)
    return same and kept["contact"] in (wanted.get("contact"), REDACTED)


def _release(kept: Kept, rota: str, source: str) -> dict[str, Any]:
    told = {"rota": rota, "person": kept["person"], "from": kept["from"], "to": kept["to"]}
    data = told | ({"services": kept["services"]} if kept["services"] else {})
    return _event("oncall.released", data, source, kept["position"])


def _assign(
    shift: Shift,
    wanted: Mapping[str, Any],
    recorded: Mapping[str, Any],
    held: Sequence[Kept],
    source: str,
    now: datetime,
) -> dict[str, Any]:
    """
    A shift that has begun, of which nothing was recorded, dates from its
    beginning; all others from their recording, so that no past is rewritten.
    """
    follows = max((each["position"] for each in recorded["released"] if _overlaps(each, shift)), default=0)
    event = _event("oncall.assigned", wanted, source, follows)
    if shift.start <= now and not any(_overlaps(each, shift) for each in held):
        event["time"] = _text(shift.start)
    return event


def _overlaps(kept: Kept, shift: Shift) -> bool:
    return datetime.fromisoformat(kept["from"]) < shift.end and datetime.fromisoformat(kept["to"]) > shift.start


def _event(topic: str, data: Mapping[str, Any], source: str, follows: int) -> dict[str, Any]:
    mark = sha256(json.dumps([topic, data, follows], sort_keys=True).encode()).hexdigest()[:32]
    return {"id": f"calendar-{mark}", "source": source, "specversion": "1.0", "type": topic, "data": dict(data)}


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
