"""
Where practice left the doctrine.

A person accepts one by recording `finding.accepted`, like any other decision.
"""

from typing import Any

from flask import Response, jsonify

from api import finding_replies as replies
from api import paging
from api.moments import MomentSchema
from api.principals import name_of, require_reader
from api.resources import Blueprint, parameter
from api.service import service
from api.slots import NAME, Paged, moment_of
from ledger.values import Choice, Text
from projections import findings as asked
from projections.finding import STATES

blp = Blueprint("findings", __name__, url_prefix="/v1", description="Where practice left the doctrine")


class FindingsQuery(MomentSchema, Paged):
    rule = parameter(Choice(asked.RULES), "Only those of this rule.")
    service = parameter(NAME, "Only those about this service, or an incident that affects it.")
    environment = parameter(NAME, "Only those about this environment, or an incident that affects it.")
    incident = parameter(Text(), "Only those about this incident.")
    state = parameter(Choice(STATES), "Only open ones, those that events settled, or those that a person accepted.")
    after = parameter(Text(1000), "The `next` of the page before.")


@blp.route("/findings")
@blp.arguments(FindingsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.FindingPage)
@blp.refuses(400, 503)
def findings(**query: Any) -> Response:
    """
    Findings by rule, place, incident and state, those about what was recorded last first.

    To accept one, record `finding.accepted` with its rule and positions.
    """
    require_reader()
    moment, limit, after = moment_of(query), query.pop("limit"), _key(query.pop("after", None))
    with service().answers.at(moment) as reader:
        items, last = asked.page(reader, query, after, limit, name_of)
        frame = reader.frame()
    following = paging.as_cursor(last)
    return paging.linked(jsonify({**frame, "items": items, "next": following}), following)


def _key(text: str | None) -> asked.Key | None:
    match paging.key_of(text):
        case None if text is None:
            return None
        case [int() as position, str() as rule, [*positions]] if all(type(each) is int for each in positions):
            return position, rule, tuple(positions)
    raise paging.not_ours()
