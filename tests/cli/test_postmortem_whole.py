"""The life of a postmortem from the command line, against a real server."""

import json
import re
import stat
from uuid import uuid4

import pytest

pytestmark = pytest.mark.usefixtures("use")


@pytest.fixture
def use(server, monkeypatch):
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["responder"])


READS = ({"postmortem", "show"}, {"postmortem", "actions"}, {"findings"}, {"report"})


@pytest.fixture
def call(lastgood):
    """Calls a verb that is to succeed; what it printed, both ways. A read counts in what was recorded before it."""
    last = ["0"]

    def done(*words, stdin=None):
        is_read = any(names <= set(words[:2]) for names in READS)
        shown = lastgood(*words, *(["--at-least", last[0]] if is_read else []), stdin=stdin)
        assert shown.exit_code == 0, shown.output
        last[:] = re.findall(r"at position (\d+)", shown.stdout)[-1:] or last
        return shown

    return done


@pytest.fixture
def incident(call):
    """One that was resolved on the second of March."""
    name = f"INC/{uuid4().hex[:8]}"
    call("incident", "declare", "it is down", "--severity", "1", "--incident", name, "--time", "2026-03-02T10:00:00Z")
    call("incident", "resolved", name, "it is up", "--time", "2026-03-02T12:00:00Z")
    return name


def write(call, incident, section, text):
    return call("postmortem", "write", incident, section, "--file", "-", stdin=text.encode())


def read(call, incident):
    return json.loads(call("postmortem", "show", incident, "--output", "json").stdout)


def test_what_was_published_can_be_had_again(call, incident):
    """The very bytes, by the command that publishing prints, whatever was written since."""
    call("postmortem", "start", incident, "ada")
    write(call, incident, "summary", "The queue ran full.")
    shown = call("postmortem", "publish", incident, "--audience", "auditor")
    (again,) = re.findall(r"^  lastgood (report .*)$", shown.stdout, re.MULTILINE)
    words = [each.strip("'") for each in again.split()]
    first = call(*words).stdout
    assert "The queue ran full." in first
    write(call, incident, "summary", "It was the cache.")
    assert call(*words).stdout == first
    assert call("report", incident, "--audience", "auditor", "--published").stdout == first
    assert "It was the cache." in call("report", incident, "--audience", "auditor").stdout


def test_an_editor_writes_and_writes_again(call, incident, monkeypatch, tmp_path):
    """It has the newest text; unchanged, nothing is recorded."""
    program = tmp_path / "editor"
    monkeypatch.setenv("EDITOR", str(program))
    monkeypatch.delenv("VISUAL", raising=False)
    for script, sections in (
        ("printf 'one\\n' > \"$1\"", ["one"]),
        ("printf 'two\\n' >> \"$1\"", ["one\ntwo"]),
        (":", ["one\ntwo"]),
    ):
        program.write_text(f'#!/bin/sh\n{script}\ntouch -d tomorrow "$1"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        shown = call("postmortem", "write", incident, "lessons")
        assert [each["text"] for each in read(call, incident)["sections"]] == sections
    assert "nothing changed" in shown.stdout
    assert read(call, incident)["sections"][0]["revisions"] == 2


def test_a_machine_writes_none(lastgood, incident, server, monkeypatch):
    """People decide: exit 4, and what to do."""
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["pipeline"])
    for words in (["start", incident, "ada"], ["publish", incident], ["write", incident, "summary", "--file", "-"]):
        shown = lastgood("postmortem", *words, stdin=b"x")
        assert shown.exit_code == 4, shown.output


def test_an_action_that_was_done_late(call, incident):
    """Is overdue while it is open, a finding, and a settled one from when it is done."""
    words = ("--kind", "prevent", "--owner", "ben", "--due", "2026-03-10", "--time", "2026-03-03T10:00:00Z")
    call("postmortem", "action", "add", incident, "set a limit", "--action-id", "limit", *words)
    assert "OVERDUE" in call("postmortem", "actions", "--incident", incident).stdout

    def states():
        told = call("findings", "--rule", "action_overdue", "--incident", incident, "--output", "json").stdout
        return [each["state"] for each in json.loads(told)["items"]]

    assert states() == ["open"]
    call("postmortem", "action", "complete", incident, "limit")
    assert states() == ["settled"]
    assert " done " in call("postmortem", "actions", "--incident", incident).stdout


def test_waiving_ends_the_due_date(call, incident):
    """With a reason."""
    assert read(call, incident)["overdue"] is True
    call("postmortem", "waive", incident, "the same as the one before")
    found = read(call, incident)
    assert (found["status"], found["overdue"]) == ("waived", False)


def test_words_of_any_kind_stay_words(call, incident):
    """What looks like markup, a formula or an escape is shown as it was written, and moves no cursor."""
    text = f'<script>alert(1)</script> =cmd() #read("/etc/passwd") \u202e \U0001f525 {"x" * 10_000}'
    write(call, incident, "summary", text)
    assert read(call, incident)["sections"][0]["text"] == text
    shown = call("postmortem", "show", incident).stdout
    assert "<script>alert(1)</script> =cmd()" in shown
    assert "\u202e" not in shown
