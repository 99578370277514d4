"""
`lastgood demo`: fills a ledger with a story, so that every verb and page has something true to show.
"""
# ruff: noqa: PLC0415 - Flask and the store are not for `--help` to wait for.

import os
from pathlib import Path

import click


@click.command()
@click.option("--data", metavar="FOLDER", help="The data folder. [LASTGOOD_DATA; ./data]")
def demo(data: str | None) -> None:
    """Fill a ledger with a story to look at."""
    from api import demo as story
    from api.config import BadSettings, load
    from ledger.application import Ledger
    from ledger.errors import IdTaken

    try:
        settings = load({"data": data}, os.environ, Path.cwd())
    except BadSettings as error:
        raise click.UsageError(str(error)) from None
    with Ledger(settings.data) as ledger:
        try:
            count = story.load(ledger)
        except IdTaken:
            click.echo(f"the story is in {settings.data} already", err=True)
            return
    click.echo(
        f"{count} events recorded in {settings.data}: try `lastgood status` and `lastgood history checkout production`",
        err=True,
    )
