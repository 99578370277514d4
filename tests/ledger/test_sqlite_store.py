"""What only the embedded store promises: its settings, its guards, its file."""

import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import Damaged
from ledger.events import EVENTS, LEDGER
from ledger.store.sqlite import SCHEMA_VERSION, SQLiteStore, database_name
from tests.dsl import deployed, event
from tests.ledger.scene import EVERYONE, append, command

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(ledger):
    """A plain connection to the file, in autocommit mode, as any other program would open it."""
    with closing(sqlite3.connect(ledger.folder / "events.sqlite", isolation_level=None)) as connection:
        yield connection


def pragma(cursor, name):
    return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def test_every_connection_is_durable_and_forgets_for_good(ledger):
    """A commit is on the disk when it returns; also on connections made for many readers at once."""
    pool = ledger.store.datastore.pool
    connections = [pool.get_connection() for _ in range(20)]
    for connection in connections:
        cursor = connection.cursor().sqlite_cursor
        assert pragma(cursor, "journal_mode") == "wal"
        assert pragma(cursor, "synchronous") == 2
        assert pragma(cursor, "secure_delete") == 1
        assert pragma(cursor, "trusted_schema") == 0
        pool.put_connection(connection)
    with ledger.store.writing() as cursor:
        assert pragma(cursor, "synchronous") == 2


def test_a_database_that_cannot_be_made_durable_is_not_written_to():
    """In memory there is no log to write ahead; it is told, not ignored."""
    from ledger.store.sqlite import Factory

    with pytest.raises(Damaged, match="journal_mode"):
        Factory({"SQLITE_DBNAME": "file::memory:"}).application_recorder()


def test_a_database_of_a_later_release_is_not_opened(ledger, database):
    """It may make promises that this release does not know of."""
    ledger.close()
    database.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(Damaged, match="newer release"):
        Ledger(ledger.folder)


@pytest.mark.parametrize(
    "guard", ["events_no_update", "events_no_delete", "events_only_appended", "disclosures_no_update"]
)
def test_a_guard_that_was_taken_away_is_put_back(ledger, database, guard):
    """Until then nothing guards; what was changed in between, verification finds."""
    append(ledger, deployed("1"))
    ledger.close()
    database.execute(f"DROP TRIGGER {guard}")
    with closing(Ledger(ledger.folder)):
        found = database.execute("SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = ?", (guard,)).fetchall()
        assert found == [(1,)]


@pytest.mark.parametrize(
    "tampering",
    [
        "DROP TRIGGER events_no_update; CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT 1; END",
        "DROP TABLE fingerprints; CREATE TABLE fingerprints (position INTEGER PRIMARY KEY, fingerprint) STRICT",
        "DROP TABLE disclosures; CREATE VIEW disclosures AS SELECT 1",
    ],
)
def test_a_guard_that_was_replaced_is_told(ledger, database, tampering):
    """A guard of the right name that guards nothing would be worse than none."""
    ledger.close()
    database.executescript(tampering.replace("fingerprint) STRICT", "fingerprint BLOB) STRICT"))
    with pytest.raises((Damaged, sqlite3.Error)) as caught:
        Ledger(ledger.folder)
    if isinstance(caught.value, Damaged):
        assert "not as this release made it" in str(caught.value)


def test_opening_what_is_as_it_should_be_writes_nothing(ledger):
    """So that a server can be looked at while another process writes."""
    with ledger.store.writing(), closing(Ledger(ledger.folder)) as other:
        assert other.head() == 0


