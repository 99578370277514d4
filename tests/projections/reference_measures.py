"""
A slow, obvious reference of the measures over many incidents.

Written from the words of the definitions, and sharing nothing with the
projections: it goes through all raw events with plain loops, for each incident
from the first again, and takes median and percentile from the standard library.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from ledger.events import Recorded
from tests.projections.reference import Fact, facts, setting

NAMES = (
    "time_to_detect time_to_declare time_to_acknowledge time_to_decide time_to_execute time_to_verify "
    "time_to_mitigate time_to_resolve"
).split()
OVER = ("resolved", "closed", "cancelled", "merged")
MICROSECOND = timedelta(microseconds=1)

Key = tuple[datetime, int]
Slot = tuple[str, str]


@dataclass
class Window:
    name: str | None
    start: Key | None = None
    end: Key | None = None


@dataclass
class Incident:
    """One incident, walked through in the order in which its events were recorded."""

    id: str
    events: list[Fact]
    state: str | None = None
    declared: bool = False
    before_merge: str | None = None
    into: str | None = None
    mode: str = "real"
    kind: str | None = None
    severities: list[tuple[str, Key]] = field(default_factory=list)
    steps: list[tuple[str, Key]] = field(default_factory=list)
    affected: list[Slot] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)

    def __post_init__(self) -> None:
        for each in self.events:
            self._take(each, each.kind.partition(".")[2], each.event)

    def _take(self, fact: Fact, step: str, event: Any) -> None:
        if fact.kind == "incident.declared":
            self.declared, self.mode, self.kind = True, event.mode or "real", event.kind
            self.severities.append((event.severity, fact.key))
        if fact.kind == "incident.detected":
            self.kind = self.kind or event.kind
        if fact.kind == "incident.severity_changed":
            self.severities.append((event.to, fact.key))
        if step in ("detected", "declared", "acknowledged", "mitigated", "resolved", "closed"):
            self.steps.append((step, fact.key))
            rank = [None, "detected", "declared", "acknowledged", "mitigated", "resolved", "closed"]
            if self.state in rank and rank.index(step) > rank.index(self.state):
                self.state = step
        if step == "cancelled":
            self.steps.append((step, fact.key))
            self.state = "cancelled"
        if step == "merged":
            self.before_merge = self.before_merge if self.state == "merged" else self.state
            self.state, self.into = "merged", event.into
            self.steps.append((step, fact.key))
        if step == "unmerged" and self.state == "merged":
            self.state, self.into = self.before_merge, None
        if step == "reopened":
            self.state, self.into = "declared" if self.declared else "detected", None
        if step in ("impact_started", "impact_ended"):
            self._impact(fact, step, event)
        for name in ("affected", "add") if step in AFFECTING else ():
            for place in getattr(event, name, ()):
                if (place.service, place.environment) not in self.affected:
                    self.affected.append((place.service, place.environment))
        for place in getattr(event, "remove", ()):
            if (place.service, place.environment) in self.affected:
                self.affected.remove((place.service, place.environment))

    def _impact(self, fact: Fact, step: str, event: Any) -> None:
        """An end without a name closes all; a start without one begins anew once the last is over."""
        if step == "impact_ended" and event.window is None:
            about = [each for each in self.windows if each.end is None]
            if not about and self.windows:
                about = [self.windows[-1]]
        else:
            same = [each for each in self.windows if each.name == event.window]
            about = same[-1:]
            if about and event.window is None and about[0].end is not None and about[0].end[0] <= fact.at:
                about = []
        if not about:
            about = [Window(event.window)]
            self.windows.append(about[0])
        for each in about:
            if step == "impact_started":
                each.start = fact.key
            else:
                each.end = fact.key

    def first(self, name: str) -> Key | None:
        found = None
        for step, key in self.steps:
            if step == name and (found is None or key[0] < found[0]):
                found = key
        return found

    def last(self, name: str) -> Key | None:
        found = None
        for step, key in self.steps:
            if step == name:
                found = key
        return found

    @property
    def open(self) -> bool:
        return self.declared and self.state not in OVER

    @property
    def impact_start(self) -> Key | None:
        return min((each.start for each in self.windows if each.start is not None), default=None)

    @property
    def impact_end(self) -> Key | None:
        if not self.windows or any(each.end is None for each in self.windows):
            return None
        return max(each.end for each in self.windows if each.end is not None)

    @property
    def began(self) -> datetime | None:
        known = [each[0] for each in (self.impact_start, self.first("detected"), self.first("declared")) if each]
        return min(known, default=None)

    @property
    def ended(self) -> datetime | None:
        if self.state not in OVER or self.state is None:
            return None
        found = self.last("resolved") if self.state in ("resolved", "closed") else None
        found = found or self.last(self.state)
        return None if found is None else found[0]

    @property
    def why_left_out(self) -> str | None:
        if self.mode == "drill":
            return "drill"
        if self.kind == "maintenance":
            return "maintenance"
        if self.state in ("cancelled", "merged"):
            return self.state
        return None if self.first("declared") else "undeclared"

    @property
    def dated(self) -> datetime:
        declared = self.first("declared")
        if declared is not None:
            return declared[0]
        return self.began if self.began is not None else self.events[0].at


AFFECTING = ("detected", "declared", "impact_started", "impact_ended", "affected_changed")


def incidents(all_facts: Sequence[Fact]) -> dict[str, Incident]:
    found: dict[str, list[Fact]] = {}
    for each in sorted(all_facts, key=lambda each: each.position):
        if each.kind.startswith(("incident.", "mitigation.", "postmortem.")):
            found.setdefault(each.event.incident, []).append(each)
    return {name: Incident(name, events) for name, events in found.items()}


class Judge:
    """The measures of one incident among all that is known."""

    def __init__(self, all_facts: Sequence[Fact], incident: Incident, all_: dict[str, Incident], now: datetime) -> None:
        self.all_facts, self.incident, self.all, self.now = all_facts, incident, all_, now

    def family(self) -> set[str]:
        """The incident, those that were merged into it, and into these."""
        into, grown = {self.incident.id}, True
        while grown:
            more = {name for name, each in self.all.items() if each.into in into} - into
            into, grown = into | more, bool(more)
        return into

    def slots(self) -> set[Slot]:
        return {slot for name in self.family() for slot in self.all[name].affected}

    def steps(self) -> list[Fact]:
        """What was done about rollbacks, for it by name; or for none by name, meanwhile, where it was felt."""
        own, began, ended = self.incident, self.incident.began, self.incident.ended
        if began is None:
            return [each for each in self._all_steps() if each.event.incident == own.id]
        start = own.impact_start[0] if own.impact_start else began
        until = ended
        if until is None:
            until = self.now if own.declared else start + timedelta(hours=24)
        found = []
        for each in self._all_steps():
            here = (each.event.service, each.event.environment) in self.slots() and began <= each.at <= until
            decided_for = self._decided_for(each)
            silent = each.event.incident is None and (decided_for is None or decided_for in self.family())
            if each.event.incident == own.id or (silent and here):
                found.append(each)
        return found

    def _decided_for(self, step: Fact) -> str | None:
        """The incident that the last decision of a step's rollback names."""
        name, found = getattr(step.event, "rollback_id", None), None
        for each in self._all_steps():
            same = (each.event.service, each.event.environment) == (step.event.service, step.event.environment)
            if name is not None and same and each.kind == "rollback.decided" and each.event.rollback_id == name:
                found = each.event.incident
        return found

    def _all_steps(self) -> list[Fact]:
        return [each for each in self.all_facts if each.kind.startswith("rollback.")]

    def rollbacks(self) -> list[dict[str, Key]]:
        """Each rollback that a step which belongs to it is of, with the last time of each of its steps."""
        names = set()
        for each in self.steps():
            if hasattr(each.event, "rollback_id"):
                names.add((each.event.service, each.event.environment, each.event.rollback_id))
        found = []
        for name in sorted(names):
            told: dict[str, Key] = {}
            known = False
            for each in self._all_steps():
                event = each.event
                if (event.service, event.environment, getattr(event, "rollback_id", None)) != name:
                    continue
                step = each.kind.partition(".")[2]
                known = known or step in ("decided", "started", "succeeded", "failed")
                if known:
                    told[step] = each.key
            found.append(told)
        return found

    def pair(self, start: str, end: str) -> tuple[Key | None, Key | None]:
        begun = sorted((each for each in self.rollbacks() if start in each), key=lambda each: each[start])
        for each in begun:
            if end in each:
                return each[start], each[end]
        return (begun[0][start], None) if begun else (None, None)

    def to_decide(self) -> tuple[Key | None, Key | None]:
        grave = next((key for severity, key in self.incident.severities if severity in ("SEV-1", "SEV-2")), None)
        made = sorted(each.key for each in self.steps() if each.kind in ("rollback.decided", "rollback.declined"))
        after = [each for each in made if grave is None or each[0] >= grave[0]]
        return grave, (after or made or [None])[0]

    def measures(self) -> dict[str, tuple[Key | None, Key | None]]:
        own = self.incident
        detected, declared = own.first("detected"), own.first("declared")
        return {
            "time_to_detect": (own.impact_start, detected),
            "time_to_declare": (detected, declared),
            "time_to_acknowledge": (declared, own.first("acknowledged")),
            "time_to_decide": self.to_decide(),
            "time_to_execute": self.pair("decided", "succeeded"),
            "time_to_verify": self.pair("succeeded", "verified"),
            "time_to_mitigate": (own.impact_start, own.impact_end),
            "time_to_resolve": (declared, own.last("resolved")),
        }


