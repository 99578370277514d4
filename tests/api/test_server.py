"""The process that serves: one on a folder, and no acknowledged event is ever lost, however it ends."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.server import LASTGOOD, PATIENCE_S, Server, children_of, environment, is_running

CALLERS = 8
ROOT = Path(__file__).parents[2]


def deployed(event_id):
    data = {"deployment_id": event_id, "service": f"s{event_id[-1]}", "environment": "production", "version": "1"}
    return {"id": event_id, "source": "urn:test", "type": "deployment.succeeded", "data": data}


@dataclass
class Load:
    """Callers that append one event after the other over kept connections, until the server is gone."""

    server: Server
    acknowledged: set[str] = field(default_factory=set)
    cut: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    def start(self):
        self._threads = [threading.Thread(target=self._call, args=(caller,)) for caller in range(CALLERS)]
        for thread in self._threads:
            thread.start()
        until = time.monotonic() + PATIENCE_S
        while len(self.acknowledged) < 10 * CALLERS:
            assert time.monotonic() < until, "the load did not get going"
            time.sleep(0.01)
        return self

    def join(self):
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _call(self, caller):
        client, count, connection = self.server.client("pipeline"), 0, None
        while True:
            count += 1
            event = deployed(f"{caller}-{count}")
            if connection is None:
                connection = client.connect()
                try:
                    connection.connect()
                except OSError:
                    return
            try:
                answer = client.request(
                    "POST",
                    "/v1/events",
                    json.dumps(event).encode(),
                    {"Content-Type": "application/json"},
                    None,
                    connection,
                )
            except (OSError, HTTPException) as error:
                self.cut.append(f"{event['id']}: {type(error).__name__}")
                return
            if answer.status == 201:
                self.acknowledged.add(event["id"])
            else:
                self.refused.append(answer.status)
            if answer.headers.get("Connection", "").lower() == "close":
                connection.close()
                connection = None


def recorded_ids(server):
    with Ledger(server.data) as ledger:
        rows = list(ledger.rows())
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        return {row.id for row in rows}


@pytest.fixture
def listener(fresh_server):
    """A live stream that is open: its thread, and what it heard."""
    heard = []
    client = fresh_server.client("auditor")
    connection = client.connect()
    connection.request("GET", "/v1/events/stream", headers={"Authorization": f"Bearer {client.token}"})
    response = connection.getresponse()

    def listen():
        try:
            while piece := response.read1(65_536):
                heard.append(piece)
            heard.append("ended")
        except (OSError, HTTPException) as error:
            heard.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    yield thread, heard
    thread.join(PATIENCE_S)
    connection.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda how: how.name)
def test_a_stop_under_load_loses_nothing_and_cuts_nobody(fresh_server, listener, how):
    """Every request that was sent gets its answer, streams end properly, and the exit code is 0 within seconds."""
    thread, heard = listener
    load = Load(fresh_server).start()
    begun = time.monotonic()
    assert fresh_server.stop(how) == 0
    assert time.monotonic() - begun < 10
    load.join()
    thread.join(PATIENCE_S)
    assert load.cut == []
    assert set(load.refused) <= {503}
    assert load.acknowledged <= recorded_ids(fresh_server)
    assert heard[-1] == "ended"


def test_a_closed_terminal_stops_both_processes_in_order(fresh_server):
    """It tells both at once; the worker still finishes what it has."""
    load = Load(fresh_server).start()
    (worker,) = children_of(fresh_server.process.pid)
    os.kill(worker, signal.SIGHUP)
    assert fresh_server.stop(signal.SIGHUP) == 0
    load.join()
    assert load.cut == []
    assert load.acknowledged <= recorded_ids(fresh_server)


@pytest.mark.parametrize("which", [signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR2], ids=lambda which: which.name)
def test_no_signal_makes_a_second_worker(fresh_server, which):
    """Two would write the same read models."""
    workers = children_of(fresh_server.process.pid)
    fresh_server.process.send_signal(which)
    until = time.monotonic() + PATIENCE_S
    while "one worker serves a data folder" not in fresh_server.logged():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert children_of(fresh_server.process.pid) == workers
    assert fresh_server.client(None).get("/readyz").status == 200


def test_a_server_started_by_nohup_outlives_its_terminal(tmp_path):
    """That is what nohup is for."""
    server = Server(tmp_path / "nohup", wrapper=["nohup"]).start()
    try:
        server.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert server.client("pipeline").post("/v1/events", deployed("after")).status == 201
        assert server.stop() == 0
    finally:
        server.close()


def test_a_request_that_was_begun_before_a_stop_is_answered(fresh_server):
    """Its second half may come after the signal."""
    client = fresh_server.client("pipeline")
    body = json.dumps(deployed("slow-1")).encode()
    connection = client.connect()
    connection.putrequest("POST", "/v1/events")
    for name, value in {
        "Authorization": f"Bearer {client.token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(body[:20])
    time.sleep(0.3)
    fresh_server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    connection.send(body[20:])
    response = connection.getresponse()
    assert response.status == 201
    connection.close()
    assert fresh_server.process.wait(PATIENCE_S) == 0
    assert "slow-1" in recorded_ids(fresh_server)


def test_a_kill_under_load_loses_nothing_that_was_acknowledged(fresh_server):
    """Nothing is asked, nothing is finished; what was acknowledged was durable before."""
    load = Load(fresh_server).start()
    fresh_server.kill()
    load.join()
    fresh_server.start()
    assert load.acknowledged <= recorded_ids(fresh_server)
    answer = fresh_server.client("pipeline").post("/v1/events", deployed("after"))
    assert answer.status == 201
    assert fresh_server.client(None).get("/readyz").status == 200


def test_a_worker_that_dies_is_replaced_and_the_folder_stays_locked(fresh_server):
    """As when the system kills it for want of memory: the parent holds the folder meanwhile."""
    client = fresh_server.client("pipeline")
    client.append(deployed("before"))
    (worker,) = children_of(fresh_server.process.pid)
    os.kill(worker, signal.SIGKILL)
    assert second_server(fresh_server).returncode == 5
    until = time.monotonic() + PATIENCE_S
    while True:
        with suppress(OSError, HTTPException):
            if client.post("/v1/events", deployed("after")).status == 201:
                break
        assert time.monotonic() < until
        time.sleep(0.05)
    assert {"before", "after"} <= recorded_ids(fresh_server)


def test_a_worker_without_its_parent_ends_and_frees_the_folder(fresh_server):
    """A kill of the parent alone leaves nobody behind who holds the folder."""
    (worker,) = children_of(fresh_server.process.pid)
    fresh_server.process.kill()
    fresh_server.process.wait(PATIENCE_S)
    until = time.monotonic() + PATIENCE_S
    while is_running(worker):
        assert time.monotonic() < until
        time.sleep(0.05)
    fresh_server.start()
    fresh_server.client("pipeline").append(deployed("after"))


def second_server(server, *arguments):
    return subprocess.run(
        [LASTGOOD, "serve", "--port", "0", "--data", str(server.data), *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_second_server_on_a_folder_is_refused(server):
    """Two writers with caches of their own would be one too many; it says what to do instead."""
    done = second_server(server)
    assert done.returncode == 5
    assert "another server runs on the data folder" in done.stderr
    assert "LASTGOOD_DATA" in done.stderr
    assert server.client(None).get("/readyz").status == 200


def test_a_server_says_where_it_listens_where_its_data_is_and_how_to_get_in(server):
    """The first thing that somebody new reads."""
    said = server.printed()
    assert f"lastgood listens on {server.url}\n" in said
    assert str(server.data) in said
    assert "lastgood token create NAME --role responder" in said


def test_a_port_that_is_taken_is_told(tmp_path):
    """And the exit code is not 0."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [LASTGOOD, "serve", "--port", str(taken.getsockname()[1]), "--data", str(tmp_path / "data")],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode != 0
    assert "in use" in done.stderr


