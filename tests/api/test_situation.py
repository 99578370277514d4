"""GET /v1/slot/situation and /v1/oncall: the first minute in one reply, and who is on call."""

import shlex
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from api.cli.main import main
from api.commands import commands
from api.situation_replies import OnCallNow, Shifts, Situation
from tests.api.world import World


@pytest.fixture
def world(server):
    return World(server, f"env-{uuid.uuid4().hex[:8]}")


def situation(world, receipt, **query):
    reply = world.seen(receipt, "/v1/slot/situation", **query)
    assert Situation().validate(reply) == {}
    assert Situation().fields.keys() == reply.keys()
    return reply


def sev1(world, incident="INC-1"):
    data = {"incident": f"{incident}-{world.service}", "title": "all down", "severity": "SEV-1", "kind": "outage"}
    return world.responder.append({"type": "incident.declared", "data": {**data, "affected": [world.slot]}})


def shift(world, person, start, end, rota=None, **data):
    now = world.start + timedelta(days=2)
    times = {"from": (now + timedelta(minutes=start)).isoformat(), "to": (now + timedelta(minutes=end)).isoformat()}
    said = {"rota": rota or f"rota-{world.service}", "person": person, "services": [world.service], **times, **data}
    return world.pipeline.append({"type": "oncall.assigned", "data": said})


def test_one_reply_holds_the_first_minute(world):
    """Every part of it from its own events, in the documented shape."""
    for version, minutes in (("1", 0), ("2", 2800)):
        published = {"version": version, "repository": "https://github.com/acme/web", "commit": f"c{version}"}
        world.tell("artifact.published", minutes, environment=None, **published)
        world.deployed(version, minutes)
    world.tell("alert.fired", by=world.pipeline, fingerprint=f"f-{world.service}", name="5xx", severity="page")
    world.tell("metric.observed", by=world.pipeline, name="5xx ratio", value=38.5, unit="%")
    world.tell("feature.enabled", 2810, feature="dark mode")
    shift(world, "Ana", -60, 60, contact="+43 1")
    reply = situation(world, sev1(world))
    assert reply["current"]["version"] == "2"
    assert reply["rollback_target"]["version"] == "1"
    assert reply["alerts"][0]["name"] == "5xx"
    assert reply["metrics"][0]["value"] == 38.5
    assert reply["on_call"][0]["person"] == "Ana"
    assert reply["responsible"] == {
        "person": "Ana",
        "as": "on_call",
        "of": f"rota-{world.service}",
        "contact": "+43 1",
    }
    assert reply["expected_response"]["text"] == "roll back at once, no debate"
    assert reply["incidents"][0]["title"] == "all down"
    assert reply["compare_url"] == "https://github.com/acme/web/compare/c1...c2"
    assert reply["recent"]["features"][0]["reference"] == "dark mode"
    assert reply["freshness"]["alerts"]["slot_age_seconds"] < 60
    assert reply["freshness"]["observations"]["slot_age_seconds"] is None
    assert "rollback decided" in reply["commands"][0]["command"]


def test_a_decision_is_told_with_the_name_of_who_made_it(world):
    """The record has an opaque id; the name lies in a side table."""
    world.deployed("1", 0)
    world.deployed("2", 60)
    receipt = world.tell("rollback.decided", rollback_id="R", to_version="1", reason="it is bad")
    reply = situation(world, receipt)
    assert reply["rollback"]["told"] == "pending"
    assert reply["rollback"]["decided_by_name"] == "a-responder"
    assert reply["rollback"]["decided_by"] != "a-responder"


def test_of_an_earlier_moment_nothing_is_offered_to_type(world):
    """Commands act now, on what is so now."""
    world.deployed("1", 0)
    receipt = world.deployed("2", 60)
    assert situation(world, receipt)["commands"] != []
    then = situation(world, receipt, as_of=world.at(61))
    assert then["current"]["version"] == "2"
    assert then["commands"] == []


def test_of_what_nothing_is_known_the_answer_is_404(world):
    """A mistyped name must not look like calm."""
    answer = world.auditor.get("/v1/slot/situation", **world.slot)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "see /v1/slots" in answer.json()["detail"]


def test_a_situation_needs_a_token(world, server):
    """As every answer does."""
    for path in ("/v1/slot/situation", "/v1/oncall", "/v1/oncall/shifts"):
        assert server.client(None).get(path, **world.slot).status == 401


# What to type


def run(command):
    """The exit code of a command that only checks what it would send."""
    words = shlex.split(command)
    assert words[0] == "lastgood"
    dry = [] if "next" in words else ["--dry-run"]
    return CliRunner().invoke(main, [*words[1:], *dry, "--help"] if not dry else [*words[1:], *dry]).exit_code


