"""
What sealing costs: appends per second with it on and off, in turns, in one run, as a ratio.

    ./scripts/bench-sealing [--callers N] [--events N] [--seconds S] [--rounds N] [--output table|json]

Each round appends for some seconds with the sealer running, and for as long
without, each time to a fresh record; the ratio is the median of the rounds',
since what else the machine does changes from one to the next; the ratio by CPU
is that of what an event takes of the processor, all threads together, which a
busy machine changes less. Callers are threads that append through the one writer, as a server's do. Also measured:
what CPU an event takes to seal alone, how fast a whole record is sealed at once, how long one waits for a
receipt with proof, and the disk that the log takes. Exit code 10 if the ratio is
below 0.9.
"""

import json
import statistics
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger.application import Ledger
from ledger.authority import HUMAN, RESPONDER, Principal
from ledger.checkpoints import Checkpoints
from ledger.codec import Draft
from ledger.deciding import Command
from ledger.events import DeploymentSucceeded
from ledger.hashes import Hashes
from ledger.leaves import Leaves
from ledger.log_keys import LogKeys
from ledger.sealer import Sealer
from ledger.sealing import Sealing
from ledger.writer import Writer

WHO = Principal("bench", HUMAN, frozenset({RESPONDER}))
TARGET = 0.9


def main() -> None:
    options = parsed()
    on: list[Rate] = []
    off: list[Rate] = []
    more: dict[str, float] = {}
    for number in range(options.rounds):
        # Now one first, now the other, so that neither always meets the fresh disk.
        for sealing in (True, False) if number % 2 else (False, True):
            with TemporaryDirectory() as folder:
                rate, found = appended(Path(folder), options, sealing=sealing)
            (on if sealing else off).append(rate)
            more |= found
    rounds = list(zip(on, off, strict=True))
    figures = {
        "callers": options.callers,
        "events_per_command": options.events,
        "on_per_s": round(statistics.median(each.per_s for each in on)),
        "off_per_s": round(statistics.median(each.per_s for each in off)),
        "ratio": round(statistics.median(one.per_s / other.per_s for one, other in rounds), 3),
        "on_cpu_us_per_event": round(statistics.median(each.cpu_us for each in on), 1),
        "off_cpu_us_per_event": round(statistics.median(each.cpu_us for each in off), 1),
        "cpu_ratio": round(statistics.median(other.cpu_us / one.cpu_us for one, other in rounds), 3),
        "on": [round(each.per_s) for each in on],
        "off": [round(each.per_s) for each in off],
        **more,
    }
    tell(figures, options.output)
    sys.exit(0 if figures["ratio"] >= TARGET else 10)


class Rate(NamedTuple):
    """Of one measurement: events a second, and what each takes of the processor."""

    per_s: float
    cpu_us: float


def parsed() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--callers", type=int, default=16, help="threads that append [16]")
    parser.add_argument("--events", type=int, default=1, help="events in each command [1]")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement [4]")
    parser.add_argument("--rounds", type=int, default=5, help="of one measurement each [5]")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    return parser.parse_args()


def appended(folder: Path, options: Namespace, *, sealing: bool) -> tuple[Rate, dict[str, float]]:
    """How fast it was, and what else there was to measure."""
    with Ledger(folder) as ledger:
        writer = Writer(ledger)
        try:
            with sealer(folder, ledger, sealing=sealing) as thread:
                worked = time.process_time()
                per_s = append_for(ledger, writer, options)
                if thread is not None:
                    thread.wait(ledger.head(), 10)
                rate = Rate(per_s, 1e6 * (time.process_time() - worked) / ledger.head())
                if thread is not None:
                    return rate, log_of(folder, ledger, writer, thread)
                return rate, all_at_once(folder, ledger)
        finally:
            writer.stop()


def all_at_once(folder: Path, ledger: Ledger) -> dict[str, float]:
    """How fast a record is sealed that never was."""
    fresh = sealer_of(folder, ledger)
    begun, worked = time.perf_counter(), time.thread_time()
    fresh.turn()
    seconds, cpu_s = time.perf_counter() - begun, time.thread_time() - worked
    head = ledger.head()
    return {"sealed_at_once_per_s": round(head / seconds), "sealing_cpu_us_per_event": round(1e6 * cpu_s / head, 2)}


def sealer_of(folder: Path, ledger: Ledger) -> Sealer:
    place = folder / "log"
    return Sealer(Leaves(ledger), LogKeys(place), Checkpoints(place), Hashes(folder / "hashes"))


@contextmanager
def sealer(folder: Path, ledger: Ledger, *, sealing: bool) -> Iterator[Sealing | None]:
    if not sealing:
        yield None
        return
    made = Sealing(sealer_of(folder, ledger))
    made.start()
    yield made
    made.stop()


def append_for(ledger: Ledger, writer: Writer, options: Namespace) -> float:
    stopped, counts = Event(), [0] * options.callers

    def call(caller: int) -> None:
        while not stopped.is_set():
            writer.append(command(ledger, f"{caller}-{counts[caller]}", options.events))
            counts[caller] += options.events

    callers = [Thread(target=call, args=(each,)) for each in range(options.callers)]
    begun = time.perf_counter()
    for each in callers:
        each.start()
    time.sleep(options.seconds)
    stopped.set()
    for each in callers:
        each.join()
    return sum(counts) / (time.perf_counter() - begun)


def command(ledger: Ledger, name: str, events: int) -> Command:
    drafts = [
        Draft(
            DeploymentSucceeded(
                deployment_id=f"{name}-{number}",
                service=f"service-{number % 40}",
                environment="production",
                version="1.5.0",
                digest="sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                build_url="https://ci.example/payments/runs/8812",
            ),
            id=f"{name}-{number}",
            source="https://ci.example/payments/runs/8812",
            time="2026-11-22T21:00:00+01:00",
        )
        for number in range(events)
    ]
    return Command(WHO, [ledger.prepare(each, WHO) for each in drafts])


def log_of(folder: Path, ledger: Ledger, writer: Writer, sealing: Sealing) -> dict[str, float]:
    """How long a receipt with proof takes once it is quiet, and what is on disk."""
    waits = []
    for number in range(20):
        (receipt,) = writer.append(command(ledger, f"wait-{number}", 1))
        begun = time.perf_counter()
        sealing.wait(receipt.position, 10)
        waits.append(time.perf_counter() - begun)
    head = ledger.head()
    leaf_bytes = sum(map(len, Leaves(ledger).leaves(0, head)))
    return {
        "receipt_wait_ms": round(1000 * statistics.median(waits), 1),
        "hashes_bytes_per_event": round(size_of(folder / "hashes") / head, 2),
        "checkpoints_bytes": size_of(folder / "log"),
        "leaf_bytes_per_event": round(leaf_bytes / head),
    }


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def tell(figures: dict[str, object], output: str) -> None:
    if output == "json":
        print(json.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):{width}}  {value}")


main()
