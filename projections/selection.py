"""
What are figures over many incidents or deployments asked about, and by what are they grouped?

About a period, a service, an environment, a team. A team is who owns a slot:
the `owner` that `environment.configured` gives the service there, else that
of the environment. The record knows no other word for who answers for a slot
before anything happens, and it is known at every moment like all else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ledger.values import stream_name
from projections import environment, periods
from projections.answers import Reader
from projections.environment import Settings
from projections.incident import Slot
from projections.periods import Bucket, Period
from projections.said import REDACTED

BY = ("service", "environment", "team", "month", "week")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked about; a name that is None narrows nothing."""

    period: Period
    service: str | None = None
    environment: str | None = None
    team: str | None = None
    by: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether only some slots are asked about."""
        return not (self.service is None and self.environment is None and self.team is None)

    def json(self) -> dict[str, Any]:
        asked = {"service": self.service, "environment": self.environment, "team": self.team, "by": self.by}
        return {**self.period.json(), **asked}


@dataclass
class Places:
    """The slots that a selection is about, by the settings at the moment of a reader."""

    reader: Reader
    selection: Selection
    _settings: dict[str, Settings] = field(default_factory=dict)

    def settings(self, place: str) -> Settings:
        if place not in self._settings:
            state: environment.State = self.reader.state(stream_name("environment", place))
            self._settings[place] = state.settings
        return self._settings[place]

    def team(self, slot: Slot) -> str | None:
        """Who owns a slot; None where nobody says, or the words were taken out of the record."""
        owner: str | None = self.settings(slot[1]).of(slot[0], "owner")
        return None if owner == REDACTED else owner

    def match(self, slot: Slot) -> bool:
        asked = self.selection
        return (
            asked.service in (None, slot[0])
            and asked.environment in (None, slot[1])
            and (asked.team is None or asked.team == self.team(slot))
        )

    def name(self, slot: Slot) -> str | None:
        """What a slot is grouped under."""
        match self.selection.by:
            case "service":
                return slot[0]
            case "environment":
                return slot[1]
            case _:
                return self.team(slot)


@dataclass(frozen=True, slots=True)
class Group:
    """Some of what is asked about: under a name, or in a part of the period; `name` is None where nobody gave one."""

    name: str | None
    bucket: Bucket | None
    items: Sequence[Any]


def grouped(
    places: Places,
    items: Iterable[T],
    when: Callable[[T], int],
    where: Callable[[T], Iterable[Slot]],
) -> list[Group]:
    """
    The groups that a selection asks for, in order: names by the alphabet and
    none last; months and weeks from the first in which there is anything to
    the last, those without anything among them too. What concerns several
    places is in each of their groups.
    """
    by = places.selection.by
    if by is None:
        return []
    if by in periods.CALENDAR:
        return _by_time(places, list(items), when)
    found: dict[str | None, list[T]] = {}
    for each in items:
        names = {places.name(slot) for slot in where(each) if places.match(slot)} or {None}
        for name in names:
            found.setdefault(name, []).append(each)
    return [Group(name, None, found[name]) for name in sorted(found, key=_none_last)]


def _by_time(places: Places, items: Sequence[T], when: Callable[[T], int]) -> list[Group]:
    if not items:
        return []
    period, times = places.selection.period, [when(each) for each in items]
    # Cut by the whole period, so that a bucket is called cut only where the period cuts it.
    every = periods.CALENDAR[places.selection.by or ""](
        period.zone, period.start, period.until(places.reader.moment.at)
    )
    held: dict[int, list[T]] = {}
    for each, at in zip(items, times, strict=True):
        held.setdefault(periods.place(every, at), []).append(each)
    first, last = min(held), max(held)
    return [Group(every[n].name, every[n], held.get(n, [])) for n in range(first, last + 1)]


def _none_last(name: str | None) -> tuple[bool, str]:
    return name is None, name or ""


def heading(group: Group) -> Mapping[str, Any]:
    """How a group is told: its name, and the part of the period that it is of."""
    bucket = group.bucket
    times = None if bucket is None else {"whole": bucket.whole, **periods.bounds(bucket)}
    return {"group": group.name, "part": times}
