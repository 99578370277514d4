"""What tests of reports ask a story: its report, told with proofs that stand in for those of a log."""

import hashlib
from collections.abc import Iterable
from typing import Any

from ledger.events import Submitter
from projections import incident_answers
from projections.incident_timeline import NameOf, nobody
from projections.report import report
from tests.projections.story import Story

BOB = Submitter("person-bob", "token", "human")


class Log:
    """A log that has sealed so many events: leaves by their positions, one checkpoint over all."""

    def __init__(self, sealed: int = 10**6) -> None:
        self.sealed = sealed

    def leaf_hash(self, position: int) -> str:
        return hashlib.sha256(str(position).encode()).hexdigest()

    def checkpoint(self, position: int) -> dict[str, Any] | None:
        return {"origin": "test", "size": self.sealed, "root": "00"} if position <= self.sealed else None


def told(
    story: Story,
    incident: str = "INC-1",
    *,
    audience: str = "auditor",
    as_of: str | None = None,
    known_at: int | None = None,
    name_of: NameOf = nobody,
    zone: str | None = None,
    log: Log | None = None,
    house: Iterable[str] = (),
) -> dict[str, Any]:
    """The report about an incident of a story, at a moment of its language."""
    with story.answers.at(story.moment(as_of, known_at)) as reader:
        about = incident_answers.story(reader, incident)
        assert about is not None
        return report(about, audience=audience, name_of=name_of, zone=zone, proofs=log or Log(), house=house)
