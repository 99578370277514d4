"""Requests that are no requests, bodies that are broken, packed or endless: told as every other error, and at once."""

import gzip
import json
import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest


def answered(server, sent):
    """All that comes back on a connection until it ends."""
    parts = urlsplit(server.url)
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=10)) as held:
        held.sendall(sent)
        held.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: held.recv(65_536), b""))


@pytest.mark.parametrize(
    "rest",
    [
        b"ZZ\r\n",
        b"5\r\nabcdeXX\r\n0\r\n\r\n",
        b"2;\x00\r\n{}\r\n0\r\n\r\n",
        b"1\r\n{\r\n0\r\nA B: c\r\n\r\n",
        b"5\r\n{",
    ],
)
@pytest.mark.parametrize("role", ["pipeline", None])
def test_broken_framing_is_the_senders_fault(server, rest, role):
    """Nobody who runs the server is woken for it; and one request gets one answer."""
    token = f"Authorization: Bearer {server.tokens[role]}\r\n" if role else ""
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{token}"
    logged = len(server.logged())
    answer = answered(server, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + rest)
    assert answer.startswith(b"HTTP/1.1 400" if role else b"HTTP/1.1 401")
    assert answer.count(b"HTTP/1.1") == 1
    assert "Traceback" not in server.logged()[logged:]


@pytest.mark.parametrize(
    "sent, status",
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n", 501),
    ],
)
def test_what_cannot_even_be_read_is_told_as_every_other_error(server, sent, status):
    """RFC 9457, also where no view ever saw the request."""
    head, _, body = answered(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_a_body_is_never_unpacked(server):
    """It could become more than any bound; and "not UTF-8" is not what its sender would look for."""
    body = gzip.compress(b'{"type": "service.removed", "data": {"service": "s", "environment": "e"}}')
    answer = server.client().post("/v1/events", body, {"Content-Encoding": "gzip"})
    assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert "gzip" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["service=%FF&environment=e", "service=s&environment=%C3", "service=s&%FF=e"])
def test_a_query_that_is_no_text_names_nothing(server, query):
    """It must not be answered as the slot whose name is a percent sign and two letters."""
    answer = server.client().get(f"/v1/slot?{query}")
    assert answer.status == 422
    assert "UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize(
    "media_type, body",
    [
        ("application/json", b"[" + b"1," * 8_000_000 + b"1]"),
        ("application/json", b"[" + b"{}," * 5_000_000 + b"{}]"),
        ("application/json", b'["\\ud83d",' + b"1," * 8_000_000 + b"1]"),
        ("application/x-ndjson", b"1\n" * 8_000_000),
    ],
    ids=["numbers", "objects", "a suspect", "lines"],
)
def test_what_is_far_too_much_is_refused_at_once(server, media_type, body):
    """It is counted while it is read, not when millions of values are there."""
    client = server.client("pipeline")
    began = time.perf_counter()
    assert client.post("/v1/events", body, {"Content-Type": media_type}).status == 413
    assert time.perf_counter() - began < 3
