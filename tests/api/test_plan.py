"""GET and POST /v1/plan: what returning an environment to a moment would change, and deciding it."""

import uuid

import pytest

from api.decision_replies import Plan
from tests.api.world import World


@pytest.fixture
def worlds(server):
    """Two services of an environment of their own; the second is there only later."""
    first, second = World(server, environment := f"env-{uuid.uuid4().hex[:8]}"), World(server, environment)
    first.service, second.service = sorted([first.service, second.service])
    first.deployed("1", minutes=0)
    first.deployed("2", minutes=60)
    second.deployed("7", minutes=70)
    second.last = second.deployed("8", minutes=80)
    return first, second


def plan(world, **query):
    answer = world.auditor.get("/v1/plan", environment=world.environment, **query)
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_plan_names_what_would_change(worlds):
    """`from` and `to` for each slot that differs; what was not there then is listed apart."""
    first, second = worlds
    found = plan(first, to=first.at(30), at_least=second.last["position"])
    assert Plan().validate(found) == {}
    assert [(each["service"], each["from"]["version"], each["to"]["version"]) for each in found["items"]] == [
        (first.service, "2", "1")
    ]
    assert found["appeared"] == [second.service]
    assert (found["count"], found["unchanged"]) == (1, 0)


def test_some_services_can_be_planned_for(worlds):
    first, second = worlds
    found = plan(first, to=first.at(75), service=[second.service, "never-heard-of"], at_least=second.last["position"])
    assert [each["service"] for each in found["items"]] == [second.service]
    assert found["not_here"] == ["never-heard-of"]


def test_one_returns_to_an_earlier_moment(worlds):
    first, _ = worlds
    assert first.auditor.get("/v1/plan", environment=first.environment, to="2999-01-01T00:00:00Z").status == 400
    assert first.auditor.get("/v1/plan", environment="nowhere", to=first.at(0)).status == 404
    assert first.auditor.get("/v1/plan", environment=first.environment).status == 422


def test_deciding_a_plan_is_one_decision_for_all(worlds):
    """One rollback.decided for each slot, with a common plan and reason; sent again it changes nothing."""
    first, second = worlds
    wish = {
        "environment": first.environment,
        "to": first.at(75),
        "reason": "all of it is broken",
        "plan": f"P-{first.service}",
    }
    decided = first.responder.post("/v1/plan", wish)
    assert decided.status == 201, decided.body
    assert decided.json()["count"] == 1
    again = first.responder.post("/v1/plan", wish).json()
    assert [each["duplicate"] for each in again["receipts"]] == [True]
    last = decided.json()["receipts"][-1]["position"]
    found = first.auditor.get("/v1/decisions", plan=wish["plan"], at_least=last).json()["items"]
    assert [(each["service"], each["to_version"], each["reason"], each["state"]) for each in found] == [
        (second.service, "7", "all of it is broken", "pending")
    ]


@pytest.fixture
def decided(worlds):
    """A plan that was decided for two services, the wish that decided it, and the receipts."""
    first, _ = worlds
    for world in worlds:
        world.deployed("10", minutes=100)
    wish = {"environment": first.environment, "to": first.at(90), "reason": "broken", "plan": f"P-{first.service}"}
    answer = first.responder.post("/v1/plan", wish)
    assert (answer.status, answer.json()["count"]) == (201, 2), answer.body
    return wish, answer.json()["receipts"]


def places(receipts):
    return [(each["id"], each["position"], each["duplicate"]) for each in receipts]


def test_a_plan_sent_again_changes_nothing_wherever_its_slots_have_gone_since(server, worlds, decided):
    """One is executed, one has moved on, a third differs only now: the first receipts come back, and no decision."""
    (first, second), (wish, receipts) = worlds, decided
    third = World(server, first.environment)
    third.deployed("4", minutes=10)
    third.deployed("5")
    second.deployed("11")
    first.tell("rollback.succeeded", rollback_id=f"{wish['plan']}:{first.service}", to_version="2")
    again = first.responder.post("/v1/plan", wish)
    assert again.status == 200, again.body
    assert places(again.json()["receipts"]) == [(name, position, True) for name, position, _ in places(receipts)]
    events = first.auditor.get("/v1/events", type="rollback.decided", environment=first.environment).json()["items"]
    assert len(events) == 2


def test_one_name_may_stand_for_a_plan_in_each_environment(server, worlds, decided):
    wish, _ = decided
    other = World(server, f"env-{uuid.uuid4().hex[:8]}")
    other.service = worlds[0].service
    other.deployed("1", minutes=0)
    other.deployed("2", minutes=60)
    answer = other.responder.post("/v1/plan", {**wish, "environment": other.environment, "to": other.at(30)})
    assert (answer.status, answer.json()["count"]) == (201, 1), answer.body


@pytest.mark.parametrize("change", [{"to": "2025-01-01T00:00:00Z"}, {"reason": "x"}, {"services": ["a"]}], ids=str)
def test_another_decision_under_the_same_name_is_told(worlds, decided, change):
    """Had it been answered as a duplicate, its decider would wait for what nobody decided."""
    wish, receipts = decided
    answer = worlds[0].responder.post("/v1/plan", {**wish, **change})
    assert (answer.status, answer.json()["position"]) == (409, receipts[0]["position"])
    assert f"the plan {wish['plan']} was decided with another" in answer.json()["detail"]


def test_a_decision_that_names_a_plan_by_hand_is_not_the_plan(worlds):
    """Somebody who makes one rollback part of a plan beforehand does not decide the rest of it."""
    first, second = worlds
    second.tell("rollback.decided", rollback_id="r1", to_version="7", plan=(name := f"P-{first.service}"))
    wish = {"environment": first.environment, "to": first.at(75), "plan": name}
    answer = first.responder.post("/v1/plan", wish)
    assert (answer.status, answer.json()["count"]) == (201, 1), answer.body


def test_a_machine_decides_no_plan(worlds):
    first, _ = worlds
    wish = {"environment": first.environment, "to": first.at(30)}
    refused = first.pipeline.post("/v1/plan", wish)
    assert refused.status == 403
    assert "person" in refused.json()["detail"]


@pytest.mark.parametrize(
    "body, kind, status",
    [
        (b'{"environment": "a", "environment": "b", "to": "2026-11-20T10:00:00Z"}', "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b'{"environment": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"environment": "a", "to": "2026-11-20T10:00:00Z"}', "text/plain", 415),
        (b'{"environment": "a", "to": "yesterday"}', "application/json", 422),
    ],
)
def test_a_decision_is_read_as_strictly_as_an_event(server, body, kind, status):
    """What another reader might understand differently is no decision."""
    answer = server.client("responder").post("/v1/plan", body, {"Content-Type": kind})
    assert answer.status == status, answer.body
    assert all(not each["pointer"].startswith("/json") for each in answer.json().get("errors", []))
