"""
Recording by flags: `deployment`, `release`, `feature`, `rollback`.

One table says which members each event takes, one says what a member's flag
looks like, and every verb is made from the two. The table repeats what
`ledger.events` says, since reading those dataclasses costs more than a
pipeline's whole call should; a test proves that the two agree.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import click

from api.cli import options, show
from api.cli.ci import Facts
from api.cli.lazy import LazyGroup, Verb, at

_BUILD = "digest commit committed_at author build_url strategy targets restores"
_RELEASED = "release_id service environment version"
_DEPLOYED = "deployment_id service environment version"
_SLOT = "service environment version"
_BACK = "rollback_id service environment to_version"

COMMON = "reason decided_by evidence labels incident"
"""What every event may bear."""


class Kind(NamedTuple):
    """One event: its required and optional members, and what recording it says."""

    required: str
    optional: str
    help: str

    def members(self) -> tuple[str, ...]:
        """Each once, the required ones first."""
        return tuple(dict.fromkeys(f"{self.required} {self.optional} {COMMON}".split()))


KINDS = {
    "deployment.started": Kind(_DEPLOYED, _BUILD, "An artifact is being installed."),
    "deployment.succeeded": Kind(_DEPLOYED, f"{_BUILD} released", "An artifact is installed."),
    "deployment.failed": Kind(_DEPLOYED, "residual", "An installation failed."),
    "deployment.cancelled": Kind(_DEPLOYED, "", "An installation was called off."),
    "release.approved": Kind(_SLOT, "digest change_ticket", "Decide: this version may go out."),
    "release.approval_revoked": Kind(_SLOT, "digest change_ticket", "Decide: it may not, after all."),
    "release.started": Kind(_RELEASED, "exposure audience digest", "Users begin to see a version."),
    "release.exposed": Kind(f"{_RELEASED} exposure", "audience region", "More or fewer users see it."),
    "release.completed": Kind(_RELEASED, "digest", "All users see it."),
    "release.aborted": Kind(f"{_RELEASED} reason", "", "It was taken back before all saw it."),
    "release.verified_good": Kind(f"{_SLOT} reason", "", "Decide: this version is known good."),
    "release.marked_bad": Kind(f"{_SLOT} reason", "", "Decide: this version is bad."),
    "release.cleared": Kind(f"{_SLOT} reason", "", "Decide: what stood against it is settled."),
    "feature.enabled": Kind("feature service environment", "exposure audience provider", "A feature is switched on."),
    "feature.disabled": Kind("feature service environment", "exposure audience provider", "It is switched off."),
    "rollback.decided": Kind(_BACK, "from_version to_digest plan", "Decide: back to this version."),
    "rollback.declined": Kind("service environment reason chosen", "", "Decide: no rollback, but something else."),
    "rollback.cancelled": Kind("rollback_id service environment reason", "", "Decide: a rollback is called off."),
    "rollback.started": Kind(_BACK, "mechanism build_url", "A rollback is being carried out."),
    "rollback.succeeded": Kind(_BACK, "to_digest mechanism", "The earlier version is back."),
    "rollback.failed": Kind(_BACK, "residual", "It could not be brought back."),
    "rollback.verified": Kind("rollback_id service environment reason", "", "Decide: the rollback helped."),
    "rollback.ineffective": Kind("rollback_id service environment reason", "", "Decide: it did not help."),
}


class Flag(NamedTuple):
    """A member's flag: its help, and how it is read. Without a type it is text."""

    help: str
    type: Any = str
    flag: str | None = None
    multiple: bool = False


