"""
One incident, from the first alert to the last word, as its diary: two shifts, two pipelines, one rollback.

Everything is typed by somebody or sent by something, against a real server;
every measure is worked out by hand beside it.
"""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from api.cli.main import main
from ledger.values import rfc3339
from tests.server import Server

SLOT = ("--service", "checkout", "--environment", "production")
MINUTE = 60


class Diary:
    """What happened at which minute; the day began four hours ago."""

    def __init__(self, server):
        self.server = server
        self.tokens = {name: server.token(role, name=name) for name, role in CAST.items()}
        self.began = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=4)
        self.now = "00:00"

    def at(self, clock):
        self.now = clock
        return self

    def moment(self, clock, days=0):
        hours, minutes = map(int, clock.split(":"))
        return rfc3339(self.began + timedelta(days=days, hours=hours, minutes=minutes))

    def clock(self, time):
        """The diary's own hours and minutes of a moment."""
        minutes = (datetime.fromisoformat(time) - self.began) // timedelta(minutes=1)
        return f"{minutes // 60:02}:{minutes % 60:02}"

    def types(self, who, *words):
        """What somebody types; recorded as of the diary's time."""
        return self.run(who, *words, "--time", self.moment(self.now))

    def run(self, who, *words):
        env = {"LASTGOOD_URL": self.server.url, "LASTGOOD_TOKEN": self.tokens[who], "COLUMNS": "200"}
        ran = CliRunner(env=env).invoke(main, list(words), catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    def sends(self, who, topic, **data):
        event = {"type": topic, "time": self.moment(self.now), "data": data}
        return self.client(who).append(event)["position"]

    def client(self, who):
        client = self.server.client(None)
        client.token = self.tokens[who]
        return client

    def asks(self, path, **query):
        answer = self.client("auditor").get(path, **query)
        assert answer.status == 200, answer.body
        return answer.json()


CAST = {"ana": "responder", "ben": "responder", "ci": "pipeline", "monitoring": "pipeline", "auditor": "auditor"}


@pytest.fixture(scope="module")
def diary(tmp_path_factory):
    """Of the whole day, lived once; who reads it changes nothing but by a correction, at the end."""
    folder = tmp_path_factory.mktemp("story")
    server = Server(folder).start()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("LASTGOOD_", "GITHUB_", "GITLAB_", "CI_"))]:
            patch.delenv(name)
        patch.chdir(folder)
        try:
            diary = Diary(server)
            live(diary)
            yield diary
        finally:
            server.close()


