"""
Events over HTTP: append them, read them, follow them.
"""

import hashlib
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response, request, url_for
from werkzeug.exceptions import BadRequest, NotAcceptable

from api import events_docs as docs
from api import reading
from api.appending import Outcome, Wish, all_or_nothing, each_by_itself, summary
from api.drafts import NDJSON, Sent, read
from api.events_docs import AppendQuery, EventsQuery, StreamQuery
from api.moments import MomentSchema, check_known, resolve
from api.principals import current_principal, require_reader, still_principal
from api.problems import body_of
from api.receipts import sealed
from api.resources import Blueprint
from api.service import service
from ledger.codec import Row
from ledger.deciding import Receipt
from ledger.errors import OutOfRange
from ledger.values import instant, microseconds

JSON, EVENT, LIVE = "application/json", "application/cloudevents+json", "text/event-stream"
_REVISION = re.compile(r'"(0|[1-9][0-9]{0,15})"', re.ASCII)
_MINIMAL = re.compile(r"(^|,)\s*return\s*=\s*\"?minimal\"?\s*($|,|;)", re.IGNORECASE)

blp = Blueprint("events", __name__, url_prefix="/v1/events", description="What happened: append, read, follow")


@blp.route("", methods=["POST"])
@blp.arguments(AppendQuery, location="query", as_kwargs=True)
@docs.append(blp)
def append(each: bool = False, strict: bool = False, claim: bool = False, wait: str | None = None) -> Response:
    """
    Append one event or many.

    A request is all or nothing, unless `each=true`. The same (source, id)
    again with the same content is answered with the first receipt. When this
    answers, what it has receipts for is durable; with `wait=sealed` it is in
    the transparency log too, and each receipt has the proof.
    """
    principal = current_principal()
    sent = read(request.headers, request.get_data)
    wish = Wish(principal, _expected(sent, each=each), strict, claim)
    if claim and wish.expected is None:
        raise BadRequest("claim goes with If-Match, the revision at which the decision was read")
    if each:
        outcomes = each_by_itself(service(), sent, wish)
        return _outcomes(_waited(outcomes) if wait else outcomes)
    receipts = all_or_nothing(service(), sent, wish)
    if wait:
        receipts = sealed(service().log, service().ledger, receipts)
    return _one(receipts[0]) if sent.single else _many(receipts)


