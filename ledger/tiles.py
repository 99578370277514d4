"""
The log as files that can be cached for ever: tiles of hashes, bundles of entries.

The layout is C2SP tlog-tiles. A tile holds up to 256 consecutive hashes of every
eighth level of the tree; each hash above level 0 is the root of a full tile one
level below. A bundle holds up to 256 consecutive leaves. Full ones never change;
partial ones exist at the right edge, for each size of which a checkpoint was made.

Here are their names, their bytes, which of them a size publishes, and the root
and the proofs of a tree read from its tiles: O(log n) of them, never the leaves.

    LogError
    └── TileError
        ├── MalformedPath      not the one path of a tile or a bundle
        ├── NoSuchTile         a place that no tile, or no tile of this tree, has
        ├── MalformedTile      other hashes than its path says
        ├── MalformedBundle    other entries than its path says
        └── EntryTooLong       an entry that no bundle can hold
"""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from ledger.merkle import (
    HASH_SIZE,
    CompactRange,
    LogError,
    Span,
    consistency_spans,
    inclusion_spans,
    parents,
)
from ledger.merkle import root as root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_SIZE = 0xFFFF
"""Bytes of the largest entry: its length is kept in 16 bits."""

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class TileError(LogError):
    """A tile or a bundle that is not what its name says."""


class MalformedPath(TileError):
    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path!r} is no path of a tile: write tile/LEVEL/INDEX or tile/entries/INDEX, the index in groups "
            "of three digits (x001/x234/067), with .p/WIDTH behind it if it is partial"
        )
        self.path = path


class NoSuchTile(TileError):
    def __init__(self, asked: str, limits: str) -> None:
        super().__init__(f"there is no {asked}: {limits}")
        self.asked, self.limits = asked, limits


class MalformedTile(TileError):
    def __init__(self, path: str, wanted: int, got: int) -> None:
        super().__init__(f"{path} has {got} bytes, not {wanted}: read it again, at the width in its path")
        self.path, self.wanted, self.got = path, wanted, got


class MalformedBundle(TileError):
    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path} {detail}: read it again, at the width in its path")
        self.path, self.detail = path, detail


class EntryTooLong(TileError):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"an entry has {size} bytes, and a bundle takes {MAX_ENTRY_SIZE}: refuse it before it is stored"
        )
        self.size = size


@dataclass(frozen=True, slots=True)
class Tile:
    """*width* hashes of one level, from *index* * 256 on. Raises `NoSuchTile` if there can be none."""

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        _check_place(self.index, self.width)
        if not 0 <= self.level <= MAX_LEVEL:
            raise NoSuchTile(f"tile at level {self.level}", f"levels go from 0 to {MAX_LEVEL}")

    @property
    def path(self) -> str:
        return f"tile/{self.level}/{_place(self.index, self.width)}"

    @property
    def leaves(self) -> Span:
        """The leaves whose hashes it holds or sums up; a tree has this tile if it has these leaves."""
        start = self.index << HEIGHT
        return Span(start << HEIGHT * self.level, (start + self.width) << HEIGHT * self.level)


@dataclass(frozen=True, slots=True)
class Bundle:
    """*width* leaves, from *index* * 256 on. Raises `NoSuchTile` if there can be none."""

    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        _check_place(self.index, self.width)

    @property
    def path(self) -> str:
        return f"tile/entries/{_place(self.index, self.width)}"

    @property
    def leaves(self) -> Span:
        start = self.index << HEIGHT
        return Span(start, start + self.width)


ReadTile = Callable[[Tile], bytes]
"""Reads exactly the tile asked for; one that is only there in full must be cut to the width asked for."""


