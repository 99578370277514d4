"""
One portion of the record, worked out anew: every row against its leaf, every leaf into the tree.

A portion is a run of 16,384 positions, so that a record of any size is
verified in bounded memory, and by several processes at once. It knows nothing
of what comes before it; `ledger.verify_record` joins portions up to the root.

Most leaves pass a quick check that is exact where it says yes; whatever does
not pass it is looked at closely, and told in words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
import orjson

from ledger.canonical import canonical
from ledger.merkle import HASH_SIZE, CompactRange, leaf_hash, root
from ledger.tiles import WIDTH
from ledger.verify import FORMAT, Difference, commitment, commitments

PORTION = 1 << 14
"""Leaves; a multiple of a tile's 256, and a power of two so that its root is a node of the tree."""

TOLD = 100
"""Differences told of one portion; how many more there are is counted."""

Row = tuple[int, str, int, str, str, str, bytes]
"""Position, stream, revision, type, source, id, leaf."""

Words = Mapping[int, Sequence[tuple[str, str]]]
"""By position, the disclosures that are kept of it: path and text."""

COLUMNS = ("position", "stream", "revision", "type", "source", "id")
BLOCK = 32
"""Rows that are looked at together; so few that they stay in the processor's cache."""
REDACTION = "record.redacted"
_COMMITTED = b'{"...":"'
_TIME = len("2026-11-22T20:00:00.000000Z")


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


def check(start: int, end: int, rows: Iterable[Row], words: Words, logged: bytes, sizes: Iterable[int]) -> Portion:
    """
    The portion of these rows, which are in order of position.

    *logged* are the hashes that the log keeps of these leaves, as far as it
    has them; *sizes* are those of checkpoints that lie in the portion.
    """
    portion = Portion(start, end)
    return _joined(portion, _hashes(portion, iter(rows), words, logged), logged, sizes)


def check_leaves(
    start: int, end: int, rows: Iterable[tuple[int, bytes]], logged: bytes, sizes: Iterable[int]
) -> Portion:
    """As `check`, of positions and leaves alone: whether they are those that were logged, and nothing else."""
    portion = Portion(start, end)
    hashes: list[bytes] = []
    for position, leaf in rows:
        expected = start + len(hashes) + 1
        if position < expected:
            portion.differs(f"position {position} is there more than once", position)
            continue
        if position > expected:
            hashes += _missing(portion, len(hashes), position - start - 1, logged)
        hashes.append(_hash_of(leaf))
    hashes += _missing(portion, len(hashes), end - start, logged)
    return _joined(portion, hashes, logged, sizes)


