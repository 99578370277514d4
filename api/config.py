"""
What the server and the operating verbs need to know: flags, then LASTGOOD_* variables, then lastgood.toml.

A variable that is set and empty counts as not set, as CI tools set a missing
secret so. All that is wrong is told at once, each with where it came from.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError, ValidationError, validate

from api import log_settings
from ledger.witness import Witness

FILE = "lastgood.toml"
PREFIX = "LASTGOOD_"
LOG_FORMATS = ("auto", "json", "text")


class BadSettings(ValueError):
    """Settings that cannot be used; `errors` says what is wrong with each, and where it was set."""

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


@dataclass(frozen=True, slots=True)
class Settings:
    """
    `threads` serve requests, at most half of them live streams; `proxies` stand in front and set X-Forwarded-*;
    `origin` names the log (None: as it is named already, else after itself); `checkpoints` is seen from `data`.
    """

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 64
    log_format: str = "auto"
    proxies: int = 0
    public_log: bool = True
    origin: str | None = None
    checkpoints: Path = Path("log")
    witnesses: tuple[Witness, ...] = ()


def load(flags: Mapping[str, Any], environ: Mapping[str, str], folder: Path) -> Settings:
    """
    The settings of one run. *flags* has what was given on the command line, None for the rest.

    Raises:
        BadSettings: with every error there is.
    """
    file = _read(folder / FILE)
    given = _Given(flags, environ, {"witnesses": file.get("witness"), **file})
    given.add_parser("witnesses", log_settings.witnesses)
    default = Settings()
    kept: dict[str, Any] = {
        "data": given.path("DATA", default.data, validate=_folder),
        "host": given.str("HOST", default.host, validate=validate.Length(1)),
        "port": given.int("PORT", default.port, validate=validate.Range(0, 65_535)),
        "threads": given.int("THREADS", default.threads, validate=validate.Range(4, 1_024)),
        "log_format": given.str("LOG_FORMAT", default.log_format, validate=validate.OneOf(LOG_FORMATS)),
        "proxies": given.int("PROXIES", default.proxies, validate=validate.Range(0, 8)),
        "public_log": given.bool("PUBLIC_LOG", default.public_log),
        "origin": given.str("ORIGIN", "", validate=log_settings.check_origin) or None,
        "checkpoints": given.path("CHECKPOINTS", default.checkpoints, validate=_folder),
        "witnesses": given.witnesses("WITNESSES", ""),
    }
    given.str("DATABASE", "", validate=_no_database)
    given.check()
    return Settings(**kept)


class _Given(Env):
    """Reads from the three sources at once, and remembers which one each value came from."""

    def __init__(self, flags: Mapping[str, Any], environ: Mapping[str, str], file: Mapping[str, Any]) -> None:
        super().__init__(eager=False, prefix=PREFIX)
        self._flags, self._variables, self._file = flags, environ, file

    def _source(self, key: str) -> tuple[str, Any]:
        name = key.removeprefix(PREFIX).lower()
        if self._flags.get(name) is not None:
            return "--" + name.replace("_", "-"), self._flags[name]
        if self._variables.get(key, "").strip():
            return key, self._variables[key].strip()
        return f"{name} in {FILE}", self._file.get(name)

    def _get_value(self, env_key: str, default: Any) -> Any:
        _, value = self._source(env_key)
        return default if value is None else value

    def check(self) -> None:
        try:
            self.seal()
        except EnvValidationError as error:
            messages: Any = error.error_messages
            raise BadSettings([f"{self._source(key)[0]}: {' '.join(said)}" for key, said in messages.items()]) from None


def _folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ValidationError(f"{path} is a file; give a folder, which is made where it is missing.")


def _no_database(text: str) -> None:
    if text:
        raise ValidationError(
            "PostgreSQL comes in a later release; leave this out, and the record is kept in the data folder."
        )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadSettings([f"{path.name} cannot be read: {error}"]) from None
