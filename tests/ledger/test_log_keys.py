"""The log's keys: made once, for the owner alone, replaced without losing what they signed."""

import re
import stat

import pytest

from ledger.checkpoint import open_checkpoint
from ledger.errors import Damaged
from ledger.log_keys import LogKeys, rotate_key
from ledger.note import NotSigned, Signer, Verifier, signed_note, verify_note
from tests.ledger.sealing_scene import ORIGIN, FaultyDisk, PowerCut, Written, check_held, check_log, held, opened


def test_the_first_start_makes_a_key_that_only_its_owner_may_read(tmp_path):
    keys = LogKeys(tmp_path / "log", ORIGIN)
    path = tmp_path / "log" / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith(f"PRIVATE+KEY+{ORIGIN}+")
    assert (tmp_path / "log" / "vkeys").read_text() == f"{keys.signer().verifier.vkey()}\n"
    assert verify_note(signed_note("a text\n", keys.signer()), keys.verifiers())


def test_a_log_that_nobody_named_gets_a_name_of_its_own_and_keeps_it(tmp_path):
    first, other = LogKeys(tmp_path / "a"), LogKeys(tmp_path / "b")
    assert re.fullmatch(r"lastgood\.local/[0-9a-f]{16}", first.origin)
    assert other.origin != first.origin
    again = LogKeys(tmp_path / "a")
    assert (again.origin, again.verifiers()) == (first.origin, first.verifiers())


def test_a_log_keeps_its_name(tmp_path):
    LogKeys(tmp_path, ORIGIN)
    assert LogKeys(tmp_path).origin == ORIGIN
    with pytest.raises(Damaged, match=f"named {ORIGIN} when it began"):
        LogKeys(tmp_path, "another.example")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o610])
def test_a_key_that_others_may_read_signs_nothing(tmp_path, mode):
    LogKeys(tmp_path)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(Damaged, match=f"{mode:04o}.*chmod 600"):
        LogKeys(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff", b"PRIVATE+KEY+x+00000000+AAAA", b"a+b+c"])
def test_a_spoilt_key_is_told_and_never_shown(tmp_path, content):
    LogKeys(tmp_path)
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(Damaged, match="restore it from a backup"):
        LogKeys(tmp_path)


def test_a_lost_key_is_never_replaced_in_silence(tmp_path):
    """Whoever holds the old public key would be left with a log that they can't read."""
    old = LogKeys(tmp_path).signer().verifier
    (tmp_path / "key").unlink()
    with pytest.raises(Damaged, match="rotate-key"):
        LogKeys(tmp_path)
    new = rotate_key(tmp_path)
    assert LogKeys(tmp_path).verifiers() == (new, old)


def test_a_spoilt_list_of_public_keys_is_told(tmp_path):
    LogKeys(tmp_path)
    (tmp_path / "vkeys").write_text("no key\n")
    with pytest.raises(Damaged, match="vkeys holds something that is no key"):
        LogKeys(tmp_path).verifiers()


def test_a_rotated_key_is_gone_but_for_its_public_half(tmp_path):
    keys = LogKeys(tmp_path, ORIGIN)
    before, note = keys.signer(), signed_note("a text\n", keys.signer())
    new = rotate_key(tmp_path)
    assert keys.verifiers() == (new, before.verifier)
    assert keys.signer().verifier == new
    assert new.name == ORIGIN
    assert before.skey().encode() not in (tmp_path / "key").read_bytes()
    assert verify_note(note, keys.verifiers())
    with pytest.raises(NotSigned):
        verify_note(note, [new])


def test_a_running_log_signs_with_the_new_key_at_once(tmp_path):
    """The newest checkpoint is signed again, so that who knows only the new key can open it; the old one still can."""
    events = Written(3)
    with opened(tmp_path, events) as log:
        old_key = log.keys.signer().verifier
        before = log.turn()
        new_key = rotate_key(log.folder)
        again = log.turn()
        assert again.checkpoint == before.checkpoint
        for key in (old_key, new_key):
            assert open_checkpoint(again.note, ORIGIN, [key]).checkpoint == before.checkpoint
        events.add(1)
        after = log.turn()
        assert list(open_checkpoint(after.note, ORIGIN, log.keys.verifiers()).signatures) == [new_key]
        check_log(log, events.kept, [before.note, again.note, after.note])


def test_every_rotation_adds_a_public_key_in_front(tmp_path):
    keys = LogKeys(tmp_path, ORIGIN)
    made = [keys.signer().verifier, *(rotate_key(tmp_path) for _ in range(4))]
    assert keys.verifiers() == tuple(reversed(made))
    listed = (tmp_path / "vkeys").read_text().splitlines()
    assert [Verifier.from_vkey(line) for line in listed] == made[::-1]


def test_there_is_nothing_to_rotate_before_the_first_start(tmp_path):
    with pytest.raises(Damaged, match="first start"):
        rotate_key(tmp_path)


@pytest.mark.parametrize("way", ["before", "after", "torn", "power"])
def test_a_rotation_that_was_cut_short_leaves_a_log_that_signs(tmp_path, way):
    """With the old key or the new one, and both are published before they sign."""
    for step in range(30):
        folder, events = tmp_path / str(step), Written(3)
        with opened(folder, events) as log:
            outside = [held(log.turn(), 1)]
        try:
            rotate_key(folder / "log", FaultyDisk(step, way))
            finished = True
        except PowerCut:
            finished = False
        events.add(2)
        with opened(folder, events) as log:
            outside.append(held(log.turn(), 4))
            check_log(log, events.kept, [each.note for each in outside])
            for each in outside:
                check_held(each, log.keys)
        published = (folder / "log" / "vkeys").read_text().splitlines()
        assert log.keys.signer().verifier.vkey() in published
        if finished:
            break
    assert step > 4


def test_two_who_begin_at_once_make_one_key(tmp_path):
    """The second finds the first one's."""
    first = LogKeys(tmp_path)
    assert LogKeys(tmp_path).signer().skey() == first.signer().skey()
    assert isinstance(first.signer(), Signer)
