"""
Event to stored bytes, and back.

A leaf is the canonical JSON of the whole row. It is made once, when the event
is appended; those bytes are stored and hashed for ever, and nothing is
serialised twice. Protected members (free text, names of people, foreign
payloads) are in the leaf only as salted commitments; the words themselves are
disclosures beside it, and can be deleted without touching the leaf.

`docs/leaf-format.md` writes the format down byte by byte.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import orjson
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.canonical import canonical
from ledger.contract import Items, Nested, data_of, members
from ledger.disclosures import REDACTED, disclose, protect
from ledger.errors import Damaged, Fault, Invalid, TooLarge
from ledger.events import EVENTS, Event, Recorded, Submitter
from ledger.values import Unfit, instant

FORMAT = 1
LARGEST_LEAF = 65_535
"""Bytes; the log's entry bundles give each leaf's length in a uint16."""

_Read = TypeVar("_Read")

SCHEMA_VERSIONS: dict[str, int] = {}
"""The current schema version of each event type that has had more than one."""

UPCASTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From the data of a type at one schema version to the next; applied when read, never stored."""


@dataclass(frozen=True, slots=True)
class Draft:
    """
    What a caller asks to record: an event before it was decided.

    `content` is the canonical JSON of the members as sent, before any
    default: two drafts with one key are the same if these bytes are.
    """

    event: Event
    id: str | None = None
    source: str | None = None
    time: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    extensions: Mapping[str, str | int | bool] = field(default_factory=dict)
    content: bytes = b""


Key = tuple[str, str]
"""Source and id: what an event is known by to its sender."""


class Prepared(NamedTuple):
    """
    A draft as bytes, but for what is known only under the lock: position, revision, recordedtime.

    A tuple, as is `Placed`: it is made in a quarter of a frozen dataclass's time, once for each event.
    """

    draft: Draft
    occurred_at: datetime | None
    stream: str
    source: str
    id: str
    before: bytes
    between: bytes
    after: bytes
    disclosures: tuple[tuple[str, str], ...]
    fingerprint: bytes

    @property
    def event(self) -> Event:
        return self.draft.event

    @property
    def key(self) -> Key:
        return self.source, self.id

    @property
    def time(self) -> str | None:
        return self.draft.time

    def leaf(self, position: int, revision: int, recordedtime: str) -> bytes:
        time = canonical(self.time or recordedtime)
        late = b',"position":%d,"recordedtime":"%s","revision":%d,' % (position, recordedtime.encode(), revision)
        return b"".join((self.before, late, self.between, b',"time":', time, self.after))


class Placed(NamedTuple):
    """A prepared event and its place in the record: what the event store is handed."""

    prepared: Prepared
    position: int
    originator_version: int
    recordedtime: str

    @property
    def originator_id(self) -> str:
        return self.prepared.stream


@dataclass(frozen=True, slots=True)
class Row(StoredEvent):
    """A stored event with all that is kept of it: `state` is the leaf."""

    position: int
    source: str
    id: str
    disclosures: tuple[tuple[str, str], ...] = ()
    fingerprint: bytes | None = None


def prepare(draft: Draft, submitter: Submitter, *, source: str, event_id: str, fingerprint: bytes) -> Prepared:
    """
    Everything about the leaf that needs no lock.

    Raises:
        Invalid: if the draft's time is no moment.
        TooLarge: if the leaf would have more than 65,535 bytes.
    """
    event = draft.event
    try:
        occurred_at = None if draft.time is None else instant(draft.time)
    except Unfit as unfit:
        raise Invalid([Fault("/time", unfit.detail)]) from None
    data, disclosures = protect(type(event), data_of(event))
    early: dict[str, Any] = {"data": data, "dataschema": dataschema(event.TOPIC), "format": FORMAT, "id": event_id}
    if draft.causation_id is not None:
        early["causation"] = draft.causation_id
    if draft.correlation_id is not None:
        early["correlation"] = draft.correlation_id
    if draft.extensions:
        early["extensions"] = dict(draft.extensions)
    stream = event.stream
    between = b'"source":%s,"stream":%s,"submitter":%s' % (
        canonical(source),
        canonical(stream),
        _submitter_bytes(submitter),
    )
    before = canonical(early)[:-1]
    # 160 bytes are more than position, revision, both times and the type's frame can take.
    if len(before) + len(between) + len(event.TOPIC) + 160 > LARGEST_LEAF:
        raise TooLarge([Fault("/data", f"makes a record of more than {LARGEST_LEAF} bytes; shorten names and labels")])
    return Prepared(
        draft=draft,
        occurred_at=occurred_at,
        stream=stream,
        source=source,
        id=event_id,
        before=before,
        between=between,
        after=b',"type":"%s"}' % event.TOPIC.encode(),
        disclosures=disclosures,
        fingerprint=fingerprint,
    )


