"""
The verbs that run and look after a ledger: serve, token, rebuild, doctor.

They work on the data folder of this machine. Everything heavy is imported by
the verb that needs it, so that `--help` and wrong usage stay fast.
"""
# ruff: noqa: PLC0415 - see above

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli import options, show
from api.cli.exits import Conflict, Exit, Invalid, NotAllowed, Stopped

if TYPE_CHECKING:
    from api.config import Settings
    from api.tokens import Token, Tokens

ROLES = ("pipeline", "relay", "responder", "auditor", "admin")
KINDS = ("human", "machine")

DATA = click.Option(["--data"], metavar="FOLDER", help="The data folder. [LASTGOOD_DATA; ./data]")


@click.command(
    params=[
        click.Option(["--host"], help="The address to listen on. [LASTGOOD_HOST; 127.0.0.1]"),
        click.Option(["--port"], type=int, help="The port to listen on; 0 takes a free one. [LASTGOOD_PORT; 8080]"),
        DATA,
        click.Option(["--demo"], is_flag=True, help="Record a story to look at first."),
    ]
)
def serve(demo: bool, **flags: Any) -> None:
    """Run the service: HTTP API and web console. Stop it with Ctrl-C, or SIGTERM."""
    settings = settings_of(flags)
    with told():
        from api import server

        server.run(settings, prepare=_tell_story if demo else None)


def _tell_story(settings: "Settings") -> None:
    from api import demo as story
    from ledger.application import Ledger

    try:
        with Ledger(settings.data) as ledger:
            story.load(ledger)
    except story.NotEmpty as error:
        raise Conflict(str(error), "lastgood serve without --demo, or with another --data") from None


@click.group()
def token() -> None:
    """Make, list and revoke tokens. Each works from the next request on, also while a server runs."""


@token.command(
    params=[
        click.Argument(["name"]),
        click.Option(
            ["--role", "roles"], type=click.Choice(ROLES), multiple=True, required=True, help="More than once for more."
        ),
        click.Option(["--kind"], type=click.Choice(KINDS), help="[machine for pipeline and relay, human otherwise]"),
        click.Option(["--service", "services"], multiple=True, help="Bind it to this service; none binds it to all."),
        click.Option(["--environment", "environments"], multiple=True, help="Bind it to this environment."),
        click.Option(
            ["--break-glass"], is_flag=True, help="A responder's, for when nobody can sign in: every use is a finding."
        ),
        DATA,
    ]
)
def create(data: str | None, name: str, roles: tuple[str, ...], **bounds: Any) -> None:
    """Make a token for a new principal called NAME, and print it alone."""
    from api.access import LOCAL_ADMIN

    for label, values in {
        "NAME": [name],
        "--service": bounds["services"],
        "--environment": bounds["environments"],
    }.items():
        for value in values:
            _check_name(label, value)
    with _tokens(data, appending=True) as tokens:
        text, principal = tokens.create(name, roles, LOCAL_ADMIN, **bounds)
    click.echo(f"this is shown once and kept nowhere; its principal is {principal.id}", err=True)
    click.echo(text)


def _check_name(label: str, value: str) -> None:
    from ledger.values import Text, Unfit

    try:
        Text(200).accept(value)
    except Unfit as unfit:
        raise click.UsageError(f"{label} {unfit.detail}") from None


@token.command("list", params=[DATA, options.output("table", "json")])
def list_(data: str | None, output: str) -> None:
    """Every token made here, revoked ones too; never the tokens themselves."""
    with _tokens(data) as tokens:
        rows = [_as_json(each) for each in tokens.all()]
    if output == "json":
        show.print_json({"items": rows, "next": None})
        return
    columns = ("id", "name", "kind", "roles", "services", "environments", "created_at", "used_at", "revoked_at")
    for row in rows:
        row["kind"] = f"{row['kind']}, break-glass" if row["break_glass"] else row["kind"]
    cells = [[", ".join(row[each]) if isinstance(row[each], list) else row[each] for each in columns] for row in rows]
    show.print_table([each.removesuffix("_at") for each in columns], cells)


