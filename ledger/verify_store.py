"""
The stored bytes of a data folder, read for verification: nothing is written, and nothing of it is believed.

What is damaged so that SQLite itself gives up is read around, row by row, so
that each position that can't be read is told, and all others are.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

from ledger.merkle import HASH_SIZE
from ledger.tiles import WIDTH
from ledger.verify import Report
from ledger.verify_leaf import REDACTION, UNREADABLE, Row, Words, redaction_of
from ledger.verify_rows import PORTION, Portion, check, check_leaves

DATABASE, HASHES = "events.sqlite", "hashes"

_ROWS = "SELECT position, stream, revision, type, source, id, leaf FROM events"
_LEAVES = "SELECT position, leaf FROM events"
_WORDS = "SELECT position, member, disclosure FROM disclosures"
_WITHIN = "WHERE position > ? AND position <= ? ORDER BY position"
_PATIENCE_S = 30.0


def connect(folder: Path) -> sqlite3.Connection:
    """A connection that can't write. Raises `sqlite3.Error` where there is no record."""
    path = folder / DATABASE
    # Without a write-ahead log beside it the file is all there is, and then it needs no folder that can be written.
    still = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro{still}", uri=True, timeout=_PATIENCE_S, isolation_level=None
    )


FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises; the second where SQLite's own words about it are damaged."""


@contextmanager
def telling(report: Report) -> Iterator[None]:
    """What can't be read is a difference like any other, and what comes after it is still looked at."""
    try:
        yield
    except FAILURES as error:
        report.differs(f"the file of the events can't be read whole: {error}")


def head_of(folder: Path, most: int) -> int:
    """
    The last position; not much more than there are events, and than *most*.

    One damaged number must not have the verification look for a billion events.
    """
    with closing(connect(folder)) as database:
        last, count = database.execute("SELECT IFNULL(MAX(position), 0), COUNT(*) FROM events").fetchone()
    return int(min(last, max(count, most) + PORTION))


def check_portion(
    folder: Path, start: int, end: int, sizes: list[int], *, quick: bool = False, thorough: bool = False
) -> Portion:
    """The portion of the positions with start < position <= end; may run in a process of its own."""
    logged = logged_hashes(folder, 0, start, end)
    within = (start, end)
    try:
        with closing(connect(folder)) as database:
            if quick:
                return check_leaves(*within, database.execute(f"{_LEAVES} {_WITHIN}", within), logged, sizes)
            words = Words(database.execute(f"{_WORDS} {_WITHIN}", within))
            rows = database.execute(f"{_ROWS} {_WITHIN}", within)
            return check(*within, rows, words, logged, sizes, thorough=thorough)
    except FAILURES:
        return _around_damage(folder, start, end, sizes, logged)


def _around_damage(folder: Path, start: int, end: int, sizes: list[int], logged: bytes) -> Portion:
    """Row by row: what can't be read is told, with why."""
    rows: list[Row] = []
    words: list[tuple[int, str, str]] = []
    unreadable: list[tuple[int, str]] = []
    with closing(connect(folder)) as database:
        for position in range(start + 1, end + 1):
            try:
                rows += database.execute(f"{_ROWS} WHERE position = ?", (position,)).fetchall()
                words += database.execute(f"{_WORDS} WHERE position = ?", (position,)).fetchall()
            except FAILURES as error:
                unreadable.append((position, str(error)))
    portion = check(start, end, rows, Words(words), logged, sizes, thorough=True)
    for why, group in groupby(unreadable, key=itemgetter(1)):
        positions = [position for position, _ in group]
        portion.differs(f"positions {positions[0]} to {positions[-1]} can't be read: {why}", *positions)
    return portion


def logged_hashes(folder: Path, level: int, start: int, end: int) -> bytes:
    """What the log keeps of the hashes with start < number <= end on a level, as far as it goes."""
    try:
        with (folder / HASHES / f"level-{level}").open("rb") as file:
            file.seek(start * HASH_SIZE)
            return file.read((end - start) * HASH_SIZE)
    except FileNotFoundError:
        return b""


# Redactions


def redactions_after(folder: Path, head: int) -> list[tuple[int, int, tuple[str, ...]]]:
    """Redactions recorded while the verification ran: (position, what it redacts, fields)."""
    redactions = []
    with closing(connect(folder)) as database:
        found = database.execute("SELECT position, leaf FROM events WHERE type = ? AND position > ?", (REDACTION, head))
        for position, leaf in found:
            with suppress(*UNREADABLE):
                redactions.append((position, *redaction_of(leaf)))
    return redactions


def words_left(folder: Path, position: int) -> list[str]:
    """The paths of an event's members whose words are kept."""
    with closing(connect(folder)) as database:
        return [row[0] for row in database.execute("SELECT member FROM disclosures WHERE position = ?", (position,))]


def tiles_differ(folder: Path, level: int, roots: list[bytes]) -> int | None:
    """The number of the first root on a level that the log keeps otherwise; None where all that it keeps agree."""
    kept = logged_hashes(folder, level, 0, len(roots))
    for index in range(len(kept) // HASH_SIZE):
        if kept[index * HASH_SIZE : (index + 1) * HASH_SIZE] != roots[index]:
            return index
    return None


def span_of(level: int, index: int) -> tuple[int, int]:
    """The first and the last position under one hash of a level."""
    leaves = WIDTH**level
    return index * leaves + 1, (index + 1) * leaves
