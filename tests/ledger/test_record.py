"""The rules of events about the record: what can be corrected, retracted, redacted, seconded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import record
from ledger.contract import data_of, members
from ledger.errors import Invalid
from ledger.events import EVENTS, LEDGER
from tests.dsl import declared, deployed, event
from tests.strategies import data, few

CORRECTABLE = sorted(topic for topic in EVENTS if not topic.startswith(("record.", "access.")))
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def correction(field, value):
    return event("record.corrected", field=field, value=value)


def refused(about, target):
    with pytest.raises(Invalid) as caught:
        record.check(about, target)
    return [(each.pointer, each.detail) for each in caught.value.errors]


@pytest.mark.parametrize("topic", CORRECTABLE)
@few
@given(drawn=st.data())
def test_any_member_can_be_corrected_to_what_it_may_be(topic, drawn):
    """But for who decided, and what the ledger keeps itself."""
    cls = EVENTS[topic]
    target = event(topic)
    for field, value in drawn.draw(data(cls)).items():
        if field != "decided_by":
            checked = record.check(correction(field, value), target)
            assert checked.field == field


@pytest.mark.parametrize("topic", CORRECTABLE)
def test_who_decided_stays(topic):
    """Retract the decision, and record it anew: then both are to be seen."""
    for field in {"decided_by", *EVENTS[topic].LEDGER_SETS}:
        assert refused(correction(field, "bob"), event(topic))[0][0] == "/data/field"


@pytest.mark.parametrize("topic", sorted(EVENTS))
@pytest.mark.parametrize("field", ["submitter", "position", "stream", "type", "id", "source", "recordedtime", "from_"])
def test_only_time_and_members_can_be_corrected(topic, field):
    """Where an event stands and who handed it in is how it was."""
    if field not in members(EVENTS[topic]):
        assert refused(correction(field, "x"), event(topic))[0][0] in ("/data/field", "/data/position")


@pytest.mark.parametrize(
    "field, value, pointer",
    [
        ("version", "", "/data/value"),
        ("version", 5, "/data/value"),
        ("version", None, "/data/value"),
        ("time", "yesterday", "/data/value"),
        ("time", "2026-11-22T21:00:00", "/data/value"),
        ("time", 1795388400, "/data/value"),
        ("time", None, "/data/value"),
        ("digest", "sha256:1", "/data/value"),
        ("released", "yes", "/data/value"),
        ("evidence", [{"label": "a"}], "/data/value/0/url"),
        ("targets", ["a", 5], "/data/value/1"),
        ("vresion", "1.4", "/data/field"),
    ],
)
def test_a_correction_that_makes_its_target_unreadable_is_refused(field, value, pointer):
    """The fault is in the correction, and pointed at there."""
    assert refused(correction(field, value), deployed("1.5"))[0][0] == pointer


def test_an_optional_member_can_be_corrected_to_nothing():
    """It should never have been there."""
    emptied = correction("digest", None)
    assert record.check(emptied, deployed("1.5")) is emptied


def test_a_corrected_value_is_kept_as_its_member_keeps_it():
    """One artifact has one digest, however a correction spells it."""
    checked = record.check(correction("digest", f"SHA256:{HEX.upper()}"), deployed("1.5"))
    assert checked.value == f"sha256:{HEX}"
    assert data_of(checked) | {"value": 0} == data_of(correction("digest", 0))


@pytest.mark.parametrize("topic", sorted(set(EVENTS) - set(CORRECTABLE)))
def test_corrections_and_accesses_are_not_corrected(topic):
    """A wrong correction is retracted."""
    assert refused(correction("reason", "x"), event(topic))[0][0] == "/data/position"


@pytest.mark.parametrize("topic", sorted(set(EVENTS) - {"record.redacted"}))
def test_anything_but_a_redaction_can_be_retracted(topic):
    """A retraction too: that brings back what it retracted."""
    retraction = event("record.retracted")
    assert record.check(retraction, event(topic)) is retraction


def test_a_redaction_is_not_retracted():
    """What it deleted is gone."""
    assert refused(event("record.retracted"), event("record.redacted"))[0][0] == "/data/position"


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_just_the_protected_members_can_be_redacted(topic):
    """The rest is in the leaf, for ever; evidence means the labels in it."""
    known = members(EVENTS[topic])
    protected = {name for name, member in known.items() if member.protected} | {"evidence"}
    assert record.check(event("record.redacted", fields=sorted(protected)), event(topic))
    for name in (known.keys() - protected) | {"time", "nonsense", "evidence/0/label"}:
        about = event("record.redacted", fields=[*protected, name])
        assert refused(about, event(topic)) == [
            (f"/data/fields/{len(protected)}", f"is not a protected member of {topic}")
        ]


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_only_decisions_are_seconded(topic):
    """A fact needs no second; that a person is named in it does not make it a decision."""
    second = event("decision.seconded")
    target = event(topic, decided_by="alice")
    if target.WHO.value.endswith("decision"):
        assert record.check(second, target) is second
    else:
        assert target.WHO is LEDGER or target.WHO.value == "fact"
        assert refused(second, target)[0][0] == "/data/position"


def test_what_an_event_is_about():
    """Positions lie under several names."""
    assert record.positions(event("finding.accepted", positions=[3, 5])) == (3, 5)
    assert record.positions(correction("version", "1")) == (1,)
    assert record.positions(declared()) == ()
