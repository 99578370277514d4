"""The form of events: the compiled check, and what it tells a sender."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contract import MAX_ITEMS, accept, data_of, event_class, members
from ledger.errors import Invalid, TooLarge
from ledger.events import EVENTS, Event, Evidence, Place, Running
from ledger.values import MIB
from tests.strategies import data, events_of, few

TOPICS = sorted(EVENTS)
DEPLOYED = {"deployment_id": "d", "service": "s", "environment": "e", "version": "v"}


def faults(topic, given_data):
    with pytest.raises(Invalid) as caught:
        accept(event_class(topic), given_data)
    return {each.pointer: each.detail for each in caught.value.errors}


@pytest.mark.parametrize("topic", TOPICS)
@few
@given(data=st.data())
def test_what_was_accepted_is_accepted_again_and_means_the_same(topic, data):
    """An event's data is its own draft: nothing is lost on the way in or out."""
    event = data.draw(events_of(EVENTS[topic]))
    written = {name: value for name, value in data_of(event).items() if name not in event.LEDGER_SETS}
    assert accept(type(event), written) == event


@pytest.mark.parametrize("topic", TOPICS)
@few
@given(drawn=st.data())
def test_each_required_member_is_missed_by_name(topic, drawn):
    """All that is missing is told at once."""
    cls = EVENTS[topic]
    required = {name for name, member in members(cls).items() if member.required}
    kept = drawn.draw(data(cls))
    for name in required:
        without = {key: value for key, value in kept.items() if key != name}
        assert faults(topic, without) == {f"/data/{name}": "is required"}
    if required:
        assert faults(topic, {}).keys() == {f"/data/{name}" for name in required}


@pytest.mark.parametrize("topic", TOPICS)
def test_unknown_members_are_refused(topic):
    """A misspelt member would be a fact that nobody finds."""
    assert faults(topic, {"sevrice": "x"})["/data/sevrice"] == f"is not a member of {topic}"


@pytest.mark.parametrize("topic", TOPICS)
def test_members_are_named_alike_on_the_wire_and_in_code(topic):
    """Only `from` needs another name in Python; a field's order never matters."""
    assert {member.name for member in members(EVENTS[topic]).values()} == {each.name for each in fields(EVENTS[topic])}
    assert {wire for wire, member in members(EVENTS[topic]).items() if wire != member.name} <= {"from"}


@pytest.mark.parametrize("cls", [*EVENTS.values(), Evidence, Place, Running], ids=lambda cls: cls.__name__)
def test_member_names_are_plain_ascii(cls):
    """Leaves sort by name; ASCII sorts alike in UTF-8 and UTF-16. A name needs no JSON escape."""
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in members(cls))


def test_null_is_the_same_as_absent_where_a_member_may_be_left_out():
    """Many senders write null for what they do not know."""
    cls = EVENTS["deployment.succeeded"]
    assert accept(cls, {**DEPLOYED, "digest": None, "evidence": None}) == accept(cls, DEPLOYED)
    assert faults("deployment.succeeded", {**DEPLOYED, "version": None}) == {"/data/version": "is required"}


def test_a_correction_may_say_that_a_member_has_no_value():
    """A wrong digest is taken back by null; only leaving the value out is a mistake."""
    correction = {"position": 1, "field": "digest", "value": None, "reason": "of another image"}
    event = accept(EVENTS["record.corrected"], correction)
    assert event.value is None
    assert data_of(event) == correction
    del correction["value"]
    assert faults("record.corrected", correction) == {"/data/value": "is required"}


