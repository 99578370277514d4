"""
What to beware of in going back to a version: warnings, which never change the order of candidates.
"""

from collections.abc import Iterator

from projections import artifact as artifacts
from projections import environment as environments
from projections.facts import HOUR, MINUTE
from projections.view import Reason, View

CHECK_HOLDS = 24 * HOUR

LONG_AGO = 30 * 24 * HOUR


def warnings(view: View, artifact: int, basis: str | None, availability: artifacts.Availability) -> Iterator[Reason]:
    """What to beware of in going back to it; none of these changes the order."""
    found, last = view.slot.artifacts[artifact], view.lived(artifact)[-1]
    until = view.at if last.end is None else last.end
    for migration in view.slot.migrations:
        # One migrates for the next version first, and then releases it: that is within this one's last live period.
        for_another = migration.at > last.start and migration.version != found.version
        if migration.reversibility == "irreversible" and (migration.at > until or for_another):
            detail = f"{migration.migration_id} was applied since, and can't be reversed"
            yield Reason("irreversible_migration", detail, migration.position)
    if availability.checked is None or view.at - availability.checked.at > CHECK_HOLDS:
        position = availability.checked.position if availability.checked else None
        yield Reason("artifact_not_checked", "nobody checked for 24 hours that the artifact can be had", position)
    yield from approval_warnings(view, found.version, found.digest)
    if basis is None:
        detail = f"live here for {span(view.live_time(artifact))}, less than the soak of {span(view.soak)}"
        yield Reason("too_little_soak", detail, last.position)
    if view.at - until > LONG_AGO:
        yield Reason("last_live_over_30_days_ago", f"last live {span(view.at - until)} ago", last.end_position)
    if (freeze := environments.freeze(view.environment, view.slot.service, view.at)) is not None:
        yield Reason("environment_frozen", f"{view.slot.environment} is frozen", freeze.position)
    if view.promoted is not None and not view.promoted(found.version, found.digest):
        origin = view.environment.settings.of(view.slot.service, "promotes_from")
        yield Reason("never_live_in_promotes_from", f"never live in {origin}, which this environment is promoted from")


def approval_warnings(view: View, version: str, digest: str | None) -> Iterator[Reason]:
    """Whether the approval that stands is for this artifact; missing where the environment asks for one."""
    standing: dict[str | None, int] = {}
    for each in view.slot.approvals:
        if each.version == version and each.granted:
            standing[each.digest] = each.position
        elif each.version == version and each.digest is None:
            standing.clear()
        elif each.version == version:
            standing.pop(each.digest, None)
    if standing and digest is not None and None not in standing and digest not in standing:
        yield Reason("approval_for_other_digest", "its approval is for another digest", max(standing.values()))
    elif not standing and view.environment.settings.of(view.slot.service, "approval_required"):
        yield Reason("approval_missing", "nobody approved it, and this environment asks for approval")


def span(microseconds: int) -> str:
    """A length of time as people say it."""
    minutes = microseconds // MINUTE
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
