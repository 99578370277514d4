"""
The process that serves: gunicorn with one worker of many threads.

A stop (SIGTERM, SIGINT or SIGHUP) ends live streams, answers every request that has
begun, makes durable what was handed in, and exits 0. The folder's lock is
taken before the worker is forked and shared with it, so the folder is free
again only when both are gone. Why gunicorn: docs/design/server.md.
"""

import gc
import logging
import shlex
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.util import write_nonblock  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from api import logs, unreadable
from api.access import directly
from api.app import create_app
from api.config import Settings
from api.service import FolderLock, Service, open_service
from api.tokens import Tokens
from api.transparency import open_log
from ledger.application import Ledger

GRACE_S = 10
"""How long requests may take to end once the server stops."""

CLOSING_AT_ONCE = 32
"""Connections whose end is waited for, beside the requests."""

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)

SLOWEST_S = 20
"""How long one read from a client, or one write to it, may take."""


def run(settings: Settings, prepare: Callable[[Settings], None] | None = None) -> None:
    """
    Serves until it is told to stop, and exits the process then. *prepare* is called first, with the folder locked.

    Raises:
        FolderInUse: where another server runs on the data folder.
        Damaged: where what is stored there cannot be right.
    """
    logs.configure(settings.log_format)
    # A stop that comes while this opens and makes things waits for gunicorn's handlers: it then ends in order.
    with _stops_waiting():
        _run(settings, prepare)


def _run(settings: Settings, prepare: Callable[[Settings], None] | None) -> None:
    lock = FolderLock(settings.data)
    # Whatever keeps the record from opening is told here, not by a worker that is started again and again.
    with Ledger(settings.data) as ledger:
        Tokens(ledger, directly(ledger)).close()
        open_log(settings, ledger)
    if prepare is not None:
        prepare(settings)
    _Server(settings, lock).run()


@contextmanager
def _stops_waiting() -> Iterator[None]:
    """Signals that stop the server are kept back, until this ends or somebody who heeds them lets them in."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        _let_stops_in()


def _let_stops_in() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, lock: FolderLock) -> None:
        self._settings, self._lock = settings, lock
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        for name, value in {
            "bind": f"{host}:{self._settings.port}",
            "workers": 1,
            "threads": self._settings.threads,
            "worker_class": _Worker,
            "worker_connections": 1_000 + self._settings.threads,
            "keepalive": 30,
            "timeout": 120,
            "graceful_timeout": GRACE_S,
            "limit_request_line": 8_190,
            "logger_class": _Log,
            "control_socket_disable": True,
            # Which proxies to believe is said by LASTGOOD_PROXIES, and applied by the application.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "when_ready": self._announce,
            "worker_exit": _close,
        }.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        _Parent(self).run()

    def load(self) -> Flask:
        return create_app(open_service(self._settings, self._lock))

    def _announce(self, arbiter: Arbiter) -> None:
        for listener in arbiter.LISTENERS:
            click.echo(f"lastgood listens on {listener}")
        folder = self._settings.data
        elsewhere = "" if folder == Settings().data else f" --data {shlex.quote(str(folder))}"
        click.echo(f"  data folder: {folder.resolve()}")
        click.echo(f"  for a token: lastgood token create NAME --role responder{elsewhere}")


class _Parent(Arbiter):  # type: ignore[misc]
    """
    Keeps one worker, never two: each keeps read models of its own in the same folder.

    So a signal that would have gunicorn start another stops the server, as a
    terminal that is closed should, or does nothing.
    """

    def __init__(self, server: _Server) -> None:
        # Started by nohup, it is to outlive its terminal.
        self._outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().__init__(server)

    def spawn_worker(self) -> Any:
        # Told between its fork and its own handlers, the worker would take a stop for its parent's, and not heed it.
        with _stops_waiting():
            return super().spawn_worker()

    def init_signals(self) -> None:
        super().init_signals()
        _let_stops_in()

    def handle_hup(self) -> None:
        if not self._outlives_terminal:
            self.handle_term()

    def handle_ttin(self) -> None:
        self.log.warning("one worker serves a data folder; LASTGOOD_THREADS gives it more threads")

    handle_ttou = handle_usr2 = handle_ttin


class _Worker(ThreadWorker):  # type: ignore[misc]
    """One that ends its live streams when it is told to stop, and takes Ctrl-C for a stop like any other."""

    sockets: list[Any]

    def init_process(self) -> None:
        for listener in self.sockets:
            # Accepted sockets inherit both: who sends or reads too slowly must not keep a thread for ever.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(SLOWEST_S))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SLOWEST_S))
        # A batch makes hundreds of thousands of objects that live as long as it does: looking through
        # them for garbage again and again is wasted, since nothing of it is garbage yet.
        gc.set_threshold(100_000, 20, 50)
        self._closing = ThreadPoolExecutor(CLOSING_AT_ONCE, thread_name_prefix="closing")
        super().init_process()

    def finish_request(self, conn: Any, fs: Any) -> None:
        # gunicorn waits up to 2 s for a client to hang up, on the thread that takes in all requests:
        # a few who don't would hold up everybody, without even a token.
        linger = conn.close
        conn.close = lambda graceful=False: self._closing.submit(linger, graceful) if graceful else linger()
        try:
            super().finish_request(conn, fs)
        finally:
            del conn.close

    def init_signals(self) -> None:
        super().init_signals()
        # A closed terminal tells both processes; the parent decides.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _let_stops_in()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        if not self.alive:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        if (held := _service(self)) is not None:
            held.stop_waiting()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stop_waiting()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        self.handle_exit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:  # noqa: ARG002
        if unreadable.is_senders_fault(exc):
            # Its words may hold a piece of what was sent, and so a secret.
            self.log.info("refused a request that could not be read (%s)", type(exc).__name__)
        else:
            self.log.error("a request could not be handled", exc_info=exc)
        with suppress(OSError):
            write_nonblock(client, unreadable.answer(exc))

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._close_door()

    def _close_door(self) -> None:
        """Takes in who has knocked already; from then on a connection is refused at once, not left waiting and cut."""
        for listener in self.sockets:
            listener.setblocking(False)
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        self.sockets = []


class _Log(Logger):  # type: ignore[misc]
    """Hands everything to the standard library's root logger, which writes as the rest of the server does."""

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        if isinstance(sys.exception(), BlockingIOError):
            self.info("gave up on a client that was too slow")
        else:
            super().exception(msg, *args, **kwargs)

    def setup(self, cfg: Any) -> None:  # noqa: ARG002 - gunicorn's signature
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True


def _close(_arbiter: Arbiter, worker: ThreadWorker) -> None:
    if (held := _service(worker)) is not None:
        held.close()


def _service(worker: ThreadWorker) -> Service | None:
    """None as long as it is being opened."""
    app: Flask | None = getattr(worker, "wsgi", None)
    return app.extensions["lastgood"] if app is not None else None


def _timeval(seconds: int) -> bytes:
    return struct.pack("@ll", seconds, 0)
