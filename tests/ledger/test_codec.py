"""Events to stored bytes and back: the leaf, and what a later release must still read."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import codec, contract
from ledger.authority import MACHINE, Principal
from ledger.canonical import canonical
from ledger.codec import (
    LARGEST_LEAF,
    Draft,
    LeafMapper,
    Placed,
    amend,
    cloud_event,
    prepare,
    recorded,
)
from ledger.disclosures import REDACTED
from ledger.errors import Damaged, Invalid, TooLarge
from ledger.events import EVENTS, Event, Submitter
from ledger.values import MIB, instant
from tests.dsl import deployed, event
from tests.strategies import data, events, few, lines, times

NOON = "2026-11-22T12:00:00.000000Z"
A_SUBMITTER = Submitter("token-1", "token", "machine")
MEMBERS = {
    "data",
    "dataschema",
    "format",
    "id",
    "position",
    "recordedtime",
    "revision",
    "source",
    "stream",
    "submitter",
}

drafts = st.builds(
    Draft,
    events(),
    time=st.none() | times(),
    correlation_id=st.none() | lines,
    causation_id=st.none() | lines,
    extensions=st.dictionaries(
        st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True),
        lines | st.integers(-(2**31), 2**31 - 1) | st.booleans(),
        max_size=3,
    ),
)
submitters = st.builds(
    Submitter, lines, lines, st.sampled_from(["human", "machine"]), st.dictionaries(lines, lines, max_size=3)
)


def prepared(draft, submitter=A_SUBMITTER, source="tests", event_id="1"):
    return prepare(draft, submitter, source=source, event_id=event_id, fingerprint=b"f" * 32)


def row_of(draft, position=7, revision=3, **options):
    made = prepared(draft, **options)
    mapper = LeafMapper.__new__(LeafMapper)
    return mapper.to_stored_event(Placed(made, position, revision, NOON))


@settings(deadline=None, max_examples=300)
@given(drafts, submitters, lines, lines, st.integers(1, 2**53 - 1), st.integers(1, 2**53 - 1))
def test_a_leaf_is_the_canonical_json_of_the_whole_row(draft, submitter, source, event_id, position, revision):
    """Put together from parts that were ready before the lock, it is what the slow way writes."""
    row = row_of(draft, position, revision, submitter=submitter, source=source, event_id=event_id)
    leaf = orjson.loads(row.state)
    assert row.state == rfc8785.dumps(leaf)
    optional = {"causation": draft.causation_id, "correlation": draft.correlation_id, "extensions": draft.extensions}
    assert leaf.keys() - optional.keys() == MEMBERS | {"time", "type"}
    assert {name: leaf[name] for name in optional.keys() & leaf.keys()} == {
        name: value for name, value in optional.items() if value
    }
    assert (leaf["format"], leaf["type"], leaf["stream"]) == (1, draft.event.TOPIC, draft.event.stream)
    assert (leaf["position"], leaf["revision"], leaf["recordedtime"]) == (position, revision, NOON)
    assert (leaf["source"], leaf["id"], leaf["time"]) == (source, event_id, draft.time or NOON)
    claims = {"claims": submitter.claims} if submitter.claims else {}
    assert leaf["submitter"] == {"id": submitter.id, "kind": submitter.kind, "method": submitter.method, **claims}


@settings(deadline=None, max_examples=300)
@given(drafts, submitters)
def test_what_was_stored_is_read_back_the_same(draft, submitter):
    """Poison included: names and values that other formats give a meaning to."""
    row = row_of(draft, submitter=submitter)
    read = recorded(row)
    assert read.event == draft.event
    assert read.submitter == submitter
    assert (read.position, read.stream, read.revision, read.id) == (7, draft.event.stream, 3, "1")
    assert (read.correlation_id, read.causation_id) == (draft.correlation_id, draft.causation_id)
    assert read.time == (draft.time or NOON)
    assert read.occurred_at == instant(draft.time or NOON)
    assert read.recorded_at == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert read.redacted == ()


@pytest.mark.parametrize("topic", sorted(EVENTS))
@few
@given(drawn=st.data())
def test_every_event_is_read_back_the_same(topic, drawn):
    """No type is left to chance."""
    cls = EVENTS[topic]
    told = contract.accept(cls, drawn.draw(data(cls)))
    assert recorded(row_of(Draft(told))).event == told


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_a_leaf_knows_no_python(topic):
    """Code may move and be renamed; the record does not know where it was."""
    row = row_of(Draft(event(topic)))
    assert row.topic == topic
    for word in (
        EVENTS[topic].__name__,
        EVENTS[topic].__module__,
        "ledger.",
        "eventsourcing",
        "builtins",
        "dataclass",
    ):
        assert word.encode() not in row.state


def test_naive_and_made_up_times_never_reach_a_leaf():
    """The API refuses them first; nobody else gets around it."""
    for time in ("2026-11-22T21:00:00", "now", ""):
        with pytest.raises(Invalid, match="/time"):
            prepared(Draft(deployed("1"), time=time))


# Size


def labelled(size):
    """An event whose labels, and so whose leaf, can be made as large as one likes."""
    full, rest = divmod(size, 4000)
    labels = {f"l{number}": "x" * 4000 for number in range(full)} | {"rest": "x" * rest}
    return Draft(deployed("1", labels=labels))


def test_a_leaf_fits_the_log_whatever_its_place():
    """An entry bundle tells a leaf's length in 16 bits; place and time are unknown when it is measured."""
    low, high = 0, LARGEST_LEAF
    while low + 1 < high:
        middle = (low + high) // 2
        try:
            prepared(replace(labelled(middle), time="2026-11-22T21:00:00.123456789+01:00"))
        except TooLarge:
            high = middle
        else:
            low = middle
    largest = prepared(replace(labelled(low), time="2026-11-22T21:00:00.123456789+01:00"))
    leaf = largest.leaf(2**53 - 1, 2**53 - 1, NOON)
    assert LARGEST_LEAF - 200 < len(leaf) <= LARGEST_LEAF