def parse_path(path: str) -> Tile | Bundle:
    """What a path names. Raises `MalformedPath` unless it is just the path that this tile or bundle has."""
    found = _PATH.fullmatch(path)
    if not found:
        raise MalformedPath(path)
    level, groups, width = found.groups()
    place = int(groups.replace("x", "").replace("/", "")), int(width or WIDTH)
    try:
        parsed = Bundle(*place) if level == "entries" else Tile(int(level), *place)
    except NoSuchTile:
        raise MalformedPath(path) from None
    if parsed.path != path:
        raise MalformedPath(path)
    return parsed


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """The tiles to publish when a tree grows from *old_size* to *size*; from 0, all that the tree has."""
    for level in range(_levels(size)):
        for index, width in _new_places(old_size >> HEIGHT * level, size >> HEIGHT * level):
            yield Tile(level, index, width)


def new_bundles(old_size: int, size: int) -> Iterator[Bundle]:
    """The bundles to publish when a tree grows from *old_size* to *size*; from 0, all that the tree has."""
    for index, width in _new_places(old_size, size):
        yield Bundle(index, width)


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile at this place as a tree of *size* leaves has it. Raises `NoSuchTile` if it has none."""
    width = min(WIDTH, (size >> HEIGHT * level) - (index << HEIGHT))
    if width < 1:
        raise NoSuchTile(f"tile {index} at level {level}", f"a tree of {size} leaves has less")
    return Tile(level, index, width)


def encode_tile(tile: Tile, hashes: Sequence[bytes]) -> bytes:
    """The hashes as the bytes of this tile. Raises `MalformedTile` unless there are as many as it is wide."""
    data = b"".join(hashes)
    _check_tile(tile, data)
    return data


def decode_tile(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes in the bytes of this tile. Raises `MalformedTile` unless there are as many as it is wide."""
    _check_tile(tile, data)
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def encode_bundle(bundle: Bundle, entries: Sequence[bytes]) -> bytes:
    """
    The entries as the bytes of this bundle: each behind its length in 16 bits, the high byte first.

    Raises `EntryTooLong`, and `MalformedBundle` unless there are as many as it is wide.
    """
    _check_bundle(bundle, entries)
    return b"".join(_encoded_entry(entry) for entry in entries)


def decode_bundle(bundle: Bundle, data: bytes) -> list[bytes]:
    """The entries in the bytes of this bundle. Raises `MalformedBundle` unless they are whole, and all that it holds."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        start = position + 2
        end = start + int.from_bytes(data[position:start])
        if end > len(data):
            raise MalformedBundle(bundle.path, f"breaks off within entry {len(entries)}")
        entries.append(data[start:end])
        position = end
    _check_bundle(bundle, entries)
    return entries


def extended_tiles(size: int, hashes: Iterable[bytes], read_tile: ReadTile) -> Iterator[tuple[Tile, bytes]]:
    """
    The tiles, with their bytes, that a tree of *size* leaves publishes after these leaf hashes were added to it.

    Just those of `new_tiles`. Reads the partial tiles of the tree as it was, at
    most one a level, and any number of hashes in bounded memory.
    """
    rows = [_edge(level, size, read_tile) for level in range(_levels(size))] or [[]]
    remaining = iter(hashes)
    new_size = size
    while batch := list(islice(remaining, WIDTH - len(rows[0]))):
        new_size += len(batch)
        rows[0] += batch
        yield from _filled(rows, new_size)
    for level, row in enumerate(rows):
        count = new_size >> HEIGHT * level
        if row and count != size >> HEIGHT * level:
            tile = Tile(level, count >> HEIGHT, len(row))
            yield tile, encode_tile(tile, row)


class TiledTree:
    """
    A tree of *size* leaves that is read from its tiles.

    Each proof reads at most two tiles a level; the last *cached* ones stay in
    memory, about 40 KB each. The tiles are believed: a proof made from false
    ones doesn't verify. Several threads may use it if *read_tile* allows it.
    """

    def __init__(self, size: int, read_tile: ReadTile, *, cached: int = 32) -> None:
        self.size = size
        self._read_tile = read_tile
        self._rows = lru_cache(cached)(self._read_rows)

    def compact_range(self) -> CompactRange:
        """What it takes to go on hashing where the tree ends."""
        return self._range(Span(0, self.size))

    def root(self) -> bytes:
        return self.compact_range().root()

    def inclusion_proof(self, index: int) -> list[bytes]:
        """As `merkle.inclusion_proof`. Raises `OutsideTree` unless 0 <= index < size."""
        return [self._range(span).root() for span in inclusion_spans(index, self.size)]

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """As `merkle.consistency_proof`. Raises `OutsideTree` unless 0 < old_size <= size."""
        return [self._range(span).root() for span in consistency_spans(old_size, self.size)]

    def leaf_hash(self, index: int) -> bytes:
        return self._node(0, index)

    def _range(self, span: Span) -> CompactRange:
        nodes = tuple(self._node(level, index) for level, index in _perfect_subtrees(span))
        return CompactRange(span.end - span.start, nodes)

    def _node(self, level: int, index: int) -> bytes:
        tile_level, above = divmod(level, HEIGHT)
        tile_index, place = divmod(index, WIDTH >> above)
        return self._rows(tile_at(tile_level, tile_index, self.size))[above][place]

    def _read_rows(self, tile: Tile) -> list[list[bytes]]:
        """The tile's hashes, and above them the levels that tiles leave out."""
        rows = [decode_tile(tile, self._read_tile(tile))]
        while len(rows) < HEIGHT:
            rows.append(parents(rows[-1]))
        return rows


