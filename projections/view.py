"""
Everything that the answer for one slot depends on, put together at one moment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from projections import artifact as artifacts
from projections import environment as environments
from projections.incident import State as Incident
from projections.slot import Period, State, Verdict


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact for or against, and the position that says so."""

    code: str
    detail: str
    position: int | None = None

    def json(self) -> dict[str, Any]:
        return {"code": self.code, "detail": self.detail, "position": self.position}


@dataclass
class View:
    """
    Everything that the answer for one slot depends on, at the moment `at`.

    `promoted` tells whether an artifact was ever live where the slot's
    environment is promoted from; None where it is promoted from nowhere.
    """

    slot: State
    artifacts: artifacts.State
    environment: environments.State
    incidents: list[Incident]
    at: int
    promoted: Callable[[str, str | None], bool] | None = None

    @cached_property
    def soak(self) -> int:
        return self.environment.settings.soak(self.slot.service)

    @cached_property
    def concerned(self) -> list[Incident]:
        """The real incidents that affect the slot or name a version of it."""
        return [each for each in self.incidents if each.mode == "real"]

    def lived(self, artifact: int) -> list[Period]:
        """The live periods of an artifact, oldest first."""
        return [self.slot.periods[place] for place in self.slot.artifacts[artifact].periods]

    @cached_property
    def verdicts(self) -> dict[int, list[Verdict]]:
        found: dict[int, list[Verdict]] = {}
        for verdict in self.slot.verdicts:
            found.setdefault(verdict.artifact, []).append(verdict)
        return found

    @property
    def key(self) -> tuple[str, str]:
        return self.slot.service, self.slot.environment

    def live_time(self, artifact: int, since: int = 0) -> int:
        """Microseconds for which an artifact was live after *since*."""
        spans = ((max(each.start, since), self.at if each.end is None else each.end) for each in self.lived(artifact))
        return sum(max(0, end - start) for start, end in spans)

    def last(self, artifact: int, *kinds: str) -> Verdict | None:
        """The last verdict of some kinds on an artifact."""
        given = [each for each in self.verdicts.get(artifact, []) if each.kind in kinds]
        return max(given, key=lambda each: (each.at, each.position), default=None)
