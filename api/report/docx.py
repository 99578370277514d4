"""
A report as DOCX, by pandoc; an extra, since pandoc is 150 MB.

pandoc gets a tree and not text: there is nothing in it to be parsed, so that
no word of the record can become markup, and its sandbox keeps it from reading
or fetching anything. Pictures go along as PNG, which every word processor shows.
"""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    Picture,
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

Json = dict[str, Any]

API = [1, 23, 1]
"""The version of pandoc's tree, the same in all of its releases 3."""

PATIENCE_S = 60.0
WIDTH_IN = 6.0
PIXELS_PER_INCH = 200.0
_BARE: list[Any] = ["", [], []]


class NotInstalled(Exception):
    """DOCX was asked for, and pandoc is not there."""

    def __init__(self) -> None:
        super().__init__(
            "this server makes no DOCX: who runs it installs the extra with `pip install lastgood[docx]`; "
            "every other format is there"
        )


def render(document: Document) -> bytes:
    """
    The file.

    Raises:
        NotInstalled: without the extra `docx`.
    """
    environment = {"SOURCE_DATE_EPOCH": str(int(document.moment.timestamp())), "LC_ALL": "C.UTF-8"}
    command = [_pandoc(), "--from=json", "--to=docx", "--sandbox", "--output=-"]
    tree = json.dumps(_Tree(document).json()).encode()
    done = subprocess.run(command, input=tree, env=environment, capture_output=True, check=True, timeout=PATIENCE_S)  # noqa: S603 - pandoc's own path, no argument of anybody's
    return done.stdout


def _pandoc() -> str:
    try:
        import pypandoc  # noqa: PLC0415 - an extra
    except ImportError:
        raise NotInstalled from None
    try:
        return str(pypandoc.get_pandoc_path())
    except OSError:
        raise NotInstalled from None


