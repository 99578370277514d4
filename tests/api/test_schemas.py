"""The schemas of what can be sent, held against the ledger's own check."""

import pytest
from hypothesis import given, settings

from api import schemas
from api.drafts import quick
from api.json_schema import OFFERED
from ledger.contract import members
from ledger.errors import Fault, Invalid, TooLarge
from ledger.events import EVENTS
from ledger.values import MIB
from tests.api.spoilt import events, inflated, spoilt

DEPLOYED = {
    "type": "deployment.succeeded",
    "data": {"deployment_id": "d", "service": "s", "environment": "e", "version": "v"},
}


def outcome(judge, event):
    try:
        return judge(event)
    except Invalid as error:
        return error


def faults(event):
    found = outcome(schemas.load, event)
    assert isinstance(found, Invalid), found
    return {each.pointer: each.detail for each in found.errors}


def top(error):
    """The members that the faults are about: /data/evidence/0/url is about /data/evidence."""
    return {"/".join(each.pointer.split("/")[:3]) for each in error.errors}


def is_of_data(at):
    return at == "/data" or at.startswith("/data/")


@settings(deadline=None, max_examples=400)
@given(events())
def test_both_checks_take_what_is_right(event):
    """And make the same draft of it."""
    assert schemas.load(event) == quick(event)


@settings(deadline=None, max_examples=1000)
@given(spoilt())
def test_both_checks_agree_on_what_is_wrong(event):
    """They take and refuse the same, point at the same members of the data, and tell size from form alike."""
    whole = inflated(event)
    quickly, slowly = outcome(quick, whole), outcome(schemas.load, whole)
    if not isinstance(slowly, Invalid):
        assert quickly == slowly
        return
    assert isinstance(quickly, Invalid)
    assert top(quickly) <= top(slowly)
    if all(is_of_data(each) for each in top(quickly)):
        assert top(quickly) == {each for each in top(slowly) if is_of_data(each)}
        if top(quickly) == top(slowly):
            assert type(quickly) is type(slowly)


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_every_member_of_the_catalogue_is_in_the_schema_of_its_event(topic):
    """Optional members may be null; required ones, unless any JSON will do, may not."""
    fields = schemas.event_schema(topic).fields["data"].schema.fields
    for member in members(EVENTS[topic]).values():
        field = fields[member.name]
        assert field.data_key == member.wire
        if member.wire not in EVENTS[topic].LEDGER_SETS:
            assert field.required is member.required
            assert field.allow_none is (not member.required or member.nullable)


def test_what_the_ledger_writes_itself_is_not_offered():
    assert {topic for topic in EVENTS if topic not in OFFERED} == {
        topic for topic in EVENTS if topic.startswith("access.")
    }


def test_every_fault_is_told_at_once_each_with_its_pointer():
    event = {
        "type": "incident.declared",
        "time": "2026-11-22T21:00:00",
        "sequence": 3,
        "data": {"incident": "", "severity": "SEV-9", "affected": [{"service": "s"}, 3], "nope": 1},
    }
    assert faults(event) == {
        "/data/affected/0/environment": "is required",
        "/data/affected/1": "must be an object",
        "/data/incident": "must not be empty",
        "/data/kind": "is required",
        "/data/nope": "is not a member of incident.declared",
        "/data/severity": "must be one of SEV-1, SEV-2, SEV-3",
        "/data/title": "is required",
        "/sequence": "is set by the ledger itself; leave it out",
        "/time": "must be an RFC 3339 time with an offset, such as 2026-11-22T21:00:00Z or ...+01:00",
    }


def test_a_pointer_escapes_what_json_pointer_escapes():
    """RFC 6901, section 3."""
    assert faults(DEPLOYED | {"data": DEPLOYED["data"] | {"a/b~c": 1}}).keys() == {"/data/a~1b~0c"}


@pytest.mark.parametrize(
    "name", ["recordedtime", "sequence", "stream", "revision", "authtype", "authid", "authmethod", "authclaims"]
)
def test_what_only_the_ledger_knows_is_refused(name):
    assert faults(DEPLOYED | {name: "1"}) == {f"/{name}": "is set by the ledger itself; leave it out"}


@pytest.mark.parametrize("value", [{"position": 1}, None])
def test_what_a_decider_saw_is_kept_by_the_ledger_and_not_sent(value):
    event = {
        "type": "rollback.decided",
        "data": {"rollback_id": "r", "service": "s", "environment": "e", "to_version": "v", "seen": value},
    }
    assert faults(event) == {"/data/seen": "is set by the ledger itself; leave it out"}


@pytest.mark.parametrize(
    "given, pointer",
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": ""}, "/id"),
        ({"time": "2026-11-22"}, "/time"),
        ({"data_base64": "eyJ9"}, "/data_base64"),
        ({"dataschema": "urn:lastgood:event:deployment.succeeded:2"}, "/dataschema"),
        ({"dataschema": "https://schemas.example/deployed.json"}, "/dataschema"),
        ({"datacontenttype": "application/xml"}, "/datacontenttype"),
        ({"my-extension": "x"}, "/my-extension"),
        ({"Extension": "x"}, "/Extension"),
        ({"x" * 21: "x"}, "/" + "x" * 21),
        ({"extension": 1.5}, "/extension"),
        ({"extension": 2**31}, "/extension"),
        ({"extension": ["x"]}, "/extension"),
        ({"type": "deployment.exploded"}, "/type"),
        ({"type": None}, "/type"),
        ({"type": 3}, "/type"),
        ({"data": []}, "/data"),
        ({"data": None}, "/data"),
    ],
)
def test_an_envelope_that_is_wrong_is_refused_where_it_is_wrong(given, pointer):
    assert faults(DEPLOYED | given).keys() == {pointer}


@pytest.mark.parametrize("event", [None, 3, "text", [], True])
def test_what_is_no_object_is_no_event(event):
    assert faults(event) == {"": "must be an object"}


def test_an_event_without_a_known_type_is_still_judged_by_its_envelope():
    assert faults({"id": 3, "data": 1}).keys() == {"/id", "/type"}


def test_only_size_is_told_as_size():
    """413 is for what would be fine if it were smaller."""
    note = {"type": "incident.note_added", "data": {"incident": "i", "text": "x" * (MIB + 1)}}
    assert type(outcome(schemas.load, note)) is TooLarge
    assert type(outcome(schemas.load, note | {"id": ""})) is Invalid


def test_a_fault_is_one_of_the_ledgers():
    """So that a caller meets the same words whichever way an event came."""
    assert outcome(schemas.load, DEPLOYED | {"type": "x"}).errors == [
        Fault("/type", "'x' is not an event type that is known here; see /openapi.json for all")
    ]
