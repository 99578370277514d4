"""
What can happen: the catalogue of events, and `Recorded`, the envelope that readers get.

This is the contract between the ledger and everything that reads it. Each
event is a plain frozen dataclass whose `TOPIC` is its name for ever: code may
move, the stored history stays readable. A member's wire name is its field
name without a trailing underscore (`from_` is `from`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, dataclass_transform

from ledger.values import (
    Address,
    AnyJson,
    ArtifactDigest,
    AtLeast,
    Choice,
    Count,
    DayOrMoment,
    Environment,
    FreeText,
    HexSha256,
    Identifier,
    Integer,
    Line,
    Moment,
    Percent,
    Person,
    Position,
    Quantity,
    Service,
    TextLabels,
    Truth,
    Version,
    Word,
    stream_name,
)

Severity = Annotated[str, Choice(("SEV-1", "SEV-2", "SEV-3"))]
Residual = Annotated[str, Choice(("unchanged", "partial", "unknown"))]
Mechanism = Annotated[str, Choice(("redeploy", "traffic", "feature"))]


class Who(Enum):
    """Who may have an event recorded."""

    FACT = "fact"
    DECISION = "decision"
    ADMIN_DECISION = "admin decision"
    LEDGER = "ledger"


FACT, DECISION, ADMIN_DECISION, LEDGER = Who.FACT, Who.DECISION, Who.ADMIN_DECISION, Who.LEDGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    label: Line
    url: Address
    sha256: HexSha256 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A slot, named in an event of another stream."""

    service: Service
    environment: Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    version: Version
    digest: ArtifactDigest | None = None
    replicas: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; the members that every event may bear."""

    TOPIC: ClassVar[str]
    WHO: ClassVar[Who]
    STREAM: ClassVar[tuple[str, ...]]
    PROTECTED: ClassVar[frozenset[str]] = frozenset(
        "reason text title summary statement briefing decided_by person author owner contact payload annotations".split()
    )
    LEDGER_SETS: ClassVar[frozenset[str]] = frozenset()

    reason: FreeText | None = None
    decided_by: Person | None = None
    evidence: tuple[Evidence, ...] = ()
    labels: TextLabels | None = None
    incident: Identifier | None = None

    @property
    def stream(self) -> str:
        """The stream that the event belongs to, by the members that its kind of stream is named after."""
        kind, *members = self.STREAM
        return stream_name(kind, *(str(getattr(self, name)) for name in members))


EVENTS: dict[str, type[Event]] = {}
"""Every event class by its permanent name."""

_E = TypeVar("_E", bound=Event)

_SLOT = ("slot", "service", "environment")
_SERVICE = ("service", "service")
_ENVIRONMENT = ("environment", "environment")
_INCIDENT = ("incident", "incident")
_RECORD = ("record", "position")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _shared(cls: type[_E]) -> type[_E]:
    """Members that several events have in common; no event itself."""
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _event(topic: str, who: Who, stream: tuple[str, ...]) -> Callable[[type[_E]], type[_E]]:
    def register(cls: type[_E]) -> type[_E]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.TOPIC, made.WHO, made.STREAM = topic, who, stream
        EVENTS[topic] = made
        return made

    return register


# What several events share


@_shared
class _OfArtifact(Event):
    service: Service
    version: Version
    digest: ArtifactDigest | None = None


@_shared
class _InSlot(Event):
    service: Service
    environment: Environment


@_shared
class _OfVersion(_InSlot):
    version: Version


@_shared
class _OfDeployment(_OfVersion):
    deployment_id: Identifier


@_shared
class _OfBuild(_OfDeployment):
    digest: ArtifactDigest | None = None
    commit: Identifier | None = None
    committed_at: Moment | None = None
    author: Person | None = None
    build_url: Address | None = None
    strategy: Word | None = None
    targets: tuple[Line, ...] = ()
    restores: Version | None = None


@_shared
class _OfRelease(_OfVersion):
    release_id: Identifier


@_shared
class _Approval(_OfVersion):
    digest: ArtifactDigest | None = None
    change_ticket: Line | None = None


@_shared
class _Verdict(_OfVersion):
    reason: FreeText


@_shared
class _OfFeature(_InSlot):
    feature: Identifier
    exposure: Percent | None = None
    audience: Line | None = None
    provider: Line | None = None


@_shared
class _Freeze(Event):
    environment: Environment
    reason: FreeText
    service: Service | None = None
    until: Moment | None = None


@_shared
class _OfRollback(_InSlot):
    rollback_id: Identifier


@_shared
class _RollbackStep(_OfRollback):
    to_version: Version


@_shared
class _RollbackJudged(_OfRollback):
    reason: FreeText


@_shared
class _OfIncident(Event):
    incident: Identifier


@_shared
class _WithReason(_OfIncident):
    reason: FreeText


@_shared
class _OfRole(_OfIncident):
    PROTECTED: ClassVar[frozenset[str]] = Event.PROTECTED | {"from"}

    role: Word
    person: Person
    from_: Person | None = None
    briefing: FreeText | None = None


@_shared
class _OfImpact(_OfIncident):
    basis: Annotated[str, Choice(("alert", "log", "report", "judgement"))]
    window: Identifier | None = None
    affected: tuple[Place, ...] = ()
    level: Word | None = None
    precision: Word | None = None


@_shared
class _NamesVersion(_OfIncident):
    service: Service
    environment: Environment
    version: Version


@_shared
class _BlamesVersion(_NamesVersion):
    reason: FreeText
    relation: Annotated[str, Choice(("caused", "contributed"))] | None = None


@_shared
class _EndsIncident(_WithReason):
    affected: tuple[Place, ...] = ()


@_shared
class _Merging(_WithReason):
    into: Identifier


@_shared
class _OfAlert(Event):
    fingerprint: Identifier
    name: Line
    service: Service | None = None
    environment: Environment | None = None
    severity: Word | None = None
    annotations: AnyJson | None = None
    url: Address | None = None
    started_at: Moment | None = None


@_shared
class _OfShift(Event):
    rota: Identifier
    person: Person
    from_: Moment
    to: Moment
    services: tuple[Service, ...] = ()
    contact: Line | None = None


@_shared
class _OfAction(_OfIncident):
    action_id: Identifier


@_shared
class _OfPostmortem(_OfIncident):
    audience: Line | None = None


@_shared
class _OfAccess(Event):
    subject: Identifier
    roles: tuple[Word, ...] = ()
    bindings: AnyJson | None = None
    query: AnyJson | None = None


# Artifacts


@_event("artifact.published", FACT, _SERVICE)
class ArtifactPublished(_OfArtifact):
    purl: Address | None = None
    uri: Address | None = None
    repository: Address | None = None
    commit: Identifier | None = None
    committed_at: Moment | None = None
    author: Person | None = None
    build_url: Address | None = None


@_event("artifact.deleted", FACT, _SERVICE)
class ArtifactDeleted(_OfArtifact):
    reason: FreeText


@_event("artifact.quarantined", FACT, _SERVICE)
class ArtifactQuarantined(_OfArtifact):
    reason: FreeText


@_event("artifact.checked", FACT, _SERVICE)
class ArtifactChecked(_OfArtifact):
    available: Truth
    checker: Line | None = None


@_event("artifact.restored", FACT, _SERVICE)
class ArtifactRestored(_OfArtifact):
    reason: FreeText


# Deployments


@_event("deployment.started", FACT, _SLOT)
class DeploymentStarted(_OfBuild):
    pass


@_event("deployment.succeeded", FACT, _SLOT)
class DeploymentSucceeded(_OfBuild):
    released: Truth | None = None


@_event("deployment.failed", FACT, _SLOT)
class DeploymentFailed(_OfDeployment):
    residual: Residual | None = None


@_event("deployment.cancelled", FACT, _SLOT)
class DeploymentCancelled(_OfDeployment):
    pass


@_event("service.removed", FACT, _SLOT)
class ServiceRemoved(_InSlot):
    version: Version | None = None


@_event("service.observed", FACT, _SLOT)
class ServiceObserved(_InSlot):
    running: tuple[Running, ...]
    observer: Line | None = None


@_event("configuration.changed", FACT, _SLOT)
class ConfigurationChanged(_InSlot):
    change_id: Identifier
    summary: FreeText
    reversible: Truth | None = None
    digest: ArtifactDigest | None = None
    url: Address | None = None


@_event("migration.applied", FACT, _SLOT)
class MigrationApplied(_OfVersion):
    migration_id: Identifier
    reversibility: Annotated[str, Choice(("reversible", "additive", "irreversible"))]
    datastore: Line | None = None


# Releases and features


@_event("release.approved", DECISION, _SLOT)
class ReleaseApproved(_Approval):
    pass


@_event("release.approval_revoked", DECISION, _SLOT)
class ReleaseApprovalRevoked(_Approval):
    pass


@_event("release.started", FACT, _SLOT)
class ReleaseStarted(_OfRelease):
    exposure: Percent | None = None
    audience: Line | None = None
    digest: ArtifactDigest | None = None


@_event("release.exposed", FACT, _SLOT)
class ReleaseExposed(_OfRelease):
    exposure: Percent
    audience: Line | None = None
    region: Line | None = None


@_event("release.completed", FACT, _SLOT)
class ReleaseCompleted(_OfRelease):
    digest: ArtifactDigest | None = None


@_event("release.aborted", FACT, _SLOT)
class ReleaseAborted(_OfRelease):
    reason: FreeText


@_event("release.verified_good", DECISION, _SLOT)
class ReleaseVerifiedGood(_Verdict):
    pass


@_event("release.marked_bad", DECISION, _SLOT)
class ReleaseMarkedBad(_Verdict):
    pass


@_event("release.cleared", DECISION, _SLOT)
class ReleaseCleared(_Verdict):
    pass


@_event("feature.enabled", FACT, _SLOT)
class FeatureEnabled(_OfFeature):
    pass


@_event("feature.disabled", FACT, _SLOT)
class FeatureDisabled(_OfFeature):
    pass


@_event("environment.frozen", DECISION, _ENVIRONMENT)
class EnvironmentFrozen(_Freeze):
    pass


@_event("environment.unfrozen", DECISION, _ENVIRONMENT)
class EnvironmentUnfrozen(_Freeze):
    pass


@_event("maintenance.scheduled", DECISION, _ENVIRONMENT)
class MaintenanceScheduled(Event):
    environment: Environment
    from_: Moment
    to: Moment
    reason: FreeText
    services: tuple[Service, ...] = ()


@_event("environment.configured", ADMIN_DECISION, _ENVIRONMENT)
class EnvironmentConfigured(Event):
    environment: Environment
    service: Service | None = None
    tier: Word | None = None
    soak_minutes: Annotated[int, Integer(least=0, most=525_600)] | None = None
    deployment_releases: Truth | None = None
    approval_required: Truth | None = None
    promotes_from: Environment | None = None
    observed: Truth | None = None
    valid_minutes: Annotated[int, Integer(least=1, most=525_600)] | None = None
    owner: Person | None = None


# Rollbacks


@_event("rollback.decided", DECISION, _SLOT)
class RollbackDecided(_RollbackStep):
    """`seen` is what the decider could see, and is kept by the ledger itself."""

    LEDGER_SETS: ClassVar[frozenset[str]] = frozenset({"seen"})

    from_version: Version | None = None
    to_digest: ArtifactDigest | None = None
    plan: Identifier | None = None
    seen: AnyJson | None = None


_CHOICES = (
    "fix_forward revert_forward redeploy feature_disable config_change traffic_shift scale restore_data none".split()
)


@_event("rollback.declined", DECISION, _SLOT)
class RollbackDeclined(_InSlot):
    reason: FreeText
    chosen: Annotated[str, Choice(tuple(_CHOICES))]


@_event("rollback.cancelled", DECISION, _SLOT)
class RollbackCancelled(_RollbackJudged):
    pass


@_event("rollback.started", FACT, _SLOT)
class RollbackStarted(_RollbackStep):
    mechanism: Mechanism | None = None
    build_url: Address | None = None


@_event("rollback.succeeded", FACT, _SLOT)
class RollbackSucceeded(_RollbackStep):
    to_digest: ArtifactDigest | None = None
    mechanism: Mechanism | None = None


@_event("rollback.failed", FACT, _SLOT)
class RollbackFailed(_RollbackStep):
    residual: Residual | None = None


@_event("rollback.verified", DECISION, _SLOT)
class RollbackVerified(_RollbackJudged):
    pass


@_event("rollback.ineffective", DECISION, _SLOT)
class RollbackIneffective(_RollbackJudged):
    pass


# Incidents


@_event("incident.detected", FACT, _INCIDENT)
class IncidentDetected(_OfIncident):
    title: FreeText
    kind: Word | None = None
    affected: tuple[Place, ...] = ()
    suggested_severity: Severity | None = None
    alerts: tuple[Identifier, ...] = ()
    discovered_by: Line | None = None


@_event("incident.declared", DECISION, _INCIDENT)
class IncidentDeclared(_OfIncident):
    title: FreeText
    severity: Severity
    kind: Word
    affected: tuple[Place, ...] = ()
    mode: Annotated[str, Choice(("real", "drill"))] | None = None
    alerts: tuple[Identifier, ...] = ()


@_event("incident.acknowledged", DECISION, _INCIDENT)
class IncidentAcknowledged(_OfIncident):
    pass


@_event("incident.severity_changed", DECISION, _INCIDENT)
class IncidentSeverityChanged(_WithReason):
    from_: Severity
    to: Severity


@_event("incident.priority_changed", DECISION, _INCIDENT)
class IncidentPriorityChanged(_WithReason):
    to: Word
    from_: Word | None = None


@_event("incident.affected_changed", DECISION, _INCIDENT)
class IncidentAffectedChanged(_OfIncident):
    add: tuple[Place, ...] = ()
    remove: tuple[Place, ...] = ()


@_event("incident.role_assigned", DECISION, _INCIDENT)
class IncidentRoleAssigned(_OfRole):
    pass


@_event("incident.role_released", DECISION, _INCIDENT)
class IncidentRoleReleased(_OfRole):
    pass


@_event("incident.impact_started", FACT, _INCIDENT)
class IncidentImpactStarted(_OfImpact):
    pass


@_event("incident.impact_ended", FACT, _INCIDENT)
class IncidentImpactEnded(_OfImpact):
    pass


@_event("mitigation.applied", FACT, _INCIDENT)
class MitigationApplied(_OfIncident):
    kind: Word
    text: FreeText
    service: Service | None = None
    environment: Environment | None = None


@_event("incident.impact_measured", FACT, _INCIDENT)
class IncidentImpactMeasured(_OfIncident):
    measure: Line
    value: Quantity
    unit: Word
    method: Line | None = None


@_event("incident.note_added", FACT, _INCIDENT)
class IncidentNoteAdded(_OfIncident):
    text: FreeText
    role: Word | None = None
    pinned: Truth | None = None


@_event("incident.update_published", FACT, _INCIDENT)
class IncidentUpdatePublished(_OfIncident):
    audience: Line
    text: FreeText
    channel: Line | None = None


@_event("incident.version_suspected", FACT, _INCIDENT)
class IncidentVersionSuspected(_NamesVersion):
    rule: Line | None = None


@_event("incident.version_implicated", DECISION, _INCIDENT)
class IncidentVersionImplicated(_BlamesVersion):
    pass


@_event("incident.version_exonerated", DECISION, _INCIDENT)
class IncidentVersionExonerated(_BlamesVersion):
    pass


@_event("incident.cause_elsewhere", DECISION, _INCIDENT)
class IncidentCauseElsewhere(_WithReason):
    pass


@_event("incident.mitigated", DECISION, _INCIDENT)
class IncidentMitigated(_EndsIncident):
    pass


@_event("incident.resolved", DECISION, _INCIDENT)
class IncidentResolved(_EndsIncident):
    pass


@_event("incident.closed", DECISION, _INCIDENT)
class IncidentClosed(_EndsIncident):
    pass


@_event("incident.cancelled", DECISION, _INCIDENT)
class IncidentCancelled(_EndsIncident):
    pass


@_event("incident.classified", DECISION, _INCIDENT)
class IncidentClassified(_WithReason):
    regime: Word
    classification: Word
    criteria: AnyJson


@_event("incident.reported", DECISION, _INCIDENT)
class IncidentReported(_OfIncident):
    regime: Word
    kind: Annotated[str, Choice(("initial", "intermediate", "final"))]
    reference: Line


@_event("incident.reopened", DECISION, _INCIDENT)
class IncidentReopened(_WithReason):
    pass


@_event("incident.merged", DECISION, _INCIDENT)
class IncidentMerged(_Merging):
    pass


@_event("incident.unmerged", DECISION, _INCIDENT)
class IncidentUnmerged(_Merging):
    pass


@_event("incident.linked", DECISION, _INCIDENT)
class IncidentLinked(_OfIncident):
    other: Identifier
    relation: Word


# Signals and people


@_event("alert.fired", FACT, ("alert", "fingerprint"))
class AlertFired(_OfAlert):
    pass


@_event("alert.resolved", FACT, ("alert", "fingerprint"))
class AlertResolved(_OfAlert):
    pass


@_event("metric.observed", FACT, ("metric", "name"))
class MetricObserved(Event):
    name: Line
    value: Quantity
    unit: Word
    service: Service | None = None
    environment: Environment | None = None
    window_s: Quantity | None = None
    url: Address | None = None


@_event("oncall.assigned", FACT, ("rota", "rota"))
class OncallAssigned(_OfShift):
    pass


@_event("oncall.released", FACT, ("rota", "rota"))
class OncallReleased(_OfShift):
    pass


# Postmortems


@_event("postmortem.started", DECISION, _INCIDENT)
class PostmortemStarted(_OfIncident):
    owner: Person
    due: DayOrMoment | None = None


@_event("postmortem.section_written", DECISION, _INCIDENT)
class PostmortemSectionWritten(_OfIncident):
    section: Word
    text: FreeText


@_event("postmortem.cause_recorded", DECISION, _INCIDENT)
class PostmortemCauseRecorded(_OfIncident):
    statement: FreeText
    kind: Annotated[str, Choice(("root", "contributing", "trigger"))]
    category: Word | None = None


_ACTIONS = "prevent detect mitigate test monitoring guardrail documentation process".split()


@_event("postmortem.action_added", DECISION, _INCIDENT)
class PostmortemActionAdded(_OfAction):
    text: FreeText
    kind: Annotated[str, Choice(tuple(_ACTIONS))]
    owner: Person
    due: DayOrMoment | None = None
    ticket: Line | None = None


@_event("postmortem.action_completed", DECISION, _INCIDENT)
class PostmortemActionCompleted(_OfAction):
    pass


@_event("postmortem.action_cancelled", DECISION, _INCIDENT)
class PostmortemActionCancelled(_OfAction):
    pass


@_event("postmortem.reviewed", DECISION, _INCIDENT)
class PostmortemReviewed(_OfPostmortem):
    pass


@_event("postmortem.approved", DECISION, _INCIDENT)
class PostmortemApproved(_OfPostmortem):
    pass


@_event("postmortem.published", DECISION, _INCIDENT)
class PostmortemPublished(_OfPostmortem):
    pass


@_event("postmortem.waived", DECISION, _INCIDENT)
class PostmortemWaived(_OfPostmortem):
    pass


# The record itself


@_event("record.corrected", DECISION, _RECORD)
class RecordCorrected(Event):
    PROTECTED: ClassVar[frozenset[str]] = Event.PROTECTED | {"value"}

    position: Position
    field: Word
    value: AnyJson
    reason: FreeText


@_event("record.retracted", DECISION, _RECORD)
class RecordRetracted(Event):
    position: Position
    reason: FreeText


@_event("record.redacted", ADMIN_DECISION, _RECORD)
class RecordRedacted(Event):
    position: Position
    fields: Annotated[tuple[Word, ...], AtLeast(1)]
    reason: FreeText
    authority: Line


@_event("decision.seconded", DECISION, _RECORD)
class DecisionSeconded(Event):
    position: Position
    reason: FreeText


@_event("finding.accepted", DECISION, _RECORD)
class FindingAccepted(Event):
    """Lies in the stream of its first position."""

    rule: Word
    positions: Annotated[tuple[Position, ...], AtLeast(1)]
    reason: FreeText
    until: Moment | None = None

    @property
    def position(self) -> int:
        return min(self.positions)


@_event("access.granted", LEDGER, ("access", "subject"))
class AccessGranted(_OfAccess):
    pass


@_event("access.revoked", LEDGER, ("access", "subject"))
class AccessRevoked(_OfAccess):
    pass


@_event("access.refused", LEDGER, ("access", "subject"))
class AccessRefused(_OfAccess):
    pass


@_event("access.exported", LEDGER, ("access", "subject"))
class AccessExported(_OfAccess):
    pass


@_event("payload.received", FACT, ("inbox", "dialect"))
class PayloadReceived(Event):
    dialect: Word
    payload: AnyJson


# Envelopes


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who handed an event in: an opaque id, how they proved it, and what a verified CI identity claims."""

    id: str
    method: str
    kind: str
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    An event as the ledger keeps it. `occurred_at` and `recorded_at` are
    moments in UTC; `time` is what the source wrote.
    """

    position: int
    stream: str
    revision: int
    source: str
    id: str
    time: str
    occurred_at: datetime
    recorded_at: datetime
    submitter: Submitter
    event: Event
    correlation_id: str | None = None
    causation_id: str | None = None
    redacted: tuple[str, ...] = ()

    @property
    def effective_at(self) -> datetime:
        """When it counts from: a clock that ran ahead is taken back to the moment of recording."""
        return min(self.occurred_at, self.recorded_at)


class Record(Protocol):
    """Reads the record. Positions are dense, so `head` is also how many events there are."""

    def head(self) -> int:
        """The last position, 0 when there is none."""

    def read(self, after: int, until: int) -> Iterator[Recorded]:
        """Events in order of position, those with after < position <= until."""

    def stream(self, name: str, until: int) -> Iterator[Recorded]:
        """One stream's events in order, those with position <= until."""

    def at(self, positions: list[int]) -> Iterator[Recorded]:
        """The events at these positions, in the order given."""

    def amend(self, recorded: Recorded, changes: Mapping[str, Any]) -> Recorded:
        """The event with some members, by wire name, or its `time` as a correction says."""
