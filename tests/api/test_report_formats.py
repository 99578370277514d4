"""The formats of a report: the same bytes for the same document, links that lead somewhere, nothing from elsewhere."""

import builtins
import io
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from markdown_it import MarkdownIt
from pypdf import PdfReader

from api.report import author_text as author
from api.report import docx, html, markdown, pdf
from api.report.blocks import Document, Mark, Paragraph, Text, Time
from tests import foreign
from tests.api import report_scene as scene

WRITTEN = """## Why

The *retry* helper opened a **new session**[^1] and ~~closed~~ did not `close` it.\\
See [the trace](https://example.org/t?a=1&b=2), <https://example.org>, not [here](javascript:alert(1)).

1. first
2. second
   - inner

> a lesson

| what | how much |
|---|---|
| pools | `4|0` |

```sh
if x:
    y
```

---

![a graph](https://example.org/g.png) <b>raw</b>
"""


@pytest.mark.parametrize("tone, tag", [("quiet", "em"), ("caution", "strong")])
def test_emphasis_in_markdown_ends_where_its_words_do(tone, tag):
    """Also where they end with a comma and a blank, and a date follows."""
    spans = (Text("2"), Mark(" Written by ada, ", tone), Time("2026-06-10 10:11 UTC", scene.MOMENT))
    document = Document("t", (Text("s"),), "f", scene.MOMENT, (Paragraph(spans),))
    shown = MarkdownIt("commonmark").render(markdown.render(document).decode())
    assert f"<p>2 <{tag}>Written by ada,</{tag}> 2026-06-10 10:11 UTC</p>" in shown


@pytest.mark.parametrize("form", ["html", "md", "pdf", "docx"])
def test_the_same_document_is_the_same_bytes(form):
    """Nothing in a file says when it was made."""
    if form == "docx":
        foreign.extra("pypandoc", "docx")
    document = scene.document("words", author=WRITTEN)
    assert scene.FORMATS[form](document) == scene.FORMATS[form](document)


def test_authors_markdown_becomes_a_tree():
    """Emphasis, code, lists, quotes, tables and links; an image and raw HTML are text."""
    title, lines, items, quote, grid, listing, rule, image = author.parse(WRITTEN)
    assert title == author.Title(2, (author.Words("Why"),))
    assert isinstance(lines, author.Lines)
    assert author.Styled("em", (author.Words("retry"),)) in lines.inlines
    assert author.Break() in lines.inlines
    addresses = [each.address for each in lines.inlines if isinstance(each, author.Anchor)]
    assert addresses == ["https://example.org/t?a=1&b=2", "https://example.org"]
    assert isinstance(items, author.Items)
    assert (items.start, len(items.items)) == (1, 2)
    assert isinstance(items.items[1][1], author.Items)
    assert quote == author.Quote((author.Lines((author.Words("a lesson"),)),))
    assert isinstance(grid, author.Grid)
    assert len(grid.rows[0]) == len(grid.head) == 2
    assert listing == author.Listing("if x:\n    y")
    assert rule == author.Rule()
    told = "".join(each.text for each in image.inlines)
    assert told == "a graph (image: https://example.org/g.png) <b>raw</b>"


