"""
What must hold of reports whatever happened (Hypothesis).

The same question gets the same report, whatever is recorded afterwards and
whenever it is asked; every figure can be traced to events that are there.
"""

import json
import re
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from projections import incident_answers
from projections.incident_timeline import nobody
from projections.report import AUDIENCES, report
from projections.report_quality import positions
from tests.projections import test_incident_laws as incidents
from tests.projections.reporting import Log
from tests.projections.story import MemoryRecord, Story

pytestmark = pytest.mark.slow

written = st.one_of(
    incidents.of("postmortem.started", incident=incidents.names, owner=incidents.people, due=st.just("2026-03-02")),
    incidents.of(
        "postmortem.section_written",
        incident=incidents.names,
        section=st.sampled_from(["summary", "lucky", "odd"]),
        text=st.just("hm"),
    ),
    incidents.of(
        "postmortem.cause_recorded",
        incident=incidents.names,
        kind=st.sampled_from(["root", "trigger"]),
        statement=st.just("because"),
        category=st.just("capacity"),
    ),
    incidents.of(
        "postmortem.action_added",
        incident=incidents.names,
        action_id=st.sampled_from(["a", "b"]),
        text=st.just("do"),
        kind=st.just("test"),
        owner=incidents.people,
        due=st.just("2026-03-02T03:00:00Z"),
    ),
    incidents.of("postmortem.action_completed", incident=incidents.names, action_id=st.sampled_from(["a", "b"])),
    incidents.of("postmortem.published", incident=incidents.names),
    incidents.in_slot("rollback.started", to_version=incidents.versions),
    incidents.in_slot("rollback.verified", rollback_id=st.sampled_from(["rollback-A", "rollback-B"])),
    incidents.in_slot("release.completed", version=incidents.versions),
    incidents.of(
        "finding.accepted", rule=st.just("sev1_without_decision"), positions=st.just([1]), reason=st.just("x")
    ),
)

histories = st.lists(st.tuples(st.one_of(incidents.events, written), st.integers(0, 240)), min_size=1, max_size=25)


def reports(answers, moment):
    """All reports at a moment."""
    found = {}
    with answers.at(moment) as reader:
        for name in incidents.NAMES:
            about = incident_answers.story(reader, name)
            if about is not None:
                for audience in AUDIENCES:
                    found[name, audience] = report(about, audience=audience, name_of=nobody, zone=None, proofs=Log())
    return found


@given(histories, st.data())
@settings(max_examples=60, deadline=None)
def test_a_pinned_report_is_the_same_whatever_is_recorded_afterwards(history, data):
    """As of a moment and as known then: just what a ledger answered that had heard no more."""
    with tempfile.TemporaryDirectory() as folder:
        story = incidents.tell(Path(folder) / "told", history)
        note("\n".join(f"{each.position} {each.time} {each.event}" for each in story.record.events))
        if story.record.head() == 0:
            return
        position = data.draw(st.integers(1, story.record.head()))
        whole = incidents.grown(story.record, Path(folder) / "whole", [])
        part = incidents.grown(MemoryRecord(story.record.events[:position]), Path(folder) / "part", [])
        moment = incidents.moment_at(story.record, position, now=False)
        moment = replace(moment, as_of=moment.as_of - timedelta(minutes=data.draw(st.sampled_from([0, 0, 90, 300]))))
        try:
            assert reports(whole, moment) == reports(part, moment)
        finally:
            for each in (whole, part, story):
                getattr(each, "tables", each).close()


@given(histories, st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_report_is_the_same_whenever_it_is_asked_for(history, minutes):
    """A minute later, a year later: as long as nothing more is recorded. Every figure can be traced."""
    with tempfile.TemporaryDirectory() as folder:
        story = incidents.tell(Path(folder) / "told", history)
        note("\n".join(f"{each.position} {each.time} {each.event}" for each in story.record.events))
        if story.record.head() == 0:
            return
        answers = incidents.grown(story.record, Path(folder) / "models", [])
        now = incidents.moment_at(story.record, story.record.head(), now=True)
        try:
            found = reports(answers, now)
            assert found == reports(answers, replace(now, as_of=now.as_of + timedelta(minutes=minutes)))
        finally:
            for each in (answers, story):
                getattr(each, "tables", each).close()
        for each in found.values():
            can_be_traced(each)


told_in_time = st.lists(
    st.tuples(st.one_of(incidents.events, written), st.integers(0, 60)).filter(
        lambda each: "record." not in each[0][0]
    ),
    min_size=1,
    max_size=20,
)
"""Events in the order they happened, each so many minutes after the one before, and recorded at once."""


@example(
    [
        (("incident.detected", {"incident": "INC-1"}), 0),
        (("finding.accepted", {"rule": "sev1_without_decision", "positions": [1], "reason": "x"}), 1),
    ],
    1,
)
@given(told_in_time, st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_the_report_as_of_a_moment_is_the_same_for_ever_where_nothing_is_recorded_late(history, position):
    """As of last week, asked then and asked today: what happened since changes nothing of it."""
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder) / "told")
        for (topic, given), minutes in history:
            story.clock = story.recorded = story.clock + timedelta(minutes=minutes)
            story.add(topic, **given)
        note("\n".join(f"{each.position} {each.time} {each.event}" for each in story.record.events))
        moment = incidents.moment_at(story.record, min(position, story.record.head()), now=False)
        there = sum(each.recorded_at <= moment.as_of for each in story.record.events)
        answers = incidents.grown(story.record, Path(folder) / "models", [])
        try:
            then = reports(answers, replace(moment, known_at=there))
            assert then == reports(answers, replace(moment, known_at=story.record.head()))
        finally:
            for each in (answers, story):
                getattr(each, "tables", each).close()


def can_be_traced(found):
    """What is named is there, and no figure is without its positions. All of it is plain JSON."""
    assert json.loads(json.dumps(found)) == found
    there = [each["position"] for each in found["appendix"]]
    assert sorted(set(there)) == there
    assert set(positions({name: value for name, value in found.items() if name != "appendix"})) <= set(there)
    for each in found["measures"].values():
        if each["seconds"] is not None:
            assert each["from"]["position"] in there
            assert each["to"]["position"] in there
    for each in figures(found):
        assert set(positions(each)) & set(there)
    if found["audience"] == "public":
        assert not re.search(r"\b(ana|ben|chi|person-ada|pipeline-1)\b", json.dumps(found), re.IGNORECASE)
    else:
        told = {each["position"] for each in found["timeline"]}
        assert told <= set(there)
    assert found["moment"] == max(found["moment"], *(each["time"] for each in found["appendix"]))


def figures(value):
    """Whatever says how long something took, at any depth, without the definitions."""
    if isinstance(value, dict):
        if isinstance(value.get("seconds"), int | float):
            yield value
        for name, each in value.items():
            if name not in ("definitions", "data"):
                yield from figures(each)
    elif isinstance(value, list):
        for each in value:
            yield from figures(each)
