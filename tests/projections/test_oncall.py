"""Who is on call: shifts, overrides, releases and gaps, by service, at any moment."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections import oncall
from projections.oncall import Entry, State
from tests.projections.story import rfc3339, time


def moment(text):
    return rfc3339(time(text))


@pytest.fixture
def shift(story):
    """Records a shift now: `shift("Ana", "10:00", "12:00")`."""

    def tell(person, start, end, rota="shop", what="assigned", **data):
        times = {"from": moment(start), "to": moment(end)}
        return story.add(f"oncall.{what}", rota=rota, person=person, **times, **data)

    return tell


@pytest.fixture
def who(story):
    """Who is on call for a service at a time, one a rota."""

    def ask(at, service="web", as_of=None, known_at=None, **members):
        asked = story.moment(as_of, known_at)
        with story.answers.at(asked) as reader:
            return reader.on_call(service, members.get("rota"), int(time(at).timestamp() * 1_000_000))

    return ask


def people(found):
    return [each["person"] for each in found]


def test_a_shift_begins_with_its_first_instant_and_ends_before_its_last(shift, who):
    """So that at a hand-over exactly one person is on call."""
    shift("Ana", "10:00", "12:00")
    shift("Ben", "12:00", "14:00")
    assert people(who("10:00")) == people(who("11:59:59.9")) == ["Ana"]
    assert people(who("12:00")) == ["Ben"]
    assert people(who("14:00")) == [None]


def test_what_was_recorded_later_wins_where_two_overlap(shift, who):
    """An override is an assignment recorded later; when it ends, the first is back."""
    shift("Ana", "08:00", "20:00", contact="+43 1")
    shift("Ben", "10:00", "12:00", contact="+43 2")
    (over,) = who("11:00")
    assert (over["person"], over["contact"], over["instead_of"]) == ("Ben", "+43 2", "Ana")
    assert (over["since"], over["until"]) == (moment("10:00"), moment("12:00"))
    assert over["next"] == {"person": "Ana", "contact": "+43 1", "from": moment("12:00")}
    assert people(who("09:00")) == people(who("12:00")) == ["Ana"]


def test_a_release_gives_back_to_whom_it_was_taken_from(shift, who):
    """An override that is called off, whole or in part."""
    shift("Ana", "08:00", "20:00")
    shift("Ben", "10:00", "14:00")
    shift("Ben", "12:00", "14:00", what="released")
    assert people(who("11:00")) == ["Ben"]
    assert people(who("12:00")) == ["Ana"]
    shift("Ana", "08:00", "20:00", what="released")
    assert people(who("13:00")) == [None]
    assert people(who("11:00")) == ["Ben"]


def test_who_is_assigned_again_after_a_release_is_on_call(shift, who):
    """The last word holds."""
    shift("Ana", "08:00", "20:00")
    shift("Ana", "08:00", "20:00", what="released")
    shift("Ana", "09:00", "10:00")
    assert people(who("09:30")) == ["Ana"]
    assert people(who("10:30")) == [None]


def test_a_gap_is_told_as_a_gap_with_its_bounds(shift, who):
    """Nobody is on call, since when, and who comes next."""
    shift("Ana", "08:00", "10:00")
    shift("Ben", "12:00", "14:00")
    (gap,) = who("11:00")
    assert (gap["rota"], gap["person"]) == ("shop", None)
    assert (gap["since"], gap["until"]) == (moment("10:00"), moment("12:00"))
    assert gap["next"]["person"] == "Ben"
    (after,) = who("15:00")
    assert (after["since"], after["until"], after["next"]) == (moment("14:00"), None, None)
    (before,) = who("07:00")
    assert (before["since"], before["until"]) == (None, moment("08:00"))
    (ahead,) = who("09:00")
    assert ahead["until"] == moment("10:00")
    assert (ahead["next"]["person"], ahead["next"]["from"]) == ("Ben", moment("12:00"))


def test_one_person_over_several_shifts_is_on_call_without_a_break(shift, who):
    """A hand-over is when the person changes, not when a shift ends; also years of shifts on end."""
    for week in range(60):
        shift("Ana", f"+{7 * week}d 09:00", f"+{7 * (week + 1)}d 09:00")
    (long,) = who("+200d 10:00")
    assert (long["since"], long["until"], long["next"]) == (moment("09:00"), moment("+420d 09:00"), None)


def test_a_rota_covers_the_services_that_it_names_and_one_that_names_none_covers_all(shift, who):
    """Those that name the service come first."""
    shift("Eve", "00:00", "23:00", rota="everything")
    shift("Ana", "00:00", "23:00", rota="shop", services=["web", "api"])
    assert people(who("10:00")) == ["Ana", "Eve"]
    assert people(who("10:00", "search")) == ["Eve"]
    assert people(who("10:00", "search", rota="shop")) == []
    assert people(who("10:00", None)) == ["Eve", "Ana"]


def test_an_override_that_names_no_service_covers_those_of_its_rota(shift, who):
    """In a hurry nobody lists them again; and it does not put them on call for the whole company."""
    shift("Ana", "00:00", "23:00", services=["web"])
    shift("Ben", "10:00", "12:00")
    assert people(who("11:00")) == ["Ben"]
    assert who("11:00", "search") == []


def test_a_shift_may_be_for_some_services_of_its_rota(shift, who):
    """One takes over one service, and the rest stays."""
    shift("Ana", "00:00", "23:00", services=["web", "api"])
    shift("Ben", "10:00", "12:00", services=["api"])
    assert people(who("11:00", "web")) == ["Ana"]
    assert people(who("11:00", "api")) == ["Ben"]
    shift("Ben", "11:30", "12:00", what="released", services=["api"])
    assert people(who("11:45", "api")) == ["Ana"]


def test_as_of_and_known_at_hold_for_rotas_too(story, shift, who):
    """An override that is recorded late changes the past only from then on."""
    story.at("08:00")
    first = shift("Ana", "08:00", "20:00")
    story.at("10:00", recorded="15:00")
    shift("Ben", "10:00", "12:00")
    assert people(who("11:00")) == ["Ben"]
    assert people(who("11:00", known_at=first)) == ["Ana"]
    assert people(who("11:00", as_of="09:00")) == ["Ana"]


def test_the_last_word_is_the_last_recorded_though_it_claims_an_earlier_time(story, shift, who):
    """Corrections by calendar import claim the shift's own beginning."""
    story.at("10:00")
    shift("Ana", "08:00", "20:00")
    story.at("08:00", recorded="11:00")
    shift("Ben", "08:00", "20:00")
    assert people(who("12:00")) == ["Ben"]


