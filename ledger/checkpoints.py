"""
The place where a log's checkpoints are kept, apart from the events.

Every checkpoint that was ever signed stays here, so that none can be denied
and a log that lost events is found out. The newest is added by compare-and-swap
under a lock of the file system, which one process holds at a time; it is
durable before anyone sees it. So two of one size with different roots cannot
come about, whatever crashes and however many processes there are.

`checkpoints` is one signed note after the other, each followed by an empty
line, sizes never falling. `cosigned` is written likewise: checkpoints again,
with the cosignatures that witnesses gave later. A last note that is not whole
is what a crash left of one that nobody saw.

    LogError
    └── CheckpointError
        ├── Superseded       another one was added meanwhile
        └── DamagedHistory   what is kept cannot be right
"""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ledger.checkpoint import CheckpointError, parse_checkpoint
from ledger.disk import Disk
from ledger.note import parse_note

CHECKPOINTS, COSIGNED = "checkpoints", "cosigned"

_RECORD = re.compile(rb"(?:[^\n]+\n)+\n(?:\xe2\x80\x94 [^\n]+\n)+(?=\n)")
_TAIL = 1 << 16
"""Bytes that hold the last note whole: 100 signatures make 20 KB."""


class Superseded(CheckpointError):
    def __init__(self, expected: bytes | None, found: bytes | None) -> None:
        super().__init__("the newest checkpoint is not the one that was to be followed: read it, then go on from there")
        self.expected, self.found = expected, found


class DamagedHistory(CheckpointError):
    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path} {detail}: keep the file as evidence, and restore it from a backup")
        self.path, self.detail = path, detail


class Checkpoints:
    """The checkpoints in a folder. Any thread or process may read; who holds the lock may add."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        self._disk.make_folder(folder)
        self.path = folder / CHECKPOINTS
        self._lock_path = folder / "lock"
        self._lock: int | None = None

    def lock(self) -> bool:
        """Whether this object holds the lock, which it takes if nobody else has it. The process' end frees it."""
        if self._lock is None:
            descriptor = os.open(self._lock_path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            self._lock = descriptor
        return True

    @property
    def is_locked(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock is not None

    def signed_at(self) -> float:
        """When the newest was added, in seconds since 1970."""
        return self.path.stat().st_mtime

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def newest(self) -> bytes | None:
        """The signed note that was added last."""
        return _last(self.path)[0]

    def add(self, note: bytes, after: bytes | None) -> None:
        """
        Keeps a checkpoint; it is durable when this returns, and must not be shown before.

        After any error but `Superseded` it may be kept or not: ask for the newest.

        Raises:
            Superseded: unless the newest is *after*.
            ValueError: unless it is of a larger tree than that, or of the same one under other signatures.
        """
        if self._lock is None:
            raise RuntimeError("only who holds the lock adds checkpoints")
        newest, end = _last(self.path)
        if newest != after:
            raise Superseded(after, newest)
        if newest is not None:
            _check_follows(newest, note)
        _append(self._disk, self.path, end, note)


class Cosigned:
    """The checkpoints that witnesses cosigned, in the order in which they did. For one writer at a time."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.path = folder / COSIGNED
        self._disk = disk or Disk()

    def newest(self) -> bytes | None:
        return _last(self.path)[0]

    def add(self, note: bytes) -> None:
        _append(self._disk, self.path, _last(self.path)[1], note)


def read_newest(path: Path) -> bytes | None:
    """The last whole note of such a file; None where there is none."""
    return _last(path)[0]


def read_notes(path: Path) -> Iterator[bytes]:
    """All notes of such a file in their order, in bounded memory; none where there is no such file."""
    if not path.exists():
        return
    lines: list[bytes] = []
    blanks = 0
    with path.open("rb") as file:
        for line in file:
            blanks += line == b"\n"
            if blanks < 2:
                lines.append(line)
                continue
            note = b"".join(lines)
            whole = _RECORD.match(note + b"\n")
            if not whole or whole.end() != len(note):
                raise DamagedHistory(path, "holds something that is not a signed note")
            yield note
            lines, blanks = [], 0


def _last(path: Path) -> tuple[bytes | None, int]:
    """The last whole note, and where the next one goes: behind it, over what a crash left."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - _TAIL))
            tail = file.read()
    except FileNotFoundError:
        return None, 0
    found = None
    for found in _RECORD.finditer(tail):  # noqa: B007 - the last one is wanted
        pass
    if found is None:
        # A crash leaves at most a part of the first note, which holds one empty line.
        if start or tail.count(b"\n\n") > 1:
            raise DamagedHistory(path, "does not end in a signed note")
        return None, 0
    return found[0], start + found.end() + 1


def _append(disk: Disk, path: Path, end: int, note: bytes) -> None:
    if path.exists() and path.stat().st_size > end:
        # What a crash left must go first: a shorter note written over it would run on into its rest.
        disk.cut(path, end)
    disk.write(path, end, note + b"\n")


def _check_follows(newest: bytes, note: bytes) -> None:
    old_text, text = parse_note(newest).text, parse_note(note).text
    old, new = parse_checkpoint(old_text), parse_checkpoint(text)
    if new.origin != old.origin or (new.size <= old.size and text != old_text):
        raise ValueError(f"a checkpoint of {new.origin}, {new.size} can never follow one of {old.origin}, {old.size}")