def live(diary):
    """The day of the incident."""
    # The week before, and this morning
    diary.now = "-48:00"
    diary.types("ci", "deployment", "succeeded", *SLOT, "--version", "2.14.0")
    shift = ("oncall", "assign", "--rota", "first-line", "--service", "checkout")
    diary.types("ana", *shift, "--person", "ana", "--from", diary.moment("-8:00"), "--to", diary.moment("02:00"))
    diary.types("ana", *shift, "--person", "ben", "--from", diary.moment("02:00"), "--to", diary.moment("10:00"))

    diary.at("00:00").types("ci", "deployment", "succeeded", *SLOT, "--version", "2.15.0")

    # Something looks wrong
    alert = {"fingerprint": "f-1", "name": "CheckoutErrors", "service": "checkout", "environment": "production"}
    diary.at("00:24").sends("monitoring", "alert.fired", **alert, severity="critical")
    diary.at("00:25").types(
        *("monitoring", "incident", "detect", "checkout answers with errors", "--incident", "INC-7"),
        *("--affected", "checkout@production", "--suggested-severity", "2", "--alert", "f-1"),
    )

    # Ana is on call
    told = diary.at("00:29").types(
        *("ana", "incident", "declare", "every tenth checkout fails", "--incident", "INC-7", "--severity", "3"),
        *("--kind", "error_rate", "--affected", "checkout@production"),
    )
    assert "incident INC-7" in told
    diary.at("00:30").types("ana", "incident", "acknowledge", "INC-7")
    diary.at("00:31").types("ana", "incident", "role", "assign", "INC-7", "commander", "ana")
    diary.at("00:34").types("ana", "incident", "note", "INC-7", "only cards of one bank, it seems")

    # It gets worse: the new payment page is switched off instead of rolling back
    diary.at("00:50").types("ana", "incident", "severity", "INC-7", "2", "now it is every card")
    diary.at("00:55").types(
        *("ana", "rollback", "declined", *SLOT, "--chosen", "feature_disable", "--incident", "INC-7"),
        *("--reason", "the payment page can be switched off alone"),
    )
    diary.at("00:57").types("ci", "feature", "disabled", *SLOT, "--feature", "new-payment-page")
    diary.at("00:20").types("ana", "incident", "impact", "started", "INC-7", "--basis", "log")

    # It gets worse again, and Ben takes over
    diary.at("01:40").types("ana", "incident", "severity", "INC-7", "1", "no checkout goes through")
    diary.at("02:00").types(
        *("ben", "incident", "role", "assign", "INC-7", "commander", "ben", "--from", "ana"),
        *("--briefing", "the page is off, and it did not help"),
    )
    diary.at("03:05").types("ben", "incident", "note", "INC-7", "2.15.0 changed the card service too", "--pinned")
    diary.at("03:06").types(
        "ben",
        "incident",
        "implicate",
        "INC-7",
        "checkout",
        "production",
        "2.15.0",
        "its client",
        "--relation",
        "caused",
    )
    assert target(diary) == "2.14.0"

    # Roll back first, fix later: Ben decides, the pipeline executes, Ben verifies
    diary.at("03:10").types(
        "ben", "rollback", "decided", *SLOT, "--to-version", "2.14.0", "--incident", "INC-7", "--rollback-id", "RB-1"
    )
    waiting = json.loads(diary.run("ci", "rollback", "next", *SLOT, "--output", "json"))
    assert (waiting["rollback_id"], waiting["to_version"]) == ("RB-1", "2.14.0")
    assert waiting["reason"] == "every tenth checkout fails"
    back = ("--rollback-id", "RB-1", *SLOT, "--to-version", "2.14.0")
    diary.at("03:12").types("ci", "rollback", "started", *back)
    diary.at("03:16").types("ci", "rollback", "succeeded", *back)
    diary.at("03:18").types("ben", "incident", "impact", "ended", "INC-7", "--basis", "log")
    diary.at("03:19").sends("monitoring", "alert.resolved", **alert)
    diary.at("03:20").types("ben", "incident", "mitigated", "INC-7", "2.14.0 is back")
    diary.at("03:22").types("ben", "incident", "update", "INC-7", "public", "checkouts go through again")
    diary.at("03:25").types("ben", "incident", "severity", "INC-7", "3", "only the queue is left to work off")
    diary.at("03:30").types("ben", "rollback", "verified", *SLOT, "--rollback-id", "RB-1", "--reason", "no error since")

    # And that was that
    diary.at("03:35").types("ben", "incident", "resolved", "INC-7", "the queue is empty")
    diary.at("03:40").types("ben", "incident", "closed", "INC-7", "the rest is for the postmortem")


def target(diary):
    slot = diary.asks("/v1/slot", service="checkout", environment="production")
    return slot["rollback_target"] and slot["rollback_target"]["version"]


