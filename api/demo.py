"""
A story to look at: a week of an invented shop, told as events.

Four services; a bad release, its SEV-1 and the rollback; a feature switched
off for a SEV-2; a SEV-3 left alone; a deployment in flight. Times are counted
back from the moment of loading, so that the last hour is the last hour.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.sight import Sighted
from ledger.application import Ledger
from ledger.authority import ADMIN, HUMAN, MACHINE, PIPELINE, RELAY, RESPONDER, Principal
from ledger.canonical import canonical
from ledger.codec import Draft
from ledger.contract import accept, event_class
from ledger.deciding import Command
from ledger.errors import LedgerError
from ledger.events import FACT
from ledger.values import rfc3339
from projections.answers import Answers

SOURCE = "urn:lastgood:demo"

PIPELINE_PRINCIPAL = Principal("demo-pipeline", MACHINE, frozenset({PIPELINE, RELAY}), method="local")
PERSON = Principal("demo-person", HUMAN, frozenset({RESPONDER, ADMIN}), method="local")

ANA, BEN, CHI, DEV = "Ana Lima", "Ben Okoro", "Chi Tran", "Devi Rao"


@dataclass
class Story:
    """Events as they would be sent, in the order in which they were recorded."""

    now: datetime
    events: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, ago: timedelta, topic: str, **data: Any) -> None:
        data = {name.rstrip("_"): value for name, value in data.items()}
        event = {"id": f"demo-{len(self.events) + 1}", "source": SOURCE, "type": topic, "data": data}
        self.events.append({**event, "time": rfc3339((self.now - ago).replace(microsecond=0))})

    def ship(self, ago: timedelta, service: str, version: str, *, environments: str = "staging production") -> None:
        """Published, approved where asked for, deployed and released, from one environment to the next."""
        digest = "sha256:" + hashlib.sha256(f"{service} {version}".encode()).hexdigest()
        commit = hashlib.sha256(f"commit {service} {version}".encode()).hexdigest()[:40]
        same = {"service": service, "version": version, "digest": digest}
        repository = f"https://git.example.test/shop/{service}"
        self.tell(ago, "artifact.published", **same, repository=repository, commit=commit, author=BEN)
        for index, environment in enumerate(environments.split()):
            then = ago - timedelta(minutes=25 * index)
            run = f"{service}-{version}-{environment}"
            place = {**same, "environment": environment}
            if environment == "production":
                self.tell(then + timedelta(minutes=4), "release.approved", **place, decided_by=CHI)
            build = {
                "deployment_id": run,
                "commit": commit,
                "committed_at": rfc3339(self.now - ago - timedelta(hours=3)),
            }
            self.tell(then + timedelta(minutes=3), "deployment.started", **place, **build)
            self.tell(then + timedelta(minutes=1), "deployment.succeeded", **place, **build, released=False)
            self.tell(then, "release.completed", release_id=run, **place)


class NotEmpty(LedgerError):
    """The record holds more than a story may be mixed with."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the record in {folder} holds real events, and what is recorded can never be removed: "
            "the story goes into a folder of its own (LASTGOOD_DATA, or --data)"
        )


def story(now: datetime) -> list[dict[str, Any]]:
    """Every event of the story, told at *now*."""
    told = Story(now)
    _first_week(told)
    _bad_release(told)
    _feature(told)
    _today(told)
    return told.events


def _days(days: float, minutes: float = 0) -> timedelta:
    return timedelta(days=days, minutes=minutes)


