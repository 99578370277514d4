"""The ledger: one way in, reading from a position, time that never falls, redaction."""

import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application import Ledger, recordedtime, secret_file, uuid7
from ledger.contract import members
from ledger.disclosures import REDACTED
from ledger.disk import Disk
from ledger.errors import Damaged, Invalid, NotAllowed, NotRecorded, TooLarge
from ledger.events import EVENTS, LEDGER
from tests.dsl import declared, deployed, event
from tests.ledger.scene import (
    A_PIPELINE,
    A_RESPONDER,
    AN_ADMIN,
    EVERYONE,
    NOON,
    StoppedClock,
    append,
    command,
    draft,
    history,
)
from tests.strategies import events as any_event
from tests.strategies import few


@few
@given(told=any_event().filter(lambda each: each.WHO is not LEDGER and each.STREAM[0] != "record"))
def test_what_is_recorded_is_read_back(tmp_path_factory, told):
    """Every event, through the real store, the poisonous ones too."""
    with closing(Ledger(tmp_path_factory.mktemp("data"))) as ledger:
        append(ledger, told)
        kept = history(ledger)[0].event
        same = {name: getattr(kept, name) for name in told.__dataclass_fields__ if name not in ("decided_by", "reason")}
        assert same == {name: getattr(told, name) for name in same}


POISON = [
    {"_type_": "datetime", "_data_": "2026"},
    {"_type_": "ledger.events:DeploymentSucceeded", "_data_": {}},
    {"...": "x"},
    {"_sd": ["x"], "...": "y"},
    [{"...": "x"}],
    {"__proto__": {"a": 1}},
    {"$ref": "#"},
    "[redacted]",
    None,
    [],
    {},
    0,
    "",
]


@pytest.mark.parametrize("poison", POISON, ids=repr)
def test_values_that_mean_something_elsewhere_are_kept_as_values(ledger, poison):
    """The stock transcoder of the library saves some of these and can never read them again."""
    told = [
        event("payload.received", payload=poison),
        event("incident.classified", criteria=poison, decided_by="alice"),
        event("record.corrected", position=1, field="payload", value=poison, decided_by="alice"),
    ]
    if poison is not None:
        told.append(event("alert.fired", annotations=poison, labels={"...": "x", "_type_": "y"}))
    append(ledger, *told)
    with closing(Ledger(ledger.folder)) as reopened:
        assert [each.event for each in reopened.read(0, 9)] == told


def test_the_submitter_comes_from_the_credential(ledger):
    """An opaque id, how it was proven, of which kind; and the source and id that a sender left out."""
    (receipt,) = ledger.record([command(ledger, draft(deployed("1"), id=None, source=None), by=A_PIPELINE)])[0]
    kept = history(ledger)[0]
    assert kept.submitter == A_PIPELINE.submitter
    assert kept.source == A_PIPELINE.id
    assert (receipt.id, receipt.source) == (kept.id, kept.source)
    assert kept.time == receipt.recordedtime == "2026-11-22T12:00:00.000000Z"


def test_what_may_not_be_recorded_is_refused_before_the_lock(ledger):
    """Preparing needs no lock and touches nothing."""
    with ledger.store.writing():
        with pytest.raises(NotAllowed):
            ledger.prepare(draft(declared()), A_PIPELINE)
        with pytest.raises(TooLarge):
            ledger.prepare(draft(deployed("1", labels={f"l{n}": "x" * 4000 for n in range(17)})), A_PIPELINE)
        with pytest.raises(Invalid):
            ledger.prepare(draft(deployed("1"), time="2026-11-22T12:00:00"), A_PIPELINE)
    assert ledger.head() == 0


# Time


def test_recordedtime_is_the_ledgers_own_clock(ledger, clock):
    """In UTC with all six digits, so that texts sort as moments do; `time` is what the source wrote."""
    append(ledger, draft(deployed("1"), time="2026-11-21T23:00:00+01:00"))
    clock.move(seconds=1.5)
    append(ledger, deployed("2"))
    leaves = [orjson.loads(each.state) for each in ledger.rows()]
    assert [each["recordedtime"] for each in leaves] == ["2026-11-22T12:00:00.000000Z", "2026-11-22T12:00:01.500000Z"]
    assert [each["time"] for each in leaves] == ["2026-11-21T23:00:00+01:00", "2026-11-22T12:00:01.500000Z"]
    assert [each.recorded_at for each in history(ledger)] == [NOON, NOON + timedelta(seconds=1.5)]


