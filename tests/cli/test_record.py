"""Recording by flags: the table is the catalogue's, and what is not given comes from CI or is made."""

import json
import time

import click
import pytest

from api.cli import record, verbs
from api.cli.ci import Facts
from api.cli.record import KINDS, MEMBERS, data_of
from ledger.contract import Items, accept, members
from ledger.events import EVENTS, Event, Who
from ledger.values import Choice, Flag, Number
from tests.cli.faulty import Answer
from tests.cli.test_ci import GITHUB

SLOT = {"service": "payments", "environment": "production"}
RECEIPT = {"id": "1", "source": "s", "position": 7, "recordedtime": "t", "stream": "slot/a/b", "revision": 1}
JOB = Facts(
    source="https://ci/1",
    run="run-1",
    attempt="run-1-1",
    job="run-1-1-deploy",
    commit="abc",
    build_url="https://ci/1",
    tag="1.5.0",
)


def new_id() -> str:
    return "made"


@pytest.mark.parametrize("topic", KINDS)
def test_the_table_says_what_the_catalogue_says(topic):
    """One member more or less, or one required that was optional, and the verb would lie."""
    known = members(EVENTS[topic])
    kind = KINDS[topic]
    assert set(kind.required.split()) == {name for name, member in known.items() if member.required}
    assert set(kind.members()) == set(known) - EVENTS[topic].LEDGER_SETS


@pytest.mark.parametrize("topic", KINDS)
def test_every_verb_has_each_flag_once_and_help_for_it(lastgood, topic):
    """Also those of a member that is common to all and required here."""
    noun, _, verb = topic.partition(".")
    shown = lastgood(noun, verb.replace("_", "-"), "--help")
    assert shown.exit_code == 0
    flags = [option.opts[0] for option in record.command(topic).params]
    assert len(flags) == len(set(flags))
    assert all(f"  {flag}" in shown.stdout for flag in flags)


@pytest.mark.parametrize("noun", ["deployment", "release", "feature", "rollback"])
def test_every_event_of_a_noun_has_its_verb(noun):
    """The catalogue may grow; then so must the table."""
    assert {topic for topic in KINDS if topic.startswith(f"{noun}.")} == {
        topic for topic in EVENTS if topic.startswith(f"{noun}.")
    }


@pytest.mark.parametrize("topic", KINDS)
def test_flags_read_what_the_members_rules_accept(topic):
    """Choices, numbers, truths and lists, as `ledger.values` has them."""
    for wire, member in members(EVENTS[topic]).items():
        if wire in EVENTS[topic].LEDGER_SETS:
            continue
        flag = MEMBERS[wire]
        assert flag.multiple == (type(member.rule) is Items or wire == "labels"), wire
        if isinstance(member.rule, Choice):
            assert flag.type.choices == member.rule.words, wire
        if isinstance(member.rule, Number):
            assert (flag.type.min, flag.type.max) == (member.rule.least, member.rule.most), wire
        assert (flag.type is bool) == isinstance(member.rule, Flag), wire


def test_the_common_members_are_those_of_every_event():
    """As `ledger.events.Event` has them."""
    assert set(verbs.COMMON.split()) == set(members(Event))


@pytest.mark.parametrize("topic", KINDS)
def test_what_the_flags_make_is_accepted_by_the_contract(topic):
    """Every flag given at once."""
    examples = {
        "exposure": 25.0,
        "digest": "sha256:" + "a" * 64,
        "to_digest": "sha256:" + "a" * 64,
        "committed_at": "2026-11-22T21:00:00+01:00",
        "targets": ("one", "two"),
        "released": False,
        "evidence": (("graph", "https://x"),),
        "labels": (("team", "core"),),
    }
    given = {}
    for name, flag in MEMBERS.items():
        choices = getattr(flag.type, "choices", None)
        given[name] = examples.get(name, choices[0] if choices else name)
    data = data_of(topic, given, Facts(), new_id)
    accept(EVENTS[topic], data)
    assert set(data) == set(KINDS[topic].members())