def test_what_is_too_large_is_told_what_to_shorten():
    """413, before anything is stored."""
    with pytest.raises(TooLarge, match="labels"):
        prepared(labelled(LARGEST_LEAF))


def test_protected_words_do_not_count_against_the_leaf():
    """A post-mortem's section of 1 MiB is a commitment of 43 characters in the leaf."""
    written = event("postmortem.section_written", text="x" * MIB, reason="y" * MIB)
    row = row_of(Draft(written))
    assert len(row.state) < 1000
    assert recorded(row).event == written


# Schemas


@pytest.fixture
def third_version(monkeypatch):
    """deployment.cancelled, as if `version` had been called `release`, and `service` had once held the environment."""
    monkeypatch.setitem(codec.SCHEMA_VERSIONS, "deployment.cancelled", 3)
    monkeypatch.setitem(
        codec.UPCASTS,
        ("deployment.cancelled", 1),
        lambda data: {
            **{name: value for name, value in data.items() if name != "slot"},
            "service": data["slot"].split("@")[0],
            "environment": data["slot"].split("@")[1],
        },
    )
    monkeypatch.setitem(
        codec.UPCASTS,
        ("deployment.cancelled", 2),
        lambda data: {("version" if name == "release" else name): value for name, value in data.items()},
    )


def old_row(version, old):
    row = row_of(Draft(event("deployment.cancelled", version="1.5", reason="a mistake")))
    leaf = orjson.loads(row.state)
    kept = {name: value for name, value in leaf["data"].items() if name in ("deployment_id", "reason")}
    leaf |= {"data": kept | old, "dataschema": f"urn:lastgood:event:deployment.cancelled:{version}"}
    return replace(row, state=canonical(leaf))


@pytest.mark.usefixtures("third_version")
@pytest.mark.parametrize(
    "version, old",
    [
        (1, {"release": "1.5", "slot": "payments@production"}),
        (2, {"release": "1.5", "service": "payments", "environment": "production"}),
        (3, {"version": "1.5", "service": "payments", "environment": "production"}),
    ],
)
def test_older_data_is_brought_up_to_date_when_it_is_read(version, old):
    """Step by step, from any version; words are put back first, and the stored bytes stay."""
    row = old_row(version, old)
    before = bytes(row.state)
    assert recorded(row).event == event("deployment.cancelled", version="1.5", reason="a mistake")
    assert row.state == before
    assert cloud_event(row)["dataschema"].endswith(f":{version}")
    assert cloud_event(row)["data"] == {"deployment_id": "deploy-1", "reason": "a mistake", **old}


@pytest.mark.usefixtures("third_version")
def test_new_data_is_stored_in_the_current_schema():
    """A leaf says by which schema it is to be read."""
    row = row_of(Draft(event("deployment.cancelled")))
    assert orjson.loads(row.state)["dataschema"] == "urn:lastgood:event:deployment.cancelled:3"


@pytest.mark.usefixtures("third_version")
def test_a_word_of_an_older_schema_can_be_redacted():
    """Its member may have another name today, or none."""
    row = old_row(1, {"release": "1.5", "slot": "payments@production"})
    leaf = orjson.loads(row.state)
    leaf["data"]["nickname"] = leaf["data"].pop("reason")
    gone = replace(row, state=canonical(leaf), disclosures=())
    assert cloud_event(gone)["data"]["nickname"] == REDACTED