def _first_week(told: Story) -> None:
    for environment, settings in (
        ("staging", {"tier": "staging", "soak_minutes": 5}),
        (
            "production",
            {"tier": "production", "approval_required": True, "promotes_from": "staging", "soak_minutes": 30},
        ),
    ):
        told.tell(_days(9), "environment.configured", environment=environment, **settings)
    told.tell(
        _days(9),
        "oncall.assigned",
        rota="shop",
        person=ANA,
        from_=rfc3339(told.now - _days(9)),
        to=rfc3339(told.now + _days(5)),
        services=["checkout", "payments"],
    )
    for days, service, version in (
        (8.9, "checkout", "2.13.0"),
        (8.7, "payments", "1.4.1"),
        (8.5, "search", "88"),
        (8.4, "web", "main-6c14834-20261114"),
        (7.2, "checkout", "2.14.0"),
        (6.1, "payments", "1.4.2"),
        (5.3, "web", "main-a81f009-20261117"),
        (4.4, "search", "89"),
    ):
        told.ship(_days(days), service, version)
    told.tell(
        _days(4.2),
        "migration.applied",
        service="payments",
        environment="production",
        version="1.4.2",
        migration_id="0042_add_refund_index",
        reversibility="additive",
    )


def _bad_release(told: Story) -> None:
    """A bad release of checkout, its SEV-1, and the way back."""
    slot = {"service": "checkout", "environment": "production"}
    begin = _days(2)

    def at(minutes: float) -> timedelta:
        return begin - timedelta(minutes=minutes)

    told.ship(at(-1), "checkout", "2.15.0")
    incident = {"incident": "INC-2041"}
    told.tell(
        at(29), "alert.fired", fingerprint="checkout-5xx", name="Checkout 5xx ratio above 5 %", severity="page", **slot
    )
    told.tell(
        at(30), "incident.impact_started", **incident, basis="alert", affected=[slot], level="full", precision="minute"
    )
    told.tell(
        at(31),
        "incident.detected",
        **incident,
        title="Checkout answers 5xx to everyone",
        kind="outage",
        affected=[slot],
        suggested_severity="SEV-1",
        alerts=["checkout-5xx"],
    )
    told.tell(
        at(33),
        "incident.declared",
        **incident,
        title="Checkout answers 5xx to everyone",
        severity="SEV-1",
        kind="outage",
        affected=[slot],
        decided_by=ANA,
    )
    told.tell(at(34), "incident.acknowledged", **incident, decided_by=ANA)
    told.tell(at(34), "incident.role_assigned", **incident, role="commander", person=ANA, decided_by=ANA)
    told.tell(
        at(35), "metric.observed", name="checkout 5xx ratio", value=38.5, unit="%", window_s=60, **incident, **slot
    )
    rollback = {"rollback_id": "RB-17", **slot, "to_version": "2.14.0"}
    told.tell(
        at(36), "rollback.decided", **rollback, **incident, reason="Every checkout fails since 2.15.0", decided_by=ANA
    )
    told.tell(at(37), "rollback.started", **rollback)
    told.tell(at(40), "rollback.succeeded", **rollback)
    told.tell(at(42), "incident.impact_ended", **incident, basis="alert")
    told.tell(at(43), "alert.resolved", fingerprint="checkout-5xx", name="Checkout 5xx ratio above 5 %", **slot)
    told.tell(at(45), "incident.mitigated", **incident, reason="2.14.0 is live again", decided_by=ANA)
    told.tell(
        at(55),
        "rollback.verified",
        rollback_id="RB-17",
        **slot,
        reason="5xx ratio at 0.1 % for ten minutes",
        decided_by=ANA,
    )
    told.tell(
        at(70),
        "incident.version_implicated",
        **incident,
        **slot,
        version="2.15.0",
        relation="caused",
        reason="Its connection pool is opened once a request",
        decided_by=BEN,
    )
    told.tell(at(80), "incident.resolved", **incident, reason="Back to normal; the fix is on its way", decided_by=ANA)
    told.tell(at(90), "artifact.checked", service="checkout", version="2.13.0", available=True, checker="registry")
    told.ship(at(22 * 60), "checkout", "2.15.1")


