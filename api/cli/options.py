"""
The flags that many verbs share, and what is made of them: a client, and a way to deliver.

Everything heavier than click is imported when a verb runs, so that `--help`
and wrong usage stay fast.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.settings import DEFAULT_URL, Settings, load

if TYPE_CHECKING:
    from api.cli.client import Client
    from api.cli.deliver import Delivery

CONNECTION = (
    click.Option(["--url"], help=f"The ledger's address. [LASTGOOD_URL; {DEFAULT_URL}]"),
    click.Option(["--token"], help="The bearer token; better in LASTGOOD_TOKEN, where no process list shows it."),
    click.Option(
        ["--timeout", "timeout_s"], type=float, help="Seconds that one answer may take, retries included. [30]"
    ),
)

DELIVERY = (
    *CONNECTION,
    click.Option(["--spool"], help="A folder to keep events in while the ledger can't be reached. [LASTGOOD_SPOOL]"),
    click.Option(["--best-effort"], is_flag=True, help="Exit 0, loudly, where the ledger can't be reached."),
)

CONDITIONS = (
    click.Option(
        ["--expected-revision"],
        type=click.IntRange(min=0),
        help="Record only if the stream is at this revision (0: does not exist yet).",
    ),
    click.Option(["--strict"], is_flag=True, help="Refuse what would otherwise be recorded with a warning."),
    click.Option(["--dry-run"], is_flag=True, help="Check the input and send nothing."),
)

_NO_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?")


def with_offset(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """
    The time as it was typed; the ledger judges all else about it.

    Raises:
        Invalid: where it has no offset, naming the one that this machine has at that time.
    """
    if value is not None and _NO_OFFSET.fullmatch(value):
        from api.cli.exits import Invalid  # noqa: PLC0415 - only who is told of it pays for it

        raise Invalid(
            f"{param.opts[0]} {value} has no offset, so it is another moment everywhere",
            f"{_here(value)}in UTC write Z at its end",
        )
    return value


def _here(value: str) -> str:
    from datetime import datetime  # noqa: PLC0415 - as above

    try:
        here = datetime.fromisoformat(value[:19].upper()).astimezone()
    except (ValueError, OverflowError):
        return ""
    return f"as this machine's clock is set it is {here.isoformat(timespec='auto' if len(value) > 16 else 'minutes')}; "


MOMENT = (
    click.Option(["--as-of"], metavar="TIME", callback=with_offset, help="As it was at this time."),
    click.Option(
        ["--known-at"], metavar="TIME|POSITION", callback=with_offset, help="Using only what was recorded by then."
    ),
    click.Option(["--at-least"], type=click.IntRange(min=0), metavar="POSITION", help="Wait until this is counted in."),
)


def output(*words: str) -> click.Option:
    """`--output`, the first word being the default."""
    return click.Option(
        ["--output"], type=click.Choice(words), default=words[0], show_default=True, help="How to answer."
    )


def settings(flags: Mapping[str, Any]) -> Settings:
    return load(flags, os.environ, Path.cwd())


def connect(flags: Mapping[str, Any]) -> "Client":
    return _client(settings(flags))


def deliver(flags: Mapping[str, Any]) -> "Delivery":
    from api.cli.deliver import Delivery  # noqa: PLC0415 - see above
    from api.cli.spool import Spool  # noqa: PLC0415

    chosen = settings(flags)
    expected, strict = flags.get("expected_revision"), bool(flags.get("strict"))
    if (expected is not None or strict) and flags.get("spool"):
        raise click.UsageError("--spool keeps what is sent later; --expected-revision and --strict need an answer now")
    return Delivery(
        client=_client(chosen),
        spool=Spool(chosen.spool) if chosen.spool else None,
        best_effort=bool(flags.get("best_effort")),
        expected_revision=expected,
        strict=strict,
    )


def moment(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The query parameters of the flags in `MOMENT`."""
    return {name: flags[name] for name in ("as_of", "known_at", "at_least")}


def _client(chosen: Settings) -> "Client":
    from api.cli.client import Client  # noqa: PLC0415 - see above

    client = Client(chosen.url, chosen.token, chosen.timeout_s)
    click.get_current_context().call_on_close(client.close)
    return client
