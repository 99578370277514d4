"""
Who came when, in which role, when nobody was in command, and what the severity asked for.
"""

from typing import Any

from projections import roles, spans
from projections.facts import Fact
from projections.report_impact import severities
from projections.report_scene import Scene, moment, time
from projections.roles import Holding


def response(scene: Scene) -> dict[str, Any]:
    return {
        "people": _people(scene),
        "without_commander": _gaps(scene),
        "expected": _expected(scene),
    }


def _expected(scene: Scene) -> dict[str, Any] | None:
    found: dict[str, Any] | None = scene.answer["expected_response"]
    if found is None:
        return None
    spans_told = severities(scene)["spans"]
    return {
        **found,
        "position": spans_told[-1]["position"] if spans_told else None,
        "deviations": [{**each, "decided_by": scene.called(each["decided_by"])} for each in found["deviations"]],
    }


def _people(scene: Scene) -> list[dict[str, Any]]:
    """Everybody who had a role or did something before it was over, those who came first first."""
    joined: dict[str, tuple[int, int]] = {}
    held: dict[str, list[Holding]] = {}
    for each in scene.state.holdings:
        name = scene.called(each.person) or each.person
        held.setdefault(name, []).append(each)
        joined[name] = min(joined.get(name, (each.start, each.position)), (each.start, each.position))
    for fact in _deeds(scene):
        name = scene.by(fact)
        joined[name] = min(joined.get(name, fact.key), fact.key)
    return [
        {"person": name, "roles": [_role(each) for each in held.get(name, ())], "joined": moment(*joined[name])}
        for name in sorted(joined, key=lambda each: joined[each])
    ]


def _deeds(scene: Scene) -> list[Fact]:
    """What people did in the incident itself, until it was over."""
    ended = scene.state.ended
    facts = [*scene.own, *(each.fact for each in scene.belonging)]
    return [
        each
        for each in facts
        if (each.event.decided_by is not None or each.recorded.submitter.kind == "human")
        and (ended is None or each.at <= ended)
        and not each.event.TOPIC.startswith("postmortem.")
    ]


def _role(holding: Holding) -> dict[str, Any]:
    return {
        "role": holding.role,
        "since": time(holding.start),
        "until": time(holding.end),
        "position": holding.position,
        "until_position": holding.end_position,
    }


def _gaps(scene: Scene) -> list[dict[str, Any]]:
    """The times from declaration to the end in which nobody was in command."""
    declared = scene.state.first("declared")
    if declared is None:
        return []
    over = scene.state.ended
    ended = scene.at if over is None else over
    commands = [each for each in scene.state.holdings if roles.commands(each.role)]
    reached, said, found = declared.at, declared.position, []
    for each in sorted(commands, key=lambda one: (one.start, one.position)):
        if each.start > reached:
            found.append((reached, min(each.start, ended), [said, each.position]))
        until = ended if each.end is None else each.end
        if until >= reached:
            reached, said = until, each.end_position or each.position
    if reached < ended:
        found.append((reached, ended, [said]))
    return [_gap(*each) for each in found if each[0] < each[1]]


def _gap(start: int, end: int, positions: list[int]) -> dict[str, Any]:
    length = spans.seconds(end - start)
    return {"since": time(start), "until": time(end), "seconds": length, "positions": positions}
