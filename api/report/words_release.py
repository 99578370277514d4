"""
What was live when, what went out around it, what was last known good then, and what became of each rollback.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report import words_pictures
from api.report.blocks import (
    Block,
    Code,
    Column,
    Facts,
    Figure,
    Heading,
    Mark,
    Note,
    Paragraph,
    Row,
    Spans,
    Table,
    Text,
)
from api.report.words_said import (
    NOT_RECORDED,
    Said,
    at,
    code,
    differs,
    joined,
    length,
    place,
    plain,
    ref,
    refs,
    row,
    short,
    table,
    title,
    words,
)
from projections.report_cover import is_needless

Json = Mapping[str, Any]

MOST_DEPLOYMENTS = 60
"""Of one slot, in a table; the timeline has all."""

HOW = {
    "first": "first here",
    "forward": "new",
    "rollback": "rollback",
    "return_forward": "return forward",
    "redeploy": "the same again",
    "restore": "restored",
}
SIGHTS = {"impact_started": "when impact began", "declared": "when it was declared"}


def release(model: Json, said: Said) -> Iterator[Block]:
    slots = [each for each in model["versions"] if each["periods"] or each["deployments"]]
    if not slots:
        return
    yield Heading(2, "Releases", "releases")
    picture = words_pictures.deployments(model, said)
    if picture is not None:
        yield Figure(picture, (Text("What was deployed, and the incident over it."),))
    for number, slot in enumerate(slots, 1):
        if len(slots) > 1:
            yield Heading(3, place(slot), f"releases-{number}")
        yield from _slot(slot, said)


def _slot(slot: Json, said: Said) -> Iterator[Block]:
    if slot["periods"]:
        columns: tuple[Column, ...] = (
            Column("Released version" if differs(slot) else "Live version", 3),
            Column("From", 4),
            Column("Until", 4),
            Column("How", 2),
        )
        rows = tuple(_period(each, said) for each in slot["periods"])
        yield table(columns, rows, f"What was live in {place(slot)}")
    if differs(slot):
        yield Paragraph((Text("What was deployed is not what was released:"),))
        columns = (Column("Deployed version", 3), Column("From", 4), Column("Until", 4))
        rows = tuple(_installed(each, said) for each in slot["installed"])
        yield table(columns, rows, f"What was deployed in {place(slot)}")
    facts = tuple((_sight_label(each), _sight(each)) for each in slot["sights"])
    if facts:
        yield Facts(facts)
    outgoing = slot["deployments"][:MOST_DEPLOYMENTS]
    if len(outgoing) > len(slot["periods"]):
        yield Paragraph((Text("What went out around it:"),))
        columns = (
            Column("Time", narrow=True),
            Column("What", 3),
            Column("Version", 3),
            Column("Position", narrow=True),
        )
        yield table(columns, (_outgoing(each, said) for each in outgoing), f"What went out in {place(slot)}")
    if (more := len(slot["deployments"]) - len(outgoing)) > 0:
        yield Paragraph((Mark(f"and {more} more, which the timeline and the JSON have"),))


def _installed(period: Json, said: Said) -> Row:
    since, until = _bounds(period, said)
    return row(code(period["version"]), since, until)


def _period(period: Json, said: Said) -> Row:
    since, until = _bounds(period, said)
    how = HOW.get(period["how"] or "", plain(period["how"] or "live"))
    return row(code(period["version"]), since, until, how, tone="key" if period["how"] == "rollback" else "plain")


def _bounds(period: Json, said: Said) -> tuple[Spans, Spans]:
    since = said.moment({"time": period["since"], "position": period["position"]})
    if not period["until"]:
        return since, (Mark("still so"),)
    return since, said.moment({"time": period["until"], "position": period["until_position"]})


def _outgoing(each: Json, said: Said) -> Row:
    detail = f": {short(each['detail'], 500)}" if each["detail"] else ""
    what = f"{plain(each['type'].replace('.', ' '))}{detail}"
    return row((said.time(each["time"]),), what, code(each["version"]), at(each["position"]))


def _sight_label(sight: Json) -> Spans:
    return (Text(f"Known {SIGHTS.get(sight['at'], plain(sight['at']))}"),)


def _sight(sight: Json) -> Spans:
    """What one could have gone back to."""
    current, good, target = sight["current"], sight["last_known_good"], sight["rollback_target"]
    live: Spans = (Text("live "), *code(current)) if current else (Text("nothing live"),)
    known: Spans = (Text("nothing known good"),)
    if good:
        reasons = refs(each["position"] for each in good["reasons"] if each["position"] is not None)
        known = (Text("last known good "), *code(good["version"]), Text(f" ({plain(good['basis'])})"), reasons)
    return joined((live, known, (*_target(target), ref(sight["position"]))), "; ")


def _target(target: Json | None) -> Spans:
    if target is None:
        return (Text("no version to roll back to"),)
    warned = [each["detail"] for each in target["warnings"]]
    beware = f" (beware: {short('; '.join(warned), 1000)})" if warned else ""
    return (Text("rollback target "), *code(target["version"]), Text(beware))


# Rollbacks, and what else was done

STEPS = (
    "decided",
    "started",
    "released",
    "succeeded",
    "deployed",
    "live",
    "failed",
    "cancelled",
    "verified",
    "ineffective",
)
"""What may have become of a rollback; steps that one event says are told together."""


NOT_DONE = {
    "cancelled": "It was called off before it was carried out.",
    "failed": "It was tried, and failed.",
    "lapsed": "It was not carried out while the decision was valid.",
    "superseded": "It was not carried out: another decision took its place.",
}
"""What became of a decision whose version did not go live by it."""


def rollbacks(model: Json, said: Said) -> Iterator[Block]:
    found, others = model["rollbacks"], model["mitigations"]
    if not found and not others:
        return
    yield Heading(2, "What was done about it", "mitigation")
    for number, each in enumerate(found, 1):
        yield from _rollback(each, number, said)
    if others:
        if found:
            yield Heading(3, "Other mitigation", "mitigation-other")
        columns = (Column("Time", narrow=True), Column("What", 6), Column("Where", 3), Column("By", 3))
        yield table(columns, (_mitigation(each, said) for each in others), "Mitigations")


def _rollback(rollback: Json, number: int, said: Said) -> Iterator[Block]:
    start = f" from {short(rollback['from_version'], 260)}" if rollback["from_version"] else ""
    name = f"Rollback of {place(rollback)}{start} to {short(rollback['to_version'], 260)}"
    yield Heading(3, name, f"rollback-{number}")
    yield Note("info" if rollback["helped"] else "caution", _outcome(rollback))
    yield Facts(tuple(_rollback_facts(rollback, said)))
    if rollback["alternatives"]:
        yield alternatives(rollback["alternatives"])


def _outcome(rollback: Json) -> Spans:
    """Whether it was carried out, reached its place, and helped."""
    steps = [rollback[step]["position"] for step in STEPS if rollback[step]]
    after = rollback["impact_after"]["positions"] if rollback["impact_after"] else []
    return (Text(f"{_reached(rollback)} {_helped(rollback)}".strip()), refs([*rollback["positions"], *steps, *after]))


def _reached(rollback: Json) -> str:
    if rollback["state"] == "undecided":
        return "It returned to an earlier version, and no decision for that is recorded."
    if is_needless(rollback):
        return "There was nothing to carry out: its target was live already when it was decided."
    if rollback["deployed_live"]:
        return "It was carried out, and its version was live."
    if rollback["released"] and not rollback["deployed"]:
        return "It was decided and released, and not deployed: what was installed did not change by it."
    if rollback["deployed_live"] is False:
        return NOT_DONE.get(rollback["state"], f"It was not carried out ({plain(rollback['state'])}).")
    return f"It is not carried out yet ({plain(rollback['state'])})."


def _helped(rollback: Json) -> str:
    after = rollback["impact_after"]
    lasted = ""
    if after is not None:
        took = length(abs(after["seconds"]))
        what = "that" if rollback["deployed_live"] else "the release"
        lasted = f"Impact ended {took} {'before' if after['seconds'] < 0 else 'after'} {what}."
    if rollback["helped"] is None and not (rollback["deployed_live"] or rollback["released"]):
        return ""
    judged = {True: "A person verified that it helped.", False: "A person judged that it did not help."}
    return f"{lasted} {judged.get(rollback['helped'], 'Nobody recorded whether it helped.')}".strip()


def _rollback_facts(rollback: Json, said: Said) -> Iterator[tuple[Spans, Spans]]:
    taken: dict[int, list[str]] = {}
    for step in STEPS:
        if rollback[step] and (step != "live" or rollback["deployed_live"]):
            taken.setdefault(rollback[step]["position"], []).append(step)
    for steps in taken.values():
        yield (Text(title(", ".join(steps))),), said.deed(rollback[steps[0]])
    for name in ("reason", "mechanism", "rollback_id"):
        if rollback[name]:
            yield (Text(title(name).replace(" id", "")),), words(rollback[name])


def _mitigation(each: Json, said: Said) -> Row:
    what = f"{plain(each['kind'])}: {short(each['text'])}"
    where = place(each) if each["service"] or each["environment"] else ""
    return row((said.time(each["time"]),), (Text(what), ref(each["position"])), where, short(each["by"], 300))


def alternatives(found: Any) -> Table:
    """What the decider could see."""
    columns = (Column("Candidate then", 3), Column("For it", 4), Column("Against it, or to beware of", 5))
    return table(columns, map(_alternative, found), "What the decider could see")


def _alternative(each: Json) -> Row:
    chosen: Spans = (Text(" "), Mark("chosen")) if each.get("chosen") else ()
    known = (
        plain(each.get("basis")) if each.get("basis") else ("known good" if each.get("known_good") else NOT_RECORDED)
    )
    beware = [*(each.get("blockers") or ()), *(each.get("warnings") or ())]
    favour = _reasons([reason for reason in each.get("reasons") or () if reason not in beware]) or known
    against = _reasons(beware) or "nothing"
    tone: Any = "key" if each.get("chosen") else "plain"
    return row((Code(short(each.get("version"), 260)), *chosen), favour, against, tone=tone)


def _reasons(found: Any) -> str:
    """As they were kept with the decision, whatever shape they had then."""
    told = [each.get("detail") or each.get("code") if isinstance(each, Mapping) else each for each in found or ()]
    return "; ".join(short(str(each), 500) for each in told if each)
