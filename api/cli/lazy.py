"""
A group of verbs that imports only the verb that was chosen.

A pipeline pays for every import each time it records something, so a group
knows its verbs by name and one line of help, and loads one when it is called.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click


class Verb(NamedTuple):
    """One verb of a group: how to get its command, and the line that `--help` shows without getting it."""

    load: Callable[[], click.Command]
    help: str


def at(target: str, help: str) -> Verb:  # noqa: A002 - named as click names it
    """The verb whose command is the object at *target*, written `module:object`."""

    def load() -> click.Command:
        module, _, name = target.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{target} is not a command")
        return command

    return Verb(load, help)


class LazyGroup(click.Group):
    def __init__(self, *args: Any, verbs: Mapping[str, Verb], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verbs = dict(verbs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        verb = self.verbs.get(cmd_name)
        return verb.load() if verb else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.help) for name, verb in self.verbs.items()])


def refuse_empty_values(args: Sequence[str], ctx: click.Context | None = None) -> None:
    """
    Raises a usage error for an empty value on the command line, whichever verb it is for.

    `--version "$VERSION"` with an unset variable must stop a pipeline, not
    record a default. What follows `--` belongs to another command.
    """
    before = None
    for arg in args:
        if arg == "--":
            return
        name, equals, value = arg.partition("=")
        if not arg.strip() or (name.startswith("--") and equals and not value.strip()):
            culprit = before if not arg.strip() else name
            flag = culprit if culprit and culprit.startswith("-") else "an argument"
            raise click.UsageError(f"{flag} got an empty value: give one, or leave it out", ctx)
        before = arg
