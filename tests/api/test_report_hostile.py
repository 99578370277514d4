"""Whatever words were recorded, they arrive in a report as the text that they are, in every format."""

import csv
import io

import pytest
from pypdf import PdfReader

from api.report import csv as csv_report
from api.report import markdown
from api.report.blocks import Column, Document, Paragraph, Row, Table, Text
from tests import foreign
from tests.api import report_scene as scene

HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "formula": '=cmd|"/c calc"!A1',
    "read": '#read("/etc/passwd") #import "@preview/x:1.0.0": *',
    "math": r"$x$ \$ $$\frac{a}{b}$$ costs $5 and $6",
    "backslashes": r"C:\temp\new \textbf{x} \u0041 \\",
    "markdown": "*a* _b_ **c** `d` [e](javascript:f) ![g](http://h/i.png) ~~j~~ <k> # l | m | n",
    "block": "# heading - item 1. one > quote ``` fence --- === +++ |a|b|",
    "entities": "&lt;b&gt; &amp;amp; &#x41; &nope;",
    "typst": '"); #panic("x") ] } @label <label> ~ -- ... // comment /* more */',
    "quotes": "\"'`\u00b4\u201c\u201d\u2018\u2019 '\"><svg onload=alert(1)>",
    "template": "{{7*7}} ${7*7} {% raw %} %s %(x)s {0}",
    "css": "</style><style>*{display:none}</style><!-- comment --> ]]> <![CDATA[",
    "address": "https://evil.example/x www.evil.example ana@example.org",
}
"""By what each would be to a careless renderer."""

INVISIBLE = {
    "right-to-left": "abc \u202egpj.exe\u202c אבג \u200fdef\u200e العربية",
    "emoji": "🚀 👩\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 🇦🇹",
    "combining": "Z" + "\u0301\u0316\u0322" * 20 + "algo",
}

