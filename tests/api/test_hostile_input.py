"""What somebody hostile, or merely unlucky, sends: names, times and requests that nobody meant to be sent."""

import itertools
import random
import socket
import sqlite3
import string
import subprocess
import time
import uuid
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from ledger.contract import Items, Nested, members
from ledger.events import EVENTS
from ledger.values import Choice, Digest, Due, Flag, Integer, Json, Labels, Number, Sha256, Time
from tests.server import LASTGOOD, Client, Server, environment

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


def knock(server, request, times):
    """Connections that have sent a request and keep their end open."""
    parts = urlsplit(server.url)
    found = [socket.create_connection((parts.hostname, parts.port)) for _ in range(times)]
    for each in found:
        each.sendall(request)
    return found


def seconds(call):
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


def test_who_does_not_hang_up_keeps_nobody_waiting(fresh_server):
    """A phone that lost its network, ten times, costs a responder nothing."""
    fresh_server.client().get("/v1/slots")
    held = knock(fresh_server, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 10)
    time.sleep(0.3)
    try:
        assert seconds(lambda: fresh_server.client().get("/v1/slots")) < 2
    finally:
        for each in held:
            each.close()


@contextmanager
def locked(path):
    """A file that another process is writing to."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_busy_file_of_tokens_keeps_nobody_from_reading(fresh_server):
    """When a token was last used is worth nobody's waiting."""
    path = fresh_server.data / "access.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tokens SET used_at = '2026-01-01T00:00:00Z'")
    with locked(path):
        assert seconds(lambda: fresh_server.client().get("/v1/slots")) < 2


@pytest.mark.slow
def test_read_models_that_were_locked_for_a_while_go_on(fresh_server):
    """A passing trouble passes: nobody has to restart a server for it."""
    client = fresh_server.client()
    removed = {"type": "service.removed", "data": {"service": "a", "environment": "b"}}
    client.append(removed)
    assert client.get("/readyz").status == 200
    with locked(fresh_server.data / "read-models" / "models.sqlite"):
        client.append(removed)
        time.sleep(35)
    until = time.monotonic() + 10
    while (ready := client.get("/readyz")).status != 200 and time.monotonic() < until:
        time.sleep(0.2)
    assert ready.status == 200, ready.body


JSON_TRAPS = {
    "a member twice": (b'{"environment":"b","environment":"c","to":"2020-01-01T00:00:00Z"}', 422),
    "nested too deep": (b"[" * 100_000, 400),
    "not UTF-8": (b'{"environment":"\xff","to":"2020-01-01T00:00:00Z"}', 400),
    "no number": (b'{"environment":NaN,"to":"2020-01-01T00:00:00Z"}', 400),
}


@pytest.mark.parametrize("trap", JSON_TRAPS)
def test_a_plan_is_read_as_strictly_as_an_event(server, trap):
    """What two readers would read differently is no decision."""
    body, status = JSON_TRAPS[trap]
    answer = server.client().post("/v1/plan", body)
    assert (answer.status, answer.json()["type"]) == (
        status,
        f"urn:lastgood:problem:{'invalid' if status == 422 else 'malformed'}",
    )


def test_a_plan_in_another_media_type_is_refused_as_that(server):
    answer = server.client().post("/v1/plan", b"{}", {"Content-Type": "text/plain"})
    assert answer.status == 415


@pytest.mark.parametrize("role", ["pipeline", "relay", "auditor", "admin"])
def test_who_may_not_decide_may_not_decide_a_plan_that_changes_nothing(server, role):
    place = f"env-{uuid.uuid4().hex}"
    removed = {"deployment_id": "1", "service": "s", "environment": place, "version": "1"}
    server.client("pipeline").append({"type": "deployment.succeeded", "time": EDGES[2], "data": removed})
    answer = server.client(role).post("/v1/plan", {"environment": place, "to": "2025-01-01T00:00:00Z", "reason": "x"})
    assert answer.status == 403, answer.body


