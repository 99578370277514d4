"""GET /v1/slots: the current answers of all slots."""

import pytest

from tests.api.world import World


@pytest.fixture
def world(server):
    return World(server)


def test_a_slot_is_found_by_its_service(world):
    """An item is the reply for one slot."""
    receipt = world.deployed("1")
    page = world.auditor.get("/v1/slots", service=world.service, at_least=receipt["position"]).json()
    assert [each["current"]["version"] for each in page["items"]] == ["1"]
    assert page["next"] is None
    assert page["items"][0].keys() == world.get("/v1/slot").keys()


def test_pages_follow_one_another_and_miss_nothing(world):
    """`next` goes back in as `after`; the link says the same (RFC 8288)."""
    names = [f"{world.environment}-{letter}" for letter in "abcde"]
    for world.environment in names:
        receipt = world.deployed("1")
    found, after = [], None
    while True:
        query = {"service": world.service, "limit": 2, "after": after, "at_least": receipt["position"]}
        answer = world.auditor.get("/v1/slots", **query)
        found += [each["environment"] for each in answer.json()["items"]]
        after = answer.json()["next"]
        if after is None:
            break
        assert 'rel="next"' in answer.headers["Link"]
    assert found == names
    assert "Link" not in answer.headers


def test_slots_not_yet_born_are_absent(world):
    """As of a moment before anything happened to it, a slot is not there."""
    receipt = world.deployed("1", minutes=60)
    query = {"service": world.service, "at_least": receipt["position"]}
    assert world.auditor.get("/v1/slots", as_of=world.at(59), **query).json()["items"] == []
    assert len(world.auditor.get("/v1/slots", as_of=world.at(61), **query).json()["items"]) == 1


@pytest.mark.parametrize(
    "query, pointer",
    [
        ({"after": "%%%"}, None),
        ({"limit": 0}, "/limit"),
        ({"limit": 1001}, "/limit"),
        ({"limit": "many"}, "/limit"),
        ({"colour": "red"}, "/colour"),
        ({"as_of": "2026-11-22T21:00:00"}, "/as_of"),
        ({"known_at": "soon"}, "/known_at"),
        ({"service": ""}, "/service"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(world, query, pointer):
    """With words, and a pointer to the member."""
    answer = world.auditor.get("/v1/slots", **query)
    assert answer.status == (422 if pointer else 400)
    if pointer:
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_names_of_any_kind_can_be_asked_for(server):
    """Names go in the query, since they may hold anything."""
    world = World(server)
    world.service = f"image:values#{world.service}/é ü%2F?&=+"
    world.environment = "eu/west:1#a b"
    receipt = world.deployed("tag@sha256:" + "0" * 64)
    assert world.seen(receipt)["service"] == world.service


def test_every_role_may_read_and_nobody_else(server):
    """Reading needs a token, and any role will do."""
    for role in ("pipeline", "relay", "responder", "auditor", "admin"):
        assert server.client(role).get("/v1/slots", limit=1).status == 200
    assert server.client(None).get("/v1/slots").status == 401
