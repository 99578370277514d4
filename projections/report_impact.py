"""
What customers felt, how grave it was when, and how it came to be noticed.
"""

from collections.abc import Iterable
from typing import Any

from ledger.events import AlertFired, AlertResolved
from projections.facts import Fact
from projections.impact import Window
from projections.incident import Span
from projections.report_scene import Scene, moment, time


def impact(scene: Scene) -> dict[str, Any]:
    """
    Windows as the answer has them; of each bound, whether it is an estimate. Nothing is said of how long
    it was where no window has an end, and no more than is known where some have none. `estimated`: how long
    it was in all rests on an estimate; one inside of another window moves nothing.
    """
    found: dict[str, Any] = scene.answer["impact"]
    lasts = [each["start"] is not None and (each["end"] is not None or found["ongoing"]) for each in found["windows"]]
    return {
        **found,
        "seconds": found["seconds"] if any(lasts) else None,
        "complete": all(lasts),
        "estimated": _is_estimated(scene),
        "windows": [_window(scene, each) for each in found["windows"]],
    }


def _is_estimated(scene: Scene) -> bool:
    return any(_moves(scene, each) for each in scene.state.windows)


def _moves(scene: Scene, window: Window) -> bool:
    """Whether a bound of a window is an estimate, and no other window, by a better bound, covers its moment."""
    others = [each for each in scene.state.windows if each is not window]
    bounds = ((window.start, window.start_position), (window.end, window.end_position))
    guessed = [at for at, position in bounds if at is not None and position in scene.estimates]
    return any(not any(_covers(scene, each, at) for each in others) for at in guessed)


def _covers(scene: Scene, window: Window, at: int) -> bool:
    """Whether a window holds a moment, neither of its own bounds being an estimate."""
    bounds = {window.start_position, window.end_position}
    until = window.end if window.end is not None or scene.state.ended is not None else scene.at
    return (
        window.start is not None
        and until is not None
        and window.start <= at <= until
        and scene.estimates.isdisjoint(bounds)
    )


def _window(scene: Scene, window: dict[str, Any]) -> dict[str, Any]:
    return {**window, "start": _bound(scene, window["start"]), "end": _bound(scene, window["end"])}


def _bound(scene: Scene, bound: dict[str, Any] | None) -> dict[str, Any] | None:
    """A bound, by what it is known, and how well: its own words, since each bound of a window may have others."""
    if bound is None:
        return None
    event: Any = scene.by_position[bound["position"]].event
    said = {"basis": event.basis, "precision": event.precision}
    return {**bound, **said, "estimated": bound["position"] in scene.estimates}


def severities(scene: Scene) -> dict[str, Any]:
    """How long in which, and from when to when."""
    return {**scene.answer["severities"], "spans": [_span(scene, each) for each in scene.state.spans]}


def _span(scene: Scene, span: Span) -> dict[str, Any]:
    return {
        "severity": span.severity,
        "since": time(span.start),
        "until": time(span.end),
        "position": _says(scene, span),
    }


def _says(scene: Scene, span: Span) -> int | None:
    """The event by which a time in a severity began: the grading itself, else the step that made it active again."""
    graded = [each for each in scene.state.severities if each.name == span.severity]
    for each in (*graded, *scene.state.steps):
        if each.at == span.start:
            return each.position
    return next((each.position for each in scene.own if each.at == span.start), None)


# How it was noticed


def detection(scene: Scene) -> dict[str, Any]:
    """Who or what noticed first, and the alerts that spoke of it."""
    first = scene.state.first("detected") or scene.state.first("declared")
    fact = None if first is None else scene.by_position[first.position]
    return {
        "by": None if fact is None else _by(fact),
        "discovered_by": getattr(fact.event, "discovered_by", None) if fact else None,
        "reported_by": scene.by(fact) if fact else None,
        **(moment(first.at, first.position) if first else {"time": None, "position": None}),
        "alerts": _alerts(scene),
    }


def _by(fact: Fact) -> str:
    """`alert`, where it names one; `machine`, where one told of it and says of nobody else; `person`."""
    if getattr(fact.event, "alerts", ()):
        return "alert"
    told_by_machine = fact.recorded.submitter.kind == "machine" and fact.event.decided_by is None
    return "machine" if told_by_machine and not getattr(fact.event, "discovered_by", None) else "person"


def _alerts(scene: Scene) -> list[dict[str, Any]]:
    """The alerts of the story, the one that fired first first."""
    found: dict[str, list[Fact]] = {}
    for _, told in scene.story.whole:
        if told.counts and isinstance(told.fact.event, AlertFired | AlertResolved):
            found.setdefault(told.fact.event.fingerprint, []).append(told.fact)
    unseen = [_alert(each, None, ()) for each in scene.state.alerts if each not in found]
    return [*(_alert(name, facts[0].event, facts) for name, facts in found.items()), *unseen]


def _alert(fingerprint: str, event: Any, facts: Iterable[Fact]) -> dict[str, Any]:
    fired = [each for each in facts if isinstance(each.event, AlertFired)]
    ended = [each for each in facts if isinstance(each.event, AlertResolved)]
    return {
        "fingerprint": fingerprint,
        "name": event.name if event else None,
        "severity": event.severity if event else None,
        "service": event.service if event else None,
        "environment": event.environment if event else None,
        "fired": moment(fired[0].at, fired[0].position) if fired else None,
        "resolved": _last(fired, ended),
        "count": len(fired),
    }


def _last(fired: list[Fact], ended: list[Fact]) -> dict[str, Any] | None:
    """When it was over for good: None while it fires."""
    if not ended or (fired and fired[-1].key > ended[-1].key):
        return None
    return moment(ended[-1].at, ended[-1].position)
