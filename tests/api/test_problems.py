"""Errors as HTTP tells them."""

import inspect
import json
import re

import pytest
import structlog
from flask import abort

from api import problems
from api.access import LOCAL_ADMIN
from api.app import create_app
from api.config import Settings
from api.replies import ProblemSchema
from api.strict_json import Malformed
from api.tokens import Unauthenticated
from api.transparency import NotPublished, NotSealed
from ledger import errors
from ledger.errors import (
    Conflict,
    Damaged,
    Fault,
    FolderInUse,
    IdTaken,
    Invalid,
    LedgerError,
    NotAllowed,
    NotRecorded,
    NotWritable,
    NotYet,
    OutOfRange,
    StaleRevision,
    TooLarge,
    Undecided,
    Unwelcome,
)
from ledger.merkle import LogError
from ledger.sealer import Unverified
from ledger.writer import WriterStopped

SECRET = "lg_a-secret-that-must-not-be-told"
EXAMPLES = [
    (Malformed([Fault("", "is not JSON")]), 400, "malformed", {"errors": [{"pointer": "", "detail": "is not JSON"}]}),
    (OutOfRange("position 9 is beyond the record"), 400, "out-of-range", {}),
    (Unauthenticated("send a token"), 401, "unauthenticated", {}),
    (NotAllowed("for people only"), 403, "not-allowed", {}),
    (NotRecorded(9, 7), 404, "not-recorded", {}),
    (IdTaken("s", "i", 3), 409, "id-taken", {"position": 3, "other_submitter": False}),
    (IdTaken("s", "i", None), 409, "id-taken", {"position": None, "other_submitter": False}),
    (IdTaken("s", "i", 3, other_submitter=True), 409, "id-taken", {"position": 3, "other_submitter": True}),
    (Unwelcome(["never ran here"]), 409, "unwelcome", {"warnings": ["never ran here"]}),
    (StaleRevision("slot/a/b", 5, 7), 412, "stale-revision", {"stream": "slot/a/b", "revision": 7}),
    (
        TooLarge([Fault("/data", "is too large", 2)]),
        413,
        "too-large",
        {"errors": [{"pointer": "/data", "detail": "is too large", "line": 2}]},
    ),
    (
        Invalid([Fault("/id", "must not be empty")]),
        422,
        "invalid",
        {"errors": [{"pointer": "/id", "detail": "must not be empty"}]},
    ),
    (Damaged("the leaf of position 3 is of format 9"), 500, "damaged", {}),
    (LogError("a hash differs"), 500, "damaged", {}),
    (NotPublished("there is no such tile"), 404, "not-published", {}),
    (NotSealed(9, 7), 503, "not-sealed", {"position": 9}),
    (Unverified(9, "the root differs"), 503, "unverified", {"size": 9}),
    (NotWritable("database is locked"), 503, "not-writable", {}),
    (NotYet(9, 7), 503, "not-yet", {"reached": 7}),
    (WriterStopped(), 503, "stopping", {}),
    (FolderInUse("data"), 503, "folder-in-use", {}),
]


@pytest.fixture
def app(tmp_path):
    made = create_app(Settings(data=tmp_path / "data"))
    yield made
    made.extensions["lastgood"].close()


def raising(app, error):
    """The answer of a view that raises *error*."""

    @app.route("/raise", methods=["GET", "POST"])
    def view():
        raise error

    return app.test_client().post("/raise?token=" + SECRET, data=SECRET, headers={"Authorization": "Bearer " + SECRET})


@pytest.mark.parametrize("error, status, kind, facts", EXAMPLES, ids=lambda value: type(value).__name__)
def test_an_error_has_a_status_a_type_and_its_facts(app, error, status, kind, facts):
    answer = raising(app, error)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "type": f"urn:lastgood:problem:{kind}",
        "title": problems.KINDS[type(error)].title,
        "status": status,
        "detail": str(error),
        **facts,
    }
    assert ProblemSchema().validate(answer.json) == {}, "the OpenAPI document says otherwise"


def test_every_error_of_the_ledger_is_in_the_table():
    """But those that are no more than a branch of the tree, and the one that is a fault of ours."""
    classes = {each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, LedgerError)}
    assert classes - set(problems.KINDS) == {LedgerError, Conflict, Undecided}
    assert {type(error) for error, *_ in EXAMPLES} == set(problems.KINDS)


def test_one_type_means_one_thing():
    """A program could not tell two apart."""
    kinds = {(kind.name, kind.status, kind.title) for kind in problems.KINDS.values()}
    assert len({name for name, *_ in kinds}) == len(kinds)


@pytest.mark.parametrize("error", [NotYet(9, 7), WriterStopped()])
def test_who_is_told_to_wait_is_told_how_long(app, error):
    assert int(raising(app, error).headers["Retry-After"]) >= 1


