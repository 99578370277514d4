"""Receipts with proof: `POST /v1/events?wait=sealed`."""

import json
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from api.config import Settings
from api.receipts import sealed
from api.service import open_service
from ledger.checkpoint import open_checkpoint
from ledger.deciding import Receipt
from ledger.errors import Damaged
from ledger.merkle import leaf_hash, verify_inclusion
from ledger.note import Verifier
from ledger.tiles import Bundle, decode_bundle
from tests.ledger.scene import EVERYONE, command, draft


def deployment(name, **more):
    data = {"deployment_id": name, "service": "receipts", "environment": "production", "version": "1"}
    return {"type": "deployment.succeeded", "id": name, "source": "tests", "data": data, **more}


def verified(receipt, keys):
    """The size of the tree that the receipt proves the event to be in."""
    tree = open_checkpoint(receipt["checkpoint"].encode(), keys[0].name, keys).checkpoint
    proof = list(map(b64decode, receipt["inclusion_proof"]))
    verify_inclusion(receipt["position"] - 1, tree.size, b64decode(receipt["leaf_hash"]), proof, tree.root)
    return tree.size


@pytest.fixture
def keys(server):
    return [Verifier.from_vkey(line) for line in server.client(None).get("/log.vkey").body.decode().splitlines()]


@pytest.fixture
def pipeline(server):
    return server.client("pipeline")


def test_a_receipt_proves_that_the_event_is_in_the_log(server, pipeline, keys):
    """It verifies with nothing but itself and the log's key; and the leaf is the stored one."""
    answer = pipeline.post("/v1/events", deployment("one-receipt"), wait="sealed")
    assert answer.status == 201
    receipt = answer.json()
    size = verified(receipt, keys)
    bundle = Bundle((receipt["position"] - 1) // 256, 1 + (receipt["position"] - 1) % 256)
    leaf = decode_bundle(bundle, server.client(None).get(f"/{bundle.path}").body)[-1]
    assert leaf_hash(leaf) == b64decode(receipt["leaf_hash"])
    assert json.loads(leaf)["id"] == "one-receipt"
    assert size >= receipt["position"]


def test_without_asking_a_receipt_is_as_it_was(pipeline):
    assert "checkpoint" not in pipeline.append(deployment("no-proof"))


def test_a_batch_shares_one_checkpoint(pipeline, keys):
    body = b"\n".join(json.dumps(deployment(f"batch-{number}")).encode() for number in range(300))
    answer = pipeline.post("/v1/events", body, {"Content-Type": "application/x-ndjson"}, wait="sealed").json()
    assert len({verified(receipt, keys) for receipt in answer["receipts"]}) == 1
    assert len({receipt["checkpoint"] for receipt in answer["receipts"]}) == 1


def test_a_duplicate_is_answered_with_a_proof_of_the_first(pipeline, keys):
    first = pipeline.post("/v1/events", deployment("twice"), wait="sealed").json()
    again = pipeline.post("/v1/events", deployment("twice"), wait="sealed")
    assert again.status == 200
    assert (again.json()["position"], again.json()["leaf_hash"]) == (first["position"], first["leaf_hash"])
    assert verified(again.json(), keys) >= first["position"]


def test_each_by_itself_gets_receipts_with_proof_beside_refusals(pipeline, keys):
    body = [deployment("each-1"), deployment("each-2", data={}), deployment("each-3")]
    answer = pipeline.post("/v1/events", body, each="true", wait="sealed")
    assert answer.status == 207
    first, refused, last = answer.json()["items"]
    assert refused["status"] == 422
    assert verified(first, keys) == verified(last, keys)


def test_an_empty_batch_waits_for_nothing(pipeline):
    answer = pipeline.post("/v1/events", b"[]", wait="sealed")
    assert (answer.status, answer.json()["receipts"]) == (200, [])


def test_waiting_without_receipts_is_waiting_all_the_same(server, pipeline):
    """With Prefer: return=minimal, what is answered is in the log."""
    body = [deployment(f"minimal-{number}") for number in range(3)]
    answer = pipeline.post("/v1/events", body, {"Prefer": "return=minimal"}, wait="sealed").json()
    assert int(server.client(None).get("/checkpoint").body.splitlines()[1]) >= answer["last"]


def test_waiting_for_anything_else_is_refused(pipeline):
    assert pipeline.post("/v1/events", deployment("else"), wait="stored").status == 422


def test_many_who_wait_share_their_checkpoints(server, pipeline, keys):
    """Each gets a proof within a fraction of a second, and there are far fewer signatures than callers."""
    begun = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        receipts = list(
            pool.map(
                lambda number: pipeline.post("/v1/events", deployment(f"crowd-{number}"), wait="sealed").json(),
                range(64),
            )
        )
    assert time.monotonic() - begun < 10
    assert all(verified(receipt, keys) >= receipt["position"] for receipt in receipts)
    assert len({receipt["checkpoint"] for receipt in receipts}) < 40


# Against a service of one's own, to bring it into trouble


@pytest.fixture
def service(tmp_path):
    opened = open_service(Settings(data=tmp_path / "data"))
    yield opened
    opened.close()


def recorded(service, count=1):
    from ledger.events import DeploymentSucceeded

    events = [
        draft(DeploymentSucceeded(deployment_id=f"d{number}", service="s", environment="e", version="1"))
        for number in range(count)
    ]
    return service.writer.append(command(service.ledger, *events, by=EVERYONE))


def test_when_sealing_takes_too_long_the_receipt_says_so(service):
    """The event is recorded, and that is what counts."""
    (receipt,) = recorded(service)
    slow = SimpleNamespace(wait=lambda position: service.log.wait(position + 1, 0.05))
    (told,) = sealed(slow, service.ledger, [receipt])
    assert [each.code for each in told.warnings] == ["not_sealed_yet"]
    assert "recorded and durable" in told.warnings[0].detail
    assert type(told) is Receipt


def test_a_disk_that_cannot_seal_delays_no_event(service):
    """Nor refuses one: the warning comes, and the next second the proof."""
    key = service.settings.data / "log" / "key"
    key.chmod(0o644)
    (receipt,) = recorded(service)
    assert service.log.wait(receipt.position, 0.3) is None
    assert "chmod 600" in " ".join(service.log.unready())
    key.chmod(0o600)
    assert service.log.wait(receipt.position, 5).size >= receipt.position
    assert list(service.log.unready()) == []


def test_no_receipt_is_given_for_an_event_that_is_not_the_one_that_was_sealed(service):
    """It is verified from the stored bytes, so a row that was changed meanwhile is found out."""
    (receipt,) = recorded(service)
    service.log.wait(receipt.position)
    with service.ledger.store.writing() as cursor:
        cursor.execute("DROP TRIGGER events_no_update")
        cursor.execute(
            "UPDATE events SET leaf = CAST(replace(leaf, '\"d0\"', '\"d1\"') AS BLOB) WHERE position = ?",
            [receipt.position],
        )
    with pytest.raises(Damaged, match=f"position {receipt.position} is recorded, and is not what was signed"):
        sealed(service.log, service.ledger, [receipt])
