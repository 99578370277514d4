"""POST /v1/events, on a real server."""

import gzip
import importlib.util
import json
import pathlib
import uuid
from itertools import islice

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.json_schema import OFFERED
from ledger.contract import Items, members
from ledger.events import ADMIN_DECISION, EVENTS
from ledger.values import Digest, Sha256
from tests import strategies
from tests.server import Client

SHARED = pathlib.Path(__file__).parents[2] / "../shared"
NDJSON = {"Content-Type": "application/x-ndjson"}


def name(kind="s"):
    return f"{kind}-{uuid.uuid4().hex[:12]}"


def deployed(service, version="1.4.2", **envelope):
    data = {"deployment_id": name("d"), "service": service, "environment": "production", "version": version}
    return {"id": name("run"), "source": "https://ci.example", "type": "deployment.succeeded", **envelope, "data": data}


def lines(*events):
    return b"\n".join(json.dumps(each).encode() for each in events)


@pytest.fixture(scope="module")
def pipeline(server):
    return server.client("pipeline")


# One event


def test_an_event_is_answered_with_its_receipt(pipeline):
    """It is durable then, and is read where Location says."""
    service = name()
    event = deployed(service)
    answer = pipeline.post("/v1/events", event)
    receipt = answer.json()
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == f"/v1/events/{receipt['position']}"
    assert receipt == {
        "id": event["id"],
        "source": event["source"],
        "position": receipt["position"],
        "recordedtime": receipt["recordedtime"],
        "stream": f"slot/{service}/production",
        "revision": 1,
        "duplicate": False,
        "warnings": [],
    }
    found = pipeline.get(answer.headers["Location"]).json()
    assert (found["sequence"], found["recordedtime"], found["data"]) == (
        receipt["position"],
        receipt["recordedtime"],
        event["data"],
    )


def test_the_same_again_is_answered_with_the_first_receipt(pipeline):
    """Whether or not the defaults are spelt out, and in whichever form."""
    event = deployed(name())
    first = pipeline.post("/v1/events", event).json()
    for again in (
        pipeline.post("/v1/events", event),
        pipeline.post("/v1/events", {**event, "specversion": "1.0"}, {"Content-Type": "application/cloudevents+json"}),
        pipeline.post(
            "/v1/events", event["data"], {"ce-id": event["id"], "ce-source": event["source"], "ce-type": event["type"]}
        ),
    ):
        assert again.status == 200
        assert again.json() == first | {"duplicate": True}


