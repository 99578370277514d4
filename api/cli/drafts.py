"""
Drafts: events as a caller hands them in, each as the very text that will be sent.

A caller's text is kept as it is and members are only put in front, since
parsing and writing it anew would lose what parsers drop silently: the second
of two members of one name, the digits of a number. The ledger judges both.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from api.cli.ci import Facts
from api.cli.exits import Invalid
from api.cli.identity import missing, now

MAX_BATCH_EVENTS = 10_000
MAX_BATCH_BYTES = 15 * 1024 * 1024

_CHUNK = 1 << 16
_ONE_LINE = str.maketrans("\r\n", "  ")
_SPACE = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Draft:
    """`text` is one JSON object on one line; `line` is where it began in its file."""

    text: bytes
    type: str
    timed: bool
    line: int = 1

    def stamped(self) -> "Draft":
        """The same with a time: an event that waits would else claim to have happened when it was sent."""
        return self if self.timed else replace(self, text=_with(self.text, {"time": now()}), timed=True)


def of(event: Mapping[str, Any], facts: Facts) -> Draft:
    """The draft of one event made here."""
    whole = {**missing(event, facts), **event}
    return Draft(json.dumps(whole).encode(), str(event["type"]), whole.get("time") is not None)


def read(stream: BinaryIO, facts: Facts) -> Iterator[Draft]:
    """
    The drafts in *stream*: one JSON object, a JSON array of objects, or one object after another (NDJSON).

    Raises:
        Invalid: naming the line, at the first thing that is none of these.
    """
    for line, text, event in _values(stream):
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise Invalid(
                f"line {line}: an event is a JSON object with a `type`", "GET /openapi.json describes every event"
            )
        members = missing(event, facts, line)
        encoded = text.translate(_ONE_LINE).encode()
        timed = event.get("time") is not None or "time" in members
        yield Draft(_with(encoded, members) if members else encoded, event["type"], timed, line)


def batches(drafts: Iterator[Draft]) -> Iterator[list[Draft]]:
    """The drafts in order, in groups that one request can carry."""
    batch: list[Draft] = []
    size = 0
    for draft in drafts:
        if batch and (len(batch) == MAX_BATCH_EVENTS or size + len(draft.text) >= MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(draft)
        size += len(draft.text) + 1
    if batch:
        yield batch


def ndjson(batch: Sequence[Draft]) -> bytes:
    return b"".join(draft.text + b"\n" for draft in batch)


def _with(text: bytes, members: Mapping[str, str]) -> bytes:
    """*text*, an object that is not empty, with *members* in front."""
    return json.dumps(members).encode()[:-1] + b", " + text.lstrip()[1:]


class _Text:
    """The decoded stream as far as it was read; `at` is where its next value begins, on line `line`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._ended = False
        self.read, self.at, self.line = "", 0, 1

    def waiting(self) -> int:
        return len(self.read) - self.at

    def more(self) -> bool:
        """Reads on: as much again as is waiting, so that a long value is not looked at too often."""
        if self._ended:
            return False
        chunk = self._stream.read(max(_CHUNK, self.waiting()))
        self._ended = not chunk
        try:
            self.read, self.at = self.read[self.at :] + self._decode(chunk, final=self._ended), 0
        except UnicodeDecodeError:
            raise Invalid(f"after line {self.line}: this is not UTF-8") from None
        return True

    def skip(self, end: int) -> str:
        """What lies before *end*, which is done with."""
        text = self.read[self.at : end]
        self.line += text.count("\n")
        self.at = end
        return text

    def next_sign(self) -> str:
        """The next character that is not white space, "" at the end."""
        while True:
            bare = _SPACE.match(self.read, self.at)
            self.skip(bare.end() if bare else self.at)
            if self.waiting() or not self.more():
                return self.read[self.at : self.at + 1]


def _values(stream: BinaryIO) -> Iterator[tuple[int, str, Any]]:
    text = _Text(stream)
    sign = text.next_sign()
    if not sign:
        raise Invalid("there is no event in the input", "look at what should have written it")
    if sign == "[":
        yield from _items(text)
        return
    while text.next_sign():
        yield _value(text)


def _items(text: _Text) -> Iterator[tuple[int, str, Any]]:
    text.skip(text.at + 1)
    sign = text.next_sign()
    while sign != "]":
        yield _value(text)
        sign = text.next_sign()
        if sign not in {",", "]"}:
            raise Invalid(f"line {text.line}: a comma or ] was due, not {sign or 'the end'}")
        if sign == ",":
            text.skip(text.at + 1)
            text.next_sign()
    text.skip(text.at + 1)
    if text.next_sign():
        raise Invalid(f"line {text.line}: something follows the array")


def _value(text: _Text) -> tuple[int, str, Any]:
    while True:
        try:
            value, end = _decoder.raw_decode(text.read, text.at)
        except json.JSONDecodeError as error:
            if text.waiting() < MAX_BATCH_BYTES and text.more():
                continue
            line = text.line + text.read.count("\n", text.at, error.pos)
            raise Invalid(f"line {line}: this is not JSON: {error.msg}") from None
        except RecursionError:
            raise Invalid(f"line {text.line}: nested too deeply") from None
        return text.line, text.skip(end), value
