"""
Where can one read what lies between the version to go back to and the current one?

Made from the repository and the commits that the artifacts were published
with, in the manner of the hosts that are known; never a link that may lead
nowhere, and never one with a credential in it.
"""

import re

from ledger.events import ArtifactPublished, Record
from projections import artifact, telling
from projections.facts import Index, Moment
from projections.view import View

PUBLICATIONS = 5
"""So many of an artifact's publications are looked through for one that tells a commit."""


def url(view: View, to: int | None, moment: Moment, record: Record, index: Index) -> str | None:
    """The address of what lies between the version to go back to and the current one; None where it isn't known."""
    current = view.slot.current
    if to is None or current is None:
        return None
    newer, older = (_published(view, each, moment, record, index) for each in (current.artifact, to))
    if newer is None or older is None or not newer.commit or not older.commit:
        return None
    return compare(newer.repository or older.repository, older.commit, newer.commit)


def _published(view: View, number: int, moment: Moment, record: Record, index: Index) -> ArtifactPublished | None:
    """How an artifact of the slot was last published, as far as its commit is told."""
    found = view.slot.artifacts[number]
    marks = artifact.about(view.artifacts, found.version, found.digest)
    positions = [each.position for each in marks if each.kind == "published"][-PUBLICATIONS:]
    for each in reversed(telling.told(positions, moment, record, index)):
        if each.counts and isinstance(each.fact.event, ArtifactPublished) and each.fact.event.commit:
            return each.fact.event
    return None


_REPOSITORY = re.compile(
    r"(?:git\+)?(?:(?:https?|ssh|git)://(?:[^@/]+@)?|[\w.-]+@)(?P<host>[\w.-]+)(?::\d+(?=/))?[:/](?P<path>[\w./~-]+?)(?:\.git)?/?"
)
_COMMIT = re.compile(r"[\w./-]{1,100}")


def compare(repository: str | None, older: str, newer: str) -> str | None:
    """
    The page that shows what changed between two commits, on hosts in the manner of
    GitHub (also Gitea and Forgejo), GitLab and Bitbucket; None for any other.
    """
    found = _REPOSITORY.fullmatch(repository or "")
    if found is None or not (_COMMIT.fullmatch(older) and _COMMIT.fullmatch(newer)):
        return None
    host, base = found["host"].lower(), f"https://{found['host']}/{found['path'].strip('/')}"
    if "gitlab" in host:
        return f"{base}/-/compare/{older}...{newer}"
    if "bitbucket" in host:
        return f"{base}/branches/compare/{newer}..{older}"
    if any(name in host for name in ("github", "gitea", "forgejo", "codeberg")):
        return f"{base}/compare/{older}...{newer}"
    return None
