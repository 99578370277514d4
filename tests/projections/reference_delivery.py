"""
A slow, obvious reference of the delivery measures.

Written from the words of the definitions, and sharing nothing with the
projections: for each slot it goes through all raw events again, and takes
median and percentile from the standard library.
"""

import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from ledger.events import Recorded
from ledger.values import instant
from tests.projections import reference
from tests.projections.reference import Fact, facts, setting
from tests.projections.reference_measures import Incident, Key, incidents, length, owner, quantiles

Slot = tuple[str, str]
NOT_OF_SLOTS = ("incident.", "mitigation.", "environment.", "alert.", "metric.", "maintenance.", "postmortem.")


class Delivery:
    """Everything that was delivered by a moment."""

    def __init__(self, events: Sequence[Recorded], as_of: datetime, known_at: int) -> None:
        self.as_of = as_of
        self.all_facts = facts(events, as_of, known_at)
        self.incidents = incidents(self.all_facts)
        self.last = max((each.key for each in self.all_facts), default=(as_of, 0))

    def slots(self) -> list[Slot]:
        found = set()
        for each in self.all_facts:
            place = (getattr(each.event, "service", None), getattr(each.event, "environment", None))
            if None not in place and not each.kind.startswith(NOT_OF_SLOTS):
                found.add(place)
        return sorted(found)

    def is_production(self, slot: Slot) -> bool:
        tier = setting(self.all_facts, *slot, "tier", self.last, None)
        return (slot[1] if tier is None else tier).lower() in ("production", "prod")

    def of_slot(self, slot: Slot, *kinds: str) -> list[Fact]:
        return [
            each
            for each in self.all_facts
            if each.kind in kinds and (each.event.service, each.event.environment) == slot
        ]

    # Deployments

    def deployments(self, slot: Slot) -> list[dict[str, Any]]:
        """Those that succeeded, each once, in order."""
        found: list[dict[str, Any]] = []
        before: Fact | None = None
        judge = reference.Judge(self.all_facts, *slot, self.as_of)
        for each in self.of_slot(slot, "deployment.succeeded", "rollback.succeeded", "service.removed"):
            if each.kind != "deployment.succeeded":
                before = None
                continue
            if before is not None and _name(before) == _name(each):
                continue
            before = each
            artifact = judge.slot.artifact_then(each.event.version, each.key)
            found.append({"fact": each, "artifact": artifact, "slot": slot, **self._origin(slot, each, artifact)})
        for index, each in enumerate(found):
            earlier = found[:index]
            if each["commit"] is not None:
                each["again"] = any(one["commit"] == each["commit"] for one in earlier)
            else:
                each["again"] = any(one["artifact"] is each["artifact"] for one in earlier)
        return found

    def _origin(self, slot: Slot, made: Fact, artifact: reference.Artifact) -> dict[str, Any]:
        """What the deployment says of its commit and incident, else its start, else the publication of its artifact."""
        starts = [
            each
            for each in self.of_slot(slot, "deployment.started")
            if _name(each) == _name(made) and each.key < made.key
        ]
        publications = [
            each
            for each in self.all_facts
            if each.kind == "artifact.published"
            and each.event.service == slot[0]
            and each.event.version == made.event.version
            and (each.event.digest is None or artifact.digest is None or each.event.digest == artifact.digest)
        ]
        early = [each for each in publications if each.at <= made.at]
        late = [each for each in publications if each.at > made.at]
        told = [made, *starts[-1:], *reversed(early), *late]
        committed = next(((instant(t), each.position) for each in told if (t := each.event.committed_at)), None)
        commit = next((each.event.commit for each in told if each.event.commit), None)
        incident = next((each.event.incident for each in [made, *starts[-1:]] if each.event.incident), None)
        return {"committed": committed, "commit": commit, "incident": incident}

    # Failures

    def failures(self, slot: Slot) -> tuple[dict[int, dict[str, Any]], list[tuple[Any, ...]]]:
        """By the position of a deployment why it failed, and what no deployment brought."""
        judge, made = reference.Judge(self.all_facts, *slot, self.as_of), self.deployments(slot)
        found: dict[int, dict[str, Any]] = {}
        unmatched: list[tuple[Any, ...]] = []

        def blame(brought: list[dict[str, Any]], why: tuple[Any, ...], incident: Incident | None) -> None:
            if not brought:
                unmatched.append(why)
                return
            kept = found.setdefault(brought[-1]["fact"].position, {"because": [], "incidents": [], "back": []})
            kept["because"].append(why)
            if incident is None:
                kept["back"].append((why[1], why[2]))
            else:
                kept["incidents"].append(incident)

        for index, period in enumerate(judge.slot.periods):
            following = judge.slot.periods[index + 1 : index + 2]
            if period.ended_by != "rollback" or period.end is None or not all(map(judge._counts, following)):
                continue
            same = _same_artifact(judge, made, period.artifact)
            brought = [each for each in same if each["fact"].key <= period.start]
            blame(brought, ("rolled_back", *period.end, None), None)
        for incident in self.incidents.values():
            if not _counts(incident):
                continue
            for artifact in judge.slot.known:
                said = self._last_word(judge, incident, artifact)
                if said is None or said.kind != "incident.version_implicated":
                    continue
                same = _same_artifact(judge, made, artifact)
                noticed = [key[0] for name in ("detected", "declared") if (key := incident.first(name))]
                before = [each for each in same if each["fact"].at <= min(noticed, default=said.at)]
                after = [each for each in same if each["fact"].at <= said.at]
                blame(before[-1:] or after[:1], ("implicated", *said.key, incident.id), incident)
        for position, each in found.items():
            each["because"].sort(key=lambda why: (why[1], why[2]))
            each["recovered"], each["open"] = _recovery(each)
            each["position"] = position
        return found, unmatched

    def _last_word(self, judge: reference.Judge, incident: Incident, artifact: reference.Artifact) -> Fact | None:
        said = [
            each
            for each in incident.events
            if each.kind in ("incident.version_implicated", "incident.version_exonerated")
            and (each.event.service, each.event.environment) == (judge.slot.service, judge.slot.environment)
            and judge.slot.artifact_then(each.event.version, each.key) is artifact
        ]
        return max(said, key=lambda each: each.key, default=None)

    # Rework

    def rework(self, slot: Slot) -> dict[int, set[tuple[str, str, int]]]:
        """By the position of a deployment, because of what it was made."""
        found: dict[int, set[tuple[str, str, int]]] = {}
        made = self.deployments(slot)
        for each in made:
            incident = each["incident"]
            if incident is not None and (incident not in self.incidents or _counts(self.incidents[incident])):
                found.setdefault(each["fact"].position, set()).add(("names_incident", incident, each["fact"].position))
        for fact in self.of_slot(slot, "rollback.declined"):
            following = [each["fact"] for each in made if each["fact"].key > fact.key]
            if fact.event.chosen not in ("fix_forward", "revert_forward", "redeploy") or not following:
                continue
            for name, ended in self._decided_in(slot, fact.event.incident, fact.at):
                if ended is None or following[0].at <= ended:
                    found.setdefault(following[0].position, set()).add(("chosen_instead", name, fact.position))
        for rollback in reference.Judge(self.all_facts, *slot, self.as_of).slot.rollbacks:
            reached = [each["fact"].position for each in made if each["fact"].key == rollback.reached]
            if rollback.decided is None or not reached:
                continue
            for name, _ in self._decided_in(slot, rollback.incident, rollback.decided[0]):
                because = ("carries_out_rollback", name, rollback.decided[1])
                found.setdefault(reached[0], set()).add(because)
        return found

    def _decided_in(self, slot: Slot, named: str | None, at: datetime) -> list[tuple[str, datetime | None]]:
        """The incidents in which something was decided, and when each was over."""
        if named is not None:
            incident = self.incidents.get(named)
            if incident is None:
                return [(named, None)]
            return [(named, incident.ended)] if _counts(incident) else []
        return [
            (each.id, each.ended)
            for each in self.incidents.values()
            if _counts(each)
            and each.declared
            and slot in each.affected
            and each.began is not None
            and each.began <= at
            and (each.ended is None or at <= each.ended)
        ]

    def falls_into(self, slot: Slot, at: datetime) -> bool:
        for each in self.incidents.values():
            declared = each.first("declared")
            lasts = declared is not None and declared[0] <= at and (each.ended is None or at <= each.ended)
            if lasts and _counts(each) and slot in each.affected:
                return True
        return False


