"""The command line against a real server: what the other tests take the ledger's word for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import Result

from api.cli.spool import Spool
from tests.cli.test_ci import GITHUB
from tests.server import Server

Call = Callable[..., Result]


@pytest.fixture
def service() -> str:
    """One of this test alone, in a record shared with others."""
    return f"payments-{uuid4().hex[:8]}"


@pytest.fixture
def use(server: Server, monkeypatch) -> Callable[[str], None]:
    def as_role(role: str) -> None:
        monkeypatch.setenv("LASTGOOD_URL", server.url)
        monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens[role])

    as_role("responder")
    return as_role


def deploy(lastgood: Call, service: str, version: str, *more: str) -> Result:
    slot = ("--service", service, "--environment", "production")
    return lastgood("deployment", "succeeded", *slot, "--version", version, *more)


def slot_of(lastgood: Call, service: str, *more: str) -> dict:
    (slot,) = json.loads(lastgood("status", service, *more, "--output", "json").stdout)["items"]
    return slot


@pytest.mark.usefixtures("use")
def test_what_is_recorded_by_flags_is_what_status_shows(lastgood, service):
    """Reading one's own write by its position."""
    receipt = json.loads(deploy(lastgood, service, "1.0", "--output", "json").stdout)
    assert receipt["duplicate"] is False
    slot = slot_of(lastgood, service, "--at-least", str(receipt["position"]))
    assert slot["deployed"]["version"] == slot["current"]["version"] == "1.0"
    shown = lastgood("status", service).stdout
    assert service in shown
    assert "1.0" in shown


@pytest.mark.usefixtures("use")
def test_a_step_that_is_retried_in_one_job_is_recorded_once(lastgood, service, monkeypatch):
    """And a re-run of the job is another deployment."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    first = json.loads(deploy(lastgood, service, "1.0", "--output", "json").stdout)
    again = deploy(lastgood, service, "1.0", "--output", "json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {**first, "duplicate": True}
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "3")
    rerun = json.loads(deploy(lastgood, service, "1.0", "--output", "json").stdout)
    assert (rerun["duplicate"], rerun["position"] > first["position"]) == (False, True)


@pytest.mark.usefixtures("use")
def test_the_same_id_with_other_content_is_a_conflict(lastgood, service):
    """Exit 5, and nothing stored."""
    assert deploy(lastgood, service, "1.0", "--id", service, "--source", "test").exit_code == 0
    result = deploy(lastgood, service, "2.0", "--id", service, "--source", "test")
    assert result.exit_code == 5
    assert slot_of(lastgood, service)["deployed"]["version"] == "1.0"


@pytest.mark.usefixtures("use")
def test_a_stale_revision_is_a_conflict(lastgood, service):
    """0: the stream must not exist yet."""
    assert deploy(lastgood, service, "1.0", "--expected-revision", "0").exit_code == 0
    assert deploy(lastgood, service, "2.0", "--expected-revision", "0").exit_code == 5
    assert deploy(lastgood, service, "2.0", "--expected-revision", "1").exit_code == 0


def test_a_machine_cannot_decide(lastgood, service, use):
    """Exit 4, for a token that may not and for one that is unknown."""
    use("pipeline")
    approve = ("release", "approved", "--service", service, "--environment", "production", "--version", "1.0")
    assert lastgood(*approve).exit_code == 4
    assert lastgood(*approve, "--token", "unknown").exit_code == 4
    use("responder")
    assert lastgood(*approve).exit_code == 0


@pytest.mark.usefixtures("use")
def test_what_breaks_a_rule_is_invalid_and_says_where(lastgood, service):
    """Exit 3, with the member's pointer, or the flag where it is seen before anything is sent."""
    for flags, pointer in (
        (["--digest", "sha256:short"], "/data/digest"),
        (["--time", "2026-11-22T21:00:00"], "--time"),
        (["--time", "2026-11-22 is no time"], "/time"),
    ):
        result = deploy(lastgood, service, "1.0", *flags)
        assert result.exit_code == 3
        assert pointer in result.stderr


