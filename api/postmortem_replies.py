"""
The shapes of postmortems and their actions, for the OpenAPI document. A test holds the replies against them.
"""

from typing import Any

from marshmallow import Schema, fields

from api.incident_replies import TimeAndPosition
from api.slot_replies import Frame
from projections.postmortem import STATUSES
from projections.reporting import STATES as REPORT_STATES


def _text(description: str = "", *, null: bool = False, enum: tuple[str, ...] = ()) -> fields.String:
    metadata = {"description": description} if description else {}
    return fields.String(required=True, allow_none=null, metadata=metadata | ({"enum": list(enum)} if enum else {}))


def _truth(description: str = "") -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"description": description} if description else {})


def _positions(description: str) -> fields.List[Any]:
    return fields.List(fields.Integer(), required=True, metadata={"description": description})


def _one(schema: type[Schema], *, null: bool = True) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=null)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


class Deed(TimeAndPosition):
    by = _text("who decided it, else who submitted it")


class PostmortemSection(Deed):
    section = _text("such as root_cause; any word is a section")
    title = _text("what it is headed by")
    text = _text("the newest text, Markdown as it was written")
    revisions = fields.Integer(required=True, metadata={"description": "how many texts it had"})
    earlier = _positions("those of the texts before")


class PostmortemCause(Deed):
    kind = _text(enum=("root", "contributing", "trigger"))
    statement = _text()
    category = _text(null=True)


class PostmortemAction(Schema):
    action_id = _text()
    text = _text()
    kind = _text()
    owner = _text()
    due = _text("a day (its end, in UTC) or a moment, as it was given", null=True)
    ticket = _text(null=True)
    state = _text(enum=("open", "done", "cancelled"))
    overdue = _truth("it is open, and was due")
    added = _one(Deed, null=False)
    first_added = _one(Deed, null=False)
    ended = _one(Deed)
    reason = _text("why it ended", null=True)


class PostmortemAct(Deed):
    audience = _text(null=True)
    reason = _text(null=True)


class PostmortemDue(Schema):
    time = fields.AwareDateTime(required=True)
    by_severity = _text("the severity that asks for it; null where it is due only because somebody said so", null=True)
    asked = _text("what its owner was asked for", null=True)


class WordingAdvice(Schema):
    """A phrase that blames, in English texts. Gentle: nothing is refused for it."""

    part = _text(enum=("section", "cause", "action"))
    name = _text("of the section, the kind of cause, the id of the action")
    position = fields.Integer(required=True)
    line = fields.Integer(required=True)
    column = fields.Integer(required=True)
    phrase = _text()
    why = _text()
    instead = _text()


class MadeReport(Deed):
    reference = _text(null=True)


class MadeReportOfKind(MadeReport):
    kind = _text(enum=("initial", "intermediate", "final"))


class RequiredReport(Schema):
    """`not_due`: its clock does not run yet; `made`: it was made, and no clock says by when."""

    state = _text(enum=REPORT_STATES)
    due = fields.AwareDateTime(required=True, allow_none=True)
    counted_from = _one(TimeAndPosition)
    made = _one(MadeReport)


class GivenClassification(Deed):
    classification = _text()


class RegimeReporting(Schema):
    """What one regime asks for. Clocks are known of EU DORA (2025/301, article 5) alone."""

    regime = _text()
    has_clocks = _truth()
    classification = _text("the last one; null where it was reported and never classified", null=True)
    reportable = _truth("whether that asks for reports")
    criteria = fields.Raw(required=True, allow_none=True)
    reason = _text(null=True)
    classified = _one(Deed)
    classifications = _many(GivenClassification)
    aware = _one(TimeAndPosition)
    initial = _one(RequiredReport, null=False)
    intermediate = _one(RequiredReport, null=False)
    final = _one(RequiredReport, null=False)
    reports = _many(MadeReportOfKind)


class WholePostmortem(Frame):
    """A postmortem as it stands. One that nobody began has the status `none`."""

    incident = _text()
    title = _text(null=True)
    state = _text("of the incident", null=True)
    status = _text(enum=STATUSES)
    owner = _text(null=True)
    started = _one(Deed)
    due = _one(PostmortemDue)
    overdue = _truth("it was due, and is neither approved, published nor waived")
    sections = _many(PostmortemSection)
    causes = _many(PostmortemCause)
    actions = _many(PostmortemAction)
    reviewed = _many(PostmortemAct)
    approved = _many(PostmortemAct)
    published = _many(PostmortemAct)
    waived = _many(PostmortemAct)
    written_since_approval = _positions("what was written after the last approval, which does not stand behind it")
    missing = fields.List(fields.String(), required=True, metadata={"description": "summary, cause, action"})
    people = fields.List(
        fields.String(), required=True, metadata={"description": "who had a role in it, or a hand in its postmortem"}
    )
    advice = _many(WordingAdvice)
    reporting = _many(RegimeReporting)


class ActionOfIncident(PostmortemAction):
    incident = _text()
    title = _text("the incident's", null=True)
    drill = _truth()


class ActionPage(Frame):
    items = _many(ActionOfIncident)
    next = _text(null=True)
