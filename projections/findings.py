"""
Where did practice leave the doctrine, is that open, settled by events, or accepted by a person?

Every rule by its name, and the collecting of what the rules find at one
moment. Rules look at what is kept beside the folds, so that nothing is read
from the record again; what depends on the passing of time they work out when
asked.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.values import stream_name
from projections import (
    findings_bad_versions,
    findings_controls,
    findings_decisions,
    findings_incidents,
    findings_record,
    findings_releases,
    findings_reports,
    findings_rollbacks,
    findings_sources,
    incident_list,
)
from projections.answers import Reader
from projections.finding import OPEN, STATES, Finding
from projections.findings_scenes import IncidentScene, Inquiry, RecordScene, SlotScene
from projections.folds import names_of
from projections.incident import Slot
from projections.incident_timeline import NameOf, nobody

OF_SLOTS: dict[str, Callable[[SlotScene], Iterator[Finding]]] = {
    "release_without_approval": findings_controls.release_without_approval,
    "approval_for_other_digest": findings_controls.approval_for_other_digest,
    "approved_by_author": findings_controls.approved_by_author,
    "approved_by_deployer": findings_controls.approved_by_deployer,
    "skipped_stage": findings_controls.skipped_stage,
    "released_during_freeze": findings_controls.released_during_freeze,
    "released_not_deployed": findings_releases.released_not_deployed,
    "bad_version_redeployed": findings_bad_versions.bad_version_redeployed,
    "same_version_other_digest": findings_releases.same_version_other_digest,
    "stale_overwrite": findings_releases.stale_overwrite,
    "observed_differs": findings_releases.observed_differs,
    "feature_disabled_without_decision": findings_releases.feature_disabled_without_decision,
    "rollback_without_decision": findings_rollbacks.rollback_without_decision,
    "rollback_other_than_decided": findings_rollbacks.rollback_other_than_decided,
    "rollback_decided_not_executed": findings_decisions.rollback_decided_not_executed,
    "rollback_to_unproven_version": findings_decisions.rollback_to_unproven_version,
    "rollback_started_twice": findings_rollbacks.rollback_started_twice,
    "rollback_ineffective": findings_decisions.rollback_ineffective,
    "contradictory_times": findings_record.contradictory_rollbacks,
    "unreported_change": findings_record.unreported_change,
}

OF_INCIDENTS: dict[str, Callable[[IncidentScene], Iterator[Finding]]] = {
    "sev1_without_decision": findings_incidents.sev1_without_decision,
    "response_deviates": findings_incidents.response_deviates,
    "severity_downgraded_alone": findings_incidents.severity_downgraded_alone,
    "incident_without_commander": findings_incidents.incident_without_commander,
    "postmortem_overdue": findings_incidents.postmortem_overdue,
    "action_overdue": findings_incidents.action_overdue,
    "report_overdue": findings_reports.report_overdue,
    "contradictory_times": findings_incidents.contradictory_times,
}

OF_THE_RECORD: dict[str, Callable[[RecordScene], Iterator[Finding]]] = {
    "late_record": findings_record.late_record,
    "clock_skew": findings_record.clock_skew,
    "decision_recorded_late": findings_record.decision_recorded_late,
    "own_decision_corrected": findings_record.own_decision_corrected,
    "control_weakened": findings_sources.control_weakened,
    "silent_source": findings_sources.silent_source,
    "break_glass_used": findings_record.break_glass_used,
}

RULES = tuple(dict.fromkeys((*OF_SLOTS, *OF_INCIDENTS, *OF_THE_RECORD)))

FILTERS = ("rule", "service", "environment", "incident", "state")

Key = tuple[int, str, tuple[int, ...]]

__all__ = ["FILTERS", "OPEN", "RULES", "STATES", "Finding", "Key", "around", "findings", "page"]


def findings(reader: Reader, filters: Mapping[str, str], name_of: NameOf = nobody) -> list[Finding]:
    """The findings that match filters (see `FILTERS`), those about what was recorded last first."""
    inquiry = Inquiry(reader, name_of)
    found = _judged(inquiry, (each for each in _found(inquiry, filters) if _matches(each, filters)))
    chosen = (each for each in found if each.state == filters.get("state", each.state))
    return sorted(chosen, key=lambda each: each.key, reverse=True)


def around(reader: Reader, incident: str, slots: Iterable[Slot], name_of: NameOf = nobody) -> list[Finding]:
    """The findings about an incident and about some slots, in the order of what they are about; no others are looked at."""
    inquiry, filters = Inquiry(reader, name_of), {"incident": incident}
    found = [
        *_of_slots(inquiry, slots, OF_SLOTS.values()),
        *_of_incidents(inquiry, filters),
        *_of_the_record(inquiry, filters),
    ]
    return sorted(_judged(inquiry, found), key=lambda each: each.key)


def _judged(inquiry: Inquiry, found: Iterable[Finding]) -> list[Finding]:
    """The findings, each with the positions by which people accepted it."""
    accepted, judged = _acceptances(inquiry), list(found)
    for each in judged:
        each.accepted_by = tuple(one.position for one in accepted.get(each.rule, ()) if one.covers(each))
    return judged


def page(
    reader: Reader, filters: Mapping[str, str], after: Key | None, limit: int, name_of: NameOf = nobody
) -> tuple[list[dict[str, Any]], Key | None]:
    """Some of them, and the key of the last where there are more."""
    found = [each for each in findings(reader, filters, name_of) if after is None or each.key < after]
    return [each.json() for each in found[:limit]], found[limit - 1].key if len(found) > limit else None


def _found(inquiry: Inquiry, filters: Mapping[str, str]) -> Iterator[Finding]:
    rules = [look for name, look in OF_SLOTS.items() if filters.get("rule") in (None, name)]
    places = {name: filters[name] for name in ("service", "environment") if name in filters}
    yield from _of_slots(inquiry, inquiry.reader.tables.slots(places, None, -1) if rules else (), rules)
    yield from _of_incidents(inquiry, filters)
    yield from _of_the_record(inquiry, filters)


def _of_slots(
    inquiry: Inquiry, slots: Iterable[Slot], rules: Collection[Callable[[SlotScene], Iterator[Finding]]]
) -> Iterator[Finding]:
    for name in slots:
        scene = SlotScene(inquiry, *name)
        for look in rules:
            yield from look(scene)


def _of_incidents(inquiry: Inquiry, filters: Mapping[str, str]) -> Iterator[Finding]:
    rules = [look for name, look in OF_INCIDENTS.items() if filters.get("rule") in (None, name)]
    for scene in _incidents(inquiry, filters) if rules else ():
        for look in rules:
            yield from look(scene)


def _of_the_record(inquiry: Inquiry, filters: Mapping[str, str]) -> Iterator[Finding]:
    asked = {name: filters[name] for name in ("service", "environment", "incident") if name in filters}
    record = RecordScene(inquiry, asked)
    for name, look in OF_THE_RECORD.items():
        if filters.get("rule") in (None, name):
            yield from look(record)


def _incidents(inquiry: Inquiry, filters: Mapping[str, str]) -> Iterator[IncidentScene]:
    reader = inquiry.reader
    for stream in _streams(reader, filters):
        scene = IncidentScene(inquiry, reader.state(stream), reader.audit(stream))
        if scene.state.heard is not None:
            yield scene


def _streams(reader: Reader, filters: Mapping[str, str]) -> list[str]:
    """The streams of the incidents that may have anything to do with what is asked for."""
    if "incident" in filters:
        return [stream_name("incident", filters["incident"])]
    asked = [filters.get("service"), filters.get("environment")]
    if asked == [None, None]:
        return incident_list.streams(reader.tables.db)
    rows = reader.tables.db.execute("SELECT slot, incident FROM incident_slots ORDER BY incident").fetchall()
    near = (incident for slot, incident in rows if _is_among(names_of(slot), asked))
    return list(dict.fromkeys(near))


def _is_among(names: Iterable[str | None], asked: Iterable[str | None]) -> bool:
    return all(wanted in (None, name) for name, wanted in zip(names, asked, strict=True))


def _matches(found: Finding, filters: Mapping[str, str]) -> bool:
    if filters.get("incident", found.incident) != found.incident:
        return False
    asked = [filters.get("service"), filters.get("environment")]
    places: Iterable[tuple[str | None, str | None]] = found.places or [(found.service, found.environment)]
    return asked == [None, None] or any(_is_among(each, asked) for each in places)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person's note that some findings of a rule may stand."""

    position: int
    positions: frozenset[int]

    def covers(self, found: Finding) -> bool:
        """Whether it names what a finding is about: its first position, or that of the larger one it is a part of."""
        return found.positions[0] in self.positions or found.within in self.positions


def _acceptances(inquiry: Inquiry) -> dict[str, list[Acceptance]]:
    """By rule, those that hold: recorded by now, not run out, not retracted."""
    reader, found = inquiry.reader, dict[str, list[Acceptance]]()
    rows = reader.tables.db.execute(
        "SELECT position, rule, positions, EXISTS (SELECT 1 FROM amendments WHERE root = acceptances.position) "
        "FROM acceptances WHERE position <= ?1 AND recorded <= ?2 AND (until IS NULL OR until > ?2) ORDER BY position",
        [reader.moment.known_at, reader.moment.at],
    ).fetchall()
    standing = {each.position for each in inquiry.facts(row[0] for row in rows if row[3])}
    for position, rule, positions, is_amended in rows:
        if not is_amended or position in standing:
            about = frozenset(msgspec.msgpack.decode(positions, type=list[int]))
            found.setdefault(rule, []).append(Acceptance(position, about))
    return found
