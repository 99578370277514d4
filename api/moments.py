"""
At which moment a read is meant: `as_of`, `known_at`, `at_least`.

`known_at` is a position, or a time: the last position recorded by then.
`as_of` is a time, by default the moment of `known_at` where that is given,
else now. Neither may be ahead of what there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import Schema

from api.resources import Digits, parameter
from api.service import service
from ledger.codec import recorded
from ledger.errors import NotRecorded, NotYet, OutOfRange
from ledger.values import Time, Unfit, instant, rfc3339
from projections.facts import Moment

PATIENCE_S = 2.0
"""For so long a read waits for `at_least`."""


@dataclass(frozen=True, slots=True)
class PositionOrTime:
    """A position, or a time; as a query string has it."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": 10**15 - 1}, {"type": "string", "format": "date-time"}]
    }

    def accept(self, value: Any) -> str:
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            try:
                instant(value)
            except Unfit:
                raise Unfit("must be a position, or an RFC 3339 time with an offset") from None
        return str(value)


class MomentSchema(Schema):
    """The query members of every read."""

    as_of = parameter(Time(), "What was so at this time. Default: the moment of known_at, else now.")
    known_at = parameter(PositionOrTime(), "Using only what was recorded by this position or time. Default: all.")
    at_least = parameter(Digits(), "Wait until this position is known, so as to read one's own writes; 503 after 2 s.")


def resolve(as_of: str | None = None, known_at: str | None = None, at_least: int | None = None) -> Moment:
    """
    The moment that a read is meant at.

    Raises:
        OutOfRange: where it is ahead of the record or of now.
        NotYet: where the answers do not reach `at_least` in time.
    """
    held = service()
    _wait(at_least)
    now = held.ledger.clock.now()
    if known_at is None:
        reached = held.answers.reached
        if as_of is None:
            return Moment(_not_before_last(reached, now), reached, now=True)
        return Moment(_by(as_of, now, "now"), reached)
    position, moment = _known(known_at, now)
    if as_of is not None:
        moment = _by(as_of, moment, f"known_at {known_at}")
    _wait(position)
    return Moment(moment, position)


class NotSoThen(NotRecorded):
    """An event that is recorded, and was not so, or not known, at the moment that is asked about."""

    def __init__(self, position: int, known_at: int, as_of: datetime) -> None:
        super().__init__(position, known_at)
        if position <= known_at:
            self.args = (f"the event at position {position} was not so yet at {rfc3339(as_of)}",)


def check_known(position: int, asked: Mapping[str, Any]) -> None:
    """
    For reads of one event, with the query members of every read.

    Raises:
        NotRecorded: unless there is an event, and it counted at the moment that is asked about.
        OutOfRange, NotYet: as `resolve`.
    """
    if not asked:
        return
    moment = resolve(**asked)
    row = recorded(service().ledger.row(position))
    if not moment.now and (position > moment.known_at or row.effective_at > moment.as_of):
        raise NotSoThen(position, moment.known_at, moment.as_of)


def _wait(position: int | None) -> None:
    held = service()
    if position is None or position <= held.answers.reached:
        return
    if position > (head := held.ledger.head()):
        raise OutOfRange(f"position {position} is beyond the record, which ends at {head}")
    if not held.answers.wait(position, PATIENCE_S):
        raise NotYet(position, held.answers.reached)


def _not_before_last(reached: int, now: datetime) -> datetime:
    """Now; or the last event's recording, where the clock has gone back since."""
    return max(now, next((each.recorded_at for each in service().ledger.at([reached])), now))


def _known(known_at: str, now: datetime) -> tuple[int, datetime]:
    ledger = service().ledger
    if not known_at.isdigit():
        moment = _by(known_at, now, "now")
        return ledger.position_at(moment), moment
    position = int(known_at)
    if position > (head := ledger.head()):
        raise OutOfRange(f"known_at {position} is beyond the record, which ends at {head}")
    return position, next((each.recorded_at for each in ledger.at([position])), now)


def _by(text: str, limit: datetime, name: str) -> datetime:
    moment = instant(text)
    if moment > limit:
        raise OutOfRange(f"{text} is after {name} ({rfc3339(limit)}): ask for that moment or an earlier one")
    return moment
