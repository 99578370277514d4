"""
Who is on call, for which services, until when, and who comes next?

A fold over the events of one rota. What was recorded last has the last word:
an override is an assignment recorded later, and while it covers a moment it
goes before what it overlaps. A release takes somebody off for a time, so that
what was covered before comes back. A time that nobody covers is a gap, and
told as one.

A rota covers the services that any of its assignments names; one that names
none covers all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from ledger.events import OncallAssigned, OncallReleased
from ledger.values import from_microseconds, instant, microseconds, rfc3339
from projections.facts import HOUR, Fact

NEAR = (8 * 24 * HOUR, 60 * 24 * HOUR)
"""Hand-overs are looked for within so long first, so that years of shifts cost nothing."""


@dataclass(slots=True)
class Entry:
    """Somebody assigned to, or taken off, a rota from `start` until just before `end`."""

    person: str
    start: int
    end: int
    position: int
    services: list[str] = field(default_factory=list)
    contact: str | None = None
    released: bool = False
    source: str | None = None

    def covers(self, at: int) -> bool:
        return self.start <= at < self.end

    def concerns(self, service: str | None) -> bool:
        return service is None or not self.services or service in self.services


@dataclass(slots=True)
class State:
    """`services` are those that the rota covers; none named: all."""

    rota: str = ""
    entries: list[Entry] = field(default_factory=list)
    services: list[str] = field(default_factory=list)

    def covers(self, service: str) -> bool:
        return bool(self.entries) and (not self.services or service in self.services)


def step(state: State, fact: Fact) -> None:
    event = fact.event
    if not isinstance(event, OncallAssigned | OncallReleased):
        return
    state.rota = event.rota
    start, end = microseconds(instant(event.from_)), microseconds(instant(event.to))
    released = isinstance(event, OncallReleased)
    entry = Entry(
        event.person, start, end, fact.position, list(event.services), event.contact, released, fact.recorded.source
    )
    state.entries.append(entry)
    if not released and not set(entry.services) <= set(state.services):
        state.services = sorted({*state.services, *entry.services})


def create(db: Database) -> None:
    """Which rotas ever named a service; the empty name: an assignment to all that the rota covers."""
    db.table("rotas").create({"service": str, "stream": str}, pk=("service", "stream"), if_not_exists=True)


def mention(db: Database, stream: str, fact: Fact) -> None:
    services = getattr(fact.event, "services", ()) or ("",)
    db.conn.executemany("INSERT OR IGNORE INTO rotas VALUES (?,?)", [(each, stream) for each in services])


def streams(db: Database, service: str | None = None) -> list[str]:
    """The streams of the rotas that may cover a service, or of all."""
    where, values = ("WHERE service IN (?, '')", [service]) if service is not None else ("", [])
    found = db.execute(f"SELECT DISTINCT stream FROM rotas {where} ORDER BY stream", values)  # noqa: S608 - own words
    return [row[0] for row in found.fetchall()]


def holders(entries: Iterable[Entry], service: str | None, at: int) -> list[Entry]:
    """Those assigned at a moment, in the order of their recording: the last of them is on call."""
    found: list[Entry] = []
    for each in entries:
        if not each.covers(at) or not each.concerns(service):
            continue
        if each.released:
            found = [other for other in found if not _takes_off(each, other, service)]
        else:
            found.append(each)
    return found


def _takes_off(release: Entry, assigned: Entry, service: str | None) -> bool:
    """Whether somebody is off duty by a release: for a service; or, where none is asked for, for all of their own."""
    if release.person != assigned.person:
        return False
    return (
        service is not None
        or not release.services
        or (bool(assigned.services) and set(assigned.services) <= set(release.services))
    )


def on_call(entries: Iterable[Entry], service: str | None, at: int) -> Entry | None:
    return next(reversed(holders(entries, service, at)), None)


@dataclass(frozen=True, slots=True)
class Watch:
    """
    Who is on call from `since` to `until`; nobody, where `entry` is None. An
    unknown bound is None. `following` comes on call next, at `then`, which
    is later than `until` where a gap lies between.
    """

    entry: Entry | None
    since: int | None
    until: int | None
    instead_of: str | None = None
    following: Entry | None = None
    then: int | None = None


def watch(state: State, service: str | None, at: int) -> Watch:
    """The time around a moment in which the same person is on call, or nobody is."""
    for near in NEAR:
        entries = [each for each in state.entries if each.end > at - near and each.start < at + near]
        found = _watch(entries, service, at)
        # Beyond the entries looked at, a bound may only be where the looking ended.
        if found.since is not None and found.then is not None and at - near < found.since and found.then < at + near:
            return found
    return _watch(state.entries, service, at)


def _watch(entries: Sequence[Entry], service: str | None, at: int) -> Watch:
    held = holders(entries, service, at)
    now = held[-1] if held else None
    bounds = list(hand_overs(entries, service))
    since = max((moment for moment, _ in bounds if moment <= at), default=None)
    later = [(moment, entry) for moment, entry in bounds if moment > at]
    then, following = next(((moment, entry) for moment, entry in later if entry is not None), (None, None))
    others = [each.person for each in reversed(held) if now is None or each.person != now.person]
    return Watch(now, since, later[0][0] if later else None, others[0] if others else None, following, then)


def hand_overs(entries: Iterable[Entry], service: str | None) -> Iterator[tuple[int, Entry | None]]:
    """When another person comes on call, or nobody does, from the first assignment on, in order."""
    concerned = [each for each in entries if each.concerns(service) and each.start < each.end]
    starts: dict[int, list[Entry]] = {}
    for each in concerned:
        starts.setdefault(each.start, []).append(each)
    present: list[Entry] = []
    person = None
    for moment in sorted({bound for each in concerned for bound in (each.start, each.end)}):
        present = [each for each in present if each.end > moment] + starts.get(moment, [])
        present.sort(key=lambda each: each.position)
        entry = on_call(present, service, moment)
        if (coming := entry.person if entry else None) != person:
            person = coming
            yield moment, entry


def answer(state: State, service: str | None, at: int) -> dict[str, Any]:
    """Who is on call in one rota; `person` is null in a gap."""
    found = watch(state, service, at)
    entry, following = found.entry, found.following
    return {
        "rota": state.rota,
        "services": state.services,
        "person": entry.person if entry else None,
        "contact": entry.contact if entry else None,
        "since": _time(found.since),
        "until": _time(found.until),
        "instead_of": found.instead_of,
        "position": entry.position if entry else None,
        "next": None
        if following is None
        else {"person": following.person, "contact": following.contact, "from": _time(found.then)},
    }


def covering(states: Iterable[State], service: str) -> list[State]:
    """The rotas that cover a service, those that name it first."""
    found = [each for each in states if each.covers(service)]
    return sorted(found, key=lambda each: (not each.services, each.rota))


def standing(state: State, start: int, end: int) -> list[Entry]:
    """The assignments that overlap a time and were not wholly taken back, in order of their start."""
    found: list[Entry] = []
    for each in state.entries:
        if each.released:
            found = [other for other in found if not _takes_back(each, other)]
        elif each.end > start and each.start < end:
            found.append(each)
    return sorted(found, key=lambda each: (each.start, each.position))


def _takes_back(release: Entry, assigned: Entry) -> bool:
    whole = release.start <= assigned.start and release.end >= assigned.end
    return whole and _takes_off(release, assigned, None)


def releases(state: State, start: int, end: int) -> list[Entry]:
    """What was taken back in a time, in the order of its recording."""
    return [each for each in state.entries if each.released and each.end > start and each.start < end]


def entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "person": entry.person,
        "from": _time(entry.start),
        "to": _time(entry.end),
        "services": entry.services,
        "contact": entry.contact,
        "source": entry.source,
        "position": entry.position,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))
