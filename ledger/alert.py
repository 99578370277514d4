"""
One alert, as deciding needs it: what it is about.

A fingerprint names an alert wherever it comes from, so who knows one could
tell of another's service that it is quiet.
"""

from dataclasses import dataclass
from datetime import datetime

from ledger.events import AlertFired, Event


@dataclass(slots=True)
class State:
    """`fired`: how it fired last; None where it never did."""

    fired: AlertFired | None = None

    def copy(self) -> "State":
        return State(self.fired)


def evolve(state: State, event: Event, _at: datetime | None = None) -> State:
    """The state after the event: the same object, changed."""
    if isinstance(event, AlertFired):
        state.fired = event
    return state
