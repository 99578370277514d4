"""
What people wrote: causes, what went well and badly, actions, lessons, and what customers were told.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report import author_text
from api.report.blocks import (
    AuthorText,
    Block,
    Bullets,
    Code,
    Column,
    Heading,
    Link,
    Mark,
    Paragraph,
    Row,
    Span,
    Spans,
    Text,
)
from api.report.words_said import Said, code, place, plain, ref, refs, row, short, table, title, words

Json = Mapping[str, Any]

PLACED = frozenset(
    "summary impact trigger detection response mitigation root_cause went_well went_badly lucky lessons customer_message".split()
)
"""Sections that have a place of their own; any other comes after the lessons."""

KINDS = {"trigger": "Trigger", "root": "Root cause", "contributing": "Contributing factor"}
STATES = {"open": "open", "done": "done", "cancelled": "called off"}


def causes(model: Json, said: Said) -> Iterator[Block]:
    found = model["causes"]
    written = [
        model["sections"][name]["text"] for name in ("trigger", "mitigation", "root_cause") if name in model["sections"]
    ]
    told = [(kind, each) for kind in KINDS for each in found[kind]]
    named = [each for each in found["implicated"] if each["standing"]]
    if not (written or told or named or found["elsewhere"]):
        return
    yield Heading(2, "Causes", "causes")
    for text in written:
        yield AuthorText(text)
    if told:
        columns: tuple[Column, ...] = (Column("Kind", 3), Column("What", 9), Column("Category", 3))
        yield table(columns, (_cause(kind, each) for kind, each in told), "Causes")
    if named:
        columns = (Column("Version", 4), Column("Where", 4), Column("It is", 4), Column("Why", 6))
        yield table(columns, map(_named, named), "Versions that were named")
    if found["elsewhere"]:
        each = found["elsewhere"]
        reason = short(each["reason"]) if each["reason"] else "no reason was given"
        yield Paragraph(
            (Text(f"The cause lies elsewhere, not in a deployment: {reason} ("), *said.deed(each), Text(")"))
        )


def _cause(kind: str, cause: Json) -> Row:
    what: Spans = (Text(short(cause["statement"])), ref(cause["position"]))
    return row(KINDS[kind], what, short(cause["category"], 300) if cause["category"] else "")


def _named(version: Json) -> Row:
    """By what a person said last; by a rule, it is a suspicion and no more."""
    last = version["said"][-1] if version["said"] else None
    rule = version["proposed_by_rule"]
    relation = f" ({plain(version['relation'])})" if version["relation"] else ""
    standing = f"{version['standing']}{relation}"
    if last is not None:
        why = f"{short(last['reason'])} " if last["reason"] else ""
        cell: Spans = (Text(f"{why}({short(last['by'], 300)})"), ref(last["position"]))
    else:
        cell = (Mark(f"by rule: {plain(rule['rule'])}"), ref(rule["position"])) if rule else ()
    return row(code(version["version"]), place(version), standing, cell)


# What went well, badly, by luck; lessons; sections of their own


def went(model: Json, said: Said) -> Iterator[Block]:
    for name in ("went_well", "went_badly", "lucky"):
        heading = {"went_well": "What went well", "went_badly": "What went badly", "lucky": "Where we were lucky"}[name]
        yield from _section(model, said, name, heading)


def lessons(model: Json, said: Said) -> Iterator[Block]:
    yield from _section(model, said, "lessons", "Lessons")
    for name in model["sections"]:
        if name not in PLACED:
            yield from _section(model, said, name, short(title(name), 200))


def _section(model: Json, said: Said, name: str, heading: str) -> Iterator[Block]:
    found = model["sections"].get(name)
    if found is None:
        return
    place_in_order = list(model["sections"]).index(name)
    yield Heading(2, heading, f"section-{place_in_order + 1}")
    yield AuthorText(found["text"])
    revised = (
        f", revised {found['revisions'] - 1} times"
        if found["revisions"] > 2
        else ", revised"
        if found["revisions"] > 1
        else ""
    )
    positions = refs([found["position"], *found["earlier"]])
    yield Paragraph((Mark(f"Written by {short(found['by'], 300)}{revised}, "), said.time(found["time"]), positions))


# Actions


def actions(model: Json, said: Said) -> Iterator[Block]:
    found = model["actions"]
    if not found:
        return
    yield Heading(2, "Actions", "actions")
    columns: tuple[Column, ...] = (
        Column("Action", 7),
        Column("Kind", 3),
        Column("Owner", 3),
        Column("Due", narrow=True),
        Column("State", 4),
    )
    ordered = sorted(found, key=lambda each: each["kind"])
    yield table(columns, (_action(each, said) for each in ordered), "Actions")


def _action(action: Json, said: Said) -> Row:
    what: Spans = (Code(short(action["action_id"], 100)), Text(f" {short(action['text'])}"), *_ticket(action["ticket"]))
    late: Spans = (Text(" "), Mark("overdue", "caution")) if action["overdue"] else ()
    ended: Spans = (Text(" "), *said.deed(action["ended"])) if action["ended"] else ()
    why: Spans = (Text(f": {short(action['reason'])}"),) if action["reason"] else ()
    state: Spans = (
        Text(STATES.get(str(action["state"]), short(action["state"]))),
        *late,
        *ended,
        *why,
        ref(action["added"]["position"]),
    )
    due: Spans = (Text(_due(action["due"], said)),) if action["due"] else (Mark("none"),)
    tone: Any = "caution" if action["overdue"] else "void" if action["state"] == "cancelled" else "plain"
    return row(what, plain(action["kind"]), words(action["owner"]), due, state, tone=tone)


def _due(due: str, said: Said) -> str:
    """A day, as it was given; a moment, in the report's zone."""
    return said.time(due).text if "T" in due.upper() else due


