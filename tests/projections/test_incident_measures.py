"""
Over many incidents: how long things took, of which of them that is not known, and which still go on.

Worked out by hand; and on histories made up at random against a slow
reference that goes through all raw events (Hypothesis).
"""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ledger.contract import members
from ledger.events import EVENTS
from ledger.values import rfc3339
from projections import incident_answers, incident_measures, periods
from projections.facts import Moment
from projections.incident_measures import answer
from projections.selection import Selection
from projections.tables import Tables
from tests.projections import reference_measures as reference
from tests.projections.making import answers_for, append, timeline
from tests.projections.story import MONDAY, time

MINUTE = 60
FIGURES = ("counted", "open", "by_severity", "left_out", "incidents", "measures")
LONG_AGO, FAR = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"


def asked(story, as_of=None, known_at=None, start=LONG_AGO, end=FAR, zone=UTC, **more):
    moment = story.moment(as_of, known_at)
    period = periods.period(time(start) if start else None, time(end) if end else None, zone, moment.as_of)
    with story.answers.at(moment) as reader:
        return answer(reader, Selection(period, **more))


def measure(story, name, **more):
    return asked(story, **more)["measures"][name]


def incident(story, name, declared, resolved, severity="SEV-2", **more):
    """Declared and resolved, and nothing else told."""
    story.at(declared).declared(name, severity, **more)
    if resolved is not None:
        story.at(resolved).resolved(name)


def three(story):
    """Resolved within 10, 20 and 90 minutes."""
    incident(story, "INC-1", "10:00", "10:10")
    incident(story, "INC-2", "11:00", "11:20")
    incident(story, "INC-3", "12:00", "13:30")


def test_the_median_the_ninetieth_percentile_and_each_value(story):
    """Worked out by hand: 10, 20 and 90 minutes; eight tenths of the way from 20 to 90 is 76."""
    three(story)
    found = measure(story, "time_to_resolve")
    assert (found["n"], found["missing"], found["open"], found["contradictory"]) == (3, 0, 0, 0)
    assert found["median"] == {"seconds": 20 * MINUTE, "positions": [3, 4]}
    assert found["p90"] == {"seconds": 76 * MINUTE, "positions": [3, 4, 5, 6]}
    assert [(each["incident"], each["seconds"]) for each in found["values"]] == [
        ("INC-1", 600),
        ("INC-2", 1200),
        ("INC-3", 5400),
    ]


def test_each_value_leads_to_its_incident_and_its_two_positions(story):
    """So that nobody has to believe it."""
    incident(story, "INC-1", "10:00", "10:10")
    assert measure(story, "time_to_resolve")["values"] == [
        {
            "incident": "INC-1",
            "seconds": 600,
            "contradictory": False,
            "from": {"name": "declared", "time": "2026-03-02T10:00:00Z", "position": 1},
            "to": {"name": "last resolved", "time": "2026-03-02T10:10:00Z", "position": 2},
        }
    ]


def test_no_mean_is_told_anywhere(story):
    """One long night would bend it."""
    three(story)
    assert "mean" not in str(asked(story, by="service")).replace("meant", "")


def test_what_is_not_known_is_counted_and_never_imputed(story):
    """With the time that is known of it."""
    three(story)
    story.at("14:00").declared("INC-4", "SEV-3")
    story.at("14:10").closed("INC-4")
    found = measure(story, "time_to_resolve")
    assert (found["n"], found["missing"]) == (3, 1)
    assert found["median"]["seconds"] == 20 * MINUTE
    (missing,) = found["missing_of"]
    assert (missing["incident"], missing["seconds"]) == ("INC-4", None)
    assert (missing["from"]["position"], missing["to"]["position"]) == (7, None)


