"""
A tiny language for histories, so that a test of the projections reads like a timeline.

    story.at("10:00").deployed("A")
    story.at("10:30").deployed("B")
    story.at("10:40").declared("INC-1", "SEV-1")
    assert story.target() == "A"

Times are those of one Monday ("10:00", "10:00:01.5"), of a later day
("+3d 10:00"), or RFC 3339. What is told is recorded at that moment, or later
where `recorded` says so; recorded times never fall, as in the ledger. Every
verb returns the position. The record is a list in memory, the read models are
the real ones in a folder.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from ledger.codec import amend
from ledger.contract import accept, members
from ledger.disclosures import REDACTED
from ledger.events import EVENTS, FACT, Event, Recorded, Submitter
from ledger.values import instant, rfc3339
from projections.answers import Answers
from projections.facts import Moment

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

ADA = Submitter("person-ada", "token", "human")
PIPELINE = Submitter("pipeline-1", "token", "machine")

VERBS = {
    "published": "artifact.published version",
    "deleted": "artifact.deleted version",
    "quarantined": "artifact.quarantined version",
    "checked": "artifact.checked version available",
    "restored": "artifact.restored version",
    "deploying": "deployment.started version",
    "deployed": "deployment.succeeded version",
    "deployment_failed": "deployment.failed version residual",
    "deployment_cancelled": "deployment.cancelled version",
    "removed": "service.removed",
    "reconfigured": "configuration.changed change_id",
    "migrated": "migration.applied migration_id version reversibility",
    "approved": "release.approved version",
    "approval_revoked": "release.approval_revoked version",
    "release_started": "release.started version exposure",
    "exposed": "release.exposed version exposure",
    "released": "release.completed version",
    "aborted": "release.aborted version",
    "verified_good": "release.verified_good version",
    "marked_bad": "release.marked_bad version",
    "cleared": "release.cleared version",
    "feature_enabled": "feature.enabled feature",
    "feature_disabled": "feature.disabled feature",
    "frozen": "environment.frozen",
    "unfrozen": "environment.unfrozen",
    "maintenance": "maintenance.scheduled from to",
    "configured": "environment.configured",
    "decided": "rollback.decided to_version rollback_id",
    "declined": "rollback.declined chosen",
    "rollback_cancelled": "rollback.cancelled rollback_id",
    "rollback_started": "rollback.started to_version rollback_id",
    "rolled_back": "rollback.succeeded to_version rollback_id",
    "rollback_failed": "rollback.failed to_version rollback_id",
    "rollback_verified": "rollback.verified rollback_id",
    "rollback_ineffective": "rollback.ineffective rollback_id",
    "detected": "incident.detected incident suggested_severity",
    "declared": "incident.declared incident severity",
    "acknowledged": "incident.acknowledged incident",
    "severity_changed": "incident.severity_changed incident from to",
    "affected_changed": "incident.affected_changed incident",
    "impact_started": "incident.impact_started incident",
    "impact_ended": "incident.impact_ended incident",
    "suspected": "incident.version_suspected incident version",
    "implicated": "incident.version_implicated incident version",
    "exonerated": "incident.version_exonerated incident version",
    "cause_elsewhere": "incident.cause_elsewhere incident",
    "mitigated": "incident.mitigated incident",
    "resolved": "incident.resolved incident",
    "closed": "incident.closed incident",
    "incident_cancelled": "incident.cancelled incident",
    "reopened": "incident.reopened incident",
    "merged": "incident.merged incident into",
    "unmerged": "incident.unmerged incident into",
    "corrected": "record.corrected position field value",
    "retracted": "record.retracted position",
}
"""The verbs of the language: the type of event that each tells, and the members given without their name."""


def digest(name: str) -> str:
    """A digest that goes by a short name."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def time(text: str) -> datetime:
    """The moment that a text of the language names."""
    if "T" in text:
        return instant(text)
    day, _, clock = text.rpartition(" ")
    midnight = MONDAY + timedelta(days=int(day.strip("+d") or 0))
    return datetime.combine(midnight, datetime.strptime(f"{clock}:00"[:8], "%H:%M:%S").time(), UTC) + timedelta(
        seconds=float("0" + clock[8:])
    )


