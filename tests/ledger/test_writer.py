"""The writer thread: many callers, one durable transaction, each told its own outcome."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing

import pytest

from ledger import writer as module
from ledger.application import Ledger
from ledger.errors import IdTaken, Invalid, StaleRevision
from ledger.writer import Writer, WriterStopped
from tests.dsl import deployed, event
from tests.ledger.scene import command, draft, history


class GatedLedger(Ledger):
    """Waits before each group until the test lets it go, and notes the groups."""

    def __init__(self, *args):
        self.gate, self.waiting = threading.Semaphore(0), threading.Semaphore(0)
        self.groups = []
        super().__init__(*args)

    def record(self, commands):
        self.groups.append(len(commands))
        self.waiting.release()
        assert self.gate.acquire(timeout=30)
        return super().record(commands)


@pytest.fixture
def gated(tmp_path, clock):
    with closing(GatedLedger(tmp_path / "data", clock)) as ledger:
        yield ledger


@pytest.fixture
def writer(ledger):
    made = Writer(ledger)
    yield made
    made.stop()


def test_a_callers_events_are_durable_when_it_is_told_so(ledger, writer):
    """Another process could read them at that moment."""
    (receipt,) = writer.append(command(ledger, deployed("1")))
    with closing(Ledger(ledger.folder)) as other:
        assert other.head() == receipt.position == 1


def test_many_callers_each_get_their_own_receipt(ledger, writer):
    """Whatever is grouped with what."""
    commands = [
        command(ledger, *(draft(deployed(str(n)), id=f"{n}-{part}") for part in range(n % 3 + 1))) for n in range(120)
    ]
    with ThreadPoolExecutor(16) as callers:
        receipts = list(callers.map(writer.append, commands))
    for made, got in zip(commands, receipts, strict=True):
        assert [each.id for each in got] == [each.id for each in made.events]
    positions = [each.position for got in receipts for each in got]
    assert sorted(positions) == list(range(1, len(positions) + 1))
    by_position = {each.position: each.id for each in history(ledger)}
    assert all(by_position[each.position] == each.id for got in receipts for each in got)


def test_while_one_group_is_on_its_way_the_next_gathers(gated):
    """So that the disk's latency is shared; the order of handing in is kept."""
    writer = Writer(gated)
    first = writer.submit(command(gated, deployed("0")))
    assert gated.waiting.acquire(timeout=30)
    others = [writer.submit(command(gated, deployed(str(number)))) for number in range(1, 9)]
    gated.gate.release(2)
    assert first.result(30)[0].position == 1
    assert [each.result(30)[0].position for each in others] == list(range(2, 10))
    assert gated.groups == [1, 8]
    writer.stop()


def test_a_group_has_an_end_and_a_large_command_goes_in_whole(gated, monkeypatch):
    """Nobody waits behind an endless group."""
    monkeypatch.setattr(module, "LARGEST_GROUP", 5)
    writer = Writer(gated)
    sizes = [1, 2, 2, 2, 9, 1, 1]
    made = [writer.submit(command(gated, *(deployed(str(part)) for part in range(size)))) for size in sizes[:1]]
    assert gated.waiting.acquire(timeout=30)
    made += [writer.submit(command(gated, *(deployed(str(part)) for part in range(size)))) for size in sizes[1:]]
    gated.gate.release(10)
    assert [len(each.result(30)) for each in made] == sizes
    assert gated.groups == [1, 3, 1, 2]
    writer.stop()


