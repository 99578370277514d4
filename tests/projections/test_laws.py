"""
Laws that hold for every history, tried on histories made up at random (Hypothesis).

Few services, versions, digests and moments, so that they collide. Incidents
happen at odd minutes and all else at even ones: at one and the same instant
the order between a slot's and an incident's events would be anybody's guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ledger.contract import data_of
from ledger.events import Recorded
from ledger.values import instant, rfc3339
from projections.answers import Answers
from projections.facts import Moment
from projections.tables import Tables
from tests.projections import reference
from tests.projections.making import answers_for, append
from tests.projections.story import MONDAY, digest

SERVICES, PLACES = ["web", "api"], ["production", "staging"]
SLOTS = [(service, place) for service in SERVICES for place in PLACES]
END = MONDAY + timedelta(days=60)


def every(topic: str, **members_: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """An event of a type in all ways that its members' values can be put together."""
    names = [name.rstrip("_") for name in members_]
    return [(topic, dict(zip(names, values, strict=True))) for values in product(*members_.values())]


WEB = [{"service": "web", "environment": "production"}]
AFFECTED = [
    WEB,
    WEB,
    [*WEB, {"service": "api", "environment": "staging"}],
    [{"service": "api", "environment": "production"}],
    [],
]
SLOT = {"service": ["web"] * 4 + ["api"], "environment": ["production"] * 4 + ["staging"]}
PLACE = {"environment": ["production"] * 4 + ["staging"]}
V, D, W = ["A", "B", "C"], [None, None, digest("1"), digest("2")], ["why"]
R, X, NAMES = ["r1", "r2", "r3"], ["x1", "x2"], ["I1", "I2"]
LEVELS, TRUTH, RESIDUAL = ["SEV-1", "SEV-2", "SEV-3"], [None, True, False], [None, "unchanged", "partial"]

PLAIN = every("deployment.succeeded", deployment_id=["d"], version=V, **SLOT)
OTHER_DEPLOYMENTS = [
    *every("deployment.succeeded", deployment_id=["d"], version=V, digest=D, released=TRUTH, **SLOT),
    *every("deployment.started", deployment_id=["d"], version=V, digest=D, **SLOT),
    *every("deployment.failed", deployment_id=["d"], version=V, residual=RESIDUAL, **SLOT),
    *every("service.removed", **SLOT),
    *every("service.observed", running=[[{"version": "A"}]], **SLOT),
]
RELEASES = [
    *every("release.started", release_id=X, version=V, exposure=[None, 10, 100], digest=D, **SLOT),
    *every("release.exposed", release_id=X, version=V, exposure=[0, 50, 100], audience=[None, "beta"], **SLOT),
    *every("release.completed", release_id=X, version=V, digest=D, **SLOT),
    *every("release.completed", release_id=X, version=V, digest=D, **SLOT),
    *every("release.aborted", release_id=X, version=V, reason=W, **SLOT),
]
WORDS = [
    *every("release.verified_good", version=V, reason=W, **SLOT),
    *every("release.marked_bad", version=V, reason=W, incident=[None, *NAMES], **SLOT),
    *every("release.cleared", version=V, reason=W, **SLOT),
    *every("release.approved", version=V, digest=D, **SLOT),
    *every("release.approval_revoked", version=V, digest=[None, digest("1")], **SLOT),
]
ROLLBACKS = [
    *every(
        "rollback.decided", rollback_id=R, to_version=V, from_version=[None, None, *V], incident=[None, "I1"], **SLOT
    ),
    *every("rollback.started", rollback_id=R, to_version=V, **SLOT) * 2,
    *every("rollback.succeeded", rollback_id=R, to_version=V, mechanism=[None, "redeploy", "traffic"], **SLOT) * 2,
    *every("rollback.failed", rollback_id=R, to_version=V, residual=RESIDUAL, **SLOT),
    *every("rollback.cancelled", rollback_id=R, reason=W, **SLOT) * 2,
    *every("rollback.verified", rollback_id=R, reason=W, **SLOT) * 2,
    *every("rollback.ineffective", rollback_id=R, reason=W, **SLOT) * 2,
]
SURROUNDINGS = [
    *every("artifact.deleted", service=["web"], version=V, reason=W, digest=D),
    *every("artifact.quarantined", service=["web"], version=V, reason=W),
    *every("artifact.restored", service=["web"], version=V, reason=W) * 2,
    *every("artifact.checked", service=["web"], version=V, available=[True, False], digest=D),
    *every("environment.frozen", service=[None, "web"], until=[None, "2026-03-02T01:00:00Z"], reason=W, **PLACE),
    *every("environment.unfrozen", service=[None, "web"], reason=W, **PLACE),
    *every(
        "environment.configured",
        service=[None, "web"],
        soak_minutes=[None, 0, 4, 30],
        deployment_releases=TRUTH,
        **PLACE,
    ),
    *every("environment.configured", service=[None, "web"], valid_minutes=[4, 600], approval_required=TRUTH, **PLACE),
    *every("environment.configured", service=[None, "web"], promotes_from=["staging"], environment=["production"] * 3),
    *every("migration.applied", version=V, migration_id=["m"], reversibility=["irreversible", "additive"], **SLOT),
]
FIRST = [
    *every(
        "incident.detected",
        incident=NAMES,
        title=W,
        suggested_severity=[None, *LEVELS],
        affected=AFFECTED,
        kind=[None, None, "maintenance"],
    ),
    *every(
        "incident.declared",
        incident=NAMES,
        title=W,
        kind=["outage", "outage", "maintenance"],
        severity=LEVELS,
        affected=AFFECTED,
        mode=[None, None, "drill"],
    ),
    *every("incident.declared", incident=NAMES, title=W, kind=["outage"], severity=["SEV-1"] * 20, affected=[WEB]),
]
LATER = [
    *every("incident.acknowledged", incident=NAMES) * 2,
    *every("incident.severity_changed", incident=NAMES, from_=["SEV-3"], to=LEVELS, reason=W),
    *every("incident.affected_changed", incident=NAMES, add=[WEB, []], remove=[WEB, []]),
    *every("incident.impact_started", incident=NAMES, basis=["log"], window=[None, "w1"]),
    *every(
        "incident.version_implicated", incident=NAMES, version=V, reason=W, service=["web"], environment=["production"]
    ),
    *every(
        "incident.version_exonerated", incident=NAMES, version=V, reason=W, service=["web"], environment=["production"]
    ),
    *every("incident.cause_elsewhere", incident=NAMES, reason=W) * 2,
    *every("incident.mitigated", incident=NAMES, reason=W) * 2,
    *every("incident.resolved", incident=NAMES, reason=W) * 3,
    *every("incident.reopened", incident=NAMES, reason=W) * 2,
    *every("incident.cancelled", incident=NAMES, reason=W),
    *every("incident.merged", incident=NAMES, into=["I9"], reason=W),
    *every("incident.unmerged", incident=NAMES, into=["I9"], reason=W),
]
ONCE = {"incident.detected", "incident.declared"}
"""An incident that is detected twice was detected when?"""

