"""
What checkpoints claim of a record, held against the roots that its bytes lead to.

Three kinds: those that the log keeps of itself, those that witnesses cosigned,
and those that somebody kept elsewhere and hands in. Each is compared at its own
size. Of those that the log keeps, one that says what the record says is no news
behind a newer one that does, so its signature is looked at only where that is
to be thorough: a signature takes the time of a hundred events.
"""

import re
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

from ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.checkpoints import CHECKPOINTS, COSIGNED, DamagedHistory, read_newest, read_notes
from ledger.log_keys import VKEYS
from ledger.merkle import LogError
from ledger.note import Verifier, parse_note
from ledger.verify import Difference, Report

KEPT, HANDED_IN = 0, 1
WHOSE = ("that the log keeps", "that you gave")


_SAYS = re.compile(rb"[^\n]+\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)\n\n")
_TRIED = 16
"""Of the newest checkpoints, those of which one at least should open."""


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """
    A checkpoint's note and the size that it says; whoever handed it in counts as another source.

    `root` is what it says, where it needs not be opened if that is so.
    """

    size: int
    source: int
    note: bytes
    root: bytes | None = field(default=None, compare=False)


class Claims:
    """For one pass over a record, from its beginning to its end. *keys* are believed instead of the log's own."""

    def __init__(
        self, log: Path, older: Sequence[bytes], keys: Sequence[Verifier], report: Report, *, thorough: bool
    ) -> None:
        self._report, self._log, self._thorough = report, log, thorough
        self.keys = tuple(keys) or _published(log, report)
        self._waiting = merge(self._kept(log / CHECKPOINTS), self._kept(log / COSIGNED), self._handed_in(older))
        self._next = next(self._waiting, None)
        self._fitting = [0, 0]
        self._count = self._wrong = 0
        self._unopened: deque[Claim] = deque(maxlen=_TRIED)
        self.contradictions: list[Difference] = []
        """Those of the differences that are about what was handed in."""
        self.newest: Checkpoint | None = None

    def most(self) -> int:
        """The size of the largest checkpoint that the log keeps; 0 where it has none that can be read."""
        try:
            note = read_newest(self._log / CHECKPOINTS)
            return 0 if note is None else parse_checkpoint(parse_note(note).text).size
        except (LogError, OSError):
            return 0

    def sizes(self, until: int) -> list[Claim]:
        """The claims that come next, of sizes up to this one."""
        found = []
        while self._next is not None and self._next.size <= until:
            found.append(self._next)
            self._next = next(self._waiting, None)
        return found

    def judge(self, claims: Iterable[Claim], root_at: Callable[[int], bytes]) -> None:
        for claim in claims:
            found = root_at(claim.size)
            self._count += 1
            if claim.root == found:
                self._fitting[claim.source] = claim.size
                self._unopened.append(claim)
            elif (signed := self._opened(claim)) is not None:
                self._compare(claim, signed, found)

    def beyond(self, head: int) -> None:
        """The newest is opened; and what is left to be said of those over more events than the *head* of by now."""
        while self._unopened and self._opened(self._unopened.pop()) is None:
            pass
        left = [claim for claim in self.sizes(2**63) if claim.size > head]
        kept = [claim for claim in left if claim.source == KEPT]
        self._count += len(left)
        for claim in (*kept[-1:], *(each for each in left if each.source == HANDED_IN)):
            if (signed := self._opened(claim)) is not None:
                self._differs(
                    claim,
                    f"the record ends at position {head}, and the checkpoint {WHOSE[claim.source]} is over {signed.size} "
                    f"events: {_places(head + 1, signed.size)} missing, as after an old backup was restored",
                    head + 1,
                    signed.size,
                )

    def tell(self) -> None:
        if self._wrong > 1:
            self._report.remarks.append(f"{self._wrong} checkpoints in all do not fit the record")
        for earlier in sorted(self._log.glob("until-*")):
            self._report.remarks.append(f"an earlier log ended here and is kept in {earlier}: this one began anew")
        if self.newest is None:
            self._report.remarks.append("the log has no checkpoint yet, so there is nothing to compare the record with")
            return
        names = " or ".join(f"{key.name}+{key.key_id.hex()}" for key in self.keys)
        self._report.told.append(
            f"{_count(self._count, 'checkpoint')} compared, the newest over {_count(self.newest.size, 'event')}"
        )
        self._report.told.append(f"the key of the log: {names}")

    def _kept(self, path: Path) -> Iterator[Claim]:
        last = 0
        try:
            for note in read_notes(path):
                said = None if self._thorough else _SAYS.match(note)
                size = int(said[1]) if said else parse_checkpoint(parse_note(note).text).size
                if size < last:
                    self._report.differs(f"{path.name} has a checkpoint of {size} events after one of {last}")
                last = max(size, last)
                yield Claim(last, KEPT, note, b64decode(said[2]) if said else None)
        except (DamagedHistory, LogError) as error:
            self._report.differs(str(error))

    def _handed_in(self, older: Sequence[bytes]) -> Iterator[Claim]:
        found = []
        for note in older:
            try:
                found.append(Claim(parse_checkpoint(parse_note(note).text).size, HANDED_IN, note))
            except LogError as error:
                self._report.differs(f"the checkpoint that you gave can't be read: {error}")
                self.contradictions.append(self._report.differences[-1])
        yield from sorted(found)

    def _opened(self, claim: Claim) -> Checkpoint | None:
        origin = self.keys[0].name if self.keys else ""
        try:
            signed = open_checkpoint(claim.note, origin, self.keys).checkpoint
        except LogError as error:
            self._differs(claim, f"the checkpoint of {claim.size} events {WHOSE[claim.source]}: {error}")
            return None
        if claim.source == KEPT and (self.newest is None or signed.size >= self.newest.size):
            self.newest = signed
        return signed

    def _compare(self, claim: Claim, signed: Checkpoint, found: bytes) -> None:
        if signed.root == found:
            # Of a log that went another way its own checkpoints say nothing, so each source counts by itself.
            self._fitting[claim.source] = claim.size
            return
        self._wrong += 1
        if self._wrong > 1 and claim.source == KEPT:
            return
        first = self._fitting[claim.source] + 1
        self._differs(
            claim,
            f"the first {claim.size} events have the root {found.hex()}, and the checkpoint {WHOSE[claim.source]} says "
            f"{signed.root.hex()}: what was signed is not what is here, at {_among(first, claim.size)}",
            first,
            claim.size,
        )

    def _differs(self, claim: Claim, text: str, *positions: int) -> None:
        self._report.differs(text, *positions)
        if claim.source == HANDED_IN:
            self.contradictions.append(self._report.differences[-1])


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _places(first: int, last: int) -> str:
    return f"position {first} is" if first == last else f"positions {first} to {last} are"


def _among(first: int, last: int) -> str:
    return f"position {first}" if first == last else f"one or more of positions {first} to {last}"


def _published(log: Path, report: Report) -> tuple[Verifier, ...]:
    try:
        return tuple(map(Verifier.from_vkey, (log / VKEYS).read_text("utf-8").splitlines()))
    except FileNotFoundError:
        return ()
    except (LogError, UnicodeDecodeError) as error:
        report.differs(f"the published keys of the log can't be read: {error}")
        return ()
