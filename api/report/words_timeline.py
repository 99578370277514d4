"""
The timeline of a report: the picture, and the table with who did what when and where that is recorded.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.report import author_text, words_pictures
from api.report.blocks import (
    Block,
    Column,
    Figure,
    Heading,
    Link,
    Mark,
    Paragraph,
    Row,
    Span,
    Spans,
    Strong,
    Table,
    Text,
)
from api.report.words_said import MOST_ROWS, Said, at, counted, more, plain, ref, row, short

Json = Mapping[str, Any]

COLUMNS = (
    Column("Time", narrow=True),
    Column("Who", 3),
    Column("What", 8),
    Column("Position", narrow=True, align="right"),
)

FEW = 2
"""So many events of writing the postmortem stand in the table like all others."""


def timeline(model: Json, said: Said) -> Iterator[Block]:
    entries = model["timeline"]
    if not entries:
        return
    yield Heading(2, "Timeline", "timeline")
    picture = words_pictures.timeline(model, said)
    if picture is not None:
        yield Figure(picture, (Text(f"What happened when, on one scale of time.{_left_out(model)}"),))
    writing = [each for each in entries if _is_writing(each)]
    if len(writing) > FEW:
        entries = [each for each in entries if not _is_writing(each)]
    rows = tuple(_rows(model, entries, said))
    if len(rows) < len(entries):
        yield Paragraph((Text(_about(entries, rows)),))
    if rows:
        yield Table(COLUMNS, rows[:MOST_ROWS], "Timeline")
    yield from more(len(rows))
    if len(writing) > FEW:
        yield Paragraph(_written(writing, said))


def _left_out(model: Json) -> str:
    number = words_pictures.left_out(model)
    stand = "stands" if number == 1 else "stand"
    return f" {counted(number, 'event')} before or after that {stand} in the table alone." if number else ""


def _is_writing(entry: Json) -> bool:
    """Of the postmortem: what was written has its own sections. What was corrected or taken back is told all the same."""
    return entry["type"].startswith("postmortem.") and not (entry["corrections"] or entry["retracted"])


def _written(writing: Sequence[Json], said: Said) -> Spans:
    first, last = writing[0], writing[-1]
    positions = [each["position"] for each in writing]
    return (
        Text(f"The postmortem was written in {counted(len(writing), 'event')} from "),
        said.time(first["time"]),
        Text(" to "),
        said.time(last["time"]),
        ref(min(positions), max(positions)),
        Text(": see its sections, and the appendix."),
    )


def _about(entries: Sequence[Json], rows: Sequence[Row]) -> str:
    folded = sum(len(each.folded) for each in rows)
    return (
        f"{counted(len(entries), 'event')}; {folded} of them are told together, by minute and by who did them. "
        "Each is in the appendix, and by itself in the JSON and the CSV."
    )


def _rows(model: Json, entries: Sequence[Json], said: Said) -> Iterator[Row]:
    """One for each entry, and one for all that are folded into one."""
    own = model["incident"]
    groups: dict[str, list[Json]] = {}
    for each in entries:
        if each["folded_into"]:
            groups.setdefault(each["folded_into"], []).append(each)
    for each in entries:
        group = groups.get(each["folded_into"] or "", [each])
        if len(group) == 1:
            yield _row(own, each, said)
        elif group[0] is each:
            yield _together(own, group, said)


def _row(own: str, entry: Json, said: Said) -> Row:
    """One entry; of an incident that was merged into this one it says so, and is no key moment of this one."""
    time, merged = said.time(entry["time"]), entry["incident"] not in (None, own)
    key = entry["key"] and not merged
    moment: Spans = (Strong(time.text),) if key else (time,)
    tone: Any = "void" if entry["retracted"] else "key" if key else "plain"
    of: Spans = (Text(" "), Mark(f"of {short(entry['incident'], 300)}")) if merged else ()
    what = (Text(short(entry["summary"])), *of, *remarks(entry, said))
    return row(moment, who(entry), what, at(entry["position"]), tone=tone)


def _together(own: str, group: Sequence[Json], said: Said) -> Row:
    kinds = Counter(_kind(each["type"]) for each in group)
    what = ", ".join(f"{count} \u00d7 {name}" for name, count in kinds.items())
    positions = [each["position"] for each in group]
    return row(
        (said.time(group[0]["time"]),),
        who(group[0]),
        f"{counted(len(group), 'event')}: {what}",
        at(min(positions), max(positions)),
        tone="group",
        folded=tuple(_row(own, each, said) for each in group),
    )


def _kind(topic: str) -> str:
    return plain(topic.replace(".", " "))


def who(entry: Json) -> Spans:
    """Who decided, else who submitted, in which role; a decision that was passed on says by whom."""
    submitter = entry["submitter"]["name"] or entry["submitter"]["id"] or plain(entry["submitter"]["kind"])
    decided = entry["decided_by"]
    name = short(decided or submitter, 300)
    roles = [each for each in entry["roles"] if each != name]
    role = f" ({', '.join(short(each, 100) for each in roles)})" if roles else ""
    passed_on = f", told by {short(submitter, 300)}" if decided and decided != submitter else ""
    return (Text(f"{name}{role}{passed_on}"),)


def remarks(entry: Json, said: Said) -> Iterator[Span]:
    """How late it was recorded, what it claimed, what it said before, whether it counts, and what shows it."""
    if entry["lag"]:
        yield from (Text(" "), Mark(entry["lag"]))
    if entry["claimed_time"]:
        yield from (Text(" "), Mark("claims "), said.time(entry["claimed_time"]))
    for each in entry["corrections"]:
        text = f"corrected: {each['field']} was {_value(each['was'])}; {short(each['reason'], 2000)}"
        yield from (Text(" "), Mark(text, "caution"), ref(each["position"]))
    if retracted := entry["retracted"]:
        yield from (
            Text(" "),
            Mark(f"retracted: {short(retracted['reason'], 2000)}", "caution"),
            ref(retracted["position"]),
        )
    for each in entry["evidence"]:
        url, label = each["url"], short(each.get("label") or each["url"], 200)
        link: Span = Link(label, url) if author_text.is_safe(url) else Text(f"{label}: {short(url, 500)}")
        yield from (Text(" "), link)


def _value(value: Any) -> str:
    return "not given" if value is None else short(str(value), 500)
