"""
The first page of a report: what it is about, one sentence, the measures, and the steps from impact to closing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ledger.values import instant, microseconds
from projections import definitions, due, spans
from projections.facts import MINUTE
from projections.measures import Measure
from projections.report_scene import Scene, moment, time

STEPS = (
    "impact_started detected declared acknowledged decided executed verified impact_ended mitigated resolved closed"
).split()
"""The steps in the order in which they are asked for; the record may have them in another."""

OPTIONAL = ("mitigated",)
"""Steps that nobody misses: that impact ended is told apart from that somebody said so."""

REACHED_BY = {
    "detected": "time_to_detect",
    "declared": "time_to_declare",
    "acknowledged": "time_to_acknowledge",
    "decided": "time_to_decide",
    "executed": "time_to_execute",
    "verified": "time_to_verify",
    "impact_ended": "time_to_mitigate",
    "resolved": "time_to_resolve",
}
"""The measure whose later time a step is."""


CAME_TO = {
    "cancelled": "was called off",
    "failed": "was tried and failed",
    "pending": "is to be carried out",
    "claimed": "is being carried out",
}
"""What became of a decision to roll back that is not live, by its state."""

ENDED_OTHERWISE = ("cancelled", "merged")
"""States of an incident that was none, or is told of by another: nobody resolves it."""


def cover(scene: Scene) -> dict[str, Any]:
    state, written, steps = scene.state, scene.postmortem, scene.answer["steps"]
    grades = scene.answer["severities"]
    deadline = due.postmortem(state, written.due)
    finished = [*written.approved, *written.published, *written.waived]
    return {
        "title": state.title,
        "kind": state.kind,
        "mode": state.mode,
        "counted": state.counted,
        "state": state.state,
        "status": written.status,
        "severity": {"initial": grades["initial"], "peak": grades["peak"], "final": grades["current"]},
        "suggested_severity": state.suggested,
        "affected": scene.answer["affected"],
        "owner": scene.called(written.owner),
        "commander": scene.called(scene.answer["commander"]),
        "began": time(state.began),
        "declared": steps["declared"],
        "resolved": steps["resolved"],
        "first_resolved": steps["first_resolved"],
        "ended": time(state.ended),
        "cycles": len(state.cycles),
        "merged_into": state.merged_into,
        "leads_to": scene.story.leads_to.id if scene.story.leads_to else None,
        "due": time(deadline),
        "due_position": _due_position(scene, deadline),
        "overdue": deadline is not None and not finished and deadline < scene.at,
    }


def _due_position(scene: Scene, deadline: int | None) -> int | None:
    """What a postmortem is due by: the resolution, or what its owner was asked for."""
    rule, begun = due.by_severity(scene.state), scene.postmortem.started
    if deadline is None:
        return None
    if rule is not None and rule.at == deadline:
        return rule.resolved.position
    return begun.position if begun else None


# Measures, and the steps between which they lie


def measures(scene: Scene) -> dict[str, Any]:
    return {name: _measure(scene, each) for name, each in scene.measures.items()}


def _measure(scene: Scene, measure: Measure) -> dict[str, Any]:
    bounds = [each[1] for each in (measure.start, measure.end) if each is not None]
    return {"estimated": not scene.estimates.isdisjoint(bounds), **measure.json()}


def lifecycle(scene: Scene) -> list[dict[str, Any]]:
    """
    The steps in the order of their times, each with what passed since the one
    before. One that is not recorded stands after those that come before it.
    """
    moments = {name: found for name in STEPS if (found := _moment_of(scene, name)) is not None}
    ordered = sorted(moments, key=lambda name: moments[name][0])
    passed = {after: moments[after][0] - moments[before][0] for before, after in pairwise(ordered)}
    for place, name in enumerate(STEPS):
        if name not in moments and name not in OPTIONAL:
            before = [ordered.index(each) for each in STEPS[:place] if each in ordered]
            ordered.insert(max(before, default=-1) + 1, name)
    return [_step(scene, name, moments.get(name), passed.get(name)) for name in ordered]


def _step(scene: Scene, name: str, found: tuple[int, int] | None, passed: int | None) -> dict[str, Any]:
    return {
        "step": name,
        **(moment(*found) if found else {"time": None, "position": None}),
        "estimated": found is not None and found[1] in scene.estimates,
        "reached_by": REACHED_BY.get(name),
        "seconds": None if passed is None else spans.seconds(passed),
    }


def _moment_of(scene: Scene, name: str) -> tuple[int, int] | None:
    """When a step was taken: by the measure that ends with it, so that strip and figures cannot differ."""
    if name in REACHED_BY:
        return scene.measures[REACHED_BY[name]].end
    if name == "impact_started":
        return scene.measures["time_to_mitigate"].start
    last = scene.state.last(name)
    return None if last is None else (last.at, last.position)


def definitions_used() -> list[dict[str, Any]]:
    return definitions.told([*definitions.INCIDENT, *definitions.FIGURES])


# The sentence


def summary(scene: Scene) -> dict[str, Any]:
    """The author's text; the sentence is made of the model as its audience sees it."""
    text = scene.postmortem.sections.get("summary")
    return {"sentence": None, "text": text.text if text else None}


