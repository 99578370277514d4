"""
The first minute of an incident in one reply, and who is on call.
"""

from typing import Any

from flask import Response, jsonify

from api import situation_replies as replies
from api.commands import commands
from api.moments import MomentSchema
from api.principals import name_of, require_reader
from api.resources import Blueprint, parameter
from api.service import service
from api.slots import NAME, SlotQuery, moment_of, unknown
from ledger.errors import OutOfRange
from ledger.values import Text, Time, instant, microseconds, rfc3339

blp = Blueprint("situation", __name__, url_prefix="/v1", description="An incident's first minute, and who is on call")


class OnCallQuery(MomentSchema):
    service = parameter(NAME, "Only rotas that cover this service.")
    rota = parameter(Text(), "Only this rota.")
    at = parameter(Time(), "Who is on call at this time, later than now if need be. Default: as_of.")


class ShiftsQuery(MomentSchema):
    class Meta:
        include = {  # noqa: RUF012 - marshmallow's own form
            "from": parameter(Time(), "Shifts that end after this.", required=True, attribute="start"),
        }

    rota = parameter(Text(), "The rota.", required=True)
    to = parameter(Time(), "Shifts that begin before this.", required=True)


@blp.before_request
def _authenticate() -> None:
    require_reader()


@blp.route("/slot/situation")
@blp.arguments(SlotQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Situation)
@blp.refuses(400, 404, 503)
def situation(**query: Any) -> Response:
    """
    What runs, what was last good, what changed, which alerts and metrics speak, who is on call.

    With what the severity asks for, how far a rollback is, what to type, and
    how fresh each of these feeds is.
    """
    moment = moment_of(query)
    with service().answers.at(moment) as reader:
        found = reader.situation(query["service"], query["environment"])
        ambiguous = reader.ambiguous(query["service"], query["environment"])
    if found is None:
        raise unknown(query, moment)
    if (rollback := found["rollback"]) is not None:
        rollback["decided_by_name"] = name_of(rollback["decided_by"]) if rollback["decided_by"] else None
    return jsonify({**found, "commands": commands(found, ambiguous) if moment.now else []})


@blp.route("/oncall")
@blp.arguments(OnCallQuery, location="query", as_kwargs=True)
@blp.response(200, replies.OnCallNow)
@blp.refuses(400, 503)
def on_call(**query: Any) -> Response:
    """Who is on call, until when, and who comes next; a gap has no person."""
    moment = moment_of(query)
    at = instant(query["at"]) if "at" in query else moment.as_of
    with service().answers.at(moment) as reader:
        items = reader.on_call(query.get("service"), query.get("rota"), microseconds(at))
        return jsonify({**reader.frame(), "at": rfc3339(at), "items": items})


@blp.route("/oncall/shifts")
@blp.arguments(ShiftsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Shifts)
@blp.refuses(400, 503)
def shifts(**query: Any) -> Response:
    """The assignments of a rota that overlap a time, each with who recorded it, and what was taken back in it."""
    moment = moment_of(query)
    start, end = instant(query["start"]), instant(query["to"])
    if end < start:
        raise OutOfRange(f"to {query['to']} is before from {query['start']}: exchange them")
    with service().answers.at(moment) as reader:
        found = reader.shifts(query["rota"], microseconds(start), microseconds(end))
        return jsonify({**reader.frame(), "rota": query["rota"], **found})
