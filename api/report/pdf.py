"""
A report as PDF: tagged, with links and bookmarks, by typst.

The template never changes; a report goes into it as data, so no word of the
record is ever read as typst (see `api.report.typesetting` for what it sees).
The same report gives the same bytes: our own fonts, and the time stamp of the record. Only letters
that our fonts lack (those of Chinese, Japanese, Korean) are taken from the
machine's fonts, where it has any; else a box stands there.
"""

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from api.report import author_text as author
from api.report.blocks import (
    AuthorText,
    Block,
    Bullets,
    Code,
    Document,
    Facts,
    Figure,
    Heading,
    Link,
    Mark,
    Note,
    Paragraph,
    Ref,
    Span,
    Strong,
    Table,
    Text,
    Tiles,
    Time,
    anchors,
    plain,
)

Json = dict[str, Any]

FONTS = Path(__file__).parents[1] / "static" / "fonts"

PATIENCE_S = 60.0

TEXT_WIDTH_PT = 482.0
"""An A4 page between its margins."""

UNBROKEN_TIME = 40
"""Characters up to which a time stands on one line."""

UNBROKEN = 26
"""A longer run of characters without a blank may be broken, so that it never leaves its place."""

_RUN = re.compile(rf"\S{{{UNBROKEN + 1},}}")
_PIECE = re.compile(r"\S{1,8}(?:\u200d\S|[\u0300-\u036f\ufe00-\ufe0f\U0001f3fb-\U0001f3ff])*")
"""A few characters, with all that belongs to the last one."""

