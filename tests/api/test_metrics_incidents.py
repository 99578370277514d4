"""GET /v1/metrics/incidents: how long things took, over many incidents."""

from uuid import uuid4

import pytest
from marshmallow import RAISE

from api.metrics_replies import IncidentMetrics
from tests.api.world import World

PATH = "/v1/metrics/incidents"


@pytest.fixture
def world(server):
    """Three incidents of a service of its own: over after 10 and 20 minutes, and still going on; and a drill."""
    world = World(server)
    world.prefix = f"INC-{uuid4().hex[:8]}"
    for number, (begun, over) in enumerate(((0, 10), (60, 80), (120, None))):
        declare(world, f"{world.prefix}-{number}", begun)
        if over is not None:
            world.last = step(world, f"{world.prefix}-{number}", "resolved", over)
    declare(world, f"{world.prefix}-drill", 130, mode="drill")
    world.last = step(world, f"{world.prefix}-2", "acknowledged", 121)
    return world


def declare(world, name, minutes, **more):
    data = {"incident": name, "title": "it is down", "severity": "SEV-2", "kind": "outage", "affected": [world.slot]}
    return append(world, "incident.declared", minutes, {**data, **more})


def step(world, name, what, minutes):
    return append(world, f"incident.{what}", minutes, {"incident": name, "reason": "as told"})


def append(world, topic, minutes, data):
    return world.responder.append({"type": topic, "time": world.at(minutes), "data": data})


def asked(world, receipt=None, **query):
    """The answer about the service of a world, with all that was recorded counted in."""
    answer = world.auditor.get(PATH, **{**world.slot, "at_least": (receipt or world.last)["position"], **query})
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_measures_of_a_service_in_the_documented_shape(world):
    """Median, 90th percentile, each value with its incident; the drill is left out, the open one apart."""
    reply = asked(world, by="service")
    assert IncidentMetrics(unknown=RAISE).validate(reply) == {}
    assert (reply["counted"], reply["open"], reply["left_out"]["drill"]["n"]) == (3, 1, 1)
    found = reply["measures"]["time_to_resolve"]
    assert (found["n"], found["missing"], found["open"]) == (2, 0, 1)
    assert (found["median"]["seconds"], found["p90"]["seconds"]) == (900, 1140)
    assert [each["incident"] for each in found["values"]] == [f"{world.prefix}-0", f"{world.prefix}-1"]
    assert [each["group"] for each in reply["groups"]] == [world.service]
    assert reply["known_at"] >= world.last["position"]


def test_every_value_leads_to_events_that_say_so(world):
    """The positions are those of the two events, and their times make the length."""
    for value in asked(world)["measures"]["time_to_resolve"]["values"]:
        for bound, topic in (("from", "incident.declared"), ("to", "incident.resolved")):
            event = world.auditor.get(f"/v1/events/{value[bound]['position']}").json()
            assert (event["type"], event["data"]["incident"]) == (topic, value["incident"])
            assert event["time"] == value[bound]["time"]


def test_every_measure_is_defined(world):
    """The definitions are those of the measures that come with them."""
    reply = asked(world)
    assert [each["name"] for each in reply["definitions"]] == list(reply["measures"])
    assert "type 7" in reply["quantiles"]


def test_a_period_is_from_a_time_and_before_another(world):
    """By the declaration; it may end in the future."""
    found = asked(world, **{"from": world.at(60), "to": world.at(120)})
    assert [each["incident"] for each in found["incidents"]] == [f"{world.prefix}-1"]
    assert (found["from"], found["to"]) == (world.at(60), world.at(120))
    ahead = asked(world, **{"from": world.at(60), "to": world.at(60 * 24 * 365)}, by="month")
    assert (ahead["counted"], len(ahead["groups"])) == (2, 1)


def test_a_day_begins_by_the_clock_of_the_zone(world):
    """In Kolkata half past six in the evening before, by UTC."""
    reply = asked(world, **{"from": "2026-03-01", "to": "2026-04-01", "zone": "Asia/Kolkata"})
    assert (reply["from"], reply["to"]) == ("2026-02-28T18:30:00Z", "2026-03-31T18:30:00Z")
    assert (reply["zone"], reply["counted"]) == ("Asia/Kolkata", 0)


def test_an_earlier_moment_has_the_figures_of_then(world):
    """As of then, and as known then."""
    assert asked(world, as_of=world.at(70))["open"] == 1
    assert asked(world, as_of=world.at(70))["counted"] == 2
    before = asked(world, known_at=world.last["position"] - 1)["measures"]["time_to_acknowledge"]
    assert before["open_of"][0]["seconds"] is None
    assert asked(world)["measures"]["time_to_acknowledge"]["open_of"][0]["seconds"] == 60


def test_by_team_month_and_week(world, server):
    """The team is who owns the slot."""
    team = f"team-{uuid4().hex[:8]}"
    owned = {"environment": world.environment, "service": world.service, "owner": team}
    receipt = server.client("admin").append({"type": "environment.configured", "data": owned})
    found = asked(world, receipt, team=team, by="team")
    assert [(each["group"], each["counted"]) for each in found["groups"]] == [(team, 3)]
    for by, length in (("month", 7), ("week", 8)):
        groups = asked(world, receipt, team=team, by=by, zone="Europe/London")["groups"]
        assert sum(each["counted"] for each in groups) == 3
        assert all(len(each["group"]) == length for each in groups)


@pytest.mark.parametrize(
    "query, status",
    [
        ({"by": "person"}, 422),
        ({"from": "2026-02-30"}, 422),
        ({"from": "March"}, 422),
        ({"from": "2026-03-01T00:00:00"}, 422),
        ({"zone": "Europe/Atlantis"}, 400),
        ({"zone": "../../etc/passwd"}, 400),
        ({"service": ""}, 422),
        ({"from_": "2026-03-01T00:00:00Z"}, 422),
        ({"unknown": "x"}, 422),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, 400),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, 400),
        ({"from": "0001-01-01T00:00:00Z"}, 400),
        ({"from": "0001-01-01", "zone": "Asia/Kolkata"}, 400),
        ({"from": "2026-03-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, 400),
        ({"as_of": "2999-01-01T00:00:00Z"}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(server, query, status):
    """With a problem document that says what to ask for instead."""
    answer = server.client("auditor").get(PATH, **query)
    assert answer.status == status, answer.body
    assert answer.headers.get_content_type() == "application/problem+json"


def test_nobody_reads_figures_without_a_token(server):
    """They tell of incidents."""
    assert server.client(None).get(PATH).status == 401


def test_the_parameters_are_documented_by_their_wire_names(server):
    """`from` is one."""
    document = server.client(None).get("/openapi.json").json()
    names = {each["name"] for each in document["paths"][PATH]["get"]["parameters"]}
    assert names == set("from to zone service environment team by as_of known_at at_least".split())
