"""
What lies behind a report: what is owed to authorities, where practice left the doctrine, how good the
data is, every event that it rests on, and what each figure means.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report import words_pictures
from api.report.blocks import (
    Block,
    Bullets,
    Code,
    Column,
    Figure,
    Heading,
    Link,
    Mark,
    Paragraph,
    Row,
    Spans,
    Strong,
    Text,
)
from api.report.words_said import MOST_ROWS, Said, at, counted, definition, more, plain, ref, refs, row, short, table

Json = Mapping[str, Any]

REPORTS = {
    "not_due": "not due yet",
    "due": "due",
    "overdue": "overdue",
    "made": "made",
    "made_in_time": "made in time",
    "made_late": "made late",
    "not_required": "not required",
}


def reporting(model: Json, said: Said) -> Iterator[Block]:
    if not model["reporting"]:
        return
    yield Heading(2, "Reports to authorities", "reporting")
    for each in model["reporting"]:
        yield from _regime(each, said)


def _regime(regime: Json, said: Said) -> Iterator[Block]:
    name = short(regime["regime"], 300)
    if regime["classified"] is None:
        yield Paragraph((Text(f"{name}: reported, and never classified."),))
    else:
        classified = f"{name}: classified as {short(regime['classification'], 300)}, "
        reason = f": {short(regime['reason'])}" if regime["reason"] else ""
        yield Paragraph((Text(classified), *said.deed(regime["classified"]), Text(f"{reason}.")))
    if not regime["has_clocks"]:
        yield Paragraph((Mark("No deadlines of this regime are known here."),))
    columns = (Column("Report", 3), Column("It is", 3), Column("Due", 5), Column("Made", 6))
    kinds = ("initial", "intermediate", "final")
    yield table(columns, (_report(kind, regime[kind], said) for kind in kinds), "Reports")


def _report(kind: str, report: Json, said: Said) -> Row:
    due: Spans = (said.time(report["due"]),) if report["due"] else ()
    made: Spans = ()
    if report["made"]:
        reference = f", {short(report['made']['reference'], 300)}" if report["made"]["reference"] else ""
        made = (*said.deed(report["made"]), Text(reference))
    late = report["state"] in ("overdue", "made_late")
    return row(kind, str(REPORTS.get(report["state"], report["state"])), due, made, tone="caution" if late else "plain")


def findings(model: Json, said: Said) -> Iterator[Block]:
    found = model["findings"]
    if not found:
        return
    yield Heading(2, "Findings", "findings")
    yield Paragraph((Text("Where practice left what was agreed; about conditions, not about people."),))
    columns = (Column("Finding", 9), Column("Rule", 5), Column("It is", 2), Column("Position", 2))
    ordered = sorted(found, key=lambda each: each["state"] != "open")
    yield table(columns, (_finding(each, said) for each in ordered), "Findings")


def _finding(finding: Json, said: Said) -> Row:
    settled = refs([*finding["settled_by"], *finding["accepted_by"]])
    what: Spans = (Text(said.retold(short(finding["detail"], 2000))),)
    tone: Any = "plain" if finding["state"] == "open" else "void"
    return row(what, plain(finding["rule"]), (Text(finding["state"]), settled), at(*finding["positions"]), tone=tone)


# How good the data is


def quality(model: Json, said: Said) -> Iterator[Block]:
    found = model["quality"]
    items = tuple(_quality(found, said))
    if not items:
        return
    yield Heading(2, "About the data", "quality")
    yield Bullets(items)
    picture = words_pictures.lag(model, said)
    if picture is not None:
        yield Figure(picture, (Text("When things happened, and how much later they were recorded."),))


def _quality(found: Json, said: Said) -> Iterator[Spans]:
    for each in found["marks"]:
        if each["code"] == "late_record" and found["late"]:
            # It counts the incident's own events alone; what is said of the lag below counts those around it, too.
            continue
        detail = said.retold(short(each["detail"], 2000))
        yield (Text(f"{detail[:1].upper()}{detail[1:]}."), ref(each["position"]))
    for each in found["corrections"]:
        # In public what was said before stays unsaid, and so does why.
        change = f" was {_value(each['was'])}, is {_value(each['now'])}" if "was" in each else ""
        yield (Text(f"Corrected: {plain(each['field'])}{change}{_why(each)}"), ref(each["about"], each["position"]))
    for each in found["retractions"]:
        yield (
            Text(f"Retracted: {plain(each['type'].replace('.', ' '))}{_why(each)}"),
            ref(each["about"], each["position"]),
        )
    if late := found["late"]:
        longest = max(late, key=lambda each: each["lag_seconds"])
        text = f"{counted(len(late), 'event')} of the incident and around it came late, one {longest['lag']}."
        yield (Link("Lag", definition("lag")), Text(f": {text}"), refs(each["position"] for each in late))
    for each in found["ahead"]:
        yield (Text("A clock ran ahead: claimed "), said.time(each["claimed_time"]), ref(each["position"]))
    if found["redacted"]:
        yield (Text("Words were redacted, for good."), refs(found["redacted"]))


def _why(each: Json) -> str:
    return f"; {short(each['reason'])}" if each.get("reason") else ""


def _value(value: Any) -> str:
    return "not given" if value is None else short(str(value), 500)


# Every event, and what each figure means


def appendix(model: Json, said: Said) -> Iterator[Block]:
    found, checkpoint = model["appendix"], model["cover"]["checkpoint"]
    yield Heading(2, "Appendix: every event", "appendix")
    proven = (
        f" Each leaf hash is in the log {short(checkpoint['origin'], 300)}, under the checkpoint of size {checkpoint['size']}."
        if checkpoint
        else " No checkpoint covers all of them yet."
    )
    yield Paragraph((Text(f"The {counted(len(found), 'event')} that this report rests on.{proven}"),))
    columns = (
        Column("Position", narrow=True, align="right"),
        Column("Type", 5),
        Column("Happened", narrow=True),
        Column("Recorded", narrow=True),
        Column("Leaf hash", 6),
    )
    yield table(columns, (_event(each, said) for each in found[:MOST_ROWS]), "Every event", dense=True)
    yield from more(len(found))


def _event(event: Json, said: Said) -> Row:
    redacted: Spans = (Text(" "), Mark("redacted")) if event["redacted"] else ()
    cells = ((Text(event["type"]), *redacted), (said.time(event["time"]),), (said.time(event["recordedtime"]),))
    return row(str(event["position"]), *cells, (Code(event["leaf"]),), anchor=f"p-{event['position']}")


def definitions(model: Json, wanted: set[str]) -> Iterator[Block]:
    """Of the figures that the report leads to."""
    found = [each for each in model["definitions"] if definition(each["name"]) in wanted]
    if not found:
        return
    yield Heading(2, "What the figures mean", "definitions")
    columns = (Column("Figure", 4), Column("Is", 10), Column("Read from", 6))
    yield table(columns, map(_definition, found), "Definitions")


def _definition(each: Json) -> Row:
    what: Spans = (Text(each["text"]), Text(" "), Mark(each["missing"]))
    sources: list[Any] = []
    for name in each["source"]:
        sources += [Text(", "), Code(name)]
    anchor = definition(each["name"]).removeprefix("#")
    return row((Strong(each["title"]),), what, tuple(sources[1:]), anchor=anchor)