def said(draft: Draft) -> bytes:
    """What stands for the content of a draft that did not come from a sender: all that it says."""
    event = draft.event
    return canonical(
        {"data": data_of(event), "extensions": dict(draft.extensions), "time": draft.time, "type": event.TOPIC}
    )


def dataschema(topic: str) -> str:
    return f"urn:lastgood:event:{topic}:{SCHEMA_VERSIONS.get(topic, 1)}"


def _submitter_bytes(submitter: Submitter) -> bytes:
    if not submitter.claims:
        return _plain_submitter_bytes(submitter.id, submitter.kind, submitter.method)
    known = {"id": submitter.id, "kind": submitter.kind, "method": submitter.method}
    return canonical({**known, "claims": dict(submitter.claims)})


@lru_cache(maxsize=4096)
def _plain_submitter_bytes(subject: str, kind: str, method: str) -> bytes:
    return canonical({"id": subject, "kind": kind, "method": method})


def open_data(row: Row, leaf: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The data of a leaf with its disclosures put back, and the paths of those that were redacted."""
    cls = EVENTS.get(row.topic)
    if cls is None:
        raise Damaged(f"position {row.position} holds a {row.topic}, which this release does not know: use a newer one")
    if not any(type(value) is dict or type(value) is list for value in leaf["data"].values()):
        return leaf["data"], ()
    redacted: list[str] = []
    return disclose(cls, leaf["data"], "", dict(row.disclosures), redacted), tuple(redacted)


def recorded(row: Row) -> Recorded:
    """
    The event of a stored row, upcast to the current schema.

    Raises:
        Damaged: if the leaf is broken, or of a format, type or schema that this release cannot read.
    """
    return _read(row, _recorded)


def _read(row: Row, reader: Callable[[Row, dict[str, Any]], _Read]) -> _Read:
    try:
        return reader(row, orjson.loads(row.state))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"what is stored at position {row.position} cannot be read: run lastgood verify") from error


def _recorded(row: Row, leaf: dict[str, Any]) -> Recorded:
    if leaf["format"] != FORMAT:
        raise Damaged(f"position {row.position} has leaf format {leaf['format']}, this release reads {FORMAT}")
    data, redacted = open_data(row, leaf)
    submitter = leaf["submitter"]
    return Recorded(
        position=row.position,
        stream=row.originator_id if isinstance(row.originator_id, str) else str(row.originator_id),
        revision=row.originator_version,
        source=row.source,
        id=row.id,
        time=leaf["time"],
        occurred_at=instant(leaf["time"]),
        recorded_at=_recorded_at(leaf["recordedtime"]),
        submitter=_submitter(submitter["id"], submitter["method"], submitter["kind"], submitter.get("claims")),
        event=event_of(row.topic, leaf["dataschema"], data),
        correlation_id=leaf.get("correlation"),
        causation_id=leaf.get("causation"),
        redacted=redacted,
    )


@lru_cache(maxsize=4096)
def _recorded_at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _submitter(subject: str, method: str, kind: str, claims: dict[str, str] | None) -> Submitter:
    return Submitter(subject, method, kind, claims) if claims else _plain_submitter(subject, method, kind)


@lru_cache(maxsize=4096)
def _plain_submitter(subject: str, method: str, kind: str) -> Submitter:
    return Submitter(subject, method, kind)


def event_of(topic: str, schema: str, data: dict[str, Any]) -> Event:
    """
    The event that stored data describes; older data is brought up to the current schema first.

    Raises:
        Damaged: if the data is of a later schema than this release knows.
    """
    version, current = int(schema.rpartition(":")[2]), SCHEMA_VERSIONS.get(topic, 1)
    if version > current:
        raise Damaged(f"a {topic} has schema version {version}, this release knows {current}: use a newer one")
    while version < current:
        data, version = UPCASTS[topic, version](data), version + 1
    event: Event = _build(EVENTS[topic], data)
    return event


def _build(cls: type[Any], data: Mapping[str, Any]) -> Any:
    known = members(cls)
    kept: dict[str, Any] = {}
    for name, value in data.items():
        member = known[name]
        if type(value) is list and isinstance(member.rule, Items):
            inner = member.rule.rule
            value = tuple(_build(inner.cls, each) if isinstance(inner, Nested) else each for each in value)  # noqa: PLW2901
        kept[member.name] = value
    return cls(**kept)


def amend(recorded: Recorded, changes: Mapping[str, Any]) -> Recorded:
    """
    The event as corrections have it: some members by wire name, or its `time`.

    A correction whose value was redacted says nothing, except of a protected
    member: of that it says that there is something not to be read.
    """
    known = members(type(recorded.event))
    said = {
        name: value for name, value in changes.items() if value != REDACTED or (name in known and known[name].protected)
    }
    time = said.pop("time", None) or recorded.time
    emptied = {name for name, value in said.items() if value is None and not known[name].nullable}
    kept = {name: value for name, value in data_of(recorded.event).items() if name not in emptied}
    event: Event = _build(type(recorded.event), kept)
    fitting = {}
    for name in said.keys() - emptied:
        with suppress(Unfit):
            fitting[known[name].name] = known[name].rule.accept(said[name])
    return replace(recorded, event=replace(event, **fitting), time=time, occurred_at=instant(time))


def cloud_event(row: Row) -> dict[str, Any]:
    """
    The row as the CloudEvent that readers get, in the schema it was recorded in.

    Raises:
        Damaged: if the leaf is broken, or of a type that this release does not know.
    """
    return _read(row, _cloud_event)


def _cloud_event(row: Row, leaf: dict[str, Any]) -> dict[str, Any]:
    data, _ = open_data(row, leaf)
    submitter = leaf["submitter"]
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": row.id,
        "source": row.source,
        "type": row.topic,
        "time": leaf["time"],
        "dataschema": leaf["dataschema"],
        **leaf.get("extensions", {}),
        "recordedtime": leaf["recordedtime"],
        "sequence": row.position,
        "stream": row.originator_id,
        "revision": row.originator_version,
        "authtype": "user" if submitter["kind"] == "human" else "service_account",
        "authid": submitter["id"],
        "authmethod": submitter["method"],
    }
    if submitter.get("claims"):
        event["authclaims"] = orjson.dumps(submitter["claims"], option=orjson.OPT_SORT_KEYS).decode()
    for name in ("correlation", "causation"):
        if name in leaf:
            event[name + "id"] = leaf[name]
    event["data"] = data
    return event


class LeafMapper(Mapper[str]):
    """The library's mapper, ours: permanent type names instead of Python paths, leaves instead of pickled state."""

    def to_stored_event(self, domain_event: Any) -> Row:
        placed: Placed = domain_event
        prepared = placed.prepared
        return Row(
            originator_id=prepared.stream,
            originator_version=placed.originator_version,
            topic=prepared.event.TOPIC,
            state=prepared.leaf(placed.position, placed.originator_version, placed.recordedtime),
            position=placed.position,
            source=prepared.source,
            id=prepared.id,
            disclosures=prepared.disclosures,
            fingerprint=prepared.fingerprint,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        if not isinstance(stored_event, Row):
            raise Damaged(f"{stored_event.originator_id} was read without its place in the record")
        return recorded(stored_event)
