"""A ledger in a folder of its own, on a clock that only the test moves."""

import pytest

from ledger.application import Ledger
from tests.ledger.scene import StoppedClock


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def ledger(tmp_path, clock):
    opened = Ledger(tmp_path / "data", clock)
    yield opened
    opened.close()