def test_types_are_enforced_by_the_database(database):
    """A position is a number, a leaf is bytes."""
    for values in (
        "'x', 's', 1, 't', 's', 'i', x'00'",
        "1, 's', 1, 't', 's', 'i', 'text'",
        "1, 's', 1, NULL, 's', 'i', x'00'",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(f"INSERT INTO events VALUES ({values})")


def test_no_stored_byte_knows_python(ledger, database):
    """Not the library's topics either: the record can be read when none of this code is left."""
    topics = [topic for topic, cls in EVENTS.items() if cls.WHO is not LEDGER]
    append(ledger, event("release.approved"), *(event(topic) for topic in topics if topic != "record.corrected"))
    dump = "\n".join(database.iterdump())
    for word in (
        "ledger.",
        "eventsourcing",
        "DeploymentSucceeded",
        "dataclass",
        "builtins",
        "uuid",
        "_type_",
        ":Event",
    ):
        assert word not in dump


def test_redacted_words_are_in_no_file_of_the_data_folder(ledger):
    """Not in free pages, not in the write-ahead log: overwritten, while the server runs."""
    secret, other = "Bob pulled the plug. " * 400, "Eve was on call. " * 400
    append(ledger, event("incident.note_added", text=secret, reason=other), deployed("1", reason="stays"))
    (first, *_) = ledger.rows()
    words = dict(first.disclosures)
    assert holding(ledger.folder, words["/text"]) != []
    append(ledger, event("record.redacted", position=1, fields=["text"]))
    assert holding(ledger.folder, words["/text"]) == []
    assert holding(ledger.folder, words["/reason"]) != []


def holding(folder, words):
    """The files in which some part of the words lies."""
    parts = [words[start : start + 64].encode() for start in range(0, len(words) - 64, 64)]
    return [path.name for path in folder.iterdir() if any(part in path.read_bytes() for part in parts)]


def test_a_redaction_is_done_though_a_reader_stands_in_the_way(ledger, database):
    """Its words leave the write-ahead log once the reader is gone."""
    secret = "Bob pulled the plug. " * 40
    append(ledger, deployed("1", reason=secret))
    words = dict(ledger.row(1).disclosures)["/reason"]
    database.execute("BEGIN")
    database.execute("SELECT * FROM events").fetchall()
    append(ledger, event("record.redacted", position=1, fields=["reason"]))
    assert next(ledger.read(0, 1)).redacted == ("/reason",)
    append(ledger, deployed("2"))
    assert holding(ledger.folder, words) != []
    database.execute("COMMIT")
    append(ledger, deployed("3"))
    assert holding(ledger.folder, words) == []
    with ledger.store.writing() as cursor:
        assert pragma(cursor, "busy_timeout") == 30_000


def test_a_fault_after_the_commit_is_not_told_as_a_refusal(ledger, monkeypatch):
    """The redaction is durable by then; what is left to do is done after the next group."""
    append(ledger, deployed("1", reason="Bob"))

    def broken(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(ledger.store, "shred", broken)
    assert append(ledger, event("record.redacted", position=1, fields=["reason"]))[0].position == 2
    patience = []
    monkeypatch.setattr(ledger.store, "shred", lambda ms: patience.append(ms) or True)
    append(ledger, deployed("2"))
    append(ledger, deployed("3"))
    assert patience == [0]


@pytest.mark.parametrize(
    "name", ["plain", "with space", "per%cent", "a?b#c", "ünï", "100%25", "mode=memory", ":memory:"]
)
def test_a_data_folder_may_have_any_name(tmp_path, name):
    """The library takes the path as a URI; a name must not become an option of it."""
    folder = tmp_path / name
    with closing(Ledger(folder)) as ledger:
        append(ledger, deployed("1"))
    assert (folder / "events.sqlite").stat().st_size > 0
    assert list(tmp_path.iterdir()) == [folder]
    assert database_name(str(folder)).startswith("file:")


def test_what_others_set_in_the_environment_changes_nothing_stored(tmp_path, monkeypatch):
    """The library reads its settings from there; a stray one must not compress or encrypt the record."""
    monkeypatch.setenv("COMPRESSOR_TOPIC", "zlib")
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.popo")
    monkeypatch.setenv("SQLITE_DBNAME", ":memory:")
    with closing(Ledger(tmp_path / "data")) as ledger:
        append(ledger, deployed("1"))
        assert next(ledger.rows()).state.startswith(b'{"data":{')
        assert isinstance(ledger.store, SQLiteStore)


def test_many_processes_open_a_new_folder_at_once(tmp_path):
    """One makes the tables and the key, the others find them."""
    script = (
        "import sys, pathlib; from ledger.application import Ledger\n"
        "ledger = Ledger(pathlib.Path(sys.argv[1])); print(ledger._fingerprint_key.hex()); ledger.close()"
    )
    opening = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path / "data"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    keys = {each.communicate(timeout=60)[0] for each in opening}
    assert [each.returncode for each in opening] == [0] * 4
    assert len(keys) == 1


def test_a_group_that_fails_gives_the_lock_back(ledger, monkeypatch):
    """The next append, and another process, find the way free."""
    monkeypatch.setattr(type(ledger.store), "last", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ledger.record([command(ledger, deployed("1"), by=EVERYONE)])
    monkeypatch.undo()
    append(ledger, deployed("1"))
    with closing(Ledger(ledger.folder)) as other:
        append(other, deployed("2"))


def test_a_full_disk_loses_nothing_and_leaves_nothing_half(ledger):
    """The append fails whole, whatever it had written; with room again the next one goes on where the last good one was."""
    append(ledger, deployed("1"))
    large = [event("incident.note_added", text="x" * 5000) for _ in range(50)]
    with full_disk(ledger), pytest.raises(ledger.store.FAILURES, match="full"):
        append(ledger, *large)
    assert ledger.head() == 1
    receipts = append(ledger, *large)
    assert [each.position for each in receipts] == list(range(2, 52))
    assert all(each.event.text == "x" * 5000 for each in ledger.read(1, 51))


@contextmanager
def full_disk(ledger):
    """No connection may make the file any larger."""
    pool = ledger.store.datastore.pool
    for most in ("page_count", "1073741823"):
        for connection in list(pool._pool):
            cursor = connection.cursor().sqlite_cursor
            limit = pragma(cursor, "page_count") if most == "page_count" else most
            cursor.execute(f"PRAGMA max_page_count={limit}").fetchall()
        if most == "page_count":
            yield
