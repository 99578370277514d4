"""
Backups: a data folder in one file, taken while a server runs, and put back.

A backup is a zip of what can't be made anew: the event database, the log's
checkpoints and public keys, the access file, the fingerprint key; and of
`backup.json`, which says what it is and has the SHA-256 of each. The log is
copied before the events, so that no backup has a checkpoint of events that it
lacks. What a backup is worth is found out by opening it again.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

from api import tokens
from api.config import Settings
from api.transparency import place_of
from ledger.disk import Disk
from ledger.log_keys import KEY
from ledger.verify_record import Progress, Verified, verify_record
from ledger.verify_store import DATABASE

FORMAT = "lastgood backup 1"
MANIFEST = "backup.json"
LOG = "log"
"""In a backup, wherever LASTGOOD_CHECKPOINTS has it."""

FINGERPRINT_KEY = "fingerprint.key"
_LOCKS = ("lock", "keys.lock")
_PIECE = 1 << 20


class NotABackup(Exception):
    """A file that is none, or not whole."""


def has_record(settings: Settings) -> bool:
    return (settings.data / DATABASE).exists()


def back_up(settings: Settings, path: Path, progress: Progress, *, with_key: bool = False) -> Verified:
    """
    Writes a backup to a file that is not there yet, and returns what its verification found.

    It gets its name when all of it is on the disk. Where the verification
    found a difference the file is kept all the same: it may be all there is.

    Raises:
        FileExistsError, OSError, sqlite3.Error, NotABackup.
    """
    if path.exists():
        raise FileExistsError(f"{path} is there already: name another file")
    partial = path.with_name(f".{path.name}.partial")
    try:
        with _folder_beside(path) as stage:
            _copy(settings, stage, with_key=with_key)
            _pack(stage, partial, with_key=with_key)
        with opened(partial, path.parent) as found:
            report = verify_record(found, found / LOG, progress=progress, thorough=True)
        partial.rename(path)
        Disk().sync_folder(path.parent)
        return report
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def opened(path: Path, beside: Path | None = None) -> Iterator[Path]:
    """
    A backup as a data folder, for as long as the context lasts; each file is the one that was backed up.

    Raises:
        NotABackup.
    """
    with _folder_beside(beside / path.name if beside else path) as folder:
        unpack(path, folder)
        yield folder


def unpack(path: Path, folder: Path) -> dict[str, Any]:
    """The files of a backup, put into a folder, and its manifest. Raises `NotABackup` where one is not as it was."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT or set(archive.namelist()) != {MANIFEST, *manifest["files"]}:
                raise NotABackup(f"{path} is not a backup that this release knows: {manifest['format']}")
            for name, digest in manifest["files"].items():
                _unpack_one(archive, name, folder, digest)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise NotABackup(f"{path} is not a backup, or not whole: {error}") from None
    return manifest


def is_backup(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return MANIFEST in archive.namelist()


def _unpack_one(archive: zipfile.ZipFile, name: str, folder: Path, digest: str) -> None:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise NotABackup(f"it has a file for another place: {name}")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashed = hashlib.sha256()
    with archive.open(name) as source, _private(target) as out:
        while piece := source.read(_PIECE):
            hashed.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    if hashed.hexdigest() != digest:
        raise NotABackup(f"{name} in it is not as it was when the backup was made")


def _copy(settings: Settings, stage: Path, *, with_key: bool) -> None:
    """What can't be made anew. The log first: events may be ahead of their checkpoint, and never behind it."""
    place = place_of(settings)
    for source in sorted(place.rglob("*")) if place.is_dir() else ():
        if source.is_file() and source.name not in _LOCKS and (with_key or source.name != KEY):
            target = stage / LOG / source.relative_to(place)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    # A token without its grant in the record opens nothing, so these go before the events, too.
    for name in (tokens.FILE, DATABASE):
        if (settings.data / name).exists():
            _copy_database(settings.data / name, stage / name)
    if (key := settings.data / FINGERPRINT_KEY).exists():
        shutil.copyfile(key, stage / FINGERPRINT_KEY)


def _copy_database(source: Path, target: Path) -> None:
    """As of one moment, by SQLite's online backup; whoever writes meanwhile is not kept waiting."""
    # Without a write-ahead log beside it nobody has it open, and then SQLite must be free to make one.
    mode = "ro" if source.with_name(f"{source.name}-wal").exists() else "rw"
    uri = f"file:{quote(str(source.absolute()))}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
        # A file of its own, that can be read from anywhere.
        other.execute("PRAGMA journal_mode = DELETE")


def _pack(stage: Path, path: Path, *, with_key: bool) -> None:
    files = {str(each.relative_to(stage)): each for each in sorted(stage.rglob("*")) if each.is_file()}
    manifest = {
        "format": FORMAT,
        "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "with_key": with_key,
        "files": {name: _digest(each) for name, each in files.items()},
    }
    with _private(path) as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1) + "\n")
            for name, each in files.items():
                archive.write(each, name)
        out.flush()
        os.fsync(out.fileno())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(path: Path) -> Any:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "w+b")


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """On the disk that has room for the file itself; gone at the end."""
    made = Path(mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield made
    finally:
        shutil.rmtree(made)
