"""What the tests of the command line share: a clean surrounding, and a way to call it."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from api.cli.main import main
from tests.cli.faulty import FaultyServer

CI_PREFIXES = ("GITHUB_", "GITLAB_", "CI_", "CIRCLE", "BITBUCKET_", "JENKINS_", "BUILD_", "SYSTEM_", "TF_BUILD", "GIT_")

Lastgood = Callable[..., Result]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> None:
    """No settings and no CI, whichever machine runs the tests."""
    import os

    for name in list(os.environ):
        if name.startswith((*CI_PREFIXES, "LASTGOOD_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lastgood() -> Lastgood:
    """Calls the command line; the result has `exit_code`, `stdout` and `stderr`."""

    def call(*args: str, stdin: bytes | str | None = None) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin, catch_exceptions=False)

    return call


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    """A server that misbehaves as it is told."""
    with FaultyServer() as server:
        yield server