class _Tree:
    """A document as pandoc's tree."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors = set(anchors(document.blocks))

    def json(self) -> Json:
        document = self._document
        blocks = [_para(self._spans(document.subtitle))]
        blocks += [made for each in document.blocks for made in self._block(each)]
        blocks += [_t("HorizontalRule"), _para([_str(document.foot)])]
        meta = {"title": _t("MetaInlines", [_str(document.title)]), "lang": _t("MetaInlines", [_str("en-GB")])}
        return {"pandoc-api-version": API, "meta": meta, "blocks": blocks}

    def _block(self, block: Block) -> Iterator[Json]:
        match block:
            case Heading(level, words, anchor):
                yield _t("Header", [level - 1, [anchor, [], []], [_str(words)]])
            case Paragraph(spans):
                yield _para(self._spans(spans))
            case Tiles(tiles):
                head = [[_plain([_str(each.label)])] for each in tiles]
                row = [[_plain([_t("Strong", [_str(each.value)]), *self._note(each.note)])] for each in tiles]
                yield _table(head, [row], [1 / len(tiles)] * len(tiles))
            case Facts(rows):
                pairs = [[[_plain(self._spans(label))], [_plain(self._spans(value))]] for label, value in rows]
                yield _table([], pairs, [0.28, 0.72])
            case Table():
                yield self._table(block)
            case Figure(picture, caption):
                yield _para([_image(picture, self._document)])
                yield _para([_t("Emph", self._spans(caption))])
            case AuthorText(markdown):
                yield from _nodes(author.parse(markdown))
            case Note(_, spans):
                yield _t("BlockQuote", [_para(self._spans(spans))])
            case Bullets(items):
                yield _t("BulletList", [[_plain(self._spans(each))] for each in items])

    def _note(self, spans: Sequence[Span]) -> list[Json]:
        return [_t("LineBreak"), *self._spans(spans)] if spans else []

    def _table(self, table: Table) -> Json:
        shares = [2 if each.narrow else each.width for each in table.columns]
        head = [[_plain([_str(each.title)])] for each in table.columns]
        rows = [list(self._cells(each)) for each in table.rows]
        return _table(head, rows, [each / sum(shares) for each in shares])

    def _cells(self, row: Row) -> Iterator[list[Json]]:
        for place, cell in enumerate(row.cells):
            made = self._spans(cell)
            if place == 0 and row.anchor:
                made = [_t("Span", [[row.anchor, [], []], made])]
            yield [_plain(made)]

    def _spans(self, spans: Iterable[Span]) -> list[Json]:
        return [made for each in spans for made in self._span(each)]

    def _span(self, span: Span) -> Iterator[Json]:
        match span:
            case Text(words) | Time(words, _):
                yield _str(words)
            case Strong(words):
                yield _t("Strong", [_str(words)])
            case Code(words):
                yield _t("Code", [_BARE, words])
            case Mark(words, tone):
                yield _t("Strong" if tone == "caution" else "Emph", [_str(words)])
            case Link(words, target):
                yield self._link(words, target)
            case Ref(positions) if positions:
                links = [[_str(", "), self._link(str(each), f"#p-{each}")] for each in positions]
                yield _t("Superscript", [inner for each in links for inner in each][1:])
            case Ref():
                return

    def _link(self, words: str, target: str) -> Json:
        known = target[1:] in self._anchors if target.startswith("#") else author.is_safe(target)
        return _t("Link", [_BARE, [_str(words)], [target, ""]]) if known else _str(words)


def _image(picture: Picture, document: Document) -> Json:
    """Drawn by typst, which has our fonts."""
    from api.report import pdf  # noqa: PLC0415 - most documents are asked for in other formats

    page = b'#set page(width: auto, height: auto, margin: 0pt)\n#image("picture.svg", width: 482pt)'
    files = {"main.typ": page, "picture.svg": picture.svg("print").encode()}
    drawn = pdf.compiled(files, int(document.moment.timestamp()), format="png", ppi=PIXELS_PER_INCH)
    attributes = ["", [], [["width", f"{WIDTH_IN}in"]]]
    return _t("Image", [attributes, [_str(picture.alt)], [f"data:image/png;base64,{b64encode(drawn).decode()}", ""]])


# What authors wrote


def _nodes(nodes: Sequence[author.Node]) -> list[Json]:
    return list(map(_node, nodes))


def _node(node: author.Node) -> Json:
    match node:
        case author.Lines(inlines):
            return _para(_inlines(inlines))
        case author.Title(level, inlines):
            return _t("Header", [min(level + 1, 6), _BARE, _inlines(inlines)])
        case author.Items(None, items):
            return _t("BulletList", [_nodes(each) for each in items])
        case author.Items(start, items):
            return _t("OrderedList", [[start, _t("Decimal"), _t("Period")], [_nodes(each) for each in items]])
        case author.Quote(nodes):
            return _t("BlockQuote", _nodes(nodes))
        case author.Listing(words):
            return _t("CodeBlock", [_BARE, words])
        case author.Rule():
            return _t("HorizontalRule")
        case author.Grid(head, rows):
            titles = [[_plain(_inlines(each))] for each in head]
            cells = [[[_plain(_inlines(cell))] for cell in row] for row in rows]
            return _table(titles, cells, [1 / len(titles)] * len(titles))


def _inlines(inlines: Iterable[author.Inline]) -> list[Json]:
    return list(map(_inline, inlines))


def _inline(inline: author.Inline) -> Json:
    match inline:
        case author.Words(words):
            return _str(words)
        case author.CodeWords(words):
            return _t("Code", [_BARE, words])
        case author.Break():
            return _t("LineBreak")
        case author.Styled(style, inlines):
            return _t({"strong": "Strong", "em": "Emph", "s": "Strikeout"}[style], _inlines(inlines))
        case author.Anchor(address, inlines):
            return _t("Link", [_BARE, _inlines(inlines), [address, ""]])


# pandoc's tree


def _t(kind: str, content: Any = None) -> Json:
    return {"t": kind} if content is None else {"t": kind, "c": content}


def _str(words: str) -> Json:
    return _t("Str", " ".join(words.split("\n")))


def _para(inlines: Sequence[Mapping[str, Any]]) -> Json:
    return _t("Para", inlines)


def _plain(inlines: Sequence[Mapping[str, Any]]) -> Json:
    return _t("Plain", inlines)


def _table(head: Sequence[Any], rows: Sequence[Sequence[Any]], widths: Sequence[float]) -> Json:
    columns = [[_t("AlignLeft"), _t("ColWidth", each)] for each in widths]
    top = [_BARE, [_table_row(head)] if head else []]
    return _t(
        "Table", [_BARE, [None, []], columns, top, [[_BARE, 0, [], [_table_row(each) for each in rows]]], [_BARE, []]]
    )


def _table_row(cells: Sequence[Any]) -> list[Any]:
    return [_BARE, [[_BARE, _t("AlignDefault"), 1, 1, each] for each in cells]]
