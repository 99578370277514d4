"""
What real histories hold, and what must neither break nor bend an answer.

One test for each item of the specification's list, by its own words.
"""

import pytest

from tests.projections.story import MONDAY, Story, digest, time

OFFSETS = ["Z", "+01:00", "+02:00", "-08:00", "-07:00", "-06:00", "-04:00", "+05:30", "+05:45", "+09:00", "+14:00"]
OFFSETS += ["-12:00", "+00:00"]


def places(count, environment="production"):
    return [{"service": f"service-{number}", "environment": environment} for number in range(count)]


def test_many_deployments_in_one_commit(story):
    """121 services, one commit, one instant: each has its own answer, and all are of the one moment."""
    commit = {"commit": "0123abc", "committed_at": "2026-03-02T08:59:00Z"}
    for number in range(121):
        story.at("09:00").deployed("old", service=f"service-{number}")
    for number in range(121):
        story.at("10:00").deployed(f"new-{number}", service=f"service-{number}", deployment_id="one-commit", **commit)
    for number in (0, 60, 120):
        assert story.current(service=f"service-{number}") == f"new-{number}"
        assert story.target(service=f"service-{number}") == "old"
        assert story.current(as_of="09:59", service=f"service-{number}") == "old"


def test_many_deployments_of_one_service_in_one_commit(story):
    """What comes last in the record counts, and what came before at the same instant lived for no time."""
    story.at("08:00").deployed("0")
    for number in range(1, 122):
        story.at("09:00").deployed(str(number))
    assert story.current() == "121"
    assert story.current(known_at=60) == "59"
    first = story.candidates()[0]
    assert (first["version"], first["live_seconds"]) == ("120", 0)
    assert story.good() == "0"


def test_four_events_in_one_second(story):
    """Fractions of a second count; at one and the same instant the position does."""
    story.at("10:00:00.75").deployed("third")
    story.at("10:00:00.5").deployed("first")
    story.at("10:00:00.50").deployed("second")
    story.at("10:00:00.75").deployed("fourth")
    assert [version for _, version in story.changes()] == ["first", "second", "third", "fourth"]
    assert story.current() == "fourth"


def test_clocks_that_run_backwards(story):
    """A later record of an earlier time never makes the older version current."""
    story.at("10:10").deployed("B")
    story.at("10:00").deployed("A")
    assert story.current() == "B"
    assert story.target() == "A"
    assert story.current(as_of="10:05") == "A"


def test_thirteen_utc_offsets_in_one_history(story):
    """Instants are compared, never text: each offset's 10:00 is another moment."""
    for number, offset in enumerate(OFFSETS):
        story.at(f"2026-03-02T10:00:00{offset}", recorded="+3d 00:00").deployed(offset, deployment_id=str(number))
    by_instant = sorted(OFFSETS, key=lambda offset: time(f"2026-03-02T10:00:00{offset}"))
    assert by_instant != sorted(OFFSETS)
    assert [version for _, version in story.changes()] == by_instant
    assert story.current() == by_instant[-1] == "-12:00"


def test_a_first_event_with_no_known_predecessor(story):
    """Nothing is invented: there is no target, and what follows replaces it."""
    story.at("10:00").rolled_back("B")
    assert story.current() == "B"
    assert story.target() is None
    assert story.changes() == [("first", "B")]
    story.at("11:00").deployed("C")
    assert story.target() == "B"


