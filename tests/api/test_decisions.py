"""GET /v1/decisions: what was decided, what of it can be executed, and who gets it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.decision_replies import Decisions
from tests.api.world import World
from tests.server import Client


@pytest.fixture
def world(server):
    world = World(server)
    world.deployed("1", minutes=0)
    world.deployed("2", minutes=60)
    return world


def decided(world, rollback_id="r1", to_version="1", **data):
    return world.tell("rollback.decided", rollback_id=rollback_id, to_version=to_version, **data)


def states(world, receipt):
    return [(each["rollback_id"], each["state"]) for each in world.seen(receipt, "/v1/decisions")["items"]]


def test_a_decision_is_pending_until_it_is_claimed_and_done(world):
    """Decided, executed, observed and verified are four things."""
    seen = [states(world, decided(world))]
    seen.append(states(world, world.tell("rollback.started", by=world.pipeline, rollback_id="r1", to_version="1")))
    seen.append(states(world, world.tell("rollback.succeeded", by=world.pipeline, rollback_id="r1", to_version="1")))
    last = world.tell("rollback.verified", rollback_id="r1", reason="errors are gone")
    seen.append(states(world, last))
    assert seen == [[("r1", state)] for state in ("pending", "claimed", "succeeded", "verified")]
    reply = world.seen(last, "/v1/decisions")
    assert Decisions().validate(reply) == {}
    (item,) = reply["items"]
    assert [item[step] is not None for step in ("decided", "claimed", "executed", "verified")] == [True] * 4


def test_a_newer_decision_supersedes_one_that_nobody_started(world):
    world.deployed("3", minutes=90)
    decided(world, "r1", "1")
    assert states(world, decided(world, "r2", "2")) == [("r2", "pending"), ("r1", "superseded")]


def test_a_decision_lapses_when_something_else_goes_live(world):
    """A runner that comes back never rolls back a healthy release."""
    decided(world)
    assert states(world, world.deployed("3")) == [("r1", "lapsed")]


def test_a_decision_of_two_days_ago_is_lapsed(world):
    assert states(world, decided_then := world.tell("rollback.decided", 70, rollback_id="r1", to_version="1")) == [
        ("r1", "lapsed")
    ]
    assert world.seen(decided_then, "/v1/decisions", state="pending")["items"] == []


def test_what_the_decider_saw_is_kept_with_the_decision(world):
    """The candidates as they were ranked at that position."""
    receipt = decided(world)
    event = world.auditor.get(f"/v1/events/{receipt['position']}").json()
    assert event["data"]["from_version"] == "2"
    assert event["data"]["seen"]["position"] == receipt["position"] - 1
    assert [each["version"] for each in event["data"]["seen"]["candidates"]] == ["1"]


def test_a_screen_can_name_who_decided(world, server):
    """An opaque id says nothing to a person; what a relay passes on is a name already."""
    (own,) = world.seen(decided(world), "/v1/decisions")["items"]
    assert own["decided_by"].startswith("p-")
    assert own["decided_by_name"] == "a-responder"
    receipt = decided(world, "r2", by=server.client("relay"), decided_by="ann@example.com")
    passed_on = world.seen(receipt, "/v1/decisions")["items"][0]
    assert (passed_on["decided_by"], passed_on["decided_by_name"]) == ("ann@example.com", None)


def test_of_many_claims_one_wins(world):
    """The claim is made at the revision that was read."""
    receipt = decided(world)
    (item,) = world.seen(receipt, "/v1/decisions", state="pending")["items"]
    claim = {**world.slot, "rollback_id": "r1", "to_version": "1"}

    def take(number):
        event = {"type": "rollback.started", "id": f"{world.service}-{number}", "data": claim}
        return world.pipeline.post("/v1/events", event, {"If-Match": f'"{item["revision"]}"'}).status

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(take, range(8))) == [201] + [412] * 7


def test_a_claim_outlives_what_does_not_bear_on_it(world):
    """If-Match means that very revision, unless it is asked to be read as a claim."""
    receipt = decided(world)
    (item,) = world.seen(receipt, "/v1/decisions", state="pending")["items"]
    world.tell("service.observed", by=world.pipeline, running=[{"version": "2"}])
    event = {"type": "rollback.started", "data": {**world.slot, "rollback_id": "r1", "to_version": "1"}}
    at = {"If-Match": f'"{item["revision"]}"'}
    assert world.pipeline.post("/v1/events", event, at).status == 412
    assert [world.pipeline.post("/v1/events", event, at, claim="true").status for _ in range(2)] == [201, 412]
    assert world.pipeline.post("/v1/events", event, claim="true").status == 400


def test_a_bound_pipeline_sees_its_own_decisions_only(world, server):
    """Least privilege: other services' decisions are not its business."""
    receipt = decided(world)
    mine = Client(server.url, server.token("pipeline", services=[world.service]))
    other = Client(server.url, server.token("pipeline", services=["another"]))
    assert len(mine.get("/v1/decisions", **world.slot, at_least=receipt["position"]).json()["items"]) == 1
    assert other.get("/v1/decisions", **world.slot, at_least=receipt["position"]).json()["items"] == []


@pytest.mark.parametrize(
    "data, code",
    [
        ({"to_version": "never-ran"}, "rollback_to_unproven_version"),
        ({"incident": "INC-unheard-of"}, "unknown_incident"),
        ({"from_version": "9"}, "from_mismatch"),
    ],
)
def test_a_decision_in_a_hurry_is_recorded_with_a_warning(world, data, code):
    """Nothing stands in the way of a rollback; ?strict=true answers 409 instead."""
    receipt = decided(world, **{"to_version": "1", **data})
    assert code in [each["code"] for each in receipt["warnings"]]
    event = {"type": "rollback.decided", "data": {**world.slot, "rollback_id": "r2", "to_version": "1", **data}}
    assert world.responder.post("/v1/events", event, strict="true").status == 409
