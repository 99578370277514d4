"""
What is answered where a request could not be read: no path, no headers, so no view and no application, only a socket.

As every other error it is a problem document (RFC 9457), and the connection
ends with it: where the next request would begin is not known.
"""

import json
from http import HTTPStatus

from gunicorn.http.errors import (  # type: ignore[import-untyped]
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

_STATUSES = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}
_OURS = (InvalidResponseHeader, InvalidResponseHeaderName)


def is_senders_fault(error: Exception) -> bool:
    return isinstance(error, ParseException) and not isinstance(error, _OURS)


def answer(error: Exception) -> bytes:
    """The whole response, its head too."""
    status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "the request could not be handled"
    if is_senders_fault(error):
        status, detail = _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST), str(error)
    document = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