def _name(fact: Fact) -> tuple[str, str]:
    return fact.event.deployment_id, fact.event.version


def _same_artifact(
    judge: reference.Judge, made: Sequence[dict[str, Any]], artifact: reference.Artifact
) -> list[dict[str, Any]]:
    """Each walk through a slot has artifacts of its own: they are the same by version and digest."""
    name = artifact.version, artifact.digest
    return [each for each in made if (each["artifact"].version, each["artifact"].digest) == name]


def _counts(incident: Incident) -> bool:
    return incident.mode == "real" and incident.kind != "maintenance" and incident.state != "cancelled"


def _recovery(failure: dict[str, Any]) -> tuple[Key | None, bool]:
    """When it was recovered from, and whether that is still to come."""
    ends: list[Key] = []
    felt = unended = False
    for incident in failure["incidents"]:
        for window in incident.windows:
            felt = True
            if window.end is not None:
                ends.append(window.end)
            elif incident.open:
                return None, True
            else:
                unended = True
    if felt and not unended:
        return max(ends), False
    if failure["back"]:
        return min(failure["back"]), False
    return None, any(each.open for each in failure["incidents"])


# Over many


def over_many(
    events: Sequence[Recorded], as_of: datetime, known_at: int, start: datetime, end: datetime, **asked: str | None
) -> dict[str, Any]:
    """The delivery measures of a period, in a form that is easy to compare."""
    told = Delivery(events, as_of, known_at)
    chosen = [slot for slot in told.slots() if told.is_production(slot) and _matches(told, slot, asked)]
    made, failed, rework, unmatched, since = [], {}, {}, [], []
    for slot in chosen:
        deployments, (failures, nobody) = told.deployments(slot), told.failures(slot)
        since += [each["fact"].at for each in deployments[:1]]
        made += [each for each in deployments if start <= each["fact"].at < end]
        failed |= failures
        rework |= told.rework(slot)
        unmatched += [why for why in nobody if start <= why[1] < end]
    positions = {each["fact"].position for each in made}
    lead = [(each["committed"], each["fact"].key) for each in made if not each["again"]]
    recovery = {
        each["fact"].position: (each["fact"].key, failed[each["fact"].position])
        for each in made
        if each["fact"].position in failed
    }
    until = min(end, as_of + timedelta(microseconds=1))
    return {
        "deployments": sorted(positions),
        "lead": _lengths(lead),
        "again": sum(each["again"] for each in made),
        "failed": {position: failed[position]["because"] for position in sorted(positions & set(failed))},
        "unmatched": sorted(why[2] for why in unmatched),
        "recovery": _lengths([(key, each["recovered"]) for key, each in recovery.values() if not each["open"]]),
        "open": sorted(position for position, (_, each) in recovery.items() if each["open"]),
        "rework": {position: rework[position] for position in sorted(positions & set(rework))},
        "in_incident": sum(told.falls_into(each["slot"], each["fact"].at) for each in made),
        "days": _buckets(made, since, start, until, lambda day: day, 1),
        "weeks": _buckets(made, since, start, until, lambda day: day - timedelta(days=day.weekday()), 7),
    }


