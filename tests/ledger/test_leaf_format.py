"""docs/leaf-format.md says how leaves are made; its example is executed, and our code agrees with it."""

import json
import re
from pathlib import Path

import pytest

from ledger.canonical import canonical
from ledger.codec import Row, cloud_event
from ledger.contract import members
from ledger.disclosures import commitment
from ledger.events import EVENTS, Evidence
from tests.ledger.test_codec import MEMBERS

PAGE = (Path(__file__).parents[2] / "docs/leaf-format.md").read_text()


def block(kind):
    (found,) = re.findall(rf"^```{kind}\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture
def leaf():
    return block("leaf").encode()


@pytest.fixture
def disclosures():
    return dict(line.split() for line in block("disclosures").splitlines())


def test_the_pages_reader_reads_the_pages_example(leaf, disclosures):
    """As an auditor would run it, without any code of ours."""
    found = {"leaf": leaf, "disclosures": disclosures}
    exec(block("python"), found)
    assert found["leaf_hash"] == block("hash")
    assert found["data"] == json.loads(block("json"))


def test_the_pages_reader_sees_when_words_were_exchanged(leaf, disclosures):
    """The commitment is of other words."""
    disclosures["/reason"] = disclosures["/decided_by"]
    with pytest.raises(AssertionError):
        exec(block("python"), {"leaf": leaf, "disclosures": disclosures})


def test_the_pages_example_is_a_leaf(leaf, disclosures):
    """Canonical, with the members that the table lists, and read by our code to the same data."""
    told = json.loads(leaf)
    assert canonical(told) == leaf
    row = Row(
        told["stream"],
        told["revision"],
        told["type"],
        leaf,
        told["position"],
        told["source"],
        told["id"],
        tuple(disclosures.items()),
    )
    assert cloud_event(row)["data"] == json.loads(block("json"))
    assert told["data"]["reason"] == {"...": commitment(disclosures["/reason"])}


def test_the_table_lists_every_member_of_a_leaf():
    """Those always there, and those there at times."""
    listed = dict(re.findall(r"^\| `(\w+)` \| .* \| (always|where [^|]+) \|$", PAGE, re.MULTILINE))
    assert {name for name, when in listed.items() if when == "always"} == MEMBERS | {"time", "type"}
    assert {name for name, when in listed.items() if when != "always"} == {"causation", "correlation", "extensions"}


def test_the_page_names_every_protected_member_and_every_stream():
    """So that a reader knows where to expect a commitment, and what belongs together."""
    (told,) = re.findall(r"^Protected are (.*?)\. Labels are not", PAGE, re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", told))
    for cls in [*EVENTS.values(), Evidence]:
        assert {name for name, member in members(cls).items() if member.protected} <= named
    for cls in EVENTS.values():
        assert f"`{cls.STREAM[0]}/" in PAGE
