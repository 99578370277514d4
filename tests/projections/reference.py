"""
A slow, obvious reference of what every derived answer means.

Written from the words of the specification, and sharing nothing with the
projections: for each question it goes through all events from the first, with
plain loops, keeps everything it comes across, and looks at it again and again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ledger.events import Event, Recorded
from ledger.values import instant

GRAVE = ("SEV-1", "SEV-2")
Key = tuple[datetime, int]


@dataclass
class Fact:
    """An event that counts, with its effective time."""

    at: datetime
    position: int
    event: Any

    @property
    def kind(self) -> str:
        return str(self.event.TOPIC)

    @property
    def key(self) -> Key:
        return self.at, self.position


def facts(events: Sequence[Recorded], as_of: datetime, known_at: int) -> list[Fact]:
    """All that counts at a moment, in order of (effective time, position)."""
    known = [each for each in events if each.position <= known_at]
    holding: set[int] = set()
    for each in sorted(known, key=lambda each: -each.position):
        if each.event.TOPIC in ("record.corrected", "record.retracted") and not _retracted(each, known, holding):
            holding.add(each.position)
    found = []
    for each in known:
        if each.event.TOPIC.startswith("record.") or _retracted(each, known, holding):
            continue
        event, time = _corrected(each, known, holding)
        effective = min(time, each.recorded_at)
        if effective <= as_of:
            found.append(Fact(effective, each.position, event))
    return sorted(found, key=lambda each: each.key)


def _retracted(target: Recorded, known: Iterable[Recorded], holding: set[int]) -> bool:
    return any(
        each.position in holding
        and each.event.TOPIC == "record.retracted"
        and getattr(each.event, "position", None) == target.position
        for each in known
    )


def _corrected(target: Recorded, known: Iterable[Recorded], holding: set[int]) -> tuple[Event, datetime]:
    event, time = target.event, target.occurred_at
    for each in sorted(known, key=lambda each: each.position):
        said: Any = each.event
        if each.position not in holding or said.TOPIC != "record.corrected" or said.position != target.position:
            continue
        if said.field == "time":
            time = instant(said.value)
        else:
            event = replace(event, **{said.field: said.value})
    return event, time


def setting(all_facts: Sequence[Fact], service: str, environment: str, name: str, until: Key, default: Any) -> Any:
    """A setting as it holds at a point of the order: the service's own first."""
    own, general = None, None
    for each in all_facts:
        if each.kind == "environment.configured" and each.event.environment == environment and each.key <= until:
            value = getattr(each.event, name)
            if value is not None and each.event.service == service:
                own = value
            if value is not None and each.event.service is None:
                general = value
    if own is not None:
        return own
    return default if general is None else general


# What runs in a slot


@dataclass(eq=False)
class Artifact:
    version: str
    digest: str | None
    installed: bool = False


@dataclass(eq=False)
class Release:
    """A completed release; it is live once its version has been deployed, where there are deployments."""

    artifact: Artifact
    key: Key
    rollback: str | None
    implied: bool
    live: bool


@dataclass(eq=False)
class Period:
    artifact: Artifact
    start: Key
    change: str
    rollback: str | None
    releases: list[Release] = field(default_factory=list)
    end: Key | None = None
    ended_by: str | None = None


@dataclass(eq=False)
class Rollback:
    id: str
    to: Artifact
    decided: Key | None = None
    from_version: str | None = None
    incident: str | None = None
    started: bool = False
    succeeded: bool = False
    failed: bool = False
    cancelled: bool = False
    verified: bool = False
    ineffective: bool = False
    reached: Key | None = None
    overtaken: Key | None = None


