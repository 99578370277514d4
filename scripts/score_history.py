"""
How often the rollback target was the version that operators went back to.

Reads a history as drafts (NDJSON, gzipped or not, as for `lastgood append`).
For each return to an older version it asks for the slot's candidates as they
were a microsecond before, and looks where among them the version stands that
was chosen. Beside it stands the previous distinct version, which is what
tools without a memory offer.
"""

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api import drafts
from ledger.application import Ledger
from ledger.authority import HUMAN, RESPONDER, Principal
from ledger.deciding import Command
from ledger.errors import LedgerError
from ledger.values import from_microseconds, rfc3339, stream_name
from projections.answers import Answers, Reader
from projections.facts import Moment
from projections.slot import State

BATCH = 5_000
FIRST_FEW = 3
BY = Principal("score", HUMAN, frozenset({RESPONDER}))


@dataclass(frozen=True)
class Return:
    """A slot that went back to an older version: by which event, from what, to what, and what had run before."""

    service: str
    environment: str
    position: int
    at: int
    left: str
    chosen: str
    previous: str | None


def lines(files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            yield from (line for line in opened if line.strip())


def append(ledger: Ledger, told: Iterable[bytes]) -> int:
    """Records drafts, and returns how many events the ledger then has."""
    waiting = iter(told)
    while batch := list(islice(waiting, BATCH)):
        prepared = [ledger.prepare(drafts.draft(json.loads(line)), BY) for line in batch]
        for outcome in ledger.record([Command(BY, prepared)]):
            if isinstance(outcome, LedgerError):
                raise SystemExit(str(outcome))
    return ledger.head()


def returns(reader: Reader) -> list[Return]:
    """All returns to an older version, in order of position."""
    found = []
    for service, environment in reader.tables.slots({}, None, -1):
        found += _returns(reader.state(stream_name("slot", service, environment)))
    return sorted(found, key=lambda each: each.position)


def _returns(state: State) -> Iterator[Return]:
    versions = [state.artifacts[each.artifact].version for each in state.periods]
    for index, period in enumerate(state.periods):
        if period.change == "rollback" and versions[index] != versions[index - 1]:
            left = versions[index - 1]
            previous = next((each for each in reversed(versions[:index]) if each != left), None)
            place = (state.service, state.environment)
            yield Return(*place, period.position, period.start, left, versions[index], previous)


def judged(answers: Answers, each: Return) -> dict[str, Any]:
    """What is answered of the moment just before a return, by all that is known, beside what was chosen."""
    with answers.at(Moment(from_microseconds(each.at - 1), answers.reached)) as reader:
        reply = reader.slot(each.service, each.environment)
        few = reader.candidates(each.service, each.environment)["items"][:FIRST_FEW]
    target = reply and reply["rollback_target"]
    return {
        "service": each.service,
        "environment": each.environment,
        "position": each.position,
        "time": rfc3339(from_microseconds(each.at)),
        "left": each.left,
        "chosen": each.chosen,
        "target": target and target["version"],
        "candidates": [candidate["version"] for candidate in few],
        "previous": each.previous,
    }


def score(answers: Answers) -> dict[str, Any]:
    with answers.at(Moment(datetime.now(UTC), answers.reached, now=True)) as reader:
        found = returns(reader)
    told = [judged(answers, each) for each in found]
    return {
        "returns": len(told),
        "target": sum(each["target"] == each["chosen"] for each in told),
        "first_three": sum(each["chosen"] in each["candidates"] for each in told),
        "previous": sum(each["previous"] == each["chosen"] for each in told),
        "no_target": sum(each["target"] is None for each in told),
        "each": told,
    }


def tell(found: dict[str, Any], title: str | None = None) -> None:
    columns = {
        "returns": "returns to an older version",
        "target": "the target was chosen",
        "first_three": "among the first three candidates",
        "previous": "the previous version was chosen",
        "no_target": "no target was given",
    }
    table = Table("", "of them", "share", title=title)
    for name, words in columns.items():
        share = f"{100 * found[name] / found['returns']:.0f} %" if found["returns"] else ""
        table.add_row(words, str(found[name]), share)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drafts", nargs="+", type=Path, help="files of events, one a line, or - for standard input")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        told = sys.stdin.buffer if given.drafts == [Path("-")] else lines(given.drafts)
        append(ledger, told)
        answers = Answers(ledger, Path(folder) / "read-models")
        answers.runner.catch_up()
        found = score(answers)
        answers.tables.close()
    if given.output == "json":
        json.dump(found, sys.stdout, indent=2)
    else:
        tell(found)


if __name__ == "__main__":
    main()
