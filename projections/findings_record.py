"""
Where the record itself leaves doubt: late, by a clock that ran ahead, by break-glass, corrected by oneself, contradictory.

An imported history is one finding, not one for each of its events: what is
alike, by one submitter on one day, is told together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.events import Event, Recorded
from projections import remarks, said, spans
from projections.facts import Fact, holding
from projections.finding import Finding, by
from projections.findings_scenes import RecordScene, SlotScene

SHOWN = 10
"""So many positions of a finding that stands for many events are shown, the first ones."""


class Place(NamedTuple):
    """What something is about, as far as it names it."""

    service: str | None
    environment: str | None
    incident: str | None


@dataclass(slots=True)
class Row:
    """An event that a remark is about: by whom and on which day it was recorded, and by how much it is remarkable."""

    position: int
    at: int
    submitter: str
    day: int
    place: Place
    amount: int


@dataclass(slots=True)
class Alike:
    """What one submitter recorded on one day: how much, the worst of it, the first of it, and what all of it is about."""

    count: int
    worst: int
    first: list[Row]
    place: Place

    def add(self, row: Row) -> None:
        self.count, self.worst = self.count + 1, max(self.worst, row.amount)
        self.first = sorted([*self.first, row], key=lambda each: each.position)[:SHOWN]
        self.place = Place(*(one if one == other else None for one, other in zip(self.place, row.place, strict=True)))


def late_record(scene: RecordScene) -> Iterator[Finding]:
    """Facts were recorded long after they happened: an import, a spool, a clock that is behind."""
    return _together(scene, "late_record", "recorded", ("after it happened", "after they happened"))


def decision_recorded_late(scene: RecordScene) -> Iterator[Finding]:
    """Decisions were recorded long after they were made; for controls they count from their recording."""
    return _together(
        scene, "decision_recorded_late", "decided", ("before that was recorded", "before that was recorded")
    )


def clock_skew(scene: RecordScene) -> Iterator[Finding]:
    """Events claimed a time after their recording. They count from their recording."""
    return _together(scene, "clock_skew", "dated", ("after it was recorded", "after they were recorded"))


def _together(scene: RecordScene, rule: str, done: str, than: tuple[str, str]) -> Iterator[Finding]:
    """One finding for each submitter and day of recording; of it the part that is asked for. *than*: of one, of several."""
    asked = {name: scene.filters[name] for name in Place._fields if name in scene.filters}
    found = _alike(scene, rule, asked)
    whole = _alike(scene, rule, {}) if asked else found
    for (submitter, day), each in found.items():
        events = "1 event" if each.count == 1 else f"{each.count:,} events"
        name, most = scene.inquiry.name_of(submitter) or submitter, "up to " if each.count > 1 else ""
        detail = f"{events} by {name} {done} {most}{spans.said(each.worst)} {than[each.count > 1]}"
        first = each.first[0]
        at = first.at + (0 if rule == "clock_skew" else first.amount)
        positions, within = tuple(row.position for row in each.first), whole[submitter, day].first[0].position
        yield Finding(rule, at, positions, detail, *each.place, within=within)


_SAME = "iif(COUNT({0}) = COUNT(*) AND MIN({0}) = MAX({0}), MIN({0}), NULL)"
_KNOWN = "FROM remarks WHERE rule = ? AND position <= ? AND at <= ? AND position NOT IN (SELECT root FROM amendments)"


def _alike(scene: RecordScene, rule: str, asked: Mapping[str, str]) -> dict[tuple[str, int], Alike]:
    """The remarks of a rule at a moment, by submitter and day; of what was ever corrected, by what it says then."""
    moment, db = scene.inquiry.reader.moment, scene.inquiry.reader.tables.db
    where = "".join(f" AND {name} = ?" for name in asked)
    values = [rule, moment.known_at, moment.at, *asked.values()]
    same = ", ".join(_SAME.format(name) for name in Place._fields)
    rows = db.execute(
        f"SELECT submitter, day, COUNT(*), MAX(amount), {same} {_KNOWN}{where} GROUP BY submitter, day",
        values,
    ).fetchall()
    found = {}
    for submitter, day, count, worst, *place in rows:
        first = db.execute(
            f"SELECT position, at, service, environment, incident, amount {_KNOWN}{where} "
            "AND submitter = ? AND day = ? ORDER BY position LIMIT ?",
            [*values, submitter, day, SHOWN],
        ).fetchall()
        told = [Row(each[0], each[1], submitter, day, Place(*each[2:5]), each[5]) for each in first]
        found[submitter, day] = Alike(count, worst, told, Place(*place))
    for row in _amended(scene, rule):
        if all(asked.get(name, each) == each for name, each in zip(Place._fields, row.place, strict=True)):
            if (alike := found.get((row.submitter, row.day))) is None:
                found[row.submitter, row.day] = Alike(1, row.amount, [row], row.place)
            else:
                alike.add(row)
    return found


def _amended(scene: RecordScene, rule: str) -> Iterator[Row]:
    """Those of events that were ever corrected or retracted, as they count."""
    rows = scene.inquiry.reader.tables.db.execute(
        "SELECT position FROM remarks WHERE rule = ? AND position IN (SELECT root FROM amendments)", [rule]
    )
    for fact in scene.inquiry.facts(row[0] for row in rows.fetchall()):
        submitter, day = fact.recorded.submitter.id, said.recorded(fact) // remarks.DAY
        for name, amount in remarks.of(fact):
            if name == rule:
                yield Row(fact.position, fact.at, submitter, day, _place(fact.event), amount)


def _place(event: Event) -> Place:
    return Place(getattr(event, "service", None), getattr(event, "environment", None), event.incident)


def break_glass_used(scene: RecordScene) -> Iterator[Finding]:
    """An event was recorded by a break-glass token. It was used, whatever becomes of the event."""
    reader = scene.inquiry.reader
    found = reader.tables.db.execute(
        "SELECT position, at, submitter, service, environment, incident FROM remarks "
        "WHERE rule = 'break_glass_used' AND position <= ? AND at <= ? ORDER BY position",
        [reader.moment.known_at, reader.moment.at],
    )
    for position, at, submitter, *place in found.fetchall():
        if scene.concerns(place):
            detail = f"recorded by {scene.inquiry.name_of(submitter) or submitter}, by break-glass"
            yield Finding("break_glass_used", at, (position,), detail, *place)


@dataclass(frozen=True, slots=True)
class Amended:
    """A correction or retraction of a decision, the decision as it was recorded, and where that was taken back."""

    by: Fact
    target: Recorded
    taken_back: int | None


def amended_decisions(scene: RecordScene) -> Iterator[Amended]:
    reader = scene.inquiry.reader
    rows = reader.tables.db.execute(
        "SELECT position, target FROM decision_corrections WHERE position <= ? ORDER BY position",
        [reader.moment.known_at],
    ).fetchall()
    targets = {each.position: each for each in reader.record.at(sorted({row[1] for row in rows}))}
    about = {each for one in targets.values() for each in reader.tables.amendments(one.stream, reader.moment.known_at)}
    changes = {each.position: each for each in reader.record.at(sorted(about))}
    holds = holding(changes.values())
    for position, target in rows:
        fact, amendment = Fact.as_recorded(changes[position]), holds.get(position)
        if said.recorded(fact) <= reader.moment.at:
            yield Amended(fact, targets[target], max(amendment.positions) if amendment else None)


def own_decision_corrected(scene: RecordScene) -> Iterator[Finding]:
    """
    Somebody corrected or retracted a decision of their own.

    Settled once another seconds that, or it is taken back.
    """
    for each in amended_decisions(scene):
        fact, place = each.by, _place(each.target.event)
        person = said.person(fact)
        if not scene.concerns(place) or not scene.inquiry.same(person, said.person(Fact.as_recorded(each.target))):
            continue
        done = "retracted" if fact.event.TOPIC == "record.retracted" else "corrected"
        detail = f"{_a(each.target.event.TOPIC)} was {done} by who had decided it"
        settled_by = each.taken_back or scene.inquiry.seconded_at(fact.position, person)
        positions = (fact.position, each.target.position)
        at = said.recorded(fact)
        yield Finding("own_decision_corrected", at, positions, detail, *place, settled_by=by(settled_by))


def _a(topic: str) -> str:
    return f"{'an' if topic[0] in 'aeiou' else 'a'} {topic}"


# Of one slot


def unreported_change(scene: SlotScene) -> Iterator[Finding]:
    """Something began to run of which nobody told; a later report of it settles it."""
    return scene.marked("unreported_change")


def contradictory_rollbacks(scene: SlotScene) -> Iterator[Finding]:
    """A rollback ended before it was begun, or was judged before it ended. Correcting one time takes the finding away."""
    for each in scene.view.slot.rollbacks.values():
        judged = each.verified or each.ineffective
        pairs: list[tuple[str, Any, str, Any]] = [
            ("started", each.starts[0] if each.starts else None, "succeeded", each.succeeded),
            ("succeeded", each.succeeded, "judged", judged),
        ]
        for earlier, first, later, second in pairs:
            if first is not None and second is not None and second[0] < first[0]:
                detail = f"{each.rollback_id} was {later} {spans.said(first[0] - second[0])} before it was {earlier}"
                detail = detail.replace("was succeeded", "succeeded")
                positions = [second[1], first[1]]
                yield scene.finding("contradictory_times", second[0], positions, detail, incident=each.incident)
