"""Two populations of changes, compared both ways."""

import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from projections.facts import HOUR, MINUTE
from projections.reconcile import SAME_DAY, TOLERANCE, Item, compare

DAY = 24 * HOUR


def item(place, version="A", at=0, service="web", id_=None, *, spare=False):
    return Item(place, service, "production", version, DAY + int(at * MINUTE), id_, spare)


def read(there, here, start=DAY, end=2 * DAY, tolerance=TOLERANCE):
    """Where each ended: matched and differing pairs by their places, the rest by place."""
    found = compare(there, here, start, end, tolerance)
    return {
        "matched": [(each.there.place, each.here.place) for each in found.matched],
        "differing": [(each.there.place, each.here.place, each.differences) for each in found.differing],
        "only_there": [each.place for each in found.only_there],
        "only_here": [each.place for each in found.only_here],
    }


def outcome(matched=(), differing=(), only_there=(), only_here=()):
    names = {"matched": matched, "differing": differing, "only_there": only_there, "only_here": only_here}
    return {name: list(each) for name, each in names.items()}


def test_what_both_have():
    """The same version at about the same time."""
    assert read([item(1, at=0)], [item(70, at=9)]) == outcome(matched=[(1, 70)])
    assert compare([item(1)], [item(70)], 0, 2 * DAY).agrees


def test_what_only_one_side_has():
    """Told both ways."""
    assert read([item(1, "A"), item(2, "B", 60)], [item(70, "A"), item(71, "C", 180)]) == outcome(
        matched=[(1, 70)], only_there=[2], only_here=[71]
    )


def test_each_stands_for_one_at_most():
    """Two deployments of one version in a few minutes are two."""
    assert read([item(1), item(2, at=2)], [item(70, at=1)]) == outcome(matched=[(1, 70)], only_there=[2])


def test_the_closest_in_time_belong_together():
    """Whatever order they are given in."""
    there, here = [item(1, at=0), item(2, at=8)], [item(70, at=7), item(71, at=1)]
    assert read(there, here) == outcome(matched=[(1, 71), (2, 70)])
    assert read(there[::-1], here[::-1]) == read(there, here)


def test_the_same_id_goes_before_all_else():
    """Also where version and time differ: then that is the difference."""
    there = [item(1, "A", 0, id_="run-1")]
    here = [item(70, "A", 0, id_="run-2"), item(71, "B", 600, id_="run-1")]
    assert read(there, here) == outcome(differing=[(1, 71, ("version", "time"))], only_here=[70])


def test_an_id_that_several_bear_names_none():
    """They are told apart by version and time."""
    there = [item(1, "A", 0, id_="run-1"), item(2, "B", 60, id_="run-1")]
    assert read(there, [item(70, "B", 61, id_="run-1"), item(71, "A", 1)]) == outcome(matched=[(1, 71), (2, 70)])


def test_the_same_version_at_another_time_of_the_day():
    """Belongs together, with a difference; on another day it is another change."""
    assert read([item(1, at=0)], [item(70, at=60)]) == outcome(differing=[(1, 70, ("time",))])
    far = SAME_DAY // MINUTE + 1
    assert read([item(1, at=0)], [item(70, at=far)], end=3 * DAY) == outcome(only_there=[1], only_here=[70])


def test_another_version_at_the_same_time():
    """Belongs together, with a difference."""
    assert read([item(1, "A")], [item(70, "B", 1)]) == outcome(differing=[(1, 70, ("version",))])


def test_a_version_that_is_not_told_differs_from_none():
    """A cloud tells that something was changed, not to what."""
    assert read([item(1, None)], [item(70, "A", 1)]) == outcome(matched=[(1, 70)])
    assert read([item(1, None)], [item(70, "A", 60)]) == outcome(only_there=[1], only_here=[70])


def test_another_service_is_another_change():
    """At the same time, of the same version and id."""
    assert read([item(1, id_="r")], [item(70, service="shop", id_="r")]) == outcome(only_there=[1], only_here=[70])


def test_what_lies_around_the_period_is_not_missed():
    """It is the other half of what lies in it, near its ends."""
    before, after = item(1, at=-1), item(71, at=24 * 60 + 1)
    assert read([before], [item(70, at=1)]) == outcome(matched=[(1, 70)])
    assert read([before], [after]) == outcome()
    assert read([item(2, at=24 * 60 - 1)], [after]) == outcome(matched=[(2, 71)])


def test_a_spare_one_may_match_and_is_not_missed():
    """A rollback that another tool calls a deployment, or does not know."""
    assert read([item(1)], [item(70, spare=True)]) == outcome(matched=[(1, 70)])
    assert read([], [item(70, spare=True)]) == outcome()


def test_large_populations_of_one_version():
    """Five thousand an hour off, as with a wrong time zone: all belong together, in seconds."""
    there = [item(number, "main", number / 10) for number in range(1, 5_001)]
    here = [item(number + 10**6, "main", number / 10 + 60) for number in range(1, 5_001)]
    began = time.perf_counter()
    found = compare(there, here, 0, 9 * DAY)
    assert time.perf_counter() - began < 30
    assert len(found.matched) + len(found.differing) + len(found.only_there) == 5_000


items = st.lists(
    st.builds(
        item,
        st.integers(1, 10**6),
        st.sampled_from(["A", "B", None]),
        st.integers(0, 23 * 60),
        st.sampled_from(["web", "shop"]),
        st.sampled_from([None, "r1", "r2"]),
    ),
    max_size=12,
    unique_by=lambda each: each.place,
)


@given(items, items)
def test_nothing_is_lost_or_told_twice(there, here):
    """Every change of either side is in a pair or left over, once."""
    found = read(there, here)
    pairs = [*found["matched"], *(each[:2] for each in found["differing"])]
    assert sorted([*(each[0] for each in pairs), *found["only_there"]]) == sorted(each.place for each in there)
    assert sorted([*(each[1] for each in pairs), *found["only_here"]]) == sorted(each.place for each in here)


@given(items)
def test_a_population_agrees_with_itself(there):
    """Whatever it holds."""
    assert compare(there, [replace(each, place=each.place + 10**7) for each in there], DAY, 2 * DAY).agrees


@given(items, items)
def test_both_ways_are_one(there, here):
    """What is only there for one side is only here for the other."""
    one, other = read(there, here), read(here, there)
    assert (len(one["only_there"]), len(one["only_here"])) == (len(other["only_here"]), len(other["only_there"]))
