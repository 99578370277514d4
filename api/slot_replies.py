"""
The shapes of what the answers look like, for the OpenAPI document.

The answers themselves are made by the projections; a test holds each reply
against its shape.
"""

from typing import Any

from marshmallow import Schema, fields


class Reason(Schema):
    """One fact, and the position that says so."""

    code = fields.String(required=True)
    detail = fields.String(required=True)
    position = fields.Integer(required=True, allow_none=True)


class Named(Schema):
    version = fields.String(required=True)
    digest = fields.String(required=True, allow_none=True)


class Deployed(Named):
    since = fields.AwareDateTime(required=True)


class Current(Deployed):
    exposure = fields.Float(required=True)


class Exposure(Named):
    exposure = fields.Float(required=True, allow_none=True)
    release_id = fields.String()
    since = fields.AwareDateTime()
    audience = fields.String()
    region = fields.String()


class KnownGood(Named):
    basis = fields.String(required=True, metadata={"enum": ["verified", "soaked"]})
    last_live_until = fields.AwareDateTime(required=True, allow_none=True)


class Target(Named):
    last_live_until = fields.AwareDateTime(required=True, allow_none=True)
    known_good = fields.Boolean(required=True)
    basis = fields.String(required=True, allow_none=True)
    blockers = fields.List(fields.Nested(Reason), required=True)
    warnings = fields.List(fields.Nested(Reason), required=True)


class Candidate(Target):
    first_live = fields.AwareDateTime(required=True, allow_none=True)
    live_seconds = fields.Integer(required=True)
    reasons = fields.List(fields.Nested(Reason), required=True)


class Reached(Named):
    rollback_id = fields.String(required=True)
    position = fields.Integer(required=True, allow_none=True)


class ActiveIncident(Schema):
    id = fields.String(required=True)
    severity = fields.String(required=True, allow_none=True)
    drill = fields.Boolean(required=True)


class Frame(Schema):
    as_of = fields.AwareDateTime(required=True)
    known_at = fields.Integer(required=True)


def _one(schema: type[Schema], **options: Any) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=True, **options)


class Slot(Frame):
    """The reply for one slot."""

    service = fields.String(required=True)
    environment = fields.String(required=True)
    deployed = _one(Deployed)
    current = _one(Current)
    exposures = fields.List(fields.Nested(Exposure), required=True)
    last_known_good = _one(KnownGood)
    rollback_target = _one(Target)
    target_reached = _one(Reached)
    active_incidents = fields.List(fields.Nested(ActiveIncident), required=True)
    certain = fields.Boolean(required=True)
    uncertain_because = fields.List(fields.Nested(Reason), required=True)


class SlotPage(Schema):
    items = fields.List(fields.Nested(Slot), required=True)
    next = fields.String(required=True, allow_none=True)


class Candidates(Frame):
    service = fields.String(required=True)
    environment = fields.String(required=True)
    items = fields.List(fields.Nested(Candidate), required=True)
    count = fields.Integer(required=True)


class HistoryItem(Schema):
    position = fields.Integer(required=True)
    time = fields.AwareDateTime(required=True)
    type = fields.String(required=True)
    version = fields.String(required=True, allow_none=True)
    digest = fields.String(required=True, allow_none=True)
    change = fields.String(
        required=True,
        allow_none=True,
        metadata={"enum": ["first", "forward", "rollback", "return_forward", "redeploy", "restore", "removed", None]},
    )
    replaced = fields.String(required=True, allow_none=True)
    rollback_id = fields.String(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    void = fields.Boolean()


class HistoryPage(Schema):
    items = fields.List(fields.Nested(HistoryItem), required=True)
    next = fields.Integer(required=True, allow_none=True)


class Mark(Schema):
    service = fields.String(required=True)
    version = fields.String(required=True)
    kind = fields.String(required=True)
    time = fields.AwareDateTime(required=True)
    position = fields.Integer(required=True)
    available = fields.Boolean()


class Artifact(Frame):
    digest = fields.String(required=True)
    published = fields.List(fields.Dict(), required=True)
    happened = fields.List(fields.Nested(Mark), required=True)
    ran = fields.List(fields.Dict(), required=True)
