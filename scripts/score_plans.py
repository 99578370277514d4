"""
How often a plan for one moment names the versions that operators went back to together.

Reads a history as drafts (NDJSON, as for `lastgood append`). It takes each
hour in which four or more services of an environment went back, and asks,
just before the first of them did, for the plan to one common moment: the one
that names most of the versions chosen. Beside it stands the version that was
live before the current one in each slot. Facts that come later than the
question are not known to it.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from api import drafts
from ledger.application import Ledger
from ledger.authority import MACHINE, PIPELINE, Principal
from ledger.deciding import Command
from ledger.errors import LedgerError
from ledger.values import from_microseconds, rfc3339, stream_name
from projections.answers import Answers, Reader
from projections.facts import HOUR, Moment
from projections.slot import Period, State

TOGETHER = 4
BATCH = 5_000
BY = Principal("score", MACHINE, frozenset({PIPELINE}))


@dataclass(frozen=True)
class Return:
    """A service that went back: when, to what, and what had been live just before what it left."""

    service: str
    at: int
    chosen: str
    previous: str | None


def append(ledger: Ledger, files: Iterable[Path]) -> None:
    lines = (line for file in files for line in file.read_bytes().splitlines() if line.strip())
    while batch := list(islice(lines, BATCH)):
        prepared = [ledger.prepare(drafts.draft(json.loads(line)), BY) for line in batch]
        for outcome in ledger.record([Command(BY, prepared)]):
            if isinstance(outcome, LedgerError):
                raise SystemExit(str(outcome))


def returns(state: State) -> Iterator[Return]:
    """The returns of one slot to an older version."""
    for index, period in enumerate(state.periods):
        if period.change == "rollback":
            before = _previous(state, state.periods[:index])
            yield Return(state.service, period.start, state.artifacts[period.artifact].version, before)


def _previous(state: State, periods: list[Period]) -> str | None:
    """The version that was live before the one that was current then."""
    left = periods[-1].artifact
    return next((state.artifacts[each.artifact].version for each in reversed(periods) if each.artifact != left), None)


def hours(reader: Reader) -> dict[tuple[str, int], list[Return]]:
    """By environment and hour, the services that went back, where they were four or more."""
    found: dict[tuple[str, int], dict[str, Return]] = defaultdict(dict)
    for service, environment in reader.tables.slots({}, None, -1):
        for each in returns(reader.state(stream_name("slot", service, environment))):
            found[environment, each.at // HOUR].setdefault(service, each)
    return {key: list(each.values()) for key, each in sorted(found.items()) if len(each) >= TOGETHER}


def best_moment(reader: Reader, environment: str, group: list[Return]) -> int:
    """The common moment at which most of the versions chosen were live, the latest such one."""
    first = min(each.at for each in group)
    states = {each.service: reader.state(stream_name("slot", each.service, environment)) for each in group}
    starts = {period.start for state in states.values() for period in state.periods if period.start < first}
    return max(starts, key=lambda at: (sum(_live(states[each.service], at) == each.chosen for each in group), at))


def _live(state: State, at: int) -> str | None:
    for period in reversed(state.periods):
        if period.start <= at:
            return state.artifacts[period.artifact].version if period.end is None or period.end > at else None
    return None


def score(answers: Answers, ledger: Ledger) -> dict[str, Any]:
    head = answers.runner.catch_up()
    with answers.at(Moment(ledger.clock.now(), head, now=True)) as reader:
        groups = hours(reader)
        moments = {key: best_moment(reader, key[0], group) for key, group in groups.items()}
    told = [_one(answers, head, key, group, moments[key]) for key, group in groups.items()]
    names = ("services", "planned", "previous")
    return {"hours": len(told), **{name: sum(each[name] for each in told) for name in names}, "each": told}


def _one(answers: Answers, head: int, key: tuple[str, int], group: list[Return], to: int) -> dict[str, Any]:
    environment = key[0]
    before = Moment(from_microseconds(min(each.at for each in group) - 1), head)
    with answers.at(before) as reader:
        found = reader.plan(environment, Moment(from_microseconds(to), head), [each.service for each in group])
    targets = {item["service"]: item["to"]["version"] for item in found["items"]}
    return {
        "environment": environment,
        "hour": rfc3339(from_microseconds(key[1] * HOUR)),
        "to": rfc3339(from_microseconds(to)),
        "services": len(group),
        "planned": sum(targets.get(each.service) == each.chosen for each in group),
        "previous": sum(each.previous == each.chosen for each in group),
    }


def tell(found: dict[str, Any]) -> None:
    table = Table("environment", "hour", "returned to", "services", "plan names", "previous version")
    for each in found["each"]:
        figures = (str(each[name]) for name in ("services", "planned", "previous"))
        table.add_row(each["environment"], each["hour"], each["to"], *figures)
    table.add_section()
    table.add_row(
        f"{found['hours']} hours", "", "", *(str(found[name]) for name in ("services", "planned", "previous"))
    )
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drafts", nargs="+", type=Path, help="files of events, one a line")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        append(ledger, given.drafts)
        found = score(Answers(ledger, Path(folder) / "read-models"), ledger)
    if given.output == "json":
        json.dump(found, sys.stdout, indent=2)
    else:
        tell(found)


if __name__ == "__main__":
    main()
