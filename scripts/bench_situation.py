"""
How long the situation of a slot takes to answer on a ledger of 100,000 events.

Told are the time on the clock, and that of the processor, which a busy
machine changes less.

The ledger is made in a temporary folder: deployments (a real history's, where
--drafts names one), releases, monitors that flap, metrics, rotas, and SEV-1
incidents with a decision to roll back. Then each question is asked of many
slots, through the whole HTTP application but for the socket.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, product
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from api.access import LOCAL_ADMIN
from api.app import create_app
from api.config import Settings
from ledger.authority import HUMAN, MACHINE, PIPELINE, RESPONDER, Principal
from ledger.canonical import canonical
from ledger.codec import Draft
from ledger.contract import accept, event_class
from ledger.deciding import Command
from ledger.errors import LedgerError
from ledger.events import FACT
from ledger.values import rfc3339

SERVICES = 300
BUSY = "service-0"
"""Its slot has everything: an active SEV-1, a monitor that flaps, twenty metrics, a pending rollback."""

BATCH = 5_000
PRODUCTION = {"environment": "production"}
MACHINE_PRINCIPAL = Principal("bench-pipeline", MACHINE, frozenset({PIPELINE}))
PERSON = Principal("bench-person", HUMAN, frozenset({RESPONDER}))

Told = dict[str, Any]


def told(number: int, topic: str, when: datetime, **data: Any) -> Told:
    data = {name.rstrip("_"): value for name, value in data.items()}
    return {"id": f"bench-{number}", "source": "urn:bench", "type": topic, "time": rfc3339(when), "data": data}


def made_up(first: int, count: int, now: datetime) -> Iterator[Told]:
    """The year before *now*, oldest first."""
    dice = random.Random(1)
    for number in range(first, first + count):
        when = now - timedelta(days=365) * (1 - (number - first) / count)
        service = f"service-{min(dice.randrange(SERVICES), dice.randrange(SERVICES))}"
        slot = {"service": service, **PRODUCTION}
        yield _event(number, dice, slot, when)


def _event(number: int, dice: random.Random, slot: dict[str, str], when: datetime) -> Told:
    chance, version = dice.random(), f"1.{number // 9}.{dice.randrange(3)}"
    if chance < 0.35:
        return told(number, "deployment.succeeded", when, deployment_id=f"d-{number}", version=version, **slot)
    if chance < 0.45:
        published = {"repository": "https://github.com/acme/shop", "commit": f"{number:040x}"}
        return told(number, "artifact.published", when, service=slot["service"], version=version, **published)
    if chance < 0.70:
        name = f"metric {dice.randrange(20)}"
        return told(number, "metric.observed", when, name=name, value=dice.random(), unit="%", **slot)
    if chance < 0.95:
        name = f"{slot['service']} monitor {dice.randrange(5)}"
        topic = "alert.fired" if dice.random() < 0.5 else "alert.resolved"
        return told(number, topic, when, fingerprint=name, name=name, severity="page", **slot)
    return told(number, "configuration.changed", when, change_id=f"c-{number}", summary="a change", **slot)


def rotas(number: int, now: datetime) -> Iterator[Told]:
    """Five rotas of six people, a week each, for the year before *now* and the month after."""
    for week, rota in product(range(-52, 5), range(5)):
        start = now + timedelta(weeks=week)
        shift = {"from_": rfc3339(start), "to": rfc3339(start + timedelta(weeks=1))}
        when = min(start, now)
        person = f"person {week % 6}"
        yield told(number, "oncall.assigned", when, rota=f"rota {rota}", person=person, **shift)
        number += 1


def first_minute(number: int, now: datetime) -> Iterator[Told]:
    """The busy slot as it is in the first minute: a bad release, alerts, a SEV-1, a commander."""
    slot = {"service": BUSY, **PRODUCTION}
    ago = [now - timedelta(minutes=minutes) for minutes in range(60)]
    told_ = iter(range(number, number + 100_000))
    yield told(next(told_), "deployment.succeeded", ago[40], deployment_id="last", version="bad", **slot)
    for turn in range(1000):
        when = ago[30] + timedelta(seconds=turn)
        topic = "alert.fired" if turn % 2 == 0 else "alert.resolved"
        yield told(next(told_), topic, when, fingerprint="flapping", name="it flaps", **slot)
    for name in range(20):
        for turn in range(20):
            when = ago[25] + timedelta(minutes=turn)
            yield told(next(told_), "metric.observed", when, name=f"metric {name}", value=turn, unit="%", **slot)
    incident = {"incident": "INC-1", "title": "Everything is down", "severity": "SEV-1", "kind": "outage"}
    yield told(next(told_), "incident.declared", ago[5], **incident, affected=[slot])
    yield told(next(told_), "incident.role_assigned", ago[4], incident="INC-1", role="commander", person="Ana")


def draft(event: Told) -> Draft:
    made = accept(event_class(event["type"]), event["data"])
    return Draft(made, id=event["id"], source=event["source"], time=event["time"], content=canonical(event))


def record(held: Any, events: Iterator[Told]) -> int:
    """Records events in groups; returns how many."""
    count = 0
    while some := list(islice(events, BATCH)):
        commands = []
        for each in some:
            by = MACHINE_PRINCIPAL if event_class(each["type"]).WHO is FACT else PERSON
            commands.append(Command(by, [held.ledger.prepare(draft(each), by)]))
        for outcome in held.ledger.record(commands):
            if isinstance(outcome, LedgerError):
                raise outcome
        count += len(some)
    return count


Taken = tuple[float, float]
"""Milliseconds of one call: on the clock, and of the processor."""


def timed(ask: Callable[[], Any]) -> Taken:
    wall, processor = time.perf_counter(), time.thread_time()
    ask()
    return (time.perf_counter() - wall) * 1000, (time.thread_time() - processor) * 1000


def line(name: str, calls: Sequence[Taken]) -> dict[str, Any]:
    taken = [wall for wall, _ in calls]
    return {
        "question": name,
        "processor_ms": round(median(processor for _, processor in calls), 2),
        "median_ms": round(median(taken), 2),
        "p95_ms": round(quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0], 2),
        "slowest_ms": round(max(taken), 2),
        "asked": len(taken),
    }


def measured(app: Any, slots: Sequence[tuple[str, str]], now: datetime, asked: int) -> list[dict[str, Any]]:
    held, client = app.extensions["lastgood"], app.test_client()
    token, _ = held.tokens.create("bench", [RESPONDER], LOCAL_ADMIN)
    headers = {"Authorization": f"Bearer {token}"}

    def ask(service: str, environment: str, **more: str) -> None:
        query = {"service": service, "environment": environment, **more}
        answer = client.get("/v1/slot/situation", query_string=query, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")

    dice = random.Random(2)
    busy = (BUSY, PRODUCTION["environment"])
    week_ago = rfc3339(now - timedelta(days=7))
    chosen = [dice.choice(slots) for _ in range(asked)]
    return [
        line("the very first", [timed(partial(ask, *chosen[0]))]),
        line("the first time, each slot", [timed(partial(ask, *slot)) for slot in dict.fromkeys(chosen[1:])]),
        line("again, any slot", [timed(partial(ask, *slot)) for slot in chosen]),
        line("again, the busiest slot", [timed(partial(ask, *busy)) for _ in chosen]),
        line("as of a week ago, any slot", [timed(partial(ask, *slot, as_of=week_ago)) for slot in chosen[:50]]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--drafts", type=Path, help="deployments of a real history, one JSON object a line, to begin with"
    )
    parser.add_argument("--events", type=int, default=100_000, help="how many in all")
    parser.add_argument("--asked", type=int, default=300, help="how often each question is asked")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data=Path(folder) / "data"))
        held = app.extensions["lastgood"]
        now = datetime.now(UTC)
        real = map(json.loads, options.drafts.open()) if options.drafts else iter(())
        started = time.perf_counter()
        count = record(held, islice(real, options.events))
        count += record(held, rotas(count, now))
        count += record(held, made_up(count, max(0, options.events - count - 1423), now))
        count += record(held, first_minute(count, now))
        held.answers.wake()
        held.answers.wait(held.ledger.head(), 3600)
        count += record(held, iter([_decision(count, now)]))
        held.answers.wake()
        held.answers.wait(held.ledger.head(), 60)
        made_s = time.perf_counter() - started
        slots = held.answers.tables.slots({"environment": "production"}, None, -1)
        lines = measured(app, slots, now, options.asked)
        held.close()
    tell({"events": count, "slots": len(slots), "made_seconds": round(made_s, 1), "measures": lines}, options.output)


def _decision(number: int, now: datetime) -> Told:
    slot = {"service": BUSY, **PRODUCTION}
    return told(number, "rollback.decided", now, rollback_id="RB-1", to_version="1.1.1", incident="INC-1", **slot)


def tell(found: dict[str, Any], output: str) -> None:
    if output == "json":
        json.dump(found, sys.stdout, indent=2)
        print()
        return
    table = Table("GET /v1/slot/situation", title=f"{found['events']:,} events, {found['slots']:,} slots, milliseconds")
    for name in ("processor", "median", "95 %", "slowest", "asked"):
        table.add_column(name, justify="right")
    for each in found["measures"]:
        values = (each["processor_ms"], each["median_ms"], each["p95_ms"], each["slowest_ms"])
        table.add_row(each["question"], *(f"{value:.1f}" for value in values), str(each["asked"]))
    Console().print(table)


if __name__ == "__main__":
    main()
