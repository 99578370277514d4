"""The first minute: what happened, what speaks, who is on call, what is asked for, how far a rollback is."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from projections.comparison import compare
from projections.facts import Moment
from projections.situation import TOLD
from projections.tables import Tables
from tests.projections.making import answers_for, append, timeline
from tests.projections.story import MONDAY, rfc3339, time

HERE = {"service": "web", "environment": "production"}


@pytest.fixture
def now(story):
    """The situation of a slot at a moment."""

    def ask(as_of=None, known_at=None, service="web", environment="production"):
        with story.answers.at(story.moment(as_of, known_at)) as reader:
            return reader.situation(service, environment)

    return ask


@pytest.fixture
def shift(story):
    def tell(person, start, end, rota="shop", **data):
        times = {"from": rfc3339(time(start)), "to": rfc3339(time(end))}
        return story.add("oncall.assigned", rota=rota, person=person, **times, **data)

    return tell


def bad_release(story):
    """A, soaked, then B, then a SEV-1."""
    story.at("08:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:10").declared("INC-1", "SEV-1")


# What it holds


def test_it_is_the_reply_for_the_slot_and_more(story, now):
    """Word for word, so that the two cannot disagree."""
    bad_release(story)
    situation, slot = now(), story.slot()
    assert {name: situation[name] for name in slot} == slot
    assert (situation["current"]["version"], situation["rollback_target"]["version"]) == ("B", "A")


def test_of_what_nothing_is_known_there_is_no_situation(story, now):
    """A mistyped name must not look like calm; an alert for a slot that nobody deployed is a situation."""
    story.at("10:00").deployed("A")
    assert now(service="wbe") is None
    story.at("10:01").add("alert.fired", fingerprint="f", name="n", service="new", environment="production")
    assert now(service="new")["alerts"][0]["fingerprint"] == "f"
    story.at("10:02").declared("INC-1", "SEV-1", affected=[{"service": "newer", "environment": "production"}])
    assert now(service="newer")["incidents"][0]["id"] == "INC-1"


def test_recent_tells_each_deployment_once_as_it_last_was(story, now):
    """Four groups of steps, each told by its last; what is on its way apart."""
    story.at("08:00").deploying("A", deployment_id="d1")
    story.at("08:05").deployed("A", deployment_id="d1")
    story.at("09:00").deploying("B", deployment_id="d2")
    story.at("09:05").deployment_failed("B", "unchanged", deployment_id="d2")
    story.at("10:00").deploying("C", deployment_id="d3")
    recent = now()["recent"]
    assert [(each["reference"], each["type"]) for each in recent["deployments"]] == [
        ("d3", "deployment.started"),
        ("d2", "deployment.failed"),
        ("d1", "deployment.succeeded"),
    ]
    (flying,) = recent["in_flight"]
    assert (flying["kind"], flying["reference"], flying["version"], flying["age_seconds"]) == (
        "deployment",
        "d3",
        "C",
        0,
    )


def test_recent_tells_features_configuration_migrations_and_releases_on_their_way(story, now):
    """Not every bad change is a deployment."""
    story.at("08:00").deployed("A", released=True)
    story.at("09:00").feature_enabled("search")
    story.at("09:01").reconfigured("c-1")
    story.at("09:02").migrated("m-1", "A", "irreversible")
    story.at("09:03").release_started("B", 5)
    story.at("09:04").exposed("B", 20)
    recent = now()["recent"]
    assert [each["reference"] for each in recent["features"]] == ["search"]
    assert [each["reference"] for each in recent["configuration"]] == ["c-1"]
    assert [each["reference"] for each in recent["migrations"]] == ["m-1"]
    assert [each["type"] for each in recent["releases"]] == ["release.exposed"]
    (flying,) = recent["in_flight"]
    assert (flying["kind"], flying["version"], flying["exposure"]) == ("release", "B", 20)


def test_lists_of_recent_things_are_short_and_begin_with_the_newest(story, now):
    """A screenful, not a history."""
    for number in range(TOLD + 4):
        story.at(f"08:{number:02}").deployed(f"v{number}")
    versions = [each["version"] for each in now()["recent"]["deployments"]]
    assert versions == [f"v{number}" for number in range(TOLD + 3, 3, -1)]


def test_elsewhere_tells_other_services_changes_of_the_last_two_hours(story, now):
    """Of this environment, the newest first, each once."""
    story.at("07:59").deployed("A")
    story.at("08:00").deployed("1", service="old")
    story.at("09:00").deploying("2", service="shop", deployment_id="d")
    story.at("09:05").deployed("2", service="shop", deployment_id="d")
    story.at("09:10").feature_enabled("dark", service="search")
    story.at("09:20").deployed("3", service="shop", environment="staging")
    story.at("10:01").deployed("B")
    told = [(each["service"], each["type"], each["what"]) for each in now()["elsewhere"]]
    assert told == [("search", "feature.enabled", "dark"), ("shop", "deployment.succeeded", "2")]
    assert [each["service"] for each in now("09:04")["elsewhere"]] == ["shop", "old"]


def test_a_change_elsewhere_that_was_corrected_away_is_not_told(story, now):
    """It was somewhere else after all."""
    story.at("10:00").deployed("A")
    position = story.at("10:01").deployed("2", service="shop")
    story.at("10:02").corrected(position, "environment", "staging")
    assert now()["elsewhere"] == []


# Who


def test_responsible_is_the_commander_else_the_owner_else_who_is_on_call(story, now, shift):
    """The service's own owner before the environment's."""
    story.at("08:00").deployed("A")
    assert now()["responsible"] is None
    shift("Ana", "00:00", "23:00", contact="+43 1")
    assert now()["responsible"] == {"person": "Ana", "as": "on_call", "of": "shop", "contact": "+43 1"}
    story.at("08:10").configured(owner="Team")
    story.at("08:11").configured(owner="Olga", service="web")
    assert now()["responsible"] == {"person": "Olga", "as": "owner", "of": None, "contact": None}
    story.at("09:00").declared("INC-1", "SEV-2")
    assert now()["responsible"]["as"] == "owner"
    story.add("incident.role_assigned", incident="INC-1", role="commander", person="Chi")
    assert now()["responsible"] == {"person": "Chi", "as": "commander", "of": "INC-1", "contact": None}
    story.at("09:30").resolved("INC-1")
    assert now()["responsible"]["person"] == "Olga"


def test_a_drills_commander_is_not_responsible_for_the_real_thing(story, now, shift):
    """A drill is marked, and never counted."""
    story.at("08:00").deployed("A")
    shift("Ana", "00:00", "23:00")
    story.at("09:00").declared("DRILL-1", "SEV-1", mode="drill")
    story.add("incident.role_assigned", incident="DRILL-1", role="commander", person="Chi")
    assert now()["responsible"]["person"] == "Ana"
    assert now()["incidents"][0]["drill"] is True


def test_on_call_changes_hands_at_the_moment_that_is_asked_about(story, now, shift):
    """Two shifts, one answer each."""
    story.at("08:00").deployed("A")
    shift("Ana", "00:00", "10:00", services=["web"])
    shift("Ben", "10:00", "20:00", services=["web"])
    story.at("10:30").deployed("B")
    assert [each["person"] for each in now("09:59")["on_call"]] == ["Ana"]
    assert [each["person"] for each in now()["on_call"]] == ["Ben"]


# What the severity asks for


def test_the_gravest_active_incident_says_what_is_expected_with_its_clock(story, now):
    """The clock begins when the severity was reached, not when the incident began."""
    story.at("08:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:05").declared("INC-2", "SEV-2")
    story.at("10:20").severity_changed("INC-1", "SEV-3", "SEV-1")
    found = now("10:20")
    assert [each["id"] for each in found["incidents"]] == ["INC-1", "INC-2"]
    assert found["expected_response"]["text"] == "roll back at once, no debate"
    story.at("10:30").feature_enabled("f")
    expected = now()["expected_response"]
    assert (expected["incident"], expected["severity"], expected["seconds"]) == ("INC-1", "SEV-1", 600)
    assert now("10:19")["expected_response"]["severity"] == "SEV-2"


def test_planned_work_is_shown_and_asks_for_nothing(story, now):
    """What counts goes before it; a drill asks, since that is what is practised."""
    story.at("08:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-1", kind="maintenance")
    assert ([each["id"] for each in now()["incidents"]], now()["expected_response"]) == (["INC-1"], None)
    story.at("10:05").declared("INC-2", "SEV-2", mode="drill")
    assert now()["expected_response"]["incident"] == "INC-2"
    story.at("10:10").declared("INC-3", "SEV-3")
    assert now()["incidents"][0]["id"] == "INC-3"


def test_a_resolved_incident_asks_for_nothing(story, now):
    """And what affects another slot is not told here."""
    bad_release(story)
    story.at("10:20").declared("INC-2", "SEV-1", affected=[{"service": "shop", "environment": "production"}])
    story.at("10:30").resolved("INC-1")
    found = now()
    assert (found["incidents"], found["expected_response"]) == ([], None)


def test_what_a_machine_detected_and_nobody_declared_is_told_apart(story, now):
    """For a day; then it is history."""
    story.at("08:00").deployed("A")
    story.at("09:00").detected("INC-1", "SEV-1")
    assert now()["incidents"] == []
    (noticed,) = now()["undeclared"]
    assert (noticed["id"], noticed["suggested_severity"]) == ("INC-1", "SEV-1")
    story.at("+1d 09:01").deployed("B")
    assert now()["undeclared"] == []


# How far a rollback is


def test_a_rollback_is_told_as_decided_claimed_reached_and_verified(story, now):
    """Four states, each with its moment, and who decided."""
    bad_release(story)
    assert now()["rollback"] is None
    story.at("10:12").decided("A", "R1", from_version="B", incident="INC-1", decided_by="Ana")
    pending = now("10:12")["rollback"]
    assert (pending["told"], pending["to_version"], pending["decided_by"]) == ("pending", "A", "Ana")
    story.at("10:13").rollback_started("A", "R1")
    claimed = now()["rollback"]
    assert (claimed["told"], claimed["age_seconds"]) == ("claimed", 60)
    story.at("10:14").rolled_back("A", "R1")
    reached = now()
    assert (reached["rollback"]["told"], reached["target_reached"]["version"]) == ("target_reached", "A")
    assert reached["rollback_target"] is None
    story.at("10:20").rollback_verified("R1")
    assert now()["rollback"]["told"] == "verified"


def test_a_decision_that_was_never_executed_is_told_as_lapsed(story, now):
    """So that nobody waits for it."""
    bad_release(story)
    story.at("10:12").decided("A", "R1", from_version="B", incident="INC-1")
    assert now("10:12")["rollback"]["told"] == "pending"
    story.at("11:13").feature_enabled("f")
    assert now()["rollback"]["told"] == "lapsed"


@pytest.mark.parametrize("by", ["rolled_back", "deployed"])
def test_a_rollback_that_nobody_decided_is_told_as_undecided(story, now, by):
    """Whether a pipeline says so, or a deployment just returns to an older version."""
    bad_release(story)
    if by == "rolled_back":
        story.at("10:20").rolled_back("A", "R9")
    else:
        story.at("10:20").deployed("A")
    rollback = now()["rollback"]
    assert rollback["told"] == "undecided"
    assert rollback["decided"] is None
    assert "A" in (rollback["went_to"], rollback["to_version"])


@pytest.mark.parametrize("by", ["rolled_back under the same name", "rolled_back under another", "deployed"])
def test_a_rollback_to_another_version_than_decided_is_told_as_such(story, now, by):
    """What was decided, and where it went."""
    story.at("07:00").deployed("Z")
    bad_release(story)
    story.at("10:12").decided("A", "R1", from_version="B", incident="INC-1")
    story.at("10:15")
    if by == "deployed":
        story.deployed("Z")
    else:
        story.rolled_back("Z", "R1" if "same" in by else "R2")
    rollback = now()["rollback"]
    assert (rollback["told"], rollback["to_version"], rollback["went_to"]) == ("other_version", "A", "Z")


def test_a_rollback_that_did_not_help_is_told_as_ineffective(story, now):
    """It was executed all the same."""
    bad_release(story)
    story.at("10:12").decided("A", "R1", from_version="B", incident="INC-1")
    story.at("10:14").rolled_back("A", "R1")
    story.at("10:30").rollback_ineffective("R1")
    assert now()["rollback"]["told"] == "ineffective"


def test_a_failed_rollback_is_told_as_failed_and_a_cancelled_one_as_cancelled(story, now):
    """Neither is waiting for anybody."""
    bad_release(story)
    story.at("10:12").decided("A", "R1", from_version="B")
    story.at("10:13").rollback_started("A", "R1")
    story.at("10:14").rollback_failed("A", "R1")
    assert now()["rollback"]["told"] == "failed"
    story.at("10:15").decided("A", "R2", from_version="B")
    story.at("10:16").rollback_cancelled("R2")
    assert now()["rollback"]["told"] == "cancelled"


def test_a_rollback_is_news_for_a_day_and_as_long_as_its_incident_is_active(story, now):
    """Then it belongs into the history."""
    bad_release(story)
    story.at("10:12").decided("A", "R1", from_version="B", incident="INC-1")
    story.at("10:14").rolled_back("A", "R1")
    story.at("10:20").rollback_verified("R1")
    story.at("+2d 10:00").feature_enabled("f")
    assert now()["rollback"]["told"] == "verified"
    story.at("+2d 10:01").resolved("INC-1")
    assert now()["rollback"] is None


# Freshness


def test_silence_is_told_apart_from_calm(story, now):
    """The age of each feed's last event, of any slot and of this one."""
    story.at("08:00").deployed("A")
    story.at("09:00").add("alert.fired", fingerprint="f", name="n", service="shop", environment="production")
    story.at("09:30").add("alert.fired", fingerprint="g", name="n", **HERE)
    story.at("09:40").add("alert.fired", fingerprint="h", name="n", service="shop", environment="production")
    story.at("10:00").observed("A")
    fresh = now()["freshness"]
    assert fresh["alerts"] == {"age_seconds": 1200, "slot_age_seconds": 1800}
    assert fresh["deployments"] == {"age_seconds": 7200, "slot_age_seconds": 7200}
    assert fresh["observations"] == {"age_seconds": 0, "slot_age_seconds": 0}
    assert fresh["metrics"] == {"age_seconds": None, "slot_age_seconds": None}
    assert now("09:10")["freshness"]["alerts"] == {"age_seconds": 600, "slot_age_seconds": None}


