"""Each measure is the difference of two named times; one that is not known is missing, never imputed."""

import pytest

from projections import incident_answers, measures
from tests.projections.story import PIPELINE

MINUTE = 60


def answer(story, name="INC-1", as_of=None, known_at=None):
    with story.answers.at(story.moment(as_of, known_at)) as reader:
        return incident_answers.incident(incident_answers.story(reader, name))


def seconds(story, name="INC-1", **moment):
    return {each: told["seconds"] for each, told in answer(story, name, **moment)["measures"].items()}


def told(story, measure, **moment):
    found = answer(story, **moment)["measures"][measure]
    return found["seconds"], found["from"]["position"], found["to"]["position"]


MISSING = dict.fromkeys(
    "time_to_detect time_to_declare time_to_acknowledge time_to_decide time_to_execute time_to_verify "
    "time_to_mitigate time_to_resolve".split()
)


def whole(story):
    """An incident with every step, told in one go."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("09:40").impact_started("INC-1")
    story.at("09:45").detected("INC-1", "SEV-1")
    story.at("09:47").declared("INC-1", "SEV-1")
    story.at("09:48").acknowledged("INC-1")
    story.at("09:52").decided("A", "RB-1", incident="INC-1")
    story.at("09:53").rollback_started("A", "RB-1")
    story.at("09:56").rolled_back("A", "RB-1")
    story.at("09:58").impact_ended("INC-1")
    story.at("10:05").rollback_verified("RB-1")
    story.at("10:10").resolved("INC-1")


def test_every_measure_of_a_whole_incident(story):
    """Worked out by hand."""
    whole(story)
    assert seconds(story) == {
        "time_to_detect": 5 * MINUTE,
        "time_to_declare": 2 * MINUTE,
        "time_to_acknowledge": 1 * MINUTE,
        "time_to_decide": 5 * MINUTE,
        "time_to_execute": 4 * MINUTE,
        "time_to_verify": 9 * MINUTE,
        "time_to_mitigate": 18 * MINUTE,
        "time_to_resolve": 23 * MINUTE,
    }


def test_a_measure_names_its_two_times_and_where_they_are_recorded(story):
    """So that nobody has to believe it."""
    whole(story)
    found = answer(story)["measures"]["time_to_mitigate"]
    assert found == {
        "seconds": 18 * MINUTE,
        "from": {"name": "first impact start", "time": "2026-03-02T09:40:00Z", "position": 3},
        "to": {"name": "last impact end", "time": "2026-03-02T09:58:00Z", "position": 10},
    }


@pytest.mark.parametrize("minute, known", [("09:40", 0), ("09:45", 1), ("09:47", 2), ("09:52", 4), ("10:10", 8)])
def test_what_is_not_known_yet_is_missing(story, minute, known):
    """One after the other, as the incident goes on."""
    whole(story)
    assert sum(each is not None for each in seconds(story, as_of=minute).values()) == known


def test_an_incident_of_which_little_is_told_has_no_measures(story):
    """Not zero, not the nearest time: none."""
    story.at("10:00").declared("INC-1", "SEV-3")
    assert seconds(story) == MISSING


def test_seconds_have_fractions_only_where_there_are_some(story):
    """Whole ones are whole."""
    story.at("10:00:00.25").detected("INC-1")
    story.at("10:00:01").declared("INC-1", "SEV-3")
    assert seconds(story)["time_to_declare"] == 0.75


def test_the_first_detection_and_declaration_count_and_the_last_resolution(story):
    """Several machines detect; a reopened incident is resolved again."""
    story.at("10:00").impact_started("INC-1")
    story.at("10:08").detected("INC-1")
    story.at("10:05", recorded="10:09").detected("INC-1")
    story.at("10:10").declared("INC-1", "SEV-2")
    story.at("10:40").resolved("INC-1")
    story.at("10:50").reopened("INC-1")
    assert seconds(story)["time_to_resolve"] == 30 * MINUTE
    story.at("11:10").resolved("INC-1")
    found = seconds(story)
    assert (found["time_to_detect"], found["time_to_declare"], found["time_to_resolve"]) == (300, 300, 3600)
    steps = answer(story)["steps"]
    assert (steps["resolved"]["position"], steps["first_resolved"]["position"]) == (7, 5)


def test_mitigation_waits_for_the_last_window_to_end(story):
    """From the first start to the last end; none while one is open."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("10:00").impact_started("INC-1", window="eu")
    story.at("10:10").impact_started("INC-1", window="us")
    story.at("10:20").impact_ended("INC-1", window="us")
    assert seconds(story)["time_to_mitigate"] is None
    story.at("10:15", recorded="10:30").impact_ended("INC-1", window="eu")
    assert seconds(story)["time_to_mitigate"] == 20 * MINUTE
    assert answer(story)["impact"]["seconds"] == 20 * MINUTE


