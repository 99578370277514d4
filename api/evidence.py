"""
Evidence bundles over HTTP: chosen events in one file that a stranger can verify.

That it was asked for is recorded first, as `access.exported` with the whole
question; the bundle is proven by a checkpoint that has that event, and is
verified before it is given out. docs/evidence.md is for who gets one.
"""

import time
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, Any

from flask import Response
from marshmallow import Schema

from api import reports
from api.access import command
from api.events_docs import KnownType
from api.principals import require_reader
from api.resources import Blueprint, Digits, Switch, parameter
from api.service import Service, service
from api.transparency import SEAL_PATIENCE_S, NotSealed
from ledger import verify
from ledger.authority import Principal
from ledger.checkpoint import parse_checkpoint
from ledger.errors import Damaged, Fault, Invalid, OutOfRange
from ledger.events import AccessExported
from ledger.evidence import Asked, Bundle, Proving
from ledger.note import Note
from ledger.tiles import Tile
from ledger.values import Text, Time

ZIP = "application/zip"
PIECE = 1 << 16

LARGEST_RANGE = 100_000
"""Leaves in one complete bundle: about 10 MB, and half a minute of work."""

WITNESS_PATIENCE_S = 3.0
"""How long to wait for a witness, where there are any, so that its cosignature goes along."""

blp = Blueprint("evidence", __name__, url_prefix="/v1", description="What a stranger can verify without the ledger")


class EvidenceQuery(Schema):
    type = parameter(KnownType(), "only events of this type")
    service = parameter(Text(200), "only events about this service")
    environment = parameter(Text(200), "only events about this environment")
    version = parameter(Text(256), "only events about this version")
    incident = parameter(Text(256), "only events of or about this incident")
    actor = parameter(Text(320), "only events that this principal, an opaque id, submitted")
    since = parameter(Time(), "only what happened at this time or later")
    until = parameter(Time(), "only what happened before this time")
    after = parameter(Digits(), "only positions above this one")
    complete = parameter(Switch(), "false: without the leaves of the events that don't match, which show completeness")
    report = parameter(Text(256), "enclose a report about this incident, to read beside the events")
    words = parameter(Switch(), "false: without what protected members say (reasons, texts, names)")


def _documented(view: Any) -> Any:
    view = blp.refuses(400, 404, 503)(view)
    disposition = {"Content-Disposition": {"description": "a name for the file", "schema": {"type": "string"}}}
    binary = {"type": "string", "contentMediaType": ZIP}
    return blp.response(200, binary, content_type=ZIP, description="an evidence bundle", headers=disposition)(view)


@blp.route("/evidence")
@blp.arguments(EvidenceQuery, location="query", as_kwargs=True)
@_documented
def evidence(
    after: int = 0, complete: bool = True, words: bool = True, report: str | None = None, **filters: str
) -> Response:
    """
    Events that match, in one file with all that it takes to verify them offline.

    The filters are those of /v1/events, over what is recorded up to now. That
    it was asked for is recorded as `access.exported`.
    """
    principal, held = require_reader(), service()
    asked = Asked(filters, after + 1, complete, words, report)
    _check_range(held, asked)
    enclosed = _report(asked)
    request = _record(held, principal, asked)
    bundle = Bundle(held.ledger, _proving(held, request), asked, request, enclosed)
    file = TemporaryFile(dir=held.settings.data)  # noqa: SIM115 - closed when the answer was sent
    try:
        bundle.write(file)
        _verify(held, file)
    except BaseException:
        file.close()
        raise
    return _answer(file, f"evidence-{request}.zip")


def _check_range(held: Service, asked: Asked) -> None:
    head = held.ledger.head()
    if asked.first > head:
        raise OutOfRange(f"after {asked.first - 1} leaves nothing: the record ends at {head}")
    if asked.complete and head - asked.first >= LARGEST_RANGE:
        raise Invalid(
            [
                Fault(
                    "/after",
                    f"leaves {head - asked.first + 1} events whose leaves would be enclosed, and a bundle takes "
                    f"{LARGEST_RANGE}: begin later, or ask with complete=false",
                )
            ]
        )


def _report(asked: Asked) -> tuple[bytes, bytes] | None:
    """The report that is to go along, as it is just before the question is recorded."""
    if asked.report is None:
        return None
    if not asked.words:
        raise Invalid([Fault("/report", "is made of words: ask for it without words=false")])
    return reports.enclosed(asked.report)


def _record(held: Service, principal: Principal, asked: Asked) -> int:
    """The position at which the record says that this was asked."""
    event = AccessExported(subject=principal.id, roles=tuple(sorted(principal.roles)), query={"evidence": asked.json()})
    return held.writer.append(command(held.ledger, event, principal))[0].position


def _proving(held: Service, position: int) -> Proving:
    """By a checkpoint that has this position; one that witnesses signed along, where there is one soon."""
    sealed = held.log.wait(position, SEAL_PATIENCE_S)
    if sealed is None:
        raise held.log.refusal() or NotSealed(position, held.log.sealing.sealed.size if held.log.sealing.sealed else 0)
    until = time.monotonic() + (WITNESS_PATIENCE_S if held.log.witnesses else 0)
    note = held.log.cosignatures.joined(sealed.note)
    while (cosigned := _cosigned(held, position)) is None and time.monotonic() < until:
        time.sleep(0.05)
    return Proving(
        cosigned.encoded() if cosigned else note,
        _size(cosigned) if cosigned else sealed.size,
        lambda tile: _tile(held, tile),
        held.log.keys.verifiers(),
        [each.witness.key for each in held.log.witnesses],
    )


def _cosigned(held: Service, position: int) -> Note | None:
    newest = held.log.cosignatures.newest
    return newest if newest is not None and _size(newest) >= position else None


def _size(note: Note) -> int:
    return parse_checkpoint(note.text).size


def _tile(held: Service, tile: Tile) -> bytes:
    return held.log.file(tile.path)


def _verify(held: Service, file: IO[bytes]) -> None:
    keys = [verify.parse_key(key.vkey()) for key in held.log.keys.verifiers()]
    if differences := verify.verify(file, keys).differences:  # type: ignore[arg-type]
        raise Damaged(f"{differences[0].text}: `lastgood verify` says what else differs")


def _answer(file: IO[bytes], name: str) -> Response:
    length = file.seek(0, 2)
    file.seek(0)

    def pieces() -> Iterator[bytes]:
        while piece := file.read(PIECE):
            yield piece

    response = Response(pieces(), content_type=ZIP)
    response.call_on_close(file.close)
    response.headers["Content-Length"] = str(length)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
