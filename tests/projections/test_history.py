"""What happened to a slot, in order, and how each event moved what is current."""

from itertools import pairwise

import pytest


def told(story, **query):
    return [(each["type"], each["version"], each["change"]) for each in story.history(**query)]


def page(story, after, limit, as_of=None):
    with story.answers.at(story.moment(as_of)) as reader:
        return reader.history(story.service, story.environment, after, limit)


@pytest.fixture
def life(story):
    """A slot's life with everything in it."""
    story.at("09:00").deploying("A", deployment_id="d1")
    story.at("09:10").deployed("A", deployment_id="d1")
    story.at("10:00").deployed("B", deployment_id="d2")
    story.at("10:10").deployment_failed("C", "unchanged", deployment_id="d3")
    story.at("11:00").decided("A", "r1")
    story.at("11:01").rollback_started("A", "r1")
    story.at("11:02").rolled_back("A", "r1")
    story.at("11:10").rollback_verified("r1")
    story.at("12:00").deployed("B", deployment_id="d4")
    story.at("12:10").deployed("B", deployment_id="d5")
    story.at("13:00").removed()
    story.at("14:00").deployed("B", deployment_id="d6")
    return story


def test_each_event_is_told_with_its_version_and_how_it_moved_what_is_current(life):
    """First, forward, rollback, return forward, redeploy, removal, restore."""
    assert told(life) == [
        ("deployment.started", "A", None),
        ("deployment.succeeded", "A", "first"),
        ("deployment.succeeded", "B", "forward"),
        ("deployment.failed", "C", None),
        ("rollback.decided", "A", None),
        ("rollback.started", "A", None),
        ("rollback.succeeded", "A", "rollback"),
        ("rollback.verified", "A", None),
        ("deployment.succeeded", "B", "return_forward"),
        ("deployment.succeeded", "B", "redeploy"),
        ("service.removed", "B", "removed"),
        ("deployment.succeeded", "B", "restore"),
    ]


def test_what_was_replaced_and_by_which_rollback_is_told(life):
    """From one version to another."""
    found = [each for each in life.history() if each["change"] in ("forward", "rollback", "removed", "restore")]
    assert [(each["replaced"], each["rollback_id"]) for each in found] == [
        ("A", None),
        ("B", "r1"),
        ("B", None),
        (None, None),
    ]


def test_the_sources_own_name_is_told(life):
    """So that one finds the run."""
    assert [each["reference"] for each in life.history()][:4] == ["d1", "d1", "d2", "d3"]


def test_each_event_is_told_with_the_time_it_counts_from_and_its_position(story):
    """Which is the recording's where the clock ran ahead."""
    story.at("12:00", recorded="10:00").deployed("A")
    [found] = story.history()
    assert (found["time"], found["position"]) == ("2026-03-02T10:00:00Z", 1)


def test_the_newest_is_told_first_and_pages_follow_each_other(life):
    """`after` is the position of the last one seen."""
    for as_of in (None, "14:00"):
        whole = page(life, None, 1000, as_of)
        assert [each["position"] for each in whole] == list(range(12, 0, -1))
        pages, after = [], None
        while found := page(life, after, 5, as_of):
            pages += found
            after = found[-1]["position"]
        assert pages == whole


def test_after_a_position_that_is_not_in_it_there_is_nothing(life):
    """Now, and at any other moment; nor what sources without a clock date before 1970."""
    life.at("1969-07-20T20:17:40Z", recorded="15:00").deployed("0")
    assert page(life, 999, 5) == []
    assert page(life, 999, 5, "15:00") == []


def test_it_is_told_as_it_was_at_any_moment(life):
    """Now from its table, any other moment from the fold: the same."""
    assert life.history(as_of="14:00") == life.history()
    assert life.history(as_of="10:30") == life.history()[:4]
    assert life.history(known_at=6) == life.history()[:6]


def test_late_events_are_told_in_their_place(story):
    """And what came after them is told anew."""
    story.at("09:00").deployed("A")
    story.at("11:00").deployed("B")
    assert told(story)[-1] == ("deployment.succeeded", "B", "forward")
    story.at("08:00", recorded="12:00").deployed("B")
    story.at("10:00", recorded="12:00").approved("B")
    assert told(story) == [
        ("deployment.succeeded", "B", "first"),
        ("deployment.succeeded", "A", "forward"),
        ("release.approved", "B", None),
        ("deployment.succeeded", "B", "rollback"),
    ]


def test_corrected_events_are_told_as_they_are_and_retracted_ones_not_at_all(story):
    """The record keeps both."""
    story.at("09:00").deployed("A")
    wrong = story.at("10:00").deployed("B")
    never = story.at("11:00").deployed("C")
    story.at("12:00").corrected(wrong, "version", "D")
    story.at("12:10").retracted(never)
    assert told(story) == [("deployment.succeeded", "A", "first"), ("deployment.succeeded", "D", "forward")]
    assert told(story, known_at=never)[-1] == ("deployment.succeeded", "C", "forward")


def test_observations_are_not_told(story):
    """They repeat what is so."""
    story.at("09:00").deployed("A")
    for minute in range(30):
        story.at(f"10:{minute:02}").observed("A")
    assert told(story) == [("deployment.succeeded", "A", "first")]
    assert story.history(as_of="10:30") == story.history()


def test_configuration_features_migrations_and_words_are_told_too(story):
    """What else changed in the slot."""
    story.at("09:00").deployed("A")
    story.at("10:00").reconfigured("change-1")
    story.at("10:10").migrated("m1", "A", "additive")
    story.at("10:20").feature_enabled("dark-mode")
    story.at("10:30").marked_bad("A")
    story.at("10:40").declined("fix_forward")
    assert [each["type"] for each in story.history()[1:]] == [
        "configuration.changed",
        "migration.applied",
        "feature.enabled",
        "release.marked_bad",
        "rollback.declined",
    ]
    assert {each["change"] for each in story.history()[1:]} == {None}


def test_every_change_replaces_what_the_one_before_it_made_current(life):
    """The history has no gaps."""
    moves = [each for each in life.history() if each["change"] not in (None, "redeploy")]
    for before, after in pairwise(moves):
        assert after["replaced"] == (None if before["change"] == "removed" else before["version"])


def test_a_slot_without_history_has_none(story):
    """An empty list, not an error."""
    assert story.history() == []