def test_open_incidents_are_counted_apart(story):
    """What is known of them so far is told, and is no part of the median."""
    three(story)
    story.at("14:00").detected("INC-4")
    story.at("14:05").declared("INC-4", "SEV-1")
    story.at("14:06").acknowledged("INC-4")
    found = asked(story)
    assert (found["counted"], found["open"]) == (4, 1)
    assert found["by_severity"] == {"SEV-1": 1, "SEV-2": 3, "SEV-3": 0}
    resolve, declare = found["measures"]["time_to_resolve"], found["measures"]["time_to_declare"]
    assert (resolve["n"], resolve["missing"], resolve["open"]) == (3, 0, 1)
    assert (declare["n"], declare["missing"], declare["open"]) == (0, 3, 1)
    assert [(each["incident"], each["seconds"]) for each in declare["open_of"]] == [("INC-4", 300)]
    assert (declare["median"], declare["p90"]) == (None, None)


def test_a_reopened_incident_is_open_again(story):
    """Its first resolution was not the last."""
    incident(story, "INC-1", "10:00", "10:10")
    story.at("10:20").reopened("INC-1")
    found = measure(story, "time_to_resolve")
    assert (found["n"], found["open"], found["open_of"][0]["seconds"]) == (0, 1, 600)
    story.at("11:00").resolved("INC-1")
    assert measure(story, "time_to_resolve")["median"]["seconds"] == 3600


def test_drills_maintenance_cancelled_and_merged_are_left_out_and_counted(story):
    """Each for the first reason that there is."""
    incident(story, "INC-1", "10:00", "10:10")
    incident(story, "DRILL", "10:00", "10:01", mode="drill", kind="maintenance")
    incident(story, "WORK", "10:00", "10:02", kind="maintenance")
    incident(story, "NOTHING", "10:00", None)
    story.at("10:03").incident_cancelled("NOTHING")
    incident(story, "SAME", "10:00", None)
    story.at("10:04").merged("SAME", "INC-1")
    story.at("10:05").detected("SEEN")
    found = asked(story)
    assert (found["counted"], found["measures"]["time_to_resolve"]["n"]) == (1, 1)
    assert found["left_out"] == {
        "drill": {"n": 1, "incidents": ["DRILL"]},
        "maintenance": {"n": 1, "incidents": ["WORK"]},
        "cancelled": {"n": 1, "incidents": ["NOTHING"]},
        "merged": {"n": 1, "incidents": ["SAME"]},
        "undeclared": {"n": 1, "incidents": ["SEEN"]},
    }
    story.at("11:00").unmerged("SAME", "INC-1")
    assert asked(story)["counted"] == 2


def test_contradictory_times_are_shown_and_counted_where_they_are(story):
    """Resolved before it was declared: nothing put right, nothing hidden."""
    three(story)
    story.at("14:00").declared("INC-4", "SEV-1")
    story.at("13:00", recorded="14:30").resolved("INC-4")
    found = measure(story, "time_to_resolve")
    assert (found["n"], found["contradictory"]) == (4, 1)
    assert [(each["seconds"], each["contradictory"]) for each in found["values"]] == [
        (-3600, True),
        (600, False),
        (1200, False),
        (5400, False),
    ]
    assert found["median"]["seconds"] == 15 * MINUTE


def test_an_incident_belongs_to_the_period_of_its_declaration(story):
    """The start is part of a period and the end is not, whenever it was resolved."""
    three(story)
    found = [each["incident"] for each in asked(story, start="11:00", end="12:00")["incidents"]]
    assert found == ["INC-2"]
    assert asked(story, start="10:30", end="11:00")["counted"] == 0
    assert measure(story, "time_to_resolve", start="12:00", end="12:01")["n"] == 1


def test_without_an_end_a_period_holds_what_was_declared_at_the_very_moment(story):
    """A responder who asks at once sees it."""
    story.at("10:00").declared("INC-1", "SEV-1")
    found = asked(story, start=None, end=None)
    assert (found["from"], found["to"], found["counted"]) == (None, None, 1)


