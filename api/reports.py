"""
Reports about incidents, in every format, for an audience, as of any moment.

One model is read from the record; every format is made of it (see
docs/design/reports.md). The same question is answered with the same bytes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar
from zoneinfo import available_timezones

import orjson
from flask import Response, request
from werkzeug import exceptions

from api.incidents import Named
from api.moments import MomentSchema, resolve
from api.principals import name_of, require_reader
from api.report.proofs import LogProofs
from api.report_replies import Report
from api.resources import Blueprint, Switch, parameter
from api.service import service
from api.slots import moment_of
from ledger.values import Choice, rfc3339
from projections import incident_answers, report, report_zone
from projections.facts import Moment

blp = Blueprint("reports", __name__, url_prefix="/v1", description="Reports about incidents")

Model = dict[str, Any]

ZONES = sorted(filter(report_zone.is_same_everywhere, available_timezones()))


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is called, and whether a browser may show it in its place."""

    media_type: str
    content_type: str
    render: Callable[[Model], bytes]
    inline: bool = True
    binary: bool = False


@dataclass(frozen=True, slots=True)
class ZoneName:
    """An IANA time zone that this machine knows, and that is the same on every other."""

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "string", "enum": ZONES}

    def accept(self, value: Any) -> str:
        report_zone.find(value)
        return str(value)


def _json(model: Model) -> bytes:
    return orjson.dumps(model, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _csv(model: Model) -> bytes:
    from api.report import csv  # noqa: PLC0415 - see _document

    return csv.render(model)


def _document(name: str) -> Callable[[Model], bytes]:
    """Of the renderer in the module of that name, which is loaded when it is first asked for: pictures and Markdown take time."""

    def render(model: Model) -> bytes:
        from importlib import import_module  # noqa: PLC0415

        from api.report import words  # noqa: PLC0415

        made: bytes = import_module(f"api.report.{name}").render(words.document(model))
        return made

    return render


def _pdf(model: Model) -> bytes:
    from api.report.pdf import TooLong  # noqa: PLC0415 - see _document

    try:
        return _document("pdf")(model)
    except TooLong as long:
        raise exceptions.ServiceUnavailable(str(long)) from None


def _docx(model: Model) -> bytes:
    from api.report.docx import NotInstalled  # noqa: PLC0415

    try:
        return _document("docx")(model)
    except NotInstalled as missing:
        raise exceptions.NotImplemented(str(missing)) from None


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMATS = {
    "json": Format("application/json", "application/json", _json),
    "md": Format("text/markdown", "text/markdown; charset=utf-8; variant=GFM", _document("markdown")),
    "html": Format("text/html", "text/html; charset=utf-8", _document("html")),
    "pdf": Format("application/pdf", "application/pdf", _pdf, binary=True),
    "csv": Format("text/csv", "text/csv; charset=utf-8; header=present", _csv, inline=False),
    "docx": Format(DOCX, DOCX, _docx, inline=False, binary=True),
}
"""By name; the first is the default."""


class ReportQuery(MomentSchema):
    format = parameter(
        Choice(tuple(FORMATS)), "How to answer; else by the Accept header, else json. `csv` is the timeline alone."
    )
    audience = parameter(
        Choice(report.AUDIENCES),
        "For whom: `internal` with names, `public` with roles instead, `auditor` with ids.",
        load_default="internal",
    )
    zone = parameter(ZoneName(), "In which time zone it is read. Default: the offset of the incident's people.")
    published = parameter(Switch(), "As it was when it was last published to this audience.", load_default=False)


def _documented(view: Any) -> Any:
    view = blp.refuses(400, 404, 406, 501, 503)(view)
    others = {
        each.media_type: {"schema": {"type": "string"} | ({"contentMediaType": each.media_type} if each.binary else {})}
        for name, each in FORMATS.items()
        if name != "json"
    }
    disposition = {"Content-Disposition": {"description": "a name for the file", "schema": {"type": "string"}}}
    view = blp.doc(responses={200: {"content": others}})(view)
    return blp.response(200, Report, description="the report", headers=disposition)(view)


@blp.route("/incidents/<id:incident>/report", parameters=Named.parameters)
@blp.arguments(ReportQuery, location="query", as_kwargs=True)
@_documented
def incident_report(incident: str, **query: Any) -> Response:
    """
    The report about an incident: everything that a postmortem states as fact, and what was written.

    It rests on what is recorded at the moment asked for, and is the same
    whenever it is asked for.
    """
    require_reader()
    name = query.get("format") or _accepted()
    moment, audience, zone = moment_of(query), query["audience"], query.get("zone")
    model = model_of(incident, moment, audience, zone)
    if query["published"]:
        model = _as_published(incident, moment, model, zone)
    return _answer(FORMATS[name], FORMATS[name].render(model), f"{_slug(incident)}-{audience}.{name}")


def _accepted() -> str:
    """The format that the Accept header likes best."""
    wanted = {each.media_type: name for name, each in FORMATS.items()}
    if not request.accept_mimetypes:
        return "json"
    best = request.accept_mimetypes.best_match(list(wanted))
    if best is None:
        raise exceptions.NotAcceptable(f"a report can be had as {', '.join(wanted)}")
    return wanted[best]


def model_of(incident: str, moment: Moment, audience: str, zone: str | None) -> Model:
    with service().answers.at(moment) as reader:
        story = incident_answers.story(reader, incident)
        if story is None:
            raise exceptions.NotFound(_nothing(incident, moment, incident_answers.taken_back(reader, incident)))
        house = service().tokens.people(moment.known_at) if audience == "public" else ()
        proofs = LogProofs(service())
        return report.report(story, audience=audience, name_of=name_of, zone=zone, proofs=proofs, house=house)


def _nothing(incident: str, moment: Moment, taken_back: list[int]) -> str:
    """Why there is no report: what was retracted was recorded all the same, and can be read."""
    as_of = f"as of {rfc3339(moment.as_of)}"
    if taken_back:
        positions = ", ".join(map(str, taken_back[:20]))
        return f"all that was recorded of an incident {incident} is retracted, {as_of}: read positions {positions} in /v1/events"
    return f"nothing is recorded of an incident {incident} {as_of}: see /v1/incidents for all"


def enclosed(incident: str) -> tuple[bytes, bytes]:
    """The report for auditors as it is now, as JSON and as a page; for an evidence bundle."""
    model = model_of(incident, resolve(), "auditor", None)
    return FORMATS["json"].render(model), FORMATS["html"].render(model)


def _as_published(incident: str, moment: Moment, model: Model, zone: str | None) -> Model:
    """The same, read when it was published."""
    audience, published = model["audience"], model["published"]
    if published is None:
        raise exceptions.NotFound(
            f"the report about {incident} was not published to the audience {audience}, as of {rfc3339(moment.as_of)}"
        )
    position = published["position"]
    recorded = next(iter(service().ledger.at([position])))
    return model_of(incident, Moment(recorded.recorded_at, position), audience, zone)


def _answer(format_: Format, content: bytes, name: str) -> Response:
    response = Response(content, content_type=format_.content_type)
    response.set_etag(sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Authorization"
    placed = "inline" if format_.inline else "attachment"
    response.headers["Content-Disposition"] = f'{placed}; filename="{name}"'
    if format_.media_type == "text/html":
        from api.report.html import policy  # noqa: PLC0415 - loaded by now

        response.headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
    response.make_conditional(request)
    return response


def _slug(incident: str) -> str:
    """An incident's id as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", incident).strip("-.")[:80] or "incident"