SLOTS_FACTS = [PLAIN, PLAIN, PLAIN, OTHER_DEPLOYMENTS, ROLLBACKS, ROLLBACKS, RELEASES, WORDS, SURROUNDINGS]
# Most happens in one afternoon, close together; some of it days and weeks apart.
MINUTES = [*range(0, 60, 2), *range(60, 240, 10), 1440, 1500, 3000, 44_000, 50_000]
LATENESS = [0] * 7 + [10, 60, -30]
"""Minutes from happening to recording; a clock that runs ahead records before it happens."""

amendments = st.tuples(
    st.integers(1, 40),
    st.sampled_from(["retract", "time", "service", "environment", "version", "to_version"]),
    st.integers(0, 59),
)


class Told(list[Recorded]):
    """A record that reports of failures tell as a person would."""

    def __repr__(self) -> str:
        return "\n" + "\n".join(map(told, self))


def told(recorded: Recorded) -> str:
    said = {name: value for name, value in data_of(recorded.event).items() if name not in ("reason", "title", "kind")}
    late = "" if recorded.recorded_at == recorded.occurred_at else f" (recorded {recorded.recorded_at:%d %H:%M})"
    return f"{recorded.position:3} {recorded.occurred_at:%d %H:%M}{late} {recorded.event.TOPIC} {said}"


@st.composite
def histories(draw: st.DrawFn, *, amended: bool = True, incidents_too: bool = True) -> Told:
    """A record, in the order of happening or in any other."""
    groups = [*SLOTS_FACTS, FIRST, LATER, LATER] if incidents_too else SLOTS_FACTS
    kinds = st.sampled_from(groups).flatmap(st.sampled_from)
    size = draw(st.sampled_from([3, 12, 24]))
    happening = st.tuples(kinds, st.sampled_from(MINUTES), st.sampled_from(LATENESS))
    drafts = draw(st.lists(happening, min_size=size, max_size=size + 6))
    if draw(st.integers(0, 3)) < 3:
        drafts.sort(key=lambda each: each[1])
    # What an incident's contradictory times mean is told by examples, not by a law.
    minutes = iter(sorted(minute for (topic, _), minute, _ in drafts if topic.startswith("incident.")))
    changes = draw(st.lists(amendments, max_size=4)) if amended else []
    events = Told()
    for (topic, data), minute, late in drafts:
        incident = topic.startswith("incident.")
        first = (topic, data.get("incident"))
        if topic not in ONCE or first not in [(each.event.TOPIC, each.event.incident) for each in events]:
            append(events, topic, data, next(minutes) + 1 if incident else minute, 0 if incident else late)
        while changes and changes[0][0] <= len(events):
            amend(events, *changes.pop(0))
    return events


