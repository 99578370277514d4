"""A record of any size is verified in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.record_scene import SealedRecord, deployed
from tests.ledger.scene import append

SCRIPT = """
import json, resource, sys
from pathlib import Path
from ledger.verify_record import verify_record

folder = Path(sys.argv[1])
report = verify_record(folder, folder / "log", processes=int(sys.argv[2]), thorough=sys.argv[3] == "thorough")
# Not ru_maxrss of this process: that remembers what started it, however large.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
kib = max(int(status["VmHWM"].split()[0]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(json.dumps([len(report.differences), report.head, kib / 1024]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here to tell a process's memory")
@pytest.mark.parametrize("processes, depth, more_mib", [(1, "usual", 32), (2, "usual", 32), (1, "thorough", 32 + 64)])
def test_six_times_as_many_events_take_no_more_memory(tmp_path_factory, processes, depth, more_mib):
    """A portion of 16,384 events and what SQLite keeps of its indexes (64 MiB at the most), whatever comes after."""
    found = []
    for count in (20_000, 120_000):
        differences, head, mib = verified(record(tmp_path_factory, count), processes, depth)
        assert (differences, head) == (0, count)
        found.append(mib)
    assert found[1] < found[0] + more_mib
    assert found[1] < 200


RECORDS: dict[int, Path] = {}


def record(tmp_path_factory, count: int) -> Path:
    """Made once."""
    if count not in RECORDS:
        RECORDS[count] = tmp_path_factory.mktemp("memory") / "data"
        made = SealedRecord(RECORDS[count])
        for start in range(0, count, 10_000):
            append(made.ledger, *(deployed(number, author="Ana Lima") for number in range(start, start + 10_000)))
            made.seal()
        made.close()
    return RECORDS[count]


def verified(folder: Path, processes: int, depth: str) -> tuple[int, int, float]:
    call = [sys.executable, "-c", SCRIPT, str(folder), str(processes), depth]
    root = Path(__file__).parents[2]
    return tuple(json.loads(subprocess.run(call, cwd=root, stdout=subprocess.PIPE, check=True).stdout))
