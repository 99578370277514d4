"""
A process that appends, for the tests of several at once and of one that is killed.

Each round is one command of four events of its own and one event that every
appender sends alike. Receipts are written to standard output, a line each,
when the ledger has acknowledged them.
"""

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from ledger.application import Ledger
from ledger.errors import LedgerError
from tests.dsl import deployed, event
from tests.ledger.scene import command, draft


def opened(spec: str) -> Ledger:
    """The ledger at the place that a test names: `sqlite:FOLDER`."""
    kind, _, rest = spec.partition(":")
    if kind != "sqlite":
        raise ValueError(f"{spec} names no store that is known here")
    return Ledger(Path(rest))


def rounds(ledger: Ledger, name: str, count: int):
    for number in range(count):
        own = [
            draft(deployed(str(number), service="web", reason="ours"), source=name, id=f"{number}-{part}")
            for part in range(3)
        ]
        own.append(draft(event("incident.note_added", text=f"{name} {number}"), source=name, id=f"{number}-3"))
        shared = draft(deployed(str(number), reason="both"), source="shared", id=str(number))
        yield [command(ledger, *own), command(ledger, shared)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place")
    parser.add_argument("name")
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    with closing(opened(options.place)) as ledger:
        for commands in rounds(ledger, options.name, options.count):
            for outcome in ledger.record(commands):
                if isinstance(outcome, LedgerError):
                    raise outcome
                for receipt in outcome:
                    sys.stdout.write(json.dumps(asdict(receipt)) + "\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
