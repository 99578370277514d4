"""
A finding: where practice left the doctrine, the events that show it, and what became of it.
"""

from dataclasses import dataclass
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections.incident import Slot

OPEN, SETTLED, ACCEPTED = STATES = ("open", "settled", "accepted")


@dataclass(slots=True)
class Finding:
    """
    Where practice left the doctrine. `at` is when. `places` are the slots by
    which it is found, where it is not of just one. `within` is the first
    position of the larger finding that it is a part of.
    """

    rule: str
    at: int
    positions: tuple[int, ...]
    detail: str
    service: str | None = None
    environment: str | None = None
    incident: str | None = None
    settled_by: tuple[int, ...] = ()
    accepted_by: tuple[int, ...] = ()
    places: tuple[Slot, ...] = ()
    within: int | None = None

    @property
    def state(self) -> str:
        """What events settled needs no acceptance."""
        if self.settled_by:
            return SETTLED
        return ACCEPTED if self.accepted_by else OPEN

    @property
    def key(self) -> tuple[int, str, tuple[int, ...]]:
        """What findings are ordered by, the newest first: no two have the same."""
        return self.positions[0], self.rule, self.positions

    def json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "service": self.service,
            "environment": self.environment,
            "incident": self.incident,
            "time": rfc3339(from_microseconds(self.at)),
            "positions": list(self.positions),
            "state": self.state,
            "detail": self.detail,
            "settled_by": list(self.settled_by),
            "accepted_by": list(self.accepted_by),
        }


def by(position: int | None) -> tuple[int, ...]:
    """The positions that settled a finding, of the one that did."""
    return () if position is None else (position,)
