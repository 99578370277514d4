"""A document with given words in every place that words can be in, and ways to read each format back."""

import io
import re
import zipfile
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt
from pypdf import PdfReader

from api.report import docx, html, markdown, pdf
from api.report.blocks import (
    AuthorText,
    Bullets,
    Code,
    Column,
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
    Strong,
    Table,
    Text,
    Tile,
    Tiles,
    Time,
)

MOMENT = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)

FORMATS = {"html": html.render, "md": markdown.render, "pdf": pdf.render, "docx": docx.render}


class Square:
    """A picture."""

    width = height = 40.0
    alt = "a square"

    def svg(self, _palette):
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40"/></svg>'


def document(*every, title="A report", author="plain"):
    """Each of *every* in each kind of block and span; *author* as an author's Markdown, several times."""
    blocks = tuple(each for number, words in enumerate(every) for each in blocks_with(words, author, 2 * number + 1))
    return Document(title, (Text(title), Strong(title)), "positions 1 to 9", MOMENT, blocks)


def blocks_with(words, author, number):
    cell, anchor = (Text(words),), f"p-{number}"
    return (
        Tiles((Tile(words, words, (Text(words),), f"#{anchor}"), Tile("another", "44 min"))),
        Heading(2, words, f"section-{number}"),
        Paragraph((Text(words), Strong(words), Code(words), Mark(words), Mark(words, "caution"), Ref((number, 99)))),
        Paragraph((Time(words, MOMENT), Link(words, f"#{anchor}"), Link(words, "https://example.org/a?b=c&d=(e)"))),
        Paragraph((Link(words, words), Link(words, "javascript:alert(1)"), Link(words, "#nowhere"))),
        AuthorText(author),
        Facts(((cell, cell),)),
        Note("caution", cell),
        Bullets((cell, (Text("last"),))),
        Figure(Square(), cell),
        Table(
            (Column("At", narrow=True), Column(words), Column("Code")),
            (
                Row(((Text("1"),), cell, (Code(words),)), anchor, "key", (Row((cell, cell, cell)),)),
                Row(((Text("2"),), (), ()), f"p-{number + 1}", "void"),
            ),
            words,
        ),
    )


class _Html(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.addresses, self.text, self._skip = set(), set(), set(), [], 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value for name, value in attrs if name in ("href", "src", "xlink:href")}
        self._skip += tag == "style"

    def handle_endtag(self, tag):
        self._skip -= tag == "style"

    def handle_data(self, data):
        if not self._skip:
            self.text.append(data)


def read_html(content):
    """Its parts: tags, attributes, addresses, text."""
    parser = _Html()
    parser.feed(content.decode())
    parser.close()
    return parser


def read_markdown(content):
    """As GitHub would show it: the tags of our own anchors aside, all text."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return read_html(parser.render(content.decode()).encode())


def read_pdf(content):
    """The text of all pages, each blank and break a single blank, without what only lets a line be broken."""
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return squeezed("\n".join(pages))


def read_docx(content):
    """The text of the document's own part."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = ET.fromstring(archive.read("word/document.xml"))
    return "".join(each.text or "" for each in root.iter() if each.tag.endswith("}t"))


def squeezed(text):
    """For comparing text that was laid out: no blanks at all, no marks that only lay out."""
    return re.sub(r"[\s\u200b\u2068\u2069\xad]", "", text)
