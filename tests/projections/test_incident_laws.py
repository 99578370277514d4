"""
What must hold of incidents whatever happens (Hypothesis).

Answers don't depend on how events came in groups; what is recorded later never
changes what was known before; now and then come from one fold.
"""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ledger.contract import members
from ledger.events import EVENTS
from ledger.values import rfc3339
from projections import incident_answers
from projections.answers import Answers
from projections.facts import Moment
from projections.incident_timeline import timeline
from tests.projections.story import MONDAY, MemoryRecord, Story

pytestmark = pytest.mark.slow

NAMES = ("INC-1", "INC-2")
SLOTS = ({"service": "web", "environment": "production"}, {"service": "shop", "environment": "production"})

severities = st.sampled_from(["SEV-1", "SEV-2", "SEV-3"])
names = st.sampled_from(NAMES)
people = st.sampled_from(["ana", "ben", "chi"])
slots = st.sampled_from(SLOTS)
versions = st.sampled_from(["A", "B", "C"])


def of(topic, **data):
    """Events of a type with some members drawn."""
    return st.fixed_dictionaries({name.rstrip("_"): drawn for name, drawn in data.items()}).map(
        lambda drawn: (topic, drawn)
    )


def in_slot(topic, **data):
    return st.tuples(of(topic, **data), slots).map(lambda pair: (pair[0][0], {**pair[0][1], **pair[1]}))


events = st.one_of(
    of("incident.detected", incident=names, affected=st.lists(slots, max_size=2), suggested_severity=severities),
    of("incident.declared", incident=names, affected=st.lists(slots, max_size=2), severity=severities),
    of("incident.acknowledged", incident=names),
    of("incident.severity_changed", incident=names, from_=severities, to=severities),
    of(
        "incident.affected_changed", incident=names, add=st.lists(slots, max_size=1), remove=st.lists(slots, max_size=1)
    ),
    of("incident.role_assigned", incident=names, role=st.sampled_from(["commander", "scribe"]), person=people),
    of("incident.role_assigned", incident=names, role=st.just("commander"), person=people, from_=people),
    of("incident.role_released", incident=names, role=st.sampled_from(["commander", "scribe"]), person=people),
    of("incident.impact_started", incident=names),
    of("incident.impact_ended", incident=names),
    of("incident.impact_started", incident=names, window=st.just("eu")),
    of("incident.impact_ended", incident=names, window=st.just("eu")),
    of("incident.note_added", incident=names, text=st.just("hm")),
    in_slot("incident.version_implicated", incident=names, version=versions),
    in_slot("incident.version_exonerated", incident=names, version=versions),
    *(of(f"incident.{step}", incident=names) for step in "mitigated resolved closed cancelled reopened".split()),
    of("incident.merged", incident=names, into=names),
    of("incident.unmerged", incident=names, into=names),
    of("incident.linked", incident=names, other=names, relation=st.just("follows")),
    in_slot("deployment.succeeded", version=versions),
    in_slot("rollback.decided", to_version=versions),
    in_slot("rollback.decided", to_version=versions, incident=names),
    in_slot("rollback.declined", chosen=st.just("fix_forward"), incident=names),
    in_slot("rollback.succeeded", to_version=versions),
    in_slot("feature.disabled", feature=st.just("new-checkout")),
    of("record.retracted", position=st.integers(1, 40)),
    of("record.corrected", position=st.integers(1, 40), field=st.just("time"), value=st.integers(0, 240)),
    of("record.corrected", position=st.integers(1, 40), field=st.just("incident"), value=names),
    of("record.corrected", position=st.integers(1, 40), field=st.just("severity"), value=severities),
    of("record.corrected", position=st.integers(1, 40), field=st.just("into"), value=names),
    of(
        "record.corrected",
        position=st.integers(1, 40),
        field=st.just("service"),
        value=st.sampled_from(["web", "shop"]),
    ),
)

