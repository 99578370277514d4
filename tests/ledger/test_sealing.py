"""Sealing: the checkpoints of a growing record, whatever stops it in between."""

import random
import stat
import time
from itertools import count, pairwise

import pytest

from ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, signed_checkpoint
from ledger.checkpoints import CHECKPOINTS, COSIGNED, Checkpoints, Cosigned, DamagedHistory, Superseded, read_notes
from ledger.hashes import DamagedHashes
from ledger.log_keys import rotate_key
from ledger.merkle import EMPTY_ROOT, leaf_hash, root, verify_consistency
from ledger.note import parse_note
from ledger.sealer import EventsDiffer, EventsMissing, SignedElsewhere
from ledger.sealing import Sealing
from ledger.tiles import Tile
from tests.ledger.sealing_scene import ORIGIN, FaultyDisk, PowerCut, Written, check_held, check_log, held, opened

GROWTH = [0, 1, 3, 255, 1, 300, 0, 70]
"""How many events are recorded before each turn: across the edges of tiles, and none at all."""


@pytest.fixture
def events():
    return Written()


@pytest.fixture
def log(tmp_path, events):
    with opened(tmp_path, events) as made:
        yield made


def grow(log, events, growth=GROWTH):
    """The checkpoints that were published meanwhile."""
    published = []
    for more in growth:
        events.add(more)
        published.append(log.turn())
    return published


# What is sealed


def test_an_empty_record_has_a_checkpoint_too(log):
    """So that a reader of a log that was just begun need not guess."""
    assert log.turn().checkpoint.root == EMPTY_ROOT


def test_every_turn_seals_all_that_was_recorded(log, events):
    for sealed in grow(log, events):
        hashes = [leaf_hash(leaf) for leaf in events.kept[: sealed.size]]
        assert sealed.checkpoint.root == root(hashes) == sealed.tree.root()
        assert open_checkpoint(sealed.note, ORIGIN, log.keys.verifiers()).checkpoint == sealed.checkpoint
    assert sealed.size == sum(GROWTH)
    check_log(log, events.kept)


def test_nothing_is_signed_where_nothing_was_recorded(log, events):
    events.add(5)
    assert log.turn() is log.turn()
    assert len(list(read_notes(log.folder / CHECKPOINTS))) == 1


def test_all_checkpoints_ever_published_are_kept_and_follow_from_each_other(log, events):
    published = grow(log, events)
    kept = list(read_notes(log.folder / CHECKPOINTS))
    assert kept == list(dict.fromkeys(each.note for each in published))
    last = published[-1]
    for older in published:
        if older.size > 0:
            proof = last.tree.consistency_proof(older.size)
            verify_consistency(older.size, last.size, older.checkpoint.root, last.checkpoint.root, proof)


def test_tiles_of_three_levels_come_out_right(log, events):
    """One hash at level 2 takes 65,536 leaves."""
    grow(log, events, [65_000, 1_100])
    assert log.hashes.size() == 66_100
    check_log(log, events.kept)


def test_another_process_goes_on_where_the_last_one_ended(tmp_path, events):
    for more in GROWTH:
        events.add(more)
        with opened(tmp_path, events) as log:
            assert log.turn().size == events.head()
            check_log(log, events.kept)


def test_hashes_that_are_lost_or_spoilt_are_worked_out_anew(tmp_path, events):
    """They are derived: nothing depends on their files but time."""
    with opened(tmp_path, events) as log:
        grow(log, events)
    level = tmp_path / "hashes" / "level-0"
    whole = level.read_bytes()
    for spoilt in (b"", whole[:100], whole[:-32] + bytes(32), whole + b"more"):
        level.write_bytes(spoilt)
        with opened(tmp_path, events) as log:
            log.turn()
            check_log(log, events.kept)