class MemoryRecord:
    """A record over a list."""

    def __init__(self, events: Sequence[Recorded] = ()) -> None:
        self.events: list[Recorded] = list(events)
        self._streams: dict[str, list[Recorded]] = {}
        for each in self.events:
            self._streams.setdefault(each.stream, []).append(each)

    def add(self, recorded: Recorded) -> None:
        self.events.append(recorded)
        self._streams.setdefault(recorded.stream, []).append(recorded)

    def redact(self, position: int, fields: Sequence[str]) -> None:
        """Takes words away, as the ledger does: what stands there then is told by all who read."""
        old = self.events[position - 1]
        event = replace(old.event, **dict.fromkeys(fields, REDACTED))
        new = replace(old, event=event, redacted=tuple(f"/{name}" for name in fields))
        self.events[position - 1] = new
        own = self._streams[old.stream]
        own[own.index(old)] = new

    def revision(self, stream: str) -> int:
        return len(self._streams.get(stream, ()))

    def head(self) -> int:
        return len(self.events)

    def read(self, after: int, until: int) -> Iterator[Recorded]:
        return iter(self.events[after:until])

    def stream(self, name: str, until: int) -> Iterator[Recorded]:
        return (each for each in list(self._streams.get(name, ())) if each.position <= until)

    def at(self, positions: list[int]) -> Iterator[Recorded]:
        return (self.events[each - 1] for each in positions)

    def amend(self, recorded: Recorded, changes: Mapping[str, Any]) -> Recorded:
        return amend(recorded, changes)