@settings(deadline=None, max_examples=25)
@given(jumps=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6), reopened=st.booleans())
def test_recordedtime_never_falls(tmp_path_factory, jumps, reopened):
    """However the clock jumps, within a process and across a restart: known_at is always a prefix of the record."""
    folder, clock = tmp_path_factory.mktemp("data"), StoppedClock()
    ledger = Ledger(folder, clock)
    highest, expected = NOON, []
    for number, jump in enumerate(jumps):
        clock.move(microseconds=jump)
        if reopened:
            ledger.close()
            ledger = Ledger(folder, clock)
        append(ledger, deployed(str(number)))
        highest = max(highest, clock.now()) if expected else clock.now()
        expected.append(highest)
    assert [each.recorded_at for each in history(ledger)] == expected
    ledger.close()


def test_events_of_one_group_share_their_moment(ledger):
    """They became durable together."""
    ledger.record([command(ledger, deployed("1"), deployed("2")), command(ledger, deployed("3"))])
    assert len({each.recorded_at for each in history(ledger)}) == 1


def test_the_position_at_a_moment_is_the_last_one_recorded_by_then(ledger, clock):
    """Inclusive; 0 before the first."""
    for number in range(4):
        append(ledger, deployed(str(number)), deployed(f"{number}b"))
        clock.move(seconds=10 if number != 1 else 0)
    second = timedelta(seconds=1)
    wanted = {NOON - second: 0, NOON: 2, NOON + 9 * second: 2, NOON + 10 * second: 6, NOON + 99 * second: 8}
    assert {moment: ledger.position_at(moment) for moment in wanted} == wanted
    assert ledger.position_at(NOON.astimezone()) == 2


# Reading


def test_events_are_read_in_order_from_a_position(ledger, monkeypatch):
    """In portions, without a gap or a repetition where two portions meet."""
    monkeypatch.setattr("ledger.application.READ_AT_ONCE", 3)
    append(ledger, *(deployed(str(number)) if number % 3 else declared() for number in range(10)))
    assert [each.position for each in ledger.read(0, 10)] == list(range(1, 11))
    assert [each.position for each in ledger.read(3, 9)] == list(range(4, 10))
    assert [each.position for each in ledger.rows(6)] == [7, 8, 9, 10]
    assert list(ledger.read(10, 10)) == list(ledger.read(10, 5)) == []
    assert [each.position for each in ledger.stream("slot/payments/production", 9)] == [2, 3, 5, 6, 8, 9]
    assert list(ledger.stream("slot/nowhere/production", 10)) == []


def test_events_are_read_at_positions_in_the_order_asked_for(ledger):
    """Those that are not there are left out; a single one that is not there is told."""
    append(ledger, *(deployed(str(number)) for number in range(5)))
    assert [each.position for each in ledger.at([5, 1, 9, 3, 1])] == [5, 1, 3, 1]
    assert ledger.row(5).position == 5
    for absent in (0, -1, 6, 2**63, 2**70):
        with pytest.raises(NotRecorded, match="ends at 5"):
            ledger.row(absent)


# Redaction


def test_redaction_deletes_words_and_keeps_the_leaf(ledger):
    """The proof stands; what was there can't be told."""
    evidence = [{"label": "chat with Bob", "url": "https://a"}, {"label": "graph", "url": "https://b"}]
    append(ledger, event("incident.note_added", text="Bob", reason="asked", evidence=evidence))
    leaf = bytes(ledger.row(1).state)
    append(ledger, event("record.redacted", position=1, fields=["text", "evidence"]), by=AN_ADMIN)
    kept = history(ledger)[0]
    assert bytes(ledger.row(1).state) == leaf
    assert set(kept.redacted) == {"/text", "/evidence/0/label", "/evidence/1/label"}
    assert (kept.event.text, kept.event.reason) == (REDACTED, "asked")
    assert [(each.label, each.url) for each in kept.event.evidence] == [
        (REDACTED, "https://a"),
        (REDACTED, "https://b"),
    ]


def test_redaction_reaches_just_the_event_it_names(ledger):
    """Also one of the same batch; others with the same words keep theirs."""
    append(ledger, *(event("incident.note_added", text="Bob") for _ in range(12)))
    append(
        ledger,
        event("incident.note_added", text="Bob"),
        event("record.redacted", position=1, fields=["text"]),
        event("record.redacted", position=13, fields=["text"]),
    )
    assert [each.position for each in history(ledger) if each.redacted] == [1, 13]