DIARY = """\
00:00 ci: checkout@production: deployed 2.15.0
00:20 ana: impact began by log *
00:24 monitoring: alert fired: CheckoutErrors (on checkout@production, severity critical)
00:25 monitoring: detected: checkout answers with errors (suggested SEV-2, on checkout@production) *
00:29 ana: declared SEV-3 error_rate: every tenth checkout fails (on checkout@production) *
00:30 ana: acknowledged *
00:31 ana (commander): commander: ana
00:34 ana (commander): only cards of one bank, it seems
00:50 ana (commander): severity SEV-3 -> SEV-2: now it is every card *
00:55 ana (commander): checkout@production: no rollback, feature_disable: the payment page can be switched off alone *
00:57 ci: checkout@production: feature new-payment-page off
01:40 ana (commander): severity SEV-2 -> SEV-1: no checkout goes through *
02:00 ana: first-line: ben on call
02:00 ben (commander): commander: ben (from ana): the page is off, and it did not help
03:05 ben (commander): 2.15.0 changed the card service too +
03:06 ben (commander): implicated 2.15.0 of checkout@production (caused): its client *
03:10 ben (commander): checkout@production: roll back to 2.14.0: every tenth checkout fails *
03:12 ci: checkout@production: rolling back to 2.14.0
03:16 ci: checkout@production: rolled back to 2.14.0 *
03:18 ben (commander): impact ended by log *
03:19 monitoring: alert resolved: CheckoutErrors (on checkout@production)
03:20 ben (commander): mitigated: 2.14.0 is back *
03:22 ben (commander): told public: checkouts go through again
03:25 ben (commander): severity SEV-1 -> SEV-3: only the queue is left to work off *
03:30 ben (commander): checkout@production: rollback RB-1 helped: no error since *
03:35 ben (commander): resolved: the queue is empty *
03:40 ben (commander): closed: the rest is for the postmortem *
"""


def test_the_timeline_is_the_diary(diary):
    """Line by line: when, who, in which role, what; key moments and the pin marked."""
    told = []
    for entry in diary.asks("/v1/incidents/INC-7/timeline")["items"]:
        who = entry["decided_by"] or entry["submitter"]["name"]
        roles = f" ({', '.join(entry['roles'])})" if entry["roles"] else ""
        what = re.sub(r" on call from .*", " on call", entry["summary"])
        marks = " *" if entry["key"] else " +" if entry["pinned"] else ""
        told.append(f"{diary.clock(entry['time'])} {who}{roles}: {what}{marks}\n")
    assert "".join(told) == DIARY


def test_the_terminal_shows_the_same(diary):
    """One line each, with the position."""
    lines = diary.run("auditor", "timeline", "INC-7").splitlines()[1:]
    assert len(lines) == len(DIARY.splitlines())
    for line, told in zip(lines, DIARY.splitlines(), strict=True):
        words = re.sub(r"^\S+ [^:]*: | [*+]$", "", told)
        assert words in line
    shown = diary.run("auditor", "incident", "show", "INC-7")
    for words in (
        "SEV-3, closed",
        "commander: ben",
        "time to resolve",
        "3 h 6 min",
        "2.15.0 of checkout@production implicated",
    ):
        assert words in shown


def test_every_measure_is_as_worked_out_by_hand(diary):
    """From the diary's own hours."""
    found = diary.asks("/v1/incidents/INC-7")
    assert {measure: each["seconds"] for measure, each in found["measures"].items()} == {
        "time_to_detect": 5 * MINUTE,  # 00:20 to 00:25
        "time_to_declare": 4 * MINUTE,  # 00:25 to 00:29
        "time_to_acknowledge": 1 * MINUTE,  # 00:29 to 00:30
        "time_to_decide": 5 * MINUTE,  # SEV-2 at 00:50, declined at 00:55
        "time_to_execute": 6 * MINUTE,  # decided at 03:10, succeeded at 03:16
        "time_to_verify": 14 * MINUTE,  # succeeded at 03:16, verified at 03:30
        "time_to_mitigate": 178 * MINUTE,  # 00:20 to 03:18
        "time_to_resolve": 186 * MINUTE,  # 00:29 to 03:35
    }
    assert found["impact"]["seconds"] == 178 * MINUTE
    assert found["severities"]["seconds"] == {
        "SEV-1": 105 * MINUTE,  # 01:40 to 03:25
        "SEV-2": 50 * MINUTE,  # 00:50 to 01:40
        "SEV-3": 31 * MINUTE,  # 00:29 to 00:50, and 03:25 to 03:35
    }
    assert (found["severities"]["initial"], found["severities"]["peak"], found["severity"]) == (
        "SEV-3",
        "SEV-1",
        "SEV-3",
    )
    assert [mark["code"] for mark in found["marks"]] == ["late_record"]


