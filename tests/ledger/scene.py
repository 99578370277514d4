"""
Who acts in the tests of the write path, and how: principals, drafts, commands.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from ledger.application import Clock, Ledger
from ledger.authority import ADMIN, AUDITOR, HUMAN, MACHINE, PIPELINE, RELAY, RESPONDER, Principal
from ledger.codec import Draft
from ledger.deciding import Command, Receipt
from ledger.errors import LedgerError
from ledger.events import Event

A_PIPELINE = Principal("pipeline-1", MACHINE, frozenset({PIPELINE}))
A_RELAY = Principal("relay-1", MACHINE, frozenset({RELAY}))
A_RESPONDER = Principal("responder-1", HUMAN, frozenset({RESPONDER}))
AN_AUDITOR = Principal("auditor-1", HUMAN, frozenset({AUDITOR}))
AN_ADMIN = Principal("admin-1", HUMAN, frozenset({ADMIN}))
EVERYONE = Principal("all-1", HUMAN, frozenset({RESPONDER, ADMIN}))
"""A person who may have any event recorded but the ledger's own."""

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_ids = count(1)


class StoppedClock(Clock):
    """Stands still until the test moves it, forward or back."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


def draft(event: Event, **envelope: Any) -> Draft:
    """A draft with an id that no other has, unless one is given; without `content`, all it says is its content."""
    envelope.setdefault("id", f"id-{next(_ids)}")
    envelope.setdefault("source", "tests")
    return Draft(event, **envelope)


def command(
    ledger: Ledger,
    *drafts: Draft | Event,
    by: Principal = EVERYONE,
    expected: int | None = None,
    strict: bool = False,
    claim: bool = False,
) -> Command:
    made = [each if isinstance(each, Draft) else draft(each) for each in drafts]
    return Command(by, [ledger.prepare(each, by) for each in made], expected, strict, claim)


def outcome(ledger: Ledger, *drafts: Draft | Event, **options: Any) -> list[Receipt] | LedgerError:
    """What becomes of one command by itself."""
    return ledger.record([command(ledger, *drafts, **options)])[0]


def append(ledger: Ledger, *drafts: Draft | Event, **options: Any) -> list[Receipt]:
    """The receipts of one command by itself; raises what refuses it."""
    found = outcome(ledger, *drafts, **options)
    if isinstance(found, LedgerError):
        raise found
    return found


def history(ledger: Ledger) -> Sequence[Any]:
    """All that is recorded."""
    return list(ledger.read(0, ledger.head()))
