"""
`lastgood findings`: where practice left the doctrine, and accepting that it did.
"""

from collections.abc import Mapping
from typing import Any

import click

from api.cli import options, show
from api.cli.lazy import LazyGroup, Verb

PAGE = 1000
STATES = ("open", "settled", "accepted")
COLUMNS = ("state", "rule", "where", "what", "time", "positions")
STYLES = (None, "bold", "cyan", None, "dim", "dim")


def _list(output: str, **flags: Any) -> None:
    """Prints all pages as one; in the table open ones come first."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    query = {name: flags[name] for name in ("rule", "service", "environment", "incident", "state")}
    found = _read(options.connect(flags), query | options.moment(flags))
    if output == "json":
        show.print_json(found)
        return
    if not found["items"]:
        click.echo("nothing was found that matches", err=True)
        return
    rows = sorted(found["items"], key=lambda each: STATES.index(each["state"]))
    show.print_table(COLUMNS, [_row(each) for each in rows], STYLES)
    states = [each["state"] for each in rows]
    click.echo(", ".join(f"{states.count(each)} {each}" for each in STATES if each in states), err=True)


def _read(client: Any, query: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/findings", {**query, "limit": PAGE, "after": None})
    while (after := found["next"]) is not None:
        page = client.get("/v1/findings", {**query, "limit": PAGE, "after": after})
        found = {**found, "items": found["items"] + page["items"], "next": page["next"]}
    return found


def _row(found: Mapping[str, Any]) -> tuple[str, ...]:
    place = "@".join(each for each in (found["service"], found["environment"]) if each)
    ends = {"settled": found["settled_by"], "accepted": found["accepted_by"]}.get(found["state"])
    return (
        f"{found['state']} at {ends[0]}" if ends else found["state"],
        found["rule"],
        " ".join(each for each in (place, found["incident"]) if each),
        found["detail"],
        show.moment(found["time"]),
        " ".join(map(str, found["positions"])),
    )


def _accept() -> click.Command:
    """`lastgood record accept` with the rule first, as the list shows it."""
    from api.cli.amend import TABLE  # noqa: PLC0415 - the list needs none of it

    made = TABLE.command("finding.accepted")
    made.name = "accept"
    arguments: list[click.Parameter] = [
        click.Argument(["rule"]),
        click.Argument(["positions"], type=click.IntRange(min=1), required=True, nargs=-1, metavar="POSITION..."),
    ]
    made.params = arguments + [each for each in made.params if each.name not in ("rule", "positions")]
    return made


findings = LazyGroup(
    "findings",
    verbs={"accept": Verb(_accept, "Accept a finding as it is: it is settled, and stays.")},
    callback=_list,
    invoke_without_command=True,
    help="Where practice left the doctrine: open, settled by events, or accepted by a person. Open ones come first.",
    params=[
        click.Option(["--rule"], help="Only those of this rule, such as release_without_approval."),
        click.Option(["--service"], help="Only this service."),
        click.Option(["--environment"], help="Only this environment."),
        click.Option(["--incident"], help="Only this incident."),
        click.Option(["--state"], type=click.Choice(STATES), help="Only those in this state."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ],
)
