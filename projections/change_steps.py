"""
Which events make one change? A deployment is begun and succeeds; a release is started, exposed, completed.

Steps of one id and version belong together, up to the one that ended the
change. The same end told again right after it, by another tool perhaps, is
the same change; told again later, it is another one, so that no id that is
used twice hides a change.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from projections.facts import Fact


class Step(NamedTuple):
    """What an event is to a change: which kind, the member that names it, and how it ended, None for a beginning."""

    kind: str
    member: str | None
    outcome: str | None


STEPS = {
    "deployment.started": Step("deployment", "deployment_id", None),
    "deployment.succeeded": Step("deployment", "deployment_id", "succeeded"),
    "deployment.failed": Step("deployment", "deployment_id", "failed"),
    "deployment.cancelled": Step("deployment", "deployment_id", "cancelled"),
    "release.started": Step("release", "release_id", None),
    "release.exposed": Step("release", "release_id", None),
    "release.completed": Step("release", "release_id", "succeeded"),
    "release.aborted": Step("release", "release_id", "aborted"),
    "rollback.started": Step("rollback", "rollback_id", None),
    "rollback.succeeded": Step("rollback", "rollback_id", "succeeded"),
    "rollback.failed": Step("rollback", "rollback_id", "failed"),
    "feature.enabled": Step("feature", None, "enabled"),
    "feature.disabled": Step("feature", None, "disabled"),
    "configuration.changed": Step("configuration", None, "changed"),
    "migration.applied": Step("migration", None, "applied"),
    "service.removed": Step("removal", None, "removed"),
}
"""The events that are steps of a change. Decisions lead to changes, and are none."""

KINDS = tuple(dict.fromkeys(each.kind for each in STEPS.values()))

OUTCOMES = tuple(dict.fromkeys(each.outcome for each in STEPS.values() if each.outcome))

NAMED_BY = {"feature": "feature", "configuration": "change_id", "migration": "migration_id"}
"""What a change of one event goes by."""

_GOES_LIVE = ("rollback", "removal")
"""After these a deployment of the same id is another one."""

Slot = tuple[str, str]
Key = tuple[str, Slot, str, str | None]


@dataclass(slots=True)
class Change:
    """One change of a slot: its steps in order. Without an outcome it is under way."""

    kind: str
    slot: Slot
    id: str | None
    version: str | None
    facts: list[Fact] = field(default_factory=list)
    outcome: str | None = None

    @property
    def last(self) -> Fact:
        """The step that ended it, the first of its kind; of one under way the latest."""
        ends = (each for each in self.facts if STEPS[each.event.TOPIC].outcome is not None)
        return next(ends, self.facts[-1])

    @property
    def began(self) -> Fact | None:
        """Its first beginning."""
        return next((each for each in self.facts if STEPS[each.event.TOPIC].outcome is None), None)

    @property
    def positions(self) -> list[int]:
        return sorted(each.position for each in self.facts)

    @property
    def key(self) -> Key:
        return self.kind, self.slot, self.id or "", self.version


def changes(facts: Iterable[Fact]) -> list[Change]:
    """The changes that steps make, in the order in which they ended, those under way last."""
    walk = _Walk()
    for each in sorted(facts, key=lambda one: one.key):
        walk.take(each)
    done = sorted(walk.ended, key=lambda each: each.last.key)
    return done + sorted(walk.open.values(), key=lambda each: each.facts[0].key)


def named(fact: Fact) -> Change:
    """The change that a step is of, with no step yet."""
    event = fact.event
    kind, member, _ = STEPS[event.TOPIC]
    name = member or NAMED_BY.get(kind)
    version = getattr(event, "version", None) or getattr(event, "to_version", None)
    slot = (getattr(event, "service", ""), getattr(event, "environment", ""))
    return Change(kind, slot, getattr(event, name) if name else None, version)


@dataclass
class _Walk:
    ended: list[Change] = field(default_factory=list)
    open: dict[Key, Change] = field(default_factory=dict)
    _before: dict[tuple[Slot, str], Change] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        step, change = STEPS[fact.event.TOPIC], named(fact)
        if step.outcome is None:
            self.open.setdefault(change.key, change).facts.append(fact)
        elif step.member is None or not self._is_told_again(fact, change, step.outcome):
            self._end(self.open.pop(change.key, change), fact, step.outcome)

    def _is_told_again(self, fact: Fact, change: Change, outcome: str) -> bool:
        before = self._before.get((change.slot, change.kind))
        if change.key in self.open or before is None or (before.key, before.outcome) != (change.key, outcome):
            return False
        before.facts.append(fact)
        return True

    def _end(self, change: Change, fact: Fact, outcome: str) -> None:
        change.facts.append(fact)
        change.outcome = outcome
        self.ended.append(change)
        self._before[change.slot, change.kind] = change
        if change.kind in _GOES_LIVE:
            self._before.pop((change.slot, "deployment"), None)
