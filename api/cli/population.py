"""
A population of changes from elsewhere: CSV with a header, or NDJSON; columns under whatever names they have there.

What spreadsheets write is CSV, too: with semicolons or tabs, and names in capitals.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from api.cli.exits import Invalid
from ledger.values import Unfit, instant, microseconds
from projections.reconcile import Item

COLUMNS = ("service", "environment", "version", "time", "id")
SEPARATORS = ",;\t"

_EPOCH = re.compile(r"\d{10}(\d{3})?(\.\d+)?")
_SPACED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ?(UTC|Z|[+-]\d\d:\d\d)?")

csv.field_size_limit(1 << 20)


def columns(text: str | None) -> dict[str, str]:
    """
    What each of our columns is called there, by `service=repo,time=finished_at`.

    Raises:
        click.UsageError: where it is not of that form, or names a column that is not ours.
    """
    named = dict.fromkeys(COLUMNS, "")
    for part in text.split(",") if text else ():
        ours, equals, theirs = part.partition("=")
        if not (equals and theirs.strip() and ours.strip() in COLUMNS):
            raise click.UsageError(
                f"--columns is written {COLUMNS[0]}=THEIRS,{COLUMNS[1]}=THEIRS; ours are {', '.join(COLUMNS)}"
            )
        named[ours.strip()] = theirs.strip()
    return {ours: theirs or ours for ours, theirs in named.items()}


def read(content: bytes, names: Mapping[str, str], usual: Mapping[str, str | None]) -> list[Item]:
    """
    The changes of a file. *usual* has the service and environment of rows that have no such column.

    Raises:
        Invalid: naming the line that is not understood.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8") from None
    rows = _ndjson(text) if text.lstrip().startswith("{") else _csv(text)
    return [_item(line, row, names, usual) for line, row in rows]


def _csv(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each row with the line that it begins in, by the names in the header."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_separator(text))
    header: list[str] | None = None
    begun = 1
    try:
        for cells in lines:
            line, begun = begun, lines.line_num + 1
            if header is None:
                header = _header(cells)
            elif len(cells) > len(header):
                raise Invalid(f"line {line}: it has more cells than the header", "quote cells that hold a separator")
            elif cells:
                yield line, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise Invalid(f"line {lines.line_num}: {error}", "the file is read as CSV with a header, or NDJSON") from None


def _separator(text: str) -> str:
    """A comma, or what spreadsheets write instead of it: the one that the header has."""
    header = text.partition("\n")[0]
    return max(SEPARATORS, key=lambda each: (header.count(each), each == ","))


def _header(cells: list[str]) -> list[str]:
    """The columns' names, without the blanks around them."""
    names = [each.strip() for each in cells]
    if doubled := next((each for each in names if each and names.count(each) > 1), None):
        raise Invalid(f"line 1: two columns are called {doubled!r}", "give each a name of its own")
    return names


def _ndjson(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise Invalid(f"line {number}: it is no JSON object", "each line of NDJSON is one")
        yield number, row


def _item(line: int, row: Mapping[str, Any], names: Mapping[str, str], usual: Mapping[str, str | None]) -> Item:
    found = {name.casefold(): value for name, value in row.items()}
    told = {ours: _cell(row.get(theirs, found.get(theirs.casefold()))) for ours, theirs in names.items()}
    where = {name: told[name] or usual[name] for name in ("service", "environment")}
    for name in ("service", "environment"):
        if where[name] is None:
            raise Invalid(
                f"line {line}: there is no {name} in a column {names[name]!r}",
                f"say where it is: --columns {name}=THEIRS; or what it is: --{name} NAME",
            )
    if told["time"] is None:
        raise Invalid(
            f"line {line}: there is no time in a column {names['time']!r}", "say where: --columns time=THEIRS"
        )
    return Item(
        line, str(where["service"]), str(where["environment"]), told["version"], _time(line, told["time"]), told["id"]
    )


def _cell(value: Any) -> str | None:
    """The text of a cell; None where it is empty."""
    if isinstance(value, bool | dict | list) or value is None:
        return None
    return str(value).strip() or None


def _time(line: int, text: str) -> int:
    """A moment as others write it: RFC 3339, with a blank for the T, or seconds or milliseconds since 1970."""
    try:
        if epoch := _EPOCH.fullmatch(text):
            return int(float(text) * (1_000 if epoch[1] else 1_000_000))
        if (spaced := _SPACED.fullmatch(text)) and spaced[3]:
            text = f"{spaced[1]}T{spaced[2]}{'Z' if spaced[3] == 'UTC' else spaced[3]}"
        return microseconds(instant(text))
    except Unfit as unfit:
        raise Invalid(f"line {line}: the time {text!r} {unfit.detail}", "give times with their offset") from None


def moment(text: str) -> int:
    """A day's begin in UTC, or a moment."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            return microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))
        except ValueError:
            raise click.UsageError(f"{text} is not a day of the calendar") from None
    try:
        return microseconds(instant(text))
    except Unfit as unfit:
        raise click.UsageError(f"{text} {unfit.detail}") from None
