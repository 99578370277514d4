"""
What can go wrong when writing to the ledger or reading from it.

    LedgerError
    ├── Invalid              the input breaks a rule of form; `errors` says where
    │   └── TooLarge         well formed, and more than the ledger takes
    ├── NotAllowed           this principal may not have this recorded
    ├── Conflict             the record says otherwise
    │   ├── IdTaken          the same (source, id) was recorded with other content
    │   ├── StaleRevision    the stream is not at the revision that was expected
    │   └── Unwelcome        would be recorded with a warning, and the caller asked for none
    ├── Undecided            deciding broke; the command it broke on is refused alone
    ├── NotRecorded          no such position
    ├── OutOfRange           an as_of, known_at or at_least that cannot be answered
    ├── NotYet               the answer needs a position that the read model has not reached
    ├── FolderInUse          another server runs on the data folder
    ├── NotWritable          the store can't be written just now; nothing was stored
    └── Damaged              what is stored cannot be right; nothing is written

Each keeps its facts as attributes, and its message says what was asked, what
is so, and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the input. `pointer` is a JSON Pointer (RFC 6901); `line` counts from 1 in a batch."""

    pointer: str
    detail: str
    line: int | None = None


class LedgerError(Exception):
    """The root of the tree. `line`: which event of a batch is refused, from 1; None where it is not one of many."""

    line: int | None = None


class Invalid(LedgerError):
    def __init__(self, errors: Sequence[Fault]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{each.pointer or 'the event'} {each.detail}" for each in self.errors[:3]))


class TooLarge(Invalid):
    pass


class NotAllowed(LedgerError):
    pass


class Conflict(LedgerError):
    pass


class IdTaken(Conflict):
    """
    `other_submitter`: what was recorded first is not the caller's own; `position`: where it is, None for another
    event of the same request.
    """

    def __init__(self, source: str, event_id: str, position: int | None, other_submitter: bool = False) -> None:
        self.source, self.event_id, self.position = source, event_id, position
        self.other_submitter = other_submitter
        by = " by another submitter" if other_submitter else ""
        taken = "given to another event of the same request" if position is None else f"recorded at position {position}"
        super().__init__(
            f"id {event_id} of source {source} is {taken}{by} with other content, "
            "and nothing was stored: give a new event a new id, or send the same content again"
        )


class StaleRevision(Conflict):
    def __init__(self, stream: str, expected: int, revision: int) -> None:
        self.stream, self.expected, self.revision = stream, expected, revision
        super().__init__(f"{stream} is at revision {revision}, not {expected}: read it again, then decide again")


class Unwelcome(Conflict):
    def __init__(self, warnings: Sequence[str]) -> None:
        self.warnings = list(warnings)
        super().__init__(
            f"{'; '.join(warnings)}: nothing was stored, since strict was asked for; "
            "without it the event is recorded with this as a warning"
        )


class Undecided(LedgerError):
    """A fault of ours, told to the one caller whose command met it; its cause is chained."""

    def __init__(self) -> None:
        super().__init__("deciding this broke, and nothing was stored: the cause is a fault of the ledger itself")


class NotRecorded(LedgerError):
    def __init__(self, position: int, head: int) -> None:
        self.position, self.head = position, head
        super().__init__(f"there is no event at position {position}: the record ends at {head}")


class OutOfRange(LedgerError):
    pass


class NotYet(LedgerError):
    def __init__(self, asked: int, reached: int) -> None:
        self.asked, self.reached = asked, reached
        super().__init__(f"the answers have reached position {reached}, not yet {asked}: ask again in a moment")


class FolderInUse(LedgerError):
    def __init__(self, folder: str) -> None:
        self.folder = folder
        super().__init__(
            f"another server runs on the data folder {folder}: stop it, or set LASTGOOD_DATA to a folder of its own"
        )


class NotWritable(LedgerError):
    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"the record can't be written just now ({why}), and nothing was stored: send it again in a moment"
        )


class Damaged(LedgerError):
    pass
