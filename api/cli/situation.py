"""
`lastgood situation`: an incident's first minute on one screen.

What users see, what is installed and what was last good are three rows with
three names. Severity stands first. Colour only repeats what the words say.
Rows that do not fit are counted, never dropped in silence; into a pipe goes
one fact a line, however long.
"""

import sys
from collections.abc import Mapping
from typing import Any

import click

from api.cli import options, show

PATIENT_ROWS = 40
"""More rows than this are no longer a screen."""

_WIDE = 10_000


@click.command(
    params=[
        click.Argument(["service"]),
        click.Argument(["environment"]),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def situation(service: str, environment: str, output: str, **flags: Any) -> None:
    """What runs, what was last good, what changed, what speaks, who is on call: SERVICE in ENVIRONMENT, one screen."""
    query = {"service": service, "environment": environment, **options.moment(flags)}
    found = options.connect(flags).get("/v1/slot/situation", query)
    if output == "json":
        show.print_json(found)
    else:
        _print(found, past=bool(flags["as_of"] or flags["known_at"]))


def _print(found: Mapping[str, Any], *, past: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - 0.1 s that JSON does not pay

    from api.cli import screen, situation_rows  # noqa: PLC0415

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else _WIDE, highlight=False)
    rows = min(PATIENT_ROWS, max(console.height - 1, screen.LEAST)) if terminal else PATIENT_ROWS
    for line in screen.fit(situation_rows.sections(found, past=past), rows, console):
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
