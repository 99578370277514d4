"""
How the server is: alive, ready, and in numbers.

`/healthz` answers as long as the process serves requests. `/readyz` says 503
with every reason while it cannot do its work, so that a balancer or a
supervisor looks elsewhere. `/metrics` is Prometheus text, and needs a token
as every other read does.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import problems
from api.principals import require_reader
from api.service import Service, service

CATCH_UP_S = 1.0
"""How long a check waits for the read models to reach what was recorded when it began."""

NOT_READY = "urn:lastgood:problem:not-ready"

LEAST_FREE_BYTES = 64 * 1024 * 1024

blp = Blueprint("health", __name__)


@blp.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether the server can do all of its work: 200, or 503 and a problem document with the reasons why not."""
    reasons = list(unready(service()))
    if not reasons:
        return {"status": "ready"}
    document = {
        "type": NOT_READY,
        "title": "Not ready",
        "status": 503,
        "detail": "; ".join(reasons),
        "reasons": reasons,
    }
    return document, 503, {"Content-Type": problems.MEDIA_TYPE, "Retry-After": str(problems.RETRY_S)}


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
    yield from held.log.unready()
    yield from _behind(held)
    yield from _unwritable(held.settings.data)


def _behind(held: Service) -> Iterator[str]:
    if not held.answers.tables.path.exists():
        yield "the read models were deleted under the server: restart it, and they are rebuilt"
        return
    if held.answers.runner.failure is not None:
        position, error = held.answers.runner.failure
        yield f"the read models stopped after position {position} ({error}): run `lastgood rebuild`, then restart"
        return
    head = held.ledger.head()
    if not held.answers.wait(head, CATCH_UP_S):
        yield f"the read models are at position {held.answers.reached} of {head}: they are catching up"


def _unwritable(folder: Path) -> Iterator[str]:
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