BENT = {
    "takes an alert away": ("alert.fired", {"fingerprint": "F", "name": "n", "service": "docs", "environment": "E"}),
    "ends it as its own": ("alert.resolved", {"fingerprint": "F", "name": "n", "service": "docs", "environment": "E"}),
    "ends an alert": ("alert.resolved", {"fingerprint": "F", "name": "n"}),
    "puts somebody on call": (
        "oncall.assigned",
        {"rota": "F", "person": "mallory", "from": "2025-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"},
    ),
}


@pytest.mark.parametrize("how", BENT)
def test_a_pipeline_bound_to_one_service_bends_no_others_situation(server, how):
    """What names no service is about all of them."""
    name, client = uuid.uuid4().hex, server.client()
    slot = {"service": f"payments-{name}", "environment": name}
    shift = {"rota": name, "person": "ann", "from": "2025-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    first = client.append(
        {"type": "deployment.succeeded", "data": {"deployment_id": "1", **slot, "version": "1"}},
        {"type": "alert.fired", "data": {"fingerprint": name, "name": "n", **slot}},
        {"type": "oncall.assigned", "data": {**shift, "services": [slot["service"]]}},
    )
    kind, data = BENT[how]
    bound = Client(server.url, server.token("pipeline", services=["docs"], name=f"docs-{name}"))
    filled_in = {each: {"F": name, "E": name}.get(given, given) for each, given in data.items()}
    bound.post("/v1/events", {"type": kind, "data": filled_in})
    head = client.append({"type": "service.removed", "data": {"service": "docs", "environment": name}})
    found = client.get("/v1/slot/situation", at_least=max(head["position"], first["last"]), **slot).json()
    assert [each["state"] for each in found["alerts"]] == ["active"]
    assert "ann" in str(found["on_call"])
    assert "mallory" not in str(found["on_call"])


def test_a_revocation_holds_whatever_access_sqlite_says(fresh_server):
    """It is in the record: a file put back from a backup brings no token back."""
    fresh_server.revoke("a-auditor")
    with closing(sqlite3.connect(fresh_server.data / "access.sqlite")) as connection, connection:
        connection.execute("UPDATE tokens SET revoked_at = NULL, revoked_position = NULL")
    assert fresh_server.client("auditor").get("/v1/slots").status == 401


def test_a_made_up_method_is_no_label_of_its_own(server):
    """Else whoever knocks, without a token, makes the measures grow for ever."""
    method = "".join(random.choices(string.ascii_uppercase, k=16))
    server.client(None).request(method, "/healthz")
    assert method.encode() not in server.client().get("/metrics").body


@pytest.mark.slow
def test_a_history_of_decisions_is_taken_in_seconds(fresh_server):
    """While a group is decided, nobody's incident can be declared."""
    slot = {"service": "a", "environment": "b"}
    days = ({"type": "deployment.succeeded", "time": f"2025-11-1{day}T00:00:00Z"} for day in range(3))
    client = fresh_server.client()
    client.append(
        *({**each, "data": {"deployment_id": f"{n}", **slot, "version": f"{n}"}} for n, each in enumerate(days))
    )
    data = {"type": "rollback.decided", "time": "2026-01-01T00:00:00Z"}
    decisions = [{**data, "data": {"rollback_id": f"r{n}", **slot, "to_version": "1"}} for n in range(300)]
    assert seconds(lambda: client.append(*decisions)) < 5


@pytest.mark.parametrize("later_s", [0, 0.05, 0.1, 0.2, 0.4])
def test_a_stop_while_it_starts_is_a_stop(tmp_path, later_s):
    """Whoever is told to stop says nothing of attributes, and exits 0; no worker misses it and has to be killed."""
    server = Server(tmp_path / "server")
    command = [LASTGOOD, "serve", "--port", "0", "--data", str(server.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        process.stdout.readline()
        time.sleep(later_s)
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"Traceback" not in said
    assert b"SIGKILL" not in said
