"""Evidence over HTTP: what was asked is recorded, what comes is verified, what may not be asked is refused."""

import io
import json
import zipfile
from uuid import uuid4

import pytest

from api import evidence
from api.access import LOCAL_ADMIN
from api.app import create_app
from api.config import Settings
from ledger import verify
from ledger.evidence import _seal as seal
from tests.server import Server

ABOUT = {"record.corrected", "record.retracted", "record.redacted", "decision.seconded", "finding.accepted"}
"""What is recorded about other events."""


@pytest.fixture
def service(server) -> str:
    """A service with three deployments, in a record shared with others."""
    name = f"evidence-{uuid4().hex[:8]}"
    data = {"service": name, "environment": "production"}
    client = server.client("responder")
    for number in range(3):
        said = {**data, "deployment_id": f"{name}-{number}", "version": f"1.{number}", "author": "Ana Lima"}
        client.append({"type": "deployment.succeeded", "time": f"2026-01-0{number + 1}T10:00:00Z", "data": said})
    return name


def bundle(server: Server, role: str = "auditor", **query) -> bytes:
    answer = server.client(role).get("/v1/evidence", **query)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.body


def shown(content: bytes) -> list[dict]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [json.loads(line)["event"] for line in archive.read("entries.ndjson").splitlines()]


def verified(server: Server, content: bytes) -> verify.Report:
    keys = server.client(None).get("/log.vkey").body.decode().splitlines()
    return verify.verify(io.BytesIO(content), map(verify.parse_key, keys))


def test_a_bundle_has_what_matches_and_verifies_with_the_served_key(server, service):
    """By a checkpoint that has the asking itself."""
    content = bundle(server, service=service)
    events = shown(content)
    assert [each["data"]["version"] for each in events[:-1]] == ["1.0", "1.1", "1.2"]
    assert {each["data"]["author"] for each in events[:-1]} == {"Ana Lima"}
    assert verified(server, content).differences == []


def test_who_asked_for_what_is_in_the_record(server, service):
    """As access.exported, written by the ledger; nobody can say so from outside."""
    events = shown(bundle(server, service=service, until="2026-01-02T10:00:00+00:00", words="false"))
    asked = events[-1]
    assert asked["type"] == "access.exported"
    filters = {"service": service, "until": "2026-01-02T10:00:00+00:00"}
    assert asked["data"]["query"] == {"evidence": {"filters": filters, "first": 1, "complete": True, "words": False}}
    assert asked["data"]["roles"] == ["auditor"]
    recorded = server.client("auditor").get(f"/v1/events/{asked['position']}").json()
    assert recorded["data"] == asked["data"]
    assert recorded["authid"] == asked["data"]["subject"]
    assert [each["data"]["version"] for each in events[:-1]] == ["1.0"]
    assert events[0]["data"]["author"] == "[withheld]"


def test_every_filter_of_reading_events_is_one_of_evidence(server, service):
    """An auditor asks the same way."""
    document = server.client(None).get("/openapi.json").json()

    def names(path: str) -> set[str]:
        return {each["name"] for each in document["paths"][path]["get"]["parameters"] if each["in"] == "query"}

    reading = names("/v1/events") - {"limit", "as_of", "known_at", "at_least"}
    assert names("/v1/evidence") == reading | {"complete", "words", "report"}


def test_evidence_and_reading_choose_alike(server, service):
    """But for what is recorded about an event, which goes with it as evidence."""
    client = server.client("responder")
    data = {"service": service, "environment": "production", "version": "1.1", "reason": "bad"}
    wrong = client.append({"type": "release.marked_bad", "data": data})
    client.append({"type": "record.retracted", "data": {"position": wrong["position"], "reason": "it was not"}})
    for query in ({"service": service}, {"service": service, "version": "1.1"}, {"type": "release.marked_bad"}):
        read = client.get("/v1/events", limit=1000, at_least=wrong["position"] + 1, **query).json()["items"]
        chosen = {each["position"]: each["type"] for each in shown(bundle(server, **query))[:-1]}
        beside = chosen.keys() - {each["sequence"] for each in read}
        assert len(read) + len(beside) == len(chosen)
        assert {chosen[each] for each in beside} <= ABOUT


def test_a_bundle_without_the_others_is_smaller_and_says_what_it_lacks(server, service):
    """complete=false: the leaves that don't match stay out."""
    whole, only = bundle(server, service=service), bundle(server, service=service, complete="false")
    with zipfile.ZipFile(io.BytesIO(whole)) as one, zipfile.ZipFile(io.BytesIO(only)) as other:
        assert one.read("leaves.ndjson").count(b"\n") > 4
        assert other.read("leaves.ndjson").count(b"\n") == 4
    report = verified(server, only)
    assert report.differences == []
    assert any("can't be told from this file" in each for each in report.remarks)


def test_a_range_begins_after_a_position(server, service):
    """And completeness is shown from there on."""
    first = shown(bundle(server, service=service))[0]["position"]
    content = bundle(server, after=first)
    assert [each["position"] for each in shown(content)] == list(range(first + 1, shown(content)[-1]["position"] + 1))
    assert verified(server, content).differences == []


