"""What every release stored, every later one reads and hashes the same."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from ledger.canonical import canonical
from ledger.codec import Row, cloud_event, recorded
from ledger.disclosures import commitment
from ledger.events import EVENTS

FOLDER = Path(__file__).parent / "history"
FILES = sorted(FOLDER.glob("*.ndjson"))


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


FROZEN = [pytest.param(each, id=f"{path.stem}-{each['type']}") for path in FILES for each in rows_of(path)]


def row_of(frozen):
    return Row(
        frozen["stream"],
        frozen["revision"],
        frozen["type"],
        frozen["leaf"].encode(),
        frozen["position"],
        frozen["source"],
        frozen["id"],
        tuple((path, words) for path, words in frozen["disclosures"]),
    )


@pytest.mark.parametrize("frozen", FROZEN)
def test_a_stored_event_is_still_read(frozen):
    """Brought up to the schema of today."""
    read = recorded(row_of(frozen))
    assert isinstance(read.event, EVENTS[frozen["type"]])
    assert (read.position, read.stream, read.revision) == (frozen["position"], frozen["stream"], frozen["revision"])


@pytest.mark.parametrize("frozen", FROZEN)
def test_a_stored_event_still_says_what_it_said(frozen):
    """Readers get the same CloudEvent, in the schema that it was recorded in."""
    assert cloud_event(row_of(frozen)) == frozen["read_as"]


@pytest.mark.parametrize("frozen", FROZEN)
def test_a_stored_leaf_still_hashes_the_same(frozen):
    """RFC 6962: SHA-256(0x00 || leaf); and the leaf is still what canonical JSON is."""
    leaf = frozen["leaf"].encode()
    assert b64encode(hashlib.sha256(b"\0" + leaf).digest()).decode() == frozen["leaf_hash"]
    assert canonical(json.loads(leaf)) == leaf


@pytest.mark.parametrize("frozen", FROZEN)
def test_stored_words_still_match_their_commitments(frozen):
    """Each disclosure's hash stands in the leaf at its path; one was redacted, and is not there."""
    data = json.loads(frozen["leaf"])["data"]
    for path, words in frozen["disclosures"]:
        place = data
        for part in path.split("/")[1:]:
            place = place[int(part)] if isinstance(place, list) else place[part]
        assert place == {"...": commitment(words)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_release_froze_each_of_its_events(path):
    """A type that is not there any more would be history that nobody can read."""
    frozen = [each["type"] for each in rows_of(path)]
    assert len(frozen) == len(set(frozen))
    assert set(frozen) <= set(EVENTS)


def test_the_first_release_is_frozen():
    """Without files every other test here would pass."""
    assert (FOLDER / "0.1.0.ndjson").exists()
    assert {each["type"] for each in rows_of(FOLDER / "0.1.0.ndjson")} >= {"deployment.succeeded", "record.redacted"}
