"""
`lastgood verify`: a data folder, a served log, an evidence bundle or a backup, worked out anew from its bytes.

Everything heavy is imported by what needs it.
"""
# ruff: noqa: PLC0415 - see above

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from api.cli import kept, options, show
from api.cli.evidence import as_json
from api.cli.exits import Exit, Stopped
from api.cli.operate import DATA

if TYPE_CHECKING:
    from api.cli.client import Client
    from ledger.verify import Report
    from ledger.verify_served import Known, Served

Progress = Callable[[int, int], None]


@click.command(
    params=[
        click.Argument(["target"], required=False, metavar="[FILE|URL|FOLDER]"),
        kept.CHECKPOINT,
        click.Option(
            ["--quick"],
            is_flag=True,
            help="Of a folder: only whether the leaves are those that were signed. Takes half the time.",
        ),
        click.Option(
            ["--thorough"],
            is_flag=True,
            help="Of a folder: also its indexes, and the form of every leaf. Takes twice the time.",
        ),
        click.Option(
            ["--key", "vkeys"], multiple=True, help="The log's public key (a vkey) as you know it from elsewhere."
        ),
        click.Option(
            ["--state"],
            type=click.Path(path_type=Path),
            help="Of a URL: where to remember what was verified. [a file under XDG_STATE_HOME]",
        ),
        DATA,
        *options.CONNECTION[1:],
        options.output("text", "json"),
    ]
)
def verify(
    target: str | None,
    output: str,
    checkpoints: tuple[Path, ...],
    vkeys: tuple[str, ...],
    quick: bool,
    thorough: bool,
    **flags: Any,
) -> None:
    """
    Check that nothing was changed, removed or slipped in. Exits 0, or 10 if anything differs.

    Of a data folder (by default the one of LASTGOOD_DATA; a server may run on it), a URL that serves a log, an evidence
    bundle, or a backup. What differs is told by its position in the record.
    """
    if quick and thorough:
        raise click.UsageError("it is --quick or --thorough")
    older = list(map(kept.read_checkpoint, checkpoints))
    depth = {"quick": quick, "thorough": thorough}
    if target is not None and target.startswith(("http://", "https://")):
        report: Report = _url(target, older, vkeys, flags)
    elif target is not None and not Path(target).is_dir():
        report = _file(Path(target), older, vkeys, depth)
    else:
        report = _folder(target or flags["data"], older, vkeys, depth)
    _tell(report, output)


def _tell(report: "Report", output: str) -> None:
    if output == "json":
        numbers = {name: getattr(report, name) for name in ("head", "sealed") if hasattr(report, name)}
        root = {"root": getattr(report, "root").hex()} if hasattr(report, "root") else {}  # noqa: B009
        show.print_json({**as_json(report), **numbers, **root})
    else:
        click.echo("\n".join(report.lines()))
    if report.differences:
        click.get_current_context().exit(Exit.NO)


# A data folder


def _folder(folder: str | None, older: Sequence[bytes], vkeys: Sequence[str], depth: dict[str, bool]) -> "Report":
    from api.cli.operate import settings_of
    from api.transparency import place_of
    from ledger.verify_record import verify_record

    settings = settings_of({"data": folder})
    if not settings.data.is_dir():
        raise click.UsageError(f"there is no data folder {settings.data}: name one, or a URL, a bundle or a backup")
    with progress("verifying") as bar:
        return verify_record(settings.data, place_of(settings), older, verifiers(vkeys), bar, **depth)


def verifiers(vkeys: Sequence[str]) -> list[Any]:
    from ledger.note import MalformedKey, Verifier

    try:
        return list(map(Verifier.from_vkey, vkeys))
    except MalformedKey as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Shows how far it is, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, of: bar.update(task, completed=done, total=of)


# A file


def _file(path: Path, older: Sequence[bytes], vkeys: Sequence[str], depth: dict[str, bool]) -> "Report":
    from api import backup
    from ledger import verify as bundle
    from ledger.verify_record import verify_record

    if not path.is_file():
        raise click.UsageError(f"there is no {path}: name a data folder, a URL, an evidence bundle or a backup")
    keys = verifiers(vkeys)
    if backup.is_backup(path):
        try:
            with backup.opened(path) as folder, progress("verifying") as bar:
                return verify_record(folder, folder / backup.LOG, older, keys, bar, **depth)
        except backup.NotABackup as error:
            return bundle.Report([bundle.Difference(str(error))])
    with path.open("rb") as file:
        return bundle.verify(file, map(bundle.parse_key, vkeys), older)


# A served log


def _url(url: str, older: Sequence[bytes], vkeys: Sequence[str], flags: dict[str, Any]) -> "Served":
    from ledger.merkle import LogError
    from ledger.verify_served import verify_served

    state = flags["state"] or _default_state(url)
    known = _remembered(state)
    client = options.connect({**flags, "url": url})
    try:
        with progress("verifying") as bar:
            report = verify_served(_reader(client), known, older, verifiers(vkeys), bar)
    except LogError as error:
        raise Stopped(f"the log at {url} can't be verified: {error}", "see /readyz there") from None
    if report.known is not None:
        state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.write_text(report.known.encoded())
        report.remarks.append(f"what was verified is remembered in {state}: the next time it is compared with")
    return report


def _reader(client: "Client") -> Callable[[str], bytes]:
    from ledger.verify_served import NotServed

    def read(path: str) -> bytes:
        try:
            return client.content(f"/{path}")
        except Stopped as error:
            if error.status is None:
                raise
            raise NotServed(f"/{path} is not served: {error.message}") from None

    return read


def _default_state(url: str) -> Path:
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "lastgood" / "verified" / f"{quote(url.rstrip('/'), safe='')}.json"


def _remembered(path: Path) -> "Known | None":
    from ledger.merkle import LogError
    from ledger.verify_served import Known

    if not path.exists():
        return None
    try:
        return Known.parsed(path.read_text())
    except (LogError, ValueError, KeyError, TypeError):
        raise Stopped(
            f"{path} is not as it was written by an earlier verification", "look at it; name another with --state"
        ) from None