def test_what_was_retracted_keeps_no_feed_fresh(story, now):
    """However much of it."""
    story.at("08:00").add("alert.fired", fingerprint="f", name="n", **HERE)
    wrong = [story.at(f"09:{n}").add("alert.fired", fingerprint="f", name="n", **HERE) for n in range(10, 40)]
    for position in wrong:
        story.at("10:00").retracted(position)
    assert now()["freshness"]["alerts"] == {"age_seconds": 7200, "slot_age_seconds": 7200}


# Where to read what would be taken back


def test_the_commits_between_current_and_target_can_be_read(story, now):
    """From where the artifacts were published; to the target that was decided, where one was."""
    for version in ("Z", "A", "B"):
        story.at("07:00").published(version, repository="https://github.com/acme/web", commit=f"{version}00")
    story.at("07:00").deployed("Z")
    bad_release(story)
    assert now()["compare_url"] == "https://github.com/acme/web/compare/A00...B00"
    story.at("10:12").decided("Z", "R1", from_version="B")
    assert now()["compare_url"] == "https://github.com/acme/web/compare/Z00...B00"


def test_without_commits_there_is_nothing_to_compare(story, now):
    """Null, never a link that leads nowhere."""
    bad_release(story)
    assert now()["compare_url"] is None
    story.at("10:20").published("B", repository="https://github.com/acme/web", commit="b1")
    assert now()["compare_url"] is None
    story.at("10:21").published("A", commit="a1")
    assert now()["compare_url"] == "https://github.com/acme/web/compare/a1...b1"