@pytest.mark.parametrize(
    "query, pointer",
    [
        ({"since": "2026-01-01T00:00:00"}, "/since"),
        ({"type": "no.such"}, "/type"),
        ({"colour": "red"}, "/colour"),
        ({"complete": "maybe"}, "/complete"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_not_recorded(server, query, pointer):
    """422, and which parameter it was."""
    before = asked_so_far(server)
    answer = server.client("auditor").get("/v1/evidence", **query)
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert asked_so_far(server) == before


def asked_so_far(server: Server) -> int:
    """Without a filter, so that no read model has to catch up first."""
    lines = server.client("auditor").get("/v1/events", headers={"Accept": "application/x-ndjson"}).lines()
    return sum(each["type"] == "access.exported" for each in lines)


def test_a_range_that_no_bundle_takes_is_refused_with_what_to_do(server, service, monkeypatch, tmp_path):
    """Narrower, or only what matches."""
    monkeypatch.setattr(evidence, "LARGEST_RANGE", 2)
    app = create_app(Settings(data=tmp_path / "data"))
    held = app.extensions["lastgood"]
    try:
        token, _ = held.tokens.create("a", ["auditor"], LOCAL_ADMIN)
        for _ in range(2):
            held.tokens.create("b", ["auditor"], LOCAL_ADMIN)
        client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
        refused = client.get("/v1/evidence", headers=headers)
        assert refused.status_code == 422
        assert "complete=false" in refused.json["errors"][0]["detail"]
        for query in ("complete=false", "after=2"):
            with client.get(f"/v1/evidence?{query}", headers=headers) as answer:
                assert answer.status_code == 200
    finally:
        held.close()


def test_nobody_gets_evidence_without_a_token(server):
    """401; and a token that may read suffices."""
    assert server.client(None).get("/v1/evidence").status == 401


def test_no_words_stay_behind_on_the_disk(server, service):
    """The bundle is made in a file without a name."""
    before = {path.name for path in server.data.iterdir()}
    bundle(server, service=service)
    assert {path.name for path in server.data.iterdir()} == before


@pytest.fixture
def incident(server) -> str:
    """An incident that is over."""
    name = f"INC-{uuid4().hex[:8]}"
    told = {"title": "it is down", "severity": "SEV-2", "kind": "outage"}
    client = server.client("responder")
    client.append({"type": "incident.declared", "data": {"incident": name, **told}})
    position = client.append({"type": "incident.resolved", "data": {"incident": name, "reason": "mended"}})["position"]
    client.get(f"/v1/incidents/{name}", at_least=position)
    return name


def test_a_report_can_go_along_and_its_events_are_compared(server, incident):
    """As the auditor's JSON and page; that it was asked for is recorded, too."""
    content = bundle(server, incident=incident, report=incident)
    report = verified(server, content)
    assert report.differences == []
    assert f"report.json is about {incident}: 2 of the 2 events that it rests on are here" in report.told
    assert any("not proven" in each for each in report.remarks)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist()[-2:] == ["report.json", "report.html"]
        assert json.loads(archive.read("report.json"))["audience"] == "auditor"
        assert archive.read("report.html").startswith(b"<!doctype html>")
        assert f"about the incident {incident}" in archive.read("README.txt").decode()
    assert shown(content)[-1]["data"]["query"]["evidence"]["report"] == incident


def forged(content: bytes, change) -> bytes:
    """The bundle with another report, sealed anew as a forger would."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    model = json.loads(members["report.json"])
    change(model)
    members["report.json"] = json.dumps(model).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, each in members.items():
            archive.writestr(name, each)
        archive.comment = verify.SEAL + b"0" * 64
    seal(file)
    return file.getvalue()


def test_a_report_of_other_events_or_another_incident_differs(server, incident):
    """Each told by its position."""
    content = bundle(server, incident=incident, report=incident)
    assert verified(server, forged(content, lambda _: None)).differences == []
    first = shown(content)[0]["position"]

    def differences(change):
        return [each.text for each in verified(server, forged(content, change)).differences]

    assert differences(lambda model: model["appendix"][0].update(leaf="0" * 64)) == [
        f"position {first} has another leaf than the enclosed report says"
    ]
    assert differences(lambda model: model["appendix"].append({"position": 10**9, "leaf": "0" * 64})) == [
        f"position {10**9} is named by the enclosed report, and is not in the record"
    ]
    assert differences(lambda model: model.update(incident="other")) == [
        f"a report about {incident} was asked for, and one about other is enclosed"
    ]


def test_with_matching_events_alone_what_is_not_here_is_counted(server, incident):
    """Only some of what a report rests on may be enclosed."""
    content = bundle(server, type="incident.declared", incident=incident, report=incident, complete="false")
    report = verified(server, content)
    assert report.differences == []
    assert f"report.json is about {incident}: 1 of the 2 events that it rests on are here" in report.told


def test_a_report_is_refused_without_words_and_about_nothing(server):
    """422 and 404; then nothing is recorded as exported."""
    client = server.client("auditor")
    refused = client.get("/v1/evidence", report="INC-1", words="false")
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "/report")
    assert client.get("/v1/evidence", report="nobody-knows").status == 404
