"""
The verbs that run and look after a ledger: serve, token, rebuild, doctor.

They work on the data folder of this machine. Everything heavy is imported by
the verb that needs it, so that `--help` and wrong usage stay fast.
"""
# ruff: noqa: PLC0415

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.authority import KINDS, ROLES

if TYPE_CHECKING:
    from api.config import Settings


def _settings(flags: dict[str, Any]) -> "Settings":
    from api.config import BadSettings, load

    try:
        return load(flags, os.environ, Path.cwd())
    except BadSettings as error:
        raise click.UsageError(str(error)) from None


@click.command()
@click.option("--host", help="The address to listen on. [LASTGOOD_HOST; 127.0.0.1]")
@click.option("--port", type=int, help="The port to listen on, 0 for any that is free. [LASTGOOD_PORT; 8080]")
@click.option("--data", metavar="FOLDER", help="The data folder. [LASTGOOD_DATA; ./data]")
def serve(**flags: Any) -> None:
    """Run the service: HTTP API and web console."""
    from api.server import run

    run(_settings(flags))


@click.group()
def token() -> None:
    """Make, list and revoke tokens."""


@token.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
@click.option("--kind", type=click.Choice(KINDS))
@click.option("--service", "services", multiple=True)
@click.option("--environment", "environments", multiple=True)
@click.option("--data", metavar="FOLDER", help="The data folder. [LASTGOOD_DATA; ./data]")
def create(name: str, roles: tuple[str, ...], data: str | None, **bounds: Any) -> None:
    """Make a token and print it alone."""
    from api.access import LOCAL_ADMIN, directly
    from api.tokens import Tokens
    from ledger.application import Ledger

    ledger = Ledger(_settings({"data": data}).data)
    text, _ = Tokens(ledger, directly(ledger)).create(name, roles, LOCAL_ADMIN, **bounds)
    click.echo(text)