@pytest.mark.parametrize(
    "repository, url",
    [
        ("https://github.com/acme/web", "https://github.com/acme/web/compare/a1...b2"),
        ("https://github.com/acme/web.git", "https://github.com/acme/web/compare/a1...b2"),
        ("git@github.com:acme/web.git", "https://github.com/acme/web/compare/a1...b2"),
        ("ssh://git@github.example.test:22/acme/web", "https://github.example.test/acme/web/compare/a1...b2"),
        ("git+https://codeberg.org/acme/web", "https://codeberg.org/acme/web/compare/a1...b2"),
        ("https://user:secret@gitlab.com/a/b/web.git", "https://gitlab.com/a/b/web/-/compare/a1...b2"),
        ("git@gitlab.example.test:a/b/web", "https://gitlab.example.test/a/b/web/-/compare/a1...b2"),
        ("https://bitbucket.org/acme/web/", "https://bitbucket.org/acme/web/branches/compare/b2..a1"),
        ("https://git.example.test/acme/web", None),
        ("javascript:alert(1)//github.com/a/b", None),
        ('https://github.com/a"onmouseover="x', None),
        ("", None),
        (None, None),
    ],
)
def test_a_link_is_made_in_the_manner_of_the_host(repository, url):
    """Of hosts that are known, and of nothing else; no credential gets into it."""
    assert compare(repository, "a1", "b2") == url
    assert compare(repository, "a 1", "b2") is None