def test_services_removed_renamed_and_added_again(story):
    """What follows a removal is a restore and never a rollback; a new name is a service of its own."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").removed()
    assert story.current() is None
    assert story.deployed_version() is None
    assert story.ranked() == ["B", "A"]
    story.at("10:00").deployed("B", service="web-frontend")
    story.at("11:00").deployed("A")
    assert story.changes() == [("first", "A"), ("forward", "B"), ("removed", "B"), ("restore", "A")]
    assert story.against("B") == set()
    assert story.changes(service="web-frontend") == [("first", "B")]
    assert story.target(service="web-frontend") is None


@pytest.mark.parametrize("name", ["a/b", "a:b", "a#b", "a%2Fb", "a b", "ä/ß", "s" * 200, "chart:x#y.z/" + "n" * 188])
def test_names_of_up_to_200_characters_with_slash_colon_and_hash(story, name):
    """Names are compared exactly, and never split."""
    story.at("09:00").deployed("A", service=name, environment=name[::-1])
    story.at("10:00").deployed("B", service=name, environment=name[::-1])
    story.at("10:30").declared("INC/1#2", "SEV-1", affected=[{"service": name, "environment": name[::-1]}])
    reply = story.slot(service=name, environment=name[::-1])
    assert (reply["service"], reply["environment"]) == (name, name[::-1])
    assert reply["current"]["version"] == "B"
    assert [each["id"] for each in reply["active_incidents"]] == ["INC/1#2"]
    assert story.slot(service=name[::-1], environment=name) is None or name == name[::-1]


def test_names_that_differ_only_in_how_they_are_split_are_different_slots(story):
    """The slot a/b in c is not the slot a in b/c."""
    story.at("09:00").deployed("A", service="a/b", environment="c")
    story.at("09:00").deployed("B", service="a", environment="b/c")
    assert story.current(service="a/b", environment="c") == "A"
    assert story.current(service="a", environment="b/c") == "B"


def test_version_strings_that_look_like_numbers_or_are_whole_image_references(story):
    """Versions are opaque: 2.4 is not 2.40, 1 is not 01, and direction is never read from them."""
    image = "registry.example.org/team/web:2.4@sha256:" + "0" * 64
    versions = ["0543e8", "543e8", "2.4", "2.40", "1", "01", "1e3", "1000", image, "v10", "v9", "null", "None"]
    for number, version in enumerate(versions):
        story.at(f"10:{number:02}").deployed(version)
    assert story.changes() == [("first", "0543e8"), *(("forward", version) for version in versions[1:])]
    assert story.ranked() == versions[-2::-1]
    story.at("11:00").deployed("v9")
    assert story.changes()[-1] == ("rollback", "v9")


def test_mutable_tags(story):
    """`latest` again with another digest is another artifact, and the one before can be gone back to."""
    story.at("09:00").deployed("latest", digest=digest("1"))
    story.at("10:00").deployed("latest", digest=digest("2"))
    story.at("11:00").deployed("latest", digest=digest("3"))
    assert [each["digest"] for each in story.candidates()] == [digest("2"), digest("1")]
    story.at("12:00").deployed("latest", digest=digest("2"))
    assert story.changes()[-1] == ("rollback", "latest")
    assert story.slot()["rollback_target"]["digest"] == digest("1")


def test_mutable_tags_without_a_digest_are_the_latest_that_is_known(story):
    """Who says only the tag means what the tag last meant here."""
    story.at("09:00").deployed("latest", digest=digest("1"))
    story.at("10:00").deployed("latest", digest=digest("2"))
    story.at("11:00").deployed("latest")
    assert story.slot()["current"]["digest"] == digest("2")
    assert story.slot()["current"]["since"] == "2026-03-02T10:00:00Z"


def test_forty_two_services_rolled_back_in_one_hour(story):
    """Each slot is judged by itself, and the plan to return to nine o'clock is then empty."""
    names = [f"service-{number}" for number in range(42)]
    for number, name in enumerate(names):
        story.at("08:00").deployed("A", service=name)
        story.at("10:00").deployed("B", service=name, deployment_id=f"d{number}")
    assert story.plan("09:00")["count"] == 42
    for number, name in enumerate(names):
        story.at("11:00").decided("A", f"r{number}", service=name, plan="return")
        story.at(f"11:{number + 10}").rolled_back("A", f"r{number}", service=name)
    plan = story.plan("09:00")
    assert (plan["count"], plan["unchanged"]) == (0, 42)
    assert {story.current(service=name) for name in names} == {"A"}
    assert {story.changes(service=name)[-1] for name in names} == {("rollback", "A")}


def test_the_same_bad_version_rolled_back_twice(story):
    """The second attempt was no better: the latest end counts."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("10:05").rolled_back("A", "first")
    story.at("11:00").deployed("B")
    story.at("11:05").rolled_back("A", "second")
    story.at("12:00").deployed("C")
    assert story.against("B") == {"rolled_back_from"}
    assert story.ranked() == ["A", "B"]
    assert [change for change, _ in story.changes()] == [
        "first",
        "forward",
        "rollback",
        "return_forward",
        "rollback",
        "forward",
    ]


def test_incidents_announced_before_they_start(story):
    """What was live when it was announced and what was live when it began are both suspect, while it lasts."""
    story.at("08:00").deployed("A")
    story.at("09:00").declared("INC-1", "SEV-1")
    story.at("09:30").deployed("B")
    story.at("10:00").impact_started("INC-1")
    story.at("10:30").deployed("C")
    assert story.against("A") == {"suspect"}
    assert story.against("B") == {"suspect"}
    story.at("11:00").resolved("INC-1")
    assert story.slot()["active_incidents"] == []


def test_incidents_resolved_before_they_start(story):
    """State follows the order of recording, so that contradictory times never leave it open."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("11:00").declared("INC-1", "SEV-1")
    story.at("10:00").resolved("INC-1")
    story.at("12:00").deployed("C")
    assert story.slot()["active_incidents"] == []
    assert story.against("B") == set()
    assert story.target() == "B"


