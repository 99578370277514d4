"""
`lastgood postmortem show` and `postmortem actions`: one postmortem as it stands, and what all of them left to do.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from api.cli import options, show
from api.cli.incident_read import path
from api.cli.postmortem import due_line
from api.cli.read import items

STATES = ("open", "done", "cancelled", "overdue")
KINDS = ("initial", "intermediate", "final")


@click.command(
    name="show",
    params=[
        click.Argument(["incident"]),
        click.Option(["--section"], help="Only the text of this section, just as it was written."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("text", "json"),
    ],
)
def show_one(incident: str, section: str | None, output: str, **flags: Any) -> None:
    """The postmortem of an incident as it stands: sections, causes, actions, who stands behind it."""
    found = options.connect(flags).get(path(incident, "/postmortem"), options.moment(flags))
    if section is not None:
        _show_section(found, section)
    elif output == "json":
        show.print_json(found)
    else:
        for line in _lines(found):
            click.echo(line)


def _show_section(found: Mapping[str, Any], name: str) -> None:
    from api.cli.exits import Invalid  # noqa: PLC0415 - as everywhere in the command line

    for each in found["sections"]:
        if each["section"] == name.replace("-", "_") or each["section"] == name:
            click.echo("\n".join(_text_lines(each["text"])))
            return
    there = ", ".join(each["section"] for each in found["sections"]) or "none"
    raise Invalid(f"the postmortem of {found['incident']} has no section {name}", f"it has: {there}")


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{show.plain(found['incident'])}  {show.plain(found['title'])}"
    yield from _head(found)
    for each in found["sections"]:
        yield ""
        yield f"{show.plain(each['title'])}  [{_who(each)}{_revision(each)}]"
        yield from (f"  {line}".rstrip() for line in _text_lines(each["text"]))
    if found["causes"]:
        yield "\nCauses"
        yield from (f"  {each['kind']}: {show.plain(each['statement'])}  [{_who(each)}]" for each in found["causes"])
    if found["actions"]:
        yield "\nActions"
        yield from (f"  {_action(each)}" for each in found["actions"])
    if found["reporting"]:
        yield "\nReports to authorities"
        yield from (f"  {line}" for each in found["reporting"] for line in _reporting(each))
    if found["advice"]:
        number = show.counted(len(found["advice"]), "piece")
        yield f"\n{number} of advice on words that blame: --output json has them"


def _text_lines(text: str) -> list[str]:
    """An author's text, line by line, in which nothing moves the cursor."""
    return [show.plain(line.expandtabs(4)) for line in text.replace("\r\n", "\n").split("\n")]


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    owner = f", owner {show.plain(found['owner'])}" if found["owner"] else ""
    yield f"status    {found['status']}{owner}"
    if found["due"]:
        yield f"due       {due_line(found['due']).removeprefix('due ')}{', OVERDUE' if found['overdue'] else ''}"
    for name in ("reviewed", "approved", "published", "waived"):
        for each in found[name]:
            audience = f" for {show.plain(each['audience'])}" if each["audience"] else ""
            reason = f": {show.plain(each['reason'])}" if each["reason"] else ""
            yield f"{name:<9} {_who(each)}{audience}{reason}"
    if found["written_since_approval"]:
        number = len(found["written_since_approval"])
        yield f"since the approval {show.counted(number, 'text')} {'was' if number == 1 else 'were'} written"
    if found["missing"] and found["status"] != "waived":
        yield f"missing   {', '.join(found['missing'])}"


def _who(deed: Mapping[str, Any]) -> str:
    return f"{show.plain(deed['by'])}, {show.moment(deed['time'])}, at {deed['position']}"


def _revision(section: Mapping[str, Any]) -> str:
    return f", text {section['revisions']}" if section["revisions"] > 1 else ""


def _action(action: Mapping[str, Any]) -> str:
    due = f", due {show.moment(action['due'])}" if action["due"] else ""
    ticket = f", {show.plain(action['ticket'])}" if action["ticket"] else ""
    return (
        f"{show.plain(action['action_id'])}  {_state(action)}  {action['kind']}: {show.plain(action['text'])}"
        f"  [{show.plain(action['owner'])}{due}{ticket}]"
    )


def _state(action: Mapping[str, Any]) -> str:
    return "OVERDUE" if action["overdue"] else str(action["state"])


def _reporting(regime: Mapping[str, Any]) -> Iterator[str]:
    criteria = "" if regime["criteria"] is None else f" ({show.plain(regime['criteria'])})"
    yield f"{show.plain(regime['regime'])}: {show.plain(regime['classification'] or 'not classified')}{criteria}"
    for kind in KINDS:
        report = regime[kind]
        due = f", due {show.moment(report['due'])}" if report["due"] else ""
        made = report["made"]
        told = f", made {show.moment(made['time'])} as {show.plain(made['reference'])}" if made else ""
        yield f"  {kind:<12}  {report['state'].replace('_', ' ')}{due}{told}"


@click.command(
    name="actions",
    params=[
        click.Option(["--state"], type=click.Choice(STATES), help="Only those in this state; overdue ones are open."),
        click.Option(["--owner"], help="Only those of this owner."),
        click.Option(["--incident"], help="Only those of this incident."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ],
)
def actions(output: str, **flags: Any) -> None:
    """What the postmortems of all incidents left to do, what is due first first."""
    query = {**{name: flags[name] for name in ("state", "owner", "incident")}, **options.moment(flags)}
    found = list(items(options.connect(flags), "/v1/actions", query))
    if output == "json":
        show.print_json({"items": found, "next": None})
        return
    if not found:
        click.echo("no action matches", err=True)
        return
    show.print_table(
        ("due", "state", "owner", "incident", "action", "kind", "what", "ticket"),
        [_row(each) for each in found],
        ("dim", None, None, "bold", "bold", None, None, "dim"),
    )


def _row(action: Mapping[str, Any]) -> tuple[Any, ...]:
    incident = f"{action['incident']} (drill)" if action["drill"] else action["incident"]
    names = ("action_id", "kind", "text", "ticket")
    return (
        show.moment(action["due"]) if action["due"] else "",
        _state(action),
        action["owner"],
        incident,
        *(action[each] for each in names),
    )
