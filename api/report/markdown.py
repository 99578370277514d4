"""
A report as Markdown, in GitHub's flavour.

Recorded words are escaped, so that they read as they were written wherever
this is rendered: no emphasis, link, formula, tag or table cell comes of them.
A picture is told by its text alternative; its figures are in the tables.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

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
    Row,
    Span,
    Strong,
    Table,
    Text,
    Tiles,
    Time,
    anchors,
)

_SPECIAL = re.compile(
    r"[\\`*\[\]<>|~$]"  # always
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore inside a word is one
    r"|&(?=#?\w+;)"  # else it would begin a character reference
    r"|:(?=//)|(?<=www)\.",  # GitHub makes links of bare addresses
    re.IGNORECASE,
)
_AT_START = re.compile(r"^(?:([#+=-])|(\d{1,9})([.)]))")
_SPACE = re.compile(r"\s+")
_TURNS = re.compile(r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_ISOLATED = "\N{FIRST STRONG ISOLATE}%s\N{POP DIRECTIONAL ISOLATE}"


def render(document: Document) -> bytes:
    """The file, UTF-8."""
    return ("\n\n".join(_Markdown(document).parts()) + "\n").encode()


def escape(words: str) -> str:
    """Text in the middle of a line, on one line."""
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", _SPACE.sub(" ", words))
    return _ISOLATED % escaped if _TURNS.search(words) else escaped


def at_start(line: str) -> str:
    """A line whose first characters must not make a heading, list or rule of it."""
    return _AT_START.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", line.lstrip())


def emphasised(words: str, mark: str) -> str:
    """Blanks at its ends stand outside of the marks: within, or with nothing beside a comma, they would show as marks."""
    if not words.strip():
        return ""
    before, after = (" " if each.isspace() else "" for each in (words[0], words[-1]))
    return f"{before}{mark}{escape(words.strip())}{mark}{after}"


def code(words: str, *, in_table: bool = False) -> str:
    words = _SPACE.sub(" ", words)
    if not words.strip():
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", words)), default=0) + 1)
    pad = " " if words.startswith("`") or words.endswith("`") or (words[0] == words[-1] == " ") else ""
    return f"{fence}{pad}{words.replace('|', chr(92) + '|') if in_table else words}{pad}{fence}"


class _Markdown:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors = set(anchors(document.blocks))
        self._in_table = False

    def parts(self) -> Iterator[str]:
        document = self._document
        yield f"# {escape(document.title)}"
        yield at_start(self.spans(document.subtitle))
        for block in document.blocks:
            if part := self._block(block):
                yield part
        yield f"---\n\n{at_start(escape(document.foot))}"

    def _block(self, block: Block) -> str:
        match block:
            case Heading(level, words, anchor):
                return f'<a id="{anchor}"></a>\n\n{"#" * level} {escape(words)}'
            case Paragraph(spans):
                return at_start(self.spans(spans))
            case Tiles(tiles):
                labels = tuple(self._cell((Link(each.label, each.target or ""),)) for each in tiles)
                values = tuple(self._cell((Strong(each.value), Text(" "), *each.note)) for each in tiles)
                return _table(labels, [":-"] * len(tiles), [values])
            case Facts(rows):
                return "\n".join(f"- {self._bold(label)}: {self.spans(value)}" for label, value in rows)
            case Table():
                return self._table(block)
            case Figure(picture, caption):
                return f"> *Figure:* {self.spans(caption)}\n>\n> {at_start(escape(picture.alt))}"
            case AuthorText(markdown):
                return author_markdown(markdown)
            case Note(kind, spans):
                return f"> [!{'IMPORTANT' if kind == 'caution' else 'NOTE'}]\n> {at_start(self.spans(spans))}"
            case Bullets(items):
                return "\n".join(f"- {at_start(self.spans(each))}" for each in items)

    def _bold(self, spans: Iterable[Span]) -> str:
        inner = self.spans(spans).strip()
        return f"**{inner}**" if inner else ""

    def _table(self, table: Table) -> str:
        rules = ["-:" if each.align == "right" else ":-" for each in table.columns]
        titles = [escape(each.title) for each in table.columns]
        return _table(titles, rules, [self._row(each) for each in table.rows])

    def _row(self, row: Row) -> list[str]:
        cells = [self._cell(each) for each in row.cells]
        if row.anchor:
            cells[0] = f'<a id="{row.anchor}"></a>{cells[0]}'
        return cells

    def _cell(self, spans: Sequence[Span]) -> str:
        self._in_table = True
        made = self.spans(spans).strip()
        self._in_table = False
        return made

    def spans(self, spans: Iterable[Span]) -> str:
        return "".join(map(self._span, spans))

    def _span(self, span: Span) -> str:
        match span:
            case Text(words) | Time(words, _):
                return escape(words)
            case Strong(words):
                return emphasised(words, "**")
            case Code(words):
                return code(words, in_table=self._in_table)
            case Mark(words, tone):
                return emphasised(words, "_" if tone == "quiet" else "**")
            case Link(words, target):
                return self._link(escape(words), target)
            case Ref(positions):
                links = ", ".join(self._link(str(each), f"#p-{each}") for each in positions)
                return f"<sup>{links}</sup>" if positions else ""

    def _link(self, inner: str, target: str) -> str:
        known = target[1:] in self._anchors if target.startswith("#") else author.is_safe(target)
        return f"[{inner}]({_address(target)})" if known else inner


def _address(target: str) -> str:
    """Between parentheses, and between the bars of a table."""
    return "".join(f"%{ord(each):02X}" if each in "()|*_~$" else each for each in target) if ":" in target else target


def _table(titles: Sequence[str], rules: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(each)} |" for each in (titles, rules, *rows))


# What authors wrote


def author_markdown(markdown: str) -> str:
    """An author's Markdown, written anew from what it means: nothing in it is left that only looked like text."""
    return _nodes(author.parse(markdown))


