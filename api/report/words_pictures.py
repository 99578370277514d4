"""
What the pictures of a report show: the model's times and names, put into what the pictures draw.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.report.blocks import Picture
from api.report.pictures import deployments as deployed
from api.report.pictures import lag as lags
from api.report.pictures import lanes, lifecycle
from api.report.pictures import severities as held
from api.report.pictures.bars import Span
from api.report.pictures.lanes import Lane
from api.report.pictures.markers import Marker, Shape
from api.report.pictures.tones import Tone, of_severity
from api.report.words_said import Said, differs, instant, place, short, title

Json = Mapping[str, Any]

LABEL = 300
"""Characters of a recorded text that a picture is given; it shows what there is room for."""

STEPS = {
    "impact_started": "Impact began",
    "detected": "Detected",
    "declared": "Declared",
    "acknowledged": "Acknowledged",
    "decided": "Decided",
    "executed": "Executed",
    "verified": "Verified",
    "impact_ended": "Impact ended",
    "mitigated": "Mitigated",
    "resolved": "Resolved",
    "closed": "Closed",
}

_SPANS_TELL = frozenset(
    "incident.declared incident.severity_changed incident.impact_started incident.impact_ended alert.fired alert.resolved "
    "deployment.succeeded rollback.succeeded release.completed".split()
)
"""Types of event that a bar shows already."""

_SHAPES: Mapping[str, Shape] = {"rollback.succeeded": "arrow", "deployment.failed": "cross", "rollback.failed": "cross"}


def strip(model: Json, said: Said) -> Picture | None:
    """The lifecycle; none where fewer than two steps have a time. Nobody misses that it was not closed."""
    found = [each for each in model["lifecycle"] if each["time"] or each["step"] != "closed"]
    if sum(each["time"] is not None for each in found) < 2:
        return None
    places = {each["step"]: number for number, each in enumerate(found)}
    steps = [
        lifecycle.Step(
            STEPS.get(each["step"], title(each["step"])),
            instant(each["time"]) if each["time"] else None,
            each["estimated"],
        )
        for each in found
    ]
    return lifecycle.draw(steps, list(_measures(model, places)), said.zone)


_BETWEEN = {
    "time_to_detect": ("impact_started", "detected"),
    "time_to_declare": ("detected", "declared"),
    "time_to_acknowledge": ("declared", "acknowledged"),
    "time_to_decide": ("declared", "decided"),
    "time_to_execute": ("decided", "executed"),
    "time_to_verify": ("executed", "verified"),
    "time_to_mitigate": ("impact_started", "impact_ended"),
    "time_to_resolve": ("declared", "resolved"),
}


def apart(model: Json) -> list[str]:
    """Measures that do not lie between the steps that the strip shows: of another rollback, or from a later severity."""
    at = {each["step"]: each["position"] for each in model["lifecycle"]}
    return [
        name
        for name, ends in _BETWEEN.items()
        if (measure := model["measures"][name])["seconds"] is not None
        and tuple(at.get(each) for each in ends) != (measure["from"]["position"], measure["to"]["position"])
    ]


def _measures(model: Json, places: Mapping[str, int]) -> Iterator[lifecycle.Measure]:
    titles, elsewhere = {each["name"]: each["title"] for each in model["definitions"]}, apart(model)
    for name, (first, last) in _BETWEEN.items():
        if name in elsewhere or first not in places or last not in places:
            continue
        measure = model["measures"][name]
        left, right = sorted((places[first], places[last]))
        yield lifecycle.Measure(
            titles.get(name, title(name)), left, right, measure["seconds"], estimated=measure["estimated"]
        )


def timeline(model: Json, said: Said) -> Picture | None:
    """The lanes; none where there is hardly anything to see."""
    entries = [each for each in model["timeline"] if each["retracted"] is None and _is_in(each, model["span"])]
    if len(entries) < 3:
        return None
    found = [
        Lane("Severity", "severity", list(_severities(model)), list(_markers(entries, "severity"))),
        Lane("Impact", "impact", list(_impact(model)), list(_markers(entries, "impact"))),
        *_versions(model, entries),
        Lane("Alerts", "alert", list(_alerts(model)), list(_markers(entries, "alert"))),
        Lane("Actions", "action", (), list(_markers(entries, "action"))),
        Lane("Decisions", "decision", (), list(_markers(entries, "decision"))),
        Lane("Other", "other", (), list(_markers(entries, "other"))),
    ]
    span = model["span"]
    return lanes.draw(
        found,
        said.zone,
        begin=instant(span["since"]) if span and span["since"] else None,
        end=instant(span["until"]) if span and span["until"] else None,
    )


def left_out(model: Json) -> int:
    """How many events lie outside of the picture's scale."""
    found = [each for each in model["timeline"] if each["retracted"] is None]
    return sum(not each["type"].startswith("postmortem.") and not _is_in(each, model["span"]) for each in found)


def _is_in(entry: Json, span: Json | None) -> bool:
    """What was written afterwards is no part of the picture, and neither is what happened long after."""
    if entry["type"].startswith("postmortem."):
        return False
    if not span or not span["since"] or not span["until"]:
        return True
    return bool(instant(span["since"]) <= instant(entry["time"]) <= instant(span["until"]))


def _severities(model: Json) -> Iterator[Span]:
    for each in model["severities"]["spans"]:
        if each["severity"] is not None:
            yield _span(each["since"], each["until"], each["severity"], of_severity(each["severity"]))


def _impact(model: Json) -> Iterator[Span]:
    for each in model["impact"]["windows"]:
        start, end = each["start"], each["end"]
        label = " ".join(filter(None, ("impact", each["window"], each["level"])))
        yield Span(
            instant(start["time"]) if start else None,
            instant(end["time"]) if end else None,
            short(label, LABEL),
            Tone.BAD,
            bool(start and start["estimated"]),
            bool(end and end["estimated"]),
        )


