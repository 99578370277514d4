"""
The change record for auditors, as JSON, CSV and PDF.

The same question, asked with `known_at` and `as_of`, is answered with the same
bytes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from flask import Response

from api import change_replies as replies
from api.moments import MomentSchema
from api.principals import name_of, require_reader
from api.report.proofs import LogProofs
from api.resources import Blueprint, parameter
from api.service import service
from api.slots import NAME, moment_of
from ledger.errors import OutOfRange
from ledger.values import Choice, Due, instant
from projections import changes as asked
from projections.periods import Period, Unreasonable, midnight, period

USUAL_DAYS = 90
"""How far a change record goes back where nobody says: whoever reviews changes does so every quarter."""

blp = Blueprint("changes", __name__, url_prefix="/v1", description="What was changed, for auditors")


class Format(NamedTuple):
    content_type: str
    render: Callable[[dict[str, Any]], bytes]


def _json(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _csv(record: dict[str, Any]) -> bytes:
    from api.report import changes_csv  # noqa: PLC0415 - loaded when it is asked for

    return changes_csv.render(record)


def _pdf(record: dict[str, Any]) -> bytes:
    from api.report import pdf, words_changes  # noqa: PLC0415 - likewise: typst alone is 40 MB

    return pdf.render(words_changes.document(record))


FORMATS = {
    "json": Format("application/json", _json),
    "csv": Format("text/csv; charset=utf-8; header=present", _csv),
    "pdf": Format("application/pdf", _pdf),
}
"""By name; the first is the default."""


class ChangesQuery(MomentSchema):
    from_ = parameter(
        Due(), "The first day (from midnight, UTC) or moment. Default: 90 days before the end.", data_key="from"
    )
    to = parameter(Due(), "The day (midnight, UTC) or moment before which it ends. Default: as_of.")
    service = parameter(NAME, "Only this service.")
    environment = parameter(NAME, "Only this environment.")
    format = parameter(Choice(tuple(FORMATS)), "How to answer.", load_default="json")


def _documented(view: Any) -> Any:
    view = blp.refuses(400, 503)(view)
    text = {"schema": {"type": "string"}}
    view = blp.doc(responses={200: {"content": {"text/csv": text, "application/pdf": text}}})(view)
    return blp.response(200, replies.ChangeRecord, description="the change record")(view)


@blp.route("/changes")
@blp.arguments(ChangesQuery, location="query", as_kwargs=True)
@_documented
def changes(**query: Any) -> Response:
    """
    Every change that ended in a period, with approvals, decision, incidents and findings; exceptions first.

    What was looked through is stated, with the first checkpoint that covers
    it; and who held which role in the period.
    """
    require_reader()
    moment, name = moment_of(query), query.pop("format")
    during = _period(query.pop("from_", None), query.pop("to", None), moment.as_of)
    with service().answers.at(moment) as reader:
        record = asked.record(reader, during, query, LogProofs(service()).checkpoint, name_of)
    format_ = FORMATS[name]
    response = Response(format_.render(record), content_type=format_.content_type)
    if name != "json":
        response.headers["Content-Disposition"] = f'attachment; filename="{_name(record)}.{name}"'
    return response


def _period(start: str | None, end: str | None, now: datetime) -> Period:
    last = _moment(end)
    try:
        return period(_moment(start) or _usual_start(last or now), last, UTC, now)
    except Unreasonable as error:
        raise OutOfRange(str(error)) from None


def _usual_start(end: datetime) -> datetime:
    try:
        return midnight((end.astimezone(UTC) - timedelta(days=USUAL_DAYS)).date(), UTC)
    except OverflowError:
        raise Unreasonable("a calendar has no such days: ask for other times") from None


def _moment(text: str | None) -> datetime | None:
    """A moment; of a day, its begin in UTC."""
    if text is None:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if len(text) == len("2026-11-22") else instant(text)


def _name(record: dict[str, Any]) -> str:
    until = record["period"]["to"] or record["as_of"]
    return f"changes-{record['period']['from'][:10]}-{until[:10]}"
