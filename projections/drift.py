"""
Is what was seen running what the record says is installed, and did anybody report it?

A part of the fold of `projections.audit`. Observers are told apart: one that
looks at one region only is held against what it saw before. What is on its
way (a deployment that was started, a release that is open) is expected, and
so is what is current.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.events import Event, ServiceObserved
from projections.facts import Fact
from projections.slot import State as Slot

Seen = tuple[str, str | None]
"""A version and its digest, as far as known."""


@dataclass(slots=True)
class Mark:
    """Something that went wrong, the positions that show it, and the one that settled it."""

    rule: str
    positions: list[int]
    detail: str
    at: int
    settled_by: int | None = None


@dataclass(slots=True)
class Watch:
    """What one observer last saw; `difference` is the mark that stands while it is not what is recorded."""

    at: int
    position: int
    running: list[Seen]
    difference: int | None = None


@dataclass(slots=True)
class Drift:
    """`told` are the versions that some event said were installed or released here, and when it last did."""

    watches: dict[str, Watch] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    unreported: dict[str, int] = field(default_factory=dict)


def step(drift: Drift, marks: list[Mark], fact: Fact, slot: Slot) -> None:
    event = fact.event
    if isinstance(event, ServiceObserved):
        _look(drift, marks, fact, event, slot)
    elif event.TOPIC.startswith(("deployment.", "release.", "rollback.", "service.")):
        _hear(drift, marks, fact)
        for watch in drift.watches.values():
            if watch.difference is not None and difference(watch.running, slot) is None:
                marks[watch.difference].settled_by, watch.difference = fact.position, None


_REPORTS = (
    "deployment.started deployment.succeeded deployment.failed release.started release.exposed release.completed "
    "rollback.started rollback.succeeded rollback.failed".split()
)


def _hear(drift: Drift, marks: list[Mark], fact: Fact) -> None:
    """A report of a version settles that it was not reported."""
    if fact.event.TOPIC not in _REPORTS:
        return
    version = reported(fact.event)
    drift.told[version] = fact.at
    if (mark := drift.unreported.pop(version, None)) is not None:
        marks[mark].settled_by = fact.position


def reported(event: Event) -> str:
    """The version that a step of a deployment, release or rollback is about."""
    return str(getattr(event, "version", None) or getattr(event, "to_version", ""))


def _look(drift: Drift, marks: list[Mark], fact: Fact, event: ServiceObserved, slot: Slot) -> None:
    running = [(each.version, each.digest) for each in event.running if each.replicas != 0]
    before = drift.watches.get(event.observer or "")
    for version in _unreported(drift, before, running, slot):
        if version not in drift.unreported:
            drift.unreported[version] = len(marks)
            detail = f"{version} began to run, and no deployment, release or rollback of it is recorded"
            positions = [fact.position] + ([before.position] if before else [])
            marks.append(Mark("unreported_change", positions, detail, fact.at))
    now = Watch(fact.at, fact.position, running, before.difference if before else None)
    drift.watches[event.observer or ""] = now
    differs = difference(running, slot)
    if differs is None and now.difference is not None:
        marks[now.difference].settled_by, now.difference = fact.position, None
    elif differs is not None and now.difference is None:
        now.difference = len(marks)
        installed = [slot.deployed.position] if slot.deployed else []
        marks.append(Mark("observed_differs", [fact.position, *installed], differs, fact.at))


def _unreported(drift: Drift, before: Watch | None, running: list[Seen], slot: Slot) -> Iterator[str]:
    """What began to run since an observer last looked, is not expected, and of which nobody told meanwhile."""
    known = [*_expected(slot), *(before.running if before else [])]
    for seen in running:
        told = drift.told.get(seen[0])
        meanwhile = told is not None and (before is None or told >= before.at)
        if not meanwhile and not any(_same(seen, each) for each in known):
            yield seen[0]


def difference(running: list[Seen], slot: Slot) -> str | None:
    """How what runs differs from what is recorded as installed; None where it does not, or nothing is recorded."""
    if not (slot.has_deployments or slot.has_releases or slot.current):
        return None
    deployed = None if slot.deployed is None else _named(slot, slot.deployed.artifact)
    expected = _expected(slot)
    strange = any(not any(_same(each, other) for other in expected) for each in running)
    missing = deployed is not None and not slot.in_flight and not any(_same(deployed, each) for each in running)
    if not strange and not missing:
        return None
    seen = ", ".join(_said(each) for each in running) or "nothing"
    return f"{seen} runs, and {_said(deployed) if deployed else 'nothing'} is recorded as deployed"


def _expected(slot: Slot) -> list[Seen]:
    artifacts = [each.artifact for each in (slot.deployed, slot.current, *slot.releases.values()) if each is not None]
    return [_named(slot, each) for each in artifacts] + [(each.version, None) for each in slot.in_flight.values()]


def _named(slot: Slot, artifact: int) -> Seen:
    return slot.artifacts[artifact].version, slot.artifacts[artifact].digest


def _same(one: Seen, other: Seen) -> bool:
    """Whether they may be the same artifact: a digest that is not known differs from none."""
    return one[0] == other[0] and (one[1] is None or other[1] is None or one[1] == other[1])


def _said(seen: Seen) -> str:
    return seen[0] if seen[1] is None else f"{seen[0]} ({seen[1][:19]})"
