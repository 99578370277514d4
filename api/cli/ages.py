"""
How long ago, and when: times for a person in a hurry, against the moment that an answer is of.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds(text: str, found: Mapping[str, Any]) -> int:
    return int((instant(found["as_of"]) - instant(text)).total_seconds())


def ago(text: str, found: Mapping[str, Any]) -> str:
    return f"{age(seconds(text, found))} ago"


def since(text: str, found: Mapping[str, Any]) -> str:
    return f"{clock(text, found)}, {ago(text, found)}"


def clock(text: str, found: Mapping[str, Any]) -> str:
    """A moment in UTC: its time alone where it is of the day that is asked about."""
    moment, today = instant(text).astimezone(UTC), instant(found["as_of"]).astimezone(UTC)
    return f"{moment:%H:%M:%S}Z" if moment.date() == today.date() else f"{moment:%Y-%m-%d %H:%M}Z"


def age(seconds: int) -> str:
    """A length of time in its largest unit, as people say it."""
    for size, unit in ((86_400 * 2, 86_400), (3600 * 2, 3600), (120, 60)):
        if seconds >= size:
            return f"{seconds // unit} {_UNITS[unit]}"
    return f"{seconds} s"


def short(seconds: int) -> str:
    number, unit = age(seconds).split()
    return f"{number}{unit[0]}"


_UNITS = {86_400: "days", 3600: "h", 60: "min"}


def stopwatch(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
