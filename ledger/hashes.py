"""
The hashes of the log, in files from which any tile is cut.

`level-0` is the hash of every leaf in order, 32 bytes each; `level-1` the root
of every full tile of level 0, and so on. A tile of any width, full or partial,
is a slice of its level's file. All of it can be worked out anew from the
events: nothing here is believed before its root is that of a signed checkpoint,
and no full tile is read whose root is not the hash that the level above has.

    LogError
    └── DamagedHashes    what is kept cannot be right
"""

from collections.abc import Sequence
from pathlib import Path

from ledger.disk import Disk
from ledger.merkle import HASH_SIZE, LogError, root
from ledger.tiles import HEIGHT, WIDTH, NoSuchTile, Tile

LEVELS = 7
"""More than the 2^53 positions that there can be ever fill."""


class DamagedHashes(LogError):
    def __init__(self, path: Path, tile: Tile) -> None:
        super().__init__(
            f"{path} has other hashes for {tile.path} than the log: stop the server and delete {path.parent}; at the "
            "next start it is worked out anew from the events"
        )
        self.path, self.tile = path, tile


class Hashes:
    """The files in a folder. One thread writes; any may read what was written before."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        self._disk.make_folder(folder)
        self._paths = [folder / f"level-{level}" for level in range(LEVELS)]

    def size(self) -> int:
        """How many leaves there are, on every level of which all that follows from them is there too."""
        # A level of n hashes is whole up to the leaf before the one that would fill the next tile below it.
        leaves, *above = map(self._count, range(LEVELS))
        return min(leaves, *(((count + 1) << HEIGHT * level) - 1 for level, count in enumerate(above, 1)))

    def read(self, tile: Tile) -> bytes:
        """
        The bytes of a tile.

        Raises:
            NoSuchTile: where there are fewer hashes.
            DamagedHashes: where they do not lead up to the level above.
        """
        data = self._slice(tile.level, tile.index * WIDTH, WIDTH)
        if len(data) < tile.width * HASH_SIZE:
            raise NoSuchTile(tile.path, "the log has not grown that far")
        if len(data) == WIDTH * HASH_SIZE:
            above = self._slice(tile.level + 1, tile.index, 1)
            if above and above != _root(data):
                raise DamagedHashes(self._paths[tile.level], tile)
        return data[: tile.width * HASH_SIZE]

    def extend(self, size: int, hashes: Sequence[bytes]) -> None:
        """
        Puts these hashes behind the first *size* leaves, over whatever is there; durable.

        Raises:
            DamagedHashes: where a file does not hold what was written to it.
        """
        level = 0
        while hashes:
            data = b"".join(hashes)
            self._disk.write(self._paths[level], size * HASH_SIZE, data)
            if self._slice(level, size, len(hashes)) != data:
                raise DamagedHashes(self._paths[level], Tile(level, size // WIDTH))
            full = range(size >> HEIGHT, (size + len(hashes)) >> HEIGHT)
            hashes = [_root(self._slice(level, index * WIDTH, WIDTH)) for index in full]
            level, size = level + 1, full.start

    def cut(self, size: int) -> None:
        """Forgets what lies behind the first *size* leaves."""
        for level, path in enumerate(self._paths):
            if self._count(level) > size >> HEIGHT * level:
                self._disk.cut(path, (size >> HEIGHT * level) * HASH_SIZE)

    def _slice(self, level: int, start: int, count: int) -> bytes:
        if level >= LEVELS or not self._paths[level].exists():
            return b""
        with self._paths[level].open("rb") as file:
            file.seek(start * HASH_SIZE)
            data = file.read(count * HASH_SIZE)
        return data[: len(data) // HASH_SIZE * HASH_SIZE]

    def _count(self, level: int) -> int:
        path = self._paths[level]
        return path.stat().st_size // HASH_SIZE if path.exists() else 0


def _root(data: bytes) -> bytes:
    return root(data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE))
