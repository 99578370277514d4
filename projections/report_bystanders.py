"""
People whom the ledger knows, and whom the events of an incident need not name.

Who was on call while its story lasted, however long before the shift began;
who owns a slot that it affected. Colleagues write of them.
"""

from collections.abc import Iterator

from ledger.values import stream_name
from projections import environment, oncall
from projections.report_scene import Scene


def bystanders(scene: Scene) -> Iterator[tuple[str, str]]:
    """Names, ids and ways to reach somebody, each with a role."""
    for each in _on_call(scene):
        yield each.person, "on-call person"
        if each.contact:
            yield each.contact, "contact"
    for owner in _owners(scene):
        if "@" in owner or scene.name_of(owner):
            yield owner, "owner"


def _on_call(scene: Scene) -> Iterator[oncall.Entry]:
    """Every shift that reaches into the story, of the rotas that cover an affected service."""
    if scene.story.scope is None:
        return
    since, until = scene.story.scope
    services = {service for service, _ in scene.story.slots}
    streams = {each for service in services for each in oncall.streams(scene.reader.tables.db, service)}
    for stream in sorted(streams):
        rota: oncall.State = scene.reader.state(stream)
        if any(rota.covers(service) for service in services):
            yield from (each for each in rota.entries if each.start <= until and each.end >= since)


def _owners(scene: Scene) -> Iterator[str]:
    """Who owns the affected slots: most often a team, which is nobody."""
    for service, place in scene.story.slots:
        state: environment.State = scene.reader.state(stream_name("environment", place))
        owner = state.settings.of(service, "owner")
        if owner is not None:
            yield owner
