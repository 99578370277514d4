"""A story for every test of the projections."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projections.story import Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """An empty history of the service web in production."""
    told = Story(tmp_path / "models")
    yield told
    told.close()
