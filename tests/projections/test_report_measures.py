"""
Every measure of a report, worked out a second time from the recorded events alone.

Plain loops over what was recorded, written from the definitions; nothing of
the projections is used to work it out. Where the two differ, one of them is
wrong.
"""

import tempfile
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ledger.values import rfc3339
from tests.projections.reporting import told
from tests.projections.story import MONDAY, Story

pytestmark = pytest.mark.slow


# The second way


def counting(events):
    """The events that count, corrected: (position, time, type, members). Corrections are judged from the last down."""
    gone, changed = set(), {}
    for each in reversed(events):
        if each.position in gone:
            continue
        if each.event.TOPIC == "record.retracted":
            gone.add(each.event.position)
        elif each.event.TOPIC == "record.corrected":
            changed.setdefault(each.event.position, {}).setdefault(each.event.field, each.event.value)
    found = []
    for each in events:
        if each.position not in gone and not each.event.TOPIC.startswith("record."):
            data = {field.name.rstrip("_"): getattr(each.event, field.name) for field in fields(each.event)}
            data |= changed.get(each.position, {})
            said = datetime.fromisoformat(data.pop("time")) if "time" in data else each.occurred_at
            found.append((each.position, min(said, each.recorded_at), each.event.TOPIC, data))
    return found


def windows(own):
    """The bounds of each time of impact; the latest recorded ones win."""
    found = []
    for _, at, kind, data in own:
        if not kind.startswith("incident.impact_s") and not kind.startswith("incident.impact_e"):
            continue
        bound, name = kind.rpartition("_")[2], data["window"]
        if name is None and bound == "ended":
            about = [each for each in found if each["ended"] is None] or found[-1:]
        else:
            about = [each for each in found if each["name"] == name][-1:]
            if name is None and about and about[0]["ended"] is not None and about[0]["ended"] <= at:
                about = []
        if not about:
            about = [{"name": name, "started": None, "ended": None}]
            found += about
        for each in about:
            each[bound] = at
    return found


def over(own):
    """When it was over, by the state it came to in the order of recording; None while it is not."""
    order = ["detected", "declared", "acknowledged", "mitigated", "resolved", "closed"]
    state, times, declared = None, {}, False
    for _, at, kind, _ in own:
        step = kind.partition(".")[2]
        declared = declared or step == "declared"
        if (
            step in order and (state is None or (state in order and order.index(step) > order.index(state)))
        ) or step == "cancelled":
            state = step
        elif step == "reopened":
            state = "declared" if declared else "detected"
        if step in order or step == "cancelled":
            times[step] = at
    if state not in ("resolved", "closed", "cancelled"):
        return None
    return times["resolved"] if state != "cancelled" and "resolved" in times else times[state]


def belonging(events, own):
    """The events of slots that name the incident, or fall into it in a slot that it affects."""
    affected = set()
    starts = [each["started"] for each in windows(own) if each["started"] is not None]
    for _, at, kind, data in own:
        affected |= {(each.service, each.environment) for each in data.get("affected", ())}
        if kind in ("incident.detected", "incident.declared"):
            starts.append(at)
    began, ended = min(starts, default=None), over(own)
    for position, at, kind, data in events:
        if not kind.startswith("rollback."):
            continue
        inside = began is not None and began <= at and (ended is None or at <= ended)
        here = (data["service"], data["environment"]) in affected and decided_for(events, data) in (None, "INC-1")
        if data["incident"] == "INC-1" or (data["incident"] is None and inside and here):
            yield position, at, kind, data


def decided_for(events, step):
    """The incident that the last decision of a step's rollback names."""
    decisions = [
        (at, position, data["incident"])
        for position, at, kind, data in events
        if kind == "rollback.decided" and data["rollback_id"] == step.get("rollback_id")
    ]
    return max(decisions)[2] if decisions else None


def rollbacks(events, own):
    """The last time of each step of every rollback of which any step belongs, steps taken in order of their times."""
    named = {data["rollback_id"] for *_, data in belonging(events, own) if "rollback_id" in data}
    steps = {}
    for _, at, kind, data in sorted(events, key=lambda each: (each[1], each[0])):
        if not kind.startswith("rollback.") or data.get("rollback_id") not in named:
            continue
        step, name = kind.partition(".")[2], data["rollback_id"]
        if name in steps or step in ("decided", "started", "succeeded", "failed"):
            steps.setdefault(name, {})[step] = at
    return list(steps.values())


