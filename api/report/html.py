"""
A report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere.

Its policy allows its own style sheet, by hash, and nothing more; so even a
slip in here could neither run nor load anything. What authors wrote passes
nh3 as well. Bidirectional text is isolated: it cannot reorder what is around it.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

import nh3

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
    Tile,
    Tiles,
    Time,
    anchors,
)
from api.report.pictures.palette import Palette

_TAGS = {"p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "table", "thead", "tbody"}
_TAGS |= {"tr", "th", "td", "strong", "em", "s", "a", "br", "bdi"}
_REORDERS = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def render(document: Document) -> bytes:
    """The file, UTF-8."""
    return _Page(document).html().encode()


@cache
def style() -> str:
    return Palette.css() + Path(__file__).with_name("report.css").read_text()


@cache
def policy() -> str:
    """The Content-Security-Policy of the page, in its `<meta>` and for the header."""
    hashed = b64encode(sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"


def text(words: str) -> str:
    """Text as HTML, kept apart from its surroundings where it would reorder them."""
    escaped = escape(words)
    return f"<bdi>{escaped}</bdi>" if _REORDERS.search(words) else escaped


class _Page:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors = set(anchors(document.blocks))

    def html(self) -> str:
        document = self._document
        return "".join(
            (
                '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{escape(policy())}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                '<meta name="robots" content="noindex">',
                f"<title>{escape(document.title)}</title><style>{style()}</style></head>\n<body>",
                f'<header><h1>{text(document.title)}</h1><p class="subtitle">{self.spans(document.subtitle)}</p></header>',
                self._contents(),
                f"\n<main>{''.join(self._sections())}</main>\n<footer>{text(document.foot)}</footer></body></html>\n",
            )
        )

    def _contents(self) -> str:
        headings = [each for each in self._document.blocks if isinstance(each, Heading) and each.level == 2]
        items = "".join(f'<li><a href="#{escape(each.anchor)}">{text(each.text)}</a></li>' for each in headings)
        return f'<nav aria-label="Contents"><ul>{items}</ul></nav>' if items else ""

    def _sections(self) -> Iterator[str]:
        """Each section in an element of its own, so that it can be found and kept together."""
        is_open = False
        for block in self._document.blocks:
            if isinstance(block, Heading) and block.level == 2:
                yield "</section>\n" if is_open else ""
                yield f'<section aria-labelledby="{escape(block.anchor)}">'
                is_open = True
            yield self._block(block)
        yield "</section>" if is_open else ""

    def _block(self, block: Block) -> str:
        match block:
            case Heading(level, words, anchor):
                return f'<h{level} id="{escape(anchor)}">{text(words)}</h{level}>'
            case Paragraph(spans):
                return f"<p>{self.spans(spans)}</p>"
            case Tiles(tiles):
                return f'<ul class="tiles">{"".join(map(self._tile, tiles))}</ul>'
            case Facts(rows):
                pairs = (f"<div><dt>{self.spans(a)}</dt><dd>{self.spans(b)}</dd></div>" for a, b in rows)
                return f"<dl>{''.join(pairs)}</dl>"
            case Table():
                return self._table(block)
            case Figure(picture, caption):
                return f"<figure><div>{picture.svg('web')}</div><figcaption>{self.spans(caption)}</figcaption></figure>"
            case AuthorText(markdown):
                return author_html(markdown)
            case Note(kind, spans):
                return f'<p class="note {kind}">{self.spans(spans)}</p>'
            case Bullets(items):
                return f"<ul>{''.join(f'<li>{self.spans(each)}</li>' for each in items)}</ul>"

    def _tile(self, tile: Tile) -> str:
        label = self.span(Link(tile.label, tile.target)) if tile.target else text(tile.label)
        note = f"<small>{self.spans(tile.note)}</small>" if tile.note else ""
        return f'<li class="{tile.tone}"><span>{label}</span><strong>{text(tile.value)}</strong>{note}</li>'

    # Tables

    def _table(self, table: Table) -> str:
        classes = [f"{'narrow' if each.narrow else ''} {each.align}".strip() for each in table.columns]
        head = "".join(
            f'<th scope="col" class="{name}">{text(each.title)}</th>'
            for each, name in zip(table.columns, classes, strict=True)
        )
        titles = [each.title for each in table.columns]
        rows = "".join(self._row(each, classes, titles) for each in table.rows)
        dense = ' class="dense"' if table.dense else ""
        return (
            f'<div class="table"><table{dense} aria-label="{escape(table.label)}">{_widths(table)}'
            f"<thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )

    def _row(self, row: Row, classes: Sequence[str], titles: Sequence[str]) -> str:
        anchor = f' id="{escape(row.anchor)}"' if row.anchor else ""
        cells = "".join(
            f'<td class="{name}" data-title="{escape(title)}">{self.spans(each)}</td>'
            for each, name, title in zip(row.cells, classes, titles, strict=True)
        )
        return f'<tr{anchor} class="{row.tone}">{cells}</tr>{self._folded(row, len(classes))}'

    def _folded(self, row: Row, columns: int) -> str:
        if not row.folded:
            return ""
        items = "".join(
            f"<li>{' '.join(filter(None, (self.spans(each) for each in inner.cells)))}</li>" for inner in row.folded
        )
        summary = f"show {'it' if len(row.folded) == 1 else f'all {len(row.folded)}'}"
        return (
            f'<tr class="folded"><td colspan="{columns}"><details><summary>{summary}</summary><ul>{items}</ul>'
            "</details></td></tr>"
        )

    # Spans

    def spans(self, spans: Iterable[Span]) -> str:
        return "".join(map(self.span, spans))

    def span(self, span: Span) -> str:
        match span:
            case Text(words):
                return text(words)
            case Strong(words):
                return f"<strong>{text(words)}</strong>"
            case Code(words):
                return f"<code>{text(words)}</code>"
            case Mark(words, tone):
                return f'<span class="mark {tone}">{text(words)}</span>'
            case Time(words, instant):
                return f'<time datetime="{instant.isoformat()}">{text(words)}</time>'
            case Link(words, target):
                return self._link(text(words), target)
            case Ref(positions):
                links = ", ".join(self._link(str(each), f"#p-{each}") for each in positions)
                return f'<span class="ref">{links}</span>' if positions else ""

    def _link(self, inner: str, target: str) -> str:
        if target.startswith("#"):
            return f'<a href="{escape(target)}">{inner}</a>' if target[1:] in self._anchors else inner
        if author.is_safe(target):
            return f'<a href="{escape(target)}" rel="noopener noreferrer">{inner}</a>'
        return inner


def _widths(table: Table) -> str:
    """Each column's share; a narrow one takes what it needs."""
    whole = sum(each.width for each in table.columns if not each.narrow)
    shares = ("<col>" if each.narrow else f'<col width="{100 * each.width // whole}%">' for each in table.columns)
    return f"<colgroup>{''.join(shares)}</colgroup>"


