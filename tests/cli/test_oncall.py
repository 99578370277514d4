"""`lastgood oncall`: recorded by flags, and asked of a real server."""

import json
from uuid import uuid4

import click
import pytest

from api.cli.ci import Facts
from api.cli.oncall import KINDS, MEMBERS, TABLE
from ledger.contract import Items, accept, members
from ledger.events import EVENTS

TIMES = ("--from", "2026-03-02T09:00:00+01:00", "--to", "2999-03-09T09:00:00+01:00")


@pytest.fixture
def rota(server, monkeypatch):
    """One of this test alone."""
    monkeypatch.setenv("LASTGOOD_URL", server.url)
    monkeypatch.setenv("LASTGOOD_TOKEN", server.tokens["pipeline"])
    return f"rota-{uuid4().hex[:8]}"


def receipt(shown):
    assert shown.exit_code == 0, shown.stderr
    return str(json.loads(shown.stdout)["position"])


@pytest.mark.parametrize("topic", KINDS)
def test_the_table_says_what_the_catalogue_says(topic):
    """One member more or less, and the verb would lie; and what its flags make is accepted."""
    known = members(EVENTS[topic])
    assert set(KINDS[topic].required.split()) == {name for name, member in known.items() if member.required}
    assert set(KINDS[topic].members()) == set(known)
    assert all(MEMBERS[name].multiple == (type(known[name].rule) is Items or name == "labels") for name in known)
    flags = {"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T10:00:00Z", "services": ("a", "b")}
    pairs = {"evidence": (("graph", "https://x"),), "labels": (("team", "core"),)}
    data = TABLE.data_of(topic, {name: name for name in MEMBERS} | flags | pairs, Facts(), str)
    accept(EVENTS[topic], data)


@pytest.mark.parametrize("verb", ["assign", "assigned"])
def test_who_is_assigned_is_who_is_on_call(lastgood, rota, verb):
    """By service, with contact and until when; the event's own name does the same."""
    about = ("--rota", rota, "--person", "Ana Lima", "--contact", "+43 1", "--service", rota)
    position = receipt(lastgood("oncall", verb, *about, *TIMES, "--output", "json"))
    shown = lastgood("oncall", "who", rota, "--rota", rota, "--at-least", position)
    assert shown.exit_code == 0
    header, row = shown.stdout.splitlines()
    assert header.split()[:3] == ["rota", "on", "call"]
    for word in (rota, "Ana Lima", "+43 1", "2999-03-09T08:00:00Z"):
        assert word in row
    answer = json.loads(lastgood("oncall", "who", rota, "--rota", rota, "--output", "json").stdout)
    assert [each["person"] for each in answer["items"]] == ["Ana Lima"]


def test_nobody_on_call_is_a_no(lastgood, rota):
    """Exit 10, with the gap shown, so that a script can tell."""
    position = receipt(lastgood("oncall", "assign", "--rota", rota, "--person", "Ana", *TIMES, "--output", "json"))
    asked = ("oncall", "who", "--rota", rota, "--at-least", position)
    assert lastgood(*asked).exit_code == 0
    position = receipt(lastgood("oncall", "release", "--rota", rota, "--person", "Ana", *TIMES, "--output", "json"))
    gone = lastgood(*asked[:-1], position)
    assert gone.exit_code == 10
    assert "nobody is on call" in gone.stderr
    assert "nobody" in gone.stdout
    unknown = lastgood("oncall", "who", "--rota", f"{rota}-other", "--output", "json")
    assert unknown.exit_code == 10
    assert json.loads(unknown.stdout)["items"] == []


def test_a_later_time_can_be_asked_about(lastgood, rota):
    """Who has the holidays?"""
    times = ("--from", "2998-01-01T00:00:00Z", "--to", "2998-02-01T00:00:00Z")
    position = receipt(lastgood("oncall", "assign", "--rota", rota, "--person", "Ben", *times, "--output", "json"))
    assert lastgood("oncall", "who", "--rota", rota, "--at-least", position).exit_code == 10
    then = lastgood("oncall", "who", "--rota", rota, "--at", "2998-01-15T00:00:00Z")
    assert then.exit_code == 0
    assert "Ben" in then.stdout


def test_a_gap_before_the_next_is_shown_with_its_end(lastgood, rota):
    """`next` names who comes, and from when where that is not at once."""
    for person, start, end in (("Ana", "2020-01-01", "2998-01-01"), ("Ben", "2998-02-01", "2998-03-01")):
        times = ("--from", f"{start}T00:00:00Z", "--to", f"{end}T00:00:00Z")
        position = receipt(lastgood("oncall", "assign", "--rota", rota, "--person", person, *times, "--output", "json"))
    shown = lastgood("oncall", "who", "--rota", rota, "--at-least", position)
    assert "Ben from 2998-02-01T00:00:00Z" in shown.stdout


def test_what_is_missing_is_a_usage_error(lastgood, rota):
    """Naming the flags; nothing is sent."""
    shown = lastgood("oncall", "assign", "--rota", rota)
    assert shown.exit_code == click.UsageError.exit_code
    for flag in ("--person", "--from", "--to"):
        assert flag in shown.stderr
