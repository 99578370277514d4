"""
Postmortems as they stand, and the actions of all of them.

They are written by events, like everything else: `postmortem.section_written`
and the like go to `POST /v1/events`.
"""

from typing import Any

from flask import Response, jsonify
from werkzeug.exceptions import NotFound

from api import paging
from api import postmortem_replies as replies
from api.incidents import Named
from api.moments import MomentSchema
from api.principals import name_of, require_reader
from api.resources import Blueprint, parameter
from api.service import service
from api.slots import Paged, moment_of
from ledger.values import Choice, Text, rfc3339
from projections import incident_answers, postmortem_answer

blp = Blueprint("postmortems", __name__, url_prefix="/v1", description="Postmortems, and what is left to do")


class ActionsQuery(MomentSchema, Paged):
    state = parameter(
        Choice(postmortem_answer.STATES), "Only those in this state; `overdue` ones are open and were due."
    )
    owner = parameter(Text(320), "Only those of this owner, exactly as recorded.")
    incident = parameter(Text(), "Only those of this incident.")
    after = parameter(Text(2000), "The `next` of the page before.")


@blp.before_request
def _authenticate() -> None:
    require_reader()


@blp.route("/incidents/<id:incident>/postmortem", parameters=Named.parameters)
@blp.arguments(MomentSchema, location="query", as_kwargs=True)
@blp.response(200, replies.WholePostmortem)
@blp.refuses(400, 404, 503)
def postmortem(incident: str, **query: Any) -> Response:
    """
    The postmortem of an incident: sections, causes, actions, who stands behind it, due date, reports to authorities.

    It is written by events: `postmortem.started`, `postmortem.section_written` and the like. `advice` is gentle help
    with words that blame.
    """
    moment = moment_of(query)
    with service().answers.at(moment) as reader:
        story = incident_answers.story(reader, incident)
        if story is None:
            raise NotFound(
                f"nothing is recorded of an incident {incident} as of {rfc3339(moment.as_of)}: "
                "see /v1/incidents for all"
            )
        return jsonify(postmortem_answer.answer(story, name_of))


@blp.route("/actions")
@blp.arguments(ActionsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.ActionPage)
@blp.refuses(400, 503)
def actions(**query: Any) -> Response:
    """Actions of all postmortems by state, owner and incident, those due first first, those never due last."""
    moment, limit, after = moment_of(query), query.pop("limit"), _key(query.pop("after", None))
    with service().answers.at(moment) as reader:
        items, last = postmortem_answer.actions(reader, query, after, limit, name_of)
        frame = reader.frame()
    following = paging.as_cursor(last)
    return paging.linked(jsonify({**frame, "items": items, "next": following}), following)


def _key(text: str | None) -> postmortem_answer.Key | None:
    match paging.key_of(text):
        case None if text is None:
            return None
        case [int() as at, str() as incident, str() as action]:
            return at, incident, action
    raise paging.not_ours()
