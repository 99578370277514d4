"""Calendars as shifts: repeats, exceptions, time zones, whole days; and a word on what makes no shift."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.oncall_calendar import NotACalendar, Wishes, read

VIENNA = ZoneInfo("Europe/Vienna")
SAMPLES = Path(__file__).parents[2] / "../shared/samples/oncall-ical"
EVER = {"start": datetime(1990, 1, 1, tzinfo=UTC), "end": datetime(2031, 1, 1, tzinfo=UTC)}


def calendar(*events, head=""):
    """A calendar of events, each the lines between BEGIN and END."""
    wrapped = "".join(f"BEGIN:VEVENT\r\n{event.strip()}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{wrapped}END:VCALENDAR\r\n".encode()


def shifts(content, start="2026-01-01", end="2027-01-01", **wishes):
    wanted = Wishes(*(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, end)), **wishes)
    return read(content, wanted)


def seen(found):
    return [(each.person, f"{each.start:%m-%d %H:%M}", f"{each.end:%m-%d %H:%M}") for each in found.shifts]


WEEKLY = "DTSTART;TZID=Europe/Vienna:20260302T090000\nDTEND;TZID=Europe/Vienna:20260309T090000"


def test_a_weekly_rotation_hands_over_at_the_same_hour_through_a_change_of_the_clocks():
    """On 29 March the clocks go forward: nine in Vienna is eight in UTC, then seven. No gap, no overlap."""
    content = calendar(f"UID:a\n{WEEKLY}\nRRULE:FREQ=WEEKLY;COUNT=5\nSUMMARY:Ana")
    found = shifts(content)
    assert seen(found) == [
        ("Ana", "03-02 08:00", "03-09 08:00"),
        ("Ana", "03-09 08:00", "03-16 08:00"),
        ("Ana", "03-16 08:00", "03-23 08:00"),
        ("Ana", "03-23 08:00", "03-30 07:00"),
        ("Ana", "03-30 07:00", "04-06 07:00"),
    ]
    assert found.skipped == []


def test_exceptions_leave_single_repeats_out():
    """On one line or several, as moments or as whole days."""
    rule = "RRULE:FREQ=DAILY;COUNT=6"
    times = "DTSTART:20260301T090000Z\nDTEND:20260301T170000Z"
    content = calendar(
        f"UID:a\n{times}\n{rule}\nEXDATE:20260302T090000Z,20260303T090000Z\nEXDATE;VALUE=DATE:20260305\nSUMMARY:Ana"
    )
    assert [start for _, start, _ in seen(shifts(content))] == ["03-01 09:00", "03-04 09:00", "03-06 09:00"]


def test_a_changed_repeat_takes_the_place_of_the_one_it_names():
    """Another person, another time; and one that was called off."""
    content = calendar(
        f"UID:a\n{WEEKLY}\nRRULE:FREQ=WEEKLY;COUNT=4\nSUMMARY:Ana",
        "UID:a\nRECURRENCE-ID;TZID=Europe/Vienna:20260309T090000\nDTSTART;TZID=Europe/Vienna:20260310T090000\n"
        "DTEND;TZID=Europe/Vienna:20260316T090000\nSUMMARY:Ben",
        "UID:a\nRECURRENCE-ID;TZID=Europe/Vienna:20260316T090000\nDTSTART;TZID=Europe/Vienna:20260316T090000\n"
        "DTEND;TZID=Europe/Vienna:20260323T090000\nSTATUS:CANCELLED\nSUMMARY:Ana",
    )
    found = shifts(content)
    assert seen(found) == [
        ("Ana", "03-02 08:00", "03-09 08:00"),
        ("Ben", "03-10 08:00", "03-16 08:00"),
        ("Ana", "03-23 08:00", "03-30 07:00"),
    ]
    assert [each.why for each in found.skipped] == ["it is cancelled"]


def test_a_change_for_this_and_all_that_follow_holds_for_all_that_follow():
    """RANGE=THISANDFUTURE: from then on an hour later, and Ben's."""
    content = calendar(
        "UID:a\nDTSTART:20260301T090000Z\nDTEND:20260301T170000Z\nRRULE:FREQ=DAILY;COUNT=4\nSUMMARY:Ana",
        "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260303T090000Z\nDTSTART:20260303T100000Z\n"
        "DTEND:20260303T180000Z\nSUMMARY:Ben",
    )
    assert seen(shifts(content)) == [
        ("Ana", "03-01 09:00", "03-01 17:00"),
        ("Ana", "03-02 09:00", "03-02 17:00"),
        ("Ben", "03-03 10:00", "03-03 18:00"),
        ("Ben", "03-04 10:00", "03-04 18:00"),
    ]


