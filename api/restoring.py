"""
Putting a backup back: only where it is known to go on from what was last signed.

A backup is always older than the record it was taken of. If events were
recorded after it, restoring it and going on would make a second history; so
it is held against the newest checkpoint that can be found, and refused where
it lacks events of that. To look at it all the same, it can be put back
unverified: then the server reads, and records nothing.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.backup import LOG, opened
from api.config import Settings
from api.service import READ_MODELS, FolderLock
from api.transparency import HASHES, place_of
from ledger.checkpoint import parse_checkpoint
from ledger.checkpoints import CHECKPOINTS, COSIGNED, Checkpoints, read_newest
from ledger.disk import Disk
from ledger.log_keys import KEY, VKEYS
from ledger.note import Verifier, parse_note
from ledger.verify_record import Progress, Verified, verify_record
from ledger.verify_store import DATABASE


class Refused(Exception):
    """A backup that is not put back, and what to do instead. `report` is what its verification found, if it ran."""

    def __init__(self, message: str, advice: str, report: Verified | None = None) -> None:
        super().__init__(message)
        self.advice, self.report = advice, report


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    *checkpoints* are those that somebody kept. `unverified`: put it back also
    where it contradicts them, to be read only. `without_checkpoint`: there is
    none to be had.
    """

    checkpoints: Sequence[bytes] = ()
    keys: Sequence[Verifier] = ()
    unverified: bool = False
    without_checkpoint: bool = False


def restore(settings: Settings, path: Path, wanted: Wanted, progress: Progress) -> Verified:
    """
    Puts a backup into the data folder, and returns what its verification found.

    The folder holds no events; a log that is there already stays, and its
    newest checkpoint counts as one that was kept.

    Raises:
        Refused, NotABackup, FolderInUse, OSError.
    """
    lock = FolderLock(settings.data)
    try:
        _check_empty(settings)
        known = _known(settings, wanted)
        with opened(path, settings.data) as found:
            keys = wanted.keys or _published(found / LOG, place_of(settings))
            report = verify_record(found, found / LOG, known, keys, progress, thorough=True)
            _judge(report, wanted)
            _put_back(settings, found)
            if report.contradictions:
                _mark_unverified(settings, known)
        return report
    finally:
        lock.release()


def _check_empty(settings: Settings) -> None:
    if (settings.data / DATABASE).exists():
        raise Refused(
            f"{settings.data} holds events, and a backup would take their place",
            f"keep them: `mv {settings.data} {settings.data}.before`; then restore with "
            f"--checkpoint {settings.data}.before/{settings.checkpoints}/{CHECKPOINTS}, the newest that was signed there",
        )


def _known(settings: Settings, wanted: Wanted) -> list[bytes]:
    """Every checkpoint that the backup must go on from."""
    there = read_newest(place_of(settings) / CHECKPOINTS)
    known = [*wanted.checkpoints, *([] if there is None else [there])]
    if not known and not wanted.without_checkpoint:
        raise Refused(
            "no checkpoint is known that tells how far the record had come, so that an old backup would go unnoticed",
            "give the newest that you can find with --checkpoint: a receipt, a report, an evidence bundle, what a witness or "
            "anyone who verifies kept. If there is none anywhere, say --without-checkpoint",
        )
    return known


def _published(*logs: Path) -> list[Verifier]:
    """The public keys in the backup, and those of a log that is there already: its key may be newer."""
    lines = [line for log in logs if (log / VKEYS).exists() for line in (log / VKEYS).read_text().splitlines()]
    return list(map(Verifier.from_vkey, dict.fromkeys(lines)))


def _judge(report: Verified, wanted: Wanted) -> None:
    own = [each for each in report.differences if each not in report.contradictions]
    if own:
        raise Refused(
            f"the backup differs in itself: {own[0].text}",
            "take another backup; `lastgood verify BACKUP` tells all that differs",
            report,
        )
    if report.contradictions and not wanted.unverified:
        raise Refused(
            f"{report.contradictions[0].text}. Put back, it would be another history than the one that was signed",
            "look for a newer backup, or one of the right ledger. To read what is in this one meanwhile, restore it with "
            "--unverified: the server then answers, marks every answer, and records nothing. If what is missing is lost for "
            "good, `lastgood log restart` begins a new log over what is left",
            report,
        )


def _put_back(settings: Settings, found: Path) -> None:
    """What is missing in the folder. Answers and hashes are of other events, and are made anew."""
    place, disk = place_of(settings), Disk()
    for derived in (READ_MODELS, HASHES):
        shutil.rmtree(settings.data / derived, ignore_errors=True)
    if (place / CHECKPOINTS).exists():
        shutil.rmtree(found / LOG, ignore_errors=True)
    for source in sorted(each for each in found.rglob("*") if each.is_file() and each.name != DATABASE):
        parts = source.relative_to(found).parts
        target = place.joinpath(*parts[1:]) if parts[0] == LOG else settings.data.joinpath(*parts)
        _place(source, target, disk)
    # The events last: until they are there the folder counts as empty, and can be restored again.
    _place(found / DATABASE, settings.data / DATABASE, disk)


def _place(source: Path, target: Path, disk: Disk) -> None:
    if target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.restored")
    shutil.copyfile(source, made)
    made.chmod(0o644 if target.name in (CHECKPOINTS, COSIGNED, VKEYS) else 0o600)
    with made.open("rb") as file:
        disk.sync(made, file.fileno())
    made.rename(target)
    disk.sync_folder(target.parent)


def _mark_unverified(settings: Settings, known: Sequence[bytes]) -> None:
    """The newest checkpoint that is known becomes the log's own, so that the server finds that the record is not its."""
    place = place_of(settings)
    newest = max(known, key=lambda note: parse_checkpoint(parse_note(note).text).size)
    checkpoints = Checkpoints(place)
    there = checkpoints.newest()
    try:
        if not checkpoints.lock():
            raise Refused(f"another process seals in {place}", "stop it, then restore again")
        if there == newest:
            return
        try:
            checkpoints.add(newest, there)
        except ValueError:
            # One of the same size or a smaller one, of another history: that of the backup goes aside.
            (place / CHECKPOINTS).rename(place / f"{CHECKPOINTS}.of-the-backup")
            checkpoints.add(newest, None)
    finally:
        checkpoints.unlock()


def missing_key(settings: Settings) -> Path | None:
    """Where the key that signs the log has to be put before a server can start; None where it is."""
    place = place_of(settings)
    return place / KEY if (place / VKEYS).exists() and not (place / KEY).exists() else None
