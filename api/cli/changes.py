"""
`lastgood changes`: the change record of a period, for auditors; on the screen, or as a file.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from api.cli import options, show

FORMATS = ("table", "json", "csv", "pdf")
TIMEOUT_S = 600.0

Row = tuple[Any, ...]


@click.command(
    params=[
        click.Option(
            ["--from", "from_"],
            metavar="DAY|TIME",
            help="The first day (midnight, UTC) or moment. [90 days before the end]",
        ),
        click.Option(["--to"], metavar="DAY|TIME", help="The day or moment before which it ends. [now]"),
        click.Option(["--service"], help="Only this service."),
        click.Option(["--environment"], help="Only this environment."),
        click.Option(
            ["--format", "format_"],
            type=click.Choice(FORMATS),
            default="table",
            show_default=True,
            help="How to answer; csv and json have everything.",
        ),
        click.Option(["-o", "--file", "path"], type=click.Path(path_type=Path), help="The file. [standard output]"),
        *options.MOMENT,
        *options.CONNECTION,
    ]
)
def changes(format_: str, path: Path | None, **flags: Any) -> None:
    """
    Every change that ended in a period: who made it, who approved it, what was found. Exceptions come first.

    What was looked through is stated, with the checkpoint that covers it.
    """
    if format_ == "table" and path is not None:
        raise click.UsageError("a table is for the screen: give --format csv, json or pdf with -o")
    if format_ == "pdf" and path is None and sys.stdout.isatty():
        raise click.UsageError("a PDF is no text for a terminal: give -o FILE")
    query = {"from": flags["from_"], **{name: flags[name] for name in ("to", "service", "environment")}}
    query |= options.moment(flags)
    client = options.connect({**flags, "timeout_s": flags["timeout_s"] or TIMEOUT_S})
    if format_ == "table":
        _print(client.get("/v1/changes", query))
    else:
        _write(path, client.content("/v1/changes", {**query, "format": format_}))


def _write(path: Path | None, content: bytes) -> None:
    """Only its owner may read the file: it has names and reasons."""
    if path is None:
        sys.stdout.buffer.write(content)
        return
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    click.echo(f"written to {path}, {len(content)} bytes", err=True)


def _print(record: Mapping[str, Any]) -> None:
    columns: Row
    if record["exceptions"]:
        columns = ("state", "rule", "where", "what", "time", "positions")
        show.print_table(
            columns, list(map(_exception, record["exceptions"])), (None, "bold", "cyan", None, "dim", "dim")
        )
        click.echo()
    rows: list[Row] = [_change(each) for each in (*record["changes"], *record["in_progress"])]
    if rows:
        columns = ("time", "change", "where", "version", "by", "approved", "decided", "found", "positions")
        show.print_table(columns, rows, ("dim", None, "cyan", "bold", None, None, None, "red", "dim"))
    for line in _lines(record):
        click.echo(line, err=True)


def _exception(found: Mapping[str, Any]) -> Row:
    place = "@".join(each for each in (found["service"], found["environment"]) if each)
    where = " ".join(each for each in (place, found["incident"]) if each)
    positions = " ".join(map(str, found["positions"]))
    return found["state"], found["rule"], where, found["detail"], show.moment(found["time"]), positions


def _change(change: Mapping[str, Any]) -> Row:
    decision, effect = change["decision"], change["effect"]
    moved = f" ({effect.replace('_', ' ')})" if effect not in (None, change["kind"], "forward") else ""
    return (
        show.moment(change["time"]),
        f"{change['kind']} {change['outcome'] or 'under way'}{moved}",
        f"{change['service']}@{change['environment']}",
        change["version"] or change["id"] or "",
        change["deployer"]["name"] or change["deployer"]["id"],
        _approved(change),
        f"{decision['by'] or 'unknown'}, at {decision['position']}" if decision else "",
        ", ".join(each["rule"] for each in change["findings"] if each["state"] == "open"),
        " ".join(map(str, change["positions"])),
    )


def _approved(change: Mapping[str, Any]) -> str:
    given = [f"{each['by'] or 'unknown'}, at {each['position']}" for each in change["approvals"]]
    late = [
        f"recorded late: {each['by'] or 'unknown'}, at {each['position']}" for each in change["approvals_recorded_late"]
    ]
    missing = ["NOT APPROVED"] if _lacks_approval(change) and not given else []
    return "; ".join([*given, *missing, *late])


def _lacks_approval(change: Mapping[str, Any]) -> bool:
    return change["approval_required"] and change["kind"] in ("deployment", "release") and not change["decision"]


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    """What the record was looked through for."""
    told, period = record["completeness"], record["period"]
    looked, inside, checkpoint = told["positions"], told["in_period"], told["checkpoint"]
    counts = ", ".join(show.counted(count, kind) for kind, count in told["changes"].items()) or "no changes"
    yield f"{period['from']} to {period['to'] or record['as_of']}: {counts}"
    if record["retracted"]:
        positions = ", ".join(str(each["position"]) for each in record["retracted"])
        yield f"retracted, and not counted: {positions}"
    yield (
        f"looked through positions {looked['from'] or 0} to {looked['to'] or 0} ({show.counted(looked['count'], 'event')}), "
        f"{inside['count']} of them of the period"
    )
    yield f"covered by the checkpoint of size {checkpoint['size']}" if checkpoint else "not covered by a checkpoint yet"
