"""
What was decided and done in an incident: the events of slots that belong to it, and the rollbacks they are steps of.

An event of a slot belongs to the incident that it names. One that names none
belongs where it falls into an incident in a slot that this affects; but the
steps of a rollback go with its decision, where that names an incident.
"""

from collections.abc import Sequence
from typing import Any

from ledger.events import FeatureDisabled
from ledger.values import stream_name
from projections.facts import Fact
from projections.incident_story import Story
from projections.slot import Rollback
from projections.slot import State as SlotState
from projections.telling import Told

_DECISIONS = ("rollback.decided", "rollback.declined")


def belonging(story: Story) -> Sequence[Told]:
    """Events of slots that name the incident, or that name none and fall into it in a slot it affects."""
    began, ended = story.state.began, story.state.ended
    silent = (
        each
        for each in story.changes
        if each.fact.event.incident is None
        and began is not None
        and began <= each.fact.at
        and (ended is None or each.fact.at <= ended)
        and not is_of_another(story, each.fact.event)
    )
    found = {each.fact.position: each for each in (*story.naming, *silent) if each.counts}
    return [found[position] for position in sorted(found)]


def is_of_another(story: Story, event: Any) -> bool:
    """Whether it is a step of a rollback that was decided in another incident, which may affect the same slot."""
    if not hasattr(event, "rollback_id"):
        return False
    slot: SlotState = story.reader.state(stream_name("slot", event.service, event.environment))
    rollback = slot.rollbacks.get(event.rollback_id)
    own = (None, story.state.id, *(each.id for each in story.merged))
    return rollback is not None and rollback.incident not in own


def responses(among: Sequence[Told]) -> list[Fact]:
    """The decisions to roll back or not, and features switched off, among what belongs to an incident."""
    return [
        each.fact
        for each in among
        if each.fact.event.TOPIC in _DECISIONS or isinstance(each.fact.event, FeatureDisabled)
    ]


def rollbacks(story: Story, among: Sequence[Told]) -> list[tuple[SlotState, Rollback]]:
    """The rollbacks that anything which belongs to an incident is a step of, each with its slot and all its steps."""
    events: list[Any] = [each.fact.event for each in among if each.fact.event.TOPIC.startswith("rollback.")]
    named = {(e.service, e.environment, e.rollback_id) for e in events if hasattr(e, "rollback_id")}
    found = []
    for service, environment, rollback_id in sorted(named):
        slot: SlotState = story.reader.state(stream_name("slot", service, environment))
        found += [(slot, each) for name, each in slot.rollbacks.items() if name == rollback_id]
    return found