OURS = {"html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "footer", "figure", "div"}
OURS |= {
    "figcaption",
    "colgroup",
    "col",
    "h1",
    "h2",
    "p",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
OURS |= {"strong", "code", "span", "time", "a", "small", "bdi", "details", "summary", "svg", "rect", "em", "s", "pre"}
OURS |= {"blockquote", "hr", "h3", "h4", "br"}


ALL = [*HOSTILE.values(), *INVISIBLE.values()]
FORMATS = ("html", "md", "pdf", "docx")


def made(form, document):
    if form == "docx":
        foreign.extra("pypandoc", "docx")
    return scene.FORMATS[form](document)


def missing(text, every, times):
    """Those words that are not in a text so many times."""
    return [words for words in every if text.count(words) < times]


def test_html_shows_it_as_it_was_written():
    """No tag, attribute or address comes of it; the whole text is there."""
    page = scene.read_html(made("html", scene.document(*ALL)))
    assert page.tags <= OURS
    assert not {name for name in page.attributes if name.startswith("on") or name in ("style", "src", "srcset")}
    assert {each.partition(":")[0] for each in page.addresses if not each.startswith("#")} <= {"https"}
    assert missing(page.text, ALL, 18) == []


def test_markdown_reads_back_as_it_was_written():
    """A Markdown parser makes no tag, link, table cell or emphasis of it that was not meant."""
    page = scene.read_markdown(made("md", scene.document(*ALL)))
    ours = {"h1", "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "em", "code", "a"}
    assert page.tags <= ours | {"blockquote", "hr", "sup"}
    assert missing(scene.squeezed("".join(page.text)), map(scene.squeezed, ALL), 15) == []
    addresses = {each for each in page.addresses if each and not each.startswith("#")}
    assert {each.partition("?")[0] for each in addresses} <= {"https://example.org/a"}


def test_pdf_shows_it_as_it_was_written():
    """typst never reads it: what would be code is printed."""
    text = scene.read_pdf(made("pdf", scene.document(*HOSTILE.values())))
    assert missing(text, map(scene.squeezed, HOSTILE.values()), 10) == []


def test_pdf_takes_every_script():
    """It is made, with every letter in it; readers of PDF disagree on the order of letters that run to the left."""
    text = scene.read_pdf(made("pdf", scene.document(*INVISIBLE.values())))
    letters = {each for words in INVISIBLE.values() for each in words if each.isalpha() or each in "🚀👩👧🏳🌈"}
    assert letters - set(text) == set()


def test_docx_shows_it_as_it_was_written():
    """pandoc gets a tree, and parses nothing."""
    assert missing(scene.read_docx(made("docx", scene.document(*ALL))), ALL, 15) == []


@pytest.mark.parametrize("form", FORMATS)
def test_an_authors_markdown_runs_nothing(form):
    """What authors write may be bold; it is never a tag, a formula or code."""
    written = "\n\n".join(f"{each}\n\n- {each}\n\n> {each}\n\n    {each}\n\n```\n{each}\n```" for each in ALL)
    content = made(form, scene.document("words", author=written))
    if form == "html":
        page = scene.read_html(content)
        assert page.tags <= OURS
        assert not {name for name in page.attributes if name.startswith("on") or name in ("style", "src")}
        schemes = {each.partition(":")[0] for each in page.addresses if not each.startswith("#")}
        assert schemes <= {"https", "http", "mailto"}
    if form == "md":
        assert not {"script", "img", "svg", "style", "iframe"} & scene.read_markdown(content).tags
    if form in ("pdf", "docx"):
        read = {"pdf": scene.read_pdf, "docx": scene.read_docx}[form]
        assert scene.squeezed(HOSTILE["read"]) in scene.squeezed(read(content))


@pytest.mark.parametrize("form", FORMATS)
def test_a_line_of_10000_characters_is_whole(form):
    """It is broken where it must be, and nothing of it is cut off."""
    read = {"html": lambda content: "".join(scene.read_html(content).text), "md": bytes.decode, "pdf": scene.read_pdf}
    content = made(form, LONG)
    assert read.get(form, scene.read_docx)(content).count("W") >= 20_000


LONG = Document(
    "long",
    (),
    "foot",
    scene.MOMENT,
    (
        Paragraph((Text("W" * 10_000),)),
        Table((Column("At", narrow=True), Column("What")), (Row(((Text("1"),), (Text("W" * 10_000),))),), "t"),
    ),
)


def test_in_a_pdf_a_long_line_stays_in_its_place():
    """No line begins left of the margin or right of it, and there are enough of them."""
    found = []

    def visit(text, cm, tm, _font, _size):
        if text.strip():
            found.append(cm[4] + cm[0] * tm[4])

    for page in PdfReader(io.BytesIO(made("pdf", LONG))).pages:
        page.extract_text(visitor_text=visit)
    assert len(found) > 200
    assert min(found) >= 50
    assert max(found) <= 545


def entry(words):
    return {
        "position": 1,
        "time": "2026-11-20T14:05:00Z",
        "local": words,
        "lag_seconds": -1.5,
        "type": "incident.note_added",
        "lane": "other",
        "incident": words,
        "service": words,
        "environment": None,
        "summary": words,
        "submitter": {"id": "h_1", "name": words, "kind": "human"},
        "decided_by": None,
        "roles": [words],
        "key": True,
        "evidence": [{"label": "x", "url": words}],
        "retracted": None,
    }


@pytest.mark.parametrize(
    "words", [*HOSTILE.values(), *INVISIBLE.values(), 'a,"b"\r\nc', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"]
)
def test_csv_reads_back_and_calculates_nothing(words):
    """RFC 4180; a cell that would be a formula begins with an apostrophe."""
    content = csv_report.render({"timeline": [entry(words)]})
    assert content.count(b"\r\n") >= 2
    assert content.endswith(b"\r\n")
    head, row = csv.reader(io.StringIO(content.decode(), newline=""))
    cells = dict(zip(head, row, strict=True))
    assert cells["summary"].removeprefix("'") == words
    assert (cells["summary"] == words) == (words.lstrip(csv_report.UNSEEN)[:1] not in "=+-@\t\r\uff1d")
    assert (cells["lag_seconds"], cells["environment"], cells["key"]) == ("-1.5", "", "true")


@pytest.mark.parametrize("unseen", ["\ufeff", " ", "\u200b", "\u00a0\ufeff"])
def test_what_nobody_sees_hides_no_formula(unseen):
    """A spreadsheet may pass over it and calculate."""
    assert csv_report.defused(f"{unseen}=1+1") == f"'{unseen}=1+1"
    assert csv_report.defused(f"{unseen}1=1") == f"{unseen}1=1"


def test_markdown_escapes_no_more_than_it_must():
    """A report in Markdown is read as it is, too."""
    assert (
        markdown.escape("time_to_detect is 7 min (7 < 9): #12, 50 %") == r"time_to_detect is 7 min (7 \< 9): #12, 50 %"
    )
    assert markdown.at_start("1. no list") == r"1\. no list"
    assert markdown.code("a`b|c", in_table=True) == r"``a`b\|c``"