@pytest.mark.parametrize(
    "topic, bad, pointer",
    [
        ("deployment.succeeded", {"evidence": [{"label": "a", "url": "b"}, {"url": "b"}]}, "/data/evidence/1/label"),
        ("deployment.succeeded", {"evidence": [{"label": "a", "url": "b", "x": 1}]}, "/data/evidence/0/x"),
        ("deployment.succeeded", {"evidence": {"label": "a", "url": "b"}}, "/data/evidence"),
        ("deployment.succeeded", {"evidence": ["a"]}, "/data/evidence/0"),
        ("deployment.succeeded", {"labels": {"a/b~c": 1}}, "/data/labels/a~1b~0c"),
        ("deployment.succeeded", {"targets": ["a", ""]}, "/data/targets/1"),
        ("deployment.succeeded", {"digest": "latest"}, "/data/digest"),
        ("deployment.succeeded", {"no such / member~": 1}, "/data/no such ~1 member~0"),
        ("service.observed", {"running": [{"version": "v", "replicas": -1}]}, "/data/running/0/replicas"),
        ("finding.accepted", {"positions": []}, "/data/positions"),
        ("finding.accepted", {"positions": [0]}, "/data/positions/0"),
        ("record.redacted", {"fields": []}, "/data/fields"),
        ("rollback.decided", {"seen": {"position": 1}}, "/data/seen"),
    ],
)
def test_a_fault_points_at_its_place(topic, bad, pointer):
    """A JSON Pointer (RFC 6901) leads to each fault."""
    assert pointer in faults(topic, bad)


def test_all_faults_are_told_at_once():
    """A sender mends a draft in one go."""
    bad = {**DEPLOYED, "service": "", "released": "yes", "typo": 1}
    assert faults("deployment.succeeded", bad).keys() == {"/data/service", "/data/released", "/data/typo"}


@pytest.mark.parametrize("given_data", [None, [], "text", 5])
def test_data_is_an_object(given_data):
    """Nothing else can be an event."""
    assert faults("deployment.succeeded", given_data) == {"/data": "must be an object"}


@pytest.mark.parametrize("topic", [None, 5, "", "deployment.Succeeded", "deployment", ["deployment.succeeded"], {}])
def test_an_unknown_type_is_refused(topic):
    """The catalogue is the contract; what does not fit goes in as payload.received."""
    with pytest.raises(Invalid, match="not an event type"):
        event_class(topic)


def test_too_much_text_is_told_apart_from_wrong_text():
    """Larger than the ledger takes is 413; only where nothing else is wrong."""
    cls = EVENTS["incident.note_added"]
    with pytest.raises(TooLarge):
        accept(cls, {"incident": "i", "text": "a" * (MIB + 1)})
    with pytest.raises(Invalid) as caught:
        accept(cls, {"incident": "", "text": "a" * (MIB + 1)})
    assert not isinstance(caught.value, TooLarge)


def test_lists_have_an_end():
    """A list of a million items would be decided under the write lock."""
    targets = ["t"] * MAX_ITEMS
    assert len(accept(EVENTS["deployment.succeeded"], {**DEPLOYED, "targets": targets}).targets) == MAX_ITEMS
    assert "/data/targets" in faults("deployment.succeeded", {**DEPLOYED, "targets": [*targets, "t"]})


def test_an_empty_observation_says_that_nothing_runs():
    """Required and empty is not the same as absent."""
    event = accept(EVENTS["service.observed"], {"service": "s", "environment": "e", "running": []})
    assert data_of(event)["running"] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_class_has_its_own_name(topic):
    """TOPIC is inherited, so a class that forgot its own would be stored as another."""
    cls = EVENTS[topic]
    assert topic == cls.TOPIC
    assert "TOPIC" in vars(cls)
    assert "STREAM" in vars(cls)
    assert issubclass(cls, Event)


def test_no_two_classes_share_a_name():
    """The name is all that the record keeps of a class."""
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert {cls for cls in descendants(Event) if "TOPIC" in vars(cls)} == set(EVENTS.values())


def descendants(cls):
    return {each for below in cls.__subclasses__() for each in (below, *descendants(below))}


@pytest.mark.parametrize("topic", TOPICS)
@few
@given(drawn=st.data())
def test_every_event_belongs_to_a_stream(topic, drawn):
    """Its stream is named after members that it must have."""
    event = drawn.draw(events_of(EVENTS[topic]))
    kind, *named = event.STREAM
    assert event.stream.startswith(f"{kind}/")
    assert event.stream.count("/") == len(named)
