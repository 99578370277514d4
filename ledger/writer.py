"""
The one writer thread of a server: group commit.

Callers hand in commands from many threads and wait. The writer takes all
that have gathered, decides and stores them in one durable transaction, and
only then tells each its outcome. While one group is on its way to the disk
the next one gathers, so that the disk's latency is shared.
"""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from ledger.application import Ledger
from ledger.deciding import Command, Receipt
from ledger.errors import LedgerError, NotWritable

LARGEST_GROUP = 10_000
"""Events; a command that is larger than this still goes in whole."""


class WriterStopped(LedgerError):
    """The server is stopping: nothing was stored."""

    def __init__(self) -> None:
        super().__init__("the ledger is stopping and took nothing: send it again in a moment")


@dataclass(slots=True)
class _Waiting:
    command: Command
    outcome: Future[list[Receipt]] = field(default_factory=Future)


class Writer:
    """
    Owns the write path of a ledger. `append` may be called from any thread;
    it returns when the events are durable.
    """

    def __init__(self, ledger: Ledger, stored: Callable[[], None] = lambda: None) -> None:
        self._ledger = ledger
        self._stored = stored
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        # Held to hand in and to stop, so that nobody is left waiting behind the end of the queue.
        self._door = Lock()
        self._stopped = False
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def append(self, command: Command) -> list[Receipt]:
        """
        The receipts of a command, all of whose events are now durable.

        Raises:
            LedgerError: and nothing of the command was stored.
        """
        return self.submit(command).result()

    def submit(self, command: Command) -> "Future[list[Receipt]]":
        """Hands a command in without waiting. It may be cancelled as long as it was not taken into a group."""
        waiting = _Waiting(command)
        with self._door:
            if self._stopped:
                raise WriterStopped
            self._queue.put(waiting)
        return waiting.outcome

    def stop(self) -> None:
        """Finishes what was handed in, then ends."""
        with self._door:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            running = True
            while running:
                group, running = self._gather()
                if group:
                    self._write(group)
        finally:
            self._turn_away()

    def _turn_away(self) -> None:
        """Also after a fault, so that nobody waits for a writer that is no more."""
        with self._door:
            self._stopped = True
        with suppress(Empty):
            while True:
                if (late := self._queue.get_nowait()) is not None and late.outcome.set_running_or_notify_cancel():
                    late.outcome.set_exception(WriterStopped())

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """All that waits, at least one; and whether to go on."""
        group: list[_Waiting] = []
        events = 0
        waiting = self._queue.get()
        while waiting is not None:
            if waiting.outcome.set_running_or_notify_cancel():
                group.append(waiting)
                events += len(waiting.command.events)
            if events >= LARGEST_GROUP:
                return group, True
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _write(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._ledger.record([each.command for each in group])
        except BaseException as error:  # noqa: BLE001 - every caller is told; the next group may fare better
            told = NotWritable(str(error)) if isinstance(error, sqlite3.OperationalError) else error
            for each in group:
                each.outcome.set_exception(told)
            return
        try:
            self._stored()
        finally:
            for each, outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, LedgerError):
                    each.outcome.set_exception(outcome)
                else:
                    each.outcome.set_result(outcome)
