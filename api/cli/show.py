"""
How answers look: JSON for programs, a table for people.

A table on a terminal folds long values and never cuts one short; anywhere
else it is as wide as it needs to be, one row a line, so that it can be
searched. Colour only repeats what the words say. Text from the record cannot
move the cursor: what is not printable is replaced.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

_WIDE = 10_000
_FRACTION = re.compile(r"(?<=:\d\d)\.\d+")


def print_json(value: Any) -> None:
    """Escaped down to ASCII, so that it meets every encoding and no control character gets through."""
    click.echo(json.dumps(value, indent=2))


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def warning(given: Any) -> str:
    """A warning, blocker or reason in one line."""
    if not isinstance(given, dict):
        return plain(given)
    code, detail = given.get("code"), given.get("detail")
    return plain(f"{code}: {detail}" if code and detail else detail or code)


def print_warnings(warnings: Iterable[Any], most: int = 20) -> None:
    lines = [warning(each) for each in warnings]
    for line in lines[:most]:
        click.echo(f"warning: {line}", err=True)
    if len(lines) > most:
        click.echo(f"warning: and {len(lines) - most} more", err=True)


def plain(value: Any) -> str:
    """*value* as text that only prints."""
    text = "" if value is None else str(value)
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    )


def moment(text: Any) -> str:
    """A time for a table: to the second, its offset as given."""
    return _FRACTION.sub("", plain(text))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], styles: Sequence[str | None] | None = None
) -> None:
    """*styles* has a rich style, or None, for each column."""
    from rich import box  # noqa: PLC0415 - 0.1 s that only a table pays
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD if terminal else None, show_edge=False, pad_edge=False)
    for name, style in zip(columns, styles or [None] * len(columns), strict=True):
        table.add_column(name, style=style, overflow="fold", no_wrap=not terminal)
    for row in rows:
        table.add_row(*(Text(plain(each)) for each in row))
    Console(width=None if terminal else _WIDE, highlight=False).print(table)
