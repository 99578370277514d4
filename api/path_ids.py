"""
Ids in paths: one whole segment, percent-encoded, whatever characters it has.

WSGI hands on paths decoded, where an incident called `INC/timeline` is the
timeline of `INC`. So the part of the path that holds ids is taken from the
request line, still encoded, and decoded only once it is matched.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_to_bytes

from flask import Flask
from werkzeug.routing import BaseConverter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class PathId(BaseConverter):
    """An id: any characters, slashes too, encoded or not; what follows a slash that is not encoded may be a route."""

    regex = ".+?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        return unquote(value)

    def to_url(self, value: Any) -> str:
        return quote(str(value), safe="")


class EncodedPaths:
    """Below *prefix* the application gets paths as they were sent, percent-encoded."""

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        self._app, self._prefix = app, prefix

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        before, prefix, decoded = environ.get("PATH_INFO", "").partition(self._prefix)
        if prefix and not before:
            environ["PATH_INFO"] = prefix + self._encoded(environ, decoded.encode("latin-1"))
        return self._app(environ, start_response)

    def _encoded(self, environ: "WSGIEnvironment", decoded: bytes) -> str:
        """What stands behind the prefix in the request line; where that is not known, the decoded path encoded anew."""
        line = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
        tail = line.partition("?")[0].partition(self._prefix)[2]
        return tail if tail and unquote_to_bytes(tail) == decoded else quote(decoded)


def with_ids(app: Flask, prefix: str) -> None:
    """Has *app* know the converter `id`, and read the ids below *prefix* as they were sent."""
    app.url_map.converters["id"] = PathId
    app.wsgi_app = EncodedPaths(app.wsgi_app, prefix)  # type: ignore[method-assign]