@pytest.mark.parametrize(
    "address, safe",
    [
        ("https://a.b/c?d=(e)#f", True),
        ("HTTP://a.b", True),
        ("mailto:ana@a.b", True),
        ("https://", False),
        ("//a.b", False),
        ("/a", False),
        ("#p-1", False),
        ("javascript:alert(1)", False),
        ("java\nscript:x", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("mailto:nobody", False),
        ('https://a.b/"onclick=', False),
        ("https://a.b/\u202egpj", False),
        ("https://a.b/" + "c" * 2000, False),
    ],
)
def test_a_link_leads_to_the_web_or_a_mailbox(address, safe):
    """Whatever else it says is text."""
    assert author.is_safe(address) is safe


def test_authors_markdown_is_written_anew():
    """What comes out means what came in."""
    once = markdown.author_markdown(WRITTEN)
    assert author.parse(once)[1:7] == author.parse(WRITTEN)[1:7]
    assert markdown.author_markdown(once.replace("#### ", "## ")) == once


def test_a_page_runs_and_loads_nothing():
    """Its policy allows its own style by hash, and nothing else."""
    content = scene.FORMATS["html"](scene.document("words", author=WRITTEN)).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', content)
    style = re.search(r"<style>(.*?)</style>", content, re.DOTALL)
    assert policy
    assert style
    hashed = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{hashed}&#x27;" in policy[1]
    assert html.policy().startswith("default-src 'none'; ")
    assert not re.search(r"url\(|@import|<script|<link|<img|\bstyle=", content)


@pytest.mark.parametrize("form", ["html", "md"])
def test_every_link_within_leads_somewhere(form):
    """And what leads nowhere is no link."""
    content = scene.FORMATS[form](scene.document("words", author=WRITTEN))
    if form == "html":
        page = scene.read_html(content)
        targets = {each for each in page.addresses if each.startswith("#")}
        places = set(re.findall(r'id="([^"]+)"', content.decode()))
    else:
        targets = set(re.findall(r"\]\((#[^)]*)\)", content.decode()))
        places = set(re.findall(r'<a id="([^"]+)">', content.decode()))
    assert "#p-1" in targets
    assert {each[1:] for each in targets} <= places
    assert "nowhere" not in content.decode()


def test_pages_of_a_pdf_are_numbered_tagged_and_found():
    """With bookmarks, a language, and a foot on each page."""
    reader = PdfReader(io.BytesIO(scene.FORMATS["pdf"](scene.document(*map(str, range(12))))))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en-GB"
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.creation_date) == ("A report", scene.MOMENT)
    assert len(reader.pages) > 2
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        assert f"Page {number} of {len(reader.pages)}" in text
        assert "positions 1 to 9" in text
    assert len(reader.outline) >= 1


def test_a_pdf_takes_its_fonts_along():
    """All of them ours, so that it looks the same everywhere."""
    reader = PdfReader(io.BytesIO(scene.FORMATS["pdf"](scene.document("words אבג 🚀", author="`code`"))))
    fonts = {
        str(font.get_object()["/BaseFont"])[8:]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert {each.split("-")[0] for each in fonts} <= {"Inter", "DejaVuSans", "DejaVuSansMono", "NotoEmoji"}
    assert len(fonts) >= 4


def test_without_pandoc_docx_says_what_to_install(monkeypatch):
    """Every other format is there all the same."""
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "pypandoc":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(docx.NotInstalled, match=r"pip install lastgood\[docx\]"):
        docx.render(scene.document("words"))


def test_a_docx_has_headings_and_a_place_for_each_link():
    """Its links within lead to bookmarks."""
    foreign.extra("pypandoc", "docx")
    import zipfile

    with zipfile.ZipFile(io.BytesIO(docx.render(scene.document("words", author=WRITTEN)))) as archive:
        content = archive.read("word/document.xml").decode()
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
    assert set(re.findall(r'w:anchor="([^"]+)"', content)) <= set(re.findall(r'w:name="([^"]+)"', content))
    assert 'w:val="Heading1"' in content
    assert len(pictures) == 1


def test_only_letters_that_our_fonts_lack_are_looked_for_elsewhere():
    """So that every other report is the same bytes on every machine."""
    for ours in ("Priya 1.4.2 é ß Ω Ж", "אבג العربية", "🚀 👩\u200d👧 🇦🇹", "x\u202e\u200b\u2068", "→ ✓ …"):
        assert not pdf._lack({"report.json": ours.encode()}), ours
    assert pdf._lack({"report.json": "日本語".encode()})
    assert scene.FORMATS["pdf"](scene.document("日本語 中文 한국어")).startswith(b"%PDF-")
