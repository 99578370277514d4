"""
Recording by flags: `deployment`, `release`, `feature`, `rollback`.

One table says which members each event takes, one says what a member's flag
looks like, and every verb is made from the two (see `api.cli.verbs`). A step
of a rollback that nobody names belongs to the one that is open in the slot.
"""

from functools import partial
from typing import Any

import click

from api.cli.ci import Facts
from api.cli.lazy import LazyGroup, Verb, at
from api.cli.verbs import EVIDENCE, LABELS, Flag, Kind, Table, tell

_BUILD = "digest commit committed_at author build_url strategy targets restores"
_RELEASED = "release_id service environment version"
_DEPLOYED = "deployment_id service environment version"
_SLOT = "service environment version"
_BACK = "rollback_id service environment to_version"

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
    "evidence": EVIDENCE,
    "labels": LABELS,
    "incident": Flag("The incident it belongs to."),
}


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


_CARRIED_OUT = ("rollback.started", "rollback.succeeded", "rollback.failed")
_OPEN = Flag(
    "Names the rollback, as its decision does. [the one that is open in the slot, else the CI run or a new one]"
)

_TABLE = Table(
    KINDS,
    MEMBERS,
    {(topic, "rollback_id"): _OPEN for topic in _CARRIED_OUT},
    from_ci=_from_ci,
    makes_id=_makes_id,
)
data_of = _TABLE.data_of


def command(topic: str) -> click.Command:
    """The verb that records *topic*."""
    made = _TABLE.command(topic)
    if topic in _CARRIED_OUT:
        made.callback = partial(_carried_out, topic)
    return made


def _carried_out(topic: str, **flags: Any) -> None:
    """Records a step of a rollback: of the one that is named, else of the one that is open."""
    if not flags["rollback_id"] and not flags["dry_run"]:
        from api.cli.carried_out import open_rollback  # noqa: PLC0415 - only this path asks the ledger first

        flags["rollback_id"] = open_rollback(topic, flags)
    _TABLE.record(topic, tell, **flags)


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
