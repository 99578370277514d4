"""
What a pipeline asks before it acts: `rollback next` and `gate release`.

People decide, pipelines execute: `next` hands out the one decision that is
valid now, and a claim is recorded at the revision that was read, so that of
two pipelines one gets it. What else is recorded of the slot meanwhile never
makes a decision vanish: "there is none" is said only where there is none.
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
PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""After a claim that came too late, and before the next look; the last one again and again."""
CLAIM_FOR_S = 30.0
"""For so long a claim is tried, or as long as one waits: each is lost only to what changes the slot meanwhile."""
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
    take = _claimed if claim else _pending
    while (found := take(client, slot, until)) is None:
        if (left_s := until - time.monotonic()) <= 0:
            raise No(
                f"no rollback of {_place(slot)} is decided, valid and unclaimed", "lastgood status shows what is so"
            )
        time.sleep(min(LOOK_EVERY_S, left_s))
    told = {name: found[name] for name in TOLD}
    if output == "json":
        show.print_json(told)
        return
    told["decided_by"] = found.get("decided_by_name") or told["decided_by"]  # on a screen an opaque id says nothing
    for name, value in told.items():
        if value is not None:
            click.echo(f"{name} {show.plain(value)}")


def _place(slot: Mapping[str, str]) -> str:
    return f"{show.plain(slot['service'])} in {show.plain(slot['environment'])}"


def _pending(client: Client, slot: Mapping[str, str], _until: float = 0.0) -> dict[str, Any] | None:
    """The decision of a slot that can be executed now; None where there is none."""
    found: list[dict[str, Any]] = client.get("/v1/decisions", {**slot, "state": "pending"})["items"]
    return found[0] if found else None


def _claimed(client: Client, slot: Mapping[str, str], until: float) -> dict[str, Any] | None:
    """
    The pending decision of a slot, claimed; None where there is none, or someone else was first.

    Raises:
        Conflict: where there is one all the time, and the slot changes each time before it is claimed.
    """
    until, pauses = max(until, time.monotonic() + CLAIM_FOR_S), iter(PAUSES_S)
    while (decision := _pending(client, slot)) is not None:
        try:
            _claim(client, decision)
        except Conflict as conflict:
            # Another claim, which the next look shows, or anything else that changes what runs here.
            pause_s = next(pauses, PAUSES_S[-1])
            if time.monotonic() + pause_s > until:
                raise _too_lively(slot, decision, conflict) from None
            time.sleep(pause_s)
        else:
            return decision
    return None


def _too_lively(slot: Mapping[str, str], decision: Mapping[str, Any], conflict: Conflict) -> Conflict:
    return Conflict(
        f"the rollback {show.plain(decision['rollback_id'])} of {_place(slot)} is decided and unclaimed, and could not "
        f"be claimed: {conflict.message}",
        "run it again, with a longer --wait; so much is recorded of this slot that each claim came too late",
        conflict.status,
    )


def _claim(client: Client, decision: Mapping[str, Any]) -> None:
    from api.cli import ci, drafts, identity  # noqa: PLC0415 - `--help` needs none of them

    facts = ci.detect(os.environ)
    data = {name: decision[name] for name in ("rollback_id", "service", "environment", "to_version")}
    if facts.build_url:
        data["build_url"] = facts.build_url
    # The id is new for each claim: a retried CI step that claims again is another claim, and has to win anew.
    event = {"id": identity.uuid7(), "specversion": "1.0", "type": "rollback.started", "data": data}
    draft = drafts.of(event, facts)
    expected = {"If-Match": f'"{decision["revision"]}"'}
    client.post("/v1/events", draft.text, "application/json", expected, {"claim": "true"})


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
