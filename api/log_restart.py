"""
Beginning a new log over a record that is no longer the one that was signed.

Never under the old name: two checkpoints of one log that contradict each other
are what a log exists to make impossible.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.config import Settings
from api.service import FolderLock
from api.transparency import place_of
from ledger.checkpoint import parse_checkpoint
from ledger.checkpoints import CHECKPOINTS, COSIGNED, read_newest
from ledger.errors import Damaged
from ledger.log_keys import KEY, VKEYS, LogKeys, read_keys
from ledger.note import parse_note


@dataclass(frozen=True, slots=True)
class Begun:
    origin: str
    key: str
    kept: Path


def restart(settings: Settings) -> Begun:
    """
    Moves the old log's files into a folder beside, and makes the new one's key.

    Raises:
        FolderInUse: while a server runs on the data folder.
        Damaged: where there is no log, or LASTGOOD_ORIGIN still names the old one.
    """
    lock = FolderLock(settings.data)
    try:
        place = place_of(settings)
        old = _origin(place)
        if settings.origin == old:
            raise Damaged(f"LASTGOOD_ORIGIN still says {old}: give the new log another name, or none")
        kept = place / f"until-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        kept.mkdir(mode=0o700)
        # The checkpoints last: whatever stops this in between, no key of the
        # old name is left that could sign without them.
        for name in (KEY, VKEYS, COSIGNED, CHECKPOINTS):
            if (place / name).exists():
                (place / name).rename(kept / name)
        keys = LogKeys(place, settings.origin)
        return Begun(keys.origin, keys.signer().verifier.vkey(), kept)
    finally:
        lock.release()


def _origin(place: Path) -> str:
    """The old log's name, from whatever is left of it."""
    newest = read_newest(place / CHECKPOINTS)
    if newest is not None:
        return parse_checkpoint(parse_note(newest).text).origin
    if (place / KEY).exists():
        return read_keys(place)[0].name
    raise Damaged(f"there is no log in {place} that a new one could follow")
