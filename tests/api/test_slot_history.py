"""GET /v1/slot/history: deployments, releases and rollbacks of one slot, the newest first."""

import pytest

from api.slot_replies import HistoryPage
from tests.api.world import World


@pytest.fixture
def world(server):
    world = World(server)
    world.deployed("1", minutes=0)
    world.deployed("2", minutes=10)
    world.tell("deployment.failed", 20, deployment_id="x", version="3")
    world.tell("rollback.succeeded", 30, rollback_id="r", to_version="1")
    world.last = world.deployed("2", minutes=40)
    return world


def changes(items):
    return [(each["type"], each["version"], each["change"]) for each in items]


def test_each_change_is_told_for_what_it_is(world):
    """Rollbacks, returns forward and failures are told apart."""
    page = world.seen(world.last, "/v1/slot/history")
    assert HistoryPage().validate(page) == {}
    assert changes(page["items"]) == [
        ("deployment.succeeded", "2", "return_forward"),
        ("rollback.succeeded", "1", "rollback"),
        ("deployment.failed", "3", None),
        ("deployment.succeeded", "2", "forward"),
        ("deployment.succeeded", "1", "first"),
    ]


def test_pages_follow_one_another(world):
    """The same items as on one page."""
    whole = world.seen(world.last, "/v1/slot/history")["items"]
    found, after = [], None
    while True:
        page = world.get("/v1/slot/history", limit=2, after=after)
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    assert found == whole


def test_the_history_of_then_is_the_end_of_the_history_of_now(world):
    """As of a moment, what came later is not there; pages work alike."""
    whole = world.seen(world.last, "/v1/slot/history")["items"]
    then = world.get("/v1/slot/history", as_of=world.at(25))["items"]
    assert then == whole[2:]
    assert world.get("/v1/slot/history", as_of=world.at(25), limit=1, after=then[0]["position"])["items"] == whole[3:4]


def test_the_history_of_nothing_is_not_found(world):
    assert world.auditor.get("/v1/slot/history", service=world.service, environment="nowhere").status == 404
