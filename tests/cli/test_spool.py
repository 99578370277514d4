"""Events on disk: complete or absent, in order, private."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.spool import Spool

ONE, TWO, THREE = b'{"id":"1"}', b'{"id":"2"}', b'{"id":"3"}'


def test_files_come_back_oldest_first(tmp_path):
    """Flushing keeps the order in which events were spooled."""
    spool = Spool(tmp_path / "spool")
    for events in ([ONE, TWO], [THREE]):
        spool.put(events)
    assert [path.read_bytes() for path in spool.waiting()] == [ONE + b"\n" + TWO + b"\n", THREE + b"\n"]


def test_nobody_else_can_read_them(tmp_path):
    """Events hold names and reasons."""
    spool = Spool(tmp_path / "deep" / "spool")
    path = spool.put([ONE])
    aside = spool.set_aside(TWO, "refused")
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(aside.stat().st_mode) == 0o600


def test_the_file_and_the_folder_are_on_disk_before_put_returns(tmp_path, monkeypatch):
    """A power cut after `put` loses nothing: content, then name, then folder."""
    steps = []
    sync, rename = os.fsync, type(tmp_path).rename

    def noted_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def noted_rename(path, target):
        steps.append("rename")
        return rename(path, target)

    spool = Spool(tmp_path)
    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(type(tmp_path), "rename", noted_rename)
    spool.put([ONE])
    assert steps == ["file", "rename", "folder"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    """The caller learns of it, and no later flush sends half an event."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    spool = Spool(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        spool.put([ONE])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_was_killed_leaves_nothing_to_send(tmp_path):
    """What was never complete was never promised."""
    program = (
        "import os, pathlib, sys; from api.cli import spool; "
        "spool.os.fsync = lambda _: os._exit(9); spool.Spool(pathlib.Path(sys.argv[1])).put([b'{}'])"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=root, check=False)
    assert killed.returncode == 9
    assert len(list(tmp_path.iterdir())) == 1
    assert Spool(tmp_path).waiting() == []


def test_a_refused_event_stays_with_its_reason(tmp_path):
    """And is not among those that wait."""
    spool = Spool(tmp_path)
    path = spool.set_aside(b'{"id": "1"}', "version is required")
    assert path.name.endswith(".refused")
    assert [(each.path, each.event, each.reason) for each in spool.refused()] == [
        (path, b'{"id": "1"}', "version is required")
    ]
    assert spool.waiting() == []


def test_what_another_flush_removed_is_gone(tmp_path):
    """Two flushes at once must not fail each other."""
    spool = Spool(tmp_path)
    path = spool.put([ONE])
    spool.remove(path)
    spool.remove(path)
    assert spool.waiting() == []


def test_a_spool_that_does_not_exist_is_empty(tmp_path):
    """Nothing was ever spooled."""
    assert Spool(tmp_path / "none").waiting() == []
    assert Spool(tmp_path / "none").refused() == []
