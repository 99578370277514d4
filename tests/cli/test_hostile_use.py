"""The command line where names are hostile, and where whoever uses it is in a hurry or unlucky."""

import subprocess
import uuid

import pytest

from tests.server import LASTGOOD, environment

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
