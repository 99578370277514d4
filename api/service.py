"""
What a running server holds, opened and closed in the right order.

One server runs on a data folder: `FolderLock` sees to that. Views get at the
rest through `service()`.
"""

import fcntl
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Condition, Event

from flask import current_app

from api.access import Refusals
from api.config import Settings
from api.log_measures import LogMeasures
from api.measures import Measures
from api.sight import Sighted
from api.tokens import Tokens
from api.transparency import Log, open_log
from ledger.application import Ledger
from ledger.deciding import Command, Receipt
from ledger.errors import FolderInUse, LedgerError
from ledger.writer import Writer
from projections.answers import Answers

READ_MODELS = "read-models"

LOOK_AGAIN_S = 0.5
"""How late rows are noticed that another process wrote."""


class FolderLock:
    """
    Held by the one server of a data folder. The system lets go of it when the
    last process that has it ends, however it ends; a fork shares it.
    """

    FILE = "server.lock"

    def __init__(self, folder: Path) -> None:
        """Raises `FolderInUse` where another server holds it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(folder / self.FILE, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise FolderInUse(str(folder)) from None

    def release(self) -> None:
        os.close(self._descriptor)


class News:
    """Tells those who wait that the record has grown."""

    def __init__(self, head: Callable[[], int]) -> None:
        self._head = head
        self._changed = Condition()
        self._turn = 0
        self._closed = False

    def stored(self) -> None:
        """Called when something was stored by this process."""
        with self._changed:
            self._turn += 1
            self._changed.notify_all()

    def wait_beyond(self, position: int, timeout_s: float) -> int:
        """The head of the record, as soon as it is beyond *position*, at the latest after the timeout."""
        until = time.monotonic() + timeout_s
        while True:
            turn, head, left_s = self._turn, self._head(), until - time.monotonic()
            if head > position or left_s <= 0 or self._closed:
                return head
            with self._changed:
                if self._turn == turn:
                    self._changed.wait(min(left_s, LOOK_AGAIN_S))

    def close(self) -> None:
        """Nobody waits any longer."""
        self._closed = True
        self.stored()


class MeasuredWriter(Writer):
    """The writer, with every outcome counted. *refusal* says why nothing may be appended, if so."""

    def __init__(
        self,
        ledger: Ledger,
        stored: Callable[[], None],
        measures: Measures,
        refusal: Callable[[], LedgerError | None] = lambda: None,
    ) -> None:
        self._measures, self._refusal = measures, refusal
        super().__init__(ledger, stored)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, command: Command) -> Future[list[Receipt]]:
        if (refusal := self._refusal()) is not None:
            raise refusal
        outcome = super().submit(command)
        outcome.add_done_callback(self._measures.count_outcome)
        return outcome


@dataclass(frozen=True)
class Service:
    """`news` and `stopping` end waits; `streams` bounds live streams, so that they never take every thread."""

    settings: Settings
    ledger: Ledger
    writer: MeasuredWriter
    log: Log
    answers: Answers
    tokens: Tokens
    refusals: Refusals
    news: News
    measures: Measures
    lock: FolderLock
    streams: BoundedSemaphore
    stopping: Event = field(default_factory=Event)

    def stop_waiting(self) -> None:
        """Ends live streams and waits, so that requests come to their end. Safe in a signal handler."""
        self.stopping.set()
        self.news.close()

    def close(self) -> None:
        """Call it when no request runs any more. What was handed in is made durable first."""
        self.stop_waiting()
        self.writer.stop()
        self.log.stop()
        self.answers.stop()
        self.tokens.close()
        self.ledger.close()
        self.lock.release()


def open_service(settings: Settings, lock: FolderLock | None = None) -> Service:
    """
    Opens everything a server needs on its data folder, which is made where it is missing.

    Raises:
        FolderInUse: where another server runs on it.
        Damaged: where what is stored cannot be right.
    """
    lock = lock or FolderLock(settings.data)
    ledger = Ledger(settings.data)
    measures = Measures()
    news = News(ledger.head)
    answers = Answers(ledger, settings.data / READ_MODELS)
    ledger.look = Sighted(answers, ledger.clock).look
    answers.start()

    def stored() -> None:
        news.stored()
        answers.wake()

    log = open_log(settings, ledger)
    log.start()
    LogMeasures(log, measures.registry)
    writer = MeasuredWriter(ledger, stored, measures, log.refusal)
    measures.gauge("lastgood_head_position", "The last position of the record.", ledger.head)
    measures.gauge("lastgood_read_model_position", "How far the read models are.", lambda: answers.reached)
    measures.gauge(
        "lastgood_read_model_lag_events",
        "Events that are recorded and not yet in the read models.",
        lambda: ledger.head() - answers.reached,
    )
    return Service(
        settings=settings,
        ledger=ledger,
        writer=writer,
        log=log,
        answers=answers,
        tokens=Tokens(ledger, writer.append),
        refusals=Refusals(ledger, writer.submit),
        news=news,
        measures=measures,
        lock=lock,
        streams=BoundedSemaphore(settings.threads // 2),
    )


def service() -> Service:
    """The service of the request that is being answered."""
    held: Service = current_app.extensions["lastgood"]
    return held
