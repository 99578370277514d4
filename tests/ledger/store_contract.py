"""
What every store promises, as tests that any adapter can be put under.

An adapter subclasses `StoreContract` and gives a `place` fixture:

    class TestTheSQLiteStore(StoreContract):
        @pytest.fixture
        def place(self, tmp_path): ...

A place is somewhere that a ledger can be opened, more than once at a time, as
by several processes; `Place` says what the tests ask of it.
"""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.application import Clock, Ledger
from ledger.codec import LeafMapper, Placed, Row, prepare
from ledger.disclosures import REDACTED
from ledger.errors import IdTaken, LedgerError
from ledger.events import Event
from tests.dsl import deployed, event
from tests.ledger.scene import A_PIPELINE, StoppedClock, append, command, draft, history

ROOT = Path(__file__).parents[2]


class Place(Protocol):
    """Somewhere to open a ledger."""

    spec: str
    """Names the place to another process: `tests.ledger.appender` opens it by this."""

    refused: Sequence[str]
    """Statements that change, replace or remove events, or put back words; three events with words are recorded."""

    def open(self, clock: Clock | None = None) -> Ledger: ...

    def execute(self, statement: str) -> list[Any]:
        """Runs a statement from a connection of its own that knows nothing of the ledger."""


def row(position: int, told: Event, revision: int = 1, event_id: str | None = None, words: bool = True) -> Row:
    made = draft(told, id=event_id or f"row-{position}")
    prepared = prepare(made, A_PIPELINE.submitter, source="rows", event_id=made.id or "", fingerprint=b"f" * 32)
    placed = Placed(prepared, position, revision, "2026-11-22T12:00:00.000000Z")
    whole = LeafMapper.__new__(LeafMapper).to_stored_event(placed)
    return whole if words else replace(whole, disclosures=())


def web(number: int) -> Event:
    return deployed(str(number), service="web", reason=f"why {number}")