def test_whole_days_are_days_of_the_zone():
    """From midnight to midnight where the rota is; the last day is not part of it (RFC 5545)."""
    event = "UID:a\nDTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330\nSUMMARY:Ana"
    assert seen(shifts(calendar(event), zone=VIENNA)) == [("Ana", "03-27 23:00", "03-29 22:00")]
    assert seen(shifts(calendar(event, head="X-WR-TIMEZONE:Europe/Vienna\r\n")))[0][1] == "03-27 23:00"
    single = "UID:a\nDTSTART;VALUE=DATE:20260328\nSUMMARY:Ana"
    assert seen(shifts(calendar(single), zone=VIENNA)) == [("Ana", "03-27 23:00", "03-28 23:00")]


def test_times_that_name_no_zone_are_of_the_zone_that_is_given_and_of_none_else():
    """Nobody guesses: an hour off is the wrong person paged."""
    event = "UID:a\nDTSTART:20260301T090000\nDTEND:20260301T170000\nSUMMARY:Ana"
    assert seen(shifts(calendar(event), zone=VIENNA)) == [("Ana", "03-01 08:00", "03-01 16:00")]
    left = shifts(calendar(event))
    assert left.shifts == []
    assert "--zone" in left.skipped[0].why
    unknown = "UID:a\nDTSTART;TZID=Middle/Earth:20260301T090000\nDTEND;TZID=Middle/Earth:20260301T170000\nSUMMARY:Ana"
    assert "Middle/Earth" in shifts(calendar(unknown)).skipped[0].why


def test_a_zone_that_the_calendar_describes_itself_is_believed():
    """VTIMEZONE, with a name that nobody else knows."""
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Office\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0530\r\n"
        "TZOFFSETTO:+0530\r\nTZNAME:X\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    event = "UID:a\nDTSTART;TZID=Office:20260301T090000\nDTEND;TZID=Office:20260301T170000\nSUMMARY:Ana"
    assert seen(shifts(calendar(event, head=zone))) == [("Ana", "03-01 03:30", "03-01 11:30")]


def test_a_shift_may_end_in_another_zone_or_be_given_by_its_length():
    """Follow the sun: it ends when the others begin, by their clock."""
    event = (
        "UID:a\nDTSTART;TZID=Europe/Vienna:20260302T090000\nDTEND;TZID=America/New_York:20260302T090000\nSUMMARY:Ana"
    )
    assert seen(shifts(calendar(event))) == [("Ana", "03-02 08:00", "03-02 14:00")]
    event = "UID:a\nDTSTART:20260302T090000Z\nDURATION:PT8H\nSUMMARY:Ana"
    assert seen(shifts(calendar(event))) == [("Ana", "03-02 09:00", "03-02 17:00")]


def test_listed_repeats_count_and_periods_have_their_own_length():
    """RDATE, as moments and as periods."""
    content = calendar(
        "UID:a\nDTSTART:20260301T090000Z\nDTEND:20260301T170000Z\nRDATE:20260303T090000Z\n"
        "RDATE;VALUE=PERIOD:20260305T090000Z/PT2H\nSUMMARY:Ana"
    )
    assert [(start, end) for _, start, end in seen(shifts(content))] == [
        ("03-01 09:00", "03-01 17:00"),
        ("03-03 09:00", "03-03 17:00"),
        ("03-05 09:00", "03-05 11:00"),
    ]


