"""
Rows against their leaves: the columns beside a leaf, its form, its words.

`quickly` looks at many rows at once and is exact where it says yes; `closely`
and `words_of` look at one, and say in words what is not so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import orjson

from ledger.canonical import canonical
from ledger.verify import FORMAT, PROTECTED, commitment, commitments

Row = tuple[int, str, int, str, str, str, bytes]
"""Position, stream, revision, type, source, id, leaf."""

COLUMNS = ("position", "stream", "revision", "type", "source", "id")
REDACTION = "record.redacted"
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What `closely`, `words_of` and `redaction_of` raise of a leaf that is not one."""

_COMMITTED = b'{"...":"'
_TIME = len("2026-11-22T20:00:00.000000Z")
_Plain = str | int | bool | None


# Many at once


class _Said(msgspec.Struct, gc=False):
    format: int
    id: str
    position: int
    recordedtime: str
    revision: int
    source: str
    stream: str
    type: str


class Words:
    """The disclosures that are kept, by position."""

    def __init__(self, found: Iterable[tuple[int, str, str]] = ()) -> None:
        self._texts: dict[int, dict[str, str]] = {}
        for position, path, text in found:
            self._texts.setdefault(position, {})[path] = text

    def count(self) -> int:
        return sum(map(len, self._texts.values()))

    def of(self, position: int) -> Mapping[str, str]:
        """Each by its path."""
        return self._texts.get(position, {})

    def unfit(self, rows: Sequence[Row], whole: bytes) -> list[Row]:
        """Those of the rows that may commit to something else than these words; *whole* is their leaves."""
        with_words = [(row, self._texts[row[0]]) for row in rows if row[0] in self._texts]
        if whole.count(_COMMITTED) == sum([len(texts) for _, texts in with_words]):
            return [row for row, texts in with_words if not _fit(row[6], texts)]
        return [
            row for row in rows if row[6].count(_COMMITTED) != len(self.of(row[0])) or not _fit(row[6], self.of(row[0]))
        ]


def _fit(leaf: bytes, texts: Mapping[str, str]) -> bool:
    """
    Whether each of these words is that of a commitment of its name.

    So a leaf with as many commitments has none whose words are others, or gone.
    """
    for path, text in texts.items():
        # Nothing but a name: a path could hold half a leaf.
        if path[1:] not in PROTECTED or f'"{path[1:]}":{{"...":"{commitment(text)}"}}'.encode() not in leaf:
            return False
    return True


class Quick(NamedTuple):
    """When rows were recorded, and those `aside` whose words take a closer look."""

    times: list[str]
    aside: list[Row]


def quickly(rows: Sequence[Row], words: Words) -> Quick | None:
    """Whether each of these rows is just as its leaf says. None says that one of them takes a closer look."""
    leaves = [row[6] for row in rows]
    try:
        whole = b"\n".join(leaves)
        said = _decode_lines(whole)
        aside = words.unfit(rows, whole)
    except (msgspec.MsgspecError, *UNREADABLE):
        return None
    times = [each.recordedtime for each in said]
    if (
        # A leaf that ends so is a line of its own, at least: so each was compared with its own row.
        {leaf[-1:] for leaf in leaves} == {b"}"}
        and [(each.position, each.stream, each.revision, each.type, each.source, each.id) for each in said]
        == [row[:6] for row in rows]
        and {each.format for each in said} == {FORMAT}
        and set(map(len, times)) == {_TIME}
        and times == sorted(times)
    ):
        return Quick(times, aside + [row for row in rows if row[3] == REDACTION and row not in aside])
    return None


# The form


class _Submitter(msgspec.Struct, omit_defaults=True, gc=False):
    id: str
    kind: str
    method: str
    claims: dict[str, str] | None = None


class _Leaf(msgspec.Struct, omit_defaults=True, gc=False):
    """
    A leaf without any float: what msgspec then writes with sorted names is its canonical form, as long as all is
    ASCII. Anything else fails to decode, or is written otherwise.
    """

    data: dict[str, _Plain | list[_Plain | dict[str, _Plain | dict[str, str]]] | dict[str, _Plain | list[str]]]
    dataschema: str
    format: int
    id: str
    position: int
    recordedtime: str
    revision: int
    source: str
    stream: str
    submitter: _Submitter
    time: str
    type: str
    causation: str | None = None
    correlation: str | None = None
    extensions: dict[str, str | int | bool] | None = None


_decode_lines = msgspec.json.Decoder(_Said).decode_lines
_decode_whole_lines = msgspec.json.Decoder(_Leaf).decode_lines
_encode_lines = msgspec.json.Encoder(order="sorted").encode_lines


def are_canonical(leaves: Sequence[bytes]) -> bool:
    """Whether each of these leaves is in canonical form. False says that it takes a closer look."""
    whole = b"\n".join([*leaves, b""])
    try:
        return whole.isascii() and _encode_lines(_decode_whole_lines(whole)) == whole
    except (msgspec.MsgspecError, ValueError):
        return False


# One by one


def closely(row: Row) -> tuple[str, list[str]]:
    """When a row was recorded, and what is wrong with it, in words. Raises `UNREADABLE`."""
    position, leaf = row[0], row[6]
    said = orjson.loads(leaf)
    return said["recordedtime"], list(_faults(position, row, leaf, said))


def _faults(position: int, row: Row, leaf: bytes, said: Mapping[str, Any]) -> Iterator[str]:
    for name, column in zip(COLUMNS, row, strict=False):
        if said[name] != column:
            yield f"position {position} is stored with the {name} {column!r}, and its leaf says {said[name]!r}"
    if canonical(said) != leaf:
        yield f"position {position} has a leaf that is not in canonical form"
    if said["format"] != FORMAT:
        yield f"position {position} has a leaf of format {said['format']}, not {FORMAT}"
    if len(said["recordedtime"]) != _TIME:
        yield f"position {position} has no time of recording, but {said['recordedtime']!r}"


class Committed(NamedTuple):
    """Paths of words that are not those that a leaf commits to, and of commitments whose words are gone."""

    wrong: list[str]
    wordless: list[str]


def words_of(row: Row, words: Mapping[str, str]) -> Committed:
    """What a leaf commits to, held against the words that are kept. Raises `UNREADABLE`."""
    committed = dict(commitments(orjson.loads(row[6])["data"]))
    wrong = [path for path, text in words.items() if committed.pop(path, None) != commitment(text)]
    return Committed(wrong, list(committed))


def redaction_of(leaf: bytes) -> tuple[int, tuple[str, ...]]:
    """The position that a redaction is about, and what it redacts. Raises `UNREADABLE`."""
    data = orjson.loads(leaf)["data"]
    return int(data["position"]), tuple(data["fields"])
