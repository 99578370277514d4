"""`rollback next`, `gate release` and `plan --decide` against a real server, as a pipeline calls them."""

import json
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager

import pytest

from api.cli import execute
from tests.api.world import World
from tests.cli.faulty import Answer
from tests.server import LASTGOOD, environment


@pytest.fixture
def world(server):
    world = World(server, f"env-{uuid.uuid4().hex[:8]}")
    world.server = server
    world.deployed("1", minutes=0)
    world.deployed("2", minutes=60)
    return world


def run(world, *arguments, role="pipeline", url=None):
    settings = environment(url=url or world.server.url, token=world.server.tokens[role])
    return subprocess.run([LASTGOOD, *arguments], capture_output=True, text=True, env=settings, check=False, timeout=60)


def slot(world):
    return ("--service", world.service, "--environment", world.environment)


def decide(world, rollback_id="r1"):
    return world.tell("rollback.decided", rollback_id=rollback_id, to_version="1", reason="refunds fail")


def test_next_prints_the_decision_to_execute(world):
    """Just the members that the contract names."""
    receipt = decide(world)
    world.seen(receipt)
    told = json.loads(run(world, "rollback", "next", *slot(world), "--output", "json").stdout)
    by = told.pop("decided_by")
    assert by.startswith("p-")
    assert told == {
        "rollback_id": "r1",
        **world.slot,
        "to_version": "1",
        "to_digest": None,
        "reason": "refunds fail",
        "position": receipt["position"],
    }


def test_next_names_the_person_on_a_screen(world):
    """A program gets the opaque id, which no renaming changes."""
    world.seen(decide(world))
    assert "decided_by a-responder\n" in run(world, "rollback", "next", *slot(world)).stdout


def test_next_exits_10_where_there_is_nothing_to_execute(world):
    assert run(world, "rollback", "next", *slot(world)).returncode == 10


def test_next_waits_for_a_decision(world):
    """A decision that comes while it waits is handed out."""

    def later():
        time.sleep(1)
        decide(world)

    deciding = threading.Thread(target=later)
    deciding.start()
    found = run(world, "rollback", "next", *slot(world), "--wait", "30")
    deciding.join()
    assert (found.returncode, "rollback_id r1" in found.stdout) == (0, True)


def test_of_several_pipelines_that_claim_one_gets_it(world):
    """The others exit 10; the record has one claim."""
    world.seen(decide(world))
    settings = environment(url=world.server.url, token=world.server.tokens["pipeline"])
    command = [LASTGOOD, "rollback", "next", *slot(world), "--claim"]
    callers = [subprocess.Popen(command, env=settings, stdout=-3, stderr=-3) for _ in range(4)]
    assert sorted(each.wait(60) for each in callers) == [0, 10, 10, 10]
    claims = world.auditor.get("/v1/events", type="rollback.started", service=world.service).json()["items"]
    assert len(claims) == 1


@contextmanager
def lively(world):
    """Observers that record in the slot as fast as they can."""
    stop = threading.Event()

    def observe():
        while not stop.is_set():
            world.tell("service.observed", by=world.pipeline, running=[{"version": "2"}])

    observers = [threading.Thread(target=observe) for _ in range(2)]
    for each in observers:
        each.start()
    try:
        yield
    finally:
        stop.set()
        for each in observers:
            each.join()


def test_a_claim_in_a_lively_slot_gets_its_decision(world):
    """What else is recorded there, however often, makes no rollback vanish."""
    decide(world)
    with lively(world):
        ended = run(world, "rollback", "next", *slot(world), "--claim")
    assert (ended.returncode, "rollback_id r1" in ended.stdout) == (0, True), ended.stderr


def test_of_several_pipelines_that_claim_in_a_lively_slot_one_gets_it(world):
    """Noise neither hides the decision from all, nor hands it out twice."""
    world.seen(decide(world))
    settings = environment(url=world.server.url, token=world.server.tokens["pipeline"])
    command = [LASTGOOD, "rollback", "next", *slot(world), "--claim"]
    with lively(world):
        callers = [subprocess.Popen(command, env=settings, stdout=-3, stderr=-3) for _ in range(4)]
        assert sorted(each.wait(60) for each in callers) == [0, 10, 10, 10]


PENDING = {"rollback_id": "r1", "service": "web", "environment": "prod", "to_version": "1", "revision": 4}
STALE = Answer(412, {"title": "The stream has moved on", "detail": "it is at revision 9, not 4"})


def test_a_claim_that_always_comes_too_late_is_a_conflict(lastgood, faulty, monkeypatch):
    """There is a decision, so the answer is never "there is none"."""
    monkeypatch.setattr(execute, "CLAIM_FOR_S", 0.5)
    faulty.answers = [Answer(200, {"items": [PENDING]}), STALE] * 50
    ended = lastgood("rollback", "next", "--service", "web", "--environment", "prod", "--claim", "--url", faulty.url)
    assert ended.exit_code == 5
    assert "r1 of web in prod is decided and unclaimed, and could not be claimed" in ended.stderr
    assert 3 <= len(faulty.asked) // 2 <= 6


def test_a_claim_looks_again_before_it_tries_again(lastgood, faulty):
    """Whoever was too late for one decision never claims it after it was superseded, cancelled or claimed."""
    faulty.answers = [Answer(200, {"items": [PENDING]}), STALE, Answer(200, {"items": []})]
    ended = lastgood("rollback", "next", "--service", "web", "--environment", "prod", "--claim", "--url", faulty.url)
    assert (ended.exit_code, [each.method for each in faulty.asked]) == (10, ["GET", "POST", "GET"])


@pytest.mark.parametrize(
    "flag, code", [("--fail-open", 0), ("--fail-closed", 10), (None, 7)], ids=["open", "closed", "neither"]
)
def test_what_an_unreachable_ledger_means_is_the_callers_choice(world, flag, code):
    """Without a choice it is told as what it is."""
    arguments = ("gate", "release", *slot(world), "--version", "2", *([flag] if flag else []))
    ran = run(world, *arguments, url="http://127.0.0.1:9")
    assert ran.returncode == code
    assert "no answer" in ran.stderr


def test_the_gate_says_no_with_reasons(world):
    """Exit 10, the reasons, and who can change each."""
    world.seen(world.tell("release.marked_bad", version="2", reason="leaks"))
    ran = run(world, "gate", "release", *slot(world), "--version", "2")
    assert ran.returncode == 10
    assert "marked_bad" in ran.stdout
    assert "to change it: a responder" in ran.stdout
    assert run(world, "gate", "release", *slot(world), "--version", "3").returncode == 0


def test_a_plan_is_decided_by_a_person(world):
    """A pipeline's attempt exits 4; a responder's decision is there to execute."""
    wish = (
        "plan",
        world.environment,
        "--to",
        world.at(30),
        "--decide",
        "--reason",
        "all is broken",
        "--plan",
        world.service,
    )
    assert run(world, *wish).returncode == 4
    decided = run(world, *wish, role="responder")
    assert (decided.returncode, f"decided {world.service}: 1 rollback" in decided.stdout) == (0, True)
    assert "1 rollback (decided before, and nothing new)" in run(world, *wish, role="responder").stdout
    again = run(world, *wish, "--output", "json", role="responder")
    assert [each["duplicate"] for each in json.loads(again.stdout)["receipts"]] == [True]
    in_vain = run(world, "plan", world.environment, "--to", world.at(90), "--decide", role="responder")
    assert (in_vain.returncode, "0 rollbacks, since nothing would change" in in_vain.stdout) == (0, True)
    assert run(world, "rollback", "next", *slot(world)).returncode == 0
