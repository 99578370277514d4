"""
What the blueprints of all resources share: strict query strings, and errors that are documented.

A parameter that is not known, or given twice, is refused and never dropped:
a filter that silently did nothing would answer another question.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, NoReturn, TypeVar
from urllib.parse import unquote_to_bytes

import flask_smorest
from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict

from api.schemas import Ruled, refusal
from ledger.contract import pointer
from ledger.errors import Fault, Invalid
from ledger.values import Integer, Unfit

_View = TypeVar("_View", bound=Callable[..., Any])
_BLANK_FOR_PLUS = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?) (\d\d:\d\d)", re.ASCII)
_EVERYWHERE = (401, 403, 422, 500)


@dataclass(frozen=True, slots=True)
class Digits:
    """A whole number as a query string has it."""

    least: int = 0
    most: int = 2**53 - 1

    @property
    def json_schema(self) -> Mapping[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def accept(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,16}", value):
            raise Unfit("must be a whole number")
        return Integer(self.least, self.most).accept(int(value))


@dataclass(frozen=True, slots=True)
class Switch:
    """`true` or `false`, as a query string has it."""

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "boolean"}

    def accept(self, value: Any) -> bool:
        if value not in ("true", "false"):
            raise Unfit("must be true or false")
        return bool(value == "true")


def parameter(rule: Any, description: str, **options: Any) -> Ruled:
    """A query parameter that keeps a rule."""
    return Ruled(rule, metadata={"description": description}, **options)


class NoQuery(Schema):
    """For views without parameters: those given all the same are refused."""


class _Parser(FlaskParser):
    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        _check_utf8(req.query_string)
        given: MultiDict[str, str] = MultiDict()
        for name, values in req.args.lists():
            if len(values) > 1 and not isinstance(schema.fields.get(name), fields.List):
                raise Invalid([Fault(pointer(name), "is given more than once")])
            given.setlist(name, list(map(_with_plus, values)))
        return self._makeproxy(given, schema)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        error.messages = error.messages_dict.get("query", error.messages_dict)
        faults = refusal(error).errors
        raise Invalid(
            [
                Fault(each.pointer, "is not a parameter here" if each.detail == "Unknown field." else each.detail)
                for each in faults
            ]
        ) from None


def _check_utf8(query: bytes) -> None:
    """Raises `Invalid` for bytes that are no text: werkzeug takes them for another one, percent signs and all."""
    for part in query.split(b"&"):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            name = unquote_to_bytes(part.partition(b"=")[0]).decode(errors="replace")
            raise Invalid([Fault(pointer(name), "is not UTF-8")]) from None


def _with_plus(text: str) -> str:
    """A plus sign that was not percent-encoded arrives as a blank; in a time it can only have been a plus."""
    return _BLANK_FOR_PLUS.sub(r"\1+\2", text) if " " in text else text


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = _Parser()

    @staticmethod
    def header(name: str, description: str, schema: Mapping[str, Any]) -> Callable[[_View], _View]:
        """Documents a request header that a view heeds."""
        said = {"in": "header", "name": name, "description": description, "required": False, "schema": schema}

        def decorate(view: _View) -> _View:
            known = deepcopy(getattr(view, "_apidoc", {}))
            known.setdefault("arguments", {}).setdefault("parameters", []).append(said)
            view.__dict__["_apidoc"] = known
            return view

        return decorate

    def refuses(self, *statuses: int) -> Callable[[_View], _View]:
        """Documents the problems that a view answers with, beside those that every view may answer with."""

        def decorate(view: _View) -> _View:
            for status in sorted({*statuses, *_EVERYWHERE}):
                view = self.alt_response(status, HTTPStatus(status).name)(view)
            return view

        return decorate
