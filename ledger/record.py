"""
The rules of events about the record itself: what can be corrected, retracted, redacted, seconded.

These are rules of form. A correction that would make its target unreadable
is refused, with words for what can be done instead.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ledger.contract import members, pointer
from ledger.errors import Fault, Invalid
from ledger.events import (
    ADMIN_DECISION,
    DECISION,
    DecisionSeconded,
    Event,
    FindingAccepted,
    RecordCorrected,
    RecordRedacted,
    RecordRetracted,
)
from ledger.values import Time, Unfit


def positions(event: Event) -> Sequence[int]:
    """The positions that an event about the record refers to; none for any other."""
    match event:
        case FindingAccepted():
            return event.positions
        case RecordCorrected() | RecordRetracted() | RecordRedacted() | DecisionSeconded():
            return (event.position,)
    return ()


def check(event: Event, target: Event) -> Event:
    """
    The event to record about *target*; a corrected value is in it as its member keeps it.

    Raises:
        Invalid: where the event cannot be about this target, saying what can be done instead.
    """
    match event:
        case RecordCorrected():
            return _checked_correction(event, target)
        case RecordRetracted() if isinstance(target, RecordRedacted):
            raise Invalid([Fault("/data/position", "is a redaction, and what was redacted is gone: it stays")])
        case RecordRedacted():
            for index, name in enumerate(event.fields):
                member = members(type(target)).get(name)
                if name != "evidence" and (member is None or not member.protected):
                    raise Invalid([Fault(f"/data/fields/{index}", f"is not a protected member of {target.TOPIC}")])
        case DecisionSeconded() if target.WHO not in (DECISION, ADMIN_DECISION):
            raise Invalid([Fault("/data/position", "is not a decision: there is nothing to second")])
    return event


def _checked_correction(event: RecordCorrected, target: Event) -> RecordCorrected:
    if target.TOPIC.startswith(("record.", "access.")):
        raise Invalid([Fault("/data/position", f"is a {target.TOPIC}: retract it, and record what is right")])
    if event.field == "decided_by" or event.field in target.LEDGER_SETS:
        detail = f"{event.field} can't be corrected: retract the event, and record it anew"
        raise Invalid([Fault("/data/field", detail)])
    rule, required = _rule(event.field, target)
    if event.value is None and required:
        raise Invalid([Fault("/data/value", f"is required: {event.field} can't be empty in {target.TOPIC}")])
    if event.value is None:
        return event
    try:
        kept = rule.accept(event.value)
    except Unfit as unfit:
        raise Invalid([Fault(pointer("data", "value", *unfit.path), unfit.detail)]) from None
    # Of an object or a list the JSON stays as it was given: the member's rule reads it again.
    return replace(event, value=kept) if type(kept) is str and kept != event.value else event


def _rule(field: str, target: Event) -> tuple[Any, bool]:
    """The rule of a member that is to be corrected, and whether it must have a value."""
    if field == "time":
        return Time(), True
    member = members(type(target)).get(field)
    if member is None:
        raise Invalid([Fault("/data/field", f"is not time nor a member of {target.TOPIC}")])
    return member.rule, member.required and not member.nullable
