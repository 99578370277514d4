"""The OpenAPI document, and the page that shows it."""

import json
import re

import jsonschema_rs
import pytest
from hypothesis import given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import openapi, schemas
from api.app import create_app
from api.config import Settings
from api.json_schema import OFFERED
from ledger.contract import members
from ledger.errors import Invalid
from ledger.events import EVENTS
from tests.api.spoilt import events, inflated, spoilt


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    made = create_app(Settings(data=tmp_path_factory.mktemp("openapi") / "data"))
    yield made
    made.extensions["lastgood"].close()


@pytest.fixture(scope="module")
def document(app):
    return json.loads(app.test_client().get("/openapi.json").text)


@pytest.fixture(scope="module")
def judge(document):
    """Whether the document says that a JSON value is an event that is taken."""
    schema = {"$ref": "#/components/schemas/Event", "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=False).is_valid


def test_it_is_an_openapi_3_1_document(document):
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_it_needs_no_token_and_is_not_sent_twice(app):
    client = app.test_client()
    first = client.get("/openapi.json")
    assert (first.status_code, first.mimetype) == (200, "application/json")
    assert client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_every_path_under_v1_is_in_it(app, document):
    """And every method of it."""
    served = {
        (re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    written = {(path, method) for path, item in document["paths"].items() for method in item if method != "parameters"}
    assert ("/v1/events", "post") in served
    assert served <= written


def test_every_operation_says_what_it_refuses(document):
    """401, 403, 422 and 500 can come from anywhere; every problem is a problem document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/events") and method != "parameters":
                assert {"401", "403", "422", "500"} <= operation["responses"].keys(), path
                assert operation["summary"]
    for response in document["components"]["responses"].values():
        if "content" in response:
            assert list(response["content"]) == ["application/problem+json"]


def test_every_parameter_of_appending_and_reading_is_in_it(document):
    def names(path, method):
        return {(each["in"], each["name"]) for each in document["paths"][path][method]["parameters"]}

    assert names("/v1/events", "post") == {
        ("query", "each"),
        ("query", "strict"),
        ("query", "claim"),
        ("query", "wait"),
        ("header", "If-Match"),
        ("header", "Prefer"),
    }
    filters = "type service environment version incident actor since until after limit as_of known_at at_least"
    assert names("/v1/events", "get") == {*(("query", each) for each in filters.split()), ("header", "If-None-Match")}
    assert names("/v1/events/stream", "get") == {("query", "after"), ("header", "Last-Event-ID")}
    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    assert content.keys() == {
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
    }


def test_examples_are_what_the_schemas_take(document):
    """An example that is refused is worse than none."""
    found = []

    def look(node, path):
        if isinstance(node, dict):
            if "example" in node and "schema" in node:
                schema = {**node["schema"], "components": document["components"]}
                assert jsonschema_rs.Draft202012Validator(schema).is_valid(node["example"]), path
                found.append(path)
            for name, each in node.items():
                look(each, (*path, name))
        elif isinstance(node, list):
            for index, each in enumerate(node):
                look(each, (*path, index))

    look(document["paths"], ())
    assert len(found) >= 6


def test_what_the_ledger_writes_itself_is_not_offered(document):
    event = document["components"]["schemas"]["Event"]
    assert event["discriminator"]["propertyName"] == "type"
    assert set(event["discriminator"]["mapping"]) == set(OFFERED)
    assert len(event["oneOf"]) == len(OFFERED)
    assert not any(name.startswith(("access.", "Access")) for name in document["components"]["schemas"])


@pytest.mark.parametrize("topic", OFFERED)
def test_an_event_is_described_by_its_members(document, topic):
    cls, described = EVENTS[topic], document["components"]["schemas"]
    whole, data = described[topic], described[EVENTS[topic].__name__]
    known = {each: member for each, member in members(cls).items() if each not in cls.LEDGER_SETS}
    assert whole["required"] == ["data", "type"]
    assert whole["properties"]["data"] == {"$ref": f"#/components/schemas/{cls.__name__}"}
    assert whole["properties"]["type"]["enum"] == [topic]
    assert data["additionalProperties"] is False
    assert set(data["properties"]) == set(known)
    assert set(data.get("required", ())) == {each for each, member in known.items() if member.required}


@settings(deadline=None, max_examples=300)
@given(event=events())
def test_what_is_right_is_right_by_the_document(judge, event):
    assert judge(event)


@settings(deadline=None, max_examples=800)
@given(event=spoilt())
def test_the_document_promises_neither_more_nor_less_than_is_taken(judge, event):
    """But for what JSON Schema can't say: a day that no calendar has, a size in bytes, depth, that 1.0 is no integer."""
    whole = inflated(event)
    try:
        schemas.load(whole)
        taken = True
    except Invalid as error:
        if all(
            re.search("calendar|larger than|levels deep|rounds?:|readers round", each.detail) for each in error.errors
        ):
            return
        taken = False
    if isinstance(whole, dict) and str(whole.get("type", "")).startswith("access."):
        return
    assert judge(whole) is taken


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_inline_script(app):
    client = app.test_client()
    page = client.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    loaded = re.findall(r'(?:src|href|spec-url)="([^"]*)"', page.text)
    assert loaded
    for each in loaded:
        assert each.startswith("/")
        with client.get(each) as answer:
            assert answer.status_code == 200, each


def test_what_is_vendored_lies_with_its_licence(app):
    folder = openapi.VENDOR / openapi.VIEWER
    assert (folder / "LICENSE").read_text().strip()
    with app.test_client().get(f"/docs/assets/{openapi.VIEWER}/openapi-explorer.min.js") as script:
        assert script.mimetype in ("text/javascript", "application/javascript")
        assert "max-age=31536000" in script.headers["Cache-Control"]
    assert app.test_client().get("/docs/assets/../../openapi.py").status_code == 404
