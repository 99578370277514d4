"""
A report about one incident: everything that its formats say, as plain JSON values.

Of one moment, for one audience. The same question gets the same report,
whenever it is asked: nothing in it comes from a clock or from the end of the
record (see `projections.report_moment`). Every figure names the positions
that it comes from, and the appendix has every position that is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.values import instant, microseconds, rfc3339
from projections import (
    report_audience,
    report_cover,
    report_decisions,
    report_impact,
    report_people,
    report_quality,
    report_response,
    report_rollbacks,
    report_similar,
    report_timeline,
    report_versions,
    report_writing,
    report_zone,
    reporting,
)
from projections.incident_story import Story
from projections.incident_timeline import NameOf
from projections.report_audience import AUDIENCES
from projections.report_moment import read_at, settled
from projections.report_quality import Proofs
from projections.report_scene import Scene, time

FORMAT = "lastgood-report/1"
"""Of the model; raised whenever a member changes its meaning."""

FIRST = microseconds(datetime.min.replace(tzinfo=UTC))
"""The first moment of the calendar: nothing is two hours before it."""

__all__ = ["AUDIENCES", "FORMAT", "Proofs", "report"]


def report(
    told: Story, *, audience: str, name_of: NameOf, zone: str | None, proofs: Proofs, house: Iterable[str] = ()
) -> dict[str, Any]:
    """
    The report about the incident of a story, at the moment of its reader.

    *zone* is the IANA name of the time zone in which it is read; None for that
    of the incident's people. *house* are the names and ids of all people whom
    the ledger knows, so that nothing published names them.

    Raises:
        Unfit: where there is no such zone.
    """
    asked = None if zone is None else report_zone.find(zone)
    story, how = settled(told), _How(audience, name_of, asked, proofs, tuple(house), told.reader.moment.now)
    model = _report(story, how)
    # What the report leads to may have been recorded last of all: a freeze, or a similar incident, dated back.
    while how.now and (recorded := _last_recorded(model)) > story.reader.moment.at:
        story = read_at(story, recorded)
        model = _report(story, how)
    return model


@dataclass(frozen=True, slots=True)
class _How:
    audience: str
    name_of: NameOf
    zone: report_zone.Zone | None
    proofs: Proofs
    house: tuple[str, ...]
    now: bool


def _report(story: Story, how: _How) -> dict[str, Any]:
    zone = how.zone or report_zone.of_people(each.fact for each in story.own if each.counts)
    scene = Scene(story, how.name_of, zone)
    moment = rfc3339(story.reader.moment.as_of)
    model = {
        "format": FORMAT,
        "incident": story.state.id,
        "audience": how.audience,
        "zone": scene.zone.name,
        "as_of": None if how.now else moment,
        "moment": moment,
        "span": _span(story),
        **_sections(scene, how.audience),
    }
    return _finished(scene, model, how)


def _last_recorded(model: dict[str, Any]) -> int:
    return max(microseconds(instant(each["recordedtime"])) for each in model["appendix"])


def _span(story: Story) -> dict[str, Any] | None:
    """From when to when the story goes on; what lies outside is told of only where something reaches into it."""
    if story.scope is None:
        return None
    since, until = story.scope
    return {"since": time(max(since, FIRST)), "until": time(until)}


def _sections(scene: Scene, audience: str) -> dict[str, Any]:
    return {
        "cover": report_cover.cover(scene),
        "summary": report_cover.summary(scene),
        "measures": report_cover.measures(scene),
        "lifecycle": report_cover.lifecycle(scene),
        "timeline": report_timeline.timeline(scene),
        "versions": report_versions.versions(scene),
        "rollbacks": report_rollbacks.rollbacks(scene),
        "mitigations": report_rollbacks.mitigations(scene),
        "impact": report_impact.impact(scene),
        "severities": report_impact.severities(scene),
        "detection": report_impact.detection(scene),
        "response": report_response.response(scene),
        "causes": report_writing.causes(scene),
        "sections": report_writing.sections(scene),
        "decisions": report_decisions.decisions(scene),
        "actions": report_writing.actions(scene),
        "similar": report_similar.similar(scene),
        "links": report_similar.linked_titles(scene),
        "customer_message": report_writing.customer_message(scene),
        "reporting": reporting.reporting(scene.story, scene.name_of),
        "findings": report_quality.findings(scene),
        "quality": report_quality.quality(scene),
        "definitions": report_cover.definitions_used(),
        "published": report_writing.published(scene, audience),
    }


def _finished(scene: Scene, model: dict[str, Any], how: _How) -> dict[str, Any]:
    """With the appendix and the checkpoint that covers it, as an audience may see it."""
    events = report_quality.events(scene, model)
    appendix = [report_quality.leaf(each, at, how.proofs.leaf_hash) for each, at in events]
    first, last = (appendix[place]["position"] for place in (0, -1))
    whole = model | {
        "positions": {"first": first, "last": last, "count": len(appendix)},
        "cover": model["cover"] | {"checkpoint": how.proofs.checkpoint(last)},
        "appendix": appendix,
    }
    people = report_people.people(scene, [each for each, _ in events], how.house)
    seen = report_audience.seen_by(how.audience, whole, people)
    return seen | {"summary": seen["summary"] | {"sentence": report_cover.sentence(seen)}}
