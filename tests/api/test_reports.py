"""`GET /v1/incidents/{id}/report`: every format, every audience, any moment, the same bytes for the same question."""

import csv
import io
import json
from uuid import uuid4

import pytest
from marshmallow import RAISE
from werkzeug.exceptions import HTTPException

from api import report_replies as replies
from api import reports
from api.report.proofs import first_covering
from ledger.checkpoints import read_notes
from ledger.note import Signer, signed_note
from ledger.verify import leaf_hash
from tests import foreign
from tests.api import report_scene as scene
from tests.api.test_incidents import event, last, lived
from tests.projections.reporting import told
from tests.projections.story import Story

MEDIA_TYPES = {
    "json": "application/json",
    "md": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "csv": "text/csv",
}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def slot():
    return {"service": f"web-{uuid4().hex[:8]}", "environment": "production"}


@pytest.fixture
def name():
    return f"INC-{uuid4().hex[:8]}"


def report(client, name, status=200, headers=None, **query):
    answer = client.get(f"/v1/incidents/{name}/report", headers=headers, **query)
    assert answer.status == status, answer.body
    return answer


def written(client, name):
    """A postmortem that is published to all but for its last word."""
    return client.append(
        event("postmortem.started", incident=name, owner="ana"),
        event("postmortem.section_written", incident=name, section="summary", text="It was *the cache*."),
        event("postmortem.cause_recorded", incident=name, statement="it leaks", kind="root", category="leak"),
        event("postmortem.action_added", incident=name, action_id="A1", text="mend", kind="prevent", owner="ana"),
        event("postmortem.approved", incident=name),
        event("postmortem.published", incident=name, audience="public"),
    )["last"]


@pytest.mark.parametrize("audience", ["internal", "public", "auditor"])
def test_the_json_has_the_documented_shape(client, slot, name, audience):
    """For every audience; nothing in it is undocumented."""
    lived(client, name, slot)
    found = report(client, name, audience=audience, at_least=written(client, name)).json()
    replies.Report().load(found, unknown=RAISE)
    assert (found["format"], found["incident"], found["audience"]) == ("lastgood-report/1", name, audience)
    assert found["measures"]["time_to_detect"]["seconds"] == 300
    assert found["cover"]["status"] == "published"


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_every_format_can_be_had_by_name_or_by_accept(client, slot, name, form):
    """The same bytes either way, under a name to save it by."""
    position = lived(client, name, slot)
    by_name = report(client, name, format=form, at_least=position)
    by_header = report(client, name, headers={"Accept": MEDIA_TYPES[form]})
    assert by_name.headers.get_content_type() == MEDIA_TYPES[form]
    assert by_name.body == by_header.body
    assert by_name.headers["ETag"] == by_header.headers["ETag"]
    assert f'filename="{name}-internal.{form}"' in by_name.headers["Content-Disposition"]
    assert by_name.headers["Cache-Control"] == "private, no-cache"


def test_docx_can_be_had_where_the_extra_is_installed(client, slot, name):
    """Its words are those of the others."""
    foreign.extra("pypandoc", "docx")
    position = lived(client, name, slot)
    found = report(client, name, format="docx", at_least=position)
    assert found.headers.get_content_type() == DOCX
    assert "it is the cache" in scene.read_docx(found.body)


def test_what_cannot_be_made_here_is_told_as_such(monkeypatch, tmp_path):
    """501 without pandoc, with what to install; 503 for what takes too long."""
    from api.report import docx, pdf

    def without():
        raise docx.NotInstalled

    monkeypatch.setattr(docx, "_pandoc", without)
    monkeypatch.setattr(pdf, "PATIENCE_S", 0.001)
    story = Story(tmp_path / "models")
    story.at("10:00").declared("INC-1", "SEV-3")
    model = told(story)
    story.close()
    with pytest.raises(HTTPException, match=r"pip install lastgood\[docx\]") as refused:
        reports.FORMATS["docx"].render(model)
    assert refused.value.code == 501
    with pytest.raises(HTTPException, match="ask for another format") as late:
        reports.FORMATS["pdf"].render(model)
    assert late.value.code == 503


