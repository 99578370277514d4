"""
The name of the log that a record is sealed in, kept beside the record.

The log's own files may be on another disk. When that is not there, nothing
but this tells a record whose log is gone from one that never had any.
"""

from pathlib import Path

from ledger.disk import Disk

FILE = "log-name"


def kept_name(folder: Path) -> str | None:
    """The log's name, as the data folder has it; None where none has begun."""
    try:
        return (folder / FILE).read_text("utf-8").removesuffix("\n") or None
    except FileNotFoundError:
        return None


def keep_name(folder: Path, name: str) -> None:
    """Durable when this returns. Call it once the log's key is kept: a crash in between leaves a log to begin again."""
    if kept_name(folder) != name:
        Disk().replace(folder / FILE, f"{name}\n".encode(), 0o600)