def test_as_of_an_earlier_moment_it_was_open(story):
    """The same question, then and now."""
    three(story)
    then = measure(story, "time_to_resolve", as_of="12:30")
    assert (then["n"], then["open"]) == (2, 1)
    early = measure(story, "time_to_resolve", as_of="10:05")
    assert (early["n"], early["open"]) == (0, 1)
    assert asked(story, as_of="09:00")["counted"] == 0


def test_a_correction_counts_from_its_recording_on(story):
    """`known_at` brings the old figure back."""
    three(story)
    corrected = story.at("14:00").corrected(2, "time", "2026-03-02T10:05:00Z")
    assert measure(story, "time_to_resolve")["values"][0]["seconds"] == 300
    assert measure(story, "time_to_resolve", known_at=corrected - 1)["values"][0]["seconds"] == 600


def test_a_service_and_an_environment_narrow_together(story):
    """One slot must match both; an incident of two slots is counted once in all."""
    both = [{"service": "web", "environment": "staging"}, {"service": "shop", "environment": "production"}]
    incident(story, "INC-1", "10:00", "10:10", affected=both)
    assert asked(story, service="web")["counted"] == 1
    assert asked(story, environment="production")["counted"] == 1
    assert asked(story, service="web", environment="production")["counted"] == 0
    assert asked(story, service="shop", environment="production")["counted"] == 1
    assert asked(story)["counted"] == 1


def test_a_team_is_who_owns_the_slot(story):
    """The service's own owner goes before the environment's."""
    story.at("09:00").configured(environment="production", owner="platform")
    story.configured(environment="production", service="shop", owner="checkout")
    incident(story, "INC-1", "10:00", "10:10")
    incident(story, "INC-2", "10:00", "10:20", affected=[{"service": "shop", "environment": "production"}])
    incident(story, "INC-3", "10:00", "10:30", affected=[{"service": "shop", "environment": "staging"}])
    assert [each["incident"] for each in asked(story, team="checkout")["incidents"]] == ["INC-2"]
    assert [each["incident"] for each in asked(story, team="platform")["incidents"]] == ["INC-1"]
    groups = asked(story, by="team")["groups"]
    assert [(each["group"], each["incidents"][0]["incident"]) for each in groups] == [
        ("checkout", "INC-2"),
        ("platform", "INC-1"),
        (None, "INC-3"),
    ]


def test_an_owner_that_was_redacted_is_nobodys_team(story):
    """The words are gone."""
    position = story.at("09:00").configured(environment="production", owner="Ada Lovelace")
    incident(story, "INC-1", "10:00", "10:10")
    story.redacted(position, "owner")
    assert [each["group"] for each in asked(story, by="team")["groups"]] == [None]


def test_by_service_each_has_its_own_and_an_incident_is_in_each_that_it_affects(story):
    """The groups overlap; all together count it once."""
    both = [{"service": "web", "environment": "production"}, {"service": "shop", "environment": "production"}]
    incident(story, "INC-1", "10:00", "10:10", affected=both)
    incident(story, "INC-2", "11:00", "11:20")
    incident(story, "INC-3", "12:00", "12:30", affected=[])
    found = asked(story, by="service")
    assert [(each["group"], each["counted"]) for each in found["groups"]] == [("shop", 1), ("web", 2), (None, 1)]
    assert found["counted"] == 3
    only = asked(story, by="environment", service="web")["groups"]
    assert [(each["group"], each["counted"]) for each in only] == [("production", 2)]


