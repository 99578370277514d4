"""
`lastgood postmortem`: written section by section, reviewed, approved, published; and what is left to do.

Each verb records one event. Nobody is held up: what is missing is told when it
is published, and never refused.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import click

from api.cli import options, show
from api.cli.incident_read import path
from api.cli.lazy import LazyGroup, Verb, at
from api.cli.postmortem_table import DEFAULTS, KINDS, MEMBERS, SPECIAL, WAYS
from api.cli.verbs import Table
from api.cli.words import Way, argument, read

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Those that nobody takes for another."""


def _makes_id(topic: str, member: str) -> bool:
    return (topic, member) == ("postmortem.action_added", "action_id")


TABLE = Table(KINDS, MEMBERS, SPECIAL, makes_id=_makes_id, defaults=DEFAULTS)


def new_id() -> str:
    """An action's id, short enough to be typed."""
    return f"ACT-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"


def command(name: str) -> click.Command:
    """The verb that a person types for an event of a postmortem."""
    way = WAYS[name]
    made = TABLE.command(way.topic)
    made.name = name.rpartition(" ")[2]
    made.params.insert(0, argument(way))
    made.callback = partial(_record, way)
    return made


def _record(way: Way, words: tuple[str, ...], **flags: Any) -> None:
    given = {**flags, **read(way, words, flags)}
    if way.topic == "postmortem.action_added":
        given["action_id"] = given["action_id"] or new_id()
    if way.topic == "postmortem.published" and given["incident"] and not given["dry_run"]:
        show.print_warnings(_lacks(known(given, given["incident"])))
    TABLE.record(way.topic, partial(tell, given), **given)


def known(flags: Mapping[str, Any], incident: str, **query: Any) -> dict[str, Any] | None:
    """The postmortem of an incident as it stands; None where nothing is known of it, or the ledger can't be asked."""
    from api.cli.exits import Invalid, Unreachable  # noqa: PLC0415 - `--help` needs neither

    with suppress(Invalid, Unreachable):
        found: dict[str, Any] = options.connect(flags).get(path(incident, "/postmortem"), query)
        return found
    return None


def _lacks(found: Mapping[str, Any] | None) -> Iterator[str]:
    """What to think about before others get it; publishing it all the same is one's own choice."""
    if found is None:
        return
    if not found["approved"]:
        yield "nobody approved it"
    if after := found["written_since_approval"]:
        yield f"{show.counted(len(after), 'text')} written after the approval (at {', '.join(map(str, after))})"
    if found["missing"]:
        yield "it has " + ", ".join(f"no {each}" for each in found["missing"])


def tell(
    flags: Mapping[str, Any], topic: str, data: Mapping[str, Any], receipt: Mapping[str, Any], output: str
) -> None:
    more = {name: data[name] for name in ("incident", "section", "action_id", "audience") if name in data}
    if topic == "postmortem.started":
        more["due"] = _due(flags, data["incident"], receipt["position"])
    if output == "json":
        show.print_json({**receipt, **more})
    else:
        words = [f"{name.removesuffix('_id')} {show.plain(value)}" for name, value in more.items() if name != "due"]
        again = " (known already)" if receipt["duplicate"] else ""
        click.echo(f"recorded {topic} at position {receipt['position']}{again}, {', '.join(words)}")
        for line in _next(topic, data, receipt["position"], more.get("due")):
            click.echo(line)
    show.print_warnings(receipt["warnings"])


def _due(flags: Mapping[str, Any], incident: str, position: int) -> Mapping[str, Any] | None:
    found = known(flags, incident, at_least=position)
    return found["due"] if found else None


def _next(topic: str, data: Mapping[str, Any], position: int, due: Mapping[str, Any] | None) -> Iterator[str]:
    """What follows from it."""
    if topic == "postmortem.started":
        yield due_line(due)
    if topic == "postmortem.published":
        yield "what was published can be had again, whatever is written later:"
        yield f"  lastgood report {_quoted(data['incident'])} --audience {data['audience']} --known-at {position}"


def due_line(due: Mapping[str, Any] | None) -> str:
    """When it is due, and why then."""
    if due is None:
        return "not due: an incident that was SEV-1 asks for one in 3 days, SEV-2 in 5 working days from its resolution"
    why = f"{due['by_severity']}" if due["by_severity"] else ""
    asked = f"asked for: {due['asked']}" if due["asked"] else ""
    return f"due {show.moment(due['time'])} ({', '.join(each for each in (why, asked) if each)})"


def _quoted(text: str) -> str:
    from shlex import quote  # noqa: PLC0415 - as above

    return quote(show.plain(text))


def _verb(name: str) -> Verb:
    return Verb(partial(command, name), KINDS[WAYS[name].topic].help)


_ACTIONS = LazyGroup(
    "action",
    verbs={name.partition(" ")[2]: _verb(name) for name in WAYS if name.startswith("action ")},
    help="Decide: what is to be done, is done, is not going to be done.",
)

postmortem = LazyGroup(
    "postmortem",
    verbs={
        "start": _verb("start"),
        "write": at("api.cli.postmortem_write:write", KINDS["postmortem.section_written"].help),
        "cause": _verb("cause"),
        "action": Verb(lambda: _ACTIONS, "What is to be done, is done, is not going to be done."),
        **{name: _verb(name) for name in ("review", "approve", "publish", "waive")},
        "show": at("api.cli.postmortem_read:show_one", "The postmortem of an incident as it stands."),
        "actions": at("api.cli.postmortem_read:actions", "What the postmortems of all incidents left to do."),
    },
    help="Write the postmortem of an incident, and show it. Only people write one.",
)
