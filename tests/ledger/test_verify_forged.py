"""Evidence bundles that were spoilt or forged: each is noticed, and told by its position where it has one."""

import io
import json
from collections.abc import Callable, Mapping

import pytest

from ledger import verify
from ledger.events import RecordRedacted
from ledger.evidence import Asked
from ledger.note import parse_note
from tests.ledger.forging import entries, manifest, member, positions, remade, texts, verified, with_entry, with_line
from tests.ledger.record_scene import ORIGIN, SealedRecord, deployed, resigned, told

Forgery = Callable[[bytes], Mapping[str, bytes | None]]


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A bundle in which positions 1, 2, 4, 7, 8, 11 are shown and all 13 are enclosed."""
    with told(tmp_path_factory.mktemp("complete") / "data") as record:
        yield record.bundle(Asked({"service": "svc-1"}))


# Damage


def test_one_spoilt_byte_anywhere_is_noticed(tmp_path):
    """Every byte of a small bundle in turn, those of the container too."""
    with told(tmp_path / "data") as record:
        bundle = record.bundle(Asked({"type": "artifact.published"}, complete=False))
        key = verify.parse_key(record.vkeys()[0])
    for index in range(len(bundle)):
        spoilt = bytearray(bundle)
        spoilt[index] ^= 1 + index % 255
        assert verify.verify(io.BytesIO(spoilt), [key]).differences, index


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -100])
def test_a_bundle_cut_short_is_noticed(complete, cut):
    """Also down to nothing."""
    assert verified(complete[:cut]).differences


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_never_verified(content):
    """An empty file, a text, an empty zip."""
    assert verified(content).differences


# Forgery


def entry(index: int, old: bytes, new: bytes) -> Forgery:
    """Other bytes in what is shown."""
    return lambda b: {"entries_ndjson": with_line(b, "entries.ndjson", index, lambda line: line.replace(old, new))}


def leaf(index: int, old: bytes, new: bytes) -> Forgery:
    return lambda b: {"leaves_ndjson": with_line(b, "leaves.ndjson", index, lambda line: line.replace(old, new))}


def leaves(change: Callable[[list[bytes]], list[bytes]]) -> Forgery:
    return lambda b: {"leaves_ndjson": b"".join(change(member(b, "leaves.ndjson").splitlines(keepends=True)))}


def without_words(said: str) -> Forgery:
    def forge(bundle: bytes) -> dict[str, bytes]:
        shown = entries(bundle)[0]["event"]
        shown["data"]["author"] = said
        return {"entries_ndjson": with_entry(bundle, 0, disclosures={}, event=shown)}

    return forge


def asked(**changes: object) -> Forgery:
    return lambda b: {
        "manifest_json": manifest(b, asked={**json.loads(member(b, "manifest.json"))["asked"], **changes})
    }


def left_out(bundle: bytes) -> dict[str, bytes]:
    """An event that matches, and the count made to fit."""
    shown = with_line(bundle, "entries.ndjson", 1, lambda _: b"")
    return {"entries_ndjson": shown, "manifest_json": manifest(bundle, count=len(positions(bundle)) - 2)}


def cut_proof(bundle: bytes) -> dict[str, bytes]:
    return {"entries_ndjson": with_entry(bundle, 0, proof=entries(bundle)[0]["proof"][1:])}


FORGERIES: dict[str, Forgery] = {
    "an event's words": entry(0, b"Ana Lima", b"Eve Lima"),
    "an event's version": entry(1, b'"1.2"', b'"1.9"'),
    "a member given twice": entry(1, b'"version":', b'"version":"9","version":'),
    "a number told as true": entry(0, b'"revision":1', b'"revision":true'),
    "a disclosure of another member": entry(0, b'"/author"', b'"/reason"'),
    "an event left out of what is shown": left_out,
    "words held back": without_words("[withheld]"),
    "words said to be redacted": without_words("[redacted]"),
    "a proof": cut_proof,
    "a leaf": leaf(3, b"12.5", b"99.5"),
    "a leaf of an event that is not shown": leaf(11, b"svc-2", b"svc-0"),
    "a leaf left out": leaves(lambda lines: [*lines[:11], *lines[12:]]),
    "the last leaf left out": leaves(lambda lines: lines[:-1]),
    "the order of leaves": leaves(lambda lines: [lines[1], lines[0], *lines[2:]]),
    "a leaf slipped in": leaves(lambda lines: [*lines[:5], lines[4], *lines[5:]]),
    "the question": asked(filters={"service": "svc-2"}),
    "the beginning of the range": asked(first=2),
    "whether it is complete": asked(complete=False),
    "the count": lambda b: {"manifest_json": manifest(b, count=3)},
    "the checkpoint's size": lambda b: {"checkpoint": member(b, "checkpoint").replace(b"\n13\n", b"\n12\n")},
    "the key": lambda _: {"log_vkeys": resigned(ORIGIN + "\n")[1].vkey().encode()},
    "a member missing": lambda _: {"README_txt": None},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forger_who_makes_the_file_anew_is_noticed(complete, forge):
    """With the seal right again, so that only signature, tree, commitments and the recorded question are left."""
    assert verified(remade(complete)).differences == []
    assert verified(remade(complete, **forge(complete))).differences


def test_a_change_is_told_by_its_position(complete):
    """So that one knows where to look."""
    report = verified(remade(complete, **FORGERIES["a leaf"](complete)))
    assert (4, 4) in {each.positions for each in report.differences}
    assert "position 4 was changed: its leaf hash is" in texts(report)


def test_an_event_that_matches_and_is_not_shown_is_told_by_its_position(complete):
    """Completeness, seen from outside: the same question over all leaves."""
    report = verified(remade(complete, **left_out(complete)))
    assert "position 2 is what was asked for, and is not shown" in texts(report)


def test_a_bundle_signed_with_another_key_does_not_verify_with_the_one_that_is_known(complete):
    """A forger signs everything anew: their file fits together, and the key from elsewhere tells."""
    note, theirs = resigned(parse_note(member(complete, "checkpoint")).text)
    forged = remade(complete, checkpoint=note, log_vkeys=f"{theirs.vkey()}\n".encode())
    assert verified(forged).differences == []
    ours = member(complete, "log.vkeys").decode().strip()
    assert "not signed by" in texts(verified(forged, ours))


def test_a_log_key_among_the_witnesses_signs_nothing(complete):
    """A forger's key under the log's own name, put where witnesses' keys are."""
    note, theirs = resigned(parse_note(member(complete, "checkpoint")).text)
    forged = remade(complete, checkpoint=note, witness_vkeys=f"{theirs.vkey()}\n".encode())
    assert "not signed by" in texts(verified(forged))
    ours = member(complete, "log.vkeys").decode().strip()
    assert "not signed by" in texts(verified(forged, ours))


def test_words_that_a_redaction_in_the_record_took_are_not_shown_again(tmp_path):
    """Somebody kept the disclosure from before."""
    record = SealedRecord(tmp_path / "data")
    record.record(deployed(1, author="Ana Lima"))
    before = entries(record.bundle())[0]
    record.record(RecordRedacted(position=1, fields=("author",), reason="asked", authority="the data officer"))
    bundle = record.bundle()
    record.close()
    shown = {"event": before["event"], "disclosures": before["disclosures"]}
    forged = remade(bundle, entries_ndjson=with_entry(bundle, 0, **shown))
    assert "position 1 was redacted at /author, and its words are here" in texts(verified(forged))


def test_text_of_a_forger_can_not_move_the_cursor(complete):
    """What is told is only ever printed."""
    report = verified(remade(complete, **asked(filters={"service": "\x1b[2Jverified"})(complete)))
    assert all(line.isprintable() for line in report.lines())
