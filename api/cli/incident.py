"""
`lastgood incident`: an incident recorded by flags or a few words, and shown.

Made for who has no time: declaring makes the id and prints it, kinds and bases
have defaults, and the severity that a change starts from is looked up.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import click

from api.cli import options, show
from api.cli.incident_table import DEFAULTS, KINDS, MEMBERS, SPECIAL, WAYS
from api.cli.lazy import LazyGroup, Verb, at
from api.cli.verbs import Table
from api.cli.words import Way, argument, read

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Those that nobody takes for another on a phone."""

_ID = re.compile(r"[A-Za-z]{2,12}-[0-9][A-Za-z0-9-]{0,40}")
_BEFORE_WORDS = re.compile(r"[A-Z]{2,12}[-_][A-Za-z0-9_-]{1,40}")
_SEVERITY = re.compile(r"SEV[-_]?[123]", re.IGNORECASE)

_BEGINS = ("incident.detected", "incident.declared")


def _makes_id(topic: str, member: str) -> bool:
    return member == "incident" and topic in _BEGINS


TABLE = Table(KINDS, MEMBERS, SPECIAL, makes_id=_makes_id, defaults=DEFAULTS)


def new_id(now: datetime) -> str:
    """An id that can be said on the phone, and that no two people make on one day."""
    return f"INC-{now:%Y%m%d}-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"


def command(name: str) -> click.Command:
    """The verb that a person types for an event of an incident."""
    way = WAYS[name]
    made = TABLE.command(way.topic)
    made.name = name.rpartition(" ")[2]
    made.params.insert(0, argument(way))
    made.callback = partial(_record, way)
    return made


def _record(way: Way, words: tuple[str, ...], **flags: Any) -> None:
    if way.topic in _BEGINS:
        words, flags = _by_their_looks(way, words, flags)
    given = {**flags, **read(way, words, flags)}
    if way.topic in _BEGINS:
        given["incident"] = given["incident"] or new_id(datetime.now(UTC))
    if way.topic == "incident.severity_changed" and given["incident"] and not given["from"]:
        given["from"] = _severity(given)
    TABLE.record(way.topic, _tell, **given)


def _by_their_looks(way: Way, words: tuple[str, ...], flags: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """
    The words that are left of `declare INC-7 SEV-1 "all is down"`, and the flags with those that first ones stand for.

    Every other verb takes an id first. Taken for a title, it would name
    another incident than the one that everybody then looks for.
    """
    severity = "severity" if way.topic == "incident.declared" else "suggested_severity"
    found: dict[str, Any] = {}
    while words:
        # Before other words an id need not have a digit.
        an_id = _ID.fullmatch(words[0]) or (len(words) > 1 and _BEFORE_WORDS.fullmatch(words[0]))
        looks = severity if _SEVERITY.fullmatch(words[0]) else "incident" if an_id else None
        if looks is None or looks in found or flags[looks]:
            break
        found[looks], words = words[0], words[1:]
    if "incident" in found and not words and not flags["title"]:
        found["title"] = found["incident"]
        told = show.plain(found["incident"])
        click.echo(
            f"lastgood: WARNING: {told} is taken for the id, and for want of other words for the title", err=True
        )
    context = click.get_current_context()
    params = {each.name: each for each in context.command.params}
    cast = {member: params[member].type_cast_value(context, word) for member, word in found.items()}
    return words, {**flags, **cast}


def _severity(given: Mapping[str, Any]) -> str | None:
    """The severity that is recorded; None where there is none, so that --from is asked for."""
    from api.cli.exits import Invalid, Unreachable  # noqa: PLC0415 - only this verb looks something up

    try:
        found = options.connect(given).get(f"/v1/incidents/{quote(given['incident'], safe='')}")
    except Invalid:
        return None
    except Unreachable:
        raise click.UsageError("the ledger can't be asked what the severity was: give --from") from None
    severity: str | None = found["severity"]
    return severity


def _tell(topic: str, data: Mapping[str, Any], receipt: Mapping[str, Any], output: str) -> None:
    if output == "json":
        show.print_json({**receipt, "incident": data["incident"]})
    else:
        known = " (known already)" if receipt["duplicate"] else ""
        click.echo(
            f"recorded {topic} at position {receipt['position']}{known}, incident {show.plain(data['incident'])}"
        )
    show.print_warnings(receipt["warnings"])


def _verb(name: str) -> Verb:
    return Verb(partial(command, name), KINDS[WAYS[name].topic].help)


_NOUNS = {
    "role": "Decide: who has which role, and who takes over.",
    "impact": "When customers felt it, and how much.",
}


def _group(noun: str) -> LazyGroup:
    """Verbs of two words, such as `role assign`."""
    verbs = {name.partition(" ")[2]: _verb(name) for name in WAYS if name.startswith(f"{noun} ")}
    return LazyGroup(noun, verbs=verbs, help=_NOUNS[noun])


def _verbs() -> dict[str, Verb]:
    found = {}
    for name in WAYS:
        noun, two, _ = name.partition(" ")
        found[noun] = Verb(partial(_group, noun), _NOUNS[noun]) if two else _verb(name)
    return found


class IncidentGroup(LazyGroup):
    """Knows each verb by the event's own word, too: `declared` as well as `declare`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None and (name := _BY_TOPIC.get(cmd_name.replace("-", "_"))) is not None:
            return command(name)
        return found


_BY_TOPIC = {way.topic.partition(".")[2]: name for name, way in WAYS.items()} | {"mitigation_applied": "mitigation"}

incident = IncidentGroup(
    "incident",
    verbs={
        **_verbs(),
        "list": at("api.cli.incident_read:list_", "Which incidents there are."),
        "show": at("api.cli.incident_read:show_one", "Everything about one incident."),
    },
    help="Record an incident and show it. Machines may detect one; people declare, grade and close it.",
)
