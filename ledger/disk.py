"""
Files that outlast a power cut, and the few steps they are written in.

Whoever writes the log's files goes through a `Disk`, so that a test can fail
or kill at each step. What a method promises holds when it returns; in between,
a crash leaves the old content, or part of the new one behind it.
"""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp


class Disk:
    """The steps, on the file system. Each of the methods at the end is one that can fail by itself."""

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Puts the data at this place of a file, which is made where it is missing; durable."""
        made = not path.exists()
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
        try:
            self.put(path, descriptor, offset, data)
            self.sync(path, descriptor)
        finally:
            os.close(descriptor)
        if made:
            self.sync_folder(path.parent)

    def cut(self, path: Path, size: int) -> None:
        """Ends a file here; durable."""
        descriptor = os.open(path, os.O_WRONLY)
        try:
            self.truncate(path, descriptor, size)
            self.sync(path, descriptor)
        finally:
            os.close(descriptor)

    def replace(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        """Gives a file other content, all of it or none; durable. Between the two it always exists."""
        descriptor, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
        made = Path(name)
        try:
            os.fchmod(descriptor, mode)
            self.put(made, descriptor, 0, data)
            self.sync(made, descriptor)
            self.rename(made, path)
        except BaseException:
            with suppress(FileNotFoundError):
                made.unlink()
            raise
        finally:
            os.close(descriptor)
        self.sync_folder(path.parent)

    def make_folder(self, path: Path) -> None:
        """Makes a folder for the owner alone where there is none; durable."""
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.sync_folder(path.parent)

    def put(self, path: Path, descriptor: int, offset: int, data: bytes) -> None:  # noqa: ARG002 - a test looks at the path
        rest = memoryview(data)
        while rest:
            written = os.pwrite(descriptor, rest, offset)
            rest, offset = rest[written:], offset + written

    def truncate(self, path: Path, descriptor: int, size: int) -> None:  # noqa: ARG002
        os.ftruncate(descriptor, size)

    def sync(self, path: Path, descriptor: int) -> None:  # noqa: ARG002
        os.fdatasync(descriptor)

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def sync_folder(self, folder: Path) -> None:
        """Makes the names in a folder durable; a file's own sync leaves its name out."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
