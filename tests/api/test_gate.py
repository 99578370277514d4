"""GET /v1/gate: may a release go out now, and who can change it if not."""

import uuid

import pytest

from api.decision_replies import Gate
from tests.api.world import World


@pytest.fixture
def world(server):
    world = World(server, f"env-{uuid.uuid4().hex[:8]}")
    world.admin = server.client("admin")
    world.last = world.deployed("1", minutes=0)
    return world


def gate(world, version="2", receipt=None, **query):
    reply = world.get("/v1/gate", version=version, at_least=(receipt or world.last)["position"], **query)
    assert Gate().validate(reply) == {}
    return reply["allowed"], [each["code"] for each in reply["reasons"]], [each["code"] for each in reply["passes"]]


def environment(world, topic, by=None, **data):
    event = {"type": topic, "data": {"environment": world.environment, **data}}
    answer = (by or world.responder).post("/v1/events", event)
    assert answer.status == 201, answer.body
    return answer.json()


def sev1(world, incident, **more):
    data = {"incident": incident, "title": "t", "severity": "SEV-1", "kind": "outage", "affected": [world.slot], **more}
    return world.responder.append({"type": "incident.declared", "data": data})


def test_nothing_in_the_way_lets_pass(world):
    assert gate(world) == (True, [], [])


def test_a_frozen_environment_holds_back(world):
    """Until it is unfrozen."""
    assert gate(world, receipt=environment(world, "environment.frozen", reason="sale")) == (
        False,
        ["environment_frozen"],
        [],
    )
    assert gate(world, receipt=environment(world, "environment.unfrozen", reason="over")) == (True, [], [])


def test_a_freeze_of_another_service_does_not(world):
    receipt = environment(world, "environment.frozen", reason="sale", service="another")
    assert gate(world, receipt=receipt) == (True, [], [])


@pytest.mark.parametrize("more", [{"mode": "drill"}, {"kind": "maintenance"}], ids=str)
def test_a_drill_or_planned_work_holds_nothing_back(world, more):
    """Whatever severity it was given; a freeze is how planned work keeps releases away."""
    assert gate(world, receipt=sev1(world, f"INC-{world.service}", **more)) == (True, [], [])


def test_an_active_sev1_holds_back_unless_the_approval_names_it(world):
    incident = f"INC-{world.service}"
    assert gate(world, receipt=sev1(world, incident)) == (False, ["active_sev1"], [])
    approved = world.tell("release.approved", version="2", incident=incident)
    assert gate(world, receipt=approved) == (True, ["active_sev1"], ["approved_for_incident"])


def test_a_version_marked_bad_is_held_back_until_approved_anew(world):
    world.tell("release.approved", version="2")
    assert gate(world, receipt=world.tell("release.marked_bad", version="2", reason="leaks")) == (
        False,
        ["marked_bad"],
        [],
    )
    assert gate(world, receipt=world.tell("release.approved", version="2")) == (True, [], [])


def test_a_version_rolled_back_from_is_held_back_until_approved_anew(world):
    world.deployed("2", minutes=60)
    back = world.tell("rollback.succeeded", 61, rollback_id="r", to_version="1")
    assert gate(world, receipt=back) == (False, ["rolled_back_from"], [])
    assert gate(world, receipt=world.tell("release.approved", version="2")) == (True, [], [])


def test_a_missing_approval_holds_back_where_one_is_asked_for(world):
    receipt = environment(world, "environment.configured", by=world.admin, approval_required=True)
    assert gate(world, receipt=receipt) == (False, ["approval_missing"], [])
    approved = world.tell("release.approved", version="2", digest="sha256:" + "a" * 64)
    assert gate(world, receipt=approved) == (True, [], [])
    assert gate(world, receipt=approved, digest="sha256:" + "b" * 64) == (False, ["approval_for_other_digest"], [])


def test_the_target_of_a_valid_decision_always_passes(world):
    """Nothing stands in the way of recovery."""
    world.deployed("2", minutes=60)
    sev1(world, f"INC-{world.service}")
    environment(world, "environment.frozen", reason="sale")
    decided = world.tell("rollback.decided", rollback_id="r", to_version="1")
    assert gate(world, "1", decided) == (True, ["environment_frozen", "active_sev1"], ["rollback_decided"])


def test_it_says_who_can_change_it(world):
    receipt = environment(world, "environment.frozen", reason="sale")
    reply = world.get("/v1/gate", version="2", at_least=receipt["position"])
    assert "responder" in reply["reasons"][0]["who_can_change_it"]
