"""
`lastgood demo`: fills a ledger with a story, so that every verb and page has something true to show.
"""
# ruff: noqa: PLC0415 - Flask and the store are not for `--help` to wait for.

import click

from api.cli.exits import Conflict


@click.command()
@click.option("--data", metavar="FOLDER", help="The data folder. [LASTGOOD_DATA; ./data]")
def demo(data: str | None) -> None:
    """Fill a ledger with a story to look at."""
    from api import demo as story
    from api.cli.operate import settings_of, told
    from api.transparency import open_log
    from ledger.application import Ledger

    settings = settings_of({"data": data})
    with told(), Ledger(settings.data) as ledger:
        try:
            # It begins now, as it would with a server: no record but an empty one may begin a log.
            open_log(settings, ledger)
            count = story.load(ledger)
        except story.NotEmpty as error:
            raise Conflict(str(error), "lastgood demo --data ./demo, then lastgood serve --data ./demo") from None
        if count == 0:
            click.echo(f"the story is in {settings.data} already", err=True)
            return
    click.echo(
        f"{count} events recorded in {settings.data}: try `lastgood status` and `lastgood history checkout production`",
        err=True,
    )
