"""
How a long timeline is shortened: what one person or machine did in one minute is told together.

Key moments and pins always stand by themselves, and part what came before
them from what came after.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]
"""An entry of a timeline, as its readers get it."""

MINUTE = len("2026-11-22T21:00")
"""So much of a time in RFC 3339 says the minute."""


def groups(entries: Iterable[Entry], who: Callable[[Entry], str]) -> Iterator[list[Entry]]:
    """The entries, in order, those that are told together in one list; *who* did what an entry tells."""
    waiting: dict[str, list[Entry]] = {}
    minute = ""
    for each in entries:
        if each["time"][:MINUTE] != minute:
            yield from _handed_over(waiting)
            minute = each["time"][:MINUTE]
        if each["key"] or each["pinned"]:
            yield from _handed_over(waiting)
            yield [each]
        else:
            waiting.setdefault(who(each), []).append(each)
    yield from _handed_over(waiting)


def _handed_over(waiting: dict[str, list[Entry]]) -> Iterator[list[Entry]]:
    yield from list(waiting.values())
    waiting.clear()


def actor(entry: Entry) -> str:
    """Who decided, else who submitted."""
    found: str = entry["decided_by"] or entry["submitter"]["name"] or entry["submitter"]["id"]
    return found
