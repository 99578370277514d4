"""Building the read models anew: what `lastgood rebuild` does. They are disposable, so nothing can be lost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from api.service import READ_MODELS, FolderLock
from ledger.application import Ledger
from projections import tables
from projections.answers import Answers


def rebuild(folder: Path, progress: Callable[[int, int], None]) -> int:
    """
    Deletes the read models of a data folder and builds them from its record; returns the position reached.

    Raises:
        FolderInUse: while a server runs there, since it answers from them.
    """
    lock = FolderLock(folder)
    try:
        with Ledger(folder) as ledger:
            tables.delete(_file(folder))
            answers = Answers(ledger, folder / READ_MODELS)
            try:
                return answers.runner.catch_up(progress)
            finally:
                answers.tables.close()
    finally:
        lock.release()


def mark(folder: Path) -> None:
    """Has the next server to start build them anew: a file of an unknown format is not trusted. Safe at any time."""
    if (path := _file(folder)).exists():
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("PRAGMA user_version = 0")


def _file(folder: Path) -> Path:
    return folder / READ_MODELS / "models.sqlite"