class Slot:
    """One service in one environment, walked through from its first fact."""

    def __init__(self, all_facts: Sequence[Fact], service: str, environment: str) -> None:
        self.all_facts, self.service, self.environment = all_facts, service, environment
        self.known: list[Artifact] = []
        self.latest: dict[str, Artifact] = {}
        self.told: list[tuple[Key, Artifact]] = []
        self.periods: list[Period] = []
        self.completed: list[Release] = []
        self.rollbacks: list[Rollback] = []
        self.verdicts: list[tuple[str, Artifact, Key, str | None]] = []
        self.open: dict[str, dict[str, Any]] = {}
        self.deployed: tuple[Artifact, datetime] | None = None
        self.doubt = False
        self.changes: list[tuple[int, str, str]] = []
        self.has_deployments = self.has_release_steps = False
        for fact in self.all_facts:
            event = fact.event
            if (getattr(event, "service", None), getattr(event, "environment", None)) != (
                self.service,
                self.environment,
            ) or fact.kind.startswith(("incident.", "environment.", "alert.", "metric.", "mitigation.")):
                continue
            self.now, topic = fact.key, fact.kind
            if topic.startswith("deployment."):
                self.has_deployments = True
            if topic in ("release.started", "release.exposed", "release.completed", "release.aborted"):
                if not self.has_release_steps:
                    self._void_implied(self.artifact(event.version, getattr(event, "digest", None)))
                self.has_release_steps = True
            self._take(fact, topic, event)

    def _void_implied(self, artifact: Artifact) -> None:
        """What is current only by implication, and is what the first release step is for, was none from here on."""
        current = self.current
        if current is None or current.artifact is not artifact or not all(each.implied for each in current.releases):
            return
        # Releases that it overtook while they waited stay overtaken; those that came after it wait on.
        last = max(each.key for each in current.releases)
        kept = [each for each in self.completed if each not in current.releases]
        self.completed = [each for each in kept if each.live or each.key > last]
        self.periods.pop()
        self.changes = [each for each in self.changes if each[0] != current.start[1]]
        if self.periods and self.periods[-1].end == current.start:
            self.periods[-1].end = self.periods[-1].ended_by = None
        for each in self.rollbacks:
            each.reached = None if each.reached == current.start else each.reached
            each.overtaken = None if each.overtaken == current.start else each.overtaken

    def _take(self, fact: Fact, topic: str, event: Any) -> None:
        if topic == "deployment.started":
            self.artifact(event.version, event.digest)
        elif topic == "deployment.failed":
            self.doubt = self.doubt or event.residual != "unchanged"
        elif topic == "deployment.succeeded":
            artifact = self.artifact(event.version, event.digest)
            self._install(artifact, fact)
            self._follow(fact)
            configured = setting(self.all_facts, self.service, self.environment, "deployment_releases", fact.key, None)
            released = configured if event.released is None else event.released
            implied = released is None and not self.has_release_steps
            if released or implied:
                self._complete(artifact, fact, None, implied=implied)
        elif topic == "service.removed":
            self._remove(fact)
        elif topic == "service.observed":
            self.doubt = False
        elif topic in ("release.started", "release.exposed"):
            before = self.open.get(event.release_id, {})
            self.open[event.release_id] = {
                "artifact": self.artifact(event.version, getattr(event, "digest", None)),
                "exposure": event.exposure,
                "audience": event.audience or (before.get("audience") if topic == "release.exposed" else None),
                "region": getattr(event, "region", None) or before.get("region"),
            }
        elif topic == "release.aborted":
            self.artifact(event.version, None)
            self.open.pop(event.release_id, None)
        elif topic == "release.completed":
            self.open.pop(event.release_id, None)
            self._complete(self.artifact(event.version, event.digest), fact, None, implied=False)
        elif topic in ("release.verified_good", "release.marked_bad", "release.cleared"):
            artifact = self.artifact(event.version, None)
            self.verdicts.append((topic.split(".")[1], artifact, fact.key, event.incident))
        elif topic.startswith("rollback.") and topic != "rollback.declined":
            self._rollback(fact, topic, event)

    def artifact_then(self, version: str, key: Key) -> Artifact | None:
        """The latest known of a version at a point of the order; before the first, the first."""
        same = [(each, artifact) for each, artifact in self.told if artifact.version == version]
        before = [artifact for each, artifact in same if each <= key]
        return before[-1] if before else next((artifact for _, artifact in same), None)

    def artifact(self, version: str, digest: str | None) -> Artifact:
        """(version, digest); without a digest it is the latest known of that version."""
        same = [each for each in self.known if each.version == version]
        if digest is None and same:
            return self.latest[version]
        if len(same) == 1 and same[0].digest is None:
            same[0].digest = digest
        found = [each for each in self.known if each.version == version and each.digest == digest]
        if not found:
            found = [Artifact(version, digest)]
            self.known += found
        self.latest[version] = found[0]
        self.told.append((self.now, found[0]))
        return found[0]

    @property
    def current(self) -> Period | None:
        return self.periods[-1] if self.periods and self.periods[-1].end is None else None

    def _install(self, artifact: Artifact, fact: Fact) -> None:
        self.doubt = False
        if self.deployed is None or self.deployed[0] is not artifact:
            self.deployed = (artifact, fact.at)
        artifact.installed = True
        for each in self.completed:
            if each.artifact is artifact:
                each.live = True

    def _complete(self, artifact: Artifact, fact: Fact, rollback: str | None, *, implied: bool) -> None:
        live = not self.has_deployments or artifact.installed or self.first_live(artifact) is not None
        self.completed.append(Release(artifact, fact.key, rollback, implied, live))
        self._follow(fact)

    def waiting(self) -> bool:
        """Whether a release that is later than the live one waits for its deployment."""
        return bool(self.completed) and not self.completed[-1].live

    def _follow(self, fact: Fact) -> None:
        """Current is the version of the latest live release."""
        live = [each for each in self.completed if each.live]
        if not live:
            return
        latest, current = live[-1], self.current
        if current is not None and current.artifact is latest.artifact:
            if latest not in current.releases:
                current.releases.append(latest)
            return
        change, rollback = self._kind(latest, fact)
        if current is not None:
            current.end, current.ended_by = fact.key, "rollback" if change == "rollback" else "change"
        self.periods.append(Period(latest.artifact, fact.key, change, rollback, [latest]))
        self.changes.append((fact.position, change, latest.artifact.version))
        for each in self.rollbacks:
            if each.reached is not None or each.overtaken:
                continue
            if each.to.version == latest.artifact.version:
                each.reached = fact.key
            elif not each.succeeded:
                each.overtaken = fact.key

    def _kind(self, release: Release, fact: Fact) -> tuple[str, str | None]:
        current, artifact = self.current, release.artifact
        if current is None:
            return ("restore" if self.periods else "first"), None
        if release.rollback is not None:
            return "rollback", release.rollback
        for each in reversed(self.rollbacks):
            if each.to.version == artifact.version and self._awaited(each, fact):
                return "rollback", each.id
        first, replaced = self.first_live(artifact), self.first_live(current.artifact)
        if first is None or replaced is None:
            return "forward", None
        return ("rollback" if first < replaced else "return_forward"), None

    def _awaited(self, rollback: Rollback, fact: Fact) -> bool:
        """Decided or started, and not cancelled, failed, lapsed or finished."""
        if rollback.succeeded or rollback.failed or rollback.cancelled or rollback.reached or rollback.overtaken:
            return False
        current = self.current.artifact.version if self.current else None
        if rollback.decided is not None and rollback.from_version != current:
            return False
        if rollback.started:
            return True
        if rollback.decided is None:
            return False
        if any(each.decided is not None and each.decided > rollback.decided for each in self.rollbacks):
            return False
        valid = setting(self.all_facts, self.service, self.environment, "valid_minutes", fact.key, 60)
        return fact.at - rollback.decided[0] < timedelta(minutes=valid)

    def first_live(self, artifact: Artifact) -> Key | None:
        return min((each.start for each in self.periods if each.artifact is artifact), default=None)

    def _remove(self, fact: Fact) -> None:
        if self.current is not None:
            self.changes.append((fact.position, "removed", self.current.artifact.version))
            self.current.ended_by = "removal"
            self.periods[-1].end = fact.key
        self.deployed, self.doubt = None, False
        self.completed, self.open = [], {}
        for each in self.rollbacks:
            if each.reached is None and each.overtaken is None:
                each.overtaken = fact.key

    def _rollback(self, fact: Fact, topic: str, event: Any) -> None:
        found = next((each for each in self.rollbacks if each.id == event.rollback_id), None)
        if topic in ("rollback.cancelled", "rollback.verified", "rollback.ineffective"):
            if found is None:
                return
            if topic == "rollback.cancelled":
                found.cancelled = True
            elif topic == "rollback.verified":
                found.verified = True
                self.verdicts.append(("verified_good", found.to, fact.key, event.incident))
            else:
                found.ineffective = True
            return
        artifact = self.artifact(event.to_version, getattr(event, "to_digest", None))
        if found is None:
            found = Rollback(event.rollback_id, artifact)
            self.rollbacks.append(found)
        if topic == "rollback.decided":
            found.to, found.decided, found.incident = artifact, fact.key, event.incident
            version = self.current.artifact.version if self.current else None
            found.from_version = event.from_version or version
            if version == artifact.version:
                found.reached = found.reached or fact.key
        elif topic == "rollback.started":
            found.started = True
        elif topic == "rollback.failed":
            found.failed = True
            self.doubt = self.doubt or event.residual != "unchanged"
        elif topic == "rollback.succeeded":
            self.open, found.succeeded = {}, True
            if event.mechanism in (None, "redeploy"):
                self._install(artifact, fact)
            self._complete(artifact, fact, found.id, implied=False)


