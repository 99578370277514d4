"""
The form of every event: its members, their rules, and the compiled check.

Read once from the dataclasses of `ledger.events`, so that there is one place
where an event's form is written. `accept` is the fast check; the marshmallow
schemas of the API are built from the same members and must agree with it.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from ledger.errors import Fault, Invalid, TooLarge
from ledger.events import EVENTS, Event
from ledger.values import AtLeast, Json, Rule, TooLong, Unfit

MAX_ITEMS = 1000
"""How many items a list in an event may have."""


@dataclass(frozen=True, slots=True)
class Nested:
    """An object with members of its own."""

    cls: type[Any]

    def accept(self, value: Any) -> Any:
        if type(value) is not dict:
            raise Unfit("must be an object")
        kept = {}
        known = members(self.cls)
        for member in known.values():
            if (given := value.get(member.wire)) is not None:
                try:
                    kept[member.name] = member.rule.accept(given)
                except Unfit as unfit:
                    raise type(unfit)(unfit.detail, (member.wire, *unfit.path)) from None
            elif member.required:
                raise Unfit("is required", (member.wire,))
        for name in value:
            if name not in known:
                raise Unfit("is not known here", (name,))
        return self.cls(**kept)


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose items all keep one rule."""

    rule: Rule
    least: int = 0

    def accept(self, value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Unfit("must be a list")
        if len(value) > MAX_ITEMS:
            raise Unfit(f"has {len(value)} items; at most {MAX_ITEMS} are kept")
        if len(value) < self.least:
            raise Unfit(f"needs at least {self.least} item")
        kept = []
        for index, each in enumerate(value):
            try:
                kept.append(self.rule.accept(each))
            except Unfit as unfit:
                raise type(unfit)(unfit.detail, (index, *unfit.path)) from None
        return tuple(kept)


@dataclass(frozen=True, slots=True)
class Member:
    """
    A member of an event: its wire name, its field name, its rule.

    Null and absent are one, except where `nullable`: a member that may be any
    JSON value and must be there may be null.
    """

    wire: str
    name: str
    rule: Rule
    required: bool
    nullable: bool
    protected: bool


_MEMBERS: dict[type[Any], dict[str, Member]] = {}


def members(cls: type[Any]) -> Mapping[str, Member]:
    """The members of an event, or of an object within one, by wire name. Read once a class."""
    if cls not in _MEMBERS:
        hints = get_type_hints(cls, include_extras=True)
        protected = getattr(cls, "PROTECTED", frozenset({"label"}))
        found = {}
        for each in fields(cls):
            wire = each.name.rstrip("_")
            required = each.default is MISSING and each.default_factory is MISSING
            rule = _rule(hints[each.name])
            found[wire] = Member(
                wire, each.name, rule, required, required and isinstance(rule, Json), wire in protected
            )
        _MEMBERS[cls] = found
    return _MEMBERS[cls]


def _rule(hint: Any) -> Rule:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated and isinstance(arguments[1], AtLeast):
        return Items(_rule(get_args(arguments[0])[0]), arguments[1].least)
    if origin is Annotated:
        rule: Rule = arguments[1]
        return rule
    if origin is UnionType or NoneType in arguments:
        return _rule(next(each for each in arguments if each is not NoneType))
    if origin is tuple:
        return Items(_rule(arguments[0]))
    if is_dataclass(hint) and isinstance(hint, type):
        return Nested(hint)
    raise TypeError(f"{hint} has no rule")


def event_class(topic: Any) -> type[Event]:
    """The class of an event by its name. Raises `Invalid` for a name that is not in the catalogue."""
    cls = EVENTS.get(topic) if isinstance(topic, str) else None
    if cls is None:
        raise Invalid([Fault("/type", f"{topic!r} is not an event type that is known here; see /openapi.json for all")])
    return cls


def accept(cls: type[Event], data: Any) -> Event:
    """
    The event that *data* describes.

    Raises:
        Invalid: with every fault, each pointing at its member.
        TooLarge: where the only faults are members above their size.
    """
    if type(data) is not dict:
        raise Invalid([Fault("/data", "must be an object")])
    known = members(cls)
    kept, faults, too_long = {}, [], True
    for name, value in data.items():
        member = known.get(name)
        try:
            if member is None:
                raise Unfit(f"is not a member of {cls.TOPIC}")
            if name in cls.LEDGER_SETS:
                raise Unfit("is set by the ledger itself; leave it out")
            if value is not None or member.nullable:
                kept[member.name] = member.rule.accept(value)
        except Unfit as unfit:
            too_long = too_long and isinstance(unfit, TooLong)
            faults.append(Fault(pointer("data", name, *unfit.path), unfit.detail))
    for member in known.values():
        if member.required and member.name not in kept and data.get(member.wire) is None:
            too_long = False
            faults.append(Fault(pointer("data", member.wire), "is required"))
    if faults:
        raise (TooLarge if too_long else Invalid)(faults)
    return cls(**kept)


def pointer(*path: str | int) -> str:
    """A JSON Pointer (RFC 6901) to a path of names and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def data_of(event: Any) -> dict[str, Any]:
    """An event's members as JSON, those that are absent left out."""
    data = {}
    for member in members(type(event)).values():
        value = getattr(event, member.name)
        if (value is None and not member.nullable) or (value == () and not member.required):
            continue
        if type(value) is tuple:
            value = [data_of(each) if is_dataclass(each) else each for each in value]
        data[member.wire] = value
    return data
