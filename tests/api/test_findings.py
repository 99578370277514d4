"""GET /v1/findings: where practice left the doctrine, by rule, place, incident and state."""

import json

import pytest

from api.access import LOCAL_ADMIN, directly
from api.finding_replies import FindingPage
from api.tokens import Tokens
from ledger.application import Ledger
from tests.api.world import World
from tests.server import Client

RULE = "rollback_without_decision"


@pytest.fixture
def world(server):
    world = World(server)
    for version in "121":
        world.last = world.deployed(version, by=world.pipeline)
    return world


def findings(world, receipt=None, **query):
    return world.seen(receipt or world.last, "/v1/findings", **query)["items"]


def test_a_rollback_that_nobody_decided_is_found(world):
    """With what shows it, in the documented shape."""
    reply = world.seen(world.last, "/v1/findings")
    assert FindingPage().validate(reply) == {}
    (found,) = reply["items"]
    assert (found["rule"], found["state"], found["positions"]) == (RULE, "open", [world.last["position"]])
    assert (found["service"], found["environment"], found["incident"]) == (world.service, world.environment, None)
    assert reply["next"] is None
    assert reply["known_at"] >= world.last["position"]


def test_a_person_accepts_a_finding_and_a_machine_does_not(world):
    """It stays, and says who accepted it where; a machine is told that people decide."""
    (found,) = findings(world)
    accept = {"rule": RULE, "positions": found["positions"], "reason": "an exercise"}
    refused = world.pipeline.post("/v1/events", {"type": "finding.accepted", "data": accept})
    assert refused.status == 403
    receipt = world.responder.append({"type": "finding.accepted", "data": accept})
    (accepted,) = findings(world, receipt)
    assert (accepted["state"], accepted["accepted_by"]) == ("accepted", [receipt["position"]])
    assert findings(world, receipt, state="open") == []
    before = world.get("/v1/findings", known_at=receipt["position"] - 1)["items"]
    assert [each["state"] for each in before] == ["open"]
    retracted = {"type": "record.retracted", "data": {"position": receipt["position"], "reason": "not so"}}
    assert [each["state"] for each in findings(world, world.responder.append(retracted))] == ["open"]


def test_findings_are_asked_for_by_rule_place_and_incident(world):
    """What does not match is not there."""
    assert len(findings(world, rule=RULE)) == 1
    assert findings(world, rule="late_record") == []
    assert findings(world, environment="elsewhere") == []
    assert findings(world, incident="INC-none") == []
    assert findings(world, state="settled") == []


def test_pages_follow_one_another_and_miss_nothing(world):
    """`next` goes back in as `after`; the link says the same (RFC 8288)."""
    for version in "212121":
        world.last = world.deployed(version, by=world.pipeline)
    every, seen, after = findings(world), [], None
    assert len(every) > 4
    while True:
        query = {**world.slot, "limit": 2, "after": after, "at_least": world.last["position"]}
        answer = world.auditor.get("/v1/findings", **query)
        seen += answer.json()["items"]
        after = answer.json()["next"]
        if after is None:
            break
        assert 'rel="next"' in answer.headers["Link"]
    assert seen == every
    assert "Link" not in answer.headers


@pytest.mark.parametrize(
    "query,status",
    [
        ({"rule": "no_such_rule"}, 422),
        ({"state": "closed"}, 422),
        ({"limit": "0"}, 422),
        ({"unknown": "x"}, 422),
        ({"after": "%%%"}, 400),
        ({"after": "bnVsbA"}, 400),
        ({"after": "WzEsMiwzXQ"}, 400),
        ({"as_of": "2999-01-01T00:00:00Z"}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(server, query, status):
    """With a problem document, and never with another answer."""
    answer = server.client("auditor").get("/v1/findings", **query)
    assert answer.status == status, answer.body
    assert answer.headers.get_content_type() == "application/problem+json"


def test_nobody_reads_findings_without_a_token(server):
    """They name what people did."""
    assert server.client(None).get("/v1/findings").status == 401


def test_an_approver_is_known_by_their_name(server, world):
    """A commit bears a name, a credential an id: the names of tokens bring them together."""
    ada = Client(server.url, server.token("responder", name="Ada Lovelace"))
    world.tell("release.approved", by=ada, version="3")
    world.deployed("3", by=world.pipeline, author="Ada Lovelace <ada@example.org>")
    world.last = world.tell("release.approved", by=ada, version="4")
    world.last = world.deployed("4", by=world.pipeline, author="Grace Hopper <grace@example.org>")
    (found,) = findings(world, rule="approved_by_author")
    assert "Ada" not in json.dumps(found)
    assert found["detail"].startswith("3 went out")


def test_every_use_of_a_break_glass_token_is_found(server, world):
    """From its credential, which no request can hide; the token opens what a responder's does."""
    with Ledger(server.data) as ledger:
        tokens = Tokens(ledger, directly(ledger))
        text, principal = tokens.create("glass", ["responder"], LOCAL_ADMIN, break_glass=True)
        tokens.close()
    glass = Client(server.url, text)
    receipt = world.tell("rollback.decided", by=glass, rollback_id="r1", to_version="2")
    event = world.auditor.get(f"/v1/events/{receipt['position']}").json()
    assert (event["authmethod"], event["authid"]) == ("break_glass", principal.id)
    (found,) = findings(world, receipt, rule="break_glass_used")
    assert (found["positions"], found["service"]) == ([receipt["position"]], world.service)
    assert "glass" in found["detail"]


def test_a_correction_changes_findings_from_its_recording_on(world):
    """Before it the old ones, after it the new ones."""
    (found,) = findings(world)
    corrected = {"position": found["positions"][0], "field": "version", "value": "3", "reason": "mistyped"}
    receipt = world.responder.append({"type": "record.corrected", "data": corrected})
    assert findings(world, receipt) == []
    assert world.get("/v1/findings", known_at=receipt["position"] - 1)["items"] == [found]
