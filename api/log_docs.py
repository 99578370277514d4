"""
What the OpenAPI document says of the transparency log, beyond what the views' code tells.
"""

from collections.abc import Callable
from typing import Any

from api.resources import Blueprint

TEXT, BYTES = "text/plain", "application/octet-stream"

_Decorator = Callable[[Any], Any]

_STRING = {"type": "string"}
_BINARY = {"type": "string", "contentMediaType": BYTES}
_HEADERS = {
    "ETag": {"description": "what to send as If-None-Match", "schema": _STRING},
    "Cache-Control": {"description": "tiles may be kept for ever", "schema": _STRING},
}
_CHECKPOINT = (
    "ledger.example/prod\n8214\nqRZtm8OgmVXx4yWkzDyZ5Yjx0dJBZ3ArfUQ4cmsSIWc=\n\n"
    "\u2014 ledger.example/prod 1TyFSRK2Bv2n7hZ5q7M2h1wGd3hNw4nK2c0w1m8m3mYkq2J4m7p6hQn0wT2mV5r1uD8kq9QY1l0r3b6x5s4f2c1b0A9=\n"
)
_PROOF = (
    "c2sp.org/tlog-proof@v1\nindex 8212\ngQxKpKSmzUIQf4JBnUKdqE0yyRtdlUVfPCgzGVuLDtc=\n"
    "cQ4Gx2eHu7vzBq3FnGmNqkYRpbcoHGHIeL5rNFKYpTc=\n\n" + _CHECKPOINT
)
_KEY = "ledger.example/prod+d53c8549+AXkbfDyqYSLE5pKsgFDq2kSZkKjkGkHm8Os/qHkW/AFA\n"


def checkpoint(blp: Blueprint) -> _Decorator:
    return _file(blp, TEXT, "a signed note", _CHECKPOINT, public=True)


def tile(blp: Blueprint) -> _Decorator:
    return _file(
        blp, BYTES, "hashes of 32 bytes each; or entries, each behind its length in 16 bits", None, public=True
    )


def keys(blp: Blueprint) -> _Decorator:
    return _file(blp, TEXT, "vkeys, the newest first", _KEY, public=True)


def proof(blp: Blueprint) -> _Decorator:
    return _file(blp, TEXT, "a proof that verifies offline", _PROOF, public=False)


def _file(blp: Blueprint, media_type: str, description: str, example: str | None, *, public: bool) -> _Decorator:
    def decorate(view: Any) -> Any:
        if public:
            # A token is asked for only where LASTGOOD_PUBLIC_LOG is false.
            view = blp.doc(security=[{}, {"token": []}])(view)
        view = blp.header("If-None-Match", "304 if the answer still has this ETag", _STRING)(view)
        view = blp.refuses(*(() if public else (400,)), 404, 503)(view)
        view = blp.alt_response(304, description="it is still so")(view)
        return blp.response(
            200,
            _BINARY if media_type == BYTES else _STRING,
            content_type=media_type,
            description=description,
            headers=_HEADERS,
            example=example,
        )(view)

    return decorate