# Any moment


def test_before_a_correction_the_old_answer_after_it_the_new_one(story, now):
    """For everything that the situation tells."""
    bad_release(story)
    alert = story.at("10:11").add("alert.fired", fingerprint="f", name="n", **HERE)
    metric = story.add("metric.observed", name="m", value=1, unit="%", **HERE)
    times = {"from": rfc3339(time("00:00")), "to": rfc3339(time("23:00"))}
    rota = story.add("oncall.assigned", rota="shop", person="Ana", **times)
    before = story.record.head()
    story.at("10:20").corrected(alert, "name", "other")
    story.corrected(metric, "value", 2)
    story.corrected(rota, "person", "Ben")
    story.corrected(3, "severity", "SEV-2")
    old, new = now(known_at=before), now()
    assert (old["alerts"][0]["name"], new["alerts"][0]["name"]) == ("n", "other")
    assert (old["metrics"][0]["value"], new["metrics"][0]["value"]) == (1, 2)
    assert (old["responsible"]["person"], new["responsible"]["person"]) == ("Ana", "Ben")
    assert (old["expected_response"]["severity"], new["expected_response"]["severity"]) == ("SEV-1", "SEV-2")


# Laws


def every(topic, **members):
    names = [name.rstrip("_") for name in members]
    return [(topic, dict(zip(names, values, strict=True))) for values in product(*members.values())]


