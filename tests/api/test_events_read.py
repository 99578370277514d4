"""GET /v1/events and GET /v1/events/{position}, on a real server."""

import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from ledger.values import rfc3339

NDJSON = {"Accept": "application/x-ndjson"}


def name(kind="s"):
    return f"{kind}-{uuid.uuid4().hex[:12]}"


def deployed(service, version="1.4.2", time="2026-11-22T21:00:00Z", environment="production"):
    data = {"deployment_id": name("d"), "service": service, "environment": environment, "version": version}
    return {
        "id": name("run"),
        "source": "https://ci.example",
        "type": "deployment.succeeded",
        "time": time,
        "data": data,
    }


@pytest.fixture(scope="module")
def reader(server):
    return server.client("auditor")


@pytest.fixture(scope="module")
def history(server):
    """The positions of a small story, and the names in it."""
    service, incident = name(), name("inc")
    responder = server.client("responder")
    approval = {"service": service, "environment": "production", "version": "2", "incident": incident}
    receipts = responder.append(
        deployed(service, "1", "2026-01-01T00:00:00Z"),
        deployed(service, "2", "2026-01-02T00:00:00+01:00"),
        deployed(service, "2", "2026-01-03T00:00:00Z", environment="staging"),
        {"type": "release.approved", "time": "2026-01-04T00:00:00Z", "data": approval},
        {
            "type": "incident.detected",
            "time": "2026-01-05T00:00:00Z",
            "data": {"incident": incident, "title": "down"},
        },
    )["receipts"]
    return {"service": service, "incident": incident, "positions": [each["position"] for each in receipts]}


def positions(client, history, **query):
    """Which of the story's events are found, counted from 0."""
    answer = client.get("/v1/events", at_least=history["positions"][-1], limit=1000, **query)
    assert answer.status == 200, answer.body
    found = [each["sequence"] for each in answer.json()["items"]]
    assert found == sorted(found)
    return [history["positions"].index(each) for each in found if each in history["positions"]]


# Filters


def test_events_are_found_by_what_they_are_about(reader, history):
    service, incident = history["service"], history["incident"]
    assert positions(reader, history, service=service) == [0, 1, 2, 3]
    assert positions(reader, history, service=service, environment="staging") == [2]
    assert positions(reader, history, service=service, version="2") == [1, 2, 3]
    assert positions(reader, history, service=service, type="release.approved") == [3]
    assert positions(reader, history, incident=incident) == [3, 4]
    assert positions(reader, history, service=service + "x") == []


def test_events_are_found_by_who_submitted_them(reader, history):
    actor = reader.get(f"/v1/events/{history['positions'][0]}").json()["authid"]
    assert positions(reader, history, actor=actor, service=history["service"]) == [0, 1, 2, 3]
    assert positions(reader, history, actor="p-nobody") == []


def test_a_time_window_takes_its_beginning_in_and_leaves_its_end_out(reader, history):
    """Instants are compared, never text."""
    service = history["service"]
    assert positions(reader, history, service=service, since="2026-01-01T23:00:00Z") == [1, 2, 3]
    assert positions(reader, history, service=service, until="2026-01-03T01:00:00+01:00") == [0, 1]
    assert positions(reader, history, service=service, since="2026-01-03T00:00:00Z", until="2026-01-04T00:00:00Z") == [
        2
    ]


def test_a_plus_sign_that_was_not_encoded_is_understood(reader, history):
    """In a query string it means a blank, and in a time there is none."""
    answer = reader.get(f"/v1/events?service={history['service']}&since=2026-01-02T00:00:00+01:00&limit=9")
    assert [each["sequence"] for each in answer.json()["items"]] == history["positions"][1:4]


@pytest.mark.parametrize(
    "query",
    [
        "type=deployment.exploded",
        "service=",
        "since=yesterday",
        "since=2026-01-01",
        "until=2026-01-01T00:00:00",
        "after=-1",
        "after=x",
        "after=1.5",
        "limit=0",
        "limit=1001",
        "limit=ten",
        "colour=blue",
        "service=a&service=b",
        "at_least=x",
        "known_at=x",
        "as_of=x",
    ],
)
def test_a_question_that_is_not_understood_is_refused_not_bent(reader, query):
    answer = reader.get("/v1/events?" + query)
    assert answer.status == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/" + query.split("=")[0]]