# Incidents


@dataclass
class Incident:
    """What is known of an incident by some time: its events, in the order in which they were recorded."""

    id: str
    events: list[Fact]

    def by(self, at: datetime) -> "Incident":
        return Incident(self.id, [each for each in self.events if each.at <= at])

    def times(self, *kinds: str) -> list[datetime]:
        return [each.at for each in self.events if each.kind in kinds]

    @property
    def real(self) -> bool:
        modes = [each.event.mode for each in self.events if each.kind == "incident.declared"]
        return not modes or modes[-1] != "drill"

    @property
    def planned(self) -> bool:
        """Maintenance, as a person declared."""
        kinds = [each.event.kind for each in self.events if each.kind == "incident.declared"]
        return kinds[-1:] == ["maintenance"]

    @property
    def declared(self) -> bool:
        return bool(self.times("incident.declared"))

    @property
    def active(self) -> bool:
        return self.declared and not self.ended

    @property
    def ended(self) -> bool:
        """Resolved, closed, cancelled or merged; only reopening and unmerging go back."""
        state, before = "open", "open"
        for each in self.events:
            step = each.kind.partition(".")[2]
            if step == "reopened":
                state = "open"
            elif step == "unmerged" and state == "merged":
                state = before
            elif step == "merged":
                before = before if state == "merged" else state
                state = "merged"
            elif step == "cancelled":
                state = "cancelled"
            elif step in ("resolved", "closed") and state == "open":
                state = "ended"
        return state != "open"

    @property
    def severity(self) -> str | None:
        found = None
        for each in self.events:
            if each.kind == "incident.declared":
                found = each.event.severity
            elif each.kind == "incident.severity_changed":
                found = each.event.to
        return found

    @property
    def suggested(self) -> str | None:
        said = [each.event.suggested_severity for each in self.events if each.kind == "incident.detected"]
        return next((each for each in reversed(said) if each), None)

    @property
    def affected(self) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for each in self.events:
            if each.kind in (
                "incident.declared",
                "incident.detected",
                "incident.impact_started",
                "incident.impact_ended",
            ):
                found |= {(place.service, place.environment) for place in each.event.affected}
            elif each.kind == "incident.affected_changed":
                found |= {(place.service, place.environment) for place in each.event.add}
                found -= {(place.service, place.environment) for place in each.event.remove}
        return found

    @property
    def impact_start(self) -> datetime | None:
        starts = {each.event.window: each.at for each in self.events if each.kind == "incident.impact_started"}
        return min(starts.values(), default=None)

    @property
    def noticed(self) -> datetime | None:
        return min(self.times("incident.detected", "incident.declared"), default=None)

    @property
    def began(self) -> datetime | None:
        known = [each for each in (self.noticed, self.impact_start) if each is not None]
        return min(known, default=None)

    def grave_at(self, at: datetime) -> bool:
        """A real SEV-1 or SEV-2: declared, or detected as such less than 24 hours ago and not declared."""
        then = self.by(at)
        if not then.real or then.planned or then.ended:
            return False
        if then.declared:
            return then.severity in GRAVE
        detected = then.times("incident.detected")
        return bool(detected) and then.suggested in GRAVE and at - detected[0] < timedelta(hours=24)

    @property
    def was_grave(self) -> bool:
        """Whether it was a SEV-1 or SEV-2 at any step of it, or was detected as one and never declared."""
        if self.planned:
            return False
        for index in range(len(self.events)):
            then = Incident(self.id, self.events[: index + 1])
            if then.real and not then.planned and then.active and then.severity in GRAVE:
                return True
        detected = self.times("incident.detected")
        undeclared = not self.declared and self.suggested in GRAVE
        return undeclared and bool(detected) and not self.by(min(detected)).ended

    def naming(self, slot: Slot, artifact: Artifact) -> list[Fact]:
        return [
            each
            for each in self.events
            if each.kind in ("incident.version_implicated", "incident.version_exonerated")
            and (each.event.service, each.event.environment) == (slot.service, slot.environment)
            and slot.artifact_then(each.event.version, each.key) is artifact
        ]

    def implicates(self, slot: Slot, artifact: Artifact) -> Fact | None:
        """The implication of an artifact that stands."""
        named = sorted(self.naming(slot, artifact), key=lambda each: each.key)
        return named[-1] if named and named[-1].kind == "incident.version_implicated" else None

    def exonerates(self, slot: Slot, artifact: Artifact) -> list[Key]:
        return [each.key for each in self.naming(slot, artifact) if each.kind == "incident.version_exonerated"]