def _joined(portion: Portion, hashes: list[bytes], logged: bytes, sizes: Iterable[int]) -> Portion:
    _compare(portion, hashes, logged)
    portion.tiles = [root(hashes[at : at + WIDTH]) for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
    for size in {*sizes, portion.end}:
        portion.nodes[size] = _subtrees(portion.tiles, hashes[: size - portion.start])
    return portion


def _hash_of(leaf: object) -> bytes:
    # A damaged file may say that a leaf is a text, a number or nothing at all.
    return leaf_hash(leaf if type(leaf) is bytes else repr(leaf).encode())


def _subtrees(tiles: Sequence[bytes], hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    full = len(hashes) // WIDTH
    upper = CompactRange().extended(tiles[:full])
    return (*upper.nodes, *CompactRange().extended(hashes[full * WIDTH :]).nodes)


def _hashes(portion: Portion, rows: Iterator[Row], words: Words, logged: bytes) -> list[bytes]:
    """The hash of every leaf; of one that is missing that which the log has, so that the others keep their places."""
    hashes: list[bytes] = []
    while block := list(islice(rows, BLOCK)):
        if _pass(portion, block, words, len(hashes)):
            hashes += [leaf_hash(row[6]) for row in block]
        else:
            for row in block:
                hashes += _slowly(portion, row, words, logged, len(hashes))
    hashes += _missing(portion, len(hashes), portion.end - portion.start, logged)
    return hashes


def _slowly(portion: Portion, row: Row, words: Words, logged: bytes, count: int) -> Iterator[bytes]:
    position = row[0]
    if position <= portion.start + count:
        portion.differs(f"position {position} is there more than once", position)
        return
    yield from _missing(portion, count, position - portion.start - 1, logged)
    yield _hash_of(row[6])
    try:
        _look_closely(portion, row)
        _check_data(portion, orjson.loads(row[6]), words.get(position, ()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        portion.differs(f"position {position} has a leaf that can't be read: {error or type(error).__name__}", position)


def _missing(portion: Portion, count: int, wanted: int, logged: bytes) -> Iterator[bytes]:
    if count == wanted:
        return
    first, last = portion.start + count + 1, portion.start + wanted
    told = f"position {first} is" if first == last else f"positions {first} to {last} are"
    portion.differs(f"{told} missing", first, last)
    for index in range(count, wanted):
        kept = logged[index * HASH_SIZE : (index + 1) * HASH_SIZE]
        yield kept if len(kept) == HASH_SIZE else bytes(HASH_SIZE)


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


# Rows


_Plain = str | int | bool | None


class _Submitter(msgspec.Struct, omit_defaults=True, gc=False):
    id: str
    kind: str
    method: str
    claims: dict[str, str] | None = None


class _Leaf(msgspec.Struct, omit_defaults=True, gc=False):
    """
    A leaf without any float: what msgspec then writes with sorted names is its canonical form, as long as all is
    ASCII. Anything else fails to decode, or is written otherwise.
    """

    data: dict[str, _Plain | list[_Plain | dict[str, _Plain | dict[str, str]]] | dict[str, _Plain | list[str]]]
    dataschema: str
    format: int
    id: str
    position: int
    recordedtime: str
    revision: int
    source: str
    stream: str
    submitter: _Submitter
    time: str
    type: str
    causation: str | None = None
    correlation: str | None = None
    extensions: dict[str, str | int | bool] | None = None


_decode_lines = msgspec.json.Decoder(_Leaf).decode_lines
_encode_lines = msgspec.json.Encoder(order="sorted").encode_lines


def _pass(portion: Portion, block: list[Row], words: Words, count: int) -> bool:
    """
    Whether each row of a block is at its place, in canonical form, as its columns say, and with its words.

    Of whole blocks, since that takes half the time. False says that it takes a closer look.
    """
    try:
        whole = b"\n".join([*(row[6] for row in block), b""])
        said = _decode_lines(whole)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return False
    times = [portion.last_time, *(each.recordedtime for each in said)]
    if not (
        [(each.position, each.stream, each.revision, each.type, each.source, each.id) for each in said]
        == [row[:6] for row in block]
        and block[0][0] == portion.start + count + 1
        and block[-1][0] == block[0][0] + len(block) - 1
        and whole.isascii()
        # One line end after each leaf and none within: so each is compared with its own bytes.
        and whole.count(b"\n") == len(block)
        and _encode_lines(said) == whole
        and {each.format for each in said} == {FORMAT}
        and set(map(len, times[1:])) == {_TIME}
        and times == sorted(times)
        and REDACTION not in {row[3] for row in block}
        and (fitting := _fitting(said, words)) == whole.count(_COMMITTED)
    ):
        return False
    portion.disclosures += fitting
    portion.first_time, portion.last_time = portion.first_time or times[1], times[-1]
    return True


def _fitting(said: Iterable[_Leaf], words: Words) -> int:
    """How many words are those of a commitment that is a member of the data itself; -1 if any is of none such."""
    fitting = 0
    for each in said:
        for path, text in words.get(each.position, ()):
            if each.data.get(path[1:]) != {"...": commitment(text)}:
                return -1
            fitting += 1
    return fitting


def _look_closely(portion: Portion, row: Row) -> None:
    position, leaf = row[0], row[6]
    said = orjson.loads(leaf)
    for name, column in zip(COLUMNS, row, strict=False):
        if said[name] != column:
            told = f"position {position} is stored with the {name} {column!r}, and its leaf says {said[name]!r}"
            portion.differs(told, position)
    if canonical(said) != leaf:
        portion.differs(f"position {position} has a leaf that is not in canonical form", position)
    if said["format"] != FORMAT:
        portion.differs(f"position {position} has a leaf of format {said['format']}, not {FORMAT}", position)
    time = said["recordedtime"]
    if len(time) != _TIME or time < portion.last_time:
        portion.differs(f"position {position} says it was recorded at {time}, after {portion.last_time}", position)
    portion.first_time, portion.last_time = portion.first_time or time, time


def _check_data(portion: Portion, said: Mapping[str, Any], words: Sequence[tuple[str, str]]) -> None:
    position, data = said["position"], said["data"]
    committed = dict(commitments(data))
    portion.disclosures += len(words)
    for path, text in words:
        if committed.pop(path, None) != commitment(text):
            portion.differs(
                f"position {position}: the words of {path} are not those that its leaf commits to", position
            )
    portion.wordless += [(position, path) for path in committed]
    if said["type"] == REDACTION:
        portion.redactions.append((position, int(data["position"]), tuple(data["fields"])))