def _matches(told: Delivery, slot: Slot, asked: dict[str, str | None]) -> bool:
    team = asked.get("team")
    return (
        asked.get("service") in (None, slot[0])
        and asked.get("environment") in (None, slot[1])
        and team in (None, owner(told.all_facts, *slot))
    )


def _lengths(pairs: Sequence[tuple[Key | None, Key | None]]) -> tuple[Any, ...]:
    known = [found for each in pairs if (found := length(each)) is not None]
    return sorted(known), len(pairs) - len(known), sum(each < 0 for each in known), quantiles(known)


def _buckets(
    made: Sequence[dict[str, Any]],
    since: Sequence[datetime],
    start: datetime,
    end: datetime,
    first: Callable[[date], date],
    days: int,
) -> dict[str, Any]:
    """By day or week in UTC: how many deployments each had, of those that are whole."""
    if not since or max(start, min(since)) >= end:
        return {"counts": [], "cut": 0, "quantiles": (None, None), "held": {}}
    begin = max(start, min(since))
    held: dict[str, list[int]] = {}
    for each in made:
        held.setdefault(first(each["fact"].at.date()).isoformat(), []).append(each["fact"].position)
    counts, cut, day = [], 0, first(begin.date())
    while datetime.combine(day, datetime.min.time(), UTC) < end:
        opens = datetime.combine(day, datetime.min.time(), UTC)
        if begin <= opens and opens + timedelta(days=days) <= end:
            counts.append(len(held.get(day.isoformat(), [])))
        else:
            cut += 1
        day += timedelta(days=days)
    exact = [Fraction(each) for each in sorted(counts)]
    told: tuple[Any, Any] = (None, None)
    if exact:
        ninth = statistics.quantiles(exact, n=10, method="inclusive")[8] if len(exact) > 1 else exact[0]
        told = (float(statistics.median(exact)), float(ninth))
    ordered = {name: sorted(positions) for name, positions in held.items()}
    return {"counts": sorted(counts), "cut": cut, "quantiles": told, "held": ordered}
