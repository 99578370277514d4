"""
The envelope of an event: the CloudEvents 1.0 attributes around its data, and the rule of each.

What an event is taken for is put together here, in one place for every form
in which it can arrive.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.canonical import canonical
from ledger.codec import SCHEMA_VERSIONS, UPCASTS, Draft
from ledger.events import Event
from ledger.values import Choice, Rule, Text, Time, Unfit

SPECVERSION = "1.0"
SET_BY_THE_LEDGER = frozenset("recordedtime sequence stream revision authtype authid authmethod authclaims".split())
"""Attributes that a sender can't give: only the ledger knows them."""

NAME = re.compile(r"[a-z0-9]{1,20}")
_JSON_TYPE = re.compile(r"application/json|[a-z0-9!#$&^_.-]+/[a-z0-9!#$&^_.-]+\+json", re.IGNORECASE)
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class JsonType:
    """A media type of JSON, with or without parameters."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "maxLength": 256,
        "pattern": r"^([aA][pP][pP][lL][iI][cC][aA][tT][iI][oO][nN]/[jJ][sS][oO][nN]|"
        r"[a-zA-Z0-9!#$&^_.-]+/[a-zA-Z0-9!#$&^_.-]+\+[jJ][sS][oO][nN]) *(;[^\x00-\x1f\x7f-\x9f]*)?$",
    }

    def accept(self, value: Any) -> str:
        kept = Text().accept(value)
        if not _JSON_TYPE.fullmatch(kept.partition(";")[0].rstrip(" ")):
            raise Unfit("must be application/json or end in +json, since data is a JSON object")
        return kept


@dataclass(frozen=True, slots=True)
class Extension:
    """What a CloudEvents extension can be: a string, a whole number of 32 bits, true or false."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "anyOf": [
            {"type": "string", "maxLength": 4096, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"},
            {"type": "integer", "minimum": -_INT32, "maximum": _INT32 - 1},
            {"type": "boolean"},
        ]
    }

    def accept(self, value: Any) -> str | int | bool:
        if type(value) is bool:
            return value
        if type(value) is float and value.is_integer():
            # 7.0 is a whole number, in JSON as in JSON Schema.
            value = int(value)
        if type(value) is int and -_INT32 <= value < _INT32:
            return value
        if type(value) is not str:
            raise Unfit("must be a string, a whole number of 32 bits, true or false")
        return Text(4096).accept(value) if value else value


ATTRIBUTES: Mapping[str, Rule] = {
    "specversion": Choice((SPECVERSION,)),
    "id": Text(1024),
    "source": Text(2048),
    "time": Time(),
    "subject": Text(2048),
    "datacontenttype": JsonType(),
    "dataschema": Text(512),
    "correlationid": Text(256),
    "causationid": Text(256),
}
"""The attributes with a meaning here, beside `type`."""

EXTENSION = Extension()
_KEPT_AS_GIVEN = ("subject", "datacontenttype")


def extension(name: str, value: Any) -> str | int | bool | None:
    """The value of an extension attribute, None where it is unset. Raises `Unfit`, also for what cannot be its name."""
    if name in SET_BY_THE_LEDGER:
        raise Unfit("is set by the ledger itself; leave it out")
    if name == "data_base64":
        raise Unfit("is not taken: send the JSON object itself as data")
    if not NAME.fullmatch(name):
        raise Unfit("is not the name of a CloudEvents attribute: lower-case letters and digits, at most 20")
    return None if value is None else EXTENSION.accept(value)


def dataschemas(topic: str) -> tuple[str, ...]:
    """The names of all schema versions of an event type, oldest first."""
    return tuple(f"urn:lastgood:event:{topic}:{version}" for version in range(1, SCHEMA_VERSIONS.get(topic, 1) + 1))


def upcast(topic: str, schema: Any, data: Any) -> Any:
    """Data that was written for an older schema, as the current one has it; anything else as it is."""
    known = dataschemas(topic)
    if schema in known and type(data) is dict:
        for version in range(known.index(schema) + 1, len(known)):
            data = UPCASTS[topic, version](data)
    return data


def assembled(
    given: Mapping[str, Any], event: Event, attributes: Mapping[str, Any], extensions: Mapping[str, str | int | bool]
) -> Draft:
    """
    The draft of an event whose attributes and data were accepted.

    Its `content` leaves out what says nothing: specversion, nulls, a default
    datacontenttype. Attributes are in it as strings, since headers know no
    other: so the same event has the same content in structured and in binary
    mode.
    """
    said = {name: each if type(each) is str else _as_text(each) for name, each in {**attributes, **extensions}.items()}
    said.pop("specversion", None)
    if is_plain_json(said.get("datacontenttype", "")):
        del said["datacontenttype"]
    as_given = {name: attributes[name] for name in _KEPT_AS_GIVEN if name in attributes}
    return Draft(
        event,
        id=attributes.get("id"),
        source=attributes.get("source"),
        time=attributes.get("time"),
        correlation_id=attributes.get("correlationid"),
        causation_id=attributes.get("causationid"),
        extensions={**as_given, **extensions},
        content=canonical({**said, "type": event.TOPIC, "data": given["data"]}),
    )


def is_plain_json(media_type: str) -> bool:
    """Whether a media type says no more than that data is JSON, which it always is here."""
    return media_type.partition(";")[0].rstrip(" ").lower() == "application/json"


def _as_text(value: int | bool) -> str:
    """A value as CloudEvents writes it in a header (version 1.0.2, section "Type System")."""
    return str(value).lower()
