"""
The answers about postmortems: one with all that is in it, and the actions of all.

What depends on the moment at which one asks (due, overdue) is worked out here.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import blameless, due, incident_answers, incident_list, postmortem, reporting
from projections.answers import Reader
from projections.incident import State
from projections.incident_story import Story
from projections.incident_timeline import NameOf, nobody
from projections.postmortem import Act, Action, Deed, Postmortem

Key = tuple[int, str, str]
"""When an action is due, its incident and its id: what actions are ordered by."""

STATES = ("open", "done", "cancelled", "overdue")
"""What actions are asked for by; those that are overdue are open ones."""

NEVER = 2**62
"""Actions without a due date come last."""


def answer(told: Story, name_of: NameOf = nobody) -> dict[str, Any]:
    """The postmortem of an incident as it stands at the moment of its story."""
    return _Answer(told, name_of).json()


class _Answer:
    def __init__(self, told: Story, name_of: NameOf) -> None:
        self.story, self.state, self.names = told, told.state, _Names(name_of)
        self.at = told.reader.moment.at
        self.found = postmortem.of(told.own)

    @cached_property
    def people(self) -> list[str]:
        """Who had a role in the incident or a hand in its postmortem, by name: who is meant by a name in a text."""
        found = self.found
        deeds: list[Deed] = [*found.sections.values(), *found.causes, *found.reviewed, *found.approved]
        told = [*(each.person for each in self.state.holdings), *(each.by for each in deeds)]
        return list(dict.fromkeys(self.names.of(each) for each in [*told, *([found.owner] if found.owner else [])]))

    def json(self) -> dict[str, Any]:
        found, started = self.found, self.found.started
        return {
            "incident": self.state.id,
            "title": self.state.title,
            "state": self.state.state,
            **self.story.reader.frame(),
            "status": found.status,
            "owner": found.owner,
            "started": None if started is None else self.names.deed(started),
            **self._due(),
            "sections": self._sections(),
            "causes": [
                {"kind": each.kind, "statement": each.statement, "category": each.category, **self.names.deed(each)}
                for each in found.causes
            ],
            "actions": [action_json(each, self.at, self.names) for each in found.actions],
            **{name: self._acts(getattr(found, name)) for name in ("reviewed", "approved", "published", "waived")},
            "written_since_approval": self._unapproved(),
            "missing": postmortem.missing(found),
            "people": self.people,
            "advice": list(self._advice()),
            "reporting": reporting.reporting(self.story, self.names.name_of),
        }

    def _due(self) -> dict[str, Any]:
        rule, asked = due.by_severity(self.state), self.found.due
        at = due.postmortem(self.state, asked)
        told = {"time": _time(at), "by_severity": rule.severity if rule else None, "asked": asked}
        finished = self.found.approved or self.found.published or self.found.waived
        return {"due": told if at is not None else None, "overdue": at is not None and at <= self.at and not finished}

    def _sections(self) -> list[dict[str, Any]]:
        return [
            {
                "section": name,
                "title": postmortem.title(name),
                "text": each.text,
                **self.names.deed(each),
                "revisions": each.revisions,
                "earlier": list(each.earlier),
            }
            for name, each in self.found.sections.items()
        ]

    def _acts(self, acts: tuple[Act, ...]) -> list[dict[str, Any]]:
        return [{**self.names.deed(each), "audience": each.audience, "reason": each.reason} for each in acts]

    def _unapproved(self) -> list[int]:
        """The positions of what was written after the last approval; none before there is one."""
        approved = self.found.approved
        return list(self.found.written_after(max(each.position for each in approved))) if approved else []

    def _advice(self) -> Iterator[dict[str, Any]]:
        for part, name, position, text in _texts(self.found):
            for each in blameless.lint(text, self.people):
                yield {"part": part, "name": name, "position": position, **each.json()}


def _texts(found: Postmortem) -> Iterator[tuple[str, str, int, str]]:
    """All that an author wrote, with where it stands."""
    for name, section in found.sections.items():
        yield "section", name, section.position, section.text
    for cause in found.causes:
        yield "cause", cause.kind, cause.position, cause.statement
    for action in found.actions:
        yield "action", action.action_id, action.added.position, action.text


class _Names:
    def __init__(self, name_of: NameOf) -> None:
        self.name_of = name_of

    def of(self, person: str) -> str:
        return self.name_of(person) or person

    def deed(self, deed: Deed) -> dict[str, Any]:
        return {"time": _time(deed.at), "position": deed.position, "by": self.of(deed.by)}


def action_json(action: Action, at: int, names: _Names) -> dict[str, Any]:
    """An action as it stands at a moment."""
    return {
        "action_id": action.action_id,
        "text": action.text,
        "kind": action.kind,
        "owner": action.owner,
        "due": action.due,
        "ticket": action.ticket,
        "state": action.state,
        "overdue": _is_overdue(action, at),
        "added": names.deed(action.added),
        "first_added": names.deed(action.first_added),
        "ended": None if action.ended is None else names.deed(action.ended),
        "reason": action.reason,
    }


def _is_overdue(action: Action, at: int) -> bool:
    return action.state == "open" and action.due is not None and due.end_of(action.due) <= at


def _time(at: int | None) -> str | None:
    return None if at is None else rfc3339(from_microseconds(at))


# The actions of all incidents


def actions(
    reader: Reader, filters: Mapping[str, str], after: Key | None, limit: int, name_of: NameOf = nobody
) -> tuple[list[dict[str, Any]], Key | None]:
    """The actions that match filters (`state`, `owner`, `incident`), those due first first, and where to go on."""
    found = sorted(_matching(reader, filters), key=lambda each: each[0])
    chosen = [each for each in found if after is None or each[0] > after]
    names, at = _Names(name_of), reader.moment.at
    items = [
        {"incident": state.id, "title": state.title, "drill": state.mode == "drill", **action_json(each, at, names)}
        for _, state, each in chosen[:limit]
    ]
    return items, chosen[limit - 1][0] if len(chosen) > limit else None


def _matching(reader: Reader, filters: Mapping[str, str]) -> Iterator[tuple[Key, State, Action]]:
    for state, action in _all(reader, filters.get("incident")):
        is_asked_for = filters.get("owner", action.owner) == action.owner
        if is_asked_for and _is_in(filters.get("state"), action, reader.moment.at):
            by = NEVER if action.due is None else due.end_of(action.due)
            yield (by, state.id, action.action_id), state, action


def _all(reader: Reader, incident: str | None) -> Iterator[tuple[State, Action]]:
    for stream in incident_list.streams(reader.tables.db):
        if reader.audit(stream).actions and (state := reader.state(stream)).id == (incident or state.id):
            story = incident_answers.story(reader, state.id)
            for action in postmortem.of(story.own).actions if story else ():
                yield state, action


def _is_in(asked: str | None, action: Action, at: int) -> bool:
    if asked == "overdue":
        return _is_overdue(action, at)
    return asked in (None, action.state)
