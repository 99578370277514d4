"""GET /v1/artifacts/{digest}: where an artifact came from, where it ran, what happened there."""

import hashlib

import pytest

from api.slot_replies import Artifact
from tests.api.world import World


@pytest.fixture
def world(server):
    world = World(server)
    world.digest = "sha256:" + hashlib.sha256(world.service.encode()).hexdigest()
    return world


def test_an_artifact_tells_its_origin_and_its_life(world):
    """Published, deployed, rolled back from, deleted: all by its digest."""
    told = {"service": world.service, "environment": None}
    world.tell(
        "artifact.published",
        0,
        version="2",
        digest=world.digest,
        repository="https://git.example.test/a",
        commit="c1",
        **told,
    )
    world.deployed("1", minutes=10)
    world.deployed("2", minutes=20, digest=world.digest)
    world.tell("rollback.succeeded", 30, rollback_id="r", to_version="1")
    last = world.tell("artifact.deleted", 40, version="2", reason="bad", **told)
    reply = world.auditor.get(f"/v1/artifacts/{world.digest}", at_least=last["position"]).json()
    assert Artifact().validate(reply) == {}
    assert [each["commit"] for each in reply["published"]] == ["c1"]
    assert [(each["from"], each["until"], each["ended_by"]) for each in reply["ran"]] == [
        (world.at(20), world.at(30), "rollback")
    ]
    assert [each["kind"] for each in reply["happened"]] == ["deleted"]


def test_an_upper_case_digest_is_the_same(world):
    receipt = world.deployed("2", digest=world.digest)
    answer = world.auditor.get(f"/v1/artifacts/{world.digest.upper()}", at_least=receipt["position"])
    assert answer.json()["digest"] == world.digest


def test_a_digest_that_nothing_names_is_not_found(world):
    assert world.auditor.get(f"/v1/artifacts/{world.digest}").status == 404
