"""
Each tampering that the proofs promise to show, done with database tools on a copy of a record.

Whoever does it can do everything: the triggers are dropped, and put back
afterwards. What `lastgood verify` must say is the position.
"""

import random
import shutil
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from ledger.checkpoints import CHECKPOINTS, read_notes
from ledger.merkle import leaf_hash
from ledger.note import Verifier, parse_note
from ledger.verify import Report
from ledger.verify_record import Verified, verify_record
from tests.ledger.record_scene import SealedRecord, copied, database_tools, deployed, resigned, story, told
from tests.ledger.scene import append


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """A record of twelve events, each sealed by itself; nobody has it open."""
    folder = tmp_path_factory.mktemp("original") / "data"
    with told(folder):
        pass
    return folder


@pytest.fixture
def copy(original, tmp_path) -> Path:
    return copied(original, tmp_path / "copy")


def verified(folder: Path, **given) -> Verified:
    return verify_record(folder, folder / "log", **given)


def texts(report: Report) -> str:
    return "\n".join(each.text for each in report.differences)


def where(report: Report) -> set[tuple[int, int] | None]:
    return {each.positions for each in report.differences}


def newest(folder: Path) -> bytes:
    return list(read_notes(folder / "log" / CHECKPOINTS))[-1]


def edit(folder: Path, position: int, old: bytes, new: bytes) -> None:
    """Changes bytes of a leaf, and nothing else."""
    with database_tools(folder) as database:
        (leaf,) = database.execute("SELECT leaf FROM events WHERE position = ?", [position]).fetchone()
        assert old in leaf
        database.execute("UPDATE events SET leaf = ? WHERE position = ?", [leaf.replace(old, new), position])


def without_hashes(folder: Path) -> None:
    """Whoever covers their tracks removes the log's hashes; the next start would make them anew."""
    shutil.rmtree(folder / "hashes")


def test_a_record_that_nobody_touched_is_verified(copy):
    """Else all that follows would mean nothing."""
    report = verified(copy)
    assert report.differences == []
    assert (report.head, report.sealed) == (12, 12)
    assert verified(copy, older=list(read_notes(copy / "log" / CHECKPOINTS))).differences == []


# Edit


def test_an_edited_event_is_named(copy):
    """Another version in the leaf."""
    edit(copy, 2, b'"version":"1.2"', b'"version":"1.9"')
    report = verified(copy)
    assert "position 2 was changed: its leaf hash is" in texts(report)
    assert (2, 2) in where(report)


def test_an_edited_event_is_named_by_the_checkpoints_where_the_hashes_are_gone(copy):
    """The first checkpoint that doesn't fit, and the last that does, have it between them."""
    edit(copy, 2, b'"version":"1.2"', b'"version":"1.9"')
    without_hashes(copy)
    report = verified(copy)
    assert where(report) == {(2, 2)}
    assert "what was signed is not what is here, at position 2" in texts(report)


def test_an_edited_event_is_named_where_the_hashes_were_made_to_fit(copy):
    """Whoever edits the leaf edits its hash, too."""
    edit(copy, 2, b'"version":"1.2"', b'"version":"1.9"')
    with database_tools(copy) as database:
        (leaf,) = database.execute("SELECT leaf FROM events WHERE position = 2").fetchone()
    hashes = copy / "hashes" / "level-0"
    content = hashes.read_bytes()
    hashes.write_bytes(content[:32] + leaf_hash(leaf) + content[64:])
    assert where(verified(copy)) == {(2, 2)}


@pytest.mark.parametrize(
    "column, value", [("stream", "slot/x/y"), ("revision", 77), ("type", "x.y"), ("source", "x"), ("id", "x")]
)
def test_a_column_that_was_edited_is_named(copy, column, value):
    """The leaf binds the whole row."""
    with database_tools(copy) as database:
        database.execute(f"UPDATE events SET {column} = ? WHERE position = 5", [value])
    report = verified(copy)
    assert (5, 5) in where(report)
    assert f"position 5 is stored with the {column} {value!r}, and its leaf says" in texts(report)


