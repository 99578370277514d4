"""
The shapes of figures over many incidents and deployments, for the OpenAPI document.

The answers themselves are made by the projections; a test holds each reply
against its shape.
"""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from api.slot_replies import Frame
from projections.incident_measures import LEFT_OUT, SEVERITIES
from projections.selection import BY


def _said(description: str | None) -> dict[str, Any]:
    return {} if description is None else {"description": description}


def _text(description: str | None = None, *, null: bool = False, enum: tuple[str, ...] = ()) -> fields.String:
    metadata = _said(description) | ({"enum": [*enum, *([None] if null else [])]} if enum else {})
    return fields.String(required=True, allow_none=null, metadata=metadata)


def _count(description: str | None = None) -> fields.Integer:
    return fields.Integer(required=True, metadata=_said(description))


def _number(description: str | None = None, *, null: bool = True) -> fields.Float:
    return fields.Float(required=True, allow_none=null, metadata=_said(description))


def _truth(description: str | None = None) -> fields.Boolean:
    return fields.Boolean(required=True, metadata=_said(description))


def _time(*, null: bool = False) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=null)


def _one(schema: type[Schema], *, null: bool = False) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=null)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


def _positions() -> fields.List[Any]:
    return fields.List(fields.Integer(), required=True, metadata=_said("the events that it comes from"))


class MetricDefinition(Schema):
    """What a measure means, from which time to which, which events say so, and when it is missing."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _text(null=True)}

    name = _text()
    title = _text()
    unit = _text(enum=("seconds", "deployments", "ratio"))
    to = _text(null=True)
    text = _text()
    source = fields.List(fields.String(), required=True)
    missing = _text()


class MetricTime(Schema):
    name = _text()
    time = _time(null=True)
    position = fields.Integer(required=True, allow_none=True)


class MetricLength(Schema):
    """A length of time between two named times; `contradictory` where it is below zero."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _one(MetricTime)}

    seconds = _number()
    to = _one(MetricTime)
    contradictory = _truth()


class IncidentLength(MetricLength):
    incident = _text()


class DeploymentNamed(Schema):
    service = _text()
    environment = _text()
    version = _text()
    deployment_id = _text()


class DeploymentLength(MetricLength, DeploymentNamed):
    pass


class LengthQuantile(Schema):
    """With the positions of the one or two values that it comes from."""

    seconds = _number(null=False)
    positions = _positions()


class MetricSpread(Schema):
    """`values` are in order of length; `missing_of` and `open_of` have what is known of the others."""

    n = _count("how many values there are")
    missing = _count("how many have none, since a time was not recorded")
    open = _count("how many may still change, since what they are of goes on; no part of n")
    contradictory = _count("how many values are below zero; part of n")
    median = _one(LengthQuantile, null=True)
    p90 = _one(LengthQuantile, null=True)


class IncidentSpread(MetricSpread):
    values = _many(IncidentLength)
    missing_of = _many(IncidentLength)
    open_of = _many(IncidentLength)


class DeploymentSpread(MetricSpread):
    values = _many(DeploymentLength)
    missing_of = _many(DeploymentLength)
    open_of = _many(DeploymentLength)


class IncidentSpreads(Schema):
    time_to_detect = _one(IncidentSpread)
    time_to_declare = _one(IncidentSpread)
    time_to_acknowledge = _one(IncidentSpread)
    time_to_decide = _one(IncidentSpread)
    time_to_execute = _one(IncidentSpread)
    time_to_verify = _one(IncidentSpread)
    time_to_mitigate = _one(IncidentSpread)
    time_to_resolve = _one(IncidentSpread)


class IncidentCounted(Schema):
    incident = _text()
    severity = _text("the worst that it ever had", null=True, enum=SEVERITIES)
    declared = _time()
    position = _count("of its declaration")
    open = _truth()


class IncidentsLeftOut(Schema):
    n = _count()
    incidents = fields.List(fields.String(), required=True)


class LeftOut(Schema):
    """By why; of several reasons the first of these."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {name: _one(IncidentsLeftOut) for name in LEFT_OUT}


class CountBySeverity(Schema):
    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {name: _count() for name in SEVERITIES}


class PartOfPeriod(Schema):
    """`whole`: the period has all of that month or week."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _time()}

    whole = _truth()
    to = _time()


