"""
The shape of a report as JSON, for the OpenAPI document: `lastgood-report/1`. A test holds replies against it.

What a reader of an older one may rely on: a member keeps its name and its
meaning for as long as `format` is the same; members may be added.
"""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from api.finding_replies import Finding
from api.incident_replies import (
    SEVERITIES,
    AffectedSlot,
    ImpactMeasured,
    ImpactWindow,
    IncidentLink,
    IncidentMeasure,
    IncidentMeasures,
    IncidentResponse,
    IncidentSeverities,
    IncidentStep,
    MitigationTold,
    NamedVersion,
    TimeAndPosition,
    TimelineEntry,
)
from api.postmortem_replies import Deed, PostmortemAction, RegimeReporting
from api.slot_replies import HistoryItem, KnownGood, Reason, Target
from projections.postmortem import STATUSES
from projections.report import AUDIENCES, FORMAT


def _text(description: str = "", *, null: bool = False, enum: tuple[str, ...] = ()) -> fields.String:
    metadata: dict[str, Any] = {"description": description} if description else {}
    if enum:
        metadata["enum"] = [*enum, None] if null else list(enum)
    return fields.String(required=True, allow_none=null, metadata=metadata)


def _time(*, null: bool = True) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=null)


def _number(*, null: bool = False) -> fields.Float:
    return fields.Float(required=True, allow_none=null)


def _whole(*, null: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=null)


def _truth(description: str = "", *, null: bool = False) -> fields.Boolean:
    return fields.Boolean(required=True, allow_none=null, metadata={"description": description} if description else {})


def _positions() -> fields.List[Any]:
    return fields.List(fields.Integer(), required=True)


def _one(schema: type[Schema], *, null: bool = True) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=null)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


class ReportSpan(Schema):
    since = _time(null=False)
    until = _time(null=False)


class ReportPositions(Schema):
    """What the report rests on: the first and the last position, and how many."""

    first = _whole()
    last = _whole()
    count = _whole()


class ReportSeverity(Schema):
    initial = _text(null=True, enum=tuple(SEVERITIES))
    peak = _text(null=True, enum=tuple(SEVERITIES))
    final = _text(null=True, enum=tuple(SEVERITIES))


class ReportCheckpoint(Schema):
    """The first signed checkpoint that covers all positions of the report; `root` in base64."""

    origin = _text()
    size = _whole()
    root = _text()


class ReportCover(Schema):
    title = _text(null=True)
    kind = _text(null=True)
    mode = _text(enum=("real", "drill"))
    counted = _truth()
    state = _text(null=True)
    status = _text("of the postmortem", enum=STATUSES)
    severity = _one(ReportSeverity, null=False)
    suggested_severity = _text(null=True, enum=tuple(SEVERITIES))
    affected = _many(AffectedSlot)
    owner = _text("of the postmortem", null=True)
    commander = _text(null=True)
    began = _time()
    declared = _one(TimeAndPosition)
    resolved = _one(TimeAndPosition)
    first_resolved = _one(TimeAndPosition)
    ended = _time()
    cycles = _whole()
    merged_into = _text(null=True)
    leads_to = _text(null=True)
    due = _time()
    due_position = _whole(null=True)
    overdue = _truth()
    checkpoint = _one(ReportCheckpoint)


class ReportSummary(Schema):
    sentence = _text("made of the figures")
    text = _text("Markdown, as its author wrote it", null=True)


class ReportMeasure(IncidentMeasure):
    estimated = _truth("one of its two times is an estimate")


class ReportMeasures(IncidentMeasures):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {
            name: _one(ReportMeasure, null=False)
            for name in "time_to_detect time_to_declare time_to_acknowledge time_to_decide time_to_execute "
            "time_to_verify time_to_mitigate time_to_resolve".split()
        }


class ReportStep(Schema):
    """`seconds`: since the step before."""

    step = _text()
    time = _time()
    position = _whole(null=True)
    estimated = _truth()
    reached_by = _text("the measure that ends with it", null=True)
    seconds = _number(null=True)


class ReportSubmitter(Schema):
    """`id` for auditors alone."""

    id = _text(null=True)
    name = _text(null=True)
    kind = _text(enum=("human", "machine"))


class ReportEvidence(Schema):
    label = _text()
    url = _text()
    sha256 = fields.String()