histories = st.lists(st.tuples(events, st.integers(0, 240)), min_size=1, max_size=25)
"""Events in the order they are recorded, each with the minute at which it happened."""


def tell(folder, history):
    """The events of a history that can be recorded: corrections of what is there, to what it may be."""
    story = Story(folder)
    for number, ((topic, data), minute) in enumerate(history, 1):
        story.recorded = MONDAY + timedelta(hours=4, minutes=number)
        story.clock = MONDAY + timedelta(minutes=minute)
        if topic.startswith("record."):
            story.clock = story.recorded
        fit = fitting(story, topic, data)
        if fit is not None:
            story.add(topic, **fit)
    return story


def fitting(story, topic, data):
    """What can be recorded of it here; None for a correction of what is not there, or not of this kind."""
    if not topic.startswith("record."):
        return data
    if data["position"] > story.record.head():
        return None
    target = story.record.events[data["position"] - 1].event
    if topic == "record.retracted":
        return data
    if target.TOPIC.startswith("record."):
        return None
    if data["field"] == "time":
        return {**data, "value": rfc3339(MONDAY + timedelta(minutes=data["value"]))}
    return data if data["field"] in members(EVENTS[target.TOPIC]) else None


def everything(answers, moment):
    """All that is told of incidents at a moment."""
    with answers.at(moment) as reader:
        found = {"list": incident_answers.page(reader, {}, None, 100)[0]}
        for name in NAMES:
            story = incident_answers.story(reader, name)
            if story is not None:
                found[name] = incident_answers.incident(story)
                found[f"{name} timeline"] = timeline(story)
        return found


def moment_at(record, position, *, now):
    return Moment(record.events[position - 1].recorded_at, position, now=now)


def grown(record, folder, sizes):
    """Read models that took the events in in groups of these sizes, then the rest."""
    growing = MemoryRecord()
    answers = Answers(growing, folder)
    waiting = list(record.events)
    for size in [*sizes, len(waiting)]:
        for each in waiting[:size]:
            growing.add(each)
        waiting = waiting[size:]
        answers.runner.catch_up()
    return answers


@given(histories, st.lists(st.integers(1, 5), max_size=8))
@settings(max_examples=60, deadline=None)
def test_how_events_came_in_groups_changes_nothing_and_now_is_as_folded(history, sizes):
    """Kept step by step, kept in one go, and folded from nothing: one answer."""
    with tempfile.TemporaryDirectory() as folder:
        story = tell(Path(folder) / "told", history)
        note("\n".join(f"{each.position} {each.time} {each.event}" for each in story.record.events))
        head = story.record.head()
        if head == 0:
            return
        stepwise = grown(story.record, Path(folder) / "stepwise", sizes)
        at_once = grown(story.record, Path(folder) / "at-once", [])
        try:
            now = moment_at(story.record, head, now=True)
            kept = everything(stepwise, now)
            assert kept == everything(at_once, now)
            assert kept == everything(at_once, moment_at(story.record, head, now=False))
        finally:
            for each in (stepwise, at_once, story):
                getattr(each, "tables", each).close()


@given(histories, st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_recorded_later_never_changes_what_was_known_before(history, data):
    """`known_at` gives just what a ledger answered that had heard no more: before a correction the old answer."""
    with tempfile.TemporaryDirectory() as folder:
        story = tell(Path(folder) / "told", history)
        note("\n".join(f"{each.position} {each.time} {each.event}" for each in story.record.events))
        if story.record.head() == 0:
            return
        position = data.draw(st.integers(1, story.record.head()))
        whole = grown(story.record, Path(folder) / "whole", [])
        part = grown(MemoryRecord(story.record.events[:position]), Path(folder) / "part", [])
        try:
            then = everything(whole, moment_at(story.record, position, now=False))
            assert then == everything(part, moment_at(story.record, position, now=True))
        finally:
            for each in (whole, part, story):
                getattr(each, "tables", each).close()
