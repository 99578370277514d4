"""
The shapes of findings, for the OpenAPI document. A test holds the replies against them.
"""

from marshmallow import Schema, fields

from api.slot_replies import Frame
from projections.finding import STATES
from projections.findings import RULES


def _named(description: str) -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"description": description})


def _positions(description: str) -> fields.List[int]:
    return fields.List(fields.Integer(), required=True, metadata={"description": description})


class Finding(Schema):
    """Where practice left the doctrine."""

    rule = fields.String(required=True, metadata={"enum": list(RULES)})
    service = _named("null where it is not of one service")
    environment = _named("null where it is not of one environment")
    incident = _named("null where it is not of an incident")
    time = fields.AwareDateTime(required=True, metadata={"description": "when practice left the doctrine"})
    positions = _positions("the events that show it, the one that it is about first; of very many the first ones")
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    detail = fields.String(required=True, metadata={"description": "what was found, for people"})
    settled_by = _positions("the events that settled it")
    accepted_by = _positions("the acceptances that hold")


class FindingPage(Frame):
    items = fields.List(fields.Nested(Finding), required=True)
    next = fields.String(required=True, allow_none=True)
