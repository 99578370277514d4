"""
The log as a server runs it: sealed, cosigned, and read by anyone who asks.

What is given out is of a published checkpoint, never of what only the files
have; whoever gets a checkpoint finds everything that it speaks of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from api.config import Settings
from api.witnesses import Asking
from ledger.application import Ledger
from ledger.checkpoint import parse_checkpoint
from ledger.checkpoints import CHECKPOINTS, Checkpoints, Cosigned, read_newest
from ledger.codec import Row
from ledger.cosignatures import Cosignatures
from ledger.errors import Damaged, LedgerError, NotRecorded
from ledger.hashes import Hashes
from ledger.leaves import Leaves
from ledger.log_keys import KEY, VKEYS, LogKeys
from ledger.log_name import keep_name, kept_name
from ledger.note import parse_note
from ledger.proof import Proof
from ledger.sealer import EventsMissing, Sealed, Sealer, Unverified
from ledger.sealing import Sealing
from ledger.tiles import Bundle, TiledTree, TileError, encode_bundle, parse_path

HASHES = "hashes"
"""In the data folder."""

SEAL_PATIENCE_S = 5.0
"""How long one waits for a checkpoint; it takes a tenth of a second unless the disk is in trouble."""


class LogGone(Damaged):
    """A record that was sealed in a log whose files are not there."""

    def __init__(self, place: Path, name: str | None) -> None:
        super().__init__(
            f"{f'the log {name}, in which this record is sealed,' if name else 'the log of this record'} is not in "
            f"{place}. Is its disk mounted, and does LASTGOOD_CHECKPOINTS say where it is? Else restore its files from a "
            "backup. If they are lost for good, `lastgood log restart` begins a new log with another key"
        )


class NotPublished(LedgerError):
    """A part of the log that there is not, or not yet."""


class NotSealed(LedgerError):
    """An event that is recorded, and in no checkpoint yet."""

    def __init__(self, position: int, sealed: int) -> None:
        super().__init__(
            f"position {position} is recorded and not sealed yet, the log has {sealed}: ask again in a second"
        )
        self.position, self.sealed = position, sealed


@dataclass(frozen=True)
class Log:
    keys: LogKeys
    sealing: Sealing
    cosignatures: Cosignatures
    witnesses: tuple[Asking, ...]
    _checkpoints: Checkpoints
    _leaves: Leaves
    _hashes: Hashes

    def start(self) -> None:
        """Compares the record with its newest checkpoint, then seals; returns once the first is done."""
        self.sealing.start()
        for each in self.witnesses:
            each.start()

    def stop(self) -> None:
        """Seals what was recorded."""
        for each in self.witnesses:
            each.stop()
        self.sealing.stop()

    def refusal(self) -> Unverified | None:
        """Why nothing may be appended, if so."""
        return self.sealing.trouble

    def unready(self) -> Iterator[str]:
        """Why the log can't do its work, in sentences for who runs it."""
        if self.sealing.trouble is not None:
            yield str(self.sealing.trouble)
        elif self.sealing.failure is not None:
            yield f"what is recorded can't be sealed at the moment: {self.sealing.failure}"
        elif not self.sealing.alive:
            yield "the sealer has ended, so nothing is sealed: restart the server"

    def unsealed(self) -> int:
        """How many events are recorded and in no checkpoint yet."""
        return max(0, self._leaves.head() - (self.sealing.sealed.size if self.sealing.sealed else 0))

    # What is served

    def checkpoint(self) -> bytes:
        """The newest checkpoint, with the cosignatures that there are of it. Raises `NotPublished`."""
        note = self.sealing.sealed.note if self.sealing.sealed else None
        if note is None and self.sealing.trouble is not None:
            # The one that the record does not fit is what outsiders need most: it tells what was there.
            note = self._checkpoints.newest()
        if note is None:
            raise NotPublished("there is no checkpoint yet: ask again in a second")
        return self.cosignatures.joined(note)

    def file(self, path: str) -> bytes:
        """
        The tile or bundle of this path.

        Raises:
            NotPublished: where the path names none, or none of the published log.
        """
        sealed = self._published()
        try:
            part = parse_path(path)
            if part.leaves.end > sealed.size:
                raise NotPublished(f"{path} goes beyond the published log, which has {sealed.size} events")
            if isinstance(part, Bundle):
                return encode_bundle(part, list(self._leaves.leaves(*part.leaves)))
            return self._hashes.read(part)
        except TileError as error:
            raise NotPublished(str(error)) from None

    def wait(self, position: int, patience_s: float = SEAL_PATIENCE_S) -> Sealed | None:
        """The newest checkpoint as soon as it has the event at this position; None where that takes too long."""
        return self.sealing.wait(position, patience_s)

    def proof(self, position: int) -> Proof:
        """
        The proof of the event at a position; from the newest checkpoint that was cosigned, if that has the event.

        Raises:
            NotRecorded, NotSealed, Unverified.
        """
        head = self._leaves.head()
        if not 0 < position <= head:
            raise NotRecorded(position, head)
        sealed = self.wait(position)
        if self.sealing.trouble is not None:
            raise self.sealing.trouble
        if sealed is None:
            raise NotSealed(position, self.sealing.sealed.size if self.sealing.sealed else 0)
        note, tree = self.cosignatures.joined(sealed.note), sealed.tree
        cosigned = self.cosignatures.newest
        if cosigned is not None and position <= (size := parse_checkpoint(cosigned.text).size) <= sealed.size:
            note, tree = cosigned.encoded(), TiledTree(size, self._hashes.read)
        return Proof(position - 1, tuple(tree.inclusion_proof(position - 1)), note)

    def _published(self) -> Sealed:
        if self.sealing.trouble is not None:
            raise self.sealing.trouble
        if self.sealing.sealed is None:
            raise NotPublished("there is no checkpoint yet: ask again in a second")
        return self.sealing.sealed


