"""
Which rollback is carried out, where nobody names it: the one that is open in the slot.

Without this a pipeline that leaves out `--rollback-id` would record a rollback
that nobody decided, beside a decision that nobody carried out. Told again, by
a step that is retried or by a person beside the pipeline, it is the same one
as long as its target is what is live.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from api.cli import options
from api.cli.exits import Stopped

if TYPE_CHECKING:
    from api.cli.client import Client

LOOK_FOR_S = 5.0
"""How long a fact may have to wait for the answer, before it is recorded without."""

RECENT = timedelta(hours=1)
"""For so long what comes after a failure is another try of the same rollback."""

_STARTING = ("pending", "claimed", "undecided")
_ENDING = ("claimed", "pending", "undecided")

Item = Mapping[str, Any]


def open_rollback(topic: str, given: Mapping[str, Any]) -> str | None:
    """The id of the rollback that an event of *topic* belongs to; None where none is known, or none can be asked for."""
    slot = {name: given[name] for name in ("service", "environment")}
    if None in (*slot.values(), given["to_version"]):
        return None
    patience_s = min(LOOK_FOR_S, options.settings(given).timeout_s)
    client = options.connect({**given, "timeout_s": patience_s})
    try:
        found = _found(client, topic, {**slot, **_moment(given.get("time"))}, given["to_version"])
    except Stopped as stopped:
        click.echo(f"lastgood: not asked which rollback is open here: {stopped.message}", err=True)
        return None
    return None if found is None else str(found["rollback_id"])


def _moment(time: str | None) -> dict[str, str]:
    """What is told late is of the decision that was open then: by now it has lapsed. A clock ahead asks as of now."""
    try:
        told = datetime.fromisoformat(time) if time else None
    except ValueError:
        return {}
    late = told is not None and told.tzinfo is not None and told < datetime.now(UTC)
    return {"as_of": str(time)} if late else {}


def _found(client: "Client", topic: str, slot: Mapping[str, str], to_version: str) -> Item | None:
    answer = client.get("/v1/decisions", slot)
    items: Sequence[Item] = answer["items"]
    if (found := _open(topic, to_version, items)) is not None:
        return found
    newest = items[0] if items else None
    if newest is None or newest["to_version"] != to_version:
        return None
    if topic != "rollback.started" and newest["state"] == "lapsed" and newest["claimed"] is not None:
        return newest  # begun in time, it took so long that its decision would have lapsed
    if newest["state"] == "failed":
        since = datetime.fromisoformat(answer["as_of"]) - datetime.fromisoformat(newest["failed"]["time"])
        return newest if since < RECENT else None
    if topic != "rollback.failed" and (newest["executed"] or newest["reached"]):
        current = client.get("/v1/slot", slot)["current"]
        return newest if current is not None and current["version"] == to_version else None
    return None


def _open(topic: str, to_version: str, items: Sequence[Item]) -> Item | None:
    """The open rollback of a slot; of several the one to this version."""
    order = _STARTING if topic == "rollback.started" else _ENDING
    found = [each for each in items if each["state"] in order]
    return min(found, key=lambda each: (each["to_version"] != to_version, order.index(each["state"])), default=None)
