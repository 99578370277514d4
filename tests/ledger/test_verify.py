"""Evidence bundles: what a stranger verifies with one file, one verifier and nothing of ours."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ledger import verify
from ledger.contract import members
from ledger.events import EVENTS
from ledger.evidence import Asked
from ledger.mldsa import cosigned_message
from ledger.note import COSIGNATURE_ML_DSA, COSIGNATURE_V1, Signature, Verifier, parse_note, verify_note
from ledger.verify import Report
from tests.ledger.forging import entries, member, positions, remade, texts, verified
from tests.ledger.record_scene import A_WITNESS, SealedRecord, deployed, told

VERIFIER = Path(verify.__file__)
QUESTIONS = {
    "everything": Asked(),
    "a service": Asked({"service": "svc-1"}),
    "an incident": Asked({"incident": "INC-1"}),
    "a type": Asked({"type": "record.redacted"}),
    "an actor": Asked({"actor": "nobody"}),
    "a version": Asked({"version": "1.4", "environment": "production"}),
    "a time": Asked({"since": "2026-11-22T12:00:03Z", "until": "2026-11-22T13:00:07+01:00"}),
    "a range": Asked({"service": "svc-1"}, first=6),
    "a range, itself": Asked(first=13),
    "only matching": Asked({"service": "svc-1"}, complete=False),
    "only matching, later": Asked(first=5, complete=False),
    "without words": Asked(words=False),
}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    with told(tmp_path_factory.mktemp("record") / "data") as made:
        yield made


# What holds


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_every_bundle_that_the_ledger_makes_verifies(record, asked):
    """Whatever was asked."""
    assert verified(record.bundle(asked), *record.vkeys()).differences == []


def test_a_bundle_holds_what_matches_and_all_that_is_recorded_about_it(record):
    """By what was recorded, by what corrections made of it, and with corrections, retractions, redactions, seconds."""
    shown = positions(record.bundle(QUESTIONS["a service"]))[:-1]
    assert shown == [1, 2, 4, 7, 8, 11]
    assert positions(record.bundle(QUESTIONS["an incident"]))[:-1] == [5, 6, 9]
    assert positions(record.bundle(QUESTIONS["a time"]))[:-1] == [3, 4, 5, 6, 9, 10]
    assert positions(record.bundle(QUESTIONS["an actor"]))[:-1] == []


def test_a_person_reads_the_words_where_they_were_not_redacted(record):
    """And is told where they were, or where they were left out."""
    data = {each["event"]["position"]: each["event"]["data"] for each in entries(record.bundle())}
    assert data[1]["author"] == "Ana Lima"
    assert [each["label"] for each in data[3]["evidence"]] == ["graph", "log"]
    assert data[6]["text"] == "[redacted]"
    assert data[6]["labels"] == {"...": "x", "é": "y"}
    without = {each["event"]["position"]: each["event"]["data"] for each in entries(record.bundle(Asked(words=False)))}
    assert without[1]["author"] == "[withheld]"
    assert without[6]["text"] == "[redacted]"


def test_the_verifier_runs_alone(record, tmp_path):
    """Copied into another folder, without lastgood, without a site's packages but cryptography, without a network."""
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    (alone / "verify.py").write_bytes(member(record.bundle(), "verify.py"))
    (alone / "bundle.zip").write_bytes(record.bundle())
    run = [sys.executable, "-I", "verify.py", "bundle.zip", "--key", record.vkeys()[0]]
    done = subprocess.run(run, cwd=alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "verified: nothing differs" in done.stdout
    (alone / "bundle.zip").write_bytes(record.bundle()[:-1] + b"!")
    done = subprocess.run(run, cwd=alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (10, "")
    assert "DIFFERS" in done.stdout


def test_the_verifier_imports_the_standard_library_and_cryptography_alone():
    """So that an auditor reads one file."""
    found = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    assert {name.partition(".")[0] for name in found} - set(sys.stdlib_module_names) == {"cryptography"}


def test_the_verifier_knows_the_protected_members_of_the_catalogue():
    """One more in an event, and its commitment would go unseen."""
    known = {each.wire for event in EVENTS.values() for each in members(event).values() if each.protected}
    assert known == verify.PROTECTED


def test_a_witness_bounds_the_time(record):
    """What it saw was recorded by then; and a witness that saw it before it was recorded contradicts the ledger."""
    witness = Verifier(A_WITNESS.verifier.name, A_WITNESS.verifier.public_key, COSIGNATURE_V1)

    def seen_at(second: int) -> Report:
        bundle = record.bundle(witnesses=[witness])
        text = parse_note(member(bundle, "checkpoint")).text
        made = A_WITNESS._key.sign(b"cosignature/v1\ntime %d\n%b" % (second, text.encode()))
        signature = Signature(witness.name, witness.key_id, second.to_bytes(8) + made)
        note = parse_note(member(bundle, "checkpoint")).joined_by([signature]).encoded()
        return verified(remade(bundle, checkpoint=note), *record.vkeys(), witness.vkey())

    now = int(record.clock.now().timestamp())
    assert seen_at(now + 1).differences == []
    assert "seen by the witness" in "\n".join(seen_at(now + 1).told)
    assert "a clock is wrong" in texts(seen_at(now - 3600))


def test_a_witness_with_a_post_quantum_key_bounds_the_time_too(record):
    """The verifier that runs alone, and the ledger's own code, make the same of it."""
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    key = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    witness = Verifier("witness.example/pq", key.public_key().public_bytes_raw(), COSIGNATURE_ML_DSA)
    bundle = record.bundle(witnesses=[witness])
    note, now = parse_note(member(bundle, "checkpoint")), int(record.clock.now().timestamp()) + 1
    message = cosigned_message(witness.name, now, note.text.encode())
    signature = Signature(witness.name, witness.key_id, now.to_bytes(8) + key.sign(message))
    cosigned = note.joined_by([signature])
    assert verify_note(cosigned, [witness])
    report = verified(remade(bundle, checkpoint=cosigned.encoded()), *record.vkeys(), witness.vkey())
    assert report.differences == []
    assert "seen by the witness witness.example/pq" in "\n".join(report.told)
    later = note.joined_by([replace(signature, value=(now + 1).to_bytes(8) + signature.value[8:])])
    assert "was not made by that key" in texts(verified(remade(bundle, checkpoint=later.encoded()), *record.vkeys()))


def test_it_goes_on_from_a_checkpoint_that_was_kept(record):
    """Of any size within what is enclosed; one of another history is told."""
    notes = [record.bundle() for _ in range(2)]
    older = member(notes[0], "checkpoint")
    report = verified(notes[1], *record.vkeys(), older=(older,))
    assert report.differences == []
    assert any("goes on from the checkpoint" in each for each in report.told)
    later = verified(notes[0], *record.vkeys(), older=(member(notes[1], "checkpoint"),))
    assert any("can't be compared" in each for each in later.remarks)


def test_a_kept_checkpoint_of_another_history_is_told(record, tmp_path):
    """A ledger that was forked: same key, same size, other events."""
    other = SealedRecord(tmp_path / "data")
    (other.log / "key").write_bytes((record.log / "key").read_bytes())
    other.record(deployed(1), deployed(2), seal=False)
    forked = other.seal().note
    other.close()
    report = verified(record.bundle(), *record.vkeys(), older=(forked,))
    assert "of another history" in texts(report)


def test_completeness_is_claimed_only_where_it_can_be_shown(record):
    """Without the others' leaves the verifier says what it can't tell."""
    assert any("the leaves of all others are here" in each for each in verified(record.bundle()).told)
    only = verified(record.bundle(QUESTIONS["only matching"]))
    assert any("can't be told from this file" in each for each in only.remarks)
    assert any("revisions 1 to" in each for each in only.told)


def test_who_brings_no_key_is_told_to_compare_it(record):
    """The key in the file is the forger's, if the file is."""
    assert any("only this file vouches" in each for each in verified(record.bundle()).remarks)
    assert not any("only this file vouches" in each for each in verified(record.bundle(), *record.vkeys()).remarks)


def test_the_readme_says_how_to_verify_and_where_the_verifier_comes_from(record):
    """For a person who was sent the file."""
    text = member(record.bundle(QUESTIONS["a service"]), "README.txt").decode()
    assert "service is svc-1" in text
    assert "python verify.py THIS_FILE" in text
    assert record.vkeys()[0] in text
    assert "Take verify.py from a source that you trust" in text