def sentence(model: Mapping[str, Any]) -> str:
    """What happened, from the figures of the model alone."""
    cover = model["cover"]
    places = [f"{each['service']} in {each['environment']}" for each in cover["affected"]]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    where = f" of {', '.join(places[:3])}{more}" if places else ""
    drill = "Drill: " if cover["mode"] == "drill" else ""
    unknown = ", neither detected nor declared" if cover["state"] is None else ""
    return "; ".join([f"{drill}{_what(cover)}{where}{unknown}", *_clauses(model)]) + "."


def _what(cover: Mapping[str, Any]) -> str:
    """`SEV-2 partial outage`, `An outage`."""
    kind = (cover["kind"] or "incident").replace("_", " ").replace("other", "incident")
    article = "An" if kind[:1].casefold() in "aeiou" else "A"
    return f"{cover['severity']['peak'] or article} {kind}"


def _clauses(model: Mapping[str, Any]) -> Iterator[str]:
    impact, measures, cover = model["impact"], model["measures"], model["cover"]
    if impact["seconds"] is not None:
        about = "about " if impact["estimated"] else ""
        least = "" if impact["complete"] else "at least "
        lasted = f"{least}{about}{_said(impact['seconds'])}{' so far' if impact['ongoing'] else ''}"
        has_just_begun = impact["ongoing"] and not impact["seconds"]
        yield "customers feel it" if has_just_begun else f"customers felt it for {lasted}"
    if (detected := measures["time_to_detect"]["seconds"]) is not None:
        about = "about " if measures["time_to_detect"]["estimated"] else ""
        yield f"it was detected {about}{_said(detected)} {'before' if detected < 0 else 'after'} impact began"
    yield from _rollbacks(model["rollbacks"])
    if cover["state"] in ENDED_OTHERWISE:
        yield _ended_otherwise(cover)
    elif (resolved := measures["time_to_resolve"]["seconds"]) is not None:
        yield f"it was resolved {_said(resolved)} {'before' if resolved < 0 else 'after'} its declaration"
    elif cover["ended"] is None and cover["state"] is not None:
        yield "it is not over"


def _ended_otherwise(cover: Mapping[str, Any]) -> str:
    since, from_what = (cover["declared"] or {}).get("time"), "its declaration"
    if since is None:
        since, from_what = cover["began"], "it began"
    after = f" {_between(since, cover['ended'])} after {from_what}" if since and cover["ended"] else ""
    where = f" into {cover['leads_to'] or cover['merged_into']}" if cover["state"] == "merged" else ""
    return f"it was {cover['state']}{where}{after}"


def _rollbacks(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The last that helped, else the last decision that was carried out, else the last; and what became of the others."""
    if not found:
        return
    *_, told = max((*_weight(each), place) for place, each in enumerate(found))
    yield _returned(found[told])
    live = [each["deployed_live"] is True for place, each in enumerate(found) if place != told]
    if len(live) == 1:
        yield f"another rollback {'was' if live[0] else 'was not'} carried out"
    elif live:
        done = {0: "none was", 1: "one was", len(live): "all were"}.get(sum(live), f"{sum(live)} were")
        yield f"of {len(live)} other rollbacks, {done} carried out"


def _weight(rollback: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    decided = rollback["decided"] is not None
    return rollback["helped"] is True, decided and rollback["deployed_live"] is True, decided


def _returned(rollback: Mapping[str, Any]) -> str:
    """What became of a rollback: decided, released, deployed and live told apart."""
    service, version = rollback["service"], rollback["to_version"]
    if rollback["decided"] is None:
        return f"{service} went back to {version}, and nobody had decided that"
    if is_needless(rollback):
        return f"it was decided to roll {service} back to {version}, which was live already"
    if rollback["deployed_live"]:
        took = _between(rollback["decided"]["time"], rollback["live"]["time"])
        helped = {True: ", which helped", False: ", which did not help"}.get(rollback["helped"], "")
        return f"{service} was rolled back to {version}, live {took} after that was decided{helped}"
    became = CAME_TO.get(rollback["state"], "was not carried out")
    if rollback["released"] is not None:
        became = "was released and not deployed"
    return f"it was decided to roll {service} back to {version}, which {became}"


def is_needless(rollback: Mapping[str, Any]) -> bool:
    """Whether its target was live when it was decided, and nobody carried anything out."""
    done = any(rollback[step] for step in ("started", "succeeded", "failed", "released"))
    decided, live = rollback["decided"], rollback["live"]
    return not done and None not in (decided, live) and decided["position"] == live["position"]


def _between(start: str, end: str) -> str:
    return _length(microseconds(instant(end)) - microseconds(instant(start)))


def _said(seconds: float) -> str:
    return _length(round(seconds * spans.SECOND))


def _length(microseconds: int) -> str:
    """As the figures say it: two units, from hours on."""
    minutes = abs(microseconds) // MINUTE
    if minutes < 60:
        return spans.said(microseconds)
    hours, days = minutes // 60, minutes // (24 * 60)
    said = [(days, "d"), (hours % 24, "h")] if days else [(hours, "h"), (minutes % 60, "min")]
    return " ".join(f"{count} {unit}" for count, unit in said if count)
