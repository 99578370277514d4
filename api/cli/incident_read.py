"""
`lastgood incident list` and `incident show`: which incidents there are, and all that is known of one.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click

from api.cli import options, show
from api.cli.incident_table import Severity
from api.cli.read import items

LABEL = len("time to acknowledge")

_STATES = "detected declared acknowledged mitigated resolved closed cancelled merged".split()


def path(incident: str, rest: str = "") -> str:
    return f"/v1/incidents/{quote(incident, safe='')}{rest}"


@click.command(
    name="list",
    params=[
        click.Option(["--active"], is_flag=True, help="Only those that are declared and not over."),
        click.Option(["--state"], type=click.Choice(_STATES), help="Only those in this state."),
        click.Option(["--severity"], type=Severity(), help="Only those that have this severity."),
        click.Option(["--mode"], type=click.Choice(("real", "drill")), help="Only real ones, or only drills."),
        click.Option(["--service"], help="Only those that affect this service."),
        click.Option(["--environment"], help="Only those that affect this environment."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ],
)
def list_(active: bool, output: str, **flags: Any) -> None:
    """Incidents, those that began last first."""
    filters = {name: flags[name] for name in ("state", "severity", "mode", "service", "environment")}
    query = {**filters, "active": "true" if active else None, **options.moment(flags)}
    found = list(items(options.connect(flags), "/v1/incidents", query))
    if output == "json":
        show.print_json({"items": found, "next": None})
        return
    if not found:
        click.echo("no incident matches", err=True)
        return
    show.print_table(
        ("incident", "severity", "state", "began", "ended", "commander", "affected", "title"),
        [_row(each) for each in found],
        ("bold", "red", None, "dim", "dim", None, None, None),
    )


def _row(incident: Mapping[str, Any]) -> tuple[Any, ...]:
    state = incident["state"] or "unknown"
    return (
        incident["id"],
        _severity(incident),
        f"{state}{_apart(incident)}",
        show.moment(incident["began"]),
        show.moment(incident["ended"]),
        incident["commander"],
        places(incident["affected"]),
        incident["title"],
    )


def _severity(incident: Mapping[str, Any]) -> str:
    suggested = incident["suggested_severity"]
    return incident["severity"] or (f"{suggested}?" if suggested else "")


def _apart(incident: Mapping[str, Any]) -> str:
    """What sets it apart: it went into another one, or nothing counts it."""
    if incident["merged_into"]:
        return f" into {incident['merged_into']}"
    if incident["mode"] == "drill":
        return " (drill)"
    return "" if incident["counted"] else " (not counted)"


def places(slots: Any) -> str:
    return ", ".join(f"{each['service']}@{each['environment']}" for each in slots)


@click.command(
    name="show",
    params=[
        click.Argument(["incident"]),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("text", "json"),
    ],
)
def show_one(incident: str, output: str, **flags: Any) -> None:
    """Everything about INCIDENT. One that was merged leads to the one that it went into."""
    client, query = options.connect(flags), options.moment(flags)
    found = client.get(path(incident), query)
    if output == "json":
        show.print_json(found)
        return
    if found["leads_to"] is not None:
        leads_to = found["leads_to"]["id"]
        click.echo(f"{show.plain(found['id'])} was merged into {show.plain(leads_to)}", err=True)
        found = client.get(path(leads_to), query)
    for label, text in rows(found):
        click.echo(f"{click.style(f'{show.plain(label):<{LABEL}}', dim=True)}  {show.plain(text)}")


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of an incident, under labels; what is not known has no row."""
    yield found["id"], f"{_severity(found) or 'no severity'}, {found['state'] or 'unknown'}{_apart(found)}"
    named = {"title": found["title"], "kind": found["kind"], "priority": found["priority"]}
    yield from ((label, text) for label, text in named.items() if text)
    if found["affected"]:
        yield "affected", places(found["affected"])
    yield from (("role", _role(each)) for each in found["roles"] if each["until"] is None)
    yield from _times(found)
    yield from _response(found["expected_response"])
    yield from (("version", _version(each)) for each in found["versions"])
    if found["cause_elsewhere"]:
        yield "not a deployment", found["cause_elsewhere"]["reason"]
    yield from (("pinned", f"{show.moment(each['time'])} {each['text']}") for each in found["notes"]["pinned"])
    yield from (("told", f"{each['audience']}: {each['text']}") for each in found["updates"][-1:])
    yield from (("linked", _link(each)) for each in found["links"])
    if found["merged"]:
        yield "merged into it", ", ".join(found["merged"])
    yield from (("beware", show.warning(each)) for each in found["marks"])


def _role(role: Mapping[str, Any]) -> str:
    return f"{role['role']}: {role['person']}, since {show.moment(role['since'])}"


def _times(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, step in found["steps"].items():
        if step is not None and not (name == "first_resolved" and step == found["steps"]["resolved"]):
            yield name.replace("_", " "), show.moment(step["time"])
    impact = found["impact"]
    if impact["seconds"] is not None:
        yield "customer impact", f"{span(impact['seconds'])}{', and goes on' if impact['ongoing'] else ''}"
    for name, measure in found["measures"].items():
        if measure["seconds"] is not None:
            yield name.replace("_", " "), span(measure["seconds"])
    severities = found["severities"]
    if len(severities["changes"]) > 1:
        spent = ", ".join(f"{name} for {span(length)}" for name, length in severities["seconds"].items() if length)
        yield "severity", f"first {severities['initial']}, at worst {severities['peak']}; {spent}"


_ANSWERED = {
    "awaited": "nothing is decided yet",
    "as_expected": "so it was done",
    "deviated": "another choice was made",
    "missing": "nothing was decided",
}


def _response(response: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if response is None:
        return
    yield "expected", f"{response['response']} ({_ANSWERED[response['status']]}, {span(response['seconds'])})"
    for each in response["deviations"]:
        chosen = each["chosen"].replace("_", " ")
        yield "deviation", f"{chosen} at {each['severity']}: {each['reason'] or 'no reason given'}"


def _version(version: Mapping[str, Any]) -> str:
    words = [version["version"], "of", places([version]), version["standing"], version["relation"]]
    rule = version["proposed_by_rule"]
    return " ".join(word for word in words if word) + (f" (rule {rule['rule']})" if rule else "")


def _link(link: Mapping[str, Any]) -> str:
    return f"{link['relation']} {link['incident']}" if link["to"] else f"{link['incident']} {link['relation']} this"


def span(seconds: float) -> str:
    """A length of time as people say it; one that contradicts itself with its sign."""
    sign, length = "-" if seconds < 0 else "", int(abs(seconds))
    hours, minutes = length // 3600, length % 3600 // 60
    if length < 60:
        return f"{sign}{length} s"
    if length < 7200:
        return f"{sign}{length // 60} min"
    if hours < 48:
        return f"{sign}{hours} h {minutes} min" if minutes else f"{sign}{hours} h"
    return f"{sign}{hours // 24} days"
