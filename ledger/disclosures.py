"""
Protected members: words that can be forgotten without touching the record.

Free text, names of people and foreign payloads are in a leaf only as salted
commitments (SD-JWT, RFC 9901); the words themselves are *disclosures* kept
beside it. Deleting a disclosure is redaction: every proof still verifies, and
with 128 bits of salt gone what was there cannot be guessed.

In a leaf a protected member's value is `{"...": COMMITMENT}`.
"""

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ledger.canonical import canonical
from ledger.contract import Items, Nested, members

REDACTED = "[redacted]"
"""What stands where a disclosure was deleted."""


def protect(cls: type[Any], data: dict[str, Any]) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """The data with each protected member replaced by a commitment, and the disclosures as (path, text)."""
    if cls not in _WITH_WORDS:
        _WITH_WORDS[cls] = frozenset(_with_words(cls))
    if _WITH_WORDS[cls].isdisjoint(data):
        return data, ()
    disclosures: list[tuple[str, str]] = []
    return _protect(cls, data, "", disclosures), tuple(disclosures)


_WITH_WORDS: dict[type[Any], frozenset[str]] = {}
"""The members of a class that are protected, or may hold such."""


def _with_words(cls: type[Any]) -> Iterator[str]:
    for name, member in members(cls).items():
        if member.protected or (isinstance(member.rule, Items) and isinstance(member.rule.rule, Nested)):
            yield name


def _protect(cls: type[Any], data: dict[str, Any], at: str, disclosures: list[tuple[str, str]]) -> dict[str, Any]:
    known = members(cls)
    kept: dict[str, Any] = {}
    for name, value in data.items():
        member, path = known[name], f"{at}/{name}"
        if member.protected:
            text = disclosure(name, value)
            disclosures.append((path, text))
            kept[name] = {"...": commitment(text)}
        elif isinstance(member.rule, Items) and isinstance(member.rule.rule, Nested):
            nested = member.rule.rule.cls
            kept[name] = [_protect(nested, each, f"{path}/{i}", disclosures) for i, each in enumerate(value)]
        else:
            kept[name] = value
    return kept


def disclosure(name: str, value: Any) -> str:
    """A disclosure (RFC 9901, section 4.2.1): base64url of [salt, name, value], with 128 bits of salt."""
    salt = urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
    return urlsafe_b64encode(canonical([salt, name, value])).rstrip(b"=").decode()


def commitment(disclosed: str) -> str:
    """SHA-256 over the disclosure as written, in base64url (RFC 9901, section 4.2.3)."""
    return urlsafe_b64encode(hashlib.sha256(disclosed.encode()).digest()).rstrip(b"=").decode()


def disclosed_value(disclosed: str) -> Any:
    return orjson.loads(urlsafe_b64decode(disclosed + "=" * (-len(disclosed) % 4)))[2]


def disclose(cls: type[Any], data: Any, at: str, words: Mapping[str, str], redacted: list[str]) -> dict[str, Any]:
    """The data with the words put back; the paths of those that are gone are added to *redacted*."""
    known = members(cls)
    opened: dict[str, Any] = {}
    for name, value in data.items():
        member, path = known.get(name), f"{at}/{name}"
        if type(value) is dict and value.keys() == {"..."} and (member is None or member.protected):
            if path in words:
                opened[name] = disclosed_value(words[path])
            else:
                opened[name] = REDACTED
                redacted.append(path)
        elif member and isinstance(member.rule, Items) and isinstance(member.rule.rule, Nested):
            nested = member.rule.rule.cls
            opened[name] = [disclose(nested, each, f"{path}/{i}", words, redacted) for i, each in enumerate(value)]
        else:
            opened[name] = value
    return opened
