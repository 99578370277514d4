"""
What the OpenAPI document says of events, beyond what the views' code tells: parameters, bodies, statuses, examples.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from marshmallow import Schema

from api.drafts import BATCH, EVENT, JSON, NDJSON
from api.moments import MomentSchema
from api.replies import EventPageSchema, OutcomesSchema, ReceiptSchema, ReceiptsSchema, RecordedEventSchema
from api.resources import Blueprint, Digits, Switch, parameter
from api.schemas import EventSchema
from ledger.events import EVENTS
from ledger.values import Choice, Text, Time, Unfit

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1_000

_Decorator = Callable[[Any], Any]

EXAMPLE = {
    "specversion": "1.0",
    "id": "run-8812-1-deploy",
    "source": "https://ci.example/payments/runs/8812",
    "type": "deployment.succeeded",
    "time": "2026-11-22T21:00:00+01:00",
    "data": {
        "deployment_id": "run-8812-1",
        "service": "payments",
        "environment": "production",
        "version": "1.5.0",
        "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
}
_RECEIPT = {
    "id": "run-8812-1-deploy",
    "source": "https://ci.example/payments/runs/8812",
    "position": 8214,
    "recordedtime": "2026-11-22T20:00:01.250000Z",
    "stream": "slot/payments/production",
    "revision": 41,
    "duplicate": False,
    "warnings": [],
}
_RECORDED = {
    **{name: each for name, each in EXAMPLE.items() if name != "data"},
    "dataschema": "urn:lastgood:event:deployment.succeeded:1",
    "recordedtime": _RECEIPT["recordedtime"],
    "sequence": 8214,
    "stream": "slot/payments/production",
    "revision": 41,
    "authtype": "service_account",
    "authid": "p_5f0c2b7a9d314e86",
    "authmethod": "token",
    "data": EXAMPLE["data"],
}


class KnownType:
    """The rule of a type to look for, those that the ledger writes itself among them."""

    json_schema: ClassVar[dict[str, Any]] = {"type": "string", "enum": list(EVENTS)}

    def accept(self, value: Any) -> str:
        if value not in EVENTS:
            raise Unfit("is not an event type that is known here; see /openapi.json for all")
        return str(value)


class AppendQuery(Schema):
    each = parameter(Switch(), "event by event, each with an outcome of its own, instead of all or nothing")
    strict = parameter(Switch(), "refuse with 409 what would otherwise be recorded with a warning")
    claim = parameter(
        Switch(),
        "with If-Match, for a rollback.started: what was recorded in the slot since that revision is no conflict "
        "if it bears neither on what runs there nor on what is decided or claimed",
    )
    wait = parameter(Choice(("sealed",)), "answer once the events are in the transparency log, with the proof")


class EventsQuery(MomentSchema):
    type = parameter(KnownType(), "only events of this type")
    service = parameter(Text(200), "only events about this service")
    environment = parameter(Text(200), "only events about this environment")
    version = parameter(Text(256), "only events about this version")
    incident = parameter(Text(256), "only events of or about this incident")
    actor = parameter(Text(320), "only events that this principal, an opaque id, submitted")
    since = parameter(Time(), "only what happened at this time or later")
    until = parameter(Time(), "only what happened before this time")
    after = parameter(Digits(), "only positions above this one: the `next` of the page before")
    limit = parameter(Digits(1, LARGEST_LIMIT), f"how many at most; {DEFAULT_LIMIT} by default, as NDJSON all")


class StreamQuery(Schema):
    after = parameter(Digits(), "start after this position; by default with what is recorded from now on")


_STRING = {"type": "string"}
_ETAG_HEADER = {"ETag": {"description": "what to send as If-None-Match", "schema": _STRING}}
_LINK_HEADER = {"Link": {"description": 'the next page, rel="next" (RFC 8288)', "schema": _STRING}}
_LINES = {"type": "string", "description": "one JSON object a line, each as in the JSON form"}
_REVISION = {"type": "string", "pattern": '^"(0|[1-9][0-9]{0,15})"$'}
_POSITION = {"type": "string", "pattern": "^[0-9]{1,16}$"}


def _body() -> dict[str, Any]:
    many = {"type": "array", "items": EventSchema, "maxItems": 10_000}
    return {
        "required": True,
        "description": "up to 16 MiB and 10,000 events; also binary mode: data as application/json, "
        "attributes as ce- headers (CloudEvents HTTP binding, section 3.1)",
        "content": {
            JSON: {"schema": {"anyOf": [EventSchema, many]}, "example": EXAMPLE},
            EVENT: {"schema": EventSchema, "example": EXAMPLE},
            BATCH: {"schema": many, "example": [EXAMPLE]},
            NDJSON: {"schema": _LINES},
        },
    }


def append(blp: Blueprint) -> _Decorator:
    receipts = {"anyOf": [ReceiptSchema, ReceiptsSchema, OutcomesSchema]}
    location = {"Location": {"description": "of a single event: where it is read", "schema": _STRING}}
    applied = {"Preference-Applied": {"description": "return=minimal", "schema": _STRING}}

    def decorate(view: Any) -> Any:
        view = blp.doc(requestBody=_body())(view)
        view = blp.header("If-Match", 'of one event: its stream must be at this revision, "0": not exist', _REVISION)(
            view
        )
        view = blp.header("Prefer", "with many events: return=minimal leaves out the receipts", _STRING)(view)
        view = blp.refuses(400, 409, 412, 413, 415, 503)(view)
        view = blp.alt_response(207, schema=OutcomesSchema, description="with each=true: some were refused")(view)
        view = blp.alt_response(
            200, schema=receipts, description="all had been recorded before", headers={**location, **applied}
        )(view)
        return blp.response(
            201, receipts, description="recorded, and durable", headers={**location, **applied}, example=_RECEIPT
        )(view)

    return decorate


def page(blp: Blueprint) -> _Decorator:
    def decorate(view: Any) -> Any:
        view = blp.header("If-None-Match", "304 if the answer still has this ETag", _STRING)(view)
        view = blp.refuses(400, 406, 503)(view)
        view = blp.alt_response(304, description="it is still so")(view)
        view = blp.alt_response(200, schema=_LINES, content_type=NDJSON)(view)
        example = {"items": [_RECORDED], "next": 8214}
        return blp.response(
            200, EventPageSchema, description="events", headers={**_ETAG_HEADER, **_LINK_HEADER}, example=example
        )(view)

    return decorate


def one(blp: Blueprint) -> _Decorator:
    def decorate(view: Any) -> Any:
        view = blp.header("If-None-Match", "304 if the answer still has this ETag", _STRING)(view)
        view = blp.refuses(400, 404, 406, 503)(view)
        view = blp.alt_response(304, description="it is still so")(view)
        view = blp.alt_response(200, schema=RecordedEventSchema, content_type=EVENT)(view)
        return blp.response(200, RecordedEventSchema, description="the event", headers=_ETAG_HEADER, example=_RECORDED)(
            view
        )

    return decorate


def follow(blp: Blueprint) -> _Decorator:
    said = {
        **_STRING,
        "description": "id: position, event: type, data: the CloudEvent; a comment every 15 s of silence",
    }

    def decorate(view: Any) -> Any:
        view = blp.header("Last-Event-ID", "the position of the last event that came; before `after`", _POSITION)(view)
        view = blp.refuses(400, 406, 503)(view)
        return blp.response(200, said, content_type="text/event-stream", description="until either side ends it")(view)

    return decorate
