"""
A report's timeline as CSV (RFC 4180), for spreadsheets and scripts.

What a spreadsheet would take for a formula gets an apostrophe before it, as
OWASP advises ("CSV Injection"): it is then shown as it was written.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    "position",
    "time",
    "local_time",
    "lag_seconds",
    "type",
    "lane",
    "incident",
    "service",
    "environment",
    "summary",
    "by",
    "submitted_by",
    "roles",
    "key",
    "evidence",
    "retracted_at",
)

FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How a cell begins that a spreadsheet might calculate; the full-width signs count in some."""

UNSEEN = " \u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""What may stand before it and be passed over."""


def render(report: Mapping[str, Any]) -> bytes:
    """The timeline of a report model: UTF-8, a header, CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in report["timeline"]:
        writer.writerow([defused(each) for each in _row(entry)])
    return out.getvalue().encode()


def defused(value: Any) -> str:
    """A cell's text. A number is no formula, whatever its sign."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    value = str(value)
    return f"'{value}" if value.lstrip(UNSEEN).startswith(FORMULA) else value


def _row(entry: Mapping[str, Any]) -> Iterator[Any]:
    submitter, retracted = entry["submitter"], entry["retracted"]
    yield from (entry["position"], entry["time"], entry["local"], entry["lag_seconds"], entry["type"], entry["lane"])
    yield from (entry["incident"], entry["service"], entry["environment"], entry["summary"])
    submitted_by = submitter["name"] or submitter["id"]
    yield from (entry["decided_by"] or submitted_by, submitted_by, ", ".join(entry["roles"]), entry["key"])
    yield " ".join(each["url"] for each in entry["evidence"])
    yield retracted["position"] if retracted else None