class MetricGroup(Schema):
    group = _text("the service, environment, team, month or week; null where nobody named one", null=True)
    part = _one(PartOfPeriod, null=True)


class IncidentFigures(Schema):
    counted = _count("incidents that count, open ones too")
    open = _count()
    by_severity = _one(CountBySeverity)
    left_out = _one(LeftOut)
    incidents = _many(IncidentCounted)
    measures = _one(IncidentSpreads)


class IncidentGroup(IncidentFigures, MetricGroup):
    pass


class MetricsAsked(Frame):
    """What was asked, and what the figures mean."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _time(null=True)}

    to = _time(null=True)
    zone = _text()
    service = _text(null=True)
    environment = _text(null=True)
    team = _text(null=True)
    by = _text(null=True, enum=BY)
    definitions = _many(MetricDefinition)
    quantiles = _text("which definition of quantiles is meant")


class IncidentMetrics(MetricsAsked, IncidentFigures):
    groups = _many(IncidentGroup)


class EnvironmentCounted(Schema):
    """Whether an environment counts as production, and because of what."""

    environment = _text()
    tier = _text(null=True)
    counted = _truth()
    because = _text(enum=("tier", "name"))
    services = _count()


class DeploymentsAside(Schema):
    """What is no deployment, and is counted beside them."""

    failed = _count("attempts that failed")
    cancelled = _count("attempts that were cancelled")
    rollback = _count("rollbacks recorded as such")
    repeated = _count("deployments told again")


class CountTimes(Schema):
    deployments = _count()
    times = _count("how many whole days or weeks had so many")


class DeploymentsIn(Schema):
    """A day or week with deployments."""

    class Meta:
        include: ClassVar[dict[str, fields.Field[Any]]] = {"from": _time()}

    name = _text()
    whole = _truth()
    deployments = _count()
    positions = _positions()


class FrequencySpread(Schema):
    n = _count("whole days or weeks")
    cut = _count("those that the period, or the first deployment, cuts")
    median = _number()
    p90 = _number()
    spread = _many(CountTimes)
    values = _many(DeploymentsIn)


class DeploymentFrequency(Schema):
    since = _time(null=True)
    days = _one(FrequencySpread)
    weeks = _one(FrequencySpread)


class LeadTimes(DeploymentSpread):
    again = _count("deployments of a commit that had been deployed there before")


class DeploymentAt(DeploymentNamed):
    time = _time()
    position = _count()


class InterventionNeeded(Schema):
    code = _text(enum=("rolled_back", "implicated"))
    incident = _text(null=True)
    seconds_after = _number("after the deployment succeeded")
    time = _time()
    position = _count()


class FailedDeployment(DeploymentAt):
    because = _many(InterventionNeeded)


class WithoutDeployment(InterventionNeeded):
    service = _text()
    environment = _text()
    version = _text()


class ChangeFailRate(Schema):
    failed = _count()
    deployments = _count()
    ratio = _number("failed over deployments; null where there is none")
    values = _many(FailedDeployment)
    unmatched = fields.List(
        fields.Nested(WithoutDeployment),
        required=True,
        metadata=_said("rollbacks from and implications of what no recorded deployment brought"),
    )


class ReworkReason(Schema):
    code = _text(enum=("names_incident", "chosen_instead", "carries_out_rollback"))
    incident = _text()
    position = _count()


class ReworkDeployment(DeploymentAt):
    because = _many(ReworkReason)


class DeploymentReworkRate(Schema):
    rework = _count()
    deployments = _count()
    ratio = _number("rework over deployments; null where there is none")
    in_incident = _count("deployments that merely fell into an incident, too")
    values = _many(ReworkDeployment)


class DeliveryMeasures(Schema):
    deployment_frequency = _one(DeploymentFrequency)
    change_lead_time = _one(LeadTimes)
    change_fail_rate = _one(ChangeFailRate)
    failed_deployment_recovery_time = _one(DeploymentSpread)
    deployment_rework_rate = _one(DeploymentReworkRate)


class DeliveryFigures(Schema):
    deployments = _count()
    aside = _one(DeploymentsAside)
    measures = _one(DeliveryMeasures)


class DeliveryGroup(DeliveryFigures, MetricGroup):
    pass


class DeliveryMetrics(MetricsAsked, DeliveryFigures):
    environments = _many(EnvironmentCounted)
    groups = _many(DeliveryGroup)
