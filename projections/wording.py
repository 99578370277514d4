"""
What an event says, in one line for people.

From the event alone: who and when stand beside it. Words of the record are
given as they are, lines joined; nothing is shortened.
"""

from collections.abc import Callable, Iterable
from typing import Any

from ledger.events import Event, Place

_Wording = str | Callable[[Any], str]


def summary(event: Event) -> str:
    """The line for an event; its type in words where there is nothing more to say."""
    wording = _WORDINGS.get(event.TOPIC)
    if wording is None:
        line = event.TOPIC.replace(".", " ").replace("_", " ")
    else:
        line = wording(event) if callable(wording) else wording.format(e=event)
    reason = event.reason
    return " ".join(f"{line}: {reason}".split() if reason else line.split())


def _places(places: Iterable[Place]) -> str:
    return ", ".join(f"{each.service}@{each.environment}" for each in places)


def _with(line: str, **more: Any) -> str:
    """A line with what else is known, in brackets."""
    known = [f"{name.replace('_', ' ')} {value}".strip() for name, value in more.items() if value]
    return f"{line} ({', '.join(known)})" if known else line


def _detected(e: Any) -> str:
    return _with(f"detected: {e.title}", suggested=e.suggested_severity, by=e.discovered_by, on=_places(e.affected))


def _declared(e: Any) -> str:
    drill = "drill " if e.mode == "drill" else ""
    return _with(f"declared {drill}{e.severity} {e.kind}: {e.title}", on=_places(e.affected))


def _affected(e: Any) -> str:
    changes = [f"{sign} {_places(places)}" for sign, places in (("+", e.add), ("-", e.remove)) if places]
    return f"affected: {'; '.join(changes) or 'unchanged'}"


def _impact(word: str) -> Callable[[Any], str]:
    def line(e: Any) -> str:
        name = f" {e.window}" if e.window else ""
        return _with(f"impact{name} {word} by {e.basis}", level=e.level, precision=e.precision, on=_places(e.affected))

    return line


def _assigned(e: Any) -> str:
    line = _with(f"{e.role}: {e.person}", **{"from": e.from_})
    return f"{line}: {e.briefing}" if e.briefing else line


def _named(verb: str) -> Callable[[Any], str]:
    def line(e: Any) -> str:
        more = getattr(e, "relation", None) or getattr(e, "rule", None)
        return f"{verb} {e.version} of {e.service}@{e.environment}" + (f" ({more})" if more else "")

    return line


def _version(verb: str) -> Callable[[Any], str]:
    def line(e: Any) -> str:
        version = getattr(e, "version", None) or getattr(e, "to_version", None) or ""
        return f"{e.service}@{e.environment}: {verb} {version}"

    return line


def _exposed(e: Any) -> str:
    return _with(f"{e.service}@{e.environment}: {e.version} at {e.exposure:g} %", audience=e.audience, region=e.region)


def _alert(word: str) -> Callable[[Any], str]:
    def line(e: Any) -> str:
        place = "@".join(each for each in (e.service, e.environment) if each)
        return _with(f"alert {word}: {e.name}", on=place, severity=e.severity)

    return line


def _shift(word: str) -> Callable[[Any], str]:
    def line(e: Any) -> str:
        return f"{e.rota}: {e.person} {word} from {e.from_} to {e.to}"

    return line


_WORDINGS: dict[str, _Wording] = {
    "incident.detected": _detected,
    "incident.declared": _declared,
    "incident.acknowledged": "acknowledged",
    "incident.severity_changed": "severity {e.from_} -> {e.to}",
    "incident.priority_changed": lambda e: f"priority {e.from_} -> {e.to}" if e.from_ else f"priority {e.to}",
    "incident.affected_changed": _affected,
    "incident.role_assigned": _assigned,
    "incident.role_released": "{e.role}: {e.person} released",
    "incident.impact_started": _impact("began"),
    "incident.impact_ended": _impact("ended"),
    "incident.impact_measured": lambda e: _with(f"{e.measure}: {e.value:g} {e.unit}", by=e.method),
    "mitigation.applied": "mitigation, {e.kind}: {e.text}",
    "incident.note_added": "{e.text}",
    "incident.update_published": lambda e: _with(f"told {e.audience}: {e.text}", via=e.channel),
    "incident.version_suspected": _named("suspected"),
    "incident.version_implicated": _named("implicated"),
    "incident.version_exonerated": _named("exonerated"),
    "incident.cause_elsewhere": "not a deployment",
    "incident.mitigated": "mitigated",
    "incident.resolved": "resolved",
    "incident.closed": "closed",
    "incident.cancelled": "cancelled",
    "incident.reopened": "reopened",
    "incident.merged": "merged into {e.into}",
    "incident.unmerged": "unmerged from {e.into}",
    "incident.linked": "linked to {e.other} ({e.relation})",
    "incident.classified": "classified under {e.regime} as {e.classification}",
    "incident.reported": "reported under {e.regime}: {e.kind} report {e.reference}",
    "deployment.started": _version("deploying"),
    "deployment.succeeded": _version("deployed"),
    "deployment.failed": _version("failed to deploy"),
    "deployment.cancelled": _version("cancelled deploying"),
    "service.removed": _version("removed"),
    "release.approved": _version("approved"),
    "release.approval_revoked": _version("approval revoked of"),
    "release.started": _version("releasing"),
    "release.exposed": _exposed,
    "release.completed": _version("released"),
    "release.aborted": _version("aborted releasing"),
    "release.verified_good": _version("verified good:"),
    "release.marked_bad": _version("marked bad:"),
    "release.cleared": _version("cleared"),
    "feature.enabled": "{e.service}@{e.environment}: feature {e.feature} on",
    "feature.disabled": "{e.service}@{e.environment}: feature {e.feature} off",
    "configuration.changed": "{e.service}@{e.environment}: configuration {e.change_id}: {e.summary}",
    "migration.applied": "{e.service}@{e.environment}: migration {e.migration_id} ({e.reversibility})",
    "rollback.decided": _version("roll back to"),
    "rollback.declined": "{e.service}@{e.environment}: no rollback, {e.chosen}",
    "rollback.cancelled": "{e.service}@{e.environment}: rollback {e.rollback_id} called off",
    "rollback.started": _version("rolling back to"),
    "rollback.succeeded": _version("rolled back to"),
    "rollback.failed": _version("failed to roll back to"),
    "rollback.verified": "{e.service}@{e.environment}: rollback {e.rollback_id} helped",
    "rollback.ineffective": "{e.service}@{e.environment}: rollback {e.rollback_id} did not help",
    "alert.fired": _alert("fired"),
    "alert.resolved": _alert("resolved"),
    "metric.observed": "{e.name}: {e.value:g} {e.unit}",
    "oncall.assigned": _shift("on call"),
    "oncall.released": _shift("off call"),
    "postmortem.started": "postmortem started, owner {e.owner}",
    "postmortem.section_written": "postmortem: {e.section} written",
    "postmortem.cause_recorded": "{e.kind} cause: {e.statement}",
    "postmortem.action_added": "action {e.action_id} ({e.kind}): {e.text}, owner {e.owner}",
    "postmortem.action_completed": "action {e.action_id} done",
    "postmortem.action_cancelled": "action {e.action_id} cancelled",
}
