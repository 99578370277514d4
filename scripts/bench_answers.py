"""
Whether a slot's answer slows down as the ledger grows tenfold.

One server, one slot that is asked for, and two sizes of ledger: N events, and
ten times as many, both in other slots and in the one that is asked for. Each
question goes over HTTP, so that what is measured is what a responder waits for.
"""

import argparse
import json
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode, urlsplit

from rich.console import Console
from rich.table import Table

SERVICES = 200
BATCH = 10_000
ASKED = {"service": "service-0", "environment": "production"}
LASTGOOD = str(Path(sysconfig.get_path("scripts")) / "lastgood")


def deployments(first: int, last: int) -> Iterator[bytes]:
    """One in ten is in the slot that is asked for, so that its own history grows as well."""
    for number in range(first, last):
        service = "service-0" if number % 10 == 0 else f"service-{1 + number % (SERVICES - 1)}"
        data = {"deployment_id": f"d{number}", "service": service, "environment": "production", "version": f"v{number}"}
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + number * 60))
        event = {"id": f"{number}", "source": "urn:bench", "type": "deployment.succeeded", "time": moment, "data": data}
        yield json.dumps(event).encode()


class Asking:
    """A kept connection to a server, as a program has one."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Any:
        self._connection.request(method, target, body, {**self._headers, **headers})
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 300:
            raise SystemExit(f"{method} {target}: {response.status} {answer}")
        return answer

    def append(self, first: int, last: int) -> None:
        position = 0
        for start in range(first, last, BATCH):
            body = b"\n".join(deployments(start, min(last, start + BATCH)))
            kind = {"Content-Type": "application/x-ndjson", "Prefer": "return=minimal"}
            position = self.ask("POST", "/v1/events", body, **kind)["last"]
        until = time.monotonic() + 300
        while time.monotonic() < until:
            if self.ask("GET", "/v1/incidents?limit=1")["known_at"] >= position:
                return
            time.sleep(0.2)
        raise SystemExit("the answers did not catch up within 300 s")

    def timed(self, target: str, times: int) -> dict[str, float]:
        """Milliseconds."""
        taken = []
        for _ in range(times):
            begun = time.perf_counter()
            self.ask("GET", target)
            taken.append((time.perf_counter() - begun) * 1000)
        return {"median_ms": median(taken), "p99_ms": quantiles(taken, n=100)[98]}


QUESTIONS = {
    "slot": "/v1/slot?" + urlencode(ASKED),
    "another slot": "/v1/slot?" + urlencode({**ASKED, "service": "service-7"}),
    "situation": "/v1/slot/situation?" + urlencode(ASKED),
    "history, a page": "/v1/slot/history?" + urlencode(ASKED),
    "slots, a page": "/v1/slots?limit=100",
}


def measure(events: int, times: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        serving = [LASTGOOD, "serve", "--port", "0", "--data", folder]
        with subprocess.Popen(serving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            try:
                line = next(each for each in server.stdout or () if each.startswith("lastgood listens on "))
                token = [LASTGOOD, "token", "create", "bench", "--role", "pipeline", "--data", folder]
                made = subprocess.run(token, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
                asking = Asking(line.split()[-1], made.stdout.strip())
                asking.append(0, events)
                small = {name: asking.timed(target, times) for name, target in QUESTIONS.items()}
                asking.append(events, 10 * events)
                large = {name: asking.timed(target, times) for name, target in QUESTIONS.items()}
            finally:
                server.terminate()
    return {
        "events": [events, 10 * events],
        "questions": {
            name: {
                "small": small[name],
                "large": large[name],
                "ratio": large[name]["median_ms"] / small[name]["median_ms"],
            }
            for name in QUESTIONS
        },
    }


def tell(found: dict[str, Any]) -> None:
    few, many = found["events"]
    table = Table("question", f"{few:,} events", f"{many:,} events", "99 in 100", "ratio")
    for name, each in found["questions"].items():
        small, large = each["small"]["median_ms"], each["large"]
        table.add_row(
            name, f"{small:.1f} ms", f"{large['median_ms']:.1f} ms", f"{large['p99_ms']:.1f} ms", f"{each['ratio']:.2f}"
        )
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--events", type=int, default=10_000, help="the smaller ledger; the larger has ten times as many"
    )
    parser.add_argument("--times", type=int, default=200, help="how often each question is asked")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    found = measure(given.events, given.times)
    if given.output == "json":
        json.dump(found, sys.stdout, indent=2)
    else:
        tell(found)


if __name__ == "__main__":
    main()