def test_what_ci_knows_is_filled_in():
    """Version, names and where to look."""
    data = data_of("deployment.succeeded", SLOT, JOB, new_id)
    assert data == {
        **SLOT,
        "deployment_id": "run-1-1",
        "version": "1.5.0",
        "commit": "abc",
        "build_url": "https://ci/1",
    }


def test_a_flag_wins_over_ci():
    """What a person says is what is recorded."""
    data = data_of("deployment.succeeded", {**SLOT, "version": "2", "deployment_id": "mine"}, JOB, new_id)
    assert (data["version"], data["deployment_id"]) == ("2", "mine")


def test_a_release_is_one_across_the_jobs_and_reruns_of_a_run():
    """Else a canary that one job began and a re-run job completed would stay open for ever."""
    rerun = Facts(run="run-1", attempt="run-1-2", job="run-1-2-finish", tag="1.5.0")
    started = data_of("release.started", SLOT, JOB, new_id)
    completed = data_of("release.completed", SLOT, rerun, new_id)
    assert started["release_id"] == completed["release_id"] == "run-1"


def test_outside_of_ci_what_begins_gets_a_new_name():
    """Whoever records a deployment need not think of one."""
    assert data_of("deployment.started", {**SLOT, "version": "1"}, Facts(), new_id)["deployment_id"] == "made"


@pytest.mark.parametrize(
    "topic,given,flags",
    [
        ("deployment.succeeded", {"service": "s"}, "--environment, --version"),
        ("rollback.verified", {**SLOT, "reason": "calm"}, "--rollback-id"),
        ("rollback.cancelled", {**SLOT, "reason": "calm"}, "--rollback-id"),
        ("release.aborted", {**SLOT, "version": "1", "reason": "errors"}, "--release-id"),
        ("release.exposed", {**SLOT, "version": "1"}, "--exposure"),
    ],
)
def test_what_is_missing_is_told_by_its_flag(topic, given, flags):
    """All at once; and what follows something up cannot make up the name of what it follows."""
    with pytest.raises(click.UsageError, match=f"missing {flags}"):
        data_of(topic, given, Facts(), new_id)


@pytest.mark.parametrize("topic", [topic for topic in KINDS if EVENTS[topic].WHO is Who.DECISION])
def test_no_decision_takes_its_version_from_ci(topic):
    """A person decides about a version by naming it."""
    if "version" in KINDS[topic].required.split():
        with pytest.raises(click.UsageError, match="--version"):
            data_of(topic, {**SLOT, "reason": "r"}, JOB, new_id)


def test_a_dry_run_shows_the_event_and_sends_nothing(lastgood):
    """No server is there."""
    result = lastgood(
        *("release", "exposed", "--service", "s", "--environment", "e", "--version", "1", "--exposure", "12.5"),
        *(
            "--release-id",
            "r",
            "--evidence",
            "graph=https://x/?a=b",
            "--label",
            "team=core",
            "--time",
            "2026-11-22T21:00:00Z",
        ),
        *("--correlation-id", "c", "--id", "i", "--source", "here", "--dry-run"),
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "specversion": "1.0",
        "id": "i",
        "source": "here",
        "time": "2026-11-22T21:00:00Z",
        "correlationid": "c",
        "type": "release.exposed",
        "data": {
            "release_id": "r",
            "service": "s",
            "environment": "e",
            "version": "1",
            "exposure": 12.5,
            "evidence": [{"label": "graph", "url": "https://x/?a=b"}],
            "labels": {"team": "core"},
        },
    }


