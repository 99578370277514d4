"""
A real `lastgood serve` for tests: its own process, its own data folder, a free port.

    server = Server(folder).start()
    client = server.client("pipeline")
    client.post("/v1/events", {...}).status
    server.stop()

Tokens of every role are there from the start (`server.tokens["auditor"]`);
`server.token("responder", "admin", services=["payments"])` makes another one.
"""

import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from api.access import LOCAL_ADMIN, directly
from api.tokens import Tokens
from ledger.application import Ledger
from ledger.authority import ROLES

LASTGOOD = str(Path(sysconfig.get_path("scripts")) / "lastgood")
PATIENCE_S = 30.0


def environment(**settings: str) -> dict[str, str]:
    """The environment of a subprocess: this one's without any LASTGOOD_*, with those given (`data=...`)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LASTGOOD_")}
    return kept | {f"LASTGOOD_{name.upper()}": value for name, value in settings.items()}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        """The body as NDJSON."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


class Client:
    """HTTP as a program speaks it, over the standard library. One connection a request unless kept by `connect`."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = PATIENCE_S) -> None:
        self.url, self.token, self.timeout_s = url, token, timeout_s

    def connect(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        return HTTPConnection(parts.hostname or "", parts.port, timeout=self.timeout_s)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        connection: HTTPConnection | None = None,
    ) -> Answer:
        used = connection or self.connect()
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(given, doseq=True)}" if given else path
        try:
            used.request(method, target, body, {**self._credential(), **(headers or {})})
            response = used.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            if connection is None:
                used.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        return self.request("GET", path, None, headers, query)

    def post(self, path: str, value: Any, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        """Posts JSON; bytes go as they are, with the Content-Type that *headers* give."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, {"Content-Type": "application/json", **(headers or {})}, query)

    def append(self, *events: Mapping[str, Any]) -> Any:
        """The receipt of one event, or the receipts of many; it must be taken."""
        if len(events) == 1:
            answer = self.post("/v1/events", events[0])
        else:
            body = b"\n".join(json.dumps(each).encode() for each in events)
            answer = self.post("/v1/events", body, {"Content-Type": "application/x-ndjson"})
        assert answer.status in (200, 201), answer.body
        return answer.json()

    def _credential(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Server:
    def __init__(
        self, folder: Path, arguments: Sequence[str] = (), wrapper: Sequence[str] = (), **settings: str
    ) -> None:
        """
        *folder* takes the data folder and what the server prints; *settings* become LASTGOOD_* variables;
        *wrapper* is a command that runs the one after it in its own place.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.data = folder, folder / "data"
        self._arguments, self._wrapper, self._settings = arguments, wrapper, settings
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.tokens = {role: self.token(role) for role in ROLES}

    def token(
        self, *roles: str, name: str | None = None, services: Sequence[str] = (), environments: Sequence[str] = ()
    ) -> str:
        """A new token; it counts at once, also while the server runs."""
        bounds = {"services": services, "environments": environments}
        with self._tokens() as tokens:
            text, _ = tokens.create(name or f"a-{'-'.join(roles)}", roles, LOCAL_ADMIN, **bounds)
        return text

    def revoke(self, what: str) -> None:
        with self._tokens() as tokens:
            tokens.revoke(what, LOCAL_ADMIN)

    @contextmanager
    def _tokens(self) -> Iterator[Tokens]:
        with Ledger(self.data) as ledger:
            tokens = Tokens(ledger, directly(ledger))
            try:
                yield tokens
            finally:
                tokens.close()

    def start(self, *, ready: bool = True) -> "Server":
        """Returns once the server is ready; unless it is meant to have troubles, once it answers."""
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("ab") as err:
            self._process = subprocess.Popen(
                [*self._wrapper, LASTGOOD, "serve", "--port", "0", "--data", str(self.data), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=environment(**self._settings),
            )
        until = time.monotonic() + PATIENCE_S
        while not self._is_ready((200,) if ready else (200, 503)):
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.printed()}\n{self.logged()}")
            time.sleep(0.02)
        return self

    def _is_ready(self, statuses: Sequence[int]) -> bool:
        for line in self.printed().splitlines(keepends=True):
            if line.startswith("lastgood listens on ") and line.endswith("\n"):
                self.url = line.split()[-1]
                try:
                    return self.client(None).get("/readyz").status in statuses
                except (OSError, HTTPException):
                    return False
        return False

    def client(self, role: str | None = "responder") -> Client:
        """A client with the token of a role, or without any."""
        return Client(self.url, self.tokens[role] if role else None)

    def printed(self) -> str:
        return (self.folder / "out").read_text()

    def logged(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def stop(self, how: int = signal.SIGTERM) -> int:
        """The exit code, after a signal that asks it to stop."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """As a crash would: nothing is asked. Returns when all of its processes are gone."""
        children = children_of(self.process.pid)
        for each in (self.process.pid, *children):
            signal_quietly(each, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        until = time.monotonic() + PATIENCE_S
        while any(is_running(each) for each in children):
            assert time.monotonic() < until
            time.sleep(0.01)

    def close(self) -> None:
        """For fixtures: stops it if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.kill()


def children_of(parent: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return []


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state != "Z"


def signal_quietly(pid: int, which: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, which)