class ReportEntry(TimelineEntry):
    """`folded_into`: the name of the group that it is told in where the timeline is long."""

    source = _text(null=True)
    submitter = _one(ReportSubmitter, null=False)
    local = _text("the time as people there write it, with its zone")
    lane = _text("in the picture", enum=("severity", "impact", "version", "alert", "action", "decision", "other"))
    evidence = _many(ReportEvidence)
    folded_into = _text(null=True)


class InstalledPeriod(Schema):
    version = _text()
    digest = _text(null=True)
    since = _time()
    until = _time()
    position = _whole()
    until_position = _whole(null=True)


class LivePeriod(InstalledPeriod):
    how = _text(null=True)
    rollback_id = _text(null=True)
    implied = _truth("live by being deployed, where releases are not told apart")


class KnownGoodThen(KnownGood):
    reasons = _many(Reason)


class Sight(TimeAndPosition):
    """What one could go back to at a moment, by all that is known by now."""

    at = _text(enum=("impact_started", "declared"))
    current = _text(null=True)
    last_known_good = _one(KnownGoodThen)
    rollback_target = _one(Target)


class ReportVersions(AffectedSlot):
    periods = _many(LivePeriod)
    installed = _many(InstalledPeriod)
    deployments = _many(HistoryItem)
    last_known_good = _one(KnownGoodThen)
    rollback_target = _one(Target)
    sights = _many(Sight)


class ReportDeed(TimeAndPosition):
    by = _text(null=True)


class ImpactAfter(Schema):
    seconds = _number()
    positions = _positions()


class ReportRollback(AffectedSlot):
    """Decided, released, deployed, live and effective are told apart; `helped` is a person's judgement, or null."""

    rollback_id = _text(null=True)
    from_version = _text(null=True)
    to_version = _text(null=True)
    to_digest = _text(null=True)
    mechanism = _text(null=True)
    plan = _text(null=True)
    decided = _one(ReportDeed)
    started = _one(ReportDeed)
    released = _one(ReportDeed)
    deployed = _one(ReportDeed)
    succeeded = _one(ReportDeed)
    failed = _one(ReportDeed)
    verified = _one(ReportDeed)
    ineffective = _one(ReportDeed)
    cancelled = _one(ReportDeed)
    live = _one(TimeAndPosition)
    deployed_live = _truth(null=True)
    state = _text()
    helped = _truth(null=True)
    impact_after = _one(ImpactAfter)
    reason = _text(null=True)
    alternatives = fields.List(fields.Dict(), required=True)
    positions = _positions()


class ReportBound(TimeAndPosition):
    basis = _text(null=True)
    precision = _text(null=True)
    estimated = _truth()


class ReportWindow(ImpactWindow):
    start = _one(ReportBound)
    end = _one(ReportBound)


class ReportImpact(Schema):
    """`complete`: every window has a start and an end; `estimated`: how long it was in all rests on an estimate."""

    seconds = _number(null=True)
    ongoing = _truth()
    complete = _truth()
    estimated = _truth()
    windows = _many(ReportWindow)
    measured = _many(ImpactMeasured)


class SeveritySpan(Schema):
    severity = _text(null=True, enum=tuple(SEVERITIES))
    since = _time(null=False)
    until = _time()
    position = _whole(null=True)


class ReportSeverities(IncidentSeverities):
    spans = _many(SeveritySpan)


class ReportAlert(Schema):
    """`count`: how often it fired."""

    fingerprint = _text()
    name = _text(null=True)
    severity = _text(null=True)
    service = _text(null=True)
    environment = _text(null=True)
    fired = _one(TimeAndPosition)
    resolved = _one(TimeAndPosition)
    count = _whole()


class ReportDetection(Schema):
    by = _text(null=True, enum=("alert", "machine", "person"))
    discovered_by = _text(null=True)
    reported_by = _text(null=True)
    time = _time()
    position = _whole(null=True)
    alerts = _many(ReportAlert)


class ReportRole(Schema):
    role = _text()
    since = _time(null=False)
    until = _time()
    position = _whole()
    until_position = _whole(null=True)


class ReportPerson(Schema):
    person = _text()
    roles = _many(ReportRole)
    joined = _one(TimeAndPosition, null=False)


class CommandGap(Schema):
    since = _time(null=False)
    until = _time(null=False)
    seconds = _number()
    positions = _positions()


class ReportExpected(IncidentResponse):
    position = _whole(null=True)


class ReportResponse(Schema):
    people = _many(ReportPerson)
    without_commander = _many(CommandGap)
    expected = _one(ReportExpected)


