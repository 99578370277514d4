"""
Did a control grow weaker, and has somebody ceased to send?
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ledger.events import EnvironmentConfigured, EnvironmentFrozen, Event, RecordCorrected
from ledger.values import stream_name
from projections import remarks, said
from projections.audit_controls import CONTROLS, DEFAULTS, State, is_weaker, weakenings
from projections.finding import Finding, by
from projections.findings_record import Amended, amended_decisions
from projections.findings_scenes import RecordScene

SILENT_DAYS = 3
"""A silence is told of after so many days at the earliest: weekends are quiet."""

TIMES_ITS_LONGEST = 3
"""And after so many times the longest pause that the source made before."""

HABIT_DAYS = 5
"""A source has a habit once it sent as things happened on so many days; an import never does: what it sends is old."""

LOOKED_BACK_DAYS = 60
"""A habit is what it did in the days before it fell silent."""


def control_weakened(scene: RecordScene) -> Iterator[Finding]:
    """
    A control was made weaker, or taken back as though it had never been.

    Settled once it is as strong again, or another person seconds it.
    """
    for environment in _environments(scene):
        state: State = scene.inquiry.reader.audit(stream_name("environment", environment))
        for setting, names, made_up in weakenings(state):
            service = setting.service or None
            detail = f"{', '.join(names)} of {service or 'all services'} in {environment} was made weaker"
            settled_by = made_up.position if made_up else scene.inquiry.seconded(setting)
            if scene.concerns((service, environment, None)):
                where = (service, environment)
                at, positions = setting.recorded, (setting.position,)
                yield Finding("control_weakened", at, positions, detail, *where, settled_by=by(settled_by))
    for each in amended_decisions(scene):
        yield from _taken_back(scene, each)


def _environments(scene: RecordScene) -> list[str]:
    found = scene.inquiry.reader.tables.db.execute(
        "SELECT environment FROM scopes WHERE kind = 'environment' ORDER BY environment"
    )
    return [row[0] for row in found.fetchall()]


def _taken_back(scene: RecordScene, amended: Amended) -> Iterator[Finding]:
    target, correction = amended.target.event, amended.by
    if not isinstance(target, EnvironmentConfigured | EnvironmentFrozen) or not _weakens(target, correction.event):
        return
    place = (target.service, target.environment, None)
    if scene.concerns(place):
        detail = f"{target.TOPIC} of {target.environment} was changed after the fact"
        person = said.person(correction)
        settled_by = amended.taken_back or scene.inquiry.seconded_at(correction.position, person)
        positions = (correction.position, amended.target.position)
        at = said.recorded(correction)
        yield Finding("control_weakened", at, positions, detail, *place, settled_by=by(settled_by))


def _weakens(target: EnvironmentConfigured | EnvironmentFrozen, correction: Event) -> bool:
    """Whether a correction or retraction leaves less of a control."""
    if isinstance(correction, RecordCorrected):
        name, value = correction.field, correction.value
        if name in CONTROLS and value != said.REDACTED:
            return is_weaker(name, getattr(target, name), DEFAULTS.get(name) if value is None else value)
        return name in ("service", "environment", "until")
    if isinstance(target, EnvironmentFrozen):
        return True
    given = {name: getattr(target, name) for name in CONTROLS if getattr(target, name) is not None}
    return any(is_weaker(name, value, DEFAULTS.get(name)) for name, value in given.items())


# Sources


def silent_source(scene: RecordScene) -> Iterator[Finding]:
    """
    A machine that used to send as things happened has sent nothing for long.

    Settled once it sends again, or its token is revoked.
    """
    if scene.filters.keys() & {"service", "environment", "incident"}:
        return
    known = scene.inquiry.reader.moment.known_at
    today, db = scene.at // remarks.DAY, scene.inquiry.reader.tables.db
    ends = dict[str, tuple[int, int]]()
    for position, submitter, day in db.execute("SELECT * FROM source_ends WHERE position <= ?", [known]).fetchall():
        ends[submitter] = (day, position)
    days: dict[str, dict[int, int]] = {}
    live: dict[str, set[int]] = {}
    for submitter, day, is_live, position in db.execute(
        "SELECT * FROM source_days WHERE position <= ? AND day <= ? ORDER BY submitter, day, position", [known, today]
    ).fetchall():
        days.setdefault(submitter, {}).setdefault(day, position)
        if is_live:
            live.setdefault(submitter, set()).add(day)
    for submitter, heard in days.items():
        if len(live.get(submitter, ())) >= HABIT_DAYS:
            yield from _silences(scene, submitter, heard, live[submitter], ends.get(submitter))


def _silences(
    scene: RecordScene, submitter: str, heard: Mapping[int, int], live: set[int], end: tuple[int, int] | None
) -> Iterator[Finding]:
    today, sent = scene.at // remarks.DAY, sorted(heard)
    for index, day in enumerate(sent):
        following = sent[index + 1] if index + 1 < len(sent) else None
        pause = (today if following is None else following) - day
        if pause <= SILENT_DAYS or pause <= _longest(sent[: index + 1], live):
            continue
        settled_by = None if following is None else heard[following]
        if end is not None and end[0] >= day and (following is None or end[0] < following):
            if end[0] - day <= SILENT_DAYS:
                continue
            settled_by = end[1]
        name = scene.inquiry.name_of(submitter) or submitter
        detail = f"{name} sent nothing for {pause} days" + ("" if settled_by else " up to now")
        at, positions = (day + 1) * remarks.DAY, (heard[day],)
        yield Finding("silent_source", at, positions, detail, settled_by=by(settled_by))


def _longest(sent: Sequence[int], live: set[int]) -> float:
    """How many days of silence a source's habit allows; without end where it has no habit."""
    recent = [each for each in sent if each > sent[-1] - LOOKED_BACK_DAYS]
    if sum(each in live for each in recent) < HABIT_DAYS:
        return float("inf")
    pauses = (after - before for before, after in pairwise(recent))
    return TIMES_ITS_LONGEST * max(pauses)
