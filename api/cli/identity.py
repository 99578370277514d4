"""
What makes an event itself: its id, and where needed its source and time, given before it is first sent.

An event may be sent more than once: after a lost reply, from the spool, by a
step that is retried. Sent again it must be an identical duplicate, so

- outside of CI it gets a UUIDv7 and its time at once;
- in CI it gets an id made of the job and of its own content, and no time: the
  retried step happens at another time, and would conflict with its first try.
  Such an event gets its time only when it has to wait in the spool.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from api.cli.ci import Facts


def uuid7() -> str:
    """A UUID that sorts by time (RFC 9562, section 5.7)."""
    bits = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def now() -> str:
    """This moment in UTC, to the microsecond (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def missing(
    event: Mapping[str, Any],
    facts: Facts,
    line: int | None = None,
    clock: Callable[[], str] = now,
) -> dict[str, str]:
    """
    The members that *event* needs before it is sent; none where it has an id of its own.

    *line* is its place in a file: two equal lines are two events.
    """
    if event.get("id") is not None:
        return {}
    if facts.job is None:
        return {"id": uuid7()} | ({} if event.get("time") is not None else {"time": clock()})
    members = {"id": f"{facts.job}-{event.get('type')}-{_mark(event, line)}"}
    if facts.source and event.get("source") is None:
        members["source"] = facts.source
    return members


def _mark(event: Mapping[str, Any], line: int | None) -> str:
    content = json.dumps([event, line], sort_keys=True, separators=(",", ":"))
    return sha256(content.encode()).hexdigest()[:16]
