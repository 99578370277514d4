"""
The first page of a report in words: what it is about, the sentence, the figures and the steps they lie between.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from api.report import words_pictures
from api.report.blocks import (
    AuthorText,
    Block,
    Code,
    Column,
    Facts,
    Figure,
    Heading,
    Link,
    Mark,
    Note,
    Paragraph,
    Spans,
    Text,
    Tile,
    Tiles,
)
from api.report.words_said import (
    AUDIENCES,
    Said,
    counted,
    definition,
    extent,
    joined,
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

TILES = (
    "time_to_detect",
    "time_to_execute",
    "time_to_resolve",
    "time_to_mitigate",
    "time_to_decide",
    "time_to_declare",
)
MOST_TILES = 4


def front(model: Json, said: Said) -> Iterator[Block]:
    yield from _warnings(model, said)
    tiles = tuple(islice(_tiles(model), MOST_TILES))
    if tiles:
        yield Tiles(tiles)
    yield Facts(tuple((label, value) for label, value in _facts(model, said) if value))


def _warnings(model: Json, said: Said) -> Iterator[Block]:
    """What a reader must know before anything else."""
    cover = model["cover"]
    if cover["mode"] == "drill":
        yield Note("info", (Text("This was a drill. It is counted nowhere."),))
    if cover["leads_to"]:
        into = short(cover["leads_to"], 300)
        yield Note(
            "info", (Text(f"This incident was merged into {into}: see its report. It is counted with that one."),)
        )
    if cover["state"] == "cancelled":
        yield Note("info", (Text(f"This incident was cancelled{_why_cancelled(model)}. It is counted nowhere."),))
    if cover["overdue"] and model["audience"] != "public":
        due = said.time(cover["due"])
        yield Note("caution", (Text("The postmortem was due by "), due, Text(" and is not approved yet.")))


def _why_cancelled(model: Json) -> str:
    reasons = [each["reason"] for each in model["decisions"] if each["type"] == "incident.cancelled"]
    return f": {short(reasons[-1], 500).rstrip('.')}" if reasons and reasons[-1] else ""


def _tiles(model: Json) -> Iterator[Tile]:
    impact, measures = model["impact"], model["measures"]
    titles = {each["name"]: each["title"] for each in model["definitions"]}
    if impact["seconds"] is not None:
        said = ["so far"] if impact["ongoing"] else []
        said += ["estimated"] if impact["estimated"] else []
        note: Spans = (Text(", ".join(said)),) if said else ()
        value = length(impact["seconds"])
        yield Tile(titles["customer_impact"], value, note, definition("customer_impact"), "severe")
    for name in TILES:
        measure = measures[name]
        if measure["seconds"] is not None:
            marks = ("negative", measure["seconds"] < 0), ("estimated", measure["estimated"])
            notes = [*_of_which(model, name), *(mark for mark, holds in marks if holds)]
            noted: Spans = (Text(", ".join(notes)),) if notes else ()
            yield Tile(titles[name], length(measure["seconds"]), noted, definition(name))


def _of_which(model: Json, name: str) -> Iterator[str]:
    """Of several rollbacks, the one that a measure is of."""
    if len(model["rollbacks"]) > 1 and name in ("time_to_execute", "time_to_verify"):
        start = model["measures"][name]["from"]["position"]
        for each in model["rollbacks"]:
            if start in each["positions"]:
                yield f"rollback to {short(each['to_version'], 100)}"


def _facts(model: Json, said: Said) -> Iterator[tuple[Spans, Spans]]:
    cover = model["cover"]
    yield _label("Status"), (Text(_status(model)),)
    yield _label("Severity"), (Text(_severity(cover["severity"])),) if cover["severity"]["peak"] else ()
    yield _label("State"), (Text(_state(cover)),)
    yield _label("Affected"), (Text(places(cover["affected"])),) if cover["affected"] else ()
    yield _label("Began"), (said.time(cover["began"]),) if cover["began"] else ()
    yield _label("Declared"), said.moment(cover["declared"])
    yield _label("Ended"), (said.time(cover["ended"]),) if cover["ended"] else ()
    yield _label("Owner"), words(cover["owner"]) if cover["owner"] else ()
    yield _label("Due"), (said.time(cover["due"]), ref(cover["due_position"])) if cover["due"] else ()
    yield _label("For"), (Text(_readers(model)),)
    yield _label("As of"), _as_of(model, said)
    yield _label("Rests on"), _rests_on(model)
    yield _label("Checkpoint"), _checkpoint(cover["checkpoint"])


def _label(text: str) -> Spans:
    return (Text(text),)


def _severity(severity: Json) -> str:
    """Each grade once: `SEV-2 at first, SEV-1 at its worst and in the end`."""
    when: dict[str, list[str]] = {}
    for name, said in (("initial", "at first"), ("peak", "at its worst"), ("final", "in the end")):
        if severity[name]:
            when.setdefault(severity[name], []).append(said)
    if len(when) == 1:
        return next(iter(when))
    return ", ".join(f"{grade} {' and '.join(moments)}" for grade, moments in when.items())


def _status(model: Json) -> str:
    status = model["cover"]["status"]
    return "no postmortem was started" if status == "none" else f"postmortem {plain(status)}"


def _state(cover: Json) -> str:
    state = plain(cover["state"]) if cover["state"] else "neither detected nor declared"
    times = "once" if cover["cycles"] == 2 else counted(cover["cycles"] - 1, "time")
    again = f", reopened {times}" if cover["cycles"] > 1 else ""
    counts = "" if cover["counted"] or cover["mode"] == "drill" else "; not counted"
    return f"{state}{again}{counts}"


def _readers(model: Json) -> str:
    about = {
        "internal": "people inside: with names",
        "public": "anybody: roles stand for people",
        "auditor": "auditors: with names and opaque ids",
    }
    return about.get(model["audience"], AUDIENCES[model["audience"]])


def _as_of(model: Json, said: Said) -> Spans:
    if model["as_of"]:
        return (said.time(model["as_of"]),)
    return (Text("all that is recorded about it, the last of it "), said.time(model["moment"]))


def _rests_on(model: Json) -> Spans:
    return (Link(extent(model["positions"]), "#appendix"),)


def _checkpoint(found: Json | None) -> Spans:
    """The signed tree head that covers all of it."""
    if found is None:
        return (Mark("not signed yet"),)
    return (Text(f"{short(found['origin'], 300)}, size {found['size']}, root "), Code(found["root"]))


# The summary


def summary(model: Json) -> Iterator[Block]:
    found = model["summary"]
    yield Heading(2, "Summary", "summary")
    if found["text"]:
        yield AuthorText(found["text"])
        yield Paragraph((Mark("From the record:"), Text(f" {found['sentence']}")))
    else:
        yield Paragraph((Text(found["sentence"]),))


# Figures


def figures(model: Json, said: Said) -> Iterator[Block]:
    """The measures that there are; those that are not, by name."""
    titles = {each["name"]: each["title"] for each in model["definitions"]}
    known = {name: each for name, each in model["measures"].items() if each["seconds"] is not None}
    missing = [name for name in model["measures"] if name not in known]
    picture = words_pictures.strip(model, said)
    if picture is None and not known:
        return
    yield Heading(2, "Figures", "figures")
    if picture is not None:
        apart = joined((Text(titles[each].lower()),) for each in words_pictures.apart(model))
        elsewhere = (Text(" Measured between other moments than these, and told below: "), *apart, Text("."))
        yield Figure(picture, (Text("From impact to closing."), *(elsewhere if apart else ())))
    if known:
        columns = (Column("Measure", 4), Column("Lasted", 3), Column("From", 5), Column("To", 5))
        rows = [_measure(model, titles[name], name, said) for name in known]
        yield table(columns, rows, "Measures")
    if missing:
        links = joined((Link(titles[name].lower(), definition(name)),) for name in missing)
        yield Paragraph((Text("Not recorded, and never estimated here: "), *links, Text(".")))


def _measure(model: Json, name: str, key: str, said: Said) -> Any:
    measure = model["measures"][key]
    which: Spans = tuple(Text(f" ({each})") for each in _of_which(model, key))
    value = length_spans(measure["seconds"])
    if measure["estimated"]:
        value = (*value, Text(" "), Mark("estimated", "caution"))
    if measure["seconds"] < 0:
        value = (*value, Text(" "), Mark("negative: it ended before it began", "caution"))
    ends = [(Text(f"{measure[end]['name']}, "), *said.moment(measure[end], estimated=False)) for end in ("from", "to")]
    return row((Link(name, definition(key)), *which), value, *ends)
