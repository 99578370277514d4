"""
The delivery measures of some deployments: each figure with the deployments that it comes from.

Ratios come with both of their numbers, and frequencies as the days and weeks
by how many deployments they had; none is a bare rate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.values import from_microseconds, rfc3339
from projections import periods
from projections.delivery_failures import Failure, Unmatched
from projections.delivery_rework import Reason
from projections.deployments import Aside, Deployment
from projections.incident import Slot
from projections.measures import Measure
from projections.periods import Bucket
from projections.quantiles import MEDIAN, NINTH_TENTH, quantile
from projections.selection import Places
from projections.spread import Value, spread

ASIDE = ("failed", "cancelled", "rollback", "repeated")


@dataclass
class Made:
    """A deployment, and what became of it."""

    deployment: Deployment
    failure: Failure | None = None
    rework: Sequence[Reason] = ()
    in_incident: bool = False

    @property
    def slot(self) -> Slot:
        return self.deployment.slot

    @property
    def at(self) -> int:
        return self.deployment.at

    @property
    def position(self) -> int:
        return self.deployment.position

    def json(self) -> dict[str, Any]:
        return {
            **self.deployment.json(),
            "time": rfc3339(from_microseconds(self.at)),
            "position": self.position,
        }


Item = Made | Aside | Unmatched


def figures(places: Places, items: Sequence[Item], since: int | None, bucket: Bucket | None) -> dict[str, Any]:
    made = [each for each in items if isinstance(each, Made)]
    kinds = [each.kind for each in items if isinstance(each, Aside)]
    return {
        "deployments": len(made),
        "aside": {name: kinds.count(name) for name in ASIDE},
        "measures": {
            "deployment_frequency": _frequency(places, made, since, bucket),
            "change_lead_time": _lead_time(made),
            "change_fail_rate": _fail_rate(made, [each for each in items if isinstance(each, Unmatched)]),
            "failed_deployment_recovery_time": _recovery(made),
            "deployment_rework_rate": _rework(made),
        },
    }


def _frequency(places: Places, made: Sequence[Made], since: int | None, bucket: Bucket | None) -> dict[str, Any]:
    """How many a day, and how many a week."""
    period = places.selection.period
    start, end = period.start, period.until(places.reader.moment.at)
    if bucket is not None:
        start, end = bucket.start, bucket.end
    begin = end if since is None else max(start, since)
    return {
        "since": None if since is None else rfc3339(from_microseconds(since)),
        "days": _counts(periods.days(period.zone, begin, end), made),
        "weeks": _counts(periods.weeks(period.zone, begin, end), made),
    }


def _counts(buckets: Sequence[Bucket], made: Sequence[Made]) -> dict[str, Any]:
    """How many fell into each bucket; those that are cut are shown, and are no part of the quantiles."""
    held: dict[int, list[Made]] = {}
    for each in made:
        held.setdefault(periods.place(buckets, each.at), []).append(each)
    counts = sorted(len(held.get(place, ())) for place, each in enumerate(buckets) if each.whole)
    spread_ = [{"deployments": count, "times": counts.count(count)} for count in sorted(set(counts))]
    return {
        "n": len(counts),
        "cut": len(buckets) - len(counts),
        "median": _tenths(counts, MEDIAN),
        "p90": _tenths(counts, NINTH_TENTH),
        "spread": spread_,
        "values": [_count(buckets[place], held[place]) for place in sorted(held)],
    }


def _tenths(counts: Sequence[int], tenths: int) -> float | None:
    """A quantile of counts, exact to the tenth that it may lie at between two of them."""
    found = quantile([10 * each for each in counts], tenths)
    return None if found is None else found.value / 10


def _count(bucket: Bucket, made: Sequence[Made]) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "from": rfc3339(from_microseconds(bucket.start)),
        "whole": bucket.whole,
        "deployments": len(made),
        "positions": [each.position for each in made],
    }


def _lead_time(made: Sequence[Made]) -> dict[str, Any]:
    """Of those that brought a commit here for the first time."""
    new = [_value(each, _lead) for each in made if not each.deployment.again]
    known = [each for each in new if each.measure.microseconds is not None]
    missing = [each for each in new if each.measure.microseconds is None]
    return {**spread(known, missing, []), "again": len(made) - len(new)}


def _lead(each: Made) -> Measure:
    return Measure("committed", "deployed", each.deployment.committed, each.deployment.key)


def _value(each: Made, measure: Callable[[Made], Measure]) -> Value:
    return Value(each.deployment.json(), measure(each))


def _fail_rate(made: Sequence[Made], unmatched: Sequence[Unmatched]) -> dict[str, Any]:
    failed = [(each, each.failure) for each in made if each.failure is not None]
    return {
        **_ratio("failed", len(failed), len(made)),
        "values": [
            {**each.json(), "because": [why.json(each.at) for why in failure.because]} for each, failure in failed
        ],
        "unmatched": [_unmatched(each) for each in unmatched],
    }


def _unmatched(each: Unmatched) -> dict[str, Any]:
    return {"service": each.slot[0], "environment": each.slot[1], "version": each.version, **each.why.json()}


def _recovery(made: Sequence[Made]) -> dict[str, Any]:
    failures = [each.failure for each in made if each.failure is not None]
    by_state: Mapping[str, list[Value]] = {"known": [], "missing": [], "open": []}
    for each in failures:
        known = "missing" if each.recovered is None else "known"
        value = Value(each.deployment.json(), each.recovery)
        by_state["open" if each.going_on else known].append(value)
    return spread(by_state["known"], by_state["missing"], by_state["open"])


def _rework(made: Sequence[Made]) -> dict[str, Any]:
    again = [each for each in made if each.rework]
    return {
        **_ratio("rework", len(again), len(made)),
        "in_incident": sum(each.in_incident for each in made),
        "values": [{**each.json(), "because": [why.json() for why in each.rework]} for each in again],
    }


def _ratio(name: str, some: int, all_: int) -> dict[str, Any]:
    return {name: some, "deployments": all_, "ratio": some / all_ if all_ else None}
