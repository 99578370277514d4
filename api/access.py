"""
The record's own events about access: granted, revoked, refused.

`ledger.authority` refuses these from outside, so this is the one place that
makes them. Who did it is the submitter; whom it is about is the stream.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock

from eventsourcing.application import LRUCache

from ledger.application import Ledger, uuid7
from ledger.authority import ADMIN, HUMAN, Principal
from ledger.canonical import canonical
from ledger.codec import Draft, prepare
from ledger.contract import data_of
from ledger.deciding import Command, Receipt
from ledger.errors import LedgerError
from ledger.events import LEDGER, AccessRefused, Event

Append = Callable[[Command], list[Receipt]]
"""Makes a command durable, or raises: the writer's `append` in a server, `directly` elsewhere."""

AT_MOST_EACH = timedelta(minutes=1)
REMEMBERED = 4_096

LOCAL_ADMIN = Principal("local-admin", HUMAN, frozenset({ADMIN}), method="local")
"""Whoever may run commands on the machine that keeps the data folder."""


def command(ledger: Ledger, event: Event, by: Principal) -> Command:
    """The command that records an event of the ledger's own, done by *by*."""
    if event.WHO is not LEDGER:
        raise ValueError(f"{event.TOPIC} is not the ledger's own: hand it in like any other event")
    draft = Draft(event, content=canonical(data_of(event)))
    # The id is new and random, so there is no twin to compare a fingerprint with.
    event_id = str(uuid7(ledger.clock.now()))
    return Command(by, [prepare(draft, by.submitter, source=by.id, event_id=event_id, fingerprint=b"")])


def directly(ledger: Ledger) -> Append:
    """Appends without a writer, for a process that serves nobody; safe while a server runs on the folder."""

    def append(command: Command) -> list[Receipt]:
        outcome = ledger.record([command])[0]
        if isinstance(outcome, LedgerError):
            raise outcome
        return outcome

    return append


class Refusals:
    """
    Records who was refused what: at most once a minute a principal and reason.

    Nobody waits for it, and no answer fails over it. Safe from many threads.
    """

    def __init__(self, ledger: Ledger, submit: Callable[[Command], object]) -> None:
        self._ledger, self._submit = ledger, submit
        self._lock = Lock()
        self._last: LRUCache[tuple[str, str], datetime] = LRUCache(REMEMBERED)

    def record(self, principal: Principal, reason: str) -> None:
        if self._is_new(principal.id, reason):
            roles = tuple(sorted(principal.roles))
            event = AccessRefused(subject=principal.id, roles=roles, reason=reason)
            # The refusal is the answer, also where the ledger is stopping and takes nothing more.
            with suppress(LedgerError):
                self._submit(command(self._ledger, event, principal))

    def _is_new(self, principal_id: str, reason: str) -> bool:
        now, key = self._ledger.clock.now(), (principal_id, reason)
        with self._lock:
            try:
                if now - self._last.get(key) < AT_MOST_EACH:
                    return False
            except KeyError:
                pass
            self._last.put(key, now)
        return True
