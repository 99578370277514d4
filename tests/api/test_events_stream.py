"""GET /v1/events/stream: the live tail, on a real server."""

import json
import threading
import time
import uuid

import pytest

from api import reading


def deployed(service):
    data = {"deployment_id": "d", "service": service, "environment": "production", "version": "1"}
    return {"id": uuid.uuid4().hex, "type": "deployment.succeeded", "data": data}


class Stream:
    """Reads server-sent events as the standard has it: fields up to a blank line."""

    def __init__(self, client, query="", **headers):
        self.connection = client.connect()
        self.connection.request(
            "GET", "/v1/events/stream" + query, headers={"Authorization": f"Bearer {client.token}", **headers}
        )
        self.response = self.connection.getresponse()

    def next(self):
        """The next event's fields; None at the end of the stream."""
        fields = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text:
                field, _, value = text.partition(":")
                fields[field] = value.removeprefix(" ")
            elif fields.keys() - {"retry", ""}:
                return fields
        return None

    def close(self):
        self.response.close()
        self.connection.close()


@pytest.fixture
def open_stream(server):
    opened = []

    def opener(query="", client=None, **headers):
        opened.append(Stream(client or server.client("auditor"), query, **headers))
        return opened[-1]

    yield opener
    for each in opened:
        each.close()


def test_what_is_recorded_comes_at_once(server, open_stream):
    """id is the position, event the type, data the CloudEvent as it is read elsewhere."""
    stream = open_stream()
    assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.response.headers["Cache-Control"] == "no-store"
    assert stream.response.readline() == b"retry: 2000\n"
    pipeline = server.client("pipeline")
    receipt = pipeline.append(deployed("s"))
    found = stream.next()
    assert (found["id"], found["event"]) == (str(receipt["position"]), "deployment.succeeded")
    assert json.loads(found["data"]) == pipeline.get(f"/v1/events/{receipt['position']}").json()


def test_a_stream_goes_on_after_the_last_event_that_came(server, open_stream):
    """Nothing is missed and nothing comes twice, however the connection broke."""
    receipts = server.client("pipeline").append(*(deployed("s") for _ in range(5)))
    first, last = receipts["first"], receipts["last"]
    for stream in (
        open_stream(f"?after={first + 1}"),
        open_stream(**{"Last-Event-ID": str(first + 1)}),
        open_stream(f"?after={first + 3}", **{"Last-Event-ID": str(first + 1)}),
    ):
        assert [int(stream.next()["id"]) for _ in range(3)] == list(range(first + 2, last + 1))


def test_a_long_past_is_caught_up_with(server, open_stream):
    receipts = server.client("pipeline").append(*(deployed("s") for _ in range(2_100)))
    stream = open_stream(f"?after={receipts['first'] - 1}")
    assert [int(stream.next()["id"]) for _ in range(2_100)] == list(range(receipts["first"], receipts["last"] + 1))


@pytest.mark.parametrize(
    "query, headers, status",
    [
        ("?after=x", {}, 422),
        ("?type=deployment.succeeded", {}, 422),
        ("", {"Last-Event-ID": "x"}, 400),
        ("", {"Last-Event-ID": "-1"}, 400),
        ("", {"Last-Event-ID": "9" * 15}, 400),
        ("?after=999999999999", {}, 400),
        ("", {"Accept": "application/json"}, 406),
    ],
)
def test_a_stream_that_can_not_start_says_why(open_stream, query, headers, status):
    stream = open_stream(query, **headers)
    assert stream.response.status == status
    assert stream.response.headers["Content-Type"] == "application/problem+json"


def test_a_stop_ends_streams_in_order(fresh_server):
    """Not by cutting them: the reader sees the end, and comes back by the last id."""
    stream = Stream(fresh_server.client("auditor"))
    position = fresh_server.client("pipeline").append(deployed("s"))["position"]
    assert stream.next()["id"] == str(position)
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(stream.next()))
    waiting.start()
    began = time.monotonic()
    assert fresh_server.stop() == 0
    waiting.join(10)
    assert ended == [None]
    assert time.monotonic() - began < reading.HEARTBEAT_S
    stream.close()


class Held:
    """A record that stays as it is, for a stream that hears nothing."""

    def __init__(self, head):
        self.head, self.stopping, self.news = head, threading.Event(), self

    def wait_beyond(self, position, timeout_s):
        assert position == self.head
        assert timeout_s == reading.HEARTBEAT_S
        return self.head


def test_silence_is_filled_with_comments():
    """So that neither proxies nor readers take it for the end."""
    pieces = reading.live(Held(7), 7, lambda: True)
    assert next(pieces) == b"retry: 2000\n\n"
    assert next(pieces) == next(pieces) == b": nothing new\n\n"


def test_a_stream_does_not_last_for_ever(monkeypatch):
    """Who comes back shows a token again."""
    now = [0.0]
    monkeypatch.setattr(reading.time, "monotonic", lambda: now[0])
    pieces = reading.live(Held(7), 7, lambda: True)
    next(pieces)
    next(pieces)
    now[0] = reading.LONGEST_STREAM_S
    assert list(pieces) == []


def test_a_silent_stream_ends_with_the_heartbeat_after_its_token_is_revoked(monkeypatch):
    now, may = [0.0], [True]
    monkeypatch.setattr(reading.time, "monotonic", lambda: now[0])
    pieces = reading.live(Held(7), 7, lambda: may[0])
    next(pieces)
    for _ in range(3):
        now[0] += reading.HEARTBEAT_S
        assert next(pieces) == b": nothing new\n\n"
    may[0] = False
    now[0] += reading.HEARTBEAT_S
    assert list(pieces) == []


def test_who_is_revoked_hears_no_more(server, open_stream):
    """A revocation is an event, so even a silent stream hears of its own."""
    client = server.client("auditor")
    client.token = server.token("auditor", name="listener")
    stream = open_stream(client=client)
    position = server.client("pipeline").append(deployed("s"))["position"]
    assert stream.next()["id"] == str(position)
    time.sleep(reading.CHECKED_EVERY_S)
    server.revoke("listener")
    assert stream.next() is None
