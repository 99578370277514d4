"""Which events are known, when each counts from, and what they say after corrections."""

import pytest

from ledger.values import microseconds, stream_name
from projections.facts import holding, known
from tests.projections.story import digest, time


def current_everywhere(story, as_of=None, known_at=None):
    """What is current of web and api in production and staging, in that order."""
    slots = [(service, place) for service in ("web", "api") for place in ("production", "staging")]
    return [story.current(as_of, known_at, service=service, environment=place) for service, place in slots]


def same_from_nothing(story):
    """Now, and the same folded from nothing."""
    found = story.slot()
    now = story.moment().as_of.isoformat()
    assert {**story.slot(as_of=now), "as_of": None} == {**found, "as_of": None}
    return found


# Known at


def test_known_at_is_a_prefix_of_the_record(story):
    """As it was known then, whatever was learnt since."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    story.at("09:30", recorded="11:00").deployed("C")
    assert [story.current(known_at=position) for position in (0, 1, 2, 3)] == [None, "A", "B", "B"]
    assert story.ranked(known_at=2) == ["A"]
    assert story.ranked(known_at=3) == ["C", "A"]


def test_known_at_and_as_of_ask_different_things(story):
    """What was so at ten, as known then; and as known now."""
    story.at("09:00").deployed("A")
    known_then = story.at("10:00").approved("A")
    story.at("09:30", recorded="11:00").deployed("B")
    assert story.current(as_of="10:00", known_at=known_then) == "A"
    assert story.current(as_of="10:00") == "B"


def test_as_of_defaults_to_the_moment_of_known_at(story):
    """The answer that was given then, with the soak and the freezes of then."""
    story.at("09:00").deployed("A")
    position = story.at("09:05").observed("A")
    story.at("12:00")
    assert story.slot(known_at=position)["as_of"] == "2026-03-02T09:05:00Z"
    assert story.good(known_at=position) is None
    assert story.good() == "A"


def test_the_answer_says_what_it_is_of(story):
    """as_of, and the position that was known."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    assert (story.slot()["as_of"], story.slot()["known_at"]) == ("2026-03-02T10:00:00Z", 2)
    assert (story.slot(as_of="09:30")["as_of"], story.slot(as_of="09:30")["known_at"]) == ("2026-03-02T09:30:00Z", 2)


# Effective time


def test_an_event_counts_from_its_time(story):
    """At that instant, not after it."""
    story.at("09:00", recorded="12:00").deployed("A")
    assert story.slot(as_of="08:59:59.999999") is None
    assert story.current(as_of="09:00") == "A"


def test_a_time_ahead_of_its_recording_counts_from_the_recording(story):
    """A clock that runs ahead can't make anything current later, or for longer."""
    story.at("12:00", recorded="10:00").deployed("A")
    story.at("11:00").deployed("B")
    assert story.current() == "B"
    assert story.current(as_of="10:00") == "A"
    assert story.slot(as_of="10:30")["current"]["since"] == "2026-03-02T10:00:00Z"


def test_a_late_report_never_makes_an_older_version_current(story):
    """Only its time decides."""
    story.at("10:00").deployed("B")
    story.at("09:00", recorded="11:00").deployed("A")
    assert story.current() == "B"
    assert story.changes() == [("first", "A"), ("forward", "B")]


def test_a_late_report_refolds_what_came_after_its_time(story):
    """Another order of first lives makes another history."""
    story.at("09:00").deployed("A")
    story.at("10:00").deployed("B")
    assert story.changes()[-1] == ("forward", "B")
    story.at("08:00", recorded="11:00").deployed("B")
    assert story.changes() == [("first", "B"), ("forward", "A"), ("rollback", "B")]
    same_from_nothing(story)


def test_at_one_instant_the_position_decides(story):
    """The later record is the later event."""
    story.at("10:00").deployed("A")
    story.at("10:00").deployed("B")
    assert story.current() == "B"


# Corrections


