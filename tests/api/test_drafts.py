"""Requests to drafts: every form in which an event may be sent, and what each is refused for."""

import json
import pathlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.exceptions import UnsupportedMediaType

from api import drafts
from api.strict_json import Malformed
from ledger import codec
from ledger.errors import Invalid, TooLarge
from ledger.events import MetricObserved
from tests.api.spoilt import events

SAMPLES = pathlib.Path(__file__).parents[2] / "../shared/samples/cloudevents"
DEPLOYED = {
    "type": "deployment.succeeded",
    "data": {"deployment_id": "d", "service": "s", "environment": "e", "version": "v"},
}


def sent(body, content_type="application/json", **headers):
    """What a request with this body holds; header names are written with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return drafts.read(Headers({"Content-Type": content_type, **named}), lambda: content)


def one(*args, **kwargs):
    found = sent(*args, **kwargs)
    assert found.single
    return found.drafts()[0]


def refused(*args, **kwargs):
    with pytest.raises(Invalid) as caught:
        sent(*args, **kwargs).drafts()
    return caught.value


def faults(*args, **kwargs):
    return [(each.pointer, each.line) for each in refused(*args, **kwargs).errors]


def binary(event):
    """The same event in binary mode, as the CloudEvents HTTP binding has it."""
    content_type = event.get("datacontenttype", "application/json")
    headers = {}
    for name, value in event.items():
        if name not in ("data", "datacontenttype") and value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            headers[f"ce_{name}"] = "".join(
                each if "!" <= each <= "~" and each not in '"%' else "".join(f"%{byte:02X}" for byte in each.encode())
                for each in text
            )
    return one(event["data"], content_type, **headers)


# Forms


@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json"])
@pytest.mark.parametrize("parameter", ["", "; charset=utf-8", ';charset="UTF-8"'])
def test_one_event_is_an_object(content_type, parameter):
    assert one(DEPLOYED, content_type + parameter).event.service == "s"


@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents-batch+json"])
def test_many_events_are_an_array(content_type):
    found = sent([DEPLOYED, DEPLOYED | {"id": "2"}], content_type)
    assert not found.single
    assert [(each.line, each.draft.id) for each in found.entries] == [(1, None), (2, "2")]


def test_an_array_may_be_empty():
    """As in the sample of the CloudEvents JSON format, section 4.3."""
    found = sent([], "application/cloudevents-batch+json")
    assert not found.single
    assert found.drafts() == []


def test_ndjson_is_an_event_a_line_and_blank_lines_count():
    body = b"\n".join([b"", json.dumps(DEPLOYED).encode() + b"\r", b" \t\r", json.dumps(DEPLOYED).encode()])
    assert [each.line for each in sent(body, "application/x-ndjson").entries] == [2, 4]


def test_a_line_separator_inside_a_string_does_not_end_a_line():
    """Only a line feed does; U+2028 and U+0085 are text."""
    event = json.dumps(DEPLOYED | {"source": "a\u2028b"}, ensure_ascii=False).encode()
    assert sent(event, "application/x-ndjson").drafts()[0].source == "a\u2028b"


def test_a_batch_is_no_single_event_and_the_other_way_round():
    assert faults(DEPLOYED, "application/cloudevents-batch+json") == [("", None)]
    assert faults([DEPLOYED], "application/cloudevents+json") == [("", None)]
    assert faults(b"[1]", "application/x-ndjson") == [("", 1)]


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
)
def test_other_media_types_are_not_guessed_at(content_type):
    with pytest.raises(UnsupportedMediaType):
        sent(DEPLOYED, content_type)


def test_other_json_is_taken_only_in_binary_mode():
    """Where the event's attributes say what it is."""
    with pytest.raises(UnsupportedMediaType):
        sent(DEPLOYED, "application/vnd.acme+json")
    draft = one(DEPLOYED["data"], "application/vnd.acme+json", ce_type=DEPLOYED["type"])
    assert draft.extensions == {"datacontenttype": "application/vnd.acme+json"}


# Strict JSON


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": [Infinity]}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\n"}',
        b'{"a": 01}',
        b"{} {}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1, "a": 2',
    ],
)
def test_what_is_no_json_is_malformed(body):
    assert type(refused(body)) is Malformed
    assert type(refused(body or b"{", "application/x-ndjson")) is Malformed


@pytest.mark.parametrize(
    "data, pointer",
    [
        (b'"a": 1, "a": 1', "/data/a"),
        (b'"a": {"b/c": [{}, {"d": 1, "d": 2}]}', "/data/a/b~1c/1/d"),
        (b'"a": "\\ud800"', "/data/a"),
        (b'"a": ["\\udc00\\ud800"]', "/data/a/0"),
        (b'"\\udfff": 1', "/data"),
    ],
)
def test_what_readers_would_take_differently_is_refused_where_it_is(data, pointer):
    """A member named twice, of which parsers keep the last; half a surrogate pair, which is no character."""
    body = b'{"type": "payload.received", "data": {' + data + b"}}"
    assert faults(body) == [(pointer, None)]
    assert faults(b"[" + body + b"]") == [(pointer, 1)]
    assert faults(b"\n" + body, "application/x-ndjson") == [(pointer, 2)]


