"""
The marshmallow schemas of what can be sent: one for each event type, and the polymorphic one over all.

They are built from `ledger.contract.members`, so a member's form is written
once, in `ledger.events`. They word the faults of what is refused, and the
OpenAPI document is made from them; for bulk, `ledger.contract.accept` checks
the same members faster.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, post_load, validates_schema

from api.envelope import ATTRIBUTES, assembled, dataschemas, extension, upcast
from ledger.codec import Draft
from ledger.contract import MAX_ITEMS, Items, Member, Nested, event_class, members, pointer
from ledger.errors import Fault, Invalid, TooLarge
from ledger.events import EVENTS, Event
from ledger.values import Choice, Rule, Text, TooLong, Unfit

_Messages = dict[str, str | list[Any] | dict[Any, Any]]

_REQUIRED: _Messages = {"required": "is required", "null": "is required"}
_NO_LIST: _Messages = _REQUIRED | {"invalid": "must be a list"}
_NO_OBJECT: _Messages = {"type": "must be an object", "null": "must be an object"}
_NO_ITEM: _Messages = {"null": "must not be null"}
_NOT_KNOWN = {"type": "must be an object", "unknown": "is not known here"}
_SET_BY_THE_LEDGER: _Messages = {"null": "is set by the ledger itself; leave it out"}


class _Oversize(str):
    """The words of a fault whose only trouble is size."""

    __slots__ = ()


class Ruled(fields.Field[Any]):
    """A field that keeps a rule of `ledger.values`."""

    default_error_messages = _REQUIRED

    def __init__(self, rule: Rule, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return _kept(self.rule.accept, value)


class ListOf(fields.List[Any]):
    """A JSON array of at least so many items, kept as a tuple."""

    default_error_messages = _NO_LIST

    def __init__(self, inner: fields.Field[Any], least: int, **kwargs: Any) -> None:
        super().__init__(inner, **kwargs)
        self.least = least

    def _deserialize(self, value: Any, *where: Any, **options: Any) -> Any:
        if type(value) is not list:
            raise self.make_error("invalid")
        if len(value) > MAX_ITEMS:
            raise ValidationError(f"has {len(value)} items; at most {MAX_ITEMS} are kept")
        if len(value) < self.least:
            raise ValidationError(f"needs at least {self.least} item")
        return tuple(super()._deserialize(value, *where, **options))


class SetByTheLedger(fields.Field[Any]):
    """A member that only the ledger gives; whatever is sent in it is refused, null too."""

    default_error_messages = _SET_BY_THE_LEDGER

    def _deserialize(self, *_: Any, **__: Any) -> Any:
        raise self.make_error("null")


class ObjectSchema(Schema):
    """An object of the catalogue: no members but its own; loads to the dataclass that it describes."""

    class Meta:
        unknown = RAISE

    BUILDS: ClassVar[type[Any]]
    error_messages = _NOT_KNOWN

    @post_load
    def _build(self, kept: dict[str, Any], **_: Any) -> Any:
        known = self.fields
        return self.BUILDS(**{name: each for name, each in kept.items() if each is not None or known[name].required})


def _kept(accept: Callable[..., Any], *given: Any) -> Any:
    """What a rule keeps, its refusal told as marshmallow tells faults."""
    try:
        return accept(*given)
    except Unfit as unfit:
        messages: Any = [_Oversize(unfit.detail) if isinstance(unfit, TooLong) else unfit.detail]
        for part in reversed(unfit.path):
            messages = {part: messages}
        raise ValidationError(messages) from None


def _field(member: Member, cls: type[Any]) -> fields.Field[Any]:
    if member.wire in getattr(cls, "LEDGER_SETS", ()):
        return SetByTheLedger(data_key=member.wire)
    options: dict[str, Any] = {
        "data_key": member.wire,
        "required": member.required,
        "allow_none": member.nullable or not member.required,
        "metadata": {"x-protected": True} if member.protected else {},
    }
    if isinstance(member.rule, Items):
        return ListOf(_item(member.rule.rule), member.rule.least, **options)
    return Ruled(member.rule, **options)


def _item(rule: Rule) -> fields.Field[Any]:
    if isinstance(rule, Nested):
        return fields.Nested(object_schema(rule.cls), error_messages=_NO_OBJECT)
    return Ruled(rule, error_messages=_NO_ITEM)


_SCHEMAS: dict[type[Any], type[ObjectSchema]] = {}


def object_schema(cls: type[Any]) -> type[ObjectSchema]:
    """The schema of a dataclass of the catalogue: of an event's data, or of an object within it. Built once."""
    if cls in _SCHEMAS:
        return _SCHEMAS[cls]
    made: Any = ObjectSchema.from_dict(
        {member.name: _field(member, cls) for member in members(cls).values()}, name=cls.__name__
    )
    made.BUILDS = cls
    if issubclass(cls, Event):
        made.error_messages = {**_NOT_KNOWN, "unknown": f"is not a member of {cls.TOPIC}"}
    _SCHEMAS[cls] = made
    return _SCHEMAS[cls]


