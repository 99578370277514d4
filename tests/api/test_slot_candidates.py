"""GET /v1/slot/candidates: every version that one could go back to, ranked, with reasons."""

import pytest

from api.slot_replies import Candidates
from tests.api.world import World


@pytest.fixture
def world(server):
    return World(server)


def test_candidates_are_ranked_and_say_why(world):
    """Nothing against it goes first; each reason names the position that says so."""
    world.deployed("1", minutes=0)
    world.deployed("2", minutes=60)
    bad = world.tell("release.marked_bad", version="2", reason="leaks")
    reply = world.seen(world.deployed("3", minutes=120), "/v1/slot/candidates")
    assert Candidates().validate(reply) == {}
    assert [each["version"] for each in reply["items"]] == ["1", "2"]
    assert reply["items"][1]["blockers"] == [
        {"code": "marked_bad", "detail": "a person marked it bad here", "position": bad["position"]}
    ]
    assert reply["count"] == 2


def test_the_current_version_is_no_candidate(world):
    assert world.seen(world.deployed("1"), "/v1/slot/candidates")["items"] == []


def test_candidates_of_nothing_are_not_found(world):
    assert world.auditor.get("/v1/slot/candidates", **world.slot).status == 404