def _perfect_subtrees(span: Span) -> Iterator[tuple[int, int]]:
    """The level and the index of each perfect subtree of a span that a proof names, largest first."""
    position, end = span
    while position < end:
        level = (end - position).bit_length() - 1
        yield level, position >> level
        position += 1 << level


def _filled(rows: list[list[bytes]], size: int) -> Iterator[tuple[Tile, bytes]]:
    """The tiles that are full now, emptied and summed up in the row above."""
    level = 0
    while len(rows[level]) == WIDTH:
        tile = Tile(level, (size >> HEIGHT * (level + 1)) - 1)
        yield tile, encode_tile(tile, rows[level])
        if level + 1 == len(rows):
            rows.append([])
        rows[level + 1].append(root_of(rows[level]))
        rows[level] = []
        level += 1


def _edge(level: int, size: int, read_tile: ReadTile) -> list[bytes]:
    count = size >> HEIGHT * level
    if count % WIDTH == 0:
        return []
    tile = Tile(level, count >> HEIGHT, count % WIDTH)
    return decode_tile(tile, read_tile(tile))


def _levels(size: int) -> int:
    return -(-size.bit_length() // HEIGHT)


def _new_places(old_count: int, count: int) -> Iterator[tuple[int, int]]:
    if old_count < count:
        for index in range(old_count >> HEIGHT, -(-count // WIDTH)):
            yield index, min(WIDTH, count - (index << HEIGHT))


def _place(index: int, width: int) -> str:
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return path if width == WIDTH else f"{path}.p/{width}"


def _encoded_entry(entry: bytes) -> bytes:
    if len(entry) > MAX_ENTRY_SIZE:
        raise EntryTooLong(len(entry))
    return struct.pack(">H", len(entry)) + entry


def _check_tile(tile: Tile, data: bytes) -> None:
    if len(data) != tile.width * HASH_SIZE:
        raise MalformedTile(tile.path, tile.width * HASH_SIZE, len(data))


def _check_bundle(bundle: Bundle, entries: Sequence[bytes]) -> None:
    if len(entries) != bundle.width:
        raise MalformedBundle(bundle.path, f"has {len(entries)} entries, not {bundle.width}")


def _check_place(index: int, width: int) -> None:
    if index < 0 or not 0 < width <= WIDTH:
        raise NoSuchTile(f"tile {index} of width {width}", f"indexes begin at 0, and widths go from 1 to {WIDTH}")
