"""
Which rollback is carried out, where nobody names it: the one that is open in the slot.

Without this a pipeline that leaves out `--rollback-id` would record a rollback
that nobody decided, beside a decision that nobody carried out.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from api.cli import ci, options
from api.cli.exits import Stopped

LOOK_FOR_S = 5.0
"""How long a fact may have to wait for the answer, before it is recorded without."""

RECENT = timedelta(hours=1)
"""For so long a step that a CI job tells again is the same one: retried, it must be recorded under the same id."""

_STEPS = {"rollback.started": "claimed", "rollback.succeeded": "executed", "rollback.failed": "failed"}
_STARTING = ("pending", "claimed", "undecided")
_ENDING = ("claimed", "pending", "undecided")

Item = Mapping[str, Any]


def open_rollback(topic: str, given: Mapping[str, Any]) -> str | None:
    """The id of the rollback that an event of *topic* belongs to; None where none is known, or none can be asked for."""
    slot = {name: given[name] for name in ("service", "environment")}
    if None in (*slot.values(), given["to_version"]):
        return None
    patience_s = min(LOOK_FOR_S, options.settings(given).timeout_s)
    try:
        answer = options.connect({**given, "timeout_s": patience_s}).get("/v1/decisions", slot)
    except Stopped as stopped:
        click.echo(f"lastgood: not asked which rollback is open here: {stopped.message}", err=True)
        return None
    items, to_version = answer["items"], given["to_version"]
    found = _open(topic, to_version, items) or _slow(topic, to_version, items)
    if found is None and ci.detect(os.environ).job is not None:
        found = _told_before(topic, to_version, items, datetime.fromisoformat(answer["as_of"]))
    return None if found is None else str(found["rollback_id"])


def _open(topic: str, to_version: str | None, items: Sequence[Item]) -> Item | None:
    """The open rollback of a slot; of several the one to this version."""
    order = _STARTING if topic == "rollback.started" else _ENDING
    found = [each for each in items if each["state"] in order]
    return min(found, key=lambda each: (each["to_version"] != to_version, order.index(each["state"])), default=None)


def _slow(topic: str, to_version: str | None, items: Sequence[Item]) -> Item | None:
    """The newest, where it was begun in time and took so long that its decision would have lapsed."""
    newest = items[0] if items and topic != "rollback.started" else None
    if newest is None or newest["to_version"] != to_version:
        return None
    return newest if newest["state"] == "lapsed" and newest["claimed"] is not None else None


def _told_before(topic: str, to_version: str | None, items: Sequence[Item], now: datetime) -> Item | None:
    """The newest, where this very step of it may have been recorded a short time ago."""
    newest = items[0] if items else None
    step = newest and newest[_STEPS[topic]]
    if newest is None or step is None or newest["to_version"] != to_version:
        return None
    return newest if now - datetime.fromisoformat(step["time"]) < RECENT else None
