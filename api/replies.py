"""
The schemas of what is answered about events. They document; what is sent is made from the same dataclasses.
"""

from marshmallow import Schema, fields

from ledger.events import EVENTS


def _said(description: str, **more: object) -> dict[str, object]:
    return {"description": description, **more}


class FaultSchema(Schema):
    """One fault in the input."""

    pointer = fields.String(
        required=True, metadata=_said("JSON Pointer (RFC 6901) into the event, or the name of a parameter")
    )
    detail = fields.String(required=True, metadata=_said("what is wrong there"))
    line = fields.Integer(metadata=_said("the line in NDJSON, or the place in an array, from 1"))


class ProblemSchema(Schema):
    """What went wrong (RFC 9457)."""

    type = fields.String(required=True, metadata=_said("about:blank, or urn:lastgood:problem:NAME", format="uri"))
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata=_said("what was asked, what is so, and what to do"))
    errors = fields.List(fields.Nested(FaultSchema), metadata=_said("every fault in the input"))
    line = fields.Integer(metadata=_said("of the event that is refused, in a batch, where no fault bears it"))
    position = fields.Integer(
        allow_none=True,
        metadata=_said("id-taken: where the id is recorded, null in the same request; not-sealed: what was asked for"),
    )
    other_submitter = fields.Boolean(metadata=_said("id-taken: whether it is recorded by somebody else"))
    size = fields.Integer(metadata=_said("unverified: how many events were signed for"))
    stream = fields.String(metadata=_said("stale-revision: whose revision"))
    revision = fields.Integer(metadata=_said("stale-revision: what it is"))
    reached = fields.Integer(metadata=_said("not-yet: the position that the answers have reached"))
    warnings = fields.List(fields.String(), metadata=_said("unwelcome: with what it would have been recorded"))
    reference = fields.String(metadata=_said("unforeseen: what to look for in the server's log"))


class WarningSchema(Schema):
    """What is recorded all the same, and worth telling."""

    code = fields.String(required=True)
    detail = fields.String(required=True)


class ReceiptSchema(Schema):
    """Where an event was recorded, and that it is durable."""

    id = fields.String(required=True)
    source = fields.String(required=True)
    position = fields.Integer(required=True, metadata=_said("its place in the whole record, from 1"))
    recordedtime = fields.String(required=True, metadata=_said("when the ledger learnt it", format="date-time"))
    stream = fields.String(required=True)
    revision = fields.Integer(required=True, metadata=_said("its place in its stream, from 1"))
    duplicate = fields.Boolean(required=True, metadata=_said("it had been recorded before, there"))
    warnings = fields.List(fields.Nested(WarningSchema), required=True)
    leaf_hash = fields.String(metadata=_said("wait=sealed: of its leaf in the transparency log (RFC 6962), base64"))
    inclusion_proof = fields.List(
        fields.String(), metadata=_said("wait=sealed: the hashes from its leaf to the root, base64")
    )
    checkpoint = fields.String(metadata=_said("wait=sealed: the signed checkpoint that they lead to"))


class ReceiptsSchema(Schema):
    """The receipts of many events. `first` and `last` are positions of new ones, null if all were duplicates."""

    first = fields.Integer(required=True, allow_none=True)
    last = fields.Integer(required=True, allow_none=True)
    count = fields.Integer(required=True, metadata=_said("all events of the request"))
    duplicates = fields.Integer(required=True)
    receipts = fields.List(fields.Nested(ReceiptSchema), metadata=_said("left out with Prefer: return=minimal"))


class OutcomeSchema(Schema):
    """A receipt, or the problem of an event that was refused."""


class OutcomesSchema(Schema):
    """With ?each=true: what became of each event, in order."""

    items = fields.List(fields.Nested(OutcomeSchema), required=True)


class RecordedEventSchema(Schema):
    """An event as it is recorded: a CloudEvent with what the ledger added. Other members are extensions as sent."""

    specversion = fields.String(required=True, metadata={"enum": ["1.0"]})
    id = fields.String(required=True)
    source = fields.String(required=True)
    type = fields.String(required=True, metadata={"enum": list(EVENTS)})
    time = fields.String(required=True, metadata=_said("when it happened, as its source wrote it", format="date-time"))
    dataschema = fields.String(required=True, metadata=_said("the schema version that it was recorded in"))
    recordedtime = fields.String(required=True, metadata=_said("when the ledger learnt it", format="date-time"))
    sequence = fields.Integer(required=True, metadata=_said("its position in the whole record"))
    stream = fields.String(required=True)
    revision = fields.Integer(required=True)
    authtype = fields.String(required=True, metadata={"enum": ["user", "service_account"]})
    authid = fields.String(required=True, metadata=_said("the submitter's opaque id"))
    authmethod = fields.String(required=True)
    authclaims = fields.String(metadata=_said("verified claims of a CI identity, as JSON"))
    correlationid = fields.String()
    causationid = fields.String()
    data = fields.Dict(required=True, metadata=_said("as the schema of its type has it; [redacted] where it was"))


class EventPageSchema(Schema):
    """Events in order of position; `next` goes back in as `after`, and is null at the end."""

    items = fields.List(fields.Nested(RecordedEventSchema), required=True)
    next = fields.Integer(required=True, allow_none=True)
