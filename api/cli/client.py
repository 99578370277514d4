"""
The HTTP client of every verb: one kept-alive connection, the standard library alone.

Failures that pass are tried again, with growing pauses, for as long as the
timeout allows: a connection that breaks, 429 and 502 to 504, a Retry-After
obeyed. Sending again is safe, since an event has its id before it is first
sent. Whatever fails for good is raised as one of the errors of
`api.cli.exits`, with the ledger's own words.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import click

from api.cli.exits import Conflict, IdOfAnother, Invalid, NotAllowed, Stopped, Unreachable

if TYPE_CHECKING:
    from email.message import Message

CONNECT_TIMEOUT_S = 5.0
PAUSES_S = (0.1, 0.3, 0.6, 1.2, 2.4)
PASSING = frozenset({429, 502, 503, 504})

Query = Mapping[str, Any]


class Reply(NamedTuple):
    status: int
    headers: "Message"
    content: bytes

    def json(self) -> Any:
        """Raises `Unreachable` where this is no JSON: then whatever answered is no ledger."""
        try:
            return json.loads(self.content)
        except ValueError:
            raise Unreachable(
                f"the answer is not JSON but {self.headers.get_content_type()}: no ledger is at this address",
                "check LASTGOOD_URL",
            ) from None


class Client:
    """Not for more than one thread at a time. *pause* sleeps; *clock* counts seconds."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout_s: float = 30.0,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._pause, self._clock = pause, clock
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if not parts.hostname or port == 0:
            raise click.UsageError(f"{url} is no address of a ledger; it reads like http://127.0.0.1:8080")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, port, timeout=min(CONNECT_TIMEOUT_S, timeout_s))
        self._prefix = quote(parts.path.rstrip("/"), safe="/%")
        self._headers = {"User-Agent": "lastgood"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON at *path*."""
        return self._reply("GET", path, query, {"Accept": "application/json"}).json()

    def content(self, path: str, query: Query | None = None) -> bytes:
        """The bytes at *path*."""
        return self._reply("GET", path, query, {}).content

    def post(
        self,
        path: str,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
    ) -> Any:
        """The JSON that answers *body*; sent again after failures that pass, so it must be safe to send twice."""
        sent = {"Accept": "application/json", "Content-Type": content_type, **(headers or {})}
        return self._reply("POST", path, query, sent, body).json()

    def lines(self, path: str, query: Query | None = None) -> Iterator[bytes]:
        """The NDJSON at *path*, line by line. Raises `Unreachable` if it ends before it is whole."""
        response = self._open("GET", path, query, {"Accept": "application/x-ndjson"})
        try:
            if response.headers.get_content_type() == "text/html":
                raise Unreachable("the answer is a web page: no ledger is at this address", "check LASTGOOD_URL")
            yield from _lines(response)
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            # What is left unread would be taken for the next answer.
            if not response.isclosed():
                self.close()

    def mark(self, text: str) -> str:
        """A mark of *text* that stays the same, and that nobody without this token can foresee."""
        import hmac  # noqa: PLC0415 - hardly ever needed

        return hmac.digest(self._headers.get("Authorization", "").encode(), text.encode(), "sha256").hex()[:16]

    def close(self) -> None:
        self._connection.close()

    def _reply(
        self, method: str, path: str, query: Query | None, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        with self._open(method, path, query, headers, body) as response:
            try:
                return Reply(response.status, response.headers, response.read())
            except (OSError, HTTPException) as error:
                self.close()
                raise self._unreachable(error) from None

    def _open(
        self, method: str, path: str, query: Query | None, headers: Mapping[str, str], body: bytes | None = None
    ) -> HTTPResponse:
        """A response with status 2xx, its body unread."""
        target = self._prefix + path
        if given := {name: value for name, value in (query or {}).items() if value is not None and value != ()}:
            target += "?" + urlencode(given, doseq=True)
        until = self._clock() + self._timeout_s
        for pause_s in (*PAUSES_S, None):
            try:
                response = self._send(method, target, headers, body, until)
            except (OSError, HTTPException) as error:
                self.close()
                # Nobody waits for a reader: a person who finds no server there is told at once.
                hopeless = method == "GET" and isinstance(error, ConnectionRefusedError)
                failure: Stopped = self._unreachable(error)
                wait_s = None if hopeless else pause_s
            else:
                if response.status < 300:
                    return response
                failure = self._refusal(method, path, response)
                passing = response.status in PASSING and pause_s is not None
                wait_s = max(pause_s or 0.0, _retry_after(response)) if passing else None
            if wait_s is None or self._clock() + wait_s >= until:
                raise failure
            self._pause(wait_s)
        raise AssertionError("the last turn raises")

    def _send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, until: float
    ) -> HTTPResponse:
        connection = self._connection
        reused = connection.sock is not None
        try:
            return self._exchange(method, target, headers, body, until)
        except (ConnectionError, HTTPException):
            # A server may close a kept connection at any moment; that says nothing about the server.
            if not reused:
                raise
            connection.close()
            return self._exchange(method, target, headers, body, until)

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, until: float
    ) -> HTTPResponse:
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(max(0.1, until - self._clock()))
        # A server may refuse before it has read the whole body: what it says then is waiting to be read.
        with suppress(BrokenPipeError):
            connection.request(method, target, body, {**self._headers, **headers})
        return connection.getresponse()

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"no answer from {self.url}: {_in_words(error)}",
            "start a ledger with `lastgood serve`, or point LASTGOOD_URL (or --url) at one",
        )

    def _refusal(self, method: str, path: str, response: HTTPResponse) -> Stopped:
        with suppress(OSError, HTTPException):
            content = response.read()
            return refusal(f"{method} {path}", response.status, response.headers, content)
        self.close()
        return self._unreachable(ConnectionResetError("the answer broke off"))


def refusal(asked: str, status: int, headers: "Message", content: bytes) -> Stopped:
    """The error that a status other than 2xx means; *content* is its problem document (RFC 9457)."""
    problem = _problem(content)
    if problem is None and (status == 404 or 300 <= status < 400):
        return Unreachable(f"{asked}: {status}, and no ledger is at this address", "check LASTGOOD_URL", status)
    said = _said(problem or {}, status)
    if status in {401, 403}:
        advice = (
            "set LASTGOOD_TOKEN; who runs the ledger makes a token with `lastgood token create NAME --role pipeline`"
            if status == 401
            else "ask for a token with the role and the bindings for this: `lastgood token create --help`"
        )
        return NotAllowed(said, advice, status)
    if status in {409, 412, 428}:
        kind = IdOfAnother if problem and problem.get("other_submitter") is True else Conflict
        return kind(said, "look at what is recorded with `lastgood status` or `lastgood export`", status)
    if status == 429:
        wait = headers.get("Retry-After")
        return Unreachable(said, f"try again in {wait} s" if wait else "try again later", status)
    if status >= 500:
        return Unreachable(said, "try again; `lastgood doctor` on the server's machine says more", status)
    if asked.startswith("GET"):
        return Invalid(said, "see what is recorded with `lastgood status`, and what can be asked with --help", status)
    return Invalid(said, "try it first with --dry-run; GET /openapi.json describes every event", status)


def _problem(content: bytes) -> dict[str, Any] | None:
    try:
        problem = json.loads(content)
    except ValueError:
        return None
    return problem if isinstance(problem, dict) else None


def _said(problem: Mapping[str, Any], status: int) -> str:
    title = problem.get("title") or f"the ledger answered {status}"
    detail = problem.get("detail")
    errors = problem.get("errors")
    # Where there are errors, they are the detail.
    lines = [f"{title}: {detail}" if detail and detail != title and not errors else str(title)]
    for error in errors[:20] if isinstance(errors, list) else ():
        place = f"line {error['line']}: " if error.get("line") is not None else ""
        lines.append(f"  {place}{error.get('pointer') or 'the event'} {error.get('detail')}")
    if isinstance(errors, list) and len(errors) > 20:
        lines.append(f"  and {len(errors) - 20} more")
    return "\n".join(lines)


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    rest = b""
    while chunk := response.read(1 << 16):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
    # The standard library takes an early end for the end unless the reply is chunked.
    if response.length:
        raise IncompleteRead(rest, response.length)
    if rest.strip():
        yield rest


def _retry_after(response: HTTPResponse) -> float:
    """Seconds to wait (RFC 9110, section 10.2.3), 0 where the answer does not say."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0


def _in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"what came back is not HTTP ({type(error).__name__})"