_TURNS = re.compile(r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


class TooLong(Exception):
    """A report that takes more time to lay out than anybody waits."""

    def __init__(self) -> None:
        super().__init__(f"a PDF of it takes more than {PATIENCE_S:.0f} s to lay out: ask for another format")


def render(document: Document) -> bytes:
    """The file."""
    data, pictures = _Data(document).files()
    files = {"main.typ": _template(), "report.json": json.dumps(data, ensure_ascii=False).encode(), **pictures}
    return compiled(files, int(document.moment.timestamp()))


def compiled(files: Mapping[str, bytes], timestamp: int, **options: Any) -> bytes:
    """
    What typst makes of `main.typ` and what it reads, in a process of its own; *files* are UTF-8.

    Raises:
        TooLong: where that takes too long.
    """
    asked = {
        "files": {name: content.decode() for name, content in files.items()},
        "fonts": str(FONTS),
        "machine_fonts": _lack(files),
        "options": {"timestamp": timestamp, **options},
    }
    # -P: a module beside the script must not stand in for one of the standard library.
    command = [sys.executable, "-P", str(Path(__file__).with_name("typesetting.py"))]
    try:
        done = subprocess.run(  # noqa: S603 - our own script, no argument of anybody's
            command, input=json.dumps(asked).encode(), capture_output=True, check=True, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise TooLong from None
    return done.stdout


@cache
def _template() -> bytes:
    return Path(__file__).with_name("report.typ").read_bytes()


def _lack(files: Mapping[str, bytes]) -> bool:
    """Whether our fonts lack a letter of some files."""
    letters = {each for content in files.values() for each in content.decode()}
    return any(ord(each) not in _covered() and unicodedata.category(each)[0] in "LNS" for each in letters)


@cache
def _covered() -> frozenset[int]:
    """What our fonts have a shape for, by their table of widths."""
    table = json.loads((FONTS / "widths.json").read_text())
    runs = [(int(first), len(run)) for part in table.values() for first, run in part.items()]
    return frozenset(code for first, count in runs for code in range(first, first + count))


def breakable(words: str) -> str:
    """
    Text whose long runs may be broken anywhere, by zero-width spaces, but not inside a character.

    Directional controls are kept apart from what is around.
    """
    made = _RUN.sub(lambda run: "\u200b".join(_PIECE.findall(run[0])), words)
    return f"\u2068{made}\u2069" if _TURNS.search(words) else made


class _Data:
    """A document as the template wants it. What does not lead anywhere is no link."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors = set(anchors(document.blocks))
        self._pictures: dict[str, bytes] = {}

    def files(self) -> tuple[Json, dict[str, bytes]]:
        document = self._document
        moment = document.moment.astimezone(UTC)
        data: Json = {
            "title": breakable(document.title),
            "subtitle": self._spans(document.subtitle),
            "foot": breakable(document.foot),
            "date": {part: getattr(moment, part) for part in ("year", "month", "day", "hour", "minute", "second")},
            "blocks": list(self._blocks()),
        }
        return data, self._pictures

    def _blocks(self) -> Iterator[Json]:
        """Each with whether it stays on one page with what comes next: an introduction, or words whose author follows."""
        blocks = self._document.blocks
        for block, following in zip_longest(blocks, blocks[1:]):
            kind, rest = self._block(block)
            leads = isinstance(block, Paragraph | Note) and isinstance(following, Table | Bullets)
            signed = isinstance(block, AuthorText) and isinstance(following, Paragraph)
            yield {"k": kind, "sticky": leads or signed, **rest}

    def _block(self, block: Block) -> tuple[str, Json]:
        match block:
            case Heading(level, words, anchor):
                return "heading", {"level": level, "s": breakable(words), "anchor": anchor}
            case Paragraph(spans):
                return "paragraph", {"spans": self._spans(spans)}
            case Tiles():
                return "tiles", {"tiles": list(self._tiles(block))}
            case Facts(rows):
                return "facts", {"rows": [[self._spans(label), self._spans(value)] for label, value in rows]}
            case Table():
                return "table", self._table(block)
            case Figure():
                return "figure", self._figure(block)
            case AuthorText(markdown):
                return "author", {"nodes": _nodes(author.parse(markdown))}
            case Note(kind, spans):
                return "note", {"kind": kind, "spans": self._spans(spans)}
            case Bullets(items):
                return "bullets", {"items": [self._spans(each) for each in items]}

    def _tiles(self, block: Tiles) -> Iterator[Json]:
        for each in block.tiles:
            target = (each.target or "").removeprefix("#")
            yield {
                "label": breakable(each.label),
                "value": breakable(each.value),
                "note": self._spans(each.note),
                "tone": each.tone,
                "to": target if target in self._anchors else None,
            }

    def _table(self, table: Table) -> Json:
        rows = [
            {"cells": [self._spans(cell) for cell in row.cells], "anchor": row.anchor, "tone": row.tone}
            for row in table.rows
        ]
        columns = [
            {"title": each.title, "width": each.width, "letters": _letters(table, place), "align": each.align}
            for place, each in enumerate(table.columns)
        ]
        return {"columns": columns, "rows": rows, "dense": table.dense}

    def _figure(self, figure: Figure) -> Json:
        name = f"picture-{len(self._pictures) + 1}.svg"
        self._pictures[name] = figure.picture.svg("print").encode()
        width = min(TEXT_WIDTH_PT, figure.picture.width * 0.75)
        return {"file": name, "alt": figure.picture.alt, "width": width, "caption": self._spans(figure.caption)}

    def _spans(self, spans: Iterable[Span]) -> list[Json]:
        return [made for each in spans for made in self._span(each)]

    def _span(self, span: Span) -> Iterator[Json]:
        match span:
            case Text(words):
                yield {"k": "text", "s": breakable(words)}
            case Time(words, _):
                yield {"k": "time" if len(words) < UNBROKEN_TIME else "text", "s": breakable(words)}
            case Strong(words):
                yield {"k": "strong", "s": breakable(words)}
            case Code(words):
                yield {"k": "code", "s": breakable(words)} if not _is_digest(words) else _digest(words)
            case Mark(words, tone):
                yield {"k": "mark", "s": breakable(words), "tone": tone}
            case Link(words, target):
                yield self._link(breakable(words), target)
            case Ref(positions) if positions:
                known = [{"s": str(each), "known": f"p-{each}" in self._anchors} for each in positions]
                yield {"k": "ref", "at": known}
            case Ref():
                return

    def _link(self, words: str, target: str) -> Json:
        if target.startswith("#") and target[1:] in self._anchors:
            return {"k": "inner", "s": words, "to": target[1:]}
        if author.is_safe(target):
            return {"k": "outer", "s": words, "to": target}
        return {"k": "text", "s": words}


def _letters(table: Table, place: int) -> int | None:
    """Letters in the longest cell of a narrow column; so that typst need not lay out every cell to find its width."""
    if not table.columns[place].narrow:
        return None
    return max(len(table.columns[place].title), *(len(plain(row.cells[place])) for row in table.rows), 1)


def _is_digest(words: str) -> bool:
    return len(words) == 64 and words.isascii() and words.isalnum()


def _digest(words: str) -> Json:
    """In two halves, each of which is whole: so it may be broken, and is copied without anything added."""
    return {"k": "digest", "halves": [words[:32], words[32:]]}


# What authors wrote


def _nodes(nodes: Sequence[author.Node]) -> list[Json]:
    return list(map(_node, nodes))


def _node(node: author.Node) -> Json:
    match node:
        case author.Lines(inlines):
            return {"k": "lines", "in": _inlines(inlines)}
        case author.Title(level, inlines):
            return {"k": "title", "level": min(level + 2, 6), "in": _inlines(inlines)}
        case author.Items(start, items):
            return {"k": "items", "start": start, "items": [_nodes(each) for each in items]}
        case author.Quote(nodes):
            return {"k": "quote", "nodes": _nodes(nodes)}
        case author.Listing(words):
            return {"k": "listing", "lines": [breakable(_indented(each)) for each in words.split("\n")]}
        case author.Rule():
            return {"k": "rule"}
        case author.Grid(head, rows):
            cells = [[{"in": _inlines(cell)} for cell in row] for row in rows]
            return {"k": "grid", "head": [_inlines(each) for each in head], "rows": cells}


def _indented(line: str) -> str:
    """Blanks at the begin of a line of code count."""
    rest = line.expandtabs(4).lstrip(" ")
    return "\u00a0" * (len(line.expandtabs(4)) - len(rest)) + rest


def _inlines(inlines: Iterable[author.Inline]) -> list[Json]:
    return list(map(_inline, inlines))


def _inline(inline: author.Inline) -> Json:
    match inline:
        case author.Words(words):
            return {"k": "words", "s": breakable(words)}
        case author.CodeWords(words):
            return {"k": "code", "s": breakable(words)}
        case author.Break():
            return {"k": "break"}
        case author.Styled(style, inlines):
            return {"k": style, "in": _inlines(inlines)}
        case author.Anchor(address, inlines):
            return {"k": "link", "to": address, "in": _inlines(inlines)}
