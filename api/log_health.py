"""
What `lastgood doctor` examines of the log: key, checkpoint, witnesses. Everything is only read.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from api.config import Settings
from api.doctor import FAIL, OK, WARN, Check, head_of, is_served, types_of
from api.transparency import missing, place_of
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.checkpoints import CHECKPOINTS, COSIGNED, read_newest, read_notes
from ledger.errors import Damaged
from ledger.log_keys import KEY, read_keys
from ledger.merkle import LogError
from ledger.note import Verifier, cosigned_at, parse_note, verify_note
from ledger.witness import Witness

SILENT_S = 3_600.0
"""A witness that is behind and older than this is worth a look."""


def examine(settings: Settings) -> Iterator[Check]:
    """Every check of the log, one after the other."""
    place = place_of(settings)
    if (gone := missing(settings, types_of(settings.data))) is not None:
        yield Check("log", FAIL, str(gone), "see docs/proofs.md")
        return
    if not (place / KEY).exists() and not (place / CHECKPOINTS).exists():
        yield Check("log", OK, "none yet: the key is made when a server first starts")
        return
    try:
        keys = read_keys(place)
    except Damaged as error:
        yield Check("log key", FAIL, str(error), "see docs/proofs.md")
        return
    yield Check("log key", OK, f"{keys[0].vkey()}, and only its owner may open its file")
    newest = None
    try:
        if (note := read_newest(place / CHECKPOINTS)) is not None:
            newest = open_checkpoint(note, keys[0].name, keys).checkpoint
    except LogError as error:
        yield Check("checkpoint", FAIL, str(error), "stop the server; restore the file, or see docs/proofs.md")
        return
    yield _sealed(newest, settings.data)
    yield from (_cosigned(each, place, newest) for each in settings.witnesses)


def _sealed(newest: Checkpoint | None, folder: Path) -> Check:
    head = head_of(folder)
    if newest is None:
        if is_served(folder):
            return Check(
                "checkpoint", WARN, "nothing was sealed yet", "look again in a moment; then see the server's log"
            )
        return Check("checkpoint", OK, "none yet: the record is sealed when a server starts")
    told = f"{newest.size} of {head} events are sealed"
    if newest.size > head:
        advice = "the record lost events: `lastgood verify`, then see docs/proofs.md for the ways out"
        return Check("checkpoint", FAIL, f"{newest.size} events were sealed, and the record ends at {head}", advice)
    if newest.size < head and is_served(folder):
        return Check("checkpoint", WARN, told, "look again in a moment; then see the server's log")
    return Check("checkpoint", OK, told if newest.size == head else f"{told}, the others when a server starts")


def _cosigned(witness: Witness, place: Path, newest: Checkpoint | None) -> Check:
    name = f"witness {witness.name}"
    found = _newest_by(witness.key, place)
    if found is None:
        return Check(
            name, WARN, "it has cosigned nothing yet", "see the server's log, and lastgood_witness_failures_total"
        )
    size, moment = found
    age_s = max(0.0, time.time() - moment)
    told = f"it cosigned {size} events, {age_s:.0f} s ago"
    if newest is not None and size < newest.size and age_s > SILENT_S:
        return Check(name, WARN, told, "see the server's log, and lastgood_witness_failures_total")
    return Check(name, OK, told)


def _newest_by(key: Verifier, place: Path) -> tuple[int, int] | None:
    """Size and time of the newest checkpoint that a witness cosigned."""
    found = None
    try:
        for data in read_notes(place / COSIGNED):
            note = parse_note(data)
            if any(each.key_id == key.key_id for each in note.signatures):
                found = note
        if found is None:
            return None
        return int(found.text.split("\n")[1]), cosigned_at(verify_note(found, [key])[key])
    except LogError:
        return None
