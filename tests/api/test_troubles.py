"""Troubles that pass: a file locked by somebody else, and what is answered meanwhile."""

import socket
import sqlite3
import threading
import time
from contextlib import closing
from urllib.parse import urlsplit

from tests.api.world import World


def lock(path):
    """A connection that holds a file's write lock until it is closed."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return closing(connection)


def test_tokens_are_read_while_somebody_writes_their_file(fresh_server):
    """When a token was last used is marked without waiting; nobody queues for it."""
    client = fresh_server.client("responder")
    with lock(fresh_server.data / "access.sqlite"):
        begun = time.monotonic()
        assert [client.get("/v1/slots").status for _ in range(5)] == [200] * 5
        assert time.monotonic() - begun < 5


def test_a_pipeline_is_not_told_none_by_answers_that_fell_behind(fresh_server):
    """While the read models can't be written, the decision is not denied: 503, and then it is there."""
    world = World(fresh_server)
    world.deployed("1", minutes=0)
    world.seen(world.deployed("2", minutes=60))
    with lock(fresh_server.data / "read-models" / "models.sqlite"):
        world.tell("rollback.decided", rollback_id="r1", to_version="1")
        assert world.pipeline.get("/v1/decisions", state="pending", **world.slot).status == 503
    until = time.monotonic() + 60
    while (answer := world.pipeline.get("/v1/decisions", state="pending", **world.slot)).status != 200:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert [each["rollback_id"] for each in answer.json()["items"]] == ["r1"]
    assert fresh_server.client(None).get("/readyz").status == 200


def test_a_record_that_is_locked_is_told_and_then_written(fresh_server):
    """An append waits for the lock; the same request is taken once it is free."""
    world = World(fresh_server)
    answers = []
    with lock(fresh_server.data / "events.sqlite"):
        appending = threading.Thread(target=lambda: answers.append(world.deployed("1")))
        appending.start()
        time.sleep(1)
        assert answers == []
    appending.join(30)
    assert answers[0]["revision"] == 1


def test_clients_that_do_not_hang_up_hold_up_nobody(fresh_server):
    """Waiting for the end of a connection is not done by the thread that takes in requests."""
    parts = urlsplit(fresh_server.url)
    held = []
    for _ in range(20):
        held.append(socket.create_connection((parts.hostname, parts.port)))
        held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    begun = time.monotonic()
    assert fresh_server.client("responder").get("/v1/slots").status == 200
    assert time.monotonic() - begun < 10
    for each in held:
        each.close()


def test_a_server_whose_read_models_are_gone_is_not_ready(fresh_server):
    """They may be deleted at any time; a restart rebuilds them, and until then nobody is sent here."""
    (fresh_server.data / "read-models" / "models.sqlite").unlink()
    answer = fresh_server.client(None).get("/readyz")
    assert answer.status == 503
    assert "restart" in str(answer.json())
