"""No name is read in an author's Markdown, however markup parts it; what parts none stays as it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from projections.report_markup import without_names
from projections.report_names import Names

NAMES = Names({"Priya M\u00fcller": "commander", "Ada Byron": "scribe"})


def read(markdown):
    """The text of the page that others make of it."""
    page = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(markdown)
    return re.sub(r"<[^>]*>", "", page)


def hidden(markdown):
    return without_names(NAMES.hidden(markdown), NAMES)


@pytest.mark.parametrize(
    "written",
    [
        "**Pri**ya",
        "*Pri*ya",
        "Pri**ya**",
        "~~Pri~~ya",
        "P&#114;iya",
        "Pri&shy;ya",
        "M&uuml;ller",
        "**M&uuml;**ller",
        "Pri\u200bya",
        "**Pri**\u200bya",
        "`Pri`ya",
        "[Pri](https://x.example)ya",
        "[Pri](javascript:x)ya",
        "![Pri](https://x.example/y)",
        "![**Pri**ya](https://x.example/y)",
        "[**Pr**_i_ya][1]\n\n[1]: https://x.example",
    ],
)
@pytest.mark.parametrize(
    "around", ["asked {} then", "* one\n* {}\n  * two", "> {}", "# {}", "| a | b |\n|---|---|\n| {} | 2 |"]
)
def test_a_name_that_markup_parts_is_not_read(written, around):
    """In a paragraph, a list, a quote, a heading and a table."""
    text = re.sub(r"<[^>]*>", "", read(hidden(around.replace("{}", written))))
    assert not re.search(r"Priya|M\u00fcller", text.replace("\u00ad", "").replace("\u200b", ""))


@pytest.mark.parametrize("broken", ["Pri\\\nya", "Pri  \nya", "> Pri\\\n> ya", "* **Pri**\n  ya"])
def test_a_name_that_goes_on_in_the_next_line_is_not_read(broken):
    """Where the author ended the line within it."""
    assert "ya" not in read(hidden(broken))


def test_the_words_of_a_block_that_loses_its_markup_stay():
    """And what they hold is no markup afterwards; other blocks keep theirs."""
    source = "*before*\n\n1\\. **Pri**ya saw `a*b*` in <x> & said \\[so\\]\n\n* one\n* **A**da\n\n**after**"
    assert [each for each in hidden(source).splitlines() if each] == [
        "*before*",
        "1\\. the commander saw a\\*b\\* in \\<x> \\& said \\[so\\]",
        "one",
        "the scribe",
        "**after**",
    ]
    assert "1. the commander saw a*b* in &lt;x&gt; &amp; said [so]" in read(hidden(source))


@pytest.mark.parametrize(
    "source",
    [
        "**Bold** and _thin_, [a link](https://x.example), `code`.\r\n\r\n1. one\r\n2. two\r\n",
        "| a | b |\n|---|---|\n| 1 | **2** |\n\n```\nx = **y**\n```\n",
        "",
        "[1]: https://x.example",
    ],
)
def test_markdown_in_which_nobody_is_named_stays_as_it_is(source):
    """To the last character."""
    assert without_names(source, NAMES) == source


def test_markup_around_a_whole_name_stays():
    """The source was enough to find it."""
    assert hidden("**Ada** and *Priya M\u00fcller*, [Byron](https://x.example)") == (
        "**the scribe** and *the commander*, [the scribe](https://x.example)"
    )


marks = st.sampled_from(["", "", "*", "**", "~~", "`", "_", "[", "](x)", "\\", "&shy;", "\u200b", "<b>", "<!---->"])


@given(st.lists(marks, min_size=6, max_size=6), st.sampled_from(["{}", "a {} b", "- {}", "# {}"]))
def test_no_marks_between_letters_let_a_name_be_read(marks, around):
    """Whatever stands between the letters: the page never says it."""
    between, last = marks[:5], marks[5]
    written = "".join(mark + letter for mark, letter in zip(between, "Priya", strict=True)) + last
    seen = re.sub("[\u00ad\u200b]", "", read(hidden(around.replace("{}", written))))
    assert "priya" not in re.findall(r"[^\W_]+", seen.casefold())