def incidents(all_facts: Sequence[Fact]) -> list[Incident]:
    found: dict[str, list[Fact]] = {}
    for each in sorted(all_facts, key=lambda each: each.position):
        if each.kind.startswith("incident."):
            found.setdefault(each.event.incident, []).append(each)
    return [Incident(name, events) for name, events in found.items()]


# Known good


class Judge:
    """Judges the versions of one slot at one moment."""

    def __init__(self, all_facts: Sequence[Fact], service: str, environment: str, as_of: datetime) -> None:
        self.all_facts, self.as_of = all_facts, as_of
        self.slot = Slot(all_facts, service, environment)
        self.incidents = incidents(all_facts)
        self.real = [each for each in self.incidents if each.real]
        self.soak = timedelta(minutes=self.setting("soak_minutes", 10))

    def setting(self, name: str, default: Any) -> Any:
        end = (self.as_of, 2**62)
        return setting(self.all_facts, self.slot.service, self.slot.environment, name, end, default)

    def affects(self, incident: Incident) -> bool:
        return (self.slot.service, self.slot.environment) in incident.affected

    def periods(self, artifact: Artifact) -> list[Period]:
        return [each for each in self.slot.periods if each.artifact is artifact]

    def live_time(self, artifact: Artifact, since: datetime | None = None) -> timedelta:
        total = timedelta()
        for each in self.periods(artifact):
            start = each.start[0] if since is None else max(since, each.start[0])
            end = self.as_of if each.end is None else each.end[0]
            total += max(timedelta(), end - start)
        return total

    def verdict(self, artifact: Artifact, *kinds: str) -> Key | None:
        said = [key for kind, about, key, _ in self.slot.verdicts if about is artifact and kind in kinds]
        return max(said, default=None)

    def basis(self, artifact: Artifact) -> str | None:
        """Rule 1."""
        if self.verdict(artifact, "verified_good") is not None:
            return "verified"
        return "soaked" if self.live_time(artifact) >= self.soak else None

    def blockers(self, artifact: Artifact) -> set[str]:
        found = set()
        if self.rolled_back_from(artifact):
            found.add("rolled_back_from")
        if self.marked_bad(artifact):
            found.add("marked_bad")
        if self.implicated(artifact):
            found.add("implicated")
        if any(self.suspect(artifact, each) for each in self.real):
            found.add("suspect")
        return found | {f"artifact_{each}" for each in self.unavailable(artifact)}

    def rolled_back_from(self, artifact: Artifact) -> bool:
        """Rule 2."""
        ends = []
        for period, after in zip(self.slot.periods, self.slot.periods[1:], strict=False):
            if period.artifact is artifact and period.ended_by == "rollback" and self._counts(after):
                ends.append(period.end)
        if not ends:
            return False
        latest = max(each for each in ends if each is not None)
        spoken = self.verdict(artifact, "verified_good", "cleared")
        if spoken is not None and spoken > latest:
            return False
        return self.live_time(artifact, latest[0]) < self.soak

    def _counts(self, after: Period) -> bool:
        rollback = next((each for each in self.slot.rollbacks if each.id == after.rollback), None)
        if rollback is not None and rollback.ineffective:
            return False
        if rollback is not None and rollback.decided is not None:
            return True
        end = after.start[0]
        for each in self.real:
            began = each.began
            if self.affects(each) and each.was_grave and began is not None and end <= began <= end + timedelta(hours=2):
                return False
        return not any(each.implicates(self.slot, after.artifact) for each in self.real)

    def marked_bad(self, artifact: Artifact) -> bool:
        """Rule 3."""
        relief = self.verdict(artifact, "verified_good", "cleared")
        marks = [
            (key, incident)
            for kind, about, key, incident in self.slot.verdicts
            if kind == "marked_bad" and about is artifact and (relief is None or key > relief)
        ]
        if not marks:
            return False
        key, about = max(marks, key=lambda each: each[0])
        return not any(
            exonerated > key
            for each in self.real
            if about in (None, each.id)
            for exonerated in each.exonerates(self.slot, artifact)
        )

    def implicated(self, artifact: Artifact) -> bool:
        """Rule 3."""
        relief = self.verdict(artifact, "verified_good", "cleared")
        for each in self.real:
            standing = each.implicates(self.slot, artifact)
            if standing is not None and (relief is None or standing.key > relief):
                return True
        return False

    def suspect(self, artifact: Artifact, incident: Incident) -> bool:
        """Rule 4."""
        if not self.affects(incident) or incident.times("incident.cause_elsewhere") or incident.planned:
            return False
        began, noticed = incident.began, incident.noticed
        if began is None or noticed is None or self._excepted(artifact, incident, began):
            return False
        if not self._under_it(artifact, incident, noticed):
            return False
        if incident.grave_at(self.as_of):
            return True
        return any(
            period.end is not None and period.end[0] >= began and incident.grave_at(period.end[0])
            for period in self.periods(artifact)
        )

    def _under_it(self, artifact: Artifact, incident: Incident, noticed: datetime) -> bool:
        """Live at detection, declaration or since, or for more than ten minutes after the first impact start."""
        if any(each.end is None or each.end[0] > noticed for each in self.periods(artifact)):
            return True
        start = incident.impact_start
        return start is not None and self.live_time(artifact, start) > timedelta(minutes=10)

    def _excepted(self, artifact: Artifact, incident: Incident, began: datetime) -> bool:
        for each in self.slot.rollbacks:
            if each.to is artifact and each.decided is not None and each.decided[0] >= began and not each.cancelled:
                return True
        if any(each.change == "rollback" and each.start[0] >= began for each in self.periods(artifact)):
            return True
        relief = self.verdict(artifact, "verified_good", "cleared")
        if relief is not None and relief[0] >= began:
            return True
        return bool(incident.exonerates(self.slot, artifact))

    def _artifact_facts(self, artifact: Artifact) -> list[Fact]:
        return [
            each
            for each in self.all_facts
            if each.kind.startswith("artifact.")
            and each.event.service == self.slot.service
            and each.event.version == artifact.version
            and (each.event.digest is None or artifact.digest is None or each.event.digest == artifact.digest)
        ]

    def unavailable(self, artifact: Artifact) -> set[str]:
        """Rule 5."""
        found: set[str] = set()
        for each in self._artifact_facts(artifact):
            if each.kind in ("artifact.deleted", "artifact.quarantined"):
                found.add(each.kind.partition(".")[2])
            elif each.kind == "artifact.restored":
                found = set()
            elif each.kind == "artifact.checked" and each.event.available:
                found.discard("unavailable")
            elif each.kind == "artifact.checked":
                found.add("unavailable")
        return found

    def warnings(self, artifact: Artifact) -> set[str]:
        found = set()
        last = self.periods(artifact)[-1]
        until = self.as_of if last.end is None else last.end[0]
        place = (self.slot.service, self.slot.environment)
        mine = [
            each
            for each in self.all_facts
            if (getattr(each.event, "service", None), getattr(each.event, "environment", None)) == place
        ]
        for each in mine:
            irreversible = each.kind == "migration.applied" and each.event.reversibility == "irreversible"
            # One migrates for the next version, and then releases it.
            for_another = irreversible and each.event.version != artifact.version and each.at > last.start[0]
            if irreversible and (each.at > until or for_another):
                found.add("irreversible_migration")
        checks = [
            each.at
            for each in self._artifact_facts(artifact)
            if each.kind == "artifact.checked" and each.event.available
        ]
        if not checks or self.as_of - max(checks) > timedelta(hours=24):
            found.add("artifact_not_checked")
        found |= self._approval(artifact, mine)
        if self.basis(artifact) is None:
            found.add("too_little_soak")
        if self.as_of - until > timedelta(days=30):
            found.add("last_live_over_30_days_ago")
        if self._frozen():
            found.add("environment_frozen")
        origin = self.setting("promotes_from", None)
        if origin is not None and not self._promoted(artifact, origin):
            found.add("never_live_in_promotes_from")
        return found

    def _approval(self, artifact: Artifact, mine: Sequence[Fact]) -> set[str]:
        approved: set[str | None] = set()
        for each in mine:
            if each.kind == "release.approved" and each.event.version == artifact.version:
                approved.add(each.event.digest)
            elif each.kind == "release.approval_revoked" and each.event.version == artifact.version:
                approved = set() if each.event.digest is None else approved - {each.event.digest}
        if not approved:
            return {"approval_missing"} if self.setting("approval_required", None) else set()
        if artifact.digest is None or None in approved or artifact.digest in approved:
            return set()
        return {"approval_for_other_digest"}

    def _frozen(self) -> bool:
        for scope in (self.slot.service, None):
            frozen = None
            for each in self.all_facts:
                if each.kind not in ("environment.frozen", "environment.unfrozen"):
                    continue
                if each.event.environment == self.slot.environment and each.event.service == scope:
                    frozen = each.event if each.kind == "environment.frozen" else None
            if frozen is not None and (frozen.until is None or self.as_of < instant(frozen.until)):
                return True
        return False

    def _promoted(self, artifact: Artifact, origin: str) -> bool:
        return any(
            each.artifact.version == artifact.version
            and (artifact.digest is None or each.artifact.digest in (None, artifact.digest))
            for each in Slot(self.all_facts, self.slot.service, origin).periods
        )

    def candidates(self) -> list[Artifact]:
        current = self.slot.current
        found: list[Artifact] = []
        for period in self.slot.periods:
            if period.artifact not in found and (current is None or period.artifact is not current.artifact):
                found.append(period.artifact)
        found.sort(key=lambda each: self.periods(each)[-1].start, reverse=True)
        found.sort(key=lambda each: not self._before(each))
        found.sort(key=lambda each: bool(self.blockers(each)))
        return found

    def _before(self, artifact: Artifact) -> bool:
        current = self.slot.current
        if current is None:
            return True
        mine, its = self.slot.first_live(artifact), self.slot.first_live(current.artifact)
        return mine is not None and its is not None and mine < its

    def last_known_good(self) -> Artifact | None:
        good = [
            each
            for each in self.slot.known
            if self.periods(each) and self.basis(each) is not None and not self.blockers(each)
        ]
        return max(good, key=lambda each: self.periods(each)[-1].start, default=None)

    def target_reached(self) -> Rollback | None:
        """
        The newest decision's target is current, and this is news: it was not
        judged yet, and is fresh or its incident still active.
        """
        decided = [each for each in self.slot.rollbacks if each.decided is not None and not each.cancelled]
        if not decided or self.slot.current is None:
            return None
        newest = max(decided, key=lambda each: each.decided or (self.as_of, 0))
        if newest.to.version != self.slot.current.artifact.version or newest.verified or newest.ineffective:
            return None
        if newest.reached is None:
            return None
        valid = timedelta(minutes=self.setting("valid_minutes", 60))
        open_incident = any(each.id == newest.incident and each.active for each in self.incidents)
        return newest if self.as_of - newest.reached[0] < valid or open_incident else None

    def target(self) -> Artifact | None:
        if self.target_reached() is not None:
            return None
        return next((each for each in self.candidates() if not self.blockers(each) and self._before(each)), None)


