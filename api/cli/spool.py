"""
Events that wait on disk while the ledger can't be reached.

One file per call, complete or absent: it is written aside, forced to disk,
renamed, and the folder forced to disk before `put` returns. A file goes only
after its receipt. An event that the ledger refused stays as `.refused`, with
the reason. Files are readable by their owner alone: they hold names and
reasons. Several processes may use one folder at once.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WAITING = ".ndjson"
REFUSED = ".refused"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the ledger would not take, and why."""

    path: Path
    event: bytes
    reason: str


class Spool:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, events: Sequence[bytes]) -> Path:
        """
        The file that now holds *events*, one JSON object each, in order; durable.

        Raises:
            OSError: where the folder cannot be written to; then nothing is kept.
        """
        return self._write(WAITING, b"".join(event + b"\n" for event in events))

    def waiting(self) -> list[Path]:
        """The files to send, oldest first."""
        return self._files(WAITING)

    def refused(self) -> list[Refused]:
        """Those set aside, oldest first."""
        kept = []
        for path in self._files(REFUSED):
            told: dict[str, Any] = json.loads(path.read_bytes())
            kept.append(Refused(path, json.dumps(told["event"]).encode(), str(told["reason"])))
        return kept

    def set_aside(self, event: bytes, reason: str) -> Path:
        """The file in which a refused event stays with the reason."""
        try:
            content = json.loads(event)
        except ValueError:
            content = event.decode(errors="replace")
        told = {"reason": reason, "event": content}
        return self._write(REFUSED, json.dumps(told, indent=1).encode() + b"\n")

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        _sync_folder(self.folder)

    def _files(self, suffix: str) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(each for each in self.folder.iterdir() if each.suffix == suffix and each.name[0] != ".")

    def _write(self, suffix: str, content: bytes) -> Path:
        _make(self.folder)
        name = f"{time.time_ns():020d}-{os.urandom(4).hex()}{suffix}"
        aside, path = self.folder / f".{name}.part", self.folder / name
        try:
            _write_new(aside, content)
            aside.rename(path)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
        _sync_folder(self.folder)
        return path


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _write_new(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A name survives a power cut only once its folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
