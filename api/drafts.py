"""
Requests to drafts: every form in which events may be sent, and what each is refused for.

One event: `application/json`, `application/cloudevents+json`, or binary mode.
Many: `application/cloudevents-batch+json`, a JSON array, or
`application/x-ndjson`. What every form says is judged by the same rules; the
fast check takes what is right, and the schemas judge and word the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_options_header

from api import binary_mode, schemas
from api.envelope import ATTRIBUTES, assembled, dataschemas, extension, upcast
from api.strict_json import MOST_FAULTS, Given, Malformed, document, lines, text
from ledger.codec import Draft
from ledger.contract import accept, event_class, pointer
from ledger.errors import Fault, Invalid, TooLarge
from ledger.values import Unfit

JSON, EVENT, BATCH, NDJSON = MEDIA_TYPES = (
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
)
OURS, CALENDARS = "urn:lastgood:", "urn:lastgood:calendar:"
"""Sources of what the ledger records by itself, and of what `lastgood import oncall` sends."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a request: its draft, or why it is refused. `line` as in `Given`."""

    draft: Draft | None
    line: int | None = None
    error: Invalid | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The events of a request, in order; `single`: it was one event, not a list of one."""

    entries: Sequence[Entry]
    single: bool

    def drafts(self) -> list[Draft]:
        """
        All of them.

        Raises:
            Malformed, TooLarge, Invalid: with the faults of all that are refused.
        """
        if refused := [each.error for each in self.entries if each.error is not None]:
            raise _together(refused)
        return [each.draft for each in self.entries if each.draft is not None]


def read(headers: Headers, body: Callable[[], bytes]) -> Sent:
    """
    The events of a request.

    Raises:
        UnsupportedMediaType: for a Content-Type that is none of ours.
        Malformed, Invalid, TooLarge: where the body as a whole cannot be taken.
    """
    content_type, options = parse_options_header(headers.get("Content-Type", "").lower())
    _check_charset(options.get("charset", "utf-8"))
    if content_type == NDJSON:
        return Sent(_entries(lines(text(body()))), single=False)
    if content_type in (EVENT, BATCH):
        return _structured(document(text(body())), many=content_type == BATCH)
    given = binary_mode.attributes(headers)
    if given and (content_type == JSON or content_type.endswith("+json")):
        return Sent(_entries([binary_mode.event(given, headers["Content-Type"], body())]), single=True)
    if content_type == JSON:
        return _structured(document(text(body())), many=None)
    raise UnsupportedMediaType(f"send events as {', '.join(MEDIA_TYPES)}, or as JSON with the event's ce- headers")


def _check_charset(charset: str) -> None:
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType("JSON is sent as UTF-8: leave the charset out")


def _structured(found: Given | list[Given], *, many: bool | None) -> Sent:
    """Of a JSON document; *many* says what it must be, None that both will do."""
    is_many = isinstance(found, list)
    if many is not None and many != is_many:
        raise Invalid([Fault("", "must be an array of events" if many else "must be one event, an object")])
    return Sent(_entries(found), single=False) if isinstance(found, list) else Sent(_entries([found]), single=True)


def _entries(found: Sequence[Given]) -> list[Entry]:
    if len(found) == 1:
        return [_entry(found[0], schemas.load)]
    entries: list[Entry] = []
    refused = 0
    for each in found:
        # Wording a fault costs ten times what finding one does: a hopeless batch is not worded to its end.
        entries.append(_entry(each, draft if refused < MOST_FAULTS else quick))
        refused += len(error.errors) if (error := entries[-1].error) is not None else 0
    return entries


def _entry(given: Given, judge: Callable[[Any], Draft]) -> Entry:
    if given.error is not None:
        return Entry(None, given.line, given.error)
    try:
        return Entry(_from_outside(judge(given.value)), given.line)
    except Invalid as error:
        if given.line is not None:
            error.errors = [replace(each, line=given.line) for each in error.errors]
        return Entry(None, given.line, error)


def _from_outside(draft: Draft) -> Draft:
    """Raises `Invalid` where a draft takes a source, and with it the keys, of what the ledger records by itself."""
    if draft.source is not None and draft.source.startswith(OURS) and not draft.source.startswith(CALENDARS):
        raise Invalid([Fault("/source", f"begins with {OURS}, which is the ledger's own: name yours, or leave it out")])
    return draft


def draft(event: Any) -> Draft:
    """
    The draft that a JSON value describes: checked fast, and by the schemas if that finds a fault.

    Raises:
        Invalid, TooLarge: as `schemas.load` does.
    """
    try:
        return quick(event)
    except Invalid:
        return schemas.load(event)


def quick(event: Any) -> Draft:
    """As `schemas.load`, in a tenth of the time; it stops at the first faulty attribute."""
    if type(event) is not dict:
        raise Invalid([Fault("", "must be an object")])
    cls = event_class(event.get("type"))
    attributes, extensions = {}, {}
    for name, value in event.items():
        if name in ("type", "data"):
            continue
        try:
            if (rule := ATTRIBUTES.get(name)) is None:
                if (kept := extension(name, value)) is not None:
                    extensions[name] = kept
            elif value is not None:
                attributes[name] = rule.accept(value)
        except Unfit as unfit:
            raise Invalid([Fault(pointer(name), unfit.detail)]) from None
    data, schema = event.get("data"), attributes.get("dataschema")
    if schema is not None:
        if schema not in dataschemas(cls.TOPIC):
            raise Invalid([Fault("/dataschema", f"is not a schema of {cls.TOPIC}")])
        data = upcast(cls.TOPIC, schema, data)
    return assembled(event, accept(cls, data), attributes, extensions)


def _together(refused: Iterable[Invalid]) -> Invalid:
    """Many refusals as one: of those that are no JSON alone where there are any, else of all."""
    known = list(refused)
    broken = [each for each in known if isinstance(each, Malformed)]
    kind: type[Invalid] = Malformed if broken else Invalid
    if all(isinstance(each, TooLarge) for each in known):
        kind = TooLarge
    return kind([fault for each in broken or known for fault in each.errors][:MOST_FAULTS])