def amend(events: list[Recorded], position: int, what: str, number: int) -> None:
    """Corrects or retracts what was recorded at a position, a correction or a retraction too."""
    event: Any = events[position - 1].event
    minute = (events[-1].recorded_at - MONDAY) / timedelta(minutes=1)
    fit = hasattr(event, what) or (what == "time" and not event.TOPIC.startswith("incident."))
    if what == "retract" or event.TOPIC.startswith("record.") or not fit:
        append(events, "record.retracted", {"position": position, "reason": "why"}, minute, 0)
        return
    if what == "time":
        value = rfc3339(MONDAY + timedelta(minutes=2 * number))
    else:
        value = {"service": SERVICES, "environment": PLACES}.get(what, V)[number % 2]
    if event.TOPIC == "environment.configured" and what == "service" and event.service is None:
        value = None
    append(
        events, "record.corrected", {"position": position, "field": what, "value": value, "reason": "why"}, minute, 0
    )


# The answers, in the form of the reference


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """One file for all examples, emptied between them: making a file takes longer than most histories."""
    made = Tables(tmp_path_factory.mktemp("laws"))
    yield made
    made.close()


def fast(answers: Answers, slot: tuple[str, str], moment: Moment) -> dict[str, Any]:
    """What the projections answer, in the form of the reference."""
    with answers.at(moment) as reader:
        view = reader.view(*slot)
        reply = reader._slot(view)
        candidates = reader.candidates(*slot)["items"]
        told = reader.history(*slot, after=None, limit=1000)[::-1]
    reached = reply["target_reached"]
    return {
        "deployed": reply["deployed"] and (*_name(reply["deployed"]), instant(reply["deployed"]["since"])),
        "current": reply["current"]
        and (*_name(reply["current"]), instant(reply["current"]["since"]), reply["current"]["exposure"]),
        "open": {
            each["release_id"]: (*_name(each), each["exposure"], each.get("audience"), each.get("region"))
            for each in reply["exposures"]
            if "release_id" in each
        },
        "certain": reply["certain"],
        "last_known_good": reply["last_known_good"]
        and (*_name(reply["last_known_good"]), reply["last_known_good"]["basis"]),
        "rollback_target": reply["rollback_target"] and _name(reply["rollback_target"]),
        "target_reached": reached and (reached["rollback_id"], *_name(reached)),
        "active_incidents": sorted((each["id"], each["severity"], each["drill"]) for each in reply["active_incidents"]),
        "candidates": [
            (
                *_name(each),
                each["basis"],
                {reason["code"] for reason in each["blockers"]},
                {reason["code"] for reason in each["warnings"]},
            )
            for each in candidates
        ],
        "changes": [
            (each["position"], each["change"], each["version"] if each["change"] != "removed" else each["replaced"])
            for each in told
            if each["change"] not in (None, "redeploy") and "void" not in each
        ],
    }


def _name(reply: dict[str, Any]) -> tuple[str, str | None]:
    return reply["version"], reply["digest"]


def agrees_with_the_reference(tables: Tables, events: Sequence[Recorded], middle: int) -> None:
    note(repr(events))
    last, known = events[-1].recorded_at, events[middle % len(events)]
    answers = answers_for(tables, events)
    moments = [
        Moment(last, len(events), now=True),
        Moment(known.recorded_at, len(events)),
        Moment(known.recorded_at, known.position),
    ]
    for moment in moments:
        for slot in SLOTS if moment.now else SLOTS[:1]:
            note(f"{slot} at {moment}")
            assert fast(answers, slot, moment) == reference.answer(events, *slot, moment.as_of, moment.known_at)
    for place in PLACES:
        with answers.at(moments[0]) as reader:
            found = reader.plan(place, Moment(known.occurred_at, len(events)), [])
        told = {name: found[name] for name in ("appeared", "removed", "unchanged")}
        items = [(each["service"], _name(each["from"]), _name(each["to"])) for each in found["items"]]
        assert {**told, "items": items} == reference.plan(events, place, known.occurred_at, last, len(events))


