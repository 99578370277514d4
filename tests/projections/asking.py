"""What tests of findings ask a story, in few words."""

from typing import Any

from ledger.events import Submitter
from projections import findings as asked
from projections.incident_timeline import NameOf, nobody
from tests.projections.story import Story

BOB = Submitter("person-bob", "token", "human")
RELAY = Submitter("relay-1", "token", "machine")


def findings(
    story: Story, as_of: str | None = None, known_at: int | None = None, name_of: NameOf = nobody, **filters: str
) -> list[dict[str, Any]]:
    """As readers get them, those about what was recorded last first."""
    with story.answers.at(story.moment(as_of, known_at)) as reader:
        return [each.json() for each in asked.findings(reader, filters, name_of)]


def found(story: Story, rule: str, **more: Any) -> list[tuple[str, list[int]]]:
    """The findings of a rule: their state and positions."""
    return [(each["state"], each["positions"]) for each in findings(story, rule=rule, **more)]


def settled_by(story: Story, rule: str, **more: Any) -> list[list[int]]:
    """What settled each finding of a rule."""
    return [each["settled_by"] for each in findings(story, rule=rule, **more)]


def rules(story: Story, **more: Any) -> set[str]:
    """The rules by which there is anything to find."""
    return {each["rule"] for each in findings(story, **more)}
