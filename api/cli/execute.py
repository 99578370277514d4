"""
What a pipeline asks before it acts: `rollback next` and `gate release`.

People decide, pipelines execute: `next` hands out the one decision that is
valid now, and a claim is recorded at the revision that was read, so that of
two pipelines one gets it.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import click

from api.cli import options, show
from api.cli.client import Client
from api.cli.exits import Conflict, Exit, No, Unreachable
from api.cli.lazy import LazyGroup, Verb

LOOK_EVERY_S = 1.0
TRIES = 10
"""Each is lost only to another event recorded in the slot between looking and claiming."""
TOLD = ("rollback_id", "service", "environment", "to_version", "to_digest", "reason", "decided_by", "position")


@click.command(
    name="next",
    params=[
        click.Option(["--service"], required=True, help="The service."),
        click.Option(["--environment"], required=True, help="The environment."),
        click.Option(
            ["--wait", "wait_s"], type=click.FloatRange(min=0), default=0, help="Wait so many seconds for one."
        ),
        click.Option(["--claim"], is_flag=True, help="Record rollback.started, so that no one else executes it."),
        *options.CONNECTION,
        options.output("text", "json"),
    ],
)
def next_(service: str, environment: str, wait_s: float, claim: bool, output: str, **flags: Any) -> None:
    """
    The decision that a pipeline may execute now; exit 10 if there is none.

    A claim without progress lapses after 10 minutes.
    """
    client = options.connect(flags)
    slot = {"service": service, "environment": environment}
    until = time.monotonic() + wait_s
    while (found := _take(client, slot, claim=claim)) is None:
        if (left_s := until - time.monotonic()) <= 0:
            where = f"{show.plain(service)} in {show.plain(environment)}"
            raise No(f"no rollback of {where} is decided, valid and unclaimed", "lastgood status shows what is so")
        time.sleep(min(LOOK_EVERY_S, left_s))
    told = {name: found[name] for name in TOLD}
    if output == "json":
        show.print_json(told)
        return
    for name, value in told.items():
        if value is not None:
            click.echo(f"{name} {show.plain(value)}")


def _take(client: Client, slot: Mapping[str, str], *, claim: bool) -> dict[str, Any] | None:
    """The pending decision of a slot, claimed if asked for; None where there is none or someone else was first."""
    for _ in range(TRIES):
        found = client.get("/v1/decisions", {**slot, "state": "pending"})["items"]
        if not found:
            return None
        decision: dict[str, Any] = found[0]
        try:
            if claim:
                _claim(client, decision)
        except Conflict:
            continue  # something was recorded meanwhile: another claim, which the next look shows, or anything else
        return decision
    return None


def _claim(client: Client, decision: Mapping[str, Any]) -> None:
    from api.cli import ci, drafts, identity  # noqa: PLC0415 - `--help` needs none of them

    facts = ci.detect(os.environ)
    data = {name: decision[name] for name in ("rollback_id", "service", "environment", "to_version")}
    if facts.build_url:
        data["build_url"] = facts.build_url
    # The id is new for each claim: a retried CI step that claims again is another claim, and has to win anew.
    event = {"id": identity.uuid7(), "specversion": "1.0", "type": "rollback.started", "data": data}
    draft = drafts.of(event, facts)
    client.post("/v1/events", draft.text, "application/json", {"If-Match": f'"{decision["revision"]}"'})


@click.command(
    params=[
        click.Option(["--service"], required=True, help="The service."),
        click.Option(["--environment"], required=True, help="The environment."),
        click.Option(["--version"], required=True, help="The version that would go out."),
        click.Option(["--digest"], help="Its digest, to hold its approval against."),
        click.Option(["--fail-open", "unreachable"], flag_value="open", help="Exit 0 if the ledger can't be reached."),
        click.Option(["--fail-closed", "unreachable"], flag_value="closed", help="Exit 10 if it can't be reached."),
        *options.MOMENT,
        *options.CONNECTION,
        options.output("text", "json"),
    ]
)
def release(unreachable: str | None, output: str, **flags: Any) -> None:
    """Whether a release may go out now: exit 0 if so, 10 with the reasons if not."""
    query = {name: flags[name] for name in ("service", "environment", "version", "digest")} | options.moment(flags)
    try:
        answer = options.connect(flags).get("/v1/gate", query)
    except Unreachable as error:
        _without_ledger(error, unreachable)
        return
    if output == "json":
        show.print_json(answer)
    else:
        _tell(answer)
    if not answer["allowed"]:
        click.get_current_context().exit(Exit.NO)


def _without_ledger(error: Unreachable, unreachable: str | None) -> None:
    """Open or closed is the caller's choice; without one, unreachable is what it is."""
    if unreachable is None:
        error.advice = f"{error.advice}; --fail-open or --fail-closed says what this should mean"
        raise error
    if unreachable == "closed":
        raise No(f"{error.message}; and --fail-closed was asked for", error.advice)
    click.echo(f"lastgood: WARNING: NOT CHECKED, --fail-open lets it pass: {error.message}", err=True)


def _tell(answer: Mapping[str, Any]) -> None:
    version = show.plain(answer["version"])
    click.echo(f"{version} may go out" if answer["allowed"] else f"{version} may not go out")
    for reason in answer["reasons"]:
        click.echo(f"  {show.warning(reason)}")
        click.echo(f"    to change it: {show.plain(reason['who_can_change_it'])}")
    for reason in answer["passes"]:
        click.echo(f"  passes, since {show.plain(reason['detail'])}")


gate = LazyGroup(
    "gate", verbs={"release": Verb(lambda: release, "May a release go out now?")}, help="Ask before acting."
)