def test_a_newer_record_is_not_misread():
    """A release that was rolled back says that it cannot read what the newer one wrote."""
    row = row_of(Draft(deployed("1")))
    leaf = orjson.loads(row.state)
    for changed in ({"format": 2}, {"dataschema": "urn:lastgood:event:deployment.succeeded:2"}):
        with pytest.raises(Damaged, match="this release"):
            recorded(replace(row, state=canonical(leaf | changed)))
    with pytest.raises(Damaged, match="use a newer one"):
        recorded(replace(row, topic="deployment.paused"))


@pytest.mark.parametrize("broken", [b"", b"{}", b"[]", b"\xff", b'{"format":1}', b"null"])
def test_a_broken_leaf_is_damage_at_a_position(broken):
    """Never an obscure error somewhere else."""
    row = replace(row_of(Draft(deployed("1"))), state=broken)
    for read in (recorded, cloud_event):
        with pytest.raises(Damaged, match="position 7"):
            read(row)


# The CloudEvent


def test_a_row_as_the_cloudevent_that_readers_get():
    """The sender's attributes, the ledger's extensions, the data."""
    draft = Draft(
        deployed("1.5", reason="hotfix"),
        time="2026-11-22T13:00:00+01:00",
        correlation_id="c",
        causation_id="d",
        extensions={"traceparent": "00-1", "subject": "web"},
    )
    claims = {"repository": "acme/web", "actor": "bob"}
    row = row_of(draft, submitter=Submitter("ci-1", "oidc", "machine", claims))
    assert cloud_event(row) == {
        "specversion": "1.0",
        "id": "1",
        "source": "tests",
        "type": "deployment.succeeded",
        "time": "2026-11-22T13:00:00+01:00",
        "dataschema": "urn:lastgood:event:deployment.succeeded:1",
        "subject": "web",
        "traceparent": "00-1",
        "recordedtime": NOON,
        "sequence": 7,
        "stream": "slot/payments/production",
        "revision": 3,
        "authtype": "service_account",
        "authid": "ci-1",
        "authmethod": "oidc",
        "authclaims": '{"actor":"bob","repository":"acme/web"}',
        "correlationid": "c",
        "causationid": "d",
        "data": contract.data_of(draft.event),
    }


@settings(deadline=None)
@given(drafts)
def test_the_cloudevent_can_be_sent_again(draft):
    """Its data is accepted as it is: an export can be imported."""
    told = cloud_event(row_of(draft))["data"]
    again = {name: value for name, value in told.items() if name not in draft.event.LEDGER_SETS}
    assert contract.accept(type(draft.event), again) == draft.event
    assert re.fullmatch(r"[a-z._]+", draft.event.TOPIC)


# Corrections


def amended(told: Event, **changes):
    return amend(recorded(row_of(Draft(told))), {name.rstrip("_"): value for name, value in changes.items()})


def test_a_correction_changes_what_it_names():
    """The rest, and the original, stay."""
    told = deployed("1.5", digest="sha256:" + "a" * 64, targets=["a"])
    read = amended(told, version="1.6", digest=None, targets=["b", "c"], time="2026-11-21T12:00:00Z")
    assert read.event == deployed("1.6", targets=["b", "c"])
    assert read.occurred_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert (read.position, read.revision) == (7, 3)


def test_a_corrected_list_of_objects_is_read_like_a_stored_one():
    """Places are places, however they came to be there."""
    places = [{"service": "a", "environment": "b"}]
    assert amended(event("incident.detected"), affected=places).event == event("incident.detected", affected=places)


def test_a_redacted_correction_says_nothing_of_what_is_not_protected():
    """Neither a version nor a time is ever called [redacted]."""
    told = deployed("1.5", decided_by="alice")
    read = amended(told, version=REDACTED, time=REDACTED, released=REDACTED)
    assert (read.event, read.time) == (told, NOON)


def test_a_redacted_correction_of_words_hides_them():
    """The original words may be the very ones that were to go."""
    assert amended(event("incident.note_added", text="Bob"), text=REDACTED).event.text == REDACTED


def test_the_mapper_takes_only_what_has_a_place():
    """The library's own way to store an event would leave out its position."""
    from eventsourcing.persistence import StoredEvent

    with pytest.raises(Damaged, match="place"):
        LeafMapper.__new__(LeafMapper).to_domain_event(StoredEvent("slot/a/b", 1, "deployment.succeeded", b"{}"))


def test_claims_of_a_ci_identity_are_kept_with_the_submitter():
    """As verified; a principal without any has no empty list of them."""
    principal = Principal("ci", MACHINE, frozenset({"pipeline"}), claims={"ref": "main"})
    assert orjson.loads(row_of(Draft(deployed("1")), submitter=principal.submitter).state)["submitter"]["claims"] == {
        "ref": "main"
    }
    assert "claims" not in orjson.loads(row_of(Draft(deployed("1"))).state)["submitter"]