def between(made, start, end):
    """Of the first rollback that took both steps, else missing."""
    both = sorted((each[start], each[end]) for each in made if start in each and end in each)
    begun = sorted(each[start] for each in made if start in each)
    first = [each for each in both if each[0] in begun]
    return (first[0][1] - first[0][0]).total_seconds() if first else None


def worked_out(recorded):
    """The eight measures of INC-1, in seconds."""
    events = counting(recorded)
    own = [
        each for each in events if each[3]["incident"] == "INC-1" and each[2].startswith(("incident.", "mitigation."))
    ]
    times = {}
    for _, at, kind, _ in own:
        times.setdefault(kind.partition(".")[2], []).append(at)
    first = {step: min(found) for step, found in times.items()}
    found = windows(own)
    starts = [each["started"] for each in found if each["started"] is not None]
    ends = [each["ended"] for each in found]
    grades = [(at, data.get("severity") or data.get("to")) for _, at, kind, data in own if kind in GRADING]
    grave = next((at for at, severity in grades if severity in ("SEV-1", "SEV-2")), None)
    made = [at for _, at, kind, _ in belonging(events, own) if kind in ("rollback.decided", "rollback.declined")]
    after = [at for at in made if grave is None or at >= grave]
    decided = min(after or made, default=None)
    began = min(starts, default=None)
    ended = max(ends) if ends and None not in ends else None
    resolved = times["resolved"][-1] if "resolved" in times else None
    steps = rollbacks(events, own)
    return {
        "time_to_detect": length(began, first.get("detected")),
        "time_to_declare": length(first.get("detected"), first.get("declared")),
        "time_to_acknowledge": length(first.get("declared"), first.get("acknowledged")),
        "time_to_decide": length(grave, decided),
        "time_to_execute": between(steps, "decided", "succeeded"),
        "time_to_verify": between(steps, "succeeded", "verified"),
        "time_to_mitigate": length(began, ended),
        "time_to_resolve": length(first.get("declared"), resolved),
    }


GRADING = ("incident.declared", "incident.severity_changed")


def length(start, end):
    return None if start is None or end is None else (end - start).total_seconds()


def felt(recorded, until):
    """Customer impact in seconds: minute by minute whether any window covers it. Times here are whole minutes."""
    own = [each for each in counting(recorded) if each[3]["incident"] == "INC-1"]
    ended, found = over(own), windows(own)
    minutes = set()
    for each in found:
        end = each["ended"] if each["ended"] is not None else (until if ended is None else None)
        if each["started"] is not None and end is not None:
            at = each["started"]
            while at < end:
                minutes.add(at)
                at += timedelta(minutes=1)
    known = [e for e in found if e["started"] is not None and (e["ended"] is not None or ended is None)]
    return 60 * len(minutes) if known else None


def graded(recorded, until):
    """Seconds in each severity while it was active."""
    own = [each for each in counting(recorded) if each[3]["incident"] == "INC-1"]
    spent, severity, since, declared = {"SEV-1": 0.0, "SEV-2": 0.0, "SEV-3": 0.0}, None, None, False
    for number, (_, at, kind, data) in enumerate(own, 1):
        before = severity, since is not None
        declared = declared or kind == "incident.declared"
        if kind in GRADING:
            severity = data.get("severity") or data.get("to")
        active = declared and over(own[:number]) is None
        if (severity, active) == before:
            continue
        if since is not None and before[0] is not None:
            spent[before[0]] += max(0.0, (at - since).total_seconds())
        since = at if active else None
    if since is not None and severity is not None:
        spent[severity] += max(0.0, (until - since).total_seconds())
    return spent


# Histories


def of(topic, **data):
    drawn = st.fixed_dictionaries({name.rstrip("_"): each for name, each in data.items()})
    return drawn.map(lambda found: (topic, found))