@token.command(
    params=[
        click.Argument(["what"]),
        click.Option(["--reason"], help="Why; kept in the record."),
        DATA,
        options.output("text", "json"),
    ]
)
def revoke(what: str, reason: str | None, data: str | None, output: str) -> None:
    """Revoke every token that WHAT names: a token's id, a principal's name or id, or a leaked token itself."""
    from api.access import LOCAL_ADMIN

    with _tokens(data, appending=True) as tokens:
        revoked = [_as_json(each) for each in tokens.revoke(what, LOCAL_ADMIN, reason)]
    if output == "json":
        show.print_json({"items": revoked, "next": None})
        return
    for each in revoked:
        click.echo(f"{each['id']} of {show.plain(each['name'])} no longer works")


@contextmanager
def _tokens(data: str | None, *, appending: bool = False) -> "Iterator[Tokens]":
    settings = settings_of({"data": data})
    with told():
        from api.access import directly
        from api.tokens import Tokens
        from api.transparency import refuse_lost
        from ledger.application import Ledger

        with Ledger(settings.data) as ledger:
            if appending:
                refuse_lost(settings, ledger)
            tokens = Tokens(ledger, directly(ledger))
            try:
                yield tokens
            finally:
                tokens.close()


def _as_json(token: "Token") -> dict[str, Any]:
    from projections.remarks import BREAK_GLASS

    grant = token.grant
    return {
        "id": token.id,
        "name": token.name,
        "principal": token.principal,
        "kind": grant.kind if grant else None,
        "break_glass": grant is not None and grant.method == BREAK_GLASS,
        "roles": sorted(grant.roles) if grant else [],
        "services": sorted(grant.services) if grant else [],
        "environments": sorted(grant.environments) if grant else [],
        "position": token.position,
        "created_at": token.created_at,
        "used_at": token.used_at,
        "revoked_at": token.revoked_at,
    }


@click.command(
    params=[
        click.Option(["--at-next-start"], is_flag=True, help="Leave it to the server, when it is started next."),
        DATA,
        options.output("text", "json"),
    ]
)
def rebuild(at_next_start: bool, data: str | None, output: str) -> None:
    """Delete the read models and build them anew from the record. Nothing is lost by it."""
    settings = settings_of({"data": data})
    with told():
        from api import rebuilding

        if at_next_start:
            rebuilding.mark(settings.data)
            click.echo("the read models are built anew when a server is next started", err=True)
            return
        begun = time.monotonic()
        with _progress() as progress:
            position = rebuilding.rebuild(settings.data, progress)
        seconds = round(time.monotonic() - begun, 3)
    if output == "json":
        show.print_json({"position": position, "seconds": seconds})
    else:
        click.echo(f"built from {show.counted(position, 'event')} in {seconds:.1f} s")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Shows how far it is, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("rebuilding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("rebuilding")
        yield lambda done, of: bar.update(task, completed=done, total=of)


@click.command(params=[DATA, *options.CONNECTION[:2], options.output("table", "json")])
def doctor(data: str | None, output: str, **flags: Any) -> None:
    """Check an installation and say what is wrong and what to do. Changes nothing; exits 10 if anything fails."""
    from api import doctor as checking
    from api import log_health

    client, settings = options.settings(flags), settings_of({"data": data})
    checks = [*checking.examine(settings.data, client.url, client.token), *log_health.examine(settings)]
    failed = sum(each.state == "fail" for each in checks)
    if output == "json":
        show.print_json({"failed": failed, "checks": [each.as_json() for each in checks]})
    else:
        show.print_table(
            ("state", "check", "what is so", "what to do"),
            [(each.state, each.name, each.detail, each.advice or "") for each in checks],
            ("bold", None, None, "cyan"),
        )
    if failed:
        click.get_current_context().exit(Exit.NO)


def settings_of(flags: Mapping[str, Any]) -> "Settings":
    from api.config import BadSettings, load

    # Everything in a data folder is its owner's alone, also where the folder was there before with other rights.
    os.umask(0o077)
    try:
        return load(flags, os.environ, Path.cwd())
    except BadSettings as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def told() -> Iterator[None]:
    """Turns what the ledger and the machine raise into the errors of the command line."""
    from api.tokens import NoSuchToken
    from ledger import errors

    try:
        yield
    except errors.NotAllowed as error:
        raise NotAllowed(str(error)) from None
    except errors.FolderInUse as error:
        raise Conflict(str(error)) from None
    except (errors.Invalid, NoSuchToken) as error:
        raise Invalid(str(error)) from None
    except (errors.LedgerError, OSError, sqlite3.Error) as error:
        raise Stopped(str(error), "`lastgood doctor` says more") from None
