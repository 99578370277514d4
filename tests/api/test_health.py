"""How the server says that it is well, or not, and in numbers."""

import shutil
import time
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api import health
from api.access import LOCAL_ADMIN
from api.app import create_app
from api.config import Settings

DEPLOYED = {
    "id": "run-1",
    "type": "deployment.succeeded",
    "data": {"deployment_id": "d-1", "service": "payments", "environment": "production", "version": "1.4.2"},
}


@pytest.fixture
def app(tmp_path):
    made = create_app(Settings(data=tmp_path / "data"))
    yield made
    made.extensions["lastgood"].close()


def held(app):
    return app.extensions["lastgood"]


def ready(app):
    return app.test_client().get("/readyz")


def test_a_server_is_alive_and_ready_without_any_token(server):
    """Those who watch it need no secret."""
    assert server.client(None).get("/healthz").json() == {"status": "ok"}
    assert server.client(None).get("/readyz").json() == {"status": "ready"}


def test_a_server_whose_writer_has_ended_is_alive_and_not_ready(app):
    """It can still answer, and record nothing."""
    held(app).writer.stop()
    answer = ready(app)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert "the writer has ended" in answer.json["reasons"][0]
    assert int(answer.headers["Retry-After"]) > 0
    assert app.test_client().get("/healthz").status_code == 200


def test_a_server_that_stops_is_not_ready(app):
    """So that a balancer sends nobody there."""
    held(app).stop_waiting()
    assert ready(app).json["reasons"] == ["the server is stopping"]


def test_a_server_whose_read_models_stopped_says_where_and_why(app):
    """A fold that cannot go on stops loudly; so does this."""
    held(app).answers.runner.failure = (41, "ValueError: what is this")
    (reason,) = ready(app).json["reasons"]
    assert "stopped after position 41 (ValueError: what is this)" in reason


def test_a_server_whose_read_models_are_behind_is_not_ready(app, monkeypatch):
    """As long as a rebuild takes after a start."""
    held(app).answers.stop()
    monkeypatch.setattr(health, "CATCH_UP_S", 0.01)
    held(app).tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    assert ready(app).json["reasons"] == ["the read models are at position 0 of 1: they are catching up"]


def test_a_data_folder_that_cannot_be_written_makes_it_not_ready(app, monkeypatch):
    """Found by writing, since permissions tell root nothing."""

    def refuses(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(health, "TemporaryFile", refuses)
    assert ready(app).json["reasons"] == ["the data folder cannot be written: Read-only file system"]


def test_a_disk_that_is_almost_full_makes_it_not_ready(app, monkeypatch):
    """Before an append fails."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 2**20))
    assert ready(app).json["reasons"] == ["the disk of the data folder has 10 MiB left: make room"]


def measured(client):
    answer = client.get("/metrics")
    assert answer.headers.get_content_type() == "text/plain"
    families = text_string_to_metric_families(answer.body.decode())
    return {(each.name, *sorted(each.labels.items())): each.value for family in families for each in family.samples}


def test_measures_need_a_token_as_every_read_does(server):
    """How busy somebody's production is, is their business."""
    assert server.client(None).get("/metrics").status == 401


def test_measures_count_what_was_appended_repeated_and_refused(fresh_server):
    """A refusal is counted under its error; positions are those of the record."""
    client = fresh_server.client("pipeline")
    before = measured(client)
    position = client.append(DEPLOYED)["position"]
    client.append(DEPLOYED)
    other = {**DEPLOYED, "data": {**DEPLOYED["data"], "version": "2"}}
    assert client.post("/v1/events", other).status == 409
    client.get("/v1/slots", at_least=position)
    after = measured(client)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["lastgood_events_appended_total",] == 1
    assert grown["lastgood_events_duplicate_total",] == 1
    assert grown["lastgood_commands_refused_total", ("error", "id_taken")] == 1
    assert after["lastgood_head_position",] == position
    assert after["lastgood_read_model_position",] == position
    assert after["lastgood_read_model_lag_events",] == 0


def test_measures_know_how_long_requests_take(fresh_server):
    """By method, view and status, never by path: paths are without number."""
    client = fresh_server.client("auditor")
    for path in ("/no/such/1", "/no/such/2"):
        client.get(path)
    labels = (("endpoint", "unknown"), ("method", "GET"), ("status", "404"))
    assert measured(client)["lastgood_request_seconds_count", *labels] == 2


def test_open_streams_are_counted(fresh_server):
    """While they are open: a listener that has left is noticed when there is something to tell it."""
    client = fresh_server.client("pipeline")
    connection = client.connect()
    connection.request("GET", "/v1/events/stream", headers={"Authorization": f"Bearer {client.token}"})
    response = connection.getresponse()
    response.read1(10)
    assert measured(client)["lastgood_streams_open",] == 1
    response.close()
    connection.close()
    until = time.monotonic() + 30
    while measured(client)["lastgood_streams_open",] and time.monotonic() < until:
        client.append({key: value for key, value in DEPLOYED.items() if key != "id"})
        time.sleep(0.1)
    assert measured(client)["lastgood_streams_open",] == 0
