"""
Authors' Markdown, made safe: parsed once into a small tree, from which every format is written.

CommonMark with tables and strikethrough. Raw HTML stays the text that it is;
an image becomes its description and its address; a link that leads anywhere
but to the web or to a mailbox stays text. No renderer ever sees the source.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

LONGEST_ADDRESS = 2000

_SAFE = re.compile(r"(?:https?://[^\s/?#]|mailto:[^\s@]+@[^\s@])[^\s<>\"'`\\]*", re.IGNORECASE)

# Inlines


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class CodeWords:
    text: str


@dataclass(frozen=True, slots=True)
class Break:
    """A line that the author ended."""


@dataclass(frozen=True, slots=True)
class Styled:
    style: Literal["strong", "em", "s"]
    inlines: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link; its address passed `is_safe`."""

    address: str
    inlines: "tuple[Inline, ...]"


Inline = Words | CodeWords | Break | Styled | Anchor

# Nodes


@dataclass(frozen=True, slots=True)
class Lines:
    """A paragraph."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Title:
    """A heading inside a section; level 1 is the author's highest."""

    level: int
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; numbered from `start`, or bulleted where that is None."""

    start: int | None
    items: "tuple[tuple[Node, ...], ...]"


@dataclass(frozen=True, slots=True)
class Quote:
    nodes: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Listing:
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    pass


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; every row has as many cells as the head."""

    head: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


Node = Lines | Title | Items | Quote | Listing | Rule | Grid


def is_safe(address: str) -> bool:
    """Whether a link may lead there: the web, or a mailbox."""
    return len(address) <= LONGEST_ADDRESS and address.isprintable() and _SAFE.fullmatch(address) is not None


def parse(markdown: str) -> tuple[Node, ...]:
    """What an author wrote, as a tree."""
    return _nodes(SyntaxTreeNode(_parser().parse(markdown)).children)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline"])
    setattr(parser, "validateLink", is_safe)  # noqa: B010 - mypy compares names of parameters, too
    return parser


def _nodes(found: Iterable[SyntaxTreeNode]) -> tuple[Node, ...]:
    return tuple(map(_node, found))


def _node(node: SyntaxTreeNode) -> Node:
    match node.type:
        case "heading":
            return Title(int(node.tag[1]), _of(node))
        case "bullet_list":
            return Items(None, tuple(_nodes(each.children) for each in node.children))
        case "ordered_list":
            start = int(node.attrs.get("start", 1))
            return Items(start, tuple(_nodes(each.children) for each in node.children))
        case "blockquote":
            return Quote(_nodes(node.children))
        case "fence" | "code_block":
            return Listing(node.content.removesuffix("\n"))
        case "hr":
            return Rule()
        case "table":
            return _grid(node)
        case _:
            return Lines(_of(node))


def _grid(node: SyntaxTreeNode) -> Grid:
    rows = [tuple(_of(cell) for cell in row.children) for part in node.children for row in part.children]
    return Grid(rows[0], tuple(rows[1:]))


def _of(node: SyntaxTreeNode) -> tuple[Inline, ...]:
    """The inlines of a block that has lines in it."""
    return _inlines([each for line in node.children for each in line.children])


def _inlines(found: Sequence[SyntaxTreeNode]) -> tuple[Inline, ...]:
    return tuple(each for node in found for each in _inline(node))


def _inline(node: SyntaxTreeNode) -> tuple[Inline, ...]:
    match node.type:
        case "strong" | "em" | "s":
            return (Styled(node.type, _inlines(node.children)),)
        case "code_inline":
            return (CodeWords(node.content),)
        case "link":
            return (Anchor(str(node.attrs["href"]), _inlines(node.children)),)
        case "image":
            return _image(node)
        case "hardbreak":
            return (Break(),)
        case "softbreak":
            return (Words(" "),)
        case _:
            return (Words(node.content),)


def _image(node: SyntaxTreeNode) -> tuple[Inline, ...]:
    """Nothing is fetched when a report is opened, so that who reads it is nobody's business."""
    described = node.content.strip()
    return (Words(f"{described} (image: {node.attrs['src']})" if described else f"image: {node.attrs['src']}"),)
