"""
In which time zone do people read a report, and what does a moment look like there?

Moments stay instants; a zone only says how they are shown. Where nobody asks
for one, it is the offset of the clock that the people of the incident went by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from ledger.values import Unfit, from_microseconds
from projections.facts import Fact

OF_THE_MACHINE = ("localtime", "posixrules", "factory")
"""Names beside those of the zones that a machine may know."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by the name that a report gives it."""

    name: str
    info: tzinfo

    def local(self, at: int) -> str:
        """
        A moment as people there write it, with its zone: `2026-06-10 09:14:00 BST`.

        At the very edges of the calendar, where it would be another millennium there, in UTC.
        """
        moment = from_microseconds(at)
        try:
            there = moment.astimezone(self.info)
        except OverflowError:
            there = moment
        return f"{there.replace(tzinfo=None).isoformat(' ', 'seconds')} {self._said(there)}"

    def _said(self, there: datetime) -> str:
        """The zone's short name at that moment, where it has one in letters; else its offset."""
        short = there.tzname() or ""
        return short if short.isalpha() and short.isascii() else offset_name(there.utcoffset() or timedelta())


def find(name: str) -> Zone:
    """
    A zone by its IANA name.

    Raises:
        Unfit: where there is none of that name, or where it is another on each machine.
    """
    try:
        if not is_same_everywhere(name):
            raise KeyError(name)
        return Zone(name, ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        raise Unfit(f"{name} is not a time zone: give an IANA name, such as Europe/London") from None


def is_same_everywhere(name: str) -> bool:
    """Not so of the machine's own zone and rules, and of copies of all zones that only some machines have."""
    return name.casefold() not in OF_THE_MACHINE and not name.casefold().startswith(("right/", "posix/"))


def of_people(own: Iterable[Fact]) -> Zone:
    """The offset of an incident's declaration, else of its first event that a person stands behind, else UTC."""
    facts = sorted(own, key=lambda each: each.position)
    declared = [each for each in facts if each.event.TOPIC == "incident.declared"]
    told = declared or [each for each in facts if each.event.decided_by or each.recorded.submitter.kind == "human"]
    return fixed(_offset(told[0].recorded.time) if told else timedelta())


def fixed(offset: timedelta) -> Zone:
    name = offset_name(offset)
    return Zone(name, timezone(offset, name))


def _offset(text: str) -> timedelta:
    return datetime.fromisoformat(text.upper()).utcoffset() or timedelta()


def offset_name(offset: timedelta) -> str:
    """`UTC+01:00`; of no offset, `UTC`."""
    minutes = int(offset.total_seconds()) // 60
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
