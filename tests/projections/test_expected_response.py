"""What the severity asks for, its clock, and what is a deviation from it."""

import pytest

from projections import incident_answers


def response(story, **moment):
    with story.answers.at(story.moment(**moment)) as reader:
        return incident_answers.incident(incident_answers.story(reader, "INC-1"))["expected_response"]


@pytest.mark.parametrize(
    "severity, words, status",
    [
        ("SEV-1", "at once", "awaited"),
        ("SEV-2", "on-call person decides", "awaited"),
        ("SEV-3", "no rollback", "as_expected"),
    ],
)
def test_each_severity_asks_for_a_response_and_its_clock_runs(story, severity, words, status):
    """Shown, never executed."""
    story.at("10:00").declared("INC-1", severity)
    story.at("10:07").acknowledged("INC-1")
    found = response(story)
    assert words in found["response"]
    assert (found["severity"], found["seconds"], found["status"], found["deviations"]) == (severity, 420, status, [])


def test_the_clock_starts_anew_with_a_new_severity_and_stops_with_the_incident(story):
    """It counts since the severity was reached."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:30").severity_changed("INC-1", "SEV-3", "SEV-1")
    story.at("11:00").resolved("INC-1")
    story.at("11:30").closed("INC-1")
    assert response(story, as_of="10:20")["seconds"] == 1200
    assert response(story, as_of="10:40")["seconds"] == 600
    assert response(story)["seconds"] == 1800
    assert (response(story, as_of="10:40")["status"], response(story)["status"]) == ("awaited", "missing")


def test_rolling_back_is_what_a_sev_1_asks_for(story):
    """Decided is enough: executed and verified are told elsewhere."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", "RB-1")
    assert (response(story)["status"], response(story)["deviations"]) == ("as_expected", [])


def test_another_choice_is_a_deviation_with_its_reason(story):
    """Allowed, and told with who decided it."""
    story.at("10:00").declared("INC-1", "SEV-1")
    position = story.at("10:02").declined("fix_forward", reason="the data was migrated", decided_by="ana")
    found = response(story)
    assert found["status"] == "deviated"
    assert found["deviations"] == [
        {
            "severity": "SEV-1",
            "expected": "roll back at once, no debate",
            "chosen": "fix_forward",
            "reason": "the data was migrated",
            "decided_by": "ana",
            "type": "rollback.declined",
            "time": "2026-03-02T10:02:00Z",
            "position": position,
        }
    ]


def test_a_deviation_stays_told_when_the_rollback_comes_after_all(story):
    """The status is that of the last choice."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").declined("fix_forward")
    story.at("10:20").decided("A", "RB-1")
    found = response(story)
    assert (found["status"], [each["chosen"] for each in found["deviations"]]) == ("as_expected", ["fix_forward"])


def test_a_feature_switched_off_is_no_rollback(story):
    """A SEV-2 allows it, a SEV-1 asks for more."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("10:02").feature_disabled("checkout-v2")
    assert response(story)["status"] == "as_expected"
    story.at("10:10").severity_changed("INC-1", "SEV-2", "SEV-1")
    story.at("10:12").feature_disabled("search-v2", reason="it was cheap")
    found = response(story)
    assert (found["status"], [each["chosen"] for each in found["deviations"]]) == ("deviated", ["feature_disable"])
    story.at("10:15").decided("A", "RB-1")
    story.at("10:16").feature_disabled("more")
    assert response(story)["status"] == "as_expected"
    assert len(response(story)["deviations"]) == 1


def test_a_rollback_for_a_sev_3_is_a_deviation(story):
    """It asks for a fix in the next release."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:02").decided("A", "RB-1", reason="it was quick")
    found = response(story)
    assert (found["status"], found["deviations"][0]["chosen"]) == ("deviated", "rollback")


def test_each_choice_is_judged_by_the_severity_at_its_time(story):
    """Declining was right while it was a SEV-3."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:02").declined("none")
    story.at("10:10").severity_changed("INC-1", "SEV-3", "SEV-1")
    found = response(story)
    assert (found["status"], found["deviations"]) == ("awaited", [])


def test_what_was_done_for_a_graver_severity_is_done_for_a_lesser_one(story):
    """Rolled back at once and downgraded since it helped: nobody has to decide again."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", incident="INC-1")
    story.at("10:10").severity_changed("INC-1", "SEV-1", "SEV-2")
    assert response(story)["status"] == "as_expected"
    story.at("10:12").severity_changed("INC-1", "SEV-2", "SEV-1")
    assert response(story)["status"] == "as_expected"
    story.at("10:20").resolved("INC-1")
    assert response(story)["status"] == "as_expected"


def test_a_new_cycle_asks_anew(story):
    """What was decided before it was reopened did not end it."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", incident="INC-1")
    story.at("10:20").resolved("INC-1")
    story.at("10:30").reopened("INC-1")
    assert response(story)["status"] == "awaited"
    story.at("10:31").decided("A", incident="INC-1")
    assert response(story)["status"] == "as_expected"


def test_a_drill_says_that_it_is_one(story):
    """Practising is no deviation either."""
    story.at("10:00").declared("INC-1", "SEV-1", mode="drill")
    assert response(story)["drill"]


def test_what_has_no_severity_asks_for_nothing(story):
    """Only detected."""
    story.at("10:00").detected("INC-1", "SEV-1")
    assert response(story) is None