def agrees_with_itself(tables: Tables, events: Sequence[Recorded], portions: Sequence[int], cut: int) -> None:
    """However it was taken in, now or as of now, with what came later or without."""
    note(f"{events!r}\nin portions of {portions}")
    whole = answers_for(tables, events)
    kept = dump(tables)
    last = events[-1].recorded_at
    as_of_now = [fast(whole, slot, Moment(last, len(events))) for slot in SLOTS]
    assert as_of_now == [fast(whole, slot, Moment(last, len(events), now=True)) for slot in SLOTS]
    position = cut % len(events) + 1
    then = events[position - 1].recorded_at
    known = [fast(whole, slot, Moment(then, position)) for slot in SLOTS]
    in_portions = answers_for(tables, events, portions)
    assert dump(tables) == kept
    assert as_of_now == [fast(in_portions, slot, Moment(last, len(events), now=True)) for slot in SLOTS]
    shorter = answers_for(tables, events[:position])
    assert known == [fast(shorter, slot, Moment(then, position, now=True)) for slot in SLOTS]


def is_foreseen(tables: Tables, events: Sequence[Recorded], stored: int) -> None:
    """What is answered of events that are decided is what is answered once they are stored."""
    moment = Moment(events[-1].recorded_at, len(events))
    with answers_for(tables, events).at(moment) as reader:
        expected = [reader.sight(*slot) for slot in SLOTS]
    answers = answers_for(tables, events[:stored])
    with answers.foreseen(moment, events[stored:]) as reader:
        assert [reader.sight(*slot) for slot in SLOTS] == expected


def dump(tables: Tables) -> dict[str, list[Any]]:
    """
    All rows of all tables, but for which batch wrote them, and for the index
    of slots with rollbacks, which may name one that has none any more.
    """
    found = {}
    for name in tables.db.table_names():
        if name == "decisions":
            continue
        rows = [{column: value for column, value in row.items() if column != "version"} for row in tables.db[name].rows]
        found[name] = sorted(rows, key=repr) if name != "search" else rows
    return found


@given(histories(), st.integers(0, 40))
@settings(max_examples=250, deadline=None)
def test_the_projections_answer_as_the_slow_reference_does(tables, events, middle):
    """Now, as of an earlier moment, and as known at an earlier position."""
    agrees_with_the_reference(tables, events, middle)


@given(histories(), st.lists(st.integers(0, 6), max_size=12), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_in_any_batching_now_or_as_of_now_and_known_at_or_cut_there_the_answers_are_the_same(
    tables, events, portions, cut
):
    """Rows too, whether they were kept up or built in one go."""
    agrees_with_itself(tables, events, portions, cut)


@given(histories(), st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_what_is_foreseen_of_events_is_what_is_answered_once_they_are_stored(tables, events, pending):
    """A person decides by what stands before their decision, stored or about to be."""
    note(repr(events))
    is_foreseen(tables, events, max(0, len(events) - pending))


@given(histories(amended=False), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_facts_that_happened_at_distinct_times_may_arrive_in_any_order(tables, events, random):
    """Only their times decide; an incident's own events keep the order of their recording."""
    distinct = list({each.occurred_at: each for each in events}.values())
    straight, shuffled = arriving(distinct), arriving(mixed(distinct, random))
    note(repr(Told(shuffled)))
    moments = [END + timedelta(days=1), *random.sample([each.occurred_at for each in distinct], min(2, len(distinct)))]
    expected = unplaced(answers_for(tables, straight), moments)
    assert unplaced(answers_for(tables, shuffled), moments) == expected


def mixed(events: Sequence[Recorded], random: Any) -> list[Recorded]:
    """In another order, but for the events of incidents among each other."""
    order = random.sample(events, len(events))
    kept = iter([each for each in events if each.event.TOPIC.startswith("incident.")])
    return [next(kept) if each.event.TOPIC.startswith("incident.") else each for each in order]


def arriving(events: Sequence[Recorded]) -> list[Recorded]:
    """Recorded in this order, all of them after the last has happened."""
    return [replace(each, position=place, recorded_at=END) for place, each in enumerate(events, 1)]


def unplaced(answers: Answers, moments: Sequence[datetime]) -> list[dict[str, Any]]:
    """The answers at some moments, without positions."""
    found = []
    for moment in moments:
        for slot in SLOTS[:2]:
            told = fast(answers, slot, Moment(moment, answers.reached))
            found.append({**told, "changes": [change[1:] for change in told["changes"]]})
    return found


@pytest.mark.slow
@given(histories(), st.lists(st.integers(0, 6), max_size=12), st.integers(0, 40))
@settings(max_examples=2500, deadline=None)
def test_all_of_this_for_many_more_histories(tables, events, portions, number):
    """The same laws, for longer."""
    agrees_with_the_reference(tables, events, number)
    agrees_with_itself(tables, events, portions, number)
    is_foreseen(tables, events, number % len(events))
