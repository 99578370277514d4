"""
JSON as the ledger takes it: UTF-8, one meaning for every reader, nothing dropped silently.

What does not parse is `Malformed`: no JSON, not UTF-8, NaN and Infinity,
nested deeper than a parser goes. What parses and means different things to
different readers is `Invalid`: a member named twice, of which parsers
silently keep the last, and half a surrogate pair, which is no character.
What holds more than a request may is `TooLarge`, and is read no further.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ledger.contract import pointer
from ledger.errors import Fault, Invalid, TooLarge

LARGEST_BATCH = 10_000
"""Values in one request: the items of an array, or the lines of NDJSON."""

MOST_FAULTS = 1_000
"""How many faults are told of one request."""


class Malformed(Invalid):
    """Not JSON."""


@dataclass(frozen=True, slots=True)
class Given:
    """
    One value as it stood in a request, or why it cannot be read.

    `line` is its line in NDJSON, or its place in an array, from 1; None where
    it stood alone.
    """

    value: Any
    line: int | None = None
    error: Invalid | None = None


class _Suspect(Exception):
    """This is worth a second, slower look."""


class _Constant(Exception):
    pass


class _Pairs(list[tuple[str, Any]]):
    """An object, all of its members kept."""


def text(body: bytes) -> str:
    """
    The text of a body; a byte order mark is passed over (RFC 8259, section 8.1).

    Raises:
        Malformed: if it is not UTF-8.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed([Fault("", f"is not UTF-8: byte {error.start} starts no character")]) from None


def document(content: str) -> Given | list[Given]:
    """What a JSON text holds: the items of an array, or the one value that it is. Raises `Malformed`, `TooLarge`."""
    try:
        value = _decode(content, _whole)
    except _Suspect:
        return _suspect_document(content)
    except (Malformed, TooLarge):
        raise
    except Invalid as error:
        return Given(None, None, error)
    if type(value) is list:
        return [Given(each, line) for line, each in enumerate(value, 1)]
    return Given(value)


def lines(content: str) -> list[Given]:
    """The values of NDJSON, one a line; blank lines are passed over, and counted. Raises `TooLarge`."""
    found: list[Given] = []
    for number, line in enumerate(content.split("\n"), 1):
        if line and line.strip(" \t\r"):
            if len(found) == LARGEST_BATCH:
                raise _too_many()
            try:
                found.append(Given(_decode(line), number))
            except _Suspect:
                found.append(_suspect_line(line, number))
            except Invalid as error:
                found.append(Given(None, number, _on(number, error)))
    return found


def _too_many() -> TooLarge:
    detail = f"holds more than {LARGEST_BATCH} events, and no more are taken at once: send the rest in a second request"
    return TooLarge([Fault("", detail)])


def _suspect_document(content: str) -> Given | list[Given]:
    value = _reading(_whole, _LENIENT, content)
    if type(value) is list:
        return [_sifted(each, line) for line, each in enumerate(value, 1)]
    return _sifted(value, None)


def _suspect_line(line: str, number: int) -> Given:
    try:
        return _sifted(_reading(_LENIENT.decode, line), number)
    except Invalid as error:
        return Given(None, number, _on(number, error))


def _on(line: int, error: Invalid) -> Invalid:
    return type(error)([Fault(each.pointer, each.detail, line) for each in error.errors])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    kept = dict(pairs)
    if len(kept) != len(pairs):
        raise _Suspect
    return kept


def _constant(name: str) -> None:
    raise _Constant(name)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")
_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_constant)
_LENIENT = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_constant)
_SPACE = re.compile(r"[ \t\n\r]*")


def _decode(content: str, parse: Callable[[json.JSONDecoder, str], Any] = json.JSONDecoder.decode) -> Any:
    """Raises `_Suspect` for what may hold a member twice or half a surrogate pair."""
    if _SURROGATE.search(content):
        raise _Suspect
    return _reading(parse, _STRICT, content)


def _whole(decoder: json.JSONDecoder, content: str) -> Any:
    """
    As `decode`, but that an array is given up at the first item that is too many: eight million take seconds.

    Raises:
        TooLarge, JSONDecodeError: the latter worded as the parser words it.
    """
    start = _after_space(content, 0)
    if not content.startswith("[", start):
        return decoder.decode(content)
    items: list[Any] = []
    end = _after_space(content, start + 1)
    if content.startswith("]", end):
        return _ended(items, content, end)
    while True:
        if len(items) == LARGEST_BATCH:
            raise _too_many()
        item, end = decoder.raw_decode(content, end)
        items.append(item)
        if content.startswith("]", end := _after_space(content, end)):
            return _ended(items, content, end)
        if not content.startswith(",", end):
            raise json.JSONDecodeError("Expecting ',' delimiter", content, end)
        end = _after_space(content, end + 1)


def _ended(items: list[Any], content: str, end: int) -> list[Any]:
    """The items, where nothing comes after their closing bracket."""
    if (rest := _after_space(content, end + 1)) != len(content):
        raise json.JSONDecodeError("Extra data", content, rest)
    return items


def _after_space(content: str, start: int) -> int:
    found = _SPACE.match(content, start)
    return found.end() if found else start


def _reading(read: Any, *content: Any) -> Any:
    """What *read* returns, its failures told as ours."""
    try:
        return read(*content)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column" if error.lineno > 1 else "column"
        detail = f"is not JSON: {error.msg} at {where} {error.colno}"
    except _Constant as error:
        detail = f"is not JSON: {error} is no number there"
    except RecursionError:
        detail = "is nested deeper than can be read"
    except ValueError:
        # The parser's own bound, 4,300 digits; what is shorter is judged by the member's rule.
        raise Invalid(
            [Fault("", "holds a whole number beyond 2^53-1, which readers round: send it as a string")]
        ) from None
    raise Malformed([Fault("", detail)])


def _sifted(value: Any, line: int | None) -> Given:
    """The value with its objects as they should be, or where it can be misread."""
    faults = [Fault(pointer(*path), detail, line) for path, detail in _reading(_all_traps, value)]
    return Given(None, line, Invalid(faults)) if faults else Given(_reading(_plain, value), line)


_Path = tuple[str | int, ...]


def _all_traps(value: Any) -> list[tuple[_Path, str]]:
    return list(islice(_traps(value, ()), MOST_FAULTS))


def _traps(value: Any, path: _Path) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, each in value:
            if _HALF.search(name):
                yield path, "has a member whose name holds half a surrogate pair; remove it"
                continue
            if name in seen:
                yield (*path, name), "is given more than once"
            seen.add(name)
            yield from _traps(each, (*path, name))
    elif type(value) is list:
        for index, each in enumerate(value):
            yield from _traps(each, (*path, index))
    elif type(value) is str and _HALF.search(value):
        yield path, "holds half a surrogate pair; remove it"


def _plain(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {name: _plain(each) for name, each in value}
    return [_plain(each) for each in value] if type(value) is list else value
