"""
The timeline as a report has it: each entry in people's own time, in its lane, and shortened where it is long.
"""

from typing import Any

from ledger.values import instant, microseconds
from projections.incident_folding import actor, groups
from projections.report_scene import Scene

LONG = 60
"""A timeline of more entries is folded."""

LANES = {
    "incident.declared": "severity",
    "incident.severity_changed": "severity",
    "incident.priority_changed": "severity",
    "incident.reopened": "severity",
    "incident.impact_": "impact",
    "incident.detected": "alert",
    "alert.": "alert",
    "metric.": "alert",
    "deployment.": "version",
    "release.started": "version",
    "release.exposed": "version",
    "release.completed": "version",
    "release.aborted": "version",
    "rollback.started": "version",
    "rollback.succeeded": "version",
    "rollback.failed": "version",
    "service.removed": "version",
    "rollback.": "decision",
    "release.": "decision",
    "incident.version_implicated": "decision",
    "incident.version_exonerated": "decision",
    "incident.cause_elsewhere": "decision",
    "incident.classified": "decision",
    "incident.merged": "decision",
    "incident.unmerged": "decision",
    "incident.cancelled": "decision",
    "incident.acknowledged": "action",
    "incident.mitigated": "action",
    "incident.resolved": "action",
    "incident.closed": "action",
    "incident.role_": "action",
    "incident.note_added": "action",
    "incident.update_published": "action",
    "mitigation.": "action",
    "feature.": "action",
    "configuration.": "action",
    "migration.": "action",
}
"""In which lane of the picture a type of event is; the first that its name begins with counts."""


def timeline(scene: Scene) -> list[dict[str, Any]]:
    """Every entry, in order of (time, position)."""
    folded = _folded(scene) if len(scene.entries) > LONG else {}
    return [_entry(scene, each, folded.get(each["position"])) for each in scene.entries]


def _entry(scene: Scene, entry: dict[str, Any], group: str | None) -> dict[str, Any]:
    return {
        **entry,
        "local": scene.zone.local(microseconds(instant(entry["time"]))),
        "lane": lane(entry["type"]),
        "evidence": entry["data"].get("evidence", []),
        "folded_into": group,
    }


def lane(topic: str) -> str:
    return next((found for name, found in LANES.items() if topic.startswith(name)), "other")


def _folded(scene: Scene) -> dict[int, str]:
    """By position, the group that an entry is told in: its minute, and the position of its first entry."""
    together = (each for each in groups(scene.entries, actor) if len(each) > 1)
    return {one["position"]: f"{each[0]['time'][:16]}Z #{each[0]['position']}" for each in together for one in each}
