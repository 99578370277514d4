"""
The events of a postmortem as verbs: their members, flags, and the words that may stand for flags.
"""

import click

from api.cli.verbs import EVIDENCE, LABELS, Flag, Kind
from api.cli.words import Way

AUDIENCES = ("internal", "public", "auditor")

KINDS = {
    "postmortem.started": Kind("incident owner", "due", "Decide: somebody writes a postmortem."),
    "postmortem.section_written": Kind("incident section text", "", "Write a section, or write it anew."),
    "postmortem.cause_recorded": Kind("incident statement kind", "category", "Decide: this was a cause."),
    "postmortem.action_added": Kind(
        "incident action_id text kind owner", "due ticket", "Decide: this is to be done. Again: it is open again."
    ),
    "postmortem.action_completed": Kind("incident action_id", "", "Decide: it is done."),
    "postmortem.action_cancelled": Kind("incident action_id", "", "Decide: it is not going to be done."),
    "postmortem.reviewed": Kind("incident", "audience", "Decide: somebody else has read it."),
    "postmortem.approved": Kind("incident", "audience", "Decide: one stands behind it."),
    "postmortem.published": Kind("incident audience", "", "Decide: others get it, as it is now."),
    "postmortem.waived": Kind("incident reason", "audience", "Decide: there will be none, and why."),
}

MEMBERS = {
    "incident": Flag("The incident."),
    "owner": Flag("Who sees to it."),
    "due": Flag("By when: a day, or a time with an offset.", metavar="DAY|TIME"),
    "section": Flag("Such as summary, root_cause or lessons; any word is a section."),
    "text": Flag("The words."),
    "statement": Flag("What it was, in a sentence."),
    "kind": Flag("Which kind of cause.", click.Choice(("root", "contributing", "trigger"))),
    "category": Flag("What it is filed under, such as capacity."),
    "action_id": Flag("Names the action."),
    "ticket": Flag("Where it is tracked."),
    "audience": Flag("For whom."),
    "reason": Flag("Why."),
    "decided_by": Flag("Who decided, where that is not who records it."),
    "evidence": EVIDENCE,
    "labels": LABELS,
}

SPECIAL = {
    ("postmortem.action_added", "kind"): Flag(
        "What it is good for.",
        click.Choice("prevent detect mitigate test monitoring guardrail documentation process".split()),
    ),
    ("postmortem.action_added", "action_id"): Flag("Names the action. [a new id]"),
    ("postmortem.started", "due"): Flag("An earlier day than the severity asks for.", metavar="DAY|TIME"),
    ("postmortem.published", "audience"): Flag("For whom. [internal]", click.Choice(AUDIENCES)),
}
"""Members that look different in one event."""

DEFAULTS = {("postmortem.published", "audience"): "internal"}

WAYS = {
    "start": Way("postmortem.started", "incident owner"),
    "cause": Way("postmortem.cause_recorded", "incident kind statement"),
    "action add": Way("postmortem.action_added", "incident text"),
    "action complete": Way("postmortem.action_completed", "incident action_id"),
    "action cancel": Way("postmortem.action_cancelled", "incident action_id reason"),
    "review": Way("postmortem.reviewed"),
    "approve": Way("postmortem.approved"),
    "publish": Way("postmortem.published"),
    "waive": Way("postmortem.waived", "incident reason"),
}
"""By what a person types; a section is written by a verb of its own."""