def test_the_same_id_with_other_content_is_a_conflict(pipeline):
    event = deployed(name())
    position = pipeline.append(event)["position"]
    answer = pipeline.post("/v1/events", {**event, "subject": "other"})
    assert (answer.status, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["type"] == "urn:lastgood:problem:id-taken"
    assert answer.json()["position"] == position


def test_what_is_not_said_is_filled_in(server, pipeline):
    """id: a UUIDv7; source: the principal; time: the moment of recording; the submitter: from the credential."""
    data = deployed(name())["data"]
    receipt = pipeline.append({"type": "deployment.succeeded", "data": data})
    found = pipeline.get(f"/v1/events/{receipt['position']}").json()
    assert uuid.UUID(found["id"]).version == 7
    assert found["source"] == found["authid"] != "a-pipeline"
    assert found["time"] == found["recordedtime"]
    assert found["authtype"] == "service_account"


def test_a_warning_does_not_stand_in_the_way(pipeline):
    """Unless it is asked to: then nothing is stored."""
    service = name()
    event = {
        "type": "rollback.succeeded",
        "data": {"rollback_id": name("r"), "service": service, "environment": "production", "to_version": "1"},
    }
    refused = pipeline.post("/v1/events", event, strict="true")
    assert (refused.status, refused.json()["type"]) == (409, "urn:lastgood:problem:unwelcome")
    assert refused.json()["warnings"]
    receipt = pipeline.append(event)
    assert receipt["revision"] == 1
    assert [each["code"] for each in receipt["warnings"]] == ["rollback_without_decision"]


# Conditions


def test_an_event_can_be_appended_at_an_expected_revision(pipeline):
    service = name()
    assert pipeline.post("/v1/events", deployed(service), {"If-Match": '"0"'}).status == 201
    stale = pipeline.post("/v1/events", deployed(service), {"If-Match": '"0"'})
    assert stale.status == 412
    assert stale.json()["type"] == "urn:lastgood:problem:stale-revision"
    assert (stale.json()["stream"], stale.json()["revision"]) == (f"slot/{service}/production", 1)
    assert pipeline.post("/v1/events", deployed(service), {"If-Match": '"1"'}).json()["revision"] == 2


@pytest.mark.parametrize("etag", ["1", 'W/"1"', "*", '"x"', '"-1"', '"01"', '"1", "2"', '""', '"' + "9" * 30 + '"'])
def test_a_condition_that_can_not_be_heeded_is_refused(pipeline, etag):
    """Passing it over would append unconditionally."""
    assert pipeline.post("/v1/events", deployed(name()), {"If-Match": etag}).status == 400


def test_a_condition_goes_with_a_single_event(pipeline):
    """A stream is one entity's, and events of a batch are of many."""
    event = deployed(name())
    assert pipeline.post("/v1/events", [event], {"If-Match": '"0"'}).status == 400
    assert pipeline.post("/v1/events", lines(event), NDJSON | {"If-Match": '"0"'}).status == 400
    assert pipeline.post("/v1/events", event, {"If-Match": '"0"'}, each="true").status == 400


@pytest.mark.parametrize(
    "query", ["?wait=stored", "?eachh=true", "?each=yes", "?each=", "?strict=1", "?each=true&each=true"]
)
def test_a_parameter_that_is_not_understood_is_refused(pipeline, query):
    """Had `strict` been dropped, what should have been refused would be on record for ever."""
    answer = pipeline.post("/v1/events" + query, deployed(name()))
    assert answer.status == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/" + query[1:].split("=")[0]]


# Many


def test_many_events_are_recorded_in_order_next_to_each_other(pipeline):
    service = name()
    events = [deployed(service, str(number)) for number in range(5)]
    answer = pipeline.post("/v1/events", lines(*events), NDJSON)
    found = answer.json()
    assert answer.status == 201
    assert (found["count"], found["duplicates"], found["last"] - found["first"]) == (5, 0, 4)
    assert [each["position"] for each in found["receipts"]] == list(range(found["first"], found["last"] + 1))
    assert [each["revision"] for each in found["receipts"]] == [1, 2, 3, 4, 5]
    again = pipeline.post("/v1/events", lines(*events), NDJSON)
    assert again.status == 200
    assert {**again.json(), "receipts": []} == {
        "first": None,
        "last": None,
        "count": 5,
        "duplicates": 5,
        "receipts": [],
    }
    assert [each["position"] for each in again.json()["receipts"]] == [each["position"] for each in found["receipts"]]


def test_first_and_last_are_of_what_was_new(pipeline):
    known, fresh = deployed(name()), deployed(name())
    pipeline.append(known)
    found = pipeline.post("/v1/events", [known, fresh, fresh]).json()
    assert (found["first"], found["count"], found["duplicates"]) == (found["last"], 3, 2)
    assert found["receipts"][1]["position"] == found["first"]


def test_receipts_can_be_left_out(pipeline):
    """RFC 7240."""
    answer = pipeline.post("/v1/events", [deployed(name())], {"Prefer": "return=minimal"})
    assert answer.json().keys() == {"first", "last", "count", "duplicates"}
    assert answer.headers["Preference-Applied"] == "return=minimal"


def test_an_empty_batch_says_so(pipeline):
    for content_type in ("application/x-ndjson", "application/cloudevents-batch+json"):
        body = b"[]" if content_type.endswith("json") and "batch" in content_type else b"\n"
        answer = pipeline.post("/v1/events", body, {"Content-Type": content_type})
        assert answer.status == 200
        assert answer.json() == {"first": None, "last": None, "count": 0, "duplicates": 0, "receipts": []}


def test_a_batch_is_all_or_nothing_and_every_fault_has_its_line(pipeline):
    service = name()
    good, bad = deployed(service), {"type": "deployment.succeeded", "data": {"service": service}}
    answer = pipeline.post(
        "/v1/events", b"\n".join([lines(good), b"", lines(bad, good, {"type": "x", "data": {}})]), NDJSON
    )
    assert answer.status == 422
    assert {(each["line"], each["pointer"]) for each in answer.json()["errors"]} == {
        (3, "/data/deployment_id"),
        (3, "/data/environment"),
        (3, "/data/version"),
        (5, "/type"),
    }
    assert pipeline.post("/v1/events", good, {"If-Match": '"0"'}).status == 201


def test_a_refusal_that_is_found_late_has_its_line_too(server):
    """That a position is not recorded is known only under the lock; blank lines count."""
    admin = server.client("responder")
    retracted = {"type": "record.retracted", "data": {"position": 10**12, "reason": "wrong"}}
    answer = admin.post("/v1/events", b"\n\n" + lines(deployed(name())) + b"\n\n" + lines(retracted), NDJSON)
    assert answer.status == 422
    assert [(each["line"], each["pointer"]) for each in answer.json()["errors"]] == [(5, "/data/position")]


def test_one_who_may_not_gets_nothing_recorded(server, pipeline):
    """A pipeline executes, it does not decide; the line tells which event was refused."""
    service = name()
    approved = {"type": "release.approved", "data": {"service": service, "environment": "production", "version": "1"}}
    answer = pipeline.post("/v1/events", lines(deployed(service), approved), NDJSON)
    assert (answer.status, answer.json()["line"]) == (403, 2)
    assert server.client("responder").post("/v1/events", approved, {"If-Match": '"0"'}).status == 201


def test_bounds_are_kept_for_each_event(server):
    service = name()
    bound = Client(server.url, server.token("pipeline", services=[service]))
    assert bound.post("/v1/events", deployed(service)).status == 201
    assert bound.post("/v1/events", deployed(name())).status == 403


# Each by itself


def test_each_event_can_have_an_outcome_of_its_own(pipeline):
    service = name()
    good, late = deployed(service), deployed(service)
    approved = {"type": "release.approved", "data": {"service": service, "environment": "production", "version": "1"}}
    body = b"\n".join([lines(good), b"{", lines(good, {**good, "subject": "x"}, approved, {"type": "x"}, late)])
    answer = pipeline.post("/v1/events", body, NDJSON, each="true")
    items = answer.json()["items"]
    assert answer.status == 207
    assert [each.get("status") for each in items] == [None, 400, None, 409, 403, 422, None]
    assert [each.get("duplicate") for each in items] == [False, None, True, None, None, None, False]
    assert items[1]["errors"][0]["line"] == 2
    assert items[5]["errors"][0]["line"] == 6
    assert items[6]["revision"] == 2


def test_outcomes_that_are_all_receipts_are_201_or_200(pipeline):
    events = [deployed(name()) for _ in range(3)]
    assert pipeline.post("/v1/events", events, each="true").status == 201
    again = pipeline.post("/v1/events", events, each="true")
    assert again.status == 200
    assert [each["duplicate"] for each in again.json()["items"]] == [True] * 3


def test_a_member_named_twice_spoils_only_its_own_event(pipeline):
    good = json.dumps(deployed(name())).encode()
    answer = pipeline.post("/v1/events", b"[" + good + b', {"type": "a", "type": "b"}]', each="true")
    assert [each.get("status") for each in answer.json()["items"]] == [None, 422]


# What is refused as a whole


def test_without_a_token_nothing_is_looked_at(server):
    answer = server.client(None).post("/v1/events", b"{", {"Content-Type": "text/plain"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_auditor_appends_nothing(server):
    assert server.client("auditor").post("/v1/events", deployed(name())).status == 403


def test_the_statuses_of_what_is_wrong(pipeline):
    """Malformed JSON: 400. Another media type: 415. What breaks a rule: 422. Too much: 413."""
    for status, body, content_type in [
        (400, b"{", "application/json"),
        (400, b'{"type": NaN}', "application/json"),
        (415, b"<event/>", "application/xml"),
        (422, b'{"type": "x", "type": "y"}', "application/json"),
        (422, b"[[]]", "application/json"),
        (413, b"{}\n" * 10_001, "application/x-ndjson"),
        (413, b" " * (16 * 2**20 + 1), "application/json"),
    ]:
        answer = pipeline.post("/v1/events", body, {"Content-Type": content_type})
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), content_type
        assert answer.json()["status"] == status


def test_what_is_too_large_is_told_before_anything_is_stored(pipeline):
    """A member above its size, and a leaf above what the log takes, are 413."""
    note = {"type": "incident.note_added", "data": {"incident": name("i"), "text": "x" * (2**20 + 1)}}
    wide = deployed(name())
    wide["data"]["targets"] = ["t" * 2000] * 40
    for event, pointer in ((note, "/data/text"), (wide, "/data")):
        answer = pipeline.post("/v1/events", event)
        assert answer.status == 413
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_what_the_ledger_writes_itself_is_not_taken(server):
    granted = {"type": "access.granted", "data": {"subject": "p-me", "roles": ["admin"]}}
    for role in ("pipeline", "relay", "responder", "admin"):
        assert server.client(role).post("/v1/events", granted).status == 403


# Every type


def normal(rule, value):
    """What is kept of a value: digests are lower-cased; what is optional and empty is left out."""
    if isinstance(rule, (Digest, Sha256)):
        return value.lower()
    if isinstance(rule, Items) and hasattr(rule.rule, "cls"):
        return [kept(rule.rule.cls, each) for each in value]
    return value


def kept(cls, data):
    known = members(cls)
    return {
        each: normal(known[each].rule, value)
        for each, value in data.items()
        if known[each].required or (value is not None and (value != [] or not isinstance(known[each].rule, Items)))
    }


@pytest.fixture(scope="module")
def everyone(server):
    """Who may record each kind of event: one that decides also configures and redacts."""
    return Client(server.url, server.token("responder", "admin"))


@pytest.mark.parametrize("topic", OFFERED)
@settings(
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(draw=st.data())
def test_every_event_of_the_catalogue_is_taken_and_read_back(everyone, topic, draw):
    """Whatever its members hold, it comes back as it was sent."""
    cls = EVENTS[topic]
    data = draw.draw(strategies.data(cls))
    if cls.STREAM[0] == "record":
        data = about_something_recorded(everyone, topic, data)
    answer = everyone.post("/v1/events", {"type": topic, "data": data})
    assert answer.status == 201, answer.body
    found = everyone.get(f"/v1/events/{answer.json()['position']}").json()
    assert found["type"] == topic
    read = {each: value for each, value in found["data"].items() if each not in cls.LEDGER_SETS}
    if cls.WHO is ADMIN_DECISION or "decided_by" not in data:
        read.pop("decided_by", None)
    if topic == "rollback.decided":
        read = {each: value for each, value in read.items() if each in data}
    assert read == {each: value for each, value in kept(cls, data).items() if each in read or each != "decided_by"}


def about_something_recorded(client, topic, data):
    """Events about the record name what is in it."""
    target = {
        "type": "release.approved",
        "data": {"service": name(), "environment": "e", "version": "v", "reason": "r"},
    }
    position = client.append(target)["position"]
    fixed = {"position": position} if "position" in members(EVENTS[topic]) else {"positions": [position]}
    if topic == "record.corrected":
        fixed |= {"field": "version", "value": "v2"}
    if topic == "record.redacted":
        fixed |= {"fields": ["reason"]}
    return data | fixed


# Real histories


@pytest.mark.skipif(not SHARED.exists(), reason="the real histories lie in ../shared, not here")
def test_a_real_history_is_taken_in_one_request_and_read_back(fresh_server):
    """The first 2,000 deployments of an organisation; sent again, all of them are duplicates."""
    spec = importlib.util.spec_from_file_location("history_to_events", SHARED / "tools" / "history_to_events.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    part = SHARED / "data" / "govuk-20k" / "deployments.part1.ndjson.gz"
    with gzip.open(part):
        events = list(islice(module.deployments([str(part)]), 2_000))
    pipeline = fresh_server.client("pipeline")
    answer = pipeline.post("/v1/events", lines(*events), NDJSON | {"Prefer": "return=minimal"})
    assert (answer.status, answer.json()["count"], answer.json()["duplicates"]) == (201, 2_000, 0)
    assert pipeline.post("/v1/events", lines(*events), NDJSON).status == 200
    after = answer.json()["first"] - 1
    found = pipeline.get("/v1/events", {"Accept": "application/x-ndjson"}, after=after).lines()
    assert [{each: got[each] for each in sent} for got, sent in zip(found, events, strict=True)] == events