def test_a_correction_counts_from_its_own_recording_on(story):
    """By known_at before it the old answer, whatever moment is asked about."""
    deployment = story.at("09:00").deployed("A")
    story.at("11:00").corrected(deployment, "version", "B")
    assert story.current() == "B"
    assert story.current(as_of="09:00") == "B"
    assert story.current(known_at=deployment) == "A"
    same_from_nothing(story)


def test_the_time_of_a_correction_plays_no_part(story):
    """Claimed for next week, it counts now; claimed for last week, not before it was recorded."""
    deployment = story.at("09:00").deployed("A")
    story.at("+7d 11:00", recorded="11:00").corrected(deployment, "version", "B")
    assert story.current(as_of="09:30") == "B"
    story.at("08:00", recorded="12:00").corrected(deployment, "version", "C")
    assert story.current(as_of="09:30") == "C"
    assert story.current(as_of="09:30", known_at=2) == "B"


def test_of_two_corrections_of_one_member_the_last_wins(story):
    """Of other members each stands."""
    deployment = story.at("09:00").deployed("A")
    story.at("10:00").corrected(deployment, "version", "B")
    story.at("10:10").corrected(deployment, "digest", digest("1"))
    story.at("10:20").corrected(deployment, "version", "C")
    assert story.slot()["current"]["version"] == "C"
    assert story.slot()["current"]["digest"] == digest("1")


def test_where_the_last_correction_is_retracted_the_one_before_it_wins(story):
    """It holds unless retracted."""
    deployment = story.at("09:00").deployed("A")
    story.at("10:00").corrected(deployment, "version", "B")
    second = story.at("10:20").corrected(deployment, "version", "C")
    story.at("10:30").retracted(second)
    assert story.current() == "B"
    same_from_nothing(story)


def test_a_correction_to_nothing_takes_a_member_away(story):
    """Null and absent are one."""
    deployment = story.at("09:00").deployed("A", digest=digest("1"), released=False)
    assert story.current() is None
    story.at("10:00").corrected(deployment, "released", None)
    story.at("10:10").corrected(deployment, "digest", None)
    assert story.slot()["current"]["version"] == "A"
    assert story.slot()["current"]["digest"] is None


def test_a_corrected_time_moves_the_event(story):
    """In the order, in the periods, in what was so then."""
    story.at("09:00").deployed("A")
    late = story.at("11:00").deployed("B")
    story.at("10:00", recorded="11:30").deployed("C")
    assert story.current() == "B"
    story.at("12:00").corrected(late, "time", "2026-03-02T10:30:00+01:00")
    assert story.current() == "C"
    assert story.changes() == [("first", "A"), ("forward", "B"), ("forward", "C")]
    assert story.slot(as_of="09:30")["current"]["since"] == "2026-03-02T09:30:00Z"
    same_from_nothing(story)


def test_a_time_corrected_to_after_its_recording_counts_from_the_recording(story):
    """As for every event."""
    deployment = story.at("09:00").deployed("A")
    story.at("09:30").corrected(deployment, "time", "2026-03-02T20:00:00Z")
    assert story.slot()["current"]["since"] == "2026-03-02T09:00:00Z"


def test_a_correction_of_the_time_to_nothing_says_nothing(story):
    """Every event has a time; and no correction stops the answers."""
    deployment = story.at("09:00").deployed("A")
    story.at("09:20").corrected(deployment, "time", None)
    assert story.slot()["current"]["since"] == "2026-03-02T09:00:00Z"


def test_a_retracted_event_counts_no_more(story):
    """It is recorded, and was known."""
    story.at("09:00").deployed("A")
    mistake = story.at("10:00").deployed("B")
    story.at("11:00").retracted(mistake)
    assert story.current() == "A"
    assert story.ranked() == []
    assert story.current(known_at=mistake) == "B"
    assert story.changes() == [("first", "A")]
    same_from_nothing(story)


def test_a_slot_whose_only_event_is_retracted_is_not_known(story):
    """It was, by known_at before."""
    mistake = story.at("10:00").deployed("B")
    story.at("11:00").retracted(mistake)
    assert story.slot() is None
    assert story.current(known_at=mistake) == "B"


