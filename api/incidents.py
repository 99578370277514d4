"""
The answers about incidents: the list, one with all that is known of it, its timeline.

An id goes into the path percent-encoded, whatever characters it has.
"""

import base64
import binascii
from typing import Any, ClassVar, cast
from urllib.parse import quote, urlencode

from flask import Flask, Response, jsonify, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound

from api import incident_replies as replies
from api.moments import MomentSchema
from api.path_ids import with_ids
from api.principals import name_of, require_reader
from api.resources import Blueprint, Switch, parameter
from api.service import service
from api.slots import NAME, Paged, moment_of
from ledger.errors import OutOfRange
from ledger.values import Choice, Text, rfc3339
from projections import incident_answers, incident_timeline
from projections.answers import Reader
from projections.facts import Moment
from projections.incident import ORDER
from projections.incident_story import Story

STATES = (*ORDER, "cancelled", "merged")

Cursor = tuple[int, str]

blp = Blueprint("incidents", __name__, url_prefix="/v1", description="Incidents, and what happened in them")


@blp.record_once
def _with_ids(state: BlueprintSetupState) -> None:
    with_ids(cast("Flask", state.app), f"{blp.url_prefix}/incidents/")


class IncidentsQuery(MomentSchema, Paged):
    state = parameter(Choice(STATES), "Only those in this state.")
    active = parameter(
        Switch(), "Only those that are active (`true`): declared and not over; or that are not (`false`)."
    )
    severity = parameter(Choice(("SEV-1", "SEV-2", "SEV-3")), "Only those that have this severity.")
    mode = parameter(Choice(("real", "drill")), "Only real ones, or only drills.")
    service = parameter(NAME, "Only those that affect this service.")
    environment = parameter(NAME, "Only those that affect this environment.")
    after = parameter(Text(1000), "The `next` of the page before.")


class TimelineQuery(MomentSchema, Paged):
    after = parameter(Text(1000), "The `next` of the page before.")


class Named:
    """How the path's parameter is described."""

    parameters: ClassVar[list[dict[str, Any]]] = [
        {"in": "path", "name": "incident", "required": True, "schema": {"type": "string", "minLength": 1}}
    ]


@blp.before_request
def _authenticate() -> None:
    require_reader()


@blp.route("/incidents")
@blp.arguments(IncidentsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.IncidentPage)
@blp.refuses(400, 503)
def incidents(**query: Any) -> Response:
    """Incidents, those that began last first."""
    moment, limit, after = moment_of(query), query.pop("limit"), _cursor(query.pop("after", None))
    with service().answers.at(moment) as reader:
        items, last = incident_answers.page(reader, query, after, limit)
        frame = reader.frame()
    following = None if last is None else _as_cursor(last)
    return _linked(jsonify({**frame, "items": items, "next": following}), following)


@blp.route("/incidents/<id:incident>", parameters=Named.parameters)
@blp.arguments(MomentSchema, location="query", as_kwargs=True)
@blp.response(200, replies.WholeIncident)
@blp.refuses(400, 404, 503)
def incident(incident: str, **query: Any) -> Response:
    """
    One incident: its steps, severity, roles, impact, versions named, measures, and what to be wary of.

    Of one that was merged, `leads_to` tells where it went.
    """
    moment = moment_of(query)
    with service().answers.at(moment) as reader:
        return jsonify(incident_answers.incident(_story(reader, incident, moment), name_of))


@blp.route("/incidents/<id:incident>/timeline", parameters=Named.parameters)
@blp.arguments(TimelineQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Timeline)
@blp.refuses(400, 404, 503)
def timeline(incident: str, **query: Any) -> Response:
    """
    What happened in an incident, in order.

    Its own events, those that name it, those of incidents merged into it, and
    what changed in the slots it affects, from two hours before its impact to
    its resolution.
    """
    moment, after = moment_of(query), _key(query.get("after"))
    with service().answers.at(moment) as reader:
        story = _story(reader, incident, moment)
        items, last = incident_timeline.page(story, after, query["limit"], name_of)
        leads_to = story.leads_to
        told = {
            "incident": story.state.id,
            "leads_to": None if leads_to is None else leads_to.id,
            **reader.frame(),
        }
    following = None if last is None else _as_cursor((last[0], str(last[1])))
    return _linked(jsonify({**told, "items": items, "next": following}), following)


def _story(reader: Reader, incident: str, moment: Moment) -> Story:
    found = incident_answers.story(reader, incident)
    if found is None:
        raise NotFound(
            f"nothing is recorded of an incident {incident} as of {rfc3339(moment.as_of)}: see /v1/incidents for all"
        )
    return found


def _as_cursor(last: Cursor) -> str:
    return base64.urlsafe_b64encode(f"{last[0]} {last[1]}".encode()).decode().rstrip("=")


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        at, _, name = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        found = int(at), name
    except (ValueError, binascii.Error):
        raise OutOfRange("after is not the `next` of another page") from None
    if abs(found[0]) >= 2**62:
        raise OutOfRange("after is not the `next` of another page")
    return found


def _key(text: str | None) -> tuple[int, int] | None:
    found = _cursor(text)
    if found is None:
        return None
    if not (found[1].isascii() and found[1].isdigit() and len(found[1]) < 17):
        raise OutOfRange("after is not the `next` of another page")
    return found[0], int(found[1])


def _linked(response: Response, following: str | None) -> Response:
    """With a link to the next page (RFC 8288)."""
    if following is not None:
        query = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
        target = f"{quote(request.path, safe='/%')}?{urlencode([*query, ('after', following)])}"
        response.headers["Link"] = f'<{target}>; rel="next"'
    return response
