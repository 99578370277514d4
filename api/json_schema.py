"""
Rules and schemas as JSON Schema 2020-12, the dialect of OpenAPI 3.1.

What is accepted is said exactly, bounds and patterns and all, so that whoever
generates clients or tests from the document meets no surprise.
"""

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, missing

from api.envelope import EXTENSION, NAME, SET_BY_THE_LEDGER
from api.replies import OutcomeSchema, ProblemSchema, ReceiptSchema, RecordedEventSchema
from api.schemas import EnvelopeSchema, EventSchema, ListOf, Ruled, SetByTheLedger, event_schema
from ledger.contract import MAX_ITEMS
from ledger.events import EVENTS, LEDGER
from ledger.values import (
    Choice,
    Digest,
    Due,
    Flag,
    Integer,
    Json,
    Labels,
    Number,
    Prose,
    Sha256,
    Text,
    Time,
)

JsonSchema = dict[str, Any]

OFFERED = tuple(topic for topic, cls in EVENTS.items() if cls.WHO is not LEDGER)
"""The types of event that can be sent."""

_PLAIN = r"[^\x00-\x1f\x7f-\x9f]"
_PROSE = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_SEEN = r"[^\s\x00-\x1f\x7f-\x9f]"
_OFFSET_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_HEX = "[0-9a-fA-F]{64}"


def of_rule(rule: Any) -> JsonSchema:
    """What a rule accepts."""
    match rule:
        case Text(longest):
            return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": f"^{_PLAIN}+$"}
        case Prose(longest):
            return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": f"^{_PROSE}*{_SEEN}{_PROSE}*$"}
        case Choice(words):
            return {"type": "string", "enum": list(words)}
        case Digest():
            return {"type": "string", "pattern": f"^[sS][hH][aA]256:{_HEX}$"}
        case Sha256():
            return {"type": "string", "pattern": f"^{_HEX}$"}
        case Time():
            return {"type": "string", "format": "date-time", "pattern": _OFFSET_TIME}
        case Due():
            return {"anyOf": [{"type": "string", "format": "date"}, of_rule(Time())]}
        case Integer(least, most):
            return {"type": "integer", "minimum": least, "maximum": most}
        case Number(least, most):
            return {"type": "number", "minimum": least, "maximum": most}
        case Flag():
            return {"type": "boolean"}
        case Labels(most):
            text = {"type": "string", "maxLength": 4096, "pattern": f"^{_PLAIN}*$"}
            return {
                "type": "object",
                "maxProperties": most,
                "propertyNames": of_rule(Text(200)),
                "additionalProperties": text,
            }
        case Json():
            return {}
    # The rules of the API's own parameters and attributes bring theirs.
    said: JsonSchema = dict(rule.json_schema)
    return said


def nullable(schema: JsonSchema) -> JsonSchema:
    """The same, or null."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else {}


class Converter(OpenAPIConverter):
    """apispec's converter, which knows our fields and the polymorphic schema."""

    def field2property(self, field: fields.Field[Any]) -> JsonSchema:
        if isinstance(field, Ruled):
            said = of_rule(field.rule)
        elif isinstance(field, ListOf):
            said = {"type": "array", "items": self.field2property(field.inner), "maxItems": MAX_ITEMS}
            if field.least:
                said["minItems"] = field.least
        else:
            plain: JsonSchema = super().field2property(field)
            return plain
        if field.allow_none:
            said = nullable(said)
        if field.load_default not in (missing, None):
            said["default"] = field.load_default
        return {**said, **field.metadata}

    def schema2jsonschema(self, schema: Schema) -> JsonSchema:
        if isinstance(schema, EventSchema):
            return self._any_event()
        if isinstance(schema, OutcomeSchema):
            return {"oneOf": [self._reference(each) for each in (ReceiptSchema, ProblemSchema)]}
        known = {name: each for name, each in schema.fields.items() if not isinstance(each, SetByTheLedger)}
        said: JsonSchema = self.fields2jsonschema(known, partial=schema.partial)  # type: ignore[no-untyped-call]
        said["additionalProperties"] = isinstance(schema, RecordedEventSchema)
        if isinstance(schema, EnvelopeSchema):
            said["propertyNames"] = {"pattern": f"^{NAME.pattern}$", "not": {"enum": sorted(SET_BY_THE_LEDGER)}}
            said["additionalProperties"] = nullable(of_rule(EXTENSION))
        if schema.__doc__ and not schema.__doc__.startswith("An object of the catalogue"):
            said["description"] = " ".join(schema.__doc__.split())
        return said

    def _any_event(self) -> JsonSchema:
        refs = {topic: self._reference(event_schema(topic)) for topic in OFFERED}
        mapping = {topic: ref["$ref"] for topic, ref in refs.items()}
        return {"oneOf": list(refs.values()), "discriminator": {"propertyName": "type", "mapping": mapping}}

    def _reference(self, schema: Schema | type[Schema]) -> JsonSchema:
        found: JsonSchema = self.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
        return found


class Plugin(MarshmallowPlugin):
    """Names components by their schema, without the word Schema."""

    Converter = Converter

    def __init__(self) -> None:
        super().__init__(schema_name_resolver=_name)


def _name(schema: Any) -> str:
    cls = schema if isinstance(schema, type) else type(schema)
    return str(cls.__name__).removesuffix("Schema")
