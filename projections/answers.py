"""
The answers: what readers ask, put together from the folds at one moment.

"Now" comes from the kept tables, any other moment from the same folds over
the record. Each answer is of one position.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.events import ArtifactPublished, Record, Recorded
from ledger.values import rfc3339, stream_name
from projections import (
    artifact,
    current_version,
    decisions,
    gate,
    history,
    last_known_good,
    oncall,
    plan,
    search,
    situation,
)
from projections.facts import Fact, Index, Moment
from projections.folds import Folded, empty, facts, fold, names_of, no_audit
from projections.foresight import Foreseen, ForeseenIndex
from projections.runner import Runner
from projections.tables import Tables
from projections.view import View

if TYPE_CHECKING:
    from projections.slot import State as SlotState

Slot = tuple[str, str]


class Answers:
    """Keeps the read models of a record in a folder, and answers from them. Safe to use from any thread."""

    def __init__(self, record: Record, folder: Path) -> None:
        self.record = record
        self.tables = Tables(folder)
        self.runner = Runner(record, self.tables)

    def start(self) -> None:
        self.runner.start()

    def stop(self) -> None:
        self.runner.stop()
        self.tables.close()

    def wake(self) -> None:
        self.runner.wake()

    @property
    def reached(self) -> int:
        """The position of the last event that the answers know."""
        return self.runner.reached

    def wait(self, position: int, timeout_s: float) -> bool:
        """Waits until a position is known; False if it is not by then."""
        return self.runner.wait(position, timeout_s)

    @contextmanager
    def at(self, moment: Moment) -> "Iterator[Reader]":
        """Reads everything at one moment, and all of it from one position."""
        with self.tables.snapshot() as position:
            yield Reader(self.record, self.tables, replace(moment, known_at=position) if moment.now else moment)

    @contextmanager
    def foreseen(self, moment: Moment, pending: Sequence[Recorded]) -> "Iterator[Reader]":
        """Reads at a moment as though some events, decided and not yet stored, were recorded."""
        with self.tables.snapshot():
            if not pending:
                yield Reader(self.record, self.tables, moment)
                return
            record = Foreseen(self.record, pending)
            yield Reader(record, self.tables, moment, ForeseenIndex(self.tables, record, pending))

    def event_positions(self, filters: Mapping[str, Any], after: int, until: int, limit: int) -> list[int]:
        """Positions of the events that match filters (see `projections.search`)."""
        return search.positions(self.tables.db, filters, after, until, limit)


class Reader:
    """Answers at one moment. Lives as long as the snapshot it was made in."""

    def __init__(self, record: Record, tables: Tables, moment: Moment, index: Index | None = None) -> None:
        self.record, self.tables, self.moment = record, tables, moment
        self.index = index or tables
        self._folds: dict[str, Folded] = {}

    # Folds

    def state(self, stream: str) -> Any:
        """The state of a stream, not to be changed; an empty one where nothing is known of it."""
        if self.moment.now:
            found = self.tables.state(stream)
            return empty(stream) if found is None else found
        return self.folded_once(stream).state

    def audit(self, stream: str) -> Any:
        """What is kept beside a state for findings, likewise."""
        if self.moment.now:
            found = self.tables.audit(stream)
            return no_audit(stream) if found is None else found
        return self.folded_once(stream).audit

    def folded_once(self, stream: str) -> Folded:
        """A stream folded at the moment of the reader, with its history; not to be changed."""
        if stream not in self._folds:
            self._folds[stream] = self.folded(stream, self.moment)
        return self._folds[stream]

    def folded(self, stream: str, moment: Moment) -> Folded:
        return fold(stream, moment, self.record, self.index)

    def view(self, service: str, place: str) -> View:
        """Everything that the answer for a slot depends on."""
        stream = stream_name("slot", service, place)
        slot: SlotState = self.state(stream)
        settings = self.state(stream_name("environment", place))
        named = {stream_name("incident", each.incident) for each in slot.rollbacks.values() if each.incident}
        return View(
            slot=slot,
            artifacts=self.state(stream_name("service", service)),
            environment=settings,
            incidents=[self.state(each) for each in sorted({*self.index.incidents_of(stream), *named})],
            at=self.moment.at,
            promoted=self._promoted(service, settings.settings.of(service, "promotes_from")),
        )

    def _promoted(self, service: str, origin: str | None) -> Callable[[str, str | None], bool] | None:
        if origin is None:
            return None
        before: SlotState = self.state(stream_name("slot", service, origin))
        return lambda version, digest: any(
            each.version == version
            and each.first_live is not None
            and (digest is None or each.digest in (None, digest))
            for each in before.artifacts
        )

    # Answers

    def frame(self) -> dict[str, Any]:
        """What every answer says of itself."""
        return {"as_of": rfc3339(self.moment.as_of), "known_at": self.moment.known_at}

    def knows(self, service: str, place: str) -> bool:
        """Whether anything is known of a slot."""
        state: SlotState = self.state(stream_name("slot", service, place))
        return state.born

    def slot(self, service: str, place: str) -> dict[str, Any] | None:
        """The reply for one slot; None where nothing was known of it."""
        view = self.view(service, place)
        return self._slot(view) if view.slot.born else None

    def _slot(self, view: View) -> dict[str, Any]:
        state = view.slot
        good, target = last_known_good.last_known_good(view), last_known_good.target(view)
        reached = last_known_good.reached(view)
        active = [each for each in view.incidents if each.active and view.key in each.affected]
        return {
            "service": state.service,
            "environment": state.environment,
            **self.frame(),
            **current_version.answer(state),
            "last_known_good": None if good is None else last_known_good.known_good_json(view, good),
            "rollback_target": None if target is None else last_known_good.target_json(view, target),
            "target_reached": None if reached is None else last_known_good.reached_json(view, reached),
            "active_incidents": [
                {"id": each.id, "severity": each.severity, "drill": each.mode == "drill"} for each in active
            ],
        }

    def slots(
        self, filters: Mapping[str, str], after: Slot | None, limit: int
    ) -> tuple[list[dict[str, Any]], Slot | None]:
        """The replies for slots by name, and the last name looked at where there may be more."""
        names = self.tables.slots(filters, after, limit)
        found = [self.slot(*name) for name in names]
        return [each for each in found if each is not None], names[-1] if len(names) == limit else None

    def candidates(self, service: str, place: str) -> dict[str, Any]:
        view = self.view(service, place)
        items = [last_known_good.candidate_json(view, each) for each in last_known_good.ranked(view)]
        return {"service": service, "environment": place, **self.frame(), "items": items, "count": len(items)}

    def sight(self, service: str, place: str) -> tuple[str | None, list[dict[str, Any]]]:
        """The current version, and the ranked candidates to return to."""
        view = self.view(service, place)
        current = view.slot.current
        version = view.slot.artifacts[current.artifact].version if current else None
        return version, [last_known_good.candidate_json(view, each) for each in last_known_good.ranked(view)]

    def history(self, service: str, place: str, after: int | None, limit: int) -> list[dict[str, Any]]:
        """A slot's history, newest first, those before the one at position *after*."""
        stream = stream_name("slot", service, place)
        if self.moment.now:
            state, changes = self.state(stream), history.read(self.tables.db, stream, after, limit)
        else:
            folded = self.folded(stream, self.moment)
            state, changes = folded.state, history.page(folded.changes, after, limit)
        return [history.item(each, state.void) for each in changes]

    def plan(self, place: str, to: Moment, services: Sequence[str]) -> dict[str, Any]:
        """What returning an environment, or some services of it, to a moment would change."""
        names = self.tables.slots({"environment": place}, None, -1)
        chosen = [name for name in names if not services or name[0] in services]
        views = {name: view for name in chosen if (view := self.view(*name)).slot.born}
        pairs = ((view, self.folded(stream_name("slot", *name), to).state) for name, view in views.items())
        found = plan.plan(pairs)
        known = {name[0] for name in views}
        return {
            "environment": place,
            "to": rfc3339(to.as_of),
            **self.frame(),
            **plan.answer(found, place),
            "not_here": [each for each in services if each not in known],
        }

    def decisions(self, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rollbacks that match filters (state, service, environment, incident, plan), the newest first."""
        found = []
        for stream in decisions.slots(self.tables.db, filters.get("plan")):
            service, place = names_of(stream)
            if filters.get("service", service) == service and filters.get("environment", place) == place:
                view = self.view(service, place)
                found += [decisions.answer(view, each) for each in decisions.all_of(view)]
        told = ("state", "incident", "plan")
        chosen = [each for each in found if all(each[name] == filters[name] for name in told if name in filters)]
        return sorted(chosen, key=lambda each: each["position"] or 0, reverse=True)

    def gate(self, service: str, place: str, version: str, digest: str | None) -> dict[str, Any]:
        """Whether a release may go out now, and why not."""
        return {**self.frame(), **gate.answer(self.view(service, place), version, digest)}

    def situation(self, service: str, place: str) -> dict[str, Any] | None:
        """What a responder must know of a slot in the first minute; None where nothing was known of it."""
        view = self.view(service, place)
        if not situation.anything_known(view, self):
            return None
        changes = self.history(service, place, None, situation.LOOKED_BACK)
        return {**self._slot(view), **situation.answer(view, changes, self)}

    def ambiguous(self, service: str, place: str) -> set[str]:
        """The versions that several artifacts of a slot go by."""
        state: SlotState = self.state(stream_name("slot", service, place))
        versions = [each.version for each in state.artifacts]
        return {each for each, count in Counter(versions).items() if count > 1}

    def on_call(self, service: str | None, rota: str | None, at: int) -> list[dict[str, Any]]:
        """Who is on call at a moment: in one rota, in those that cover a service, or in all."""
        found = [self.state(each) for each in oncall.streams(self.tables.db, service)]
        chosen: list[oncall.State] = [each for each in found if each.entries and rota in (None, each.rota)]
        if service is not None:
            chosen = oncall.covering(chosen, service)
        return [oncall.answer(each, service, at) for each in chosen]

    def shifts(self, rota: str, start: int, end: int) -> dict[str, Any]:
        """The assignments of a rota that overlap a time, and what was taken back in it."""
        state: oncall.State = self.state(stream_name("rota", rota))
        return {
            "items": [oncall.entry_json(each) for each in oncall.standing(state, start, end)],
            "released": [oncall.entry_json(each) for each in oncall.releases(state, start, end)],
        }

    def artifact(self, digest: str) -> dict[str, Any] | None:
        """Where an artifact came from, where it ran, and what happened there; None where nothing names it."""
        services = search.services(self.tables.db, digest)
        told = [fact for each in services for fact in self._facts(stream_name("service", each))]
        published = [each for each in told if isinstance(each.event, ArtifactPublished) and each.event.digest == digest]
        ran = [period for service in services for period in self._ran(service, digest)]
        named = {(each.event.service, each.event.version) for each in told if artifact.names(each.event, digest)}
        named |= {(each["service"], each["version"]) for each in ran}
        happened = [mark for service, version in sorted(named) for mark in self._marks(service, version, digest)]
        if not (published or ran or happened):
            return None
        origins = [artifact.origin_json(each) for each in published]
        return {**self.frame(), "digest": digest, "published": origins, "happened": happened, "ran": ran}

    def _facts(self, stream: str) -> list[Fact]:
        return facts(stream, self.moment, self.record, self.index)

    def _marks(self, service: str, version: str, digest: str) -> list[dict[str, Any]]:
        state: artifact.State = self.state(stream_name("service", service))
        marks = [each for each in artifact.about(state, version, digest) if each.kind != "published"]
        return [{"service": service, "version": version, **artifact.mark_json(each)} for each in marks]

    def _ran(self, service: str, digest: str) -> list[dict[str, Any]]:
        found = []
        for name in self.tables.slots({"service": service}, None, -1):
            state: SlotState = self.state(stream_name("slot", *name))
            periods = [each for each in state.periods if state.artifacts[each.artifact].digest == digest]
            found += [artifact.period_json(state, each) for each in periods]
        return found
