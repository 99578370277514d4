"""
What does each measure mean? In words, from which time to which, and which events say so.

One place for all who show a figure: the answers over many incidents, the
delivery measures, the reports. The eight measures of an incident are worked
out by `projections.measures`, the delivery measures by `projections.delivery`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Definition:
    """
    One measure. `start` and `end` name the two times whose difference it is;
    None where it is none. `source`: the events that are read. `missing`: when
    there is no value, and what becomes of it.
    """

    name: str
    title: str
    unit: str
    start: str | None
    end: str | None
    text: str
    source: tuple[str, ...]
    missing: str

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "from": self.start,
            "to": self.end,
            "text": self.text,
            "source": list(self.source),
            "missing": self.missing,
        }


def _by_name(definitions: Iterable[Definition]) -> dict[str, Definition]:
    return {each.name: each for each in definitions}


_STARTED, _ENDED = "incident.impact_started", "incident.impact_ended"
_DETECTED, _DECLARED = "incident.detected", "incident.declared"

INCIDENT = _by_name(
    (
        Definition(
            "time_to_detect",
            "Time to detect",
            "seconds",
            "first impact start",
            "detected",
            "From the earliest start of any window of impact to the earliest detection.",
            (_STARTED, _DETECTED),
            "Missing where nobody recorded when impact began, or nothing recorded a detection.",
        ),
        Definition(
            "time_to_declare",
            "Time to declare",
            "seconds",
            "detected",
            "declared",
            "From the earliest detection to the earliest declaration by a person.",
            (_DETECTED, _DECLARED),
            "Missing where nothing recorded a detection, or nobody declared it.",
        ),
        Definition(
            "time_to_acknowledge",
            "Time to acknowledge",
            "seconds",
            "declared",
            "acknowledged",
            "From the earliest declaration to the first time that a person took it on.",
            (_DECLARED, "incident.acknowledged"),
            "Missing where nobody recorded that they took it on.",
        ),
        Definition(
            "time_to_decide",
            "Time to decide",
            "seconds",
            "SEV-1 or SEV-2 reached",
            "rollback decided or declined",
            "From the moment the incident first was SEV-1 or SEV-2 to the first decision from then on to roll back, or "
            "not to; a decision made before it counts only where there is no other.",
            (_DECLARED, "incident.severity_changed", "rollback.decided", "rollback.declined"),
            "Missing where it never was SEV-1 or SEV-2, or no decision that belongs to it was recorded.",
        ),
        Definition(
            "time_to_execute",
            "Time to execute",
            "seconds",
            "rollback decided",
            "rollback succeeded",
            "From the decision to its success, of one rollback: the first that was both decided and carried out.",
            ("rollback.decided", "rollback.succeeded"),
            "Missing where no rollback that belongs to it was decided, or none that was decided succeeded.",
        ),
        Definition(
            "time_to_verify",
            "Time to verify",
            "seconds",
            "rollback succeeded",
            "rollback verified",
            "From the success of one rollback to the word of a person that it helped.",
            ("rollback.succeeded", "rollback.verified"),
            "Missing where no rollback that belongs to it succeeded, or nobody verified one that did.",
        ),
        Definition(
            "time_to_mitigate",
            "Time to mitigate",
            "seconds",
            "first impact start",
            "last impact end",
            "From the earliest start of any window of impact to the latest end, once every window has ended.",
            (_STARTED, _ENDED),
            "Missing where no impact was recorded, or any window of it has no start or no end.",
        ),
        Definition(
            "time_to_resolve",
            "Time to resolve",
            "seconds",
            "declared",
            "last resolved",
            "From the earliest declaration to the resolution recorded last; reopening it makes that a later one.",
            (_DECLARED, "incident.resolved"),
            "Missing where it was closed without a resolution.",
        ),
    )
)
"""The eight measures of an incident, by name."""

FIGURES = _by_name(
    (
        Definition(
            "customer_impact",
            "Customer impact",
            "seconds",
            None,
            None,
            "The length of the union of all windows of impact: overlaps count once, gaps not at all. A window still "
            "open lasts to the moment asked for while the incident does; of one left open after it, nothing counts.",
            (_STARTED, _ENDED),
            "Missing where no window of impact was recorded.",
        ),
        Definition(
            "time_in_severity",
            "Time in each severity",
            "seconds",
            None,
            None,
            "For how long the incident was declared and not over, by the severity that it had then.",
            (_DECLARED, "incident.severity_changed", "incident.resolved", "incident.reopened"),
            "None before it was declared.",
        ),
        Definition(
            "lag",
            "Lag",
            "seconds",
            "happened",
            "recorded",
            "How much later an event was recorded than it happened.",
            ("time", "recordedtime"),
            "Never missing: the ledger itself says when it learnt something.",
        ),
    )
)
"""What else is measured of one incident."""

_DEPLOYED, _ROLLED_BACK = "deployment.succeeded", "rollback.succeeded"

DELIVERY = _by_name(
    (
        Definition(
            "deployment_frequency",
            "Deployment frequency",
            "deployments",
            None,
            None,
            "How many deployments to production succeeded on each calendar day, and in each week from Monday on, in "
            "the time zone asked for. Days count from the first deployment ever recorded of what is asked about; days "
            "and weeks that the period cuts are shown, and are no part of the median and the 90th percentile. A "
            "rollback recorded as such brings nothing new, and is counted apart.",
            (_DEPLOYED,),
            "Days before the first recorded deployment are not known to be empty, and are left out.",
        ),
        Definition(
            "change_lead_time",
            "Change lead time",
            "seconds",
            "committed",
            "deployed",
            "From the commit to the first success of a deployment that brought it to that service and environment. "
            "The commit's time is the deployment's own, else that of the artifact's publication. The same commit "
            "deployed there again is no new change, and is counted apart.",
            (_DEPLOYED, "deployment.started", "artifact.published"),
            "Missing where neither the deployment nor the artifact says when the commit was made.",
        ),
        Definition(
            "change_fail_rate",
            "Change fail rate",
            "ratio",
            None,
            None,
            "Distinct deployments that needed immediate intervention, over all deployments: the version that went live "
            "by it was rolled back from here, or an incident that is neither a drill nor maintenance nor cancelled "
            "implicates it here. A rollback does not count against a deployment where a person judged it ineffective, "
            "or where nobody decided it and it was itself the mistake; an exonerated version is not implicated.",
            (_DEPLOYED, _ROLLED_BACK, "incident.version_implicated", "incident.version_exonerated"),
            "No ratio where there is no deployment. A deployment may still fail after the moment asked for.",
        ),
        Definition(
            "failed_deployment_recovery_time",
            "Failed deployment recovery time",
            "seconds",
            "failed deployment finished",
            "rollback succeeded or impact ended",
            "For each deployment that the change fail rate counts as failed: from its success to the last end of the "
            "impact of the incidents that implicate it, once every window has ended; where no impact was recorded, "
            "or an incident was over without an end to it, to the moment an earlier version was live again.",
            (_DEPLOYED, _ROLLED_BACK, _ENDED),
            "Open while an incident that implicates it is active and its impact not ended; missing where that is over "
            "and neither an end of impact nor a rollback was recorded.",
        ),
        Definition(
            "deployment_rework_rate",
            "Deployment rework rate",
            "ratio",
            None,
            None,
            "Unplanned deployments made because of an incident, over all deployments, by the record alone: a "
            "deployment that names an incident; the first in its service and environment after a person declined to "
            "roll back there and chose fix_forward, revert_forward or redeploy in an incident, before that was over; "
            "and one that carried out a rollback decided in an incident. Drills, maintenance and what was cancelled "
            "make none. Merely to fall into an incident is no such reason, and is counted beside.",
            (_DEPLOYED, "rollback.declined", "rollback.decided", _DECLARED),
            "No ratio where there is no deployment.",
        ),
    )
)
"""DORA's five delivery measures (as defined in January 2026), by name."""

ALL = INCIDENT | FIGURES | DELIVERY

QUANTILES = (
    "The median and the 90th percentile lie at places 0.5 and 0.9 of the way from the smallest to the largest value, "
    "in order; between two values, in proportion (Hyndman and Fan's type 7, as spreadsheets have it). Each names the "
    "one or two values that it comes from."
)


def told(names: Iterable[str]) -> list[dict[str, Any]]:
    """The definitions of some measures, as readers get them."""
    return [ALL[name].json() for name in names]
