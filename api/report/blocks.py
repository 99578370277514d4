"""
What a report is made of, before it has a format: blocks of spans.

A renderer knows these and nothing of incidents. Every text in them is text:
it was written by us or recorded by others, and no renderer ever reads markup,
a formula or code out of it. The one exception is `AuthorText`, which is parsed
by `api.report.author_text` alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

# Spans: pieces of a line.


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A version, an id, a digest: to be copied character by character."""

    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What qualifies its surroundings: that a time is estimated, an event was recorded late, a value is not recorded."""

    text: str
    tone: Literal["quiet", "caution"] = "quiet"


@dataclass(frozen=True, slots=True)
class Time:
    """An instant, as it is read in the report's zone."""

    text: str
    instant: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """To an anchor in this document (`#...`), or to an address that `api.report.author_text.is_safe` lets through."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class Ref:
    """The positions in the record that say so; each leads to its line of the appendix."""

    positions: tuple[int, ...]


Span = Text | Strong | Code | Mark | Time | Link | Ref
Spans = tuple[Span, ...]

# Blocks


class Picture(Protocol):
    """A drawing of `api.report.pictures`; *palette* is one of its palettes."""

    @property
    def width(self) -> float: ...

    @property
    def height(self) -> float: ...

    @property
    def alt(self) -> str: ...

    def svg(self, palette: "Literal['web', 'print']") -> str: ...


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: Spans


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure; `target` leads to what it means."""

    label: str
    value: str
    note: Spans = ()
    target: str | None = None
    tone: Literal["plain", "severe"] = "plain"


@dataclass(frozen=True, slots=True)
class Tiles:
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what they are."""

    rows: tuple[tuple[Spans, Spans], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """`width` is its share of the table; a `narrow` one is as wide as its longest word and never broken."""

    title: str
    width: int = 1
    narrow: bool = False
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Row:
    """`folded` rows are told together by this one: shown on demand where a format can, else in the appendix only."""

    cells: tuple[Spans, ...]
    anchor: str | None = None
    tone: Literal["plain", "key", "void", "caution", "group"] = "plain"
    folded: "tuple[Row, ...]" = ()


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    label: str
    """What it is a table of, for who cannot see it."""
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    picture: Picture
    caption: Spans


@dataclass(frozen=True, slots=True)
class AuthorText:
    """Markdown that an author wrote."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Note:
    kind: Literal["info", "caution"]
    spans: Spans


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[Spans, ...]


Block = Heading | Paragraph | Tiles | Facts | Table | Figure | AuthorText | Note | Bullets


@dataclass(frozen=True, slots=True)
class Document:
    """
    A whole report. `subtitle` goes below the title, `foot` on every printed page;
    `moment` is the time that files are stamped with: of the record, never of the making.
    """

    title: str
    subtitle: Spans
    foot: str
    moment: datetime
    blocks: tuple[Block, ...] = field(default=())


def plain(spans: Iterable[Span]) -> str:
    """Spans as text alone."""
    return "".join(_plain(each) for each in spans)


def _plain(span: Span) -> str:
    if isinstance(span, Ref):
        return f"[{', '.join(map(str, span.positions))}]" if span.positions else ""
    return span.text


def targets(blocks: Sequence[Block]) -> Iterator[str]:
    """Where the links of a document lead."""
    for block in blocks:
        if isinstance(block, Tiles):
            yield from (each.target for each in block.tiles if each.target)
        yield from (span.target for span in _spans(block) if isinstance(span, Link))


def _spans(block: Block) -> Iterator[Span]:
    match block:
        case Paragraph(spans) | Note(_, spans):
            yield from spans
        case Figure(_, caption):
            yield from caption
        case Facts(rows):
            yield from (span for pair in rows for spans in pair for span in spans)
        case Bullets(items):
            yield from (span for item in items for span in item)
        case Tiles(tiles):
            yield from (span for tile in tiles for span in tile.note)
        case Table():
            yield from (span for row in block.rows for cell in row.cells for span in cell)


def anchors(blocks: Sequence[Block]) -> Iterator[str]:
    """Every place in a document that a link may lead to."""
    for block in blocks:
        if isinstance(block, Heading):
            yield block.anchor
        elif isinstance(block, Table):
            yield from (row.anchor for row in block.rows if row.anchor)