def test_a_whole_pair_of_surrogates_is_a_character():
    body = b'{"type": "payload.received", "data": {"dialect": "\\ud83d\\ude80", "payload": {}}}'
    assert one(body).event.dialect == "🚀"


@pytest.mark.parametrize("digits", ["9" * 16, "9" * 400, "9" * 5000, "1e400", "1e20"])
def test_a_number_that_readers_round_is_refused(digits):
    body = b'{"type": "payload.received", "data": {"dialect": "x", "payload": %s}}' % digits.encode()
    assert type(refused(body)) is Invalid


def test_a_value_nested_too_deep_is_refused_not_a_crash():
    for depth in (66, 200, 500, 950):
        nested = "[" * depth + "]" * depth
        refused(f'{{"type": "payload.received", "data": {{"dialect": "x", "payload": {nested}}}}}'.encode())
        refused(f'{{"type": "payload.received", "data": {{"dialect": "x", "unknown": {nested}}}}}'.encode())


def test_a_byte_order_mark_is_passed_over():
    assert one(b"\xef\xbb\xbf" + json.dumps(DEPLOYED).encode()).event.service == "s"


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(drafts.MEDIA_TYPES))
def test_any_bytes_are_taken_or_refused(body, content_type):
    with suppress(Invalid):
        sent(body, content_type).drafts()


# Many at once


def test_every_faulty_event_of_a_batch_is_told_with_its_line():
    lines = [DEPLOYED, {"type": "x"}, DEPLOYED, {"type": DEPLOYED["type"], "data": {}}]
    body = b"\n".join(json.dumps(each).encode() for each in lines)
    found = faults(body, "application/x-ndjson")
    assert found[:2] == [("/data", 2), ("/type", 2)]
    assert {line for _, line in found} == {2, 4}


def test_lines_that_are_no_json_are_told_first():
    """What is no JSON is a 400; the rest is judged when all of it can be read."""
    error = refused(b'{}\n{"a":\n{}\n}', "application/x-ndjson")
    assert type(error) is Malformed
    assert [each.line for each in error.errors] == [2, 4]


def test_a_batch_has_at_most_ten_thousand_events():
    assert len(sent(b'{"type":""}\n' * 10_000, "application/x-ndjson").entries) == 10_000
    with pytest.raises(TooLarge):
        sent(b'{"type":""}\n' * 10_001, "application/x-ndjson")
    with pytest.raises(TooLarge):
        sent([1] * 10_001)


def test_the_faults_of_a_hopeless_batch_are_not_all_told():
    assert len(refused(b"{}\n" * 3_000, "application/x-ndjson").errors) == drafts.MOST_FAULTS


# What a draft says


def test_attributes_are_kept_each_in_its_place():
    draft = one(
        DEPLOYED
        | {
            "specversion": "1.0",
            "id": "i",
            "source": "s",
            "time": "2026-11-22T21:00:00+01:00",
            "subject": "payments",
            "datacontenttype": "application/json",
            "correlationid": "c",
            "causationid": "k",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "retries": 3,
            "urgent": False,
            "empty": "",
            "unset": None,
        }
    )
    assert (draft.id, draft.source, draft.time) == ("i", "s", "2026-11-22T21:00:00+01:00")
    assert (draft.correlation_id, draft.causation_id) == ("c", "k")
    assert draft.extensions == {
        "subject": "payments",
        "datacontenttype": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "retries": 3,
        "urgent": False,
        "empty": "",
    }


@pytest.mark.parametrize("source", ["urn:lastgood:plan:P-7", "urn:lastgood:demo", "urn:lastgood:"])
def test_the_sources_of_the_ledger_itself_are_its_own(source):
    """Whoever took their keys beforehand would have a plan, when it is decided, refused as a conflict."""
    event = DEPLOYED | {"source": source, "id": "a"}
    (single,), (_, second) = sent(event).entries, sent([DEPLOYED, event], "application/cloudevents-batch+json").entries
    for entry in (single, second):
        assert (entry.draft, [each.pointer for each in entry.error.errors]) == (None, ["/source"])
    with pytest.raises(Invalid, match="/source begins with urn:lastgood:"):
        binary(event)


@pytest.mark.parametrize("source", ["urn:lastgood:calendar:web", "urn:lastgoodness:x", "https://ci/urn:lastgood:plan"])
def test_other_sources_are_anybodys(source):
    """Among them those of calendars, which the command line imports."""
    assert one(DEPLOYED | {"source": source}).source == source


