"""
What to type next: the commands that decide, and those that record what was done.

Pure: a situation in, lines of shell out. Each can be pasted as it is, but for
reasons that only a person knows. They are offers, never actions.
"""

import shlex
from collections.abc import Container, Mapping
from typing import Any

WHY, WHAT = "WHY", "WHAT"
"""Stand where a person has to say why, or what is wrong."""


def commands(situation: Mapping[str, Any], ambiguous: Container[str] = ()) -> list[dict[str, str]]:
    """
    What can be done about a slot as things are, the likeliest first.

    *ambiguous*: versions that several artifacts of the slot go by, so that
    only the digest tells which is meant.
    """
    rollback = situation["rollback"]
    told = rollback["told"] if rollback else None
    if told in ("pending", "claimed"):
        return _execute(situation, rollback)
    if told == "target_reached":
        return _judge(situation, rollback)
    return [*_declare(situation), *_decide(situation, ambiguous)]


def _declare(situation: Mapping[str, Any]) -> list[dict[str, str]]:
    """To declare what a machine detected, with the severity that it suggests."""
    return [
        _typed(
            "declare it, with the severity that you see",
            "incident declare",
            {
                "incident": each["id"],
                "title": each["title"] or WHAT,
                "severity": each["suggested_severity"] or "SEV-2",
                "affected": f"{situation['service']}@{situation['environment']}",
            },
        )
        for each in situation["undeclared"][:1]
    ]


def _decide(situation: Mapping[str, Any], ambiguous: Container[str]) -> list[dict[str, str]]:
    """What one may decide; first what the severity asks for."""
    target, incident = situation["rollback_target"], _incident(situation)
    back, against, off = [], [], []
    if target is not None:
        digest = {"to-digest": target["digest"]} if target["digest"] and target["version"] in ambiguous else {}
        given = {"to-version": target["version"], **digest, **incident}
        back.append(_line("decide to roll back", "rollback decided", situation, given))
    if incident:
        given = {"chosen": "fix_forward", **incident, "reason": WHY}
        against.append(_line("decide against it", "rollback declined", situation, given))
        off = [_off(situation, each, incident) for each in situation["recent"]["features"] if _is_on(each)]
    response = situation["expected_response"]
    if response is not None and response["severity"] == "SEV-3":
        return [*against, *back]
    return [*back, *against, *off]


def _is_on(item: Mapping[str, Any]) -> bool:
    return bool(item["type"] == "feature.enabled" and item["reference"])


def _off(situation: Mapping[str, Any], item: Mapping[str, Any], incident: Mapping[str, str]) -> dict[str, str]:
    given = {"feature": item["reference"], **incident}
    return _line("record that you switched a feature off", "feature disabled", situation, given)


def _execute(situation: Mapping[str, Any], rollback: Mapping[str, Any]) -> list[dict[str, str]]:
    named = {"rollback-id": rollback["rollback_id"]}
    back = {**named, "to-version": rollback["to_version"]}
    claim = _line("have a pipeline carry it out", "rollback next", situation, {}, "--claim")
    return [
        *([claim] if rollback["told"] == "pending" else []),
        _line("record that it was carried out", "rollback succeeded", situation, back),
        _line("record that it failed", "rollback failed", situation, back),
        _line("call it off", "rollback cancelled", situation, {**named, "reason": WHY}),
    ]


def _judge(situation: Mapping[str, Any], rollback: Mapping[str, Any]) -> list[dict[str, str]]:
    given = {"rollback-id": rollback["rollback_id"], "reason": WHY}
    return [
        _line("record that it helped", "rollback verified", situation, given),
        _line("record that it did not help", "rollback ineffective", situation, given),
    ]


def _incident(situation: Mapping[str, Any]) -> dict[str, str]:
    real = (each["id"] for each in situation["incidents"] if not each["drill"])
    return next(({"incident": each} for each in real), {})


def _line(do: str, verb: str, situation: Mapping[str, Any], given: Mapping[str, str], *switches: str) -> dict[str, str]:
    """A command about the slot."""
    slot = {"service": situation["service"], "environment": situation["environment"]}
    return _typed(do, verb, {**slot, **given}, *switches)


def _typed(do: str, verb: str, given: Mapping[str, str], *switches: str) -> dict[str, str]:
    # One word a flag where its value begins with a dash: it would else be taken for a flag itself.
    flags = (
        shlex.quote(f"--{name}={value}") if value.startswith("-") else f"--{name} {shlex.quote(value)}"
        for name, value in given.items()
    )
    return {"do": do, "command": " ".join(["lastgood", verb, *flags, *switches])}
