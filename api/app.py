"""
The application: settings to service to blueprints, and what every answer gets.

The only place where everything is wired together. Views know the service
through `api.service.service`, nothing else.
"""

import re
import time
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    changes,
    decisions,
    events,
    evidence,
    findings,
    health,
    incidents,
    log,
    metrics,
    openapi,
    plans,
    postmortems,
    problems,
    reports,
    situation,
    slots,
)
from api.body import LARGEST_BODY, BoundedRequest
from api.config import Settings
from api.service import Service, open_service

RETRY_STREAM_S = 5

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
"""Told apart in measures; whoever makes up others adds none."""

STREAMS = ("text/event-stream", "application/x-ndjson", "application/zip")
"""What may go on for long: at most half of the threads, so that a reader who takes his time holds up nobody else."""

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""Pages load nothing from elsewhere and run no inline script."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_log = structlog.get_logger("access")


def create_app(held: Service | Settings) -> Flask:
    """
    The WSGI application of a service.

    From settings it opens one; who calls closes it: `app.extensions["lastgood"].close()`.
    """
    held = held if isinstance(held, Service) else open_service(held)
    app = Flask("lastgood", static_folder=None)
    app.request_class = BoundedRequest
    app.extensions["lastgood"] = held
    app.config |= _configuration()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if proxies := held.settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies, proxies)  # type: ignore[method-assign]
    _around_requests(app, held)
    _register(app)
    return app


def _configuration() -> dict[str, Any]:
    return {"MAX_CONTENT_LENGTH": LARGEST_BODY}


def _register(app: Flask) -> None:
    api = openapi.register(app)
    problems.register(app)
    app.register_blueprint(health.blp)
    api.register_blueprint(events.blp)
    api.register_blueprint(log.blp)
    api.register_blueprint(evidence.blp)
    api.register_blueprint(slots.blp)
    api.register_blueprint(decisions.blp)
    api.register_blueprint(plans.blp)
    api.register_blueprint(situation.blp)
    api.register_blueprint(findings.blp)
    api.register_blueprint(incidents.blp)
    api.register_blueprint(reports.blp)
    api.register_blueprint(metrics.blp)
    api.register_blueprint(postmortems.blp)
    api.register_blueprint(changes.blp)


def _around_requests(app: Flask, held: Service) -> None:
    """What happens before and after every view; the last function given runs first."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        g.begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        _add_headers(response)
        if held.log.refusal() is not None:
            response.headers["Lastgood-Record"] = "unverified"
        if held.answers.runner.failure is not None:
            # What is answered may be old: `known_at` says of which position it is.
            response.headers["Lastgood-Answers"] = f"behind; known to position {held.answers.reached}"
        seconds = time.perf_counter() - g.begun
        endpoint = request.endpoint or "unknown"
        method = request.method if request.method in METHODS else "other"
        held.measures.request_seconds.labels(method, endpoint, response.status_code).observe(seconds)
        _log_access(response, seconds)
        return response

    @app.after_request
    def bound_streams(response: Response) -> Response:
        if response.mimetype not in STREAMS or not response.is_streamed:
            return response
        if not held.streams.acquire(blocking=False):
            response.close()
            full = ServiceUnavailable("every live stream that this server allows is taken", retry_after=RETRY_STREAM_S)
            return app.make_response(app.handle_user_exception(full))
        held.measures.streams.inc()

        @response.call_on_close
        def release() -> None:
            held.streams.release()
            held.measures.streams.dec()

        return response


def _add_headers(response: Response) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    page = response.mimetype == "text/html"
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if page else DATA_POLICY)
    response.headers["X-Request-Id"] = g.request_id
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def _log_access(response: Response, seconds: float) -> None:
    """One line a request: no query, no header, no body, so no secret and no name of a person."""
    principal = g.get("principal")
    _log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        bytes=response.content_length,
        request_id=g.request_id,
        principal=principal.id if principal else None,
        client=request.remote_addr,
    )
