"""
`lastgood timeline`: what happened in an incident, in order, and who says so.

On a terminal a long one is folded by minute and by who did it, and an alert
that flaps into one row; key moments and pins stay. Into a pipe goes one entry a line, whole.
"""

import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from api.cli import options, show
from api.cli.incident_read import path
from projections import incident_folding

LONG = 40
"""A timeline of more entries is folded."""

FLAPS = 5
"""An alert that is told of so often has one row, with how often."""

PAGE = 1000

Row = tuple[str, str, str, str, str, str]
"""Mark, time, how late, who, what, position."""


@click.command(
    params=[
        click.Argument(["incident"]),
        click.Option(["--all", "whole"], is_flag=True, help="Fold nothing, however long it is."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def timeline(incident: str, whole: bool, output: str, **flags: Any) -> None:
    """
    What happened in INCIDENT, in order; with what changed around it from two hours before.

    * marks a key moment, + a pinned note.
    """
    client, query = options.connect(flags), options.moment(flags)
    found = _read(client, incident, query)
    if output == "json":
        show.print_json(found)
        return
    if found["leads_to"] is not None:
        click.echo(f"{show.plain(found['incident'])} was merged into {show.plain(found['leads_to'])}", err=True)
        found = _read(client, found["leads_to"], query)
    if is_terminal():
        _print_on_screen(found["items"], whole=whole)
    else:
        show.print_table(("", "time", "who", "what", "position"), [_line(each) for each in found["items"]])


def _print_on_screen(entries: list[dict[str, Any]], *, whole: bool) -> None:
    """For a screen: each day said once, hours in UTC, what is late in a column of its own."""
    folded = len(entries) > LONG and not whole
    rows = list(fold(entries) if folded else map(row, entries))
    show.print_table(
        ("", "time", "late", "who", "what", "position"),
        list(_by_day(rows)),
        ("bold", "dim", "yellow", "cyan", None, "dim"),
    )
    if folded:
        click.echo(f"{show.counted(len(entries), 'event')}, folded by minute: --all shows each")


def is_terminal() -> bool:
    return sys.stdout.isatty()


def _read(client: Any, incident: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """All pages as one."""
    found: dict[str, Any] = client.get(path(incident, "/timeline"), {**query, "limit": PAGE})
    after = found["next"]
    while after is not None:
        page = client.get(path(incident, "/timeline"), {**query, "limit": PAGE, "after": after})
        found["items"] += page["items"]
        after = page["next"]
    return {**found, "next": None}


def fold(entries: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """
    Rows, one for all that one person or machine did in a minute, and one for
    an alert that flaps from one key moment to the next; key moments and pins by themselves.
    """
    told = list(entries)
    often = Counter(_alert(each) for each in told)
    flapping = {alert for alert, count in often.items() if alert and count >= FLAPS}
    waiting: dict[object, list[Mapping[str, Any]]] = {}
    for found in incident_folding.groups(told, lambda each: f"{_who(each)}\0{_flap(each, flapping)}"):
        if found[0]["key"] or found[0]["pinned"]:
            yield from map(_folded, waiting.values())
            waiting.clear()
            yield row(found[0])
        else:
            flap = _flap(found[0], flapping)
            waiting.setdefault((_who(found[0]), flap) if flap else object(), []).extend(found)
    yield from map(_folded, waiting.values())


def _alert(entry: Mapping[str, Any]) -> str:
    """The fingerprint of the alert that an entry tells of; empty where it is of none."""
    return str(entry["data"].get("fingerprint") or "") if entry["type"].startswith("alert.") else ""


def _flap(entry: Mapping[str, Any], flapping: Container[str]) -> str:
    alert = _alert(entry)
    return alert if alert in flapping else ""


def _folded(found: Sequence[Mapping[str, Any]]) -> Row:
    if len(found) == 1:
        return row(found[0])
    what = ", ".join(f"{count} x {name}" for name, count in Counter(each["type"] for each in found).items())
    positions = [each["position"] for each in found]
    first, last = (found[index]["time"][: incident_folding.MINUTE] for index in (0, -1))
    if first != last:
        what = f"{found[0]['data'].get('name', '')}: {what}, until {last[11:]}"
    return "", f"{first}:", "", _who(found[0]), what, f"{min(positions)}..{max(positions)}"


def row(entry: Mapping[str, Any]) -> Row:
    """An entry in one row, with all that must be said of it."""
    late = (entry["lag"] or "").removeprefix("recorded ").removesuffix(" later")
    what = " ".join([entry["summary"], *_remarks(entry)])
    return _mark(entry), show.moment(entry["time"]), late, _who(entry), what, str(entry["position"])


def _line(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for a pipe, where each line speaks for itself."""
    mark, time, _, who, what, position = row(entry)
    return mark, time, who, f"{what} [{entry['lag']}]" if entry["lag"] else what, position


def _by_day(rows: Iterable[Row]) -> Iterator[Row]:
    """The day in a row of its own, and after it hours alone."""
    day = None
    for mark, time, *rest in rows:
        if time[:10] != day:
            day = time[:10]
            yield "", day, "", "", "", ""
        late, who, what, position = rest
        yield mark, time[11:].rstrip(":Z"), late, who, what, position


def _mark(entry: Mapping[str, Any]) -> str:
    return "*" if entry["key"] else "+" if entry["pinned"] else ""


def _who(entry: Mapping[str, Any]) -> str:
    """Who decided, else who submitted, in which role; a decision that was passed on says by whom."""
    submitter = entry["submitter"]["name"] or entry["submitter"]["id"]
    decided = entry["decided_by"]
    who = decided or submitter
    roles = f" ({', '.join(entry['roles'])})" if entry["roles"] else ""
    passed_on = f" via {submitter}" if decided and decided != submitter else ""
    return f"{who}{roles}{passed_on}"


def _remarks(entry: Mapping[str, Any]) -> Iterator[str]:
    """What it claimed, what it said before, and whether it counts."""
    if entry["claimed_time"]:
        yield f"[claims {show.moment(entry['claimed_time'])}]"
    for each in entry["corrections"]:
        yield f"[{each['field']} was {_value(each['was'])}, corrected at {each['position']}: {each['reason']}]"
    if entry["retracted"]:
        yield f"[retracted at {entry['retracted']['position']}: {entry['retracted']['reason']}]"


def _value(value: Any) -> str:
    return "not given" if value is None else str(value)
