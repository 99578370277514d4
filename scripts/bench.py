"""
Events a second of the append path, beside plain SQLite writing rows as wide, from one run.

Compare within a run: a busy machine slows all rows of the table, and leaves
the processor's time for an event nearly as it is. Each measure is taken in
several rounds, in turn, each in a new folder; the median counts. Everything is
durable: WAL, synchronous=FULL, on the disk of TMPDIR.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Self

from rich.console import Console
from rich.table import Table

from ledger.application import Ledger
from ledger.authority import MACHINE, PIPELINE, Principal
from ledger.canonical import canonical
from ledger.codec import Draft, Row
from ledger.contract import accept, event_class
from ledger.deciding import Command
from ledger.errors import LedgerError
from ledger.writer import Writer

BATCH = 10_000
CALLERS = (1, 16, 64)
A_PIPELINE = Principal("bench", MACHINE, frozenset({PIPELINE}))

_COLUMNS = "position INTEGER PRIMARY KEY, stream TEXT, revision INTEGER, type TEXT, source TEXT, id TEXT, leaf BLOB"
_KEYS = "UNIQUE (stream, revision), UNIQUE (source, id)"


class Stopwatch:
    """What happens within it took `seconds` on the wall, `processor_s` of the processor in all threads."""

    def __enter__(self) -> Self:
        self._wall, self._processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._wall
        self.processor_s = time.process_time() - self._processor


Measure = Callable[[Sequence[Draft], Path], Stopwatch]
"""Takes drafts, writes them into a new folder, and says what the writing took."""


def made_up(count: int) -> Iterator[dict[str, Any]]:
    """Deployments of 300 services, about as wide as real ones."""
    for number in range(count):
        commit = f"{number * 2_654_435_761 % 2**160:040x}"
        yield {
            "id": f"{commit}-{number}",
            "source": "https://github.com/acme/deployments",
            "type": "deployment.succeeded",
            "time": "2026-11-22T21:00:00+01:00",
            "data": {
                "deployment_id": f"{commit}-{number}",
                "service": f"service-{number % 300}",
                "environment": "production",
                "version": f"release-{number}",
                "commit": commit,
                "committed_at": "2026-11-22T20:50:00+01:00",
            },
        }


def draft(told: dict[str, Any]) -> Draft:
    event = accept(event_class(told["type"]), told["data"])
    return Draft(event, id=told["id"], source=told["source"], time=told["time"], content=canonical(told))


@contextmanager
def ledger_in(folder: Path) -> Iterator[Ledger]:
    with closing(Ledger(folder / "data")) as ledger:
        yield ledger


def batches(drafts: Sequence[Draft]) -> Iterator[Sequence[Draft]]:
    return (drafts[start : start + BATCH] for start in range(0, len(drafts), BATCH))


def rows_of(drafts: Sequence[Draft], folder: Path) -> list[Row]:
    """The drafts as they are stored, to write as wide without the ledger."""
    with ledger_in(folder) as ledger:
        for some in batches(drafts):
            _stored(ledger.record([Command(A_PIPELINE, [ledger.prepare(each, A_PIPELINE) for each in some])]))
        return list(ledger.rows())


def raw(keys: str, at_once: int) -> Measure:
    """Plain SQLite: one table, with or without the two unique keys, so many rows a transaction."""

    def measure(drafts: Sequence[Draft], folder: Path) -> Stopwatch:
        rows = [
            (r.position, r.originator_id, r.originator_version, r.topic, r.source, r.id, r.state)
            for r in rows_of(drafts, folder)
        ]
        with closing(sqlite3.connect(folder / "raw.sqlite", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"CREATE TABLE events ({', '.join(filter(None, (_COLUMNS, keys)))}) STRICT")
            with Stopwatch() as watch:
                for start in range(0, len(rows), at_once):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?)", rows[start : start + at_once])
                    connection.execute("COMMIT")
        return watch

    return measure


def recorded(drafts: Sequence[Draft], folder: Path) -> Stopwatch:
    """`Ledger.record` alone, its commands made ready before."""
    with ledger_in(folder) as ledger:
        made = [[ledger.prepare(each, A_PIPELINE) for each in some] for some in batches(drafts)]
        with Stopwatch() as watch:
            for some in made:
                _stored(ledger.record([Command(A_PIPELINE, some)]))
    return watch


def prepared_and_recorded(drafts: Sequence[Draft], folder: Path) -> Stopwatch:
    with ledger_in(folder) as ledger, Stopwatch() as watch:
        for some in batches(drafts):
            _stored(ledger.record([Command(A_PIPELINE, [ledger.prepare(each, A_PIPELINE) for each in some])]))
    return watch


def single(callers: int) -> Measure:
    """One event an append, each caller waiting until its own is durable."""

    def measure(drafts: Sequence[Draft], folder: Path) -> Stopwatch:
        with ledger_in(folder) as ledger:
            writer = Writer(ledger)

            def append(each: Draft) -> None:
                writer.append(Command(A_PIPELINE, [ledger.prepare(each, A_PIPELINE)]))

            with Stopwatch() as watch, ThreadPoolExecutor(callers) as pool:
                list(pool.map(append, drafts))
            writer.stop()
        return watch

    return measure


def _stored(outcomes: Sequence[Any]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, LedgerError):
            raise outcome


RAW = "plain SQLite, 10,000 rows a transaction"
RAW_SINGLE = "plain SQLite, one row a transaction"
MANY: dict[str, Measure] = {
    RAW: raw("", BATCH),
    "plain SQLite, with the two unique keys": raw(_KEYS, BATCH),
    "Ledger.record, 10,000 events a command": recorded,
    "the same, prepared too": prepared_and_recorded,
}
ONE_BY_ONE: dict[str, Measure] = {
    RAW_SINGLE: raw("", 1),
    **{
        f"Writer.append, {callers} callers" if callers > 1 else "Writer.append, 1 caller": single(callers)
        for callers in CALLERS
    },
}


def measured(drafts: Sequence[Draft], singles: int, rounds: int) -> list[dict[str, Any]]:
    """A line for each measure: events a second, and how that compares with plain SQLite doing its like."""
    rates: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    for _ in range(rounds):
        for some, measures in ((drafts, MANY), (drafts[:singles], ONE_BY_ONE)):
            for name, measure in measures.items():
                with tempfile.TemporaryDirectory() as folder:
                    watch = measure(some, Path(folder))
                rates.setdefault(name, []).append(len(some) / watch.seconds)
                processor.setdefault(name, []).append(watch.processor_s / len(some) * 1e6)
    rate = {name: median(found) for name, found in rates.items()}
    return [
        {
            "measure": name,
            "events_per_second": round(rate[name]),
            "ratio": round(rate[name] / rate[RAW if name in MANY else RAW_SINGLE], 3),
            "processor_us_per_event": round(median(found), 1),
        }
        for name, found in processor.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drafts", type=Path, help="event drafts, one JSON object a line; made up by default")
    parser.add_argument("--events", type=int, default=20_000, help="how many at most")
    parser.add_argument("--singles", type=int, default=3_000, help="how many of them one by one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    told = map(json.loads, options.drafts.open()) if options.drafts else made_up(options.events)
    drafts = [draft(each) for each in islice(told, options.events)]
    lines = measured(drafts, min(options.singles, len(drafts)), options.rounds)
    if options.output == "json":
        json.dump({"events": len(drafts), "rounds": options.rounds, "measures": lines}, sys.stdout, indent=2)
        print()
        return
    table = Table("measure", title=f"{len(drafts)} events, median of {options.rounds} rounds")
    table.add_column("events/s", justify="right")
    table.add_column("of plain SQLite", justify="right")
    table.add_column("processor, µs an event", justify="right")
    for line in lines:
        rate, ratio = f"{line['events_per_second']:,}", f"{line['ratio']:.2f}"
        table.add_row(line["measure"], rate, ratio, f"{line['processor_us_per_event']:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
