"""
Who came when in which role, whether somebody was in command, what was expected, and what was decided on which grounds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report.blocks import (
    AuthorText,
    Block,
    Bullets,
    Column,
    Heading,
    Mark,
    Note,
    Paragraph,
    Row,
    Spans,
    Text,
)
from api.report.words_release import alternatives
from api.report.words_said import Said, at, joined, length, plain, ref, refs, row, short, table

Json = Mapping[str, Any]

STATUS = {
    "awaited": "It is awaited.",
    "as_expected": "That is what was done.",
    "deviated": "Another way was chosen.",
    "missing": "No decision on that is recorded.",
}


def response(model: Json, said: Said) -> Iterator[Block]:
    found, written = model["response"], model["sections"].get("response")
    if model["cover"]["state"] in ("cancelled", "merged"):
        # Nothing was to be done about it: nobody misses a commander or a rollback.
        found = {**found, "without_commander": [], "expected": None}
    if not (written or found["people"] or found["without_commander"] or found["expected"]):
        return
    yield Heading(2, "Response", "response")
    if written:
        yield AuthorText(written["text"])
    if found["people"]:
        columns = (Column("Who", 3), Column("Joined", 4), Column("Roles", 8))
        yield table(columns, (_person(each, said) for each in found["people"]), "Who took part")
    if found["without_commander"]:
        yield Paragraph((Text("Nobody was recorded as being in command:"),))
        yield Bullets(tuple(_gap(each, said) for each in found["without_commander"]))
    if found["expected"]:
        yield from _expected(found["expected"], said)


def _person(person: Json, said: Said) -> Row:
    roles = joined((_role(each, said) for each in person["roles"]), "; ")
    return row(short(person["person"], 300), said.moment(person["joined"]), roles or (Mark("took part"),))


def _role(role: Json, said: Said) -> Spans:
    since = said.period(role["since"], role["until"], open_end="the end")
    return (Text(f"{short(role['role'], 100)} from "), *since, ref(role["position"], role["until_position"]))


def _gap(gap: Json, said: Said) -> Spans:
    period = said.period(gap["since"], gap["until"])
    return (*period, Text(f" ({length(gap['seconds'])})"), refs(gap["positions"]))


def _expected(expected: Json, said: Said) -> Iterator[Block]:
    what = f"{expected['severity']} ({expected['what']}) asks for: {expected['response']}. "
    status = STATUS.get(expected["status"], str(expected["status"]))
    yield Paragraph(
        (Text(f"{what}{status} The clock began "), said.time(expected["since"]), ref(expected["position"]), Text("."))
    )
    for each in expected["deviations"]:
        asked = f"{each['severity']} asked for: {short(each['expected'], 300)}"
        chosen = f"{asked}. Chosen was: {plain(short(each['chosen'], 300))}. {_because(each)}"
        by = f" ({short(each['decided_by'], 300)})" if each["decided_by"] else ""
        yield Note("info", (Text(f"{chosen}{by} "), said.time(each["time"]), ref(each["position"])))


def _because(each: Json) -> str:
    return f"Reason: {short(each['reason'])}." if each["reason"] else "No reason was given."


# Decisions


def decisions(model: Json, said: Said) -> Iterator[Block]:
    found = model["decisions"]
    if not found:
        return
    yield Heading(2, "Decisions", "decisions")
    columns = (Column("Time", narrow=True), Column("By", 3), Column("Decision", 8), Column("Position", narrow=True))
    yield table(columns, (_decision(each, said) for each in found), "Decisions")
    told = {each["position"] for each in found if each["alternatives"]}
    shown = {each["decided"]["position"] for each in model["rollbacks"] if each["decided"]}
    for each in found:
        if each["position"] in told - shown:
            yield Paragraph(
                (
                    Text(f"What could be seen at the decision \u201c{short(each['what'], 300)}\u201d:"),
                    ref(each["position"]),
                )
            )
            yield alternatives(each["alternatives"])


def _decision(each: Json, said: Said) -> Row:
    role = f" ({short(each['role'], 100)})" if each["role"] and each["role"] != each["by"] else ""
    lag: Spans = (Text(" "), Mark(each["lag"])) if each["lag"] else ()
    what: Spans = (Text(short(each["what"])), *lag)
    return row((said.time(each["time"]),), f"{short(each['by'], 300)}{role}", what, at(each["position"]))
