"""
Verbs made from a table of events: which members each takes, and what a member's flag looks like.

The tables repeat what `ledger.events` says, since reading those dataclasses
costs more than a pipeline's whole call should; tests prove that the two agree.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import click

from api.cli import options, show
from api.cli.ci import Facts

COMMON = "reason decided_by evidence labels incident"
"""What every event may bear."""

Tell = Callable[[str, Mapping[str, Any], Mapping[str, Any], str], None]
"""Tells a receipt: topic, data, receipt, output."""


class Kind(NamedTuple):
    """One event: its required and optional members, and what recording it says."""

    required: str
    optional: str
    help: str

    def members(self) -> tuple[str, ...]:
        """Each once, the required ones first."""
        return tuple(dict.fromkeys(f"{self.required} {self.optional} {COMMON}".split()))


class Flag(NamedTuple):
    """
    A member's flag: its help, and how it is read. Without a type it is text.

    `pair`: each value is two parts, parted by `=` or `@`, and `json` makes of
    all pairs what the event has.
    """

    help: str
    type: Any = str
    flag: str | None = None
    multiple: bool = False
    metavar: str | None = None
    pair: Callable[[str], tuple[str, str, str]] | None = None
    json: Callable[[Any], Any] | None = None


def _by_name(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def _by_environment(text: str) -> tuple[str, str, str]:
    """A service's name may hold the sign; an environment's hardly does."""
    return text.rpartition("@")


def slots(help_: str) -> Flag:
    """A flag that takes slots, as SERVICE@ENVIRONMENT."""

    def json(pairs: Any) -> list[dict[str, str]]:
        return [{"service": service, "environment": environment} for service, environment in pairs]

    return Flag(help_, multiple=True, metavar="SERVICE@ENVIRONMENT", pair=_by_environment, json=json)


EVIDENCE = Flag(
    "What shows it: LABEL=URL, more than once for several.",
    multiple=True,
    metavar="LABEL=URL",
    pair=_by_name,
    json=lambda pairs: [{"label": label, "url": url} for label, url in pairs],
)
LABELS = Flag(
    "NAME=VALUE, more than once for several.",
    flag="label",
    multiple=True,
    metavar="NAME=VALUE",
    pair=_by_name,
    json=dict,
)

ENVELOPE = (
    click.Option(["--id"], help="The event's id: the same again is a duplicate. [from CI, else a new one]"),
    click.Option(["--source"], help="Who says so, as a URI. [the CI run, else the token's holder]"),
    click.Option(["--time"], callback=options.with_offset, help="When it happened, with an offset. [now]"),
    click.Option(["--correlation-id", "correlationid"], help="The conversation that it belongs to."),
    click.Option(["--causation-id", "causationid"], help="The event that led to it."),
)


def _nothing(_topic: str, _member: str, _facts: Facts) -> str | None:
    return None


def _never(_topic: str, _member: str) -> bool:
    return False


@dataclass(frozen=True)
class Table:
    """
    Events and their members. A member that looks different in one event has
    its flag under both names. `from_ci` is what CI knows of a member,
    `makes_id` whether a member that is not given gets a new name, `defaults`
    what a member is where nobody says.
    """

    kinds: Mapping[str, Kind]
    members: Mapping[str, Flag]
    special: Mapping[tuple[str, str], Flag] = field(default_factory=dict)
    from_ci: Callable[[str, str, Facts], str | None] = _nothing
    makes_id: Callable[[str, str], bool] = _never
    defaults: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def flag(self, topic: str, member: str) -> Flag:
        return self.special.get((topic, member)) or self.members[member]

    def flag_name(self, topic: str, member: str) -> str:
        return f"--{(self.flag(topic, member).flag or member).replace('_', '-')}"

    def data_of(self, topic: str, given: Mapping[str, Any], facts: Facts, new_id: Callable[[], str]) -> dict[str, Any]:
        """
        The event's `data`: what was given, then what CI knows, then new names for what begins here.

        Raises:
            click.UsageError: naming the flags that are missing.
        """
        kind = self.kinds[topic]
        data: dict[str, Any] = {}
        absent = []
        for member in kind.members():
            value = given.get(member)
            if value is None or value == ():
                value = self.from_ci(topic, member, facts) if member not in COMMON.split() else None
            if value is None and self.makes_id(topic, member):
                value = new_id()
            value = self.defaults.get((topic, member)) if value is None else value
            if value is not None:
                data[member] = self._in_json(topic, member, value)
            elif member in kind.required.split():
                absent.append(self.flag_name(topic, member))
        if absent:
            raise click.UsageError(f"missing {', '.join(absent)}")
        return data

    def _in_json(self, topic: str, member: str, value: Any) -> Any:
        if (json := self.flag(topic, member).json) is not None:
            return json(value)
        return list(value) if isinstance(value, tuple) else value

    def _must_be_given(self, topic: str, member: str) -> bool:
        if self.makes_id(topic, member) or (topic, member) in self.defaults:
            return False
        return member in self.kinds[topic].required.split()

    def option(self, topic: str, member: str) -> click.Option:
        flag, name = self.flag(topic, member), self.flag_name(topic, member)
        help_ = f"{flag.help} (required)" if self._must_be_given(topic, member) else flag.help
        if flag.type is bool:
            return click.Option([f"{name}/--not-{name[2:]}", member], default=None, help=help_)
        return click.Option(
            [name, member],
            type=flag.type,
            multiple=flag.multiple,
            help=help_,
            callback=partial(_parted, flag.pair) if flag.pair else None,
            metavar=flag.metavar,
        )

    def command(self, topic: str) -> click.Command:
        """The verb that records *topic*."""
        kind = self.kinds[topic]
        return click.Command(
            topic.partition(".")[2].replace("_", "-"),
            params=[
                *(self.option(topic, member) for member in kind.members()),
                *ENVELOPE,
                *options.DELIVERY,
                *options.CONDITIONS,
                options.output("text", "json"),
            ],
            callback=partial(self.record, topic, tell),
            help=f"{kind.help} Records {topic}.",
        )

    def record(self, topic: str, told: Tell, output: str, dry_run: bool, **flags: Any) -> None:
        """Records what the flags say, and tells the receipt."""
        from api.cli import ci, drafts, identity  # noqa: PLC0415 - `--help` needs none of them

        facts = ci.detect(os.environ)
        event = {name: flags[name] for name in ("id", "source", "time", "correlationid", "causationid") if flags[name]}
        if facts.source:
            event.setdefault("source", facts.source)
        event |= {"specversion": "1.0", "type": topic, "data": self.data_of(topic, flags, facts, identity.uuid7)}
        draft = drafts.of(event, facts)
        if dry_run:
            click.echo(draft.text)
            return
        delivery = options.deliver(flags)
        with delivery.effort():
            told(topic, event["data"], delivery.one(draft), output)


def _parted(
    part: Callable[[str], tuple[str, str, str]], _ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Each value in its two parts."""
    for value in values:
        if not all(part(value)):
            raise click.BadParameter(f"{value} is not of the form {param.metavar}")
    return tuple((first, second) for first, _, second in map(part, values))


def tell(topic: str, data: Mapping[str, Any], receipt: Mapping[str, Any], output: str) -> None:
    if output == "json":
        show.print_json(receipt)
    else:
        known = " (known already)" if receipt["duplicate"] else ""
        name = next((f", {member} {data[member]}" for member in data if member.endswith("_id")), "")
        click.echo(f"recorded {topic} at position {receipt['position']}{known}{name}")
    show.print_warnings(receipt["warnings"])
