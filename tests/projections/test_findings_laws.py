"""
What must hold of findings whatever happens (Hypothesis).

They don't depend on how events came in groups; what is kept finds what is
found by folding everything; what is recorded later never changes what was
found before.
"""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ledger.events import Submitter
from projections import findings
from tests.projections.asking import BOB, RELAY
from tests.projections.story import MONDAY, MemoryRecord, Story, digest
from tests.projections.test_incident_laws import fitting, grown, moment_at, names, of, people, severities, versions

pytestmark = pytest.mark.slow

ODD = {"glass": Submitter("person-eve", "break_glass", "human"), "bob": BOB, "relay": RELAY, None: None}
"""Who records, where it is not who usually does."""

digests = st.sampled_from([None, None, digest("1"), digest("2")])
authors = st.sampled_from(["person-bob", "person-ada"])
positions = st.integers(1, 40)
rollbacks = st.sampled_from(["r1", "r2"])
flags = st.sampled_from([None, True, False])
some_name = names | st.none()
COMMITTED = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
WEB = {"service": "web", "environment": "production"}
slots = st.sampled_from([WEB, WEB, WEB, WEB | {"service": "shop"}, WEB | {"environment": "staging"}])
places = slots.map(lambda slot: {"environment": slot["environment"]})


def within(where, topic, **data):
    """Events of a type in a slot or environment that is drawn, with some members drawn."""
    return st.tuples(of(topic, **data), where).map(lambda pair: (pair[0][0], {**pair[0][1], **pair[1]}))


def here(topic, **data):
    return within(slots, topic, **data)


RELEASES = [
    *[here("deployment.succeeded", version=versions, digest=digests, author=authors)] * 3,
    *[here("deployment.succeeded", version=versions, committed_at=st.sampled_from(COMMITTED))] * 2,
    here("deployment.started", version=versions),
    here("release.started", version=versions, release_id=st.just("x")),
    here("release.completed", version=versions, release_id=st.just("x")),
    here("release.aborted", version=versions, release_id=st.just("x")),
    here("service.removed"),
    here("service.observed", running=st.lists(versions.map(lambda each: {"version": each}), max_size=2)),
    *[here("release.approved", version=versions, digest=digests, incident=some_name)] * 3,
    here("release.approval_revoked", version=versions),
    *(here(f"release.{word}", version=versions) for word in ("verified_good", "marked_bad", "cleared")),
    here("feature.disabled", feature=st.sampled_from(["search", "cart"]), incident=some_name),
]
ROLLBACKS = [
    *[here("rollback.decided", rollback_id=rollbacks, to_version=versions, to_digest=digests)] * 2,
    *(
        here(f"rollback.{step}", rollback_id=rollbacks, to_version=versions)
        for step in ("started", "succeeded", "failed")
    ),
    *(here(f"rollback.{word}", rollback_id=rollbacks) for word in ("cancelled", "verified", "ineffective")),
    here("rollback.declined", chosen=st.sampled_from(["none", "feature_disable"]), incident=some_name),
]
SURROUNDINGS = [
    within(places, "environment.frozen", until=st.sampled_from([None, "2026-03-02T03:00:00Z"])),
    within(places, "environment.unfrozen"),
    within(
        places,
        "environment.configured",
        service=st.sampled_from([None, "web"]),
        approval_required=flags,
        promotes_from=st.sampled_from([None, "staging"]),
        soak_minutes=st.sampled_from([None, 5, 20]),
    ),
    of("artifact.deleted", service=st.just("web"), version=versions),
]
INCIDENTS = [
    *[of("incident.declared", incident=names, severity=severities)] * 3,
    of("incident.severity_changed", incident=names, from_=severities, to=severities),
    of("incident.role_assigned", incident=names, role=st.just("commander"), person=people),
    of("incident.role_released", incident=names, role=st.just("commander"), person=people),
    *(of(f"incident.{step}", incident=names) for step in ("resolved", "reopened", "cancelled")),
    here("incident.version_implicated", incident=names, version=versions),
    of(
        "incident.classified",
        incident=names,
        regime=st.just("DORA"),
        classification=st.sampled_from(["major", "minor"]),
        criteria=st.just({}),
    ),
    of(
        "incident.reported",
        incident=names,
        regime=st.just("DORA"),
        kind=st.sampled_from(["initial", "final"]),
        reference=st.just("R"),
    ),
    of("postmortem.published", incident=names),
    of(
        "postmortem.action_added",
        incident=names,
        action_id=st.just("a"),
        text=st.just("t"),
        kind=st.just("test"),
        owner=people,
        due=st.sampled_from(["2026-03-02", "2026-03-04"]),
    ),
    of("postmortem.action_completed", incident=names, action_id=st.just("a")),
]
RECORD = [
    *[of("decision.seconded", position=positions)] * 2,
    of("finding.accepted", rule=st.sampled_from(findings.RULES), positions=st.lists(positions, min_size=1, max_size=3)),
    *[of("record.retracted", position=positions)] * 2,
    of("record.corrected", position=positions, field=st.just("time"), value=st.integers(0, 240)),
    of("record.corrected", position=positions, field=st.just("service"), value=st.sampled_from(["web", "shop"])),
    of("record.corrected", position=positions, field=st.just("version"), value=versions),
    of("access.revoked", subject=st.just("pipeline-1")),
]
groups = [RELEASES] * 5 + [ROLLBACKS] * 2 + [INCIDENTS] * 2 + [SURROUNDINGS, RECORD]
events = st.sampled_from(groups).flatmap(st.one_of)

