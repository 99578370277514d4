"""
At which moment is a report read, where nobody asked for one?

When the last of what it rests on was recorded: then the same question gets
the same report, whenever it is asked, until something more is recorded about
the incident. What passes by the clock alone (that an action is overdue, that
a decision lapsed) is judged at that moment, too.
"""

from collections.abc import Iterator

import msgspec

from ledger.events import Recorded
from ledger.values import from_microseconds, microseconds
from projections import incident_answers
from projections.answers import Reader
from projections.facts import Moment
from projections.incident_story import Story
from projections.tables import Tables
from projections.telling import Told


def settled(story: Story) -> Story:
    """The same incident, read at the moment asked for, or else when the last was recorded about it."""
    reader = story.reader
    if not reader.moment.now:
        return story
    at = max(_moments(story), default=reader.moment.at)
    return read_at(story, min(at, reader.moment.at))


def read_at(story: Story, at: int) -> Story:
    """The same incident at a moment, of the same record."""
    moment = Moment(from_microseconds(at), story.reader.moment.known_at)
    return incident_answers.story(reader_at(story.reader, moment), story.state.id) or story


def reader_at(reader: Reader, moment: Moment) -> Reader:
    """Reads the same record at another moment."""
    return Reader(reader.record, reader.tables, moment, reader.index)


def _moments(story: Story) -> Iterator[int]:
    """When what the report rests on happened, and when it and whatever amends it was recorded."""
    told = rests_on(story)
    for each in told:
        yield each.fact.at
    for recorded in (*(each.fact.recorded for each in told), *amendments(story, told)):
        yield microseconds(recorded.recorded_at)


def rests_on(story: Story) -> list[Told]:
    """The events that the story is made of, and what went out soon after it."""
    found = {each.fact.position: each for each in (*(told for _, told in story.whole), *story.aftermath)}
    return list(found.values())


def amendments(story: Story, told: list[Told]) -> Iterator[Recorded]:
    """
    The corrections, retractions, seconds and acceptances that are about some events.

    What corrects counts whatever its time; the others from their recording.
    """
    reader, tables = story.reader, story.reader.tables
    positions = {each.fact.position for each in told}
    streams = {each.fact.recorded.stream for each in told}
    about = {position for stream in streams for position in tables.amendments(stream, reader.moment.known_at)}
    amending = {each for each in about if tables.root_of(each) in positions}
    opinions = set(_opinions(tables, positions)) - amending
    found = sorted(each for each in amending | opinions if each <= reader.moment.known_at)
    for each in reader.record.at(found):
        if each.position in amending or microseconds(each.recorded_at) <= reader.moment.at:
            yield each


def _opinions(tables: Tables, positions: set[int]) -> Iterator[int]:
    """Where somebody seconded a decision, or accepted a finding, that is about some events."""
    yield from (row[0] for row in tables.db.execute("SELECT position, target FROM seconds") if row[1] in positions)
    for position, covered in tables.db.execute("SELECT position, positions FROM acceptances"):
        if not positions.isdisjoint(msgspec.msgpack.decode(covered, type=list[int])):
            yield position