class EnvelopeSchema(Schema):
    """What surrounds every event's data; any other attribute is an extension."""

    class Meta:
        unknown = INCLUDE

    error_messages = _NOT_KNOWN

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _check_extensions(self, _data: Any, original: Any, **_: Any) -> None:
        faults = {}
        for name, value in original.items() if type(original) is dict else ():
            if name not in self.fields:
                try:
                    _kept(extension, name, value)
                except ValidationError as error:
                    faults[name] = error.messages
        if faults:
            raise ValidationError(faults)

    @post_load(pass_original=True)
    def _assemble(self, kept: dict[str, Any], original: dict[str, Any], **_: Any) -> Draft:
        attributes = {name: kept[name] for name in ATTRIBUTES if kept.get(name) is not None}
        extensions = {name: each for name, each in kept.items() if name not in self.fields and each is not None}
        return assembled(original, kept["data"], attributes, extensions)


class _Data(fields.Nested):
    """An event's data; what was written for an older schema is brought up to date first."""

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        if isinstance(data, Mapping):
            value = upcast(self.schema.BUILDS.TOPIC, data.get("dataschema"), value)  # type: ignore[attr-defined]
        return super().deserialize(value, attr, data, **kwargs)


def _envelope(name: str, type_rule: Rule, rules: Mapping[str, Rule], data: fields.Field[Any]) -> EnvelopeSchema:
    attributes = {each: Ruled(rule, allow_none=True) for each, rule in rules.items()}
    made: Any = EnvelopeSchema.from_dict(
        {"type": Ruled(type_rule, required=True), **attributes, "data": data}, name=name
    )
    schema: EnvelopeSchema = made()
    return schema


@cache
def event_schema(topic: str) -> EnvelopeSchema:
    """The schema of one type of event, envelope and data. Built once."""
    rules = {**ATTRIBUTES, "dataschema": Choice(dataschemas(topic))}
    data = _Data(object_schema(EVENTS[topic]), required=True, error_messages=_REQUIRED)
    return _envelope(topic, Choice((topic,)), rules, data)


class _NoType:
    """The rule of `type` where it is none that is known: its words are the ledger's own."""

    def accept(self, value: Any) -> Any:
        try:
            return event_class(Text().accept(value)).TOPIC
        except Invalid as error:
            raise Unfit(error.errors[0].detail) from None


class EventSchema(Schema):
    """Any event, by its type; `load` returns a `Draft`."""

    def load(self, data: Any, **_: Any) -> Draft:
        topic = data.get("type") if type(data) is dict else None
        schema = event_schema(topic) if type(topic) is str and topic in EVENTS else _UNKNOWN
        draft: Draft = schema.load(data)
        return draft


_UNKNOWN = _envelope("unknown", _NoType(), ATTRIBUTES, fields.Raw(required=True, error_messages=_REQUIRED))
_EVENT = EventSchema()


def load(event: Any) -> Draft:
    """
    The draft that a JSON value describes.

    Raises:
        Invalid: with every fault, each pointing at its member.
        TooLarge: where the only faults are members above their size.
    """
    try:
        return _EVENT.load(event)
    except ValidationError as error:
        raise refusal(error) from None


def refusal(error: ValidationError) -> Invalid:
    """What marshmallow found, as the ledger tells it."""
    found = list(_faults(error.messages, ()))
    size_only = all(isinstance(words, _Oversize) for _, words in found)
    faults = sorted((pointer(*path), str(words)) for path, words in found)
    return (TooLarge if size_only else Invalid)([Fault(*each) for each in faults])


def _faults(messages: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, dict):
        for name, each in messages.items():
            # marshmallow tells of an object as a whole under the name _schema, which a member can have as well.
            whole = name == "_schema" and each == [_NOT_KNOWN["type"]]
            yield from _faults(each, path if whole else (*path, name))
    else:
        for each in messages if isinstance(messages, list) else [messages]:
            yield path, each