class Story:
    """One history as it is told, and the answers about it; `service` and `environment` are what it is about."""

    def __init__(self, folder: Path, service: str = "web", environment: str = "production") -> None:
        self.folder, self.service, self.environment = folder, service, environment
        self.record = MemoryRecord()
        self.answers = Answers(self.record, folder)
        self.clock = self.recorded = MONDAY
        self.zone: tzinfo = UTC

    def close(self) -> None:
        self.answers.tables.close()

    # Telling

    def at(self, moment: str, recorded: str | None = None) -> "Story":
        """What comes next happens at this moment, and is recorded at it or at another."""
        self.clock = time(moment)
        self.recorded = max(self.recorded, self.clock if recorded is None else time(recorded))
        if recorded is not None and not self.record.events:
            self.recorded = time(recorded)
        return self

    def __getattr__(self, verb: str) -> Any:
        if verb not in VERBS:
            raise AttributeError(f"nothing is told by {verb!r}")
        topic, *names = VERBS[verb].split()
        return partial(self._tell, topic, names)

    def _tell(self, topic: str, names: list[str], *values: Any, by: Submitter | None = None, **more: Any) -> int:
        given = dict(zip(names, values, strict=False)) | {name.rstrip("_"): value for name, value in more.items()}
        return self.add(topic, by, **given)

    def observed(self, *versions: str, **more: Any) -> int:
        """What an observer saw running."""
        return self.add("service.observed", running=[{"version": each} for each in versions], **more)

    def redacted(self, position: int, *fields: str) -> int:
        """Words of an event are gone for ever."""
        self.record.redact(position, fields)
        return self.add("record.redacted", position=position, fields=list(fields))

    def add(self, topic: str, by: Submitter | None = None, /, **data: Any) -> int:
        """An event of any type, what it needs and what nobody said filled in."""
        cls = EVENTS[topic]
        given = {name: value for name, value in data.items() if value is not None or name == "value"}
        event = accept(cls, self._defaults(cls, given) | given)
        position, text = self.record.head() + 1, self._written(self.clock)
        stream = event.stream
        self.record.add(
            Recorded(
                position=position,
                stream=stream,
                revision=self.record.revision(stream) + 1,
                source="story",
                id=str(position),
                time=text,
                occurred_at=self.clock,
                recorded_at=self.recorded,
                submitter=by or (PIPELINE if cls.WHO is FACT else ADA),
                event=event,
            )
        )
        return position

    def _written(self, moment: datetime) -> str:
        """A moment as sources there write it: `zone` is that of their clocks."""
        return rfc3339(moment) if self.zone is UTC else moment.astimezone(self.zone).isoformat()

    def _defaults(self, cls: type[Event], given: Mapping[str, Any]) -> dict[str, Any]:
        """What a required member is where the story does not say."""
        number = self.record.head() + 1
        defaults = {
            "service": self.service,
            "environment": self.environment,
            "reason": "as told",
            "summary": "as told",
            "title": "as told",
            "kind": "outage",
            "basis": "judgement",
            "authority": "as told",
            "deployment_id": f"deployment-{number}",
            "release_id": f"release-{given.get('version')}",
            "rollback_id": f"rollback-{given.get('to_version')}",
        }
        needed = {name for name, member in members(cls).items() if member.required}
        if cls.TOPIC in ("incident.declared", "incident.detected"):
            return {name: value for name, value in defaults.items() if name in needed} | {
                "affected": [{"service": self.service, "environment": self.environment}]
            }
        return {name: value for name, value in defaults.items() if name in needed}

    # Asking

    def moment(self, as_of: str | None = None, known_at: int | None = None) -> Moment:
        """As the API has it: the moment of `known_at` by default, else now."""
        self.answers.runner.catch_up()
        if known_at is not None:
            recorded = self.record.events[known_at - 1].recorded_at if known_at else MONDAY
            return Moment(recorded if as_of is None else time(as_of), known_at)
        now = max(self.clock, self.recorded)
        return Moment(now if as_of is None else time(as_of), self.record.head(), now=as_of is None)

    def slot(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> dict[str, Any] | None:
        with self.answers.at(self.moment(as_of, known_at)) as reader:
            return reader.slot(*self._where(where))

    def candidates(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> list[dict[str, Any]]:
        with self.answers.at(self.moment(as_of, known_at)) as reader:
            found: list[dict[str, Any]] = reader.candidates(*self._where(where))["items"]
            return found

    def history(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> list[dict[str, Any]]:
        """Oldest first, as stories are told."""
        with self.answers.at(self.moment(as_of, known_at)) as reader:
            return reader.history(*self._where(where), after=None, limit=1000)[::-1]

    def plan(self, to: str, *services: str, as_of: str | None = None, known_at: int | None = None) -> dict[str, Any]:
        moment = self.moment(as_of, known_at)
        with self.answers.at(moment) as reader:
            return reader.plan(self.environment, Moment(time(to), moment.known_at), services)

    def artifact(self, name: str, as_of: str | None = None, known_at: int | None = None) -> dict[str, Any] | None:
        with self.answers.at(self.moment(as_of, known_at)) as reader:
            return reader.artifact(digest(name))

    def _where(self, where: Mapping[str, str]) -> tuple[str, str]:
        return where.get("service", self.service), where.get("environment", self.environment)

    # Asking in short

    def current(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> str | None:
        return _version(self.slot(as_of, known_at, **where), "current")

    def deployed_version(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> str | None:
        return _version(self.slot(as_of, known_at, **where), "deployed")

    def good(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> str | None:
        return _version(self.slot(as_of, known_at, **where), "last_known_good")

    def target(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> str | None:
        return _version(self.slot(as_of, known_at, **where), "rollback_target")

    def certain(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> bool:
        reply = self.slot(as_of, known_at, **where)
        return reply is not None and reply["certain"]

    def ranked(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> list[str]:
        """The candidates' versions, in order."""
        return [each["version"] for each in self.candidates(as_of, known_at, **where)]

    def against(self, version: str, as_of: str | None = None, known_at: int | None = None, **where: str) -> set[str]:
        """The codes of a candidate's blockers."""
        return self._codes("blockers", version, as_of, known_at, where)

    def warned(self, version: str, as_of: str | None = None, known_at: int | None = None, **where: str) -> set[str]:
        """The codes of a candidate's warnings."""
        return self._codes("warnings", version, as_of, known_at, where)

    def _codes(
        self, kind: str, version: str, as_of: str | None, known_at: int | None, where: Mapping[str, str]
    ) -> set[str]:
        found = next(each for each in self.candidates(as_of, known_at, **where) if each["version"] == version)
        return {each["code"] for each in found[kind]}

    def changes(self, as_of: str | None = None, known_at: int | None = None, **where: str) -> list[tuple[str, str]]:
        """How the current version moved: (change, version), oldest first."""
        told = self.history(as_of, known_at, **where)
        return [(each["change"], each["version"]) for each in told if each["change"] is not None]


def _version(reply: Mapping[str, Any] | None, member: str) -> str | None:
    found = reply and reply[member]
    return found["version"] if found else None
