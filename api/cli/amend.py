"""
`lastgood record`: what people say about the record itself, by position.

Nothing is edited: a correction, a retraction and a redaction are events too.
A redaction is the one thing that takes something away: the words of protected
members, for good.
"""

import json
from functools import partial
from typing import Any

import click

from api.cli import verbs
from api.cli.lazy import LazyGroup, Verb
from api.cli.verbs import EVIDENCE, LABELS, Flag, Kind, Table

KINDS = {
    "record.corrected": Kind(
        "position field value reason", "", "Say what a member should have said. Both stay visible."
    ),
    "record.retracted": Kind("position reason", "", "Say that an event is not so, or a correction of one."),
    "record.redacted": Kind(
        "position fields reason authority", "", "Delete what protected members of an event say, for good (an admin)."
    ),
    "decision.seconded": Kind("position reason", "", "Stand by somebody else's decision."),
    "finding.accepted": Kind("rule positions reason", "until", "Accept a finding as it is."),
}

MEMBERS = {
    "field": Flag("The member, such as version; or time."),
    "fields": Flag("A protected member, such as reason; more than once for several.", flag="field", multiple=True),
    "value": Flag("What it should have said, as text.", json=lambda given: given[1]),
    "authority": Flag("On whose authority, such as a law or a ticket."),
    "rule": Flag("The finding's rule, such as release_without_approval."),
    "until": Flag("Until when it is accepted, with an offset.", metavar="TIME"),
    "reason": Flag("Why. What is said here stays: do not repeat what is redacted."),
    "decided_by": Flag("Who decided, where that is not who records it."),
    "evidence": EVIDENCE,
    "labels": LABELS,
    "incident": Flag("The incident it belongs to."),
    "position": Flag("", type=int),
    "positions": Flag("", type=int, multiple=True),
}

TABLE = Table(KINDS, MEMBERS)
VERBS = {
    "correct": "record.corrected",
    "retract": "record.retracted",
    "redact": "record.redacted",
    "second": "decision.seconded",
    "accept": "finding.accepted",
}


def command(verb: str) -> click.Command:
    """The verb; the positions that it is about are its arguments."""
    topic = VERBS[verb]
    made = TABLE.command(topic)
    made.name = verb
    made.params = [_argument(each) if each.name in ("position", "positions") else each for each in made.params]
    if verb == "correct":
        json_value = (
            ["--json", "json_value"],
            "What it should have said, as JSON, where that is not text: 12.5, null, [].",
        )
        made.params.append(click.Option(json_value[0], help=json_value[1]))
        made.callback = partial(_correct, topic)
    return made


def _argument(option: click.Parameter) -> click.Argument:
    many = option.name == "positions"
    name = option.name or ""
    return click.Argument(
        [name], type=click.IntRange(min=1), required=True, nargs=-1 if many else 1, metavar="POSITION"
    )


def _correct(topic: str, json_value: str | None, value: str | None, **flags: Any) -> None:
    if (json_value is None) == (value is None):
        raise click.UsageError("give the value once: --value as text, or --json")
    # With its kind before it: null is a value here, and not the absence of one.
    given = ("text", value) if json_value is None else ("json", _parsed(json_value))
    TABLE.record(topic, verbs.tell, value=given, **flags)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text} is not JSON: {error}", param_hint="--json") from None


record = LazyGroup(
    "record",
    verbs={verb: Verb(partial(command, verb), KINDS[topic].help) for verb, topic in VERBS.items()},
    help="Say something about what is recorded: correct, retract, redact, second, accept.",
)
