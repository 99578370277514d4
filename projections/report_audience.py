"""
What an audience may see of a report: applied to the model, before anything is made of it.

`auditor` sees all of it; `internal` the names of people, and not by which ids
the ledger knows them; `public` sees roles instead of people, wherever one is
named, and nothing that was not meant to leave the house.
"""

from collections.abc import Mapping
from typing import Any

from projections.report_markup import without_names
from projections.report_names import Names
from projections.report_writing import is_for_customers

AUDIENCES = ("internal", "public", "auditor")

OURS = frozenset(
    "format audience zone as_of moment type time recordedtime since until local lane step state status leaf root origin "
    "reached_by folded_into lag claimed_time due began ended code how standing at".split()
)
"""Members whose words are the ledger's own, and never a name."""

PERSONAL = frozenset("by person owner commander decided_by discovered_by reported_by".split())
"""Members that hold a name: here even who is called by a word of the trade becomes a role."""

INWARD = ("incident.note_added", "oncall.")
"""Types of event that are not for the public: notes, which nobody published, and who is on call."""

AMENDED = ("corrections", "retractions")
"""The parts of what is told of quality that repeat what had been said."""


def seen_by(audience: str, model: dict[str, Any], people: Mapping[str, str]) -> dict[str, Any]:
    """The part of a model that an audience may see; *people* are the names it may hold, each with a role."""
    if audience == "auditor":
        return model
    if audience == "internal":
        return {**model, "timeline": [_without_id(each) for each in model["timeline"]]}
    names = Names(people, _things(model))
    found: dict[str, Any] = _hidden(_outward(model, names), names)
    sections = {names.hidden(name): _read(each, names) for name, each in found["sections"].items()}
    written = {name: _read(found[name], names) for name in ("summary", "customer_message")}
    return found | written | {"definitions": model["definitions"], "sections": sections}


def _things(model: Mapping[str, Any]) -> set[str]:
    """The services and environments of the story."""
    places = [*model["versions"], *model["timeline"], *model["cover"]["affected"]]
    return {each[name] for each in places for name in ("service", "environment") if each[name]}


def _without_id(entry: dict[str, Any]) -> dict[str, Any]:
    submitter = entry["submitter"]
    return {**entry, "submitter": {**submitter, "id": None, "name": submitter["name"] or submitter["id"]}}


# What leaves the house


def _outward(model: dict[str, Any], names: Names) -> dict[str, Any]:
    """
    Without notes, shifts, and what was taken back; without findings, what is
    reported to authorities, and other incidents, of which nobody may know.
    """
    quality = model["quality"]
    amended = {name: [_unsaid(each) for each in quality[name] if _leaves(each["type"])] for name in AMENDED}
    return model | {
        "timeline": [_entry(each, names) for each in model["timeline"] if _is_outward(each)],
        "quality": quality | amended,
        "links": [each | dict.fromkeys(("title", "severity", "state", "began")) for each in model["links"]],
        "similar": [],
        "reporting": [],
        "findings": [],
    }


def _unsaid(amended: Mapping[str, Any]) -> dict[str, Any]:
    """A correction or retraction without what had been said: it may have been taken back for what it gave away."""
    told = ("about", "type", "field", "position", "recordedtime")
    return {name: amended[name] for name in told if name in amended}


def _leaves(topic: str) -> bool:
    return not topic.startswith(INWARD)


def _is_outward(entry: Mapping[str, Any]) -> bool:
    if entry["type"] == "incident.update_published" and not is_for_customers(entry["data"].get("audience", "")):
        return False
    return _leaves(entry["type"]) and entry["retracted"] is None


def _entry(entry: dict[str, Any], names: Names) -> dict[str, Any]:
    submitter = _without_id(entry)["submitter"]
    submitter["name"] = names.role(submitter["name"])
    return entry | {"submitter": submitter, "source": None, "data": {}, "evidence": [], "corrections": []}


# Roles instead of names


def _hidden(value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return names.hidden(value)
    if isinstance(value, Mapping):
        return {name: _member(name, each, names) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(each, names) for each in value]
    return value


def _read(written: dict[str, Any] | None, names: Names) -> dict[str, Any] | None:
    """Without the names that are read in an author's Markdown, though they are not in its source."""
    if written is None or not written["text"]:
        return written
    return written | {"text": without_names(written["text"], names)}


def _member(name: str, value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return value if name in OURS else names.role(value) if name in PERSONAL else names.hidden(value)
    return _hidden(value, names)