def test_every_command_that_is_offered_can_be_typed(world):
    """Whatever stage a rollback is in; names with blanks and quotes too."""
    world.service = f"{world.service} o'clock --x $HOME"
    offered = []
    world.deployed("-1 beta", 0)
    world.tell("feature.enabled", 30, feature="dark; rm -rf /")
    world.deployed("2", 60)
    offered += situation(world, sev1(world))["commands"]
    receipt = world.tell("rollback.decided", rollback_id="R 1", to_version="-1 beta", reason="why")
    offered += situation(world, receipt)["commands"]
    receipt = world.tell("rollback.started", by=world.pipeline, rollback_id="R 1", to_version="-1 beta")
    offered += situation(world, receipt)["commands"]
    receipt = world.tell("rollback.succeeded", by=world.pipeline, rollback_id="R 1", to_version="-1 beta")
    offered += situation(world, receipt)["commands"]
    verbs = {" ".join(each["command"].split()[1:3]) for each in offered}
    assert verbs == {
        "rollback decided",
        "rollback declined",
        "feature disabled",
        "rollback next",
        "rollback succeeded",
        "rollback failed",
        "rollback cancelled",
        "rollback verified",
        "rollback ineffective",
    }
    for each in offered:
        assert run(each["command"]) == 0, each


def told(**more):
    base = {
        "service": "web",
        "environment": "production",
        "rollback_target": {"version": "1", "digest": "sha256:" + "a" * 64},
        "incidents": [],
        "undeclared": [],
        "expected_response": None,
        "rollback": None,
        "recent": {"features": []},
    }
    return base | more


def test_a_version_that_goes_by_several_digests_is_named_with_its_digest():
    """Else one rolls back to the other."""
    assert "sha256" not in commands(told())[0]["command"]
    assert "--to-digest sha256:aaaa" in commands(told(), {"1"})[0]["command"]


def test_what_the_severity_asks_for_comes_first():
    """A SEV-3 asks for no rollback; a drill's decision names no incident."""
    incidents = [{"id": "INC-1", "drill": False}]
    first = commands(told(incidents=incidents, expected_response={"severity": "SEV-3"}))[0]["command"]
    assert "rollback declined" in first
    first = commands(told(incidents=incidents, expected_response={"severity": "SEV-1"}))[0]["command"]
    assert "rollback decided" in first
    assert "--incident INC-1" in first
    drill = commands(told(incidents=[{"id": "INC-1", "drill": True}]))
    assert [each for each in drill if "INC-1" in each["command"]] == []


def test_what_a_machine_detected_can_be_declared_as_it_suggests():
    """Its id, its title and its slot are there already; the severity is the person's."""
    noticed = {"id": "INC 7", "title": "it's down", "suggested_severity": "SEV-1"}
    first = commands(told(undeclared=[noticed]))[0]["command"]
    assert "--severity SEV-1" in first
    assert "--affected web@production" in first
    assert run(first) == 0
    assert run(commands(told(undeclared=[noticed | {"title": None, "suggested_severity": None}]))[0]["command"]) == 0


def test_with_nowhere_to_go_back_to_no_rollback_is_offered():
    """Nothing is offered that the ledger itself would warn of."""
    assert commands(told(rollback_target=None)) == []


# Who is on call


def on_call(world, receipt, **query):
    answer = world.auditor.get("/v1/oncall", at_least=receipt["position"], **query)
    assert answer.status == 200, answer.body
    assert OnCallNow().validate(answer.json()) == {}
    return answer.json()["items"]


def test_who_is_on_call_can_be_asked_by_service_by_rota_and_for_later(world):
    """A hand-over that is to come, too."""
    shift(world, "Ana", -60, 60)
    receipt = shift(world, "Ben", 60, 120)
    (now,) = on_call(world, receipt, service=world.service, rota=f"rota-{world.service}")
    assert (now["person"], now["next"]["person"]) == ("Ana", "Ben")
    later = (datetime.now(UTC) + timedelta(minutes=90)).isoformat()
    (then,) = on_call(world, receipt, rota=f"rota-{world.service}", at=later)
    assert (then["person"], then["since"], then["next"]) == ("Ben", now["until"], None)
    assert on_call(world, receipt, service="of nobody", rota=f"rota-{world.service}") == []


def test_shifts_are_told_with_who_recorded_them(world):
    """What an import compares with."""
    receipt = shift(world, "Ana", -60, 60)
    now = datetime.now(UTC)
    window = {"from": (now - timedelta(hours=5)).isoformat(), "to": (now + timedelta(hours=5)).isoformat()}
    query = {"rota": f"rota-{world.service}", "at_least": receipt["position"], **window}
    answer = world.auditor.get("/v1/oncall/shifts", **query)
    assert answer.status == 200, answer.body
    assert Shifts().validate(answer.json()) == {}
    (item,) = answer.json()["items"]
    assert (item["person"], item["services"], item["position"]) == ("Ana", [world.service], receipt["position"])
    assert item["source"]
    backwards = {**query, "from": window["to"], "to": window["from"]}
    assert world.auditor.get("/v1/oncall/shifts", **backwards).status == 400
    assert world.auditor.get("/v1/oncall/shifts", rota="r").status == 422
    assert world.auditor.get("/v1/oncall", at="yesterday").status == 422
