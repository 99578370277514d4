"""
Where a page of a list ended, as an opaque text that goes back in as `after`.
"""

import base64
import binascii
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, request

from ledger.errors import OutOfRange


def as_cursor(key: Any) -> str | None:
    """The `next` of a page whose last item has a key, which is JSON; None where it is the last page."""
    return None if key is None else base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def key_of(text: str | None) -> Any:
    """
    The key that a cursor was made of; None without one.

    Raises:
        OutOfRange: where it is not of our making.
    """
    if text is None:
        return None
    try:
        return orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise not_ours() from None


def not_ours() -> OutOfRange:
    return OutOfRange("after is not the `next` of another page")


def linked(response: Response, following: str | None) -> Response:
    """With a link to the next page (RFC 8288)."""
    if following is not None:
        query = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
        target = f"{quote(request.path)}?{urlencode([*query, ('after', following)])}"
        response.headers["Link"] = f'<{target}>; rel="next"'
    return response