def test_a_retraction_of_a_retraction_brings_back_what_was_retracted(story):
    """And a third one takes it away again: judged from the highest position down."""
    deployment = story.at("09:00").deployed("A")
    first = story.at("10:00").retracted(deployment)
    second = story.at("10:10").retracted(first)
    third = story.at("10:20").retracted(second)
    found = [story.current(known_at=position) for position in (deployment, first, second, third)]
    assert found == ["A", None, "A", None]
    same = story.slot()
    assert same is None


def test_one_of_two_retractions_is_enough(story):
    """Retracting one of them leaves the other."""
    deployment = story.at("09:00").deployed("A")
    first = story.at("10:00").retracted(deployment)
    story.at("10:10").retracted(deployment)
    story.at("10:20").retracted(first)
    assert story.slot() is None


def test_a_retracted_event_that_was_corrected_comes_back_corrected(story):
    """Each correction holds by itself."""
    deployment = story.at("09:00").deployed("A")
    retraction = story.at("10:00").retracted(deployment)
    story.at("10:10").corrected(deployment, "version", "B")
    assert story.slot() is None
    story.at("10:20").retracted(retraction)
    assert story.current() == "B"


def test_which_corrections_hold_is_judged_from_the_highest_position_down(story):
    """Seven deep: a retraction of a retraction of ..."""
    target = story.at("09:00").deployed("A")
    for _ in range(7):
        target = story.at("10:00").retracted(target)
    amendments = holding(story.record.events[1:])
    assert [position for position, each in sorted(amendments.items()) if each.retracted] == [1, 3, 5, 7]


# Corrections that move an event


@pytest.mark.parametrize(
    "member, value, service, place",
    [("service", "api", "api", "production"), ("environment", "staging", "web", "staging")],
)
def test_a_corrected_service_or_environment_leaves_the_old_slot_and_enters_the_new_one(
    story, member, value, service, place
):
    """In both, now and by known_at."""
    story.at("08:00").deployed("Z")
    story.at("08:00").deployed("Y", service=service, environment=place)
    moved = story.at("09:00").deployed("A")
    story.at("10:00").corrected(moved, member, value)
    assert story.current() == "Z"
    assert story.current(service=service, environment=place) == "A"
    assert story.current(known_at=moved) == "A"
    assert story.current(known_at=moved, service=service, environment=place) == "Y"
    assert [each["position"] for each in story.history(service=service, environment=place)][-1] == moved


def test_an_event_may_be_moved_to_a_slot_that_nothing_else_is_recorded_of(story):
    """It is known by that event alone."""
    moved = story.at("09:00").deployed("A", service="wbe")
    story.at("10:00").corrected(moved, "service", "web")
    assert story.current() == "A"
    assert story.slot(service="wbe") is None
    assert story.slot(known_at=moved) is None


def test_an_event_may_be_moved_back_and_on(story):
    """By a retraction of the correction, and by another correction."""
    moved = story.at("09:00").deployed("A")
    first = story.at("10:00").corrected(moved, "service", "api")
    assert current_everywhere(story) == [None, None, "A", None]
    story.at("10:10").retracted(first)
    assert current_everywhere(story) == ["A", None, None, None]
    story.at("10:20").corrected(moved, "environment", "staging")
    assert current_everywhere(story) == [None, "A", None, None]
    last = story.at("10:30").corrected(moved, "service", "api")
    assert current_everywhere(story) == [None, None, None, "A"]
    assert [current_everywhere(story, known_at=position) for position in range(1, last)] == [
        ["A", None, None, None],
        [None, None, "A", None],
        ["A", None, None, None],
        [None, "A", None, None],
    ]


def test_stream_and_revision_stay_as_recorded_when_an_event_is_moved(story):
    """The record is not edited."""
    moved = story.at("09:00").deployed("A")
    story.at("10:00").corrected(moved, "service", "api")
    moment = story.moment()
    [fact] = known(stream_name("slot", "api", "production"), moment, story.record, story.answers.tables)
    assert fact.event.stream == stream_name("slot", "api", "production")
    assert (fact.recorded.stream, fact.recorded.revision) == (stream_name("slot", "web", "production"), 1)
    assert fact.amended_by == (2,)
    assert fact.at == microseconds(time("09:00"))


