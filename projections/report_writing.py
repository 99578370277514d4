"""
What people wrote about an incident: causes, sections, actions, and what customers were told.
"""

import re
from typing import Any
from unicodedata import normalize

from projections import due
from projections.postmortem import Action, Cause, Deed
from projections.report_scene import Scene, moment

CAUSES = ("trigger", "root", "contributing")

CUSTOMERS = frozenset("customer customers client clients consumer consumers user users public".split())
"""Words in the name of an audience that say: anybody may read it."""

ANYBODY = CUSTOMERS | frozenset(
    "all and everybody everyone external for of our page site status the to website world".split()
)
"""Words of which the whole name of such an audience may be made: `everyone`, but not `everyone in payments`."""

INWARD = frozenset(
    "account accounts admin admins affairs agent agents analyst analysts auditor auditors board but care cfo ceo colleague "
    "colleagues committee companies company confidential contractor contractors controlled counsel crew cto department "
    "departments desk developer developers devops embargo embargoed employee employees engineer engineering engineers except "
    "excluding executive executives experience group handling hands house inhouse inside intern internal internally "
    "intranet inward law lawyers lead leaders leadership leads legal management manager managers members nda no non "
    "not office officers only operations operators ops organisation organization owner owners partner partners people "
    "personnel pr private privately privileged regulator regulators relations reps reseller resellers responders restricted "
    "sales secret secrets security select selected sensitive service sre staff stakeholder stakeholders success supplier "
    "suppliers support team teams vendor vendors without workforce".split()
)
"""Words in the name of an audience that say: not everybody may. One of them is enough, whatever stands beside it."""


def causes(scene: Scene) -> dict[str, Any]:
    written = scene.postmortem.causes
    return {
        **{kind: [_cause(scene, each) for each in written if each.kind == kind] for kind in CAUSES},
        "implicated": scene.answer["versions"],
        "elsewhere": scene.answer["cause_elsewhere"],
    }


def _cause(scene: Scene, cause: Cause) -> dict[str, Any]:
    return {"statement": cause.statement, "category": cause.category, **_deed(scene, cause)}


def _deed(scene: Scene, deed: Deed) -> dict[str, Any]:
    return {**moment(deed.at, deed.position), "by": scene.called(deed.by)}


def sections(scene: Scene) -> dict[str, Any]:
    """The newest text of each, in the order in which they are read."""
    return {
        name: {"text": each.text, **_deed(scene, each), "revisions": each.revisions, "earlier": list(each.earlier)}
        for name, each in scene.postmortem.sections.items()
    }


def actions(scene: Scene) -> list[dict[str, Any]]:
    """Open ones first, by when they are due; then what is done, then what was called off."""
    order = ("open", "done", "cancelled")
    found = sorted(
        scene.postmortem.actions, key=lambda each: (order.index(each.state), each.due or "~", each.added.position)
    )
    return [_action(scene, each) for each in found]


def _action(scene: Scene, action: Action) -> dict[str, Any]:
    ended = action.ended
    until = scene.at if ended is None else ended.at
    return {
        "action_id": action.action_id,
        "text": action.text,
        "kind": action.kind,
        "owner": scene.called(action.owner),
        "due": action.due,
        "ticket": action.ticket,
        "state": action.state,
        "overdue": action.due is not None and due.end_of(action.due) < until,
        "added": _deed(scene, action.added),
        "first_added": _deed(scene, action.first_added),
        "ended": None if ended is None else _deed(scene, ended),
        "reason": action.reason,
    }


def customer_message(scene: Scene) -> dict[str, Any] | None:
    """The author's, else the last update that customers could read."""
    section = scene.postmortem.sections.get("customer_message")
    if section is not None:
        return {"text": section.text, "from": "section", **_deed(scene, section)}
    updates = [each for each in scene.answer["updates"] if is_for_customers(each["audience"])]
    if not updates:
        return None
    last = updates[-1]
    return {"text": last["text"], "from": "update", **{name: last[name] for name in ("time", "position", "by")}}


def is_for_customers(audience: str) -> bool:
    """Whether an audience is anybody at all; of one that does not clearly say so, it is not to be thought."""
    words = set(re.findall(r"[^\W_]+", normalize("NFKC", audience).casefold()))
    return INWARD.isdisjoint(words) and (not CUSTOMERS.isdisjoint(words) or (bool(words) and words <= ANYBODY))


def published(scene: Scene, audience: str) -> dict[str, Any] | None:
    """The last publication to an audience; one that names none is to all."""
    acts = [each for each in scene.postmortem.published if each.audience in (None, audience)]
    return None if not acts else {**_deed(scene, acts[-1]), "audience": acts[-1].audience}