def test_a_challenge_says_how_to_authenticate(app):
    """RFC 9110, section 11.6.1."""
    assert raising(app, Unauthenticated("send a token")).headers["WWW-Authenticate"] == 'Bearer realm="lastgood"'


@pytest.mark.parametrize(
    "error", [KeyError(SECRET), ValueError(SECRET), RuntimeError(SECRET), OSError(28, SECRET), RecursionError(SECRET)]
)
def test_what_nobody_foresaw_is_a_reference_and_nothing_else(app, error):
    """The log has where it happened under that reference; neither has what it was about, which may be a secret."""
    with structlog.testing.capture_logs() as logged:
        answer = raising(app, error)
    assert answer.status_code == 500
    assert answer.json["type"] == "urn:lastgood:problem:unforeseen"
    assert SECRET not in answer.text
    (told,) = [each for each in logged if each["event"] == "unforeseen"]
    assert told["reference"] == answer.json["reference"]
    assert type(error).__name__ in told["error"]
    assert any("test_problems" in each for each in told["traceback"])
    assert SECRET not in json.dumps(told)


def test_damage_is_told_to_who_runs_the_server_too(app):
    """The words are ours, so the log may have them."""
    with structlog.testing.capture_logs() as logged:
        raising(app, Damaged("position 3 cannot be read"))
    assert ("damaged", "position 3 cannot be read") in [(each["event"], each.get("detail")) for each in logged]


def test_a_fault_of_deciding_is_told_by_its_cause(app):
    try:
        raise Undecided from KeyError(SECRET)
    except Undecided as error:
        with structlog.testing.capture_logs() as logged:
            answer = raising(app, error)
    assert answer.status_code == 500
    assert [each["error"] for each in logged if each["event"] == "unforeseen"] == ["builtins.KeyError"]


@pytest.mark.parametrize("status", [400, 404, 406, 410, 413, 415, 416, 418, 429, 503])
def test_what_flask_refuses_is_a_problem_too(app, status):
    @app.get("/aborting")
    def view():
        abort(status)

    answer = app.test_client().get("/aborting")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json.keys() == {"type", "title", "status", "detail"}
    assert (answer.json["type"], answer.json["status"]) == ("about:blank", status)


def test_a_method_that_is_not_allowed_says_which_are(app):
    """RFC 9110, section 15.5.6."""
    answer = app.test_client().put("/v1/events")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= {each.strip() for each in answer.headers["Allow"].split(",")}


def test_half_a_surrogate_pair_does_not_break_the_telling(app):
    answer = raising(app, Invalid([Fault("/\ud800", "is \udfff")]))
    assert answer.status_code == 422
    assert json.loads(answer.text)["errors"][0]["detail"] == "is \udfff"


def test_a_refusal_of_somebody_known_is_recorded(app):
    """Who tried what they may not is worth knowing; it is told once however often it is tried in a row."""
    held = app.extensions["lastgood"]
    text, _ = held.tokens.create("a-pipeline", ["pipeline"], LOCAL_ADMIN)
    decided = {"type": "release.approved", "data": {"service": "s", "environment": "e", "version": "1"}}
    client, headers = app.test_client(), {"Authorization": f"Bearer {text}"}
    for each in (decided, [decided, decided]):
        assert client.post("/v1/events", json=each, headers=headers).status_code == 403
    assert client.post("/v1/events?each=true", json=[decided] * 3, headers=headers).status_code == 207
    assert client.post("/v1/events", json=decided).status_code == 401
    held.writer.stop()
    refused = [each for each in held.ledger.read(0, held.ledger.head()) if each.event.TOPIC == "access.refused"]
    assert len(refused) == 1
    assert "only a person decides" in refused[0].event.reason


def test_who_is_refused_while_still_sending_hears_why(server):
    """A server that answers and hangs up in the middle of a body is heard by few clients."""
    answer = server.client("pipeline").post("/v1/events", b" " * (20 * 2**20))
    assert answer.status == 413
    answer = server.client(None).post("/v1/events", b" " * (15 * 2**20))
    assert answer.status == 401


def test_the_log_has_no_body_and_no_token(server):
    """Whatever was refused."""
    client = server.client("responder")
    client.post("/v1/events", SECRET.encode())
    client.post("/v1/events", {"type": SECRET, "data": {SECRET: SECRET}})
    client.get("/v1/events", service=SECRET, colour=SECRET)
    client.get("/v1/events", {"Authorization": "Bearer " + SECRET})
    logged = server.logged()
    assert SECRET not in logged
    assert client.token not in logged
    assert re.search(r'"status": ?422', logged)