def test_a_retried_step_sends_the_same_bytes(lastgood, monkeypatch):
    """So the ledger answers the second with the first receipt."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    call = ("deployment", "succeeded", "--service", "s", "--environment", "e", "--dry-run")
    first, second = lastgood(*call), lastgood(*call)
    assert first.stdout == second.stdout
    event = json.loads(first.stdout)
    assert event["source"] == "https://github.com/acme/payments/actions/runs/8812"
    assert event["id"].startswith("run-8812-2-deploy-deployment.succeeded-")
    assert "time" not in event


@pytest.mark.parametrize("flag", [["--evidence", "graph"], ["--label", "=x"], ["--label", "x="], ["--exposure", "101"]])
def test_a_value_of_the_wrong_form_is_wrong_usage(lastgood, flag):
    """Before anything is sent."""
    result = lastgood("feature", "enabled", "--feature", "f", "--service", "s", "--environment", "e", *flag)
    assert result.exit_code == 2


def test_the_receipt_is_told_and_its_warnings_with_it(lastgood, faulty):
    """In words, or as the ledger's own JSON."""
    receipt = {**RECEIPT, "duplicate": False, "warnings": [{"code": "late", "detail": "31 min late", "position": None}]}
    faulty.answers = [Answer(201, receipt)]
    call = ("deployment", "succeeded", "--service", "s", "--environment", "e", "--version", "1", "--url", faulty.url)
    told = lastgood(*call)
    assert told.stdout.startswith("recorded deployment.succeeded at position 7, deployment_id ")
    assert "31 min late" in told.stderr
    assert json.loads(lastgood(*call, "--output", "json").stdout) == receipt


def test_an_expected_revision_goes_as_if_match_and_strict_in_the_query(lastgood, faulty):
    """The ledger decides on them."""
    faulty.answers = [Answer(201, {**RECEIPT, "duplicate": False, "warnings": []})]
    call = ("deployment", "succeeded", "--service", "s", "--environment", "e", "--version", "1", "--url", faulty.url)
    lastgood(*call, "--expected-revision", "0", "--strict")
    assert faulty.asked[0].headers["If-Match"] == '"0"'
    assert faulty.asked[0].path == "/v1/events?strict=true"


def test_a_condition_cannot_wait_in_the_spool(lastgood, tmp_path, monkeypatch):
    """Sent later, it would be decided against another state: so it is told to be lost."""
    call = (
        "rollback",
        "started",
        "--service",
        "s",
        "--environment",
        "e",
        "--to-version",
        "1",
        "--expected-revision",
        "3",
    )
    nobody = ("--url", "http://127.0.0.1:1", "--timeout", "0.1")
    assert lastgood(*call, *nobody, "--spool", tmp_path / "spool").exit_code == 2
    monkeypatch.setenv("LASTGOOD_SPOOL", str(tmp_path / "spool"))
    result = lastgood(*call, *nobody)
    assert result.exit_code == 7
    assert "condition" in result.stderr
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("2026-11-22T21:04:00", "2026-11-22T21:04:00+01:00"),
        ("2026-07-22 21:04", "2026-07-22T21:04+02:00"),
        ("2026-11-22t21:04:00.123456", "2026-11-22T21:04:00+01:00"),
    ],
)
def test_a_time_without_an_offset_is_told_once_with_the_one_that_is_here(lastgood, faulty, monkeypatch, typed, meant):
    """Before anything is sent or spooled: in a hurry one copies what is offered."""
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    try:
        ended = lastgood("rollback", "decided", "--service", "s", "--time", typed, "--url", faulty.url)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (ended.exit_code, ended.stderr.count("offset"), meant in ended.stderr, faulty.asked) == (3, 1, True, [])


@pytest.mark.parametrize("typed", ["2026-13-40T99:99:99", "0001-01-01T00:00"])
def test_a_time_that_is_none_here_is_told_without_an_example(lastgood, typed):
    ended = lastgood("rollback", "decided", "--service", "s", "--time", typed)
    assert (ended.exit_code, "has no offset" in ended.stderr) == (3, True)


def test_a_moment_to_read_at_has_an_offset_too(lastgood, faulty):
    ended = lastgood("status", "--as-of", "2026-11-22T21:04:00", "--url", faulty.url)
    assert (ended.exit_code, "--as-of 2026-11-22T21:04:00 has no offset" in ended.stderr) == (3, True)
