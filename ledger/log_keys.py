"""
The keys that a log signs with: the one in use, and the public halves of all.

`key` is the private key in use, as an skey, for the owner's eyes alone; the
log's name is in it, and so stays as it was at the first start. `vkeys` has
the public keys, newest first, one a line. A key that was replaced is gone but
for its public half: what it signed can be verified for ever.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.disk import Disk
from ledger.errors import Damaged
from ledger.note import MalformedKey, Signer, Verifier

KEY, VKEYS = "key", "vkeys"


class LogKeys:
    """
    The keys in a folder. Safe to use from many threads; a key that another
    process rotated counts from the next question on.
    """

    def __init__(self, folder: Path, origin: str | None = None, disk: Disk | None = None) -> None:
        """
        Makes a key where there never was one; *origin* then names the log, by default something of its own.

        Raises:
            Damaged: where the key is lost, can be read by others, or is of a log with another name.
        """
        disk = disk or Disk()
        disk.make_folder(folder)
        self.folder = folder
        self._complete(origin, disk)
        self.origin = self.signer().verifier.name
        if origin not in (None, self.origin):
            raise Damaged(
                f"the log in {folder} was named {self.origin} when it began, and now {origin} is asked for: a log "
                "keeps its name for ever. Leave LASTGOOD_ORIGIN as it was"
            )

    def signer(self) -> Signer:
        """The key in use. Raises `Damaged`."""
        return _read_key(self.folder / KEY)

    def verifiers(self) -> tuple[Verifier, ...]:
        """The public keys, newest first. Raises `Damaged`."""
        return read_keys(self.folder)

    def _complete(self, origin: str | None, disk: Disk) -> None:
        """Makes what is missing, and what a crash left out while it was made."""
        key, vkeys = self.folder / KEY, self.folder / VKEYS
        if key.exists() and vkeys.exists():
            return
        with _alone(self.folder):
            if not key.exists():
                if vkeys.exists():
                    raise Damaged(
                        f"{key} is lost, the key that signs the log: restore it from a backup; if there is none, "
                        "`lastgood log rotate-key` makes another one"
                    )
                name = origin or f"lastgood.local/{secrets.token_hex(8)}"
                _keep(Signer(name, secrets.token_bytes(32)), self.folder, disk)
            if not vkeys.exists():
                _publish([self.signer().verifier], self.folder, disk)


def read_keys(folder: Path) -> tuple[Verifier, ...]:
    """The public keys of the log in a folder, newest first; nothing is made. Raises `Damaged`."""
    return _newest_first(_read_key(folder / KEY).verifier, _published(folder))


def rotate_key(folder: Path, disk: Disk | None = None) -> Verifier:
    """
    Puts a new key of the same name in the place of the one in use, or of one that was lost; returns its public half.

    The new public key is published before anything can be signed with it.

    Raises:
        Damaged: where there never was a key.
    """
    disk = disk or Disk()
    with _alone(folder):
        old = _published(folder)
        if (folder / KEY).exists():
            old = _newest_first(_read_key(folder / KEY).verifier, old)
        if not old:
            raise Damaged(f"there is no key in {folder} yet: the first start of `lastgood serve` makes one")
        new = Signer(old[0].name, secrets.token_bytes(32))
        _publish([new.verifier, *old], folder, disk)
        _keep(new, folder, disk)
    return new.verifier


def _newest_first(current: Verifier, published: tuple[Verifier, ...]) -> tuple[Verifier, ...]:
    """A crash may have published a key that never came into use."""
    return (current, *(each for each in published if each != current))


def _read_key(path: Path) -> Signer:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        raise Damaged(f"{path} is gone, the key that signs the log: restore it from a backup") from None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - the mode is to be that of the file that is read
        if (mode := stat.S_IMODE(os.fstat(descriptor).st_mode)) & 0o077:
            raise Damaged(
                f"{path} has mode {mode:04o}, so that others may read the key that signs the log: `chmod 600` it; "
                "and if somebody can have read it, `lastgood log rotate-key`"
            )
        text = file.read()
    try:
        return Signer.from_skey(text.decode().removesuffix("\n"))
    except (MalformedKey, UnicodeDecodeError) as error:
        raise Damaged(f"{path} does not hold the key that signs the log ({error}): restore it from a backup") from None


def _published(folder: Path) -> tuple[Verifier, ...]:
    path = folder / VKEYS
    try:
        return tuple(map(Verifier.from_vkey, path.read_text("utf-8").splitlines()))
    except FileNotFoundError:
        return ()
    except (MalformedKey, UnicodeDecodeError) as error:
        raise Damaged(f"{path} holds something that is no key ({error}): restore it from a backup") from None


def _publish(verifiers: list[Verifier], folder: Path, disk: Disk) -> None:
    disk.replace(folder / VKEYS, "".join(f"{each.vkey()}\n" for each in verifiers).encode())


def _keep(signer: Signer, folder: Path, disk: Disk) -> None:
    disk.replace(folder / KEY, f"{signer.skey()}\n".encode(), 0o600)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "keys.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