def test_only_what_overlaps_the_time_that_is_wanted_is_taken():
    """A shift that is running counts whole; what ended before, and what begins after, does not."""
    content = calendar(f"UID:a\n{WEEKLY}\nRRULE:FREQ=WEEKLY\nSUMMARY:Ana")
    found = shifts(content, "2026-06-03", "2026-06-16")
    assert [start for _, start, _ in seen(found)] == ["06-01 07:00", "06-08 07:00", "06-15 07:00"]


@pytest.mark.parametrize(
    "lines, person, contact",
    [
        ("SUMMARY:Ana Lima", "Ana Lima", None),
        ("SUMMARY:Primary\nATTENDEE;CN=Ana Lima:mailto:ana@example.test", "Ana Lima", "ana@example.test"),
        ("SUMMARY:Primary\nATTENDEE:MAILTO:ana@example.test", "ana@example.test", "ana@example.test"),
        ("SUMMARY:Ana\nATTENDEE:mailto:a@example.test\nATTENDEE:mailto:b@example.test", "Ana", None),
        ("SUMMARY:Ana\nCONTACT:+43 1 555", "Ana", "+43 1 555"),
    ],
)
def test_the_person_is_the_only_guest_else_the_summary(lines, person, contact):
    """With how to reach them, where the calendar says so."""
    (found,) = shifts(calendar(f"UID:a\nDTSTART:20260302T090000Z\nDURATION:PT8H\n{lines}")).shifts
    assert (found.person, found.contact) == (person, contact)


def test_a_pattern_finds_the_person_in_the_summary():
    """As tools write it: On Call - NAME - SCHEDULE. Where it finds none, that is told."""
    content = calendar(
        "UID:a\nDTSTART:20260302T090000Z\nDURATION:PT8H\nSUMMARY:On Call - Ana Lima - Primary",
        "UID:b\nDTSTART:20260303T090000Z\nDURATION:PT8H\nSUMMARY:Team lunch",
    )
    found = shifts(content, person=re.compile("On Call - (.+?) - "))
    assert [each.person for each in found.shifts] == ["Ana Lima"]
    assert "Team lunch" in found.skipped[0].entry
    assert "finds no person" in found.skipped[0].why


@pytest.mark.parametrize(
    "lines, why",
    [
        ("SUMMARY:Ana", "it has no start"),
        ("DTSTART:20260302T090000Z\nSUMMARY:Ana", "it has no length"),
        ("DTSTART:20260302T090000Z\nDTEND:20260302T080000Z\nSUMMARY:Ana", "it has no length"),
        ("DTSTART:20260302T090000Z\nDURATION:PT8H", "it names nobody"),
        ("DTSTART:20260302T090000Z\nDURATION:PT8H\nSTATUS:CANCELLED\nSUMMARY:Ana", "it is cancelled"),
        ("DTSTART:20260302T090000Z\nDURATION:PT8H\nRRULE:FREQ=SECONDLY\nSUMMARY:Ana", "it repeats secondly"),
        (
            "DTSTART:20260302T090000Z\nDURATION:PT8H\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30\nSUMMARY:Ana",
            "it repeats hourly",
        ),
        ("DTSTART:19700302T090000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY\nSUMMARY:Ana", "it repeats more than"),
        ("DTSTART:20260302T090000Z\nDURATION:PT8H\nRRULE:FREQ=SOMETIMES\nSUMMARY:Ana", "it cannot be understood"),
        ("DTSTART:yesterday\nDURATION:PT8H\nSUMMARY:Ana", "it "),
    ],
)
def test_an_entry_that_makes_no_shift_is_told_and_stops_no_other(lines, why):
    """One odd entry must not cost a team its rota."""
    good = "UID:good\nDTSTART:20260303T090000Z\nDURATION:PT8H\nSUMMARY:Ben"
    found = shifts(calendar(f"UID:odd\n{lines}", good))
    assert [each.person for each in found.shifts] == ["Ben"]
    assert len(found.skipped) == 1
    assert found.skipped[0].why.startswith(why)