SERVICES, PLACES = ["web", "web", "shop", None], ["production", "production", None]
SLOTS = {"service": ["web", "shop"], "environment": ["production"]}
HOURS = [rfc3339(MONDAY + timedelta(hours=hours)) for hours in (-1, 0, 1, 2, 30)]
SIGNALS = {"service": SERVICES, "environment": PLACES}
KINDS = [
    every("alert.fired", fingerprint=["f", "g"], name=["n"], started_at=[None, HOURS[1]], **SIGNALS),
    every("alert.resolved", fingerprint=["f", "g"], name=["n"], started_at=[None, HOURS[1]], **SIGNALS),
    every("metric.observed", name=["m", "o"], value=[1, 2], unit=["%"], **SIGNALS),
    every(
        "oncall.assigned", rota=["r", "s"], person=["Ana", "Ben"], from_=HOURS[:3], to=HOURS[2:], services=[[], ["web"]]
    ),
    every("oncall.released", rota=["r", "s"], person=["Ana", "Ben"], from_=HOURS[:3], to=HOURS[2:], services=[[]]),
    every("deployment.succeeded", deployment_id=["d", "e"], version=["A", "B"], **SLOTS),
    every("feature.enabled", feature=["f"], **SLOTS),
    every("rollback.decided", rollback_id=["R"], to_version=["A", "B"], from_version=["A", "B"], **SLOTS),
    every("incident.declared", incident=["I"], title=["t"], severity=["SEV-1"], kind=["outage"], affected=[[HERE]]),
]
FIELDS = {
    "time": [HOURS[1], HOURS[3]],
    "service": ["web", "shop"],
    "environment": ["production", "staging"],
    "fingerprint": ["f", "g"],
    "rota": ["r", "s"],
    "person": ["Ana", "Ben"],
    "value": [7, 8],
    "name": ["m", "o"],
}


