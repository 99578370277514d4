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


class Place(Schema):
    service = _text(null=False)
    environment = _text(null=False)


class When(Schema):
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
    affected = _many(Place)
    commander = _text()
    began = _time()
    declared = _time()
    ended = _time()
    merged_into = _text()


class IncidentPage(Frame):
    items = _many(IncidentRow)
    next = _text()


class Step(When):
    """A step, why it was taken, and who says so."""

    name = _text(null=False)
    reason = _text()
    by = _text(null=False)
    affected = fields.List(fields.Nested(Place))


class SecondsIn(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {name: _number(null=False) for name in SEVERITIES}


class Severities(Schema):
    initial = _text(enum=SEVERITIES)
    peak = _text(enum=SEVERITIES)
    current = _text(enum=SEVERITIES)
    seconds = _one(SecondsIn, null=False)
    changes = _many(Step)


class Steps(Schema):
    """First times; of mitigation, resolution and closing the last, with the first resolution beside it."""

    detected = _one(When)
    declared = _one(When)
    acknowledged = _one(When)
    mitigated = _one(When)
    resolved = _one(When)
    first_resolved = _one(When)
    closed = _one(When)


class Window(Schema):
    window = _text()
    start = _one(When)
    end = _one(When)
    basis = _text()
    precision = _text()
    level = _text()
    affected = _many(Place)


class Measured(When):
    measure = _text(null=False)
    value = _number(null=False)
    unit = _text(null=False)
    method = _text()
    by = _text(null=False)


class Impact(Schema):
    """`seconds` is the length of the union of the windows; null where none is known."""

    seconds = _number()
    ongoing = _truth()
    windows = _many(Window)
    measured = _many(Measured)


class Holding(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _text()}

    role = _text(null=False)
    person = _text(null=False)
    since = _time(null=False)
    until = _time()
    briefing = _text()
    position = _position()


class Proposal(When):
    rule = _text()


class Said(Proposal):
    kind = _text(null=False, enum=["suspected", "implicated", "exonerated"])
    reason = _text()
    by = _text(null=False)


class Version(Schema):
    """A version as it stands: what a person said last goes before any suspicion."""

    service = _text(null=False)
    environment = _text(null=False)
    version = _text(null=False)
    standing = _text(enum=["suspected", "implicated", "exonerated"])
    relation = _text(enum=["caused", "contributed"])
    proposed_by_rule = _one(Proposal)
    said = _many(Said)


class Mitigation(When):
    kind = _text(null=False)
    text = _text(null=False)
    service = _text()
    environment = _text()
    by = _text(null=False)


class Note(When):
    text = _text(null=False)
    role = _text()
    by = _text(null=False)


class Notes(Schema):
    count = fields.Integer(required=True)
    pinned = _many(Note)


class Update(When):
    audience = _text(null=False)
    text = _text(null=False)
    channel = _text()
    by = _text(null=False)


class Link(Schema):
    """`to`: this incident names the other one; else the other names this one."""

    incident = _text(null=False)
    relation = _text(null=False)
    to = _truth()


class Deviation(When):
    severity = _text(null=False, enum=SEVERITIES)
    expected = _text(null=False)
    chosen = _text(null=False)
    reason = _text()
    decided_by = _text()
    type = _text(null=False)


class ExpectedResponse(Schema):
    """What the severity asks for; its clock runs since the severity was reached."""

    severity = _text(null=False, enum=SEVERITIES)
    what = _text(null=False)
    response = _text(null=False)
    since = _time(null=False)
    seconds = _number(null=False)
    status = _text(null=False, enum=["awaited", "as_expected", "deviated", "missing"])
    drill = _truth()
    deviations = _many(Deviation)


class Bound(Schema):
    name = _text(null=False)
    time = _time()
    position = _position(null=True)


class Measure(Schema):
    """The difference of two named times, null where either is unknown."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _one(Bound, null=False)}

    seconds = _number()
    to = _one(Bound, null=False)


class Measures(Schema):
    time_to_detect = _one(Measure, null=False)
    time_to_declare = _one(Measure, null=False)
    time_to_acknowledge = _one(Measure, null=False)
    time_to_decide = _one(Measure, null=False)
    time_to_execute = _one(Measure, null=False)
    time_to_verify = _one(Measure, null=False)
    time_to_mitigate = _one(Measure, null=False)
    time_to_resolve = _one(Measure, null=False)


class Incident(IncidentRow, Frame):
    """Everything about one incident. `marks` are what not to take at its word."""

    severities = _one(Severities, null=False)
    priorities = _many(Step)
    steps = _one(Steps, null=False)
    cycles = fields.List(fields.List(fields.Nested(Step)), required=True)
    impact = _one(Impact, null=False)
    roles = _many(Holding)
    versions = _many(Version)
    cause_elsewhere = _one(Step)
    mitigations = _many(Mitigation)
    notes = _one(Notes, null=False)
    updates = _many(Update)
    links = _many(Link)
    leads_to = _one(IncidentRow)
    merged = fields.List(fields.String(), required=True)
    alerts = fields.List(fields.String(), required=True)
    expected_response = _one(ExpectedResponse)
    measures = _one(Measures, null=False)
    marks = _many(Reason)


class Submitter(Schema):
    id = _text(null=False)
    name = _text()
    kind = _text(null=False, enum=["human", "machine"])


class Amended(Schema):
    position = _position()
    recordedtime = _time(null=False)
    reason = _text()
    decided_by = _text()


class Correction(Amended):
    field = _text(null=False)
    was = fields.Raw(required=True, allow_none=True)
    now = fields.Raw(required=True, allow_none=True)


class Entry(When):
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
    submitter = _one(Submitter, null=False)
    decided_by = _text()
    roles = fields.List(fields.String(), required=True)
    source = _text(null=False)
    key = _truth()
    pinned = _truth()
    data = fields.Dict(required=True)
    corrections = _many(Correction)
    retracted = _one(Amended)


class Timeline(Frame):
    incident = _text(null=False)
    leads_to = _text()
    items = _many(Entry)
    next = _text()