def _waited(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes, with proof where there are receipts."""
    receipts = [each for each in outcomes if isinstance(each, Receipt)]
    with_proof = iter(sealed(service().log, service().ledger, receipts))
    return [next(with_proof) if isinstance(each, Receipt) else each for each in outcomes]


def _expected(sent: Sent, *, each: bool) -> int | None:
    """The revision that If-Match asks for. Raises `BadRequest` where it can't be heeded."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    if each or not sent.single:
        raise BadRequest("If-Match goes with a single event, sent alone: each event has a stream of its own")
    if not (found := _REVISION.fullmatch(given.strip())):
        raise BadRequest(
            'If-Match takes one strong ETag, the revision of the event\'s stream: "7", or "0" for none yet'
        )
    return int(found[1])


def _one(receipt: Receipt) -> Response:
    response = Response(orjson.dumps(receipt), 200 if receipt.duplicate else 201, content_type=JSON)
    response.headers["Location"] = url_for("events.one", position=receipt.position)
    return response


def _many(receipts: list[Receipt]) -> Response:
    said = summary(receipts)
    minimal = any(map(_MINIMAL.search, request.headers.getlist("Prefer")))
    body = said if minimal else {**said, "receipts": receipts}
    response = Response(orjson.dumps(body), 200 if said["first"] is None else 201, content_type=JSON)
    if minimal:
        response.headers["Preference-Applied"] = "return=minimal"
    return response


def _outcomes(outcomes: list[Outcome]) -> Response:
    """201 if all were taken and something was new, 200 if all were taken before, 207 if any was refused."""
    items = [each if isinstance(each, Receipt) else _Problem(each) for each in outcomes]
    refused = any(isinstance(each, BaseException) for each in outcomes)
    new = any(isinstance(each, Receipt) and not each.duplicate for each in outcomes)
    status = 207 if refused else 201 if new else 200
    return Response(orjson.dumps({"items": items}), status, content_type=JSON)


class _Problem(dict[str, Any]):
    """The problem of one event among many."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(body_of(error))


@blp.route("")
@blp.arguments(EventsQuery, location="query", as_kwargs=True)
@docs.page(blp)
def page(after: int = 0, limit: int | None = None, **query: Any) -> Response:
    """
    Events in order of position, by what they are about.

    As JSON a page of at most `limit`; as NDJSON all of them, or at most
    `limit` where it is given.
    """
    require_reader()
    wanted = _accepted(JSON, NDJSON)
    held = service()
    moment = resolve(query.pop("as_of", None), query.pop("known_at", None), query.pop("at_least", None))
    chosen = reading.selections(held, _filters(query), after, moment)
    if wanted == NDJSON and limit is None:
        return Response(reading.ndjson(held, chosen, None), content_type=NDJSON)
    limit = limit or docs.DEFAULT_LIMIT
    found = list(islice(reading.rows(held, chosen, limit + 1), limit + 1))
    following = found[limit - 1].position if len(found) > limit else None
    return _linked(_conditional(_page(found[:limit], following, wanted), wanted), following)


def _page(found: Sequence[Row], following: int | None, wanted: str) -> bytes:
    items = list(map(reading.as_json, found))
    if wanted == NDJSON:
        return b"".join(each + b"\n" for each in items)
    return b'{"items":[' + b",".join(items) + b'],"next":' + orjson.dumps(following) + b"}"


def _filters(query: dict[str, Any]) -> dict[str, Any]:
    """As `projections.search` takes them."""
    times: dict[str, Any] = {
        name: microseconds(instant(query.pop(name))) for name in ("since", "until") if name in query
    }
    return {**query, **times}


def _linked(response: Response, following: int | None) -> Response:
    """With a link to the next page (RFC 8288)."""
    if following is not None:
        query = [(name, value) for name, value in request.args.items() if name != "after"]
        response.headers["Link"] = f'<{request.path}?{urlencode([*query, ("after", following)])}>; rel="next"'
    return response


@blp.route("/<int:position>")
@blp.arguments(MomentSchema, location="query", as_kwargs=True)
@docs.one(blp)
def one(position: int, **asked: Any) -> Response:
    """
    The event at a position, as it was recorded; 404 where it was not known, or not so yet, at the moment asked about.

    It stays as it is for ever, but for what is redacted: so its ETag tells
    whether that happened.
    """
    require_reader()
    check_known(position, asked)
    wanted = _accepted(JSON, EVENT)
    return _conditional(reading.as_json(service().ledger.row(position)), wanted)


@blp.route("/stream")
@blp.arguments(StreamQuery, location="query", as_kwargs=True)
@docs.follow(blp)
def follow(after: int | None = None) -> Response:
    """
    Events as they are recorded (server-sent events).

    Ends within a heartbeat when the token is revoked. Starts after `Last-Event-ID`, which a browser sends by itself when it comes
    back, else after `after`, else with what is recorded from now on.
    """
    require_reader()
    _accepted(LIVE)
    held = service()
    head = held.ledger.head()
    start = _last_event_id(after, head)
    if start > head:
        raise OutOfRange(f"position {start} is beyond the record, which ends at {head}")
    response = Response(reading.live(held, start, still_principal()), content_type=f"{LIVE}; charset=utf-8")
    # Proxies that gather an answer before they pass it on would keep the news from who waits for it.
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    return response


def _last_event_id(after: int | None, head: int) -> int:
    given = request.headers.get("Last-Event-ID", "")
    if not given:
        return head if after is None else after
    if not (given.isascii() and given.isdigit() and len(given) <= 16):
        raise BadRequest("Last-Event-ID is the position of the last event that came, a whole number")
    return int(given)


def _accepted(*offered: str) -> str:
    """The media type to answer in: of those offered, what Accept likes best."""
    accept = request.accept_mimetypes
    best = accept.best_match(offered) if accept.provided else offered[0]
    if best is None:
        raise NotAcceptable(f"this is given as {' or '.join(offered)}")
    return best


def _conditional(content: bytes, content_type: str) -> Response:
    """A response with its ETag; 304 where the reader has it already."""
    response = Response(content, content_type=content_type)
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers.update({"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"})
    response.make_conditional(request)
    return response
