"""GET /v1/incidents/{id}/postmortem: what it says, who stands behind it, what is due, at any moment."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from marshmallow import RAISE

from api.postmortem_replies import WholePostmortem


@pytest.fixture
def name():
    return f"INC-{uuid4().hex[:8]}"


def event(topic, time, name, **data):
    return {"type": topic, "time": f"2026-03-{time}:00Z", "data": {"incident": name, **data}}


def lived(client, name):
    """An incident of the second of March with all that a postmortem may have; the last position."""
    receipts = client.append(
        event("incident.declared", "02T10:00", name, title="it is down", severity="SEV-1", kind="outage"),
        event("incident.resolved", "02T12:00", name, reason="it is up"),
        event("postmortem.started", "02T13:00", name, owner="ada"),
        event("postmortem.section_written", "02T14:00", name, section="summary", text="It brok."),
        event("postmortem.section_written", "02T15:00", name, section="summary", text="The queue ran **full**."),
        event("postmortem.cause_recorded", "02T15:01", name, kind="root", statement="We failed to set a limit"),
        event(
            "postmortem.action_added",
            "02T15:02",
            name,
            action_id="a1",
            text="set a limit",
            kind="prevent",
            owner="ben",
            due="2026-03-09",
        ),
        event("postmortem.reviewed", "03T09:00", name),
        event("postmortem.approved", "03T10:00", name, reason="well told"),
        event("postmortem.published", "03T11:00", name, audience="internal"),
        event(
            "incident.classified",
            "03T12:00",
            name,
            regime="EU DORA",
            classification="not major",
            criteria={"clients": 3},
            reason="few",
        ),
    )
    return receipts["last"]


def postmortem(client, name, status=200, **query):
    answer = client.get(f"/v1/incidents/{quote(name, safe='')}/postmortem", **query)
    assert answer.status == status, answer.body
    return answer.json()


def test_all_that_is_in_it(client, name):
    """In the documented shape."""
    found = postmortem(client, name, at_least=lived(client, name))
    assert WholePostmortem(unknown=RAISE).validate(found) == {}
    assert (found["incident"], found["state"], found["status"], found["owner"]) == (
        name,
        "resolved",
        "published",
        "ada",
    )
    (section,) = found["sections"]
    assert (section["section"], section["title"], section["text"]) == ("summary", "Summary", "The queue ran **full**.")
    assert (section["revisions"], len(section["earlier"]), section["by"]) == (2, 1, "a-responder")
    assert [each["statement"] for each in found["causes"]] == ["We failed to set a limit"]
    (action,) = found["actions"]
    assert (action["action_id"], action["state"], action["overdue"], action["due"]) == (
        "a1",
        "open",
        True,
        "2026-03-09",
    )
    assert [each["audience"] for each in found["published"]] == ["internal"]
    assert found["approved"][0]["reason"] == "well told"
    assert found["due"] == {"time": "2026-03-05T12:00:00Z", "by_severity": "SEV-1", "asked": None}
    assert (found["overdue"], found["missing"], found["written_since_approval"]) == (False, [], [])
    (regime,) = found["reporting"]
    assert (regime["classification"], regime["initial"]["state"]) == ("not major", "not_required")
    assert found["people"] == ["a-responder", "ada"]
    (advice,) = found["advice"]
    assert (advice["part"], advice["phrase"], advice["line"], advice["column"]) == ("cause", "failed to", 1, 4)


def test_at_any_moment(client, name):
    """As it was, and as it was known."""
    last = lived(client, name)
    before = postmortem(client, name, as_of="2026-03-02T14:30:00Z", at_least=last)
    assert (before["status"], before["sections"][0]["text"], before["actions"]) == ("draft", "It brok.", [])
    assert before["due"]["time"] == "2026-03-05T12:00:00Z"
    known = postmortem(client, name, known_at=last - 9)
    assert (known["status"], known["sections"], known["missing"]) == ("none", [], ["summary", "cause", "action"])


def test_one_that_is_late(client, name):
    """Told from the moment on at which it was due; waived, it is due no longer."""
    last = client.append(
        event("incident.declared", "02T10:00", name, title="it is down", severity="SEV-1", kind="outage"),
        event("incident.resolved", "02T12:00", name, reason="it is up"),
        event("postmortem.waived", "09T12:00", name, reason="the same as the one before"),
    )["last"]
    assert postmortem(client, name, as_of="2026-03-05T11:59:59Z", at_least=last)["overdue"] is False
    assert postmortem(client, name, as_of="2026-03-05T12:00:00Z")["overdue"] is True
    found = postmortem(client, name)
    assert (found["status"], found["overdue"]) == ("waived", False)
    assert found["waived"][0]["reason"] == "the same as the one before"


def test_what_nobody_stands_behind(client, name):
    """Texts that were written after the approval."""
    lived(client, name)
    last = client.append(event("postmortem.section_written", "04T10:00", name, section="lucky", text="It was night."))
    found = postmortem(client, name, at_least=last["position"])
    assert found["written_since_approval"] == [last["position"]]


def test_an_incident_without_one_and_one_that_nobody_knows(client, name):
    """The first has the status `none`, the second is a 404 that says where to look."""
    last = client.append(event("incident.detected", "02T10:00", name, title="odd"))["position"]
    found = postmortem(client, name, at_least=last)
    assert (found["status"], found["due"], found["started"]) == ("none", None, None)
    assert WholePostmortem(unknown=RAISE).validate(found) == {}
    assert "/v1/incidents" in postmortem(client, f"{name}-not", status=404)["detail"]


def test_a_machine_writes_none(server, client, name):
    """It is told that people decide; nothing is recorded."""
    last = lived(client, name)
    told = event("postmortem.section_written", "04T10:00", name, section="summary", text="x")
    assert server.client("pipeline").post("/v1/events", told).status == 403
    assert postmortem(client, name, at_least=last)["sections"][0]["revisions"] == 2


def test_who_may_not_read(server, name):
    """Without a token nothing is told."""
    assert server.client(None).get(f"/v1/incidents/{name}/postmortem").status == 401