def test_what_a_browser_asks_for_is_answered_as_a_page_and_anything_as_json(client, slot, name):
    """And what cannot be had is refused with what can."""
    position = lived(client, name, slot)
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = report(client, name, headers=browser, at_least=position)
    assert page.headers.get_content_type() == "text/html"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert report(client, name, headers={"Accept": "*/*"}).headers.get_content_type() == "application/json"
    refused = report(client, name, 406, headers={"Accept": "image/png"}).json()
    assert "application/pdf" in refused["detail"]


def test_who_has_it_already_is_not_sent_it_again(client, slot, name):
    """By its ETag (304), which changes with what is recorded."""
    position = lived(client, name, slot)
    first = report(client, name, format="md", at_least=position)
    again = report(client, name, 304, headers={"If-None-Match": first.headers["ETag"]}, format="md")
    assert again.body == b""
    position = last(client.append(event("incident.note_added", incident=name, text="one more")))
    changed = report(client, name, headers={"If-None-Match": first.headers["ETag"]}, format="md", at_least=position)
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_what_else_is_recorded_changes_no_byte(client, slot, name, form):
    """The same report as of then, asked for later; and the newest, while nothing is recorded about it."""
    position = lived(client, name, slot)
    before = report(client, name, format=form, at_least=position).body
    then = report(client, name, format=form, known_at=position).body
    other = last(
        client.append(event("deployment.succeeded", deployment_id="d", version="1", service="x", environment="y"))
    )
    assert report(client, name, format=form, at_least=other).body == before
    later = last(client.append(event("incident.note_added", incident=name, text="later")))
    assert report(client, name, format=form, at_least=later).body != before
    assert report(client, name, format=form, known_at=position, at_least=later).body == then


def test_a_published_report_is_read_as_it_was_published(client, slot, name):
    """What is written afterwards is in the newest alone; what was never published is not there."""
    position = lived(client, name, slot)
    refused = report(client, name, 404, published="true", audience="public", at_least=position).json()
    assert "was not published" in refused["detail"]
    position = written(client, name)
    report(client, name, 404, published="true", audience="internal", at_least=position)
    first = report(client, name, published="true", audience="public").body
    text = "It was the cache, and more."
    position = last(client.append(event("postmortem.section_written", incident=name, section="summary", text=text)))
    again = report(client, name, published="true", audience="public", at_least=position)
    assert again.body == first
    assert again.json()["summary"]["text"] == "It was *the cache*."
    assert report(client, name, audience="public").json()["summary"]["text"] == text


@pytest.mark.parametrize("form", ["json", "md", "html"])
def test_whoever_was_given_a_token_is_named_in_no_public_report(server, client, slot, name, form):
    """Also who recorded nothing of the incident, and however the author marked the name up."""
    server.token("responder", name="Quirina Zaj\u00edc")
    position = lived(client, name, slot)
    text = "**Qui**rina asked, Zajics team agreed"
    position = last(client.append(event("postmortem.section_written", incident=name, section="summary", text=text)))
    inside, outside = (
        report(client, name, format=form, audience=each, at_least=position).body.decode()
        for each in ("internal", "public")
    )
    assert "Zajics" in inside
    assert "the colleague asked" in outside
    assert "Zajic" not in outside
    assert "rina" not in outside


def test_it_is_read_in_any_zone(client, slot, name):
    """By its IANA name; a name that is none is refused."""
    position = lived(client, name, slot)
    found = report(client, name, zone="Europe/Vienna", format="md", at_least=position).body.decode()
    assert "2026-03-02 10:40 CET" in found
    refused = report(client, name, 422, zone="Middle/Earth").json()
    assert refused["errors"][0]["pointer"] == "/zone"


@pytest.mark.parametrize(
    "query",
    [{"format": "xls"}, {"audience": "everyone"}, {"published": "perhaps"}, {"colour": "red"}, {"zone": "../x"}],
)
def test_what_is_no_parameter_is_refused(client, slot, name, query):
    """422, each with its pointer."""
    lived(client, name, slot)
    assert report(client, name, 422, **query).json()["errors"]


def test_only_who_reads_gets_a_report(server, client, slot, name):
    """A token is needed for every audience."""
    lived(client, name, slot)
    for audience in ("internal", "public", "auditor"):
        report(server.client(None), name, 401, audience=audience)
    for role in ("auditor", "pipeline"):
        report(server.client(role), name, audience="auditor")


