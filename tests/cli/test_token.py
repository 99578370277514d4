"""`lastgood token`: made, listed and revoked on the data folder, with or without a server."""

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest

from api.tokens import check_form
from ledger.application import Ledger
from tests.server import LASTGOOD, Client, environment


def items(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["items"]


def test_a_token_is_printed_alone(lastgood, tmp_path):
    """So that it can go straight into a variable; all else is on standard error."""
    result = lastgood("token", "create", "ci", "--role", "pipeline")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    check_form(line)
    assert "shown once" in result.stderr
    assert (tmp_path / "data").is_dir()


def test_a_shell_takes_a_token_into_a_variable(tmp_path):
    """As CI would: nothing on standard output but the token."""
    script = f'TOKEN=$({LASTGOOD} token create ci --role pipeline 2>/dev/null); printf "%s" "$TOKEN"'
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment(), check=True
    )
    check_form(done.stdout)


@pytest.mark.parametrize(
    "roles,kind",
    [
        (["pipeline"], "machine"),
        (["relay"], "machine"),
        (["responder"], "human"),
        (["admin"], "human"),
        (["auditor"], "human"),
    ],
)
def test_the_kind_follows_from_the_roles(lastgood, roles, kind):
    """Machine for pipeline and relay, human otherwise."""
    lastgood("token", "create", "someone", *(word for role in roles for word in ("--role", role)))
    (item,) = items(lastgood("token", "list", "--output", "json"))
    assert (item["kind"], item["roles"]) == (kind, roles)


def test_a_list_shows_everything_but_the_token(lastgood):
    """Roles and bounds as they were granted."""
    text = lastgood(
        "token", "create", "night shift", "--role", "responder", "--role", "admin", "--service", "a", "--service", "b",
        "--environment", "production",
    ).stdout.strip()  # fmt: skip
    listed = lastgood("token", "list", "--output", "json")
    (item,) = items(listed)
    assert (item["name"], item["roles"]) == ("night shift", ["admin", "responder"])
    assert (item["services"], item["environments"]) == (["a", "b"], ["production"])
    assert item["used_at"] is None
    assert item["revoked_at"] is None
    assert text not in listed.stdout
    table = lastgood("token", "list").stdout
    assert "night shift" in table
    assert "admin, responder" in table


def test_a_break_glass_token_is_told_as_one(lastgood):
    """In every list; and it is a person's, who may decide."""
    lastgood("token", "create", "glass", "--role", "responder", "--break-glass")
    (item,) = items(lastgood("token", "list", "--output", "json"))
    assert (item["break_glass"], item["kind"]) == (True, "human")
    assert "human, break-glass" in lastgood("token", "list").stdout
    refused = lastgood("token", "create", "bot", "--role", "pipeline", "--break-glass")
    assert refused.exit_code == 4
    assert "responder" in refused.stderr


def test_a_revoked_token_stays_in_the_list(lastgood):
    """With when it stopped working."""
    lastgood("token", "create", "ci", "--role", "pipeline")
    result = lastgood("token", "revoke", "ci", "--reason", "rotated")
    assert result.exit_code == 0
    assert "of ci no longer works" in result.stdout
    (item,) = items(lastgood("token", "list", "--output", "json"))
    assert item["revoked_at"]


def test_making_and_revoking_are_in_the_record(lastgood, tmp_path):
    """By the local administrator, since no token was used."""
    lastgood("token", "create", "ci", "--role", "pipeline")
    lastgood("token", "revoke", "ci", "--reason", "rotated")
    with Ledger(tmp_path / "data") as ledger:
        granted, revoked = ledger.read(0, 9)
    assert [type(each.event).TOPIC for each in (granted, revoked)] == ["access.granted", "access.revoked"]
    assert granted.submitter == revoked.submitter
    assert (granted.submitter.id, granted.submitter.method, granted.submitter.kind) == ("local-admin", "local", "human")
    assert revoked.event.reason == "rotated"


def test_a_token_made_while_a_server_runs_works_at_once(lastgood, server):
    """And stops working at once."""
    data = ("--data", str(server.data))
    client = Client(server.url, lastgood("token", "create", "cli-made", "--role", "auditor", *data).stdout.strip())
    assert client.get("/v1/slots").status == 200
    assert lastgood("token", "revoke", "cli-made", *data).exit_code == 0
    assert client.get("/v1/slots").status == 401


def test_the_data_folder_may_come_from_the_environment(lastgood, tmp_path, monkeypatch):
    """LASTGOOD_DATA, as for every verb."""
    monkeypatch.setenv("LASTGOOD_DATA", str(tmp_path / "elsewhere"))
    lastgood("token", "create", "ci", "--role", "pipeline")
    assert (tmp_path / "elsewhere" / "access.sqlite").exists()


@pytest.mark.parametrize(
    "call",
    [
        ["create", "ci"],
        ["create", "--role", "pipeline"],
        ["create", "ci", "--role", "root"],
        ["create", "", "--role", "pipeline"],
        ["create", "a\nb", "--role", "pipeline"],
        ["create", "ci", "--role", "pipeline", "--service", "x" * 201],
        ["create", "ci", "--role", "pipeline", "--kind", "robot"],
        ["revoke"],
    ],
    ids=" ".join,
)
def test_wrong_usage_makes_nothing(lastgood, tmp_path, call):
    """Exit code 2, and no data folder."""
    assert lastgood("token", *call).exit_code == 2
    assert not (tmp_path / "data").exists()


def test_a_machine_gets_no_role_of_a_person(lastgood):
    """Exit code 4: not allowed."""
    result = lastgood("token", "create", "bot", "--role", "responder", "--kind", "machine")
    assert result.exit_code == 4
    assert "a machine may not decide" in result.stderr


def test_revoking_what_nobody_made_is_told(lastgood):
    """Exit code 3, and what to look at."""
    result = lastgood("token", "revoke", "nobody")
    assert result.exit_code == 3
    assert "lastgood token list" in result.stderr


def test_a_token_that_was_revoked_stays_so_when_its_file_is_put_back(fresh_server):
    """The record says it, so an older or edited access.sqlite gives nothing back."""
    text = fresh_server.token("responder", name="leaver")
    kept = Client(fresh_server.url, text)
    assert kept.get("/v1/slots").status == 200
    fresh_server.revoke("leaver")
    assert kept.get("/v1/slots").status == 401
    with closing(sqlite3.connect(fresh_server.data / "access.sqlite", isolation_level=None)) as edited:
        edited.execute("UPDATE tokens SET revoked_at = NULL, revoked_position = NULL")
    assert kept.get("/v1/slots").status == 401
