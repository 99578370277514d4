"""
When did customers feel it? The windows of an incident's impact, and how long they are together.

Bounds are estimates, told in any order and told again: the latest recorded
bounds of a window win.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.events import IncidentImpactEnded, IncidentImpactStarted
from projections.facts import Fact


@dataclass(slots=True)
class Window:
    """A time of impact, as its latest recorded bounds have it."""

    name: str
    start: int | None = None
    end: int | None = None
    start_position: int | None = None
    end_position: int | None = None
    basis: str | None = None
    level: str | None = None
    precision: str | None = None
    affected: list[tuple[str, str]] = field(default_factory=list)


def bound(windows: list[Window], event: IncidentImpactStarted | IncidentImpactEnded, fact: Fact) -> None:
    """Starts or ends the windows that an event is about."""
    for window in _about(windows, event, fact.at):
        if isinstance(event, IncidentImpactStarted):
            window.start, window.start_position = fact.at, fact.position
        else:
            window.end, window.end_position = fact.at, fact.position
        window.basis, window.level = event.basis, event.level or window.level
        window.precision = event.precision or window.precision
        window.affected = [(each.service, each.environment) for each in event.affected] or window.affected


def _about(windows: list[Window], event: IncidentImpactStarted | IncidentImpactEnded, at: int) -> list[Window]:
    """
    The windows that an event bounds. An end that names none closes all that
    are open; a start that names none is of a new one once the last is over.
    """
    if event.window is None and isinstance(event, IncidentImpactEnded):
        found = [each for each in windows if each.end is None] or windows[-1:]
    else:
        found = [each for each in windows if each.name == (event.window or "")][-1:]
        if event.window is None and found and found[0].end is not None and found[0].end <= at:
            found = []
    if not found:
        found = [Window(event.window or "")]
        windows += found
    return found


def length(windows: Iterable[Window], until: int | None) -> int:
    """
    Microseconds of the union of the windows. One that is still open lasts to
    *until*; where that is None its length is not known, and not counted.
    """
    spans = sorted(
        (each.start, end)
        for each in windows
        if each.start is not None and (end := until if each.end is None else each.end) is not None
    )
    total, reached = 0, None
    for start, end in spans:
        begin = start if reached is None else max(start, reached)
        total += max(0, end - begin)
        reached = max(begin, end)
    return total