@pytest.mark.parametrize("undo", ["retracted", "corrected on"])
def test_a_setting_that_is_moved_away_again_no_longer_counts_in_the_slots_it_was_moved_to(story, undo):
    """All slots that it was ever folded into are folded anew."""
    story.at("09:00").deployed("A", environment="staging")
    setting = story.at("09:10").configured(deployment_releases=False)
    move = story.at("09:20").corrected(setting, "environment", "staging")
    story.at("09:30").deployed("B", environment="staging")
    assert story.current(environment="staging") == "A"
    if undo == "retracted":
        story.at("09:40").retracted(move)
    else:
        story.at("09:40").corrected(setting, "environment", "test")
    assert story.current(environment="staging") == "B"
    assert story.current(environment="staging", as_of="09:40") == "B"


def test_a_retracted_setting_no_longer_counts(story):
    """Its slots are folded anew."""
    setting = story.at("08:00").configured(deployment_releases=False)
    story.at("09:00").deployed("A")
    assert story.current() is None
    story.at("10:00").retracted(setting)
    assert story.current() == "A"


def test_a_corrected_artifact_event_is_of_the_service_it_now_names(story):
    """The deletion was of another service's artifact."""
    for service in ("web", "api"):
        story.at("08:00").deployed("A", service=service)
        story.at("09:00").deployed("B", service=service)
    deletion = story.at("10:00").deleted("A")
    assert (story.target(), story.target(service="api")) == (None, "A")
    story.at("10:10").corrected(deletion, "service", "api")
    assert (story.target(), story.target(service="api")) == ("A", None)


def test_a_corrected_list_of_affected_slots_is_followed(story):
    """In both slots, from its recording on."""
    story.at("08:00").deployed("A")
    story.at("08:00").deployed("A", service="api")
    declared = story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").corrected(declared, "affected", [{"service": "api", "environment": "production"}])
    assert (story.good(), story.good(service="api")) == ("A", None)
    assert (story.good(known_at=declared), story.good(known_at=declared, service="api")) == (None, "A")


def test_a_corrected_decision_of_a_rollback_is_for_what_it_now_says(story):
    """The pipeline went where the person meant."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    decision = story.at("09:10").decided("X", "r1")
    story.at("09:11").corrected(decision, "to_version", "Y")
    story.at("09:20").deployed("Y")
    assert story.changes()[-1] == ("rollback", "Y")


# Redactions


def test_a_redacted_correction_says_nothing_any_more(story):
    """Not even a service of that name; known_at before it does not bring the words back."""
    deployment = story.at("09:00").deployed("A")
    for member, value in (("service", "api"), ("version", "B"), ("time", "2026-03-02T08:00:00Z")):
        correction = story.at("10:00").corrected(deployment, member, value)
        last = story.at("10:10").redacted(correction, "value")
        assert current_everywhere(story) == ["A", None, None, None]
        assert current_everywhere(story, known_at=correction) == ["A", None, None, None]
        assert story.slot()["current"]["since"] == "2026-03-02T09:00:00Z"
        assert story.slot(service="[redacted]") is None
    assert last == story.record.head()


def test_a_redacted_owner_is_in_no_slots_state(story):
    """Kept states are folded anew, those of the environment's slots too."""
    story.at("09:00").deployed("A")
    setting = story.at("09:10").configured(owner="grace.hopper@example.org")
    story.moment()
    story.at("09:20").redacted(setting, "owner")
    story.moment()
    for table in story.answers.tables.db.table_names():
        for row in story.answers.tables.db.execute(f'SELECT * FROM "{table}"').fetchall():
            assert "grace.hopper" not in repr(row)


def test_a_redaction_changes_no_other_answer(story):
    """Words go, facts stay."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    mark = story.at("09:20").marked_bad("A", reason="a customer's name")
    before = story.candidates(as_of="09:30")
    story.at("09:40").redacted(mark, "reason")
    assert story.candidates(as_of="09:30") == before