def test_a_leaf_in_another_form_is_named(copy):
    """The same JSON with a blank in it: readers would see no difference."""
    edit(copy, 5, b'"format":1', b'"format": 1')
    assert "position 5 has a leaf that is not in canonical form" in texts(verified(copy))


def test_edited_words_are_named(copy):
    """The leaf commits to what was said."""
    with database_tools(copy) as database:
        database.execute(
            "UPDATE disclosures SET disclosure = disclosure || 'A' WHERE position = 7 AND member = '/reason'"
        )
    report = verified(copy)
    assert texts(report) == "position 7: the words of /reason are not those that its leaf commits to"


@pytest.mark.parametrize("position, path", [(1, "/author"), (3, "/evidence/1/label"), (7, "/reason")])
def test_words_that_are_gone_without_a_redaction_are_named(copy, position, path):
    """Deleting a disclosure is redaction, and redaction is recorded. The guards allow it, as they must."""
    with database_tools(copy, guarded=True) as database:
        database.execute("DELETE FROM disclosures WHERE position = ? AND member = ?", [position, path])
    assert texts(verified(copy)) == f"position {position}: the words of {path} are gone, and no redaction is recorded"


def test_all_words_gone_are_named_one_by_one(copy):
    """The redaction of one member accounts for no other."""
    with database_tools(copy, guarded=True) as database:
        gone = database.execute("DELETE FROM disclosures RETURNING position, member").fetchall()
    report = verified(copy)
    assert len(report.differences) == len(gone) > 8
    for position, path in gone:
        assert f"position {position}: the words of {path} are gone, and no redaction is recorded" in texts(report)


def test_words_that_were_brought_back_are_named(original, copy, tmp_path):
    """After a redaction, from an older copy."""
    record = SealedRecord(tmp_path / "other")
    record.record(*story()[:6])
    record.close()
    with database_tools(tmp_path / "other") as other:
        words = other.execute("SELECT * FROM disclosures WHERE position = 6 AND member = '/text'").fetchone()
    with database_tools(copy) as database:
        database.execute("INSERT INTO disclosures VALUES (?,?,?)", words)
    assert "position 6: /text was redacted at position 9, and its words are still here" in texts(verified(copy))


# Delete


def test_an_event_deleted_in_the_middle_is_named(copy):
    """Positions have no gaps."""
    with database_tools(copy) as database:
        database.execute("DELETE FROM events WHERE position = 5")
    report = verified(copy)
    assert "position 5 is missing" in texts(report)
    assert (5, 5) in where(report)


def test_deleted_events_are_named_also_where_all_others_moved_up(copy):
    """Positions dense again; the leaves say which ones they are."""
    with database_tools(copy) as database:
        database.execute("DELETE FROM events WHERE position = 5")
        database.execute("UPDATE events SET position = position - 1 WHERE position > 5")
    report = verified(copy)
    assert "position 5 is stored with the position 5, and its leaf says 6" in texts(report)
    assert {(5, 5), (11, 11), (12, 12)} <= where(report)


def test_events_deleted_at_the_end_are_named(copy):
    """Nothing inside the database tells; the checkpoint beside it does."""
    with database_tools(copy) as database:
        database.execute("DELETE FROM events WHERE position > 10")
    report = verified(copy)
    assert "positions 11 to 12 are missing" in texts(report)
    assert (11, 12) in where(report)


# Swap, insert, move


def test_two_events_whose_contents_were_swapped_are_named(copy):
    """Both of them."""
    with database_tools(copy) as database:
        leaves = dict(database.execute("SELECT position, leaf FROM events WHERE position IN (1, 4)").fetchall())
        database.execute("UPDATE events SET leaf = ? WHERE position = 1", [leaves[4]])
        database.execute("UPDATE events SET leaf = ? WHERE position = 4", [leaves[1]])
    assert {(1, 1), (4, 4)} <= where(verified(copy))


