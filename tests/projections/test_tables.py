"""The file of the read models: disposable, private, and of one position."""

import sqlite3
import stat

import pytest

from projections import tables as models
from projections.tables import Tables, delete
from tests.projections.story import Story


@pytest.fixture
def file(tmp_path):
    """Fresh tables."""
    made = Tables(tmp_path / "models")
    yield made
    made.close()


def test_a_fresh_file_is_at_position_nothing(file):
    """And knows no slot and no state."""
    assert file.position() == 0
    assert file.slots({}, None, 10) == []
    assert file.state("slot/web/production") is None
    assert file.folded("slot/web/production") is None


def test_the_file_is_readable_by_its_owner_only(file):
    """Names of people are in it."""
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_a_file_of_another_format_is_deleted_and_made_anew(tmp_path, monkeypatch):
    """It is rebuilt from the record, so nobody has to migrate it."""
    story = Story(tmp_path / "models")
    story.at("09:00").deployed("A")
    story.moment()
    story.close()
    monkeypatch.setattr(models, "FORMAT", models.FORMAT + 1)
    again = Tables(tmp_path / "models")
    assert again.position() == 0
    again.close()


@pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\x00" + b"\x00" * 100])
def test_a_file_that_is_no_database_is_deleted_and_made_anew(tmp_path, content):
    """Half a copy, a full disk."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models.sqlite").write_bytes(content)
    made = Tables(folder)
    assert made.position() == 0
    made.close()


def test_a_file_of_this_format_is_gone_on_with(tmp_path):
    """Nothing is folded twice."""
    story = Story(tmp_path / "models")
    story.at("09:00").deployed("A")
    story.moment()
    story.close()
    again = Tables(tmp_path / "models")
    assert again.position() == 1
    assert again.state("slot/web/production").current is not None
    again.close()


def test_deleting_takes_the_files_beside_it_along(tmp_path):
    """A write-ahead log without its database would be taken for another's."""
    folder = tmp_path / "models"
    made = Tables(folder)
    made.close()
    for suffix in ("-wal", "-shm"):
        (folder / f"models.sqlite{suffix}").write_bytes(b"left over")
    delete(made.path)
    assert list(folder.iterdir()) == []


def test_slots_are_listed_by_name_and_in_pages(story):
    """Filtered by service, by environment, or by both."""
    for service in ("b", "a", "c/d"):
        for place in ("production", "staging"):
            story.at("09:00").deployed("A", service=service, environment=place)
    story.moment()
    file = story.answers.tables
    everything = [(service, place) for service in ("a", "b", "c/d") for place in ("production", "staging")]
    assert file.slots({}, None, 100) == everything
    assert file.slots({}, None, 2) == everything[:2]
    assert file.slots({}, everything[1], 2) == everything[2:4]
    assert file.slots({"environment": "staging"}, None, 100) == everything[1::2]
    assert file.slots({"service": "c/d"}, None, 100) == everything[4:]
    assert file.slots({"service": "c/d", "environment": "staging"}, None, 100) == everything[5:]


def test_a_slot_without_an_answer_does_not_end_a_list(story):
    """All its events are retracted; those after it are still told."""
    for service in ("a", "b", "c"):
        story.at("09:00").deployed("A", service=service)
    story.at("10:00").retracted(2)
    found, after = [], None
    with story.answers.at(story.moment()) as reader:
        while True:
            items, after = reader.slots({}, after, 1)
            found += [each["service"] for each in items]
            if after is None:
                break
    assert found == ["a", "c"]


def test_states_are_shared_until_they_change(story):
    """Decoded once; a newer one is read anew."""
    story.at("09:00").deployed("A")
    story.moment()
    file = story.answers.tables
    first = file.state("slot/web/production")
    assert file.state("slot/web/production") is first
    story.at("10:00").deployed("B")
    story.moment()
    assert file.state("slot/web/production") is not first
    assert len(first.periods) == 1


def test_the_kept_state_is_what_a_fold_from_nothing_gives(story):
    """In every kind of stream."""
    story.at("09:00").deployed("A")
    story.at("09:10").published("A")
    story.at("09:20").configured(soak_minutes=5)
    story.at("09:30").declared("INC-1", "SEV-1")
    story.at("08:00", recorded="10:00").deployed("Z")
    moment = story.moment()
    with story.answers.at(moment) as reader:
        for stream in ("slot/web/production", "service/web", "environment/production", "incident/INC-1"):
            assert story.answers.tables.state(stream) == reader.folded(stream, reader.moment).state


def test_a_snapshot_does_not_block_the_writer(file):
    """Readers and the one writer go side by side (write-ahead log)."""
    with file.snapshot():
        other = sqlite3.connect(file.path, timeout=0)
        other.execute("UPDATE progress SET position = 7")
        other.commit()
        other.close()
        assert file.position() == 0
    assert file.position() == 7


def test_deleted_words_leave_the_file(story):
    """Redaction reaches the disk: pages that are given up are overwritten, and the log beside it is emptied."""
    setting = story.at("09:00").configured(owner="grace.hopper@example.org")
    story.at("09:10").deployed("A")
    story.moment()
    story.at("09:20").redacted(setting, "owner")
    story.moment()
    for path in story.folder.iterdir():
        assert b"grace.hopper" not in path.read_bytes(), path.name