# What authors wrote


def author_html(markdown: str) -> str:
    """An author's Markdown as HTML. nh3 is the second net: a tag or an address that got here by mistake goes."""
    made = "".join(map(_node, author.parse(markdown)))
    kept = nh3.clean(
        made, tags=_TAGS, attributes={"a": {"href"}, "ol": {"start"}}, url_schemes={"http", "https", "mailto"}
    )
    return f'<div class="author">{kept}</div>'


def _node(node: author.Node) -> str:
    match node:
        case author.Lines(inlines):
            return f"<p>{_inlines(inlines)}</p>"
        case author.Title(level, inlines):
            tag = f"h{min(level + 2, 6)}"
            return f"<{tag}>{_inlines(inlines)}</{tag}>"
        case author.Items(start, items):
            tag = "ul" if start is None else "ol"
            opened = tag if start in (None, 1) else f'ol start="{start}"'
            return f"<{opened}>{''.join(f'<li>{_item(each)}</li>' for each in items)}</{tag}>"
        case author.Quote(nodes):
            return f"<blockquote>{''.join(map(_node, nodes))}</blockquote>"
        case author.Listing(words):
            return f"<pre><code>{text(words)}</code></pre>"
        case author.Rule():
            return "<hr>"
        case author.Grid(head, rows):
            titles = "".join(f"<th>{_inlines(each)}</th>" for each in head)
            body = "".join(f"<tr>{''.join(f'<td>{_inlines(cell)}</td>' for cell in row)}</tr>" for row in rows)
            return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def _item(nodes: Sequence[author.Node]) -> str:
    """One paragraph alone stands in its item without a space around it."""
    if len(nodes) == 1 and isinstance(nodes[0], author.Lines):
        return _inlines(nodes[0].inlines)
    return "".join(map(_node, nodes))


def _inlines(inlines: Iterable[author.Inline]) -> str:
    return "".join(map(_inline, inlines))


def _inline(inline: author.Inline) -> str:
    match inline:
        case author.Words(words):
            return text(words)
        case author.CodeWords(words):
            return f"<code>{text(words)}</code>"
        case author.Break():
            return "<br>"
        case author.Styled(tag, inlines):
            return f"<{tag}>{_inlines(inlines)}</{tag}>"
        case author.Anchor(address, inlines):
            return f'<a href="{escape(address)}">{_inlines(inlines)}</a>'