steps = st.sampled_from([0, 1, 1, 1, 8, 90, 1500, 9000])
"""Minutes from one recording to the next."""

lateness = st.sampled_from([0, 0, 0, 0, 2, 30, 200, -10])
STRICT = {"environment": "production", "approval_required": True, "promotes_from": "staging"}
strict = st.sampled_from([[], [(("environment.configured", STRICT), 0, 0, None)]])


def told(least):
    several = st.lists(
        st.tuples(events, steps, lateness, st.sampled_from([*ODD, None, None])), min_size=least, max_size=30
    )
    return st.tuples(strict, several).map(lambda parts: [*parts[0], *parts[1]])


histories = told(1)


def tell(folder, history):
    """The events of a history that can be recorded."""
    story = Story(folder)
    now = MONDAY + timedelta(hours=1)
    for (topic, data), minutes, late, who in history:
        now += timedelta(minutes=minutes)
        story.recorded, story.clock = now, now - timedelta(minutes=0 if topic.startswith("record.") else late)
        fit = fitting(story, topic, data) if topic not in ("decision.seconded", "finding.accepted") else data
        named = [data["position"]] if topic == "decision.seconded" else data.get("positions", [])
        if fit is not None and all(each <= story.record.head() for each in named):
            story.add(topic, ODD[who], **fit)
    return story


def everything(answers, moment):
    """All findings at a moment, and those of one slot by themselves."""
    with answers.at(moment) as reader:
        found = [each.json() for each in findings.findings(reader, {})]
        return found, [
            each.json() for each in findings.findings(reader, {"service": "web", "environment": "production"})
        ]


def timeline(story):
    lines = (
        f"{each.position} {each.time} ({each.recorded_at:%d %H:%M}) {each.submitter.id} {each.event}"
        for each in story.record.events
    )
    return "\n".join(lines)


@given(histories, st.lists(st.integers(1, 5), max_size=8))
@settings(max_examples=80, deadline=None)
def test_how_events_came_in_groups_changes_nothing_and_now_is_as_folded(history, sizes):
    """Kept step by step, kept in one go, and folded from nothing: the same findings."""
    with tempfile.TemporaryDirectory() as folder:
        story = tell(Path(folder) / "told", history)
        note(timeline(story))
        head = story.record.head()
        if head == 0:
            story.close()
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
@settings(max_examples=80, deadline=None)
def test_what_is_recorded_later_never_changes_what_was_found_before(history, data):
    """`known_at` finds just what a ledger found that had heard no more: before a correction the old findings."""
    with tempfile.TemporaryDirectory() as folder:
        story = tell(Path(folder) / "told", history)
        note(timeline(story))
        if story.record.head() == 0:
            story.close()
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


def test_the_histories_are_rich_enough():
    """Else the laws would hold of nothing: among a few hundred, nearly every rule finds something."""
    seen = set()

    @given(told(20))
    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    def look(history):
        with tempfile.TemporaryDirectory() as folder:
            story = tell(Path(folder) / "told", history)
            try:
                if story.record.head():
                    moment = story.moment()
                    with story.answers.at(moment) as reader:
                        seen.update(each.rule for each in findings.findings(reader, {}))
            finally:
                story.close()

    look()
    assert len(seen) >= 28, set(findings.RULES) - seen
