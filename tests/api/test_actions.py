"""GET /v1/actions: what the postmortems of all incidents left to do."""

from uuid import uuid4

import pytest
from marshmallow import RAISE

from api.postmortem_replies import ActionPage


def event(topic, time, name, **data):
    return {"type": topic, "time": f"2026-03-{time}:00Z", "data": {"incident": name, **data}}


def added(name, action_id, owner, due=None, time="02T13:00"):
    more = {} if due is None else {"due": due}
    told = {"text": "set a limit", "kind": "prevent", "owner": owner, "action_id": action_id, **more}
    return event("postmortem.action_added", time, name, **told)


@pytest.fixture
def owner():
    return f"ada-{uuid4().hex[:8]}"


@pytest.fixture
def lived(client, owner):
    """Two incidents with actions of one owner, open, done, cancelled and overdue; the second a drill."""
    names = [f"INC-{uuid4().hex[:8]}" for _ in range(2)]
    client.append(
        event("incident.declared", "02T10:00", names[0], title="it is down", severity="SEV-1", kind="outage"),
        added(names[0], "some-day", owner),
        added(names[0], "late", owner, "2026-03-10"),
        added(names[0], "done", owner, "2026-03-09"),
        added(names[0], "dropped", owner, "2026-03-09T12:00:00+01:00"),
        added(names[0], "another's", f"{owner}-not", "2026-03-01"),
        event("postmortem.action_completed", "03T10:00", names[0], action_id="done"),
        event("postmortem.action_cancelled", "03T10:00", names[0], action_id="dropped", reason="no use"),
    )
    drill = {"title": "a drill", "severity": "SEV-1", "kind": "outage", "mode": "drill"}
    last = client.append(
        event("incident.declared", "02T10:00", names[1], **drill), added(names[1], "later", owner, "9999-12-31")
    )
    return names, last["last"]


def actions(client, **query):
    answer = client.get("/v1/actions", **query)
    assert answer.status == 200, answer.body
    return answer.json()


def ids(client, **query):
    return [each["action_id"] for each in actions(client, **query)["items"]]


def test_those_due_first_come_first(client, lived, owner):
    """Of all incidents, in the documented shape; those never due come last."""
    names, last = lived
    found = actions(client, owner=owner, at_least=last)
    assert ActionPage(unknown=RAISE).validate(found) == {}
    assert [each["action_id"] for each in found["items"]] == ["dropped", "done", "late", "later", "some-day"]
    assert {each["incident"] for each in found["items"]} == set(names)
    assert [each["drill"] for each in found["items"]] == [False, False, False, True, False]
    assert found["items"][0]["reason"] == "no use"
    assert found["next"] is None


def test_by_state(client, lived, owner):
    """An overdue one is open."""
    names, last = lived
    assert ids(client, owner=owner, state="open", at_least=last) == ["late", "later", "some-day"]
    assert ids(client, owner=owner, state="done") == ["done"]
    assert ids(client, owner=owner, state="cancelled") == ["dropped"]
    assert ids(client, owner=owner, state="overdue") == ["late"]
    assert ids(client, owner=owner, state="overdue", as_of="2026-03-10T12:00:00Z") == []
    assert ids(client, owner=owner, state="open", as_of="2026-03-03T09:00:00Z") == [
        "dropped",
        "done",
        "late",
        "later",
        "some-day",
    ]
    assert ids(client, incident=names[0], state="overdue") == ["another's", "late"]


def test_by_incident(client, lived):
    """One that nobody knows has none."""
    names, last = lived
    assert ids(client, incident=names[1], at_least=last) == ["later"]
    assert ids(client, incident="INC-nowhere") == []


def test_in_pages(client, lived, owner):
    """Each goes on where the one before ended, and links to the next."""
    _, last = lived
    found, after = [], {}
    while True:
        answer = client.get("/v1/actions", owner=owner, limit=2, at_least=last, **after)
        page = answer.json()
        found += [each["action_id"] for each in page["items"]]
        assert (page["next"] is None) == (answer.headers["Link"] is None)
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == ["dropped", "done", "late", "later", "some-day"]


@pytest.mark.parametrize(
    "query,status", [({"state": "lost"}, 422), ({"after": "x"}, 400), ({"severity": "SEV-1"}, 422)]
)
def test_what_is_not_asked_for_so(client, query, status):
    """A filter that is not known is refused, and never dropped."""
    assert client.get("/v1/actions", **query).status == status


def test_who_may_not_read(server):
    """Without a token nothing is told."""
    assert server.client(None).get("/v1/actions").status == 401