def test_a_full_tile_that_was_spoilt_is_never_read(tmp_path, log, events):
    """It does not lead up to the level above, and the error says how to get over it."""
    grow(log, events)
    level = tmp_path / "hashes" / "level-0"
    level.write_bytes(bytes(32) + level.read_bytes()[32:])
    for tile in (Tile(0, 0), Tile(0, 0, 9)):
        with pytest.raises(DamagedHashes, match=r"delete .*hashes"):
            log.hashes.read(tile)
    level.unlink()
    with opened(tmp_path, events) as again:
        again.sealer.turn()
        check_log(again, events.kept)


def test_hashes_that_are_spoilt_under_a_running_sealer_are_never_signed(log, events):
    """That turn fails, and the next one works them out anew."""
    grow(log, events)
    (log.folder.parent / "hashes" / "level-0").write_bytes(bytes(32 * events.head()))
    log.sealer.sealed.tree._rows.cache_clear()
    events.add(1)
    with pytest.raises(Exception, match="worked out anew"):
        log.turn()
    assert log.turn().size == events.head()
    check_log(log, events.kept)


# When the record is not the one that was signed


def test_a_record_that_lost_events_is_noticed_and_nothing_is_signed(tmp_path, events):
    """An old backup, restored under a newer checkpoint."""
    with opened(tmp_path, events) as log:
        grow(log, events)
    kept = (tmp_path / "log" / CHECKPOINTS).read_bytes()
    del events.kept[-1]
    with opened(tmp_path, events) as log:
        with pytest.raises(EventsMissing, match=f"over {sum(GROWTH)} events .* ends at {sum(GROWTH) - 1}.*restore"):
            log.turn()
        assert log.sealer.sealed is None
    assert (tmp_path / "log" / CHECKPOINTS).read_bytes() == kept


@pytest.mark.parametrize("way", ["the last one", "any one, and the kept hashes are gone"])
def test_a_record_with_other_events_is_noticed_and_nothing_is_signed(tmp_path, events, way):
    """A backup that went its own way: as many events, or more, and not those."""
    with opened(tmp_path, events) as log:
        grow(log, events)
    kept = (tmp_path / "log" / CHECKPOINTS).read_bytes()
    if way == "the last one":
        events.kept[-1] = b"another"
    else:
        events.kept[17] = b"another"
        (tmp_path / "hashes" / "level-0").unlink()
    events.add(300)
    with opened(tmp_path, events) as log:
        for _ in range(2):
            with pytest.raises(EventsDiffer, match=r"was signed.*log restart"):
                log.turn()
    assert (tmp_path / "log" / CHECKPOINTS).read_bytes() == kept


def test_a_record_that_shrinks_under_a_running_sealer_is_noticed(log, events):
    grow(log, events)
    del events.kept[-2:]
    with pytest.raises(EventsMissing):
        log.turn()


def test_a_place_with_another_logs_checkpoints_is_refused(tmp_path, events):
    with opened(tmp_path, events) as log:
        grow(log, events)
    (tmp_path / "log" / "key").unlink()
    (tmp_path / "log" / "vkeys").unlink()
    with opened(tmp_path, events) as log, pytest.raises(SignedElsewhere, match="not this log's"):
        log.turn()


# One sealer at a time


def test_a_second_sealer_waits_follows_and_takes_over(tmp_path, events):
    """Each process has hashes of its own; the checkpoints are shared."""
    other_hashes = tmp_path / "other"
    with opened(tmp_path, events) as first:
        other_hashes.mkdir()
        (other_hashes / "log").symlink_to(tmp_path / "log")
        with opened(other_hashes, events) as second:
            events.add(10)
            ours = first.turn()
            assert second.turn().note == ours.note
            events.add(10)
            assert second.turn().note == ours.note
            newer = first.turn()
            assert second.turn().note == newer.note
            first.close()
            events.add(300)
            last = second.turn()
            assert last.size == events.head()
            check_log(second, events.kept, [ours.note, newer.note, last.note])


def test_a_checkpoint_is_added_only_behind_the_one_that_was_read(log, events):
    events.add(1)
    sealed = log.turn()
    for stale in (None, sealed.note.replace(b"prod", b"test")):
        with pytest.raises(Superseded):
            log.checkpoints.add(sealed.note, stale)


