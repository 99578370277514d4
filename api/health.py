"""
How the server is: alive, ready, and in numbers.

`/healthz` answers as long as the process serves requests. `/readyz` says 503
with every reason while it cannot do its work, so that a balancer or a
supervisor looks elsewhere. `/metrics` is Prometheus text, and needs a token
as every other read does.
"""

import shutil
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.principals import require_reader
from api.service import Service, service

LEAST_FREE_BYTES = 64 * 1024 * 1024

blp = Blueprint("health", __name__)


@blp.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blp.get("/readyz")
def readyz() -> tuple[dict[str, Any], int]:
    """Whether the server can do all of its work: 200, or 503 with the reasons why not."""
    reasons = list(unready(service()))
    if reasons:
        return {"status": "not ready", "reasons": reasons}, 503
    return {"status": "ready"}, 200


@blp.get("/metrics")
def metrics() -> Response:
    """Measures in the Prometheus text format."""
    require_reader()
    return Response(generate_latest(service().measures.registry), content_type=CONTENT_TYPE_LATEST)


def unready(held: Service) -> Iterator[str]:
    """Why this server cannot do all of its work, in sentences for who runs it."""
    if held.stopping.is_set():
        yield "the server is stopping"
    if not held.writer.alive:
        yield "the writer has ended, so nothing can be recorded: restart the server"
    folder = held.settings.data
    try:
        free = shutil.disk_usage(folder).free
        with TemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
    except OSError as error:
        yield f"the data folder cannot be written: {error.strerror}"
    else:
        if free < LEAST_FREE_BYTES:
            yield f"the disk of the data folder has {free // 2**20} MiB left: make room"
