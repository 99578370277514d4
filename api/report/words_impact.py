"""
What customers felt, how grave it was when, and how it came to be noticed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report import words_pictures
from api.report.blocks import (
    AuthorText,
    Block,
    Column,
    Facts,
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
from api.report.words_said import (
    NOT_RECORDED,
    Said,
    definition,
    length,
    length_spans,
    places,
    plain,
    ref,
    row,
    short,
    table,
    words,
)

Json = Mapping[str, Any]

NOTICED = {"alert": "an alert, told by ", "machine": "a machine: "}


def impact(model: Json, said: Said) -> Iterator[Block]:
    """Said also where nothing is recorded: a report without its impact is no report."""
    found, written = model["impact"], model["sections"].get("impact")
    yield Heading(2, "Impact", "impact")
    if written:
        yield AuthorText(written["text"])
    if found["seconds"] is None and not found["windows"] and not found["measured"]:
        if not written:
            yield Paragraph((Mark("When customers felt it is not recorded."),))
        return
    yield Paragraph(_total(found))
    if found["windows"]:
        columns: tuple[Column, ...] = (
            Column("Window", 2),
            Column("From", 4),
            Column("Until", 4),
            Column("By", 2),
            Column("Where", 3),
        )
        yield table(
            columns, (_window(each, said, ongoing=found["ongoing"]) for each in found["windows"]), "Windows of impact"
        )
    if found["measured"]:
        columns = (Column("Measured", 4), Column("Value", 2), Column("How", 4), Column("When", 4))
        yield table(columns, (_measured(each, said) for each in found["measured"]), "Measured impact")


def _total(found: Json) -> Spans:
    label = Link("Customer impact", definition("customer_impact"))
    positions = [bound["position"] for each in found["windows"] for bound in (each["start"], each["end"]) if bound]
    so_far = " so far" if found["ongoing"] else ""
    guessed: Spans = (Text(" "), Mark("estimated", "caution")) if found["estimated"] else ()
    return (label, Text(": "), *length_spans(found["seconds"]), Text(so_far), *guessed, ref(*positions))


def _window(window: Json, said: Said, *, ongoing: bool) -> Row:
    until: Spans = (Mark("still so"),) if ongoing and window["end"] is None else said.moment(window["end"])
    by = "; until: ".join(dict.fromkeys(_basis(each) for each in (window["start"], window["end"]) if each))
    name = ", ".join(filter(None, (window["window"], window["level"]))) or "impact"
    return row(short(name, 500), said.moment(window["start"]), until, by, places(window["affected"]))


def _basis(bound: Json) -> str:
    """By what a bound is known, and how well."""
    return ", ".join(short(plain(each), 300) for each in (bound["basis"], bound["precision"]) if each)


def _measured(each: Json, said: Said) -> Row:
    value = f"{each['value']:,g} {short(each['unit'], 100)}"
    method = f"{short(each['method'])}; " if each["method"] else ""
    how = f"{method}by {short(each['by'], 300)}"
    return row(short(each["measure"], 500), (Strong(value),), how, said.moment(each))


# Severity


def severities(model: Json, said: Said) -> Iterator[Block]:
    found = model["severities"]
    if not found["spans"] and not found["changes"]:
        return
    yield Heading(2, "Severity", "severity")
    ongoing = {each["severity"] for each in found["spans"] if each["until"] is None}
    spent = [
        f"{name} for {length(seconds)}{' so far' if name in ongoing else ''}"
        for name, seconds in found["seconds"].items()
        if seconds
    ]
    if spent:
        label = Link("Time in each severity", definition("time_in_severity"))
        positions = ref(*(each["position"] for each in found["spans"]))
        yield Paragraph((label, Text(f": {', '.join(spent)}."), positions))
    picture = words_pictures.severities(model)
    if picture is not None:
        yield Figure(picture, (Text("Time in each severity."),))
    columns: tuple[Column, ...] = (
        Column("Severity", narrow=True),
        Column("From", 4),
        Column("By", 3),
        Column("Why", 6),
    )
    yield table(columns, (_change(each, said) for each in found["changes"]), "Changes of severity")


def _change(each: Json, said: Said) -> Row:
    return row(each["name"], said.moment(each), short(each["by"], 300), short(each["reason"]) if each["reason"] else "")


# Detection


def detection(model: Json, said: Said) -> Iterator[Block]:
    found, written = model["detection"], model["sections"].get("detection")
    if not written and found["position"] is None and not found["alerts"]:
        return
    yield Heading(2, "Detection", "detection")
    if written:
        yield AuthorText(written["text"])
    if found["position"] is not None:
        yield Facts(tuple(_noticed(model, said)))
    if found["alerts"]:
        columns: tuple[Column, ...] = (
            Column("Alert", 5),
            Column("Fired", 4),
            Column("Over", 4),
            Column("Times", narrow=True, align="right"),
        )
        yield table(columns, (_alert(each, said) for each in found["alerts"]), "Alerts")


def _noticed(model: Json, said: Said) -> Iterator[tuple[Spans, Spans]]:
    found, measure = model["detection"], model["measures"]["time_to_detect"]
    yield (Text("First noticed"),), said.moment(found)
    by = found["discovered_by"] or found["reported_by"]
    yield (Text("By"),), (Text(f"{NOTICED.get(found['by'], '')}{short(by, 300)}"),)
    label = (Link("Time to detect", definition("time_to_detect")),)
    sources = ref(measure["from"]["position"], measure["to"]["position"])
    known = measure["seconds"] is not None and measure["estimated"]
    guessed: Spans = (Text(" "), Mark("estimated", "caution")) if known else ()
    yield label, (*length_spans(measure["seconds"]), *guessed, sources)


def _alert(each: Json, said: Said) -> Row:
    name = short(each["name"] or each["fingerprint"], 500)
    severity: Spans = (Text(" "), Mark(short(each["severity"], 100))) if each["severity"] else ()
    fired = said.moment(each["fired"]) if each["fired"] else words(None)
    over: Spans = said.moment(each["resolved"]) if each["resolved"] else (Mark(f"end {NOT_RECORDED}"),)
    return row((Text(name), *severity), fired, over, str(each["count"]))