def _ticket(ticket: str | None) -> Iterator[Span]:
    if ticket:
        yield Text(" ")
        yield Link(short(ticket, 300), ticket) if author_text.is_safe(ticket) else Text(f"({short(ticket, 300)})")


# Others like it, and what customers were told


def similar(model: Json, said: Said) -> Iterator[Block]:
    found = model["similar"]
    known = {each["incident"] for each in found}
    others = [each for each in model["links"] if each["incident"] not in known]
    if not found and not others:
        return
    yield Heading(2, "Similar and linked incidents", "similar")
    yield Bullets((*(_similar(each, said) for each in found), *(_link(each, said) for each in others)))


def _similar(each: Json, said: Said) -> Spans:
    why = "; ".join(each["why"])
    return (*_incident(each, said), Text(f": {short(why, 1000)}"), refs(each["positions"]))


def _link(each: Json, said: Said) -> Spans:
    if each["relation"] == "merged":
        merged = "this incident was merged into it" if each["to"] else "it was merged into this incident"
        return (*_incident({**each, "state": None}, said), Text(f": {merged}"))
    relation = (
        f"linked as {plain(each['relation'])}" if each["to"] else f"links to this one as {plain(each['relation'])}"
    )
    return (*_incident(each, said), Text(f": {short(relation, 300)}"))


def _incident(each: Json, said: Said) -> Spans:
    name = short(each["incident"], 300)
    apart = ["drill" if each.get("mode") == "drill" else None, _over(each["state"])]
    told = ", ".join(short(part, 300) for part in (each["title"], each["severity"], *apart) if part)
    began: Spans = (Text(", began "), said.time(each["began"])) if each["began"] else ()
    return (Code(name), Text(f" {told}" if told else ""), *began)


def _over(state: str | None) -> str | None:
    """What tells an incident apart that is counted nowhere by itself."""
    return {"cancelled": "cancelled", "merged": "merged into another"}.get(state or "")


def customer_message(model: Json, said: Said) -> Iterator[Block]:
    found = model["customer_message"]
    if found is None:
        return
    yield Heading(2, "Message to customers", "customer-message")
    if found["from"] == "section":
        yield AuthorText(found["text"])
    else:
        yield Paragraph(words(found["text"]))
        yield Paragraph((Mark("The last update that customers could read, "), *said.deed(found)))
