"""
Errors as HTTP tells them: one table, and `application/problem+json` (RFC 9457).

A `type` is for programs and stays for ever; `detail` is for people, and says
what was asked, what is so, and what to do. What nobody foresaw is told as an
opaque reference, which the log has beside the traceback: no message, no
header, no body, since secrets may be in any of them.
"""

import json
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from api.body import BROKEN
from api.principals import Unauthenticated, current_principal, record_refusal
from api.strict_json import Malformed
from api.transparency import NotPublished, NotSealed
from ledger.errors import (
    Damaged,
    FolderInUse,
    IdTaken,
    Invalid,
    LedgerError,
    NotAllowed,
    NotRecorded,
    NotWritable,
    NotYet,
    OutOfRange,
    StaleRevision,
    TooLarge,
    Unwelcome,
)
from ledger.merkle import LogError
from ledger.sealer import Unverified
from ledger.writer import WriterStopped

MEDIA_TYPE = "application/problem+json"
LONGEST_HEARD = 64 * 1024 * 1024
"""Bytes of a refused request that are read and dropped; of a longer one none are."""

RETRY_S = 2
"""When to ask again after a passing trouble."""

_log = structlog.get_logger("problems")
_URN = "urn:lastgood:problem:"
_RETRY = {"Retry-After": str(RETRY_S)}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="lastgood"'}


@dataclass(frozen=True, slots=True)
class Kind:
    """What an error is over HTTP. `facts` are those of its attributes that the answer bears."""

    status: int
    name: str
    title: str
    facts: tuple[str, ...] = ()
    headers: Mapping[str, str] | None = None

    @property
    def type(self) -> str:
        return _URN + self.name


KINDS: Mapping[type[Exception], Kind] = {
    Malformed: Kind(400, "malformed", "The body is not JSON"),
    OutOfRange: Kind(400, "out-of-range", "That moment cannot be answered for"),
    Unauthenticated: Kind(401, "unauthenticated", "A token is needed", headers=_CHALLENGE),
    NotAllowed: Kind(403, "not-allowed", "This principal may not"),
    NotRecorded: Kind(404, "not-recorded", "There is no such event"),
    NotPublished: Kind(404, "not-published", "The log has no such part"),
    IdTaken: Kind(409, "id-taken", "The id is taken by other content", ("position", "other_submitter")),
    Unwelcome: Kind(409, "unwelcome", "It would be recorded with a warning", ("warnings",)),
    StaleRevision: Kind(412, "stale-revision", "The stream has moved on", ("stream", "revision")),
    TooLarge: Kind(413, "too-large", "More than the ledger takes"),
    Invalid: Kind(422, "invalid", "The input breaks a rule"),
    Damaged: Kind(500, "damaged", "What is stored cannot be right"),
    LogError: Kind(500, "damaged", "What is stored cannot be right"),
    NotSealed: Kind(503, "not-sealed", "The log does not have it yet", ("position",), _RETRY),
    Unverified: Kind(503, "unverified", "The record is not the one that was signed", ("size",)),
    NotWritable: Kind(503, "not-writable", "The record can't be written just now", headers=_RETRY),
    NotYet: Kind(503, "not-yet", "The answers are not that far yet", ("reached",), _RETRY),
    WriterStopped: Kind(503, "stopping", "The ledger is stopping", headers=_RETRY),
    FolderInUse: Kind(503, "folder-in-use", "Another server has the record", headers=_RETRY),
}
"""The one table."""

UNFORESEEN = Kind(500, "unforeseen", "Something went wrong here")


def kind_of(error: BaseException) -> Kind:
    """The kind of an error, by its class or the nearest one above it."""
    return next((KINDS[each] for each in type(error).__mro__ if each in KINDS), UNFORESEEN)


def body_of(error: BaseException) -> dict[str, Any]:
    """The members of an error's problem document. What nobody foresaw is logged here, and named by a reference."""
    kind = kind_of(error)
    if kind is UNFORESEEN:
        reference = _log_unforeseen(error.__cause__ or error)
        detail = f"it is logged under reference {reference}; events sent again under the same ids are recorded once"
        return _document(kind.type, kind.title, kind.status, detail) | {"reference": reference}
    if kind.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error(kind.name, detail=str(error), method=request.method, endpoint=request.endpoint)
    document = _document(kind.type, kind.title, kind.status, str(error))
    if isinstance(error, Invalid):
        document["errors"] = [
            {name: each for name, each in asdict(fault).items() if each is not None} for fault in error.errors
        ]
    elif isinstance(error, LedgerError) and error.line is not None:
        document["line"] = error.line
    return document | {name: getattr(error, name) for name in kind.facts}


def _document(type_: str, title: str, status: int, detail: str) -> dict[str, Any]:
    return {"type": type_, "title": title, "status": status, "detail": detail}


def answer(error: BaseException) -> Response:
    """The response that tells an error."""
    return _response(body_of(error), kind_of(error).headers or {})


def _response(document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    _hear_out()
    # json and not orjson: half a surrogate pair that somebody sent can be told as it came, escaped.
    content = json.dumps(document).encode()
    response = Response(content, document["status"], content_type=MEDIA_TYPE)
    response.headers.update(headers)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _hear_out() -> None:
    """Reads what is left of a request, within bounds: who is cut off while sending does not read why."""
    # Only a server that marks the end of a request can be read to that end.
    if request.environ.get("wsgi.input_terminated") and (request.content_length or 0) <= LONGEST_HEARD:
        left = LONGEST_HEARD
        with suppress(*BROKEN):
            while left > 0 and (piece := request.environ["wsgi.input"].read(65_536)):
                left -= len(piece)


def register(app: Flask) -> None:
    """Has every error of *app* told as a problem document."""
    app.register_error_handler(LedgerError, _on_ledger_error)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(Exception, _on_exception)


def _on_ledger_error(error: LedgerError) -> ResponseReturnValue:
    if isinstance(error, NotAllowed):
        refused(error)
    return answer(error)


def refused(error: NotAllowed) -> None:
    """Has it recorded that a principal who is known was refused something."""
    try:
        record_refusal(current_principal(), str(error))
    except Unauthenticated:
        return


def _on_exception(error: Exception) -> ResponseReturnValue:
    return answer(error)


def _on_http_exception(error: HTTPException) -> ResponseReturnValue:
    """What Flask and werkzeug raise: no such path, method, media type, too large a body."""
    if error.response is not None or error.code is None or error.code < 400:
        return error
    phrase = HTTPStatus(error.code).phrase
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return _response(_document("about:blank", phrase, error.code, error.description or phrase), headers)


def _log_unforeseen(error: BaseException) -> str:
    reference = uuid4().hex[:16]
    _log.error(
        "unforeseen",
        reference=reference,
        error=f"{type(error).__module__}.{type(error).__qualname__}",
        method=request.method,
        endpoint=request.endpoint,
        traceback=traceback.format_tb(error.__traceback__),
    )
    return reference
