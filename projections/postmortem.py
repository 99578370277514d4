"""
What does the postmortem of an incident say, who stands behind it, and what is left to do?

A pure fold of the incident's own events that count, in the order in which
they were recorded: the last word on a section holds, and an action that is
added again under its name is open again. Nothing here knows a clock: what is
due by when, and overdue, is worked out by who asks (see `projections.due`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ledger.events import (
    Event,
    PostmortemActionAdded,
    PostmortemActionCancelled,
    PostmortemActionCompleted,
    PostmortemApproved,
    PostmortemCauseRecorded,
    PostmortemPublished,
    PostmortemReviewed,
    PostmortemSectionWritten,
    PostmortemStarted,
    PostmortemWaived,
)
from projections.facts import Fact
from projections.telling import Told

SECTIONS = (
    "summary impact trigger detection response mitigation root_cause went_well went_badly lucky lessons customer_message"
).split()
"""The sections that every postmortem may have, in the order in which they are read; others come after them."""

STATUSES = ("none", "draft", "reviewed", "approved", "published", "waived")

_WRITING = (PostmortemStarted, PostmortemSectionWritten, PostmortemCauseRecorded)
_JUDGING = (PostmortemReviewed, PostmortemApproved, PostmortemPublished)
_CONTENT = (PostmortemSectionWritten, PostmortemCauseRecorded, PostmortemActionAdded)


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did something when, and where that is recorded: `by` is who decided it, else who submitted it."""

    at: int
    position: int
    by: str


@dataclass(frozen=True, slots=True)
class Section(Deed):
    """The newest text of a section; `revisions` counts its texts, `earlier` are the positions of those before."""

    text: str
    revisions: int = 1
    earlier: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause(Deed):
    kind: str
    statement: str
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """
    What is to be done by whom. `due` is a day or a moment, as it was given.

    `added` is the latest time that it was added, `first_added` the first;
    `ended` is how it was completed or cancelled, `reason` why, if anybody said.
    """

    action_id: str
    text: str
    kind: str
    owner: str
    due: str | None
    ticket: str | None
    added: Deed
    first_added: Deed
    state: str = "open"
    ended: Deed | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Act(Deed):
    """A review, an approval, a publication, a waiving: for whom, and why."""

    audience: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Postmortem:
    """
    A postmortem as it stands: sections and actions by their names, in the order in which they are read.

    `written` are the positions of all that says something: texts, causes,
    actions. `due` is what its owner was asked for, a day or a moment.
    """

    status: str = "none"
    owner: str | None = None
    due: str | None = None
    started: Deed | None = None
    sections: Mapping[str, Section] = field(default_factory=lambda: MappingProxyType({}))
    causes: tuple[Cause, ...] = ()
    actions: tuple[Action, ...] = ()
    reviewed: tuple[Act, ...] = ()
    approved: tuple[Act, ...] = ()
    published: tuple[Act, ...] = ()
    waived: tuple[Act, ...] = ()
    written: tuple[int, ...] = ()

    def written_after(self, position: int) -> tuple[int, ...]:
        """What was written after something was recorded: an approval does not stand behind it."""
        return tuple(each for each in self.written if each > position)


def of(told: Iterable[Fact | Told]) -> Postmortem:
    """The postmortem that the events of one incident make; those that do not count are passed over."""
    facts = [each.fact if isinstance(each, Told) else each for each in told if isinstance(each, Fact) or each.counts]
    draft = _Draft()
    for each in sorted(facts, key=lambda one: one.position):
        draft.take(each)
    return draft.done()