def test_a_checkpoint_of_the_same_size_with_another_root_is_never_kept(log, events):
    """Not even if who signs asks for it: it is the last door."""
    events.add(4)
    sealed = log.turn()
    for size in (3, 4):
        forged = signed_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), log.keys.signer()).encoded()
        with pytest.raises(ValueError, match="can never follow"):
            log.checkpoints.add(forged, sealed.note)


def test_only_who_holds_the_lock_adds(tmp_path, log, events):
    log.turn()
    with pytest.raises(RuntimeError, match="holds the lock"):
        Checkpoints(log.folder).add(b"", None)


# Crashes


def story(log, events, outside):
    """What a process does until it is stopped; *outside* gets what left it."""
    for more in (2, 254, 45):
        events.add(more)
        sealed = log.turn()
        outside.append(held(sealed, sealed.size - 1))
    rotate_key(log.folder, log.hashes._disk)
    sealed = log.turn()
    outside.append(held(sealed, 0))
    events.add(1)
    sealed = log.turn()
    outside.append(held(sealed, 7))


def crash(folder, events, outside, step, way):
    """Whether the story was stopped at this step."""
    try:
        disk = FaultyDisk(step, way)
        with opened(folder, events, disk) as log:
            story(log, events, outside)
    except PowerCut:
        return True
    return False


def check_after(folder, events, outside):
    with opened(folder, events) as log:
        events.add(1)
        assert log.turn().size == events.head()
        check_log(log, events.kept, [each.note for each in outside])
        for each in outside:
            check_held(each, log.keys)


@pytest.mark.parametrize("way", ["before", "after", "torn", "power"])
def test_a_log_that_was_stopped_at_any_step_goes_on_and_keeps_its_word(tmp_path, way):
    """All that was ever seen outside is kept, agrees with what follows, and verifies."""
    for step in count():
        folder, events, outside = tmp_path / str(step), Written(), []
        folder.mkdir()
        stopped = crash(folder, events, outside, step, way)
        check_after(folder, events, outside)
        if not stopped:
            break
    assert step > 30


def test_a_log_that_is_stopped_again_and_again_keeps_its_word(tmp_path):
    """Also while it gets over the last time."""
    draw = random.Random(7)
    for number in range(40):
        folder, events, outside = tmp_path / str(number), Written(), []
        folder.mkdir()
        for _ in range(4):
            crash(folder, events, outside, draw.randrange(25), draw.choice(["before", "after", "torn", "power"]))
        check_after(folder, events, outside)


def test_a_disk_that_fails_is_tried_again(tmp_path, events):
    """After an error it is not known what was written; the next turn looks."""
    for step in count():
        folder = tmp_path / str(step)
        folder.mkdir()
        with opened(folder, events) as log:
            log.turn()
            events.add(3)
            failing = FullDisk(step)
            log.checkpoints._disk = log.hashes._disk = failing
            if failing.left >= 0 and not fails(log):
                break
            events.add(300)
            assert log.turn().size == events.head()
            check_log(log, events.kept)
    assert step > 3


class FullDisk(FaultyDisk):
    """Fails once, with half of a write done, and then works."""

    def __init__(self, step):
        super().__init__(step, "torn")

    @property
    def left(self):
        return self._left

    def _stop(self):
        self._left = -1
        raise OSError(28, "No space left on device")


def fails(log):
    try:
        log.turn()
    except OSError:
        return True
    return False


# The files


def test_what_a_crash_left_of_a_note_is_written_over(tmp_path, log, events):
    events.add(1)
    first = log.turn()
    path = log.folder / CHECKPOINTS
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole + whole[:end])
        assert log.checkpoints.newest() == first.note
        assert Checkpoints(log.folder).newest() == first.note
    path.write_bytes(whole + first.note + b"more" * 100)
    events.add(1)
    second = log.turn()
    assert path.read_bytes() == first.note + b"\n" + second.note + b"\n"