class ReportCause(ReportDeed):
    statement = _text()
    category = _text(null=True)


class ReportCauses(Schema):
    trigger = _many(ReportCause)
    root = _many(ReportCause)
    contributing = _many(ReportCause)
    implicated = _many(NamedVersion)
    elsewhere = _one(IncidentStep)


class ReportSection(Deed):
    text = _text("Markdown, as its author wrote it")
    revisions = _whole()
    earlier = _positions()


class ReportDecision(TimeAndPosition):
    type = _text()
    what = _text()
    service = _text(null=True)
    environment = _text(null=True)
    by = _text()
    roles = fields.List(fields.String(), required=True)
    role = _text(null=True)
    reason = _text(null=True)
    lag = _text(null=True)
    alternatives = fields.List(fields.Dict(), required=True)


class SimilarIncident(Schema):
    incident = _text()
    title = _text(null=True)
    severity = _text(null=True)
    mode = _text()
    state = _text(null=True)
    began = _time()
    why = fields.List(fields.String(), required=True)
    positions = _positions()


class ReportLink(IncidentLink):
    title = _text(null=True)
    severity = _text(null=True)
    state = _text(null=True)
    began = _time()


class CustomerMessage(Deed):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _text(enum=("section", "update"))}

    text = _text()


class AmendedEvent(Schema):
    """A correction or retraction; `about` is the position of what it is about."""

    about = _whole()
    type = _text()
    position = _whole()
    recordedtime = _time(null=False)
    reason = _text(null=True)
    decided_by = _text(null=True)


class CorrectedEvent(AmendedEvent):
    field = _text()
    was = fields.Raw(required=True, allow_none=True)
    now = fields.Raw(required=True, allow_none=True)


class LateEvent(TimeAndPosition):
    type = _text()
    recordedtime = _time(null=False)
    lag_seconds = _number()
    lag = _text(null=True)


class EarlyEvent(Schema):
    position = _whole()
    type = _text()
    claimed_time = _time(null=False)
    recordedtime = _time(null=False)


class ReportQuality(Schema):
    corrections = _many(CorrectedEvent)
    retractions = _many(AmendedEvent)
    late = _many(LateEvent)
    ahead = _many(EarlyEvent)
    marks = _many(Reason)
    redacted = _positions()


class AppendixEvent(TimeAndPosition):
    """`leaf`: the leaf hash, in hexadecimal digits."""

    type = _text()
    recordedtime = _time(null=False)
    redacted = fields.List(fields.String(), required=True)
    leaf = _text()


class FigureDefinition(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _text(null=True)}

    name = _text()
    title = _text()
    unit = _text()
    to = _text(null=True)
    text = _text()
    source = fields.List(fields.String(), required=True)
    missing = _text()


class PublishedReport(ReportDeed):
    audience = _text(null=True)


class Report(Schema):
    """Everything that is said about one incident, of one moment, for one audience. Every figure names its positions."""

    format = _text(enum=(FORMAT,))
    incident = _text()
    audience = _text(enum=AUDIENCES)
    zone = _text("in which its times are read")
    as_of = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "only where it was asked for"}
    )
    moment = _time(null=False)
    span = _one(ReportSpan)
    positions = _one(ReportPositions, null=False)
    cover = _one(ReportCover, null=False)
    summary = _one(ReportSummary, null=False)
    measures = _one(ReportMeasures, null=False)
    lifecycle = _many(ReportStep)
    timeline = _many(ReportEntry)
    versions = _many(ReportVersions)
    rollbacks = _many(ReportRollback)
    mitigations = _many(MitigationTold)
    impact = _one(ReportImpact, null=False)
    severities = _one(ReportSeverities, null=False)
    detection = _one(ReportDetection, null=False)
    response = _one(ReportResponse, null=False)
    causes = _one(ReportCauses, null=False)
    sections = fields.Dict(keys=fields.String(), values=fields.Nested(ReportSection), required=True)
    decisions = _many(ReportDecision)
    actions = _many(PostmortemAction)
    similar = _many(SimilarIncident)
    links = _many(ReportLink)
    customer_message = _one(CustomerMessage)
    reporting = _many(RegimeReporting)
    findings = _many(Finding)
    quality = _one(ReportQuality, null=False)
    appendix = _many(AppendixEvent)
    definitions = _many(FigureDefinition)
    published = _one(PublishedReport)