def test_customer_impact_is_the_length_of_the_union_of_its_windows(story):
    """Overlaps count once, gaps not at all; an open one lasts to the moment asked for."""
    story.at("10:00").declared("INC-1", "SEV-2")
    for name, start, end in (("a", "10:00", "10:20"), ("b", "10:10", "10:30"), ("c", "10:50", "11:00")):
        story.at(start, recorded="11:00").impact_started("INC-1", window=name)
        story.at(end, recorded="11:00").impact_ended("INC-1", window=name)
    assert answer(story)["impact"]["seconds"] == 40 * MINUTE
    story.at("11:30").impact_started("INC-1", window="d")
    story.at("11:40").acknowledged("INC-1")
    found = answer(story)["impact"]
    assert (found["seconds"], found["ongoing"]) == (50 * MINUTE, True)
    story.at("12:00").resolved("INC-1")
    found = answer(story)
    assert (found["impact"]["seconds"], found["impact"]["ongoing"]) == (40 * MINUTE, False)
    assert "impact_not_ended" in [each["code"] for each in found["marks"]]


def test_the_clock_to_decide_starts_when_the_severity_asks_for_it(story):
    """SEV-3 asks for nothing; the upgrade does."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:20").severity_changed("INC-1", "SEV-3", "SEV-1")
    story.at("10:26").declined("fix_forward", incident="INC-1")
    story.at("10:40").decided("A", "RB-1", incident="INC-1")
    assert told(story, "time_to_decide") == (6 * MINUTE, 2, 3)


def test_a_decision_before_the_upgrade_leaves_the_clock_to_the_one_after_it(story):
    """Only where there is no later one does the earlier count, before its time."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:05").declined("none", incident="INC-1")
    story.at("10:20").severity_changed("INC-1", "SEV-3", "SEV-1")
    assert seconds(story)["time_to_decide"] == -15 * MINUTE
    story.at("10:22").decided("A", "RB-1", incident="INC-1")
    assert seconds(story)["time_to_decide"] == 2 * MINUTE


def test_execution_and_verification_are_of_one_rollback(story):
    """The first did not help; the times of two are never mixed."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("09:20").deployed("C")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01").decided("B", "RB-1", incident="INC-1")
    story.at("10:05").rolled_back("B", "RB-1")
    story.at("10:10").rollback_ineffective("RB-1")
    story.at("10:11").decided("A", "RB-2", incident="INC-1")
    story.at("10:18").rolled_back("A", "RB-2")
    story.at("10:30").rollback_verified("RB-2")
    found = seconds(story)
    assert (found["time_to_decide"], found["time_to_execute"], found["time_to_verify"]) == (60, 240, 720)


def test_a_rollback_that_was_decided_and_never_executed_has_no_time_to_execute(story):
    """Decided, executed, verified are told apart."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01").decided("A", "RB-1", incident="INC-1")
    assert told(story, "time_to_execute") == (None, 2, None)


