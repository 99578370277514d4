"""Lengths of time, as people say them and as JSON has them."""

from projections.facts import MINUTE

SECOND = 1_000_000


def said(microseconds: int) -> str:
    """A length as people say it: the two largest units that matter."""
    seconds = abs(microseconds) // SECOND
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 1:
        return f"{seconds} s"
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} days"


def seconds(microseconds: int) -> float:
    """Seconds, a whole number where it is one."""
    whole, rest = divmod(microseconds, SECOND)
    return whole if rest == 0 else microseconds / SECOND


def lag(at: int, recorded: int) -> str | None:
    """How much later something was recorded than it happened; None within a minute."""
    return f"recorded {said(recorded - at)} later" if recorded - at >= MINUTE else None
