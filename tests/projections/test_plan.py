"""What returning a whole environment to a moment would change."""

import pytest

from tests.projections.story import digest


@pytest.fixture
def shop(story):
    """Four services that moved on since ten, each in its own way, and one that did not."""
    for service in ("cart", "checkout", "search", "stock"):
        story.at("09:00").deployed("A", service=service)
    story.at("11:00").deployed("B", service="cart")
    story.at("11:00").deployed("B", service="checkout")
    story.at("11:30").deployed("C", service="checkout")
    story.at("11:00").removed(service="search")
    story.at("11:00").deployed("A", service="wishlist")
    return story


def moves(plan):
    return [(each["service"], each["from"]["version"], each["to"]["version"]) for each in plan["items"]]


def test_each_slot_whose_artifact_differs_is_told_with_from_and_to(shop):
    """Ordered by name, and counted."""
    plan = shop.plan("10:00")
    assert moves(plan) == [("cart", "B", "A"), ("checkout", "C", "A")]
    assert {each["environment"] for each in plan["items"]} == {"production"}
    assert plan["count"] == 2
    assert plan["unchanged"] == 1


def test_what_did_not_exist_then_and_what_is_removed_now_is_listed_apart(shop):
    """Neither is a rollback."""
    plan = shop.plan("10:00")
    assert plan["appeared"] == ["wishlist"]
    assert plan["removed"] == ["search"]


def test_the_version_at_that_moment_is_what_is_gone_back_to_and_not_the_previous_one(shop):
    """That is what returning at once means."""
    assert ("checkout", "C", "B") in moves(shop.plan("11:15"))
    assert ("checkout", "C", "A") in moves(shop.plan("10:00"))


def test_a_plan_may_be_for_some_services(shop):
    """Those that are not known are told."""
    plan = shop.plan("10:00", "cart", "stock", "nowhere")
    assert moves(plan) == [("cart", "B", "A")]
    assert (plan["count"], plan["unchanged"]) == (1, 1)
    assert (plan["appeared"], plan["removed"]) == ([], [])
    assert plan["not_here"] == ["nowhere"]


def test_blockers_and_warnings_are_told_for_what_is_gone_back_to(shop):
    """The same as for candidates; one slot that can't go back holds up no other."""
    mark = shop.at("12:00").marked_bad("A", service="cart")
    shop.at("12:10").migrated("m1", "C", "irreversible", service="checkout")
    plan = shop.plan("10:00")
    assert moves(plan) == [("cart", "B", "A"), ("checkout", "C", "A")]
    cart, checkout = plan["items"]
    assert [(each["code"], each["position"]) for each in cart["blockers"]] == [("marked_bad", mark)]
    assert checkout["blockers"] == []
    assert "irreversible_migration" in {each["code"] for each in checkout["warnings"]}


def test_slots_of_other_environments_are_none_of_its_business(shop):
    """An environment is what is returned."""
    shop.at("09:00", recorded="11:40").deployed("A", service="cart", environment="staging")
    shop.at("11:40").deployed("B", service="cart", environment="staging")
    assert [each["service"] for each in shop.plan("10:00")["items"]] == ["cart", "checkout"]


def test_the_same_version_with_another_digest_is_a_difference(story):
    """It is another artifact."""
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("11:00").deployed("A", digest=digest("2"))
    [item] = story.plan("10:00")["items"]
    assert item["from"] == {"version": "A", "digest": digest("2")}
    assert item["to"] == {"version": "A", "digest": digest("1")}


def test_a_digest_learnt_since_is_no_difference(story):
    """The artifact is the same."""
    story.at("09:00").deployed("A")
    story.at("11:00").deployed("A", digest=digest("1"))
    plan = story.plan("10:00")
    assert plan["items"] == []
    assert plan["unchanged"] == 1


def test_what_was_removed_then_and_runs_now_appeared(story):
    """It was not there at that moment."""
    story.at("08:00").deployed("A")
    story.at("09:00").removed()
    story.at("11:00").deployed("A")
    assert story.plan("10:00")["appeared"] == ["web"]


def test_what_was_there_neither_then_nor_now_is_not_told(story):
    """Born and gone in between."""
    story.at("10:30").deployed("A")
    story.at("10:40").removed()
    plan = story.plan("10:00")
    assert (plan["items"], plan["appeared"], plan["removed"], plan["unchanged"]) == ([], [], [], 0)


def test_a_plan_is_by_what_is_known(shop):
    """What was live then, as known now; and as known before a correction."""
    late = shop.at("09:30", recorded="12:00").deployed("A2", service="cart")
    assert moves(shop.plan("10:00"))[0] == ("cart", "B", "A2")
    assert moves(shop.plan("10:00", known_at=late - 1))[0] == ("cart", "B", "A")


def test_a_plan_can_be_asked_as_of_an_earlier_moment(shop):
    """What would have changed at 11:15."""
    assert moves(shop.plan("10:00", as_of="11:15")) == [("cart", "B", "A"), ("checkout", "B", "A")]


def test_a_release_that_turned_out_to_be_none_since_is_told_as_never_live(story):
    """At that moment it was taken for one; what is known now says otherwise."""
    story.at("09:00").deployed("A")
    story.at("10:30").release_started("A", 10)
    story.at("10:40").aborted("A")
    story.at("11:00").deployed("B", released=True)
    [item] = story.plan("10:00")["items"]
    assert (item["from"]["version"], item["to"]["version"]) == ("B", "A")
    assert [each["code"] for each in item["blockers"]] == ["never_live"]


def test_a_service_that_nobody_knew_then_is_not_here(story):
    """As known at a position."""
    story.at("09:00").deployed("A")
    story.at("11:00").deployed("A", service="later")
    assert story.plan("09:30", "later", known_at=1)["not_here"] == ["later"]
    assert story.plan("09:30", "later")["not_here"] == []


def test_an_empty_environment_has_an_empty_plan(story):
    """Nothing is known of it."""
    plan = story.plan("10:00")
    assert (plan["items"], plan["count"], plan["unchanged"]) == ([], 0, 0)
