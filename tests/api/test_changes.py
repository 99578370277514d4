"""GET /v1/changes: the change record of a period, as JSON and CSV, with what it rests on."""

import csv
import io
import json
from uuid import uuid4

import pytest
from marshmallow import RAISE

from api.change_replies import ChangeRecord
from api.report.changes_csv import COLUMNS


@pytest.fixture
def slot():
    """A slot that no other test knows."""
    return {"service": f"web-{uuid4().hex[:8]}", "environment": f"production-{uuid4().hex[:8]}"}


def event(topic, time, **data):
    return {"type": topic, "time": f"2026-03-02T{time}:00Z", "data": data}


def deployed(slot, version, time="10:00", **more):
    return event("deployment.succeeded", time, deployment_id=uuid4().hex, version=version, **slot, **more)


def ask(client, slot, status=200, **query):
    query = {"from": "2026-03-02", "to": "2026-03-03", **slot, **query}
    answer = client.get("/v1/changes", **query)
    assert answer.status == status, answer.body
    return answer


@pytest.fixture
def lived(client, slot):
    """A bad version that went out and back by somebody's decision, and a feature; the last position."""
    return client.append(
        deployed(slot, "A", "09:00"),
        deployed(slot, "B", "09:30"),
        event("incident.declared", "09:40", incident=f"INC-{slot['service']}", title="x", severity="SEV-2", kind="outage"),
        event(
            "rollback.decided",
            "09:45",
            rollback_id="r1",
            to_version="A",
            reason="=1+1, she said",
            incident=f"INC-{slot['service']}",
            **slot,
        ),
        event("rollback.succeeded", "09:50", rollback_id="r1", to_version="A", **slot),
        event("feature.disabled", "10:00", feature="-dark", **slot),
    )["last"]  # fmt: skip


def test_the_record_of_a_day(client, slot, lived):
    """In the documented shape; what it rests on is covered by a checkpoint."""
    found = ask(client, slot, at_least=lived).json()
    assert ChangeRecord(unknown=RAISE).validate(found) == {}
    assert [(each["kind"], each["version"], each["effect"]) for each in found["changes"]] == [
        ("deployment", "A", "first"),
        ("deployment", "B", "forward"),
        ("rollback", "A", "rollback"),
        ("feature", None, None),
    ]
    decision = found["changes"][2]["decision"]
    assert (decision["by"], decision["reason"]) == ("a-responder", "=1+1, she said")
    told = found["completeness"]
    assert told["changes"] == {"deployment": 2, "feature": 1, "rollback": 1}
    assert told["positions"]["count"] == found["known_at"]
    assert told["checkpoint"]["size"] >= found["known_at"]
    assert [each["rule"] for each in found["exceptions"]]
    assert found["roles"] == [], "nobody was granted anything yet"


def test_the_same_question_has_the_same_bytes(client, slot, lived):
    """Asked for as it was known, whatever was recorded since."""
    moment = {"known_at": lived, "as_of": "2026-03-03T00:00:00Z"}
    for name in ("json", "csv", "pdf"):
        before = ask(client, slot, format=name, **moment).body
        client.append(deployed(slot, "C", "11:00"))
        assert ask(client, slot, format=name, **moment).body == before


def test_as_csv(client, slot, lived):
    """One table: exceptions first, then changes, those with open findings first; at last what it rests on."""
    answer = ask(client, slot, format="csv", at_least=lived)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="changes-2026-03-02-2026-03-03.csv"'
    text = answer.body.decode()
    assert text.count("\r\n") == len(text.splitlines())
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    kinds = list(dict.fromkeys(each["row"] for each in rows))
    assert kinds == ["exception", "change", "completeness"]
    changes = [each for each in rows if each["row"] == "change"]
    assert len(changes) == 4
    is_open = ["(open)" in each["findings"] for each in changes]
    assert is_open == sorted(is_open, reverse=True)
    assert "looked through: " in rows[-1]["detail"]


def test_as_pdf(client, slot, lived):
    """A file by its name."""
    answer = ask(client, slot, format="pdf", at_least=lived)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="changes-2026-03-02-2026-03-03.pdf"'
    assert answer.body.startswith(b"%PDF-")


def test_no_cell_is_a_formula(client, slot, lived):
    """What a spreadsheet would calculate is text in it, in whatever column."""
    rows = csv.DictReader(io.StringIO(ask(client, slot, format="csv", at_least=lived).body.decode(), newline=""))
    cells = [cell for each in rows for cell in each.values()]
    assert {"'=1+1, she said", "'-dark"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_what_is_not_asked_for_is_not_there(client, slot, lived):
    """Another service, another day."""
    other = {"service": f"{slot['service']}-not", "environment": slot["environment"]}
    found = ask(client, other, at_least=lived).json()
    assert (found["changes"], found["completeness"]["in_period"]["count"]) == ([], 0)
    assert (
        ask(client, slot, **{"from": "2026-03-03T00:00:00+01:00", "to": "2026-03-03T00:00:00Z"}).json()["changes"] == []
    )


def test_without_a_period_the_last_90_days(client, slot):
    """Up to now."""
    last = client.append(
        {"type": "deployment.succeeded", "data": {**slot, "version": "A", "deployment_id": uuid4().hex}}
    )["position"]
    answer = client.get("/v1/changes", **slot, at_least=last)
    found = answer.json()
    assert [each["version"] for each in found["changes"]] == ["A"]
    assert found["period"]["to"] is None
    assert ["responder"] in [each["roles"] for each in found["roles"]]
    assert ChangeRecord(unknown=RAISE).validate(found) == {}
    rows = csv.DictReader(io.StringIO(client.get("/v1/changes", **slot, format="csv").body.decode(), newline=""))
    assert "responder" in [each["detail"] for each in rows if each["row"] == "role"]


@pytest.mark.parametrize(
    "query,status",
    [
        ({"from": "2026-03-03", "to": "2026-03-02"}, 400),
        ({"from": "1990-01-01"}, 400),
        ({"from": "yesterday"}, 422),
        ({"to": "2026-03-02T10:00:00"}, 422),
        ({"format": "xls"}, 422),
        ({"severity": "SEV-1"}, 422),
    ],
    ids=json.dumps,
)
def test_what_cannot_be_asked_for(client, slot, query, status):
    """An empty period, one of decades, a naive time, a filter that is not known."""
    assert client.get("/v1/changes", **slot, **query).status == status


def test_who_may_not_read(server):
    """Without a token nothing is told."""
    assert server.client(None).get("/v1/changes").status == 401