def test_a_history_that_does_not_end_in_a_checkpoint_is_refused(log, events):
    grow(log, events)
    path = log.folder / CHECKPOINTS
    path.write_bytes(path.read_bytes().replace("— ".encode(), b"- "))
    with pytest.raises(DamagedHistory, match="restore it from a backup"):
        log.checkpoints.newest()


def test_a_history_with_something_else_in_it_is_refused(log, events):
    grow(log, events)
    path = log.folder / CHECKPOINTS
    path.write_bytes(b"x\n\ny\n\n" + path.read_bytes())
    with pytest.raises(DamagedHistory, match="not a signed note"):
        list(read_notes(path))


def test_the_newest_of_many_checkpoints_is_found(log, events):
    """Only the end of the file is read."""
    for _ in range(400):
        events.add(1)
        sealed = log.turn()
    assert log.checkpoints.path.stat().st_size > 1 << 16
    assert log.checkpoints.newest() == sealed.note
    sizes = [parse_checkpoint(parse_note(note).text).size for note in read_notes(log.checkpoints.path)]
    assert all(older < newer for older, newer in pairwise(sizes))


def test_cosigned_checkpoints_are_kept_beside(tmp_path, log, events):
    cosigned = Cosigned(log.folder)
    assert cosigned.newest() is None
    notes = [each.note for each in grow(log, events)]
    for note in notes:
        cosigned.add(note)
    assert cosigned.newest() == notes[-1]
    assert list(read_notes(log.folder / COSIGNED)) == notes


def test_the_place_is_for_the_owner_alone(log):
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700


# The thread


@pytest.fixture
def sealing(tmp_path, events):
    """One that seals once a minute, unless it is asked to."""
    with opened(tmp_path, events) as log:
        made = Sealing(log.sealer, interval_s=60)
        yield made
        if made.alive:
            made.stop()


def test_who_waits_gets_a_checkpoint_that_has_their_event(sealing, events):
    sealing.start()
    events.add(3)
    begun = time.monotonic()
    sealed = sealing.wait(3, 10)
    assert sealed.size == 3
    assert time.monotonic() - begun < 5


def test_who_waits_for_what_was_never_recorded_is_let_go(sealing, events):
    sealing.start()
    assert sealing.wait(1, 0.2) is None


def test_without_anyone_waiting_it_seals_in_time(tmp_path, events):
    with opened(tmp_path, events) as log:
        sealing = Sealing(log.sealer, interval_s=0.05)
        sealing.start()
        first = sealing.sealed
        events.add(1)
        assert sealing.wait_for_other(first, 10).size == 1
        sealing.stop()


def test_a_stop_seals_what_was_recorded_and_leaves_the_task_to_others(tmp_path, sealing, events):
    sealing.start()
    events.add(2)
    sealing.stop()
    assert sealing.sealed.size == 2
    assert Checkpoints(tmp_path / "log").lock()


def test_trouble_is_known_before_the_first_append_and_stays(tmp_path, events):
    with opened(tmp_path, events) as log:
        events.add(5)
        log.turn()
    del events.kept[0]
    with opened(tmp_path, events) as log:
        sealing = Sealing(log.sealer)
        sealing.start()
        assert isinstance(sealing.trouble, EventsMissing)
        events.add(5)
        assert sealing.wait(5, 10) is None
        sealing.stop()
        assert isinstance(sealing.trouble, EventsMissing)


def test_a_failure_is_told_until_it_is_over(tmp_path, events):
    with opened(tmp_path, events) as log:
        sealing = Sealing(log.sealer, interval_s=0.02)
        key = tmp_path / "log" / "key"
        key.chmod(0o644)
        sealing.start()
        assert "chmod 600" in str(sealing.failure)
        assert sealing.wait(0, 0.1) is None
        key.chmod(0o600)
        assert sealing.wait(0, 10) is not None
        sealing.stop()
        assert sealing.failure is None
