"""GET /v1/slot: what is deployed, current and last known good in one slot, and where to go back to."""

import pytest

from api.slot_replies import Slot
from tests.api.world import World


@pytest.fixture
def world(server):
    return World(server)


def test_the_reply_says_what_runs_and_where_to_go_back_to(world):
    """The example of the contract, with a version before the current one."""
    world.deployed("1", minutes=0, digest="sha256:" + "a" * 64)
    reply = world.seen(world.deployed("2", minutes=60))
    assert (reply["service"], reply["environment"]) == (world.service, world.environment)
    assert reply["deployed"] == {"version": "2", "digest": None, "since": world.at(60)}
    assert reply["current"] == {"version": "2", "digest": None, "since": world.at(60), "exposure": 100}
    assert reply["exposures"] == [{"version": "2", "digest": None, "exposure": 100}]
    assert reply["last_known_good"]["version"] == "2"
    assert reply["rollback_target"]["version"] == "1"
    assert reply["rollback_target"]["digest"] == "sha256:" + "a" * 64
    assert reply["rollback_target"]["blockers"] == []
    assert reply["active_incidents"] == []
    assert reply["certain"] is True


def test_the_reply_has_the_documented_shape(world):
    """What the OpenAPI document promises is what comes."""
    world.deployed("1", minutes=0)
    world.tell(
        "incident.declared",
        incident=f"INC-{world.service}",
        title="t",
        severity="SEV-1",
        kind="outage",
        affected=[world.slot],
        service=None,
        environment=None,
    )
    reply = world.seen(world.deployed("2", minutes=60))
    assert Slot().validate(reply) == {}
    assert Slot().fields.keys() == reply.keys()
    assert reply["active_incidents"] == [{"id": f"INC-{world.service}", "severity": "SEV-1", "drill": False}]


def test_the_past_is_what_it_was(world):
    """as_of answers for a moment, known_at for what was known by a position."""
    first = world.deployed("1", minutes=0)
    world.deployed("3", minutes=60)
    late = world.deployed("2", minutes=30)
    assert world.seen(late, as_of=world.at(45))["current"]["version"] == "2"
    assert world.seen(late)["current"]["version"] == "3"
    assert world.get("/v1/slot", known_at=late["position"] - 1, as_of=world.at(45))["current"]["version"] == "1"
    assert world.get("/v1/slot", known_at=first["position"])["known_at"] == first["position"]


def test_known_at_may_be_a_time(world):
    """Then it is the last position recorded by that time."""
    first = world.deployed("1")
    world.deployed("2")
    reply = world.get("/v1/slot", known_at=first["recordedtime"])
    assert (reply["known_at"], reply["current"]["version"]) == (first["position"], "1")


def test_a_correction_counts_from_its_recording_on_and_not_before(world):
    """The old answer can still be had."""
    wrong = world.deployed("2", minutes=60)
    world.deployed("1", minutes=0)
    correction = world.responder.append(
        {
            "type": "record.corrected",
            "data": {"position": wrong["position"], "field": "version", "value": "3", "reason": "typo"},
        }
    )
    assert world.seen(correction)["current"]["version"] == "3"
    assert world.get("/v1/slot", known_at=correction["position"] - 1)["current"]["version"] == "2"


@pytest.mark.parametrize(
    "query, status",
    [
        ({"as_of": "2999-01-01T00:00:00Z"}, 400),
        ({"known_at": "2999-01-01T00:00:00Z"}, 400),
        ({"known_at": 10**9}, 400),
        ({"at_least": 10**9}, 400),
        ({"known_at": "1", "as_of": "2998-01-01T00:00:00Z"}, 400),
        ({"at_least": -1}, 422),
    ],
)
def test_a_moment_ahead_of_the_record_is_refused(world, query, status):
    """Neither the future nor what is not recorded yet can be answered for."""
    world.deployed("1")
    assert world.auditor.get("/v1/slot", **world.slot, **query).status == status


def test_a_slot_that_nobody_recorded_is_not_found(world):
    """404, with where to look."""
    answer = world.auditor.get("/v1/slot", service=world.service, environment="nowhere")
    assert answer.status == 404
    assert "/v1/slots" in answer.json()["detail"]


def test_the_query_must_name_the_slot(world):
    """Both members are pointed at."""
    answer = world.auditor.get("/v1/slot")
    assert answer.status == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/service", "/environment"}
