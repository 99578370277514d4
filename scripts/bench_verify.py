"""
How fast a whole record is verified, beside bare SHA-256 over the same leaves, in one run.

    ./scripts/bench-verify [--events N] [--rounds N] [--data FOLDER] [--output table|json]

A record of N events is made and sealed first, unless a data folder is given.
Each round hashes its leaves (in memory, and as they are read from the file by
one thread) and verifies it, in turns, since what else the machine does changes
from one to the next; the ratios are medians of the rounds'. SHA-256 runs in one
process. Verifying is measured in one process, too, and in as many as there are
processors, which is how `lastgood verify` runs.

`leaves` is `verify --quick`: leaf hashes, tree and checkpoints. `verify` is the
default: every column and every word, too. `thorough` is everything. On a busy
machine the processor's time says more than the clock: `cpu ratio` is that of
the hashes, by what all processes of a verification used together. The peak of
memory is that of the largest process.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger.application import Ledger
from ledger.authority import HUMAN, RESPONDER, Principal
from ledger.checkpoints import Checkpoints
from ledger.codec import Draft
from ledger.deciding import Command
from ledger.events import DeploymentSucceeded, Event, ReleaseApproved
from ledger.hashes import Hashes
from ledger.leaves import Leaves
from ledger.log_keys import LogKeys
from ledger.sealer import Sealer
from ledger.verify_record import verify_record
from ledger.verify_store import connect, head_of

WHO = Principal("bench", HUMAN, frozenset({RESPONDER}))
AT_ONCE = 10_000
VERIFY, QUICK, USUAL, THOROUGH = "--verify", "quick", "usual", "thorough"
WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def main() -> None:
    if sys.argv[1:2] == [VERIFY]:
        verify_here(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return
    options = parsed()
    if options.data:
        figures = measured(options.data, options.rounds)
    else:
        with TemporaryDirectory() as folder:
            make(Path(folder), options.events)
            figures = measured(Path(folder), options.rounds)
    tell(figures, options.output)


def parsed() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="in the record that is made [1,000,000]")
    parser.add_argument("--rounds", type=int, default=3, help="of one measurement each [3]")
    parser.add_argument("--data", type=Path, help="a sealed data folder, instead of one that is made")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    return parser.parse_args()


# The record


def make(folder: Path, count: int) -> None:
    with Ledger(folder) as ledger:
        log = folder / "log"
        sealer = Sealer(Leaves(ledger), LogKeys(log), Checkpoints(log), Hashes(folder / "hashes"))
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, count))
            drafts = [Draft(event(number), id=f"run-{number}", source="https://ci.example/runs") for number in numbers]
            ledger.record([Command(WHO, [ledger.prepare(each, WHO) for each in drafts])])
            sealer.turn()
        sealer.close()


def event(number: int) -> Event:
    """A deployment, of every fourth the author is known; every twentieth event is a decision, with a reason."""
    slot = {"service": f"service-{number % 400}", "environment": "production", "version": f"1.{number}"}
    digest = f"sha256:{number:064x}"
    if number % 20 == 0:
        return ReleaseApproved(**slot, digest=digest, reason="tests are green, and the numbers look right")
    return DeploymentSucceeded(
        **slot,
        deployment_id=f"run-{number}",
        digest=digest,
        commit=f"{number:040x}",
        build_url=f"https://ci.example/acme/service-{number % 400}/actions/runs/{number}",
        author=f"person-{number % 90}" if number % 4 == 0 else None,
    )


# The measurements


def measured(folder: Path, rounds: int) -> dict[str, float | int]:
    head = head_of(folder, 0)
    took: dict[str, list[Took]] = {}
    for _ in range(rounds):
        for name, measure in MEASURES.items():
            took.setdefault(name, []).append(measure(folder))
    found = {"events": head, "leaf_bytes_per_event": round(size_of_leaves(folder) / head)}
    bare = took["bare_sha256"]
    for name, each in took.items():
        found[f"{name}_per_s"] = round(head / statistics.median(one.seconds for one in each))
        found[f"{name}_cpu_us_per_event"] = cpu_us(head, each)
        if name != "bare_sha256":
            found[f"{name}_ratio"] = ratio(bare, each)
            found[f"{name}_cpu_ratio"] = round(cpu_us(head, bare) / cpu_us(head, each), 3)
    found["processors"] = len(os.sched_getaffinity(0))
    return found | {"peak_memory_mib": max(one.peak_mib for each in took.values() for one in each)}


class Took(NamedTuple):
    seconds: float
    cpu_s: float
    peak_mib: int = 0


def verified(folder: Path, processes: int, how: str) -> Took:
    """In a process of its own, so that its memory can be told."""
    call = [sys.executable, __file__, VERIFY, str(folder), str(processes), how]
    return Took(*json.loads(subprocess.run(call, stdout=subprocess.PIPE, check=True).stdout))


def cpu_us(head: int, took: list[Took]) -> float:
    return round(1e6 * statistics.median(each.cpu_s for each in took) / head, 2)


def ratio(of: list[Took], to: list[Took]) -> float:
    return round(statistics.median(one.seconds / other.seconds for one, other in zip(of, to, strict=True)), 3)


def hashed_in_memory(folder: Path) -> Took:
    """Seconds for the hashes alone; reading the leaves is not counted."""
    seconds = cpu_s = 0.0
    with closing(connect(folder)) as database:
        rows = database.execute("SELECT leaf FROM events ORDER BY position")
        while leaves := [row[0] for row in islice(rows, AT_ONCE)]:
            begun, worked = time.perf_counter(), time.process_time()
            for leaf in leaves:
                sha256(leaf).digest()
            seconds, cpu_s = seconds + time.perf_counter() - begun, cpu_s + time.process_time() - worked
    return Took(seconds, cpu_s)


def read_and_hashed(folder: Path) -> Took:
    begun, worked = time.perf_counter(), time.process_time()
    with closing(connect(folder)) as database:
        for (leaf,) in database.execute("SELECT leaf FROM events ORDER BY position"):
            sha256(leaf).digest()
    return Took(time.perf_counter() - begun, time.process_time() - worked)


def verify_here(folder: Path, processes: int, how: str) -> None:
    begun, worked = time.perf_counter(), cpu_s()
    report = verify_record(
        folder, folder / "log", processes=processes or None, quick=how == QUICK, thorough=how == THOROUGH
    )
    seconds = time.perf_counter() - begun
    if report.differences:
        sys.exit(f"the record differs: {report.differences[0].text}")
    largest = max(resource.getrusage(who).ru_maxrss for who in WHOSE)
    print(json.dumps([seconds, cpu_s() - worked, largest // 1024]))


def cpu_s() -> float:
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, WHOSE))


MEASURES: dict[str, Callable[[Path], Took]] = {
    "bare_sha256": hashed_in_memory,
    "read_and_hash": read_and_hashed,
    "leaves": lambda folder: verified(folder, 0, QUICK),
    "leaves_one_process": lambda folder: verified(folder, 1, QUICK),
    "verify": lambda folder: verified(folder, 0, USUAL),
    "verify_one_process": lambda folder: verified(folder, 1, USUAL),
    "thorough": lambda folder: verified(folder, 0, THOROUGH),
}


def size_of_leaves(folder: Path) -> int:
    with closing(connect(folder)) as database:
        found: int = database.execute("SELECT SUM(LENGTH(leaf)) FROM events").fetchone()[0]
    return found


def tell(figures: dict[str, float | int], output: str) -> None:
    if output == "json":
        print(json.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):{width}}  {value}")


if __name__ == "__main__":
    main()
