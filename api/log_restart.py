"""
Beginning a new log over a record that is no longer the one that was signed.

Never under the old name: two checkpoints of one log that contradict each other
are what a log exists to make impossible.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.backup import has_record
from api.config import Settings
from api.service import FolderLock
from api.transparency import place_of
from ledger.checkpoint import parse_checkpoint
from ledger.checkpoints import CHECKPOINTS, COSIGNED, read_newest
from ledger.errors import Damaged
from ledger.log_keys import KEY, VKEYS, LogKeys, read_keys
from ledger.log_name import keep_name, kept_name
from ledger.note import parse_note


@dataclass(frozen=True, slots=True)
class Begun:
    origin: str
    key: str
    kept: Path | None


def restart(settings: Settings) -> Begun:
    """
    Moves what is left of the old log's files into a folder beside, and makes the new one's key.

    Raises:
        FolderInUse: while a server runs on the data folder.
        Damaged: where there is no log, or LASTGOOD_ORIGIN may still name the old one.
    """
    lock = FolderLock(settings.data)
    try:
        place = place_of(settings)
        _check_name(settings.origin, _names(settings, place))
        kept = _put_aside(place)
        keys = LogKeys(place, settings.origin)
        keep_name(settings.data, keys.origin)
        return Begun(keys.origin, keys.signer().verifier.vkey(), kept)
    finally:
        lock.release()


def _names(settings: Settings, place: Path) -> set[str]:
    """The old log's name, or those that may be it, from whatever is left; none where all of it is lost."""
    name = kept_name(settings.data)
    found = set() if name is None else {name}
    newest = read_newest(place / CHECKPOINTS)
    if newest is not None:
        found.add(parse_checkpoint(parse_note(newest).text).origin)
    elif (place / KEY).exists():
        found.add(read_keys(place)[0].name)
    elif not found and not has_record(settings):
        raise Damaged(f"there is no log in {place} that a new one could follow")
    return found


def _check_name(wanted: str | None, old: set[str]) -> None:
    """Raises `Damaged` for a name that the old log has, or may have had."""
    if wanted is not None and wanted in old:
        raise Damaged(f"LASTGOOD_ORIGIN still says {wanted}: give the new log another name, or none")
    if wanted is not None and not old:
        raise Damaged(
            f"nothing is left that tells the old log's name, and LASTGOOD_ORIGIN, {wanted}, may be it: unset it, and "
            "the new log gets a name of its own"
        )


def _put_aside(place: Path) -> Path | None:
    """Where the old log's files are now; None where there were none."""
    # The checkpoints last: whatever stops this in between, no key of the
    # old name is left that could sign without them.
    left = [name for name in (KEY, VKEYS, COSIGNED, CHECKPOINTS) if (place / name).exists()]
    if not left:
        return None
    kept = place / f"until-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    kept.mkdir(mode=0o700)
    for name in left:
        (place / name).rename(kept / name)
    return kept