def test_a_corrected_shift_is_as_corrected(story, shift, who):
    """The person, the rota, the hours; and a retracted one never was."""
    story.at("07:00")
    position = shift("Ana", "08:00", "20:00")
    corrected = story.at("07:10").corrected(position, "person", "Ben")
    assert people(who("12:00")) == ["Ben"]
    assert people(who("12:00", known_at=corrected - 1)) == ["Ana"]
    moved = story.at("07:20").corrected(position, "rota", "night")
    assert [each["rota"] for each in who("12:00")] == ["night"]
    story.at("07:30").retracted(moved)
    assert [each["rota"] for each in who("12:00")] == ["shop"]
    story.at("07:40").retracted(position)
    assert who("12:00") == []


def test_a_shift_that_ends_before_it_begins_covers_nothing(shift, who):
    """Kept as it was recorded, and no harm done."""
    shift("Ana", "08:00", "20:00")
    shift("Ben", "12:00", "10:00")
    shift("Ben", "12:00", "12:00")
    for at in ("10:00", "11:00", "12:00", "12:30"):
        assert people(who(at)) == ["Ana"]


def test_the_shifts_that_stand_are_told_with_who_said_so(story, shift):
    """An import holds its calendar against them."""
    first = shift("Ana", "08:00", "10:00", contact="+43 1")
    shift("Ben", "10:00", "12:00")
    gone = shift("Ben", "10:00", "12:00", what="released")
    story.answers.runner.catch_up()
    start, end = (int(time(each).timestamp() * 1_000_000) for each in ("09:00", "11:00"))
    with story.answers.at(story.moment()) as reader:
        found = reader.shifts("shop", start, end)
    assert [(each["person"], each["position"], each["source"]) for each in found["items"]] == [("Ana", first, "story")]
    assert [(each["person"], each["position"]) for each in found["released"]] == [("Ben", gone)]


# Laws

MINUTES = st.integers(0, 12)
PEOPLE = st.sampled_from(["Ana", "Ben", "Chi"])
SERVICES = st.sampled_from([(), (), ("web",), ("api",), ("web", "api")])


@st.composite
def rotas(draw):
    given_ = draw(st.lists(st.tuples(PEOPLE, MINUTES, MINUTES, SERVICES, st.booleans()), max_size=8))
    entries = [
        Entry(person, start, end, position, list(services), released=released and position % 3 == 0)
        for position, (person, start, end, services, released) in enumerate(given_)
    ]
    named = sorted({service for each in entries if not each.released for service in each.services})
    return State("shop", entries, named)


def slowly(state, service, at):
    """Who is on call by the words of the rule: assignments in order, releases taking people off."""
    on_duty = []
    for each in state.entries:
        if each.start <= at < each.end and (not each.services or service in each.services):
            if each.released:
                on_duty = [other for other in on_duty if other != each.person]
            else:
                on_duty.append(each.person)
    return on_duty[-1] if on_duty else None


@given(rotas(), st.sampled_from(["web", "api"]))
@settings(max_examples=300, deadline=None)
def test_who_is_on_call_is_who_the_rule_says_at_every_minute(state, service):
    """The sweep over hand-overs and the plain rule agree everywhere."""
    bounds = list(oncall.hand_overs(state.entries, service))
    assert all(before[0] < after[0] for before, after in pairwise(bounds))
    for at in range(-1, 14):
        swept = None
        for moment_, entry in bounds:
            if moment_ <= at:
                swept = entry.person if entry else None
        assert swept == slowly(state, service, at)


@given(rotas(), st.sampled_from(["web", "api"]), st.integers(-1, 13))
@settings(max_examples=300, deadline=None)
def test_a_watch_is_the_longest_time_around_a_moment_with_the_same_person(state, service, at):
    """Just before it and just after it somebody else is on call, or nobody."""
    found = oncall.watch(state, service, at)
    person = found.entry.person if found.entry else None
    assert person == slowly(state, service, at)
    inside = range(found.since if found.since is not None else -1, found.until if found.until is not None else 14)
    assert all(slowly(state, service, each) == person for each in inside)
    if found.since is not None:
        assert slowly(state, service, found.since - 1) != person
    if found.until is not None:
        coming = slowly(state, service, found.until)
        assert coming != person
        assert coming is None or (found.then, found.following.person) == (found.until, coming)
    if found.then is not None:
        assert found.following.person == slowly(state, service, found.then)
        assert all(slowly(state, service, each) is None for each in range(found.until, found.then))
