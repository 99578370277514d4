"""Ids in paths: read as they were sent, whatever the server makes of the path before."""

from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from api.path_ids import with_ids


@pytest.fixture
def ask():
    """What is answered to a request line, and to the path that a WSGI server makes of it."""
    app = Flask("ids")
    with_ids(app, "/v1/things/")
    app.add_url_rule("/v1/things/<id:name>", view_func=lambda name: f"thing {name}", endpoint="thing")
    app.add_url_rule("/v1/things/<id:name>/parts", view_func=lambda name: f"parts of {name}", endpoint="parts")
    app.add_url_rule("/v1/other/<path:name>", view_func=lambda name: f"other {name}", endpoint="other")

    def answer(line, **more):
        path = unquote_to_bytes(urlsplit(line).path).decode("latin-1")
        environ = create_environ() | {"PATH_INFO": path, "RAW_URI": line, "REQUEST_URI": line} | more
        body, _, _ = run_wsgi_app(app, {each: value for each, value in environ.items() if value is not None})
        return b"".join(body).decode()

    return answer


@pytest.mark.parametrize(
    "name",
    ["INC", "INC/parts", "/parts", "parts", "..", "a//b", "50%", "%2Fparts", "a?b#c", "日本", "\U0001f680/parts"],
)
def test_an_id_may_be_what_a_route_is(ask, name):
    """Encoded it is an id and nothing else."""
    path = f"/v1/things/{quote(name, safe='')}"
    assert ask(path) == f"thing {name}"
    assert ask(f"{path}/parts") == f"parts of {name}"
    assert ask(f"{path}/parts?parts=/parts") == f"parts of {name}"
    assert ask(f"http://ledger.example{path}") == f"thing {name}"


def test_what_is_not_encoded_is_a_route_where_it_can_be_one(ask):
    assert ask("/v1/things/INC/parts") == "parts of INC"
    assert ask("/v1/things/INC/other") == "thing INC/other"


@pytest.mark.parametrize("line", [None, "", "/elsewhere", "/v1/things/another", "/v1/things/%zz"])
def test_without_the_line_as_it_was_sent_the_path_is_taken_as_it_comes(ask, line):
    """A server may not tell it, and one in front may have changed it."""
    told = {"RAW_URI": line, "REQUEST_URI": line}
    assert ask("/v1/things/50%25%20a", **told) == "thing 50% a"
    assert ask("/v1/things/a%2Fparts", **told) == "parts of a"


def test_other_paths_are_left_alone(ask):
    assert ask("/v1/other/a%2Fb%2525") == "other a/b%25"
