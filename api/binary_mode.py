"""
Binary mode of the CloudEvents HTTP binding (version 1.0.2, section 3.1): attributes in headers, data in the body.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from api.envelope import is_plain_json
from api.strict_json import Given, document, text
from ledger.contract import pointer
from ledger.errors import Fault, Invalid

_PREFIX = "ce-"
_QUOTED = re.compile(r'"(.*)"')
_ESCAPED = re.compile(r"\\(.)")


def attributes(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    The CloudEvents attributes that stand in headers; none where the request is not in binary mode.

    Raises:
        Invalid: where a value is not percent-encoded UTF-8.
    """
    found: dict[str, str] = {}
    faults = []
    for header, value in headers:
        name = header.lower()
        if name.startswith(_PREFIX):
            name = name.removeprefix(_PREFIX)
            try:
                found[name] = _decoded(value)
            except UnicodeError:
                faults.append(Fault(pointer(name), "is not UTF-8, percent-encoded"))
    if faults:
        raise Invalid(faults)
    return found


def event(given: dict[str, str], content_type: str, body: bytes) -> Given:
    """The event of a binary-mode request, as it would stand in structured mode."""
    if "data" in given:
        return Given(None, None, Invalid([Fault("/data", "is the body in binary mode, never a header")]))
    data = document(text(body))
    if isinstance(data, list):
        return Given(None, None, Invalid([Fault("/data", "must be an object")]))
    if data.error is not None:
        return Given(None, None, _below_data(data.error))
    whole: dict[str, Any] = {**given, "data": data.value}
    if not is_plain_json(content_type):
        whole["datacontenttype"] = content_type
    return Given(whole)


def _below_data(error: Invalid) -> Invalid:
    return type(error)([Fault("/data" + each.pointer, each.detail) for each in error.errors])


def _decoded(value: str) -> str:
    """A header's value as the attribute it stands for (section 3.1.3.2): unquoted, then percent-decoded once."""
    if quoted := _QUOTED.fullmatch(value):
        value = _ESCAPED.sub(r"\1", quoted[1])
    # The server hands header bytes on as Latin-1 (PEP 3333).
    return unquote_to_bytes(value.encode("latin-1")).decode()
