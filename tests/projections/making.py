"""Making records for laws: events one after the other, answers taken in by portions, and a record as a person reads it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ledger.contract import accept, data_of
from ledger.events import EVENTS, FACT, Recorded
from ledger.values import rfc3339
from projections.answers import Answers
from projections.runner import Runner
from projections.tables import Tables
from tests.projections.story import ADA, MONDAY, PIPELINE, MemoryRecord


def append(events: list[Recorded], topic: str, data: dict[str, Any], minute: float, late: float) -> None:
    cls, time = EVENTS[topic], MONDAY + timedelta(minutes=minute)
    event = accept(cls, {name: value for name, value in data.items() if value is not None or name == "value"})
    last = events[-1].recorded_at if events else MONDAY
    events.append(
        Recorded(
            position=len(events) + 1,
            stream=event.stream,
            revision=1,
            source="laws",
            id=str(len(events) + 1),
            time=rfc3339(time),
            occurred_at=time,
            recorded_at=max(last, time + timedelta(minutes=late)),
            submitter=PIPELINE if cls.WHO is FACT else ADA,
            event=event,
        )
    )


def timeline(events: Sequence[Recorded]) -> str:
    """A record as a person reads it, for what Hypothesis reports."""
    lines = []
    for each in events:
        said = {name: value for name, value in data_of(each.event).items() if name not in ("reason", "title", "kind")}
        late = "" if each.recorded_at == each.occurred_at else f" (recorded {each.recorded_at:%d %H:%M})"
        lines.append(f"{each.position:3} {each.occurred_at:%d %H:%M}{late} {each.event.TOPIC} {said}")
    return "\n".join(lines)


# The answers, in the form of the reference


def answers_for(tables: Tables, events: Sequence[Recorded], portions: Sequence[int] = ()) -> Answers:
    """The answers of a record, taken in by portions of these sizes and then the rest."""
    for name in tables.db.table_names():
        if name != "progress":
            tables.db.execute(f"DELETE FROM {name}")
    tables.db.execute("UPDATE progress SET position = 0")
    tables._cache.clear()
    answers, record = object.__new__(Answers), MemoryRecord()
    answers.record, answers.tables, answers.runner = record, tables, Runner(record, tables)
    waiting = list(events)
    for size in [*portions, len(events)]:
        for each in waiting[:size]:
            record.add(each)
        waiting = waiting[size:]
        answers.runner.catch_up()
    return answers
