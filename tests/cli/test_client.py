"""The HTTP client against a server that breaks its promises."""

import socket

import pytest

from api.cli.client import Client
from api.cli.exits import Conflict, Exit, Invalid, NotAllowed, Unreachable
from tests.cli.faulty import Answer


class Clock:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(faulty, clock):
    client = Client(faulty.url, "secret", 30.0, clock.pause, clock)
    yield client
    client.close()


def test_one_connection_carries_many_requests(client, faulty):
    """Keep-alive: a batch does not pay for a handshake."""
    for _ in range(3):
        client.get("/v1/slots")
    assert len({each.connection for each in faulty.asked}) == 1


def test_the_token_goes_as_a_bearer_and_the_query_is_encoded(client, faulty):
    """Names may hold anything; absent parameters are left out, lists repeat."""
    client.get("/v1/slot", {"service": "a/b c&d", "environment": None, "x": ("1", "2")})
    assert faulty.asked[0].path == "/v1/slot?service=a%2Fb+c%26d&x=1&x=2"
    assert faulty.asked[0].headers["Authorization"] == "Bearer secret"


def test_a_path_in_the_address_is_kept(faulty):
    """A ledger may live below a path of a shared host."""
    client = Client(f"{faulty.url}/ledger/")
    client.get("/v1/slots")
    client.close()
    assert faulty.asked[0].path == "/ledger/v1/slots"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_failure_that_passes_is_tried_again(client, faulty, status):
    """The second answer counts."""
    faulty.answers = [Answer(status), Answer(200, {"ok": True})]
    assert client.get("/v1/slots") == {"ok": True}
    assert len(faulty.asked) == 2


def test_retry_after_is_obeyed(client, faulty, clock):
    """Seconds as the server says, where that is longer than our own pause."""
    faulty.answers = [Answer(429, headers={"Retry-After": "7"}), Answer(200, {"ok": True})]
    client.get("/v1/slots")
    assert clock.pauses == [7.0]


def test_a_retry_after_beyond_the_timeout_is_not_waited_for(client, faulty, clock):
    """A pipeline is told at once rather than after half a minute."""
    faulty.answers = [Answer(429, {"title": "Too many"}, {"Retry-After": "3600"})]
    with pytest.raises(Unreachable, match="Too many"):
        client.get("/v1/slots")
    assert clock.pauses == []


def test_pauses_grow_and_end(client, faulty, clock):
    """No storm on a server that is down, and no waiting for ever."""
    faulty.answers = [Answer(503, {"title": "Starting"})]
    with pytest.raises(Unreachable, match="Starting") as caught:
        client.post("/v1/events", b"{}", "application/json")
    assert caught.value.exit_code == Exit.UNREACHABLE
    assert clock.pauses == sorted(clock.pauses)
    assert len(faulty.asked) == len(clock.pauses) + 1 == 6


def test_a_dropped_connection_is_tried_again_with_the_same_body(client, faulty):
    """The reply was lost; the event has its id, so it may be sent twice."""
    faulty.answers = [Answer(drop=True), Answer(201, {"position": 1})]
    assert client.post("/v1/events", b'{"id":"1"}', "application/json") == {"position": 1}
    assert [each.body for each in faulty.asked] == [b'{"id":"1"}'] * 2


def test_a_kept_connection_that_the_server_closed_costs_no_pause(client, faulty, clock):
    """Servers close idle connections; that is no failure."""
    faulty.answers = [Answer(200, {}, close=True), Answer(200, {"ok": True})]
    client.get("/v1/slots")
    assert client.get("/v1/slots") == {"ok": True}
    assert clock.pauses == []


def test_a_reader_is_told_at_once_that_nobody_listens(clock):
    """A person at a terminal does not wait out the retries of a pipeline."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unreachable, match="Connection refused"):
        Client(url, None, 30.0, clock.pause, clock).get("/v1/slots")
    assert clock.pauses == []
    with pytest.raises(Unreachable):
        Client(url, None, 30.0, clock.pause, clock).post("/v1/events", b"", "application/json")
    assert len(clock.pauses) == 5


def test_a_silent_server_is_given_up_on():
    """A server that accepts and never answers must not hold a pipeline."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)
        with pytest.raises(Unreachable, match="too long"):
            client.get("/v1/slots")
        client.close()


