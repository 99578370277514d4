"""
`lastgood export`: the events themselves, one JSON object a line, to a file or standard output.

Goes by position, so that an export that broke off, or one of last week, goes
on where it stopped: `--resume` looks at the last whole line of the file.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from api.cli import options, show
from api.cli.exits import Invalid

PAGE = 1000
FILTERS = {
    "type": "Only this type of event.",
    "service": "Only this service.",
    "environment": "Only this environment.",
    "version": "Only this version.",
    "incident": "Only this incident.",
    "actor": "Only what this principal submitted.",
    "since": "Only what happened at or after this time.",
    "until": "Only what happened before this time.",
}


@click.command(
    params=[
        click.Option(["-o", "--file", "path"], type=click.Path(path_type=Path), help="The file. [standard output]"),
        click.Option(["--after"], type=click.IntRange(min=0), default=None, help="Only positions after this one."),
        click.Option(["--resume"], is_flag=True, help="Go on after the last event that the file holds."),
        *(click.Option([f"--{name}"], help=text) for name, text in FILTERS.items()),
        *options.MOMENT,
        *options.CONNECTION,
    ]
)
def export(path: Path | None, after: int | None, resume: bool, **flags: Any) -> None:
    """Write events as NDJSON, in order of position."""
    if resume and (path is None or after is not None):
        raise click.UsageError("--resume needs the --file to go on with, and finds out --after by itself")
    query = {name: flags[name] for name in FILTERS} | options.moment(flags)
    client = options.connect(flags)
    if path is None:
        count, last = _write(sys.stdout.buffer, client, query, after or 0)
    else:
        with path.open("r+b" if resume and path.exists() else "wb") as file:
            start = _last_position(file) if resume else after or 0
            count, last = _write(file, client, query, start)
            file.flush()
            os.fsync(file.fileno())
    where = f" to {path}" if path else ""
    click.echo(f"exported {show.counted(count, 'event')}{where}; the last position is {last}", err=True)


def _write(out: IO[bytes], client: Any, query: Mapping[str, Any], after: int) -> tuple[int, int]:
    """How many events were written, and the last position."""
    count = 0
    for line in _events(client, query, after):
        out.write(line + b"\n")
        count, after = count + 1, _position(line)
    return count, after


def _events(client: Any, query: Mapping[str, Any], after: int) -> Iterator[bytes]:
    """Page after page, until one is empty: a short page says nothing about what follows it."""
    last = None
    while last != after:
        last = after
        for line in client.lines("/v1/events", {**query, "after": last, "limit": PAGE}):
            yield line
            after = _position(line)


def _position(line: bytes) -> int:
    try:
        return int(json.loads(line)["sequence"])
    except (ValueError, KeyError, TypeError):
        raise Invalid(f"this is no exported event: {line[:80]!r}", "write to a file of its own with -o") from None


def _last_position(file: IO[bytes]) -> int:
    """The position in the last whole line, 0 in an empty file; what follows it was cut short, and goes."""
    size = file.seek(0, os.SEEK_END)
    tail = b""
    while size and tail.count(b"\n") < 2:
        step = min(1 << 16, size)
        size -= step
        file.seek(size)
        tail = file.read(step) + tail
    whole = tail[: tail.rfind(b"\n") + 1]
    end = size + len(whole)
    file.seek(end)
    file.truncate()
    return _position(whole.rstrip(b"\n").rpartition(b"\n")[2]) if whole else 0