def test_a_rollback_that_nobody_decided_has_no_time_to_execute(story):
    """But it may be verified."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05").rolled_back("A", "RB-1", by=PIPELINE)
    story.at("10:10").rollback_verified("RB-1")
    found = seconds(story)
    assert (found["time_to_decide"], found["time_to_execute"], found["time_to_verify"]) == (None, None, 300)


def test_a_decision_in_an_affected_slot_belongs_to_the_incident_without_naming_it(story):
    """A responder in a hurry; also when it is carried out and verified after the resolution."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:04").decided("A", "RB-1")
    story.at("10:05").resolved("INC-1")
    story.at("10:06").rolled_back("A", "RB-1")
    story.at("10:10").rollback_verified("RB-1")
    found = seconds(story)
    assert (found["time_to_decide"], found["time_to_execute"], found["time_to_verify"]) == (240, 120, 240)


@pytest.mark.parametrize(
    "when, more",
    [("09:59", {}), ("11:01", {}), ("10:10", {"incident": "INC-2"}), ("10:10", {"service": "shop"})],
    ids=["before", "after", "of another incident", "elsewhere"],
)
def test_other_decisions_do_not_belong_to_it(story, when, more):
    """Before it began, after it was over, of another, or of another slot."""
    story.at("10:00", recorded="11:00").declared("INC-1", "SEV-1")
    story.at("11:00").resolved("INC-1")
    story.at(when, recorded="12:00").decided("A", "RB-1", **more)
    assert seconds(story)["time_to_decide"] is None


def test_a_decision_that_names_the_incident_belongs_to_it_wherever_and_whenever(story):
    """Recorded late, for a slot that nobody listed."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("11:00").resolved("INC-1")
    story.at("11:30").decided("A", "RB-1", incident="INC-1", service="shop")
    assert seconds(story)["time_to_decide"] == 90 * MINUTE


def test_times_that_contradict_each_other_give_what_they_give(story):
    """No silent reordering: the measure is negative, and a mark says why."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("09:00", recorded="10:30").resolved("INC-1")
    assert seconds(story)["time_to_resolve"] == -60 * MINUTE
    assert "contradictory_times" in [each["code"] for each in answer(story)["marks"]]


def test_a_correction_changes_the_measure_from_its_recording_on(story):
    """And not before: `known_at` gives the old one."""
    whole(story)
    detected = 4
    corrected = story.at("12:00").corrected(detected, "time", "2026-03-02T09:42:00Z")
    assert told(story, "time_to_detect") == (2 * MINUTE, 3, 4)
    assert told(story, "time_to_detect", known_at=corrected - 1) == (5 * MINUTE, 3, 4)
    undone = story.at("12:10").retracted(corrected)
    assert told(story, "time_to_detect") == (5 * MINUTE, 3, 4)
    assert told(story, "time_to_detect", known_at=undone - 1) == (2 * MINUTE, 3, 4)


def test_a_retracted_decision_is_no_longer_measured(story):
    """It was never made."""
    whole(story)
    retracted = story.at("12:00").retracted(7)
    assert seconds(story)["time_to_decide"] is None
    assert seconds(story, known_at=retracted - 1)["time_to_decide"] == 5 * MINUTE


def test_there_are_eight_measures():
    """As the derivations define them."""
    from projections.incident import State

    assert list(measures.measures(State(), [], [])) == list(MISSING)


def test_a_rollback_is_of_the_incident_that_it_was_decided_in(story):
    """Its later steps name none, and another incident in the same slot is not measured by them."""
    story.at("09:00").deployed("A")
    story.at("09:30").deployed("B")
    story.at("09:40").declared("INC-1", "SEV-2")
    story.at("09:42").decided("A", "RB-1", incident="INC-1")
    story.at("09:43").declared("INC-2", "SEV-3")
    story.at("09:45").rolled_back("A", "RB-1")
    story.at("09:50").rollback_verified("RB-1")
    assert (seconds(story)["time_to_execute"], seconds(story)["time_to_verify"]) == (3 * MINUTE, 5 * MINUTE)
    assert seconds(story, "INC-2") == MISSING