def test_two_events_whose_places_were_swapped_are_named(copy):
    """Whole rows, columns and all."""
    with database_tools(copy) as database:
        for old, new in ((1, 99), (4, 1), (99, 4)):
            database.execute("UPDATE events SET position = ? WHERE position = ?", [new, old])
    assert {(1, 1), (4, 4)} <= where(verified(copy))


def test_an_event_that_was_slipped_in_is_named(copy):
    """In the middle, the others moved down, columns and leaf members all made to fit."""
    with database_tools(copy) as database:
        for position in range(12, 4, -1):
            (leaf,) = database.execute("SELECT leaf FROM events WHERE position = ?", [position]).fetchone()
            said = orjson.loads(leaf)
            said["position"] = position + 1
            moved = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
            database.execute(
                "UPDATE events SET position = position + 1, leaf = ? WHERE position = ?", [moved, position]
            )
        said |= {"position": 5, "id": "slipped-in", "stream": "slot/new/one", "revision": 1}
        row = [5, "slot/new/one", 1, said["type"], said["source"], "slipped-in"]
        leaf = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        database.execute("INSERT INTO events VALUES (?,?,?,?,?,?,?)", [*row, leaf])
    report = verified(copy)
    assert "position 5 was changed: its leaf hash is" in texts(report)
    assert (5, 5) in where(report)
    assert not {(place, place) for place in range(1, 5)} & where(report)


def test_an_event_moved_to_another_stream_is_named(copy):
    """Column and leaf alike, and in the stream's order."""
    edit(copy, 1, b'"stream":"slot/svc-1/production"', b'"stream":"slot/svc-9/production"')
    with database_tools(copy) as database:
        database.execute("UPDATE events SET stream = 'slot/svc-9/production' WHERE position = 1")
    report = verified(copy)
    assert "position 1 was changed" in texts(report)
    assert "slot/svc-1/production has 2 of revisions 1 to 3" in texts(report)


def test_an_event_that_is_there_twice_is_named(copy):
    """In a table that was made anew without its constraints."""
    with database_tools(copy) as database:
        for sql in (
            "ALTER TABLE events RENAME TO guarded",
            "CREATE TABLE events AS SELECT * FROM guarded",
            "DROP TABLE guarded",
            "INSERT INTO events SELECT * FROM events WHERE position = 4",
        ):
            database.execute(sql)
    report = verified(copy)
    assert "position 4 is there more than once" in texts(report)
    assert "the table events is not as the ledger made it" in texts(report)


# One bit


def test_one_flipped_bit_of_any_leaf_is_named(copy):
    """Chosen at random, with a fixed seed."""
    chance = random.Random(812)
    with database_tools(copy) as database:
        leaves = dict(database.execute("SELECT position, leaf FROM events").fetchall())
    for position, leaf in leaves.items():
        spoilt = bytearray(leaf)
        spoilt[chance.randrange(len(leaf))] ^= 1 << chance.randrange(8)
        with database_tools(copy) as database:
            database.execute("UPDATE events SET leaf = ? WHERE position = ?", [bytes(spoilt), position])
        assert (position, position) in where(verified(copy)), bytes(spoilt)
        with database_tools(copy) as database:
            database.execute("UPDATE events SET leaf = ? WHERE position = ?", [leaf, position])


def recorded(folder: Path) -> list[tuple]:
    """All that was recorded; fingerprints are no part of it, they only tell whether an id came again."""
    with database_tools(folder, guarded=True) as database:
        tables = ("events", "disclosures")
        return [row for table in tables for row in database.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]


