"""
`lastgood report`: the report about an incident, in the format and for the audience that are asked for.

The server makes it; here it goes to standard output or into a file. A file
is written whole or not at all.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from api.cli import options, show
from api.cli.incident_read import path as path_of

TEXT = ("md", "html", "json", "csv")
FORMATS = (*TEXT, "pdf", "docx")
SUFFIXES = {".markdown": "md", ".htm": "html"} | {f".{name}": name for name in FORMATS}
TIMEOUT_S = 120.0


@click.command(
    params=[
        click.Argument(["incident"]),
        click.Option(
            ["--format", "form"],
            type=click.Choice(FORMATS),
            help="csv is the timeline alone; docx needs the extra on the server. [by the file's name, else md]",
        ),
        click.Option(["-o", "--file", "file"], type=click.Path(path_type=Path), help="The file. [standard output]"),
        click.Option(
            ["--audience"],
            type=click.Choice(("internal", "public", "auditor")),
            default="internal",
            show_default=True,
            help="internal: with names; public: with roles instead of people; auditor: with ids.",
        ),
        click.Option(["--zone"], metavar="ZONE", help="Such as Europe/London. [the offset of the incident's people]"),
        click.Option(["--published"], is_flag=True, help="As it was when it was last published to this audience."),
        *options.MOMENT,
        *options.CONNECTION,
    ]
)
def report(
    incident: str, form: str | None, file: Path | None, audience: str, zone: str | None, published: bool, **flags: Any
) -> None:
    """
    Write the report about INCIDENT: what happened, the figures, what was decided, what was written.

    The same question gets the same bytes. Times bear their zone, figures the positions that they come from.
    """
    chosen = form or (SUFFIXES.get(file.suffix.lower()) if file else None) or "md"
    if file is None and chosen not in TEXT and sys.stdout.isatty():
        raise click.UsageError(f"{chosen} is nothing for a terminal: write it to a file with -o {incident}.{chosen}")
    client = options.connect({**flags, "timeout_s": flags["timeout_s"] or TIMEOUT_S})
    query = {"format": chosen, "audience": audience, "zone": zone, "published": "true" if published else None}
    content = client.content(path_of(incident, "/report"), query | options.moment(flags))
    if file is None:
        _print(content, chosen)
    else:
        _write(file, content)
        click.echo(f"written to {file}, {len(content)} bytes", err=True)


def _print(content: bytes, form: str) -> None:
    """Text from the record cannot move a terminal's cursor; into a pipe go the bytes as they came."""
    if form in TEXT and sys.stdout.isatty():
        for line in content.decode().splitlines():
            click.echo(show.plain(line))
    else:
        sys.stdout.buffer.write(content)


def _write(file: Path, content: bytes) -> None:
    partial = file.with_name(f"{file.name}.part")
    with partial.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)
