"""
The transparency log over HTTP: C2SP tlog-tiles, the public keys, and proofs of single events.

Tiles and bundles never change, so they may be kept for ever by whoever got
them; the checkpoint is asked for anew each time.
"""

import gzip
import hashlib
from typing import Any

from flask import Response, request

from api import log_docs as docs
from api.moments import MomentSchema, check_known
from api.principals import require_reader
from api.resources import Blueprint, NoQuery
from api.service import service
from ledger.note import Verifier

TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
FOR_EVER = "max-age=31536000, immutable"

blp = Blueprint(
    "log", __name__, description="The transparency log: verify what is recorded without trusting who runs it"
)


@blp.route("/checkpoint")
@blp.arguments(NoQuery, location="query", as_kwargs=True)
@docs.checkpoint(blp)
def checkpoint() -> Response:
    """
    The newest checkpoint: what the log says of itself, signed.

    C2SP tlog-checkpoint: the log's name, how many events it has, the root of
    their Merkle tree, its signature, and the cosignatures of witnesses.
    """
    _admit()
    return _answer(service().log.checkpoint(), TEXT, "no-cache")


@blp.route("/tile/<path:tile>")
@blp.arguments(NoQuery, location="query", as_kwargs=True)
@docs.tile(blp)
def tile(tile: str) -> Response:
    """
    A tile of hashes (`LEVEL/INDEX`) or a bundle of entries (`entries/INDEX`), partial ones with `.p/WIDTH`.

    C2SP tlog-tiles; there is what the newest checkpoint calls for, and all
    that older ones did.
    """
    _admit()
    content = service().log.file(f"tile/{tile}")
    return _answer(content, BYTES, FOR_EVER, squeeze=tile.startswith("entries/"))


@blp.route("/log.vkey")
@blp.arguments(NoQuery, location="query", as_kwargs=True)
@docs.keys(blp)
def keys() -> Response:
    """
    The log's public keys as signed-note vkeys, one a line.

    The first is the one in use; the others signed older checkpoints.
    """
    _admit()
    return _answer("".join(map(_line, service().log.keys.verifiers())).encode(), TEXT, "no-cache")


@blp.route("/v1/events/<int:position>/proof")
@blp.arguments(MomentSchema, location="query", as_kwargs=True)
@docs.proof(blp)
def proof(position: int, **asked: Any) -> Response:
    """
    The proof that the event at a position is in the log; 404 where it was not known, or not so yet, at the moment asked about.

    C2SP tlog-proof: the hashes from its leaf to the root, and the checkpoint
    they lead to. The leaf itself is in the bundle `tile/entries/...`.
    """
    require_reader()
    check_known(position, asked)
    return _answer(service().log.proof(position).encoded(), TEXT, "no-cache", private=True)


def _line(key: Verifier) -> str:
    return f"{key.vkey()}\n"


def _admit() -> None:
    """Raises `Unauthenticated` or `NotAllowed` unless the log is public, or whoever asks may read."""
    if not service().settings.public_log:
        require_reader()


def _answer(
    content: bytes, content_type: str, caching: str, *, private: bool = False, squeeze: bool = False
) -> Response:
    """The content under its ETag; 304 where the reader has it already."""
    etag = hashlib.sha256(content).hexdigest()[:32]
    squeezed = squeeze and request.accept_encodings["gzip"] > 0
    response = Response(gzip.compress(content, 6, mtime=0) if squeezed else content, content_type=content_type)
    response.set_etag(f"{etag}-gzip" if squeezed else etag)
    if squeezed:
        response.headers["Content-Encoding"] = "gzip"
    is_private = private or not service().settings.public_log
    response.headers["Cache-Control"] = f"{'private' if is_private else 'public'}, {caching}"
    response.vary.update((["Accept-Encoding"] if squeeze else []) + (["Authorization"] if is_private else []))
    response.make_conditional(request)
    return response