def test_one_flipped_bit_of_the_file_is_noticed_wherever_it_changes_what_was_recorded(original, copy):
    """Headers, indexes, leaves: it is told, or every row still reads as it was."""
    path, whole, kept = copy / "events.sqlite", (original / "events.sqlite").read_bytes(), recorded(original)
    chance = random.Random(813)
    noticed = 0
    for _ in range(250):
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(spoilt)
        if verified(copy).differences:
            noticed += 1
        else:
            assert recorded(copy) == kept
    assert noticed > 50


# An old backup, a fork, another key


def test_an_old_event_database_under_newer_checkpoints_is_named(tmp_path):
    """A backup of the database was restored, and the log beside it stayed."""
    record = SealedRecord(tmp_path / "data")
    record.record(*story()[:8])
    record.close()
    copied(tmp_path / "data", tmp_path / "backup")
    record = SealedRecord(tmp_path / "data")
    record.record(*story()[8:])
    record.close()
    shutil.copy(tmp_path / "backup" / "events.sqlite", tmp_path / "data" / "events.sqlite")
    report = verified(tmp_path / "data")
    assert "positions 9 to 12 are missing, as after an old backup was restored" in texts(report)
    assert where(report) == {(9, 12)}


def test_an_old_folder_fits_together_and_is_named_by_a_checkpoint_from_elsewhere(tmp_path, original):
    """Everything was restored, the log too: only who holds a newer checkpoint knows."""
    record = SealedRecord(tmp_path / "data")
    record.record(*story()[:8])
    record.close()
    old = copied(tmp_path / "data", tmp_path / "backup")
    record = SealedRecord(tmp_path / "data")
    record.record(*story()[8:])
    record.close()
    held = newest(tmp_path / "data")
    assert verified(old).differences == []
    report = verified(old, older=[held])
    assert where(report) == {(9, 12)}
    assert "the checkpoint that you gave is over 12 events" in texts(report)


def test_a_fork_fits_together_and_is_named_by_a_checkpoint_from_elsewhere(tmp_path):
    """Restored, and gone on another way with the log's own key; the more checkpoints were kept, the narrower where."""
    record = SealedRecord(tmp_path / "data")
    record.record(*story()[:8])
    record.close()
    forked, before = copied(tmp_path / "data", tmp_path / "forked"), newest(tmp_path / "data")
    record = SealedRecord(tmp_path / "data")
    record.record(*story()[8:])
    record.close()
    held = newest(tmp_path / "data")
    other = SealedRecord(forked)
    other.record(*(deployed(number) for number in range(100, 110)))
    other.close()
    assert verified(forked).differences == []
    report = verified(forked, older=[held])
    assert where(report) == {(1, 12)}
    assert "what was signed is not what is here, at one or more of positions 1 to 12" in texts(report)
    assert where(verified(forked, older=[held, before])) == {(9, 12)}


def test_a_record_signed_anew_with_another_key_is_noticed_by_who_knows_the_key(copy):
    """Events edited, hashes made anew, every checkpoint signed again, the published keys replaced."""
    held, keys = newest(copy), [Verifier.from_vkey((copy / "log" / "vkeys").read_text().strip())]
    edit(copy, 2, b'"version":"1.2"', b'"version":"1.9"')
    without_hashes(copy)
    for name in ("checkpoints", "key", "vkeys"):
        (copy / "log" / name).unlink()
    anew = SealedRecord(copy)
    anew.seal()
    anew.close()
    assert verified(copy).differences == []
    assert "not signed by" in texts(verified(copy, keys=keys)).replace("and not by", "not signed by")
    assert "the checkpoint of 12 events that you gave" in texts(verified(copy, older=[held]))


def test_a_checkpoint_signed_with_another_key_is_noticed_on_the_data(copy):
    """The published keys stayed as they were."""
    path = copy / "log" / CHECKPOINTS
    notes = list(read_notes(path))
    forged, _ = resigned(parse_note(notes[-1]).text)
    path.write_bytes(b"".join(note + b"\n" for note in (*notes[:-1], forged)))
    assert "the checkpoint of 12 events that the log keeps" in texts(verified(copy))


