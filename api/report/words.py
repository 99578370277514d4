"""
A report in words: its model as a document, section by section in the order in which it is read.

A section without anything in it is left out, unless that says something
itself. Each figure leads to its definition and to the positions that it comes
from. The voice is calm: conditions, systems and roles, and nobody's fault.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.report import (
    words_facts,
    words_impact,
    words_record,
    words_release,
    words_response,
    words_timeline,
    words_writing,
)
from api.report.blocks import Block, Document, Spans, Strong, Text, targets
from api.report.words_said import AUDIENCES, Said, day, extent, fit, instant, short

Json = Mapping[str, Any]


def document(model: Json) -> Document:
    """The document of a report model."""
    model = fit(model)
    said = Said(model)
    blocks = list(_blocks(model, said))
    name = short(model["cover"]["title"] or "", 300) if model["cover"]["title"] else ""
    return Document(
        title=f"{short(model['incident'], 120)} {name}".strip(),
        subtitle=_subtitle(model, said),
        foot=_foot(model, said),
        moment=instant(model["moment"]),
        blocks=(*blocks, *words_record.definitions(model, set(targets(blocks)))),
    )


def _blocks(model: Json, said: Said) -> Iterator[Block]:
    yield from words_facts.front(model, said)
    yield from words_facts.summary(model)
    yield from words_facts.figures(model, said)
    yield from words_timeline.timeline(model, said)
    yield from words_release.release(model, said)
    yield from words_impact.impact(model, said)
    yield from words_impact.severities(model, said)
    yield from words_impact.detection(model, said)
    yield from words_response.response(model, said)
    yield from words_release.rollbacks(model, said)
    yield from words_writing.causes(model, said)
    yield from words_writing.went(model, said)
    yield from words_response.decisions(model, said)
    yield from words_writing.actions(model, said)
    yield from words_writing.lessons(model, said)
    yield from words_writing.similar(model, said)
    yield from words_writing.customer_message(model, said)
    yield from words_record.reporting(model, said)
    yield from words_record.findings(model, said)
    yield from words_record.quality(model, said)
    yield from words_record.appendix(model, said)


def _subtitle(model: Json, said: Said) -> Spans:
    cover = model["cover"]
    parts = [
        "Incident report" if cover["status"] == "none" else "Postmortem",
        "drill" if cover["mode"] == "drill" else None,
        cover["state"] if cover["state"] in ("cancelled", "merged") else None,
        _severity(cover["severity"]),
        _day(model, said),
        f"commander {short(cover['commander'], 120)}" if cover["commander"] not in (None, "commander") else None,
        AUDIENCES[model["audience"]],
    ]
    first, *rest = [each for each in parts if each]
    return (Strong(first), *(Text(f" \u00b7 {each}") for each in rest))


def _severity(severity: Json) -> str | None:
    peak, final = severity["peak"], severity["final"]
    if peak is None or peak == final:
        return None if peak is None else str(peak)
    return f"{peak} at its worst, {final} in the end"


def _day(model: Json, said: Said) -> str | None:
    """The day on which it began, where its people are."""
    began = model["cover"]["began"]
    return None if began is None else day(began, said.zone)


def _foot(model: Json, said: Said) -> str:
    """On every page: of what, as of when, resting on which events, and for whom."""
    as_of = f" \u00b7 as of {said.time(model['as_of']).text}" if model["as_of"] else ""
    rests = f"rests on {extent(model['positions'])}"
    return f"{short(model['incident'], 60)}{as_of} \u00b7 {rests} \u00b7 {AUDIENCES[model['audience']]}"
