"""`lastgood postmortem`: what an author types, and what they see."""

import json
import re
import stat

import pytest

from api.cli import postmortem
from api.cli.ci import Facts
from api.cli.postmortem_table import DEFAULTS, KINDS, SPECIAL, WAYS
from ledger.contract import accept, members
from ledger.events import EVENTS
from ledger.values import Choice
from tests.cli.faulty import Answer

RECEIPT = {
    "id": "1",
    "source": "s",
    "position": 7,
    "recordedtime": "t",
    "stream": "incident/INC-1",
    "revision": 1,
    "duplicate": False,
    "warnings": [],
}
SECTION = {
    "section": "summary",
    "title": "Summary",
    "text": "It broke.",
    "time": "2026-11-22T21:00:00Z",
    "position": 5,
    "by": "ana",
    "revisions": 1,
    "earlier": [],
}
EMPTY = {
    "incident": "INC-1",
    "title": "checkout fails",
    "state": "resolved",
    "status": "none",
    "owner": None,
    "started": None,
    "due": None,
    "overdue": False,
    "sections": [],
    "causes": [],
    "actions": [],
    "reviewed": [],
    "approved": [],
    "published": [],
    "waived": [],
    "written_since_approval": [],
    "missing": ["summary", "cause", "action"],
    "people": ["ana"],
    "advice": [],
    "reporting": [],
}
DRAFT = {**EMPTY, "status": "draft", "sections": [SECTION]}
OF_POSTMORTEMS = {topic for topic in EVENTS if topic.startswith("postmortem.")}


def made(lastgood, *words):
    """The event that a dry run shows."""
    shown = lastgood("postmortem", *words, "--dry-run")
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)


def sent(faulty):
    """The data of the one event that was sent."""
    (event,) = [json.loads(each.body) for each in faulty.asked if each.method == "POST"]
    return event["data"]


