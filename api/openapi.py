"""
The OpenAPI 3.1 document at `/openapi.json`, and a page that shows it at `/docs`. Neither needs a token.
"""

import hashlib
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask_smorest
import orjson
from flask import Blueprint, Flask, Response, render_template, request, send_from_directory

from api.json_schema import Plugin
from api.problems import MEDIA_TYPE
from api.replies import ProblemSchema

VENDOR = Path(__file__).parent / "static" / "vendor"
VIEWER = "openapi-explorer-2.4.820"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The viewer styles itself inline. It runs no inline script, and loads nothing from elsewhere."""

_DESCRIPTION = """\
The flight recorder of production: deployments, releases, incidents, severity
changes and rollbacks, each an immutable event, and what follows from them.
Errors are problem documents (RFC 9457).
"""
_ROOT = {"type": "http", "scheme": "bearer", "description": "a token: `lastgood token create NAME --role ROLE`"}


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest with our schemas, and with problem documents for every error."""

    def __init__(self, app: Flask) -> None:
        options = {
            "info": {"description": _DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
        }
        plugin = Plugin()
        super().__init__(app, spec_kwargs={"marshmallow_plugin": plugin, **options})
        self.spec.components.security_scheme("token", _ROOT)

    def _register_doc_blueprint(self) -> None:
        """The document is served by our own view."""

    def _register_error_handlers(self) -> None:
        """Errors are told by `api.problems`."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            self.spec.components.response(status.name, _response(status.phrase, status), lazy=True)
        self.spec.components.response("DEFAULT_ERROR", _response("Any other error", 500), lazy=True)

    @cached_property
    def document(self) -> bytes:
        """The document as it is served; all blueprints must have been registered before it is first asked for."""
        return orjson.dumps(self.spec.to_dict())


def _response(description: str, status: int) -> dict[str, Any]:
    if status < 400:
        return {"description": description}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": ProblemSchema}}}


def register(app: Flask) -> Api:
    """Makes the document of *app* and serves it. Blueprints are registered with what comes back."""
    app.config |= {"API_TITLE": "lastgood", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"}
    api = Api(app)
    app.register_blueprint(_docs(api))
    return api


def _docs(api: Api) -> Blueprint:
    blp = Blueprint("docs", __name__, template_folder="templates")

    @blp.get("/openapi.json")
    def openapi_json() -> Response:
        response = Response(api.document, content_type="application/json")
        response.set_etag(hashlib.sha256(api.document).hexdigest()[:32])
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
        return response

    @blp.get("/docs")
    def page() -> Response:
        response = Response(render_template("docs.html", viewer=VIEWER), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @blp.get("/docs/assets/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(VENDOR, name, max_age=31_536_000)

    return blp