# Pages


def test_pages_follow_each_other_without_a_gap(reader, history):
    """`next` goes back in as `after`, and so does the link of RFC 8288, with the same filters."""
    path, query, found = (
        "/v1/events",
        {"service": history["service"], "limit": 3, "at_least": history["positions"][-1]},
        [],
    )
    for expected in (3, 1):
        answer = reader.get(path, **query)
        items = answer.json()["items"]
        assert len(items) == expected
        found += [each["sequence"] for each in items]
        if answer.json()["next"] is not None:
            (target,) = re.findall(r'<([^>]*)>; rel="next"', answer.headers["Link"])
            query = {each: values[0] for each, values in parse_qs(urlsplit(target).query).items()}
            assert query.pop("after") == str(answer.json()["next"]) == str(items[-1]["sequence"])
            query["after"] = items[-1]["sequence"]
    assert found == history["positions"][:4]
    assert answer.json()["next"] is None
    assert answer.headers["Link"] is None


def test_without_filters_events_come_straight_from_the_record(reader, history):
    first, last = history["positions"][0], history["positions"][-1]
    answer = reader.get("/v1/events", after=first - 1, limit=5).json()
    assert [each["sequence"] for each in answer["items"]] == list(range(first, last + 1))


def test_as_lines_the_same_events_come_one_a_line(reader, history):
    """All of them where no limit is given."""
    first, last = history["positions"][0], history["positions"][-1]
    page = reader.get("/v1/events", after=first - 1, limit=5).json()["items"]
    answer = reader.get("/v1/events", NDJSON, after=first - 1, known_at=last)
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert answer.lines() == page
    assert answer.body.endswith(b"}\n")
    some = reader.get("/v1/events", NDJSON, after=first - 1, limit=2)
    assert some.lines() == page[:2]
    assert f"after={first + 1}" in some.headers["Link"]
    assert reader.get("/v1/events", NDJSON, after=last, known_at=last).body == b""


def test_more_than_a_portion_is_streamed_whole(server, reader):
    service = name()
    receipts = server.client("pipeline").append(*(deployed(service) for _ in range(2_300)))
    last = receipts["last"]
    found = reader.get("/v1/events", NDJSON, service=service, at_least=last).lines()
    assert [each["sequence"] for each in found] == list(range(receipts["first"], last + 1))


# Moments


def test_known_at_is_a_prefix_of_the_record(reader, history):
    """A position, or the time of it."""
    third = history["positions"][2]
    assert positions(reader, history, service=history["service"], known_at=third) == [0, 1, 2]
    before = reader.get(f"/v1/events/{history['positions'][0]}").json()["recordedtime"]
    earlier = rfc3339(datetime.fromisoformat(before) - timedelta(microseconds=1))
    assert positions(reader, history, service=history["service"], known_at=earlier) == []


def test_as_of_leaves_out_what_had_not_happened_by_then(reader, history):
    """The earlier of an event's two times counts: these were all recorded long after."""
    service = history["service"]
    assert positions(reader, history, service=service, as_of="2026-01-02T12:00:00Z") == [0, 1]
    assert positions(reader, history, as_of="2026-01-03T12:00:00Z") == [0, 1, 2]
    assert positions(reader, history, service=service, as_of=rfc3339(datetime.now(UTC))) == [0, 1, 2, 3]


def test_an_event_from_a_clock_ahead_counts_from_its_recording(server, reader):
    ahead = server.client("pipeline").append(deployed(name(), time="2199-01-01T00:00:00Z"))["position"]
    time.sleep(0.001)
    found = reader.get("/v1/events", after=ahead - 1, as_of=rfc3339(datetime.now(UTC)), at_least=ahead).json()
    assert ahead in [each["sequence"] for each in found["items"]]


def test_what_is_ahead_of_the_record_can_not_be_asked(reader):
    for query in ({"known_at": 10**12}, {"at_least": 10**12}, {"as_of": "2199-01-01T00:00:00Z"}):
        answer = reader.get("/v1/events", **query)
        assert (answer.status, answer.json()["type"]) == (400, "urn:lastgood:problem:out-of-range")


