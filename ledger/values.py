"""
The values that events are made of, and the rule each must keep.

A rule is a frozen object with one method, `accept`, that returns the value to
keep or raises `Unfit` with words for the sender. Types that carry a rule are
`Annotated` aliases, so that the events, the marshmallow schemas, the OpenAPI
document and the compiled check all read the same line.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Protocol
from urllib.parse import quote

MAX_EXACT_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3)."""

MIB = 1024 * 1024

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_IN_PROSE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


class Unfit(ValueError):
    """
    A value that breaks its rule.

    `detail` says what is wrong and what would do; `path` leads from the value
    the rule was asked about to the part that breaks it.
    """

    def __init__(self, detail: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path


class TooLong(Unfit):
    """A value that is well formed and larger than the ledger takes."""


class Rule(Protocol):
    def accept(self, value: Any) -> Any:
        """The value to keep. Raises `Unfit`."""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, kept exactly as given; never empty."""

    longest: int = 256

    def accept(self, value: Any) -> str:
        if type(value) is not str:
            raise Unfit("must be a string")
        if not value:
            raise Unfit("must not be empty")
        if len(value) > self.longest:
            raise Unfit(f"has {len(value)} characters; at most {self.longest} are kept")
        if _CONTROL.search(value):
            raise Unfit("holds a control character or half a surrogate pair; remove it")
        return value


@dataclass(frozen=True, slots=True)
class Prose:
    """Free text of many lines, up to 1 MiB in UTF-8; never empty."""

    longest: int = MIB

    def accept(self, value: Any) -> str:
        if type(value) is not str:
            raise Unfit("must be a string")
        if not value.strip():
            raise Unfit("must not be empty")
        if _CONTROL_IN_PROSE.search(value):
            raise Unfit("holds a control character or half a surrogate pair; only tabs and line ends are kept")
        if len(value) > self.longest or len(value.encode()) > self.longest:
            raise TooLong(f"is larger than {self.longest} bytes; put it elsewhere and give its address as evidence")
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def accept(self, value: Any) -> str:
        if type(value) is not str or value not in self.words:
            raise Unfit(f"must be one of {', '.join(self.words)}")
        return value


@dataclass(frozen=True, slots=True)
class Digest:
    """An artifact's digest, `sha256:` and 64 hexadecimal digits, lower-cased."""

    def accept(self, value: Any) -> str:
        if type(value) is str and _DIGEST.fullmatch(lowered := value.lower()):
            return lowered
        raise Unfit("must be sha256: and 64 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Sha256:
    """A bare SHA-256 in 64 hexadecimal digits, lower-cased."""

    def accept(self, value: Any) -> str:
        if type(value) is str and _SHA256.fullmatch(lowered := value.lower()):
            return lowered
        raise Unfit("must be 64 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Time:
    """A moment with its offset (RFC 3339), kept as given."""

    def accept(self, value: Any) -> str:
        if type(value) is not str:
            raise Unfit("must be a string")
        instant(value)
        return value


@dataclass(frozen=True, slots=True)
class Due:
    """A day, or a moment with its offset."""

    def accept(self, value: Any) -> str:
        if type(value) is str and _DATE.fullmatch(value):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                raise Unfit(f"{value} is not a day of the calendar") from None
            return value
        return Time().accept(value)


@dataclass(frozen=True, slots=True)
class Integer:
    least: int = 0
    most: int = MAX_EXACT_INTEGER

    def accept(self, value: Any) -> int:
        if type(value) is not int:
            raise Unfit("must be a whole number")
        if not self.least <= value <= self.most:
            raise Unfit(f"must lie between {self.least} and {self.most}")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    least: float = -MAX_EXACT_INTEGER
    most: float = MAX_EXACT_INTEGER

    def accept(self, value: Any) -> float:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise Unfit("must be a finite number")
        if not self.least <= value <= self.most:
            raise Unfit(f"must lie between {self.least:g} and {self.most:g}")
        number: float = value
        return number


@dataclass(frozen=True, slots=True)
class Flag:
    def accept(self, value: Any) -> bool:
        if type(value) is not bool:
            raise Unfit("must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A list with so many items; each keeps the rule of the list's own type."""

    least: int


@dataclass(frozen=True, slots=True)
class Labels:
    """Short names and short values, both text."""

    most: int = 64

    def accept(self, value: Any) -> dict[str, str]:
        if type(value) is not dict:
            raise Unfit("must be an object of strings")
        if len(value) > self.most:
            raise Unfit(f"has {len(value)} members; at most {self.most} are kept")
        for name, text in value.items():
            try:
                Text(200).accept(name)
                if text != "":
                    Text(4096).accept(text)
            except Unfit as unfit:
                raise Unfit(unfit.detail, (name,)) from None
        return dict(value)


@dataclass(frozen=True, slots=True)
class Json:
    """Any JSON value that every reader understands alike, up to 1 MiB and 64 levels deep."""

    longest: int = MIB

    def accept(self, value: Any) -> Any:
        if _json_size(value, 0) > self.longest:
            raise TooLong(f"is larger than {self.longest} bytes")
        return value


def _json_size(value: Any, depth: int) -> int:
    """About the bytes that *value* takes as JSON. Raises `Unfit` for what is not portable JSON."""
    if depth > 64:
        raise Unfit("is nested more than 64 levels deep")
    match value:
        case None | bool():
            return 5
        case str():
            return _string_size(value)
        case int() if abs(value) > MAX_EXACT_INTEGER:
            raise Unfit("holds a whole number beyond 2^53-1, which readers round: send it as a string")
        case float() if not math.isfinite(value):
            raise Unfit("holds a number that is not finite")
        # JCS writes whole floats without an exponent up to 1e21 (RFC 8785, section 3.2.2.3):
        # such a one would be read back as an integer that nobody keeps exactly.
        case float() if MAX_EXACT_INTEGER < abs(value) < 1e21:
            raise Unfit("holds a whole number beyond 2^53-1, which readers round: send it as a string")
        case int() | float():
            return len(repr(value))
        case list() | tuple():
            return 2 + sum(_json_size(each, depth + 1) + 1 for each in value)
        case dict():
            return 2 + sum(_string_size(name) + 2 + _json_size(each, depth + 1) for name, each in value.items())
    raise Unfit(f"holds {type(value).__name__}, which is not JSON")


def _string_size(text: str) -> int:
    try:
        return len(text.encode()) + 2
    except UnicodeEncodeError:
        raise Unfit("holds half a surrogate pair") from None


@lru_cache(maxsize=65_536)
def instant(text: str) -> datetime:
    """
    The moment that an RFC 3339 text names, in UTC; nothing finer than a microsecond.

    Raises:
        Unfit: unless it is a real date and time with an offset.
    """
    if not _TIME.fullmatch(text):
        raise Unfit("must be an RFC 3339 time with an offset, such as 2026-11-22T21:00:00Z or ...+01:00")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(f"{text} is not a moment of the calendar") from None


def rfc3339(moment: datetime) -> str:
    """The moment in UTC with a Z, with microseconds only where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 in UTC: a moment as a number that sorts."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    return _EPOCH + count * _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=65_536)
def stream_name(kind: str, *parts: str) -> str:
    """The name of a stream, each part percent-encoded (RFC 3986: all but unreserved characters)."""
    return "/".join((kind, *(quote(part, safe="") for part in parts)))


Service = Annotated[str, Text(200)]
Environment = Annotated[str, Text(200)]
Version = Annotated[str, Text(256)]
Identifier = Annotated[str, Text(256)]
Word = Annotated[str, Text(200)]
Line = Annotated[str, Text(2048)]
Address = Annotated[str, Text(4096)]
FreeText = Annotated[str, Prose()]
Person = Annotated[str, Text(320)]
ArtifactDigest = Annotated[str, Digest()]
HexSha256 = Annotated[str, Sha256()]
Moment = Annotated[str, Time()]
DayOrMoment = Annotated[str, Due()]
Count = Annotated[int, Integer()]
Position = Annotated[int, Integer(least=1)]
Percent = Annotated[float, Number(least=0, most=100)]
Quantity = Annotated[float, Number()]
Truth = Annotated[bool, Flag()]
TextLabels = Annotated[dict[str, str], Labels()]
AnyJson = Annotated[Any, Json()]
