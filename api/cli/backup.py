"""
`lastgood backup` and `lastgood restore`: a data folder into one file, and back.

Both end with a verification of all that is in the file.
"""
# ruff: noqa: PLC0415 - everything heavy is imported by the verb that needs it

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli import kept, options, show
from api.cli.evidence import as_json
from api.cli.exits import Conflict, Exit, Invalid, No, Stopped
from api.cli.operate import DATA, settings_of
from api.cli.verify import progress, verifiers

if TYPE_CHECKING:
    from ledger.verify_record import Verified

FILE = click.Argument(["path"], metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
KEYS = click.Option(
    ["--key", "vkeys"], multiple=True, help="The log's public key (a vkey) as you know it from elsewhere."
)


@click.command(
    params=[
        FILE,
        click.Option(["--with-key"], is_flag=True, help="Put the key that signs the log in, too."),
        DATA,
        options.output("text", "json"),
    ]
)
def backup(path: Path, with_key: bool, data: str | None, output: str) -> None:
    """
    Write the data folder into FILE, also while a server runs on it, and verify what was written.

    FILE holds all words and names, and only its owner may read it. Without --with-key the key that signs the log is
    not in it: keep a copy of that elsewhere.
    """
    from api import backup as backing

    settings = settings_of({"data": data})
    if not backing.has_record(settings):
        raise click.UsageError(f"there is no record in {settings.data}: name the data folder with --data")
    with _told(), progress("backing up") as bar:
        report = backing.back_up(settings, path, bar, with_key=with_key)
    if output == "json":
        show.print_json({"file": str(path), "bytes": path.stat().st_size, "events": report.head, **as_json(report)})
    else:
        click.echo(f"written to {path}: {show.counted(report.head, 'event')}, {path.stat().st_size} bytes")
    if with_key:
        click.echo(f"{path} holds the key that signs the log: whoever gets it can sign a false history", err=True)
    _tell(report)


@click.command(
    params=[
        FILE,
        kept.CHECKPOINT,
        KEYS,
        click.Option(["--unverified"], is_flag=True, help="Also where it lacks what was signed: to be read only."),
        click.Option(
            ["--without-checkpoint"], is_flag=True, help="Where none is to be had, to hold the backup against."
        ),
        DATA,
        options.output("text", "json"),
    ]
)
def restore(
    path: Path, checkpoints: tuple[Path, ...], vkeys: tuple[str, ...], data: str | None, output: str, **how: Any
) -> None:
    """
    Put a backup into a data folder that holds no events, if it has all that was last signed.

    Exits 10 where it has not, and says how to proceed.
    """
    from api import restoring

    if not path.is_file():
        raise click.UsageError(f"there is no {path}")
    settings = settings_of({"data": data})
    wanted = restoring.Wanted(list(map(kept.read_checkpoint, checkpoints)), verifiers(vkeys), **how)
    with _told(), progress("verifying") as bar:
        report = restoring.restore(settings, path, wanted, bar)
    if output == "json":
        show.print_json({"folder": str(settings.data), "events": report.head, **as_json(report)})
    else:
        click.echo(f"restored {show.counted(report.head, 'event')} into {settings.data}")
    if (key := restoring.missing_key(settings)) is not None:
        told = f"the key that signs the log is not in the backup: put your copy at {key} (chmod 600), or make another with "
        click.echo(told + "`lastgood log rotate-key`; until then the server does not start", err=True)
    if report.contradictions:
        click.echo(
            "it lacks what was signed, so the server will mark every answer unverified and record nothing", err=True
        )


def _tell(report: "Verified") -> None:
    if report.differences:
        click.echo("\n".join(report.lines()), err=True)
        click.get_current_context().exit(Exit.NO)


@contextmanager
def _told() -> Iterator[None]:
    from api.backup import NotABackup
    from api.restoring import Refused
    from ledger.errors import FolderInUse

    try:
        yield
    except Refused as error:
        raise No(str(error), error.advice) from None
    except FolderInUse as error:
        raise Conflict(str(error)) from None
    except (NotABackup, FileExistsError) as error:
        raise Invalid(str(error)) from None
    except (OSError, sqlite3.Error) as error:
        raise Stopped(str(error), "`lastgood doctor` says more") from None
