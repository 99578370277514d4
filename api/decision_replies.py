"""
The shapes of decisions, plans and the gate, for the OpenAPI document.
"""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from api.replies import ReceiptSchema
from api.slot_replies import Frame, Named, Reason
from projections.decisions import STATES


class StepTaken(Schema):
    time = fields.AwareDateTime(required=True)
    position = fields.Integer(required=True)


def _step(**options: object) -> fields.Nested:
    return fields.Nested(StepTaken, required=True, allow_none=True, metadata=options)


class Decision(Schema):
    """A rollback: decided, executed, observed and verified are four things."""

    rollback_id = fields.String(required=True)
    service = fields.String(required=True)
    environment = fields.String(required=True)
    from_version = fields.String(required=True, allow_none=True)
    to_version = fields.String(required=True)
    to_digest = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_by_name = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "of a person with a token here; null where a relay named one"},
    )
    incident = fields.String(required=True, allow_none=True)
    plan = fields.String(required=True, allow_none=True)
    position = fields.Integer(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"enum": STATES})
    age_seconds = fields.Integer(required=True, allow_none=True)
    decided = _step()
    claimed = _step(description="the last rollback.started")
    claim_lapses = fields.AwareDateTime(required=True, allow_none=True)
    executed = _step()
    failed = _step()
    reached = _step(description="when the target went live, however it came")
    observed = fields.Raw(required=True, metadata={"description": 'a step, null, or "no observer"'})
    verified = _step()
    ineffective = _step()
    cancelled = _step()
    revision = fields.Integer(metadata={"description": "of the slot's stream: If-Match for a claim"})


class Decisions(Frame):
    items = fields.List(fields.Nested(Decision), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "always null: all are given"})


class GateReason(Reason):
    who_can_change_it = fields.String(required=True)


class Gate(Frame):
    service = fields.String(required=True)
    environment = fields.String(required=True)
    version = fields.String(required=True)
    digest = fields.String(required=True, allow_none=True)
    allowed = fields.Boolean(required=True)
    reasons = fields.List(fields.Nested(GateReason), required=True)
    passes = fields.List(fields.Nested(Reason), required=True)


class PlanItem(Schema):
    """`from` is a word of Python, so it and `to` are declared by name."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {
            "from": fields.Nested(Named, required=True),
            "to": fields.Nested(Named, required=True),
        }

    service = fields.String(required=True)
    environment = fields.String(required=True)
    blockers = fields.List(fields.Nested(Reason), required=True)
    warnings = fields.List(fields.Nested(Reason), required=True)


class Plan(Frame):
    environment = fields.String(required=True)
    to = fields.AwareDateTime(required=True)
    items = fields.List(fields.Nested(PlanItem), required=True)
    count = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    appeared = fields.List(fields.String(), required=True)
    removed = fields.List(fields.String(), required=True)
    not_here = fields.List(fields.String(), required=True)


class PlanDecided(Schema):
    """One decision for all: a rollback.decided for each slot, with a common plan."""

    plan = fields.String(required=True)
    count = fields.Integer(required=True)
    receipts = fields.List(fields.Nested(ReceiptSchema), required=True)
