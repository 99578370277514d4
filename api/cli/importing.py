"""
`lastgood import`: takes in what another tool keeps.

`import oncall` holds a calendar against what is recorded of a rota, and
records only the difference: shifts that are new, and those that are gone.
What is recorded by others, such as an override by hand, it leaves alone. So
it can run every hour.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from api.cli import options, show
from api.cli.exits import Invalid
from api.cli.lazy import LazyGroup, at

if TYPE_CHECKING:
    from api.oncall_calendar import Read, Wishes

AHEAD = timedelta(days=90)


@click.command(
    params=[
        click.Argument(["file"], type=click.File("rb")),
        click.Option(["--rota"], required=True, help="The rota that the calendar is of."),
        click.Option(["--service", "services"], multiple=True, help="A service; more than once for several. [all]"),
        click.Option(["--from", "start"], metavar="TIME", help="Shifts that end after this. [now]"),
        click.Option(["--to", "end"], metavar="TIME", help="Shifts that begin before this. [90 days after --from]"),
        click.Option(["--zone"], help="The zone of times that name none, such as Europe/Vienna. [the calendar's]"),
        click.Option(
            ["--person"], metavar="REGEX", help="The part of the summary in its one group. [the guest, else all of it]"
        ),
        click.Option(["--source"], help="What the shifts are recorded as said by. [one for each rota]"),
        click.Option(["--dry-run"], is_flag=True, help="Say what would be recorded, and record nothing."),
        *options.DELIVERY,
        options.output("text", "json"),
    ]
)
def oncall(file: BinaryIO, rota: str, services: tuple[str, ...], output: str, dry_run: bool, **flags: Any) -> None:
    """
    Take in the shifts of an iCalendar FILE (- for standard input) as those of a rota.

    Only what differs is recorded, so it can be run again at any time: a new
    shift as oncall.assigned, one that is gone as oncall.released. Entries
    that make no shift are told, each with why.
    """
    from api.cli import drafts, rota_changes  # noqa: PLC0415 - `--help` needs neither

    wishes = _wishes(flags)
    read = _read(file, wishes)
    delivery = options.deliver(flags)
    window = {"from": _text(wishes.start), "to": _text(wishes.end)}
    recorded = delivery.client.get("/v1/oncall/shifts", {"rota": rota, **window})
    source = flags["source"] or f"urn:lastgood:calendar:{rota}"
    changes = rota_changes.changes(read.shifts, recorded, rota, services, source, datetime.now(UTC))
    if not dry_run:
        with delivery.effort():
            for batch in drafts.batches(iter(changes.drafts())):
                delivery.many(batch)
            if delivery.kept:
                raise delivery.told()
    _tell(read, changes, rota, output, "would be " if dry_run else "")


def _wishes(flags: Mapping[str, Any]) -> "Wishes":
    from api.calendar_times import zone_named  # noqa: PLC0415 - `--help` needs neither
    from api.oncall_calendar import Wishes  # noqa: PLC0415

    start = _moment("--from", flags["start"]) or datetime.now(UTC)
    end = _moment("--to", flags["end"]) or start + AHEAD
    if end <= start:
        raise click.UsageError(f"--to {_text(end)} is not after --from {_text(start)}")
    zone = zone_named(flags["zone"]) if flags["zone"] else None
    if flags["zone"] and zone is None:
        raise click.UsageError(f"--zone: there is no time zone {flags['zone']}; names are such as Europe/Vienna")
    return Wishes(start, end, zone, _pattern(flags["person"]))


def _moment(flag: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{flag}: {text} is no time; give one such as 2026-11-22T21:00:00Z") from None
    if moment.tzinfo is None:
        raise click.UsageError(f"{flag}: {text} has no offset; end it in Z, or in one such as +01:00")
    return moment.astimezone(UTC)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise click.UsageError(f"--person: {text} is no regular expression: {error}") from None
    if pattern.groups != 1:
        raise click.UsageError("--person: put the part that is the person into one pair of parentheses")
    return pattern


def _read(file: BinaryIO, wishes: "Wishes") -> "Read":
    from api.oncall_calendar import NotACalendar, read  # noqa: PLC0415 - `--help` needs it not

    try:
        found = read(file.read(), wishes)
    except NotACalendar as error:
        raise Invalid(str(error), "look at what should have written the file") from None
    for each in found.skipped:
        click.echo(f"skipped: {show.plain(each.entry)}: {show.plain(each.why)}", err=True)
    return found


def _tell(read: "Read", changes: Any, rota: str, output: str, would: str) -> None:
    if output == "json":
        skipped = [{"entry": each.entry, "why": each.why} for each in read.skipped]
        show.print_json({"rota": rota, **changes.counts(), "skipped": skipped})
        return
    count = changes.counts()
    click.echo(
        f"rota {show.plain(rota)}: {show.counted(len(read.shifts), 'shift')}, {count['assigned']} {would}assigned, "
        f"{count['released']} {would}released, {count['unchanged']} as recorded before"
    )


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


_VERBS: Sequence[tuple[str, str]] = (("oncall", "An on-call calendar (iCalendar) as the shifts of a rota."),)

import_ = LazyGroup(
    "import",
    verbs={name: at(f"api.cli.importing:{name}", help_) for name, help_ in _VERBS},
    help="Take in what another tool keeps.",
)
