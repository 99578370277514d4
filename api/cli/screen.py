"""
Rows under labels, made to fit a screen.

Each section shows its least; what room is left goes to the sections in order
of their rank, a row at a time. A section that shows less than it has says how
much it leaves out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from api.cli import show

LABEL = 17
CAN_WAIT = 7
"""Sections of this rank and above go first where a screen is small."""

LEAST = 23
"""Rows that a screen is taken to have, however small it says it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    Words, each with a style or none. `whole`: never cut short, folded over
    several lines instead. `paste`: one line however long, which the terminal
    itself folds, so that it is copied as one.
    """

    words: tuple[tuple[str, str], ...]
    whole: bool = False
    paste: bool = False


def row(*words: str | tuple[str, str], whole: bool = False, paste: bool = False) -> Row:
    """A row of words; those with a style come as (words, style). What cannot be printed is replaced."""
    pairs = (each if isinstance(each, tuple) else (each, "") for each in words)
    return Row(tuple((show.plain(text), style) for text, style in pairs if text), whole, paste)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under one label, or across the screen where it is None. `rank`: who gets room first; lower goes first."""

    label: str | None
    rows: list[Row]
    least: int = 1
    rank: int = 0
    title: str = ""

    @property
    def name(self) -> str:
        return self.label or self.title


def fit(sections: Sequence[Section], most: int, console: Console) -> list[Text]:
    """
    The lines of all sections, at most so many.

    Where even the least of all takes more, the sections of the highest ranks
    (from `CAN_WAIT` on) go, and a last line names them.
    """
    made = [_Made(each, console) for each in sections]
    gone: list[_Made] = []
    for each in sorted((each for each in made if each.section.rank >= CAN_WAIT), key=lambda each: -each.section.rank):
        if sum(each.height for each in made) + bool(gone) > most:
            made.remove(each)
            gone.append(each)
    left: float = most - sum(each.height for each in made) - bool(gone)
    ranked = sorted(made, key=lambda each: each.section.rank)
    while (chosen := next((each for each in ranked if each.next_height <= left), None)) is not None:
        left -= chosen.next_height
        chosen.shown += 1
        ranked.remove(chosen)
        ranked.append(chosen)
    missing = ", ".join(each.section.name for each in reversed(gone))
    last = [Text(f"a taller screen also shows: {missing}", "dim")] if gone else []
    return [*(line for each in made for line in each.told()), *last]


class _Made:
    """A section as lines, and how many of its rows are shown."""

    def __init__(self, section: Section, console: Console) -> None:
        self.section, self.width = section, console.width
        self.room = max(20, self.width - (0 if section.label is None else LABEL))
        self.lines = [_lines(row, self.room, console) for row in section.rows]
        self.shown = min(section.least, len(self.lines))

    @property
    def height(self) -> int:
        return sum(_height(each, self.width) for each in self.lines[: self.shown])

    @property
    def next_height(self) -> float:
        """What one row more would take; endless where there is none."""
        return _height(self.lines[self.shown], self.width) if self.shown < len(self.lines) else float("inf")

    def told(self) -> Iterator[Text]:
        """The lines that are shown, the first with the label; the last says what is left out."""
        chosen = [line for lines in self.lines[: self.shown] for line in lines]
        if hidden := len(self.lines) - self.shown:
            self._count(chosen[-1], f"  and {hidden} more", self.section.rows[self.shown - 1])
        for number, line in enumerate(chosen):
            label = self.section.label if number == 0 else ""
            yield line if self.section.label is None else Text.assemble((f"{label:<{LABEL}}", "dim"), line)

    def _count(self, line: Text, more: str, row: Row) -> None:
        if not row.paste:
            line.truncate(self.room - len(more), overflow="ellipsis")
        line.append(more, "dim")


def _height(lines: Sequence[Text], width: int) -> int:
    """The rows of the screen that lines take up, with those that the terminal folds."""
    return sum(max(1, -(-line.cell_len // width)) for line in lines)


def _lines(row: Row, room: int, console: Console) -> list[Text]:
    """A row as it takes up the screen: folded where it must stay whole, else cut at the edge."""
    text = Text()
    for words, style in row.words:
        text.append(words, style)
    if row.paste:
        return [text]
    if row.whole:
        return list(text.wrap(console, room, overflow="fold"))
    text.truncate(room, overflow="ellipsis")
    return [text]
