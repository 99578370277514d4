"""
The shapes of the situation and of who is on call, for the OpenAPI document.
"""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from api.decision_replies import Decision
from api.slot_replies import Frame, HistoryItem, Slot


def _one(schema: type[Schema]) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=True)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


def _text() -> fields.String:
    return fields.String(required=True, allow_none=True)


def _moment() -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=True)


def _position() -> fields.Integer:
    return fields.Integer(required=True, allow_none=True)


def _seconds() -> fields.Integer:
    return fields.Integer(required=True, allow_none=True)


class InFlight(Schema):
    kind = fields.String(required=True, metadata={"enum": ["deployment", "release"]})
    reference = fields.String(required=True)
    version = fields.String(required=True)
    exposure = fields.Float(required=True, allow_none=True)
    since = fields.AwareDateTime(required=True)
    age_seconds = fields.Integer(required=True)
    position = fields.Integer(required=True)


class Recent(Schema):
    """The latest of each kind, the newest first; what has several steps is told once, by its last."""

    in_flight = _many(InFlight)
    deployments = _many(HistoryItem)
    releases = _many(HistoryItem)
    rollbacks = _many(HistoryItem)
    features = _many(HistoryItem)
    configuration = _many(HistoryItem)
    migrations = _many(HistoryItem)


class Elsewhere(Schema):
    service = fields.String(required=True)
    type = fields.String(required=True)
    what = _text()
    time = fields.AwareDateTime(required=True)
    position = fields.Integer(required=True)


class Alert(Schema):
    fingerprint = fields.String(required=True)
    name = fields.String(required=True)
    severity = _text()
    state = fields.String(required=True, metadata={"enum": ["active", "resolved"]})
    since = fields.AwareDateTime(required=True)
    until = _moment()
    times_fired = fields.Integer(required=True)
    times_fired_last_hour = fields.Integer(required=True)
    service = _text()
    environment = _text()
    incident = _text()
    url = _text()
    position = fields.Integer(required=True)


class Earlier(Schema):
    value = fields.Float(required=True)
    time = fields.AwareDateTime(required=True)


class Metric(Schema):
    name = fields.String(required=True)
    value = fields.Float(required=True)
    unit = fields.String(required=True)
    time = fields.AwareDateTime(required=True)
    window_s = fields.Float(required=True, allow_none=True)
    service = _text()
    environment = _text()
    incident = _text()
    url = _text()
    position = fields.Integer(required=True)
    earlier = _many(Earlier)


class Following(Schema):
    """
    Who comes on call next; later than `until` where a gap lies between.

    `from` is a word of Python, so it is declared by name.
    """

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": fields.AwareDateTime(required=True)}

    person = fields.String(required=True)
    contact = _text()


class OnCall(Schema):
    """Who is on call in one rota; `person` is null in a gap, which lasts from `since` to `until`."""

    rota = fields.String(required=True)
    services = fields.List(fields.String(), required=True, metadata={"description": "empty: all"})
    person = _text()
    contact = _text()
    since = _moment()
    until = _moment()
    instead_of = fields.String(
        required=True, allow_none=True, metadata={"description": "whom an override stands in for"}
    )
    position = _position()
    next = _one(Following)


class Responsible(Schema):
    """An active incident's commander, else the slot's owner, else who is on call."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {
            "as": fields.String(required=True, metadata={"enum": ["commander", "owner", "on_call"]}),
        }

    person = fields.String(required=True)
    of = fields.String(required=True, allow_none=True, metadata={"description": "the incident, or the rota"})
    contact = _text()


class Response(Schema):
    """What a severity asks for, and for how long it has."""

    incident = fields.String(required=True)
    severity = fields.String(required=True)
    text = fields.String(required=True)
    since = fields.AwareDateTime(required=True)
    seconds = fields.Integer(required=True)


class Incident(Schema):
    id = fields.String(required=True)
    title = _text()
    kind = _text()
    severity = _text()
    suggested_severity = _text()
    state = _text()
    drill = fields.Boolean(required=True)
    began = _moment()
    declared = _moment()
    commander = _text()
    expected_response = _one(Response)


class Rollback(Decision):
    """`told` is what became of it; `went_to` the version it reached where that was not decided."""

    rollback_id = _text()
    decided_by_name = _text()
    to_version = _text()
    state = _text()
    told = fields.String(
        required=True,
        metadata={
            "enum": (
                "pending claimed target_reached verified ineffective failed cancelled superseded lapsed undecided "
                "other_version"
            ).split()
        },
    )
    went_to = _text()


class Command(Schema):
    do = fields.String(required=True)
    command = fields.String(required=True)


class Age(Schema):
    age_seconds = _seconds()
    slot_age_seconds = _seconds()


class Freshness(Schema):
    """How long ago each feed brought its last event: of any slot, and of this one; null: never."""

    alerts = fields.Nested(Age, required=True)
    metrics = fields.Nested(Age, required=True)
    deployments = fields.Nested(Age, required=True)
    changes = fields.Nested(Age, required=True)
    on_call = fields.Nested(Age, required=True)
    observations = fields.Nested(Age, required=True)


class Situation(Slot):
    """The reply for a slot, and what else a responder must know in the first minute."""

    recent = fields.Nested(Recent, required=True)
    elsewhere = _many(Elsewhere)
    alerts = _many(Alert)
    metrics = _many(Metric)
    on_call = _many(OnCall)
    responsible = _one(Responsible)
    incidents = _many(Incident)
    undeclared = _many(Incident)
    expected_response = _one(Response)
    rollback = _one(Rollback)
    compare_url = _text()
    commands = fields.List(
        fields.Nested(Command),
        required=True,
        metadata={"description": "what to type; none where the answer is not of now"},
    )
    freshness = fields.Nested(Freshness, required=True)


class OnCallNow(Frame):
    at = fields.AwareDateTime(required=True)
    items = _many(OnCall)


class Shift(Schema):
    """`from` is a word of Python, so it is declared by name."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": fields.AwareDateTime(required=True)}

    person = fields.String(required=True)
    to = fields.AwareDateTime(required=True)
    services = fields.List(fields.String(), required=True)
    contact = _text()
    source = fields.String(required=True)
    position = fields.Integer(required=True)


class Shifts(Frame):
    rota = fields.String(required=True)
    items = _many(Shift)
    released = _many(Shift)
