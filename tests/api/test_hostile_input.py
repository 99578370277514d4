"""What somebody hostile, or merely unlucky, sends: names, times and requests that nobody meant to be sent."""

import itertools
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from ledger.contract import Items, Nested, members
from ledger.events import EVENTS
from ledger.values import Choice, Digest, Due, Flag, Integer, Json, Labels, Number, Sha256, Time

EDGES = (
    "0001-01-01T00:00:00Z",
    "0001-01-02T00:00:00+23:59",
    "1969-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59.999999-00:00",
)
NAMES = ("a/b:c#1?&%00%2F" + "x" * 185, "[bold]x[/bold]", "\u202eabc", "..", "日本🚀", "-flag", "'; --")
MOMENTS = ({}, {"as_of": EDGES[0]}, {"as_of": "2025-11-21T00:00:00Z"}, {"known_at": 0})
OF_A_SLOT = ("/v1/slot", "/v1/slot/history", "/v1/slot/candidates", "/v1/slot/situation")
ABOUT_THE_RECORD = ("record.", "decision.", "finding.", "access.")


def filled(cls: Any, names: dict[str, str], time: str) -> dict[str, Any]:
    """Data with every member that a sender may give, each at an edge of what its rule takes."""
    left_out = getattr(cls, "LEDGER_SETS", frozenset())
    return {
        each.wire: names.get(each.wire) or value(each.rule, names, time)
        for each in members(cls).values()
        if each.wire not in left_out
    }


def value(rule: Any, names: dict[str, str], time: str) -> Any:
    match rule:
        case Items():
            return [value(rule.rule, names, time)]
        case Nested():
            return filled(rule.cls, names, time)
        case Time() | Due():
            return time
        case Choice():
            return rule.words[0]
        case Integer() | Number():
            return rule.most
        case Flag():
            return True
        case Digest():
            return "sha256:" + "a" * 64
        case Sha256():
            return "c" * 64
        case Labels():
            return {"...": "", "_type_": "x"}
        case Json():
            return {"...": [1, None]}
    return "x"


@pytest.mark.parametrize("time", EDGES)
def test_no_event_from_the_edges_of_the_calendar_stops_an_answer(server, time):
    """Every type, all of its members, at one moment: the read models take it in, and every answer can still be had."""
    names = {name: f"{name}-{uuid.uuid4().hex}" for name in ("service", "environment", "incident", "rota")}
    client = server.client("responder")
    client.token = server.token("responder", "admin")
    taken = [each for each in EVENTS.values() if not each.TOPIC.startswith(ABOUT_THE_RECORD)]
    receipts = client.append(*({"type": each.TOPIC, "time": time, "data": filled(each, names, time)} for each in taken))
    slot = {name: names[name] for name in ("service", "environment")}
    asked = [(path, slot) for path in OF_A_SLOT]
    asked += [("/v1/slots", {}), ("/v1/incidents", {}), ("/v1/decisions", {}), ("/v1/oncall", {})]
    asked += [
        ("/v1/gate", {**slot, "version": "x"}),
        ("/v1/plan", {"environment": slot["environment"], "to": EDGES[0]}),
    ]
    asked += [(f"/v1/incidents/{names['incident']}{end}", {}) for end in ("", "/timeline")]
    for (path, query), moment in itertools.product(asked, MOMENTS):
        answer = client.get(path, at_least=receipts["last"], **query, **moment)
        assert answer.status in (200, 404), (path, moment, answer.body)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_its_name_a_slot_and_its_incident_are_found(server, name):
    """Names are compared exactly, and mean nothing to whoever passes them on."""
    client, incident = server.client("responder"), f"{name[:100]}//{uuid.uuid4().hex}"
    environment = f"{name[:100]}{uuid.uuid4().hex}"
    slot = {"service": name, "environment": environment}
    told = {"incident": incident, "title": name, "severity": "SEV-1", "kind": "outage", "affected": [slot]}
    receipts = client.append(
        {"type": "deployment.succeeded", "data": {"deployment_id": name, **slot, "version": name}},
        {"type": "incident.declared", "data": told},
    )
    for path in OF_A_SLOT:
        assert client.get(path, at_least=receipts["last"], **slot).status == 200
    found = client.get("/v1/slot", **slot).json()
    assert (found["current"]["version"], found["active_incidents"][0]["id"]) == (name, incident)
    assert client.get(f"/v1/incidents/{quote(incident, safe='')}").json()["id"] == incident
    pages = [client.get("/v1/slots", environment=environment, limit=1).json()]
    while pages[-1]["next"]:
        pages.append(client.get("/v1/slots", environment=environment, limit=1, after=pages[-1]["next"]).json())
    assert [each["service"] for page in pages for each in page["items"]] == [name]
