"""
How fast a whole record is verified, beside bare SHA-256 over the same leaves, in one run.

    ./scripts/bench-verify [--events N] [--rounds N] [--data FOLDER] [--output table|json]

A record of N events is made and sealed first, unless a data folder is given.
Each round hashes its leaves (in memory, and as they are read from the file by
one thread) and verifies it, in turns, since what else the machine does changes
from one to the next; the ratios are medians of the rounds'. On a busy machine
the processor's time says more: what all processes of a verification used,
spread over the processors, beside that of the hashes. `thorough` is `verify
--thorough`: leaves, tree and checkpoints, and nothing else. The peak of memory is
that of the largest process.
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
VERIFY, THOROUGH = "--verify", "--thorough"


def main() -> None:
    if sys.argv[1:2] in ([VERIFY], [THOROUGH]):
        verify_here(Path(sys.argv[2]), int(sys.argv[3]), thorough=sys.argv[1] == THOROUGH)
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
    head, processors = head_of(folder, 0), len(os.sched_getaffinity(0))
    bare, reading, verifying, alone, thorough = [], [], [], [], []
    for _ in range(rounds):
        bare.append(timed(hashed_in_memory, folder))
        reading.append(timed(read_and_hashed, folder))
        verifying.append(verified(folder, 0))
        alone.append(verified(folder, 1))
        thorough.append(verified(folder, 0, THOROUGH))
    return {
        "events": head,
        "leaf_bytes_per_event": round(size_of_leaves(folder) / head),
        "bare_sha256_per_s": rate(head, bare),
        "read_and_hash_per_s": rate(head, reading),
        "verify_per_s": rate(head, verifying),
        "verify_one_process_per_s": rate(head, alone),
        "thorough_per_s": rate(head, thorough),
        "ratio_to_bare_sha256": ratio(bare, verifying),
        "ratio_to_read_and_hash": ratio(reading, verifying),
        "thorough_ratio_to_bare_sha256": ratio(bare, thorough),
        "processors": processors,
        "bare_sha256_cpu_us_per_event": cpu_us(head, bare),
        "read_and_hash_cpu_us_per_event": cpu_us(head, reading),
        "verify_cpu_us_per_event": cpu_us(head, verifying),
        "thorough_cpu_us_per_event": cpu_us(head, thorough),
        "cpu_ratio_to_bare_sha256": round(processors * cpu_us(head, bare) / cpu_us(head, verifying), 3),
        "cpu_ratio_to_read_and_hash": round(processors * cpu_us(head, reading) / cpu_us(head, verifying), 3),
        "thorough_cpu_ratio_to_bare_sha256": round(processors * cpu_us(head, bare) / cpu_us(head, thorough), 3),
        "peak_memory_mib": max(each.peak_mib for each in (*verifying, *alone)),
    }


class Took(NamedTuple):
    seconds: float
    cpu_s: float
    peak_mib: int = 0


def timed(measure: Callable[[Path], tuple[float, float]], folder: Path) -> Took:
    return Took(*measure(folder))


def verified(folder: Path, processes: int, how: str = VERIFY) -> Took:
    """In a process of its own, so that its memory can be told."""
    call = [sys.executable, __file__, how, str(folder), str(processes)]
    return Took(*json.loads(subprocess.run(call, stdout=subprocess.PIPE, check=True).stdout))


def rate(head: int, took: list[Took]) -> int:
    return round(head / statistics.median(each.seconds for each in took))


def cpu_us(head: int, took: list[Took]) -> float:
    return round(1e6 * statistics.median(each.cpu_s for each in took) / head, 2)


def ratio(of: list[Took], to: list[Took]) -> float:
    return round(statistics.median(one.seconds / other.seconds for one, other in zip(of, to, strict=True)), 3)


def hashed_in_memory(folder: Path) -> tuple[float, float]:
    """Seconds for the hashes alone; reading the leaves is not counted."""
    seconds = cpu_s = 0.0
    with closing(connect(folder)) as database:
        rows = database.execute("SELECT leaf FROM events ORDER BY position")
        while leaves := [row[0] for row in islice(rows, AT_ONCE)]:
            begun, worked = time.perf_counter(), time.process_time()
            for leaf in leaves:
                sha256(leaf).digest()
            seconds, cpu_s = seconds + time.perf_counter() - begun, cpu_s + time.process_time() - worked
    return seconds, cpu_s


def read_and_hashed(folder: Path) -> tuple[float, float]:
    begun, worked = time.perf_counter(), time.process_time()
    with closing(connect(folder)) as database:
        for (leaf,) in database.execute("SELECT leaf FROM events ORDER BY position"):
            sha256(leaf).digest()
    return time.perf_counter() - begun, time.process_time() - worked


def verify_here(folder: Path, processes: int, *, thorough: bool) -> None:
    begun = time.perf_counter()
    report = verify_record(folder, folder / "log", processes=processes or None, thorough=thorough)
    seconds = time.perf_counter() - begun
    if report.differences:
        sys.exit(f"the record differs: {report.differences[0].text}")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(each.ru_utime + each.ru_stime for each in used)
    print(json.dumps([seconds, cpu_s, max(each.ru_maxrss for each in used) // 1024]))


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
