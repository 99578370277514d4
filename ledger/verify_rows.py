"""
One portion of the record, worked out anew: every row against its leaf, every leaf into the tree.

A portion is a run of 16,384 positions, so that a record of any size is
verified in bounded memory, and by several processes at once. It knows nothing
of what comes before it; `ledger.verify_record` joins portions up to the root.

Most rows pass a quick check of whole blocks that is exact where it says yes;
a block that does not is halved until the row is found that is to be looked at
closely, and told in words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ledger.merkle import HASH_SIZE, leaf_hash, parents
from ledger.tiles import HEIGHT
from ledger.verify import Difference
from ledger.verify_leaf import (
    REDACTION,
    UNREADABLE,
    Row,
    Words,
    are_canonical,
    closely,
    quickly,
    redaction_of,
    words_of,
)

PORTION = 1 << 14
"""Leaves; a multiple of a tile's 256, and a power of two so that its root is a node of the tree."""

TOLD = 100
"""Differences told of one portion; how many more there are is counted."""

BLOCK = 128
"""Rows that are looked at together; so few that they stay in the processor's cache."""


@dataclass(slots=True)
class Portion:
    """
    What was found of the positions with start < position <= end.

    `nodes` has, for the portion's end and for each size that was asked for,
    the subtrees up to there; `tiles` the roots of its full tiles. `wordless`
    are protected members without a disclosure, `redactions` the redactions
    recorded here: (position, what it redacts, fields).
    """

    start: int
    end: int
    nodes: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    tiles: list[bytes] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    untold: int = 0
    first_time: str = ""
    last_time: str = ""
    disclosures: int = 0
    wordless: list[tuple[int, str]] = field(default_factory=list)
    redactions: list[tuple[int, int, tuple[str, ...]]] = field(default_factory=list)

    def differs(self, text: str, *positions: int) -> None:
        if len(self.differences) < TOLD:
            self.differences.append(Difference(text, (positions[0], positions[-1])))
        else:
            self.untold += 1


def check(
    start: int, end: int, rows: Iterable[Row], words: Words, logged: bytes, sizes: Iterable[int], *, thorough: bool
) -> Portion:
    """
    The portion of these rows, which are in order of position.

    *logged* are the hashes that the log keeps of these leaves, as far as it
    has them; *sizes* are those of checkpoints that lie in the portion. The
    form of a leaf is looked at where the log has no such hash; where it is to
    be *thorough*, always.
    """
    checking = _Checking(Portion(start, end, disclosures=words.count()), words, logged, thorough)
    remaining = iter(rows)
    while block := list(islice(remaining, BLOCK)):
        checking.look_at(block)
    return checking.joined(sizes)


def check_leaves(
    start: int, end: int, rows: Iterable[tuple[int, bytes]], logged: bytes, sizes: Iterable[int]
) -> Portion:
    """As `check`, of positions and leaves alone: whether they are those that were logged, and nothing else."""
    checking = _Checking(Portion(start, end), Words(), logged, thorough=False)
    remaining = iter(rows)
    while block := list(islice(remaining, BLOCK)):
        checking.take(block)
    return checking.joined(sizes)