@pytest.mark.parametrize(
    "status,error,code",
    [
        (400, Invalid, 3),
        (404, Invalid, 3),
        (413, Invalid, 3),
        (422, Invalid, 3),
        (401, NotAllowed, 4),
        (403, NotAllowed, 4),
        (409, Conflict, 5),
        (412, Conflict, 5),
        (500, Unreachable, 7),
    ],
)
def test_a_problem_becomes_its_exit_code_with_the_ledgers_words(client, faulty, status, error, code):
    """The table of exit codes; title and detail are said, and a next step named."""
    faulty.answers = [Answer(status, {"title": "No good", "detail": "the reason", "status": status})]
    with pytest.raises(error, match="No good: the reason") as caught:
        client.get("/v1/slots")
    assert (caught.value.exit_code, caught.value.status) == (code, status)
    assert caught.value.advice
    assert len(faulty.asked) == 1


def test_every_fault_of_a_batch_is_told_with_its_line(client, faulty):
    """RFC 9457's errors, one a line, the first twenty of them."""
    errors = [{"pointer": "/data/version", "detail": "is required", "line": line} for line in range(1, 31)]
    detail = "/data/version is required; /data/version is required; /data/version is required"
    faulty.answers = [Answer(422, {"title": "Invalid", "detail": detail, "status": 422, "errors": errors})]
    with pytest.raises(Invalid) as caught:
        client.post("/v1/events", b"{}", "application/x-ndjson")
    assert caught.value.message.count("/data/version is required") == 20
    assert "line 20: /data/version is required" in caught.value.message
    assert "and 10 more" in caught.value.message


@pytest.mark.parametrize("status", [200, 302, 404])
def test_what_answers_but_is_no_ledger_is_out_of_reach(client, faulty, status):
    """A sign-in page of some proxy is not an answer."""
    faulty.answers = [Answer(status, b"<html>sign in</html>", {"Content-Type": "text/html"})]
    with pytest.raises(Unreachable, match="no ledger"):
        client.get("/v1/slots")


def test_what_is_not_even_http_is_out_of_reach(clock):
    """Another protocol on the port."""
    import threading

    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            connection, _ = other.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        client = Client(f"http://127.0.0.1:{other.getsockname()[1]}", None, 0.05, clock.pause, clock)
        with pytest.raises(Unreachable, match="not HTTP"):
            client.get("/v1/slots")
        thread.join()
        client.close()


def test_a_refusal_before_the_whole_body_was_read_is_heard(clock):
    """A server that knows from the headers that it will not take fifteen MiB says so and hangs up."""
    import threading

    with socket.create_server(("127.0.0.1", 0)) as hasty:

        def refuse() -> None:
            connection, _ = hasty.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                connection.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=refuse)
        thread.start()
        client = Client(f"http://127.0.0.1:{hasty.getsockname()[1]}", "unknown", 5.0, clock.pause, clock)
        with pytest.raises(NotAllowed):
            client.post("/v1/events", b"x" * (15 << 20), "application/x-ndjson")
        thread.join()
        client.close()


def test_lines_come_one_by_one(client, faulty):
    """Blank lines are no lines, and the last needs no line end."""
    faulty.answers = [Answer(200, b'{"a":1}\n\n{"b":2}', {"Content-Type": "application/x-ndjson"})]
    assert list(client.lines("/v1/events")) == [b'{"a":1}', b'{"b":2}']


def test_lines_that_end_too_early_are_an_error(client, faulty):
    """An export that was cut must not pass for a whole one."""
    faulty.answers = [Answer(200, b'{"a":1}\n{"b":', {"Content-Type": "application/x-ndjson"}, cut=100)]
    with pytest.raises(Unreachable):
        list(client.lines("/v1/events"))


def test_a_reply_that_ends_too_early_is_an_error(client, faulty):
    """Half a receipt is none."""
    faulty.answers = [Answer(200, b'{"position": 1', cut=10)]
    with pytest.raises(Unreachable):
        client.get("/v1/slots")


def test_lines_left_unread_do_not_leak_into_the_next_answer(client, faulty):
    """The connection is not used again."""
    faulty.answers = [
        Answer(200, b'{"a":1}\n' * 100_000, {"Content-Type": "application/x-ndjson"}),
        Answer(200, {"ok": True}),
    ]
    lines = client.lines("/v1/events")
    next(lines)
    lines.close()
    assert client.get("/v1/slots") == {"ok": True}
