"""
`lastgood metrics`: how long things took in incidents, and how software is delivered, over a period.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from api.cli import options, show
from api.cli.exits import Invalid

KINDS = ("incidents", "delivery")
ASKED = ("from", "to", "zone", "service", "environment", "team", "by")


@click.command(
    params=[
        click.Argument(["kind"], type=click.Choice(KINDS), required=False),
        click.Option(
            ["--from"], metavar="DAY|TIME", callback=options.with_offset, help="From then on. [all that is recorded]"
        ),
        click.Option(["--to"], metavar="DAY|TIME", callback=options.with_offset, help="Before then. [now]"),
        click.Option(["--zone"], help="The time zone by whose clock days begin, such as Europe/London. [UTC]"),
        click.Option(["--service"], help="Only this service."),
        click.Option(["--environment"], help="Only this environment."),
        click.Option(["--team"], help="Only what this team owns."),
        click.Option(
            ["--by"],
            type=click.Choice(("service", "environment", "team", "month", "week")),
            help="For each of these, too.",
        ),
        *options.MOMENT,
        *options.CONNECTION,
        click.Option(
            ["--picture"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write the picture to this file, too.",
        ),
        options.output("table", "json", "svg"),
    ],
)
def metrics(kind: str | None, output: str, picture: Path | None, **flags: Any) -> None:
    """
    Median, 90th percentile and counts of what incidents took, and DORA's five delivery measures.

    Both, or the one that is named. JSON has every value with its incident or
    deployment and the positions that say so, and the definition of each measure.
    The picture (SVG) shows every length of time as a dot.
    """
    client = options.connect(flags)
    query = {name: flags[name] for name in ASKED} | options.moment(flags)
    answers = {name: client.get(f"/v1/metrics/{name}", query) for name in KINDS if kind in (None, name)}
    if picture is not None:
        _draw(answers.values(), picture)
    if output == "json":
        show.print_json(answers if kind is None else answers[kind])
    elif output == "svg":
        click.echo(_svg(answers.values()))
    else:
        for name, answer in answers.items():
            _print(name, answer, several=len(answers) > 1)


def _print(name: str, answer: Mapping[str, Any], *, several: bool) -> None:
    from api.cli import metrics_rows  # noqa: PLC0415 - JSON needs none of it

    if several:
        click.echo(click.style(name, bold=True))
    columns, styles = metrics_rows.columns(answer)
    show.print_table(columns, metrics_rows.rows(answer), styles)
    for line in metrics_rows.said(answer):
        click.echo(show.plain(line), err=True)


def _draw(answers: Iterable[Mapping[str, Any]], path: Path) -> None:
    try:
        path.write_text(_svg(answers) + "\n", encoding="utf-8")
    except OSError as error:
        raise Invalid(f"the picture cannot be written: {error}", "give --picture a file that you may write") from None


def _svg(answers: Iterable[Mapping[str, Any]]) -> str:
    from api.report import metrics_picture  # noqa: PLC0415 - only who wants a picture pays for the widths of characters
    from api.report.pictures.palette import Palette  # noqa: PLC0415

    return metrics_picture.drawing(answers).svg(Palette.PRINT)