def _versions(model: Json, entries: Sequence[Json]) -> Iterator[Lane]:
    """One lane for each slot: what was live, and what went out besides."""
    several = len(model["versions"]) > 1
    bad = {(each["service"], each["version"]) for each in model["causes"]["implicated"] if _is_implicated(each)}
    for slot in model["versions"]:
        own = [each for each in entries if (each["service"], each["environment"]) == _key(slot)]
        spans = [_live(slot, each, bad, model["span"]) for each in _shown(slot["periods"], model["span"])]
        name = f" {place(slot)}" if several else ""
        if differs(slot):
            installed = [
                _live(slot, {**each, "how": None}, bad, model["span"])
                for each in _shown(slot["installed"], model["span"])
            ]
            yield Lane(f"Deployed{name}", "version", installed, list(_markers(own, "version")))
            yield Lane(f"Released{name}", "version", spans)
        else:
            yield Lane(f"Live{name}", "version", spans, list(_markers(own, "version")))
    known = {_key(slot) for slot in model["versions"]}
    others = [each for each in entries if (each["service"], each["environment"]) not in known]
    yield Lane("Elsewhere", "version", (), list(_markers(others, "version")))


def _key(slot: Json) -> tuple[str, str]:
    return slot["service"], slot["environment"]


def _is_implicated(each: Json) -> bool:
    return bool(each["standing"] == "implicated")


def _shown(periods: Sequence[Json], span: Json | None) -> list[Json]:
    """Those that fall into the picture."""
    if not span or not span["since"] or not span["until"]:
        return list(periods)
    since, until = instant(span["since"]), instant(span["until"])
    return [
        each
        for each in periods
        if instant(each["since"]) <= until and (each["until"] is None or instant(each["until"]) >= since)
    ]


def _live(slot: Json, period: Json, bad: set[tuple[str, str]], span: Json | None) -> Span:
    """What was live before the picture begins goes on from its edge, and what was live after it, to its other edge."""
    tone = Tone.BAD if (slot["service"], period["version"]) in bad else Tone.GOOD
    label = f"{period['version']}{' (rolled back)' if period['how'] == 'rollback' else ''}"
    since, until = period["since"], period["until"]
    if span and span["since"] and instant(since) < instant(span["since"]):
        since = None
    if span and span["until"] and until and instant(until) > instant(span["until"]):
        until = None
    return _span(since, until, short(label, LABEL), tone)


def _alerts(model: Json) -> Iterator[Span]:
    for each in model["detection"]["alerts"]:
        if each["fired"]:
            end = each["resolved"]["time"] if each["resolved"] else None
            count = f" ({each['count']} times)" if each["count"] > 1 else ""
            name = short(each["name"] or each["fingerprint"], LABEL)
            yield _span(each["fired"]["time"], end, f"{name}{count}", Tone.BAD)


def _span(since: str | None, until: str | None, label: str, tone: Tone) -> Span:
    return Span(instant(since) if since else None, instant(until) if until else None, label, tone)


def _markers(entries: Sequence[Json], lane: str) -> Iterator[Marker]:
    for each in entries:
        if each["lane"] == lane and each["type"] not in _SPANS_TELL:
            yield Marker(
                instant(each["time"]),
                short(each["summary"].removeprefix(f"{place(each)}: "), LABEL),
                key=each["key"] or each["pinned"],
                shape=_SHAPES.get(each["type"]),
                bad=each["type"].endswith((".failed", ".ineffective")),
            )


def severities(model: Json) -> Picture | None:
    """Time in each; none where there was only one."""
    found = model["severities"]
    ongoing = {each["severity"] for each in found["spans"] if each["until"] is None}
    spent = [held.Held(name, seconds, name in ongoing) for name, seconds in found["seconds"].items() if seconds]
    return held.draw(spent) if len(spent) > 1 else None


def lag(model: Json, said: Said) -> Picture | None:
    """How late things were recorded; for auditors, and where anything came late."""
    late = {each["position"] for each in model["quality"]["late"]}
    if model["audience"] != "auditor" or not late:
        return None
    points = [
        lags.Point(
            instant(each["time"]), instant(each["recordedtime"]), short(each["type"], LABEL), each["position"] in late
        )
        for each in model["timeline"]
    ]
    return lags.draw(points, said.zone)


_OUTCOMES: Mapping[str, deployed.Outcome] = {
    "deployment.succeeded": "deployed",
    "deployment.failed": "failed",
    "rollback.succeeded": "rolled back",
    "rollback.failed": "failed",
}


def deployments(model: Json, said: Said) -> Picture | None:
    """What was deployed until well after it was over; none where the timeline shows as much."""
    span, slots = model["span"], [_deployed(each) for each in model["versions"]]
    times = [each.at for slot in slots for each in slot.deployments]
    if not span or not span["since"] or not span["until"]:
        return None
    begin, over = instant(span["since"]), instant(span["until"])
    if not any(at > over for at in times) and len(slots) < 2:
        return None
    since = model["lifecycle"][0]["time"] or model["cover"]["began"]
    until = model["cover"]["ended"]
    incident = deployed.Incident(
        short(model["incident"], LABEL), instant(since) if since else begin, instant(until) if until else None
    )
    return deployed.draw(slots, [incident], said.zone, begin, max([over, *times]))


def _deployed(slot: Json) -> deployed.Slot:
    found = [
        deployed.Deployment(instant(each["time"]), short(each["version"], LABEL), _OUTCOMES[each["type"]])
        for each in slot["deployments"]
        if each["type"] in _OUTCOMES and each["version"]
    ]
    return deployed.Slot(place(slot), found)
