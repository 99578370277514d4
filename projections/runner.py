"""
Keeps the read models: pulls the record by position, folds, and writes rows and position in one transaction.

A fold that cannot take an event in stops the runner there, loudly, at a known
position; nothing is skipped.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Condition, Event, Lock, Thread

from ledger.events import (
    EnvironmentConfigured,
    Record,
    RecordCorrected,
    Recorded,
    RecordRedacted,
    RecordRetracted,
)
from ledger.values import stream_name
from projections import alerts, decisions, feeds, history, incident, incident_list, metrics, oncall, remarks, search
from projections.facts import Fact, Moment, fact, holding
from projections.folds import STATES, Folded, begin, fold, key, kind_of, names_of
from projections.tables import Tables

BATCH = 5_000
CACHED_FOLDS = 5_000
RETRY_S = 2.0
POLL_S = 0.5
"""How often to look for events of other processes when nobody wakes the runner."""

ALWAYS = datetime(9999, 12, 31, tzinfo=UTC)

logger = logging.getLogger(__name__)


class Runner:
    """
    Catches up whenever it is woken. `reached` is the position of the last
    event taken in; `failure` says where and why it stopped, if it did.
    """

    def __init__(self, record: Record, tables: Tables) -> None:
        self.record, self.tables = record, tables
        self.failure: tuple[int, str] | None = None
        self.reached = tables.position()
        self._folds: dict[str, Folded] = {}
        self._one_at_a_time = Lock()
        self._news = Condition()
        self._wake = Event()
        self._stopping = False
        self._unshredded = False
        self._thread = Thread(target=self._run, name="read models", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """There is news in the record."""
        self._wake.set()

    def wait(self, position: int, timeout_s: float) -> bool:
        """Waits until the answers have reached a position; False if they have not by then."""
        with self._news:
            return self._news.wait_for(lambda: self.reached >= position, timeout_s)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.catch_up()
                self.failure = None
            except (sqlite3.OperationalError, OSError) as error:
                # A file that somebody locks or a disk that is full passes, and nothing is lost meanwhile.
                self.failure = (self.reached, f"{type(error).__name__}: {error}; trying again")
                logger.warning("the read models wait after position %d: %s", self.reached, error)
                self._wake.wait(RETRY_S)
                continue
            except Exception as error:  # shown by /readyz and doctor; a restart tries again
                self.failure = (self.reached, f"{type(error).__name__}: {error}")
                logger.exception("the read models stopped after position %d", self.reached)
                return
            self._wake.wait(POLL_S)
            self._wake.clear()

    def catch_up(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> int:
        """Takes in all that is recorded, and returns the position reached. *progress* gets (position, head)."""
        with self._one_at_a_time:
            while (head := self.record.head()) > self.reached:
                events = list(self.record.read(self.reached, min(head, self.reached + BATCH)))
                self._take(events)
                with self._news:
                    self.reached = events[-1].position
                    self._news.notify_all()
                progress(self.reached, head)
            if self._unshredded:
                self._unshredded = not self.tables.shred()
        return self.reached

    def _take(self, events: list[Recorded]) -> None:
        position = events[-1].position
        try:
            with self.tables.db.atomic():
                _Batch(self.record, self.tables, self._folds, position).apply(events)
                self.tables.db.execute("UPDATE progress SET position = ?", [position])
        except BaseException:
            self._folds.clear()
            raise
        self._unshredded = self._unshredded or any(isinstance(each.event, RecordRedacted) for each in events)
        if len(self._folds) > CACHED_FOLDS:
            self._folds.clear()


@dataclass
class _Batch:
    """One batch of events on its way into the tables."""

    record: Record
    tables: Tables
    folds: dict[str, Folded]
    position: int
    fresh: dict[str, list[Fact]] = field(default_factory=dict)
    anew: set[str] = field(default_factory=set)
    configured: set[str] = field(default_factory=set)

    def apply(self, events: list[Recorded]) -> None:
        rows = []
        for recorded in events:
            rows.append(search.row(Fact.as_recorded(recorded)))
            match recorded.event:
                case RecordCorrected() | RecordRetracted():
                    rows += self._amend(recorded)
                case RecordRedacted(position=target):
                    self._anew(self._streams_of(target))
                case _ if kind_of(recorded.stream) in STATES:
                    self._add(recorded)
        search.write(self.tables.db, rows)
        self._heard(Fact.as_recorded(each) for each in events)
        self._refold_configured()
        for stream in self.fresh.keys() | self.anew:
            self._fold(stream)

    def _add(self, recorded: Recorded) -> None:
        found = Fact.as_recorded(recorded)
        self.fresh.setdefault(recorded.stream, []).append(found)
        self._mention(recorded.stream, found)
        if isinstance(recorded.event, EnvironmentConfigured):
            self.configured.add(recorded.event.environment)

    def _mention(self, stream: str, found: Fact) -> None:
        if kind_of(stream) == "incident":
            rows = [(stream_name("slot", *slot), stream) for slot in incident.mentioned(found)]
            self.tables.db.conn.executemany("INSERT OR IGNORE INTO incident_slots VALUES (?,?)", rows)
            incident_list.mention(self.tables.db, stream, found)
        elif kind_of(stream) == "alert":
            alerts.mention(self.tables.db, stream, found)
        elif kind_of(stream) == "rota":
            oncall.mention(self.tables.db, stream, found)

    def _heard(self, found: Iterable[Fact]) -> None:
        heard = list(found)
        feeds.write(self.tables.db, heard)
        metrics.write(self.tables.db, heard)
        remarks.write(self.tables.db, heard)

    def _amend(self, recorded: Recorded) -> list[search.Row]:
        """Indexes a correction or retraction: which event it is about in the end, and where it may move it."""
        db, event = self.tables.db, recorded.event
        target: int = event.position if isinstance(event, RecordCorrected | RecordRetracted) else 0
        found = db.execute("SELECT root FROM amendments WHERE position = ?", [target]).fetchone()
        root = next(self.record.at([found[0] if found else target]))
        db.execute("INSERT INTO amendments VALUES (?,?,?)", [recorded.position, root.position, root.stream])
        if target == root.position:
            remarks.amend(db, recorded.position, root)
        about = db.execute("SELECT position FROM amendments WHERE root = ? ORDER BY position", [root.position])
        amendment = holding(self.record.at([row[0] for row in about.fetchall()])).get(root.position)
        amended = fact(root, None if amendment is None else replace(amendment, retracted=False), self.record)
        if amended is None:
            return []
        if amended.event.stream != root.stream:
            row = [amended.event.stream, root.position]
            db.execute("INSERT OR IGNORE INTO moved VALUES (?,?)", row)
        self._mention(amended.event.stream, amended)
        self._heard([amended])
        self._anew(self._streams_of(root.position))
        return [search.row(amended)]

    def _anew(self, streams: set[str]) -> None:
        """Folds streams anew; with an environment's, all its slots, since its settings are folded into them."""
        self.anew |= streams
        self.configured |= {names_of(each)[0] for each in streams if kind_of(each) == "environment"}

    def _streams_of(self, position: int) -> set[str]:
        """Every folded stream that the event at a position is, or was, in."""
        found = self.tables.db.execute("SELECT root FROM amendments WHERE position = ?", [position]).fetchone()
        root = found[0] if found else position
        moved = self.tables.db.execute("SELECT stream FROM moved WHERE position = ?", [root])
        streams = {row[0] for row in moved.fetchall()} | {each.stream for each in self.record.at([root])}
        return {each for each in streams if kind_of(each) in STATES}

    def _refold_configured(self) -> None:
        """A setting changes what a slot's other events mean, so its slots are folded anew."""
        for name in self.configured:
            known = self.tables.slots({"environment": name}, None, -1)
            self.anew |= {stream_name("slot", *slot) for slot in known}
            self.anew |= {each for each in self.fresh if kind_of(each) == "slot" and names_of(each)[1] == name}

    def _fold(self, stream: str) -> None:
        folded = None if stream in self.anew else self._kept(stream)
        facts = sorted(self.fresh.get(stream, []), key=lambda each: key(stream, each))
        if folded is None or key(stream, facts[0]) < folded.key:
            folded = fold(stream, Moment(ALWAYS, self.position), self.record, self.tables)
            history.write(self.tables.db, stream, folded.changes, anew=True)
        else:
            for each in facts:
                folded.take(stream, each)
            history.write(self.tables.db, stream, folded.changes, anew=False)
        if kind_of(stream) == "slot":
            decisions.write(self.tables.db, folded.state)
        elif kind_of(stream) == "incident":
            incident_list.write(self.tables.db, stream, folded.state)
        elif kind_of(stream) == "alert":
            alerts.write(self.tables.db, stream, folded.state)
        folded.changes = []
        self.tables.keep(stream, folded, self.position)
        self.folds[stream] = folded

    def _kept(self, stream: str) -> Folded | None:
        """The fold so far; a new one where the stream is new and nothing else bears on it."""
        found = self.folds.get(stream) or self.tables.folded(stream)
        if found is None and not (kind_of(stream) == "slot" and self._has_settings(names_of(stream)[1])):
            return begin(stream)
        return found

    def _has_settings(self, environment: str) -> bool:
        state = self.tables.state(stream_name("environment", environment))
        return state is not None and bool(state.settings.by_service)
