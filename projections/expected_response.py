"""
What does the severity ask for, for how long has it asked, and what was done?

Shown, never executed. Another choice than the expected one is allowed and is
a deviation, told with its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.events import FeatureDisabled, RollbackDecided, RollbackDeclined
from ledger.values import from_microseconds, rfc3339
from projections import spans
from projections.facts import Fact
from projections.incident import Span, State

EXPECTED = {
    "SEV-1": ("full outage, revenue loss", "roll back at once, no debate"),
    "SEV-2": (
        "partial outage, key features broken",
        "roll back or switch the feature off: the on-call person decides",
    ),
    "SEV-3": ("minor, a workaround exists", "no rollback; fix in the next release"),
}
"""By severity: what it is, and the response that it asks for."""

CHOICES = (RollbackDecided, RollbackDeclined, FeatureDisabled)
"""What counts as a response."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A response that was chosen, and whether it is the one that the severity at its time asked for."""

    fact: Fact
    severity: str
    chosen: str
    expected: bool


def choices(state: State, facts: Iterable[Fact]) -> list[Choice]:
    """The responses to an incident, each judged by the severity at its time; those made before any are left out."""
    found = []
    rolled_back = False
    for each in sorted(facts, key=lambda fact: fact.key):
        severity = _severity_at(state, each.at)
        if severity is None or not isinstance(each.event, CHOICES):
            continue
        rolled_back = rolled_back or isinstance(each.event, RollbackDecided)
        chosen = _chosen(each)
        found.append(Choice(each, severity, chosen, _is_expected(severity, chosen, rolled_back)))
    return found


def _chosen(fact: Fact) -> str:
    if isinstance(fact.event, RollbackDeclined):
        return fact.event.chosen
    return "rollback" if isinstance(fact.event, RollbackDecided) else "feature_disable"


def _is_expected(severity: str, chosen: str, rolled_back: bool) -> bool:
    if severity == "SEV-1":
        return rolled_back and chosen in ("rollback", "feature_disable")
    if severity == "SEV-2":
        return chosen in ("rollback", "feature_disable")
    return chosen != "rollback"


def _severity_at(state: State, at: int) -> str | None:
    """The severity at a moment; the first for what was chosen just before the declaration, the last for what came after."""
    if not state.severities:
        return None
    given = [each.name for each in state.severities if each.at <= at]
    return given[-1] if given else state.severities[0].name


def deviations(state: State, facts: Iterable[Fact]) -> list[Choice]:
    return [each for each in choices(state, facts) if not each.expected]


def answer(state: State, facts: Iterable[Fact], at: int) -> dict[str, Any] | None:
    """The expected response with its clock at a moment; None where no severity was ever given."""
    if state.severity is None or not state.spans:
        return None
    span, made = state.spans[-1], choices(state, facts)
    what, response = EXPECTED[state.severity]
    return {
        "severity": state.severity,
        "what": what,
        "response": response,
        "since": rfc3339(from_microseconds(span.start)),
        "seconds": spans.seconds((at if span.end is None else span.end) - span.start),
        "status": _status(state, span, made),
        "drill": state.mode == "drill",
        "deviations": [_json(each) for each in made if not each.expected],
    }


def _status(state: State, span: Span, made: Sequence[Choice]) -> str:
    """`as_expected`, `deviated`, `awaited` while it is active, `missing` when it is over."""
    since = [each for each in made if each.fact.at >= span.start]
    if since:
        return "as_expected" if since[-1].expected else "deviated"
    if state.severity == "SEV-3" or any(_answers(each, state) for each in made):
        return "as_expected"
    return "awaited" if span.end is None else "missing"


def _answers(choice: Choice, state: State) -> bool:
    """Whether what was chosen before is what is asked for now: for this severity or a graver one, in this cycle."""
    reopened = state.last("reopened")
    if reopened is not None and choice.fact.at < reopened.at:
        return False
    return choice.expected and choice.severity <= (state.severity or "")


def _json(choice: Choice) -> dict[str, Any]:
    fact = choice.fact
    return {
        "severity": choice.severity,
        "expected": EXPECTED[choice.severity][1],
        "chosen": choice.chosen,
        "reason": fact.event.reason,
        "decided_by": fact.event.decided_by,
        "type": fact.event.TOPIC,
        "time": rfc3339(from_microseconds(fact.at)),
        "position": fact.position,
    }
