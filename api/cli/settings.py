"""
What a client verb needs to know: flags first, then LASTGOOD_* variables, then lastgood.toml.

A variable that is set and empty counts as not set, as CI tools set a missing
secret so. The file is looked for in the current folder; the members it has
for the server are none of the client's business.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_TIMEOUT_S = 30.0
FILE = "lastgood.toml"


class Settings(NamedTuple):
    url: str
    token: str | None
    spool: Path | None
    timeout_s: float


def load(flags: Mapping[str, Any], environ: Mapping[str, str], folder: Path) -> Settings:
    """
    The settings of one call. *flags* has those of url, token, spool and timeout_s that were given.

    Raises:
        click.UsageError: where a setting cannot be used, naming where it came from.
    """
    file = _read(folder / FILE)

    def setting(name: str) -> tuple[Any, str]:
        variable = f"LASTGOOD_{name.upper()}"
        if flags.get(name) is not None:
            return flags[name], f"--{name.removesuffix('_s')}"
        if environ.get(variable, "").strip():
            return environ[variable].strip(), variable
        return file.get(name), FILE

    spool, _ = setting("spool")
    token, token_from = setting("token")
    return Settings(
        url=_url(*setting("url")),
        token=_token(token, token_from),
        spool=Path(str(spool)) if spool else None,
        timeout_s=_seconds(*setting("timeout_s")),
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib  # noqa: PLC0415 - only where there is a file to read

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path.name} cannot be read: {error}") from None


def _url(value: Any, origin: str) -> str:
    text = str(value or DEFAULT_URL).rstrip("/")
    if not text.startswith(("http://", "https://")):
        raise click.UsageError(f"{origin}: {text} is no address of a ledger; it begins with http:// or https://")
    return text


def _token(value: Any, origin: str) -> str | None:
    if value is None:
        return None
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise click.UsageError(f"{origin}: the token holds a character that no token has; copy it again")
    return text


def _seconds(value: Any, origin: str) -> float:
    try:
        seconds = DEFAULT_TIMEOUT_S if value is None else float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise click.UsageError(f"{origin}: {value} is no timeout; give seconds, up to 3600")
    return seconds