def test_incidents_resolved_in_the_future(story):
    """A time ahead of its recording counts from the recording: it is resolved now."""
    story.at("08:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("+1d 10:00", recorded="11:00").resolved("INC-1")
    assert story.slot(as_of="10:59")["active_incidents"] != []
    assert story.slot(as_of="11:00")["active_incidents"] == []


def test_incidents_reopened(story):
    """State moves back by reopening only, and the severity is what it was."""
    story.at("08:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("11:00").resolved("INC-1")
    story.at("11:10").acknowledged("INC-1")
    assert story.slot()["active_incidents"] == []
    story.at("12:00").reopened("INC-1")
    assert story.slot()["active_incidents"] == [{"id": "INC-1", "severity": "SEV-2", "drill": False}]
    assert story.good() is None
    story.at("13:00").resolved("INC-1")
    assert story.slot()["active_incidents"] == []
    assert story.good() == "A"


def test_incidents_renamed(story):
    """A correction of the name moves one event; what is known under both is told under each."""
    story.at("08:00").deployed("A")
    declared = story.at("10:00").declared("2026-03-02-outage copy", "SEV-1")
    story.at("10:30").corrected(declared, "incident", "2026-03-02-outage")
    assert [each["id"] for each in story.slot()["active_incidents"]] == ["2026-03-02-outage"]
    story.at("10:40").resolved("2026-03-02-outage copy")
    assert [each["id"] for each in story.slot()["active_incidents"]] == ["2026-03-02-outage"]
    story.at("10:50").resolved("2026-03-02-outage")
    assert story.slot()["active_incidents"] == []


def test_incidents_with_eighteen_severity_edits_in_thirteen_of_them(story):
    """Each edit counts from its recording on; the last one is current."""
    story.at("08:00").deployed("A")
    for number in range(13):
        story.at("09:00").declared(f"INC-{number}", "SEV-3")
    for edit in range(18):
        to = "SEV-1" if edit % 2 == 0 else "SEV-2"
        story.at(f"09:{edit + 1:02}").severity_changed(f"INC-{edit % 13}", "SEV-3", to)
    found = {each["id"]: each["severity"] for each in story.slot()["active_incidents"]}
    assert found == {f"INC-{n}": "SEV-2" if (n + 13 if n < 5 else n) % 2 else "SEV-1" for n in range(13)}
    assert {each["severity"] for each in story.slot(as_of="09:00")["active_incidents"]} == {"SEV-3"}


def test_incidents_affecting_up_to_29_services(story):
    """Each of them, in its own environment, and no other."""
    for number in range(30):
        story.at("08:00").deployed("A", service=f"service-{number}")
        story.at("08:00").deployed("A", service=f"service-{number}", environment="staging")
    story.at("09:00").declared("INC-1", "SEV-1", affected=places(29))
    for number in (0, 28):
        assert story.slot(service=f"service-{number}")["active_incidents"] != []
        assert story.good(service=f"service-{number}") is None
        assert story.good(service=f"service-{number}", environment="staging") == "A"
    assert story.good(service="service-29") == "A"
    story.at("10:00").affected_changed(
        "INC-1", remove=places(1), add=[{"service": "service-29", "environment": "production"}]
    )
    assert story.good(service="service-0") == "A"
    assert story.good(service="service-29") is None


def test_monitors_that_flap_a_thousand_times(tmp_path):
    """Alerts move no version; detections that nobody declares are suspicion for a day, and no incident."""
    story = Story(tmp_path / "models")
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    for number in range(1000):
        story.at(f"10:{number // 60:02}:{number % 60:02}")
        story.add("alert.fired", fingerprint="f", name="flapping", service="web", environment="production")
        story.add("alert.resolved", fingerprint="f", name="flapping", service="web", environment="production")
        story.detected("INC-flap", "SEV-3")
    reply = story.slot()
    assert reply["current"]["version"] == "B"
    assert reply["current"]["since"] == "2026-03-02T09:00:00Z"
    assert reply["active_incidents"] == []
    assert story.against("A") == set()
    story.close()


def test_monitors_that_flap_a_thousand_times_with_a_grave_suggestion_make_suspect_for_a_day(tmp_path):
    """However often it is detected, what nobody declares is forgotten."""
    story = Story(tmp_path / "models")
    story.at("08:00").deployed("A")
    for number in range(1000):
        story.at(f"10:{number // 60:02}:{number % 60:02}").detected("INC-flap", "SEV-1")
    assert story.good() is None
    assert story.good(as_of="10:30") is None
    assert story.at("+1d 10:17").good() == "A"
    story.close()


def test_the_first_day_of_the_calendar_and_times_before_1970(story):
    """Sources without a clock send such times; they are early, and no more."""
    story.at("0001-01-01T00:00:00Z", recorded="10:00").deployed("A")
    story.at("1969-12-31T23:59:59Z", recorded="10:00").deployed("B")
    story.at("10:00").deployed("C")
    assert [version for _, version in story.changes()] == ["A", "B", "C"]
    assert story.target() == "B"
    assert story.moment().as_of > MONDAY
