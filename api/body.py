"""
Request bodies: as they are, whole, and bounded, however they are sent.

werkzeug refuses a body whose announced length is above the bound, but cuts
one that is sent in chunks at the bound and hands it on as if it were whole.
A batch that lost its end in silence must not be recorded. Nor is one
unpacked: a few bytes could become more than any bound.
"""

from io import BufferedIOBase
from typing import IO, cast

from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream

LARGEST_BODY = 16 * 1024 * 1024

BROKEN = (OSError, ParseException)
"""Raised where the rest of a body can't be read, now or ever."""


class BoundedRequest(Request):
    """
    A request whose body, announced or in chunks, is no longer than `max_content_length`; above that it is a 413.

    One that is compressed is a 415, and one whose chunks are broken a 400.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        coding = self.headers.get("Content-Encoding", "identity").strip()
        if coding.lower() not in ("", "identity"):
            raise Compressed(coding)
        if self.content_length is not None or self.max_content_length is None:
            return super().stream
        return cast("IO[bytes]", _Bounded(get_input_stream(self.environ), self.max_content_length))


class Compressed(UnsupportedMediaType):
    def __init__(self, coding: str) -> None:
        super().__init__(f"the body is sent as {coding}, and bodies are not unpacked here: send it as it is")

    def get_headers(self, *args: object, **kwargs: object) -> list[tuple[str, str]]:
        # RFC 9110, section 12.5.3: says which codings would have been taken.
        return [*super().get_headers(*args, **kwargs), ("Accept-Encoding", "identity")]  # type: ignore[arg-type]


class _Bounded(BufferedIOBase):
    def __init__(self, stream: IO[bytes], longest: int) -> None:
        self._stream, self._left = stream, longest

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        asked = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        parts = []
        while asked and (data := self._piece(min(asked, 65_536))):
            asked -= len(data)
            self._left -= len(data)
            if self._left < 0:
                raise RequestEntityTooLarge
            parts.append(data)
        return b"".join(parts)

    def _piece(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except BROKEN:
            raise BadRequest(
                "the body ended before its last chunk, or a chunk is not of the length that it announces: nothing of it "
                "was taken; send it again"
            ) from None