def write(lastgood, faulty, *words, stdin=None):
    return lastgood("postmortem", "write", "INC-1", *words, "--url", faulty.url, stdin=stdin)


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """An editor that notes what it is given, and saves something else."""

    def saving(text):
        program = tmp_path / "editor"
        saved = tmp_path / "saved"
        saved.write_text(text)
        program.write_text(
            f'#!/bin/sh\ncp "$1" {tmp_path}/given\nsleep 0.01\ncat {saved} > "$1"\ntouch -d tomorrow "$1"\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", str(program))
        monkeypatch.delenv("VISUAL", raising=False)
        return tmp_path / "given"

    return saving


def test_every_event_of_a_postmortem_has_its_verb():
    """The catalogue may grow; then so must the tables."""
    assert set(KINDS) == OF_POSTMORTEMS
    assert {way.topic for way in WAYS.values()} | {"postmortem.section_written"} == OF_POSTMORTEMS


@pytest.mark.parametrize("topic", sorted(KINDS))
def test_the_table_says_what_the_catalogue_says(topic):
    """Members, choices, and at least what the ledger requires; a waiving needs its reason, too."""
    known, kind = members(EVENTS[topic]), KINDS[topic]
    required = {name for name, member in known.items() if member.required}
    more = {"postmortem.waived": {"reason"}, "postmortem.published": {"audience"}}
    assert set(kind.required.split()) == required | more.get(topic, set())
    assert set(kind.members()) == set(known)
    for wire, member in known.items():
        choices = getattr(postmortem.TABLE.flag(topic, wire).type, "choices", None)
        if isinstance(member.rule, Choice):
            assert tuple(choices) == member.rule.words, wire


@pytest.mark.parametrize("topic", sorted(KINDS))
def test_what_the_flags_make_is_accepted_by_the_contract(topic):
    """Every flag given at once."""
    examples = {"evidence": (("graph", "https://x"),), "labels": (("team", "core"),), "due": "2026-12-01"}
    given = {}
    for wire, member in members(EVENTS[topic]).items():
        given[wire] = examples.get(wire, member.rule.words[0] if isinstance(member.rule, Choice) else wire)
    accept(EVENTS[topic], postmortem.TABLE.data_of(topic, given, Facts(), lambda: "made"))


@pytest.mark.parametrize("topic,member", [*DEFAULTS, *SPECIAL])
def test_what_is_special_is_a_member_of_its_event(topic, member):
    """The tables name nothing that is not there."""
    assert member in members(EVENTS[topic])


@pytest.mark.parametrize(
    "words,topic,data",
    [
        (["start", "INC-1", "ana"], "started", {"owner": "ana"}),
        (["start", "INC-1", "--owner", "ana", "--due", "2026-12-01"], "started", {"owner": "ana", "due": "2026-12-01"}),
        (["cause", "INC-1", "root", "no limit"], "cause_recorded", {"kind": "root", "statement": "no limit"}),
        (["action", "complete", "INC-1", "a1"], "action_completed", {"action_id": "a1"}),
        (["action", "cancel", "INC-1", "a1", "no use"], "action_cancelled", {"action_id": "a1", "reason": "no use"}),
        (["review", "INC-1"], "reviewed", {}),
        (["approve", "INC-1", "--reason", "well told"], "approved", {"reason": "well told"}),
        (["publish", "INC-1"], "published", {"audience": "internal"}),
        (["publish", "INC-1", "--audience", "public"], "published", {"audience": "public"}),
        (["waive", "INC-1", "the same as INC-0"], "waived", {"reason": "the same as INC-0"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_typed_and_what_is_recorded(lastgood, words, topic, data):
    """Words stand for flags."""
    event = made(lastgood, *words)
    assert (event["type"], event["data"]) == (f"postmortem.{topic}", {"incident": "INC-1", **data})


def test_an_action_gets_an_id_that_can_be_typed(lastgood, faulty):
    """A new one each time, told when it is recorded; added again under its own, it is the same."""
    words = ("action", "add", "INC-1", "set a limit", "--kind", "prevent", "--owner", "ben")
    found = [made(lastgood, *words)["data"]["action_id"] for _ in range(2)]
    assert all(re.fullmatch(r"ACT-[2-9a-z]{5}", each) for each in found)
    assert found[0] != found[1]
    assert made(lastgood, *words, "--action-id", "a1")["data"]["action_id"] == "a1"
    faulty.answers = [Answer(201, RECEIPT)]
    shown = lastgood("postmortem", *words, "--url", faulty.url)
    assert re.search(r"position 7, incident INC-1, action ACT-\w{5}\n", shown.stdout)


@pytest.mark.parametrize(
    "words",
    [["waive", "INC-1"], ["cause", "INC-1", "guess", "x"], ["action", "add", "INC-1", "x"], ["publish", "INC-1", "--audience", "all"]],
    ids=" ".join,
)  # fmt: skip
def test_what_is_wrong_usage(lastgood, words):
    """A reason is needed where nothing is going to be written."""
    assert lastgood("postmortem", *words, "--dry-run").exit_code == 2


def test_starting_tells_when_it_is_due(lastgood, faulty):
    """By the severity; earlier, where that was asked for."""
    due = {"time": "2026-11-25T21:00:00Z", "by_severity": "SEV-1", "asked": None}
    faulty.answers = [Answer(201, RECEIPT), Answer(200, {**EMPTY, "due": due})]
    shown = lastgood("postmortem", "start", "INC-1", "ana", "--url", faulty.url)
    assert shown.stdout.splitlines()[1] == "due 2026-11-25T21:00:00Z (SEV-1)"
    assert faulty.asked[1].path == "/v1/incidents/INC-1/postmortem?at_least=7"
    faulty.asked.clear()
    faulty.answers = [Answer(201, RECEIPT), Answer(200, EMPTY)]
    shown = lastgood("postmortem", "start", "INC-1", "ana", "--url", faulty.url)
    assert "3 days" in shown.stdout


def test_a_section_from_a_file_or_standard_input(lastgood, faulty, tmp_path):
    """As it is, without the blank lines at its end; a dash in a name is an underline."""
    (tmp_path / "text.md").write_bytes(b"\xef\xbb\xbf# It broke\n\n    code\t\n\n")
    faulty.answers = [Answer(200, EMPTY), Answer(201, RECEIPT)]
    shown = write(lastgood, faulty, "root-cause", "--file", tmp_path / "text.md")
    assert shown.exit_code == 0
    assert sent(faulty) == {"incident": "INC-1", "section": "root_cause", "text": "# It broke\n\n    code"}
    assert shown.stdout == "recorded postmortem.section_written at position 7, incident INC-1, section root_cause\n"
    faulty.asked.clear()
    faulty.answers = [Answer(200, EMPTY), Answer(201, RECEIPT)]
    assert write(lastgood, faulty, "summary", "--file", "-", stdin="Grüße\n".encode()).exit_code == 0
    assert sent(faulty)["text"] == "Grüße"


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xff\xfe"])
def test_a_text_that_is_none(lastgood, faulty, content):
    """Empty, or not UTF-8: exit 3, nothing recorded."""
    faulty.answers = [Answer(200, EMPTY)]
    assert write(lastgood, faulty, "summary", "--file", "-", stdin=content).exit_code == 3
    assert all(each.method == "GET" for each in faulty.asked)


def test_a_text_that_did_not_change_is_not_recorded_again(lastgood, faulty):
    """And that is no error."""
    faulty.answers = [Answer(200, DRAFT)]
    shown = write(lastgood, faulty, "summary", "--file", "-", stdin=b"It broke.\n\n")
    assert (shown.exit_code, shown.stdout) == (0, "nothing changed, nothing recorded: summary of INC-1\n")
    assert [each.method for each in faulty.asked] == ["GET"]


def test_the_editor_has_the_newest_text(lastgood, faulty, editor):
    """What it saves is recorded."""
    given = editor("The queue ran full.\n")
    faulty.answers = [Answer(200, DRAFT), Answer(200, DRAFT), Answer(201, RECEIPT)]
    shown = write(lastgood, faulty, "summary")
    assert shown.exit_code == 0, shown.output
    assert given.read_text().strip() == "It broke."
    assert sent(faulty)["text"] == "The queue ran full."


@pytest.mark.parametrize("saved", ["It broke.\n", "", " \n"])
def test_an_editor_that_changes_nothing(lastgood, faulty, editor, saved):
    """Or saves nothing: nothing is recorded."""
    editor(saved)
    faulty.answers = [Answer(200, DRAFT)]
    shown = write(lastgood, faulty, "summary")
    assert (shown.exit_code, "nothing recorded" in shown.stdout) == (0, True)


def test_a_section_that_somebody_else_wrote_meanwhile(lastgood, faulty, editor, tmp_path):
    """Is not overwritten unseen: exit 5, and what was typed is kept."""
    editor("Mine.\n")
    theirs = {**DRAFT, "sections": [{**SECTION, "position": 6, "text": "Theirs.", "by": "ben"}]}
    faulty.answers = [Answer(200, DRAFT), Answer(200, theirs)]
    shown = write(lastgood, faulty, "summary")
    assert (shown.exit_code, "ben wrote the section meanwhile" in shown.stderr) == (5, True)
    (kept,) = tmp_path.glob("INC-1-summary-*.md")
    assert kept.read_text() == "Mine.\n"
    assert kept.name in shown.stderr


@pytest.mark.parametrize("status,code", [(403, 4), (422, 3), (409, 5)])
def test_what_could_not_be_recorded_is_kept(lastgood, faulty, editor, tmp_path, status, code):
    """Whatever the ledger has against it; the file that it came from is there anyway."""
    editor("Mine.\n")
    refusal = Answer(status, {"title": "no", "status": status, "detail": "not so"})
    faulty.answers = [Answer(200, DRAFT), Answer(200, DRAFT), refusal]
    assert write(lastgood, faulty, "../summary").exit_code == code
    assert [each.read_text() for each in tmp_path.glob("INC-1*.md")] == ["Mine.\n"]
    faulty.answers = [Answer(200, DRAFT), refusal]
    assert write(lastgood, faulty, "summary", "--file", "-", stdin=b"x").exit_code == code
    assert len(list(tmp_path.glob("*.md"))) == 1


def test_a_ledger_out_of_reach_keeps_no_text_from_the_spool(lastgood, tmp_path):
    """A file is sent later, like any other event."""
    call = ("postmortem", "write", "INC-1", "summary", "--file", "-", "--url", "http://127.0.0.1:1", "--timeout", "0.1")
    assert lastgood(*call, stdin=b"x").exit_code == 7
    assert lastgood(*call, "--spool", tmp_path / "spool", stdin=b"x").exit_code == 6
    assert any((tmp_path / "spool").iterdir())


def test_words_that_blame_are_told_with_better_ones(lastgood, faulty):
    """On standard error, after it is recorded; names that are known count as people."""
    faulty.answers = [Answer(200, DRAFT), Answer(201, RECEIPT)]
    shown = write(lastgood, faulty, "lessons", "--file", "-", stdin=b"Ana failed to look.\nThe pod failed to start.")
    assert shown.exit_code == 0
    (line,) = shown.stderr.splitlines()
    assert line.startswith("advice: line 1, column 5: 'failed to': ")


def test_publishing_tells_what_is_missing_and_refuses_nothing(lastgood, faulty):
    """And how the same can be had again."""
    faulty.answers = [Answer(200, EMPTY), Answer(201, RECEIPT)]
    shown = lastgood("postmortem", "publish", "INC-1", "--audience", "public", "--url", faulty.url)
    assert shown.exit_code == 0
    assert shown.stderr.splitlines() == [
        "warning: nobody approved it",
        "warning: it has no summary, no cause, no action",
    ]
    assert "  lastgood report INC-1 --audience public --known-at 7\n" in shown.stdout
    assert json.loads(faulty.asked[1].body)["data"] == {"incident": "INC-1", "audience": "public"}


def test_publishing_what_was_written_after_the_approval(lastgood, faulty):
    """Is told, too; one that lacks nothing is published without a word."""
    act = {"time": "2026-11-22T21:00:00Z", "position": 5, "by": "ana", "audience": None, "reason": None}
    approved = {**EMPTY, "approved": [act], "missing": []}
    faulty.answers = [Answer(200, {**approved, "written_since_approval": [6]}), Answer(201, RECEIPT)]
    shown = lastgood("postmortem", "publish", "INC-1", "--url", faulty.url)
    assert shown.stderr == "warning: 1 text written after the approval (at 6)\n"
    faulty.asked.clear()
    faulty.answers = [Answer(200, approved), Answer(201, RECEIPT)]
    assert lastgood("postmortem", "publish", "INC-1", "--url", faulty.url).stderr == ""


ACTION = {
    "action_id": "a1",
    "text": "set a limit",
    "kind": "prevent",
    "owner": "ben",
    "due": "2026-11-30",
    "ticket": "OPS-1",
    "state": "open",
    "overdue": True,
    "incident": "INC-1",
    "title": "checkout fails",
    "drill": False,
}


def test_a_postmortem_is_shown(lastgood, faulty):
    """Head, sections, causes, actions, reports; nothing in a text moves the cursor."""
    act = {"time": "2026-11-23T09:00:00Z", "position": 9, "by": "ben", "audience": "internal", "reason": None}
    report = {
        "state": "made_late",
        "due": "2026-11-22T15:00:00Z",
        "made": {"time": "2026-11-22T16:00:00Z", "reference": "R-1"},
    }
    idle = {"state": "not_due", "due": None, "made": None}
    regime = {
        "regime": "EU DORA",
        "classification": "major",
        "criteria": None,
        "initial": report,
        "intermediate": idle,
        "final": idle,
    }
    whole = {
        **EMPTY,
        "status": "published",
        "owner": "ana",
        "due": {"time": "2026-11-25T21:00:00Z", "by_severity": "SEV-1", "asked": None},
        "sections": [{**SECTION, "text": "It\tbroke.\r\n\x1b[31mred", "revisions": 2}],
        "causes": [{"kind": "root", "statement": "no limit", "category": None, **{n: act[n] for n in ("time", "position", "by")}}],
        "actions": [ACTION],
        "published": [act],
        "missing": [],
        "reporting": [regime],
        "advice": [{}],
    }  # fmt: skip
    faulty.answers = [Answer(200, whole)]
    shown = lastgood("postmortem", "show", "INC-1", "--as-of", "2026-12-01T00:00:00Z", "--url", faulty.url)
    assert shown.exit_code == 0
    assert shown.stdout == (
        "INC-1  checkout fails\n"
        "status    published, owner ana\n"
        "due       2026-11-25T21:00:00Z (SEV-1)\n"
        "published ben, 2026-11-23T09:00:00Z, at 9 for internal\n"
        "\n"
        "Summary  [ana, 2026-11-22T21:00:00Z, at 5, text 2]\n"
        "  It  broke.\n"
        "  \N{REPLACEMENT CHARACTER}[31mred\n"
        "\n"
        "Causes\n"
        "  root: no limit  [ben, 2026-11-23T09:00:00Z, at 9]\n"
        "\n"
        "Actions\n"
        "  a1  OVERDUE  prevent: set a limit  [ben, due 2026-11-30, OPS-1]\n"
        "\n"
        "Reports to authorities\n"
        "  EU DORA: major\n"
        "    initial       made late, due 2026-11-22T15:00:00Z, made 2026-11-22T16:00:00Z as R-1\n"
        "    intermediate  not due\n"
        "    final         not due\n"
        "\n"
        "1 piece of advice on words that blame: --output json has them\n"
    )
    assert json.loads(lastgood("postmortem", "show", "INC-1", "--output", "json", "--url", faulty.url).stdout) == whole


def test_one_section_alone(lastgood, faulty):
    """As it was written, to be worked on; one that is not there is told."""
    faulty.answers = [Answer(200, DRAFT)]
    call = ("postmortem", "show", "INC-1", "--url", faulty.url, "--section")
    assert lastgood(*call, "summary").stdout == "It broke.\n"
    shown = lastgood(*call, "lessons")
    assert (shown.exit_code, "it has: summary" in shown.stderr) == (3, True)


def test_actions_are_listed(lastgood, faulty):
    """One a row, all pages; filters reach the ledger."""
    done = {**ACTION, "action_id": "a2", "state": "done", "overdue": False, "due": None, "drill": True, "ticket": None}
    faulty.answers = [Answer(200, {"items": [ACTION], "next": "x"}), Answer(200, {"items": [done], "next": None})]
    shown = lastgood(
        "postmortem", "actions", "--state", "overdue", "--owner", "ben", "--incident", "INC-1", "--url", faulty.url
    )
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert rows[1] == "2026-11-30 OVERDUE ben INC-1 a1 prevent set a limit OPS-1".split()
    assert rows[2] == "done ben INC-1 (drill) a2 prevent set a limit".split()
    assert "state=overdue" in faulty.asked[0].path
    assert "owner=ben" in faulty.asked[0].path
    faulty.answers = [Answer(200, {"items": [], "next": None})]
    assert lastgood("postmortem", "actions", "--url", faulty.url).stderr == "no action matches\n"


def test_the_verbs_need_no_server_to_explain_themselves(lastgood):
    """A group lists what it can do."""
    shown = lastgood("postmortem", "--help").stdout
    for word in ("start", "write", "cause", "action", "review", "approve", "publish", "waive", "show", "actions"):
        assert f"  {word} " in shown
    assert {"add", "complete", "cancel"} <= set(lastgood("postmortem", "action", "--help").stdout.split())