def _pair(_ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    for value in values:
        name, equals, rest = value.partition("=")
        if not (name and equals and rest):
            raise click.BadParameter(f"{value} is not of the form {param.metavar}")
    return tuple((name, rest) for name, _, rest in (value.partition("=") for value in values))


MEMBERS = {
    "service": Flag("The service."),
    "environment": Flag("The environment."),
    "version": Flag("The version, exactly as you write it elsewhere."),
    "deployment_id": Flag("Names the deployment. [the CI run, else a new one]"),
    "release_id": Flag("Names the release across its steps. [the CI run, else a new one]"),
    "rollback_id": Flag("Names the rollback, as its decision does."),
    "digest": Flag("The artifact's digest, sha256:..."),
    "commit": Flag("The commit that was built. [from CI]"),
    "committed_at": Flag("When it was committed. [from CI]"),
    "author": Flag("Who wrote it. [from CI]"),
    "build_url": Flag("Where the job can be looked at. [from CI]"),
    "strategy": Flag("How it is installed, such as rolling or blue-green."),
    "targets": Flag("Where to, such as a host or cluster; more than once for several.", flag="target", multiple=True),
    "restores": Flag("The earlier version whose content this new build brings back."),
    "released": Flag("Whether users see it with this. [as the environment is configured]", type=bool),
    "residual": Flag("What the failure left behind.", click.Choice(("unchanged", "partial", "unknown"))),
    "change_ticket": Flag("The ticket of the change."),
    "exposure": Flag("Percent of users.", click.FloatRange(0, 100)),
    "audience": Flag("Which users, where it is not a share of all."),
    "region": Flag("Which region, where it is not all."),
    "feature": Flag("The feature's name."),
    "provider": Flag("The tool that switches it."),
    "to_version": Flag("The version to go back to."),
    "to_digest": Flag("The digest of that version, sha256:..."),
    "from_version": Flag("The version to leave. [the current one]"),
    "plan": Flag("The plan that this is part of."),
    "mechanism": Flag("How it is done. [redeploy]", click.Choice(("redeploy", "traffic", "feature"))),
    "chosen": Flag(
        "What is done instead.",
        click.Choice(
            (
                "fix_forward",
                "revert_forward",
                "redeploy",
                "feature_disable",
                "config_change",
                "traffic_shift",
                "scale",
                "restore_data",
                "none",
            )
        ),
    ),
    "reason": Flag("Why."),
    "decided_by": Flag("Who decided, where that is not who records it."),
    "evidence": Flag("What shows it: LABEL=URL, more than once for several.", multiple=True),
    "labels": Flag("NAME=VALUE, more than once for several.", flag="label", multiple=True),
    "incident": Flag("The incident it belongs to."),
}

ENVELOPE = (
    click.Option(["--id"], help="The event's id: the same again is a duplicate. [from CI, else a new one]"),
    click.Option(["--source"], help="Who says so, as a URI. [the CI run, else the token's holder]"),
    click.Option(["--time"], help="When it happened, with an offset. [now]"),
    click.Option(["--correlation-id", "correlationid"], help="The conversation that it belongs to."),
    click.Option(["--causation-id", "causationid"], help="The event that led to it."),
)


def _from_ci(topic: str, member: str, facts: Facts) -> str | None:
    """What CI knows of a member. A decision is a person's: no version of it is ever filled in."""
    if member == "version":
        return facts.version if topic.startswith("deployment.") or "release_id" in KINDS[topic].required else None
    known = {
        "deployment_id": facts.attempt,
        "release_id": facts.run,
        "rollback_id": facts.run,
        "commit": facts.commit,
        "committed_at": facts.committed_at,
        "author": facts.author,
        "build_url": facts.build_url,
    }
    return known.get(member)


def _makes_id(topic: str, member: str) -> bool:
    """Whether the verb may name what its event begins; one that follows up must say what it follows."""
    if member == "rollback_id":
        return "to_version" in KINDS[topic].required
    return member == "deployment_id" or (member == "release_id" and topic != "release.aborted")


def data_of(topic: str, given: Mapping[str, Any], facts: Facts, new_id: Callable[[], str]) -> dict[str, Any]:
    """
    The event's `data`: what was given, then what CI knows, then new names for what begins here.

    Raises:
        click.UsageError: naming the flags that are missing.
    """
    kind = KINDS[topic]
    data: dict[str, Any] = {}
    absent = []
    for member in kind.members():
        value = given.get(member)
        if value is None or value == ():
            value = _from_ci(topic, member, facts) if member not in COMMON.split() else None
        if value is None and _makes_id(topic, member):
            value = new_id()
        if value is not None:
            data[member] = _in_json(member, value)
        elif member in kind.required.split():
            absent.append(_flag_name(member))
    if absent:
        raise click.UsageError(f"missing {', '.join(absent)}")
    return data


def _in_json(member: str, value: Any) -> Any:
    if member == "evidence":
        return [{"label": label, "url": url} for label, url in value]
    if member == "labels":
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _flag_name(member: str) -> str:
    return f"--{(MEMBERS[member].flag or member).replace('_', '-')}"


def _option(topic: str, member: str) -> click.Option:
    flag = MEMBERS[member]
    needed = member in KINDS[topic].required.split()
    help_ = f"{flag.help} (required)" if needed and not _makes_id(topic, member) else flag.help
    name = _flag_name(member)
    if flag.type is bool:
        return click.Option([f"{name}/--not-{name[2:]}", member], default=None, help=help_)
    paired = member in {"evidence", "labels"}
    return click.Option(
        [name, member],
        type=flag.type,
        multiple=flag.multiple,
        help=help_,
        callback=_pair if paired else None,
        metavar={"evidence": "LABEL=URL", "labels": "NAME=VALUE"}.get(member),
    )


def command(topic: str) -> click.Command:
    """The verb that records *topic*."""
    kind = KINDS[topic]
    return click.Command(
        topic.partition(".")[2].replace("_", "-"),
        params=[
            *(_option(topic, member) for member in kind.members()),
            *ENVELOPE,
            *options.DELIVERY,
            *options.CONDITIONS,
            options.output("text", "json"),
        ],
        callback=partial(_record, topic),
        help=f"{kind.help} Records {topic}.",
    )


def _record(topic: str, output: str, dry_run: bool, **flags: Any) -> None:
    from api.cli import ci, drafts, identity  # noqa: PLC0415 - `--help` needs none of them

    facts = ci.detect(os.environ)
    event = {name: flags[name] for name in ("id", "source", "time", "correlationid", "causationid") if flags[name]}
    if facts.source:
        event.setdefault("source", facts.source)
    event |= {"specversion": "1.0", "type": topic, "data": data_of(topic, flags, facts, identity.uuid7)}
    draft = drafts.of(event, facts)
    if dry_run:
        click.echo(draft.text)
        return
    delivery = options.deliver(flags)
    with delivery.effort():
        tell(topic, event["data"], delivery.one(draft), output)


def tell(topic: str, data: Mapping[str, Any], receipt: Mapping[str, Any], output: str) -> None:
    if output == "json":
        show.print_json(receipt)
    else:
        known = " (known already)" if receipt["duplicate"] else ""
        name = next((f", {member} {data[member]}" for member in data if member.endswith("_id")), "")
        click.echo(f"recorded {topic} at position {receipt['position']}{known}{name}")
    show.print_warnings(receipt["warnings"])


def _group(noun: str, help_: str) -> LazyGroup:
    verbs = {
        topic.partition(".")[2].replace("_", "-"): Verb(partial(command, topic), kind.help)
        for topic, kind in KINDS.items()
        if topic.startswith(f"{noun}.")
    }
    return LazyGroup(noun, verbs=verbs, help=help_)


deployment = _group("deployment", "Record what was installed, or was not. What users see is a release.")
release = _group("release", "Record approvals, releases and verdicts on them. What is installed is a deployment.")
feature = _group("feature", "Record a feature switched on or off.")
rollback = _group("rollback", "Record rollbacks: decided, executed, effective. Only people decide.")
rollback.verbs["next"] = at("api.cli.execute:next_", "The decision that a pipeline may execute now.")
