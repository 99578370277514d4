"""Which events make one change."""

from projections import change_steps
from projections.facts import Fact


def read(story):
    """The changes of all that was told: kind, id, version, outcome, positions."""
    story.answers.runner.catch_up()
    facts = [Fact.as_recorded(each) for each in story.record.events if each.event.TOPIC in change_steps.STEPS]
    found = change_steps.changes(facts)
    return [(each.kind, each.id, each.version, each.outcome, each.positions) for each in found]


def test_steps_of_one_id_are_one_change(story):
    """From its beginning to its end; the times are those of the steps."""
    story.at("10:00").deploying("A", deployment_id="d1")
    story.at("10:05").deployed("A", deployment_id="d1")
    story.at("10:06").release_started("A", 10, release_id="r1")
    story.at("10:10").exposed("A", 50, release_id="r1")
    story.at("10:20").released("A", release_id="r1")
    assert read(story) == [
        ("deployment", "d1", "A", "succeeded", [1, 2]),
        ("release", "r1", "A", "succeeded", [3, 4, 5]),
    ]


def test_every_way_to_end(story):
    """Failed, cancelled and aborted changes are changes, too."""
    story.at("10:00").deployment_failed("A", "unchanged", deployment_id="d1")
    story.at("10:01").deployment_cancelled("A", deployment_id="d2")
    story.at("10:02").release_started("A", 10)
    story.at("10:03").aborted("A")
    story.at("10:04").rollback_started("B", "b1")
    story.at("10:05").rollback_failed("B", "b1")
    story.at("10:06").rolled_back("C", "b2")
    assert [(kind, outcome) for kind, _, _, outcome, _ in read(story)] == [
        ("deployment", "failed"),
        ("deployment", "cancelled"),
        ("release", "aborted"),
        ("rollback", "failed"),
        ("rollback", "succeeded"),
    ]


def test_changes_of_one_event(story):
    """Each is its own, also of the same name."""
    story.at("10:00").feature_enabled("dark")
    story.at("10:01").feature_disabled("dark")
    story.at("10:02").reconfigured("c1")
    story.at("10:03").migrated("m1", "A", "reversible")
    story.at("10:04").removed()
    assert [(kind, name, outcome) for kind, name, _, outcome, _ in read(story)] == [
        ("feature", "dark", "enabled"),
        ("feature", "dark", "disabled"),
        ("configuration", "c1", "changed"),
        ("migration", "m1", "applied"),
        ("removal", None, "removed"),
    ]


def test_what_is_under_way_comes_last(story):
    """It has no outcome."""
    story.at("10:00").deploying("A", deployment_id="d1")
    story.at("10:05").deployed("B", deployment_id="d2")
    assert [(name, outcome) for _, name, _, outcome, _ in read(story)] == [("d2", "succeeded"), ("d1", None)]


def test_the_same_told_again_right_after(story):
    """Two tools told of one deployment."""
    story.at("10:00").deployed("A", deployment_id="d1")
    story.at("10:01").deployed("A", deployment_id="d1")
    assert read(story) == [("deployment", "d1", "A", "succeeded", [1, 2])]


def test_an_id_that_is_used_twice_hides_nothing(story):
    """With another version, after another change, after a rollback, or begun anew, it is another change."""
    story.at("10:00").deployed("A", deployment_id="d1")
    story.at("10:01").deployed("B", deployment_id="d1")
    story.at("10:02").deployed("A", deployment_id="d1")
    story.at("10:03").rolled_back("B", "b1")
    story.at("10:04").deployed("A", deployment_id="d1")
    story.at("10:05").deploying("A", deployment_id="d1")
    story.at("10:06").deployed("A", deployment_id="d1")
    assert [positions for kind, _, _, _, positions in read(story) if kind == "deployment"] == [
        [1],
        [2],
        [3],
        [5],
        [6, 7],
    ]


def test_the_same_id_elsewhere_is_another_change(story):
    """One run may deploy to many slots."""
    story.at("10:00").deploying("A", deployment_id="d1")
    story.at("10:01").deployed("A", deployment_id="d1", service="shop")
    assert [(outcome, positions) for _, _, _, outcome, positions in read(story)] == [("succeeded", [2]), (None, [1])]
