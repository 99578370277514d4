"""GET /v1/metrics/delivery: DORA's five delivery measures."""

import pytest
from marshmallow import RAISE

from api.metrics_replies import DeliveryMetrics
from tests.api.world import World

PATH = "/v1/metrics/delivery"


@pytest.fixture
def world(server):
    """Four deployments of a service of its own: one rolled back, one that names an incident, one of no known commit."""
    world = World(server)
    incident = f"INC-{world.service}"
    world.deployed("1", 0, by=world.pipeline, commit="c1", committed_at=world.at(-60))
    world.bad = world.deployed("2", 60, by=world.pipeline, commit="c2", committed_at=world.at(30))["position"]
    world.tell("rollback.succeeded", 90, by=world.pipeline, rollback_id="r1", to_version="1")
    declared = {"incident": incident, "title": "it is down", "severity": "SEV-2", "kind": "outage"}
    world.responder.append(
        {"type": "incident.declared", "time": world.at(70), "data": {**declared, "affected": [world.slot]}}
    )
    world.fix = world.deployed("3", 120, by=world.pipeline, commit="c3", committed_at=world.at(110), incident=incident)
    world.last = world.deployed("4", 240, by=world.pipeline)
    return world


def asked(world, receipt=None, **query):
    """The answer about the service of a world, with all that was recorded counted in."""
    answer = world.auditor.get(PATH, **{**world.slot, "at_least": (receipt or world.last)["position"], **query})
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_five_measures_of_a_service_in_the_documented_shape(world):
    """Worked out by hand."""
    reply = asked(world, by="environment")
    assert DeliveryMetrics(unknown=RAISE).validate(reply) == {}
    assert (reply["deployments"], reply["aside"]["rollback"]) == (4, 1)
    told = reply["measures"]
    lead = told["change_lead_time"]
    assert ([each["seconds"] for each in lead["values"]], lead["missing"]) == ([600, 1800, 3600], 1)
    assert (lead["median"]["seconds"], lead["p90"]["seconds"]) == (1800, 3240)
    failed = told["change_fail_rate"]
    assert (failed["failed"], failed["deployments"], failed["ratio"]) == (1, 4, 0.25)
    assert [(each["position"], each["because"][0]["code"]) for each in failed["values"]] == [(world.bad, "rolled_back")]
    recovery = told["failed_deployment_recovery_time"]
    assert ([each["seconds"] for each in recovery["values"]], recovery["open"]) == ([1800], 0)
    rework = told["deployment_rework_rate"]
    assert (rework["rework"], rework["ratio"], rework["in_incident"]) == (1, 0.25, 2)
    assert rework["values"][0]["position"] == world.fix["position"]
    assert [each["group"] for each in reply["groups"]] == ["production"]
    assert reply["environments"] == [
        {"environment": "production", "tier": None, "counted": True, "because": "name", "services": 1}
    ]


def test_the_days_bear_the_deployments_that_they_had(world):
    """Each by its position, and each position once."""
    days = asked(world)["measures"]["deployment_frequency"]["days"]
    positions = [position for each in days["values"] for position in each["positions"]]
    assert len(positions) == len(set(positions)) == 4
    assert sum(each["deployments"] for each in days["values"]) == 4
    for position in positions:
        event = world.auditor.get(f"/v1/events/{position}").json()
        assert (event["type"], event["data"]["service"]) == ("deployment.succeeded", world.service)


def test_what_is_not_production_is_left_out_and_said(server):
    """An environment of another name, of which no tier is configured."""
    world = World(server, environment="staging")
    world.last = world.deployed("1", 0)
    reply = asked(world)
    assert reply["deployments"] == 0
    assert reply["environments"] == [
        {"environment": "staging", "tier": None, "counted": False, "because": "name", "services": 1}
    ]


def test_a_tier_makes_it_production(server):
    """From its configuration on; as known before it was none."""
    world = World(server, environment="eu-1")
    world.deployed("1", 0)
    tier = {"environment": "eu-1", "service": world.service, "tier": "production"}
    world.last = server.client("admin").append({"type": "environment.configured", "time": world.at(-5), "data": tier})
    assert asked(world)["deployments"] == 1
    assert asked(world, known_at=world.last["position"] - 1)["deployments"] == 0


def test_a_deployment_belongs_to_the_period_in_which_it_succeeded(world):
    """The start is part of it, and the end is not."""
    found = asked(world, **{"from": world.at(60), "to": world.at(120)})
    assert (found["deployments"], found["measures"]["change_fail_rate"]["failed"]) == (1, 1)


def test_every_measure_is_defined(world):
    """The definitions are those of the measures that come with them."""
    reply = asked(world)
    assert [each["name"] for each in reply["definitions"]] == list(reply["measures"])


@pytest.mark.parametrize(
    "query, status",
    [
        ({"by": "deployer"}, 422),
        ({"to": "tomorrow"}, 422),
        ({"zone": "UTC+1"}, 400),
        ({"limit": "10"}, 422),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, 400),
        ({"from": "1990-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 400),
        ({"known_at": "999999999"}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(server, query, status):
    """With a problem document."""
    answer = server.client("auditor").get(PATH, **query)
    assert answer.status == status, answer.body
    assert answer.headers.get_content_type() == "application/problem+json"


def test_nobody_reads_figures_without_a_token(server):
    """They tell who fails."""
    assert server.client(None).get(PATH).status == 401
