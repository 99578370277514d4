"""The settings of the log: its name, and the witnesses that are asked to cosign."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from environs import ValidationError

from ledger.note import MalformedKey, Verifier
from ledger.witness import Witness

_ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]{1,200}")


def check_origin(text: str) -> None:
    """Raises `ValidationError` unless a log can be named so: like a URL without its scheme, as C2SP asks."""
    if text and not _ORIGIN.fullmatch(text):
        raise ValidationError("name the log without spaces and plus signs, like ledger.example.com/production.")


def witnesses(given: Any) -> tuple[Witness, ...]:
    """
    From `[[witness]]` tables of lastgood.toml, or from LASTGOOD_WITNESSES: URL and vkey, the next behind a comma.

    Raises:
        ValidationError: for the first that can't be used.
    """
    if isinstance(given, str):
        given = [
            dict(zip(("url", "vkey", "more"), each.split(), strict=False)) for each in given.split(",") if each.strip()
        ]
    if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
        raise ValidationError("give each witness as a [[witness]] table with url and vkey.")
    found = tuple(map(_witness, given))
    if len({each.name for each in found}) < len(found):
        raise ValidationError("two witnesses have one name.")
    return found


def _witness(given: Mapping[str, Any]) -> Witness:
    if set(given) != {"url", "vkey"} or not all(isinstance(each, str) for each in given.values()):
        raise ValidationError("a witness has a url and a vkey, and nothing else.")
    try:
        parts = urlsplit(given["url"])
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.port == 0
            or parts.query
            or parts.fragment
        ):
            raise ValueError
    except ValueError:
        raise ValidationError(f"{given['url']} is no address of a witness, like https://witness.example/.") from None
    try:
        return Witness(given["url"], Verifier.from_vkey(given["vkey"]))
    except MalformedKey as error:
        raise ValidationError(str(error)) from None
