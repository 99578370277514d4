"""The promises of a store, kept by each that there is."""

import sqlite3
from contextlib import closing

import pytest

from ledger.application import Ledger
from tests.ledger.store_contract import StoreContract


class SQLitePlace:
    """A data folder; statements come from a plain connection to the file in it."""

    refused = (
        "UPDATE events SET leaf = x'00' WHERE position = 1",
        "UPDATE events SET position = position + 10",
        "UPDATE OR REPLACE events SET position = 1 WHERE position = 2",
        "UPDATE OR IGNORE events SET type = 'x'",
        "UPDATE OR FAIL events SET source = 'x'",
        "UPDATE OR ROLLBACK events SET stream = 'x'",
        "DELETE FROM events",
        "DELETE FROM events WHERE position = 3",
        "REPLACE INTO events SELECT * FROM events WHERE position = 3",
        "REPLACE INTO events SELECT position, stream, revision, type, source, id, x'00' FROM events",
        "INSERT OR REPLACE INTO events SELECT 4, stream, revision, type, 'x', id, leaf FROM events WHERE position = 3",
        "INSERT OR REPLACE INTO events SELECT 4, 'x', 1, type, source, id, leaf FROM events WHERE position = 3",
        "INSERT OR REPLACE INTO events SELECT 4, stream, 4, type, source, id, leaf FROM events WHERE position = 1",
        "INSERT OR IGNORE INTO events SELECT 1, 'x', 1, type, 'x', 'x', x'00' FROM events WHERE position = 3",
        "INSERT INTO events SELECT * FROM events WHERE true ON CONFLICT DO UPDATE SET leaf = x'00'",
        "INSERT INTO events SELECT * FROM events WHERE true ON CONFLICT (position) DO UPDATE SET leaf = x'00'",
        "INSERT INTO events SELECT * FROM events WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO events SELECT NULL, 'x', 1, type, 'x', 'x', leaf FROM events WHERE position = 3",
        "INSERT INTO events SELECT 9, 'x', 1, type, 'x', 'x', leaf FROM events WHERE position = 3",
        "INSERT INTO events SELECT 0, 'x', 1, type, 'x', 'x', leaf FROM events WHERE position = 3",
        "INSERT INTO events SELECT -1, 'x', 1, type, 'x', 'x', leaf FROM events WHERE position = 3",
        "INSERT INTO events SELECT 4, 'x', 2, type, 'x', 'x', leaf FROM events WHERE position = 3",
        "UPDATE disclosures SET disclosure = 'x'",
        "UPDATE OR REPLACE disclosures SET position = 1",
        "INSERT INTO disclosures VALUES (1, '/reason', 'x')",
        "INSERT INTO disclosures VALUES (1, '/text', 'x')",
        "REPLACE INTO disclosures VALUES (2, '/reason', 'x')",
        "INSERT INTO disclosures VALUES (2, '/reason', 'x') ON CONFLICT DO UPDATE SET disclosure = 'x'",
        "UPDATE fingerprints SET fingerprint = x'00'",
        "INSERT INTO fingerprints VALUES (1, x'00')",
        "REPLACE INTO fingerprints VALUES (2, x'00')",
    )

    def __init__(self, folder):
        self.folder = folder
        self.spec = f"sqlite:{folder}"

    def open(self, clock=None):
        return Ledger(self.folder, clock)

    def execute(self, statement):
        with closing(sqlite3.connect(self.folder / "events.sqlite")) as connection, connection:
            return connection.execute(statement).fetchall()


class TestTheSQLiteStore(StoreContract):
    """The embedded default."""

    @pytest.fixture
    def place(self, tmp_path):
        return SQLitePlace(tmp_path / "data")