def test_of_a_group_only_the_refused_are_refused(gated):
    """Each caller is told its own error; the others' events are stored."""
    writer = Writer(gated)
    blocker = writer.submit(command(gated, draft(deployed("0"), id="a")))
    assert gated.waiting.acquire(timeout=30)
    taken = writer.submit(command(gated, draft(deployed("1"), id="a")))
    good = writer.submit(command(gated, deployed("2")))
    invalid = writer.submit(command(gated, event("record.retracted", position=99)))
    stale = writer.submit(command(gated, deployed("3"), expected=7))
    last = writer.submit(command(gated, deployed("4")))
    gated.gate.release(2)
    assert blocker.result(30)[0].position == 1
    assert isinstance(taken.exception(30), IdTaken)
    assert isinstance(invalid.exception(30), Invalid)
    assert isinstance(stale.exception(30), StaleRevision)
    assert [good.result(30)[0].position, last.result(30)[0].position] == [2, 3]
    assert gated.groups == [1, 5]
    writer.stop()


def test_when_the_store_fails_every_caller_of_the_group_is_told_and_the_next_group_may_fare_better(
    ledger, writer, monkeypatch
):
    """Nothing of the group was stored; the writer goes on."""
    monkeypatch.setattr(ledger.store, "insert_events", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        writer.append(command(ledger, deployed("1")))
    monkeypatch.undo()
    assert writer.append(command(ledger, deployed("1")))[0].position == 1


def test_who_waits_for_news_is_told_after_each_group(ledger):
    """Once a group, when it is durable and before its callers are told."""
    heads = []
    writer = Writer(ledger, lambda: heads.append(ledger.head()))
    writer.append(command(ledger, deployed("1"), deployed("2")))
    writer.append(command(ledger, deployed("3")))
    writer.stop()
    assert heads == [2, 3]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_who_waits_for_news_loses_no_outcome(gated):
    """What is stored is told to be stored; after that the writer is no more, and says so to all who come."""
    writer = Writer(gated, lambda: 1 / 0)
    first = writer.submit(command(gated, deployed("1")))
    assert gated.waiting.acquire(timeout=30)
    late = writer.submit(command(gated, deployed("2")))
    gated.gate.release()
    assert first.result(30)[0].position == 1
    assert isinstance(late.exception(30), WriterStopped)
    with pytest.raises(WriterStopped):
        writer.append(command(gated, deployed("3")))
    writer.stop()


def test_stopping_finishes_what_was_handed_in(gated):
    """And takes nothing more."""
    writer = Writer(gated)
    made = [writer.submit(command(gated, deployed(str(number)))) for number in range(5)]
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    gated.gate.release(5)
    stopping.join(30)
    assert sorted(each.result(0)[0].position for each in made) == [1, 2, 3, 4, 5]
    with pytest.raises(WriterStopped):
        writer.submit(command(gated, deployed("6")))
    writer.stop()


def test_whoever_hands_in_while_the_writer_stops_gets_an_answer(tmp_path):
    """Receipts or WriterStopped; nobody is left waiting behind the end of the queue."""
    for attempt in range(10):
        with closing(Ledger(tmp_path / str(attempt))) as ledger:
            writer = Writer(ledger)
            commands = [command(ledger, deployed(str(number))) for number in range(40)]
            stored = []

            def hand_in(each, writer=writer, stored=stored):
                try:
                    stored.append(writer.submit(each).result(30))
                except WriterStopped:
                    return

            callers = [threading.Thread(target=hand_in, args=(each,)) for each in commands]
            for caller in callers:
                caller.start()
            writer.stop()
            for caller in callers:
                caller.join(30)
                assert not caller.is_alive()
            assert ledger.head() == len(stored)


def test_a_command_can_be_taken_back_until_it_is_taken_in(gated):
    """A caller that gave up in time finds nothing recorded; later it is too late."""
    writer = Writer(gated)
    first = writer.submit(command(gated, deployed("1")))
    assert gated.waiting.acquire(timeout=30)
    given_up = writer.submit(command(gated, deployed("2")))
    last = writer.submit(command(gated, deployed("3")))
    assert given_up.cancel()
    assert not first.cancel()
    gated.gate.release(2)
    assert [first.result(30)[0].position, last.result(30)[0].position] == [1, 2]
    with pytest.raises(CancelledError):
        given_up.result(0)
    writer.stop()
    assert [each.event for each in history(gated)] == [deployed("1"), deployed("3")]
