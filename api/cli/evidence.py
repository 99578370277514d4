"""
`lastgood evidence`: chosen events in one file that a stranger can verify without the ledger.

What came is verified here once more before it is called done. The file holds
words and names, so only its owner may read it.
"""

import os
from pathlib import Path
from typing import Any

import click

from api.cli import options, show
from api.cli.exits import Exit
from api.cli.export import FILTERS

TIMEOUT_S = 600.0


@click.command(
    params=[
        click.Option(
            ["-o", "--file", "path"], type=click.Path(path_type=Path), required=True, help="The file to write."
        ),
        *(click.Option([f"--{name}"], help=text) for name, text in FILTERS.items()),
        click.Option(["--after"], type=click.IntRange(min=0), help="Only positions after this one."),
        click.Option(
            ["--only-matching"],
            is_flag=True,
            help="Leave out the other events' leaves: smaller, and completeness is lost.",
        ),
        click.Option(
            ["--report"], metavar="INCIDENT", help="Enclose a report about this incident, to read beside them."
        ),
        click.Option(["--without-words"], is_flag=True, help="Leave out reasons, texts and names of people."),
        *options.CONNECTION,
        options.output("text", "json"),
    ]
)
def evidence(
    path: Path, only_matching: bool, report: str | None, without_words: bool, output: str, **flags: Any
) -> None:
    """
    Write events with proofs into one file that anyone can verify, offline and without trust in this ledger.

    That you asked is recorded. Send the file; who gets it runs `lastgood verify FILE`, or the verify.py of a release.
    """
    from ledger import verify  # noqa: PLC0415 - cryptography, that --help need not pay for

    query = {name: flags[name] for name in (*FILTERS, "after")}
    query["report"] = report
    query |= {"complete": "false"} if only_matching else {}
    query |= {"words": "false"} if without_words else {}
    client = options.connect({**flags, "timeout_s": flags["timeout_s"] or TIMEOUT_S})
    _write(path, client.content("/v1/evidence", query))
    with path.open("rb") as file:
        found = verify.verify(file)
    if output == "json":
        show.print_json({"file": str(path), "bytes": path.stat().st_size, **as_json(found)})
    else:
        click.echo("\n".join(found.lines()), err=True)
        click.echo(f"written to {path}, {path.stat().st_size} bytes")
    if found.differences:
        click.get_current_context().exit(Exit.NO)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def as_json(report: Any) -> dict[str, Any]:
    """A report of `ledger.verify` for programs."""
    return {
        "verified": not report.differences,
        "differences": [{"positions": each.positions, "detail": each.text} for each in report.differences],
        "told": report.told,
        "remarks": report.remarks,
    }