def test_by_month_and_week_those_without_any_are_there_too(story):
    """From the first to the last that has any; each says from when to when it is."""
    incident(story, "INC-1", "10:00", "10:10")
    incident(story, "INC-2", "+21d 10:00", "+21d 10:10")
    weeks = asked(story, by="week")["groups"]
    assert [(each["group"], each["counted"]) for each in weeks] == [
        ("2026-W10", 1),
        ("2026-W11", 0),
        ("2026-W12", 0),
        ("2026-W13", 1),
    ]
    assert weeks[0]["part"] == {"whole": True, "from": "2026-03-02T00:00:00Z", "to": "2026-03-09T00:00:00Z"}
    assert weeks[3]["part"] == {"whole": False, "from": "2026-03-23T00:00:00Z", "to": "2026-03-23T10:10:00.000001Z"}
    assert [(each["group"], each["counted"]) for each in asked(story, by="month")["groups"]] == [("2026-03", 2)]


def test_a_month_begins_by_the_clock_of_the_zone(story):
    """Over the change of the clocks: the last hour of March in London is of March, and not of April."""
    incident(story, "INC-1", "2026-03-31T22:30:00Z", "2026-03-31T23:00:00Z")
    incident(story, "INC-2", "2026-03-31T23:30:00Z", "2026-04-01T00:00:00Z")
    in_london = asked(story, by="month", zone=ZoneInfo("Europe/London"))["groups"]
    assert [(each["group"], each["counted"]) for each in in_london] == [("2026-03", 1), ("2026-04", 1)]
    assert [each["group"] for each in asked(story, by="month")["groups"]] == ["2026-03"]


def test_of_nothing_everything_is_empty(story):
    """No incident, no figure, no zero."""
    found = asked(story, by="month")
    assert (found["counted"], found["groups"]) == (0, [])
    assert found["measures"]["time_to_detect"] == {
        "n": 0,
        "missing": 0,
        "open": 0,
        "contradictory": 0,
        "median": None,
        "p90": None,
        "values": [],
        "missing_of": [],
        "open_of": [],
    }


