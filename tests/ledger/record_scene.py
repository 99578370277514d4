"""
A record in a folder, sealed as a server seals it, for the tests that verify it, spoil it and take evidence of it.
"""

import io
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from api.access import command as access_command
from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from ledger.events import (
    AccessExported,
    ArtifactPublished,
    DecisionSeconded,
    DeploymentSucceeded,
    Event,
    Evidence,
    IncidentDeclared,
    IncidentNoteAdded,
    Place,
    RecordCorrected,
    RecordRedacted,
    RecordRetracted,
    ReleaseApproved,
    ReleaseExposed,
)
from ledger.evidence import Asked, Bundle, Proving
from ledger.hashes import Hashes
from ledger.leaves import Leaves
from ledger.log_keys import LogKeys
from ledger.note import Signer, Verifier, signed_note
from ledger.sealer import Sealed, Sealer
from tests.ledger.scene import AN_AUDITOR, StoppedClock, append, draft

ORIGIN = "ledger.example/test"
A_WITNESS = Signer("witness.example/w", bytes(range(32)))


class SealedRecord:
    """A ledger and its log in a folder. `seal` is one turn of the sealer."""

    def __init__(self, folder: Path, clock: StoppedClock | None = None) -> None:
        self.folder, self.log = folder, folder / "log"
        self.clock = clock or StoppedClock()
        self.ledger = Ledger(folder, self.clock)
        self.keys = LogKeys(self.log, ORIGIN)
        self.hashes = Hashes(folder / "hashes")
        self.sealer = Sealer(Leaves(self.ledger), self.keys, Checkpoints(self.log), self.hashes)

    def record(self, *events: Event, seal: bool = True) -> list[int]:
        """The positions of events that are recorded one by one, a second apart, each sealed by itself."""
        positions = []
        for event in events:
            self.clock.move(seconds=1)
            positions.append(append(self.ledger, draft(event))[0].position)
            if seal:
                self.seal()
        return positions

    def seal(self) -> Sealed:
        self.sealer.turn()
        assert self.sealer.sealed is not None
        return self.sealer.sealed

    def vkeys(self) -> list[str]:
        return [key.vkey() for key in self.keys.verifiers()]

    def bundle(
        self, asked: Asked | None = None, witnesses: Sequence[Verifier] = (), note: bytes | None = None
    ) -> bytes:
        """An evidence bundle, as the API makes it: recorded first, then proven by a checkpoint that has that."""
        asked = asked or Asked()
        self.clock.move(seconds=1)
        event = AccessExported(subject=AN_AUDITOR.id, roles=("auditor",), query={"evidence": asked.json()})
        (receipts,) = self.ledger.record([access_command(self.ledger, event, AN_AUDITOR)])
        assert isinstance(receipts, list)
        sealed = self.seal()
        proving = Proving(note or sealed.note, sealed.size, self.hashes.read, self.keys.verifiers(), witnesses)
        file = io.BytesIO()
        Bundle(self.ledger, proving, asked, receipts[0].position).write(file)
        return file.getvalue()

    def close(self) -> None:
        self.sealer.close()
        self.ledger.close()


def deployed(number: int, **more: Any) -> DeploymentSucceeded:
    slot = {"service": f"svc-{number % 3}", "environment": "production"}
    return DeploymentSucceeded(**{"deployment_id": f"run-{number}", "version": f"1.{number}", **slot, **more})


def story() -> list[Event]:
    """One of each kind that verification looks at differently; the positions are from 1 on."""
    return [
        deployed(1, author="Ana Lima"),
        deployed(2, reason="a fix: ünïcödé \u2028 and \U0001f680"),
        deployed(
            3, evidence=(Evidence(label="graph", url="https://g.example/1"), Evidence(label="log", url="https://l"))
        ),
        ReleaseExposed(release_id="r", service="svc-1", environment="production", version="1.4", exposure=12.5),
        IncidentDeclared(
            incident="INC-1",
            title="payments fail",
            severity="SEV-1",
            kind="outage",
            affected=(Place(service="svc-1", environment="production"),),
        ),
        IncidentNoteAdded(incident="INC-1", text="Zoe looks at it", labels={"...": "x", "é": "y"}),
        ReleaseApproved(service="svc-1", environment="production", version="1.4", reason="looks good"),
        RecordCorrected(position=2, field="service", value="svc-1", reason="wrong service"),
        RecordRedacted(position=6, fields=("text",), reason="a person asked", authority="the data officer"),
        RecordRetracted(position=3, reason="never happened"),
        DecisionSeconded(position=7, reason="agreed"),
        ArtifactPublished(service="svc-2", version="2.0", committed_at="2026-11-22T10:00:00+01:00"),
    ]


@contextmanager
def told(folder: Path) -> Iterator[SealedRecord]:
    """A record with the whole story in it, sealed after every event."""
    record = SealedRecord(folder)
    try:
        record.record(*story())
        yield record
    finally:
        record.close()


def copied(folder: Path, to: Path) -> Path:
    """A copy of a data folder that nobody has open."""
    shutil.copytree(folder, to)
    return to


@contextmanager
def database_tools(folder: Path, *, guarded: bool = False) -> Iterator[sqlite3.Connection]:
    """The event database in the hands of somebody who can do everything; the triggers are gone unless *guarded*."""
    with closing(sqlite3.connect(folder / "events.sqlite", isolation_level=None)) as database:
        made = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        if not guarded:
            for name, _ in made:
                database.execute(f"DROP TRIGGER {name}")
        yield database
        # Whoever covers their tracks puts the triggers back.
        for _, sql in made if not guarded else ():
            database.execute(sql)


def resigned(note_text: str, seed: bytes = bytes(32)) -> tuple[bytes, Verifier]:
    """The text of a checkpoint, signed with another key of the same name."""
    signer = Signer(note_text.split("\n", maxsplit=1)[0], seed)
    return signed_note(note_text, signer).encoded(), signer.verifier