INC = st.just("INC-1")
windows_named = st.sampled_from([None, None, "eu"])
severities = st.sampled_from(["SEV-1", "SEV-2", "SEV-3"])
names = st.sampled_from(["RB-1", "RB-2"])
incidents = st.sampled_from([None, "INC-1", "INC-2"])
versions = st.sampled_from(["A", "B"])

events = st.one_of(
    of("incident.detected", incident=INC),
    of("incident.declared", incident=INC, severity=severities),
    of("incident.acknowledged", incident=INC),
    of("incident.severity_changed", incident=INC, from_=severities, to=severities),
    of("incident.impact_started", incident=INC, window=windows_named),
    of("incident.impact_ended", incident=INC, window=windows_named),
    *(of(f"incident.{step}", incident=INC) for step in "mitigated resolved closed reopened".split()),
    of("incident.resolved", incident=INC),
    of("deployment.succeeded", version=versions),
    of("rollback.decided", to_version=versions, rollback_id=names, incident=incidents),
    of("rollback.declined", chosen=st.just("fix_forward"), incident=incidents),
    of("rollback.started", to_version=versions, rollback_id=names),
    of("rollback.succeeded", to_version=versions, rollback_id=names),
    of("rollback.verified", rollback_id=names),
    of("record.retracted", position=st.integers(1, 20)),
    of("record.corrected", position=st.integers(1, 20), field=st.just("time"), value=st.integers(0, 240)),
)
histories = st.lists(st.tuples(events, st.integers(0, 240)), min_size=1, max_size=20)


def tell(folder, history):
    """The events of a history, each recorded a minute after the one before; some of them long after they happened."""
    story = Story(folder)
    story.at("00:00", recorded="04:00").declared("INC-1", "SEV-1")
    for number, ((topic, data), minute) in enumerate(history, 1):
        story.recorded = MONDAY + timedelta(hours=4, minutes=number)
        story.clock = MONDAY + timedelta(minutes=minute)
        if topic.startswith("record."):
            story.clock = story.recorded
        if (fit := fitting(story, topic, data)) is not None:
            story.add(topic, **fit)
    return story


def fitting(story, topic, data):
    """What can be recorded of it here; None for a correction of what is not there, or is one itself."""
    if not topic.startswith("record."):
        return data
    if data["position"] >= story.record.head():
        return None
    if topic == "record.retracted":
        return data
    target = story.record.events[data["position"] - 1].event
    if target.TOPIC.startswith("record."):
        return None
    return {**data, "value": rfc3339(MONDAY + timedelta(minutes=data["value"]))}


@given(histories)
@settings(max_examples=150, deadline=None)
def test_every_measure_is_what_the_recorded_events_make_it(history):
    """And the impact, and the time in each severity."""
    with tempfile.TemporaryDirectory() as folder:
        story = tell(Path(folder), history)
        try:
            note("\n".join(f"{each.position} {each.time} {each.event}" for each in story.record.events))
            if any(each[2] == "incident.declared" for each in counting(story.record.events)):
                found = told(story)
                until = datetime.fromisoformat(found["moment"])
                measured = {name: each["seconds"] for name, each in found["measures"].items()}
                assert measured == worked_out(story.record.events)
                assert found["impact"]["seconds"] == felt(story.record.events, until)
                assert found["severities"]["seconds"] == graded(story.record.events, until)
        finally:
            story.close()


def test_the_second_way_is_no_empty_promise(tmp_path):
    """It works out by itself what was worked out by hand."""
    story = Story(tmp_path)
    story.at("09:30").deployed("B")
    story.at("09:40").impact_started("INC-1")
    story.at("09:45").detected("INC-1", "SEV-1")
    story.at("09:47").declared("INC-1", "SEV-1")
    story.at("09:48").acknowledged("INC-1")
    story.at("09:52").decided("A", "RB-1")
    story.at("09:56").rolled_back("A", "RB-1")
    story.at("09:58").impact_ended("INC-1")
    story.at("10:05").rollback_verified("RB-1")
    story.at("10:10").resolved("INC-1")
    minutes = dict(zip(worked_out([]), (5, 2, 1, 5, 4, 9, 18, 23), strict=True))
    assert worked_out(story.record.events) == {name: 60 * each for name, each in minutes.items()}
    story.close()