def test_an_older_checkpoint_signed_with_another_key_is_noticed_where_it_lies_or_thoroughly(copy):
    """One that says what the record says is no news; one that says something else is opened."""
    path = copy / "log" / CHECKPOINTS
    notes = list(read_notes(path))
    says_the_same, _ = resigned(parse_note(notes[4]).text)
    path.write_bytes(b"".join(note + b"\n" for note in (*notes[:4], says_the_same, *notes[5:])))
    assert verified(copy).differences == []
    told = "the checkpoint of 5 events that the log keeps: "
    assert texts(verified(copy, thorough=True)).startswith(told)
    lines = parse_note(notes[4]).text.split("\n")
    says_another, _ = resigned("\n".join([lines[0], lines[1], b64encode(bytes(32)).decode(), ""]))
    path.write_bytes(b"".join(note + b"\n" for note in (*notes[:4], says_another, *notes[5:])))
    assert texts(verified(copy)).startswith(told)


def test_a_checkpoint_that_was_taken_out_of_the_history_is_no_hole(copy):
    """Each speaks for all before it; fewer are less precise, and no less true."""
    path = copy / "log" / CHECKPOINTS
    notes = list(read_notes(path))
    path.write_bytes(b"".join(note + b"\n" for note in (notes[0], notes[5], notes[-1])))
    assert verified(copy).differences == []
    edit(copy, 3, b'"version":"1.3"', b'"version":"1.9"')
    without_hashes(copy)
    assert where(verified(copy)) == {(notes_size(notes[0]) + 1, notes_size(notes[5]))}


def notes_size(note: bytes) -> int:
    return int(note.split(b"\n")[1])


# Guards, files, and what is not noticed


def test_a_trigger_that_is_gone_is_told(copy):
    """So that events could be changed."""
    with database_tools(copy, guarded=True) as database:
        database.execute("DROP TRIGGER events_no_update")
    assert texts(verified(copy)) == "the trigger events_no_update is gone, so that events could be changed"


def test_a_trigger_that_nobody_of_ours_made_is_told(copy):
    """One that would change what is recorded from now on."""
    with database_tools(copy, guarded=True) as database:
        database.execute("CREATE TRIGGER helper AFTER INSERT ON events BEGIN DELETE FROM disclosures; END")
    assert texts(verified(copy)) == "there is a trigger helper that the ledger did not make"


def test_a_hash_above_the_leaves_that_was_changed_is_told(tmp_path):
    """The log would serve a tile that fits nothing."""
    record = SealedRecord(tmp_path / "data")
    record.record(*(deployed(number) for number in range(1, 301)), seal=False)
    record.seal()
    record.close()
    path = tmp_path / "data" / "hashes" / "level-1"
    path.write_bytes(bytes(32))
    report = verified(tmp_path / "data")
    assert texts(report) == "the log keeps another hash over positions 1 to 256"
    assert where(report) == {(1, 256)}


def test_a_record_without_its_database_is_told(copy):
    """All that was sealed is missing."""
    (copy / "events.sqlite").unlink()
    report = verified(copy)
    assert "the file of the events can't be read whole: unable to open database file" in texts(report)
    assert (1, 12) in where(report)


def test_what_changes_before_it_is_sealed_is_noticed_by_a_receipt_alone(tmp_path):
    """The limit of the proofs, and why receipts are there for who needs them."""
    record = SealedRecord(tmp_path / "data")
    record.record(deployed(1))
    record.record(deployed(2), seal=False)
    record.ledger.close()
    receipt = leaf_of(tmp_path / "data", 2)
    edit(tmp_path / "data", 2, b'"version":"1.2"', b'"version":"1.9"')
    record = SealedRecord(tmp_path / "data")
    record.seal()
    record.close()
    assert verified(tmp_path / "data").differences == []
    assert leaf_hash(leaf_of(tmp_path / "data", 2)) != leaf_hash(receipt)


