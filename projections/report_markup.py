"""
Authors' Markdown, looked at as it is read: a name that markup parts (`**A**da`) is whole on the page.

Where somebody would read a name that is not in the source, the block loses
its markup and keeps its words, without the name.
"""

import re
from collections.abc import Iterable
from functools import cache
from unicodedata import normalize

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from projections.report_names import Names

_MEANT = re.compile(r"[\\`*_\[\]<&~|]|^(?:[#>+=-]|\d+(?=[.)]))")
"""What would be markup: anywhere, or where a line begins."""


def without_names(source: str, names: Names) -> str:
    """Markdown in whose source no name is left, without those that are read all the same."""
    lines = re.sub(r"\r\n?", "\n", source).split("\n")
    found = [each for each in SyntaxTreeNode(_parser().parse(source)).children if each.map and _is_named(each, names)]
    for block in reversed(found):
        start, end = block.map or (0, 0)
        lines[start:end] = [line for each in _inlines(block) for line in (_plain(each, names), "")]
    return "\n".join(lines) if found else source


@cache
def _parser() -> MarkdownIt:
    """As readers of reports see it, but for links, of which each is one here."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    setattr(parser, "validateLink", bool)  # noqa: B010 - mypy compares names of parameters, too
    return parser


def _inlines(block: SyntaxTreeNode) -> list[list[Token]]:
    found = (each.token for each in block.walk() if each.type == "inline")
    return [each.children or [] for each in found if each is not None]


def _is_named(block: SyntaxTreeNode, names: Names) -> bool:
    return any(_hides(text, names) for each in _inlines(block) for text in _readings(each))


def _hides(text: str, names: Names) -> bool:
    return names.hidden(text) != normalize("NFC", text)


def _readings(inline: Iterable[Token]) -> tuple[str, str]:
    """What is read, where the end of a line parts words, and where a word goes on after it."""
    tokens = list(inline)
    return _read(tokens, " "), _read(tokens, "")


def _read(tokens: Iterable[Token], between: str) -> str:
    return "".join(_said(each, between) for each in tokens)


def _said(token: Token, between: str) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return between
    if token.type == "image":
        return f"{_read(token.children or [], between)} ({token.attrs.get('src', '')})"
    return token.content


def _plain(inline: Iterable[Token], names: Names) -> str:
    """The words of some lines, with nothing in them that would be markup."""
    whole, joined = _readings(inline)
    text = names.hidden(whole if _hides(whole, names) or not _hides(joined, names) else joined)
    return _MEANT.sub(_escaped, " ".join(text.split()))


def _escaped(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"
