"""Periods, and the days, weeks and months in them, also where the clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.values import instant, microseconds
from projections import periods
from projections.periods import Unreasonable, days, months, period, place, weeks

LONDON, APIA, SAO_PAULO = ZoneInfo("Europe/London"), ZoneInfo("Pacific/Apia"), ZoneInfo("America/Sao_Paulo")
HOUR = 3_600_000_000
ZONES = [UTC, LONDON, APIA, SAO_PAULO, ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")]


def at(text):
    return microseconds(instant(text))


def hours(bucket):
    return (bucket.end - bucket.start) / HOUR


def test_a_period_holds_its_start_and_not_its_end():
    """Two in a row share nothing."""
    march = period(
        instant("2026-03-01T00:00:00Z"), instant("2026-04-01T00:00:00Z"), UTC, instant("2026-05-01T00:00:00Z")
    )
    assert march.holds(at("2026-03-01T00:00:00Z"))
    assert march.holds(at("2026-03-31T23:59:59.999999Z"))
    assert not march.holds(at("2026-04-01T00:00:00Z"))
    assert not march.holds(at("2026-02-28T23:59:59.999999Z"))


def test_without_an_end_it_holds_the_moment_asked_for():
    """What happened right now is part of it."""
    now = instant("2026-05-01T00:00:00Z")
    found = period(None, None, UTC, now)
    assert found.until(microseconds(now)) == microseconds(now) + 1
    assert found.json() == {"from": None, "to": None, "zone": "UTC"}


@pytest.mark.parametrize("end", [None, "2026-05-01T12:00:00Z", "2999-01-01T00:00:00Z"])
def test_without_a_start_it_is_of_twenty_years(end):
    """Before its end, or before the moment asked for where that comes first."""
    found = period(None, end and instant(end), LONDON, instant("2026-06-01T00:00:00Z"))
    assert found.holds(at("2007-01-01T00:00:00Z"))
    assert not found.holds(at("2006-01-01T00:00:00Z"))
    assert (found.json()["from"], found.json()["to"]) == (None, end)


def test_a_day_stands_for_the_midnight_that_it_begins_with():
    """By the clock of the zone; a moment for itself."""
    assert periods.moment("2026-07-01", LONDON) == instant("2026-06-30T23:00:00Z")
    assert periods.moment("2026-07-01T10:00:00+02:00", LONDON) == instant("2026-07-01T08:00:00Z")
    with pytest.raises(Unreasonable):
        periods.moment("0001-01-01", ZoneInfo("Asia/Kolkata"))


def test_of_a_period_that_ends_in_the_future_nothing_is_known_after_the_moment():
    """No empty days are told of a time that has not come."""
    now = at("2026-03-02T12:00:00Z")
    ahead = period(
        instant("2026-03-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"), UTC, instant("2026-03-02T12:00:00Z")
    )
    assert ahead.until(now) == now + 1
    assert [each.name for each in days(UTC, ahead.start, ahead.until(now))] == ["2026-03-01", "2026-03-02"]


@pytest.mark.parametrize(
    "start, end",
    [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2000-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
        (None, "0015-01-01T00:00:00Z"),
        ("9999-12-30T00:00:00Z", "9999-12-31T00:00:00Z"),
    ],
)
def test_no_figures_are_asked_for_an_unreasonable_period(start, end):
    """Empty, longer than twenty years, or where a calendar ends."""
    with pytest.raises(Unreasonable):
        period(start and instant(start), instant(end), SAO_PAULO, instant("2026-05-01T00:00:00Z"))


def test_days_have_23_and_25_hours_where_the_clocks_change():
    """Midnight to midnight by the clock of the zone."""
    spring = days(LONDON, at("2026-03-28T00:00:00Z"), at("2026-03-30T23:00:00Z"))
    assert [(each.name, hours(each), each.whole) for each in spring] == [
        ("2026-03-28", 24, True),
        ("2026-03-29", 23, True),
        ("2026-03-30", 24, True),
    ]
    (autumn,) = days(LONDON, at("2026-10-24T23:00:00Z"), at("2026-10-26T00:00:00Z"))
    assert (autumn.name, hours(autumn), autumn.whole) == ("2026-10-25", 25, True)


def test_a_day_that_the_zone_left_out_is_not_there():
    """Samoa had no 30 December 2011."""
    found = days(APIA, at("2011-12-29T10:00:00Z"), at("2011-12-31T10:00:00Z"))
    assert [each.name for each in found] == ["2011-12-29", "2011-12-31"]
    assert [hours(each) for each in found] == [24, 24]


def test_a_day_whose_midnight_does_not_exist_begins_when_the_clocks_go_on():
    """On 4 November 2018 the clocks of São Paulo went from midnight to one."""
    found = days(SAO_PAULO, at("2018-11-03T03:00:00Z"), at("2018-11-05T02:00:00Z"))
    assert [(each.name, hours(each)) for each in found] == [("2018-11-03", 24), ("2018-11-04", 23)]


def test_weeks_begin_on_monday_and_bear_their_iso_names():
    """The week of the new year belongs to the year of its Thursday; those at the ends are cut."""
    found = weeks(UTC, at("2025-12-31T00:00:00Z"), at("2026-01-13T00:00:00Z"))
    assert [(each.name, hours(each) / 24, each.whole) for each in found] == [
        ("2026-W01", 5, False),
        ("2026-W02", 7, True),
        ("2026-W03", 1, False),
    ]


def test_months_are_those_of_the_zone():
    """The last hour of February in Kolkata begins on the 28th at 17:30 UTC."""
    found = months(ZoneInfo("Asia/Kolkata"), at("2026-02-28T17:30:00Z"), at("2026-03-31T18:30:00Z"))
    assert [(each.name, hours(each), each.whole) for each in found] == [("2026-02", 1, False), ("2026-03", 744, True)]


def test_nothing_lies_in_an_empty_time():
    """Not even half a day."""
    assert days(UTC, at("2026-03-02T00:00:00Z"), at("2026-03-02T00:00:00Z")) == []


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2005, 1, 1), datetime(2027, 1, 1)),
    st.integers(1, 200 * 24 * 60),
    st.sampled_from([days, weeks, months]),
    st.integers(0, 10**9),
)
def test_buckets_follow_one_another_and_miss_nothing(zone, start, minutes, by, within):
    """Each moment of a time is in just one, and that is found."""
    first = microseconds(start.replace(tzinfo=UTC))
    last = first + minutes * 60_000_000
    found = by(zone, first, last)
    assert found[0].start == first
    assert found[-1].end == last
    assert all(one.end == other.start for one, other in pairwise(found))
    moment = first + within % (last - first)
    bucket = found[place(found, moment)]
    assert bucket.start <= moment < bucket.end
    assert len({each.name for each in found}) == len(found)


def test_twenty_years_are_not_too_much():
    """The longest period that may be asked for."""
    end = instant("2026-01-01T00:00:00Z")
    found = period(end - timedelta(days=periods.MOST_DAYS), end, UTC, end)
    assert len(days(UTC, found.start, found.until(microseconds(end)))) == periods.MOST_DAYS