def test_an_unknown_incident_is_404(client):
    """It says where to look."""
    assert "/v1/incidents" in report(client, "nobody-knows", 404, format="pdf").json()["detail"]


def test_an_incident_with_a_wild_name_is_saved_under_a_tame_one(client, slot):
    """Whatever characters it has."""
    position = last(client.append(event("incident.note_added", incident='../a"b/\u202e\U0001f680;', text="hm")))
    found = client.get("/v1/incidents/..%2Fa%22b%2F%E2%80%AE%F0%9F%9A%80;/report", at_least=position)
    assert found.status == 200, found.body
    assert found.headers["Content-Disposition"] == 'inline; filename="a-b-internal.json"'


def test_the_csv_is_the_timeline(client, slot, name):
    """One line an entry; columns with names."""
    position = lived(client, name, slot)
    rows = list(csv.DictReader(io.StringIO(report(client, name, format="csv", at_least=position).body.decode())))
    model = report(client, name).json()
    assert [int(each["position"]) for each in rows] == [each["position"] for each in model["timeline"]]
    assert {each["by"] for each in rows} == {"a-responder"}


def test_leaves_and_checkpoint_are_those_of_the_log(server, client, slot, name):
    """So that every line of the appendix can be verified."""
    position = lived(client, name, slot)
    found = report(client, name, audience="auditor", at_least=position).json()
    notes = list(read_notes(server.data / "log" / "checkpoints"))
    sizes = [int(each.split(b"\n")[1]) for each in notes]
    assert found["cover"]["checkpoint"]["size"] == min(each for each in sizes if each >= position)
    proof = client.get(f"/v1/events/{position}/proof")
    assert proof.status == 200
    told = next(each for each in found["appendix"] if each["position"] == position)
    assert len(told["leaf"]) == 64
    assert client.get(f"/v1/events/{position}").json()["type"] == told["type"]
    tile = client.get(f"/tile/entries/{_tile(position, sizes[-1])}").body if position <= sizes[-1] else b""
    assert told["leaf"] in {leaf_hash(each).hex() for each in _entries(tile)}


def _tile(position, size):
    """The path of the entry bundle that has a position, in a log of so many leaves."""
    number = (position - 1) // 256
    width = min(256, size - number * 256)
    path = f"{number // 1000:03}/{number % 1000:03}" if number >= 1000 else f"{number:03}"
    return path if width == 256 else f"{path}.p/{width}"


def _entries(content):
    while content:
        length = int.from_bytes(content[:2], "big")
        yield content[2 : 2 + length]
        content = content[2 + length :]


def test_the_first_checkpoint_that_covers_a_position_is_found_among_many(tmp_path):
    """By halving: whichever sizes there are."""
    path = tmp_path / "checkpoints"
    signers = [Signer("log.example", b"1" * 32), Signer("witness.example", b"2" * 32)]
    sizes = [1, 3, 3, 4, 10, 250, 251, 9_000, 123_456]
    with path.open("wb") as file:
        for size in sizes:
            text = f"log.example\n{size}\n{'A' * 43}=\n"
            file.write(signed_note(text, *signers[: 1 + size % 2]).encoded() + b"\n")
    for position in (1, 2, 3, 4, 5, 10, 11, 250, 251, 252, 9_000, 9_001, 123_456):
        found = first_covering(path, position)
        assert found is not None
        assert found["size"] == min(each for each in sizes if each >= position)
    assert first_covering(path, 123_457) is None
    assert json.dumps(first_covering(path, 1))


def test_of_what_was_wholly_retracted_it_is_said_that_it_was_recorded(client, slot, name):
    """Who follows a position of it is not told that nothing is there."""
    declared = {"title": "by mistake", "severity": "SEV-2", "kind": "outage", "affected": [slot]}
    first = last(client.append(event("incident.declared", incident=name, **declared)))
    after = last(client.append(event("record.retracted", position=first, reason="a mistake")))
    detail = report(client, name, 404, at_least=after).json()["detail"]
    assert f"all that was recorded of an incident {name} is retracted" in detail
    assert detail.endswith(f"read positions {first}, {after} in /v1/events")
    assert "nothing is recorded" in report(client, f"{name}-other", 404).json()["detail"]
