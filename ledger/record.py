"""
The rules of events about the record itself: what can be corrected, retracted, redacted, seconded.

These are rules of form. A correction that would make its target unreadable
is refused, with words for what can be done instead.
"""

from typing import Any

from ledger.contract import members
from ledger.errors import Fault, Invalid
from ledger.events import DecisionSeconded, Event, RecordCorrected, RecordRedacted, RecordRetracted
from ledger.values import Time, Unfit


def check(event: Event, target: Event) -> None:
    """
    Whether an event about the record can be about *target*.

    Raises:
        Invalid: if not, saying what can be done instead.
    """
    match event:
        case RecordCorrected():
            _check_correction(event, target)
        case RecordRetracted() if isinstance(target, RecordRedacted):
            raise Invalid([Fault("/data/position", "is a redaction, and what was redacted is gone: it stays")])
        case RecordRedacted():
            for index, name in enumerate(event.fields):
                member = members(type(target)).get(name)
                if name != "evidence" and (member is None or not member.protected):
                    raise Invalid([Fault(f"/data/fields/{index}", f"is not a protected member of {target.TOPIC}")])
        case DecisionSeconded() if target.decided_by is None:
            raise Invalid([Fault("/data/position", "is not a decision: there is nothing to second")])


def _check_correction(event: RecordCorrected, target: Event) -> None:
    if target.TOPIC.startswith(("record.", "access.")):
        raise Invalid([Fault("/data/position", f"is a {target.TOPIC}: retract it, and record what is right")])
    if event.field == "decided_by" or event.field in target.LEDGER_SETS:
        raise Invalid(
            [Fault("/data/field", f"{event.field} can't be corrected: retract the event, and record it anew")]
        )
    if event.field == "time":
        rule: Any = Time()
    elif (member := members(type(target)).get(event.field)) is None:
        raise Invalid([Fault("/data/field", f"is not time nor a member of {target.TOPIC}")])
    elif event.value is None and member.required:
        raise Invalid([Fault("/data/value", f"is required: {event.field} can't be empty in {target.TOPIC}")])
    else:
        rule = member.rule
    if event.value is not None:
        try:
            rule.accept(event.value)
        except Unfit as unfit:
            raise Invalid([Fault("/data/value", unfit.detail)]) from None
