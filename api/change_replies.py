"""
The shapes of the change record, for the OpenAPI document. A test holds the replies against them.
"""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from api.finding_replies import Finding
from api.slot_replies import Frame
from projections.change_steps import KINDS, OUTCOMES
from projections.finding import STATES


def _text(description: str = "", *, null: bool = False, enum: tuple[str, ...] = ()) -> fields.String:
    metadata: dict[str, Any] = {"description": description} if description else {}
    if enum:
        metadata["enum"] = [*enum, None] if null else list(enum)
    return fields.String(required=True, allow_none=null, metadata=metadata)


def _time(description: str = "", *, null: bool = False) -> fields.AwareDateTime:
    return fields.AwareDateTime(
        required=True, allow_none=null, metadata={"description": description} if description else {}
    )


def _number(description: str = "", *, null: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=null, metadata={"description": description} if description else {})


def _positions(description: str) -> fields.List[Any]:
    return fields.List(fields.Integer(), required=True, metadata={"description": description})


def _names(description: str = "") -> fields.List[Any]:
    return fields.List(fields.String(), required=True, metadata={"description": description} if description else {})


def _one(schema: type[Schema], *, null: bool = False) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=null)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


class ChangePeriod(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _time()}

    to = _time("null: up to the moment asked for", null=True)
    zone = _text()


class LookedThrough(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _number(null=True)}

    to = _number(null=True)
    count = _number("positions have no gaps: count is to - from + 1")


class InPeriod(Schema):
    first = _number(null=True)
    last = _number(null=True)
    count = _number("events of any type, of the service and environment asked for")


class CoveringCheckpoint(Schema):
    origin = _text()
    size = _number()
    root = _text("base64")


class Completeness(Schema):
    """What was looked through, so that a reader can tell that nothing was left out."""

    positions = _one(LookedThrough)
    in_period = _one(InPeriod)
    events = fields.Dict(required=True, metadata={"description": "steps of changes in the period, by type"})
    changes = fields.Dict(required=True, metadata={"description": "changes, by kind"})
    checkpoint = fields.Nested(
        CoveringCheckpoint,
        required=True,
        allow_none=True,
        metadata={"description": "the first signed checkpoint that covers all that was looked through"},
    )


class Deployer(Schema):
    id = _text()
    name = _text(null=True)
    kind = _text(enum=("human", "machine"))
    people = _names("the people behind it: who submitted it, started the run, or decided it")
    source = _text()


class ApprovalInForce(Schema):
    by = _text(null=True)
    time = _time()
    recordedtime = _time("from when it counts")
    position = _number()
    digest = _text("null: for any", null=True)
    change_ticket = _text(null=True)
    incident = _text(null=True)


class ChangeDecision(Schema):
    rollback_id = _text()
    by = _text(null=True)
    time = _time()
    position = _number()
    reason = _text(null=True)
    from_version = _text(null=True)


class ChangeFinding(Schema):
    rule = _text()
    state = _text(enum=STATES)
    detail = _text()
    positions = _positions("the events that show it")


class RecordedChange(Schema):
    """One change. Approvals are those in force for its version and digest, as the ledger knew them when it happened."""

    kind = _text(enum=KINDS)
    id = _text(null=True)
    service = _text()
    environment = _text()
    version = _text(null=True)
    digest = _text(null=True)
    outcome = _text("null: under way", null=True, enum=OUTCOMES)
    effect = _text("how it moved the current version; null where it did not", null=True)
    time = _time("when it ended")
    recordedtime = _time()
    began = _time("null where no beginning is recorded within 31 days before the period", null=True)
    position = _number("of the event that ended it")
    positions = _positions("of its steps")
    deployer = _one(Deployer)
    approval_required = fields.Boolean(required=True)
    approvals = _many(ApprovalInForce)
    approvals_recorded_late = fields.List(
        fields.Nested(ApprovalInForce),
        required=True,
        metadata={"description": "dated before it, and recorded after it happened: they count for nothing"},
    )
    decision = _one(ChangeDecision, null=True)
    incidents = _names("that it, its decision or its approvals name")
    implicated_in = _names("in which a person said that its version had a part")
    findings = _many(ChangeFinding)


class ChangeException(Finding):
    changes = _positions("the changes that it is about")


class RetractedStep(Schema):
    position = _number()
    time = _time()
    type = _text()
    service = _text(null=True)
    environment = _text(null=True)
    version = _text(null=True)
    retracted_at = _number(null=True)
    reason = _text(null=True)


class RoleSpan(Schema):
    """What a principal might do, from its grant to its revocation. No services or environments: all of them."""

    principal = _text()
    name = _text(null=True)
    kind = _text(null=True)
    method = _text("such as break-glass", null=True)
    roles = _names()
    services = _names()
    environments = _names()
    since = _time()
    until = _time(null=True)
    granted_by = _text()
    granted_at = _number("a position")
    revoked_at = _number("a position", null=True)


class ChangeRecord(Frame):
    format = _text(enum=("lastgood-changes/1",))
    period = _one(ChangePeriod)
    service = _text(null=True)
    environment = _text(null=True)
    completeness = _one(Completeness)
    exceptions = _many(ChangeException)
    changes = _many(RecordedChange)
    in_progress = _many(RecordedChange)
    retracted = _many(RetractedStep)
    roles = _many(RoleSpan)
