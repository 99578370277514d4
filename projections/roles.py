"""
Who has which role in an incident, and who had it when.

Roles are handed over in the order in which that was recorded. A role may be
held by several people; the command is one person's, and always handed over.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from projections.facts import Fact


@dataclass(slots=True)
class Holding:
    """Who had a role, from when to when."""

    role: str
    person: str
    start: int
    position: int
    end: int | None = None
    end_position: int | None = None

    def at(self, moment: int) -> bool:
        return self.start <= moment and (self.end is None or moment < self.end)


def commands(role: str) -> bool:
    """Whether a role is that of the commander."""
    words = role.lower().replace("_", " ").replace("-", " ").split()
    return words in (["commander"], ["incident", "commander"])


def assign(holdings: list[Holding], role: str, person: str, giver: str | None, fact: Fact) -> bool:
    """Gives a person a role, or hands it over from *giver*; False where that one did not have it."""
    held = giver is None or release(holdings, role, giver, fact)
    if commands(role):
        release(holdings, role, None, fact)
    elif any(_is_held(each, role, person) for each in holdings):
        return held
    holdings.append(Holding(role, person, fact.at, fact.position))
    return held


def release(holdings: Iterable[Holding], role: str, person: str | None, fact: Fact) -> bool:
    """Ends a person's holding of a role, everybody's where none is named; whether there was one."""
    found = [each for each in holdings if _is_held(each, role, person)]
    for each in found:
        each.end, each.end_position = fact.at, fact.position
    return bool(found)


def _is_held(holding: Holding, role: str, person: str | None) -> bool:
    same = holding.role == role or (commands(holding.role) and commands(role))
    return holding.end is None and same and person in (None, holding.person)


def commander(holdings: Iterable[Holding], at: int | None = None) -> Holding | None:
    """Who has the command: now, or at a moment."""
    held = [each for each in holdings if commands(each.role)]
    return next((each for each in reversed(held) if (each.end is None if at is None else each.at(at))), None)


def of(holdings: Iterable[Holding], people: Iterable[str], at: int) -> list[str]:
    """The roles that somebody, by any of their names, had at a moment."""
    names = set(people)
    return list(dict.fromkeys(each.role for each in holdings if each.person in names and each.at(at)))