@pytest.mark.usefixtures("use")
def test_a_file_of_many_events_is_appended_and_known_the_second_time(lastgood, service, tmp_path):
    """All recorded, then all duplicates; the record gives them back."""
    names = [f"{service}-{number}" for number in range(12_000)]
    metric = {"type": "metric.observed", "source": "test", "time": "2026-11-22T21:00:00Z"}
    lines = [
        json.dumps({**metric, "id": name, "data": {"name": "errors", "value": 1, "unit": "1", "service": service}})
        for name in names
    ]
    (tmp_path / "events.ndjson").write_text("\n".join(lines))
    first = json.loads(lastgood("append", "events.ndjson", "--output", "json").stdout)
    assert (first["count"], first["duplicates"], first["warnings"]) == (12_000, 0, [])
    again = lastgood("append", "events.ndjson", "--output", "json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {**first, "first": None, "last": None, "duplicates": 12_000}
    exported = lastgood("export", "--service", service, "--after", str(first["first"] - 1))
    assert [json.loads(line)["id"] for line in exported.stdout.splitlines()] == names


@pytest.mark.usefixtures("use")
def test_a_fault_deep_in_a_batch_is_told_with_its_line(lastgood, service):
    """And nothing of the batch is recorded."""
    good = {
        "type": "deployment.started",
        "data": {"deployment_id": "1", "service": service, "environment": "e", "version": "1"},
    }
    bad = {"type": "deployment.started", "data": {"deployment_id": "1", "service": service, "environment": "e"}}
    result = lastgood("append", stdin="\n".join(json.dumps(each) for each in (good, good, bad)))
    assert result.exit_code == 3
    assert "line 3" in result.stderr
    assert lastgood("export", "--service", service).stdout == ""


@pytest.mark.usefixtures("use")
def test_two_members_of_one_name_reach_the_ledger_and_are_refused(lastgood, service):
    """A parser on the way would have kept the last and said nothing."""
    text = '{"type":"metric.observed","data":{"name":"x","unit":"1","value":1,"value":2}}'
    assert lastgood("append", stdin=text).exit_code == 3


def test_what_was_spooled_is_sent_once_the_ledger_is_back(lastgood, fresh_server, monkeypatch, tmp_path):
    """In order, with the times at which it happened, and a second flush finds nothing."""
    monkeypatch.setenv("LASTGOOD_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("LASTGOOD_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LASTGOOD_TIMEOUT_S", "0.2")
    monkeypatch.setenv("LASTGOOD_TOKEN", fresh_server.tokens["pipeline"])
    for version in ("1.0", "1.1"):
        assert deploy(lastgood, "payments", version).exit_code == 6
    spooled = [json.loads(path.read_bytes()) for path in Spool(tmp_path / "spool").waiting()]
    monkeypatch.setenv("LASTGOOD_URL", fresh_server.url)
    monkeypatch.setenv("LASTGOOD_TIMEOUT_S", "30")
    assert json.loads(lastgood("flush", "--output", "json").stdout)["sent"] == 2
    exported = [json.loads(line) for line in lastgood("export", "--service", "payments").stdout.splitlines()]
    assert [(each["id"], each["time"]) for each in exported] == [(each["id"], each["time"]) for each in spooled]
    assert json.loads(lastgood("flush", "--output", "json").stdout)["sent"] == 0


def test_an_event_recorded_though_its_reply_was_lost_is_flushed_as_a_duplicate(
    lastgood, use, service, tmp_path, monkeypatch
):
    """The spool gave it a time; the ledger has it without."""
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    use("pipeline")
    spool = ("--spool", str(tmp_path / "spool"))
    assert deploy(lastgood, service, "1.0", *spool, "--url", "http://127.0.0.1:1", "--timeout", "0.1").exit_code == 6
    assert deploy(lastgood, service, "1.0").exit_code == 0
    flushed = json.loads(lastgood("flush", *spool, "--output", "json").stdout)
    assert flushed == {"sent": 1, "duplicates": 1, "refused": 0, "waiting": 0}


def test_a_spooled_event_that_is_not_allowed_stays_aside(lastgood, use, service, tmp_path):
    """Nothing else waits for it."""
    use("pipeline")
    flags = ("--spool", str(tmp_path / "spool"))
    nobody = ("--url", "http://127.0.0.1:1", "--timeout", "0.1")
    decide = ("release", "approved", "--service", service, "--environment", "production", "--version", "1.0")
    assert lastgood(*decide, *flags, *nobody).exit_code == 6
    assert deploy(lastgood, service, "1.0", *flags, *nobody).exit_code == 6
    result = lastgood("flush", *flags, "--output", "json")
    assert result.exit_code == 4
    assert json.loads(result.stdout) == {"sent": 1, "duplicates": 0, "refused": 1, "waiting": 0}
    use("responder")
    assert lastgood("flush", *flags, "--again").exit_code == 0


@pytest.mark.usefixtures("use")
def test_a_run_leaves_a_deployment_and_a_release(lastgood, service):
    """The command's exit code is ours, and history tells what happened."""
    call = ("run", "--service", service, "--environment", "production")
    assert lastgood(*call, "--version", "1.0", "--release", "--", sys.executable, "-c", "").exit_code == 0
    assert lastgood(*call, "--version", "1.1", "--", sys.executable, "-c", "raise SystemExit(9)").exit_code == 9
    slot = slot_of(lastgood, service)
    assert (slot["deployed"]["version"], slot["current"]["version"], slot["certain"]) == ("1.0", "1.0", False)
    history = json.loads(lastgood("history", service, "production", "--output", "json").stdout)["items"]
    assert {"1.0", "1.1"} <= {each["version"] for each in history}
    assert "1.1" in lastgood("history", service, "production").stdout


@pytest.mark.usefixtures("use")
def test_a_plan_and_the_past_are_answered(lastgood, service):
    """What returning to a moment would change; and how things were then."""
    environment = f"production-{service}"
    for version, time in (("1.0", "2026-01-01T10:00:00Z"), ("1.1", "2026-01-02T10:00:00Z")):
        slot = ("--service", service, "--environment", environment, "--version", version, "--time", time)
        assert lastgood("deployment", "succeeded", *slot).exit_code == 0
    then = "2026-01-01T12:00:00Z"
    assert slot_of(lastgood, service, "--as-of", then)["deployed"]["version"] == "1.0"
    answer = json.loads(lastgood("plan", environment, "--to", then, "--output", "json").stdout)
    assert [(each["from"]["version"], each["to"]["version"]) for each in answer["items"]] == [("1.1", "1.0")]
    assert "1 service would change" in lastgood("plan", environment, "--to", then).stdout


@pytest.mark.usefixtures("use")
def test_a_moment_that_cannot_be_answered_is_invalid(lastgood):
    """A naive time, and a position beyond the record."""
    assert lastgood("status", "--as-of", "2026-11-22T21:00:00").exit_code == 3
    assert lastgood("status", "--at-least", "999999999").exit_code == 3


@pytest.mark.usefixtures("use")
def test_an_export_is_resumed_where_it_stopped(lastgood, service, tmp_path):
    """The file ends up as if it had been written at once."""
    for version in ("1.0", "1.1"):
        deploy(lastgood, service, version)
    path = tmp_path / "events.ndjson"
    assert lastgood("export", "--service", service, "-o", path).exit_code == 0
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\n") + 5])
    assert lastgood("export", "--service", service, "-o", path, "--resume").exit_code == 0
    assert path.read_bytes() == whole


def test_the_installed_command_is_this_one(server, service):
    """The entry point of the package, as a pipeline calls it."""
    call = [Path(sys.executable).parent / "lastgood", "status", service, "--url", server.url, "--output", "json"]
    environ = {**os.environ, "LASTGOOD_TOKEN": server.tokens["auditor"]}
    done = subprocess.run(call, env=environ, capture_output=True, check=True)
    assert json.loads(done.stdout) == {"items": [], "next": None}
