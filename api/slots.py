"""
The answers for slots and artifacts.

Names go in the query, since they may hold `/`. Every read takes `as_of`,
`known_at` and `at_least`.
"""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request
from marshmallow import Schema
from werkzeug.exceptions import NotFound

from api import slot_replies as replies
from api.moments import MomentSchema, resolve
from api.principals import require_reader
from api.resources import Blueprint, Digits, parameter
from api.service import service
from ledger.errors import OutOfRange
from ledger.values import Text, rfc3339
from projections.facts import Moment

blp = Blueprint("slots", __name__, url_prefix="/v1", description="What runs where, and where to go back to")


NAME = Text(200)


class SlotQuery(MomentSchema):
    service = parameter(NAME, "The service, exactly as recorded.", required=True)
    environment = parameter(NAME, "The environment, exactly as recorded.", required=True)


class Paged(Schema):
    limit = parameter(Digits(1, 1000), "How many items a page has.", load_default=100)


class SlotsQuery(MomentSchema, Paged):
    service = parameter(NAME, "Only this service.")
    environment = parameter(NAME, "Only this environment.")
    after = parameter(Text(1000), "The `next` of the page before.")


class HistoryQuery(SlotQuery, Paged):
    after = parameter(Digits(1), "The `next` of the page before: a position.")


def moment_of(query: dict[str, Any]) -> Moment:
    """The moment that a query asks for; its members are taken out of the query."""
    return resolve(query.pop("as_of", None), query.pop("known_at", None), query.pop("at_least", None))


@blp.before_request
def _authenticate() -> None:
    require_reader()


@blp.route("/slots")
@blp.arguments(SlotsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.SlotPage)
@blp.refuses(400, 503)
def slots(**query: Any) -> Response:
    """The current answers of all slots, by name."""
    moment, limit, after = moment_of(query), query.pop("limit"), _cursor(query.pop("after", None))
    with service().answers.at(moment) as reader:
        items, last = reader.slots(query, after, limit)
    following = None if last is None else _as_cursor(last)
    response = jsonify({"items": items, "next": following})
    return _linked(response, following)


@blp.route("/slot")
@blp.arguments(SlotQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Slot)
@blp.refuses(400, 404, 503)
def slot(**query: Any) -> Response:
    """What is deployed, current and last known good in one slot, and where to roll back to."""
    moment = moment_of(query)
    with service().answers.at(moment) as reader:
        found = reader.slot(query["service"], query["environment"])
    if found is None:
        raise unknown(query, moment)
    return jsonify(found)


@blp.route("/slot/history")
@blp.arguments(HistoryQuery, location="query", as_kwargs=True)
@blp.response(200, replies.HistoryPage)
@blp.refuses(400, 404, 503)
def history(**query: Any) -> Response:
    """Deployments, releases and rollbacks of one slot, the newest first."""
    moment, limit, after = moment_of(query), query["limit"], query.get("after")
    with service().answers.at(moment) as reader:
        if not reader.knows(query["service"], query["environment"]):
            raise unknown(query, moment)
        items = reader.history(query["service"], query["environment"], after, limit)
    following = items[-1]["position"] if len(items) == limit else None
    return _linked(jsonify({"items": items, "next": following}), following)


@blp.route("/slot/candidates")
@blp.arguments(SlotQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Candidates)
@blp.refuses(400, 404, 503)
def candidates(**query: Any) -> Response:
    """Every version that one could go back to in one slot, ranked, each with what speaks for and against it."""
    moment = moment_of(query)
    with service().answers.at(moment) as reader:
        if not reader.knows(query["service"], query["environment"]):
            raise unknown(query, moment)
        return jsonify(reader.candidates(query["service"], query["environment"]))


@blp.route("/artifacts/<digest>")
@blp.arguments(MomentSchema, location="query", as_kwargs=True)
@blp.response(200, replies.Artifact)
@blp.refuses(400, 404, 503)
def artifact(digest: str, **query: Any) -> Response:
    """Where an artifact came from, where it ran, and what happened there."""
    with service().answers.at(moment_of(query)) as reader:
        found = reader.artifact(digest.lower())
    if found is None:
        raise NotFound(f"no event names the digest {digest}: digests are sha256: and 64 hexadecimal digits")
    return jsonify(found)


def unknown(query: dict[str, Any], moment: Moment) -> NotFound:
    """That nothing is recorded of a slot."""
    return NotFound(
        f"nothing is recorded of {query['service']} in {query['environment']} "
        f"as of {rfc3339(moment.as_of)}: see /v1/slots for all"
    )


def _as_cursor(name: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(b"\0".join(part.encode() for part in name)).decode().rstrip("=")


def _cursor(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    try:
        service_name, environment = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split("\0")
    except (ValueError, binascii.Error):
        raise OutOfRange("after is not the `next` of another page") from None
    return service_name, environment


def _linked(response: Response, following: str | int | None) -> Response:
    """With a link to the next page (RFC 8288)."""
    if following is not None:
        query = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
        response.headers["Link"] = f'<{request.path}?{urlencode([*query, ("after", following)])}>; rel="next"'
    return response
