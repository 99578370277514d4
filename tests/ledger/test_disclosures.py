"""Protected members: in the leaf as commitments, beside it as words that can be forgotten."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contract import data_of, members
from ledger.disclosures import REDACTED, commitment, disclose, disclosed_value, disclosure, protect
from ledger.events import EVENTS, Evidence, RecordCorrected
from tests.dsl import event
from tests.strategies import events_of, few, json_values, lines

SPECIFIED = set(
    "reason text title summary statement briefing decided_by person author owner contact payload annotations".split()
)


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_the_protected_members_are_those_of_the_specification(topic):
    """Free text, names of people, foreign payloads; a correction's value, and `from` where it is a person."""
    also = {"record.corrected": {"value"}, "incident.role_assigned": {"from"}, "incident.role_released": {"from"}}
    known = members(EVENTS[topic])
    assert {name for name, member in known.items() if member.protected} == known.keys() & (
        SPECIFIED | also.get(topic, set())
    )


def test_of_evidence_only_the_label_is_protected():
    """An address is a reference; what people call it may name somebody."""
    assert {name for name, member in members(Evidence).items() if member.protected} == {"label"}


@pytest.mark.parametrize("topic", sorted(EVENTS))
@few
@given(drawn=st.data())
def test_what_is_protected_comes_back_the_same(topic, drawn):
    """For any event: leaf data and disclosures together say what the event said."""
    cls = EVENTS[topic]
    data = data_of(drawn.draw(events_of(cls)))
    kept, words = protect(cls, data)
    redacted: list[str] = []
    assert disclose(cls, kept, "", dict(words), redacted) == data
    assert redacted == []


@pytest.mark.parametrize("topic", sorted(EVENTS))
@few
@given(drawn=st.data())
def test_no_protected_word_stays_in_the_leaf(topic, drawn):
    """Each is a commitment of one size, which says nothing of the length of what it hides."""
    cls = EVENTS[topic]
    kept, words = protect(cls, data_of(drawn.draw(events_of(cls))))
    for name, member in members(cls).items():
        if member.protected and name in kept:
            assert kept[name].keys() == {"..."}
            assert len(kept[name]["..."]) == 43
    assert {path for path, _ in words} >= {f"/{name}" for name in kept if members(cls)[name].protected}
    for each in kept.get("evidence", ()):
        assert each["label"].keys() == {"..."}


def test_a_forgotten_word_is_marked_and_the_rest_stays():
    """Paths lead to each, also into lists."""
    evidence = [{"label": "chat with Bob", "url": "https://a"}, {"label": "graph", "url": "https://b"}]
    told = event("incident.note_added", text="Bob did it", reason="asked", evidence=evidence)
    kept, words = protect(type(told), data_of(told))
    left = {path: word for path, word in words if path not in ("/text", "/evidence/0/label")}
    redacted: list[str] = []
    data = disclose(type(told), kept, "", left, redacted)
    assert sorted(redacted) == ["/evidence/0/label", "/text"]
    assert (data["text"], data["reason"]) == (REDACTED, "asked")
    assert data["evidence"] == [{"label": REDACTED, "url": "https://a"}, {"label": "graph", "url": "https://b"}]


@pytest.mark.parametrize("value", [{"...": "x"}, {"...": {"...": "x"}}, [{"...": "x"}], {"_type_": "a", "_data_": 1}])
def test_values_that_look_like_commitments_are_just_values(value):
    """A payload may hold what SD-JWT holds; labels and criteria are no commitments either."""
    for told in (
        event("payload.received", payload=value),
        event("record.corrected", value=value),
        event("incident.classified", criteria=value),
        event("alert.fired", annotations=value),
    ):
        data = data_of(told)
        kept, words = protect(type(told), data)
        assert disclose(type(told), kept, "", dict(words), []) == data


def test_a_label_named_like_a_commitment_is_a_label():
    """Labels are not protected, whatever they are called."""
    told = event("alert.fired", labels={"...": "x"})
    redacted: list[str] = []
    kept, words = protect(type(told), data_of(told))
    assert disclose(type(told), kept, "", dict(words), redacted)["labels"] == {"...": "x"}
    assert redacted == []


@given(lines, json_values)
def test_a_disclosure_is_what_sd_jwt_says(name, value):
    """RFC 9901, sections 4.2.1 and 4.2.3: base64url of [salt, name, value], hashed as written, no padding."""
    text = disclosure(name, value)
    assert not text.endswith("=")
    salt, told, said = orjson.loads(urlsafe_b64decode(text + "=="))
    assert (told, said) == (name, value)
    assert len(urlsafe_b64decode(salt + "==")) == 16
    assert commitment(text) == urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    assert disclosed_value(text) == value


def test_the_commitment_of_the_rfc():
    """The example of RFC 9901, section 4.2.3, computed by its authors."""
    text = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert commitment(text) == "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY"
    assert disclosed_value(text) == "Möbius"


def test_the_same_words_never_have_the_same_commitment():
    """Who guesses the words cannot check the guess without the salt."""
    assert len({commitment(disclosure("reason", "disk full")) for _ in range(100)}) == 100


def test_a_correction_protects_its_value():
    """It may correct free text."""
    assert "value" in RecordCorrected.PROTECTED
    kept, _ = protect(RecordCorrected, data_of(event("record.corrected", field="title", value="Bob did it")))
    assert "Bob" not in repr(kept)
