"""
Canonical JSON (RFC 8785, JCS): one value, one sequence of bytes.

`orjson` with sorted keys writes the same bytes as `rfc8785` as long as every
member name is ASCII (it sorts by UTF-8, JCS by UTF-16), no number is a float
(the two print some differently) and no integer needs more than 53 bits. Under
just that guard it is the fast path; a property test proves the equality.
"""

from typing import Any

import orjson
import rfc8785

from ledger.values import MAX_EXACT_INTEGER


def canonical(value: Any) -> bytes:
    """
    The canonical bytes of a JSON value.

    Raises:
        ValueError, TypeError: for what JSON cannot say, such as NaN or half a surrogate pair.
    """
    if _plain(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(value)


def _plain(value: Any) -> bool:
    kind: type = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER)
    if kind is dict:
        for name, each in value.items():
            if not name.isascii() or (type(each) is not str and not _plain(each)):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_plain, value))
    return False
