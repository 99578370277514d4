"""
Who wrote a version, and when was it committed?

A fold over the events of one service's artifacts, beside its state. The last
word for a version counts.
"""

from dataclasses import dataclass, field
from typing import Any

from ledger.events import ArtifactPublished, DeploymentStarted, DeploymentSucceeded
from ledger.values import instant, microseconds
from projections.facts import Fact
from projections.said import REDACTED


@dataclass(slots=True)
class Origin:
    author: str | None = None
    committed_at: int | None = None
    position: int = 0


@dataclass(slots=True)
class State:
    """By version, those of which anything is known."""

    origins: dict[str, Origin] = field(default_factory=dict)


def step(state: State, fact: Fact, _change: Any, _artifacts: Any) -> None:
    note(state.origins, fact)


def note(origins: dict[str, Origin], fact: Fact) -> None:
    """Keeps what an event tells of where a version came from."""
    event = fact.event
    if not isinstance(event, ArtifactPublished | DeploymentStarted | DeploymentSucceeded):
        return
    author = None if event.author == REDACTED else event.author
    if author is None and event.committed_at is None:
        return
    found = origins.setdefault(event.version, Origin())
    found.author, found.position = author or found.author, fact.position
    if event.committed_at is not None:
        found.committed_at = microseconds(instant(event.committed_at))
