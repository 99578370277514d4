"""Fixtures for everybody: a real server, shared by a session or fresh for one test, and a client of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.server import Client, Server

# CI runs the same examples each time, so that it judges the change and not its luck; everybody else's runs explore.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a session: use services and incidents of your own, and count nothing that others add to."""
    started = Server(tmp_path_factory.mktemp("server")).start()
    yield started
    started.close()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """One with an empty record but for the tokens, for this test alone."""
    started = Server(tmp_path / "server").start()
    yield started
    started.close()


@pytest.fixture
def client(server: Server) -> Client:
    """A responder's, of the shared server; `server.client(role)` gives others."""
    return server.client("responder")