def test_a_body_sent_in_chunks_is_recorded(server):
    """As programs send that stream their input."""
    client = server.client("pipeline")
    body = b"\n".join(json.dumps(deployed(f"chunked-{count}")).encode() for count in range(100))
    connection = client.connect()
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/x-ndjson"}
    pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
    connection.request("POST", "/v1/events", pieces, headers, encode_chunked=True)
    assert connection.getresponse().status == 201
    connection.close()


def test_a_body_beyond_the_bound_is_refused_however_it_is_sent(server):
    """Over the wire too."""
    client = server.client("pipeline")
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/x-ndjson"}
    piece = b" " * 65_536
    connection = client.connect()
    with suppress(OSError):
        connection.request("POST", "/v1/events", (piece for _ in range(257)), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_kept_connection_serves_many_requests_of_every_method(server):
    """HEAD and OPTIONS leave nothing behind that the next answer could trip over."""
    client = server.client("auditor")
    connection = client.connect()
    statuses = [
        client.request(method, "/v1/slots", connection=connection).status
        for method in ("GET", "HEAD", "OPTIONS", "GET", "DELETE", "GET")
    ]
    connection.close()
    assert statuses == [200, 200, 200, 200, 405, 200]


def test_names_of_the_greatest_length_fit_into_a_query(server):
    """200 characters of four bytes each, twice, percent-encoded."""
    answer = server.client("auditor").get("/v1/slot", service="\U0001f680" * 200, environment="\U0001f30d" * 200)
    assert answer.status == 404


def test_other_requests_are_served_while_streams_are_open(server):
    """A stream holds a thread, and there are others."""
    client, streams = server.client("auditor"), []
    for _ in range(20):
        connection = client.connect()
        connection.request("GET", "/v1/events/stream", headers={"Authorization": f"Bearer {client.token}"})
        assert connection.getresponse().status == 200
        streams.append(connection)
    assert client.get("/v1/slots").status == 200
    for connection in streams:
        connection.close()


def test_every_file_of_the_data_folder_is_documented(fresh_server):
    """What it is, and what its loss or theft would cost."""
    page = (ROOT / "docs" / "operations.md").read_text()
    fresh_server.client("pipeline").append(deployed("1"))
    assert fresh_server.stop() == 0
    for path in fresh_server.data.iterdir():
        assert f"\n| `{path.name}{'/' if path.is_dir() else ''}`" in page


def test_every_measure_is_documented(server):
    """In the table of docs/operations.md."""
    page = (ROOT / "docs" / "operations.md").read_text()
    exposed = server.client("auditor").get("/metrics").body.decode()
    names = {line.split()[2] for line in exposed.splitlines() if line.startswith("# TYPE lastgood_")}
    assert names
    assert {name for name in names if not name.endswith("_created") and f"`{name}" not in page} == set()