def test_who_had_the_command_and_what_was_chosen(diary):
    """Two shifts, two commanders; switching a feature off was as a SEV-2 asks, a rollback as a SEV-1 does."""
    found = diary.asks("/v1/incidents/INC-7")
    held = [
        (each["person"], diary.clock(each["since"]), each["until"] and diary.clock(each["until"]))
        for each in found["roles"]
    ]
    assert held == [("ana", "00:31", "02:00"), ("ben", "02:00", None)]
    assert found["expected_response"]["deviations"] == []
    assert [(each["version"], each["standing"], each["relation"]) for each in found["versions"]] == [
        ("2.15.0", "implicated", "caused")
    ]


def test_the_slot_is_back_at_the_version_that_was_good(diary):
    """Verified, and nothing is proposed any more."""
    slot = diary.asks("/v1/slot", service="checkout", environment="production")
    assert (slot["current"]["version"], slot["last_known_good"]["version"]) == ("2.14.0", "2.14.0")
    assert slot["last_known_good"]["basis"] == "verified"
    assert slot["active_incidents"] == []
    assert target(diary) is None


def test_any_hour_can_be_read_again_as_it_was(diary):
    """As of the middle of the night, and as known before a correction."""

    def at(clock, **query):
        return diary.asks("/v1/incidents/INC-7", as_of=diary.moment(clock), **query)

    assert (at("01:00")["severity"], at("01:00")["commander"], at("01:00")["state"]) == ("SEV-2", "ana", "acknowledged")
    assert (at("02:30")["severity"], at("02:30")["commander"]) == ("SEV-1", "ben")
    assert at("02:30")["expected_response"]["seconds"] == 50 * MINUTE
    assert at("03:35")["state"] == "resolved"

    entries = diary.asks("/v1/incidents/INC-7/timeline")["items"]
    began = next(each["position"] for each in entries if each["type"] == "incident.impact_started")
    correction = diary.client("ana").append(
        {
            "type": "record.corrected",
            "data": {"position": began, "field": "time", "value": diary.moment("00:15"), "reason": "one log more"},
        }
    )["position"]
    read = {"at_least": correction}
    now = diary.asks("/v1/incidents/INC-7", **read)["measures"]
    before = diary.asks("/v1/incidents/INC-7", known_at=correction - 1)["measures"]
    assert (now["time_to_detect"]["seconds"], before["time_to_detect"]["seconds"]) == (10 * MINUTE, 5 * MINUTE)
    entry = next(each for each in diary.asks("/v1/incidents/INC-7/timeline")["items"] if each["position"] == began)
    assert [(each["was"], each["now"]) for each in entry["corrections"]] == [
        (diary.moment("00:20"), diary.moment("00:15"))
    ]


def test_a_machine_could_have_decided_none_of_it(diary):
    """Each decision of that day, sent by the pipeline: 403, and who may."""
    decisions = [
        ("incident.declared", {"incident": "X", "title": "t", "severity": "SEV-1", "kind": "outage"}),
        ("incident.severity_changed", {"incident": "X", "from": "SEV-3", "to": "SEV-1", "reason": "r"}),
        ("incident.role_assigned", {"incident": "X", "role": "commander", "person": "ci"}),
        ("rollback.decided", {"rollback_id": "R", "service": "s", "environment": "e", "to_version": "1"}),
        ("rollback.verified", {"rollback_id": "R", "service": "s", "environment": "e", "reason": "r"}),
        ("incident.closed", {"incident": "X", "reason": "r"}),
    ]
    for topic, data in decisions:
        refused = diary.client("ci").post("/v1/events", {"type": topic, "data": data})
        assert (refused.status, "responder" in refused.json()["detail"]) == (403, True)
