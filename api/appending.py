"""
Appending what a request sent: all of it or nothing, or each event by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from api import problems
from api.drafts import Entry, Sent
from api.service import Service
from ledger.authority import Principal
from ledger.codec import Prepared
from ledger.deciding import Command, Receipt
from ledger.errors import Invalid, LedgerError, NotAllowed

if TYPE_CHECKING:
    from concurrent.futures import Future

Outcome = Receipt | BaseException


@dataclass(frozen=True, slots=True)
class Wish:
    """How a request wants its events taken. `expected` goes with a single event, `claim` with `expected`."""

    principal: Principal
    expected: int | None = None
    strict: bool = False
    claim: bool = False


def all_or_nothing(held: Service, sent: Sent, wish: Wish) -> list[Receipt]:
    """
    The receipts of all events, in order.

    Raises:
        LedgerError: and nothing was stored. Faults bear the line that they are on.
    """
    sent.drafts()
    prepared = [_prepared(held, each, wish.principal) for each in sent.entries]
    if not prepared:
        return []
    try:
        return held.writer.append(Command(wish.principal, prepared, wish.expected, wish.strict, wish.claim))
    except LedgerError as error:
        _tell_line(error, sent.entries[(error.line or 1) - 1].line)
        raise


def _prepared(held: Service, entry: Entry, principal: Principal) -> Prepared:
    if entry.draft is None:
        raise entry.error or TypeError("an entry without a draft says why")
    try:
        return held.ledger.prepare(entry.draft, principal)
    except LedgerError as error:
        _tell_line(error, entry.line)
        raise


def _tell_line(error: LedgerError, line: int | None) -> None:
    error.line = line
    if isinstance(error, Invalid):
        error.errors = [replace(each, line=line) for each in error.errors]


def each_by_itself(held: Service, sent: Sent, wish: Wish) -> list[Outcome]:
    """What became of each event, in order: its receipt, or why it was refused."""
    waiting = [_handed_in(held, each, wish) for each in sent.entries]
    outcomes = [each if isinstance(each, BaseException) else _outcome(each) for each in waiting]
    for reason in {str(each): each for each in outcomes if isinstance(each, NotAllowed)}.values():
        problems.refused(reason)
    return outcomes


def _handed_in(held: Service, entry: Entry, wish: Wish) -> "Future[list[Receipt]] | LedgerError":
    try:
        prepared = _prepared(held, entry, wish.principal)
        return held.writer.submit(Command(wish.principal, [prepared], strict=wish.strict))
    except LedgerError as error:
        return error


def _outcome(waiting: "Future[list[Receipt]]") -> Outcome:
    error = waiting.exception()
    return waiting.result()[0] if error is None else error


def summary(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """What the receipts of many events come to; `first` and `last` are null if all were duplicates."""
    new = [each.position for each in receipts if not each.duplicate]
    return {
        "first": min(new, default=None),
        "last": max(new, default=None),
        "count": len(receipts),
        "duplicates": len(receipts) - len(new),
    }
