"""The timeline of a report: in people's time, in its lanes, and shortened where it is long."""

import time
from collections import Counter
from datetime import timedelta, timezone

import pytest

from ledger.events import EVENTS
from projections.incident_folding import actor, groups
from projections.report_timeline import LANES, lane
from tests.projections.reporting import BOB, told


def test_every_type_of_event_has_its_lane():
    """What has none of its own is `other`; no line of the table is never reached."""
    found = {topic: lane(topic) for topic in EVENTS}
    assert set(found.values()) == {"severity", "impact", "version", "alert", "action", "decision", "other"}
    assert {name for name in LANES if not any(topic.startswith(name) for topic in EVENTS)} == set()
    assert {found[topic] for topic in ("deployment.succeeded", "rollback.succeeded", "service.removed")} == {"version"}
    assert {found[topic] for topic in ("rollback.decided", "release.approved", "incident.cause_elsewhere")} == {
        "decision"
    }
    assert {found[topic] for topic in ("oncall.assigned", "postmortem.started", "incident.linked")} == {"other"}


def test_each_entry_has_its_time_in_the_zone_of_the_report(story):
    """With the zone at that moment: clocks change."""
    story.zone = timezone(timedelta(hours=-5))
    story.at("2026-03-08T06:30:00Z").declared("INC-1", "SEV-1")
    story.at("2026-03-08T07:30:00.25Z").resolved("INC-1")
    assert [each["local"] for each in told(story)["timeline"]] == [
        "2026-03-08 01:30:00 UTC-05:00",
        "2026-03-08 02:30:00 UTC-05:00",
    ]
    there = told(story, zone="America/New_York")
    assert [each["local"] for each in there["timeline"]] == ["2026-03-08 01:30:00 EST", "2026-03-08 03:30:00 EDT"]


def test_where_machines_alone_told_of_it_times_are_those_of_utc(story):
    """Their clocks are nobody's; the first person's word decides."""
    story.zone = timezone(timedelta(hours=5, minutes=30))
    story.at("10:00").detected("INC-1")
    assert told(story)["zone"] == "UTC"
    story.at("10:05").add("incident.note_added", BOB, incident="INC-1", text="looking")
    assert told(story)["zone"] == "UTC+05:30"
    story.zone = timezone(timedelta(hours=2))
    story.at("10:10").declared("INC-1", "SEV-1")
    assert told(story)["zone"] == "UTC+02:00"


def test_evidence_stands_beside_what_it_is_for(story):
    """As links, for those who may follow them."""
    story.at("10:00").declared("INC-1", "SEV-1", evidence=[{"label": "graph", "url": "https://example.org/g"}])
    assert told(story)["timeline"][0]["evidence"] == [{"label": "graph", "url": "https://example.org/g"}]


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_times_at_the_edges_of_the_calendar_break_nothing(story, zone):
    """Somebody's clock stood at its beginning."""
    story.at("0001-01-01T00:00:00Z", recorded="10:00").impact_started("INC-1")
    story.at("9999-12-31T23:59:59.999999Z", recorded="10:01").declared("INC-1", "SEV-1")
    story.at("0001-01-01T00:00:01-12:00", recorded="10:02").resolved("INC-1")
    report = told(story, zone=zone)
    assert report["span"]["since"] == "0001-01-01T00:00:00Z"
    assert report["timeline"][0]["local"].startswith("0001-01-01 0")
    assert len({each["local"] for each in report["timeline"]}) == 3


# A long one


@pytest.fixture
def long(story):
    """400 entries over three days, by three people, some in one minute."""
    for hour in range(9):
        story.at(f"0{hour}:00").deployed(f"v{hour}")
    story.at("09:40").impact_started("INC-1")
    story.at("09:45").detected("INC-1", "SEV-1")
    story.at("09:47").declared("INC-1", "SEV-1")
    for number in range(400):
        day, minute = divmod(number // 3, 45)
        text = f"note {number} " + "and what was seen " * 10
        story.at(f"+{day}d 10:{minute:02}:{number % 3:02}")
        story.add(
            "incident.note_added",
            incident="INC-1",
            text=text,
            decided_by=("ana", "ana", "chi dorn")[number % 3],
            pinned=number % 50 == 0 or None,
        )
    story.at("+3d 21:00").impact_ended("INC-1")
    story.resolved("INC-1")
    return story


def test_a_long_timeline_is_told_in_groups_of_a_minute_and_a_person(long):
    """Nothing is left out: an entry names its group, and the renderer chooses."""
    report = told(long)
    entries = [each for each in report["timeline"] if each["type"] == "incident.note_added"]
    assert len(entries) == 400
    sizes = Counter(each["folded_into"] for each in entries)
    assert sizes.pop(None) > 100
    assert set(sizes.values()) == {2}
    pair = [each for each in entries if each["folded_into"] == entries[4]["folded_into"]]
    assert {each["decided_by"] for each in pair} == {"ana"}
    assert pair[0]["time"][:16] == pair[1]["time"][:16]


def test_key_moments_and_pins_are_never_folded(long):
    """However many others there are."""
    folded = [each for each in told(long)["timeline"] if each["folded_into"]]
    assert folded
    assert not any(each["key"] or each["pinned"] for each in folded)


def test_a_short_timeline_is_told_whole(story):
    """Up to sixty entries one can read."""
    story.at("10:00").declared("INC-1", "SEV-1")
    for number in range(59):
        story.at(f"10:01:{number:02}").add("incident.note_added", incident="INC-1", text="hm")
    assert {each["folded_into"] for each in told(story)["timeline"]} == {None}
    story.at("10:02").add("incident.note_added", incident="INC-1", text="hm")
    assert Counter(each["folded_into"] is None for each in told(story)["timeline"]) == {False: 59, True: 2}


@pytest.mark.parametrize("audience", ["auditor", "public"])
def test_a_long_report_takes_well_under_a_second(long, audience):
    """Three tenths of a second of work, at most, whatever else the machine does."""
    told(long)
    began = time.process_time()
    assert told(long, audience=audience)["positions"]["count"] > 400
    assert time.process_time() - began < 0.3


def test_every_entry_is_in_just_one_group_in_order():
    """A key moment parts what came before it from what came after."""
    entries = [
        {"time": f"2026-03-02T10:0{minute}:00Z", "key": key, "pinned": False, "decided_by": who, "position": number}
        for number, (minute, who, key) in enumerate(
            [
                (0, "ana", False),
                (0, "ben", False),
                (0, "ana", False),
                (0, "ana", True),
                (0, "ana", False),
                (1, "ana", False),
            ]
        )
    ]
    found = [[each["position"] for each in group] for group in groups(entries, actor)]
    assert found == [[0, 2], [1], [3], [4], [5]]
