"""
The shapes of what is answered about incidents, for the OpenAPI document.

The answers themselves are made by the projections; a test holds each reply
against its shape.
"""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from api.slot_replies import Frame, Reason


def _text(*, null: bool = True, enum: list[str] | None = None) -> fields.String:
    metadata = {"enum": [*enum, None] if null else enum} if enum else {}
    return fields.String(required=True, allow_none=null, metadata=metadata)


def _time(*, null: bool = True) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=null)


def _position(*, null: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=null)


def _number(*, null: bool = True) -> fields.Float:
    return fields.Float(required=True, allow_none=null)


def _truth() -> fields.Boolean:
    return fields.Boolean(required=True)


def _one(schema: type[Schema], *, null: bool = True) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=null)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


SEVERITIES = ["SEV-1", "SEV-2", "SEV-3"]


class AffectedSlot(Schema):
    service = _text(null=False)
    environment = _text(null=False)


class TimeAndPosition(Schema):
    time = _time(null=False)
    position = _position()


class IncidentRow(Schema):
    """One incident in a list. Drills and maintenance are not `counted`."""

    id = _text(null=False)
    title = _text()
    kind = _text()
    mode = _text(null=False, enum=["real", "drill"])
    counted = _truth()
    state = _text()
    active = _truth()
    severity = _text(enum=SEVERITIES)
    suggested_severity = _text(enum=SEVERITIES)
    priority = _text()
    affected = _many(AffectedSlot)
    commander = _text()
    began = _time()
    declared = _time()
    ended = _time()
    merged_into = _text()


class IncidentPage(Frame):
    items = _many(IncidentRow)
    next = _text()


class IncidentStep(TimeAndPosition):
    """A step, why it was taken, and who says so."""

    name = _text(null=False)
    reason = _text()
    by = _text(null=False)
    affected = fields.List(fields.Nested(AffectedSlot))