def test_one_reads_ones_own_writes(server):
    pipeline = server.client("pipeline")
    for _ in range(20):
        service = name()
        position = pipeline.append(deployed(service))["position"]
        found = pipeline.get("/v1/events", service=service, at_least=position).json()["items"]
        assert [each["sequence"] for each in found] == [position]


# One event


def test_an_event_is_read_as_it_was_recorded(server, reader):
    """With what only the ledger knows, and every attribute on top that was sent."""
    event = deployed(name()) | {
        "traceparent": "00-ab-cd-01",
        "subject": "payments",
        "correlationid": "c-1",
        "retries": 3,
    }
    receipt = server.client("pipeline").append(event)
    found = reader.get(f"/v1/events/{receipt['position']}").json()
    assert {each: found[each] for each in event} == event
    assert found["specversion"] == "1.0"
    assert found["sequence"] == receipt["position"]
    assert {each: found[each] for each in ("stream", "revision", "recordedtime")} == {
        each: receipt[each] for each in ("stream", "revision", "recordedtime")
    }
    assert found["dataschema"] == "urn:lastgood:event:deployment.succeeded:1"


def test_an_answer_that_is_known_already_is_not_sent_again(reader, history):
    for path in (f"/v1/events/{history['positions'][0]}", f"/v1/events?after={history['positions'][0]}&limit=2"):
        first = reader.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = reader.get(path, {"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert reader.get(path, {"If-None-Match": '"other"'}).status == 200


def test_a_redaction_changes_the_etag(server, reader):
    """The one thing about an event that can change is that its words are gone."""
    service = name()
    approval = {"service": service, "environment": "e", "version": "v", "reason": "as Ada said"}
    position = server.client("responder").append({"type": "release.approved", "data": approval})["position"]
    before = reader.get(f"/v1/events/{position}")
    redaction = {"position": position, "fields": ["reason"], "reason": "a name", "authority": "DPO"}
    server.client("admin").append({"type": "record.redacted", "data": redaction})
    after = reader.get(f"/v1/events/{position}", {"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert after.json()["data"]["reason"] == "[redacted]"


def test_the_media_type_is_negotiated(reader, history):
    path = f"/v1/events/{history['positions'][0]}"
    for accept, answered in [
        ("application/cloudevents+json", "application/cloudevents+json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html, application/*;q=0.8", "application/json"),
    ]:
        assert reader.get(path, {"Accept": accept}).headers["Content-Type"] == answered
    for each in (path, "/v1/events"):
        assert reader.get(each, {"Accept": "text/html"}).status == 406


@pytest.mark.parametrize("position", ["0", "999999999999", "9" * 100])
def test_a_position_that_is_not_recorded_is_not_found(reader, position):
    answer = reader.get(f"/v1/events/{position}")
    assert (answer.status, answer.json()["type"]) == (404, "urn:lastgood:problem:not-recorded")


def test_nothing_is_read_without_a_token(server):
    for path in ("/v1/events", "/v1/events/1", "/v1/events/stream"):
        assert server.client(None).get(path).status == 401


@pytest.mark.parametrize("end", ["", "/proof"])
def test_an_event_and_its_proof_are_read_at_a_moment_as_everything_is(server, reader, history, end):
    """It is there from when it was known, and from when it counts; what is ahead is refused as everywhere."""
    first, second = history["positions"][:2]
    path = f"/v1/events/{second}{end}"
    server.client().post("/v1/events", deployed(name()), wait="sealed")
    for query, status in (
        ({"known_at": second}, 200),
        ({"known_at": first}, 404),
        ({"as_of": "2026-01-01T22:59:59Z"}, 404),
        ({"as_of": "2026-01-01T23:00:00Z"}, 200),
        ({"at_least": second}, 200),
        ({"at_least": 10**12}, 400),
        ({"known_at": 10**12}, 400),
        ({"as_of": "2026-01-01T23:00:00"}, 422),
        ({"limit": 1}, 422),
    ):
        answer = reader.get(path, **query)
        assert answer.status == status, (query, answer.body)
    assert "not so yet" in reader.get(path, as_of="2026-01-01T00:00:00Z").json()["detail"]