def _nodes(nodes: Sequence[author.Node], *, tight: bool = False) -> str:
    return ("\n" if tight else "\n\n").join(map(_node, nodes))


def _node(node: author.Node) -> str:
    match node:
        case author.Lines(inlines):
            return at_start(_inlines(inlines))
        case author.Title(level, inlines):
            return f"{'#' * min(level + 2, 6)} {_inlines(inlines)}"
        case author.Items(start, items):
            marks = ["-" if start is None else f"{start + place}." for place in range(len(items))]
            return "\n".join(_indented(mark, each) for mark, each in zip(marks, items, strict=True))
        case author.Quote(nodes):
            return "\n".join(f"> {line}".rstrip() for line in _nodes(nodes).split("\n"))
        case author.Listing(words):
            fence = "`" * max(3, max((len(run) for run in re.findall("`+", words)), default=0) + 1)
            return f"{fence}\n{words}\n{fence}"
        case author.Rule():
            return "---"
        case author.Grid(head, rows):
            titles = [_inlines(each, in_table=True) for each in head]
            cells = [[_inlines(cell, in_table=True) for cell in row] for row in rows]
            return _table(titles, [":-"] * len(titles), cells)


def _indented(mark: str, nodes: Sequence[author.Node]) -> str:
    tight = all(isinstance(each, author.Lines | author.Items) for each in nodes[:1])
    lines = _nodes(nodes, tight=tight and len(nodes) <= 2).split("\n")
    return "\n".join([f"{mark} {lines[0]}", *(f"{' ' * (len(mark) + 1)}{each}".rstrip() for each in lines[1:])])


def _inlines(inlines: Iterable[author.Inline], *, in_table: bool = False) -> str:
    return "".join(_inline(each, in_table=in_table) for each in inlines)


def _inline(inline: author.Inline, *, in_table: bool) -> str:
    match inline:
        case author.Words(words):
            return escape(words)
        case author.CodeWords(words):
            return code(words, in_table=in_table)
        case author.Break():
            return " " if in_table else "\\\n"
        case author.Styled(style, inlines):
            mark = {"strong": "**", "em": "*", "s": "~~"}[style]
            inner = _inlines(inlines, in_table=in_table).strip()
            return f"{mark}{inner}{mark}" if inner else ""
        case author.Anchor(address, inlines):
            return f"[{_inlines(inlines, in_table=in_table)}]({_address(address)})"
