"""
The whole record in a data folder, worked out anew from its stored bytes and compared with what was signed.

Only reads. A server may run on the folder: what it records meanwhile is left
to the next verification. Memory stays bounded, whatever the size; a large
record is spread over the processors.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import active_count

from ledger.merkle import EMPTY_ROOT, CompactRange, root
from ledger.note import Verifier
from ledger.tiles import WIDTH
from ledger.verify import Difference, Report
from ledger.verify_claims import Claim, Claims
from ledger.verify_guards import check_store
from ledger.verify_rows import PORTION, Portion
from ledger.verify_store import (
    check_portion,
    head_of,
    redactions_after,
    span_of,
    telling,
    tiles_differ,
    words_left,
)

FEW, FEW_TO_SPAWN = PORTION, 4 * PORTION
"""Leaves up to which one process is quicker than several: forked ones, or those that import everything first."""

AHEAD = 16
"""Portions that are worked on before the first of them is joined to what was verified."""

Progress = Callable[[int, int], None]
"""Gets how many events were verified, and of how many."""


@dataclass
class Verified(Report):
    """
    What was found: the record's `head` and `root`, how many of its events are
    `sealed`, and those differences that are `contradictions` of older
    checkpoints which were handed in.
    """

    head: int = 0
    root: bytes = EMPTY_ROOT
    sealed: int = 0
    contradictions: list[Difference] = field(default_factory=list)


def verify_record(
    folder: Path,
    log: Path,
    older: Sequence[bytes] = (),
    keys: Sequence[Verifier] = (),
    progress: Progress = lambda _done, _of: None,
    processes: int | None = None,
    *,
    quick: bool = False,
    thorough: bool = False,
) -> Verified:
    """
    All that can be checked of a data folder, and of the folder *log* where its checkpoints are.

    *older* are checkpoints that somebody kept elsewhere; *keys* are those of
    the log, where they are known from elsewhere. *quick*: only the leaves, the
    tree and the checkpoints. *thorough*: also what can be made anew from the
    rows, or follows from the log's hashes: that every index agrees with its
    table, that every leaf is in canonical form, and who signed old checkpoints.
    """
    report = Verified()
    claims = Claims(log, older, keys, report, thorough=thorough)
    with telling(report):
        report.head = head_of(folder, claims.most())
    passing = _Pass(folder, claims, report, progress, quick=quick, thorough=thorough)
    with passing.workers(processes or len(os.sched_getaffinity(0))) as pool, ThreadPoolExecutor(1) as aside:
        store = None if quick else aside.submit(check_store, folder, thorough=thorough)
        passing.run(pool)
        if store:
            passing.check_words()
            report.differences += store.result().differences
    if quick:
        report.remarks.append("only the leaves were looked at, not the columns, words, indexes and guards beside them")
    elif not thorough:
        report.remarks.append("the indexes of the database were not held against its tables: --thorough does")
    _tell(report, claims)
    return report


def _tell(report: Verified, claims: Claims) -> None:
    report.sealed = claims.newest.size if claims.newest else 0
    report.contradictions = claims.contradictions
    report.told.insert(0, f"{report.head} events, root {report.root.hex()}")
    if report.sealed < report.head:
        report.remarks.append(f"positions {report.sealed + 1} to {report.head} are not sealed yet")
    claims.tell()
    # What has a position first, in order; each once, however many checks came upon it.
    report.differences = sorted(
        dict.fromkeys(report.differences), key=lambda each: (each.positions is None, each.positions or (0, 0))
    )


class _Pass:
    """One pass over the record, portion by portion, in order."""

    def __init__(
        self, folder: Path, claims: Claims, report: Verified, progress: Progress, *, quick: bool, thorough: bool
    ) -> None:
        self._check = partial(check_portion, folder, quick=quick, thorough=thorough)
        self._folder, self._claims, self._report, self._progress = folder, claims, report, progress
        self._upper = CompactRange()
        self._tiles: list[bytes] = []
        self._time = ""
        self._wordless: list[tuple[int, str]] = []
        self._redactions: list[tuple[int, int, tuple[str, ...]]] = []
        self._disclosures = 0

    @contextmanager
    def workers(self, processes: int) -> Iterator[Executor | None]:
        """Processes that verify portions, already started; none where one process is quicker."""
        # A fork begins at once, with all that is imported; but beside another thread, it could inherit a lock that is
        # held, and wait for it for ever.
        alone = active_count() == 1 and sys.platform == "linux"
        if processes == 1 or self._report.head <= (FEW if alone else FEW_TO_SPAWN):
            yield None
            return
        with ProcessPoolExecutor(processes, get_context("fork" if alone else "spawn")) as pool:
            pool.submit(int).result()
            yield pool

    def run(self, pool: Executor | None) -> None:
        head = self._report.head
        self._claims.judge(self._claims.sizes(0), lambda _: EMPTY_ROOT)
        for claimed, portion in self._portions(head, pool):
            self._join(portion, claimed)
        self._check_levels()
        now = head
        with telling(self._report):
            # A server that runs may have recorded and sealed more by now.
            now = head_of(self._folder, self._claims.most())
        self._claims.beyond(now)

    def _portions(self, head: int, pool: Executor | None) -> Iterator[tuple[list[Claim], Portion]]:
        waiting: deque[tuple[list[Claim], Future[Portion]]] = deque()
        for start in range(0, head, PORTION):
            end = min(start + PORTION, head)
            claimed = self._claims.sizes(end)
            asked = (start, end, sorted({each.size for each in claimed}))
            if pool is None:
                yield claimed, self._check(*asked)
                continue
            waiting.append((claimed, pool.submit(self._check, *asked)))
            if len(waiting) == AHEAD:
                claimed, future = waiting.popleft()
                yield claimed, future.result()
        for claimed, future in waiting:
            yield claimed, future.result()

    def _join(self, portion: Portion, claimed: list[Claim]) -> None:
        report = self._report
        report.differences += portion.differences
        if portion.untold:
            report.differs(f"and {portion.untold} more differences", portion.start + 1, portion.end)
        if portion.first_time < self._time:
            report.differs(
                f"position {portion.start + 1} says it was recorded before the one before it", portion.start + 1
            )
        self._claims.judge(claimed, lambda size: self._root(size, portion))
        report.root = self._root(portion.end, portion)
        if portion.end - portion.start == PORTION:
            self._upper = self._upper.extended(portion.nodes[portion.end])
        self._time = portion.last_time or self._time
        self._tiles += portion.tiles
        self._wordless += portion.wordless
        self._redactions += portion.redactions
        self._disclosures += portion.disclosures
        self._progress(portion.end, report.head)

    def _root(self, size: int, portion: Portion) -> bytes:
        # A full portion is a node of the tree, so what lies before one is a tree of portions.
        if size - portion.start == PORTION:
            return self._upper.extended(portion.nodes[size]).root()
        return CompactRange(size, (*self._upper.nodes, *portion.nodes[size])).root()

    def _check_levels(self) -> None:
        """The hashes above the leaves that the log serves its tiles from."""
        roots, level = self._tiles, 1
        while roots:
            if (index := tiles_differ(self._folder, level, roots)) is not None:
                first, last = span_of(level, index)
                self._report.differs(f"the log keeps another hash over positions {first} to {last}", first, last)
            roots = [root(roots[at : at + WIDTH]) for at in range(0, len(roots) - WIDTH + 1, WIDTH)]
            level += 1

    def check_words(self) -> None:
        """Words are gone only where a redaction says so, and there they are gone."""
        with telling(self._report):
            self._check_words()

    def _check_words(self) -> None:
        redactions = self._redactions + redactions_after(self._folder, self._report.head)
        gone = {(target, name): position for position, target, fields in redactions for name in fields}
        redacted = 0
        for position, path in self._wordless:
            if (position, path.split("/")[1]) in gone:
                redacted += 1
            else:
                told = f"position {position}: the words of {path} are gone, and no redaction is recorded"
                self._report.differs(told, position)
        for position, target, fields in redactions:
            for path in words_left(self._folder, target):
                if path.split("/")[1] in fields:
                    told = (
                        f"position {target}: {path} was redacted at position {position}, and its words are still here"
                    )
                    self._report.differs(told, target)
        self._report.told.append(f"{self._disclosures} protected members fit what was said, {redacted} are redacted")