def test_a_refused_redaction_deletes_nothing(ledger):
    """Words go only with the event that says so."""
    append(ledger, event("incident.note_added", text="Bob"))
    with pytest.raises(NotAllowed):
        append(ledger, event("record.redacted", position=1, fields=["text"]), by=A_RESPONDER)
    with pytest.raises(Invalid):
        append(ledger, event("record.redacted", position=1, fields=["text"]), event("record.retracted", position=9))
    assert history(ledger)[0].event.text == "Bob"


@pytest.mark.parametrize("topic", sorted(topic for topic, cls in EVENTS.items() if cls.WHO is not LEDGER))
def test_every_protected_member_can_be_redacted(ledger, topic):
    """And the event is still read."""
    append(ledger, event("release.approved"))
    words = {name: f"secret {name}" for name, each in members(EVENTS[topic]).items() if each.protected}
    if topic == "record.corrected":
        words["field"] = "reason"
    append(ledger, event(topic, **words))
    words.pop("field", None)
    append(ledger, event("record.redacted", position=2, fields=sorted(words)))
    kept = history(ledger)[1].event
    names = {members(type(kept))[name].name for name in words}
    assert {getattr(kept, name) for name in names} == {REDACTED}


# The folder


def test_the_folder_is_its_owners_own(tmp_path):
    """Words and keys lie in it."""
    with closing(Ledger(tmp_path / "deep" / "data")) as ledger:
        assert stat.S_IMODE(ledger.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((ledger.folder / "fingerprint.key").stat().st_mode) == 0o600


def test_the_names_of_new_files_and_folders_are_durable(tmp_path, monkeypatch):
    """A file's own sync leaves its name out: a power cut could lose a whole new record."""
    synced = []
    monkeypatch.setattr(Disk, "sync_folder", lambda _, folder: synced.append((folder, sorted(folder.iterdir()))))
    folder = tmp_path / "deep" / "data"
    with closing(Ledger(folder)):
        assert [each for each, _ in synced] == [folder.parent, tmp_path, folder]
        assert {folder / "events.sqlite", folder / "fingerprint.key"} <= set(synced[-1][1])


def test_a_secret_is_made_once(tmp_path):
    """Another one would make every repetition look like other content."""
    first = secret_file(tmp_path / "key")
    assert len(first) == 32
    assert secret_file(tmp_path / "key") == first
    assert secret_file(tmp_path / "other") != first
    assert set(tmp_path.iterdir()) == {tmp_path / "key", tmp_path / "other"}


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_broken_secret_is_told(tmp_path, content):
    """Rather than taken for one: an empty key would let anybody test guesses."""
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(Damaged, match="32"):
        secret_file(tmp_path / "key")


def test_duplicates_are_known_after_a_restart(tmp_path):
    """The key is kept beside the record."""
    once = draft(deployed("1"))
    with closing(Ledger(tmp_path)) as ledger:
        append(ledger, once)
    with closing(Ledger(tmp_path)) as ledger:
        assert append(ledger, once)[0].duplicate


def test_the_fingerprint_says_nothing_without_the_key(tmp_path):
    """Two ledgers keep different fingerprints of the same content."""
    kept = set()
    for name in "ab":
        with closing(Ledger(tmp_path / name)) as ledger:
            made = command(ledger, draft(deployed("1"), id="a"), by=EVERYONE).events[0]
            assert len(made.fingerprint) == 32
            kept.add(made.fingerprint)
    assert len(kept) == 2


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)))
def test_ids_made_here_sort_by_time(moment):
    """UUIDv7 (RFC 9562): milliseconds first, version and variant in their places, the rest random."""
    aware = moment.replace(tzinfo=UTC)
    first, second, later = uuid7(aware), uuid7(aware), uuid7(aware + timedelta(milliseconds=1))
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first.int >> 80 == (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert first != second
    assert str(max(first, second)) < str(later)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))
)
def test_recorded_times_sort_as_text(one, other):
    """All have one length, whatever their microseconds."""
    one, other = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    assert (recordedtime(one) < recordedtime(other)) == (one < other)
    assert datetime.fromisoformat(recordedtime(one)) == one