@st.composite
def histories(draw):
    """A record of signals, in any order, late, corrected and retracted."""
    events = []
    kinds = st.sampled_from(KINDS).flatmap(st.sampled_from)
    for _ in range(draw(st.integers(1, 14))):
        (topic, data), minute = draw(kinds), draw(st.integers(0, 240))
        append(events, topic, data, minute, draw(st.sampled_from([0, 0, 0, 30, -20])))
        if draw(st.integers(0, 3)) == 0:
            _amend(draw, events)
    return events


def _amend(draw, events):
    position = draw(st.integers(1, len(events)))
    target = events[position - 1].event
    fields = [name for name in FIELDS if name == "time" or hasattr(target, name)]
    minute = (events[-1].recorded_at - MONDAY) / timedelta(minutes=1)
    if target.TOPIC.startswith("record.") or draw(st.booleans()):
        append(events, "record.retracted", {"position": position, "reason": "why"}, minute, 0)
        return
    name = draw(st.sampled_from(fields))
    value = draw(st.sampled_from(FIELDS[name]))
    said = {"position": position, "field": name, "value": value, "reason": "why"}
    append(events, "record.corrected", said, minute, 0)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    made = Tables(tmp_path_factory.mktemp("laws"))
    yield made
    made.close()


def situations(answers, moment):
    with answers.at(moment) as reader:
        return [reader.situation(service, "production") for service in ("web", "shop")]


@given(histories(), st.lists(st.integers(1, 5), max_size=6))
@settings(max_examples=120, deadline=None)
def test_however_the_record_is_taken_in_the_situation_is_the_same(tables, events, portions):
    """In any portions, kept in tables, or folded for the moment: one answer."""
    note(timeline(events))
    last = events[-1].recorded_at
    kept, folded = Moment(last, len(events), now=True), Moment(last, len(events))
    at_once = answers_for(tables, events)
    expected = situations(at_once, kept)
    assert situations(at_once, folded) == expected
    assert situations(answers_for(tables, events, portions), kept) == expected


@given(histories(), st.integers(1, 14))
@settings(max_examples=120, deadline=None)
def test_a_moment_is_answered_as_it_was_before_more_was_recorded(tables, events, number):
    """`known_at` is a prefix of the record: what comes later changes nothing of what was known."""
    note(timeline(events))
    known = min(number, len(events))
    moment = Moment(events[known - 1].recorded_at, known)
    later = situations(answers_for(tables, events), moment)
    assert situations(answers_for(tables, events[:known]), moment) == later