def leaf_of(folder: Path, position: int) -> bytes:
    with database_tools(folder, guarded=True) as database:
        (leaf,) = database.execute("SELECT leaf FROM events WHERE position = ?", [position]).fetchone()
    return bytes(leaf)


def test_quick_tells_whether_the_leaves_are_those_that_were_signed_and_nothing_else(copy):
    """An edited leaf and a missing one are named; a column beside it is not looked at."""
    with database_tools(copy) as database:
        database.execute("UPDATE events SET source = 'x' WHERE position = 5")
    report = verified(copy, quick=True)
    assert report.differences == []
    assert any("only the leaves were looked at" in each for each in report.remarks)
    edit(copy, 2, b'"version":"1.2"', b'"version":"1.9"')
    with database_tools(copy) as database:
        database.execute("DELETE FROM events WHERE position = 9")
    assert {(2, 2), (9, 9)} <= where(verified(copy, quick=True))
    assert (5, 5) in where(verified(copy))


def test_an_index_that_hides_an_event_is_told_by_a_thorough_verification(copy):
    """Whoever asks by stream would not see it; the rows are all there, and an index can be made anew from them."""
    with database_tools(copy, guarded=True) as database:
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'events' AND type = 'index' ORDER BY name LIMIT 1"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    path = copy / "events.sqlite"
    content = path.read_bytes()
    start, end = (page - 1) * size, page * size
    path.write_bytes(content[:start] + content[start:end].replace(b"slot/svc-1", b"slot/svc-7") + content[end:])
    assert (page, verified(copy).differences) == (page, [])
    assert "SQLite finds the file of the events damaged: row 1 missing from index" in texts(
        verified(copy, thorough=True)
    )


def test_a_leaf_that_was_signed_in_another_form_is_told_by_a_thorough_verification(tmp_path):
    """The ledger writes none; somebody did, in the second before it was sealed."""
    record = SealedRecord(tmp_path / "data")
    record.record(deployed(1), deployed(2), seal=False)
    record.ledger.close()
    edit(tmp_path / "data", 2, b'"format":1', b'"format": 1')
    assert "position 2 has a leaf that is not in canonical form" in texts(verified(tmp_path / "data"))
    record = SealedRecord(tmp_path / "data")
    record.seal()
    record.close()
    assert verified(tmp_path / "data").differences == []
    report = verified(tmp_path / "data", thorough=True)
    assert texts(report) == "position 2 has a leaf that is not in canonical form"


def test_large_records_are_verified_portion_by_portion_and_named_alike(tmp_path, monkeypatch):
    """More than one portion, several processes; a difference in each, and one across the border."""
    record = SealedRecord(tmp_path / "data")
    count = 2 * 16_384 + 700
    for start in range(0, count, 8_000):
        events = [
            deployed(number, author="Ana" if number % 50 == 0 else None)
            for number in range(start, min(start + 8_000, count))
        ]
        append(record.ledger, *events)
        record.seal()
    record.close()
    folder = tmp_path / "data"
    report = verified(folder, processes=1)
    assert (report.differences, report.head) == ([], count)
    assert report == verified(folder, processes=2)
    assert report.root == verified(folder, processes=2, quick=True).root
    monkeypatch.setattr("ledger.verify_record.FEW_TO_SPAWN", 1)
    with ThreadPoolExecutor(1) as another:
        assert report == another.submit(verified, folder, processes=2).result()
    for position in (16_384, 16_385, 33_000):
        edit(folder, position, b'"environment":"production"', b'"environment":"productioN"')
    with database_tools(folder) as database:
        database.execute("DELETE FROM events WHERE position BETWEEN 32760 AND 32770")
    for processes in (1, 2):
        for depth in ("quick", "thorough"):
            found = where(verified(folder, processes=processes, **{depth: True}))
            assert {(16_384, 16_384), (16_385, 16_385), (33_000, 33_000)} <= found
            assert {(32_760, 32_768), (32_769, 32_770)} <= found