class StoreContract:
    """The promises."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, place):
        with closing(place.open(StoppedClock())) as opened:
            yield opened

    @pytest.fixture
    def store(self, ledger):
        return ledger.store

    # Places

    def test_positions_are_dense_and_revisions_are_dense_within_a_stream(self, ledger):
        """From 1, in the order in which events were taken; whatever was refused in between."""
        append(ledger, deployed("1"), web(1), deployed("2"))
        with pytest.raises(LedgerError):
            append(ledger, web(2), event("record.retracted", position=99))
        append(ledger, web(3), deployed("3"))
        placed = [(each.position, each.stream, each.revision) for each in history(ledger)]
        assert placed == [
            (1, "slot/payments/production", 1),
            (2, "slot/web/production", 1),
            (3, "slot/payments/production", 2),
            (4, "slot/web/production", 2),
            (5, "slot/payments/production", 3),
        ]

    @pytest.mark.parametrize(
        "bad",
        [
            row(4, deployed("1")),
            row(2, deployed("1")),
            row(1, deployed("1")),
            row(0, deployed("1")),
            row(3, web(1), revision=1),
            row(3, web(1), revision=4),
            row(3, deployed("1"), revision=0),
            row(3, deployed("1"), event_id="row-1"),
        ],
        ids=["gap", "taken", "first", "zero", "revision taken", "revision gap", "revision zero", "key taken"],
    )
    def test_the_database_itself_takes_only_the_next_row(self, store, bad):
        """Also from a program of ours that is wrong about what comes next; and then nothing of its rows."""
        store.insert_events([row(1, web(1)), row(2, web(2), revision=2)])
        with pytest.raises(store.FAILURES):
            store.insert_events([bad])
        good = row(3, deployed("1"))
        with pytest.raises(store.FAILURES):
            store.insert_events([good, replace(good, position=9)])
        assert store.head() == 2
        assert store.insert_events([good]) == [3]

    def test_a_source_uses_an_id_once(self, ledger):
        """Whatever the stream; another source may use it too."""
        append(ledger, draft(deployed("1"), id="a", source="s"))
        with pytest.raises(IdTaken):
            append(ledger, draft(web(1), id="a", source="s"))
        append(ledger, draft(web(1), id="a", source="t"))
        assert ledger.head() == 2

    # Nothing changes

    def test_events_are_never_changed_replaced_or_removed(self, place, ledger):
        """The database refuses, whoever asks; words can be deleted, never put back or changed."""
        append(ledger, web(1), web(2), web(3))
        before = [bytes(each.state) for each in ledger.rows()]
        assert place.refused
        for statement in place.refused:
            with pytest.raises(ledger.store.FAILURES):
                place.execute(statement)
        assert [bytes(each.state) for each in ledger.rows()] == before
        assert [each.event for each in history(ledger)] == [web(1), web(2), web(3)]

    def test_words_can_be_deleted_and_the_leaf_stays(self, place, ledger):
        """That is redaction; and once deleted, no other words come in their place."""
        append(ledger, web(1), web(2), web(3))
        before = [bytes(each.state) for each in ledger.rows()]
        with ledger.store.writing() as cursor:
            ledger.store.forget(1, ["/reason"], cursor)
        assert [each.event.reason for each in history(ledger)] == [REDACTED, "why 2", "why 3"]
        assert [each.redacted for each in history(ledger)] == [("/reason",), (), ()]
        assert [bytes(each.state) for each in ledger.rows()] == before
        for statement in place.refused:
            with pytest.raises(ledger.store.FAILURES):
                place.execute(statement)

    # All or nothing

    def test_an_append_that_fails_leaves_nothing(self, ledger, monkeypatch):
        """Neither rows nor words, nor anything remembered."""
        whole = ledger.store.insert_events

        def torn(rows, *, within, **_):
            whole(rows[:2], within=within)
            raise OSError("the disk is gone")

        monkeypatch.setattr(ledger.store, "insert_events", torn)
        with pytest.raises(OSError, match="disk"):
            append(ledger, web(1), web(2), web(3))
        monkeypatch.undo()
        assert ledger.head() == 0
        receipts = append(ledger, web(1), web(2))
        assert [(each.position, each.revision) for each in receipts] == [(1, 1), (2, 2)]
        assert [each.event.reason for each in history(ledger)] == ["why 1", "why 2"]

    def test_nothing_is_seen_before_it_is_whole(self, place, ledger):
        """Another process sees all of a group, or none."""
        with closing(place.open()) as other:
            with ledger.store.writing() as cursor:
                ledger.store.insert_events([row(1, web(1)), row(2, web(2), 2)], within=cursor)
                assert other.head() == 0
                assert list(other.rows()) == []
            assert other.head() == 2

    def test_readers_never_skip_a_position(self, ledger):
        """Many threads read while one writes: what they see only grows, without a gap."""
        done, faults = threading.Event(), []

        def read():
            after = 0
            while not (finished := done.is_set()) or after < ledger.head():
                for each in ledger.rows(after):
                    if each.position != after + 1:
                        faults.append((after, each.position))
                    after = each.position
                if finished and after == ledger.head():
                    return

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for number in range(60):
            append(ledger, web(3 * number), web(3 * number + 1), web(3 * number + 2))
        done.set()
        for reader in readers:
            reader.join()
        assert faults == []

    # Reading

    def test_rows_are_read_in_order_and_in_portions(self, store):
        """After a position, up to another, at most so many; one stream; some positions."""
        store.insert_events(
            [row(number, web(number) if number % 2 else deployed("v"), (number + 1) // 2) for number in range(1, 8)]
        )
        positions = lambda rows: [each.position for each in rows]  # noqa: E731
        assert positions(store.rows(0, 2**62, 100)) == [1, 2, 3, 4, 5, 6, 7]
        assert positions(store.rows(2, 5, 100)) == [3, 4, 5]
        assert positions(store.rows(2, 7, 2)) == [3, 4]
        assert positions(store.rows(7, 9, 2)) == []
        assert positions(store.stream_rows("slot/web/production", 0, 2**62, 100)) == [1, 3, 5, 7]
        assert positions(store.stream_rows("slot/web/production", 1, 5, 100)) == [3, 5]
        assert positions(store.rows_at([7, 1, 99, 4])) == [1, 4, 7]
        assert [each.disclosures != () for each in store.rows(0, 7, 7)] == [True, False] * 3 + [True]
        assert [each.disclosures != () for each in store.rows_at([1, 2, 7])] == [True, False, True]

    def test_twins_are_found_with_their_fingerprints(self, store):
        """Many keys at once, of many sources; those not recorded are left out."""
        store.insert_events([row(number, web(number), number) for number in range(1, 1301)])
        keys = [("rows", f"row-{number}") for number in range(1, 1401)] + [("other", "row-1")]
        with store.writing() as cursor:
            found = store.twins(keys, cursor)
            store.forget(1, [], cursor)
            assert store.twins(keys[:1], cursor)["rows", "row-1"][1] is None
        assert {key: (twin.position, kept) for key, (twin, kept) in found.items()} == {
            ("rows", f"row-{number}"): (number, b"f" * 32) for number in range(1, 1301)
        }

    def test_the_library_reads_what_it_reads_from_any_recorder(self, store):
        """Events of a stream, forward and back, and notifications."""
        store.insert_events([row(1, web(1), 1), row(2, deployed("1")), row(3, web(2), 2), row(4, web(3), 3)])
        select = lambda **how: [each.position for each in store.select_events("slot/web/production", **how)]  # noqa: E731
        assert select() == [1, 3, 4]
        assert select(desc=True) == [4, 3, 1]
        assert select(gt=1, lte=2) == [3]
        assert select(desc=True, limit=1) == [4]
        assert all(each.disclosures for each in store.select_events("slot/web/production", desc=True))
        assert store.max_notification_id() == 4
        assert [each.id for each in store.select_notifications(2, 2)] == [2, 3]
        assert [each.id for each in store.select_notifications(2, 5, 3, inclusive_of_start=False)] == [3]
        assert [each.id for each in store.select_notifications(None, 5, topics=["deployment.succeeded"])] == [
            1,
            2,
            3,
            4,
        ]
        with pytest.raises(TypeError, match="place"):
            store.insert_events([StoredEvent("slot/a/b", 1, "deployment.succeeded", b"{}")])

    # Many writers

    def test_two_ledgers_on_one_place_take_turns(self, place):
        """What one remembers is forgotten when the other wrote: revisions, states, and where the record ends."""
        with closing(place.open()) as one, closing(place.open()) as other:
            for number in range(6):
                turn = (one, other)[number % 2]
                (receipt,) = append(turn, web(number))
                assert (receipt.position, receipt.revision) == (number + 1, number + 1)
            append(one, deployed("1.4"))
            append(other, event("rollback.decided", to_version="1.4"))
            told = append(one, event("rollback.started", to_version="1.4"))[0]
            assert [each.code for each in told.warnings] == []
            twin = draft(web(9))
            assert not append(one, twin, expected=6)[0].duplicate
            assert other.record([command(other, twin)])[0][0].duplicate

    def test_two_processes_append_at_once(self, place):
        """Positions stay dense, revisions right, and of a key that both send one gets a duplicate."""
        appenders = [_appender(place, name, "--count", "120") for name in ("a", "b")]
        told = [json.loads(line) for each in appenders for line in each.communicate(timeout=120)[0].splitlines()]
        assert [each.returncode for each in appenders] == [0, 0]
        with closing(place.open()) as ledger:
            _check_record(ledger)
            by_id = {(each.source, each.id): each for each in history(ledger)}
        for receipt in told:
            kept = by_id[receipt["source"], receipt["id"]]
            assert (kept.position, kept.revision) == (receipt["position"], receipt["revision"])
        shared = Counter(receipt["duplicate"] for receipt in told if receipt["source"] == "shared")
        assert shared == {False: 120, True: 120}

    @pytest.mark.parametrize("acknowledged", [1, 40, 90])
    def test_a_killed_process_loses_nothing_acknowledged_and_leaves_nothing_half(self, place, acknowledged):
        """kill -9 in the middle of appending; then the record is opened, checked and written on."""
        appender = _appender(place, "a", "--count", "100000")
        told = []
        for line in appender.stdout:
            told.append(json.loads(line))
            if len(told) == acknowledged * 5:
                appender.kill()
                break
        told += [json.loads(line) for line in appender.communicate()[0].splitlines() if line.endswith("}")]
        with closing(place.open()) as ledger:
            _check_record(ledger)
            by_position = {each.position: each for each in history(ledger)}
            for receipt in told:
                assert by_position[receipt["position"]].id == receipt["id"]
            batches = Counter(each.id.rpartition("-")[0] for each in by_position.values() if each.source == "a")
            assert set(batches.values()) == {4}
            assert append(ledger, web(1))[0].position == len(by_position) + 1


def _appender(place: Place, name: str, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.appender", place.spec, name, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _check_record(ledger: Ledger) -> None:
    """Dense positions, dense revisions, recorded times that never fall, every word in its place."""
    events = history(ledger)
    assert [each.position for each in events] == list(range(1, len(events) + 1))
    revisions: Counter[str] = Counter()
    for each in events:
        revisions[each.stream] += 1
        assert each.revision == revisions[each.stream]
        assert each.redacted == ()
    times = [each.recorded_at for each in events]
    assert times == sorted(times)