def place_of(settings: Settings) -> Path:
    """Where the checkpoints and the key are."""
    return settings.data / settings.checkpoints


def refuse_lost(settings: Settings, ledger: Ledger) -> None:
    """
    For who appends without a server.

    Raises:
        EventsMissing: where more events were sealed than there are.
        LogGone: where the log cannot tell whether there are.
    """
    if (gone := missing(settings, map(_topic, ledger.rows()))) is not None:
        raise gone
    note = read_newest(place_of(settings) / CHECKPOINTS)
    if note is not None and (size := parse_checkpoint(parse_note(note).text).size) > (head := ledger.head()):
        raise EventsMissing(size, head)


def _topic(row: Row) -> str:
    return row.topic


def missing(settings: Settings, topics: Iterable[str]) -> LogGone | None:
    """
    Why no key may be made, if so: the record has a log, and that is not where it should be.

    *topics* are the types of what is recorded. Tokens are made before a
    server first starts; what else is recorded had a log from the beginning.
    """
    place = place_of(settings)
    if (place / KEY).exists() or (place / VKEYS).exists():
        return None
    name = kept_name(settings.data)
    if name is not None or not all(each.startswith("access.") for each in topics):
        return LogGone(place, name)
    return None


def open_log(settings: Settings, ledger: Ledger) -> Log:
    """
    The log of a ledger; it begins, with a key of its own, where nothing was recorded but tokens.

    Raises:
        LogGone: where the log is not where it should be.
        Damaged: where the key is lost or of another log.
    """
    place = place_of(settings)
    if (gone := missing(settings, map(_topic, ledger.rows()))) is not None:
        raise gone
    keys = LogKeys(place, settings.origin)
    if (name := kept_name(settings.data)) not in (None, keys.origin):
        raise Damaged(
            f"the log in {place} is {keys.origin}, and this record is sealed in {name}: does LASTGOOD_CHECKPOINTS say "
            "where that is? If it is lost for good, `lastgood log restart` begins a new log"
        )
    keep_name(settings.data, keys.origin)
    leaves, checkpoints = Leaves(ledger), Checkpoints(place)
    hashes = Hashes(settings.data / HASHES)
    sealing = Sealing(Sealer(leaves, keys, checkpoints, hashes))
    cosignatures = Cosignatures(Cosigned(place))
    asking = tuple(Asking(each, sealing, cosignatures) for each in settings.witnesses)
    return Log(keys, sealing, cosignatures, asking, checkpoints, leaves, hashes)
