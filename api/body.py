"""
Request bodies: bounded, however they are sent.

werkzeug refuses a body whose announced length is above the bound, but cuts
one that is sent in chunks at the bound and hands it on as if it were whole.
A batch that lost its end in silence must not be recorded.
"""

from io import BufferedIOBase
from typing import IO, cast

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream

LARGEST_BODY = 16 * 1024 * 1024


class BoundedRequest(Request):
    """A request whose body, announced or in chunks, is no longer than `max_content_length`; above that it is a 413."""

    @cached_property
    def stream(self) -> IO[bytes]:
        if self.content_length is not None or self.max_content_length is None:
            return super().stream
        return cast("IO[bytes]", _Bounded(get_input_stream(self.environ), self.max_content_length))


class _Bounded(BufferedIOBase):
    def __init__(self, stream: IO[bytes], longest: int) -> None:
        self._stream, self._left = stream, longest

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        asked = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        parts = []
        while asked and (data := self._stream.read(min(asked, 65_536))):
            asked -= len(data)
            self._left -= len(data)
            if self._left < 0:
                raise RequestEntityTooLarge
            parts.append(data)
        return b"".join(parts)
