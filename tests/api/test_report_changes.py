"""The change record on paper and as CSV: what is said of each kind of row, and that nothing leaves its place."""

import copy
import csv
import io

import pytest

from api.report import changes_csv, markdown, pdf, words_changes
from api.report.blocks import Facts, Heading, Table, plain
from tests.cli.test_changes import BARE, CHANGE, DECIDED, FINDING, RECORD

ROLE = {
    "principal": "p1",
    "name": "Ada",
    "kind": "human",
    "method": "break-glass",
    "roles": ["admin", "responder"],
    "services": ["web"],
    "environments": ["production"],
    "since": "2026-03-01T00:00:00Z",
    "until": "2026-03-02T12:00:00Z",
    "granted_by": "Bob",
    "granted_at": 1,
    "revoked_at": 6,
}
RETRACTED = {
    "position": 8,
    "time": "2026-03-02T11:00:00Z",
    "type": "deployment.succeeded",
    "service": "web",
    "environment": "production",
    "version": "B",
    "retracted_at": 9,
    "reason": "never happened",
}
SETTLED = {**FINDING, "state": "settled", "settled_by": [7]}
LATE = {**CHANGE, "approvals": [], "approvals_recorded_late": CHANGE["approvals"], "approval_required": False}


@pytest.fixture
def record():
    changes = [CHANGE, BARE, {**DECIDED, "decision": {**DECIDED["decision"], "time": "2026-03-02T09:30:00Z"}}, LATE]
    found = {
        **copy.deepcopy(RECORD),
        "service": "web",
        "environment": None,
        "exceptions": [FINDING, SETTLED],
        "changes": changes,
        "in_progress": [{**CHANGE, "outcome": None, "effect": None}],
        "retracted": [RETRACTED],
        "roles": [ROLE],
    }
    found["changes"] = [{**each, "incidents": ["INC-1"], "implicated_in": ["INC-2"]} for each in found["changes"]]
    return found


def tables(document):
    """The rows of each table as text, by what it is a table of."""
    return {
        each.label: [[plain(cell) for cell in row.cells] for row in each.rows]
        for each in document.blocks
        if isinstance(each, Table)
    }


def rows(record, kind):
    found = csv.DictReader(io.StringIO(changes_csv.render(record).decode(), newline=""))
    return [each for each in found if each["row"] == kind]


def test_exceptions_come_before_changes(record):
    """And what it rests on comes before all."""
    document = words_changes.document(record)
    assert isinstance(document.blocks[0], Facts)
    headings = [each.text for each in document.blocks if isinstance(each, Heading)]
    assert headings == ["Exceptions", "Changes", "Under way at the end", "Retracted", "Who held which role"]
    told = {plain(label): plain(value) for label, value in document.blocks[0].rows}
    assert told["Exceptions"] == "1 open of 2"
    assert told["Looked through"] == "positions 1 to 9, 9 events"
    assert told["Checkpoint"] == "here, size 10, root r"
    assert document.foot == "Change record \u00b7 web \u00b7 rests on positions 1 to 9"
    one = {**record["completeness"], "positions": {"from": 9, "to": 9, "count": 1}}
    foot = words_changes.document({**record, "completeness": one}).foot
    assert foot.endswith("rests on position 9")


def test_what_is_said_of_a_change(record):
    """When, what, where, which version, approved by whom, decided by whom, and what was found."""
    changes = tables(words_changes.document(record))["Changes"]
    assert changes[0] == [
        "2026-03-02 09:40 UTC[4, 5]",
        "deployment succeeded by deployer",
        "web@production",
        "A",
        "Bob, 2026-03-02 09:00 UTC[3]",
        "INC-1, implicated in INC-2",
        "",
    ]
    approved = [each[4] for each in changes]
    assert approved[1:] == ["not approved", "", "recorded late: Bob, 2026-03-02 09:00 UTC[3]"]
    assert changes[2][1] == "rollback succeeded by deployer"
    assert changes[2][5] == "Ada, 2026-03-02 09:30 UTC[7], INC-1, implicated in INC-2"
    assert changes[1][6] == "release without approval"


@pytest.mark.parametrize(
    "name,shown",
    [
        ("short-name", "short-name"),
        ("main-6c14834-20261114", "main-\u200b6c14834-\u200b20261114"),
        ("team/web:1.2.3@sha256", "team/\u200bweb:\u200b1.\u200b2.\u200b3@\u200bsha256"),
    ],
)
def test_a_long_name_may_be_broken_after_its_signs(name, shown):
    """So that it stays in its column."""
    assert words_changes.apart(name) == shown


def test_who_held_which_role_and_what_was_taken_back(record):
    """With where it is recorded."""
    told = tables(words_changes.document(record))
    assert told["Who held which role"] == [
        ["Ada (human)", "admin, responder, break-glass", "web, @production", "2026-03-01 00:00 UTC to 2026-03-02 12:00 UTC[1, 6]"]
    ]  # fmt: skip
    assert told["Retracted"][0][1:] == ["deployment.succeeded", "web@production", "B", "never happened"]


def test_a_record_of_nothing(record):
    """Says so: no finding, no role, no checkpoint."""
    nothing = {"exceptions": [], "changes": [], "in_progress": [], "retracted": [], "roles": []}
    completeness = {**record["completeness"], "changes": {}, "checkpoint": None}
    document = words_changes.document({**record, **nothing, "completeness": completeness, "service": None})
    text = markdown.render(document).decode()
    for words in ("Nothing was found in this period", "none covers all of it yet", "Nobody held any", "every service"):
        assert words in text
    assert tables(document) == {}


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '=cmd()#read("/etc/passwd")', "\u202egnp", "*a* _b_ |c|", "x" * 5000]
)
def test_words_of_others_stay_words(record, hostile):
    """In every format; and the same record has the same bytes."""
    change = {**record["changes"][0], "version": hostile, "service": hostile, "incidents": [hostile]}
    spoilt = {**record, "changes": [change], "exceptions": [{**FINDING, "detail": hostile, "service": hostile}]}
    document = words_changes.document(spoilt)
    made = pdf.render(document)
    assert made.startswith(b"%PDF-")
    assert made == pdf.render(words_changes.document(spoilt))
    assert all(not each["version"].startswith("=") for each in rows(spoilt, "change"))
    assert hostile in rows(spoilt, "change")[0]["version"]


def test_the_rows_of_a_csv(record):
    """Each kind of row, with what there is to say of it."""
    assert [each["outcome"] for each in rows(record, "exception")] == ["open", "settled"]
    first, *others = rows(record, "change")
    assert first["findings"] == "release_without_approval (open)"
    assert [each["approved_by"] for each in others] == ["Bob", "", ""]
    assert [each["approved_late_by"] for each in others] == ["", "", "Bob"]
    assert [each["decided_by"] for each in others] == ["", "Ada", ""]
    (under_way,), (taken_back,), (role,) = (rows(record, kind) for kind in ("in_progress", "retracted", "role"))
    assert under_way["outcome"] == ""
    assert (taken_back["detail"], taken_back["positions"]) == ("never happened", "8; 9")
    assert role["detail"] == "admin, responder; bound to web @production; break-glass"
    assert role["outcome"] == "until 2026-03-02T12:00:00Z"
    (rests_on,) = rows(record, "completeness")
    assert "checkpoint here size 10 root r" in rests_on["detail"]
