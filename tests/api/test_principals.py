"""Who is asking, and what becomes of those who may not."""

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from api.access import Refusals, directly
from ledger.application import Ledger
from ledger.authority import Principal
from ledger.events import AccessRefused
from tests.server import Client

DEPLOYED = {
    "type": "deployment.succeeded",
    "data": {"deployment_id": "d-1", "service": "payments", "environment": "production", "version": "1.4.2"},
}
DECIDED = {
    "type": "incident.acknowledged",
    "data": {"incident": "INC-1"},
}


@contextmanager
def record_of(server):
    with Ledger(server.data) as ledger:
        yield ledger


@pytest.mark.parametrize(
    "credential", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer secret", "lg_", "Bearer lg_" + "a" * 49]
)
def test_without_a_token_that_opens_something_nobody_reads(server, credential):
    """401, with the scheme that would do (RFC 6750)."""
    headers = {} if credential is None else {"Authorization": credential}
    answer = server.client(None).get("/v1/slots", headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers.get_content_type() == "application/problem+json"


@pytest.mark.parametrize("role", ["pipeline", "relay", "responder", "auditor", "admin"])
def test_every_role_reads(server, role):
    """Whoever holds a role may see the record."""
    assert server.client(role).get("/v1/slots").status == 200


def test_the_scheme_is_read_in_any_case(server):
    """RFC 9110, section 11.1."""
    assert server.client(None).get("/v1/slots", {"Authorization": f"bearer {server.tokens['auditor']}"}).status == 200


def test_a_token_counts_from_the_next_request_while_the_server_runs(server):
    """Made by another process, and revoked by one."""
    client = Client(server.url, server.token("pipeline", name="late comer"))
    assert client.get("/v1/slots").status == 200
    server.revoke("late comer")
    answer = client.get("/v1/slots")
    assert answer.status == 401
    assert "was revoked" in answer.json()["detail"]


def test_the_submitter_comes_from_the_credential(fresh_server):
    """Whatever the body says."""
    receipt = fresh_server.client("pipeline").append(DEPLOYED)
    with record_of(fresh_server) as ledger:
        (recorded,) = ledger.at([receipt["position"]])
    assert recorded.submitter.id.startswith("p-")
    assert (recorded.submitter.method, recorded.submitter.kind) == ("token", "machine")


def test_a_refusal_is_recorded_once_however_often_it_happens(fresh_server):
    """At most one a minute for a principal and a reason, and every attempt is answered 403."""
    client = fresh_server.client("pipeline")
    assert [client.post("/v1/events", DECIDED).status for _ in range(5)] == [403] * 5
    client.append(DEPLOYED)
    with record_of(fresh_server) as ledger:
        refused = [each for each in ledger.read(0, ledger.head()) if isinstance(each.event, AccessRefused)]
    assert len(refused) == 1
    assert refused[0].event.subject == refused[0].submitter.id
    assert refused[0].event.roles == ("pipeline",)
    assert "only a person decides" in refused[0].event.reason


class SteppedClock:
    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


def test_a_refusal_is_recorded_again_after_a_minute_and_for_another_reason(tmp_path):
    """So that the record shows that it goes on."""
    clock = SteppedClock(datetime(2026, 11, 22, 21, tzinfo=UTC))
    with Ledger(tmp_path, clock) as ledger:
        refusals = Refusals(ledger, directly(ledger))
        someone = Principal("p-1", "machine", frozenset({"pipeline"}))
        for reason, seconds in (("no", 0), ("no", 59), ("other", 0), ("no", 1), ("no", 30)):
            clock.moment += timedelta(seconds=seconds)
            refusals.record(someone, reason)
        assert [each.event.reason for each in ledger.read(0, 9)] == ["no", "other", "no"]


def test_a_refusal_waits_for_nobody(fresh_server):
    """While another process holds the write lock, a refusal is answered all the same."""
    with record_of(fresh_server) as ledger, ledger.store.writing():
        begun = time.monotonic()
        assert fresh_server.client("auditor").post("/v1/events", DEPLOYED).status == 403
        assert time.monotonic() - begun < 5