def test_a_decision_that_names_no_incident_belongs_where_it_falls(story):
    """As in the answer about the incident alone."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:04").decided("A", "RB-1")
    story.at("10:05").resolved("INC-1")
    story.at("10:06").rolled_back("A", "RB-1")
    story.at("10:10").rollback_verified("RB-1")
    found = asked(story)["measures"]
    assert [found[name]["median"]["seconds"] for name in ("time_to_decide", "time_to_execute", "time_to_verify")] == [
        240,
        120,
        240,
    ]


# Made up at random, against the reference

NAMES = ["I1", "I2", "I3"]
SLOTS = [{"service": "web", "environment": "production"}, {"service": "shop", "environment": "staging"}]
names, slots = st.sampled_from(NAMES), st.sampled_from(SLOTS)
levels, why = st.sampled_from(["SEV-1", "SEV-2", "SEV-3"]), st.just("why")
some = st.lists(slots, max_size=2, unique_by=str)
versions, rollback_ids = st.sampled_from("AB"), st.sampled_from(["r1", "r2"])


def of(topic, **drawn):
    return st.tuples(st.just(topic), st.fixed_dictionaries(drawn))


def in_slot(topic, **drawn):
    return st.tuples(of(topic, **drawn), slots).map(lambda pair: (pair[0][0], {**pair[0][1], **pair[1]}))


maybe = st.one_of(st.none(), names)
window = st.sampled_from([None, None, "eu"])
drafts = st.one_of(
    of("incident.detected", incident=names, title=why, affected=some, kind=st.sampled_from([None, "maintenance"])),
    of("incident.declared", incident=names, title=why, affected=some, severity=levels, kind=st.just("outage")),
    of("incident.declared", incident=names, title=why, affected=some, severity=levels, kind=st.just("outage")),
    of(
        "incident.declared",
        incident=names, title=why, affected=some, severity=levels,
        kind=st.sampled_from(["outage", "maintenance"]),
        mode=st.sampled_from([None, "drill"]),
    ),
    of("incident.acknowledged", incident=names),
    st.builds(lambda pair, to: (pair[0], {**pair[1], "from": "SEV-3", "to": to, "reason": "why"}),
              of("incident.severity_changed", incident=names), levels),
    of("incident.affected_changed", incident=names, add=some, remove=some),
    of("incident.impact_started", incident=names, basis=st.just("log"), window=window, affected=some),
    of("incident.impact_ended", incident=names, basis=st.just("log"), window=window),
    of("incident.note_added", incident=names, text=why),
    *(of(f"incident.{step}", incident=names, reason=why) for step in "mitigated resolved resolved closed".split()),
    *(of(f"incident.{step}", incident=names, reason=why) for step in "cancelled reopened reopened".split()),
    of("incident.merged", incident=names, into=names, reason=why),
    of("incident.unmerged", incident=names, into=names, reason=why),
    in_slot("deployment.succeeded", deployment_id=st.just("d"), version=versions),
    in_slot("rollback.decided", rollback_id=rollback_ids, to_version=versions, incident=maybe),
    in_slot("rollback.declined", chosen=st.just("none"), reason=why, incident=maybe),
    in_slot("rollback.succeeded", rollback_id=rollback_ids, to_version=versions, incident=maybe),
    in_slot("rollback.verified", rollback_id=rollback_ids, reason=why, incident=maybe),
    of(
        "environment.configured",
        environment=st.sampled_from(["production", "staging"]),
        service=st.sampled_from([None, "web"]),
        owner=st.sampled_from(["ana", "ben"]),
    ),
)  # fmt: skip
changes = st.tuples(
    st.sampled_from(["retract", "time", "incident", "service", "severity"]), st.integers(1, 40), st.integers(0, 600)
)
histories = st.lists(
    st.tuples(
        st.one_of(drafts, drafts, drafts, drafts, changes), st.integers(0, 600), st.sampled_from([0, 0, 0, 30, -9])
    ),
    min_size=1,
    max_size=30,
)
"""Events in the order they are recorded, each with the minute at which it happened, and how late it is told."""


def made(history):
    events = []
    for draft, minute, late in history:
        if len(draft) == 2:
            append(events, *draft, minute, late)
        else:
            amend(events, *draft)
    return events


def amend(events, what, position, number):
    """Corrects or retracts what was recorded at a position, where that can be."""
    if position > len(events):
        return
    minute = (events[-1].recorded_at - MONDAY) / timedelta(minutes=1)
    event = events[position - 1].event
    fits = what == "time" or what in members(EVENTS[event.TOPIC])
    if what == "retract" or event.TOPIC.startswith("record.") or not fits:
        append(events, "record.retracted", {"position": position, "reason": "why"}, minute, 0)
        return
    moment = rfc3339(MONDAY + timedelta(minutes=number))
    value = {"time": moment, "incident": NAMES[number % 3], "service": ["web", "shop"][number % 2]}
    corrected = {"field": what, "value": value.get(what, "SEV-1"), "position": position, "reason": "why"}
    append(events, "record.corrected", corrected, minute, 0)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    found = Tables(tmp_path_factory.mktemp("measures"))
    yield found
    found.close()


def fast(group):
    """What is answered, in the form of the reference."""
    aside = [f"{name} {why}" for why, each in group["left_out"].items() for name in each["incidents"]]
    found = {
        "left_out": sorted(aside),
        "counted": sorted(each["incident"] for each in group["incidents"]),
        "open": sorted(each["incident"] for each in group["incidents"] if each["open"]),
    }
    for name, each in group["measures"].items():
        assert [value["seconds"] for value in each["values"]] == sorted(value["seconds"] for value in each["values"])
        found[name] = {
            "over": {one["incident"]: pair(one) for one in [*each["values"], *each["missing_of"]]},
            "open": {one["incident"]: pair(one) for one in each["open_of"]},
            "counts": tuple(each[count] for count in ("n", "missing", "open", "contradictory")),
            "quantiles": tuple(each[one] and whole(each[one]["seconds"]) for one in ("median", "p90")),
        }
    return found


def pair(value):
    length = None if value["seconds"] is None else whole(value["seconds"])
    return length, value["from"]["position"], value["to"]["position"]


def whole(seconds):
    return round(seconds * 1_000_000)


def agrees_with_the_reference(tables, events, middle, start, length, narrowed):
    note(timeline(events))
    answers, last = answers_for(tables, events), events[-1].recorded_at
    known = events[middle % len(events)]
    begin, end = MONDAY + timedelta(minutes=start), MONDAY + timedelta(minutes=start + length)
    for moment in (
        Moment(last, len(events), now=True),
        Moment(known.recorded_at, len(events)),
        Moment(known.recorded_at, known.position),
    ):
        period = periods.period(begin, end, UTC, moment.as_of)
        with answers.at(moment) as reader:
            found = answer(reader, Selection(period, **narrowed))
            alone = alone_of(reader, found)
        expected = reference.over_many(events, moment.as_of, moment.known_at, begin, end, **narrowed)
        assert fast(found) == expected
        assert alone == {name: each for name, each in found_of(found).items() if name in alone}


def alone_of(reader, found):
    """The measures of each counted incident, as the answer about it alone has them."""
    told = [each["incident"] for each in found["incidents"]]
    return {each: incident_answers.incident(incident_answers.story(reader, each))["measures"] for each in told}


def found_of(found):
    told = {}
    for name, each in found["measures"].items():
        for value in [*each["values"], *each["missing_of"], *each["open_of"]]:
            kept = {member: value[member] for member in ("seconds", "from", "to")}
            told.setdefault(value["incident"], {})[name] = kept
    return told


narrowings = st.sampled_from([{}, {"service": "web"}, {"environment": "staging"}, {"team": "ana"}])


@given(histories.map(made).filter(bool), st.integers(0, 40), st.integers(-10, 300), st.integers(1, 700), narrowings)
@settings(max_examples=150, deadline=None)
def test_the_measures_are_those_of_the_slow_reference(tables, events, middle, start, length, narrowed):
    """Now, as of an earlier moment, and as known then; of each incident just what is answered about it alone."""
    agrees_with_the_reference(tables, events, middle, start, length, narrowed)


@pytest.mark.slow
@given(histories.map(made).filter(bool), st.integers(0, 40), st.integers(-10, 300), st.integers(1, 700), narrowings)
@settings(max_examples=2500, deadline=None)
def test_they_are_for_many_more_histories(tables, events, middle, start, length, narrowed):
    """The same, for longer."""
    agrees_with_the_reference(tables, events, middle, start, length, narrowed)


@given(histories.map(made).filter(bool), st.sampled_from(["service", "environment", "team", "month", "week"]))
@settings(max_examples=60, deadline=None)
def test_a_group_is_what_is_answered_when_one_asks_for_it_alone(tables, events, by):
    """By name it is the answer narrowed to it, by month or week that of the part of the period."""
    answers, last = answers_for(tables, events), events[-1].recorded_at
    begin, end = MONDAY - timedelta(days=20), MONDAY + timedelta(days=20)
    with answers.at(Moment(last, len(events), now=True)) as reader:
        groups = answer(reader, Selection(periods.period(begin, end, UTC, last), by=by))["groups"]
        for each in groups:
            if each["part"] is None:
                chosen = Selection(periods.period(begin, end, UTC, last), **{by: each["group"]})
            else:
                first, until = each["part"]["from"], each["part"]["to"]
                chosen = Selection(periods.period(time(first), time(until), UTC, last))
            if each["group"] is not None:
                alone = answer(reader, chosen)
                assert {name: alone[name] for name in FIGURES} == {name: each[name] for name in FIGURES}


def test_why_an_incident_is_left_out_has_an_order():
    """So that the numbers add up."""
    assert incident_measures.LEFT_OUT == ("drill", "maintenance", "cancelled", "merged", "undeclared")