class _Checking:
    """Takes rows in, in order of position; `hashes` are those of their leaves."""

    def __init__(self, portion: Portion, words: Words, logged: bytes, thorough: bool) -> None:
        self._portion, self._words, self._logged, self._thorough = portion, words, logged, thorough
        self.hashes: list[bytes] = []

    def look_at(self, rows: list[Row]) -> None:
        if self._pass(rows):
            return
        if len(rows) > 1:
            middle = len(rows) // 2
            self.look_at(rows[:middle])
            self.look_at(rows[middle:])
        else:
            self._look_closely(rows[0])

    def take(self, rows: list[tuple[int, bytes]]) -> None:
        """Positions and leaves alone."""
        if self._next_are([position for position, _ in rows]) and {type(leaf) for _, leaf in rows} == {bytes}:
            self.hashes += [leaf_hash(leaf) for _, leaf in rows]
            return
        for position, leaf in rows:
            self._take(position, leaf)

    def joined(self, sizes: Iterable[int]) -> Portion:
        """The portion, when all rows were taken in."""
        portion = self._portion
        self._up_to(portion.end)
        _compare(portion, self.hashes, self._logged)
        levels = _levels(self.hashes)
        portion.tiles = list(levels[HEIGHT])
        portion.nodes = {size: _nodes(levels, size - portion.start) for size in {*sizes, portion.end}}
        return portion

    def _next_are(self, positions: list[int]) -> bool:
        first = self._portion.start + len(self.hashes) + 1
        return positions == list(range(first, first + len(positions)))

    def _take(self, position: int, leaf: object) -> bool:
        """Whether this is the next leaf; what is missing before it is told, and that it is there already."""
        if position <= self._portion.start + len(self.hashes):
            self._portion.differs(f"position {position} is there more than once", position)
            return False
        self._up_to(position - 1)
        # A damaged file may say that a leaf is a text, a number or nothing at all.
        self.hashes.append(leaf_hash(leaf if type(leaf) is bytes else repr(leaf).encode()))
        return True

    def _up_to(self, position: int) -> None:
        """What is missing before the end; of each the hash that the log has, so that the others keep their places."""
        portion, count = self._portion, len(self.hashes)
        first = portion.start + count + 1
        if first > position:
            return
        told = f"position {first} is" if first == position else f"positions {first} to {position} are"
        portion.differs(f"{told} missing", first, position)
        for index in range(count, position - portion.start):
            kept = self._logged[index * HASH_SIZE : (index + 1) * HASH_SIZE]
            self.hashes.append(kept if len(kept) == HASH_SIZE else bytes(HASH_SIZE))

    def _pass(self, rows: list[Row]) -> bool:
        """Takes the rows in, if there is nothing to tell of their columns, their form and their order."""
        portion, count = self._portion, len(self.hashes)
        found = quickly(rows, self._words)
        if found is None or not self._next_are([row[0] for row in rows]):
            return False
        leaves = [row[6] for row in rows]
        hashes = list(map(leaf_hash, leaves))
        logged = self._logged[count * HASH_SIZE : (count + len(rows)) * HASH_SIZE]
        if (self._thorough or b"".join(hashes) != logged) and not are_canonical(leaves):
            return False
        if found.times[0] < portion.last_time:
            return False
        portion.first_time, portion.last_time = portion.first_time or found.times[0], found.times[-1]
        self.hashes += hashes
        for row in found.aside:
            self._check_words(row)
        return True

    def _look_closely(self, row: Row) -> None:
        position = row[0]
        if not self._take(position, row[6]):
            return
        try:
            time, faults = closely(row)
            self._recorded(position, time)
        except UNREADABLE as error:
            self._unreadable(position, error)
            return
        for told in faults:
            self._portion.differs(told, position)
        self._check_words(row)

    def _recorded(self, position: int, time: str) -> None:
        portion = self._portion
        if time < portion.last_time:
            portion.differs(f"position {position} says it was recorded at {time}, after {portion.last_time}", position)
        portion.first_time, portion.last_time = portion.first_time or time, time

    def _check_words(self, row: Row) -> None:
        portion, position = self._portion, row[0]
        try:
            found = words_of(row, self._words.of(position))
            if row[3] == REDACTION:
                portion.redactions.append((position, *redaction_of(row[6])))
        except UNREADABLE as error:
            self._unreadable(position, error)
            return
        for path in found.wrong:
            told = f"position {position}: the words of {path} are not those that its leaf commits to"
            portion.differs(told, position)
        portion.wordless += [(position, path) for path in found.wordless]

    def _unreadable(self, position: int, error: Exception) -> None:
        why = error or type(error).__name__
        self._portion.differs(f"position {position} has a leaf that can't be read: {why}", position)


# The tree


def _levels(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """On each level from the leaves up to the whole portion the roots of the perfect subtrees, in order."""
    levels = [hashes]
    for _ in range(PORTION.bit_length() - 1):
        levels.append(parents(levels[-1]))
    return levels


def _nodes(levels: Sequence[Sequence[bytes]], size: int) -> tuple[bytes, ...]:
    """The perfect subtrees that the first *size* leaves consist of, the largest first."""
    found, start = [], 0
    for level in reversed(range(len(levels))):
        if size >> level & 1:
            found.append(levels[level][start >> level])
            start += 1 << level
    return tuple(found)


def _compare(portion: Portion, hashes: Sequence[bytes], logged: bytes) -> None:
    """Since the log keeps the hash of each leaf, a change is found at its very position."""
    count = min(len(hashes), len(logged) // HASH_SIZE)
    if b"".join(hashes[:count]) == logged[: count * HASH_SIZE]:
        return
    for index in range(count):
        kept = logged[index * HASH_SIZE : (index + 1) * HASH_SIZE]
        if hashes[index] != kept:
            position = portion.start + index + 1
            portion.differs(
                f"position {position} was changed: its leaf hash is {hashes[index].hex()}, the log has {kept.hex()}",
                position,
            )