@dataclass(slots=True)
class _Draft:
    started: list[tuple[Deed, PostmortemStarted]] = field(default_factory=list)
    sections: dict[str, Section] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)
    actions: dict[str, Action] = field(default_factory=dict)
    acts: dict[type[Event], list[Act]] = field(default_factory=dict)
    written: list[int] = field(default_factory=list)
    last_word: Event | None = None

    def take(self, fact: Fact) -> None:
        deed = Deed(fact.at, fact.position, fact.event.decided_by or fact.recorded.submitter.id)
        match fact.event:
            case PostmortemStarted() as event:
                self.started.append((deed, event))
            case PostmortemSectionWritten() as event:
                self._write(event, deed)
            case PostmortemCauseRecorded() as event:
                self.causes.append(Cause(*_of(deed), event.kind, event.statement, event.category))
            case PostmortemActionAdded() as event:
                self._add(event, deed)
            case PostmortemActionCompleted() | PostmortemActionCancelled() as event:
                self._end(event, deed)
            case PostmortemReviewed() | PostmortemApproved() | PostmortemPublished() | PostmortemWaived() as event:
                self.acts.setdefault(type(event), []).append(Act(*_of(deed), event.audience, event.reason))
        if isinstance(fact.event, _CONTENT):
            self.written.append(fact.position)
        if isinstance(fact.event, (*_WRITING, *_JUDGING, PostmortemWaived)):
            self.last_word = fact.event

    def _write(self, event: PostmortemSectionWritten, deed: Deed) -> None:
        before = self.sections.get(event.section)
        earlier = (*before.earlier, before.position) if before else ()
        self.sections[event.section] = Section(*_of(deed), event.text, len(earlier) + 1, earlier)

    def _add(self, event: PostmortemActionAdded, deed: Deed) -> None:
        before = self.actions.get(event.action_id)
        first = before.first_added if before else deed
        told = (event.text, event.kind, event.owner, event.due, event.ticket)
        self.actions[event.action_id] = Action(event.action_id, *told, added=deed, first_added=first)

    def _end(self, event: PostmortemActionCompleted | PostmortemActionCancelled, deed: Deed) -> None:
        """The first end of an action holds; one that nobody added is nobody's."""
        found = self.actions.get(event.action_id)
        if found is None or found.ended is not None:
            return
        state = "done" if isinstance(event, PostmortemActionCompleted) else "cancelled"
        self.actions[event.action_id] = replace(found, state=state, ended=deed, reason=event.reason)

    def done(self) -> Postmortem:
        begun = self.started
        return Postmortem(
            status=self._status(),
            owner=begun[-1][1].owner if begun else None,
            due=next((event.due for _, event in reversed(begun) if event.due), None),
            started=begun[0][0] if begun else None,
            sections=MappingProxyType({name: self.sections[name] for name in in_order(self.sections)}),
            causes=tuple(self.causes),
            actions=tuple(self.actions.values()),
            reviewed=self._acts(PostmortemReviewed),
            approved=self._acts(PostmortemApproved),
            published=self._acts(PostmortemPublished),
            waived=self._acts(PostmortemWaived),
            written=tuple(self.written),
        )

    def _acts(self, kind: type[Event]) -> tuple[Act, ...]:
        return tuple(self.acts.get(kind, ()))

    def _status(self) -> str:
        """How far it got; waived only as long as nobody went on with it after all."""
        if isinstance(self.last_word, PostmortemWaived):
            return "waived"
        furthest = next((kind for kind in reversed(_JUDGING) if kind in self.acts), None)
        if furthest is not None:
            return furthest.TOPIC.partition(".")[2]
        return "draft" if self.started or self.written else "none"


def _of(deed: Deed) -> tuple[int, int, str]:
    return deed.at, deed.position, deed.by


def in_order(names: Iterable[str]) -> list[str]:
    """Section names in the order in which they are read: the known ones first, others as they came."""
    found = list(names)
    return [*(each for each in SECTIONS if each in found), *(each for each in found if each not in SECTIONS)]


def title(section: str) -> str:
    """What a section is headed by: `root_cause` is headed by `Root cause`."""
    words = section.replace("_", " ").strip() or section
    return words[:1].upper() + words[1:]


def missing(found: Postmortem) -> list[str]:
    """What a reader looks for and does not find: a summary, a cause, an action."""
    told = {"summary": "summary" in found.sections, "cause": bool(found.causes), "action": bool(found.actions)}
    return [name for name, is_there in told.items() if not is_there]
