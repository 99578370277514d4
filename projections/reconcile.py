"""
Does the record have what others say was changed, and do others have what the record has?

A population from elsewhere (CI runs, changes in a cloud) against the changes
of the record, both ways. Each change stands for one at most of the other side:
first those with the same id, then those with the same version at about the
same time, the closest first. What is left may still belong together, with a
difference: the same version at another time of the day, or another version
at the same time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections.facts import HOUR, MINUTE

TOLERANCE = 10 * MINUTE
"""Clocks differ, and a run ends some time after what it deployed."""

SAME_DAY = 24 * HOUR
"""Farther apart than this the same version is another change."""

NEAREST = 20
"""So many before and after a change are held against it: enough, and a version that is always the same costs no more."""


@dataclass(frozen=True, slots=True)
class Item:
    """
    A change as one side has it. `place` is where it stands there: a line of a
    file, a position of the record. A `spare` one may be what the other side
    has, and is not missed there.
    """

    place: int
    service: str
    environment: str
    version: str | None
    at: int
    id: str | None = None
    spare: bool = False


Couple = tuple[Item, Item]
Key = Callable[[Item], Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A change that both have; `differences` are `time` and `version`, as far as they differ."""

    there: Item
    here: Item
    differences: tuple[str, ...] = ()

    @property
    def off(self) -> int:
        """By how much later the record has it, in microseconds."""
        return self.here.at - self.there.at


@dataclass(slots=True)
class Comparison:
    matched: list[Pair] = field(default_factory=list)
    differing: list[Pair] = field(default_factory=list)
    only_there: list[Item] = field(default_factory=list)
    only_here: list[Item] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return not (self.differing or self.only_there or self.only_here)


def compare(
    there: Iterable[Item], here: Iterable[Item], start: int, end: int, tolerance: int = TOLERANCE
) -> Comparison:
    """
    Two populations of a period, from *start* to before *end*, in microseconds.

    What lies around the period may be given, too: it serves as the other half
    of what lies in it near its ends, and is not missed itself.
    """
    found = Comparison()
    for pair in sorted(
        _pairs(list(there), list(here), tolerance, found), key=lambda one: (one.there.at, one.there.place)
    ):
        if start <= pair.there.at < end or start <= pair.here.at < end:
            (found.differing if pair.differences else found.matched).append(pair)
    for left in (found.only_there, found.only_here):
        left[:] = sorted((each for each in left if start <= each.at < end), key=lambda one: (one.at, one.place))
    return found


def _pairs(there: list[Item], here: list[Item], tolerance: int, found: Comparison) -> Iterator[Pair]:
    """Every pair, the surest first; what nobody is left for goes to *found*."""
    yield from _taken(there, here, _of_one_id(there, here), tolerance)
    for key, within in ((_version, tolerance), (_version, SAME_DAY), (_slot, tolerance)):
        yield from _taken(there, here, _closest(there, here, key, within), tolerance)
    found.only_there, found.only_here = there, [each for each in here if not each.spare]


def _taken(there: list[Item], here: list[Item], chosen: list[Couple], tolerance: int) -> Iterator[Pair]:
    """Takes the items of pairs out of both sides."""
    lines, positions = {one.place for one, _ in chosen}, {other.place for _, other in chosen}
    there[:] = [each for each in there if each.place not in lines]
    here[:] = [each for each in here if each.place not in positions]
    return (Pair(one, other, tuple(_differences(one, other, tolerance))) for one, other in chosen)


def _slot(item: Item) -> Any:
    return item.service, item.environment


def _version(item: Item) -> Any:
    return None if item.version is None else (*_slot(item), item.version)


def _id(item: Item) -> Any:
    return None if item.id is None else (*_slot(item), item.id)


def _by(key: Key, items: Iterable[Item]) -> dict[Any, list[Item]]:
    """Items by what they are compared by, in order of time; without those that do not have it."""
    found: dict[Any, list[Item]] = {}
    for each in sorted(items, key=lambda one: (one.at, one.place)):
        found.setdefault(key(each), []).append(each)
    found.pop(None, None)
    return found


def _of_one_id(there: list[Item], here: list[Item]) -> list[Couple]:
    """Those of the same id. An id that several bear on one side names none of them."""
    ours = _by(_id, here)
    theirs = _by(_id, there)
    return [
        (one[0], other[0]) for name, one in theirs.items() if len(one) == 1 and len(other := ours.get(name, [])) == 1
    ]


def _differences(there: Item, here: Item, tolerance: int) -> Iterator[str]:
    if None not in (there.version, here.version) and there.version != here.version:
        yield "version"
    if abs(there.at - here.at) > tolerance:
        yield "time"


def _closest(there: Sequence[Item], here: Sequence[Item], key: Key, within: int) -> list[Couple]:
    """Those of the same key and no farther apart than this, in pairs, the closest in time first."""
    ours = _by(key, here)
    near = [
        (abs(one.at - other.at), one.place, other.place, one, other)
        for one in there
        for other in _around(ours.get(key(one), []), one.at, within)
    ]
    lines, positions, chosen = set[int](), set[int](), list[Couple]()
    for _, line, position, one, other in sorted(near, key=lambda each: each[:3]):
        if line not in lines and position not in positions:
            lines.add(line)
            positions.add(position)
            chosen.append((one, other))
    return chosen


def _around(items: list[Item], at: int, within: int) -> list[Item]:
    """Those no farther from a moment than this; of very many the nearest."""
    middle = bisect_left(items, at, key=lambda each: each.at)
    first = bisect_left(items, at - within, max(0, middle - NEAREST), middle, key=lambda each: each.at)
    last = min(len(items), middle + NEAREST)
    return items[first : bisect_right(items, at + within, middle, last, key=lambda each: each.at)]


def item_json(item: Item, place: str) -> dict[str, Any]:
    return {
        place: item.place,
        "service": item.service,
        "environment": item.environment,
        "version": item.version,
        "time": rfc3339(from_microseconds(item.at)),
        "id": item.id,
    }


def pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "there": item_json(pair.there, "line"),
        "here": item_json(pair.here, "position"),
        "differences": list(pair.differences),
        "seconds_later_here": pair.off / 1_000_000,
    }
