"""
What is kept of a slot, a service in an environment: the state that its fold makes.

It stores periods and facts and knows no clock; what depends on the passing of
time is worked out by who asks. Moments are whole microseconds since 1970.
"""

from dataclasses import dataclass, field

from projections.environment import Settings


@dataclass(slots=True)
class Artifact:
    """
    A version and its digest, as far as known. `first_live` is the moment and
    position it was first live here, `named` those at which it was first named,
    `periods` the places of its live periods among all of the slot.
    """

    version: str
    digest: str | None = None
    first_live: tuple[int, int] | None = None
    installed: bool = False
    named: tuple[int, int] = (0, 0)
    periods: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Period:
    """
    A live period of an artifact. `change` says how it began: first, forward,
    rollback, return_forward or restore. `ended_by` says how it ended.
    `implied`: nobody released it; its deployment was taken for a release.
    """

    artifact: int
    start: int
    position: int
    change: str
    rollback_id: str | None = None
    implied: bool = False
    end: int | None = None
    end_position: int | None = None
    ended_by: str | None = None


@dataclass(slots=True)
class Installed:
    artifact: int
    since: int
    position: int


@dataclass(slots=True)
class OpenRelease:
    """A release on its way: 100 % is not yet completed."""

    artifact: int
    exposure: float | None
    since: int
    position: int
    audience: str | None = None
    region: str | None = None

    @property
    def limited(self) -> bool:
        return self.audience is not None or self.region is not None


@dataclass(slots=True)
class Pending:
    """A completed release whose version was not deployed here yet."""

    artifact: int
    position: int
    rollback_id: str | None = None


@dataclass(slots=True)
class Rollback:
    """One rollback, its steps as (moment, position); None for what did not happen."""

    to: int
    rollback_id: str
    from_version: str | None = None
    incident: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    plan: str | None = None
    decided: tuple[int, int] | None = None
    starts: list[tuple[int, int]] = field(default_factory=list)
    succeeded: tuple[int, int] | None = None
    failed: tuple[int, int] | None = None
    cancelled: tuple[int, int] | None = None
    verified: tuple[int, int] | None = None
    ineffective: tuple[int, int] | None = None
    reached: tuple[int, int] | None = None
    overtaken: tuple[int, int] | None = None

    def awaits(self, at: int, validity: int, current: str | None) -> bool:
        """Whether reaching its target at a moment, from the version that is current, would be this rollback."""
        if self.succeeded or self.failed or self.cancelled or self.overtaken or self.reached:
            return False
        if self.decided is not None and self.from_version != current:
            return False
        return bool(self.starts) or (self.decided is not None and at - self.decided[0] < validity)


@dataclass(slots=True)
class Verdict:
    """What a person said of an artifact: verified_good, marked_bad or cleared."""

    kind: str
    artifact: int
    at: int
    position: int
    incident: str | None = None


@dataclass(slots=True)
class Approval:
    granted: bool
    version: str
    digest: str | None
    at: int
    position: int
    incident: str | None = None


@dataclass(slots=True)
class Migration:
    at: int
    position: int
    reversibility: str
    migration_id: str
    version: str


@dataclass(slots=True)
class Doubt:
    """Why what is installed is not certain."""

    code: str
    position: int


@dataclass(slots=True)
class InFlight:
    version: str
    since: int
    position: int


@dataclass(slots=True)
class Observation:
    at: int
    position: int
    running: list[tuple[str, str | None, int | None]]


@dataclass(slots=True)
class Change:
    """
    What one event was, for the history: `change` is how it moved the current
    version, if it did, and `was` the version it replaced.
    """

    at: int
    position: int
    type: str
    version: str | None = None
    digest: str | None = None
    change: str | None = None
    was: str | None = None
    rollback_id: str | None = None
    reference: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class State:
    service: str = ""
    environment: str = ""
    settings: Settings = field(default_factory=Settings)
    artifacts: list[Artifact] = field(default_factory=list)
    latest: dict[str, int] = field(default_factory=dict)
    periods: list[Period] = field(default_factory=list)
    deployed: Installed | None = None
    doubt: Doubt | None = None
    pending: list[Pending] = field(default_factory=list)
    has_deployments: bool = False
    has_releases: bool = False
    releases: dict[str, OpenRelease] = field(default_factory=dict)
    in_flight: dict[str, InFlight] = field(default_factory=dict)
    rollbacks: dict[str, Rollback] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    migrations: list[Migration] = field(default_factory=list)
    observed: Observation | None = None
    void: list[int] = field(default_factory=list)

    @property
    def current(self) -> Period | None:
        """The period that is live."""
        return self.periods[-1] if self.periods and self.periods[-1].end is None else None

    @property
    def certain(self) -> bool:
        return self.doubt is None and not self.pending

    @property
    def born(self) -> bool:
        """Whether anything was ever recorded of this slot, beyond settings."""
        return bool(self.artifacts or self.in_flight or self.observed or self.has_releases or self.has_deployments)
