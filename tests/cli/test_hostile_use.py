"""The command line where names are hostile, and where whoever uses it is in a hurry or unlucky."""

import subprocess
import uuid

import pytest

from tests.server import LASTGOOD, Server, environment

NAMES = (
    "[bold]x[/bold]",
    "[/]",
    "[link=http://evil]a[/link]",
    "\u202egnp.exe",
    "a\u200bb",
    "x" * 200,
    'a,b"c',
    "%s{0}",
)


def run(server, *arguments, role="responder", **settings):
    given = environment(url=server.url, token=server.tokens[role], **settings)
    return subprocess.run([LASTGOOD, *arguments], capture_output=True, text=True, env=given, check=False, timeout=60)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_breaks_a_screen_or_turns_its_text_around(server, name):
    """Names come from whoever may append; a terminal shows them, and does not obey them."""
    client, place = server.client("responder"), f"env-{uuid.uuid4().hex}"
    slot = {"service": name, "environment": place}
    incident = f"{name[:100]}-{uuid.uuid4().hex}"
    told = {"incident": incident, "title": name, "severity": "SEV-1", "kind": name, "affected": [slot]}
    client.append(
        {"type": "deployment.succeeded", "data": {"deployment_id": name, **slot, "version": name, "author": name}},
        {"type": "incident.declared", "data": told},
    )
    for verb in (
        ("status", name),
        ("situation", name, place),
        ("history", name, place),
        ("timeline", incident),
        ("incident", "show", incident),
        ("gate", "release", "--service", name, "--environment", place, "--version", name),
    ):
        ended = run(server, *verb)
        assert ended.returncode in (0, 10), (verb, ended.stderr)
        assert not set(ended.stdout + ended.stderr) & set("\u202e\u200b\x1b"), verb


def test_the_demo_leaves_a_record_alone_that_holds_something(fresh_server):
    """What is recorded stays for ever: an invented SEV-1 must not be among it."""
    deployed = {"deployment_id": "1", "service": "real", "environment": "production", "version": "1"}
    position = fresh_server.client().append({"type": "deployment.succeeded", "data": deployed})["position"]
    ended = run(fresh_server, "demo", data=str(fresh_server.data))
    assert ended.returncode != 0
    assert fresh_server.client().get("/v1/events", after=position).json()["items"] == []


def test_the_record_is_for_its_owners_eyes_wherever_its_folder_was_made(tmp_path):
    """A folder that was there before, open to all, does not open the record to all."""
    server = Server(tmp_path / "server")
    server.data.chmod(0o755)
    try:
        server.start()
        server.client().append({"type": "service.removed", "data": {"service": "a", "environment": "b", "reason": "x"}})
        files = [each for each in server.data.rglob("*") if each.is_file()]
        assert {"events.sqlite-wal", "models.sqlite", "level-0"} <= {each.name for each in files}
        assert {each.name for each in files if each.stat().st_mode & 0o077} <= {"checkpoints", "vkeys", "cosigned"}
    finally:
        server.close()


def a_decision(server, service):
    slot = {"service": service, "environment": f"env-{uuid.uuid4().hex}"}
    for day, version in ((10, "1"), (11, "2")):
        deployed = {"deployment_id": version, **slot, "version": version}
        server.client().append({"type": "deployment.succeeded", "time": f"2025-11-{day}T00:00:00Z", "data": deployed})
    return slot


def test_no_decision_is_denied_while_the_answers_catch_up(fresh_server):
    """Where it can't be known whether something is decided, `none` is not the answer."""
    slot = a_decision(fresh_server, "late")
    many = [
        {
            "type": "deployment.succeeded",
            "data": {"deployment_id": f"{n}", "service": f"s{n}", "environment": "e", "version": "1"},
        }
        for n in range(10_000)
    ]
    fresh_server.client().append(*many)
    fresh_server.client().append({"type": "rollback.decided", "data": {"rollback_id": "r1", **slot, "to_version": "1"}})
    named = ("--service", slot["service"], "--environment", slot["environment"])
    assert run(fresh_server, "rollback", "next", *named, role="pipeline").returncode != 10
