"""
The change record as CSV (RFC 4180): one table, exceptions first, so that it can be sampled in a spreadsheet.

The first column tells what a row is. Cells that a spreadsheet might calculate
are defused, as everywhere (`api.report.csv`).
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api.report.csv import defused

COLUMNS = (
    "row",
    "kind",
    "id",
    "service",
    "environment",
    "version",
    "digest",
    "outcome",
    "effect",
    "time",
    "recordedtime",
    "began",
    "deployer",
    "deployer_kind",
    "people",
    "approval_required",
    "approved_by",
    "approved_at",
    "approvals_recorded",
    "change_ticket",
    "approved_late_by",
    "decided_by",
    "decided_at",
    "incidents",
    "implicated_in",
    "findings",
    "detail",
    "positions",
)

Json = Mapping[str, Any]


def render(record: Json) -> bytes:
    """UTF-8, a header, CRLF: exceptions, changes (those with open findings first), the rest, what was looked through."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(record):
        writer.writerow([defused(row.get(name)) for name in COLUMNS])
    return out.getvalue().encode()


def _rows(record: Json) -> Iterator[Json]:
    yield from map(_exception, record["exceptions"])
    yield from (_change("change", each) for each in sorted(record["changes"], key=_is_in_order))
    yield from (_change("in_progress", each) for each in record["in_progress"])
    yield from map(_retracted, record["retracted"])
    yield from map(_role, record["roles"])
    yield _completeness(record)


def _is_in_order(change: Json) -> bool:
    return all(each["state"] != "open" for each in change["findings"])


def _joined(parts: Iterable[Any]) -> str:
    return "; ".join(str(each) for each in dict.fromkeys(parts) if each is not None)


def _exception(found: Json) -> Json:
    return {
        "row": "exception",
        "kind": found["rule"],
        "service": found["service"],
        "environment": found["environment"],
        "outcome": found["state"],
        "time": found["time"],
        "incidents": found["incident"],
        "findings": found["rule"],
        "detail": found["detail"],
        "positions": _joined(found["positions"]),
    }


def _change(row: str, change: Json) -> Json:
    approvals, deployer, decision = change["approvals"], change["deployer"], change["decision"] or {}
    names = "kind id service environment version digest outcome effect time recordedtime began approval_required"
    return {
        "row": row,
        **{name: change[name] for name in names.split()},
        "deployer": deployer["name"] or deployer["id"],
        "deployer_kind": deployer["kind"],
        "people": _joined(deployer["people"]),
        "approved_by": _joined(each["by"] or "unknown" for each in approvals),
        "approved_at": _joined(each["time"] for each in approvals),
        "approvals_recorded": _joined(each["recordedtime"] for each in approvals),
        "change_ticket": _joined(each["change_ticket"] for each in approvals),
        "approved_late_by": _joined(each["by"] or "unknown" for each in change["approvals_recorded_late"]),
        "decided_by": decision.get("by"),
        "decided_at": decision.get("time"),
        "incidents": _joined(change["incidents"]),
        "implicated_in": _joined(change["implicated_in"]),
        "findings": _joined(f"{each['rule']} ({each['state']})" for each in change["findings"]),
        "detail": decision.get("reason"),
        "positions": _joined(change["positions"]),
    }


def _retracted(told: Json) -> Json:
    names = "service environment version time"
    return {
        "row": "retracted",
        "kind": told["type"],
        **{name: told[name] for name in names.split()},
        "detail": told["reason"],
        "positions": _joined([told["position"], told["retracted_at"]]),
    }


def _role(role: Json) -> Json:
    bound = [*role["services"], *(f"@{each}" for each in role["environments"])]
    return {
        "row": "role",
        "kind": role["kind"],
        "id": role["principal"],
        "people": role["name"],
        "time": role["since"],
        "outcome": f"until {role['until']}" if role["until"] else "held on",
        "detail": _joined([", ".join(role["roles"]), f"bound to {' '.join(bound)}" if bound else None, role["method"]]),
        "positions": _joined([role["granted_at"], role["revoked_at"]]),
    }


def _completeness(record: Json) -> Json:
    told = record["completeness"]
    looked, inside, checkpoint = told["positions"], told["in_period"], told["checkpoint"]
    parts = [
        f"period {record['period']['from']} to {record['period']['to'] or record['as_of']}",
        f"as of {record['as_of']}",
        f"looked through: {looked['count']} events, positions {looked['from'] or 0} to {looked['to'] or 0}",
        f"of the period: {inside['count']} events",
        f"checkpoint {checkpoint['origin']} size {checkpoint['size']} root {checkpoint['root']}"
        if checkpoint
        else None,
    ]
    return {"row": "completeness", "detail": _joined(parts), "positions": looked["count"]}