class SecondsInSeverity(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {name: _number(null=False) for name in SEVERITIES}


class IncidentSeverities(Schema):
    initial = _text(enum=SEVERITIES)
    peak = _text(enum=SEVERITIES)
    current = _text(enum=SEVERITIES)
    seconds = _one(SecondsInSeverity, null=False)
    changes = _many(IncidentStep)


class IncidentSteps(Schema):
    """First times; of mitigation, resolution and closing the last, with the first resolution beside it."""

    detected = _one(TimeAndPosition)
    declared = _one(TimeAndPosition)
    acknowledged = _one(TimeAndPosition)
    mitigated = _one(TimeAndPosition)
    resolved = _one(TimeAndPosition)
    first_resolved = _one(TimeAndPosition)
    closed = _one(TimeAndPosition)


class ImpactWindow(Schema):
    window = _text()
    start = _one(TimeAndPosition)
    end = _one(TimeAndPosition)
    basis = _text()
    precision = _text()
    level = _text()
    affected = _many(AffectedSlot)


class ImpactMeasured(TimeAndPosition):
    measure = _text(null=False)
    value = _number(null=False)
    unit = _text(null=False)
    method = _text()
    by = _text(null=False)


class IncidentImpact(Schema):
    """`seconds` is the length of the union of the windows; null where none is known."""

    seconds = _number()
    ongoing = _truth()
    windows = _many(ImpactWindow)
    measured = _many(ImpactMeasured)


class RoleHeld(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _text()}

    role = _text(null=False)
    person = _text(null=False)
    since = _time(null=False)
    until = _time()
    briefing = _text()
    position = _position()


class RuleProposal(TimeAndPosition):
    rule = _text()


class SaidOfVersion(RuleProposal):
    kind = _text(null=False, enum=["suspected", "implicated", "exonerated"])
    reason = _text()
    by = _text(null=False)


class NamedVersion(Schema):
    """A version as it stands: what a person said last goes before any suspicion."""

    service = _text(null=False)
    environment = _text(null=False)
    version = _text(null=False)
    standing = _text(enum=["suspected", "implicated", "exonerated"])
    relation = _text(enum=["caused", "contributed"])
    proposed_by_rule = _one(RuleProposal)
    said = _many(SaidOfVersion)


class MitigationTold(TimeAndPosition):
    kind = _text(null=False)
    text = _text(null=False)
    service = _text()
    environment = _text()
    by = _text(null=False)


class PinnedNote(TimeAndPosition):
    text = _text(null=False)
    role = _text()
    by = _text(null=False)


class IncidentNotes(Schema):
    count = fields.Integer(required=True)
    pinned = _many(PinnedNote)


class PublishedUpdate(TimeAndPosition):
    audience = _text(null=False)
    text = _text(null=False)
    channel = _text()
    by = _text(null=False)


class IncidentLink(Schema):
    """`to`: this incident names the other one; else the other names this one."""

    incident = _text(null=False)
    relation = _text(null=False)
    to = _truth()


class ResponseDeviation(TimeAndPosition):
    severity = _text(null=False, enum=SEVERITIES)
    expected = _text(null=False)
    chosen = _text(null=False)
    reason = _text()
    decided_by = _text()
    type = _text(null=False)


class IncidentResponse(Schema):
    """What the severity asks for; its clock runs since the severity was reached."""

    severity = _text(null=False, enum=SEVERITIES)
    what = _text(null=False)
    response = _text(null=False)
    since = _time(null=False)
    seconds = _number(null=False)
    status = _text(null=False, enum=["awaited", "as_expected", "deviated", "missing"])
    drill = _truth()
    deviations = _many(ResponseDeviation)


class MeasureBound(Schema):
    name = _text(null=False)
    time = _time()
    position = _position(null=True)


class IncidentMeasure(Schema):
    """The difference of two named times, null where either is unknown."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _one(MeasureBound, null=False)}

    seconds = _number()
    to = _one(MeasureBound, null=False)


class IncidentMeasures(Schema):
    time_to_detect = _one(IncidentMeasure, null=False)
    time_to_declare = _one(IncidentMeasure, null=False)
    time_to_acknowledge = _one(IncidentMeasure, null=False)
    time_to_decide = _one(IncidentMeasure, null=False)
    time_to_execute = _one(IncidentMeasure, null=False)
    time_to_verify = _one(IncidentMeasure, null=False)
    time_to_mitigate = _one(IncidentMeasure, null=False)
    time_to_resolve = _one(IncidentMeasure, null=False)


class WholeIncident(IncidentRow, Frame):
    """Everything about one incident. `marks` are what not to take at its word."""

    severities = _one(IncidentSeverities, null=False)
    priorities = _many(IncidentStep)
    steps = _one(IncidentSteps, null=False)
    cycles = fields.List(fields.List(fields.Nested(IncidentStep)), required=True)
    impact = _one(IncidentImpact, null=False)
    roles = _many(RoleHeld)
    versions = _many(NamedVersion)
    cause_elsewhere = _one(IncidentStep)
    mitigations = _many(MitigationTold)
    notes = _one(IncidentNotes, null=False)
    updates = _many(PublishedUpdate)
    links = _many(IncidentLink)
    leads_to = _one(IncidentRow)
    merged = fields.List(fields.String(), required=True)
    alerts = fields.List(fields.String(), required=True)
    expected_response = _one(IncidentResponse)
    measures = _one(IncidentMeasures, null=False)
    marks = _many(Reason)


class EntrySubmitter(Schema):
    id = _text(null=False)
    name = _text()
    kind = _text(null=False, enum=["human", "machine"])


class EntryAmended(Schema):
    position = _position()
    recordedtime = _time(null=False)
    reason = _text()
    decided_by = _text()


class EntryCorrection(EntryAmended):
    field = _text(null=False)
    was = fields.Raw(required=True, allow_none=True)
    now = fields.Raw(required=True, allow_none=True)


class TimelineEntry(TimeAndPosition):
    """One event of a timeline. `key` moments and pinned ones are never folded away."""

    type = _text(null=False)
    summary = _text(null=False)
    incident = _text()
    service = _text()
    environment = _text()
    recordedtime = _time(null=False)
    lag_seconds = _number(null=False)
    lag = _text()
    claimed_time = _time()
    submitter = _one(EntrySubmitter, null=False)
    decided_by = _text()
    roles = fields.List(fields.String(), required=True)
    source = _text(null=False)
    key = _truth()
    pinned = _truth()
    data = fields.Dict(required=True)
    corrections = _many(EntryCorrection)
    retracted = _one(EntryAmended)


class Timeline(Frame):
    incident = _text(null=False)
    leads_to = _text()
    items = _many(TimelineEntry)
    next = _text()