def length(pair: tuple[Key | None, Key | None]) -> int | None:
    """Microseconds."""
    start, end = pair
    return None if start is None or end is None else (end[0] - start[0]) // MICROSECOND


def quantiles(lengths: Sequence[int]) -> tuple[int | None, int | None]:
    """The median and the 90th percentile, in whole microseconds."""
    if not lengths:
        return None, None
    exact = [Fraction(each) for each in lengths]
    ninth = statistics.quantiles(exact, n=10, method="inclusive")[8] if len(exact) > 1 else exact[0]
    return round(Fraction(statistics.median(exact))), round(ninth)


def over_many(
    events: Sequence[Recorded], as_of: datetime, known_at: int, start: datetime, end: datetime, **asked: str | None
) -> dict[str, Any]:
    """The measures of the incidents declared from *start* on and before *end*, in a form that is easy to compare."""
    all_facts = facts(events, as_of, known_at)
    every = incidents(all_facts)
    chosen = [each for each in every.values() if start <= each.dated < end and _matches(all_facts, each, asked)]
    counted = [each for each in chosen if each.why_left_out is None]
    found: dict[str, Any] = {
        "left_out": sorted(f"{each.id} {each.why_left_out}" for each in chosen if each.why_left_out is not None),
        "counted": sorted(each.id for each in counted),
        "open": sorted(each.id for each in counted if each.open),
    }
    for name in NAMES:
        told = {each.id: Judge(all_facts, each, every, as_of).measures()[name] for each in counted}
        over = {each.id: told[each.id] for each in counted if not each.open}
        ongoing = {each.id: told[each.id] for each in counted if each.open}
        lengths = [known for each in over.values() if (known := length(each)) is not None]
        found[name] = {
            "over": {each: (length(pair), *_positions(pair)) for each, pair in over.items()},
            "open": {each: (length(pair), *_positions(pair)) for each, pair in ongoing.items()},
            "counts": (
                len(lengths),
                len(over) - len(lengths),
                len(ongoing),
                len([each for each in lengths if each < 0]),
            ),
            "quantiles": quantiles(lengths),
        }
    return found


def _positions(pair: tuple[Key | None, Key | None]) -> tuple[int | None, int | None]:
    return pair[0] and pair[0][1], pair[1] and pair[1][1]


def _matches(all_facts: Sequence[Fact], incident: Incident, asked: dict[str, str | None]) -> bool:
    """Whether it affects any slot that is asked about."""
    if not any(asked.values()):
        return True
    return any(
        asked.get("service") in (None, service)
        and asked.get("environment") in (None, environment)
        and (asked.get("team") is None or asked["team"] == owner(all_facts, service, environment))
        for service, environment in incident.affected
    )


def owner(all_facts: Sequence[Fact], service: str, environment: str) -> str | None:
    last = max((each.key for each in all_facts), default=None)
    if last is None:
        return None
    found: str | None = setting(all_facts, service, environment, "owner", last, None)
    return found
