"""
Figures over many incidents and deployments: how long things took, and how software is delivered.

Each figure comes with its definition, with how many it is of, how many are
missing and why, and with every single value and the positions it came from.
"""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify

from api import metrics_replies as replies
from api.moments import MomentSchema
from api.principals import require_reader
from api.resources import Blueprint, parameter
from api.service import service
from api.slots import NAME, moment_of
from ledger.errors import OutOfRange
from ledger.values import Choice, Due, Text, Unfit
from projections import delivery, incident_measures, periods, report_zone
from projections.answers import Reader
from projections.facts import Moment
from projections.periods import Period, Unreasonable
from projections.selection import BY, Selection

blp = Blueprint("metrics", __name__, url_prefix="/v1", description="Figures over many incidents and deployments")


class MetricsQuery(MomentSchema):
    from_ = parameter(
        Due(), "From this day or moment on. Default: all that is recorded, of twenty years.", data_key="from"
    )
    to = parameter(Due(), "Before this day or moment; may lie ahead. Default: up to and with the moment asked for.")
    zone = parameter(Text(200), "An IANA time zone, by whose clock days, weeks and months begin.", load_default="UTC")
    service = parameter(NAME, "Only this service.")
    environment = parameter(NAME, "Only this environment.")
    team = parameter(Text(320), "Only slots that this team owns: the `owner` of `environment.configured`.")
    by = parameter(Choice(BY), "Grouped, too: by service, environment, team, month or week.")


@blp.before_request
def _authenticate() -> None:
    require_reader()


@blp.route("/metrics/incidents")
@blp.arguments(MetricsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.IncidentMetrics)
@blp.refuses(400, 503)
def incidents(**query: Any) -> Response:
    """
    How long it took to detect, declare, acknowledge, decide, execute, verify, mitigate and resolve.

    Of the incidents declared in a period. Drills, maintenance, and what was
    cancelled or merged are left out; open incidents are told apart.
    """
    return _answer(incident_measures.answer, query)


@blp.route("/metrics/delivery")
@blp.arguments(MetricsQuery, location="query", as_kwargs=True)
@blp.response(200, replies.DeliveryMetrics)
@blp.refuses(400, 503)
def delivered(**query: Any) -> Response:
    """
    DORA's five delivery measures of what was deployed to production in a period.

    Production is what is configured to be of that tier; where none is
    configured, an environment named production or prod.
    """
    return _answer(delivery.answer, query)


def _answer(answer: Callable[[Reader, Selection], dict[str, Any]], query: dict[str, Any]) -> Response:
    moment = moment_of(query)
    begin, end, zone = query.pop("from_", None), query.pop("to", None), query.pop("zone")
    asked = Selection(_period(begin, end, zone, moment), **query)
    with service().answers.at(moment) as reader:
        return jsonify(answer(reader, asked))


def _period(begin: str | None, end: str | None, zone: str, moment: Moment) -> Period:
    try:
        clock = report_zone.find(zone).info
        first, last = (None if each is None else periods.moment(each, clock) for each in (begin, end))
        return periods.period(first, last, clock, moment.as_of)
    except (Unreasonable, Unfit) as wrong:
        raise OutOfRange(str(wrong)) from None