def test_tasks_and_the_like_are_told():
    """They are in the file, and make no shift."""
    content = calendar(head="BEGIN:VTODO\r\nSUMMARY:buy cake\r\nEND:VTODO\r\n")
    assert [(each.entry, each.why) for each in shifts(content).skipped] == [("buy cake", "a task is no shift")]


def test_of_two_editions_of_an_event_the_later_counts():
    """A tool that exports its history does not double the rota."""
    times = "DTSTART:20260302T090000Z\nDURATION:PT8H"
    content = calendar(f"UID:a\n{times}\nSEQUENCE:2\nSUMMARY:Ben", f"UID:a\n{times}\nSEQUENCE:1\nSUMMARY:Ana")
    assert [each.person for each in shifts(content).shifts] == ["Ben"]


def test_events_that_share_a_uid_and_begin_apart_are_all_taken():
    """Some tools give every event the same one."""
    content = calendar(
        "UID:a\nDTSTART:20260302T090000Z\nDURATION:PT8H\nSUMMARY:Ana",
        "UID:a\nDTSTART:20260303T090000Z\nDURATION:PT8H\nSUMMARY:Ben",
    )
    assert [each.person for each in shifts(content).shifts] == ["Ana", "Ben"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\n", b"hello\r\nworld\r\n"])
def test_what_is_no_calendar_is_refused_in_words(content):
    """With what should have been there, not with a traceback."""
    with pytest.raises(NotACalendar, match="alendar"):
        shifts(content)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_no_bytes_at_all_break_the_reader(noise):
    """They may be refused, or make no shift; nothing else."""
    for content in (noise, calendar(noise.decode(errors="replace"))):
        try:
            shifts(content)
        except NotACalendar:
            continue


# The odd calendars of a library's own tests

SEEN = {
    "event_with_recurrence.ics": 97,
    "event_with_recurrence_exdates_on_different_lines.ics": 10,
    "issue_1231_recurrence.ics": 0,
    "issue_218_bad_tzid.ics": 1,
    "issue_722_missing_timezones.ics": 2,
    "multiple_timezones.ics": 0,
    "pacific_fiji.ics": 0,
    "timezoned.ics": 1,
}
"""How many shifts each makes, counted by hand from what its lines say."""


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample calendars lie in ../shared, not here")
@pytest.mark.parametrize("name", SEEN)
def test_odd_calendars_are_read_as_far_as_they_go(name):
    """Without an end, with a time zone nobody knows, with repeats that have no day: each told."""
    content = (SAMPLES / name).read_bytes()
    found = read(content, Wishes(**EVER, zone=VIENNA))
    assert len(found.shifts) == SEEN[name]
    assert found.shifts or found.skipped
    assert all(each.end > each.start for each in found.shifts)
    assert all(each.entry and each.why for each in found.skipped)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample calendars lie in ../shared, not here")
def test_every_odd_calendar_is_looked_at():
    """A sample that is added is read, too."""
    assert {path.name for path in SAMPLES.glob("*.ics")} == set(SEEN)


def test_a_year_of_two_people_leaves_no_gap_and_no_overlap():
    """Two rules that take turns: every hour of the year has exactly one of them."""
    second = "DTSTART;TZID=Europe/Vienna:20260309T090000\nDTEND;TZID=Europe/Vienna:20260316T090000"
    content = calendar(
        f"UID:a\n{WEEKLY}\nRRULE:FREQ=WEEKLY;INTERVAL=2\nSUMMARY:Ana",
        f"UID:b\n{second}\nRRULE:FREQ=WEEKLY;INTERVAL=2\nSUMMARY:Ben",
    )
    found = shifts(content, "2026-03-02", "2027-03-02").shifts
    assert all(before.end == after.start for before, after in pairwise(found))
    assert [each.person for each in found[:4]] == ["Ana", "Ben", "Ana", "Ben"]
    assert found[-1].end - found[0].start > timedelta(days=364)
