"""
The events of an incident as verbs: their members, flags, and the words that may stand for flags.

A responder types `lastgood incident note INC-7 "it is the cache"`; the words
after the verb stand for the members in `WORDS`, in that order.
"""

from typing import Any

import click

from api.cli.verbs import EVIDENCE, LABELS, Flag, Kind, slots
from api.cli.words import Way


class Severity(click.Choice[str]):
    """SEV-1 to SEV-3; `1`, `sev1` and the like are understood."""

    def __init__(self) -> None:
        super().__init__(("SEV-1", "SEV-2", "SEV-3"))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        bare = str(value).upper().removeprefix("SEV").lstrip("-_ ")
        return super().convert(f"SEV-{bare}", param, ctx)


_VERSION = "incident service environment version"

KINDS = {
    "incident.detected": Kind(
        "incident title", "kind affected suggested_severity alerts discovered_by", "Something looks wrong."
    ),
    "incident.declared": Kind("incident title severity kind", "affected mode alerts", "Decide: this is an incident."),
    "incident.acknowledged": Kind("incident", "", "Decide: somebody is on it."),
    "incident.severity_changed": Kind("incident from to reason", "", "Decide: it is more or less severe."),
    "incident.priority_changed": Kind("incident to reason", "from", "Decide: how urgent the work is."),
    "incident.affected_changed": Kind("incident", "add remove", "Decide: which slots it affects."),
    "incident.role_assigned": Kind(
        "incident role person", "from briefing", "Decide: who has a role, or takes it over."
    ),
    "incident.role_released": Kind("incident role person", "from briefing", "Decide: who has a role no longer."),
    "incident.impact_started": Kind(
        "incident basis", "window affected level precision", "Customers feel it since now."
    ),
    "incident.impact_ended": Kind("incident basis", "window affected level precision", "They do no longer."),
    "incident.impact_measured": Kind("incident measure value unit", "method", "How much they felt."),
    "mitigation.applied": Kind("incident kind text", "service environment", "Something was done against it."),
    "incident.note_added": Kind("incident text", "role pinned", "Write something down."),
    "incident.update_published": Kind("incident audience text", "channel", "Somebody was told."),
    "incident.version_suspected": Kind(_VERSION, "rule", "A version may have to do with it."),
    "incident.version_implicated": Kind(f"{_VERSION} reason", "relation", "Decide: it has."),
    "incident.version_exonerated": Kind(f"{_VERSION} reason", "relation", "Decide: it has not."),
    "incident.cause_elsewhere": Kind("incident reason", "", "Decide: it was not a deployment."),
    "incident.mitigated": Kind("incident reason", "affected", "Decide: customers are out of trouble."),
    "incident.resolved": Kind("incident reason", "affected", "Decide: it is over."),
    "incident.closed": Kind("incident reason", "affected", "Decide: nothing is left to do."),
    "incident.cancelled": Kind("incident reason", "affected", "Decide: it was none."),
    "incident.classified": Kind(
        "incident regime classification criteria reason", "", "Decide: what it is to a regime."
    ),
    "incident.reported": Kind("incident regime kind reference", "", "Decide: it was reported to an authority."),
    "incident.reopened": Kind("incident reason", "", "Decide: it is not over."),
    "incident.merged": Kind("incident into reason", "", "Decide: it is the same as another one."),
    "incident.unmerged": Kind("incident into reason", "", "Decide: it is not, after all."),
    "incident.linked": Kind("incident other relation", "", "Decide: it has to do with another one."),
}

