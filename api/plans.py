"""
Returning a whole environment to a moment: what it would change, and deciding it.
"""

from dataclasses import replace
from typing import Any

import orjson
from flask import Response, jsonify, request
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from api import decision_replies as replies
from api import drafts
from api.moments import MomentSchema
from api.principals import current_principal, require_reader
from api.resources import Blueprint, parameter
from api.schemas import Ruled, refusal
from api.service import Service, service
from api.slots import NAME, moment_of
from api.strict_json import document, text
from ledger.application import uuid7
from ledger.authority import Principal, may_decide
from ledger.codec import Draft, Prepared
from ledger.deciding import Command
from ledger.errors import Fault, IdTaken, Invalid, OutOfRange
from ledger.events import Recorded, RollbackDecided
from ledger.values import Prose, Text, Time, instant, rfc3339
from projections.facts import Moment

blp = Blueprint("plans", __name__, url_prefix="/v1", description="Returning a whole environment to a moment")


class PlanQuery(MomentSchema):
    environment = parameter(NAME, "The environment to return.", required=True)
    to = parameter(Time(), "The moment to return it to.", required=True)
    service = fields.List(parameter(NAME, "A service."), metadata={"description": "Only these services; repeat it."})


class Wish(Schema):
    """A decision to return an environment; `plan` names it, so that sending it again changes nothing."""

    environment = Ruled(NAME, required=True)
    to = Ruled(Time(), required=True)
    reason = Ruled(Prose())
    incident = Ruled(Text())
    plan = Ruled(Text(200))
    decided_by = Ruled(Text(320))
    services = fields.List(Ruled(NAME))


class PlanTaken(IdTaken):
    """The name stands for another decision in this environment."""

    def __init__(self, plan: str, taken: IdTaken) -> None:
        super().__init__(taken.source, taken.event_id, taken.position, taken.other_submitter)
        told = f"the plan {plan} was decided with another moment, reason or choice of services"
        self.args = (f"{told}, at position {taken.position}, and nothing was stored: give this decision another name",)


@blp.route("/plan")
@blp.arguments(PlanQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Plan)
@blp.refuses(400, 404, 503)
def plan(**query: Any) -> Response:
    """What returning an environment, or some services of it, to a moment would change. Changes nothing."""
    require_reader()
    moment = moment_of(query)
    return jsonify(_plan(service(), moment, query["environment"], query["to"], query.get("service", [])))


@blp.route("/plan", methods=["POST"])
@blp.doc(requestBody={"required": True, "content": {drafts.JSON: {"schema": Wish}}})
@blp.response(201, replies.PlanDecided)
@blp.refuses(400, 404, 409, 503)
def decide() -> tuple[Response, int]:
    """
    Decide the plan: one decision with one reason, recorded as a `rollback.decided` for each slot.

    Each is executed, observed and verified by itself (`/v1/decisions?plan=`),
    so that one slot that can't be rolled back never holds up the others.

    A plan is decided once in an environment: sent again it is answered with
    the first receipts, wherever its slots have gone since; another decision
    under its name is a conflict.
    """
    principal, held = current_principal(), service()
    wish = _wish()
    _check(principal, wish)
    name = wish.get("plan") or f"plan-{uuid7(held.ledger.clock.now())}"
    prepared = _decisions(held, principal, wish, name)
    try:
        receipts = held.writer.append(Command(principal, prepared)) if prepared else []
    except IdTaken as taken:
        raise PlanTaken(name, taken) from None
    new = any(not each.duplicate for each in receipts)
    return jsonify({"plan": name, "count": len(receipts), "receipts": receipts}), 201 if new else 200


def _wish() -> dict[str, Any]:
    """
    The body, read as strictly as an event is.

    Raises:
        UnsupportedMediaType, Malformed, Invalid: pointing at what cannot be meant.
    """
    if request.mimetype != drafts.JSON:
        raise UnsupportedMediaType(f"send the decision as {drafts.JSON}")
    given = document(text(request.get_data()))
    if isinstance(given, list):
        raise Invalid([Fault("", "must be an object")])
    if given.error is not None:
        raise given.error
    try:
        wish: dict[str, Any] = Wish().load(given.value)
    except ValidationError as error:
        raise refusal(error) from None
    return wish


def _check(principal: Principal, wish: dict[str, Any]) -> None:
    """Raises `NotAllowed` where this principal decides no rollback, even if there were none to decide."""
    names = {"rollback_id": "-", "service": "-", "environment": wish["environment"], "to_version": "-"}
    may_decide(principal, RollbackDecided(**names, decided_by=wish.get("decided_by")))


def _plan(held: Service, moment: Moment, environment: str, to: str, services: list[str]) -> dict[str, Any]:
    with held.answers.at(moment) as reader:
        found = reader.plan(environment, _earlier(to, moment), services)
    if not any(found[name] for name in ("items", "unchanged", "appeared", "removed")):
        raise NotFound(f"nothing is recorded of the environment {environment} at that moment")
    return found


def _earlier(text: str, moment: Moment) -> Moment:
    to = instant(text)
    if to > moment.as_of:
        raise OutOfRange(f"to {text} is after {rfc3339(moment.as_of)}: one returns to an earlier moment")
    return Moment(to, moment.known_at)


def _decisions(held: Service, principal: Principal, wish: dict[str, Any], name: str) -> list[Prepared]:
    """What to record: the decisions that this plan was decided with before, else one for each slot that differs."""
    moment = moment_of({"at_least": held.ledger.head()})
    drafts_ = [_again(each) for each in _before(held, moment, wish["environment"], name)]
    if not drafts_:
        found = _plan(held, moment, wish["environment"], wish["to"], wish.get("services", []))
        drafts_ = [_decision(wish, name, item) for item in found["items"]]
    # What is compared is what was sent, never what the state of the slots made of it.
    sent = orjson.dumps(wish | {"services": sorted(wish.get("services", []))}, option=orjson.OPT_SORT_KEYS)
    return [held.ledger.prepare(replace(each, content=sent), principal) for each in drafts_]


def _before(held: Service, moment: Moment, environment: str, plan: str) -> list[Recorded]:
    """The decisions recorded by deciding a plan; not those that somebody made part of it one by one."""
    with held.answers.at(moment) as reader:
        found = reader.decisions({"plan": plan, "environment": environment})
    positions = sorted(each["position"] for each in found if each["position"] is not None)
    return [each for each in held.ledger.at(positions) if each.source == _source(plan)]


def _again(recorded: Recorded) -> Draft:
    return Draft(recorded.event, recorded.id, recorded.source)


def _source(plan: str) -> str:
    return f"urn:lastgood:plan:{plan}"


def _decision(wish: dict[str, Any], plan: str, item: dict[str, Any]) -> Draft:
    """The decision for one slot; its key is made from the plan and the slot."""
    told = {name: wish[name] for name in ("reason", "incident", "decided_by") if wish.get(name)}
    data = {
        "rollback_id": f"{plan}:{item['service']}"[:256],
        "service": item["service"],
        "environment": item["environment"],
        "from_version": item["from"]["version"],
        "to_version": item["to"]["version"],
        "plan": plan,
        **({"to_digest": item["to"]["digest"]} if item["to"]["digest"] else {}),
        **told,
    }
    slot = orjson.dumps([item["environment"], item["service"]]).decode()
    return drafts.draft({"id": slot, "source": _source(plan), "type": "rollback.decided", "data": data})
