"""Versions named in an incident: proposed by a rule, suspected, implicated, exonerated; or not a deployment at all."""

import pytest

from projections import incident_answers
from projections.suspicion import RULE


def answer(story, **moment):
    with story.answers.at(story.moment(**moment)) as reader:
        return incident_answers.incident(incident_answers.story(reader, "INC-1"))


def standing(story, **moment):
    return {each["version"]: each["standing"] for each in answer(story, **moment)["versions"]}


def test_what_was_released_within_two_hours_before_impact_is_proposed_by_rule(story):
    """By name, with the time and position of the release; never more than suspected."""
    story.at("07:00").deployed("old")
    story.at("07:59").deployed("A")
    second = story.at("08:00").deployed("B")
    story.at("09:00").deployed("S", service="shop")
    story.at("10:00").impact_started("INC-1")
    story.at("10:02").deployed("C")
    story.at("10:05").declared("INC-1", "SEV-1")
    assert standing(story) == {"B": "suspected"}
    assert answer(story)["versions"][0]["proposed_by_rule"] == {
        "rule": RULE,
        "time": "2026-03-02T08:00:00Z",
        "position": second,
    }
    assert answer(story)["versions"][0]["said"] == []


def test_without_impact_the_rule_looks_from_when_it_was_noticed(story):
    """Nobody has measured anything yet in the first minute."""
    story.at("09:00").deployed("A")
    story.at("10:05").declared("INC-1", "SEV-1")
    assert standing(story) == {"A": "suspected"}


@pytest.mark.parametrize("more", [{"mode": "drill"}, {"kind": "maintenance"}], ids=str)
def test_the_rule_proposes_nothing_in_a_drill_or_in_planned_work(story, more):
    """What a person says of a version in it is shown all the same."""
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B")
    story.at("10:05").declared("INC-1", "SEV-1", **more)
    assert standing(story) == {}
    story.at("10:06").suspected("INC-1", "B")
    assert standing(story) == {"B": "suspected"}


def test_a_redeploy_or_a_deployment_without_release_is_not_a_release(story):
    """Users saw nothing new."""
    story.at("07:00").deployed("A")
    story.at("09:00").deployed("A")
    story.at("09:10").deployed("B", released=False)
    story.at("10:00").declared("INC-1", "SEV-1")
    assert standing(story) == {}


def test_a_persons_word_goes_before_suspicion_and_the_last_word_stands(story):
    """The suspicion, by whom and by which rule, stays beside it."""
    story.at("09:30").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:01").suspected("INC-1", "A", rule="looks_odd")
    assert standing(story) == {"A": "suspected"}
    implicated = story.at("10:10").implicated(
        "INC-1", "A", relation="caused", reason="the stack trace", decided_by="ana"
    )
    found = answer(story)["versions"][0]
    assert (found["standing"], found["relation"], found["proposed_by_rule"]["rule"]) == ("implicated", "caused", RULE)
    assert [(each["kind"], each["rule"]) for each in found["said"]] == [
        ("suspected", "looks_odd"),
        ("implicated", None),
    ]
    assert (found["said"][1]["reason"], found["said"][1]["by"]) == ("the stack trace", "ana")
    story.at("10:20").exonerated("INC-1", "A")
    assert standing(story) == {"A": "exonerated"}
    assert standing(story, known_at=implicated, as_of="10:10") == {"A": "implicated"}


def test_many_versions_may_be_named_and_a_cause_elsewhere_beside_them(story):
    """Many to many; not a deployment is an answer too."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05").implicated("INC-1", "A")
    story.at("10:06").implicated("INC-1", "S", service="shop", relation="contributed")
    story.at("10:30").cause_elsewhere("INC-1", reason="the power went out")
    found = answer(story)
    assert [(each["service"], each["version"]) for each in found["versions"]] == [("web", "A"), ("shop", "S")]
    assert (found["cause_elsewhere"]["reason"], found["cause_elsewhere"]["by"]) == ("the power went out", "person-ada")