MEMBERS = {
    "incident": Flag("The incident."),
    "title": Flag("What is wrong, in a few words."),
    "kind": Flag("Such as outage, error_rate, latency or maintenance. [other]"),
    "affected": slots("A slot that it affects, as SERVICE@ENVIRONMENT; more than once for several."),
    "suggested_severity": Flag("How severe it looks.", Severity()),
    "alerts": Flag(
        "An alert that tells of it, by fingerprint; more than once for several.", flag="alert", multiple=True
    ),
    "discovered_by": Flag("Who or what noticed it."),
    "severity": Flag("SEV-1, SEV-2 or SEV-3.", Severity()),
    "mode": Flag("Whether it is real, or a drill that nothing counts. [real]", click.Choice(("real", "drill"))),
    "from": Flag("Who had the role, or what it was before."),
    "to": Flag("What it is now."),
    "add": slots("A slot that it affects, too; more than once for several."),
    "remove": slots("A slot that it does not affect; more than once for several."),
    "role": Flag("Such as commander, communications or scribe."),
    "person": Flag("Who."),
    "briefing": Flag("What whoever takes over must know."),
    "basis": Flag("How one knows. [judgement]", click.Choice(("alert", "log", "report", "judgement"))),
    "window": Flag("Names one of several times of impact. [the one that is open]"),
    "level": Flag("How bad it was, such as partial or full."),
    "precision": Flag("How exact the time is, such as minutes."),
    "measure": Flag("What was measured."),
    "value": Flag("The value.", click.FloatRange(-(2**53 - 1), 2**53 - 1)),
    "unit": Flag("Its unit."),
    "method": Flag("How it was measured."),
    "text": Flag("The words."),
    "pinned": Flag("Whether it stays on top.", type=bool),
    "audience": Flag("Who was told."),
    "channel": Flag("Where."),
    "service": Flag("The service."),
    "environment": Flag("The environment."),
    "version": Flag("The version, exactly as you write it elsewhere."),
    "rule": Flag("The rule that proposes it."),
    "relation": Flag("How it has to do with it.", click.Choice(("caused", "contributed"))),
    "regime": Flag("The rules that it falls under, such as dora."),
    "classification": Flag("What it is to them."),
    "criteria": Flag("What shows it, in words."),
    "reference": Flag("The report's number."),
    "into": Flag("The incident that it went into."),
    "other": Flag("The other incident."),
    "reason": Flag("Why."),
    "decided_by": Flag("Who decided, where that is not who records it."),
    "evidence": EVIDENCE,
    "labels": LABELS,
}

SPECIAL = {
    ("incident.detected", "incident"): Flag("Names the incident. [a new id]"),
    ("incident.declared", "incident"): Flag("Names the incident. [a new id]"),
    ("incident.severity_changed", "from"): Flag("What it was before. [what is recorded]", Severity()),
    ("incident.severity_changed", "to"): Flag("What it is now: SEV-1, SEV-2 or SEV-3.", Severity()),
    ("incident.linked", "relation"): Flag("Such as caused_by, duplicates or follows."),
    ("incident.reported", "kind"): Flag("Which report.", click.Choice(("initial", "intermediate", "final"))),
    ("mitigation.applied", "kind"): Flag("Such as restart, scale or traffic_shift. [other]"),
}
"""Members that look different in one event."""


DEFAULTS = {
    ("incident.declared", "kind"): "other",
    ("incident.impact_started", "basis"): "judgement",
    ("incident.impact_ended", "basis"): "judgement",
    ("mitigation.applied", "kind"): "other",
}


WAYS = {
    "detect": Way("incident.detected", "title"),
    "declare": Way("incident.declared", "title"),
    "acknowledge": Way("incident.acknowledged"),
    "severity": Way("incident.severity_changed", "incident to reason"),
    "priority": Way("incident.priority_changed", "incident to reason"),
    "affected": Way("incident.affected_changed"),
    "role assign": Way("incident.role_assigned", "incident role person"),
    "role release": Way("incident.role_released", "incident role person"),
    "impact started": Way("incident.impact_started"),
    "impact ended": Way("incident.impact_ended"),
    "impact measured": Way("incident.impact_measured", "incident measure value unit"),
    "mitigation": Way("mitigation.applied", "incident text"),
    "note": Way("incident.note_added", "incident text"),
    "update": Way("incident.update_published", "incident audience text"),
    "suspect": Way("incident.version_suspected", "incident service environment version"),
    "implicate": Way("incident.version_implicated", "incident service environment version reason"),
    "exonerate": Way("incident.version_exonerated", "incident service environment version reason"),
    "elsewhere": Way("incident.cause_elsewhere", "incident reason"),
    "mitigated": Way("incident.mitigated", "incident reason"),
    "resolved": Way("incident.resolved", "incident reason"),
    "closed": Way("incident.closed", "incident reason"),
    "cancelled": Way("incident.cancelled", "incident reason"),
    "reopened": Way("incident.reopened", "incident reason"),
    "merge": Way("incident.merged", "incident into reason"),
    "unmerge": Way("incident.unmerged", "incident into reason"),
    "link": Way("incident.linked", "incident other relation"),
    "classify": Way("incident.classified"),
    "report": Way("incident.reported", "incident regime kind reference"),
}
"""By what a person types. The event's own word, such as `declared`, does the same."""
