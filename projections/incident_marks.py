"""
What in the record of an incident should not be taken at its word?

Nothing is put right silently: what contradicts itself, came late or names
what nobody knows stays as it was told, and is listed here with the position
that says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ledger.values import from_microseconds, microseconds, rfc3339
from projections import spans
from projections.facts import MINUTE, Fact
from projections.incident import ORDER, Mark, State, Step
from projections.spans import SECOND

LATE = 5 * MINUTE
"""Events recorded later than this after they happened are told of."""


def marks(state: State, facts: Iterable[Fact]) -> list[Mark]:
    """All marks of an incident, whose events are *facts*."""
    found = [] if state.announced else [Mark("unknown_incident", "nobody detected or declared it", None)]
    return [*found, *state.marks, *contradictions(state), *_late(list(facts))]


def contradictions(state: State) -> Iterator[Mark]:
    """Times that cannot all be right."""
    yield from _of_steps(state)
    yield from _of_impact(state)
    yield from _of_severity(state)
    for each in state.holdings:
        if each.end is not None and each.end < each.start:
            yield _contradiction(f"{each.role} given", each.start, "taken", each.end, each.end_position)


def _of_steps(state: State) -> Iterator[Mark]:
    """Steps of a cycle against those that come before them, and against the end of the cycle before."""
    over: list[Step] = []
    for cycle in state.cycles:
        before, over = over, []
        for each in sorted(_told(cycle), key=lambda step: RANK[step.name]):
            latest = max(before, key=lambda step: step.at, default=each)
            if latest.at > each.at:
                yield _contradiction(latest.name, latest.at, each.name, each.at, each.position)
            before = [*before, each]
            over += [each] if each.name in ("resolved", "closed") else []


def _told(cycle: Sequence[Step]) -> Iterator[Step]:
    """The steps whose times bear on one another: of several detections the first."""
    yield from (each for each in cycle if each.name in RANK and each.name != "detected")
    detections = [each for each in cycle if each.name == "detected"]
    if detections:
        yield min(detections, key=lambda step: step.at)


RANK = {name: rank for rank, name in enumerate([*ORDER[:2], "reopened", *ORDER[2:]])}


def _of_impact(state: State) -> Iterator[Mark]:
    for each in state.windows:
        if each.start is not None and each.end is not None and each.end < each.start:
            yield _contradiction("impact started", each.start, "ended", each.end, each.end_position)
    start, announced = state.impact_start, [step for name in ORDER[:2] if (step := state.first(name))]
    if start is None:
        return
    if announced and (first := min(announced, key=lambda each: each.at)).at < start:
        detail = f"{first.name} at {_time(first.at)}, before its impact at {_time(start)}"
        yield Mark("announced_before_impact", detail, first.position)
    resolved = state.last("resolved")
    if resolved is not None and resolved.at < start and all(each.end is None for each in state.windows):
        yield _contradiction("impact started", start, "resolved", resolved.at, resolved.position)
    if state.ended is not None and any(each.end is None for each in state.windows):
        yield Mark("impact_not_ended", "it is over, and nobody said when its impact ended", None)


def _of_severity(state: State) -> Iterator[Mark]:
    for before, after in zip(state.severities, state.severities[1:], strict=False):
        if after.at < before.at:
            yield _contradiction(before.name, before.at, f"then {after.name}", after.at, after.position)


def _contradiction(earlier: str, earlier_at: int, later: str, later_at: int, position: int | None) -> Mark:
    detail = f"{earlier} at {_time(earlier_at)}, {later} at {_time(later_at)}"
    return Mark("contradictory_times", detail, position)


def _late(facts: Sequence[Fact]) -> Iterator[Mark]:
    """One mark for all that came late, and one for all whose clock ran ahead: each names the worst."""
    lags = [(microseconds(each.recorded.recorded_at) - each.at, each.position) for each in facts]
    late = [each for each in lags if each[0] > LATE]
    if late:
        lag, position = max(late)
        events = "event" if len(lags) == 1 else "events"
        detail = f"{len(late)} of {len(lags)} {events} came late, one {spans.said(lag)} after it happened"
        yield Mark("late_record", detail, position)
    leads = [
        (microseconds(each.recorded.occurred_at) - each.at, each.position) for each in facts if not each.amended_by
    ]
    ahead = [each for each in leads if each[0] > SECOND]
    if ahead:
        lead, position = max(ahead)
        claims = (
            "1 event claims a time after its" if len(ahead) == 1 else f"{len(ahead)} events claim a time after their"
        )
        yield Mark(
            "clock_ahead", f"{claims} recording, {'by' if len(ahead) == 1 else 'one by'} {spans.said(lead)}", position
        )


def _time(at: int) -> str:
    return rfc3339(from_microseconds(at))


def json(mark: Mark) -> dict[str, Any]:
    return {"code": mark.code, "detail": mark.detail, "position": mark.position}
