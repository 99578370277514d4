"""
The verbs that ask: `status`, `history`, `plan`.

Each prints the ledger's own answer as JSON, or the part of it that a person
in a hurry needs as a table. All take the same moment flags.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from api.cli import options, show

PAGE = 1000


@click.command(
    params=[
        click.Argument(["service"], required=False),
        click.Option(["--environment"], help="Only this environment."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def status(service: str | None, environment: str | None, output: str, **flags: Any) -> None:
    """
    What runs where, what was last good, and where one could roll back to.

    A question mark after a version: an event since then leaves it uncertain.
    """
    query = {"service": service, "environment": environment, **options.moment(flags)}
    slots = list(items(options.connect(flags), "/v1/slots", query))
    if output == "json":
        show.print_json({"items": slots, "next": None})
        return
    if not slots:
        click.echo("nothing is recorded that matches; the first `lastgood deployment succeeded` makes a slot", err=True)
        return
    show.print_table(
        ("service", "environment", "deployed", "current", "since", "last known good", "rollback target", "incidents"),
        [_slot_row(slot) for slot in slots],
        (None, None, None, "bold", "dim", "green", "cyan", "red"),
    )


def _slot_row(slot: Mapping[str, Any]) -> tuple[str, ...]:
    current, good = slot.get("current"), slot.get("last_known_good")
    incidents = slot.get("active_incidents") or ()
    return (
        slot["service"],
        slot["environment"],
        _version(slot.get("deployed")),
        f"{_version(current)}{_exposures(slot)}{'' if slot.get('certain', True) else ' ?'}",
        show.moment((current or {}).get("since")),
        f"{_version(good)} ({good['basis']})" if good else "-",
        _target(slot),
        ", ".join(_incident(each) for each in incidents),
    )


def _target(slot: Mapping[str, Any]) -> str:
    """Where one could go back to, with how much there is to read first."""
    if slot.get("target_reached"):
        return "target reached"
    target = slot.get("rollback_target")
    warned = f" ({show.counted(len(target['warnings']), 'warning')})" if target and target["warnings"] else ""
    return f"{_version(target)}{warned}"


def _incident(incident: Mapping[str, Any]) -> str:
    words = (incident["id"], incident.get("severity"), "drill" if incident.get("drill") else None)
    return " ".join(word for word in words if word)


def _version(artifact: Mapping[str, Any] | None) -> str:
    return str(artifact["version"]) if artifact else "-"


def _exposures(slot: Mapping[str, Any]) -> str:
    """The releases on their way beside the current version."""
    current = (slot.get("current") or {}).get("version")
    others = [each for each in slot.get("exposures") or () if each["version"] != current]
    return "".join(f", {each['version']} {each['exposure']:g} %" for each in others if each.get("exposure") is not None)


@click.command(
    params=[
        click.Argument(["service"]),
        click.Argument(["environment"]),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def history(service: str, environment: str, output: str, **flags: Any) -> None:
    """The deployments, releases and rollbacks of SERVICE in ENVIRONMENT, the newest first."""
    query = {"service": service, "environment": environment, **options.moment(flags)}
    entries = list(items(options.connect(flags), "/v1/slot/history", query))
    if output == "json":
        show.print_json({"items": entries, "next": None})
        return
    if not entries:
        click.echo(f"nothing is recorded of {show.plain(service)} in {show.plain(environment)}", err=True)
        return
    show.print_table(
        ("time", "type", "change", "version", "replaced", "detail", "position"),
        [_history_row(entry) for entry in entries],
        ("dim", None, "cyan", "bold", None, None, "dim"),
    )


def _history_row(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    change = f"{entry.get('change') or ''}{' (void)' if entry.get('void') else ''}"
    members = ("version", "replaced", "detail", "position")
    return (show.moment(entry["time"]), entry["type"], change, *(entry.get(each) for each in members))


@click.command(
    params=[
        click.Argument(["environment"]),
        click.Option(["--to"], required=True, metavar="TIME", help="The moment to return to."),
        click.Option(["--service"], multiple=True, help="Only this service; more than once for several."),
        click.Option(["--decide"], is_flag=True, help="Decide it: a rollback for each service that would change."),
        click.Option(["--reason"], help="Why, where it is decided."),
        click.Option(["--incident"], help="The incident it is for, where it is decided."),
        click.Option(["--plan", "name"], help="Names the plan, so that deciding it again changes nothing. [a new one]"),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("table", "json"),
    ]
)
def plan(environment: str, to: str, service: tuple[str, ...], decide: bool, output: str, **flags: Any) -> None:
    """
    What returning ENVIRONMENT to a moment would change. Changes nothing, unless --decide says so.

    Decided, each service is rolled back by its own pipeline, and none holds up the others.
    """
    if decide:
        _decide(environment, to, service, output, flags)
        return
    query = {"environment": environment, "to": to, "service": service, **options.moment(flags)}
    answer = options.connect(flags).get("/v1/plan", query)
    if output == "json":
        show.print_json(answer)
        return
    if answer["items"]:
        show.print_table(
            ("service", "from", "to", "blockers", "warnings"),
            [_plan_row(item) for item in answer["items"]],
            (None, None, "cyan", "red", "yellow"),
        )
    for name, meaning in _APART.items():
        for service_name in answer.get(name) or ():
            click.echo(f"{show.plain(service_name)}: {meaning}")
    click.echo(f"{show.counted(len(answer['items']), 'service')} would change")


def _decide(environment: str, to: str, services: tuple[str, ...], output: str, flags: Mapping[str, Any]) -> None:
    from api.cli import identity  # noqa: PLC0415 - only this path needs it

    given = {name: flags[name] for name in ("reason", "incident") if flags[name]}
    wish = {"environment": environment, "to": to, "services": list(services), **given}
    wish["plan"] = flags["name"] or f"plan-{identity.uuid7()}"
    answer = options.connect(flags).post("/v1/plan", json.dumps(wish).encode(), "application/json")
    if output == "json":
        show.print_json(answer)
        return
    known = " (decided before, and nothing new)" if all(each["duplicate"] for each in answer["receipts"]) else ""
    known = known if answer["receipts"] else ", since nothing would change"
    click.echo(f"decided {show.plain(answer['plan'])}: {show.counted(answer['count'], 'rollback')}{known}")
    click.echo(
        "pipelines execute them: lastgood rollback next --service S --environment E --wait 600 --claim", err=True
    )
    for receipt in answer["receipts"]:
        show.print_warnings(receipt["warnings"])


_APART = {
    "appeared": "did not exist then",
    "removed": "existed then, and was removed since",
    "not_here": "nothing is recorded of it here",
}


def _plan_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        item["service"],
        _version(item["from"]),
        _version(item["to"]),
        "; ".join(show.warning(each) for each in item["blockers"]),
        "; ".join(show.warning(each) for each in item["warnings"]),
    )


def items(client: Any, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of all pages of a list."""
    after = None
    while True:
        page = client.get(path, {**query, "limit": PAGE, "after": after})
        yield from page["items"]
        after = page["next"]
        if after is None:
            return
