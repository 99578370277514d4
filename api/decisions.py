"""
Rollbacks that were decided, and the gate for releases.
"""

from typing import Any

from flask import Response, jsonify

from api import decision_replies as replies
from api.moments import MomentSchema
from api.principals import name_of, require_reader
from api.resources import Blueprint, parameter
from api.service import Service, service
from api.slots import NAME, SlotQuery, moment_of
from ledger.authority import PIPELINE, Principal
from ledger.values import Choice, Digest, Text, stream_name
from projections.decisions import STATES
from projections.facts import Moment

blp = Blueprint("decisions", __name__, url_prefix="/v1", description="What was decided, and what may go out")


class DecisionsQuery(MomentSchema):
    state = parameter(Choice(tuple(STATES)), "Only those in this state; `pending` can be executed now.")
    service = parameter(NAME, "Only this service.")
    environment = parameter(NAME, "Only this environment.")
    incident = parameter(Text(), "Only those for this incident.")
    plan = parameter(Text(), "Only those of this plan.")


class GateQuery(SlotQuery):
    version = parameter(Text(), "The version that would go out.", required=True)
    digest = parameter(Digest(), "Its digest, to hold its approval against.")


@blp.route("/decisions")
@blp.arguments(DecisionsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Decisions)
@blp.refuses(400, 503)
def decisions(**query: Any) -> Response:
    """
    Decisions to roll back, the newest first.

    A pipeline executes those in state `pending`, and sees only the slots it is
    bound to. `revision` is the slot's at `known_at`: a claim sends it as
    If-Match with `rollback.started` (and `?claim=true`, so that observations
    recorded meanwhile are no conflict), so that of two callers one gets it.
    """
    principal, held, moment = require_reader(), service(), _newest(query)
    with held.answers.at(moment) as reader:
        found = [each for each in reader.decisions(query) if _sees(principal, each)]
        frame = reader.frame()
    for each in found:
        each["decided_by_name"] = name_of(each["decided_by"]) if each["decided_by"] else None
        each["revision"] = _revision(held, each, frame["known_at"])
    return jsonify({**frame, "items": found, "next": None})


def _newest(query: dict[str, Any]) -> Moment:
    """
    The moment that is asked for, of all that is recorded: a pipeline
    is never told "none" by answers that have fallen behind.

    Raises:
        NotYet: where they do not catch up in time.
    """
    if query.get("known_at") is None:
        query["at_least"] = max(query.get("at_least") or 0, service().ledger.head())
    return moment_of(query)


def _sees(principal: Principal, decision: dict[str, Any]) -> bool:
    """A pipeline that is bound sees its own slots only; everyone else who reads sees all."""
    if principal.roles != frozenset({PIPELINE}):
        return True
    services, environments = principal.services, principal.environments
    return (not services or decision["service"] in services) and (
        not environments or decision["environment"] in environments
    )


def _revision(held: Service, decision: dict[str, Any], known_at: int) -> int:
    """The revision of the slot's stream at a position, so that a claim fails if anything came after."""
    stream = stream_name("slot", decision["service"], decision["environment"])
    return held.ledger.revision(stream, known_at)


@blp.route("/gate")
@blp.arguments(GateQuery, location="query", as_kwargs=True)
@blp.response(200, replies.Gate)
@blp.refuses(400, 503)
def gate(**query: Any) -> Response:
    """Whether a release of a version may go out now; if not, why, and who can change it."""
    require_reader()
    moment = _newest(query)
    with service().answers.at(moment) as reader:
        return jsonify(reader.gate(query["service"], query["environment"], query["version"], query.get("digest")))