def _feature(told: Story) -> None:
    """A SEV-2 that ends by switching a feature off, and a SEV-3 that is left alone."""
    slot = {"service": "search", "environment": "production"}

    def at(minutes: float) -> timedelta:
        return timedelta(hours=20) - timedelta(minutes=minutes)

    told.tell(at(-200), "feature.enabled", feature="typo-tolerance", **slot, exposure=100)
    incident = {"incident": "INC-2042"}
    told.tell(
        at(0),
        "incident.detected",
        **incident,
        title="Search is slow for long queries",
        kind="latency",
        affected=[slot],
        suggested_severity="SEV-2",
    )
    told.tell(
        at(4),
        "incident.declared",
        **incident,
        title="Search is slow for long queries",
        severity="SEV-2",
        kind="latency",
        affected=[slot],
        decided_by=BEN,
    )
    told.tell(
        at(9),
        "rollback.declined",
        **slot,
        **incident,
        chosen="feature_disable",
        reason="Only queries with typo tolerance are slow",
        decided_by=BEN,
    )
    told.tell(at(10), "feature.disabled", feature="typo-tolerance", **slot, **incident)
    told.tell(
        at(10), "mitigation.applied", **incident, kind="feature_disable", text="typo-tolerance switched off", **slot
    )
    told.tell(
        at(25),
        "incident.cause_elsewhere",
        **incident,
        reason="A feature switched on hours before, not a release",
        decided_by=BEN,
    )
    told.tell(at(40), "incident.resolved", **incident, reason="Latency is back to normal", decided_by=BEN)
    web = {"service": "web", "environment": "production"}
    told.tell(
        timedelta(hours=5),
        "incident.detected",
        incident="INC-2043",
        title="Footer link is broken",
        kind="other",
        affected=[web],
    )
    told.tell(
        timedelta(hours=4, minutes=50),
        "incident.declared",
        incident="INC-2043",
        title="Footer link is broken",
        severity="SEV-3",
        kind="other",
        affected=[web],
        decided_by=DEV,
    )


def _today(told: Story) -> None:
    told.ship(timedelta(hours=3), "payments", "1.5.0")
    canary = {"service": "payments", "environment": "production", "version": "1.6.0-rc1"}
    told.tell(
        timedelta(minutes=32),
        "deployment.succeeded",
        deployment_id="payments-1.6.0-rc1-production",
        **canary,
        released=False,
    )
    told.tell(timedelta(minutes=30), "release.started", release_id="payments-1.6.0-rc1", **canary, exposure=5)
    told.tell(timedelta(minutes=12), "release.exposed", release_id="payments-1.6.0-rc1", **canary, exposure=25)
    told.tell(
        timedelta(minutes=3),
        "deployment.started",
        deployment_id="web-next-staging",
        service="web",
        environment="staging",
        version="main-0543e8-20261122",
    )


def load(ledger: Ledger) -> int:
    """
    Records the story, one event after the other; returns how many events it has, 0 if it is there already.

    Raises:
        NotEmpty: if anything else is in the record, of which nothing can be removed again.
    """
    for row in ledger.rows():
        if row.source == SOURCE:
            return 0
        if not row.topic.startswith("access."):
            raise NotEmpty(ledger.folder)
    events = story(ledger.clock.now())
    with TemporaryDirectory() as folder:
        answers = Answers(ledger, Path(folder))
        answers.start()
        ledger.look = Sighted(answers, ledger.clock).look
        for event in events:
            _record(ledger, event)
        answers.stop()
    return len(events)


def _record(ledger: Ledger, sent: dict[str, Any]) -> None:
    event = accept(event_class(sent["type"]), sent["data"])
    by = PIPELINE_PRINCIPAL if event.WHO is FACT else PERSON
    draft = Draft(event, sent["id"], sent["source"], sent["time"], content=canonical(sent))
    for outcome in ledger.record([Command(by, [ledger.prepare(draft, by)])]):
        if isinstance(outcome, LedgerError):
            raise outcome
