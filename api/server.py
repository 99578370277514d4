"""
The process that serves: gunicorn with one worker of many threads.

A stop (SIGTERM or SIGINT) ends live streams, answers every request that has
begun, makes durable what was handed in, and exits 0. The folder's lock is
taken before the worker is forked and shared with it, so the folder is free
again only when both are gone. Why gunicorn: docs/design/server.md.
"""

import logging
from types import FrameType
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from api import logs
from api.app import create_app
from api.config import Settings
from api.service import FolderLock, Service, open_service

GRACE_S = 10
"""How long requests may take to end once the server stops."""


def run(settings: Settings) -> None:
    """
    Serves until it is told to stop; exits the process then.

    Raises:
        FolderInUse: where another server runs on the data folder.
    """
    logs.configure(settings.log_format)
    lock = FolderLock(settings.data)
    _Server(settings, lock).run()


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

    def load(self) -> Flask:
        return create_app(open_service(self._settings, self._lock))

    def _announce(self, arbiter: Arbiter) -> None:
        for listener in arbiter.LISTENERS:
            click.echo(f"lastgood listens on {listener}")
        data = self._settings.data.resolve()
        click.echo(f"  data folder: {data}")
        click.echo("  first token: lastgood token create NAME --role responder")


class _Worker(ThreadWorker):  # type: ignore[misc]
    """One that ends its live streams when it is told to stop, and takes Ctrl-C for a stop like any other."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        _service(self).stop_waiting()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        self.handle_exit(sig, frame)


class _Log(Logger):  # type: ignore[misc]
    """Hands everything to the standard library's root logger, which writes as the rest of the server does."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002 - gunicorn's signature
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True


def _close(_arbiter: Arbiter, worker: ThreadWorker) -> None:
    _service(worker).close()


def _service(worker: ThreadWorker) -> Service:
    held: Service = worker.wsgi.extensions["lastgood"]
    return held
