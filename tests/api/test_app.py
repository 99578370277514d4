"""The application around its views: headers, bounds, request ids, logs, live streams."""

import io
import json
import logging
import re

import pytest

from api import logs
from api.access import LOCAL_ADMIN
from api.app import create_app
from api.body import LARGEST_BODY
from api.config import Settings


@pytest.fixture
def make_app(tmp_path):
    made = []

    def make(**settings):
        app = create_app(Settings(data=tmp_path / "data", **settings))
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["lastgood"].close()


@pytest.fixture
def app(make_app):
    return make_app()


def bearer(app, *roles):
    text, _ = app.extensions["lastgood"].tokens.create("someone", roles or ["responder"], LOCAL_ADMIN)
    return {"Authorization": f"Bearer {text}"}


PAGES = ["/healthz", "/readyz", "/openapi.json", "/docs", "/v1/slots", "/no/such/path"]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_bears_the_headers_that_keep_a_browser_safe(app, path):
    """Errors too: what is refused can still be shown in a browser."""
    headers = app.test_client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy


@pytest.mark.parametrize("path", PAGES)
def test_no_page_runs_inline_scripts_or_loads_anything_from_elsewhere(app, path):
    """The policy says so, whichever the page."""
    policy = app.test_client().get(path).headers["Content-Security-Policy"]
    (script,) = re.findall(r"script-src ([^;]*)", policy) or ["'none'"]
    assert script in ("'self'", "'none'")
    assert not re.search(r"https?:|\*|unsafe-eval", policy)


@pytest.mark.parametrize("path", ["/no/such/path", "/v1/", "/v1/no"])
def test_an_unknown_path_is_a_problem_document(app, path):
    """RFC 9457, like every other error."""
    answer = app.test_client().get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 404


def test_a_method_that_a_path_does_not_take_is_a_problem_document(app):
    """405, with those that it takes."""
    answer = app.test_client().delete("/healthz")
    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]


def test_strict_transport_is_asked_for_only_over_tls(make_app):
    """Over plain HTTP the header means nothing (RFC 6797, section 7.2)."""
    plain = make_app().test_client()
    assert "Strict-Transport-Security" not in plain.get("/healthz").headers
    assert plain.get("/healthz", base_url="https://ledger.example").headers["Strict-Transport-Security"]


@pytest.mark.parametrize("proxies,believed", [(0, False), (1, True)])
def test_what_a_proxy_says_is_believed_only_where_one_is_set(make_app, proxies, believed):
    """Otherwise any client could pretend."""
    answer = make_app(proxies=proxies).test_client().get("/healthz", headers={"X-Forwarded-Proto": "https"})
    assert ("Strict-Transport-Security" in answer.headers) is believed


def test_a_request_keeps_the_id_it_came_with(app):
    """So that logs of two systems can be laid side by side."""
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": "run-8812-step-3"})
    assert answer.headers["X-Request-Id"] == "run-8812-step-3"


@pytest.mark.parametrize("given", ["", "short", "x" * 129, "with space", "<script>1"])
def test_a_request_without_a_usable_id_gets_one(app, given):
    """Nothing that could forge a line of the log is taken over."""
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_a_log_line_says_what_happened_and_no_secret(app):
    """No query, no header, no body."""
    headers, written = bearer(app), io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level
    logs.configure("json", written)
    try:
        app.test_client().get("/v1/slots?service=secret-service", headers=headers)
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    (line,) = written.getvalue().splitlines()
    told = json.loads(line)
    assert (told["method"], told["path"], told["status"]) == ("GET", "/v1/slots", 200)
    assert told["principal"].startswith("p-")
    assert told["request_id"]
    assert "secret-service" not in line
    assert headers["Authorization"].split()[1] not in line


def chunks(total):
    """A body in chunks, as a server hands it on: no length, and an end that can be trusted."""
    return {"input_stream": io.BytesIO(b" " * total), "environ_overrides": {"wsgi.input_terminated": True}}


def test_a_body_beyond_the_bound_is_refused_however_it_is_sent(app):
    """werkzeug alone cuts the second one and takes its beginning for the whole."""
    client, headers = app.test_client(), {**bearer(app), "Content-Type": "application/x-ndjson"}
    announced = client.post("/v1/events", data=b" " * (LARGEST_BODY + 1), headers=headers)
    chunked = client.post("/v1/events", headers=headers, **chunks(LARGEST_BODY + 1))
    for answer in (announced, chunked):
        assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")


def test_a_body_of_just_the_bound_is_read_whole(app):
    """However it is sent."""
    event = {"type": "service.removed", "data": {"service": "s", "environment": "e"}}
    line = json.dumps(event).encode()
    body = line + b" " * (LARGEST_BODY - len(line))
    headers = {**bearer(app), "Content-Type": "application/json"}
    terminated = {"wsgi.input_terminated": True}
    client = app.test_client()
    assert client.post("/v1/events", data=body, headers=headers).status_code == 201
    chunked = client.post("/v1/events", input_stream=io.BytesIO(body), headers=headers, environ_overrides=terminated)
    assert chunked.status_code == 201


def open_stream(app, headers, method="GET"):
    return app.test_client().open("/v1/events/stream", method=method, headers=headers, buffered=False)


def test_live_streams_take_at_most_half_of_the_threads(make_app):
    """The others stay free for those who append and decide; who is turned away is told when to try again."""
    app = make_app(threads=4)
    headers = bearer(app)
    first, second, third = (open_stream(app, headers) for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 503]
    assert third.mimetype == "application/problem+json"
    assert int(third.headers["Retry-After"]) > 0
    first.close()
    assert open_stream(app, headers).status_code == 200
    second.close()


def test_a_stream_that_is_only_asked_for_its_head_takes_no_place(make_app):
    """HEAD never reads the body, so nothing else would give the place back."""
    app = make_app(threads=4)
    headers = bearer(app)
    for _ in range(5):
        answer = open_stream(app, headers, "HEAD")
        assert answer.status_code == 200
        answer.close()
    assert open_stream(app, headers).status_code == 200


def test_streams_end_when_the_server_stops(app):
    """A stop waits for nobody who only listens."""
    stream = open_stream(app, bearer(app))
    app.extensions["lastgood"].stop_waiting()
    assert b"".join(stream.response)