@settings(deadline=None)
@given(events())
def test_structured_and_binary_mode_are_twins(event):
    """Whichever way an event comes, it is the same event with the same content, and so a duplicate of itself."""
    structured, in_headers = one(event), binary(event)
    assert structured.content == in_headers.content
    assert structured.event == in_headers.event
    for name in ("id", "source", "time", "correlation_id", "causation_id"):
        assert getattr(structured, name) == getattr(in_headers, name)


@pytest.mark.parametrize(
    "header, value",
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("Euro%20%e2%82%ac", "Euro €"),
        ('"a b"', "a b"),
        (r'"say \"hi\" %E2%82%AC"', 'say "hi" €'),
        ("a%2525b", "a%25b"),
        ("100%", "100%"),
        ("caf\u00c3\u00a9", "café"),
    ],
)
def test_a_header_is_decoded_as_the_http_binding_says(header, value):
    """Section 3.1.3.2: unquoted, then percent-decoded once. Raw UTF-8 arrives as Latin-1 (PEP 3333)."""
    assert one(DEPLOYED["data"], ce_type=DEPLOYED["type"], ce_source=header).source == value


def test_a_header_that_is_no_utf8_is_refused():
    assert faults(DEPLOYED["data"], ce_type=DEPLOYED["type"], ce_source="%FF%FE") == [("/source", None)]


def test_data_is_the_body_in_binary_mode():
    assert faults(DEPLOYED["data"], ce_type=DEPLOYED["type"], ce_data="{}") == [("/data", None)]
    assert faults([], ce_type=DEPLOYED["type"]) == [("/data", None)]
    assert faults(b'{"a": 1, "a": 2}', ce_type=DEPLOYED["type"]) == [("/data/a", None)]
    assert type(refused(b"{", ce_type=DEPLOYED["type"])) is Malformed


def test_structured_mode_passes_ce_headers_over():
    """The content type decides (section 3.2)."""
    assert one(DEPLOYED, "application/cloudevents+json", ce_id="other").id is None


def test_content_leaves_out_what_says_nothing():
    """So that a client that spells out the defaults is still heard as the same."""
    spelt_out = {"specversion": "1.0", "datacontenttype": "application/json", "subject": None}
    assert one(DEPLOYED | spelt_out).content == one(DEPLOYED).content
    assert one(DEPLOYED | {"subject": "x"}).content != one(DEPLOYED).content
    assert one(DEPLOYED | {"time": "2026-11-22T21:00:00Z"}).content != one(DEPLOYED).content


def test_an_event_of_an_older_schema_is_brought_up_to_date(monkeypatch):
    """`dataschema` names the version that its data is of; what is recorded is the current one."""
    monkeypatch.setitem(codec.SCHEMA_VERSIONS, "metric.observed", 2)
    monkeypatch.setitem(
        codec.UPCASTS,
        ("metric.observed", 1),
        lambda data: {"unit": "1", **{k: v for k, v in data.items() if k != "old"}},
    )
    drafts.schemas.event_schema.cache_clear()
    old = {"name": "errors", "value": 1, "old": True}
    event = {"type": "metric.observed", "dataschema": "urn:lastgood:event:metric.observed:1", "data": old}
    try:
        for found in (one(event), sent([event, event]).drafts()[0]):
            assert found.event == MetricObserved(name="errors", value=1, unit="1")
        assert faults({**event, "dataschema": "urn:lastgood:event:metric.observed:2"}) == [
            ("/data/old", None),
            ("/data/unit", None),
        ]
    finally:
        drafts.schemas.event_schema.cache_clear()


# Samples of the CloudEvents specification


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples lie in ../shared, not here")
@pytest.mark.parametrize("number, pointers", [(1, {"/data", "/data_base64", "/datacontenttype", "/type"}), (2, {"/datacontenttype", "/type"}), (3, {"/type"}), (4, {"/type"}), (5, {"/type"}), (6, {"/data", "/data_base64", "/type"})])  # fmt: skip
def test_the_envelopes_of_the_specifications_samples_are_read(number, pointers):
    """They are of types that nobody knows here; that, and binary data, is all that is wrong with them."""
    (path,) = SAMPLES.glob(f"json-format-0{number}-*.json")
    body = path.read_bytes()
    assert {pointer for pointer, _ in faults(body, "application/cloudevents+json")} == pointers
    known = json.loads(body) | {"type": DEPLOYED["type"], "data": DEPLOYED["data"], "datacontenttype": None}
    known.pop("data_base64", None)
    draft = one(known, "application/cloudevents+json")
    assert draft.id == known["id"]
    assert draft.extensions.get("comexampleothervalue") == known.get("comexampleothervalue")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples lie in ../shared, not here")
def test_the_batches_of_the_specifications_samples_are_read():
    (batch,), (empty,) = SAMPLES.glob("json-format-07-*.json"), SAMPLES.glob("json-format-08-*.json")
    assert {line for _, line in faults(batch.read_bytes(), "application/cloudevents-batch+json")} == {1, 2}
    assert sent(empty.read_bytes(), "application/cloudevents-batch+json").drafts() == []