def answer(
    events: Sequence[Recorded], service: str, environment: str, as_of: datetime, known_at: int
) -> dict[str, Any]:
    """Everything that is derived for one slot at one moment, in a form that is easy to compare."""
    judge = Judge(facts(events, as_of, known_at), service, environment, as_of)
    slot, current, good, target = judge.slot, judge.slot.current, judge.last_known_good(), judge.target()
    reached = judge.target_reached()
    taken = sum(each["exposure"] or 0 for each in slot.open.values() if not (each["audience"] or each["region"]))
    return {
        "deployed": slot.deployed and (*_name(slot.deployed[0]), slot.deployed[1]),
        "current": current and (*_name(current.artifact), current.start[0], max(0, 100 - taken)),
        "open": {
            name: (*_name(each["artifact"]), each["exposure"], each["audience"], each["region"])
            for name, each in slot.open.items()
        },
        "certain": not slot.doubt and not slot.waiting(),
        "last_known_good": good and (*_name(good), judge.basis(good)),
        "rollback_target": target and _name(target),
        "target_reached": reached and (reached.id, *_name(reached.to)),
        "active_incidents": sorted(
            (each.id, each.severity, not each.real) for each in judge.incidents if each.active and judge.affects(each)
        ),
        "candidates": [
            (*_name(each), judge.basis(each), judge.blockers(each), judge.warnings(each)) for each in judge.candidates()
        ],
        "changes": slot.changes,
    }


