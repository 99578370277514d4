"""
`lastgood reconcile FILE`: what others say was changed against what the record has, both ways.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from api.cli import options, show
from api.cli.changes import TIMEOUT_S
from api.cli.exits import Exit

if TYPE_CHECKING:
    from projections.reconcile import Comparison, Item, Pair

KINDS = ("deployment", "release", "rollback", "feature", "configuration", "migration", "removal")

UNDONE = ("failed", "cancelled", "aborted")
"""Outcomes of changes that changed nothing: others are not expected to have them."""


@click.command(
    params=[
        click.Argument(["file"], type=click.File("rb")),
        click.Option(
            ["--from", "from_"], metavar="DAY|TIME", help="Since when it is compared. [the file's first time]"
        ),
        click.Option(["--to"], metavar="DAY|TIME", help="Before when. [just after the file's last time]"),
        click.Option(
            ["--columns"], metavar="OURS=THEIRS,...", help="What columns are called there, such as service=repo."
        ),
        click.Option(["--service"], help="Only this service; also of rows that do not say."),
        click.Option(["--environment"], help="Only this environment; also of rows that do not say."),
        click.Option(
            ["--kind", "kinds"],
            type=click.Choice(KINDS),
            multiple=True,
            default=("deployment",),
            show_default=True,
            help="What the file holds; more than once for several.",
        ),
        click.Option(
            ["--tolerance", "minutes"],
            type=click.FloatRange(min=0, max=24 * 60),
            default=10,
            show_default=True,
            help="Minutes by which the times of one change may differ.",
        ),
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def reconcile(file: BinaryIO, columns: str | None, minutes: float, output: str, **flags: Any) -> None:
    """
    Compare changes from elsewhere, such as CI runs, with the record. FILE is CSV with a header, or NDJSON; - reads standard input.

    Its columns are service, environment, version (optional), time and id (optional). Exit 10 if anything differs.
    """
    from api.cli import population  # noqa: PLC0415
    from projections import reconcile as sides  # noqa: PLC0415 - `--help` needs none of it

    usual = {name: flags[name] for name in ("service", "environment")}
    there = population.read(file.read(), population.columns(columns), usual)
    there = [each for each in there if all(value in (None, getattr(each, name)) for name, value in usual.items())]
    start, end = _bounds(flags, there)
    record = _record(flags, start - sides.SAME_DAY, end + sides.SAME_DAY, usual)
    here = [_item(each, flags["kinds"]) for each in record["changes"] if _is_comparable(each, flags["kinds"])]
    found = sides.compare(there, here, start, end, int(minutes * 60_000_000))
    if output == "json":
        show.print_json(_json(found, record, start, end))
    else:
        _print(found, record)
    if not found.agrees:
        click.get_current_context().exit(Exit.NO)


def _bounds(flags: Mapping[str, Any], there: list["Item"]) -> tuple[int, int]:
    from api.cli.population import moment  # noqa: PLC0415 - as above

    times = [each.at for each in there]
    if not times and not (flags["from_"] and flags["to"]):
        raise click.UsageError("the file has no change to compare: give --from and --to, to see what the record has")
    start = moment(flags["from_"]) if flags["from_"] else min(times)
    end = moment(flags["to"]) if flags["to"] else max(times) + 1
    if end <= start:
        raise click.UsageError("the period is empty: --to comes after --from")
    return start, end


def _record(flags: Mapping[str, Any], start: int, end: int, where: Mapping[str, Any]) -> dict[str, Any]:
    from ledger.values import from_microseconds, rfc3339  # noqa: PLC0415 - as above

    client = options.connect({**flags, "timeout_s": flags["timeout_s"] or TIMEOUT_S})
    bounds = {"from": rfc3339(from_microseconds(start)), "to": rfc3339(from_microseconds(end))}
    found: dict[str, Any] = client.get("/v1/changes", {**bounds, **where})
    return found


def _is_comparable(change: Mapping[str, Any], kinds: tuple[str, ...]) -> bool:
    return change["outcome"] not in UNDONE and (change["kind"] in kinds or _is_spare(change, kinds))


def _is_spare(change: Mapping[str, Any], kinds: tuple[str, ...]) -> bool:
    """A rollback may be what another tool calls a deployment; where that tool does not know it, none is missing."""
    return change["kind"] == "rollback" and "rollback" not in kinds and "deployment" in kinds


def _item(change: Mapping[str, Any], kinds: tuple[str, ...]) -> "Item":
    from ledger.values import instant, microseconds  # noqa: PLC0415 - as above
    from projections.reconcile import Item  # noqa: PLC0415

    return Item(
        place=change["position"],
        service=change["service"],
        environment=change["environment"],
        version=change["version"],
        at=microseconds(instant(change["time"])),
        id=change["id"],
        spare=_is_spare(change, kinds),
    )


def _json(found: "Comparison", record: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
    from ledger.values import from_microseconds, rfc3339  # noqa: PLC0415 - as above
    from projections.reconcile import item_json, pair_json  # noqa: PLC0415

    return {
        "agrees": found.agrees,
        "from": rfc3339(from_microseconds(start)),
        "to": rfc3339(from_microseconds(end)),
        "known_at": record["known_at"],
        "checkpoint": record["completeness"]["checkpoint"],
        "matched": [pair_json(each) for each in found.matched],
        "differing": [pair_json(each) for each in found.differing],
        "only_there": [item_json(each, "line") for each in found.only_there],
        "only_here": [item_json(each, "position") for each in found.only_here],
    }


def _print(found: "Comparison", record: Mapping[str, Any]) -> None:
    rows = [*_rows(found)]
    if rows:
        columns = ("what", "where", "version", "time", "line", "position", "differs")
        show.print_table(columns, rows, ("bold", "cyan", None, "dim", "dim", "dim", "red"))
    counts = (
        f"{len(found.matched)} in both",
        f"{len(found.differing)} with a difference",
        f"{len(found.only_there)} only there",
        f"{len(found.only_here)} only in the record",
    )
    click.echo(f"{', '.join(counts)} (known at {record['known_at']})", err=True)


def _rows(found: "Comparison") -> Iterator[tuple[Any, ...]]:
    for each in found.only_there:
        yield ("only there", *_told(each), each.place, "", "")
    for each in found.only_here:
        yield ("only in the record", *_told(each), "", each.place, "")
    for pair in found.differing:
        yield ("differs", *_told(pair.there), pair.there.place, pair.here.place, ", ".join(_said(pair)))


def _told(item: "Item") -> tuple[str, str, str]:
    from ledger.values import from_microseconds, rfc3339  # noqa: PLC0415 - as above

    where = f"{item.service}@{item.environment}"
    return where, item.version or item.id or "", show.moment(rfc3339(from_microseconds(item.at)))


def _said(pair: "Pair") -> Iterator[str]:
    from projections.spans import said  # noqa: PLC0415 - as above

    if "version" in pair.differences:
        yield f"the record has {pair.here.version}"
    if "time" in pair.differences:
        yield f"the record has it {said(pair.off)} {'later' if pair.off > 0 else 'earlier'}"