def _name(artifact: Artifact) -> tuple[str, str | None]:
    return artifact.version, artifact.digest


def plan(events: Sequence[Recorded], environment: str, to: datetime, as_of: datetime, known_at: int) -> dict[str, Any]:
    """What returning an environment to a moment would change."""
    now, then = facts(events, as_of, known_at), facts(events, to, known_at)
    services = sorted(
        {
            each.event.service
            for each in now
            if getattr(each.event, "environment", None) == environment and getattr(each.event, "service", None)
        }
    )
    found: dict[str, Any] = {"items": [], "appeared": [], "removed": [], "unchanged": 0}
    for service in services:
        slot = Slot(now, service, environment)
        present, past = slot.current, Slot(then, service, environment).current
        if past is None:
            found["appeared"] += [service] if present is not None else []
        elif present is None:
            found["removed"].append(service)
        elif present.artifact is _as_known(slot, past.artifact):
            found["unchanged"] += 1
        else:
            found["items"].append((service, _name(present.artifact), _name(past.artifact)))
    return found


def _as_known(slot: Slot, artifact: Artifact) -> Artifact | None:
    """An artifact in a later state of its slot, where its digest may have been learnt."""
    same = [each for each in slot.known if each.version == artifact.version]
    if artifact.digest is None:
        return same[0] if same else None
    return next((each for each in same if each.digest == artifact.digest), None)
